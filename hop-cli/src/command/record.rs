use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_core::{Record as Message, Registry};
use hop_kafka::{Commit, StartPosition, Subscription, Url};
use jiff::Timestamp;

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::recording::Writer;
use crate::{moment, output};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop record kafka://kafka.scimma.org/gcn.circular,igwn.gwalert \\
      night.ndjson.zst
  hop record --since 2026-11-26 --until 2026-11-27 \\
      kafka://kafka.scimma.org/gcn.circular night.ndjson.zst")]
pub(crate) struct Record {
    /// Where from: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// The file: newline-delimited JSON in zstd; it has another name until it is whole.
    pub(crate) file: PathBuf,

    /// Start at this time (2h, 2026-11-26, RFC 3339), instead of with what is published from now on.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now)]
    pub(crate) since: Option<Timestamp>,

    /// Start with the oldest message that is there.
    #[arg(long, conflicts_with = "since")]
    pub(crate) all: bool,

    /// Record nothing that was published at this time or later, and end then.
    #[arg(long, value_name = "TIME", value_parser = moment::from_now)]
    pub(crate) until: Option<Timestamp>,

    /// Stop at the end of what is there.
    #[arg(short = 'e', long)]
    pub(crate) until_eos: bool,

    /// End after so many messages.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,

    /// Read as a member of this group; what is in the file is done.
    #[arg(short, long)]
    pub(crate) group_id: Option<String>,

    /// Overwrite a file that is there.
    #[arg(long)]
    pub(crate) force: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) async fn run(registry: Registry, options: Record) -> Result<ExitCode, Failure> {
    let url: Url = options.url.parse()?;
    let mut writer = Writer::create(&options.file, url.topics(), options.force)?;
    let mut interrupt = Interrupt::listen()?;
    let recorded = record(registry, &options, &mut interrupt, &mut writer).await;
    match recorded {
        Ok(()) => {
            let count = writer.finish()?;
            output::complain(format_args!("{count} messages recorded in {}", output::path(&options.file)));
            Ok(ExitCode::SUCCESS)
        }
        Err(failure) => {
            writer.abandon()?;
            Err(failure)
        }
    }
}

/// Records messages until they end, enough are recorded, or a signal comes.
async fn record(
    registry: Registry,
    options: &Record,
    interrupt: &mut Interrupt,
    writer: &mut Writer,
) -> Result<(), Failure> {
    let is_over = options.until.is_some_and(|until| until <= Timestamp::now());
    let start_at = match options.since {
        Some(time) => StartPosition::Time(time.into()),
        None if options.all || is_over => StartPosition::Earliest,
        None => StartPosition::Latest,
    };
    let hop = crate::stream(registry, options.no_auth).build()?;
    let mut request = hop
        .subscribe(&options.url)
        .start_at(start_at)
        .until_eos(options.until_eos)
        // What is recorded is a rehearsal's to leave out.
        .test_messages(true);
    if let Some(until) = options.until.filter(|_| is_over) {
        request = request.until(until.into());
    }
    if let Some(group) = &options.group_id {
        request = request.group(group).commit(Commit::Each);
    }
    let mut messages = tokio::select! {
        biased;
        () = interrupt.received() => return Ok(()),
        messages = request.into_future() => messages?,
    };
    let recorded = follow(&mut messages, options, interrupt, writer).await;
    if options.group_id.is_some() {
        const PATIENCE: Duration = Duration::from_secs(5);
        if messages.close_within(PATIENCE).await.is_err() {
            output::complain("the broker did not confirm where reading stopped; the last messages may come again");
        }
    }
    recorded
}

async fn follow(
    messages: &mut Subscription,
    options: &Record,
    interrupt: &mut Interrupt,
    writer: &mut Writer,
) -> Result<(), Failure> {
    let until = options.until.map(Timestamp::as_millisecond);
    let deadline = moment::passed(options.until);
    tokio::pin!(deadline);
    let mut recorded = 0;
    // In the file only once it is sealed.
    let mut waiting: Vec<Message> = Vec::new();
    loop {
        let message = tokio::select! {
            biased;
            () = interrupt.received() => break,
            message = messages.next_record() => message,
            () = tokio::time::sleep(Duration::from_secs(1)), if !waiting.is_empty() => {
                seal(messages, options, writer, &mut waiting)?;
                continue;
            }
            () = &mut deadline => break,
        };
        let Some(message) = message else { break };
        let message = message?;
        if until.is_some_and(|until| message.timestamp.is_some_and(|time| time >= until)) {
            continue;
        }
        writer.add(&message);
        waiting.push(Message { place: message.place, ..Message::default() });
        recorded += 1;
        if options.count.is_some_and(|count| recorded >= count) {
            break;
        }
        if writer.is_due() {
            seal(messages, options, writer, &mut waiting)?;
        }
    }
    seal(messages, options, writer, &mut waiting)
}

/// Has messages last, which are done then.
fn seal(
    messages: &Subscription,
    options: &Record,
    writer: &mut Writer,
    waiting: &mut Vec<Message>,
) -> Result<(), Failure> {
    writer.seal()?;
    for message in waiting.drain(..).filter(|_| options.group_id.is_some()) {
        if let Err(error) = messages.mark_done(&message) {
            tracing::debug!(target: "hop", %error, "a message that was recorded comes again");
        }
    }
    Ok(())
}
