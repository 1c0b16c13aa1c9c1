//! What can be wrong with an archive, or with the way to it.

use std::io::{self, BufReader, Read as _, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Asked, Reply, State};
use crate::http::Request;

/// What the archive does.
#[derive(Debug, Clone, Default)]
pub enum Fault {
    /// What it should.
    #[default]
    None,
    /// Closes each connection without a word.
    Closes,
    /// Ends its side of each connection, and reads on.
    HalfCloses,
    /// Takes requests and never answers.
    Frozen,
    /// Answers in something that is not HTTP.
    Garbled,
    /// Sends the header of an answer byte by byte, without end.
    DripsHeader,
    /// Sends a header without end.
    EndlessHeader,
    /// Sends interim answers (102, 103) before the right one.
    Interim,
    /// Sends interim answers without end.
    EndlessInterim,
    /// Sends one byte a second of its answers' bodies, without end.
    Drips,
    /// Sends an answer without end.
    Endless,
    /// Closes the connection in the middle of each answer's body.
    Cuts,
    /// Cuts off what it answers in the middle, as if that were all.
    Truncated,
    /// Answers everything with this status.
    Says(u16),
    /// Answers the first so many requests with this status, after the login.
    First(usize, u16),
    /// Answers with this status as soon as it has the header of a message, reads nothing of it, and closes the connection.
    Early(u16),
    /// Does the same, and leaves the connection open.
    EarlyAndOpen(u16),
    /// Reads nothing of a message, and says nothing.
    NeverReads,
    /// Reads a message at this pace, in bytes a second.
    ReadsSlowly(usize),
    /// Answers that it is elsewhere.
    Redirects(String),
    /// Does not know the password, and says that the login was good.
    WrongSignature,
    /// Ends another login than the one that was begun.
    WrongSid,
    /// Says nothing of the login with its answer.
    NoSignature,
    /// Asks for so many iterations.
    Iterations(u64),
    /// Confirms a message before it was sent.
    ConfirmsNothing,
}

impl State {
    pub(super) fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::with_capacity(4096, stream);
        let Some(mut request) = Request::read_head(&mut reader) else { return };
        let fault = self.fault.lock().unwrap().clone();
        let length = request.length();
        let is_read = length == 0 || self.read_body(&mut reader, &mut request, length, &fault);
        let authorization = request.authorization().map(str::to_owned);
        let asked = Asked { method: request.method, path: request.path, authorization, body: request.body };
        self.asked.lock().unwrap().push(asked.clone());
        if !is_read {
            return;
        }
        let concurrent = self.concurrent.fetch_add(1, Ordering::AcqRel) + 1;
        self.most_concurrent.fetch_max(concurrent, Ordering::AcqRel);
        // Not within the lock: requests wait beside each other.
        let delay = *self.delay.lock().unwrap();
        std::thread::sleep(delay);
        // The client may be gone by now, which is its own affair.
        let _answered = self.answer(reader.get_mut(), &asked, &fault);
        self.concurrent.fetch_sub(1, Ordering::AcqRel);
    }

    /// Reads what is sent with a request; returns whether there is still something to answer.
    fn read_body(
        &self,
        reader: &mut BufReader<TcpStream>,
        request: &mut Request,
        length: usize,
        fault: &Fault,
    ) -> bool {
        match fault {
            Fault::Early(status) | Fault::EarlyAndOpen(status) => {
                let answer = format!("HTTP/1.1 {status} early\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                if matches!(fault, Fault::EarlyAndOpen(_)) {
                    self.wait();
                }
                false
            }
            Fault::NeverReads => {
                self.wait();
                false
            }
            Fault::ReadsSlowly(pace) => {
                while request.body.len() < length && !self.is_over() {
                    let most = (pace / 20).min(length - request.body.len());
                    let read = reader.take(most as u64).read_to_end(&mut request.body);
                    if !read.is_ok_and(|read| read > 0) {
                        return false;
                    }
                    std::thread::sleep(Duration::from_millis(50));
                }
                true
            }
            _ => request.read_body(reader).is_some(),
        }
    }

    fn is_over(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// Waits for the end of the test.
    fn wait(&self) {
        while !self.is_over() {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes the same again and again, until the client goes away.
    fn repeat(&self, stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> io::Result<()> {
        while !self.is_over() {
            stream.write_all(bytes)?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn answer(&self, stream: &mut TcpStream, asked: &Asked, fault: &Fault) -> io::Result<()> {
        let (slowly, at_once) = (Duration::from_millis(200), Duration::ZERO);
        let reply = match fault {
            Fault::Closes => return Ok(()),
            Fault::HalfCloses => {
                stream.shutdown(Shutdown::Write)?;
                self.wait();
                return Ok(());
            }
            Fault::Frozen => {
                self.wait();
                return Ok(());
            }
            Fault::Garbled => return stream.write_all(b"220 mail.example.org ESMTP\r\n".repeat(100).as_slice()),
            Fault::DripsHeader => {
                stream.write_all(b"HTTP/1.1 201 status\r\nX: ")?;
                return self.repeat(stream, b"x", slowly);
            }
            Fault::EndlessHeader => {
                stream.write_all(b"HTTP/1.1 201 status\r\nX: ")?;
                return self.repeat(stream, &[b'x'; 1 << 16], at_once);
            }
            Fault::EndlessInterim => {
                return self.repeat(stream, b"HTTP/1.1 102 Processing\r\n\r\n", Duration::from_millis(1));
            }
            Fault::Says(status) => Reply::new(*status, "no"),
            Fault::Redirects(to) => Reply { status: 307, headers: vec![("Location", to.clone())], body: Vec::new() },
            Fault::ConfirmsNothing => Reply::new(201, ""),
            _ => self.reply(asked, fault),
        };
        if matches!(fault, Fault::Interim) {
            stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")?;
        }
        write!(stream, "HTTP/1.1 {} status\r\nConnection: close\r\n", reply.status)?;
        for (name, value) in &reply.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        match fault {
            Fault::Drips if reply.status < 300 => {
                write!(stream, "Content-Length: 1000000\r\n\r\n")?;
                self.repeat(stream, b"x", Duration::from_secs(1))
            }
            Fault::Endless if reply.status < 300 => {
                write!(stream, "\r\n")?;
                self.repeat(stream, &[b'x'; 1 << 16], at_once)
            }
            Fault::Cuts if reply.status < 300 => {
                write!(stream, "Content-Length: {}\r\n\r\n", reply.body.len())?;
                stream.write_all(&reply.body[..reply.body.len() / 2])
            }
            _ => {
                write!(stream, "Content-Length: {}\r\n\r\n", reply.body.len())?;
                stream.write_all(&reply.body)
            }
        }
    }
}
