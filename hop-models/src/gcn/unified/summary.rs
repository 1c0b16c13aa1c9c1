//! What, where and when of a notice of the unified schema.

use hop_core::summary::{Direction, SkyMap as Map, Summary};
use hop_core::{Error, MessageModel};

use super::{AlertTense, AlertType, Citation, GcnNotice, SkyMap};
use crate::gcn::circular::event;
use crate::summary::{placed, rate};

/// Reads the summary of a notice. What is not as the schema has it is a problem of that field alone.
pub(super) fn of(notice: &GcnNotice) -> Summary {
    let mut problems = Vec::new();
    let schema = read(notice.schema_url(), &mut problems).unwrap_or_default();
    let mut summary = Summary::new(kind(schema));
    summary.names = read(notice.event_names().map(Some), &mut problems)
        .unwrap_or_default()
        .into_iter()
        .map(event::catalogued)
        .collect();
    let mission = read(notice.mission(), &mut problems);
    let instrument = read(notice.instrument(), &mut problems);
    summary.instrument = match (mission, instrument) {
        (Some(mission), Some(instrument)) => Some(format!("{mission} {instrument}")),
        (one, other) => one.or(other).or_else(|| mission_of(schema)).map(str::to_owned),
    };
    if summary.names.is_empty() {
        // SVOM's numbers are names.
        let ids = read(notice.ids().map(Some), &mut problems).unwrap_or_default();
        summary.names = ids.into_iter().flat_map(event::names).collect();
    }
    let tense = read(notice.alert_tense(), &mut problems);
    // BurstCube's tests are `current` ones of a schema of their own.
    summary.is_test = matches!(tense, Some(AlertTense::Test | AlertTense::Injection))
        || summary.kind.split(['/', '.', '_']).any(|word| word.eq_ignore_ascii_case("test"));
    summary.is_retraction = read(notice.alert_type(), &mut problems) == Some(AlertType::Retraction);
    summary.sky_map = read(notice.sky_map(), &mut problems).map(|map| match map {
        SkyMap::Url(url) => Map::Url(url.to_owned()),
        SkyMap::Base64(file) => Map::Base64 { length: file.len() },
    });
    let position = read(notice.position(), &mut problems);
    // A planned or commanded pointing is not an event.
    summary.direction = match position {
        Some(_) if matches!(tense, Some(AlertTense::Planned | AlertTense::Commanded)) => Direction::NotOnSky,
        Some(position) => placed(position, summary.sky_map.is_some()),
        None => Direction::Unknown,
    };
    summary.time = read(notice.trigger_time(), &mut problems);
    if let (Some(time), Some(error)) = (summary.time, read(notice.number("trigger_time_error"), &mut problems)) {
        summary.time = read(time.with_error(error).map(Some), &mut problems).or(Some(time));
    }
    summary.false_alarm_rate = rate(notice.get("far"), &mut problems);
    let cites = read(notice.citations().map(Some), &mut problems).unwrap_or_default();
    summary.cites = cites.into_iter().map(cite).collect();
    summary.problems = problems;
    summary
}

/// `chime` of a schema under `gcn/notices/chime`.
fn mission_of(schema: &str) -> Option<&str> {
    let (mission, _) = schema.split_once("/notices/")?.1.split_once('/')?;
    Some(mission).filter(|mission| *mission != "core")
}

/// The value, where it can be read; a problem where it is stated and cannot.
fn read<T>(value: Result<Option<T>, Error>, problems: &mut Vec<String>) -> Option<T> {
    value.unwrap_or_else(|error| {
        problems.push(error.to_string());
        None
    })
}

/// `icecube/alert` of `https://gcn.nasa.gov/schema/v7.2.3/gcn/notices/icecube/alert.schema.json`.
fn kind(schema: &str) -> &str {
    let path = schema.split_once("/notices/").map_or(schema, |(_, kind)| kind);
    let kind = path.trim_end_matches(".schema.json");
    if kind.is_empty() { GcnNotice::FORMAT } else { kind }
}

fn cite(citation: Citation) -> String {
    match citation.source {
        Some(source) => format!("{source} {}", citation.id),
        None => citation.id,
    }
}
