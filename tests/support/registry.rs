//! A schema registry for tests: it says what it is told to, and notes what it is asked for.

use std::io::{BufReader, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::http;

/// What the registry was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method and path.
    pub line: String,
    /// The `Authorization` header.
    pub authorization: Option<String>,
    pub body: String,
}

/// What it does about it.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Status and body.
    Says(u16, String),
    /// The same, after a while.
    Slowly(Duration, u16, String),
    /// That it is elsewhere.
    Moved(String),
    /// Nothing, ever.
    Hangs,
    /// A byte a tenth of a second, without end.
    Drips,
    /// More, without end.
    Endless,
    /// Closes the connection.
    Closes,
    /// Something that is not HTTP.
    Garbage,
}

impl Answer {
    /// The Avro schema of this text.
    pub fn schema(text: &str) -> Self {
        Self::Says(200, serde_json::json!({ "schema": text }).to_string())
    }

    /// There is no such schema.
    pub fn lacking() -> Self {
        Self::Says(404, r#"{"error_code": 40403, "message": "Schema not found"}"#.to_owned())
    }
}

type Answers = dyn Fn(&Request) -> Answer + Send + Sync;

struct State {
    answers: Box<Answers>,
    requests: Mutex<Vec<Request>>,
    stop: AtomicBool,
}

/// The server; it ends when it goes out of scope.
pub struct FakeRegistry {
    address: SocketAddr,
    state: Arc<State>,
}

impl FakeRegistry {
    pub fn start(answers: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::on(IpAddr::V4(Ipv4Addr::LOCALHOST), answers)
    }

    /// The same at another address of this machine.
    pub fn on(address: IpAddr, answers: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(State { answers: Box::new(answers), requests: Mutex::default(), stop: AtomicBool::new(false) });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stop.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&serving)) else { continue };
                // A client that hangs up ends its own connection alone.
                std::thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/api", self.address)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was asked for so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.requests.lock().unwrap().clone()
    }
}

impl Drop for FakeRegistry {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        let _woken = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, stream: TcpStream) -> Option<()> {
        stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        let mut out = stream;
        let asked = http::Request::read(&mut reader)?;
        let line = format!("{} {}", asked.method, asked.path);
        let authorization = asked.authorization().map(str::to_owned);
        let request = Request { line, authorization, body: String::from_utf8(asked.body).ok()? };
        self.requests.lock().unwrap().push(request.clone());
        let answer = (self.answers)(&request);
        let head = |status: u16, more: &str| format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{more}\r\n");
        let say = |out: &mut TcpStream, status: u16, text: &str| {
            let length = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", text.len());
            out.write_all(format!("{}{text}", head(status, &length)).as_bytes()).ok()
        };
        let end = std::time::Instant::now() + Duration::from_secs(20);
        let repeat = |out: &mut TcpStream, bytes: &[u8], pause: u64| {
            out.write_all(head(200, "Content-Length: 99999999\r\n").as_bytes()).ok()?;
            while std::time::Instant::now() < end && !self.stop.load(Ordering::Acquire) {
                out.write_all(bytes).ok()?;
                std::thread::sleep(Duration::from_millis(pause));
            }
            Some(())
        };
        match answer {
            Answer::Says(status, text) => say(&mut out, status, &text),
            Answer::Slowly(pause, status, text) => {
                std::thread::sleep(pause);
                say(&mut out, status, &text)
            }
            Answer::Moved(to) => {
                out.write_all(head(302, &format!("Location: {to}\r\nContent-Length: 0\r\n")).as_bytes()).ok()
            }
            Answer::Hangs => {
                while std::time::Instant::now() < end && !self.stop.load(Ordering::Acquire) {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Some(())
            }
            Answer::Drips => repeat(&mut out, b" ", 100),
            Answer::Endless => repeat(&mut out, &[b' '; 65_536], 0),
            Answer::Closes => Some(()),
            Answer::Garbage => out.write_all(b"\x00\x01\x02 nothing like HTTP\r\n\r\n").ok(),
        }
    }
}
