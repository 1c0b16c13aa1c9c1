mod dead_letters;
mod recording;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_core::Registry;

use crate::failure::Failure;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop replay kafka://localhost/dead-letters
  hop replay night.ndjson.zst kafka://localhost --speed 10 --test
  hop replay night.ndjson.zst --speed 1 --after 5")]
pub(crate) struct Replay {
    /// What to replay: the topic of dead letters, `kafka://[username@]broker[:port]/topic`, or a file of `hop record`.
    #[arg(value_name = "URL|FILE")]
    pub(crate) source: String,

    /// A recording: where to, `kafka://[username@]broker[:port]/[topic]`; the topics of the recording unless there is one.
    /// Left out: a broker inside this process, until Ctrl-C.
    #[arg(value_name = "TO_URL")]
    pub(crate) to_url: Option<String>,

    /// Send to this topic, instead of the one that each message came from.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) to: Option<String>,

    /// Dead letters: send back what still does not decode too.
    #[arg(short, long)]
    pub(crate) all: bool,

    /// Dead letters: the group that keeps how far they are read; `hop-replay` after the username and a hyphen unless set.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// A recording: so many times as fast as the messages were published (1: as they were); at once unless set.
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub(crate) speed: Option<f64>,

    /// A recording: wait so many seconds before the first message, for readers to connect.
    #[arg(long, value_name = "SECONDS", default_value = "0")]
    pub(crate) after: u32,

    /// A recording: mark every message as a test.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// A recording: send what there is of one that was cut off.
    #[arg(long)]
    pub(crate) partial: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

fn factor(text: &str) -> Result<f64, String> {
    let factor = text.parse().ok().filter(|factor: &f64| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| format!("expected a number above zero, found `{}`", text.escape_debug()))
}

pub(crate) async fn run(registry: Registry, options: Replay) -> Result<ExitCode, Failure> {
    let of_recording = [
        ("TO_URL", options.to_url.is_some()),
        ("--speed", options.speed.is_some()),
        ("--after", options.after > 0),
        ("--test", options.test),
        ("--partial", options.partial),
    ];
    let of_letters = [("--all", options.all), ("--group-id", options.group_id.is_some())];
    let is_url = options.source.contains("://");
    let (given, other): (&[_], _) = if is_url {
        (&of_recording, "recordings, and this is a URL")
    } else {
        (&of_letters, "dead letters, and this is a file")
    };
    if let Some((name, _)) = given.iter().find(|(_, given)| *given) {
        return Err(Failure::Usage(format!("{name} is for {other}: leave it out")));
    }
    match is_url {
        true => dead_letters::run(registry, options).await,
        false => recording::run(registry, options).await,
    }
}

/// How long each message may take to be sent and confirmed.
const PATIENCE: Duration = Duration::from_secs(60);
