//! Which name was meant.

/// How alike two names are that one may have been typed for, from 0 to 1.
const ALIKE: f64 = 0.8;

/// Returns what to do about a name that is not linked: the one that was meant, where one is near, and all there are.
pub(crate) fn advice<'n>(wrong: &str, known: impl Iterator<Item = &'n str>, more: &str) -> String {
    let known: Vec<&str> = known.collect();
    let listed = format!("linked: {}{more}", known.join(", "));
    // The end of what is far longer than any name makes no difference.
    let wrong: String = wrong.chars().take(100).map(|c| c.to_ascii_lowercase()).collect();
    let likeness = |name: &&str| strsim::jaro_winkler(&wrong, name);
    match known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) if likeness(&nearest) >= ALIKE => format!("did you mean `{nearest}`? {listed}"),
        _ => listed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_near_is_pointed_out() {
        let known = ["avro", "blob", "circular", "gcnnotice", "gcntextnotice", "json", "voevent"];
        for (wrong, meant) in [
            ("voevnt", "voevent"),
            ("Voevents", "voevent"),
            ("gcnotice", "gcnnotice"),
            ("arvo", "avro"),
            ("jsn", "json"),
        ] {
            let advice = advice(wrong, known.into_iter(), "");
            assert!(advice.starts_with(&format!("did you mean `{meant}`? linked: avro, blob")), "{advice}");
        }
        for far in ["", "nobody", "donut", &"x".repeat(1_000_000), &"é".repeat(100)] {
            assert!(advice(far, known.into_iter(), "").starts_with("linked: "), "{far}");
        }
    }
}
