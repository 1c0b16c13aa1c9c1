//! What, where and when of a text notice.

use hop_core::summary::{Direction, SkyMap, Summary};

use super::TextNotice;
use crate::summary::{is_mock, placed, rate_in};

/// Reads the summary of a notice.
pub(super) fn of(notice: &TextNotice) -> Summary {
    let title = notice.title().unwrap_or_default();
    let mut summary = Summary::new(notice.notice_type().unwrap_or_else(|| title.clone()).trim());
    summary.instrument = title
        .trim()
        .strip_prefix("GCN/")
        .and_then(|rest| rest.split_ascii_whitespace().next())
        .filter(|word| *word != "NOTICE")
        .map(str::to_owned);
    let said = |word: &str| {
        let kind = notice.notice_type().unwrap_or_default();
        let texts = [title.as_ref(), kind.as_ref()];
        let mut words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
        words.any(|other| other.eq_ignore_ascii_case(word))
    };
    summary.names = notice.event_names();
    summary.is_test = said("test") || summary.names.iter().any(|name| is_mock(name));
    summary.is_retraction = said("retraction");
    summary.sky_map = notice.get("skymap_fits_url").map(|url| SkyMap::Url(url.trim().to_owned()));
    summary.time = notice.event_time();
    // Where a telescope points or slews to is not where an event was.
    summary.direction = match notice.position() {
        Some(position) => placed(position, summary.sky_map.is_some()),
        None if summary.time.is_none() && (said("pointing") || notice.pointing().is_some()) => Direction::NotOnSky,
        None => Direction::Unknown,
    };
    summary.problems = unread(notice, &summary);
    if let Some(far) = notice.get("far") {
        let parts = far.split_once('[').and_then(|(number, rest)| Some((number, rest.split_once(']')?.0)));
        let rate = parts.and_then(|(number, unit)| rate_in(number.trim().parse().ok()?, unit));
        summary.false_alarm_rate = rate;
        if rate.is_none() {
            summary.problems.push(format!("FAR: found `{}`", far.chars().take(60).collect::<String>().escape_debug()));
        }
    }
    summary
}

/// What the notice states of the event and could not be read.
fn unread(notice: &TextNotice, summary: &Summary) -> Vec<String> {
    let quoted = |suffix| {
        let (key, text) = notice.event_entry(suffix)?;
        Some(format!("{key}: found `{}`", text.chars().take(60).collect::<String>().escape_debug()))
    };
    let mut problems = Vec::new();
    if notice.position().is_none() {
        problems.extend(["_RA", "_DEC"].into_iter().filter_map(quoted));
    }
    if notice.position().is_some() && notice.position_error().is_none() {
        problems.extend(quoted("_ERROR"));
    }
    if summary.time.is_none() {
        problems.extend(["_DATE", "_TIME"].into_iter().filter_map(quoted));
    }
    problems
}

#[cfg(test)]
mod tests {
    use hop_core::MessageModel;

    use super::*;

    fn summary(text: &str) -> Summary {
        TextNotice::decode(text.into()).unwrap().summary()
    }

    #[test]
    fn a_notice_says_what_where_and_when() {
        let read = summary(
            "TITLE: GCN/AMON NOTICE\nNOTICE_TYPE: ICECUBE Astrotrack Bronze\nSRC_RA: 103.7861d {+06h} (J2000)\n\
             SRC_DEC: +5.8716d {+05d} (J2000)\nSRC_ERROR: 69.22 [arcmin radius, stat-only, 90% containment]\n\
             DISCOVERY_DATE: 20412 TJD; 103 DOY; 24/04/12 (yy/mm/dd)\nDISCOVERY_TIME: 20026 SOD {05:33:46.89} UT\nFAR: 3.15576 [yr^-1]\n",
        );
        assert_eq!(
            read.title(),
            "AMON ICECUBE Astrotrack Bronze, RA 103.7861, Dec 5.8716 +- 1.154 deg, 2024-04-12T05:33:46.89Z"
        );
        assert_eq!(read.instrument.as_deref(), Some("AMON"));
        assert!(read.false_alarm_rate.is_some_and(|rate| (rate - 1e-7).abs() < 1e-20));
        let pointing = summary(
            "TITLE: GCN/SWIFT NOTICE\nNOTICE_TYPE: SWIFT Pointing Direction\nNEXT_POINT_RA: 200.1d (J2000)\nNEXT_POINT_DEC: -10.2d (J2000)\n",
        );
        assert_eq!(pointing.direction, Direction::NotOnSky);
        let slew = summary(
            "NOTICE_TYPE: Swift-BAT Slew GRB Position\nGRB_RA: 10d (J2000)\nGRB_DEC: 20d (J2000)\nPOINT_RA: 1d (J2000)\nPOINT_DEC: 2d (J2000)\n",
        );
        assert!(slew.direction.position().is_some());
        let sky = "TITLE: x\nEVENT_RA: 0.0d (J2000)\nEVENT_DEC: 0.0d (J2000)\nEVENT_ERROR: ";
        assert_eq!(summary(&format!("{sky}360.0 [deg radius]\n")).direction, Direction::NotOnSky);
        assert_eq!(summary(&format!("{sky}0.0 [deg radius]\n")).direction, Direction::Unknown);
        let cascade = summary(
            "EVENT_NAME: IceCubeCascade-230416A\nSRC_RA: 10d (J2000)\nSRC_DEC: 95d (J2000)\nDISCOVERY_TIME: soon\n",
        );
        assert_eq!(cascade.names, ["IceCube-Cascade 230416A"]);
        assert_eq!(
            cascade.problems,
            ["SRC_RA: found `10d (J2000)`", "SRC_DEC: found `95d (J2000)`", "DISCOVERY_TIME: found `soon`"]
        );
        let radius = summary("SRC_RA: 10d (J2000)\nSRC_DEC: 9d (J2000)\nSRC_ERROR: -1 [arcmin]\n");
        assert_eq!(radius.problems, ["SRC_ERROR: found `-1 [arcmin]`"]);
        let wave = summary("TITLE: GCN/LVC NOTICE\nNOTICE_TYPE: LVC Retraction\nTRIGGER_NUM: MS200316bj\nFAR: often\n");
        assert!(wave.is_test && wave.is_retraction && wave.names == ["MS200316bj"] && wave.problems.len() == 1);
    }
}
