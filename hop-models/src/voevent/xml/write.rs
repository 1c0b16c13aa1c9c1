//! XML out: elements, attributes and text, indented where that changes nothing.

/// The part of a name after its last colon; the whole where nothing stands there.
#[inline]
pub(crate) fn local_name(name: &str) -> &str {
    match memchr::memrchr(b':', name.as_bytes()) {
        Some(at) if at + 1 < name.len() => &name[at + 1..],
        _ => name,
    }
}

/// Writes a document from start to end. Names are the caller's to check.
#[derive(Debug)]
pub(crate) struct Writer {
    out: String,
    open: Vec<Open>,
    /// The last start tag has not got its `>` yet.
    in_tag: bool,
}

#[derive(Debug)]
struct Open {
    name: String,
    has_elements: bool,
    has_text: bool,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        Self { out, open: Vec::new(), in_tag: false }
    }

    /// Opens an element.
    pub(crate) fn start(&mut self, name: &str) {
        self.finish_tag();
        let depth = self.open.len();
        if let Some(parent) = self.open.last_mut() {
            parent.has_elements = true;
            if !parent.has_text {
                self.new_line(depth);
            }
        }
        self.out.push('<');
        self.out.push_str(name);
        self.open.push(Open { name: name.to_owned(), has_elements: false, has_text: false });
        self.in_tag = true;
    }

    /// Adds an attribute to the element just opened.
    pub(crate) fn attribute(&mut self, name: &str, value: &str) {
        debug_assert!(self.in_tag);
        self.out.push(' ');
        self.out.push_str(name);
        self.out.push_str("=\"");
        self.escaped(value, true);
        self.out.push('"');
    }

    /// Adds text to the innermost open element.
    pub(crate) fn text(&mut self, text: &str) {
        self.finish_tag();
        if let Some(open) = self.open.last_mut() {
            open.has_text = true;
        }
        self.escaped(text, false);
    }

    /// Closes the innermost open element.
    pub(crate) fn end(&mut self) {
        let Some(open) = self.open.pop() else { return };
        if self.in_tag {
            self.in_tag = false;
            self.out.push_str("/>");
            return;
        }
        if open.has_elements && !open.has_text {
            self.new_line(self.open.len());
        }
        self.out.push_str("</");
        self.out.push_str(&open.name);
        self.out.push('>');
    }

    /// The document, all that is open closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out.push('\n');
        self.out
    }

    fn finish_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }

    fn new_line(&mut self, depth: usize) {
        self.out.push('\n');
        // Deep documents are not for people, and their indentation would be most of them.
        for _ in 0..depth.min(16) {
            self.out.push_str("  ");
        }
    }

    fn escaped(&mut self, text: &str, in_attribute: bool) {
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' if in_attribute => self.out.push_str("&quot;"),
                // Readers turn these into spaces or line feeds unless they are references.
                '\r' => self.out.push_str("&#13;"),
                '\n' if in_attribute => self.out.push_str("&#10;"),
                '\t' if in_attribute => self.out.push_str("&#9;"),
                c => self.out.push(c),
            }
        }
    }
}
