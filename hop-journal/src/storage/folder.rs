//! A folder on disk, for its owner alone, and for one process at a time.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::{File, Storage};
use crate::error::{Error, ErrorKind};
use crate::segment::is_ours;

/// The file that is locked while the journal is open, and has the number of the process in it.
const LOCK: &str = "lock";

/// A folder on disk that holds one journal.
///
/// Files have mode 0600 and the folder 0700. While it is open, its file `lock` is locked (`flock`); the lock ends with the
/// process, however it ends.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// `None` for a folder that is only read.
    held: Option<Held>,
}

/// A folder that is open to be written to.
#[derive(Debug)]
struct Held {
    /// The folder itself, whatever its path names now.
    #[cfg(unix)]
    folder: fs::File,
    lock: fs::File,
}

impl Held {
    fn take(path: &Path) -> Result<Self, Error> {
        let lock = lock(path)?;
        #[cfg(unix)]
        let folder = fs::File::open(path).map_err(|error| Error::storage(opening(path), error))?;
        Ok(Self {
            #[cfg(unix)]
            folder,
            lock,
        })
    }
}

impl Folder {
    /// Opens the folder and locks it; makes it if it is not there.
    ///
    /// # Errors
    /// Kind `Locked`, with the process that has it, `NotAJournal` for a folder that holds other files too, and `Storage`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        // The program may go to another folder meanwhile.
        let path = std::path::absolute(&path).map_err(|error| Error::storage(opening(&path), error))?;
        make(&path).map_err(|error| Error::storage(opening(&path), error))?;
        require_own(&path)?;
        let held = Held::take(&path)?;
        Ok(Self { path, held: Some(held) })
    }

    /// Opens a folder that is there to look into it, also while another process has it open. Nothing is written.
    ///
    /// # Errors
    /// Kind `NotAJournal` for a folder that holds other files, and `Storage`.
    pub fn inspect(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        require_own(&path)?;
        Ok(Self { path, held: None })
    }

    /// Returns the path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn opening(path: &Path) -> String {
    format!("opening the journal {}", path.display())
}

/// Locks a folder for this process.
fn lock(path: &Path) -> Result<fs::File, Error> {
    let failed = |error| Error::storage(opening(path), error);
    let lock = options().read(true).write(true).create(true).truncate(false).open(path.join(LOCK));
    let mut lock = lock.map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // Without the number the error is good enough.
            let _read = lock.take(20).read_to_string(&mut holder);
            let by = match holder.trim().parse::<u32>() {
                Ok(process) => format!("process {process}"),
                Err(_) => "another process".to_owned(),
            };
            return Err(Error::new(ErrorKind::Locked, format!("the journal {} is in use by {by}", path.display()))
                .help("end that process, or use a folder of its own for each"));
        }
        Err(fs::TryLockError::Error(error)) => return Err(failed(error)),
    }
    restrict(path).map_err(failed)?;
    lock.set_len(0).map_err(failed)?;
    lock.seek(SeekFrom::Start(0)).map_err(failed)?;
    writeln!(lock, "{}", std::process::id()).map_err(failed)?;
    Ok(lock)
}

/// Returns true if the path names the file that is open here.
#[cfg(unix)]
fn names(path: &Path, file: &fs::File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let identity = |found: fs::Metadata| (found.dev(), found.ino());
    match fs::metadata(path) {
        Ok(found) => Ok(identity(found) == identity(file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns true if there is such a file; whether it is the one that is open here is not known.
#[cfg(not(unix))]
fn names(path: &Path, _file: &fs::File) -> io::Result<bool> {
    path.try_exists()
}

/// Fails for a folder that holds anything but a journal: nothing of anybody else's is to be touched.
fn require_own(path: &Path) -> Result<(), Error> {
    let failed = |error| Error::storage(format_args!("reading the journal {}", path.display()), error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let is_known = name.to_str().is_some_and(|name| name == LOCK || name.starts_with('.') || is_ours(name));
        if !is_known {
            return Err(Error::new(
                ErrorKind::NotAJournal,
                format!(
                    "the folder {} is not a journal: it holds `{}`",
                    path.display(),
                    name.to_string_lossy().escape_debug()
                ),
            )
            .help("name a new folder"));
        }
    }
    Ok(())
}

#[cfg(unix)]
fn options() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = fs::OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> fs::OpenOptions {
    fs::OpenOptions::new()
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

/// Takes everybody else's rights to the folder, and to a lock that was made by other means.
#[cfg(unix)]
fn restrict(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    for (path, mode) in [(path.to_owned(), 0o700), (path.join(LOCK), 0o600)] {
        if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn restrict(_path: &Path) -> io::Result<()> {
    Ok(())
}

impl Storage for Folder {
    fn names(&self) -> io::Result<Vec<String>> {
        let names = fs::read_dir(&self.path)?.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
        names.filter_map(Result::transpose).filter(|name| name.as_ref().map_or(true, |name| is_ours(name))).collect()
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let path = self.path.join(name);
        let file = options().read(true).append(true).create_new(true).open(&path)?;
        Ok(Box::new(Open { path, file }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let path = self.path.join(name);
        if !fs::symlink_metadata(&path)?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let file = options().read(true).append(self.held.is_some()).open(&path)?;
        Ok(Box::new(Open { path, file }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.path.join(from), self.path.join(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.path.join(name))
    }

    #[cfg(unix)]
    fn sync_names(&self) -> io::Result<()> {
        fs::File::open(&self.path)?.sync_all()
    }

    #[cfg(not(unix))]
    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn check(&mut self) -> Result<(), Error> {
        let Some(held) = &mut self.held else { return Ok(()) };
        let failed = |error| Error::storage(format_args!("looking for the journal {}", self.path.display()), error);
        #[cfg(unix)]
        if !names(&self.path, &held.folder).map_err(failed)? {
            return Err(Error::new(
                ErrorKind::Moved,
                format!("the journal {} was moved or removed while it is in use", self.path.display()),
            )
            .help("put the folder back where it was, or open the journal anew"));
        }
        if !names(&self.path.join(LOCK), &held.lock).map_err(failed)? {
            *held = Held::take(&self.path)?;
            tracing::error!(
                target: "hop", path = %self.path.display(),
                "the lock of a journal was removed by another program; it is locked again"
            );
        }
        Ok(())
    }
}

/// A file of the folder, and where it was opened.
#[derive(Debug)]
struct Open {
    path: PathBuf,
    file: fs::File,
}

impl File for Open {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn is_intact(&self, size: u64) -> io::Result<bool> {
        Ok(self.size()? == size && names(&self.path, &self.file)?)
    }

    #[cfg(unix)]
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, at)
    }

    #[cfg(windows)]
    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match std::os::windows::fs::FileExt::seek_read(&self.file, &mut bytes[done..], at + done as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => done += read,
            }
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn cut(&mut self, size: u64) -> io::Result<()> {
        self.file.set_len(size)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
