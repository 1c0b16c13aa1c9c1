use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hop_core::{Error, ErrorKind, SchemaId, SchemaSource, SchemaText};

use super::EmbeddedSchemas;
use crate::avro::Schema;

/// The most files of a folder that are read.
const MOST_FILES: usize = 1000;
/// The most bytes that they may have together.
const MOST_BYTES: u64 = 64 << 20;

/// A folder of schemas in files `*.avsc`, read when it is opened.
///
/// `1101.avsc` is the schema that has the number 1101 in the sender's registry; every schema is found by its fingerprint, by
/// the name of its file and by the name of its record as well. A schema may name types that other files of the folder declare.
#[derive(Debug, Clone)]
pub struct SchemaFolder {
    path: PathBuf,
    schemas: EmbeddedSchemas,
}

impl SchemaFolder {
    /// Reads the folder.
    ///
    /// # Errors
    /// Kind `Unavailable` when a file cannot be read; kind `Limit` when there are too many, or too large ones; and those of
    /// [`Schema::parse`], naming the file.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, Error> {
        let path = path.into();
        let unreadable = |file: &Path, error: std::io::Error| {
            Error::new(ErrorKind::Unavailable, "schemas").found(format!("{}: {error}", file.display())).source(error)
        };
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(&path).map_err(|error| unreadable(&path, error))? {
            let file = entry.map_err(|error| unreadable(&path, error))?.path();
            if file.extension().is_some_and(|extension| extension == "avsc") {
                files.push(file);
            }
        }
        files.sort();
        let (mut texts, mut room) = (Vec::with_capacity(files.len().min(MOST_FILES)), MOST_BYTES);
        for file in &files {
            let mut text = String::new();
            let read = fs::File::open(file).and_then(|open| open.take(room + 1).read_to_string(&mut text));
            read.map_err(|error| unreadable(file, error))?;
            let left = room.checked_sub(text.len() as u64).filter(|_| texts.len() < MOST_FILES);
            room = left.ok_or_else(|| {
                Error::new(ErrorKind::Limit, "schemas")
                    .expected(format!("at most {MOST_FILES} files and {MOST_BYTES} bytes"))
                    .found(format!("more in {}", path.display()))
            })?;
            texts.push(text);
        }
        let mut schemas = EmbeddedSchemas::new();
        for (file, text) in files.iter().zip(&texts) {
            let about = |error: Error| error.about(file.display().to_string());
            let schema = match Schema::parse(text) {
                Ok(schema) => schema,
                // What it names may be declared in another file.
                Err(_) => {
                    let others = texts.iter().filter(|other| !std::ptr::eq(*other, text));
                    Schema::parse_with(text, others.map(String::as_str)).map_err(about)?
                }
            };
            let stem = file.file_stem().and_then(std::ffi::OsStr::to_str).unwrap_or_default();
            schemas.add(schema.text(), stem.parse().ok()).map_err(about)?;
            schemas.name(stem, &schema);
        }
        Ok(Self { path, schemas })
    }

    /// Returns the folder that was read.
    pub fn path(&self) -> &Path {
        &self.path
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
