//! `hop watch`: alerts on a terminal screen, as they come.

mod keys;
mod screen;
mod state;
mod terminal;

use std::io::{self, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use hop_core::Registry;
use hop_kafka::{StartPosition, Subscription};
use tokio::time::{MissedTickBehavior, interval};

use self::keys::{Act, Keys};
use self::state::Watch as State;
use self::terminal::Screen;
use super::subscribe::{rules, start_at};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;

/// How often the screen is drawn at most.
const FRAME: Duration = Duration::from_millis(50);
/// How long leaving waits for a broker that does not answer.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  hop watch kafka://kafka.scimma.org/gcn.circular")]
pub(crate) struct Watch {
    /// Where from: `kafka://[username@]broker[:port]/topic[,topic2[,...]]`.
    pub(crate) url: String,

    /// Where to start: EARLIEST, LATEST, a time such as 2026-11-22T03:00:00Z, or with the last messages of each partition,
    /// such as -5.
    #[arg(
        short, long, default_value = "-10", value_name = "EARLIEST|LATEST|TIME|-N", value_parser = start_at,
        allow_negative_numbers = true
    )]
    pub(crate) start_at: StartPosition,

    /// Show messages of this format alone; may be given several times.
    #[arg(short, long, value_name = "LABEL")]
    pub(crate) format: Vec<String>,

    /// Read messages that carry no `_format` as this format, as `hop subscribe --as` does.
    #[arg(long = "as", value_name = "[PATTERN=]LABEL[+FRAMING...]")]
    pub(crate) read_as: Vec<String>,

    /// Show test messages too.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

pub(crate) async fn run(registry: Registry, options: Watch) -> Result<ExitCode, Failure> {
    if !(io::stdout().is_terminal() && io::stdin().is_terminal()) {
        return Err(Failure::Usage(
            "`hop watch` needs a terminal; `hop subscribe` writes to files and pipes".to_owned(),
        ));
    }
    for label in &options.format {
        registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    }
    let rules = rules(&registry, &options.read_as)?;
    let hop = crate::stream(registry, options.no_auth).build()?;
    let mut request =
        hop.subscribe(&options.url).start_at(options.start_at).formats(options.format).test_messages(options.test);
    for rule in rules {
        request = request.topic_rule(rule);
    }
    let mut interrupt = Interrupt::listen()?;
    let alerts = tokio::select! {
        biased;
        () = interrupt.received() => return Ok(ExitCode::SUCCESS),
        alerts = request.into_future() => alerts?,
    };
    let ended = {
        let mut screen = Screen::enter()?;
        follow(&mut screen, &mut interrupt, alerts, State::new(&options.url)).await
        // The terminal is as it was from here on, whatever comes.
    };
    let alerts = ended?;
    // Nothing is committed without a group, so that a broker that does not answer costs nothing.
    let _left = alerts.close_within(PATIENCE).await;
    Ok(ExitCode::SUCCESS)
}

/// Shows what comes until a key or a signal ends it.
async fn follow(
    screen: &mut Screen,
    interrupt: &mut Interrupt,
    mut alerts: Subscription,
    mut state: State,
) -> Result<Subscription, Failure> {
    let mut keys = Keys::listen()?;
    let mut frames = interval(FRAME);
    frames.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = interrupt.received() => return Ok(alerts),
            key = keys.next() => match key {
                Some(Act::Leave) | None => return Ok(alerts),
                Some(act) => state.act(act),
            },
            _ = frames.tick() => {
                for line in output::stderr::taken() {
                    state.note(&line);
                }
                if state.is_due() {
                    screen.draw(|frame| screen::draw(frame, &mut state))?;
                }
            }
            alert = alerts.next(), if !state.is_over() => match alert {
                Some(alert) => state.add(alert),
                None => state.end(),
            },
        }
    }
}
