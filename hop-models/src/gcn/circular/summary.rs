//! What a circular is about; where and when stand in its prose, which is not read.

use hop_core::summary::Summary;

use super::{Circular, event};
use crate::summary::is_mock;

/// Reads the summary of a circular: its subject and the events in it.
pub(super) fn of(circular: &Circular) -> Summary {
    let mut summary = Summary::new("GCN circular");
    summary.names = circular.event_names();
    let stated = circular.stated_event().map(|stated| {
        // Most state a name that was read in the subject already.
        let is_read = summary.names.iter().any(|name| name == stated);
        if is_read { stated.to_owned() } else { event::catalogued(stated) }
    });
    if let Some(stated) = stated {
        summary.names.retain(|name| *name != stated);
        summary.names.insert(0, stated);
    }
    let subject = circular.subject().map(|subject| subject.trim().to_owned()).filter(|subject| !subject.is_empty());
    let takes_back = |word: &str| ["retraction", "retracted"].iter().any(|says| word.eq_ignore_ascii_case(says));
    // Superevents `MS…` are mock data and `TS…` tests.
    summary.is_test = summary.names.iter().any(|name| is_mock(name))
        || subject.as_deref().is_some_and(|subject| starts_with_word(subject, "TEST"));
    let mut words = subject.iter().flat_map(|subject| subject.split(|c: char| !c.is_alphanumeric()));
    summary.is_retraction = words.any(takes_back);
    summary.subject = subject;
    summary
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use hop_core::MessageModel;
    use hop_core::summary::Direction;

    use super::*;

    #[test]
    fn a_circular_is_about_the_events_in_its_subject() {
        let circular = Circular::new([("SUBJECT", "EP240219a/GRB 240219A: retraction of the counterpart")], "RA = 10");
        let summary: Summary = circular.summary();
        assert_eq!(summary.names, ["EP240219a", "GRB 240219A"]);
        assert!(summary.is_retraction && summary.direction == Direction::Unknown);
        assert_eq!(summary.title(), "RETRACTION EP240219a/GRB 240219A: retraction of the counterpart");
        for (subject, is_test) in [
            ("LIGO/Virgo/KAGRA MS230922ab: Identification of a test event", true),
            ("TEST: please ignore", true),
            ("TESTING the new pipeline on GRB 230812B", false),
            ("GRB 230812B: a test of Lorentz invariance", false),
        ] {
            assert_eq!(Circular::new([("SUBJECT", subject)], "").summary().is_test, is_test, "{subject}");
        }
    }
}
