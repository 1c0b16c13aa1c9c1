//! What a schema says for people: titles, descriptions, defaults and examples.

use hop_core::{Error, Value};

use super::documents::At;
use super::{DEEPEST, Reader, is_array};

impl Reader {
    /// The title, where it is short enough for a name.
    pub(super) fn title(&self, at: &At) -> Option<String> {
        let json = self.documents.value(at).ok()?;
        let title = json.get("title")?.as_str()?;
        (title.len() <= 60 && title.split_whitespace().count() <= 6).then(|| title.to_owned())
    }

    /// Title and description, its own or those of what it refers to.
    pub(super) fn docs(&mut self, at: &At) -> Result<String, Error> {
        let json = self.value(at)?;
        let part = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let parts: Vec<String> = [part("title"), part("description")].into_iter().flatten().collect();
        if !parts.is_empty() {
            return Ok(parts.join("\n\n"));
        }
        // What it refers to says it; or the first that it may be.
        let first = ["oneOf", "anyOf"].into_iter().find(|key| json.get(key).is_some_and(is_array));
        let first = first.map(|key| at.part(key).part("0"));
        match self.target(at)?.or(first) {
            Some(other) if self.documents.value(&other).is_ok() && self.depth < DEEPEST => {
                self.depth += 1;
                let docs = self.docs(&other);
                self.depth -= 1;
                docs
            }
            _ => Ok(String::new()),
        }
    }

    /// What is said of a field, its default included.
    pub(super) fn field_docs(&mut self, at: &At) -> Result<String, Error> {
        let json = self.value(at)?;
        let described = json.get("description").or_else(|| json.get("title")).and_then(Value::as_str);
        let mut docs = match described {
            Some(text) => text.to_owned(),
            None => self.docs(at)?,
        };
        if let Some(default) = self.documents.value(at)?.get("default").filter(|default| !default.is_null()) {
            let default = default.to_string();
            if default.len() <= 60 && !default.contains('`') {
                docs.push_str(&format!("\n\nLeft out, it means `{default}`."));
            }
        }
        Ok(docs.trim().to_owned())
    }

    pub(super) fn example(&self, at: &At) -> Result<Option<Value>, Error> {
        let json = self.documents.value(at)?;
        let first = json["examples"].as_array().and_then(<[Value]>::first);
        Ok(first.or_else(|| json.get("example")).or_else(|| json.get("default")).or_else(|| json.get("const")).cloned())
    }
}
