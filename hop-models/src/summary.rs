//! What, where and when of JSON alerts, and of any model.
//!
//! ```
//! use hop_core::{AnyModel, JsonBlob, MessageModel};
//! use hop_models::summary;
//!
//! let notice = JsonBlob::decode(
//!     r#"{"$schema": "https://gcn.nasa.gov/schema/main/gcn/notices/icecube/alert.schema.json", "mission": "IceCube",
//!         "event_name": ["IceCube-230416A"], "trigger_time": "2023-04-16T05:22:26.15Z", "alert_tense": "current",
//!         "ra": 345.82, "dec": 9.01, "ra_dec_error": 0.5, "containment_probability": 0.9, "far": 8.0e-8}"#.into(),
//! )?;
//! let model: Box<dyn AnyModel> = Box::new(notice);
//! let summary = summary::of(model.as_ref());
//! assert_eq!(
//!     summary.title(),
//!     "IceCube-230416A: icecube/alert, RA 345.8200, Dec 9.0100 +- 0.5 deg, 2023-04-16T05:22:26.15Z"
//! );
//! assert_eq!(summary.false_alarm_rate, Some(8.0e-8));
//! # Ok::<(), hop_core::Error>(())
//! ```

use hop_core::sky::Position;
use hop_core::summary::{Direction, SkyMap, Summary};
use hop_core::time::{Time, TimeScale};
use hop_core::{AnyModel, JsonBlob, MessageModel, Value};

use crate::GcnNotice;

/// Returns the summary of a model, reading JSON of GCN and of LIGO, Virgo and KAGRA by its fields.
///
/// A [`JsonBlob`] knows no astronomy, so that [`AnyModel::summary`] says only `json` of it.
pub fn of(model: &dyn AnyModel) -> Summary {
    let known = model.downcast_ref::<JsonBlob>().and_then(|json| of_value(&json.content));
    known.unwrap_or_else(|| model.summary())
}

/// Returns the summary of a value that is an alert of a known kind: a notice of GCN's unified schema, or an alert of
/// `igwn.gwalert`. `None` for everything else.
pub fn of_value(alert: &Value) -> Option<Summary> {
    gcn_notice(alert).or_else(|| gw_alert(alert))
}

/// Returns the summary of a notice of GCN's unified schema, which its `$schema` tells; `None` for other values.
///
/// Source: <https://gcn.nasa.gov/docs/schema>, `gcn/notices/core`: ICRS, degrees, hertz; times in UTC.
pub fn gcn_notice(notice: &Value) -> Option<Summary> {
    let is_notice = notice.get("$schema")?.as_str()?.contains("//gcn.nasa.gov/schema/");
    is_notice.then(|| Some(MessageModel::summary(&GcnNotice::new(notice.as_object()?.clone())))).flatten()
}

/// Returns the summary of an alert of LIGO, Virgo and KAGRA in the form of `igwn.gwalert`, from JSON or Avro; `None` for
/// other values.
///
/// Its position is in the sky map alone. Superevents `MS…` are mock data and `TS…` tests.
///
/// Source: <https://emfollow.docs.ligo.org/userguide/content.html#kafka-notice-via-gcn-and-scimma>.
pub fn gw_alert(alert: &Value) -> Option<Summary> {
    let name = alert.get("superevent_id")?.as_str()?;
    let kind = alert.get("alert_type")?.as_str()?;
    alert.get("time_created")?;
    let mut summary = Summary::new(format!("gravitational wave, {}", kind.to_lowercase()));
    summary.names = vec![name.to_owned()];
    summary.is_test = is_mock(name);
    summary.is_retraction = kind.eq_ignore_ascii_case("retraction");
    let Some(event) = alert.get("event").filter(|event| !event.is_null()) else { return Some(summary) };
    let instruments = event.get("instruments").and_then(Value::as_array).unwrap_or_default();
    let instruments: Vec<&str> = instruments.iter().filter_map(Value::as_str).collect();
    summary.instrument = (!instruments.is_empty()).then(|| instruments.join(","));
    summary.time = time(event, "time", &mut summary.problems);
    summary.false_alarm_rate = rate(event.get("far"), &mut summary.problems);
    summary.sky_map = match event.get("skymap") {
        Some(Value::Bytes(bytes)) => Some(SkyMap::Fits(bytes.clone())),
        Some(value) => value.as_str().map(|text| SkyMap::Base64 { length: text.len() }),
        None => None,
    };
    Some(summary)
}

/// A time in UTC under a key.
fn time(alert: &Value, key: &str, problems: &mut Vec<String>) -> Option<Time> {
    let value = alert.get(key).filter(|value| !value.is_null())?;
    match value.as_str().map(|text| Time::parse(text, TimeScale::Utc)) {
        Some(Ok(time)) => Some(time),
        Some(Err(error)) => {
            problems.push(format!("{key}: {error}"));
            None
        }
        None => {
            problems.push(format!("{key}: expected text, found {}", value.describe()));
            None
        }
    }
}

/// A rate in hertz.
pub(crate) fn rate(value: Option<&Value>, problems: &mut Vec<String>) -> Option<f64> {
    let value = value.filter(|value| !value.is_null())?;
    let rate = value.as_f64().filter(|rate| rate.is_finite() && *rate >= 0.0);
    if rate.is_none() {
        problems.push(format!("far: expected a rate in hertz, found {}", value.describe()));
    }
    rate
}

/// Where an event was, from a position that may stand for none: what senders write who know no position is 0, 0 without a
/// radius, or with the whole sky for one. A radius of zero is one that they do not know.
pub(crate) fn placed(position: Position, has_sky_map: bool) -> Direction {
    let origin = position.stated().longitude == 0.0 && position.stated().latitude == 0.0;
    match position.radius() {
        Some(radius) if radius >= 180.0 && has_sky_map => Direction::Unknown,
        Some(radius) if radius >= 180.0 => Direction::NotOnSky,
        radius if origin && radius.is_none_or(|radius| radius == 0.0) => Direction::Unknown,
        Some(0.0) => Direction::At(position.without_region()),
        _ => Direction::At(position),
    }
}

/// Whether a superevent's name says that it is mock data (`MS…`) or a test (`TS…`).
pub(crate) fn is_mock(name: &str) -> bool {
    let rest = name.strip_prefix("MS").or_else(|| name.strip_prefix("TS"));
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// A false-alarm rate in hertz, from a number and its unit: `Hz`, or a year in one of its spellings.
pub(crate) fn rate_in(number: f64, unit: &str) -> Option<f64> {
    let unit = unit.trim().to_ascii_lowercase();
    let per_second = match unit.as_str() {
        "hz" | "s^-1" | "1/s" | "s-1" => 1.0,
        // Julian years.
        "yr^-1" | "1/yr" | "yr-1" | "year^-1" | "1/year" => 1.0 / 31_557_600.0,
        "day^-1" | "1/day" | "d^-1" => 1.0 / 86_400.0,
        _ => return None,
    };
    Some(number * per_second).filter(|rate| rate.is_finite() && *rate >= 0.0)
}

#[cfg(test)]
mod tests {
    use hop_core::sky::Region;

    use super::*;

    fn summary(json: &str) -> Summary {
        of_value(&Value::from_json(json).unwrap()).unwrap()
    }

    #[test]
    fn notices_of_the_unified_schema_are_read_by_their_core_fields() {
        let schema = r#""$schema": "https://gcn.nasa.gov/schema/main/gcn/notices/maxi/gsc.unknown.schema.json""#;
        let ellipse = summary(&format!(
            r#"{{{schema}, "mission": "MAXI", "instrument": "GSC", "event_name": "GRB 230220A", "alert_type": "update", "ra": 346.56,
                "dec": 18.61, "ra_dec_error": [0.22, 0.19, 153], "containment_probability": 0.9, "alert_tense": "test"}}"#
        ));
        let region = Region::Ellipse { major: 0.22, minor: 0.19, angle: 153.0, confidence: Some(0.9) };
        assert_eq!(ellipse.direction.position().and_then(|at| at.region()), Some(region));
        assert!(ellipse.is_test && !ellipse.is_retraction);
        assert_eq!((ellipse.names[0].as_str(), ellipse.instrument.as_deref()), ("GRB 230220A", Some("MAXI GSC")));

        for (fields, found) in [
            (r#""ra": 10.0, "dec": 91.0"#, "`91`"),
            (r#""ra": 10.0"#, "a declination beside `ra`"),
            (r#""ra": "10", "dec": 1"#, "a number"),
            (r#""ra": NaN, "dec": 1"#, "`NaN`"),
            (r#""ra": 10, "dec": 1, "ra_dec_error": [1, null, 3]"#, "one to three numbers"),
            (r#""ra": 10, "dec": 1, "ra_dec_error": -1"#, "`-1`"),
            (r#""trigger_time": "soon""#, "`soon`"),
        ] {
            let read = summary(&format!("{{{schema}, {fields}}}"));
            assert_eq!(read.direction, Direction::Unknown);
            assert!(read.problems.len() == 1 && read.problems[0].contains(found), "{:?}", read.problems);
        }
        // The schema's containment is 0.9 where none is stated; a sky map alone is no position.
        let circle = summary(&format!(r#"{{{schema}, "ra": 0, "dec": 0, "ra_dec_error": 0.5}}"#));
        assert_eq!(circle.direction.position().and_then(|at| at.region()?.confidence()), Some(0.9));
        let placeholder = summary(&format!(r#"{{{schema}, "ra": 0, "dec": 0, "ra_dec_error": 360}}"#));
        assert_eq!(placeholder.direction, Direction::NotOnSky);
        let references =
            summary(&format!(r#"{{{schema}, "reference": {{"gcn.circulars": 34000}}, "ref_ID": "GRB 230812B"}}"#));
        assert_eq!(references.cites, ["gcn.circulars 34000", "GRB 230812B"]);
        let planned = summary(&format!(r#"{{{schema}, "alert_tense": "planned", "ra": 10.0, "dec": 1.0}}"#));
        assert_eq!(planned.direction, Direction::NotOnSky);
        assert!(of_value(&Value::from_json(r#"{"ra": 1.0, "dec": 2.0}"#).unwrap()).is_none());
    }

    #[test]
    fn gravitational_waves_are_read_from_json_and_avro() {
        let retraction = summary(
            r#"{"alert_type": "RETRACTION", "time_created": "2026-06-05T12:10:57Z", "superevent_id": "S260605l", "event": null}"#,
        );
        assert!(retraction.is_retraction && !retraction.is_test);
        let first = summary(
            r#"{"alert_type": "PRELIMINARY", "time_created": "2025-01-22T08:38:01Z", "superevent_id": "MS250122h", "event":
                {"time": "2025-01-22T08:27:57.466Z", "far": 9.1e-14, "instruments": ["H1", "L1"], "skymap": "U0lNUExF"}}"#,
        );
        assert_eq!(
            first.title(),
            "TEST MS250122h: H1,L1 gravitational wave, preliminary, see its sky map, 2025-01-22T08:27:57.466Z"
        );
        assert_eq!((first.false_alarm_rate, first.instrument.as_deref()), (Some(9.1e-14), Some("H1,L1")));
    }
}
