//! What, where and when of a text notice.

use hop_core::summary::{Direction, SkyMap, Summary};

use super::TextNotice;
use crate::summary::rate_in;

/// Reads the summary of a notice.
pub(super) fn of(notice: &TextNotice) -> Summary {
    let title = notice.title().unwrap_or_default();
    let mut summary = Summary::new(notice.notice_type().unwrap_or_else(|| title.clone()).trim());
    summary.instrument = title
        .trim()
        .strip_prefix("GCN/")
        .map(|rest| rest.trim_end_matches("NOTICE").trim().to_owned())
        .filter(|instrument| !instrument.is_empty());
    let said = |word: &str| {
        let kind = notice.notice_type().unwrap_or_default();
        let texts = [title.as_ref(), kind.as_ref()];
        let mut words = texts.iter().flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()));
        words.any(|other| other.eq_ignore_ascii_case(word))
    };
    // Names of superevents; other triggers are numbers.
    let trigger = notice.trigger_number().filter(|number| number.starts_with(|c: char| c.is_ascii_alphabetic()));
    summary.is_test =
        said("test") || trigger.as_ref().is_some_and(|name| name.starts_with("MS") || name.starts_with("TS"));
    summary.is_retraction = said("retraction");
    summary.names.extend(trigger.map(|name| name.into_owned()));
    summary.sky_map = notice.get("skymap_fits_url").map(|url| SkyMap::Url(url.trim().to_owned()));
    // Where a telescope points or slews to is not where an event was.
    summary.direction = match notice.position() {
        _ if said("pointing") || said("slew") || said("slewing") => Direction::NotOnSky,
        Some(position) => Direction::At(position),
        None => Direction::Unknown,
    };
    if summary.direction != Direction::NotOnSky {
        summary.time = notice.event_time();
    }
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
            "ICECUBE Astrotrack Bronze, RA 103.7861, Dec 5.8716 +- 1.154 deg, 2024-04-12T05:33:46.89Z"
        );
        assert_eq!(read.instrument.as_deref(), Some("AMON"));
        assert!(read.false_alarm_rate.is_some_and(|rate| (rate - 1e-7).abs() < 1e-20));
        let pointing = summary(
            "TITLE: GCN/SWIFT NOTICE\nNOTICE_TYPE: SWIFT Pointing Direction\nNEXT_POINT_RA: 200.1d (J2000)\nNEXT_POINT_DEC: -10.2d (J2000)\n",
        );
        assert_eq!(pointing.direction, Direction::NotOnSky);
        let wave = summary("TITLE: GCN/LVC NOTICE\nNOTICE_TYPE: LVC Retraction\nTRIGGER_NUM: MS200316bj\nFAR: often\n");
        assert!(wave.is_test && wave.is_retraction && wave.names == ["MS200316bj"] && wave.problems.len() == 1);
    }
}
