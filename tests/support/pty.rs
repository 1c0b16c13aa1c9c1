//! A terminal that a test holds the other end of.

use std::fs::File;
use std::io::{Read, Write};
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Termios, Winsize, tcgetattr, tcsetwinsize};

use crate::process::PATIENCE;

/// A program in a terminal of its own; killed where it goes out of scope.
pub struct Terminal {
    child: Child,
    keyboard: File,
    /// The program's end, open so that its settings can be looked at after the program.
    line: OwnedFd,
    before: Termios,
    screen: Arc<Mutex<vt100::Parser>>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    /// Starts a program in a terminal of this size.
    pub fn start(program: &Path, arguments: &[&str], home: &Path, (columns, rows): (u16, u16)) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let name = ptsname(&keyboard, Vec::new()).unwrap();
        let line = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let keyboard = File::from(keyboard);
        resize(&keyboard, columns, rows);
        let before = tcgetattr(&line).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        // It gives the terminal to the program, which has it by itself then, and signals of its size.
        let child = Command::new("setsid")
            .arg("--ctty")
            .arg(program)
            .args(arguments)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home)
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(size(rows), size(columns), 0)));
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut shown, parsed, kept) = (keyboard.try_clone().unwrap(), Arc::clone(&screen), Arc::clone(&written));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count) = shown.read(&mut bytes)
                && count > 0
            {
                parsed.lock().unwrap().process(&bytes[..count]);
                kept.lock().unwrap().extend_from_slice(&bytes[..count]);
            }
        });
        Self { child, keyboard, line, before, screen, written }
    }

    /// Types.
    pub fn say(&self, keys: &str) {
        (&self.keyboard).write_all(keys.as_bytes()).unwrap();
    }

    /// Gives the terminal another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(size(rows), size(columns));
        resize(&self.keyboard, columns, rows);
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args(["-s", signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -s {signal}");
    }

    /// What the screen shows.
    pub fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the screen shows what passes `enough`, and returns that.
    pub fn wait_for(&self, what: &str, enough: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        loop {
            let text = self.text();
            if enough(&text) {
                return text;
            }
            assert!(started.elapsed() < PATIENCE, "no {what} within {PATIENCE:?}; the screen shows:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits for the end of the program, and checks that it left the terminal as it was: its settings, the screen before,
    /// and the cursor.
    pub fn finish(mut self) -> ExitStatus {
        let started = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(started.elapsed() < PATIENCE, "it did not end; the screen shows:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        };
        // What was written last may not be read yet.
        std::thread::sleep(Duration::from_millis(200));
        let after = tcgetattr(&self.line).unwrap();
        let modes = |termios: &Termios| (termios.local_modes, termios.input_modes, termios.output_modes);
        assert_eq!(modes(&after), modes(&self.before), "the terminal's settings");
        let parser = self.screen.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen() && !screen.hide_cursor(), "{}", screen.contents());
        status
    }

    /// All that was ever written to the terminal.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended, unless the test failed.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// A number of rows or columns, of which a terminal has some.
fn size(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

fn resize(terminal: &File, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).unwrap();
}
