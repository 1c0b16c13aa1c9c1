//! Tokens that a shell command prints.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{LONGEST, TokenFailure};
use crate::ErrorKind;
use crate::auth::credential::{Credential, Secret};

/// How long the command may take.
const TIMEOUT: Duration = Duration::from_secs(8);
/// How long after its end what it printed may take to come: a program that it left behind may hold the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How often it is looked whether the command has ended.
const GLANCE: Duration = Duration::from_millis(10);

const RUN_IT: &str = "run `token_command` by hand to see what it says";

pub(super) struct TokenCommand {
    command: Secret,
    /// The credential, by its name.
    of: String,
}

impl TokenCommand {
    pub(super) fn new(command: Secret, credential: &Credential) -> Self {
        Self { command, of: credential.to_string() }
    }

    /// What the command prints, without white space around it. The command, and what it started, is killed where it
    /// takes or prints too much, or where `stopped` says so.
    pub(super) fn run(&self, stopped: &dyn Fn() -> bool) -> Result<String, TokenFailure> {
        let deadline = Instant::now() + TIMEOUT;
        let lasting = |what: String| TokenFailure::lasting(format!("{self} {what}"), RUN_IT);
        let mut group =
            Group::start(self.command.reveal()).map_err(|problem| lasting(format!("does not start: {problem}")))?;
        let printed = group.printed();
        let mut bytes = None;
        let status = loop {
            bytes = bytes.or_else(|| printed.try_recv().ok());
            if let Some(Ok(bytes)) = &bytes
                && bytes.len() > LONGEST
            {
                return Err(lasting(format!("prints more than {LONGEST} bytes")));
            }
            let status =
                group.child.try_wait().map_err(|problem| lasting(format!("cannot be waited for: {problem}")))?;
            if let Some(status) = status {
                break status;
            }
            if stopped() {
                return Err(TokenFailure::passing(ErrorKind::Usage, format!("{self} was stopped"), RUN_IT));
            }
            if Instant::now() >= deadline {
                let late = lasting(format!("did not end within {} s", TIMEOUT.as_secs()));
                return Err(TokenFailure { kind: ErrorKind::TimedOut, ..late });
            }
            std::thread::sleep(GLANCE);
        };
        group.ended = true;
        if !status.success() {
            return Err(lasting(format!("fails: {}", said(status))));
        }
        match bytes.map_or_else(|| printed.recv_timeout(LAST_WORDS), Ok) {
            Ok(Ok(bytes)) if bytes.len() > LONGEST => Err(lasting(format!("prints more than {LONGEST} bytes"))),
            Ok(Ok(bytes)) => match String::from_utf8(bytes) {
                Ok(text) if text.trim().is_empty() => Err(lasting("prints nothing".to_owned())),
                Ok(text) => Ok(text.trim().to_owned()),
                Err(_) => Err(lasting("prints what is no text".to_owned())),
            },
            Ok(Err(problem)) => Err(lasting(format!("prints what cannot be read: {problem}"))),
            Err(_) => Err(TokenFailure::lasting(
                format!("{self} leaves a program behind that holds its standard output"),
                "redirect the standard output of what it starts in the background",
            )),
        }
    }
}

/// How it ended. What it wrote on the standard error is not shown: a command that is traced says its secrets there.
fn said(status: ExitStatus) -> String {
    status.code().map_or_else(|| "it was killed".to_owned(), |code| format!("exit code {code}"))
}

impl fmt::Display for TokenCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the token command of {}", self.of)
    }
}

/// A shell and what it starts; killed where it goes out of scope before its end.
struct Group {
    child: Child,
    ended: bool,
}

impl Group {
    fn start(command: &str) -> std::io::Result<Self> {
        let mut shell = shell(command);
        let child = shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        Ok(Self { child, ended: false })
    }

    /// What it prints, once it has closed its output or printed too much.
    fn printed(&mut self) -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
        let (tell, printed) = mpsc::channel();
        if let Some(out) = self.child.stdout.take() {
            std::thread::spawn(move || {
                let mut bytes = Vec::new();
                let read = out.take(LONGEST as u64 + 1).read_to_end(&mut bytes);
                // Nobody waits for it any more where the command took too long.
                let _told = tell.send(read.map(|_| bytes));
            });
        }
        printed
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        kill(&mut self.child);
        // Gone or not, it was told; what is waited for here is the end of a killed process.
        let _status = self.child.wait();
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut shell = Command::new("/bin/sh");
    // A group of its own, so that all of it can be ended at once.
    shell.arg("-c").arg(command).process_group(0);
    shell
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    // Not waited for yet, so the number is still its own. Where it has ended by itself there is nothing to kill.
    let _killed = group.map(|group| kill_process_group(group, Signal::KILL));
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

#[cfg(not(unix))]
fn kill(child: &mut Child) {
    // Where it has ended by itself there is nothing to kill.
    let _killed = child.kill();
}
