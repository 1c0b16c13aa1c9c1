//! Placeholders: messages of the format `external`, each of which stands for one in the archive.

use bytes::Bytes;
use hop_core::{Headers, Outgoing, Record, header};
use uuid::Uuid;

/// The label of placeholders.
const LABEL: &[u8] = b"external";
/// The longest placeholder that is read, in bytes.
const LONGEST: usize = 64 << 10;

/// Returns the URL that a placeholder names; `None` for every other record.
pub(crate) fn url_of(record: &Record) -> Option<String> {
    if !record.headers.get(header::FORMAT)?.eq_ignore_ascii_case(LABEL) {
        return None;
    }
    let content = record.content.as_bytes().filter(|content| content.len() <= LONGEST)?;
    let fields: serde_json::Value = serde_json::from_slice(content).ok()?;
    Some(fields.get("url")?.as_str()?.to_owned())
}

/// Makes the message that stands for one that is stored at `url`: with its key, and marked as a test if it is one.
pub(crate) fn placeholder(original: &Outgoing, url: &str, sender: Option<&str>) -> Outgoing {
    let mut headers = Headers::with_capacity(4);
    headers.push(header::ID, Some(Bytes::copy_from_slice(Uuid::new_v4().as_bytes())));
    if let Some(sender) = sender {
        headers.push(header::SENDER, Some(Bytes::copy_from_slice(sender.as_bytes())));
    }
    // hop-client copies it only where it is `true`; here a test stays one, whatever its mark says.
    if original.headers.is_test() {
        headers.push(header::TEST, Some(Bytes::from_static(b"true")));
    }
    headers.push(header::FORMAT, Some(Bytes::from_static(LABEL)));
    // As Python writes it, with a blank.
    let content = format!("{{\"url\": {}}}", serde_json::Value::from(url));
    Outgoing { content: content.into_bytes().into(), key: original.key.clone(), headers }
}
