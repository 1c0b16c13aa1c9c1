//! The name of the event that a circular is about, as its subject has it.

/// What follows the prefix of a name.
#[derive(Clone, Copy)]
enum Shape {
    /// `230818A`: six digits, a letter that older bursts do without, a fraction of a day on some.
    Burst,
    /// `230401A`: six to eight digits, a letter.
    Dated,
    /// `200302c`: five digits or more, then lower-case letters if any.
    Superevent,
    /// `2017gfo`: a year and letters.
    Yearly,
    /// `18abcdefg`: two digits and letters.
    Survey,
    /// `1935+2154`, `J1727.8-1613`: coordinates.
    Coordinates,
}

/// A prefix, what stands between it and the rest, and the rest. The longest of those that begin alike comes first.
const NAMES: [(&str, &str, Shape); 20] = [
    ("GRB", " ", Shape::Burst),
    ("XRF", " ", Shape::Burst),
    ("FRB", " ", Shape::Dated),
    ("IceCube", "-", Shape::Dated),
    ("IC", "-", Shape::Dated),
    ("HAWC", "-", Shape::Dated),
    ("NuEm", "-", Shape::Dated),
    ("ANTARES", " ", Shape::Dated),
    ("EP", "", Shape::Dated),
    ("GW", "", Shape::Superevent),
    ("MS", "", Shape::Superevent),
    ("S", "", Shape::Superevent),
    ("G", "", Shape::Superevent),
    ("AT", "", Shape::Yearly),
    ("SN", " ", Shape::Yearly),
    ("ZTF", "", Shape::Survey),
    ("SGR Swift", " ", Shape::Coordinates),
    ("SGR", " ", Shape::Coordinates),
    ("Swift", " ", Shape::Coordinates),
    ("MAXI", " ", Shape::Coordinates),
];

/// The first name in a subject, written as its catalogue writes it: `GRB 230818A`, `S200302c`, `IceCube-230401A`.
pub(super) fn name(subject: &str) -> Option<String> {
    let mut before = None;
    for (at, c) in subject.char_indices() {
        // A name starts a word.
        if c.is_ascii_alphabetic() && !before.is_some_and(char::is_alphanumeric) {
            let here = &subject[at..];
            if let Some(name) = NAMES.iter().find_map(|(prefix, join, shape)| starts(here, prefix, join, *shape)) {
                return Some(name);
            }
        }
        before = Some(c);
    }
    None
}

fn starts(text: &str, prefix: &str, join: &str, shape: Shape) -> Option<String> {
    let rest = strip(text, prefix)?;
    let rest = rest.trim_start_matches([' ', '-', '_', '.']);
    let rest = rest.strip_prefix('+').unwrap_or(rest);
    let designation = shape.read(rest)?;
    Some(format!("{prefix}{join}{designation}"))
}

/// The rest of a text after a prefix, which may be in any case unless it is short: `s` and `at` are words.
fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    let same = if prefix.len() < 3 { start == prefix } else { start.eq_ignore_ascii_case(prefix) };
    same.then_some(rest)
}

impl Shape {
    fn read(self, text: &str) -> Option<String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = text.split_at(digits);
        let letters = &rest[..rest.bytes().take_while(u8::is_ascii_alphabetic).count()];
        let after = rest[letters.len()..].chars().next();
        // What goes on is another word, not this name.
        let ends = !after.is_some_and(char::is_alphanumeric);
        let count = letters.len();
        match self {
            Self::Burst if digits == 6 && ends && count <= 1 => {
                let fraction = rest[count..].strip_prefix('.').unwrap_or_default();
                let fraction = &fraction[..fraction.bytes().take_while(u8::is_ascii_digit).count()];
                let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction}") };
                Some(format!("{number}{}{fraction}", letters.to_ascii_uppercase()))
            }
            Self::Dated if (6..=8).contains(&digits) && ends && count <= 1 => Some(format!("{number}{letters}")),
            Self::Superevent if (5..=8).contains(&digits) && ends && count <= 5 => {
                Some(format!("{number}{}", letters.to_ascii_lowercase()))
            }
            Self::Yearly if digits == 4 && ends && (1..=6).contains(&count) => Some(format!("{number}{letters}")),
            Self::Survey if digits == 2 && ends && count >= 3 => {
                Some(format!("{number}{}", letters.to_ascii_lowercase()))
            }
            Self::Coordinates => coordinates(text),
            _ => None,
        }
    }
}

/// `J1727.8-1613`, `1935+2154`.
fn coordinates(text: &str) -> Option<String> {
    let number = |text: &str| text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let epoch = usize::from(text.starts_with(['J', 'j']));
    let first = epoch + number(text.get(epoch..)?);
    if first - epoch < 4 || !text[first..].starts_with(['+', '-']) {
        return None;
    }
    let last = first + 1 + number(&text[first + 1..]);
    let name = text[..last].trim_end_matches('.');
    (name.len() >= first + 3).then(|| name.to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_and_written_as_catalogues_do() {
        for (subject, expected) in [
            ("GRB 230818A: radio observation with the VLA", "GRB 230818A"),
            ("GRB980329 VLA observations", "GRB 980329"),
            ("Fermi GRB 230812b/ZTF23aaxeacr", "GRB 230812B"),
            ("GRB 230812.78 = trigger 1", "GRB 230812.78"),
            ("LIGO/Virgo S200302c: Updated sky map", "S200302c"),
            ("LIGO/Virgo G298048: Fermi GBM", "G298048"),
            ("LIGO/Virgo/KAGRA MS230922ab: test", "MS230922ab"),
            ("GW170817: host", "GW170817"),
            ("IceCube-230401A - IceCube observation", "IceCube-230401A"),
            ("AMON Coincidence Alert NuEm-230927A", "NuEm-230927A"),
            ("SGR 1935+2154: VZLUSAT-2 detection", "SGR 1935+2154"),
            ("SGR Swift J1818.0-1607: burst", "SGR Swift J1818.0-1607"),
            ("Swift J1727.8-1613: radio.", "Swift J1727.8-1613"),
            ("AT2017gfo: spectrum", "AT2017gfo"),
            ("SN 2023ixf: nothing", "SN 2023ixf"),
            ("EP240219a: EP-WXT detection", "EP240219a"),
            ("FRB 20201124A: bursts", "FRB 20201124A"),
            ("ZTF18abcdefg", "ZTF18abcdefg"),
        ] {
            assert_eq!(name(subject).as_deref(), Some(expected), "{subject}");
        }
    }

    #[test]
    fn what_is_no_name_is_none() {
        for subject in
            ["", "Swift Triggers 1192735 and 1192737", "at 2023 we", "SGR burst", "GRB", "XGRB 230818A", "é+S"]
        {
            assert_eq!(name(subject), None, "{subject}");
        }
    }
}
