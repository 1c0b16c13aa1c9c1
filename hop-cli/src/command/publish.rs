use std::cell::Cell;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use clap::Args;
use hop_core::{AnyModel, Blob, JsonBlob, MessageModel as _, Registration, Registry};
use hop_models::AvroBlob;

use super::decode::read;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{detect, output, schemas};

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Where to: `kafka://[username@]broker[:port]/topic`.
    pub(crate) url: String,

    /// Files to publish, one message each. If there are none, standard input is read to its end, and each line is a message.
    pub(crate) files: Vec<PathBuf>,

    /// The format of the messages, in any case; BLOB, for opaque bytes, unless set.
    #[arg(short, long)]
    pub(crate) format: Option<String>,

    /// Wrap each message in this, for readers that expect it: `confluent`, `single-object`, `schema-in-key` or `container` for
    /// Avro, `gzip` for anything; several are joined by `+`, the innermost first.
    #[arg(long, value_name = "FRAMING[+FRAMING...]")]
    pub(crate) framing: Option<String>,

    /// Ask this schema registry for the numbers of schemas; a credential for its host and port is sent along.
    #[arg(long, value_name = "URL", requires = "framing")]
    pub(crate) registry: Option<String>,

    /// Register the schemas that the registry does not have.
    #[arg(long, requires = "registry")]
    pub(crate) register: bool,

    /// Take the numbers of schemas from this folder of `.avsc` files, before any registry.
    #[arg(long, value_name = "DIR", requires = "framing")]
    pub(crate) schemas: Option<PathBuf>,

    /// Mark the messages as test messages.
    #[arg(short, long)]
    pub(crate) test: bool,

    /// Send each record of an Avro file as a message of its own; hop-client cannot read several in one.
    #[arg(long)]
    pub(crate) each_record: bool,

    /// Seconds in which each message has to be sent and confirmed; zero for no limit.
    #[arg(long, default_value = "0", value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: std::time::Duration,

    /// Do not authenticate.
    #[arg(long)]
    pub(crate) no_auth: bool,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| format!("expected a number of seconds, found `{text}`"))?;
    std::time::Duration::try_from_secs_f64(seconds).map_err(|_| "expected seconds, zero or more".to_owned())
}

/// The formats whose messages may come line by line.
const BY_LINE: [&str; 2] = ["blob", "json"];

pub(crate) async fn run(registry: Registry, options: Publish) -> Result<ExitCode, Failure> {
    let framing = match &options.framing {
        Some(name) => {
            registry.require_framing(name).map_err(|error| Failure::Usage(format!("--framing {name}: {error}")))?;
            let schemas = schemas::source(options.schemas.as_deref(), options.registry.as_deref(), options.register)?;
            Some(registry.framing(name, schemas.as_ref())?)
        }
        None => None,
    };
    let models = load(&registry, &options)?;
    let hop = crate::stream(registry, options.no_auth).build()?;
    let request = hop.publish(&options.url).produce_timeout(options.timeout);
    let out = match framing {
        Some(framing) => request.framing(framing).await?,
        None => request.await?,
    };
    let mut interrupt = Interrupt::listen()?;
    let (queued, refused) = (Cell::new(0), Cell::new(0));
    let work = async {
        for model in &models {
            // What is not delivered comes back from `flush`; what is too large is told here, and the others go on.
            match out.write(&**model).test(options.test).queue().await {
                Ok(_fate) => {}
                Err(error) if error.undelivered().is_empty() => return Err(error),
                Err(error) => refused.set(refused.get() + complain(&error)),
            }
            queued.set(queued.get() + 1);
        }
        out.flush().await
    };
    let sent = tokio::select! {
        biased;
        () = interrupt.received() => None,
        sent = work => Some(sent),
    };
    let lost = match sent {
        Some(Ok(())) => refused.get(),
        Some(Err(error)) if error.undelivered().is_empty() => return Err(error.into()),
        Some(Err(error)) => refused.get() + complain(&error),
        None => {
            let unsent = models.len() - queued.get() + out.unsent();
            // What is given up here is counted already.
            let _given_up = out.close_within(std::time::Duration::ZERO).await;
            output::complain(format_args!("stopped with {unsent} of {} messages unsent", models.len()));
            return Ok(ExitCode::FAILURE);
        }
    };
    if lost == 0 {
        return Ok(ExitCode::SUCCESS);
    }
    output::complain(format_args!("{lost} of {} messages were not delivered", models.len()));
    Ok(ExitCode::FAILURE)
}

/// Says of each message that it was not delivered, and why; gives how many they are.
fn complain(error: &hop_kafka::Error) -> usize {
    for lost in error.undelivered() {
        output::complain(format_args!("not delivered to `{}`: {}", lost.topic, lost.reason));
    }
    error.undelivered().len()
}

/// Every message, read before the first is sent: a file that does not load stops all.
fn load(registry: &Registry, options: &Publish) -> Result<Vec<Box<dyn AnyModel>>, Failure> {
    let label = options.format.as_deref().unwrap_or(Blob::FORMAT);
    let model = registry.require(label).map_err(|error| Failure::Usage(error.to_string()))?;
    let note = |name: &str, content: &[u8]| match looks_like(registry, content) {
        Some(likely) if options.format.is_none() => output::complain(format_args!(
            "{name} is sent as `{}`, opaque bytes, and looks like `{likely}`: send it as that with `--format {likely}`",
            model.format()
        )),
        _ => {}
    };
    if options.each_record && model.format() != "avro" {
        return Err(Failure::Usage("`--each-record` is for Avro files: add `--format avro`".to_owned()));
    }
    if !options.files.is_empty() {
        let mut messages = Vec::with_capacity(options.files.len());
        for path in &options.files {
            let named = |what: String| {
                Failure::Io(std::io::Error::other(format!("{}: {what}; nothing was sent", path.display())))
            };
            let content = read(path).map_err(|error| named(error.to_string()))?;
            note(&output::path(path), &content);
            let message = model.load((&content).into()).map_err(|error| named(error.to_string()))?;
            match message.downcast_ref::<AvroBlob>() {
                Some(blob) if options.each_record => {
                    messages.extend(records(blob).map_err(|error| named(error.to_string()))?)
                }
                Some(blob) if blob.count() != 1 => {
                    return Err(named(format!(
                        "it holds {} records, and hop-client reads messages of one only; send each as a message of its own \
                         with `--each-record`",
                        blob.count()
                    )));
                }
                _ => messages.push(message),
            }
        }
        return Ok(messages);
    }
    if !BY_LINE.contains(&model.format()) {
        return Err(Failure::Usage(format!(
            "standard input is read line by line, for {} only; give {} messages as files",
            BY_LINE.join(" and "),
            model.format()
        )));
    }
    let mut input = Vec::new();
    std::io::stdin().lock().read_to_end(&mut input)?;
    let input = Bytes::from(input);
    if let Some(line) = lines(&input).next() {
        note("the standard input", &line);
    }
    lines(&input)
        .enumerate()
        .map(|(at, line)| {
            let named = |error| std::io::Error::other(format!("line {}: {error}; nothing was sent", at + 1));
            model.load((&line).into()).map_err(|error| named(error).into())
        })
        .collect()
}

/// Returns the format that content looks like, if it is not one of opaque bytes.
fn looks_like(registry: &Registry, content: &[u8]) -> Option<&'static str> {
    let json = detect::starts_like_json(content).then(|| registry.get(JsonBlob::FORMAT)).flatten();
    detect::by_content(registry, content).or(json).map(Registration::format)
}

/// Each record of a file as a file of its own, by the same schema.
fn records(blob: &AvroBlob) -> Result<Vec<Box<dyn AnyModel>>, hop_core::Error> {
    let one = |record: AvroBlob| Box::new(record) as Box<dyn AnyModel>;
    Ok(blob.each_record()?.into_iter().map(one).collect())
}

/// The lines, without their ends; what follows the last end is a line unless it is empty.
fn lines(input: &Bytes) -> impl Iterator<Item = Bytes> {
    let text = input.strip_suffix(b"\n").unwrap_or(input);
    let none = input.is_empty();
    text.split(|byte| *byte == b'\n')
        .filter(move |_| !none)
        .map(|line| input.slice_ref(line.strip_suffix(b"\r").unwrap_or(line)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_with_either_end_and_empty_ones_count() {
        let read = |text: &'static str| {
            lines(&Bytes::from_static(text.as_bytes()))
                .map(|line| String::from_utf8(line.to_vec()).unwrap())
                .collect::<Vec<_>>()
        };
        assert_eq!(read(""), [""; 0]);
        assert_eq!(read("a\r\nb\n\nc"), ["a", "b", "", "c"]);
        assert_eq!(read("a\n"), ["a"]);
    }
}
