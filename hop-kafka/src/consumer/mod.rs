//! Reading: a thread of its own talks to the broker, the reader decodes.
//!
//! The thread polls librdkafka, copies each message into a record, and puts it into a bounded inbox. The reader takes
//! records out, decodes them (or finds them decoded by workers), and stores offsets as messages are done with.

mod alert;
mod assign;
mod control;
mod done;
mod inbox;
mod open;
mod poll;
mod start;
mod subscribe;
mod subscription;
mod undecodable;

use crate::blocking::spawn;

pub use self::alert::{Alert, Typed};
pub use self::control::{Control, Lag};
pub use self::start::{Start, StartPosition, StartReason};
pub use self::subscribe::Subscribe;
pub use self::subscription::{Subscription, TypedSubscription};
pub use self::undecodable::{Undecodable, dead_letter, restore};
