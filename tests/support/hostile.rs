//! A server that speaks Kafka's handshake as far as SCRAM, and then means harm.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// What the server does once it knows the user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Harm {
    /// Asks for so many rounds of hashing.
    Iterations(&'static str),
    /// Answers with bytes that are no message of SCRAM.
    Garbage,
    /// Continues with a nonce that is not the client's.
    OtherNonce,
    /// Proves that it knows the password, wrongly.
    WrongSignature,
    /// Sends its answer so slowly that it never ends.
    Drip,
    /// Announces an answer of two gigabytes.
    Huge,
    /// Ends the connection.
    Close,
    /// Says nothing.
    Silence,
    /// Knows no mechanism, in as many words as fit.
    Mechanisms,
}

/// All of them.
pub const HARMS: [Harm; 11] = [
    Harm::Iterations("2147483647"),
    Harm::Iterations("99999999999999999999"),
    Harm::Iterations("0"),
    Harm::Garbage,
    Harm::OtherNonce,
    Harm::WrongSignature,
    Harm::Drip,
    Harm::Huge,
    Harm::Close,
    Harm::Silence,
    Harm::Mechanisms,
];

const SASL_HANDSHAKE: i16 = 17;
const API_VERSIONS: i16 = 18;
const SASL_AUTHENTICATE: i16 = 36;

/// The server; it ends, and cuts its connections, when it goes out of scope.
pub struct HostileServer {
    address: String,
    closed: Arc<AtomicBool>,
    connections: Arc<Mutex<Vec<TcpStream>>>,
    /// How many clients came as far as the harm.
    reached: Arc<AtomicUsize>,
    door: Option<JoinHandle<()>>,
}

impl HostileServer {
    pub fn start(harm: Harm) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (closed, reached) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let connections = Arc::<Mutex<Vec<TcpStream>>>::default();
        let door = {
            let (closed, reached, connections) = (Arc::clone(&closed), Arc::clone(&reached), Arc::clone(&connections));
            std::thread::spawn(move || {
                while !closed.load(Ordering::Acquire) {
                    let Ok((connection, _)) = listener.accept() else {
                        std::thread::sleep(Duration::from_millis(5));
                        continue;
                    };
                    connection.set_nonblocking(false).unwrap();
                    connections.lock().unwrap().push(connection.try_clone().unwrap());
                    let reached = Arc::clone(&reached);
                    // The client ends the connection when it has had enough.
                    std::thread::spawn(move || drop(serve(connection, harm, &reached)));
                }
            })
        };
        Self { address, closed, connections, reached, door: Some(door) }
    }

    pub fn address(&self) -> &str {
        &self.address
    }

    /// How many clients came as far as the harm.
    pub fn reached(&self) -> usize {
        self.reached.load(Ordering::Acquire)
    }
}

impl Drop for HostileServer {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Release);
        for connection in self.connections.lock().unwrap().drain(..) {
            // It may have ended already.
            let _ended = connection.shutdown(Shutdown::Both);
        }
        if let Some(door) = self.door.take() {
            door.join().unwrap();
        }
    }
}

struct Request {
    key: i16,
    version: i16,
    id: i32,
    body: Vec<u8>,
}

fn receive(connection: &mut TcpStream) -> io::Result<Request> {
    let mut length = [0; 4];
    connection.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::try_from(i32::from_be_bytes(length)).map_err(io::Error::other)?];
    connection.read_exact(&mut bytes)?;
    let short = |at: usize| i16::from_be_bytes([bytes[at], bytes[at + 1]]);
    let client = usize::try_from(short(8)).unwrap_or(0);
    let id = i32::from_be_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    Ok(Request { key: short(0), version: short(2), id, body: bytes[10 + client..].to_vec() })
}

fn send(connection: &mut TcpStream, id: i32, body: &[u8]) -> io::Result<()> {
    let length = i32::try_from(body.len() + 4).map_err(io::Error::other)?;
    connection.write_all(&[&length.to_be_bytes()[..], &id.to_be_bytes(), body].concat())
}

/// What this knows to answer, with the versions of it.
fn versions(version: i16) -> Vec<u8> {
    let known: [(i16, i16); 4] = [(3, 4), (SASL_HANDSHAKE, 1), (API_VERSIONS, 3), (SASL_AUTHENTICATE, 0)];
    let flexible = version >= 3;
    let mut out = vec![0, 0];
    if flexible {
        out.push(known.len() as u8 + 1);
    } else {
        out.extend((known.len() as i32).to_be_bytes());
    }
    for (key, most) in known {
        out.extend([key, 0, most].map(i16::to_be_bytes).concat());
        if flexible {
            out.push(0);
        }
    }
    out.extend(0_i32.to_be_bytes());
    if flexible {
        out.push(0);
    }
    out
}

/// An answer to the authentication: no error, and these bytes.
fn authentication(bytes: &[u8]) -> Vec<u8> {
    [&[0, 0, 0xff, 0xff][..], &(bytes.len() as i32).to_be_bytes(), bytes].concat()
}

fn serve(mut connection: TcpStream, harm: Harm, reached: &AtomicUsize) -> io::Result<()> {
    let mut turn = 0;
    loop {
        let Request { key, version, id, body } = receive(&mut connection)?;
        match key {
            API_VERSIONS => send(&mut connection, id, &versions(version))?,
            SASL_HANDSHAKE if harm == Harm::Mechanisms => {
                reached.fetch_add(1, Ordering::AcqRel);
                // The error for a mechanism that is not known.
                let mut answer = vec![0, 33, 0, 0, 0, 100];
                for _ in 0..100 {
                    answer.extend(1000_i16.to_be_bytes());
                    answer.extend([b'X'; 1000]);
                }
                send(&mut connection, id, &answer)?;
            }
            SASL_HANDSHAKE => {
                let mechanism = body.get(2..).unwrap_or_default();
                let length = (mechanism.len() as i16).to_be_bytes();
                send(&mut connection, id, &[&[0, 0, 0, 0, 0, 1], &length[..], mechanism].concat())?;
            }
            SASL_AUTHENTICATE => {
                turn += 1;
                let text = String::from_utf8_lossy(body.get(4..).unwrap_or_default()).into_owned();
                if turn == 1 {
                    reached.fetch_add(1, Ordering::AcqRel);
                }
                authenticate(&mut connection, id, harm, turn, &text)?;
            }
            // No client may come as far.
            _ => return Err(io::Error::other("an authenticated request")),
        }
    }
}

fn authenticate(connection: &mut TcpStream, id: i32, harm: Harm, turn: usize, text: &str) -> io::Result<()> {
    let nonce = text.split(',').find_map(|part| part.strip_prefix("r=")).unwrap_or_default();
    let first =
        |nonce: &str, iterations: &str| authentication(format!("r={nonce},s=c2FsdA==,i={iterations}").as_bytes());
    match harm {
        Harm::Iterations(iterations) => send(connection, id, &first(&format!("{nonce}x"), iterations)),
        Harm::Garbage => send(connection, id, &authentication(&[0xff, 0, b',', b'=', 0x80].repeat(1000))),
        Harm::OtherNonce => send(connection, id, &first("somebody-elses", "4096")),
        Harm::WrongSignature if turn == 1 => send(connection, id, &first(&format!("{nonce}x"), "4096")),
        Harm::WrongSignature => send(connection, id, &authentication(b"v=d3JvbmcgYnkgYWxsIG1lYW5z")),
        Harm::Drip => {
            let answer = first(&format!("{nonce}{}", "x".repeat(10_000)), "4096");
            connection.write_all(&[&(answer.len() as i32 + 4).to_be_bytes()[..], &id.to_be_bytes()].concat())?;
            for byte in answer {
                connection.write_all(&[byte])?;
                std::thread::sleep(Duration::from_millis(100));
            }
            Ok(())
        }
        Harm::Huge => {
            connection.write_all(&[&i32::MAX.to_be_bytes()[..], &id.to_be_bytes(), &[0; 1000]].concat())?;
            std::thread::sleep(Duration::from_secs(60));
            Ok(())
        }
        Harm::Close => connection.shutdown(Shutdown::Both),
        Harm::Silence | Harm::Mechanisms => Ok(()),
    }
}
