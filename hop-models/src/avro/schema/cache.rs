//! Schemas seen before, by their text.

use std::sync::{PoisonError, RwLock};

use super::Schema;

/// How many are kept: a consumer sees as many schemas as it has topics, and a few versions of each.
const MOST: usize = 64;
/// How many bytes of text they may have together; parsed, they take several times that. There is room for one as long as
/// can be: a schema that is not kept would be parsed, and kept by each message, for itself.
const MOST_TEXT: usize = 2 * super::LONGEST;

/// The newest at the end.
static KEPT: RwLock<Vec<Schema>> = RwLock::new(Vec::new());

/// Compares, rather than hashes: a comparison ends at the first byte that differs, and runs faster than any hash where
/// none does.
pub(super) fn find(text: &[u8]) -> Option<Schema> {
    let kept = KEPT.read().unwrap_or_else(PoisonError::into_inner);
    kept.iter().rev().find(|schema| schema.text().as_bytes() == text).cloned()
}

pub(super) fn keep(schema: &Schema) {
    let mut kept = KEPT.write().unwrap_or_else(PoisonError::into_inner);
    if kept.iter().any(|other| other.text() == schema.text()) {
        return;
    }
    kept.push(schema.clone());
    let mut text: usize = kept.iter().map(|schema| schema.text().len()).sum();
    while kept.len() > MOST || text > MOST_TEXT {
        text -= kept.remove(0).text().len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_found_again_and_no_more_than_a_few_are_kept() {
        let first = Schema::parse(r#"{"type": "map", "values": "float", "n": "first"}"#).unwrap();
        assert!(find(first.text().as_bytes()).is_some());
        for n in 0..200 {
            Schema::parse(&format!(r#"{{"type": "map", "values": "float", "n": {n}}}"#)).unwrap();
        }
        assert!(KEPT.read().unwrap().len() <= MOST);
        assert!(find(first.text().as_bytes()).is_none());
    }
}
