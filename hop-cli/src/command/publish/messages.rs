//! What is published, read before anything is sent: a file or a line that does not load stops all.

use std::io::Read;
use std::path::PathBuf;

use bytes::Bytes;
use hop_core::{AnyModel, Blob, Content, Headers, JsonBlob, MessageModel as _, Registration, Registry, Value, json};
use hop_models::AvroBlob;

use super::Publish;
use crate::command::decode::read;
use crate::failure::Failure;
use crate::output::ndjson::bytes;
use crate::{detect, output};

/// The formats whose messages may come line by line.
const BY_LINE: [&str; 2] = ["blob", "json"];

/// A message, and what its line says beside the content.
pub(super) struct Message {
    pub(super) model: Box<dyn AnyModel>,
    pub(super) headers: Headers,
    pub(super) key: Option<Bytes>,
    pub(super) topic: Option<String>,
}

impl From<Box<dyn AnyModel>> for Message {
    fn from(model: Box<dyn AnyModel>) -> Self {
        Self { model, headers: Headers::new(), key: None, topic: None }
    }
}

/// Reads every message.
pub(super) fn load(registry: &Registry, options: &Publish) -> Result<Vec<Message>, Failure> {
    let unless_set = if options.ndjson { JsonBlob::FORMAT } else { Blob::FORMAT };
    let label = options.format.as_deref().unwrap_or(unless_set);
    let model = registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    if options.each_record && model.format() != "avro" {
        return Err(Failure::Usage("`--each-record` is for Avro files: add `--format avro`".to_owned()));
    }
    if options.ndjson {
        return load_objects(registry, model, options);
    }
    if options.files.is_empty() { load_lines(registry, model, options) } else { load_files(registry, model, options) }
}

/// Says what a message that is sent as opaque bytes looks like.
fn note(registry: &Registry, options: &Publish, name: &str, content: &[u8]) {
    if let (None, Some(likely)) = (&options.format, looks_like(registry, content)) {
        output::complain(format_args!(
            "{name} is sent as `blob`, opaque bytes, and looks like `{likely}`: send it as that with `--format {likely}`"
        ));
    }
}

/// Returns the format that content looks like, if it is not one of opaque bytes.
fn looks_like(registry: &Registry, content: &[u8]) -> Option<&'static str> {
    let json = detect::starts_like_json(content).then(|| registry.get(JsonBlob::FORMAT)).flatten();
    detect::by_content(registry, content).or(json).map(Registration::format)
}

fn load_files(registry: &Registry, model: &Registration, options: &Publish) -> Result<Vec<Message>, Failure> {
    let mut messages = Vec::with_capacity(options.files.len());
    for path in expand(&options.files)? {
        let named = |what: String| unsent(&output::path(&path), &what);
        let content = read(&path).map_err(|error| named(error.to_string()))?;
        note(registry, options, &output::path(&path), &content);
        let message = model.load((&content).into()).map_err(|error| named(error.to_string()))?;
        match message.downcast_ref::<AvroBlob>() {
            Some(blob) if options.each_record => {
                let records = blob.each_record().map_err(|error| named(error.to_string()))?;
                messages.extend(records.into_iter().map(|record| (Box::new(record) as Box<dyn AnyModel>).into()));
            }
            Some(blob) if blob.count() != 1 => {
                return Err(named(format!(
                    "it holds {} records, and hop-client reads messages of one only; send each as a message of its own \
                     with `--each-record`",
                    blob.count()
                )));
            }
            _ => messages.push(message.into()),
        }
    }
    Ok(messages)
}

/// Replaces patterns that are not names of files by the files that they match, in the order of their names.
fn expand(files: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::with_capacity(files.len());
    for file in files {
        match file.to_str().filter(|text| text.contains(['*', '?', '[']) && !file.exists()) {
            None => found.push(file.clone()),
            Some(pattern) => {
                let wrong = |why: &dyn std::fmt::Display| unsent(&output::path(file), &why.to_string());
                let matches = glob::glob(pattern).map_err(|error| wrong(&error))?;
                let matches: Vec<PathBuf> = matches.collect::<Result<_, _>>().map_err(|error| wrong(&error))?;
                let files = matches.into_iter().filter(|path| path.is_file());
                let before = found.len();
                found.extend(files);
                if found.len() == before {
                    return Err(wrong(&"no file matches the pattern"));
                }
            }
        }
    }
    Ok(found)
}

fn load_lines(registry: &Registry, model: &Registration, options: &Publish) -> Result<Vec<Message>, Failure> {
    if !BY_LINE.contains(&model.format()) {
        return Err(Failure::Usage(format!(
            "standard input is read line by line, for {} only; give {} messages as files, or one as `-`",
            BY_LINE.join(" and "),
            model.format()
        )));
    }
    let input = standard_input()?;
    if let Some(line) = lines(&input).next() {
        note(registry, options, "the standard input", &line);
    }
    let load = |(at, line): (usize, Bytes)| {
        let model =
            model.load((&line).into()).map_err(|error| unsent(&format!("line {}", at + 1), &error.to_string()))?;
        Ok(model.into())
    };
    lines(&input).enumerate().map(load).collect()
}

/// Reads lines of objects, of files or of the standard input.
fn load_objects(registry: &Registry, model: &Registration, options: &Publish) -> Result<Vec<Message>, Failure> {
    let mut inputs = Vec::new();
    if options.files.is_empty() {
        inputs.push((String::new(), standard_input()?));
    }
    for path in expand(&options.files)? {
        let content = read(&path).map_err(|error| unsent(&output::path(&path), &error.to_string()))?;
        inputs.push((format!("{}, ", output::path(&path)), content));
    }
    let mut messages = Vec::new();
    for (name, input) in inputs {
        for (at, line) in lines(&input).enumerate().filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let message = object(registry, model, &line);
            messages.push(message.map_err(|what| unsent(&format!("{name}line {}", at + 1), &what))?);
        }
    }
    Ok(messages)
}

/// Reads a message from one line's object.
fn object(registry: &Registry, model: &Registration, line: &Bytes) -> Result<Message, String> {
    let shown = |error: hop_core::Error| error.to_string();
    let value = json::parse(Content::from(line)).map_err(shown)?;
    let Some(fields) = value.as_object() else {
        return Err(format!("expected an object with `content`, found {}", value.describe()));
    };
    let known = ["content", "headers", "key", "topic", "format"];
    if let Some((name, _)) = fields.iter().find(|(name, _)| !known.iter().any(|known| *name == *known)) {
        let name = name.to_string_lossy().escape_debug().to_string();
        return Err(format!("expected no entries but {}, found `{name}`", known.join(", ")));
    }
    let text = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(found) => {
            found.as_str().map(Some).ok_or_else(|| format!("expected text as `{name}`, found {}", found.describe()))
        }
    };
    let model = match text("format")? {
        Some(label) => registry.require(label).map_err(shown)?,
        None => model,
    };
    let content = value.get("content").ok_or("expected an entry `content`")?;
    let model = match (model.format(), content) {
        ("json", content) => Box::new(JsonBlob { content: content.clone() }) as Box<dyn AnyModel>,
        ("blob", Value::Null) => Box::new(Blob::NULL),
        (_, content) => {
            let content = bytes(content).flatten().ok_or_else(|| {
                format!("expected text or {{\"$bytes\": base64}} as `content`, found {}", content.describe())
            })?;
            model.load((&content).into()).map_err(shown)?
        }
    };
    let headers = match value.get("headers") {
        None | Some(Value::Null) => Headers::new(),
        Some(headers) => Headers::from_value(headers).map_err(shown)?,
    };
    let key = match value.get("key") {
        None | Some(Value::Null) => None,
        Some(key) => Some(bytes(key).flatten().ok_or("expected text, null or {\"$bytes\": base64} as `key`")?),
    };
    Ok(Message { model, headers, key, topic: text("topic")?.map(str::to_owned) })
}

fn standard_input() -> Result<Bytes, Failure> {
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    Ok(input.into())
}

/// What stops all before the first message is sent.
fn unsent(name: &str, what: &str) -> Failure {
    Failure::Io(std::io::Error::other(format!("{name}: {what}; nothing was sent")))
}

/// The lines, without their ends; what follows the last end is a line unless it is empty.
fn lines(input: &Bytes) -> impl Iterator<Item = Bytes> {
    let text = input.strip_suffix(b"\n").unwrap_or(input);
    let none = input.is_empty();
    text.split(|byte| *byte == b'\n')
        .filter(move |_| !none)
        .map(|line| input.slice_ref(line.strip_suffix(b"\r").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_either_end_and_empty_ones_count() {
        let read = |text: &'static str| {
            lines(&Bytes::from_static(text.as_bytes()))
                .map(|line| String::from_utf8(line.to_vec()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(read(""), [""; 0]);
        assert_eq!(read("a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(read("a\n"), ["a"]);
    }
}
