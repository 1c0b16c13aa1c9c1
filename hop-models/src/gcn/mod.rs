//! What NASA's General Coordinates Network sends: circulars, and notices in text, JSON and binary form.

mod archive;
pub mod circular;
mod date;
pub mod notice;
pub mod packet;
pub mod unified;

pub use self::circular::Circular;
pub use self::notice::TextNotice;
pub use self::packet::GcnPacket;
pub use self::unified::GcnNotice;
