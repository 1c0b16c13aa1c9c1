//! Messages: whether they come, how old they are, and whether they can be read.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hop_kafka::{ErrorKind, StartPosition};

use super::broker::address;
use super::clock::Clock;
use super::{Patient, Report, Step, age};
use crate::failure::Failure;

/// A heartbeat that is older says that something stands still.
const FRESH: Duration = Duration::from_secs(60);

/// What was read of one topic.
#[derive(Default)]
struct Newest {
    timestamp: Option<i64>,
    /// What the newest one is, or why it cannot be read.
    read: Option<Result<String, String>>,
}

/// Reads the newest message of each topic.
pub(super) async fn newest(
    patient: &Patient<'_>,
    topics: &[String],
    clock: &mut Clock,
    report: &mut Report,
) -> Result<(), Failure> {
    const NAME: &str = "message";
    for topic in topics {
        let step = match read(patient, topic).await {
            Err(error) => {
                let mut step = Step::error(NAME, &error);
                step.saw = format!("`{topic}`: {}", step.saw);
                step
            }
            Ok(Newest { read: None, .. }) => Step::ok(NAME, format!("`{topic}` has none")),
            Ok(Newest { timestamp, read: Some(read) }) => {
                if let Some(at) = timestamp.map(time) {
                    clock.note(topic, at, false);
                }
                let old = timestamp.map(|at| SystemTime::now().duration_since(time(at)).unwrap_or_default());
                let old = old.map_or_else(String::new, |old| format!(", {} old", age(old)));
                match read {
                    Ok(format) => Step::ok(NAME, format!("the newest of `{topic}`{old}, is read as `{format}`")),
                    Err(why) => Step::failed(
                        NAME,
                        format!("the newest of `{topic}`{old}, cannot be read: {why}"),
                        "check `--registry` and the rules for the topic; `hop subscribe --as` reads it by another",
                    ),
                }
            }
        };
        report.add(step)?;
    }
    Ok(())
}

/// Looks whether the topic that shows the broker's life has a message of now.
pub(super) async fn heartbeat(patient: &Patient<'_>, clock: &mut Clock, report: &mut Report) -> Result<(), Failure> {
    const NAME: &str = "heartbeat";
    let known = patient.profile.as_ref().and_then(|profile| profile.heartbeat.as_deref());
    let Some(topic) = patient.options.heartbeat.as_deref().or(known) else {
        return report.add(Step::skipped(NAME, "no such topic is known for this broker; name one with `--heartbeat`"));
    };
    const ADVICE: &str = "messages may be late: ask those who run the broker";
    let step = match read(patient, topic).await {
        Err(error) if patient.options.heartbeat.is_none() && error.kind() == ErrorKind::Authorization => {
            Step::skipped(NAME, format!("`{topic}` may not be read by this credential"))
        }
        Err(error) => {
            let mut step = Step::error(NAME, &error);
            step.saw = format!("`{topic}`: {}", step.saw);
            step
        }
        Ok(Newest { timestamp: None, .. }) => Step::failed(NAME, format!("`{topic}` has no message"), ADVICE),
        Ok(Newest { timestamp: Some(at), .. }) => {
            let at = time(at);
            clock.note(topic, at, true);
            let old = SystemTime::now().duration_since(at).unwrap_or_default();
            let saw = format!("the newest message of `{topic}` is {} old", age(old));
            if old > FRESH {
                Step::failed(NAME, saw, format!("{ADVICE}, and check this machine's clock"))
            } else {
                Step::ok(NAME, saw)
            }
        }
    };
    report.add(step)
}

fn time(milliseconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0))
}

/// Reads the last message of each partition of a topic, and returns what is known of the newest.
async fn read(patient: &Patient<'_>, topic: &str) -> Result<Newest, hop_kafka::Error> {
    let url = format!("kafka://{}/{topic}", address(patient));
    let request = patient.hop.subscribe(&url).start_at(StartPosition::Last(1)).until_eos(true).test_messages(true);
    let mut alerts = request.await?;
    let deadline = tokio::time::Instant::now() + patient.patience;
    let mut by_time: BTreeMap<Option<i64>, Result<String, String>> = BTreeMap::new();
    while let Ok(Some(alert)) = tokio::time::timeout_at(deadline, alerts.next()).await {
        match alert {
            Ok(alert) => _ = by_time.insert(alert.record.timestamp, Ok(alert.model.format().to_owned())),
            Err(error) if error.kind() == ErrorKind::Decode => {
                let timestamp = error.record().and_then(|record| record.timestamp);
                by_time.insert(timestamp, Err(error.message().to_owned()));
            }
            Err(error) => return Err(error),
        }
    }
    // Nothing is committed, and nothing waited for.
    let _closed = alerts.close_within(Duration::from_secs(1)).await;
    Ok(by_time.pop_last().map_or_else(Newest::default, |(timestamp, read)| Newest { timestamp, read: Some(read) }))
}
