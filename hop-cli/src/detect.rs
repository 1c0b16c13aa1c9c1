//! Finds what a file holds where no option names its format.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use hop_core::{AnyModel, Blob, Error, Registration, Registry};

/// Returns the path of the `headers.json` that describes a file called `content.*`, if there is one.
pub(crate) fn headers_beside(path: &Path) -> Option<PathBuf> {
    let headers = path.with_file_name("headers.json");
    (is_content(path) && headers.is_file()).then_some(headers)
}

/// Returns the model that the first folder above the file is named after, if one is.
pub(crate) fn by_folder<'a>(registry: &'a Registry, path: &Path) -> Option<&'a Registration> {
    // The standard input lies nowhere.
    if path == Path::new("-") {
        return None;
    }
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut folders = path.ancestors().skip(1).filter_map(Path::file_name).filter_map(std::ffi::OsStr::to_str);
    folders.find_map(|name| registry.get(name))
}

/// How far the name of a folder goes as a proof of what a file in it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// The model finds out by itself whether it is right, or the content says the same.
    Tested,
    /// The model reads any text, and nothing else says that this is a message of its format.
    Untested,
    /// The model reads any text, and the content says that it is of another format, or is not text.
    Refuted,
}

/// Returns how far a folder's name goes for this content.
pub(crate) fn claim(registry: &Registry, model: &Registration, path: &Path, content: &Bytes) -> Claim {
    // Text of no format at all.
    const PLAIN: &[u8] = b"a line that no format begins with\n";
    let (wire, file) = (model.decode(PLAIN.into()).is_ok(), model.load(PLAIN.into()).is_ok());
    let reads_any_text = (wire && !is_file_form(path)) || (file && !is_content(path));
    // Everything is a blob, truly.
    if model.is::<Blob>() || !reads_any_text {
        return Claim::Tested;
    }
    match by_content(registry, content) {
        Some(other) if other.format() == model.format() => return Claim::Tested,
        Some(_) => return Claim::Refuted,
        None => {}
    }
    if starts_like_json(content) {
        if !wire && model.decode(content.into()).is_ok() {
            return Claim::Tested;
        }
        // No text begins with a brace; what begins with a bracket may be one.
        if content.trim_ascii_start().starts_with(b"{") || hop_core::json::parse(content.into()).is_ok() {
            return Claim::Refuted;
        }
    }
    let is_control = |byte: &u8| matches!(byte, 0..=8 | 14..=26 | 28..=31);
    match content.trim_ascii().is_empty() || content.iter().any(is_control) {
        true => Claim::Refuted,
        false => Claim::Untested,
    }
}

/// Returns the model whose content starts like this; JSON starts like none.
pub(crate) fn by_content<'a>(registry: &'a Registry, content: &[u8]) -> Option<&'a Registration> {
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content).trim_ascii_start();
    let first_line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let label = if content.starts_with(b"Obj\x01") {
        "avro"
    } else if is_voevent(text) || content.starts_with(b"\xFF\xFE<") || content.starts_with(b"\xFE\xFF\0<") {
        "voevent"
    } else if first_line.starts_with(b"TITLE:") {
        if first_line.windows(8).any(|word| word == b"CIRCULAR") { "circular" } else { "gcntextnotice" }
    } else {
        return None;
    };
    registry.get(label)
}

/// Returns true for XML that names a VOEvent near its beginning: there are other formats in XML.
fn is_voevent(text: &[u8]) -> bool {
    const NEAR: usize = 4096;
    let start = &text[..text.len().min(NEAR)];
    text.starts_with(b"<") && start.windows(7).any(|word| word == b"VOEvent")
}

/// Reads content by a model, in the form that the name of the file says: `content.*` is as on the wire, `file.*` as in a
/// file; of another name, it may be either. Returns the form too: `wire` or `file`.
pub(crate) fn read(
    model: &Registration,
    path: &Path,
    content: &Bytes,
) -> Result<(Box<dyn AnyModel>, &'static str), Error> {
    let wire = || model.decode(content.into()).map(|model| (model, "wire"));
    let file = || model.load(content.into()).map(|model| (model, "file"));
    if is_content(path) {
        return wire();
    }
    if is_file_form(path) {
        return file();
    }
    // What starts like JSON is most likely meant for the wire.
    wire().or_else(|wire| file().map_err(|file| if starts_like_json(content) { wire } else { file }))
}

/// Whether a file is in the form that travels on the wire, which `headers.json` describes.
pub(crate) fn is_content(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "content")
}

/// Whether a file is in the form that `dump` writes and `load` reads.
pub(crate) fn is_file_form(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "file")
}

/// Whether content starts like a JSON object or array.
pub(crate) fn starts_like_json(content: &[u8]) -> bool {
    content.trim_ascii_start().starts_with(b"{") || content.trim_ascii_start().starts_with(b"[")
}
