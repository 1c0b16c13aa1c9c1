//! `#[hop(…)]` as the user wrote it: which keys are there, each once, each with a value of its kind.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::parse::Parser;
use syn::{Attribute, Lit, LitStr, Meta, Path};

use crate::mistakes::Mistakes;

/// The keys there are, and an example of each.
///
/// One more is: a line here, a field in [`Attrs`], an arm in [`Attrs::set`].
const KEYS: [(&str, &str); 3] =
    [("format", "format = \"donut\""), ("example", "example = Donut::example"), ("crate", "crate = ::hop_core")];

/// The value of each key that was given.
#[derive(Default)]
pub(crate) struct Attrs {
    /// `format = "…"`, not yet known to be a label.
    pub(crate) format: Option<LitStr>,
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
            "format" => match syn::parse2(entry.value.clone()) {
                Ok(Lit::Str(text)) if text.suffix().is_empty() => self.format = Some(text),
                _ => entry.refuse_value("text in quotes", mistakes),
            },
            "example" => self.example = entry.path("the path of a function, without quotes or parentheses", mistakes),
            "crate" => self.krate = entry.path("a path, without quotes", mistakes),
            unknown => {
                let near = KEYS.iter().map(|(key, _)| *key).find(|key| distance(key, unknown) <= 2);
                let hint = near.map_or_else(String::new, |key| format!("; did you mean `{key}`?"));
                mistakes.add(&entry.key, format!("`#[hop]` knows no `{unknown}`: there are {}{hint}", keys()));
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

/// `key = value`.
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
                mistakes.add(&other, format!("`#[hop]` takes keys and values: there are {}", keys()));
                return None;
            }
        };
        let example = KEYS.iter().find(|(name, _)| key == name).map(|(_, example)| *example);
        let example = example.map_or_else(|| format!("{key} = …"), str::to_owned);
        match tokens.next() {
            Some(TokenTree::Punct(equals)) if equals.as_char() == '=' => {
                let value: TokenStream = tokens.collect();
                if !value.is_empty() {
                    return Some(Self { key, value });
                }
                mistakes.add(equals, format!("`{key}` has no value: write `{example}`"));
            }
            Some(other) => mistakes.add(other, format!("expected `=`: write `{example}`")),
            // A key that does not exist is the greater mistake of the two.
            None if KEYS.iter().all(|(name, _)| key != name) => return Some(Self { key, value: TokenStream::new() }),
            None => mistakes.add(&key, format!("`{key}` has no value: write `{example}`")),
        }
        None
    }

    fn path(&self, wanted: &str, mistakes: &mut Mistakes) -> Option<Path> {
        let path = Path::parse_mod_style.parse2(self.value.clone());
        if path.is_err() {
            self.refuse_value(wanted, mistakes);
        }
        path.ok()
    }

    fn refuse_value(&self, wanted: &str, mistakes: &mut Mistakes) {
        let example = KEYS.iter().find(|(name, _)| self.key == name).map_or("", |(_, example)| *example);
        mistakes.add(&self.value, format!("`{}` takes {wanted}: `{example}`", self.key));
    }
}

/// The tokens between commas. A mistake in one entry does not hide those in the next.
fn entries(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut entries = vec![Vec::new()];
    for token in tokens {
        match (&token, entries.last_mut()) {
            (TokenTree::Punct(comma), _) if comma.as_char() == ',' => entries.push(Vec::new()),
            (_, Some(entry)) => entry.push(token),
            (_, None) => {}
        }
    }
    entries
}

/// `` `format = "donut"`, … ``
fn keys() -> String {
    KEYS.map(|(_, example)| format!("`{example}`")).join(", ")
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
