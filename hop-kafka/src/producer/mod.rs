//! Writing: messages are queued, librdkafka sends them, and the result of each delivery is returned.
//!
//! `worker` polls librdkafka on a thread of its own, and destroys the client in the end. Nothing that could wait for the
//! broker or for a name to resolve is done on the caller's thread.

mod context;
mod delivery;
mod failures;
mod framer;
mod journal;
mod max_message_size;
mod metadata;
mod offload;
mod outlet;
mod publish;
mod publisher;
mod send;
mod topics;
mod unsent;
mod worker;
mod write;

pub use self::delivery::{Delivered, Delivery};
pub use self::journal::{JournaledPublish, JournaledPublisher};
pub use self::publish::{Compression, Publish};
pub use self::publisher::Publisher;
pub use self::topics::Topic;
pub(crate) use self::topics::list;
pub use self::write::Write;
