//! What a model's tests need: fixtures read from a folder and held to the model, and the same fixtures broken on purpose.
//!
//! A fixture is a folder with these files, at any depth below the folder that a test asks for:
//!
//! | file | what it is |
//! |---|---|
//! | `content.*` | the wire form, byte for byte: what a Kafka record carries |
//! | `headers.json` | its headers, a list of `[name, value]`; a value is text, `null`, or `{"$bytes": "<base64>"}`. Left out: none |
//! | `model.json` | what must come out: `{"format", "route", "model"}`, `model` as its fields are shown; or `{"error": kind}` |
//! | `file.*` | the file form, where it is not the wire form |
//! | `encoded.*` | what encoding the model again gives, where that is not `content.*`; `why.txt` beside it says the reason |
//!
//! A crate of models holds each of its own to its fixtures with one line, [`fixtures!`](crate::fixtures), which makes a test
//! of each folder:
//!
//! ```
//! # use hop_core::JsonBlob as Donut;
//! hop_core::fixtures!(Donut, "../fixtures/donut");
//! ```
//!
//! A model made by hand is held to what hop expects of any, dispatch, threads and broken content included, by
//! [`conforms`]. Several models at once are held to a folder by [`round_trips`] and [`survives`]. What holds for any content
//! at all, fixture or not, is [`check`]: property tests and fuzzers call it.

/// Makes a test of each fixture of a model; feature `testing`.
///
/// ```
/// # use hop_core::JsonBlob as Donut;
/// hop_core::fixtures!(Donut, "../fixtures/donut");
/// ```
///
/// The path starts where `Cargo.toml` is. Each folder in it, at any depth, that has a `content.*` or a `model.json` becomes
/// one `#[test]`, `donut_fixtures::plain_cake` for `plain/cake`, which tries it as [`Fixtures::case`] says: decode, compare,
/// encode, the same bytes, the file form there and back, and then cut short and with bytes changed. One more test,
/// `none_is_left_out`, tries those that came after the tests were compiled.
///
/// To add a message, make a folder, put the message into it as `content.json` (or `.xml`, `.avro`, …), run
/// `HOP_BLESS=1 cargo test`, and read what was written beside it.
#[macro_export]
macro_rules! fixtures {
    ($($model_and_folder:tt)*) => {
        $crate::__private::fixtures! { ($crate) $($model_and_folder)* }
    };
}

mod check;
mod compare;
mod conform;
mod failures;
mod fixture;
mod folder;
mod hostile;
#[cfg(test)]
mod tests;

pub use self::check::{Checked, Kept, Rounds, check, check_error, check_model};
pub use self::conform::conforms;
pub use self::failures::Failures;
pub use self::folder::{Fixtures, round_trips, survives};
