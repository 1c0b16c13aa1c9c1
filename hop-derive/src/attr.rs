//! `#[hop(…)]` as the user wrote it: which keys are there, each once, each with a value of its kind.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{Attribute, Lit, LitInt, LitStr, Meta, Path, Type};

use crate::mistakes::Mistakes;

/// The keys there are, and an example of each.
///
/// One more is: a line here, a field in [`Attrs`], an arm in [`Attrs::set`].
const KEYS: [(&str, &str); 9] = [
    ("format", "format = \"donut\""),
    ("aliases", "aliases(\"doughnut\", \"krapfen\")"),
    ("codec", "codec = hop_core::codec::Json"),
    ("load", "load = Donut::from_file"),
    ("dump", "dump = Donut::to_file"),
    ("version", "version = 2"),
    ("upgrade_from", "upgrade_from = DonutV1"),
    ("example", "example = Donut::example"),
    ("crate", "crate = ::hop_core"),
];

const FUNCTION: &str = "the path of a function, without quotes or parentheses";
const TYPE: &str = "a type, without quotes";

/// The value of each key that was given.
#[derive(Default)]
pub(crate) struct Attrs {
    /// `format = "…"`, not yet known to be a label.
    pub(crate) format: Option<LitStr>,
    /// `aliases("…")`, as little known to be labels.
    pub(crate) aliases: Vec<LitStr>,
    /// `codec = Type`.
    pub(crate) codec: Option<Type>,
    /// `load = path`, of a function that reads the file form.
    pub(crate) load: Option<Path>,
    /// `dump = path`, of a function that writes it.
    pub(crate) dump: Option<Path>,
    /// `version = 2`.
    pub(crate) version: Option<LitInt>,
    /// `upgrade_from = Type`.
    pub(crate) upgrade_from: Option<Type>,
    /// `example = path`, of a function that makes one.
    pub(crate) example: Option<Path>,
    /// `crate = path`.
    pub(crate) krate: Option<Path>,
}

impl Attrs {
    /// What the `#[hop]` among `attributes` say. Mistakes are added to `mistakes`; what is right beside them is kept.
    pub(crate) fn of(attributes: &[Attribute], mistakes: &mut Mistakes) -> Self {
        let mut attrs = Self::default();
        let mut given = Vec::new();
        for attribute in attributes.iter().filter(|attribute| is_hop(attribute)) {
            let Meta::List(list) = &attribute.meta else {
                mistakes.add(&attribute.meta, format!("`#[hop]` takes a list: write `#[hop({})]`", KEYS[0].1));
                continue;
            };
            if list.tokens.is_empty() {
                mistakes.add(list, format!("this `#[hop]` is empty: write `#[hop({})]`, or leave it out", KEYS[0].1));
            }
            for entry in entries(list.tokens.clone()) {
                let Some(entry) = Entry::of(entry, mistakes) else { continue };
                if given.contains(&entry.key) {
                    mistakes.add(&entry.key, format!("`{}` is given twice: keep one", entry.key));
                } else {
                    attrs.set(&entry, mistakes);
                    given.push(entry.key);
                }
            }
        }
        attrs
    }

    fn set(&mut self, entry: &Entry, mistakes: &mut Mistakes) {
        match entry.key.to_string().as_str() {
            "format" => self.format = entry.text(&entry.value, "text in quotes", mistakes),
            "aliases" => {
                for label in entries(entry.value.clone()) {
                    let label = label.into_iter().collect();
                    self.aliases.extend(entry.text(&label, "labels in quotes", mistakes));
                }
            }
            "codec" => self.codec = entry.parsed(syn::parse2, TYPE, mistakes),
            "load" => self.load = entry.path(FUNCTION, mistakes),
            "dump" => self.dump = entry.path(FUNCTION, mistakes),
            "version" => match syn::parse2::<LitInt>(entry.value.clone()) {
                Ok(number) if number.suffix().is_empty() && number.base10_parse().is_ok_and(|n: u32| n > 0) => {
                    self.version = Some(number);
                }
                _ => entry.refuse_value(&entry.value, "a whole number from 1, without quotes", mistakes),
            },
            "upgrade_from" => self.upgrade_from = entry.parsed(syn::parse2, TYPE, mistakes),
            "example" => self.example = entry.path(FUNCTION, mistakes),
            "crate" => self.krate = entry.path("a path, without quotes", mistakes),
            unknown => {
                let near = KEYS.iter().find(|(key, _)| distance(key, unknown) <= 2);
                let hint = match near {
                    Some((_, example)) => format!("did you mean `{example}`?"),
                    None => format!("there are {}", keys()),
                };
                mistakes.add(&entry.key, format!("`#[hop]` knows no `{unknown}`: {hint}"));
            }
        }
    }
}

/// Notes each `#[hop]` that stands on something other than the type itself.
pub(crate) fn refuse(attributes: &[Attribute], on: &str, mistakes: &mut Mistakes) {
    for attribute in attributes.iter().filter(|attribute| is_hop(attribute)) {
        let hint = "it describes the type and goes above it; names and defaults are serde's, `#[serde(…)]`";
        mistakes.add(attribute, format!("`#[hop]` has no place on {on}: {hint}"));
    }
}

fn is_hop(attribute: &Attribute) -> bool {
    attribute.path().is_ident("hop")
}

/// `key = value`, or `key(value)`.
struct Entry {
    key: Ident,
    value: TokenStream,
}

impl Entry {
    fn of(tokens: Vec<TokenTree>, mistakes: &mut Mistakes) -> Option<Self> {
        let mut tokens = tokens.into_iter();
        let key = match tokens.next()? {
            TokenTree::Ident(key) => key,
            other => {
                mistakes.add(
                    &other,
                    format!("`#[hop]` takes keys and values: write `{}`; there are {}", KEYS[0].1, keys()),
                );
                return None;
            }
        };
        let is_key = KEYS.iter().any(|(name, _)| key == name);
        let is_list = key == "aliases";
        let example = example(&key).map_or_else(|| format!("{key} = …"), str::to_owned);
        match tokens.next() {
            Some(TokenTree::Punct(equals)) if equals.as_char() == '=' && !is_list => {
                let value: TokenStream = tokens.collect();
                if !value.is_empty() {
                    return Some(Self { key, value });
                }
                mistakes.add(equals, format!("`{key}` has no value: write `{example}`"));
            }
            Some(TokenTree::Group(list)) if is_list && list.delimiter() == Delimiter::Parenthesis => {
                if let Some(more) = tokens.next() {
                    mistakes.add(more, format!("expected a comma: write `{example}`"));
                }
                if !list.stream().is_empty() {
                    return Some(Self { key, value: list.stream() });
                }
                mistakes.add(list, format!("`{key}` has no value: write `{example}`, or leave it out"));
            }
            // A key that does not exist is the greater mistake of the two.
            None if !is_key => return Some(Self { key, value: TokenStream::new() }),
            Some(_) if !is_key => return Some(Self { key, value: TokenStream::new() }),
            Some(other) if is_list => mistakes.add(other, format!("expected a list: write `{example}`")),
            Some(other) => mistakes.add(other, format!("expected `=`: write `{example}`")),
            None => mistakes.add(&key, format!("`{key}` has no value: write `{example}`")),
        }
        None
    }

    fn text(&self, value: &TokenStream, wanted: &str, mistakes: &mut Mistakes) -> Option<LitStr> {
        match syn::parse2(value.clone()) {
            Ok(Lit::Str(text)) if text.suffix().is_empty() => Some(text),
            _ => {
                self.refuse_value(value, wanted, mistakes);
                None
            }
        }
    }

    fn path(&self, wanted: &str, mistakes: &mut Mistakes) -> Option<Path> {
        self.parsed(|value| Path::parse_mod_style.parse2(value), wanted, mistakes)
    }

    fn parsed<T>(
        &self,
        parse: impl FnOnce(TokenStream) -> syn::Result<T>,
        wanted: &str,
        mistakes: &mut Mistakes,
    ) -> Option<T> {
        let parsed = parse(self.value.clone());
        if parsed.is_err() {
            self.refuse_value(&self.value, wanted, mistakes);
        }
        parsed.ok()
    }

    fn refuse_value(&self, value: &TokenStream, wanted: &str, mistakes: &mut Mistakes) {
        mistakes.add(value, format!("`{}` takes {wanted}: `{}`", self.key, example(&self.key).unwrap_or_default()));
    }
}

/// How a key is written.
fn example(key: &Ident) -> Option<&'static str> {
    KEYS.iter().find(|(name, _)| key == name).map(|(_, example)| *example)
}

/// The tokens between commas; a comma in angle brackets is none. A mistake in one entry does not hide those in the next.
fn entries(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut entries = vec![Vec::new()];
    let mut brackets = 0_usize;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                '<' => brackets += 1,
                '>' => brackets = brackets.saturating_sub(1),
                ',' if brackets == 0 => {
                    entries.push(Vec::new());
                    continue;
                }
                _ => {}
            }
        }
        if let Some(entry) = entries.last_mut() {
            entry.push(token);
        }
    }
    entries.retain(|entry| !entry.is_empty());
    entries
}

/// `` `format`, … ``
fn keys() -> String {
    KEYS.map(|(key, _)| format!("`{key}`")).join(", ")
}

/// How many characters must be put in, taken out or replaced to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], i + 1);
        for (j, right) in b.chars().enumerate() {
            let replaced = corner + usize::from(left != right);
            corner = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(corner + 1);
        }
    }
    row[row.len() - 1]
}
