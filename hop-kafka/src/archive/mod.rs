//! The archive beside a broker: where messages are that are too large for a topic, and all others after Kafka has deleted
//! them.

mod client;
mod document;
mod endpoint;
mod placeholder;
mod query;
mod server;
mod settings;

pub use self::client::{Archive, Archived, Entry};
pub(crate) use self::document::Stored;
pub(crate) use self::placeholder::{placeholder, url_of};
pub use self::query::{Entries, Messages, Query};
pub(crate) use self::server::Server;
pub(crate) use self::settings::LargeMessages;
pub use self::settings::Offload;
