//! All that is wrong with one type, gathered to be reported at once.

use quote::ToTokens;
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Mistakes(Option<Error>);

impl Mistakes {
    /// Notes a mistake at `tokens`.
    pub(crate) fn add(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        let error = Error::new_spanned(tokens, message);
        match &mut self.0 {
            Some(earlier) => earlier.combine(error),
            none => *none = Some(error),
        }
    }

    /// Whether there were none so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The error that they are together, if there were any.
    pub(crate) fn into_error(self) -> Option<Error> {
        self.0
    }
}
