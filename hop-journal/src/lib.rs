#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod cursor;
pub mod entry;
mod error;
pub mod frame;
pub mod hop_client;
mod journal;
mod log;
mod options;
mod recovery;
pub mod segment;
pub mod storage;

pub use self::entry::{Entry, Refusal};
pub use self::error::{Error, ErrorKind};
pub use self::journal::{Contents, Journal};
pub use self::options::{Durability, Options, WhenFull};
pub use self::recovery::{Damage, Recovery, Torn};
pub use self::storage::Folder;
