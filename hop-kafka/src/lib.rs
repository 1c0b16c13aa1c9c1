#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admin;
pub mod archive;
pub mod auth;
mod blocking;
mod broker;
mod complaint;
mod config;
mod configuration;
mod consumer;
mod counters;
mod embedded;
mod error;
mod folder;
mod http;
#[cfg(feature = "metrics")]
pub mod metrics;
mod native;
mod pool;
mod producer;
mod record;
mod schema_registry;
mod stream;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
mod url;

/// Journals on disk: their settings, and what they hold; [`Publish::journal`] writes one.
pub use hop_journal as journal;

pub use self::admin::{Group, GroupDescription, GroupMove, GroupProgress, Right, TopicRights};
pub use self::archive::{Archive, Offload};
pub use self::auth::{Auth, Credential, TokenLife};
pub use self::blocking::{FromError, block_on, block_on_within};
pub use self::broker::{Broker, GroupRule, HostPattern};
pub use self::configuration::Configuration;
pub use self::consumer::{
    Alert, Backfill, BackfillCounters, Commit, Control, Dedupe, Lag, Start, StartPosition, StartReason, Subscribe,
    Subscription, Typed, TypedSubscription, Undecodable, dead_letter, restore,
};
pub use self::counters::{ReadCounters, WriteCounters};
pub use self::embedded::EmbeddedBroker;
pub use self::error::{Error, ErrorKind, Loss, Lost, Undelivered};
pub use self::producer::{
    Compression, Delivered, Delivery, JournaledPublish, JournaledPublisher, Publish, Publisher, Topic, Write,
};
pub use self::schema_registry::SchemaRegistry;
pub use self::stream::{Stream, StreamBuilder, list_topics, publish, subscribe};
pub use self::url::Url;

/// The version of the librdkafka that is linked, such as `"2.12.1"`.
pub fn librdkafka_version() -> String {
    rdkafka::util::get_rdkafka_version().1
}
