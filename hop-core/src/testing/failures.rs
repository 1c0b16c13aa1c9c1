//! What a test of fixtures returns.

use std::fmt;

/// What went wrong in which fixtures.
///
/// Shown, also by `Debug`, it is a list, so that a test may return it as its error.
#[derive(Clone, Default)]
pub struct Failures {
    pub(super) cases: usize,
    pub(super) failed: Vec<(String, String)>,
}

impl Failures {
    /// The cases that failed, by their path below the folder, and why.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.failed.iter().map(|(case, reason)| (case.as_str(), reason.as_str()))
    }

    /// What went wrong in these of so many cases.
    pub fn new(cases: usize, failed: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { cases, failed: failed.into_iter().collect() }
    }

    pub(super) fn one(case: impl Into<String>, reason: impl fmt::Display) -> Self {
        Self { cases: 0, failed: vec![(case.into(), reason.to_string())] }
    }
}

impl fmt::Display for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cases > 0 {
            write!(f, "{} of {} cases failed", self.failed.len(), self.cases)?;
        } else {
            f.write_str("the fixtures cannot be tried")?;
        }
        self.iter().try_for_each(|(case, reason)| write!(f, "\n{case}: {reason}"))
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Failures {}

/// A registry that cannot be made.
impl From<crate::Error> for Failures {
    fn from(error: crate::Error) -> Self {
        Self::one(error.subject().to_owned(), &error)
    }
}
