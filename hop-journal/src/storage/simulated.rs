//! A folder in memory that loses power, or runs full, when the test says so.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{File, Storage};
use crate::error::Error;

/// How a disk may look after a loss of power: what was synced is there, and of the rest…
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// … nothing.
    Unsynced,
    /// … any part: bytes that were not synced may be there, missing at the end, or zero in the middle; a name that was not
    /// synced may be there or not. The number chooses.
    Any(u64),
}

/// How many bytes a disk writes, or loses, together.
const PAGE: usize = 512;

#[derive(Debug, Clone, Default)]
struct Data {
    bytes: Vec<u8>,
    /// How they stand on the disk.
    synced: Vec<u8>,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<u64, Data>,
    names: BTreeMap<String, u64>,
    synced_names: BTreeMap<String, u64>,
    next: u64,
    /// Bytes that still fit; `None` for no bound.
    room: Option<usize>,
    fails_to_sync: bool,
    keeps_names: bool,
    syncs: usize,
}

/// A folder in memory. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Simulated(Arc<Mutex<Disk>>);

#[derive(Debug)]
struct Open {
    disk: Simulated,
    file: u64,
    name: String,
}

impl Simulated {
    /// Makes an empty folder.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the folder as a loss of power at this moment leaves it; this one goes on as if nothing had happened.
    pub fn lose_power(&self, loss: Loss) -> Self {
        let disk = self.lock();
        let mut random = Random(match loss {
            Loss::Unsynced => 0,
            Loss::Any(seed) => seed | 1,
        });
        let mut names = disk.synced_names.clone();
        if let Loss::Any(_) = loss {
            for (name, file) in &disk.names {
                if random.coin() {
                    names.insert(name.clone(), *file);
                }
            }
            // A file that lost its name under one and is found under another is one file.
            let mut seen = std::collections::BTreeSet::new();
            names.retain(|name, file| seen.insert(*file) && (disk.names.contains_key(name) || random.coin()));
        }
        let files = names.values().filter_map(|file| {
            let data = disk.files.get(file)?;
            let bytes = match loss {
                Loss::Unsynced => data.synced.clone(),
                Loss::Any(_) => partly(data, &mut random),
            };
            Some((*file, Data { synced: bytes.clone(), bytes }))
        });
        let files = files.collect();
        let after = Disk { files, synced_names: names.clone(), names, next: disk.next, ..Disk::default() };
        Self(Arc::new(Mutex::new(after)))
    }

    /// Lets this many bytes more be written; `None` for any number.
    pub fn set_room(&self, bytes: Option<usize>) {
        self.lock().room = bytes;
    }

    /// Makes every sync fail, or no longer.
    pub fn fail_syncs(&self, fails: bool) {
        self.lock().fails_to_sync = fails;
    }

    /// Lets no file be made or removed, as in a folder without the right to write to it; or lets them be again.
    pub fn keep_names(&self, keeps: bool) {
        self.lock().keeps_names = keeps;
    }

    /// Cuts a file, as another program might.
    pub fn truncate(&self, name: &str, size: usize) {
        let mut disk = self.lock();
        if let Some(file) = disk.names.get(name).copied()
            && let Some(data) = disk.files.get_mut(&file)
        {
            data.bytes.truncate(size);
            data.synced.truncate(size);
        }
    }

    /// Returns how often files were synced.
    pub fn syncs(&self) -> usize {
        self.lock().syncs
    }

    /// Returns the bytes of a file.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let disk = self.lock();
        disk.names.get(name).and_then(|file| disk.files.get(file)).map(|data| data.bytes.clone())
    }

    /// Puts a file into the folder, as if it had always been there.
    pub fn set(&self, name: &str, bytes: &[u8]) {
        let mut disk = self.lock();
        let file = disk.next;
        disk.next += 1;
        disk.files.insert(file, Data { bytes: bytes.to_vec(), synced: bytes.to_vec() });
        disk.names.insert(name.to_owned(), file);
        disk.synced_names.insert(name.to_owned(), file);
    }
}

/// Any part of what was not synced.
fn partly(data: &Data, random: &mut Random) -> Vec<u8> {
    let synced = data.synced.len().min(data.bytes.len());
    let end = synced + random.below(data.bytes.len() - synced + 1);
    let mut bytes = data.bytes[..end].to_vec();
    for page in (synced..end).step_by(PAGE) {
        if random.below(4) == 0 {
            bytes[page..end.min(page + PAGE)].fill(0);
        }
    }
    bytes
}

/// A small generator of numbers, the same for each seed (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn coin(&mut self) -> bool {
        self.next() & 0x100 != 0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }
}

impl Storage for Simulated {
    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn File>> {
        let mut disk = self.lock();
        if disk.keeps_names {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if disk.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = disk.next;
        disk.next += 1;
        disk.files.insert(file, Data::default());
        disk.names.insert(name.to_owned(), file);
        Ok(Box::new(Open { disk: self.clone(), file, name: name.to_owned() }))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn File>> {
        let file = self.lock().names.get(name).copied().ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Open { disk: self.clone(), file, name: name.to_owned() }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut disk = self.lock();
        let file = disk.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        disk.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut disk = self.lock();
        if disk.keeps_names {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        disk.names.remove(name).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut disk = self.lock();
        if disk.fails_to_sync {
            return Err(io::Error::other("the disk fails"));
        }
        disk.synced_names = disk.names.clone();
        Ok(())
    }
}

impl Open {
    fn with<T>(&self, work: impl FnOnce(&mut Data) -> T) -> io::Result<T> {
        self.disk.lock().files.get_mut(&self.file).map(work).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl File for Open {
    fn size(&self) -> io::Result<u64> {
        self.with(|data| data.bytes.len() as u64)
    }

    fn is_intact(&self, size: u64) -> io::Result<bool> {
        let is_named = self.disk.lock().names.get(&self.name) == Some(&self.file);
        Ok(is_named && self.size()? == size)
    }

    fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<()> {
        let start = usize::try_from(at).map_err(io::Error::other)?;
        self.with(|data| {
            let end = start.checked_add(bytes.len()).and_then(|end| data.bytes.get(start..end));
            end.map(|found| bytes.copy_from_slice(found)).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        })?
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let fitting = {
            let mut disk = self.disk.lock();
            let fitting = disk.room.map_or(bytes.len(), |room| room.min(bytes.len()));
            disk.room = disk.room.map(|room| room - fitting);
            fitting
        };
        self.with(|data| data.bytes.extend_from_slice(&bytes[..fitting]))?;
        if fitting < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn cut(&mut self, size: u64) -> io::Result<()> {
        let size = usize::try_from(size).map_err(io::Error::other)?;
        self.with(|data| data.bytes.truncate(size))
    }

    fn sync(&self) -> io::Result<()> {
        {
            let mut disk = self.disk.lock();
            disk.syncs += 1;
            if disk.fails_to_sync {
                return Err(io::Error::other("the disk fails"));
            }
        }
        self.with(|data| data.synced.clone_from(&data.bytes))
    }
}
