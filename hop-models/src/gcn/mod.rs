//! What NASA's General Coordinates Network sends: circulars and text notices.

pub mod circular;
pub mod notice;

pub use self::circular::Circular;
pub use self::notice::TextNotice;
