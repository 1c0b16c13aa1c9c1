//! Python's side: the environment, publish.py and receive.py.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Duration;

use hop_tests::Broker;
use hop_tests::process::{Finished, Program};
use serde_json::{Value as Json, json};

/// Until the scripts give up, in seconds. We wait a little longer, for their complaint.
const SCRIPT_PATIENCE: &str = "60";
/// The first run fetches hop-client.
const SETUP_PATIENCE: Duration = Duration::from_secs(600);

pub(crate) struct Python {
    folder: tempfile::TempDir,
}

impl Python {
    /// Apache Kafka, and hop-client beside it; `None`, said aloud, where there is no broker to talk to.
    ///
    /// A Python that cannot be set up is a failure: whoever starts Apache Kafka for the tests wants these.
    pub(crate) fn or_skip(test: &str) -> Option<(Self, Broker)> {
        let broker = Broker::apache_or_skip(test)?;
        Some((Self { folder: tempfile::tempdir().unwrap() }, broker))
    }

    /// The same without a broker; `None`, said aloud, where the environment is not made.
    pub(crate) fn alone_or_skip(test: &str) -> Option<Self> {
        if !hop_tests::root().join("target/interop/venv/stamp").is_file() {
            hop_tests::skip(test, "it needs Python's side: tests/interop/setup");
            return None;
        }
        Some(Self { folder: tempfile::tempdir().unwrap() })
    }

    fn script(&self, name: &str, broker: &Broker, topic: &str, options: &[&str]) -> Finished {
        let path = hop_tests::root().join("tests/interop").join(name);
        self.program(&[path.to_str().unwrap()])
            .args(["--broker", broker.address(), "--topic", topic, "--timeout", SCRIPT_PATIENCE])
            .args(options)
            .run()
    }

    /// The interpreter with these arguments, where hop-client is.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        Program::new(interpreter())
            .args(arguments)
            // Neither what the user has set up, nor bytecode beside the sources.
            .env("HOME", self.folder.path())
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
    }

    /// Publishes with hop-client; the records that it handed to Kafka, in the order of the cases.
    #[track_caller]
    pub(crate) fn publish(&self, broker: &Broker, topic: &str, cases: &[Json]) -> Vec<Json> {
        let path = self.folder.path().join("cases.json");
        std::fs::write(&path, json!(cases).to_string()).unwrap();
        let finished = self.script("publish.py", broker, topic, &["--cases", path.to_str().unwrap()]);
        let sent = lines(finished.expect(0));
        assert_eq!(sent.len(), cases.len(), "{}", finished.err);
        sent
    }

    /// Reads a topic from its start to its end, where so many messages are to come.
    #[track_caller]
    pub(crate) fn receive(&self, broker: &Broker, topic: &str, count: usize, test: bool) -> Vec<Json> {
        lines(self.try_to_receive(broker, topic, count, test).expect(0))
    }

    /// The same, where hop-client may fail.
    pub(crate) fn try_to_receive(&self, broker: &Broker, topic: &str, count: usize, test: bool) -> Finished {
        let count = count.to_string();
        let mut options = vec!["--count", &count];
        options.extend(test.then_some("--test"));
        self.script("receive.py", broker, topic, &options)
    }
}

pub(crate) fn lines(out: &str) -> Vec<Json> {
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The interpreter of the environment, which is made where it is not there yet.
fn interpreter() -> &'static PathBuf {
    static INTERPRETER: OnceLock<PathBuf> = OnceLock::new();
    INTERPRETER.get_or_init(|| {
        let setup = hop_tests::root().join("tests/interop/setup");
        let finished = Program::new(setup).start().finish_within(SETUP_PATIENCE);
        let path = PathBuf::from(finished.expect(0).trim_end());
        assert!(path.is_file(), "setup printed {}", path.display());
        path
    })
}
