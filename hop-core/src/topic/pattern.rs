//! Patterns of topic names: `gcn.classic.voevent.*`, `gcn.notices.**`.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use crate::{Error, ErrorKind};

/// The longest name that Kafka gives a topic.
const LONGEST_TOPIC: usize = 249;

/// A pattern of topic names: `*` stands for one or more characters other than a dot, `**` for one or more of any, `{date}`
/// for the eight digits of a date.
///
/// ```
/// use hop_core::TopicPattern;
///
/// let voevents: TopicPattern = "gcn.classic.voevent.*".parse()?;
/// assert!(voevents.matches("gcn.classic.voevent.FERMI_GBM_FIN_POS"));
/// assert!(!voevents.matches("gcn.classic.voevent.a.b") && !voevents.matches("gcn.classic.voevent."));
///
/// let notices: TopicPattern = "gcn.notices.**".parse()?;
/// assert!(notices.matches("gcn.notices.einstein_probe.wxt.alert"));
/// # Ok::<(), hop_core::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TopicPattern {
    text: Box<str>,
    elements: Box<[Element]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Element {
    Byte(u8),
    /// One of the eight of `{date}`.
    Digit,
    /// `*`
    WithinPart,
    /// `**`
    Any,
}

impl Element {
    fn accepts(self, byte: u8) -> bool {
        match self {
            Self::Byte(own) => own == byte,
            Self::Digit => byte.is_ascii_digit(),
            Self::WithinPart => byte != b'.',
            Self::Any => true,
        }
    }

    fn repeats(self) -> bool {
        !matches!(self, Self::Byte(_) | Self::Digit)
    }

    /// Whether there is a byte that both accept.
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Byte(byte), element) | (element, Self::Byte(byte)) => element.accepts(byte),
            _ => true,
        }
    }
}

impl TopicPattern {
    /// Returns the pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the pattern stands for `topic`.
    pub fn matches(&self, topic: &str) -> bool {
        let literal = self.elements.iter().take_while(|element| matches!(element, Element::Byte(_))).count();
        let (text, topic) = (self.text.as_bytes(), topic.as_bytes());
        match (topic.get(..literal), topic.get(literal..)) {
            (Some(start), Some(rest)) if start == &text[..literal] && rest.len() <= LONGEST_TOPIC => {
                accepts(&self.elements[literal..], rest)
            }
            _ => false,
        }
    }

    /// Returns true if some topic fits both patterns.
    ///
    /// ```
    /// # use hop_core::TopicPattern;
    /// let (notices, voevents): (TopicPattern, TopicPattern) = ("gcn.notices.**".parse()?, "*.notices.*.voevent".parse()?);
    /// assert!(notices.overlaps(&voevents) && !notices.overlaps(&"gcn.circulars".parse()?));
    /// # Ok::<(), hop_core::Error>(())
    /// ```
    pub fn overlaps(&self, other: &Self) -> bool {
        let (one, two) = (&self.elements, &other.elements);
        // Most patterns differ in what stands before their first star, or after the last.
        let meet = |(a, b): (&Element, &Element)| a.meets(*b);
        let is_fixed = |(a, b): &(&Element, &Element)| !a.repeats() && !b.repeats();
        let starts_meet = one.iter().zip(two).take_while(is_fixed).all(meet);
        let ends_meet = one.iter().rev().zip(two.iter().rev()).take_while(is_fixed).all(meet);
        if !starts_meet || !ends_meet {
            return false;
        }
        let width = two.len() + 1;
        let mut seen = vec![false; (one.len() + 1) * width];
        let mut open = vec![(0, 0)];
        while let Some((i, j)) = open.pop() {
            if std::mem::replace(&mut seen[i * width + j], true) {
                continue;
            }
            match (one.get(i), two.get(j)) {
                (None, None) => return true,
                (Some(a), Some(b)) if a.meets(*b) => {
                    open.push((i + 1, j + 1));
                    if a.repeats() {
                        open.push((i, j + 1));
                    }
                    if b.repeats() {
                        open.push((i + 1, j));
                    }
                }
                _ => {}
            }
        }
        false
    }

    /// Returns true if one topic alone fits the pattern.
    pub(super) fn is_name(&self) -> bool {
        self.elements.iter().all(|element| matches!(element, Element::Byte(_)))
    }

    /// Sorts the more specific pattern first: a name, then more characters of a known place, then fewer `{date}`, `**` and
    /// `*`.
    pub(super) fn rank(&self) -> impl Ord + use<> {
        let count = |wanted: fn(&Element) -> bool| self.elements.iter().filter(|element| wanted(element)).count();
        let anything = count(|element| *element == Element::Any);
        let within_part = count(|element| *element == Element::WithinPart);
        let digits = count(|element| *element == Element::Digit);
        let placed = self.elements.len() - anything - within_part;
        (!self.is_name(), Reverse(placed), digits, anything, within_part)
    }
}

/// Runs the elements over the text, all possibilities at once.
fn accepts(elements: &[Element], text: &[u8]) -> bool {
    let mut now = [false; LONGEST_TOPIC + 1];
    now[0] = true;
    for byte in text {
        let mut next = [false; LONGEST_TOPIC + 1];
        for (at, element) in elements.iter().enumerate().filter(|(at, _)| now[*at]) {
            if element.accepts(*byte) {
                next[at] |= element.repeats();
                next[at + 1] = true;
            }
        }
        now = next;
    }
    now[elements.len()]
}

impl FromStr for TopicPattern {
    type Err = Error;

    /// # Errors
    /// Kind `Invalid`: the text is empty, too long, or has characters that no topic has.
    fn from_str(text: &str) -> Result<Self, Error> {
        let refuse = |found: String| {
            Err(Error::new(ErrorKind::Invalid, "topic pattern")
                .expected(format!(
                    "1 to {LONGEST_TOPIC} letters, digits, `.`, `_`, `-`, with `*`, `**` or `{{date}}` between them"
                ))
                .found(found))
        };
        if text.is_empty() || text.len() > LONGEST_TOPIC {
            return refuse(format!("{} characters", text.len()));
        }
        let mut elements = Vec::with_capacity(text.len());
        let mut bytes = text.bytes().peekable();
        while let Some(byte) = bytes.next() {
            if byte == b'{' && b"date}".iter().all(|expected| bytes.next_if_eq(expected).is_some()) {
                elements.extend([Element::Digit; 8]);
                continue;
            }
            elements.push(match byte {
                b'*' if bytes.next_if_eq(&b'*').is_some() => Element::Any,
                b'*' => Element::WithinPart,
                b'.' | b'_' | b'-' => Element::Byte(byte),
                _ if byte.is_ascii_alphanumeric() => Element::Byte(byte),
                _ => return refuse(format!("`{}`", text.escape_debug())),
            });
        }
        if elements.len() > LONGEST_TOPIC {
            return refuse(format!("{} characters, dates written out", elements.len()));
        }
        if elements.windows(2).any(|two| two.iter().all(|element| element.repeats())) {
            return refuse(format!("`{text}`, with more than two `*` in a row"));
        }
        Ok(Self { text: text.into(), elements: elements.into() })
    }
}

impl fmt::Display for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for TopicPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> TopicPattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_of_many_dates_is_refused() {
        assert!("{date}".repeat(31).parse::<TopicPattern>().is_ok());
        for bad in ["{date}".repeat(41), "{dat}".to_owned(), "{date".to_owned(), "a{}".to_owned()] {
            assert!(bad.parse::<TopicPattern>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_star_stays_within_a_part_and_two_do_not() {
        for (text, fits, does_not) in [
            ("gcn.circulars", &["gcn.circulars"][..], &["gcn.circulars.grb", "gcn.circular", "GCN.circulars"][..]),
            ("gcn.*", &["gcn.circulars"], &["gcn.", "gcn", "gcn.a.b"]),
            ("gcn.**", &["gcn.a", "gcn.a.b"], &["gcn.", "gcn"]),
            ("fink_*_ztf", &["fink_sn_candidates_ztf"], &["fink__ztf", "fink_a.b_ztf", "fink_sn_lsst"]),
            ("**.alert", &["a.alert", "a.b.alert"], &["alert", ".alert", "a.alerts"]),
            ("a*b*c", &["axbxc", "abbcc"], &["abc", "axbx"]),
            (
                "ztf_{date}_*",
                &["ztf_20261127_programid1"],
                &["ztf_2026112_x", "ztf_202611277_x", "ztf_{date}_x", "ztf_2026112a_x"],
            ),
            ("{date}", &["20261127"], &["", "2026112", "202611271"]),
            ("**", &["a", "a.b"], &[""]),
        ] {
            let pattern = pattern(text);
            assert!(fits.iter().all(|topic| pattern.matches(topic)), "{text}");
            assert!(!does_not.iter().any(|topic| pattern.matches(topic)), "{text}");
        }
        assert!(!pattern("a**").matches(&"a".repeat(5_000)));
    }

    #[test]
    fn patterns_that_no_topic_can_fit_are_refused() {
        for text in ["", "a b", "a/b", "***", "a.?", "é", &"a".repeat(250)] {
            assert_eq!(text.parse::<TopicPattern>().unwrap_err().kind(), ErrorKind::Invalid, "{text}");
        }
    }

    #[test]
    fn overlap_is_a_topic_that_fits_both() {
        for (one, two, overlap) in [
            ("gcn.*", "*.gcn", true),
            ("gcn.*", "lvk.*", false),
            ("a.*", "a.b.c", false),
            ("a.**", "*.b.c", true),
            ("a*", "*b", true),
            ("*", "a.b", false),
            ("a", "a", true),
        ] {
            assert_eq!(pattern(one).overlaps(&pattern(two)), overlap, "{one} {two}");
            assert_eq!(pattern(two).overlaps(&pattern(one)), overlap, "{two} {one}");
        }
    }
}
