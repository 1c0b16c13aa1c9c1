//! Calling other people's code: models, filters, framings.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls other people's code; a panic in it is an error of the message.
pub(crate) fn guarded<T>(
    code: &'static str,
    call: impl FnOnce() -> Result<T, hop_core::Error>,
) -> Result<T, hop_core::Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|panic| Err(panicked(code, &*panic)))
}

#[cold]
fn panicked(code: &'static str, panic: &(dyn Any + Send)) -> hop_core::Error {
    let words = panic.downcast_ref::<&str>().copied();
    let words = words.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without a message");
    let words: String = words.chars().take(200).collect();
    hop_core::Error::new(hop_core::ErrorKind::Invalid, code).expected("a result").found(format!("a panic: {words}"))
}
