//! The arguments of `hop subscribe`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hop_kafka::StartPosition;

/// What to do with a message that does not decode.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Undecodable {
    /// Say so, and go on.
    Report,
    /// Say so, go on, and end as if all had gone well.
    Skip,
    /// Say so, and end; a group meets the message again.
    Stop,
}

#[derive(Debug, Args)]
pub(crate) struct Subscribe {
    /// Where from: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// Where to start: EARLIEST (with the oldest message that is still there) or LATEST (with what is published from now
    /// on), unless the group has been further already; or, whatever the group has, at a time such as 2026-11-22T03:00:00Z,
    /// or with the last messages of each partition, such as -5.
    #[arg(
        short, long, default_value = "LATEST", value_name = "EARLIEST|LATEST|TIME|-N", value_parser = start_at,
        allow_negative_numbers = true
    )]
    pub(crate) start_at: StartPosition,

    /// Print what the broker's archive has since the time of `--start-at` first, and what is published from now on then.
    #[arg(long, conflicts_with = "group_id")]
    pub(crate) from_archive: bool,

    /// Print messages of the format `external` as they are, instead of fetching what they stand for.
    #[arg(long)]
    pub(crate) no_fetch: bool,

    /// Stop at the end of what is there, instead of waiting for more.
    #[arg(short = 'e', long)]
    pub(crate) until_eos: bool,

    /// Read as a member of this group. Members share the messages, and the group's place is kept.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Print one JSON object a message, with format, metadata, headers and model.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Print test messages too.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Print messages of this format alone; may be given several times.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: Vec<String>,

    /// Read messages that carry no `_format` as this format: those of the topics that PATTERN stands for (`*` is a part of
    /// a name, `**` several), or all; may be given several times. FRAMING is what the content is wrapped in: `confluent`,
    /// `rubin`, `single-object`, `schema-in-key`, `zlib-bson`, `container` or `gzip`; several are joined, the innermost first.
    #[arg(long = "as", value_name = "[PATTERN=]LABEL[+FRAMING...]")]
    pub(crate) read_as: Vec<String>,

    /// How many dates `{date}` in a topic stands for, the present one in UTC included: 2 are today and yesterday.
    #[arg(long, default_value = "2", value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=31))]
    pub(crate) nights: u16,

    /// Look schemas up in this schema registry; a credential for its host and port is sent along.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,

    /// Look schemas up in this folder of `.avsc` files, before any registry.
    #[arg(long, value_name = "DIR")]
    pub(crate) schemas: Option<PathBuf>,

    /// What to do with a message that does not decode.
    #[arg(long, default_value = "report", value_name = "WHAT")]
    pub(crate) undecodable: Undecodable,

    /// Go on after a batch of messages that cannot be unpacked, such as one of a size that no client takes.
    #[arg(long)]
    pub(crate) pass_unreadable: bool,

    /// Serve counters for Prometheus at http://ADDR/metrics; a port alone is one of this machine, for itself only.
    #[arg(long, value_name = "ADDR", value_parser = crate::metrics::listen_address)]
    pub(crate) metrics: Option<std::net::SocketAddr>,

    /// Send what does not decode to this topic of the same broker; `hop replay` brings it back.
    #[arg(long, value_name = "TOPIC", conflicts_with = "undecodable")]
    pub(crate) dead_letter: Option<String>,

    /// What to print between messages; `\n`, `\t`, `\0`, `\xNN` and `\uNNNN` are understood.
    #[arg(short = 'D', long, default_value = r"\n", allow_hyphen_values = true)]
    pub(crate) delimiter: String,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

fn start_at(text: &str) -> Result<StartPosition, String> {
    if text.eq_ignore_ascii_case("earliest") {
        return Ok(StartPosition::Earliest);
    }
    if text.eq_ignore_ascii_case("latest") {
        return Ok(StartPosition::Latest);
    }
    if let Some(Ok(count)) = text.strip_prefix('-').filter(|count| !count.starts_with('+')).map(str::parse) {
        return Ok(StartPosition::Last(count));
    }
    let time: jiff::Timestamp = text.parse().map_err(|_| {
        format!(
            "expected EARLIEST, LATEST, a time with its offset such as 2026-11-22T03:00:00Z, or the number of the last \
             messages to read such as -5, found `{text}`"
        )
    })?;
    Ok(StartPosition::Time(time.into()))
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
        assert_eq!(start_at("-5"), Ok(StartPosition::Last(5)));
        for bad in [
            "",
            "-",
            "5",
            "--5",
            "-+5",
            "-5s",
            "-99999999999999999999",
            "yesterday",
            "2026-11-22",
            "2026-11-22T03:00:00",
        ] {
            assert!(start_at(bad).is_err(), "{bad}");
        }
    }
}
