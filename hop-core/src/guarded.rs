//! Calls to other people's code: models, filters, framings.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls other people's code, such as the methods of a model, and returns its result; a panic in it is an error that names
/// `code`.
///
/// ```
/// let error = hop_core::guarded("the model's `fields`", || -> Result<(), _> { panic!("no such field") }).unwrap_err();
/// assert_eq!(error.to_string(), "the model's `fields`: expected a result, found a panic: no such field");
/// ```
///
/// # Errors
/// What the code returns; kind `Invalid` for a panic.
pub fn guarded<T>(code: &'static str, call: impl FnOnce() -> Result<T, crate::Error>) -> Result<T, crate::Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(code, &*panic)))
}

#[cold]
fn panicked(code: &'static str, panic: &(dyn Any + Send)) -> crate::Error {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    let words: String = words.chars().take(200).collect();
    crate::Error::new(crate::ErrorKind::Invalid, code).expected("a result").found(format!("a panic: {words}"))
}
