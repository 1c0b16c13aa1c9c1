//! Where messages come from: rules for topics, and where to start.

use std::pin::pin;
use std::task::Poll;
use std::time::SystemTime;

use hop_core::{Place, Registry, TopicRule};
use hop_kafka::{Alert, Backfill, Error, StartPosition, Stream, Subscription, Url};

use super::args::{At, Subscribe};
use crate::failure::Failure;
use crate::output;

/// Where messages come from.
pub(super) enum Source {
    Kafka(Box<Subscription>),
    Backfill { alerts: Box<Backfill>, is_reported: bool },
}

impl Source {
    pub(super) async fn open(request: hop_kafka::Subscribe, since: Option<SystemTime>) -> Result<Self, Error> {
        Ok(match since {
            None => Self::Kafka(Box::new(request.await?)),
            Some(since) => Self::Backfill { alerts: Box::new(request.from_archive(since).await?), is_reported: false },
        })
    }

    pub(super) async fn next(&mut self) -> Option<Result<Alert, Error>> {
        match self {
            Self::Kafka(alerts) => alerts.next().await,
            Self::Backfill { alerts, is_reported } => {
                let next = alerts.next().await;
                let counters = alerts.backfill_counters();
                if counters.is_through && !std::mem::replace(is_reported, counters.is_through) {
                    tracing::info!(
                        target: "hop",
                        "{} messages came from the archive ({} more are retracted); what follows comes from Kafka",
                        counters.archived,
                        counters.retracted
                    );
                }
                next
            }
        }
    }

    /// Returns the next message if it is there already.
    pub(super) async fn poll_once(&mut self) -> Poll<Option<Result<Alert, Error>>> {
        match self {
            Self::Kafka(alerts) => {
                std::future::poll_fn(|context| Poll::Ready(pin!(alerts.next()).as_mut().poll(context))).await
            }
            // A request to the archive is not begun in vain.
            Self::Backfill { .. } => Poll::Pending,
        }
    }

    pub(super) fn subscription(&self) -> &Subscription {
        match self {
            Self::Kafka(alerts) => alerts,
            Self::Backfill { alerts, .. } => alerts.subscription(),
        }
    }

    /// Says how many messages came from the archive, and how many of them Kafka had too.
    pub(super) fn report(&self) {
        if let Self::Backfill { alerts, .. } = self {
            let counters = alerts.backfill_counters();
            output::complain(format_args!(
                "{} messages came from the archive; Kafka had {} of them as well, which were printed once",
                counters.archived, counters.repeated
            ));
        }
    }

    pub(super) fn into_subscription(self) -> Subscription {
        match self {
            Self::Kafka(alerts) => *alerts,
            Self::Backfill { alerts, .. } => alerts.into_subscription(),
        }
    }
}

/// Reads the rules of `--as`. A rule that is given twice counts once, which is said.
pub(crate) fn rules(registry: &Registry, texts: &[String]) -> Result<Vec<TopicRule>, Failure> {
    let mut rules: Vec<(&str, TopicRule)> = Vec::with_capacity(texts.len());
    for text in texts {
        let rule = rule(registry, text).map_err(|error| Failure::Usage(format!("--as {text}: {error}")))?;
        match rules.iter().find(|(_, other)| other.pattern() == rule.pattern()) {
            None => rules.push((text, rule)),
            Some((_, other)) if is_same(registry, &rule, other) => {
                output::complain(format_args!("--as {text}: the rule is given more than once"));
            }
            Some((other, _)) => {
                return Err(Failure::Usage(format!(
                    "--as {text} contradicts --as {other}: leave out one, or name other topics in it"
                )));
            }
        }
    }
    Ok(rules.into_iter().map(|(_, rule)| rule).collect())
}

/// Returns true if two rules for the same topics name the same model, which may have several labels, and the same framing.
fn is_same(registry: &Registry, one: &TopicRule, other: &TopicRule) -> bool {
    let format = |rule: &TopicRule| registry.get(rule.label()).map(|model| model.format());
    let framing = |rule: &TopicRule| rule.framing_name().map(str::to_ascii_lowercase);
    format(one) == format(other) && framing(one) == framing(other)
}

/// Reads a rule such as `fink_*=avro+schema-in-key`.
fn rule(registry: &Registry, text: &str) -> Result<TopicRule, hop_core::Error> {
    let (pattern, format) = text.split_once('=').unwrap_or(("**", text));
    let (label, framing) = match format.split_once('+') {
        None => (format, None),
        Some((label, framing)) => (label, Some(framing)),
    };
    registry.require(label)?;
    let rule = TopicRule::new(pattern, label)?;
    match framing {
        None => Ok(rule),
        Some(framing) => {
            registry.require_framing(framing)?;
            Ok(rule.framed_as(framing))
        }
    }
}

/// Where to start, and the partitions that alone are read where there are such.
pub(super) struct Start {
    pub(super) position: StartPosition,
    pub(super) only: Vec<(String, i32)>,
}

/// Returns where the options say to start.
pub(super) async fn start(hop: &Stream, options: &Subscribe, is_over: bool) -> Result<Start, Failure> {
    if options.offset.is_empty() {
        let position = match (options.since, &options.start_at) {
            (Some(time), _) => StartPosition::Time(time.into()),
            (None, Some(start_at)) => start_at.clone(),
            // What is to end before now begins at the beginning.
            (None, None) if is_over => StartPosition::Earliest,
            (None, None) => StartPosition::Latest,
        };
        return Ok(Start { position, only: Vec::new() });
    }
    let url: Url = options.url.parse()?;
    let mut places = Vec::new();
    let mut only = Vec::new();
    for at in &options.offset {
        match at {
            At::Offset(offset) => {
                let partitions = |count: usize| 0..i32::try_from(count).unwrap_or(i32::MAX);
                for topic in hop.list_topics(&options.url).await? {
                    places.extend(partitions(topic.partitions).map(|partition| Place {
                        topic: topic.name.as_str().into(),
                        partition,
                        offset: *offset,
                    }));
                }
            }
            At::Place(place) if !url.topics().iter().any(|topic| **topic == *place.topic) => {
                return Err(Failure::Usage(format!("--offset {place}: `{}` is not a topic of the URL", place.topic)));
            }
            At::Place(_) if options.group_id.is_some() => {
                let way = "a group reads every partition; leave out `--group-id`, or give the offset alone";
                return Err(Failure::Usage(format!("--offset with a place: {way}")));
            }
            At::Place(place) => {
                only.push((place.topic.to_string(), place.partition));
                places.push(place.clone());
            }
        }
    }
    Ok(Start { position: StartPosition::Offsets(places), only })
}
