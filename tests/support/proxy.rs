//! A TCP proxy between a test and brokers: it passes on, delays, swallows, cuts and refuses.
//!
//! Brokers tell clients the addresses to go on with. [`Proxy::before`] puts its own in their place, so that a client which
//! came through the proxy stays behind it; it has to understand what passes for that. What is encrypted it does not:
//! [`Proxy::blind`] stands before the first contact alone.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a thread waits before it looks again whether it is to do something else.
const TICK: Duration = Duration::from_millis(5);

/// What becomes of bytes, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behaviour {
    /// They are passed on.
    #[default]
    Forward,
    /// They are passed on after this time.
    Delay(Duration),
    /// Connections are accepted and stay open, and nothing passes until the behaviour changes.
    BlackHole,
    /// Nobody listens; connections that were open are cut.
    Refuse,
}

/// A proxy before each of some brokers. It ends, and cuts its connections, when it goes out of scope.
pub struct Proxy {
    shared: Arc<Shared>,
    doors: Vec<JoinHandle<()>>,
}

struct Shared {
    /// The ports of the proxy and the brokers behind them.
    doors: Vec<(u16, String)>,
    rewrites: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    behaviour: Behaviour,
    closed: bool,
    connections: Vec<TcpStream>,
    accepted: usize,
}

impl Proxy {
    /// Before these brokers, `host:port` as they advertise themselves; all of those that a client may be sent to.
    pub fn before<'a>(brokers: impl IntoIterator<Item = &'a str>) -> Self {
        Self::open(brokers, true)
    }

    /// Before one broker, passing on bytes that it does not look at.
    pub fn blind(broker: &str) -> Self {
        Self::open([broker], false)
    }

    fn open<'a>(brokers: impl IntoIterator<Item = &'a str>, rewrites: bool) -> Self {
        let (listeners, doors): (Vec<_>, Vec<_>) = brokers
            .into_iter()
            .map(|broker| {
                let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
                let port = listener.local_addr().unwrap().port();
                (listener, (port, broker.to_owned()))
            })
            .unzip();
        let shared = Arc::new(Shared { doors, rewrites, state: Mutex::default() });
        let doors = listeners
            .into_iter()
            .enumerate()
            .map(|(number, listener)| {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.keep_door(number, listener))
            })
            .collect();
        Self { shared, doors }
    }

    /// Where the proxy of the first broker listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.shared.doors[0].0)
    }

    /// Where it listens for each broker, separated by commas.
    pub fn addresses(&self) -> String {
        let addresses: Vec<_> = self.shared.doors.iter().map(|(port, _)| format!("127.0.0.1:{port}")).collect();
        addresses.join(",")
    }

    /// From now on, for connections that are open and for new ones.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.lock().behaviour = behaviour;
        if behaviour == Behaviour::Refuse {
            self.cut();
            // What is in the backlog was accepted by the system; it is gone once the listeners are.
            std::thread::sleep(TICK * 4);
        }
    }

    /// Ends every connection that is open.
    pub fn cut(&self) {
        for connection in self.shared.lock().connections.drain(..) {
            // It may have ended already.
            let _ended = connection.shutdown(Shutdown::Both);
        }
    }

    /// How many connections were accepted so far.
    pub fn accepted(&self) -> usize {
        self.shared.lock().accepted
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.cut();
        for door in self.doors.drain(..) {
            // A panic of that thread was printed; one more here would abort the test.
            let _ended = door.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn behaviour(&self) -> Behaviour {
        self.lock().behaviour
    }

    fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Accepts connections at one port; while they are to be refused, there is no listener.
    fn keep_door(self: Arc<Self>, number: usize, listener: TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let mut listener = Some(listener);
        while !self.is_closed() {
            let refuse = self.behaviour() == Behaviour::Refuse;
            match &listener {
                Some(_) if refuse => listener = None,
                Some(open) => match open.accept() {
                    Ok((client, _)) => self.connect(client, &self.doors[number].1),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(TICK),
                    Err(error) => panic!("the proxy cannot accept: {error}"),
                },
                None if refuse => std::thread::sleep(TICK),
                None => {
                    let again = TcpListener::bind((Ipv4Addr::LOCALHOST, self.doors[number].0)).unwrap();
                    again.set_nonblocking(true).unwrap();
                    listener = Some(again);
                }
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream, broker: &str) {
        client.set_nonblocking(false).unwrap();
        // Where the broker is down, the client sees its connection closed.
        let Ok(server) = TcpStream::connect(broker) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).unwrap();
        }
        {
            let mut state = self.lock();
            state.accepted += 1;
            state.connections.extend([client.try_clone().unwrap(), server.try_clone().unwrap()]);
        }
        for (from, to, is_answer) in
            [(client.try_clone().unwrap(), server.try_clone().unwrap(), false), (server, client, true)]
        {
            let shared = Arc::clone(self);
            std::thread::spawn(move || {
                // An end of the connection, whosoever, ends it on both sides.
                let _ended = shared.pump(&from, &to, is_answer && shared.rewrites);
                let _ended = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
            });
        }
    }

    /// Passes on what comes until one side ends.
    fn pump(&self, mut from: &TcpStream, mut to: &TcpStream, rewrites: bool) -> io::Result<()> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            if rewrites {
                let mut length = [0; 4];
                from.read_exact(&mut length)?;
                buffer.resize(4 + u32::from_be_bytes(length) as usize, 0);
                buffer[..4].copy_from_slice(&length);
                from.read_exact(&mut buffer[4..])?;
                self.rewrite(&mut buffer[4..]);
            } else {
                buffer.resize(1 << 16, 0);
                let length = from.read(&mut buffer)?;
                if length == 0 {
                    return Ok(());
                }
                buffer.truncate(length);
            }
            self.wait(Instant::now());
            to.write_all(&buffer)?;
        }
    }

    /// Waits until what came at this time may pass.
    fn wait(&self, came: Instant) {
        while !self.is_closed() {
            match self.behaviour() {
                Behaviour::Forward | Behaviour::Refuse => return,
                Behaviour::Delay(delay) if came.elapsed() >= delay => return,
                Behaviour::Delay(_) | Behaviour::BlackHole => std::thread::sleep(TICK),
            }
        }
    }

    /// Puts the proxy's ports in the place of the brokers'. In every answer a broker's host stands right before its port,
    /// and the length stays the same.
    fn rewrite(&self, answer: &mut [u8]) {
        for (own, broker) in &self.doors {
            let (host, port) = broker.rsplit_once(':').unwrap();
            let number = |port: u16| i32::from(port).to_be_bytes();
            let sought = [host.as_bytes(), &number(port.parse().unwrap())].concat();
            let mut at = 0;
            while let Some(found) = answer[at..].windows(sought.len()).position(|window| window == sought) {
                at += found + sought.len();
                answer[at - 4..at].copy_from_slice(&number(*own));
            }
        }
    }
}
