//! The names of the events that a circular is about, as its subject has them.

mod catalogue;
mod cursor;
mod designation;
mod fold;
mod superevent;

use std::collections::HashSet;
use std::sync::LazyLock;

use self::catalogue::{CATALOGUES, Catalogue};
use self::cursor::Cursor;
use self::fold::{fold, is_word};

/// Instruments that subjects glue to a name: `SwiftGRB 230101A`, `VirgoS200224ca`.
const INSTRUMENTS: [&str; 12] =
    ["LIGO", "VIRGO", "KAGRA", "LVC", "LVK", "SVOM", "SWIFT", "FERMI", "INTEGRAL", "KONUS", "MAXI", "IPN"];

/// Returns the names in a subject, each once, in order, written as their catalogues write them.
pub(crate) fn names(subject: &str) -> impl Iterator<Item = String> {
    let mut seen = HashSet::new();
    Names { text: fold(subject), at: 0, word: 0, list: None }.filter(move |name| seen.insert(name.clone()))
}

/// Returns a name that a message states as its catalogue writes it; as it stands where it is in no known catalogue.
pub(crate) fn catalogued(stated: &str) -> String {
    let stated = stated.trim();
    let mut all = names(stated);
    match (all.next(), all.next()) {
        (Some(name), None) => name,
        _ => stated.to_owned(),
    }
}

/// The names that are still to come.
struct Names {
    text: Vec<u8>,
    at: usize,
    /// Where the word begins that `at` is in.
    word: usize,
    /// How the name that ends at `at` began, if further ones may follow under the same prefix.
    list: Option<List>,
}

/// A prefix under which several designations may follow.
#[derive(Clone, Copy)]
struct List {
    catalogue: &'static Catalogue,
    /// Whether the prefix is a plural, so that a bare day is a designation and not a date.
    plural: bool,
}

impl Iterator for Names {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if let Some(name) = self.further() {
            return Some(name);
        }
        self.list = None;
        while let Some(byte) = self.text.get(self.at) {
            if !is_word(*byte) {
                self.word = self.at + 1;
            } else if self.may_start()
                && let Some((name, end, list)) = name_at(Cursor::new(&self.text, self.at))
            {
                // A name ends with its word.
                (self.at, self.list) = (end, list);
                return Some(name);
            }
            self.at += 1;
        }
        None
    }
}

impl Names {
    /// Returns whether a name may start here: at the start of a word, or glued to an instrument.
    fn may_start(&self) -> bool {
        let (Some(first), Some(before)) = (self.text.get(self.at), self.text.get(self.word..self.at)) else {
            return false;
        };
        let glued = |last: &u8| {
            (last.is_ascii_lowercase() && first.is_ascii_uppercase())
                || INSTRUMENTS.iter().any(|instrument| before.eq_ignore_ascii_case(instrument.as_bytes()))
        };
        first.is_ascii_alphanumeric() && before.last().is_none_or(glued)
    }

    /// Reads a further designation of a list: `, 991216`, ` and 230813B`.
    fn further(&mut self) -> Option<String> {
        let List { catalogue, plural } = self.list?;
        let mut text = Cursor::new(&self.text, self.at);
        let mut joined = text.prefix("-,-and").or_else(|| text.prefix("-and")).is_some();
        joined |= text.prefix("-&").or_else(|| text.prefix("-,")).or_else(|| text.prefix("/")).is_some();
        if !joined {
            return None;
        }
        text.gap();
        let starts_with_digit = text.peek().is_some_and(|byte| byte.is_ascii_digit());
        let (digits_at, designation) = (text.at(), (catalogue.read)(&mut text));
        let designation = designation.filter(|_| starts_with_digit && text.ends())?;
        if !plural && !self.text.get(digits_at..text.at())?.iter().any(u8::is_ascii_alphabetic) {
            return None;
        }
        self.at = text.at();
        Some(format!("{}{designation}", catalogue.written))
    }
}

/// The catalogues and prefixes, in their order, by the byte that the prefix starts with.
static BY_FIRST: LazyLock<[Vec<(&'static Catalogue, &'static str)>; 128]> = LazyLock::new(|| {
    let mut by_first = [const { Vec::new() }; 128];
    for catalogue in CATALOGUES {
        for prefix in catalogue.prefixes {
            let first = prefix.bytes().next().and_then(|byte| by_first.get_mut(usize::from(byte)));
            first.into_iter().for_each(|prefixes| prefixes.push((catalogue, *prefix)));
        }
    }
    by_first
});

/// Reads the name that starts here. Returns it, where it ends, and its catalogue if others may follow under its prefix.
fn name_at(start: Cursor<'_>) -> Option<(String, usize, Option<List>)> {
    let first = start.peek()?.to_ascii_lowercase();
    for (catalogue, prefix) in BY_FIRST.get(usize::from(first))? {
        let mut text = start;
        if text.prefix(prefix).is_some()
            && let Some(designation) = (catalogue.read)(&mut text)
            && text.ends()
        {
            let name = format!("{}{designation}", catalogue.written);
            let list = List { catalogue, plural: prefix.ends_with('s') || *prefix == "sne" };
            return Some((name, text.at(), catalogue.lists.then_some(list)));
        }
    }
    let mut text = start;
    let name = superevent::read(&mut text).filter(|_| text.ends())?;
    Some((name, text.at(), None))
}

#[cfg(test)]
mod tests {
    use super::{catalogued, names};

    fn all(subject: &str) -> Vec<String> {
        names(subject).collect()
    }

    #[test]
    fn every_name_of_a_subject_is_given_once() {
        for (subject, expected) in [
            ("EP240219a/GRB 240219A: GRB240219a seen by EP", &["EP240219a", "GRB 240219A"][..]),
            ("ZTF 23aabmzlp/AT2023azs/SN 2023azs", &["ZTF23aabmzlp", "AT2023azs", "SN 2023azs"]),
            ("GRBs 991208 and 991216: radio", &["GRB 991208", "GRB 991216"]),
            ("GRB 230812A, 230813B and 230814C", &["GRB 230812A", "GRB 230813B", "GRB 230814C"]),
            ("GRB 230812A, 230813 and later", &["GRB 230812A"]),
            ("S190425z, S190426c: LIGO/Virgo s190425z", &["S190425z", "S190426c"]),
            ("SNe 2011fe & 2011dh", &["SN 2011fe", "SN 2011dh"]),
            ("SGR Swift J1818.0-1607 = Swift J1818.0-1607", &["SGR Swift J1818.0-1607", "Swift J1818.0-1607"]),
            ("", &[]),
        ] {
            assert_eq!(all(subject), expected, "{subject}");
            // A name that is written as its catalogue writes it stays as it is.
            expected.iter().for_each(|name| assert_eq!(catalogued(name), *name));
        }
    }

    #[test]
    fn names_are_found_in_any_typography() {
        for (subject, expected) in [
            ("GRB\u{A0}230818A: radio", "GRB 230818A"),
            ("GRB\u{2009}230818A", "GRB 230818A"),
            ("IceCube\u{2013}230401A", "IceCube-230401A"),
            ("IceCube\u{2011}Cascade\u{202F}221223a", "IceCube-Cascade 221223A"),
            ("SGR 1806\u{2212}20: flare", "SGR 1806-20"),
            ("Swift J1727.8\u{2212}1613", "Swift J1727.8-1613"),
            ("\u{FF27}\u{FF32}\u{FF22} 230818A", "GRB 230818A"),
            ("GRB\u{AD}230818\u{200D}A", "GRB 230818A"),
            ("\u{300C}AT2019wxt\u{300D}", "AT2019wxt"),
            ("GRB_230812_B", "GRB 230812B"),
            ("EP20240219a", "EP240219a"),
            ("SGR 1806 \u{2212}20", "SGR 1806-20"),
            ("Swift J\u{2009}1727.8\u{2013}1613", "Swift J1727.8-1613"),
            ("ATLAS 18qqn", "ATLAS18qqn"),
            ("iPTF\u{A0}14yb", "iPTF14yb"),
            ("ASASSN 14li", "ASASSN-14li"),
            // Glued to its year, a designation is no unit of measure.
            ("SN1990RD", "SN 1990rd"),
            ("sn2010s", "SN 2010S"),
            ("AT 2019jan", "AT2019jan"),
        ] {
            assert_eq!(all(subject), [expected], "{subject}");
            assert_eq!(catalogued(expected), expected);
        }
    }

    #[test]
    fn dates_speeds_hours_and_words_are_no_names() {
        for subject in [
            "Swift Triggers 1192735 and 1192737",
            "at 2023 we",
            "observed at 2030h, at 2000km and at 2000sec",
            "OBSERVATIONS AT 2030UT",
            "at 2023-08-18",
            "SN 2000km/s",
            "SN 1998",
            "SN 2000MHz",
            "SGR burst",
            "SGR 2004-12-27 giant flare",
            "SGR 2020-04",
            "GRB",
            "XGRB 230818A",
            "\u{E9}GRB 230818A",
            "EP 100000s",
            "S100000m",
            "s 230401",
            "G1.9+0.3",
            "IC 342",
            "ZTF 15minutes",
            "GRB 100000 s after",
            "MAXI 2010-07-01 transient",
            "Gaia 18days",
            "ATLAS 19mag",
            "observed at 2019Jan",
            "AT 2019JAN",
            "SN 2019Jan 5",
            "in the SN 1990s",
        ] {
            assert_eq!(all(subject), [""; 0], "{subject}");
        }
    }
}
