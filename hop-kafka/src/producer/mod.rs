//! Writing: messages are queued, librdkafka sends them, and each one's fate is told.
//!
//! A thread of its own polls librdkafka, tells fates, and destroys the client in the end. Nothing that could wait for the
//! broker or for a name to resolve is done on the caller's thread.

mod delivery;
mod limit;
mod publish;
mod publisher;
mod topics;
mod write;

pub use self::delivery::{Delivered, Delivery};
pub use self::publish::{Compression, Publish};
pub use self::publisher::Publisher;
pub use self::topics::Topic;
pub(crate) use self::topics::list;
pub use self::write::Write;
