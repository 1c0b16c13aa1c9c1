//! Names in Rust for the names of a schema.

use std::collections::{HashMap, HashSet};

use heck::{ToSnakeCase, ToUpperCamelCase};

/// Words that are no names; those of later editions among them.
const KEYWORDS: [&str; 51] = [
    "abstract",
    "as",
    "async",
    "await",
    "become",
    "box",
    "break",
    "const",
    "continue",
    "do",
    "dyn",
    "else",
    "enum",
    "extern",
    "false",
    "final",
    "fn",
    "for",
    "gen",
    "if",
    "impl",
    "in",
    "let",
    "loop",
    "macro",
    "match",
    "mod",
    "move",
    "mut",
    "override",
    "priv",
    "pub",
    "ref",
    "return",
    "static",
    "struct",
    "trait",
    "true",
    "try",
    "type",
    "typeof",
    "union",
    "unsafe",
    "unsized",
    "use",
    "virtual",
    "where",
    "while",
    "yield",
    "macro_rules",
    "raw",
];

/// Words that stay keywords with `r#` too.
const NEVER: [&str; 4] = ["self", "super", "crate", "_"];

/// What generated code names beside its own types.
pub(super) const TAKEN: [&str; 24] = [
    "Avro",
    "BTreeMap",
    "Box",
    "ByteArray",
    "ByteBuf",
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "Err",
    "HopModel",
    "Integer",
    "None",
    "Object",
    "Ok",
    "Option",
    "PartialEq",
    "Self",
    "Serialize",
    "Some",
    "String",
    "UuidString",
    "Value",
    "Vec",
];

/// Names that are given once.
pub(super) struct Names {
    given: HashSet<String>,
    /// The number that a name which is given already is tried with next.
    numbers: HashMap<String, usize>,
}

impl Names {
    /// None of `taken` is given.
    pub(super) fn without(taken: &[&str]) -> Self {
        Self { given: taken.iter().map(|name| (*name).to_owned()).collect(), numbers: HashMap::new() }
    }

    /// The first of `wanted` that is free; else the last of them with a number.
    pub(super) fn give(&mut self, wanted: &[String]) -> String {
        for name in wanted {
            if self.given.insert(name.clone()) {
                return name.clone();
            }
        }
        let last = wanted.last().map_or("Unnamed", String::as_str);
        let number = self.numbers.entry(last.to_owned()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{last}{number}");
            if self.given.insert(name.clone()) {
                return name;
            }
        }
    }
}

/// `Kilonova candidates` as a type or a variant: `KilonovaCandidates`. `fallback` stands for what has no letter.
pub(super) fn type_name(text: &str, fallback: &str) -> String {
    let name = ascii(text).to_upper_camel_case();
    match name.chars().next() {
        None => fallback.to_owned(),
        Some(first) if first.is_ascii_digit() => format!("N{name}"),
        Some(_) if name == "Self" => "SelfValue".to_owned(),
        Some(_) => name,
    }
}

/// `diaSource` as a field: `dia_source`.
pub(super) fn field_name(text: &str) -> String {
    let name = ascii(text).to_snake_case();
    match name.chars().next() {
        None => "unnamed".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("n{name}"),
        Some(_) if NEVER.contains(&&*name) => format!("{name}_"),
        Some(_) => name,
    }
}

/// Whether Rust keeps a word for itself.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word) || NEVER.contains(&word)
}

/// A field's name as it is written: `r#type`.
pub(super) fn written(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}

/// Letters and digits; the signs that tell names apart get words.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '+' => out.push_str(" plus "),
            '%' => out.push_str(" percent "),
            '<' => out.push_str(" less "),
            '>' => out.push_str(" greater "),
            letter if letter.is_ascii_alphanumeric() => out.push(letter),
            _ => out.push(' '),
        }
    }
    out
}

/// How serde names all fields or variants of one type: `#[serde(rename_all = "…")]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Convention {
    AsTheyAre,
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
}

impl Convention {
    const ALL: [Self; 8] = [
        Self::AsTheyAre,
        Self::Lower,
        Self::Upper,
        Self::Pascal,
        Self::Camel,
        Self::Snake,
        Self::ScreamingSnake,
        Self::Kebab,
    ];

    /// The one under which the fewest of `(Rust's name, the schema's name)` need one of their own.
    pub(super) fn best(pairs: &[(String, String)], apply: fn(Self, &str) -> String) -> Self {
        let misses = |convention: &Self| pairs.iter().filter(|(rust, key)| apply(*convention, rust) != *key).count();
        let best = Self::ALL.iter().min_by_key(|convention| misses(convention)).copied();
        // One that serves a single name is longer than to name that.
        best.filter(|best| misses(best) + 1 < misses(&Self::AsTheyAre)).unwrap_or(Self::AsTheyAre)
    }

    /// As serde has it; `None` for what is written nowhere.
    pub(super) fn as_str(self) -> Option<&'static str> {
        Some(match self {
            Self::AsTheyAre => return None,
            Self::Lower => "lowercase",
            Self::Upper => "UPPERCASE",
            Self::Pascal => "PascalCase",
            Self::Camel => "camelCase",
            Self::Snake => "snake_case",
            Self::ScreamingSnake => "SCREAMING_SNAKE_CASE",
            Self::Kebab => "kebab-case",
        })
    }

    /// What serde makes of the name of a field, in snake case.
    pub(super) fn field(self, name: &str) -> String {
        let pascal = || name.split('_').map(capital).collect::<String>();
        match self {
            Self::AsTheyAre | Self::Lower | Self::Snake => name.to_owned(),
            Self::Upper | Self::ScreamingSnake => name.to_ascii_uppercase(),
            Self::Pascal => pascal(),
            Self::Camel => uncapital(&pascal()),
            Self::Kebab => name.replace('_', "-"),
        }
    }

    /// What serde makes of the name of a variant, in Pascal case.
    pub(super) fn variant(self, name: &str) -> String {
        let parted = |by: &str| {
            let mut out = String::with_capacity(name.len() + 4);
            for (at, letter) in name.char_indices() {
                if at > 0 && letter.is_ascii_uppercase() {
                    out.push_str(by);
                }
                out.push(letter.to_ascii_lowercase());
            }
            out
        };
        match self {
            Self::AsTheyAre | Self::Pascal => name.to_owned(),
            Self::Lower => name.to_ascii_lowercase(),
            Self::Upper => name.to_ascii_uppercase(),
            Self::Camel => uncapital(name),
            Self::Snake => parted("_"),
            Self::ScreamingSnake => parted("_").to_ascii_uppercase(),
            Self::Kebab => parted("-"),
        }
    }
}

fn capital(word: &str) -> String {
    word.get(..1).map_or_else(String::new, |first| first.to_ascii_uppercase() + &word[1..])
}

fn uncapital(word: &str) -> String {
    word.get(..1).map_or_else(String::new, |first| first.to_ascii_lowercase() + &word[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_rusts() {
        for (text, name) in [
            ("diaSource", "dia_source"),
            ("ra_dec_Cov", "ra_dec_cov"),
            ("ref_ID", "ref_id"),
            ("type", "type"),
            ("2mass", "n2mass"),
            ("self", "self_"),
            ("$schema", "schema"),
            ("λ", "unnamed"),
            ("P(BNS)", "p_bns"),
        ] {
            assert_eq!(field_name(text), name);
        }
        assert_eq!((written("type"), written("ra")), ("r#type".to_owned(), "ra".to_owned()));
        for (text, name) in [
            ("Gold Track Alert", "GoldTrackAlert"),
            ("erg/s/cm2/Hz", "ErgSCm2Hz"),
            ("2", "N2"),
            ("self", "SelfValue"),
            ("+", "Plus"),
            ("", "Message"),
        ] {
            assert_eq!(type_name(text, "Message"), name);
        }
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::without(&TAKEN);
        let mut give = |wanted: &[&str]| names.give(&wanted.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(give(&["Event"]), "Event");
        assert_eq!(give(&["Event", "AlertEvent"]), "AlertEvent");
        assert_eq!(give(&["Event", "AlertEvent"]), "AlertEvent2");
        assert_eq!(give(&["Option"]), "Option2");
    }

    #[test]
    fn a_convention_is_named_where_it_saves_names() {
        let pairs = |names: &[(&str, &str)]| {
            names.iter().map(|(rust, key)| ((*rust).to_owned(), (*key).to_owned())).collect::<Vec<_>>()
        };
        let survey = pairs(&[("object_id", "objectId"), ("dia_source", "diaSource"), ("ra_dec_cov", "ra_dec_Cov")]);
        assert_eq!(Convention::best(&survey, Convention::field), Convention::Camel);
        let one = pairs(&[("object_id", "objectId"), ("ra", "ra")]);
        assert_eq!(Convention::best(&one, Convention::field), Convention::AsTheyAre);
        let symbols = pairs(&[("InitialPosition", "INITIAL_POSITION"), ("Low", "LOW")]);
        assert_eq!(Convention::best(&symbols, Convention::variant), Convention::ScreamingSnake);
    }
}
