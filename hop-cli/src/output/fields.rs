//! The fields of a model, a line each.

use hop_core::{Text, Value, escape_controls};

/// The fields of a model as lines: where each value is in the model, and the value.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    pub(crate) rows: Vec<(String, String)>,
    /// What has several lines of text.
    pub(crate) texts: Vec<(String, String)>,
}

impl Fields {
    /// The most rows; of a list, the most entries.
    const ROWS: usize = 400;
    const ENTRIES: usize = 20;
    /// The deepest level that has rows of its own.
    const DEEPEST: usize = 12;
    /// The longest value in a row, in characters.
    const LONGEST: usize = 160;

    pub(crate) fn of(value: &Value) -> Self {
        let mut fields = Self::default();
        fields.add(String::new(), value, 0);
        if fields.rows.len() >= Self::ROWS {
            fields.rows.push(("…".to_owned(), "and more; `hop decode --json` prints everything".to_owned()));
        }
        fields
    }

    fn add(&mut self, name: String, value: &Value, depth: usize) {
        if self.rows.len() >= Self::ROWS {
            return;
        }
        let within = |name: &str, part: &str| if name.is_empty() { part.to_owned() } else { format!("{name}.{part}") };
        match value {
            Value::Object(object) if depth < Self::DEEPEST && !object.is_empty() => {
                for (key, value) in object.iter() {
                    self.add(within(&name, &escape_controls(&key.to_string_lossy())), value, depth + 1);
                }
            }
            Value::Array(values) if depth < Self::DEEPEST && values.iter().any(is_nested) => {
                for (index, value) in values.iter().take(Self::ENTRIES).enumerate() {
                    self.add(format!("{name}[{index}]"), value, depth + 1);
                }
                if values.len() > Self::ENTRIES {
                    self.rows.push((format!("{name}[…]"), format!("{} in all", values.len())));
                }
            }
            Value::Bytes(bytes) => self.rows.push((name, format!("{} bytes", bytes.len()))),
            Value::String(text) => self.add_text(name, text),
            value => self.rows.push((name, Self::short(&value.to_string()))),
        }
    }

    fn add_text(&mut self, name: String, text: &Text) {
        let text = text.to_string_lossy();
        if text.trim_end().contains('\n') {
            self.texts.push((name, text.into_owned()));
        } else {
            self.rows.push((name, Self::short(text.trim_end())));
        }
    }

    fn short(text: &str) -> String {
        let short = match text.char_indices().nth(Self::LONGEST) {
            Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
            None => text.to_owned(),
        };
        escape_controls(&short).into_owned()
    }
}

/// Whether a value has rows of its own.
fn is_nested(value: &Value) -> bool {
    matches!(value, Value::Object(_) | Value::Array(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(json: &str) -> Fields {
        Fields::of(&Value::from_json(json).unwrap())
    }

    #[test]
    fn fields_stand_a_line_each_and_texts_below() {
        let Fields { rows, texts } = fields(
            "{\"a\": {\"b\": 1, \"c\": [1, 2]}, \"d\": [{\"e\": null}, {}], \"t\": \"x\\ny\\n\", \"s\": \"q\\u001b[2J\\n\"}",
        );
        let rows: Vec<_> = rows.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(rows, [("a.b", "1"), ("a.c", "[1, 2]"), ("d[0].e", "null"), ("d[1]", "{}"), ("s", "q\\u{1b}[2J")]);
        assert_eq!(texts, [("t".to_owned(), "x\ny\n".to_owned())]);
    }

    #[test]
    fn what_is_large_or_deep_is_cut() {
        let wide = format!("[{}{{}}]", "{\"a\": [[[1]]]}, ".repeat(100_000));
        assert!(fields(&wide).rows.len() < 100);
        let many = format!("{{{}\"z\": 1}}", (0..10_000).map(|n| format!("\"k{n}\": 1, ")).collect::<String>());
        assert_eq!(fields(&many).rows.len(), Fields::ROWS + 1);
        let deep = format!("{}1{}", "[".repeat(80), "]".repeat(80));
        let rows = fields(&deep).rows;
        assert!(rows.len() == 1 && rows[0].1.starts_with("[[["), "{rows:?}");
        let long = fields(&format!("{{\"a\": \"{}\"}}", "é".repeat(10_000)));
        assert!(long.rows[0].1.ends_with("… (10000 characters)") && long.rows[0].1.len() < 400);
    }
}
