//! Schemas that are spread over files: one that names `ztf.alert.candidate` finds it in an `.avsc` beside it.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use hop_core::{Error, ErrorKind, Object, Value};

use super::super::MOST_BYTES;
use super::read_json;

const PRIMITIVES: [&str; 8] = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

/// No folder of schemas has more files than this.
const MOST_FILES: usize = 1000;

/// Schemas nested deeper than this are refused.
const DEEPEST: usize = 200;

/// The schema with every type that it names declared in it, where it is first named.
///
/// # Errors
/// Kind `Invalid` when a name is declared nowhere.
pub(super) fn complete(path: &Path, json: &Value) -> Result<Value, Error> {
    let mut folder = Folder { path, declared: HashSet::new(), others: None, depth: 0 };
    folder.complete(json, "")
}

struct Folder<'a> {
    path: &'a Path,
    declared: HashSet<String>,
    /// What the other files declare, read when it is first asked for.
    others: Option<Others>,
    depth: usize,
}

#[derive(Default)]
struct Others {
    by_name: HashMap<String, Value>,
    files: usize,
    /// Files that are no schemas, and why.
    unread: Vec<String>,
}

impl Folder<'_> {
    fn complete(&mut self, json: &Value, namespace: &str) -> Result<Value, Error> {
        if self.depth == DEEPEST {
            return Err(Error::new(ErrorKind::Limit, "avro schema")
                .expected(format!("at most {DEEPEST} levels of nesting"))
                .found("more"));
        }
        self.depth += 1;
        let complete = match json {
            Value::String(name) => self.name(&name.to_string_lossy(), namespace)?,
            Value::Array(branches) => {
                let branches = branches.iter().map(|branch| self.complete(branch, namespace));
                Value::Array(branches.collect::<Result<_, Error>>()?)
            }
            Value::Object(object) => self.object(object, namespace)?,
            other => other.clone(),
        };
        self.depth -= 1;
        Ok(complete)
    }

    fn name(&mut self, name: &str, namespace: &str) -> Result<Value, Error> {
        let full = if name.contains('.') || namespace.is_empty() { name.into() } else { format!("{namespace}.{name}") };
        let known = PRIMITIVES.contains(&name) || self.declared.contains(&full) || self.declared.contains(name);
        if known {
            return Ok(name.into());
        }
        let others = match self.others.take() {
            Some(others) => others,
            None => Others::beside(self.path)?,
        };
        let found = [full.as_str(), name].into_iter().find_map(|name| others.by_name.get(name)).cloned();
        let others = self.others.insert(others);
        match found {
            Some(declaration) => self.complete(&declaration, ""),
            None => Err(others.lack(&full, self.path)),
        }
    }

    fn object(&mut self, object: &Object, namespace: &str) -> Result<Value, Error> {
        let mut object = object.clone();
        let mut namespace = namespace.to_owned();
        let kind = object.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some((space, full)) = declared(&object, &namespace) {
            self.declared.insert(full);
            // It may stand in another namespace than where it was written.
            object.insert("namespace", space.as_str().into());
            namespace = space;
        }
        let within = match kind.as_str() {
            "record" | "error" => {
                if let Some(Value::Array(fields)) = object.get_mut("fields") {
                    for field in fields {
                        if let Value::Object(field) = field {
                            self.part(field, "type", &namespace)?;
                        }
                    }
                }
                return Ok(Value::Object(object));
            }
            "enum" | "fixed" => return Ok(Value::Object(object)),
            "array" => "items",
            "map" => "values",
            _ => "type",
        };
        self.part(&mut object, within, &namespace)?;
        Ok(Value::Object(object))
    }

    fn part(&mut self, object: &mut Object, key: &str, namespace: &str) -> Result<(), Error> {
        if let Some(part) = object.get_mut(key) {
            *part = self.complete(part, namespace)?;
        }
        Ok(())
    }
}

/// The namespace and the full name of what an object declares.
fn declared(object: &Object, namespace: &str) -> Option<(String, String)> {
    if !matches!(object.get("type")?.as_str()?, "record" | "error" | "enum" | "fixed") {
        return None;
    }
    let name = object.get("name")?.as_str()?;
    let space = match object.get("namespace") {
        None => namespace,
        Some(space) => space.as_str().unwrap_or_default(),
    };
    Some(match name.rsplit_once('.') {
        Some((space, _)) => (space.to_owned(), name.to_owned()),
        None if space.is_empty() => (String::new(), name.to_owned()),
        None => (space.to_owned(), format!("{space}.{name}")),
    })
}

impl Others {
    fn beside(path: &Path) -> Result<Self, Error> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let unreadable = |error: std::io::Error| {
            Error::new(ErrorKind::Invalid, "avro schema")
                .expected("other schemas beside it")
                .found(format!("{}: {error}", folder.display()))
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.extension().is_some_and(|extension| extension == "avsc") && file.file_name() != path.file_name() {
                files.push(file);
            }
        }
        files.sort();
        files.truncate(MOST_FILES);
        let mut others = Self { files: files.len(), ..Self::default() };
        let mut left = MOST_BYTES;
        for file in files {
            match read_json(&file, &mut left) {
                Ok(Value::Array(several)) => several.into_iter().for_each(|one| others.keep(one)),
                Ok(one) => others.keep(one),
                Err(error) => others.unread.push(format!("{}: {error}", file.display())),
            }
        }
        Ok(others)
    }

    fn keep(&mut self, json: Value) {
        let full = json.as_object().and_then(|object| declared(object, "")).map(|(_, full)| full);
        if let Some(full) = full {
            self.by_name.entry(full).or_insert(json);
        }
    }

    #[cold]
    fn lack(&self, full: &str, path: &Path) -> Error {
        let mut help =
            format!("put the `.avsc` that declares it beside {}; {} others are there", path.display(), self.files);
        for unread in &self.unread {
            help.push_str(", unread ");
            help.push_str(unread);
        }
        Error::new(ErrorKind::Invalid, "avro schema")
            .expected("the name of a type that is declared")
            .found(format!("`{}`", full.escape_debug()))
            .help(help)
    }
}
