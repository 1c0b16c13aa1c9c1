//! What NASA's General Coordinates Network sends: circulars and text notices.

mod archive;
pub mod circular;
mod date;
pub mod notice;

pub use self::circular::Circular;
pub use self::notice::TextNotice;
