mod args;

use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use hop_core::{Record, Registry, TopicRule, Value};
use hop_kafka::{Alert, Backfill, Error, StartPosition, Subscription};

pub(crate) use self::args::{Subscribe, Undecodable};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{output, schemas, show};

pub(crate) async fn run(registry: Registry, options: Subscribe) -> Result<ExitCode, Failure> {
    let delimiter = unescape(&options.delimiter).map_err(Failure::Usage)?;
    for label in &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    // A label that is not linked is a wrong call.
    let rules: Vec<TopicRule> = options
        .read_as
        .iter()
        .map(|text| rule(&registry, text).map_err(|error| Failure::Usage(format!("--as {text}: {error}"))))
        .collect::<Result<_, _>>()?;
    if let Some(address) = options.metrics {
        crate::metrics::serve(address)?;
    }
    let mut builder = crate::stream(registry, options.no_auth);
    if let Some(schemas) = schemas::source(options.schemas.as_deref(), options.registry.as_deref(), false)? {
        builder = builder.schema_source(schemas);
    }
    let hop = builder.build()?;
    let since = match (options.from_archive, &options.start_at) {
        (false, _) => None,
        (true, StartPosition::Time(since)) => Some(*since),
        (true, _) => {
            return Err(Failure::Usage(
                "--from-archive needs a time to start at, such as --start-at 2026-11-22T03:00:00Z".to_owned(),
            ));
        }
    };
    let mut request = hop
        .subscribe(&options.url)
        .start_at(options.start_at)
        .until_eos(options.until_eos)
        .test_messages(options.test)
        .pass_unreadable(options.pass_unreadable)
        .formats(options.format)
        .nights(options.nights)
        .on_undecodable(match (options.dead_letter, options.undecodable) {
            (Some(topic), _) => hop_kafka::Undecodable::DeadLetter(topic),
            (None, Undecodable::Report) => hop_kafka::Undecodable::Yield,
            (None, Undecodable::Skip) => hop_kafka::Undecodable::Skip,
            (None, Undecodable::Stop) => hop_kafka::Undecodable::Stop,
        });
    for rule in rules {
        request = request.topic_rule(rule);
    }
    if options.no_fetch {
        request = request.fetch_external(false);
    }
    if let Some(group) = &options.group_id {
        request = request.group(group);
    }
    let mut interrupt = Interrupt::listen()?;
    let mut alerts = tokio::select! {
        biased;
        () = interrupt.received() => return Ok(ExitCode::SUCCESS),
        alerts = Source::open(request, since) => alerts?,
    };
    let mut printing = Printing { as_json: options.json, delimiter, all_decoded: true };
    let in_group = options.group_id.is_some();
    let outcome = loop {
        let alert = tokio::select! {
            biased;
            () = interrupt.received() => break Ok(()),
            alert = alerts.next() => alert,
        };
        let Some(alert) = alert else { break Ok(()) };
        match printing.print(alert) {
            // What is printed is done with, also if no other message is asked for.
            Ok(Some(record)) if in_group => done(alerts.subscription(), &record),
            Ok(_) => {}
            Err(failure) => break Err(failure),
        }
    };
    // The place of the group is kept whatever ended the reading.
    close(alerts.into_subscription()).await;
    outcome?;
    Ok(if printing.all_decoded { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Where messages come from.
enum Source {
    Kafka(Subscription),
    Backfill { alerts: Box<Backfill>, is_reported: bool },
}

impl Source {
    async fn open(request: hop_kafka::Subscribe, since: Option<SystemTime>) -> Result<Self, Error> {
        Ok(match since {
            None => Self::Kafka(request.await?),
            Some(since) => Self::Backfill { alerts: Box::new(request.from_archive(since).await?), is_reported: false },
        })
    }

    async fn next(&mut self) -> Option<Result<Alert, Error>> {
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

    fn subscription(&self) -> &Subscription {
        match self {
            Self::Kafka(alerts) => alerts,
            Self::Backfill { alerts, .. } => alerts.subscription(),
        }
    }

    /// Returns the reader of Kafka, and says how many messages came twice.
    fn into_subscription(self) -> Subscription {
        match self {
            Self::Kafka(alerts) => alerts,
            Self::Backfill { alerts, .. } => {
                let counters = alerts.backfill_counters();
                output::complain(format_args!(
                    "{} messages came from the archive; Kafka had {} of them as well, which were printed once",
                    counters.archived, counters.repeated
                ));
                alerts.into_subscription()
            }
        }
    }
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

fn done(alerts: &Subscription, record: &Record) {
    if let Err(error) = alerts.mark_done(record) {
        // Another member has the partition now, and reads from the last commit.
        tracing::debug!(target: "hop", %error, "a message that was printed comes again");
    }
}

/// Commits and leaves; a broker that does not answer is not waited for.
async fn close(alerts: Subscription) {
    const PATIENCE: Duration = Duration::from_secs(5);
    match alerts.close_within(PATIENCE).await {
        Ok(0) => {}
        Ok(left) => output::complain(format_args!("stopped; {left} messages were received and not printed")),
        Err(_) => {
            output::complain("the broker did not confirm where reading stopped; the last messages may come again");
        }
    }
}

/// How messages are printed, and how that went.
struct Printing {
    as_json: bool,
    delimiter: Vec<u8>,
    all_decoded: bool,
}

impl Printing {
    /// Prints a message, or says that it does not decode; returns its record.
    fn print(&mut self, alert: Result<Alert, Error>) -> Result<Option<Record>, Failure> {
        match alert {
            Ok(alert) => {
                self.all_decoded &= print(&alert, self.as_json, &self.delimiter)?;
                Ok(Some(alert.record))
            }
            // It is one message's; the others follow.
            Err(error) if error.record().is_some() => {
                self.all_decoded = false;
                output::complain(&error);
                Ok(error.into_record())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Prints one message; whether it could be shown.
fn print(alert: &Alert, as_json: bool, delimiter: &[u8]) -> Result<bool, Failure> {
    let shown = if as_json {
        alert.model.fields().map(|fields| {
            let message = Value::object([
                ("format", alert.model.format().into()),
                ("route", alert.route.as_str().into()),
                ("metadata", show::metadata(&alert.record)),
                ("headers", show::headers(&alert.record.headers)),
                ("model", fields),
            ]);
            message.to_string().into()
        })
    } else {
        alert.model.dump()
    };
    match shown {
        Ok(bytes) => {
            output::bytes(&bytes, delimiter)?;
            Ok(true)
        }
        Err(error) => {
            let place = alert.record.place.as_ref().map(ToString::to_string).unwrap_or_default();
            output::complain(format_args!("the message at {place} cannot be shown: {error}"));
            Ok(false)
        }
    }
}

/// The bytes that a delimiter with escapes stands for.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut out = String::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let digits = |count: usize, rest: &mut std::str::Chars<'_>| {
            let digits: String = rest.by_ref().take(count).collect();
            u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == count).and_then(char::from_u32)
        };
        let escaped = match rest.next() {
            Some('n') => Some('\n'),
            Some('r') => Some('\r'),
            Some('t') => Some('\t'),
            Some('0') => Some('\0'),
            Some('\\') => Some('\\'),
            Some('x') => digits(2, &mut rest),
            Some('u') => digits(4, &mut rest),
            _ => None,
        };
        out.push(
            escaped.ok_or_else(|| {
                format!(r"the delimiter `{text}` has an escape other than \n \r \t \0 \\ \xNN \uNNNN")
            })?,
        );
    }
    Ok(out.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_unescaped() {
        assert_eq!(unescape(r"\n--\t\x41\u00e9\\"), Ok("\n--\tA\u{e9}\\".as_bytes().to_vec()));
        assert_eq!(unescape(""), Ok(Vec::new()));
        for bad in [r"\", r"\q", r"\x4", r"\ud800"] {
            assert!(unescape(bad).is_err(), "{bad}");
        }
    }
}
