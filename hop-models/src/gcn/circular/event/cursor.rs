//! Reads a folded subject from left to right.

use super::fold::is_word;

/// What may stand between a prefix and its designation.
const SEPARATORS: &[u8] = b" ._-";
/// The longest run of them that still joins the two.
const LONGEST_GAP: usize = 4;

/// A place in a folded subject.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a [u8], at: usize) -> Self {
        Self { text, at }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the bytes before this place.
    pub(super) fn before(&self) -> &'a [u8] {
        self.text.get(..self.at).unwrap_or_default()
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Passes over a word in any case. A `-` in it stands for separators, slashes among them, or for nothing.
    pub(super) fn prefix(&mut self, word: &str) -> Option<()> {
        let mut after = *self;
        for expected in word.bytes() {
            if expected == b'-' {
                let gap = after.rest().iter().take(LONGEST_GAP);
                after.at += gap.take_while(|byte| SEPARATORS.contains(byte) || **byte == b'/').count();
            } else if after.peek()?.eq_ignore_ascii_case(&expected) {
                after.at += 1;
            } else {
                return None;
            }
        }
        *self = after;
        Some(())
    }

    /// Passes over separators, if there are any, and returns how many.
    pub(super) fn gap(&mut self) -> usize {
        let length = self.rest().iter().take(LONGEST_GAP).take_while(|byte| SEPARATORS.contains(byte)).count();
        self.at += length;
        length
    }

    /// Passes over one of these bytes, if it is next.
    pub(super) fn one_of(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// Passes over all digits.
    pub(super) fn digits(&mut self) -> &'a str {
        self.take(|byte| byte.is_ascii_digit())
    }

    /// Passes over all letters.
    pub(super) fn letters(&mut self) -> &'a str {
        self.take(|byte| byte.is_ascii_alphabetic())
    }

    /// Passes over a decimal point and the digits behind it, if both are there.
    pub(super) fn fraction(&mut self) -> Option<&'a str> {
        let mut after = *self;
        after.one_of(b".")?;
        let digits = after.digits();
        if digits.is_empty() {
            return None;
        }
        *self = after;
        Some(digits)
    }

    /// Whether no word goes on here.
    pub(super) fn ends(&self) -> bool {
        !self.peek().is_some_and(is_word)
    }

    fn take(&mut self, belongs: impl Fn(&u8) -> bool) -> &'a str {
        let length = self.rest().iter().take_while(|byte| belongs(byte)).count();
        let taken = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        std::str::from_utf8(taken).unwrap_or_default()
    }
}
