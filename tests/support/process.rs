//! Programs that tests run: fed, waited for within a time, and gone at the end, also where the test panics.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// No test waits longer for a program, unless it says so.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A program to be run.
#[derive(Debug)]
pub struct Program {
    command: Command,
    input: Option<Vec<u8>>,
}

impl Program {
    pub fn new(path: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(path), input: None }
    }

    #[must_use]
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    #[must_use]
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// What comes from the standard input, which is empty otherwise.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    pub fn start(self) -> Running {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        self.spawn(stdin)
    }

    /// Starts it to be answered with [`Running::say`].
    pub fn dialogue(self) -> Running {
        self.spawn(Stdio::piped())
    }

    fn spawn(self, stdin: Stdio) -> Running {
        let Self { mut command, input } = self;
        command.stdin(stdin);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = Pipe::read(child.stdout.take().unwrap());
        let err = Pipe::read(child.stderr.take().unwrap());
        if let Some(input) = input {
            let mut stdin = child.stdin.take().unwrap();
            // A program that ends without reading all is no failure of the test.
            std::thread::spawn(move || stdin.write_all(&input));
        }
        Running { child, started: Instant::now(), out, err }
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        self.start().finish()
    }
}

/// A program that runs; killed where it goes out of scope.
pub struct Running {
    child: Child,
    started: Instant,
    out: Pipe,
    err: Pipe,
}

impl Running {
    /// Writes to its standard input.
    pub fn say(&self, text: &str) {
        self.child.stdin.as_ref().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Waits until what it printed on the standard output passes `enough`, and returns that.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&str) -> bool) -> String {
        self.out.wait_for(enough).unwrap_or_else(|so_far| {
            panic!("no {what} within {PATIENCE:?}; printed:\n{so_far}\nand on stderr:\n{}", self.err.text())
        })
    }

    /// The same of the standard error.
    pub fn wait_for_error(&self, what: &str, enough: impl Fn(&str) -> bool) -> String {
        self.err.wait_for(enough).unwrap_or_else(|so_far| {
            panic!("no {what} within {PATIENCE:?}; on stderr:\n{so_far}\nand printed:\n{}", self.out.text())
        })
    }

    /// The first line on the standard output.
    pub fn first_line(&self) -> String {
        let text = self.wait_for("line", |text| text.contains('\n'));
        text.lines().next().unwrap().to_owned()
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends the signal of this name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(killed.success(), "process {} cannot be sent {name}", self.child.id());
    }

    /// Waits for its end.
    pub fn finish(self) -> Finished {
        self.finish_within(PATIENCE)
    }

    pub fn finish_within(mut self, patience: Duration) -> Finished {
        let deadline = Instant::now() + patience;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                Instant::now() < deadline,
                "did not end within {patience:?}; printed:\n{}\nand on stderr:\n{}",
                self.out.text(),
                self.err.text()
            );
            std::thread::sleep(Duration::from_millis(2));
        };
        let took = self.started.elapsed();
        Finished { status, took, out: self.out.rest(), err: String::from_utf8_lossy(&self.err.rest()).into_owned() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _killed = self.child.kill();
        let _status = self.child.wait();
    }
}

/// What is left of a program that ended.
#[derive(Debug)]
pub struct Finished {
    pub status: ExitStatus,
    pub took: Duration,
    pub out: Vec<u8>,
    pub err: String,
}

impl Finished {
    /// The standard output, where the exit code is the one expected.
    #[track_caller]
    pub fn expect(&self, code: i32) -> &str {
        let out = std::str::from_utf8(&self.out).expect("text on stdout");
        let Self { status, err, .. } = self;
        assert_eq!(status.code(), Some(code), "{status}; printed:\n{out:.2000}\nand on stderr:\n{err:.2000}");
        out
    }
}

/// What came from a pipe so far, read by a thread so that the program never waits for us.
struct Pipe {
    shared: Arc<(Mutex<Vec<u8>>, Condvar)>,
    reader: Option<JoinHandle<()>>,
}

impl Pipe {
    fn read(mut from: impl Read + Send + 'static) -> Self {
        let shared = Arc::<(Mutex<Vec<u8>>, Condvar)>::default();
        let to = Arc::clone(&shared);
        let reader = std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                to.0.lock().unwrap().extend_from_slice(&buffer[..length]);
                to.1.notify_all();
            }
        });
        Self { shared, reader: Some(reader) }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.shared.0.lock().unwrap()).into_owned()
    }

    /// What came, once it is enough; what came so far, where it is not in time.
    fn wait_for(&self, enough: impl Fn(&str) -> bool) -> Result<String, String> {
        let short = |bytes: &mut Vec<u8>| !enough(&String::from_utf8_lossy(bytes));
        let (bytes, waited) = self.shared.1.wait_timeout_while(self.shared.0.lock().unwrap(), PATIENCE, short).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if waited.timed_out() { Err(text) } else { Ok(text) }
    }

    /// All, once the program has ended.
    fn rest(&mut self) -> Vec<u8> {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        std::mem::take(&mut self.shared.0.lock().unwrap())
    }
}
