//! Labels that people give on the command line for models yet to be made.

/// The longest label, in bytes; hop-core's registry holds to the same.
const LONGEST: usize = 64;

/// Why no model can have this label, and the way out.
pub(crate) fn check(label: &str) -> Result<(), String> {
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_' | '.');
    let lower = label.to_ascii_lowercase();
    if label.is_empty() || label.len() > LONGEST || !lower.chars().all(allowed) {
        let label = label.escape_debug();
        return Err(format!("`{label}` is no label: one takes 1 to {LONGEST} of a-z, 0-9, `-`, `_`, `.`"));
    }
    if label != lower {
        return Err(format!("labels are lower case: write `{lower}`"));
    }
    let taken: Vec<&str> = hop_models::MODELS
        .iter()
        .map(|model| model.format())
        .chain([hop_core::JsonBlob::FORMAT, hop_core::Blob::FORMAT])
        .collect();
    if taken.contains(&label) {
        return Err(format!("`{label}` is one of hop's own labels ({}): choose another", taken.join(", ")));
    }
    Ok(())
}

use hop_core::MessageModel as _;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_refused_with_what_to_write() {
        assert_eq!(check("gcn.notices.chime-frb_2"), Ok(()));
        assert_eq!(check("Donut"), Err("labels are lower case: write `donut`".to_owned()));
        for label in ["", "do nut", "dönut", &"x".repeat(65)] {
            assert!(check(label).unwrap_err().contains("1 to 64 of a-z"), "{label}");
        }
        for label in ["avro", "voevent", "json", "blob"] {
            assert!(check(label).unwrap_err().ends_with("choose another"), "{label}");
        }
    }
}
