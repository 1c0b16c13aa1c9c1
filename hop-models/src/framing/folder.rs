use std::collections::hash_map::{Entry, HashMap};
use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hop_core::{Error, ErrorKind, SchemaId, SchemaSource, SchemaText};

use super::EmbeddedSchemas;
use super::embedded::name_of;
use crate::avro::{Others, Schema};

/// The most files of a folder that are read.
const MOST_FILES: usize = 1000;
/// The most bytes that they may have together.
const MOST_BYTES: u64 = 64 << 20;
/// The most bytes that those have together which name types of other files, with all of these written out.
const MOST_COMPLETED: usize = 16 << 20;

/// A folder of schemas in files `*.avsc`, read when it is opened.
///
/// `1101.avsc` is the schema that has the number 1101 in the sender's registry; every schema is found by its fingerprint, by
/// the name of its file and by the name of its record as well. A schema may name types that other files of the folder declare.
///
/// Files with numbers may hold several versions of one record, which are then not found by its name. Hidden files, whose names
/// start with a dot, are left alone: macOS puts `._1101.avsc` beside `1101.avsc` on disks that are not its own.
#[derive(Debug, Clone)]
pub struct SchemaFolder {
    path: PathBuf,
    schemas: EmbeddedSchemas,
}

impl SchemaFolder {
    /// Reads the folder.
    ///
    /// # Errors
    /// Kind `Unavailable` when a file cannot be read, or is a pipe or a device; kind `Invalid` when the name of one is not
    /// UTF-8; kind `Limit` when there are too many, or too large ones, or those that name types of others get too large with
    /// these written out; kind `Duplicate` when two have one number or one name; and those of [`Schema::parse_with`], naming
    /// the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let unreadable = |file: &Path, error: std::io::Error| {
            Error::new(ErrorKind::Unavailable, "schemas").found(format!("{}: {error}", file.display())).source(error)
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&path).map_err(|error| unreadable(&path, error))? {
            let file = entry.map_err(|error| unreadable(&path, error))?.path();
            if file.extension().is_none_or(|extension| extension != "avsc") {
                continue;
            }
            match file.file_name().and_then(OsStr::to_str) {
                Some(name) if name.starts_with('.') => {}
                Some(_) => files.push(file),
                None => {
                    return Err(Error::new(ErrorKind::Invalid, "schemas")
                        .expected("names of files in UTF-8")
                        .found(format!("{}", file.display()))
                        .help("rename the file: the schema is found by its name"));
                }
            }
        }
        files.sort();
        let (mut texts, mut room) = (Vec::with_capacity(files.len().min(MOST_FILES)), MOST_BYTES);
        for file in &files {
            let mut text = String::new();
            let read = open_regular(file).and_then(|open| open.take(room + 1).read_to_string(&mut text));
            read.map_err(|error| unreadable(file, error))?;
            let left = room.checked_sub(text.len() as u64).filter(|_| texts.len() < MOST_FILES);
            room = left.ok_or_else(|| {
                Error::new(ErrorKind::Limit, "schemas")
                    .expected(format!("at most {MOST_FILES} files and {MOST_BYTES} bytes"))
                    .found(format!("more in {}", path.display()))
            })?;
            texts.push(text);
        }
        let (mut schemas, mut claims) = (EmbeddedSchemas::new(), Claims::default());
        let (mut declared, mut completed) = (None, 0);
        for (file, text) in files.iter().zip(&texts) {
            let about = |error: Error| error.about(file.display().to_string());
            let schema = match Schema::parse(text) {
                Ok(schema) => schema,
                // What it names may be declared in another file.
                Err(_) => {
                    let others = match &declared {
                        Some(declared) => declared,
                        None => declared.insert(declarations(&files, &texts)?),
                    };
                    let schema = Schema::parse_among(text, others).map_err(about)?;
                    completed += schema.text().len();
                    if completed > MOST_COMPLETED {
                        return Err(Error::new(ErrorKind::Limit, "schemas")
                            .expected(format!(
                                "at most {MOST_COMPLETED} bytes of schemas that name types of other files, with these \
                                 written out"
                            ))
                            .found(format!("more in {}", path.display()))
                            .help("leave the files in it whose schemas messages are sent with, and what these name"));
                    }
                    schema
                }
            };
            let stem = file.file_stem().and_then(OsStr::to_str).unwrap_or_default();
            let number = stem.parse().ok().filter(|_| stem.bytes().all(|byte| byte.is_ascii_digit()));
            let ids = [number.map(SchemaId::Number), Some(SchemaId::Name(stem.into()))];
            let name = name_of(&schema).map(|name| SchemaId::Name(name.into()));
            for id in ids.into_iter().flatten().chain(name) {
                claims.check(id, file, number.is_some(), &schema)?;
            }
            schemas.add(schema.text(), number).map_err(about)?;
            schemas.name(stem, &schema);
        }
        Ok(Self { path, schemas })
    }

    /// Returns the folder that was read.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns what all files declare, for those that name it.
fn declarations(files: &[PathBuf], texts: &[String]) -> Result<Others, Error> {
    let mut declared = Others::default();
    for (file, text) in files.iter().zip(texts) {
        declared.add(Schema::parse_json(text).map_err(|error| error.about(file.display().to_string()))?);
    }
    Ok(declared)
}

/// Opens a file. To open a named pipe would wait until something is written to it, and a device may never end.
fn open_regular(file: &Path) -> std::io::Result<fs::File> {
    match fs::metadata(file)?.is_file() {
        true => fs::File::open(file),
        false => Err(std::io::Error::other("it is not a regular file")),
    }
}

/// Which file was the first that a number or a name stands for.
#[derive(Default)]
struct Claims<'f>(HashMap<SchemaId, (&'f Path, bool, Schema)>);

impl<'f> Claims<'f> {
    /// Fails for the number or the name of another schema. Versions of one record, each with its number, share its name.
    fn check(&mut self, id: SchemaId, file: &'f Path, is_numbered: bool, schema: &Schema) -> Result<(), Error> {
        match self.0.entry(id) {
            Entry::Vacant(place) => {
                place.insert((file, is_numbered, schema.clone()));
                Ok(())
            }
            Entry::Occupied(claimed) => {
                let (first, was_numbered, other) = claimed.get();
                let are_versions = is_numbered && *was_numbered && matches!(claimed.key(), SchemaId::Name(_));
                if other.text() == schema.text() || are_versions {
                    return Ok(());
                }
                Err(Error::new(ErrorKind::Duplicate, "schemas")
                    .expected(format!("one file for {}", claimed.key()))
                    .found(format!("{} and {}", first.display(), file.display()))
                    .help("remove one; versions of one record are called by their numbers: `1101.avsc`"))
            }
        }
    }
}

impl SchemaSource for SchemaFolder {
    fn schema(&self, id: &SchemaId) -> Result<Option<SchemaText>, Error> {
        self.schemas.schema(id)
    }

    fn number(&self, subject: &str, schema: &SchemaText) -> Result<Option<u32>, Error> {
        self.schemas.number(subject, schema)
    }
}
