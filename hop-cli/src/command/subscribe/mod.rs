mod args;
mod print;
mod select;
mod source;

use std::pin::pin;
use std::process::ExitCode;
use std::task::Poll;
use std::time::Duration;

use hop_core::{Record, Registry, TopicRule};
use hop_kafka::{Alert, Commit, Dedupe, Error, StartPosition, Stream, Subscription};
use jiff::Timestamp;

use self::args::Undecodable;
pub(crate) use self::args::{Subscribe, start_at};
use self::print::Printing;
use self::select::HeaderIs;
use self::source::Source;
pub(crate) use self::source::rules;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output::sink::Closed;
use crate::{moment, output, schemas};

pub(crate) async fn run(registry: Registry, mut options: Subscribe) -> Result<ExitCode, Failure> {
    if options.fail_fast {
        options.undecodable = Undecodable::Stop;
    }
    for label in &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    // A label that is not linked is a wrong call.
    let rules = source::rules(&registry, &options.read_as)?;
    let headers: Vec<HeaderIs> =
        options.header.iter().map(|text| HeaderIs::parse(text)).collect::<Result<_, _>>().map_err(Failure::Usage)?;
    let mut interrupt = Interrupt::listen()?;
    let mut printing = Printing::new(&options, interrupt.clone())?;
    if let Some(address) = options.metrics {
        crate::metrics::serve(address)?;
    }
    let mut builder = crate::stream(registry, options.no_auth);
    if let Some(schemas) = schemas::source(options.schemas.as_deref(), options.registry.as_deref(), false)? {
        builder = builder.schema_source(schemas);
    }
    let hop = builder.build()?;
    let mut alerts = tokio::select! {
        biased;
        () = interrupt.received() => return Ok(ExitCode::SUCCESS),
        alerts = connect(&hop, &options, rules, headers) => alerts?,
    };
    let ended = read(&mut alerts, &mut printing, &options, &mut interrupt).await;
    alerts.report();
    // The place of the group is kept whatever ended the reading.
    if options.group_id.is_some() || interrupt.has_come() {
        close(alerts.into_subscription(), interrupt.has_come()).await;
    }
    ended?;
    printing.report();
    let is_complete = printing.is_complete() || options.undecodable == Undecodable::Skip;
    Ok(if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Connects as the options say.
async fn connect(
    hop: &Stream,
    options: &Subscribe,
    rules: Vec<TopicRule>,
    headers: Vec<HeaderIs>,
) -> Result<Source, Failure> {
    let archived = match (options.from_archive, options.since, &options.start_at) {
        (false, ..) => None,
        (true, Some(since), _) => Some(since.into()),
        (true, None, Some(StartPosition::Time(since))) => Some(*since),
        (true, ..) => {
            return Err(Failure::Usage(
                "--from-archive needs a time to start at, such as --start-at 2026-11-22T03:00:00Z".to_owned(),
            ));
        }
    };
    let is_over = options.until.is_some_and(|until| until <= Timestamp::now());
    let start = source::start(hop, options, is_over).await?;
    let mut request = hop
        .subscribe(&options.url)
        .start_at(start.position)
        .until_eos(options.until_eos)
        .test_messages(options.test)
        .pass_unreadable(options.pass_unreadable)
        .formats(options.format.iter().cloned())
        .nights(options.nights)
        .on_undecodable(match (&options.dead_letter, options.undecodable) {
            (Some(topic), _) => hop_kafka::Undecodable::DeadLetter(topic.clone()),
            (None, Undecodable::Report) => hop_kafka::Undecodable::Yield,
            (None, Undecodable::Skip) => hop_kafka::Undecodable::Skip,
            (None, Undecodable::Stop) => hop_kafka::Undecodable::Stop,
        });
    for rule in rules {
        request = request.topic_rule(rule);
    }
    for header in headers {
        request = request.filter(move |record| header.is_in(record));
    }
    if !start.only.is_empty() {
        request = request.filter(move |record| {
            let place = record.place.as_ref();
            place.is_some_and(|place| {
                start.only.iter().any(|(topic, id)| **topic == *place.topic && *id == place.partition)
            })
        });
    }
    if let Some(until) = options.until.filter(|_| is_over) {
        request = request.until(until.into());
    }
    if options.no_fetch {
        request = request.fetch_external(false);
    }
    if options.dedupe {
        request = request.dedupe(Dedupe::by_id().or_by(|alert| hop_models::identity(&*alert.model)));
    }
    if let Some(group) = &options.group_id {
        // Several messages are written at once, and done only then.
        request = request.group(group).commit(Commit::Each);
    }
    Ok(Source::open(request, archived).await?)
}

/// Prints messages until they end, enough are printed, a signal comes, or nobody reads any more.
async fn read(
    alerts: &mut Source,
    printing: &mut Printing,
    options: &Subscribe,
    interrupt: &mut Interrupt,
) -> Result<(), Failure> {
    let mut closed = Closed::watch()?;
    let mut deadline = pin!(moment::passed(options.until));
    let until = options.until.map(Timestamp::as_millisecond);
    let in_group = options.group_id.is_some();
    let stops = options.undecodable == Undecodable::Stop;
    // Gathered, and done once they are written.
    let mut gathered: Vec<Record> = Vec::new();
    loop {
        let alert = match alerts.poll_once().await {
            Poll::Ready(alert) => alert,
            Poll::Pending => {
                if !write(alerts, printing, &mut gathered)? {
                    return Ok(());
                }
                tokio::select! {
                    biased;
                    () = interrupt.received() => return Ok(()),
                    () = closed.closed() => return Ok(()),
                    alert = alerts.next() => alert,
                    () = &mut deadline => return Ok(()),
                }
            }
        };
        let Some(alert) = alert else { break };
        // In a group it stays for the next time.
        if until.is_some_and(|until| published(&alert).is_some_and(|time| time >= until)) {
            continue;
        }
        let record = match printing.print(alert, stops) {
            Ok(record) => record,
            Err(failure) => {
                // What was read before it is printed and done.
                write(alerts, printing, &mut gathered)?;
                return Err(failure);
            }
        };
        gathered.extend(record.filter(|_| in_group).map(|record| Record { place: record.place, ..Record::default() }));
        if options.count.is_some_and(|count| printing.count() >= count) {
            break;
        }
        if printing.is_full() && !write(alerts, printing, &mut gathered)? {
            return Ok(());
        }
    }
    write(alerts, printing, &mut gathered).map(drop)
}

/// Writes what was gathered, which is done then; returns false if nobody takes any more, or a signal came meanwhile.
fn write(alerts: &Source, printing: &mut Printing, gathered: &mut Vec<Record>) -> Result<bool, Failure> {
    match printing.flush() {
        Ok(()) => {}
        Err(Failure::Io(error))
            if matches!(error.kind(), std::io::ErrorKind::Interrupted | std::io::ErrorKind::BrokenPipe) =>
        {
            return Ok(false);
        }
        Err(failure) => return Err(failure),
    }
    for record in gathered.drain(..) {
        if let Err(error) = alerts.subscription().mark_done(&record) {
            // Another member has the partition now, and reads from the last commit.
            tracing::debug!(target: "hop", %error, "a message that was printed comes again");
        }
    }
    Ok(true)
}

/// When a message was published, in milliseconds since 1970, if it decodes.
fn published(alert: &Result<Alert, Error>) -> Option<i64> {
    match alert {
        Ok(alert) => alert.record.timestamp,
        Err(error) => error.record()?.timestamp,
    }
}

/// Commits and leaves; a broker that does not answer is not waited for.
async fn close(alerts: Subscription, stopped: bool) {
    const PATIENCE: Duration = Duration::from_secs(5);
    match alerts.close_within(PATIENCE).await {
        Ok(left @ 1..) if stopped => {
            output::complain(format_args!("stopped; {left} messages were received and not printed"));
        }
        Ok(_) => {}
        Err(_) => {
            output::complain("the broker did not confirm where reading stopped; the last messages may come again");
        }
    }
}
