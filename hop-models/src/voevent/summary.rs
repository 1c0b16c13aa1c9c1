//! What, where and when of a VOEvent, mission by mission as `MISSIONS.md` has it.

use hop_core::sky::{Position, Region};
use hop_core::summary::{Direction, SkyMap, Summary};

use super::{Cite, Param, Role, VoEvent};
use crate::gcn::circular::event;
use crate::summary::{placed, rate_in};

/// The params that name an event: of gravitational waves, IceCube's cascades, MAXI's and Swift's sources, Gaia's alerts.
const NAMES: [&str; 5] = ["GraceID", "event_name", "Source_Name", "SourceName", "Name"];

/// Reads the summary of an event.
pub(super) fn of(event: &VoEvent) -> Summary {
    let ivorn = event.ivorn().unwrap_or_default();
    let mut summary = Summary::new(kind(event, &ivorn));
    summary.names = names(event);
    summary.instrument = instrument(event, &ivorn);
    summary.is_test = event.role() == Role::Test;
    let citations = || event.citations().into_iter().flat_map(|citations| citations.events());
    summary.is_retraction = citations().any(|citation| citation.cite() == Some(Cite::Retraction))
        || text(event, "AlertType").is_some_and(|kind| kind.eq_ignore_ascii_case("retraction"))
        || param(event, "Retraction").is_some_and(|param| param.as_bool().is_ok_and(|retracted| retracted));
    summary.cites =
        citations().filter_map(|citation| citation.element().text()).map(|text| text.into_owned()).collect();
    summary.sky_map = ["skymap_fits", "SKYMAP_URL_FITS", "skymap_fits_basic", "SKYMAP_URL_FITS_BASIC"]
        .iter()
        .find_map(|name| text(event, name))
        .and_then(|url| {
            if url.starts_with("https://") || url.starts_with("http://") {
                return Some(SkyMap::Url(url));
            }
            summary.problems.push(format!("sky map: found `{}`, which is not an address", url.escape_debug()));
            None
        });
    direction(event, &mut summary);
    match event.time() {
        Ok(time) => summary.time = time,
        Err(error) => summary.problems.push(error.to_string()),
    }
    match event.why().map_or(Ok(None), |why| why.importance()) {
        Ok(importance) => summary.importance = importance,
        Err(error) => summary.problems.push(error.to_string()),
    }
    if let Some(far) = param(event, "FAR") {
        let unit = far.unit().unwrap_or_default();
        summary.false_alarm_rate = far.as_f64().ok().and_then(|number| rate_in(number, &unit));
        if summary.false_alarm_rate.is_none() {
            summary.problems.push(format!("FAR: found `{}` in `{unit}`", far.value().unwrap_or_default()));
        }
    }
    summary
}

/// Where it was. What GCN writes where it knows no position is not one: 0, 0 with no radius or the whole sky, or -1 throughout.
fn direction(event: &VoEvent, summary: &mut Summary) {
    let position = match event.position() {
        Ok(position) => position,
        Err(error) => return summary.problems.push(error.to_string()),
    };
    if event.role() == Role::Utility {
        // A telescope's pointing, or the state of an instrument.
        summary.direction = Direction::NotOnSky;
        return;
    }
    let Some(position) = position else { return };
    let origin = position.stated().longitude == 0.0 && position.stated().latitude == 0.0;
    // IceCube's events through GCN all have the flag, good positions too.
    if !origin && param(event, "RADec_valid").is_some_and(|valid| valid.as_bool().is_ok_and(|valid| !valid)) {
        summary.problems.push("the packet has `RADec_valid` = `false`".to_owned());
    }
    let position = confident(event, position);
    summary.direction = placed(position, summary.sky_map.is_some());
}

/// The position, with the confidence of its circle where a `Param` says it: IceCube's `src_error_90`.
fn confident(event: &VoEvent, position: Position) -> Position {
    let Some(Region::Circle { radius, confidence: None }) = position.region() else { return position };
    let stated = [("src_error_90", 0.9), ("src_error_50", 0.5)].into_iter().find(|(name, _)| {
        let error = param(event, name).and_then(|param| param.as_f64().ok());
        error.is_some_and(|error| error == radius)
    });
    let circle = stated.and_then(|(_, confidence)| position.with_circle(radius, Some(confidence)).ok());
    circle.unwrap_or(position)
}

/// `BAT_GRB_Pos` of `ivo://nasa.gsfc.gcn/SWIFT#BAT_GRB_Pos_728094-0`; the alert's own word where it has one; else the role.
fn kind(event: &VoEvent, ivorn: &str) -> String {
    if let Some(alert) = text(event, "AlertType") {
        return alert;
    }
    let local = ivorn.split_once('#').map_or("", |(_, local)| local);
    let words = local.split('_').take_while(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()));
    // `Event` of `Event2018-09-18T16:00:01`; nothing of `S190814bv`.
    let kind = |word: &'_ str| -> Option<String> {
        let rest = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let letters = word.strip_suffix(rest)?;
        let is_dated = rest.bytes().take_while(u8::is_ascii_digit).count() >= 4 && letters.len() > 1;
        (is_dated || !rest.contains(|c: char| c.is_ascii_digit()))
            .then(|| if is_dated { letters } else { word }.to_owned())
    };
    let words: Vec<String> = words.filter_map(kind).collect();
    if words.is_empty() { format!("VOEvent {}", event.role().as_str()) } else { words.join("_") }
}

fn names(voevent: &VoEvent) -> Vec<String> {
    let stated = voevent.why().into_iter().flat_map(|why| {
        let inferred = why.inferences().flat_map(|inference| inference.names().collect::<Vec<_>>());
        why.names().chain(inferred).collect::<Vec<_>>()
    });
    let in_params = NAMES.iter().filter_map(|name| text(voevent, name));
    let mut names: Vec<String> = Vec::new();
    for name in in_params.chain(stated.map(|name| name.into_owned())) {
        let name = event::catalogued(&name);
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() {
        // `#2016-01-3.62_ASASSN-16ab`.
        let ivorn = voevent.ivorn().unwrap_or_default();
        names.extend(ivorn.split_once('#').into_iter().flat_map(|(_, local)| event::names(local)));
    }
    names
}

/// `SWIFT` of `ivo://nasa.gsfc.gcn/SWIFT#…`, or who wrote it; the detectors of a gravitational wave.
fn instrument(event: &VoEvent, ivorn: &str) -> Option<String> {
    let stream = ivorn.split_once("://").and_then(|(_, rest)| rest.split('#').next()?.split_once('/'));
    // `swift/16426867a` is one event of `swift`.
    let is_stream = |part: &&str| !part.is_empty() && part.bytes().filter(u8::is_ascii_digit).count() < 4;
    let stream = stream.map(|(_, stream)| stream.split('/').take_while(is_stream).collect::<Vec<_>>().join("/"));
    let stream = stream.filter(|stream| !stream.is_empty());
    let author = || event.who()?.author()?.short_name().map(|name| name.into_owned());
    let authority = || ivorn.split_once("://").and_then(|(_, rest)| rest.split(['/', '#']).next()).map(str::to_owned);
    text(event, "Instruments").or(stream).or_else(author).or_else(authority).filter(|instrument| !instrument.is_empty())
}

fn param<'a>(event: &'a VoEvent, name: &str) -> Option<Param<'a>> {
    event.params().find(|param| param.name().as_deref() == Some(name))
}

fn text(event: &VoEvent, name: &str) -> Option<String> {
    param(event, name)?.value().map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use hop_core::MessageModel;
    use hop_core::summary::Direction;

    use super::*;

    fn summary(root: &str, what: &str, place: &str) -> Summary {
        let content = format!(
            "<VOEvent {root}><What>{what}</What><WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords coord_system_id='UTC-FK5-GEO'>\
             <Time><TimeInstant><ISOTime>2026-01-31T04:05:06</ISOTime></TimeInstant></Time>{place}</AstroCoords></ObservationLocation>\
             </ObsDataLocation></WhereWhen></VOEvent>"
        );
        VoEvent::decode(content.as_str().into()).unwrap().summary()
    }

    fn at(ra: &str, dec: &str, radius: &str) -> String {
        format!(
            "<Position2D><Value2><C1>{ra}</C1><C2>{dec}</C2></Value2><Error2Radius>{radius}</Error2Radius></Position2D>"
        )
    }

    #[test]
    fn placeholders_and_pointings_are_not_positions() {
        let root = "ivorn='ivo://nasa.gsfc.gcn/SNEWS#Event_2026-01-31' role='observation'";
        assert_eq!(summary(root, "", &at("0", "0", "360")).direction, Direction::NotOnSky);
        assert_eq!(summary(root, "", &at("0", "0", "0")).direction, Direction::Unknown);
        let utility = "ivorn='ivo://nasa.gsfc.gcn/Fermi#Point_Dir_2026' role='utility'";
        assert_eq!(summary(utility, "", &at("10", "20", "1")).direction, Direction::NotOnSky);
        let missing = summary(root, "", &at("-1", "-1", "-1"));
        assert!(missing.direction == Direction::Unknown && missing.problems.len() == 1);
        let flagged = summary(root, "<Param name='RADec_valid' value='false'/>", &at("10", "20", "1"));
        assert!(flagged.direction.position().is_some() && flagged.problems.len() == 1);
        let no_radius = summary(root, "", &at("10", "20", "0"));
        assert_eq!(no_radius.direction.position().map(|at| at.region()), Some(None));
        let params = "<Param name='src_error_90' value='1.5'/><Param name='src_error_50' value='0.5'/>";
        let cascade = summary(root, params, &at("10", "20", "1.5"));
        assert_eq!(cascade.direction.position().and_then(|at| at.region()?.confidence()), Some(0.9));
    }

    #[test]
    fn names_and_kinds_are_read_from_where_missions_write_them() {
        for (ivorn, what, kind, names) in [
            ("ivo://nasa.gsfc.gcn/SNEWS#Event2018-09-18T16:00:01.00_1000194-580", "", "Event", &[][..]),
            ("ivo://voevent.4pisky.org/ASASSN#2016-01-3.62_ASASSN-16ab", "", "VOEvent observation", &["ASASSN-16ab"]),
            ("ivo://voevent.4pisky.org/ASASSN#2016-01-2.12_AT_2016D", "", "VOEvent observation", &["AT2016D"]),
            (
                "ivo://nasa.gsfc.gcn/AMON#ICECUBE_Cascade_Event2022-08-01T04:08:34.26_26_136889_025590129_0",
                "<Param name='event_name' value='IceCubeCascade-220801a'/>",
                "ICECUBE_Cascade_Event",
                &["IceCube-Cascade 220801A"],
            ),
            (
                "ivo://nasa.gsfc.gcn/MAXI#Known_source_Pos_2018-08-16T19:22:36.00_8346898070-0-894",
                "<Param name='Source_Name' value=' AT Mic'/>",
                "Known_source_Pos",
                &["AT Mic"],
            ),
            ("ivo://nasa.gsfc.gcn/Fermi#GBM_Fin_Pos2017-09-10T08:50:00.36_526726205_0-319", "", "GBM_Fin_Pos", &[]),
            ("ivo://gwnet/LVC#S190814bv-5-Update", "", "VOEvent observation", &["S190814bv"]),
        ] {
            let read = summary(&format!("ivorn='{ivorn}' role='observation'"), what, "");
            assert_eq!(
                (read.kind.as_str(), &read.names[..]),
                (kind, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()[..])
            );
        }
        for (ivorn, instrument) in [
            ("ivo://raptor.lanl/23456789/#1", Some("raptor.lanl")),
            ("ivo://uk.org.estar/swift/16426867a#1", Some("swift")),
            ("ivo://nvo.caltech/voeventnet/mlsot#1404251031534115678", Some("voeventnet/mlsot")),
        ] {
            let read = summary(&format!("ivorn='{ivorn}' role='observation'"), "", "");
            assert_eq!(read.instrument.as_deref(), instrument);
        }
    }

    #[test]
    fn a_burst_says_what_where_and_when() {
        let root = "ivorn='ivo://nasa.gsfc.gcn/SWIFT#BAT_GRB_Pos_728094-0' role='test'";
        let read = summary(root, "<Param name='FAR' value='3.15576' unit='yr^-1'/>", &at("150", "-2", "0.05"));
        assert!(read.is_test);
        assert_eq!(read.instrument.as_deref(), Some("SWIFT"));
        assert_eq!(read.title(), "TEST SWIFT BAT_GRB_Pos, RA 150.0000, Dec -2.0000 +- 0.05 deg, 2026-01-31T04:05:06Z");
        assert!(read.false_alarm_rate.is_some_and(|rate| (rate - 1e-7).abs() < 1e-20));
    }
}
