//! The arguments of `hop subscribe`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};
use hop_core::Place;
use hop_kafka::StartPosition;
use jiff::Timestamp;

use super::select::Near;
use crate::moment;
use crate::output::template::Template;

/// What to do with a message that does not decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undecodable {
    /// Say so, and go on.
    Report,
    /// Say so, go on, and end as if all had gone well.
    Skip,
    /// Say so, and end; a group meets the message again.
    Stop,
}

/// Where in the topics to start, in the place of `--start-at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum At {
    /// At this offset of every partition.
    Offset(i64),
    /// At this place, and in no other partition.
    Place(Place),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop subscribe kafka://kafka.scimma.org/gcn.circular
  hop subscribe -s 2h -j kafka://kafka.scimma.org/igwn.gwalert |
      jq .summary.title
  hop subscribe --since 2026-11-26 --near 83.63,22.01,5 --save night \\
      kafka://kafka.scimma.org/gcn.circular")]
#[command(group = ArgGroup::new("form").args(["json", "text", "template", "raw"]))]
pub(crate) struct Subscribe {
    /// Where from: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// EARLIEST, LATEST (unless set), a time (2h, 2026-11-26), or -N: the last N of each partition.
    ///
    /// A group goes on where it was, unless this is a time or -N. `hop help topics times` has all forms of times.
    #[arg(short, long, value_name = "WHERE", value_parser = start_at, allow_negative_numbers = true)]
    pub(crate) start_at: Option<StartPosition>,

    /// Start at this time: 2h ago, a date, or RFC 3339; see `hop help topics times`.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now, conflicts_with = "start_at")]
    pub(crate) since: Option<Timestamp>,

    /// Print nothing that was published at this time or later, and end then.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now)]
    pub(crate) until: Option<Timestamp>,

    /// Start at this offset of each partition, or at `TOPIC[PARTITION]@OFFSET` alone.
    #[arg(long, value_name = "OFFSET", value_parser = at, conflicts_with_all = ["start_at", "since"])]
    pub(crate) offset: Vec<At>,

    /// Print what the broker's archive has since the time of `--start-at` first, and what is published from now on then.
    #[arg(hide_short_help = true, long, conflicts_with = "group_id")]
    pub(crate) from_archive: bool,

    /// Print messages of the format `external` as they are, instead of fetching what they stand for.
    #[arg(hide_short_help = true, long)]
    pub(crate) no_fetch: bool,

    /// Stop at the end of what is there, instead of waiting for more.
    #[arg(short = 'e', long)]
    pub(crate) until_eos: bool,

    /// End after so many messages were printed.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Read as a member of this group.
    ///
    /// Members share the messages, and the group's place is kept.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Print one JSON object a message.
    ///
    /// It has metadata, headers, summary and model; `hop help topics output` says where it is described.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// With `--json`: long byte strings and sky maps too.
    #[arg(hide_short_help = true, long, requires = "json")]
    pub(crate) full: bool,

    /// Print messages as files have them, on a terminal too.
    ///
    /// In a pipe this is the default; on a terminal a summary is printed otherwise.
    #[arg(long)]
    pub(crate) text: bool,

    /// Print by this template: %t %p %o %T %k %h %s as in kcat, %f format, %S summary.
    ///
    /// %t topic, %p partition, %o offset, %T time in ms, %k key, %h headers, %s content, %f format, %S summary, %i id, %l and
    /// %K lengths of content and key (-1 for null), \n \t \0 \xNN \uNNNN, %% a percent sign.
    #[arg(long, value_name = "TEMPLATE", value_parser = Template::parse)]
    pub(crate) template: Option<Template>,

    /// Print the content as it travelled, even if it does not decode.
    #[arg(long, conflicts_with_all = ["undecodable", "dead_letter", "fail_fast"])]
    pub(crate) raw: bool,

    /// Save each message as a file in this folder.
    ///
    /// Names begin with the time of publication, and are printed; `manifest.ndjson` there lists them.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["json", "text", "template"])]
    pub(crate) save: Option<PathBuf>,

    /// Print test messages too.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Only messages of this format; may be given several times.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: Vec<String>,

    /// Only messages with this header; with all of them, if given several times.
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(crate) header: Vec<String>,

    /// Only alerts about this event, by its name or one that is cited.
    #[arg(long, value_name = "NAME")]
    pub(crate) event: Vec<String>,

    /// Only alerts so near, their error included: `83.6,22,5` in degrees.
    ///
    /// Or `05:34:32,+22:00:52,30arcmin`. An alert whose position is in a sky map alone is not compared.
    #[arg(long, value_name = "RA,DEC,RADIUS", allow_hyphen_values = true)]
    pub(crate) near: Option<Near>,

    /// Read messages without `_format` as this: all, or those of topics like PATTERN (`*` part of a name, `**` several).
    /// FRAMING is what wraps the content: confluent, rubin, single-object, schema-in-key, zlib-bson, container, gzip.
    #[arg(hide_short_help = true, long = "as", value_name = "[PATTERN=]LABEL[+FRAMING...]")]
    pub(crate) read_as: Vec<String>,

    /// How many dates `{date}` in a topic stands for, the present one in UTC included: 2 are today and yesterday.
    #[arg(hide_short_help = true, long, default_value = "2", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=31))]
    pub(crate) nights: u16,

    /// Look schemas up in this schema registry; a credential for its host and port is sent along.
    #[arg(hide_short_help = true, long, value_name = "URL")]
    pub(crate) registry: Option<String>,

    /// Look schemas up in this folder of `.avsc` files, before any registry.
    #[arg(hide_short_help = true, long, value_name = "DIR")]
    pub(crate) schemas: Option<PathBuf>,

    /// Print each message once, though it comes several times: by its `_id`, by the IVORN of a VOEvent, and by the number and
    /// version of a GCN circular. The last 100,000 are remembered, until the command ends.
    #[arg(long)]
    pub(crate) dedupe: bool,

    /// What to do with a message that does not decode.
    #[arg(hide_short_help = true, long, default_value = "report", value_name = "WHAT")]
    pub(crate) undecodable: Undecodable,

    /// End at the first message that does not decode.
    #[arg(long, conflicts_with_all = ["undecodable", "dead_letter"])]
    pub(crate) fail_fast: bool,

    /// Go on after a batch of messages that cannot be unpacked, such as one of a size that no client takes.
    #[arg(hide_short_help = true, long)]
    pub(crate) pass_unreadable: bool,

    /// Serve counters for Prometheus at http://ADDR/metrics; a port alone is one of this machine, for itself only.
    #[arg(hide_short_help = true, long, value_name = "ADDR", value_parser = crate::metrics::listen_address)]
    pub(crate) metrics: Option<std::net::SocketAddr>,

    /// Send what does not decode to this topic of the same broker; `hop replay` brings it back.
    #[arg(hide_short_help = true, long, value_name = "TOPIC", conflicts_with = "undecodable")]
    pub(crate) dead_letter: Option<String>,

    /// What to print between messages; `\n`, `\t`, `\0`, `\xNN` and `\uNNNN` are understood.
    #[arg(hide_short_help = true, short = 'D', long, default_value = r"\n", allow_hyphen_values = true)]
    pub(crate) delimiter: String,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) fn start_at(text: &str) -> Result<StartPosition, String> {
    if text.eq_ignore_ascii_case("earliest") {
        return Ok(StartPosition::Earliest);
    }
    if text.eq_ignore_ascii_case("latest") {
        return Ok(StartPosition::Latest);
    }
    if let Some(Ok(count)) = text.strip_prefix('-').filter(|count| !count.starts_with('+')).map(str::parse) {
        return Ok(StartPosition::Last(count));
    }
    let time = moment::from_now(text).map_err(|_| {
        format!(
            "expected EARLIEST, LATEST, the number of the last messages to read such as -5, {}; found `{text}`",
            moment::FORMS
        )
    })?;
    Ok(StartPosition::Time(time.into()))
}

/// An offset, or a place as messages name it: `gcn.circular[0]@42`.
fn at(text: &str) -> Result<At, String> {
    let wrong = || {
        format!(
            "expected an offset such as 42, or a place such as `gcn.circular[0]@42`, found `{}`",
            text.escape_debug()
        )
    };
    let offset = |text: &str| text.parse::<i64>().ok().filter(|offset| *offset >= 0 && !text.starts_with('+'));
    let Some((place, number)) = text.rsplit_once('@') else { return offset(text).map(At::Offset).ok_or_else(wrong) };
    let (topic, partition) = place.strip_suffix(']').and_then(|place| place.rsplit_once('[')).ok_or_else(wrong)?;
    let partition = partition.parse::<i32>().ok().filter(|partition| *partition >= 0).ok_or_else(wrong)?;
    let offset = offset(number).ok_or_else(wrong)?;
    Ok(At::Place(Place { topic: topic.into(), partition, offset }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_starts_at_either_end_at_a_time_or_before_the_end() {
        assert_eq!(start_at("Earliest"), Ok(StartPosition::Earliest));
        assert_eq!(start_at("LATEST"), Ok(StartPosition::Latest));
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_millis(1_500);
        assert_eq!(start_at("1970-01-01T01:00:01.5+01:00"), Ok(StartPosition::Time(time)));
        assert_eq!(start_at("1970-01-01T00:00:01.5"), Ok(StartPosition::Time(time)));
        assert_eq!(start_at("-5"), Ok(StartPosition::Last(5)));
        assert!(matches!(start_at("2h"), Ok(StartPosition::Time(_))));
        for bad in ["", "-", "5", "--5", "-+5", "-5s", "-99999999999999999999", "yesterday", "2026-11-32"] {
            assert!(start_at(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place { topic: "gcn.circular".into(), partition: 3, offset: 42 };
        assert_eq!(at(&place.to_string()), Ok(At::Place(place)));
        assert_eq!(at("0"), Ok(At::Offset(0)));
        for bad in ["", "-1", "+1", "t@1", "t[]@1", "t[0]@", "t[-1]@1", "t[0]1", "99999999999999999999"] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }
}
