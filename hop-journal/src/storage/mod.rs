//! The operations of a folder that a journal needs, so that a test can lose power or run out of space.

mod folder;
#[cfg(feature = "testing")]
mod simulated;

use std::fmt::Debug;
use std::io;

use crate::error::Error;

pub use self::folder::Folder;
#[cfg(feature = "testing")]
pub use self::simulated::{Loss, Simulated};

/// A folder of files that are written at their end alone.
pub trait Storage: Debug + Send {
    /// Returns the names of all files, in any order.
    fn names(&self) -> io::Result<Vec<String>>;

    /// Makes an empty file, and fails if there is one of this name.
    fn create(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Opens a file that is there, to read it and to cut it.
    fn open(&self, name: &str) -> io::Result<Box<dyn File>>;

    /// Gives a file another name.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns once the names, as they are now, survive a loss of power.
    fn sync_names(&self) -> io::Result<()>;

    /// Makes sure that this is still the folder that was opened, and no other process's.
    ///
    /// # Errors
    /// Kind `Moved` and `Locked`.
    fn check(&mut self) -> Result<(), Error>;
}

/// A file of a [`Storage`].
pub trait File: Debug + Send {
    /// Returns how many bytes the file has.
    fn size(&self) -> io::Result<u64>;

    /// Returns true if the folder still has this very file under its name, with so many bytes.
    fn is_intact(&self, size: u64) -> io::Result<bool>;

    /// Fills `bytes` with what stands at `at`.
    ///
    /// # Errors
    /// Also where the file ends before.
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()>;

    /// Writes all of `bytes` at the end. After an error any part of them may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Cuts the file to this size.
    fn cut(&mut self, size: u64) -> io::Result<()>;

    /// Returns once the file's bytes, as they are now, survive a loss of power.
    fn sync(&self) -> io::Result<()>;
}

/// Reads a whole file.
pub(crate) fn read(file: &dyn File) -> io::Result<bytes::Bytes> {
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(io::Error::other)?;
    bytes.resize(size, 0);
    file.read_at(&mut bytes, 0)?;
    Ok(bytes.into())
}
