//! An archive as Hopskotch has one beside its broker: messages stored and fetched as BSON, with logins by SCRAM over HTTP or a
//! token. It can also misbehave in every way that a client has to cope with, and remembers what it was sent.

mod fault;
mod login;

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use bson::spec::BinarySubtype;
use bson::{Binary, Bson, Document, doc};
use hop_kafka::{Credential, Offload, StreamBuilder};
use uuid::Uuid;

pub use self::fault::Fault;
use self::login::Login;

/// One request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    /// With the query.
    pub path: String,
    pub authorization: Option<String>,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct State {
    users: Mutex<HashMap<String, String>>,
    tokens: Mutex<Vec<String>>,
    /// Whether everyone may read.
    public: AtomicBool,
    fault: Mutex<Fault>,
    failed: AtomicUsize,
    logins: Mutex<HashMap<String, Login>>,
    stored: Mutex<Vec<(Uuid, Document)>>,
    asked: Mutex<Vec<Asked>>,
    concurrent: AtomicUsize,
    most_concurrent: AtomicUsize,
    delay: Mutex<Duration>,
    stop: AtomicBool,
}

/// The settings of a stream for whoever may read and write there, `ada`.
pub fn stream(endpoint: &str) -> StreamBuilder {
    crate::stream()
        .credential(Credential::new(USER, PASSWORD))
        .property("security.protocol", "plaintext")
        .archive_url(endpoint)
        .offload(Offload::Automatic)
        .fetch_external(true)
}

const USER: &str = "ada";
const PASSWORD: &str = "hunter2-of-ada";

/// The server; it ends where it goes out of scope.
pub struct Archive {
    address: SocketAddr,
    state: Arc<State>,
}

impl Archive {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stop.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(stream), state) = (stream, Arc::clone(&serving)) else { continue };
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    state.serve(stream);
                });
            }
        });
        Self { address, state }
    }

    /// `http://127.0.0.1:PORT/api/v1`, as the broker names it.
    pub fn endpoint(&self) -> String {
        format!("http://{}/api/v1", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What stands in the broker's topic `sys.metadata`.
    pub fn metadata(&self) -> String {
        format!(r#"{{"LargeMessageUploadEndpoint": "{}"}}"#, self.endpoint())
    }

    /// The URL of a stored message.
    pub fn url(&self, id: Uuid) -> String {
        format!("{}/msg/{id}", self.endpoint())
    }

    /// Lets in whoever has the settings of [`stream`].
    pub fn known_user(&self) {
        self.user(USER, PASSWORD);
    }

    pub fn user(&self, name: &str, password: &str) {
        self.state.users.lock().unwrap().insert(name.to_owned(), password.to_owned());
    }

    pub fn token(&self, token: &str) {
        self.state.tokens.lock().unwrap().push(token.to_owned());
    }

    /// Lets everyone read without a login.
    pub fn public(&self) {
        self.state.public.store(true, Ordering::Release);
    }

    pub fn fault(&self, fault: Fault) {
        self.state.failed.store(0, Ordering::Release);
        *self.state.fault.lock().unwrap() = fault;
    }

    /// Waits so long before each answer.
    pub fn delay(&self, delay: Duration) {
        *self.state.delay.lock().unwrap() = delay;
    }

    /// How many requests were worked on at the same time, at most.
    pub fn most_concurrent(&self) -> usize {
        self.state.most_concurrent.load(Ordering::Acquire)
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.state.asked.lock().unwrap().clear();
    }

    /// The stored messages, in order.
    pub fn stored(&self) -> Vec<(Uuid, Document)> {
        self.state.stored.lock().unwrap().clone()
    }

    /// Stores a document as it is.
    pub fn put(&self, id: Uuid, document: Document) {
        self.state.stored.lock().unwrap().push((id, document));
    }

    /// Stores a message.
    pub fn store(&self, id: Uuid, content: &[u8], headers: &[(&str, &[u8])], key: &[u8], topic: &str, timestamp: i64) {
        let list: Vec<Bson> =
            headers.iter().map(|(name, value)| Bson::Array(vec![(*name).into(), binary(value)])).collect();
        let metadata = doc! {"timestamp": timestamp, "headers": list, "key": binary(key), "topic": topic};
        self.put(id, doc! {"message": binary(content), "metadata": metadata, "annotations": annotations(id, content)});
    }
}

fn annotations(id: Uuid, content: &[u8]) -> Document {
    let size = i64::try_from(content.len()).unwrap();
    doc! {"con_text_uuid": id.to_string(), "size": size, "public": true, "retracted": false}
}

pub fn binary(bytes: &[u8]) -> Bson {
    Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: bytes.to_vec() })
}

impl Drop for Archive {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
    }
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    fn bson(status: u16, document: &Document) -> Self {
        Self::new(status, document.to_vec().unwrap())
    }
}

impl State {
    fn route(&self, asked: &Asked, fault: &Fault) -> Reply {
        if let Fault::First(count, status) = fault
            && self.failed.fetch_add(1, Ordering::AcqRel) < *count
        {
            return Reply::new(*status, "no");
        }
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let path = path.strip_prefix("/api/v1/").unwrap_or_default();
        let mut reply = match (asked.method.as_str(), path.split_once('/').unwrap_or((path, ""))) {
            ("GET", ("msg", id)) => match id.parse::<Uuid>() {
                Err(_) => Reply::new(400, "Invalid Message ID"),
                Ok(id) => match self.stored.lock().unwrap().iter().find(|(stored, _)| *stored == id) {
                    Some((_, document)) => Reply::bson(200, document),
                    None => Reply::new(404, "Message not found"),
                },
            },
            ("POST", ("topic", topic)) => self.take(topic, &asked.body),
            ("GET", ("topics", "")) => {
                let mut topics: Vec<String> =
                    self.stored.lock().unwrap().iter().map(|(_, stored)| topic(stored)).collect();
                topics.sort();
                topics.dedup();
                Reply::bson(200, &doc! {"topics": topics})
            }
            ("GET", ("messages", "")) => self.page(query),
            ("GET", ("messages", "count")) => {
                let count = i64::try_from(self.select(query).len()).unwrap();
                Reply::bson(200, &doc! {"count": count})
            }
            _ => Reply::new(404, "no such route"),
        };
        if matches!(fault, Fault::Truncated) {
            reply.body.truncate(reply.body.len() / 2);
        }
        reply
    }

    /// Stores what was uploaded, as strictly as the real archive.
    fn take(&self, topic: &str, body: &[u8]) -> Reply {
        let Ok(document) = Document::from_reader(body) else { return Reply::new(400, "Request must be valid BSON") };
        if document.keys().any(|key| !["message", "headers", "key"].contains(&key.as_str())) {
            return Reply::new(400, "Unsupported key in request body");
        }
        let Ok(content) = document.get_binary_generic("message") else { return Reply::new(400, "Missing message key") };
        let Ok(headers) = document.get_array("headers") else { return Reply::new(400, "headers") };
        let mut id = Uuid::new_v4();
        let mut is_client_uuid = false;
        for header in headers {
            let pair = header.as_array().filter(|pair| pair.len() == 2);
            let Some([Bson::String(name), Bson::Binary(value)]) = pair.map(Vec::as_slice) else {
                return Reply::new(400, "Header with key K is not binary data");
            };
            if name == "_id"
                && let Ok(own) = Uuid::from_slice(&value.bytes)
                && !self.stored.lock().unwrap().iter().any(|(stored, _)| *stored == own)
            {
                (id, is_client_uuid) = (own, true);
            }
        }
        let key = document.get("key").cloned().unwrap_or_else(|| binary(b""));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
        let metadata = doc! {
            "timestamp": i64::try_from(now).unwrap(), "headers": headers.clone(), "key": key,
            "topic": topic.replace("%2B", "+"),
        };
        let annotations = annotations(id, content);
        let document = doc! {"message": binary(content), "metadata": metadata, "annotations": annotations};
        self.stored.lock().unwrap().push((id, document));
        let uuid = Bson::Binary(Binary { subtype: BinarySubtype::Uuid, bytes: id.as_bytes().to_vec() });
        Reply::bson(201, &doc! {"archive_uuid": uuid, "is_client_uuid": is_client_uuid})
    }

    fn select(&self, query: &str) -> Vec<Document> {
        let values = |name: &str| -> Vec<String> {
            let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.filter(|(found, _)| *found == name).map(|(_, value)| decoded(value)).collect()
        };
        let one = |name: &str| values(name).pop();
        let number = |name: &str| one(name).map(|text| text.parse::<i64>().unwrap());
        let (topics, text) = (values("topic"), one("search_query"));
        let (start, end) = (number("start_time"), number("end_time"));
        let without_retracted = one("include_retracted").as_deref() == Some("false");
        let mut found: Vec<Document> = self.stored.lock().unwrap().iter().map(|(_, stored)| stored.clone()).collect();
        found.retain(|stored| {
            let time = timestamp(stored);
            let content = String::from_utf8_lossy(stored.get_binary_generic("message").unwrap()).into_owned();
            (topics.is_empty() || topics.contains(&topic(stored)))
                && start.is_none_or(|start| time >= start)
                && end.is_none_or(|end| time < end)
                && text.as_ref().is_none_or(|text| content.contains(text.as_str()))
                && !(without_retracted
                    && stored.get_document("annotations").unwrap().get_bool("retracted").unwrap_or_default())
        });
        found.sort_by_key(timestamp);
        if one("asc").as_deref() == Some("false") {
            found.reverse();
        }
        found
    }

    fn page(&self, query: &str) -> Reply {
        let value = |name: &str| {
            query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(found, _)| *found == name)
                .map(|(_, v)| decoded(v))
        };
        let is_meta = value("meta").as_deref() == Some("true");
        let limit =
            value("limit").map_or(64, |limit| limit.parse::<usize>().unwrap()).min(if is_meta { 1024 } else { 64 });
        let start = match value("page") {
            None => 0,
            // What stands in a bookmark is nobody's business but the archive's.
            Some(page) => match page.strip_prefix(">ts:~").and_then(|start| start.parse::<usize>().ok()) {
                Some(start) => start,
                None => return Reply::new(500, "Internal Error"),
            },
        };
        let found = self.select(query);
        let messages: Vec<Bson> = found
            .iter()
            .skip(start)
            .take(limit)
            .map(|stored| match is_meta {
                false => stored.clone().into(),
                true => {
                    let metadata = doc! {"topic": topic(stored), "timestamp": timestamp(stored)};
                    doc! {"metadata": metadata, "annotations": stored.get_document("annotations").unwrap().clone()}
                        .into()
                }
            })
            .collect();
        let next = if start + limit < found.len() { format!(">ts:~{}", start + limit).into() } else { Bson::Null };
        Reply::bson(200, &doc! {"next": next, "prev": Bson::Null, "messages": messages})
    }
}

fn topic(stored: &Document) -> String {
    stored.get_document("metadata").unwrap().get_str("topic").unwrap().to_owned()
}

fn timestamp(stored: &Document) -> i64 {
    stored.get_document("metadata").unwrap().get_i64("timestamp").unwrap()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: String = [rest.next().unwrap(), rest.next().unwrap()].map(char::from).iter().collect();
                bytes.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            b'+' => bytes.push(b' '),
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}
