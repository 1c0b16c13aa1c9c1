//! The label of a model: what it may look like, and which are taken.

/// The longest label, in bytes; hop-core's registry holds to the same.
const LONGEST: usize = 64;

/// The labels of hop itself.
const BUILT_IN: [&str; 10] =
    ["avro", "blob", "circular", "external", "gcnnotice", "gcnpacket", "gcntextnotice", "gwalert", "json", "voevent"];

/// Why `label` cannot be one, and the way out.
pub(crate) fn check(label: &str) -> Result<(), String> {
    let lower = label.to_ascii_lowercase();
    if label.is_empty() {
        Err(format!("this label is empty: it takes 1 to {LONGEST} of a-z, 0-9, `-`, `_`, `.`"))
    } else if let Some(strange) = lower.chars().find(|character| !is_allowed(*character)) {
        Err(format!("`{}` cannot stand in a label: it takes a-z, 0-9, `-`, `_`, `.`", strange.escape_debug()))
    } else if label.len() > LONGEST {
        Err(format!("this label has {} characters: {LONGEST} is the most", label.len()))
    } else if label != lower {
        Err(format!("labels are lower case: write `{lower}`"))
    } else if BUILT_IN.contains(&label) {
        Err(format!("`{label}` is one of hop's own labels ({}): choose another", BUILT_IN.join(", ")))
    } else {
        Ok(())
    }
}

fn is_allowed(character: char) -> bool {
    matches!(character, 'a'..='z' | '0'..='9' | '-' | '_' | '.')
}
