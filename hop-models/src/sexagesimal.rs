//! Angles as people write them: hours or degrees, minutes and seconds.

/// `10:42:00.5`, `10 42 00.5`, `10h42m00.5s`, `-20d15m00s`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sexagesimal {
    /// In hours or degrees, whichever they are.
    pub(crate) value: f64,
    /// Whether letters say which they are.
    pub(crate) letters: bool,
    /// Whether they say that it is hours.
    pub(crate) hours: bool,
}

impl Sexagesimal {
    /// `None` for what has a single part.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, digits) = match text.strip_prefix('-').or_else(|| text.strip_prefix('\u{2212}')) {
            Some(rest) => (-1.0, rest),
            None => (1.0, text.strip_prefix('+').unwrap_or(text)),
        };
        let separators = [':', ' ', 'h', 'H', 'd', 'D', '°', 'm', 'M', '\'', '′', 's', 'S', '"', '″'];
        let mut parts = digits.split(separators).filter(|part| !part.is_empty());
        let (first, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
        let whole = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if parts.next().is_some() || !whole(first) || !(whole(minutes) || seconds == "0") {
            return None;
        }
        let number = |part: &str| {
            part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.').then(|| part.parse::<f64>().ok())?
        };
        let (first, minutes, seconds) = (number(first)?, number(minutes)?, number(seconds)?);
        if minutes >= 60.0 || seconds >= 60.0 {
            return None;
        }
        let hours = digits.contains(['h', 'H']);
        let letters = hours || digits.contains(['d', 'D', '°']);
        Some(Self { value: sign * (first + minutes / 60.0 + seconds / 3600.0), letters, hours })
    }
}
