//! One fixture: the files of its folder, held to a model, and written where they are missing.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::check::shown;
use super::compare::{same, same_bytes};
use super::folder::{entries, is_part};
use crate::{AnyModel, Decoded, Headers, Registration, Registry, Value, header};

/// The folder of one fixture.
pub(super) struct Case<'a>(&'a Path);

impl<'a> Case<'a> {
    pub(super) fn new(folder: &'a Path) -> Self {
        Self(folder)
    }

    /// The path of a part.
    fn path(&self, stem: &str) -> Result<Option<PathBuf>, String> {
        Ok(entries(self.0)?.into_iter().find(|path| is_part(path, stem)))
    }

    fn part(&self, stem: &str) -> Result<Option<Bytes>, String> {
        match self.path(stem)? {
            Some(path) => match fs::read(&path) {
                Ok(content) => Ok(Some(content.into())),
                Err(error) => Err(format!("{}: {error}", path.display())),
            },
            None => Ok(None),
        }
    }

    /// The wire form.
    pub(super) fn content(&self) -> Result<Bytes, String> {
        self.part("content")?.ok_or_else(|| "there is no `content.*`".to_owned())
    }

    fn json(&self, stem: &str) -> Result<Option<Value>, String> {
        let Some(content) = self.part(stem)? else { return Ok(None) };
        let text = std::str::from_utf8(&content).map_err(|error| format!("{stem}.json: {error}"))?;
        Value::from_json(text).map(Some).map_err(|error| format!("{stem}.json: {error}"))
    }

    fn headers(&self) -> Result<Headers, String> {
        match self.json("headers")? {
            Some(value) => Headers::from_value(&value).map_err(|error| format!("headers.json: {error}")),
            None => Ok(Headers::new()),
        }
    }

    /// Decodes, compares, encodes, and goes through the file form and back.
    pub(super) fn check(&self, registry: &Registry) -> Result<(), String> {
        let content = self.content()?;
        let headers = self.headers()?;
        let expected =
            self.json("model")?.ok_or("there is no `model.json`; `fixtures!` writes it under `HOP_BLESS=1`")?;
        let decoded = registry.decode(&headers, (&content).into());
        if let Some(kind) = expected["error"].as_str() {
            return match decoded {
                Err(error) if error.kind().as_str() == kind => Ok(()),
                Err(error) => Err(format!("expected the error `{kind}`, found `{}`: {error}", error.kind())),
                Ok(decoded) => Err(format!("expected the error `{kind}`, found a model, `{}`", decoded.model.format())),
            };
        }
        let decoded = decoded.map_err(|error| format!("does not decode: {error}"))?;
        same("format", decoded.model.format(), expected["format"].as_str().unwrap_or_default())?;
        same("route", decoded.route.as_str(), expected["route"].as_str().unwrap_or_default())?;
        let fields = shown(&*decoded.model)?;
        same("fields", &fields, &expected["model"].to_string())?;

        let again = encoded(&*decoded.model)?;
        match self.part("encoded")? {
            None => same_bytes("encoded", &again, "content.*", &content)?,
            Some(other) => {
                same_bytes("encoded", &again, "encoded.*", &other)?;
                self.part("why")?.ok_or("`encoded.*` wants a `why.txt` beside it")?;
            }
        }
        let model = registry.require(decoded.model.format()).map_err(|error| error.to_string())?;
        let twice = model.decode((&again).into()).map_err(|error| format!("does not decode a second time: {error}"))?;
        same("fields, decoded a second time", &shown(&*twice)?, &fields)?;

        let dumped = dumped(&*decoded.model)?;
        match self.part("file")? {
            None => same_bytes("dumped", &dumped, "encoding it", &again)?,
            Some(file) => same_bytes("dumped", &dumped, "file.*", &file)?,
        }
        let loaded =
            model.load((&dumped).into()).map_err(|error| format!("does not load from its file form: {error}"))?;
        same("fields, loaded from the file form", &shown(&*loaded)?, &fields)
    }

    /// Writes the files that are missing, as `model` has them. What it does not read, it does not bless.
    pub(super) fn bless(&self, model: &Registration, registry: &Registry) -> Result<(), String> {
        let content = self.content()?;
        if self.path("model")?.is_some() {
            return Ok(());
        }
        let read = |headers: &Headers| registry.decode(headers, (&content).into());
        let is_model = |decoded: &Decoded| decoded.model.format() == model.format();
        let mut decoded = read(&self.headers()?);
        if self.path("headers")?.is_none() && !decoded.as_ref().is_ok_and(is_model) {
            let labelled = [(header::FORMAT, Some(model.format()))].into_iter().collect();
            decoded = read(&labelled);
            if decoded.is_ok() {
                let headers = Value::from(vec![vec![header::FORMAT.into(), model.format().into()].into()]);
                self.write("headers.json", &line(&headers))?;
            }
        }
        let decoded = decoded.map_err(|error| {
            let kind = error.kind();
            format!("does not decode: {error}\n  if it must not, write {{\"error\": \"{kind}\"}} into `model.json`")
        })?;
        if !is_model(&decoded) {
            return Err(format!("is no `{}` by its headers, but `{}`", model.format(), decoded.model.format()));
        }
        let again = encoded(&*decoded.model)?;
        let dumped = dumped(&*decoded.model)?;
        if again != content && self.path("encoded")?.is_none() {
            self.write(&format!("encoded.{}", extension(&again)), &again)?;
        }
        if dumped != again && self.path("file")?.is_none() {
            self.write(&format!("file.{}", extension(&dumped)), &dumped)?;
        }
        let fields = decoded.model.fields().map_err(|error| format!("has no fields to show: {error}"))?;
        let expected = Value::object([
            ("format", decoded.model.format().into()),
            ("route", decoded.route.as_str().into()),
            ("model", fields),
        ]);
        self.write("model.json", &line(&expected))
    }

    /// Writes the example of `model` as the content of a fixture in `folder`.
    pub(super) fn write_example(model: &Registration, folder: &Path) -> Result<(), String> {
        let example =
            model.example().ok_or("the model has no example: write a message into `content.*` in this folder")?;
        let content = encoded(&*example)?;
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Case::new(folder).write(&format!("content.{}", extension(&content)), &content)
    }

    fn write(&self, name: &str, content: &[u8]) -> Result<(), String> {
        let path = self.0.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn encoded(model: &dyn AnyModel) -> Result<Bytes, String> {
    model.encode().map_err(|error| format!("does not encode: {error}"))
}

fn dumped(model: &dyn AnyModel) -> Result<Bytes, String> {
    model.dump().map_err(|error| format!("has no file form: {error}"))
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

/// The extension of a file with this content.
fn extension(content: &[u8]) -> &'static str {
    match std::str::from_utf8(content) {
        Ok(text) if Value::from_json(text).is_ok() => "json",
        Ok(_) => "txt",
        Err(_) => "bin",
    }
}
