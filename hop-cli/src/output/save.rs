//! Messages as files: one each, and a manifest of them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use hop_core::{Record, Value};
use jiff::Timestamp;
use tempfile::NamedTempFile;

/// The name of the list of the files.
const MANIFEST: &str = "manifest.ndjson";

/// A folder that messages are saved in.
///
/// Each file is written under another name, synchronised and renamed, so that what has its name is whole. A line of the
/// manifest follows it.
pub(crate) struct Folder {
    path: PathBuf,
    manifest: File,
    /// The length of the manifest up to its last whole line.
    length: u64,
}

impl Folder {
    /// Opens the folder, which is made if it is not there. No other command may save there at the same time.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        fs::create_dir_all(path).map_err(|error| named(path, &error))?;
        let list = path.join(MANIFEST);
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&list);
        let mut manifest = opened.map_err(|error| named(&list, &error))?;
        manifest.try_lock().map_err(|_| named(path, &"another command saves messages there"))?;
        let length = whole_lines(&manifest).map_err(|error| named(&list, &error))?;
        manifest.set_len(length)?;
        manifest.seek(io::SeekFrom::End(0))?;
        Ok(Self { path: path.to_owned(), manifest, length })
    }

    /// Saves content under a name, and a line about it in the manifest; returns the path.
    ///
    /// A file of that name with the same content is left alone. One with other content is too, and the new one has a number.
    pub(crate) fn save(&mut self, name: &Name, content: &[u8], entry: Value) -> io::Result<PathBuf> {
        let mut written = unnamed(&self.path, content).map_err(|error| named(&self.path.join(name.with(1)), &error))?;
        for number in 1.. {
            let path = self.path.join(name.with(number));
            match written.persist_noclobber(&path) {
                Ok(_) => {
                    sync_folder(&self.path)?;
                    return self.list(&path, entry).map(|()| path);
                }
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                    written = failed.file;
                    if fs::read(&path)? == content {
                        return self.list(&path, entry).map(|()| path);
                    }
                }
                Err(failed) => return Err(named(&path, &failed.error)),
            }
        }
        Err(io::Error::other("no number is left"))
    }

    /// Adds a line to the manifest, or nothing.
    fn list(&mut self, path: &Path, entry: Value) -> io::Result<()> {
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut line = Value::object([("file", file.as_str().into())]);
        if let (Value::Object(line), Value::Object(entry)) = (&mut line, entry) {
            for (name, value) in entry {
                line.insert(name, value);
            }
        }
        let line = format!("{line}\n");
        let written = self.manifest.write_all(line.as_bytes()).and_then(|()| self.manifest.sync_data());
        if let Err(error) = written {
            let _whole = self.manifest.set_len(self.length);
            return Err(named(&self.path.join(MANIFEST), &error));
        }
        self.length += line.len() as u64;
        Ok(())
    }
}

/// Writes a file that is to get its name in this folder once it is whole.
fn unnamed(folder: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new();
    #[cfg(unix)]
    file.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = file.prefix(".hop-").suffix(".part").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// Writes a file that is whole or not there; the one before it stays until then.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = unnamed(folder, content).map_err(|error| super::named(path, &error))?;
    file.persist(path).map_err(|failed| super::named(path, &failed.error))?;
    Ok(())
}

/// The length of a file up to the end of its last line: a crash may have left half of one.
fn whole_lines(file: &File) -> io::Result<u64> {
    let mut reader = BufReader::new(file);
    let mut whole = 0;
    loop {
        let (ended, length) = {
            let chunk = reader.fill_buf()?;
            if chunk.is_empty() {
                return Ok(whole);
            }
            (chunk.iter().rposition(|byte| *byte == b'\n'), chunk.len())
        };
        let start = reader.stream_position()?;
        reader.consume(length);
        if let Some(at) = ended {
            whole = start + at as u64 + 1;
        }
    }
}

/// Makes the renaming last.
#[cfg(unix)]
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Does nothing: a folder cannot be synchronised here.
#[cfg(not(unix))]
pub(crate) fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Adds the path to an error.
fn named(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("saving {}: {error}", super::path(path)))
}

/// The name of a file by which a message can be found: when it was published, where it was read, and the event.
#[derive(Debug)]
pub(crate) struct Name {
    stem: String,
    extension: &'static str,
}

impl Name {
    /// Returns the name for a record, about an event if that is known.
    pub(crate) fn of(record: &Record, event: Option<&str>, extension: &'static str) -> Self {
        let published = record.timestamp.and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let published =
            published.map_or_else(|| "undated".to_owned(), |time| time.strftime("%Y%m%dT%H%M%SZ").to_string());
        let mut stem = published;
        if let Some(place) = &record.place {
            stem.push_str(&format!("_{}_{}_{}", plain(&place.topic, 120), place.partition, place.offset));
        }
        if let Some(event) = event.map(|event| plain(event, 60)).filter(|event| !event.is_empty()) {
            stem.push_str(&format!("_{event}"));
        }
        Self { stem, extension }
    }

    fn with(&self, number: u32) -> String {
        let Self { stem, extension } = self;
        if number == 1 { format!("{stem}.{extension}") } else { format!("{stem}-{number}.{extension}") }
    }
}

/// Text fit for the name of a file on every system, cut to a length.
fn plain(text: &str, most: usize) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '+' | '-') { c } else { '-' };
    text.trim().chars().take(most).map(plain).collect()
}

/// Returns the ending for the file of a format, or for content.
pub(crate) fn extension(format: &str, content: &[u8]) -> &'static str {
    match format {
        "voevent" => "xml",
        "circular" | "gcntextnotice" => "txt",
        "avro" => "avro",
        "json" | "external" | "gcnnotice" => "json",
        _ if content.starts_with(b"Obj\x01") => "avro",
        _ if crate::detect::starts_like_json(content) => "json",
        _ if std::str::from_utf8(content).is_ok_and(|text| !text.contains('\0')) => "txt",
        _ => "bin",
    }
}

#[cfg(test)]
mod tests {
    use hop_core::Place;

    use super::*;

    fn record(topic: &str) -> Record {
        Record {
            timestamp: Some(1_795_665_600_000),
            place: Some(Place { topic: topic.into(), partition: 0, offset: 42 }),
            ..Record::default()
        }
    }

    #[test]
    fn names_are_found_by_time_topic_and_event_and_stay_in_the_folder() {
        let name = |topic: &str, event: &str| Name::of(&record(topic), Some(event), "xml").with(1);
        assert_eq!(name("gcn.circular", "GRB 261126A"), "20261126T040000Z_gcn.circular_0_42_GRB-261126A.xml");
        assert_eq!(name("../../etc", "/passwd\0\n"), "20261126T040000Z_..-..-etc_0_42_-passwd-.xml");
        assert!(name(&"t".repeat(249), &"é".repeat(300)).len() < 255);
        assert_eq!(Name::of(&Record::default(), None, "bin").with(2), "undated-2.bin");
    }

    #[test]
    fn a_message_that_comes_again_is_one_file_and_another_at_its_place_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let mut saved = Folder::open(folder.path()).unwrap();
        let name = Name::of(&record("t"), None, "txt");
        let mut save = |content: &[u8]| {
            let path = saved.save(&name, content, Value::object([("n", Value::Int(1))])).unwrap();
            path.file_name().unwrap().to_str().unwrap().to_owned()
        };
        assert_eq!(save(b"one"), "20261126T040000Z_t_0_42.txt");
        assert_eq!(save(b"one"), "20261126T040000Z_t_0_42.txt");
        assert_eq!(save(b"two"), "20261126T040000Z_t_0_42-2.txt");
        assert!(Folder::open(folder.path()).is_err_and(|error| error.to_string().contains("another command")));
        drop(saved);
        // A crash while the manifest was written.
        let list = folder.path().join(MANIFEST);
        let whole = fs::read_to_string(&list).unwrap();
        assert_eq!(whole.lines().count(), 3);
        fs::write(&list, format!("{whole}{{\"file\": \"ha")).unwrap();
        let mut saved = Folder::open(folder.path()).unwrap();
        saved.save(&name, b"one", Value::object([("n", Value::Int(2))])).unwrap();
        let list = fs::read_to_string(&list).unwrap();
        assert_eq!(list, format!("{whole}{{\"file\": \"20261126T040000Z_t_0_42.txt\", \"n\": 2}}\n"));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "{names:?}");
    }
}
