//! Reads recordings.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use hop_core::{Content, Headers, Limits, Place, Record, Value, json};

use super::VERSION;
use crate::output;

/// The longest line: a message at hop's limit, in base64, with its headers.
const LONGEST: u64 = 2 * Limits::DEFAULT.content as u64;

/// The messages of a recording, in order. An error is the last item.
pub(crate) struct Reader {
    path: PathBuf,
    lines: BufReader<Box<dyn Read>>,
    topics: Vec<String>,
    count: u64,
    state: State,
}

#[derive(Debug, PartialEq)]
enum State {
    Open,
    /// Its last line was read, or there was an error.
    Over,
}

impl Reader {
    /// Opens a recording and reads its first line.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut reader = Self {
            path: path.to_owned(),
            lines: BufReader::new(Box::new(io::empty())),
            topics: Vec::new(),
            count: 0,
            state: State::Open,
        };
        let file = File::open(path).map_err(|error| reader.wrong(&error))?;
        let zstd = zstd::stream::read::Decoder::new(file).map_err(|error| reader.wrong(&error))?;
        reader.lines = BufReader::new(Box::new(zstd));
        let not_one = "it is not a recording of `hop record`";
        let head = match reader.line() {
            Ok(Some(head)) => head,
            Ok(None) => return Err(reader.wrong(&not_one)),
            Err(error) => return Err(reader.wrong(&format!("{not_one}: {error}"))),
        };
        match head.get("hop_recording").map(Value::as_i64) {
            Some(Some(VERSION)) => {}
            Some(version) => {
                let version = version.map_or_else(|| "unknown".to_owned(), |version| version.to_string());
                return Err(reader.wrong(&format!("its format has version {version}, and this hop reads {VERSION}")));
            }
            None => return Err(reader.wrong(&not_one)),
        }
        let topics = head.get("topics").and_then(Value::as_array).unwrap_or_default();
        reader.topics = topics.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(reader)
    }

    /// Returns the topics that were recorded.
    pub(crate) fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Reads a line, `None` at the end.
    fn line(&mut self) -> io::Result<Option<Value>> {
        let mut line = Vec::new();
        (&mut self.lines).take(LONGEST).read_until(b'\n', &mut line)?;
        match line.pop() {
            None => Ok(None),
            Some(b'\n') => {
                let limits = Limits { content: usize::try_from(LONGEST).unwrap_or(usize::MAX), ..Limits::DEFAULT };
                json::parse(Content::from(&line[..]).with_limits(&limits)).map(Some).map_err(io::Error::other)
            }
            Some(_) => Err(io::Error::other("a line is cut off, or longer than any message")),
        }
    }

    fn next_record(&mut self) -> io::Result<Option<Record>> {
        let Some(line) = self.line()? else {
            return Err(io::Error::other(format!("it is cut off after {} messages", self.count)));
        };
        if let Some(count) = line.get("end") {
            if count.as_i64().and_then(|count| u64::try_from(count).ok()) != Some(self.count) {
                return Err(io::Error::other(format!("it states {count} messages, and holds {}", self.count)));
            }
            return match self.line()? {
                None => Ok(None),
                Some(_) => Err(io::Error::other("there is more after its end")),
            };
        }
        let record = record(&line).map_err(|what| io::Error::other(format!("message {}: {what}", self.count + 1)))?;
        self.count += 1;
        Ok(Some(record))
    }

    fn wrong(&self, what: &dyn std::fmt::Display) -> io::Error {
        io::Error::other(format!("{}: {what}", output::path(&self.path)))
    }
}

impl Iterator for Reader {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Over {
            return None;
        }
        let next = self.next_record().map_err(|error| self.wrong(&error));
        if !matches!(next, Ok(Some(_))) {
            self.state = State::Over;
        }
        next.transpose()
    }
}

/// Reads the record of a line.
fn record(line: &Value) -> Result<Record, String> {
    let integer = |name: &str| match &line[name] {
        Value::Null => Ok(None),
        value => value
            .as_i64()
            .map(Some)
            .ok_or_else(|| format!("expected an integer as `{name}`, found {}", value.describe())),
    };
    let bytes = |name: &str| {
        let value = line.get(name).ok_or_else(|| format!("expected an entry `{name}`"))?;
        output::ndjson::bytes(value).ok_or_else(|| {
            format!("expected text, null or {{\"$bytes\": base64}} as `{name}`, found {}", value.describe())
        })
    };
    let partition = integer("partition")?.map_or(Ok(0), i32::try_from).map_err(|_| "no such partition".to_owned())?;
    let topic = line["topic"].as_str().ok_or("expected the name of a topic as `topic`")?;
    let place = Place { topic: topic.into(), partition, offset: integer("offset")?.unwrap_or_default() };
    Ok(Record {
        content: bytes("content")?.into(),
        key: bytes("key")?,
        headers: Headers::from_value(&line["headers"]).map_err(|error| error.to_string())?,
        timestamp: integer("timestamp")?,
        place: Some(place),
    })
}
