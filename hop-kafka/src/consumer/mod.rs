//! Reading: a thread of its own talks to the broker, the reader decodes.
//!
//! The worker takes events from librdkafka, copies each message into a record, and puts them into a bounded queue, in
//! batches. The reader walks through a batch without a lock, decodes (or finds its messages decoded by threads), and says
//! which messages are done; the worker stores their offsets. All of them share one [`Session`](session::Session).

mod alert;
mod assignment;
mod backfill;
mod client;
mod context;
mod control;
mod dead_letters;
mod decode;
mod dedupe;
mod external;
mod native;
mod nightly;
mod offsets;
mod options;
mod progress;
mod queue;
mod session;
mod subscription;
mod times;
mod unreadable;
mod walk;
mod worker;

pub use self::alert::{Alert, Typed};
pub use self::backfill::{Backfill, BackfillCounters};
pub use self::control::{Control, Lag};
pub use self::dead_letters::{Undecodable, dead_letter, restore};
pub use self::dedupe::Dedupe;
pub use self::offsets::{Start, StartPosition, StartReason};
pub use self::options::{Commit, Subscribe};
pub use self::subscription::{Subscription, TypedSubscription};
