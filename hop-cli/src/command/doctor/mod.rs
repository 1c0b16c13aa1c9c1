//! What is wrong between here and a broker, step by step.

mod broker;
mod clock;
mod messages;
mod network;

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_core::{Registry, SchemaId, SchemaSource as _, Value};
use hop_kafka::{Auth, Broker, Error, SchemaRegistry, Stream, Url};

use self::clock::Clock;
use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop doctor kafka://kafka.scimma.org/gcn.circular
  hop doctor --group-id ada-night-watch --json \\
      kafka://kafka.gcn.nasa.gov/gcn.circulars")]
pub(crate) struct Doctor {
    /// What is to be read or written: `kafka://[username@]broker[:port]/[topic[,topic2[,...]]]`.
    pub(crate) url: String,

    /// Look at the rights on this group too.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Look whether the topics can be written to, instead of read.
    #[arg(short, long)]
    pub(crate) write: bool,

    /// Look at this schema registry, instead of the one that the broker is known to have.
    #[arg(long, value_name = "URL")]
    pub(crate) registry: Option<String>,

    /// The topic that shows that the broker lives, instead of the one that it is known to have.
    #[arg(long, value_name = "TOPIC")]
    pub(crate) heartbeat: Option<String>,

    /// Seconds that each step may take.
    #[arg(long, default_value = "10", value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..=600))]
    pub(crate) timeout: u16,

    /// Print one JSON object.
    #[arg(short, long)]
    pub(crate) json: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    /// It works, and may not be what is wanted.
    Attention,
    Failed,
    /// Not looked at.
    Skipped,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Attention => "attention",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// What one step saw, and what to do about it.
#[derive(Debug)]
struct Step {
    name: &'static str,
    status: Status,
    saw: String,
    advice: Option<String>,
}

impl Step {
    fn new(name: &'static str, status: Status, saw: impl Into<String>) -> Self {
        Self { name, status, saw: saw.into(), advice: None }
    }

    fn ok(name: &'static str, saw: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, saw)
    }

    fn skipped(name: &'static str, why: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, why)
    }

    fn failed(name: &'static str, saw: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(name, Status::Failed, saw).advise(advice)
    }

    fn error(name: &'static str, error: &Error) -> Self {
        let step = Self::new(name, Status::Failed, error.message());
        match error.advice() {
            Some(advice) => step.advise(advice),
            None => step,
        }
    }

    fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }
}

/// What all steps look at.
struct Patient<'a> {
    options: &'a Doctor,
    url: Url,
    hop: Stream,
    profile: Option<Broker>,
    patience: Duration,
}

pub(crate) async fn run(registry: Registry, options: Doctor) -> Result<ExitCode, Failure> {
    let url: Url = options.url.parse()?;
    let patience = Duration::from_secs(options.timeout.into());
    let hop = crate::stream(registry, options.no_auth).connect_timeout(patience).build()?;
    let profile = Broker::of(&url)?;
    let patient = Patient { options: &options, url, hop, profile, patience };
    let mut report = Report { steps: Vec::new(), as_json: options.json };
    examine(&patient, &mut report).await?;
    report.finish(&options.url)
}

async fn examine(patient: &Patient<'_>, report: &mut Report) -> Result<(), Failure> {
    let mut clock = Clock::start();
    report.add(profile(patient))?;
    let is_reached = network::examine(patient, report).await?;
    let is_served = is_reached && broker::log_in(patient, report).await?;
    if is_served {
        let readable = broker::topics(patient, report).await?;
        broker::group(patient, report).await?;
        messages::newest(patient, &readable, &mut clock, report).await?;
        messages::heartbeat(patient, &mut clock, report).await?;
    } else {
        for name in ["topic", "group", "heartbeat"] {
            report.add(Step::skipped(name, "the broker was not reached"))?;
        }
    }
    report.add(schema_registry(patient).await)?;
    report.add(clock.examine().await)
}

fn profile(patient: &Patient<'_>) -> Step {
    match &patient.profile {
        Some(profile) => Step::ok("broker", format!("{} ({})", profile.title, profile.name)),
        None => Step::ok("broker", format!("{}, of which hop has no profile", patient.url.broker())),
    }
}

/// Asks the registry for a schema; that it does not have one is an answer of a registry too.
async fn schema_registry(patient: &Patient<'_>) -> Step {
    const NAME: &str = "registry";
    let known = patient.profile.as_ref().and_then(|profile| profile.registry.as_deref());
    let Some(url) = patient.options.registry.as_deref().or(known) else {
        return Step::skipped(NAME, "none is known for this broker; name one with `--registry` if messages need it");
    };
    let registry = match SchemaRegistry::with_auth(url, &Auth::File) {
        Ok(registry) => registry.timeout(patient.patience),
        Err(error) => return Step::error(NAME, &error),
    };
    let asked = network::within(patient.patience * 2, move || registry.schema(&SchemaId::Number(1))).await;
    match asked {
        Some(Ok(_)) => Step::ok(NAME, format!("the schema registry {url} answers")),
        Some(Err(error)) => {
            let text = error.to_string();
            let text = text.strip_prefix("schema registry: ").unwrap_or(&text);
            match text.rsplit_once("; ") {
                Some((saw, advice)) => Step::failed(NAME, saw, advice),
                None => Step::new(NAME, Status::Failed, text),
            }
        }
        None => Step::failed(NAME, format!("the schema registry {url} did not answer in time"), "check its URL"),
    }
}

/// The steps so far, printed as they come.
struct Report {
    steps: Vec<Step>,
    as_json: bool,
}

impl Report {
    fn add(&mut self, step: Step) -> Result<(), Failure> {
        if !self.as_json {
            let word = match step.status {
                Status::Failed => "FAILED",
                other => other.as_str(),
            };
            let saw = hop_core::escape_controls(&step.saw);
            output::line(format_args!("{word:9}  {:10}  {saw}", step.name))?;
            if let Some(advice) = &step.advice {
                output::line(format_args!("{:9}  {:10}  -> {}", "", "", hop_core::escape_controls(advice)))?;
            }
        }
        self.steps.push(step);
        Ok(())
    }

    fn finish(self, url: &str) -> Result<ExitCode, Failure> {
        let is_ok = self.steps.iter().all(|step| step.status != Status::Failed);
        if self.as_json {
            let step = |step: &Step| {
                Value::object([
                    ("step", step.name.into()),
                    ("status", step.status.as_str().into()),
                    ("saw", step.saw.as_str().into()),
                    ("advice", step.advice.as_deref().map_or(Value::Null, Into::into)),
                ])
            };
            let steps = Value::Array(self.steps.iter().map(step).collect());
            // A password that somebody wrote into the URL is not repeated.
            let url = url.parse::<Url>().map_or_else(|_| Value::Null, |url| url.to_string().into());
            output::line(Value::object([("url", url), ("ok", is_ok.into()), ("steps", steps)]))?;
        }
        Ok(if is_ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// An age in a word: `3 s`, `2 min`, `5 h`, `12 days`.
fn age(age: Duration) -> String {
    match age.as_secs() {
        seconds @ ..120 => format!("{seconds} s"),
        seconds @ 120..7_200 => format!("{} min", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
