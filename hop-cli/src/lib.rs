#![doc = include_str!("../README.md")]

mod args;
mod chart;
mod command;
mod detect;
mod failure;
mod generate;
mod interrupt;
mod label;
mod metrics;
mod moment;
mod output;
mod recording;
mod schemas;

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
/// Names crates of models, so that the command has them; see there.
pub use hop_core::plugins;
use hop_core::{Registry, RegistryBuilder};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Args, Command};
use crate::failure::Failure;

/// The whole `hop` command: reads the arguments of the process, does as they say, and returns the exit code.
///
/// It knows the models of `hop-models` and every model of the crates that the binary names.
///
/// 0 means that all went well, 1 that something failed, did not decode or was not sent, 2 that it was called wrongly.
///
/// Ctrl-C, SIGTERM and SIGHUP end a command that waits as the end of the messages would: what is done is committed, the
/// group is left, and what is left is said; the exit code is that of what was done until then. The second of these signals
/// ends the process at once, with 128 and the signal's number. A SIGHUP that is ignored, as under `nohup`, stays ignored.
pub fn main() -> ExitCode {
    main_with(|models| models)
}

/// [`main`] with models put in by hand, or put in the place of others:
///
/// ```no_run
/// # use hop_models::VoEvent;
/// use hop_core::registration;
///
/// fn main() -> std::process::ExitCode {
///     hop_cli::main_with(|models| models.replace([registration!(VoEvent)]))
/// }
/// ```
pub fn main_with(models: impl FnOnce(RegistryBuilder) -> RegistryBuilder) -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are errors to clap, and go to the standard output.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            // A help that cannot be written is a failure; where the standard error is gone there is nowhere to say so.
            if let Err(failed) = error.print().and_then(|()| std::io::Write::flush(&mut std::io::stdout())) {
                return if error.use_stderr() { code } else { Failure::Io(failed).report(false) };
            }
            if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
                command::auth::advise();
            }
            return code;
        }
    };
    log_to_stderr(&args);
    // A panic may quote what a message holds.
    std::panic::set_hook(Box::new(|panic| output::complain(panic)));
    let debug = args.debug;
    match run(
        args,
        models(Registry::builder().models(hop_models::MODELS).framings(hop_models::framing::FRAMINGS).linked()),
    ) {
        Ok(code) => code,
        Err(failure) => failure.report(debug),
    }
}

fn run(args: Args, models: RegistryBuilder) -> Result<ExitCode, Failure> {
    let registry = models.build()?;
    match args.command {
        Command::Decode(options) => command::decode::run(&registry, &options),
        Command::Show(options) => command::show::run(&registry, &options),
        Command::Models(options) => command::models::run(&registry, &options),
        Command::Validate(options) => command::validate::run(&registry, &options),
        Command::New(options) => command::new::run(&options),
        Command::Generate(options) => command::generate::run(&options),
        Command::Completions(options) => command::completions::run(&options),
        Command::Manual(options) => command::man::run(&options),
        Command::Help(options) => command::help::run(&options),
        Command::Version => command::version::run(),
        Command::Brokers(options) => command::brokers::run(&registry, &options),
        Command::Auth(options) => command::auth::run(options),
        Command::Configure(options) => command::configure::run(options),
        Command::Journal(command) => command::journal::run(registry, command),
        Command::Publish(options) => wait(command::publish::run(registry, options)),
        Command::Subscribe(options) => wait(command::subscribe::run(registry, *options)),
        Command::Watch(options) => wait(command::watch::run(registry, options)),
        Command::Record(options) => wait(command::record::run(registry, options)),
        Command::Replay(options) => wait(command::replay::run(registry, options)),
        Command::Archive(options) => wait(command::archive::run(registry, options)),
        Command::ListTopics(options) => wait(command::list_topics::run(registry, options)),
        Command::Broker(options) => wait(command::broker::run(options)),
        Command::Doctor(options) => wait(command::doctor::run(registry, options)),
        Command::Lag(options) => wait(command::lag::run(registry, options)),
        Command::Offsets(options) => wait(command::offsets::run(registry, options)),
        Command::Demo => wait(command::demo::run(registry)),
    }
}

/// Runs what waits for the network.
fn wait(work: impl Future<Output = Result<ExitCode, Failure>>) -> Result<ExitCode, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Io)?.block_on(work)
}

/// hop's own words at the level asked for; librdkafka's, which say the same once more, only when everything is asked for.
fn log_to_stderr(args: &Args) {
    let (own, library) = match (args.quiet, args.verbose, args.debug) {
        (true, ..) => (LevelFilter::WARN, LevelFilter::OFF),
        (.., true) => (LevelFilter::TRACE, LevelFilter::TRACE),
        (_, true, _) => (LevelFilter::DEBUG, LevelFilter::DEBUG),
        _ => (LevelFilter::INFO, LevelFilter::OFF),
    };
    let asked = std::env::var("RUST_LOG").ok().filter(|asked| !asked.is_empty() && !args.quiet);
    let targets = match asked.and_then(|asked| asked.parse::<Targets>().ok()) {
        Some(targets) => targets,
        None => Targets::new().with_target("hop", own).with_target("librdkafka", library),
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(output::stderr::writer)
        .with_ansi(std::io::stderr().is_terminal() && !is_set("NO_COLOR"))
        .with_target(false);
    // Fails only where a program that embeds this has set up its own log, which then serves.
    let _already = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

/// Whether a variable of the environment has a value.
fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

/// Asked for by every stream: no authentication, or whatever fits from the user's file.
fn stream(registry: impl Into<Arc<Registry>>, no_auth: bool) -> hop_kafka::StreamBuilder {
    let builder = hop_kafka::Stream::builder().registry(registry);
    if no_auth { builder.no_auth() } else { builder }
}
