//! Content broken on purpose.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Registration;

/// Content longer than this is cut at fewer places by [`survive`].
const MOST_CUTS: usize = 3000;

/// How many bytes of each content [`survive`] changes, one at a time.
const FLIPS: usize = 2000;

/// Feeds `model` the content cut short and with bytes changed, as its wire form and as its file form.
///
/// # Errors
/// The content that made it panic.
pub(super) fn survive(model: &Registration, content: &[u8]) -> Result<(), String> {
    let attempt = |bytes: &[u8], how: String| {
        let read = || {
            // What comes of it is the model's affair.
            let _ = model.decode(bytes.into());
            let _ = model.load(bytes.into());
        };
        catch_unwind(AssertUnwindSafe(read)).map_err(|_| format!("{model} panics on the content {how}"))
    };
    for end in 0..content.len().min(MOST_CUTS) {
        attempt(&content[..end], format!("cut to {end} bytes"))?;
    }
    if content.is_empty() {
        return Ok(());
    }
    let mut bytes = content.to_vec();
    // A fixed sequence (Knuth's MMIX), so that a failure comes again.
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..FLIPS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = usize::try_from(state >> 33).unwrap_or_default() % bytes.len();
        let [.., byte] = (state >> 17).to_be_bytes();
        let was = std::mem::replace(&mut bytes[at], byte);
        attempt(&bytes, format!("with byte {at} changed from 0x{was:02x} to 0x{byte:02x}"))?;
        bytes[at] = was;
    }
    Ok(())
}

/// How deep what is nested here is: a parser that recurses without a bound ends the process.
const DEEP: usize = 100_000;

/// Content that has broken one parser or another.
pub(super) fn nasty() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 10] = [
        b"",
        b"\0",
        b"\xFF\xFE\xFD",
        b"\xEF\xBB\xBF{}",
        b"{",
        b"\"\\ud800\"",
        b"{\"a\": 1, \"a\": 2}",
        b"-1e999999999999",
        b"<!DOCTYPE a [<!ENTITY b \"bb\"><!ENTITY c \"&b;&b;\">]><a>&c;</a>",
        b"Obj\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01",
    ];
    let repeated = ["9", "[", "{\"a\":", "<a>"].map(|unit| unit.repeat(DEEP).into_bytes());
    texts.map(<[u8]>::to_vec).into_iter().chain(repeated).collect()
}
