//! What the test servers are asked over HTTP.

use std::collections::HashMap;
use std::io::BufRead;

/// A request.
pub(crate) struct Request {
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// By their names in lower case.
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads a request; `None` if the client hangs up before its end.
    pub(crate) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut request = Self::read_head(reader)?;
        request.read_body(reader)?;
        Some(request)
    }

    /// Reads a request up to its body.
    pub(crate) fn read_head(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split_whitespace().map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            match reader.read_line(&mut line) {
                Ok(1..) if !line.trim().is_empty() => {}
                Ok(1..) => break,
                _ => return None,
            }
            if let Some((name, value)) = line.split_once(':') {
                headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
            }
        }
        Some(Self { method, path, headers, body: Vec::new() })
    }

    /// Reads the body.
    pub(crate) fn read_body(&mut self, reader: &mut impl BufRead) -> Option<()> {
        self.body = vec![0; self.length()];
        reader.read_exact(&mut self.body).ok()
    }

    /// The length of the body, in bytes.
    pub(crate) fn length(&self) -> usize {
        self.headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)
    }

    /// The `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<&str> {
        self.headers.get("authorization").map(String::as_str)
    }
}
