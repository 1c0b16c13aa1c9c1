//! Writes recordings.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hop_core::{Header, Record, Value};

use super::VERSION;
use crate::output;
use crate::output::save::sync_folder;

/// How much text makes a frame of its own, and for how long a message waits for others.
const FRAME: usize = 1 << 20;
const SOON: Duration = Duration::from_secs(1);
/// zstd's default level.
const LEVEL: i32 = 3;

/// A recording that is being written.
///
/// It has another name, with `.part` at its end, until it is whole. Messages are written in frames of zstd that can be read
/// by themselves; what fails in the middle of a frame is cut off, so that the part is whole up to there.
pub(crate) struct Writer {
    path: PathBuf,
    part: PathBuf,
    file: File,
    /// The length of the file up to the end of the last frame.
    sealed: u64,
    /// The messages in it.
    count: u64,
    /// Lines for the next frame, how many messages they are, and since when the first waits.
    waiting: Vec<u8>,
    messages: u64,
    since: Option<Instant>,
}

impl Writer {
    /// Starts a recording of these topics.
    pub(crate) fn create(path: &Path, topics: &[String], overwrite: bool) -> io::Result<Self> {
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        if !overwrite && path.exists() {
            return Err(io::Error::other(format!(
                "{} is there already; name another file, or overwrite it with `--force`",
                output::path(path)
            )));
        }
        let file = OpenOptions::new().write(true).create(true).truncate(overwrite).open(&part);
        let file = file.map_err(|error| named(&part, &error))?;
        file.try_lock().map_err(|_| named(&part, &"another command records there"))?;
        if !overwrite && file.metadata()?.len() > 0 {
            return Err(io::Error::other(format!(
                "{} is left of a recording that did not end: `hop replay --partial` reads it; move it away, or overwrite it \
                 with `--force`",
                output::path(&part)
            )));
        }
        let topics = Value::Array(topics.iter().map(|topic| topic.as_str().into()).collect());
        let head = Value::object([("hop_recording", Value::Int(VERSION)), ("topics", topics)]);
        let waiting = format!("{head}\n").into_bytes();
        let path = path.to_owned();
        let mut writer = Self { path, part, file, sealed: 0, count: 0, waiting, messages: 0, since: None };
        writer.seal()?;
        Ok(writer)
    }

    /// Adds a message; it is not in the file before the next [`seal`](Self::seal).
    pub(crate) fn add(&mut self, record: &Record) {
        let place = record.place.as_ref();
        let bytes = |bytes: Option<&bytes::Bytes>| bytes.map_or(Value::Null, text_or_bytes);
        let header = |Header { name, value }: &Header| Value::Array(vec![(&**name).into(), bytes(value.as_ref())]);
        let line = Value::object([
            ("topic", place.map(|place| &*place.topic).into()),
            ("partition", place.map(|place| place.partition).into()),
            ("offset", place.map(|place| place.offset).into()),
            ("timestamp", record.timestamp.into()),
            ("key", bytes(record.key.as_ref())),
            ("headers", Value::Array(record.headers.iter().map(header).collect())),
            ("content", bytes(record.content.as_bytes())),
        ]);
        self.waiting.extend_from_slice(format!("{line}\n").as_bytes());
        self.messages += 1;
        self.since.get_or_insert_with(Instant::now);
    }

    /// Returns whether it is time to seal what was added.
    pub(crate) fn is_due(&self) -> bool {
        self.waiting.len() >= FRAME || self.since.is_some_and(|since| since.elapsed() >= SOON)
    }

    /// Writes what was added, and has it last.
    pub(crate) fn seal(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let written = zstd::encode_all(&self.waiting[..], LEVEL).and_then(|frame| {
            self.file.write_all(&frame)?;
            self.file.sync_data()
        });
        if let Err(error) = written {
            let _whole = self.file.set_len(self.sealed);
            return Err(self.failed(&error));
        }
        self.sealed = self.file.stream_position()?;
        self.count += self.messages;
        (self.messages, self.since) = (0, None);
        self.waiting.clear();
        Ok(())
    }

    /// Ends the recording, which has its name from then on; returns how many messages it holds.
    pub(crate) fn finish(mut self) -> io::Result<u64> {
        self.seal()?;
        let count = self.count;
        let end = Value::object([("end", Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))]);
        self.waiting = format!("{end}\n").into_bytes();
        self.seal()?;
        self.file.sync_all().and_then(|()| fs::rename(&self.part, &self.path)).map_err(|error| self.failed(&error))?;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        sync_folder(folder)?;
        Ok(count)
    }

    /// Ends it before it is whole: what there is keeps its other name; nothing is left if there is no message.
    pub(crate) fn abandon(mut self) -> io::Result<()> {
        self.seal()?;
        match self.count {
            0 => fs::remove_file(&self.part),
            count => {
                output::complain(format_args!("{} holds the {count} messages before, whole", output::path(&self.part)));
                Ok(())
            }
        }
    }

    /// What went wrong, and what is left; nothing is left if there is no message.
    fn failed(&self, error: &io::Error) -> io::Error {
        let what = format!("recording {}: {error}", output::path(&self.path));
        if self.count == 0 {
            let _removed = fs::remove_file(&self.part);
            return io::Error::other(what);
        }
        let part = output::path(&self.part);
        io::Error::other(format!("{what}; {part} holds the {} messages before, whole", self.count))
    }
}

fn text_or_bytes(bytes: &bytes::Bytes) -> Value {
    std::str::from_utf8(bytes).map_or_else(|_| Value::Bytes(bytes.clone()), Value::from)
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", output::path(path)))
}

#[cfg(test)]
mod tests {
    use hop_core::{Payload, Place};

    use super::super::Reader;
    use super::*;

    fn records() -> Vec<Record> {
        let record = |offset, content: Payload, key: Option<&'static [u8]>| Record {
            content,
            key: key.map(bytes::Bytes::from_static),
            headers: [("a", Some(&b"1"[..])), ("a", None), ("raw", Some(b"\0\xff"))].into_iter().collect(),
            timestamp: Some(1_000 + offset),
            place: Some(Place { topic: "t".into(), partition: 0, offset }),
        };
        vec![
            record(0, "{\"$bytes\": \"AA==\"}\u{1b}\n".into(), None),
            record(1, Payload::NULL, Some(b"")),
            record(2, Payload::EMPTY, Some(b"\xff")),
            record(3, vec![0xff; 100_000].into(), Some(b"k")),
            Record { timestamp: None, ..record(4, "é".into(), None) },
        ]
    }

    fn write(path: &Path) {
        let mut writer = Writer::create(path, &["t".to_owned()], false).unwrap();
        for record in records() {
            writer.add(&record);
            writer.seal().unwrap();
        }
        assert_eq!(writer.finish().unwrap(), 5);
    }

    #[test]
    fn what_is_recorded_is_read_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.ndjson.zst");
        write(&path);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let read: Vec<Record> = Reader::open(&path).unwrap().collect::<io::Result<_>>().unwrap();
        assert_eq!(read, records());
        assert!(Writer::create(&path, &[], false).is_err_and(|error| error.to_string().contains("--force")));
    }

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("night.ndjson.zst");
        write(&path);
        let whole = fs::read(&path).unwrap();
        let read = || Reader::open(&path).and_then(|records| records.collect::<io::Result<Vec<_>>>());
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read().is_err(), "cut at {length} of {}", whole.len());
        }
        fs::write(&path, [&whole[..], &whole[..]].concat()).unwrap();
        assert!(read().is_err_and(|error| error.to_string().contains("after its end")));
        fs::write(&path, "{\"format\": \"json\"}\n").unwrap();
        assert!(read().is_err_and(|error| error.to_string().contains("not a recording")));
    }
}
