use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use hop_core::{Content, Record, Registry};
use hop_kafka::{Commit, Publisher, StartPosition, Url, restore};

use crate::args::Replay;
use crate::failure::Failure;
use crate::output;

/// How long each message may take to be sent and confirmed.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(registry: Registry, options: Replay) -> Result<ExitCode, Failure> {
    let url: Url = options.url.parse()?;
    let [dead_letters] = url.topics() else {
        return Err(Failure::Usage("name the one topic that holds the dead letters".to_owned()));
    };
    let registry = Arc::new(registry);
    let hop = crate::stream(Arc::clone(&registry), options.no_auth).build()?;
    let group = match (options.group_id, hop.username(&url)?) {
        (Some(group), _) => group,
        // Rules of access usually want the username in front.
        (None, Some(username)) => format!("{username}-hop-replay"),
        (None, None) => "hop-replay".to_owned(),
    };
    let mut letters = hop
        .subscribe(&options.url)
        .group(group)
        .start_at(StartPosition::Earliest)
        .until_eos(true)
        .test_messages(true)
        .commit(Commit::Marked)
        .await?;
    let out = hop.publish(&options.url).produce_timeout(PATIENCE).await?;
    let sending = Sending { registry, out, to: options.to, all: options.all, dead_letters };
    let interrupted = tokio::signal::ctrl_c();
    tokio::pin!(interrupted);
    let (mut replayed, mut kept) = (0, 0);
    let outcome = loop {
        let record = tokio::select! {
            biased;
            stopped = &mut interrupted => { stopped?; break Ok(()) }
            record = letters.next_record() => record,
        };
        let Some(record) = record else { break Ok(()) };
        let record = record?;
        // One that was sent, and not marked before an interruption, is sent again: at least once.
        match sending.send(&record).await {
            Ok(Fate::Replayed) => replayed += 1,
            Ok(Fate::Kept) => kept += 1,
            Err(failure) => break Err(failure),
        }
        letters.mark_done(&record)?;
    };
    let closed = letters.close().await;
    output::line(format_args!("{replayed} messages replayed, {kept} still do not decode"))?;
    outcome?;
    closed?;
    Ok(if kept == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

enum Fate {
    Replayed,
    Kept,
}

/// Where messages go, and which.
struct Sending<'a> {
    registry: Arc<Registry>,
    out: Publisher,
    to: Option<String>,
    all: bool,
    dead_letters: &'a str,
}

impl Sending<'_> {
    /// Sends one message on its way, and waits until the broker has it.
    async fn send(&self, record: &Record) -> Result<Fate, Failure> {
        let (from, message) = restore(record);
        let problem = match self.to.as_ref().or(from.as_ref()) {
            None => "its headers do not say where it came from; say where to with `--to`".to_owned(),
            Some(topic) => {
                let decoded = self.registry.decode(&message.headers, Content::from(&message.content));
                match decoded {
                    Err(error) if !self.all => error.to_string(),
                    _ => {
                        self.out.forward(topic, message).await?.await?;
                        return Ok(Fate::Replayed);
                    }
                }
            }
        };
        let place = record.place.as_ref().map(ToString::to_string).unwrap_or_default();
        output::complain(format_args!("kept: {place}: {problem}"));
        // At the end of the topic, so that the next run meets it, and not what is replayed already.
        let (content, key, headers) = (record.content.clone(), record.key.clone(), record.headers.clone());
        self.out.forward(self.dead_letters, hop_core::Outgoing { content, key, headers }).await?.await?;
        Ok(Fate::Kept)
    }
}
