use hop_core::HopModel;
use serde::{Deserialize, Serialize};

use serde::de::DeserializeOwned;

#[derive(Debug, Serialize, Deserialize, HopModel)]
struct Alert<T> {
    payload: T,
}

// No second error here: the type still counts as a model.
fn send(_: &impl hop_core::MessageModel) {}

fn forward<T: std::fmt::Debug + Serialize + DeserializeOwned + Send + Sync + 'static>(alert: &Alert<T>) {
    send(alert);
}

fn main() {}
