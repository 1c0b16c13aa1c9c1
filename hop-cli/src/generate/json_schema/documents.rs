//! The files that a schema is spread over, and the references between them.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use hop_core::{Error, ErrorKind, Location, Value};
use percent_encoding::percent_decode_str;

use super::super::{MOST_BYTES, read_json};

/// No schema is spread over more files.
const MOST_FILES: usize = 1000;

/// In objects of more keys one is not looked for by walking over them.
const MOST_WALKED: usize = 64;

/// A place in one of the files.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct At {
    file: usize,
    pointer: Rc<str>,
}

impl At {
    /// The place of what stands under `key` here.
    pub(super) fn part(&self, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { file: self.file, pointer: format!("{}/{key}", self.pointer).into() }
    }

    /// The JSON pointer.
    pub(super) fn pointer(&self) -> &str {
        &self.pointer
    }

    /// The last key; none for a whole file.
    pub(super) fn last(&self) -> Option<String> {
        self.pointer.rsplit_once('/').map(|(_, key)| unescaped(key))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.pointer)
    }
}

struct Document {
    path: PathBuf,
    json: Value,
    /// The places of the keys of objects that have many, by the pointer of the object.
    wide: HashMap<Rc<str>, HashMap<String, usize>>,
    /// Its address, where it has one.
    id: Option<String>,
}

/// The files read so far.
pub(super) struct Documents {
    files: Vec<Document>,
    by_path: HashMap<PathBuf, usize>,
    /// What has an address of its own.
    by_id: HashMap<String, At>,
    /// How many bytes may be read yet.
    left: u64,
}

impl Documents {
    /// The file that the reading starts with, and its root.
    pub(super) fn of(path: &Path, json: Value) -> (Self, At) {
        let mut documents =
            Self { files: Vec::new(), by_path: HashMap::new(), by_id: HashMap::new(), left: MOST_BYTES };
        let file = documents.add(tidy(path), json);
        (documents, At { file, pointer: "".into() })
    }

    fn add(&mut self, path: PathBuf, json: Value) -> usize {
        let file = self.files.len();
        let id = json.get("$id").or_else(|| json.get("id")).and_then(Value::as_str);
        let id = id.map(|id| id.trim_end_matches('#').to_owned());
        let mut wide = HashMap::new();
        self.index(&json, &At { file, pointer: "".into() }, id.as_deref().unwrap_or_default(), &mut wide);
        self.by_path.insert(path.clone(), file);
        self.files.push(Document { path, json, wide, id });
        file
    }

    /// Notes what has an `$id` or an `$anchor`, and where the keys of large objects stand.
    fn index(&mut self, json: &Value, at: &At, base: &str, wide: &mut HashMap<Rc<str>, HashMap<String, usize>>) {
        match json {
            Value::Object(object) => {
                if object.len() > MOST_WALKED {
                    let places =
                        object.iter().enumerate().map(|(place, (key, _))| (key.to_string_lossy().into_owned(), place));
                    wide.insert(at.pointer.clone(), places.collect());
                }
                let mut base = base.to_owned();
                if let Some(id) = object.get("$id").and_then(Value::as_str) {
                    base = joined(&base, id.trim_end_matches('#'));
                    self.by_id.entry(base.clone()).or_insert_with(|| at.clone());
                }
                if let Some(anchor) = object.get("$anchor").and_then(Value::as_str) {
                    // Where the file has no address, the anchor is known by the file.
                    let id = if base.is_empty() { format!("{}#{anchor}", at.file) } else { format!("{base}#{anchor}") };
                    self.by_id.entry(id).or_insert_with(|| at.clone());
                }
                for (key, value) in object.iter() {
                    self.index(value, &at.part(&key.to_string_lossy()), &base, wide);
                }
            }
            Value::Array(values) => {
                for (key, value) in values.iter().enumerate() {
                    self.index(value, &at.part(&key.to_string()), base, wide);
                }
            }
            _ => {}
        }
    }

    /// What stands at a place.
    ///
    /// # Errors
    /// Kind `Invalid` when nothing does.
    pub(super) fn value(&self, at: &At) -> Result<&Value, Error> {
        let file = self.files.get(at.file);
        let mut value = file.map(|file| &file.json);
        let mut walked = 0;
        for part in at.pointer.split('/').skip(1) {
            let key = unescaped(part);
            let places = file.and_then(|file| file.wide.get(&at.pointer[..walked]));
            walked += 1 + part.len();
            value = match value {
                Some(Value::Object(object)) => match places {
                    Some(places) => places.get(&key).and_then(|place| object.get_index(*place)).map(|(_, value)| value),
                    None => object.get(&key),
                },
                Some(Value::Array(values)) => key.parse().ok().and_then(|at: usize| values.get(at)),
                _ => None,
            };
        }
        value.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, self.name(at))
                .expected("what a `$ref` refers to")
                .found("nothing")
                .at(Location::Path(at.pointer.to_string()))
        })
    }

    /// The place that `at` is a reference to, and no more than that; else `at`.
    pub(super) fn followed(&mut self, at: &At) -> Result<At, Error> {
        match self.value(at)?.get("$ref").and_then(Value::as_str).map(str::to_owned) {
            Some(reference) => self.follow(at, &reference),
            None => Ok(at.clone()),
        }
    }

    /// Where a reference leads that stands at `from`: within the file, to another file, or to what has that address.
    ///
    /// # Errors
    /// Kind `Invalid` when there is no such file or nothing in it at that place.
    pub(super) fn follow(&mut self, from: &At, reference: &str) -> Result<At, Error> {
        let (address, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let fragment = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
        let base = self.files.get(from.file).and_then(|file| file.id.clone()).unwrap_or_default();
        let full = joined(&base, address);
        let root = if address.is_empty() {
            At { file: from.file, pointer: "".into() }
        } else if let Some(known) = self.by_id.get(&full) {
            known.clone()
        } else {
            At { file: self.open(from, address, &base, &full)?, pointer: "".into() }
        };
        let target = if fragment.is_empty() {
            root
        } else if fragment.starts_with('/') {
            At { file: root.file, pointer: format!("{}{fragment}", root.pointer).into() }
        } else {
            let id = self.files.get(root.file).and_then(|file| file.id.clone());
            let id = id.map_or_else(|| format!("{}#{fragment}", root.file), |id| format!("{id}#{fragment}"));
            let known = self.by_id.get(&id).cloned();
            known.ok_or_else(|| self.lost(from, reference, "no `$anchor` has that name".to_owned()))?
        };
        match self.value(&target) {
            Ok(_) => Ok(target),
            Err(_) => Err(self.lost(from, reference, format!("there is nothing at `{fragment}`"))),
        }
    }

    /// The file that an address means, read.
    fn open(&mut self, from: &At, address: &str, base: &str, full: &str) -> Result<usize, Error> {
        let Some(file) = self.files.get(from.file) else { return Ok(from.file) };
        let plain = !address.starts_with('/') && !address.contains("://");
        let relative = if plain { Some(address.to_owned()) } else { relative(base, full) };
        let Some(relative) = relative else {
            let help =
                "addresses of other hosts are not fetched: put the schema beside this one and refer to it by file";
            return Err(self.lost(from, address, help.to_owned()));
        };
        let relative = percent_decode_str(&relative).decode_utf8_lossy().into_owned();
        let folder = file.path.parent().unwrap_or(Path::new(""));
        let path = tidy(&folder.join(relative));
        if let Some(known) = self.by_path.get(&path) {
            return Ok(*known);
        }
        if self.files.len() >= MOST_FILES {
            return Err(Error::new(ErrorKind::Limit, self.name(from))
                .expected(format!("at most {MOST_FILES} files"))
                .found("more"));
        }
        if !path.exists() {
            let help = format!("put the file there: {}", path.display());
            return Err(self.lost(from, address, "there is no such file".to_owned()).help(help));
        }
        match read_json(&path, &mut self.left) {
            Ok(json) => Ok(self.add(path, json)),
            Err(error) => Err(self.lost(from, address, error.to_string())),
        }
    }

    /// The name of the file of a place, for messages.
    pub(super) fn name(&self, at: &At) -> String {
        self.files.get(at.file).map_or_else(String::new, |file| file.path.display().to_string())
    }

    /// The file's name without what marks it as a schema.
    pub(super) fn stem(&self, at: &At) -> String {
        self.files.get(at.file).map_or_else(String::new, |file| super::super::stem(&file.path))
    }

    #[cold]
    fn lost(&self, from: &At, reference: &str, why: String) -> Error {
        Error::new(ErrorKind::Invalid, self.name(from))
            .expected("a `$ref` that leads somewhere")
            .found(format!("`{}`: {why}", reference.escape_debug()))
            .at(Location::Path(if from.pointer.is_empty() { "#".to_owned() } else { from.pointer.to_string() }))
    }
}

fn unescaped(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

/// `a/b/../c` as `a/c`, without asking the disk: so that a file has one name.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// What an address means where `base` is.
fn joined(base: &str, address: &str) -> String {
    if address.contains("://") || base.is_empty() {
        return address.to_owned();
    }
    let (host, path) = parts(base);
    if address.starts_with('/') {
        return format!("{host}{address}");
    }
    let mut segments: Vec<&str> = path.split('/').collect();
    segments.pop();
    for segment in address.split('/') {
        match segment {
            "." => {}
            ".." => {
                if segments.len() > 1 {
                    segments.pop();
                }
            }
            other => segments.push(other),
        }
    }
    format!("{host}{}", segments.join("/"))
}

/// The way from the folder of `base` to `full`, where both are of one host.
fn relative(base: &str, full: &str) -> Option<String> {
    let ((host, base), (other, full)) = (parts(base), parts(full));
    if host != other || host.is_empty() {
        return None;
    }
    let (mut from, to): (Vec<&str>, Vec<&str>) = (base.split('/').collect(), full.split('/').collect());
    from.pop();
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = std::iter::repeat_n("..", from.len() - common);
    Some(up.chain(to[common..].iter().copied()).collect::<Vec<_>>().join("/"))
}

/// `https://gcn.nasa.gov` and `/schema/…`.
fn parts(address: &str) -> (&str, &str) {
    let host = address.find("://").map_or(0, |at| at + 3);
    let path = if host == 0 { 0 } else { address[host..].find('/').map_or(address.len(), |at| host + at) };
    address.split_at(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_by_the_way_between_them() {
        let base = "https://gcn.nasa.gov/schema/main/gcn/notices/chime/frb.schema.json";
        let core = "https://gcn.nasa.gov/schema/main/gcn/notices/core/Alert.schema.json";
        assert_eq!(joined(base, "../core/Alert.schema.json"), core);
        assert_eq!(joined(base, "/schema/main/gcn/notices/core/Alert.schema.json"), core);
        assert_eq!(relative(base, core).as_deref(), Some("../core/Alert.schema.json"));
        assert_eq!(relative(base, "https://example.org/x.json"), None);
        assert_eq!(relative("", "/x.json"), None);
        assert_eq!(tidy(Path::new("a/./b/../../c.json")), Path::new("c.json"));
        assert_eq!(tidy(Path::new("../c.json")), Path::new("../c.json"));
    }
}
