//! Names of events in the subjects of circulars: the project's cases, those of GCN's website, and random ones.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use hop_models::Circular;
use proptest::prelude::*;

fn circular(subject: &str) -> Circular {
    Circular::new([("SUBJECT", subject)], "")
}

/// Lines of a subject, a tab and a name; `none` for no name.
fn cases(table: &'static str) -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    table
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(subject, name)| (subject, Some(name).filter(|name| *name != "none")))
}

#[test]
fn subjects_have_the_names_of_the_catalogues() {
    let mut tried = 0;
    for (subject, expected) in cases(include_str!("data/subjects.tsv")).skip(1) {
        assert_eq!(circular(subject).event_name().as_deref(), expected, "{subject}");
        tried += 1;
    }
    assert!(tried > 100, "{tried} cases");
}

/// The subjects and names that the tests of GCN's website have (nasa-gcn/gcn.nasa.gov, `__tests__/circulars.ts`). The two
/// differences are those that `Circular::event_names` documents.
#[test]
fn names_agree_with_those_of_gcn() {
    let mut tried = 0;
    for (subject, expected) in cases(include_str!("data/gcn-subjects.tsv")) {
        let ours = circular(subject).event_name();
        match expected.filter(|name| name.starts_with("LIGO") || name.starts_with("KAGRA")) {
            Some(with_detectors) => assert_eq!(ours.as_deref(), with_detectors.split(' ').nth(1), "{subject}"),
            None if subject == "S231127cg" => assert_eq!(ours.as_deref(), Some(subject)),
            None => assert_eq!(ours.as_deref(), expected, "{subject}"),
        }
        tried += 1;
    }
    assert_eq!(tried, 196);
}

#[test]
fn a_name_that_gcn_states_is_the_same_name() {
    for (stated, expected) in
        [("LIGO/Virgo/KAGRA S231127cg", "S231127cg"), ("GRB 230812B", "GRB 230812B"), ("Cyg X-3", "Cyg X-3")]
    {
        let circular = Circular::new([("SUBJECT", "GRB 010101A"), ("EVENTID", stated)], "");
        assert_eq!(circular.event_name().as_deref(), Some(expected));
    }
}

/// A prefix as subjects write it, the designation, and the name.
fn named() -> impl Strategy<Value = (String, String)> {
    let day = (0u8..100, 1u8..13, 1u8..32).prop_map(|(year, month, day)| format!("{year:02}{month:02}{day:02}"));
    let long_day = (2000u16..2100, 1u8..13, 1u8..32).prop_map(|(year, month, day)| format!("{year}{month:02}{day:02}"));
    let place = (0u8..24, 0u8..60, prop::option::of(0u8..10), prop_oneof![Just('+'), Just('-')], 0u8..90, 0u8..60)
        .prop_map(|(hour, minute, tenth, sign, degree, arcminute)| {
            let tenth = tenth.map(|tenth| format!(".{tenth}")).unwrap_or_default();
            format!("{hour:02}{minute:02}{tenth}{sign}{degree:02}{arcminute:02}")
        });
    // `2004-12` is a month.
    let old_place =
        place.clone().prop_map(|place| place.strip_prefix("20").map(|rest| format!("19{rest}")).unwrap_or(place));
    let year = (1990u16..2100).prop_map(|year| year.to_string());
    let dated = |prefix: &'static str,
                 written: &'static str,
                 day: BoxedStrategy<String>,
                 letters: &'static str,
                 upper: bool| {
        (day, letters)
            .prop_map(move |(day, letters)| {
                let letters = if upper { letters.to_uppercase() } else { letters };
                (prefix.to_owned(), format!("{written}{day}{letters}"))
            })
            .boxed()
    };
    prop_oneof![
        dated("GRB", "GRB ", day.clone().boxed(), "[a-z]?", true),
        dated("XRF", "XRF ", day.clone().boxed(), "[a-z]?", true),
        dated("FRB", "FRB ", long_day.clone().boxed(), "[a-z]", true),
        dated("IceCube", "IceCube-", day.clone().boxed(), "[a-z]", true),
        dated("IceCube-Cascade", "IceCube-Cascade ", day.clone().boxed(), "[a-z]", true),
        dated("HAWC", "HAWC-", day.clone().boxed(), "[a-z]", true),
        dated("ANTARES", "ANTARES ", day.clone().boxed(), "[a-z]", true),
        dated("KM3", "KM3-", day.clone().boxed(), "[a-z]", true),
        dated("EP", "EP", day.clone().boxed(), "[a-z]", false),
        dated("EPW", "EPW", long_day.boxed(), "[a-z]{2}", false),
        dated("GW", "GW", day.clone().boxed(), "", false),
        dated("sb", "sb", (day.clone(), 0u8..100).prop_map(|(day, at)| format!("{day}{at:02}")).boxed(), "", false),
        // No unit of measure begins with these letters.
        dated("AT", "AT", year.clone().boxed(), "[v-x][a-z]{2,3}", false),
        dated("SN", "SN ", year.boxed(), "[v-x][a-z]{1,3}", false),
        dated("ZTF", "ZTF", "[12][0-9]".boxed(), "aa[a-z]{5}", false),
        dated("SGR", "SGR ", old_place.boxed(), "", false),
        dated("Swift", "Swift ", place.clone().prop_map(|place| format!("J{place}")).boxed(), "", false),
        dated("XTE", "XTE ", place.clone().prop_map(|place| format!("J{place}")).boxed(), "", false),
        dated("SGR Swift", "SGR Swift ", place.clone().prop_map(|place| format!("J{place}")).boxed(), "", false),
        dated("EP", "EP ", place.clone().prop_map(|place| format!("J{place}")).boxed(), "", false),
        dated("MAXI", "MAXI ", place.prop_map(|place| format!("J{place}")).boxed(), "", false),
        dated("LXT", "LXT ", day.clone().boxed(), "[a-z]", true),
        dated("NuEm", "NuEm-", day.clone().boxed(), "[a-z]", true),
        dated("GVD", "GVD", day.clone().boxed(), "[a-z]{2}", true),
        dated("iPTF", "iPTF", "[12][0-9]".boxed(), "[v-x][a-z]{1,4}", false),
        dated("ATLAS", "ATLAS", "[12][0-9]".boxed(), "[v-x][a-z]{1,4}", false),
        dated("ASASSN", "ASASSN-", "[12][0-9]".boxed(), "[v-x][a-z]{1,4}", false),
        dated("Gaia", "Gaia", "[12][0-9]".boxed(), "[v-x][a-z]{1,4}", false),
        (day.clone(), 0u8..100).prop_map(|(day, part)| {
            let prefix = "Baksan Neutrino Observatory Alert";
            (prefix.to_owned(), format!("{prefix} {day}.{part:02}"))
        }),
        (day, 0u8..24, 0u8..60, 0u8..60).prop_map(|(day, hour, minute, second)| {
            ("GW".to_owned(), format!("GW{day}_{hour:02}{minute:02}{second:02}"))
        }),
    ]
}

/// Names whose parts are always glued together.
fn glued() -> impl Strategy<Value = String> {
    let day = (0u8..100, 1u8..13, 1u8..32).prop_map(|(year, month, day)| format!("{year:02}{month:02}{day:02}"));
    let superevent = ("S|MS|TS", day, "[a-z]{1,3}").prop_map(|(kind, day, letters)| format!("{kind}{day}{letters}"));
    let repeater = (0u8..100, 1u8..13, 1u8..29, 0u8..24, 0u8..60, prop_oneof![Just('+'), Just('-')], 0u8..90).prop_map(
        |(year, month, day, hour, minute, sign, degree)| {
            format!("FRB {year:02}{month:02}{day:02}.J{hour:02}{minute:02}{sign}{degree:02}")
        },
    );
    prop_oneof![superevent, repeater]
}

/// Writes a name in another way: another separator, another dash, another case.
fn respelled((prefix, name): (String, String), separator: &str, minus: &str, case: u8) -> String {
    let designation = name.get(prefix.len()..).unwrap_or_default().trim_start_matches([' ', '-']);
    // `SN 2011a` is `SN 2011A`: the case of letters says nothing. Of a prefix it does not either.
    let text = format!("{prefix}{separator}{}", designation.replace('-', minus));
    match case {
        0 => text.to_lowercase(),
        1 => text.to_uppercase(),
        _ => text,
    }
}

/// As many random subjects as `PROPTEST_CASES` says, else 500.
fn cases_to_try() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(500)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases_to_try()))]

    #[test]
    fn a_name_is_one_however_it_is_spelled(
        named in named(),
        separator in prop::sample::select(vec!["", " ", "-", "_", "\u{A0}", "\u{2009}", "\u{2013}", "\u{2011}", "\u{2212}"]),
        minus in prop::sample::select(vec!["-", "\u{2212}", "\u{2013}", "\u{FF0D}"]),
        case in 0u8..3,
        before in prop::sample::select(vec!["", "Swift-XRT observations of ", "Re: ", "Konus-Wind: ", "(", "LT/", "MASTER: "]),
        after in prop::sample::select(vec!["", ": upper limits", " - optical", "/X-ray", ") refined", ", radio", "."]),
    ) {
        let subject = format!("{before}{}{after}", respelled(named.clone(), separator, minus, case));
        prop_assert_eq!(circular(&subject).event_names(), [named.1], "{}", subject);
    }

    #[test]
    fn a_glued_name_is_one_in_any_case(
        name in glued(),
        case in 0u8..3,
        before in prop::sample::select(vec!["", "LIGO/Virgo/KAGRA ", "LVC", "Konus-Wind: ", "("]),
        after in prop::sample::select(vec!["", ": upper limits", "/X-ray", ") refined", "."]),
    ) {
        let before = if name.starts_with("FRB") { before.trim_end_matches("LVC") } else { before };
        let spelled = match case {
            0 => name.to_lowercase(),
            1 => name.to_uppercase(),
            _ => name.clone(),
        };
        let subject = format!("{before}{spelled}{after}");
        prop_assert_eq!(circular(&subject).event_names(), [name], "{}", subject);
    }

    #[test]
    fn any_subject_is_read(subject in "(GRB|S|G|GW|AT |SN|SGR |EP|J|[0-9]{1,8}|[a-zA-Z]{1,2}|[-+./_ ,&]|\\PC){0,30}") {
        let names = circular(&subject).event_names();
        // A name of one subject is the name of the subject that is this name.
        for name in names {
            prop_assert_eq!(circular(&name).event_name(), Some(name));
        }
    }
}
