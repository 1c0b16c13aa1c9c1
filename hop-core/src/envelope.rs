//! Messages from before hop-client 0.6, which had no headers: a JSON object with `format` and `content`.

use crate::{Registry, Value};

/// The label that JSON values went under in envelopes.
pub(crate) const JSON_LABEL: &str = "blob";

/// An opened envelope.
pub(crate) struct Envelope {
    pub(crate) label: String,
    pub(crate) content: Value,
}

/// The envelope that `value` is; the value itself when it is none.
pub(crate) fn open(value: Value) -> Result<Envelope, Value> {
    let Value::Object(mut object) = value else { return Err(value) };
    let Some(label) = object.get("format").and_then(Value::as_str).map(str::to_owned) else {
        return Err(object.into());
    };
    match object.remove("content") {
        Some(content) => Ok(Envelope { label, content }),
        None => Err(object.into()),
    }
}

/// Whether content under `label` in an envelope is decoded.
pub(crate) fn is_known(registry: &Registry, label: &str) -> bool {
    label == JSON_LABEL || registry.get(label).is_some()
}
