//! Two sides that should be one, and what is said where they are not.

pub(super) fn same(what: &str, found: &str, expected: &str) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!("{what}:\n  expected {expected}\n  found    {found}"))
}

pub(super) fn same_bytes(what: &str, found: &[u8], source: &str, expected: &[u8]) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    let at = found.iter().zip(expected).position(|(a, b)| a != b).unwrap_or_else(|| found.len().min(expected.len()));
    let shown = |bytes: &[u8]| crate::excerpt(bytes.get(at..).unwrap_or_default());
    Err(format!(
        "{what}, not the bytes of {source}; from byte {at}:\n  expected {}\n  found    {}",
        shown(expected),
        shown(found)
    ))
}
