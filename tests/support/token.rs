//! A server of tokens, as an identity provider runs one: an endpoint for OIDC client credentials, and the key set (JWKS)
//! by which a broker checks what it gave out. It can also misbehave in every way that a client must bear.

use std::collections::HashMap;
use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::sign::Signer;
use openssl::ssl::{SslAcceptor, SslMethod};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509NameBuilder};
use serde_json::{Value as Json, json};

use crate::http::Request;

/// `aud` of every token.
pub const AUDIENCE: &str = "hop-tests";
/// `iss` of every token.
pub const ISSUER: &str = "https://tokens.hop.test";

/// A key for RS256, and the tokens that it signs.
#[derive(Clone)]
pub struct SigningKey {
    key: PKey<Private>,
    id: String,
}

impl SigningKey {
    pub fn generate() -> Self {
        Self::new(Rsa::generate(2048).unwrap())
    }

    /// An RSA key in PEM, as `openssl genrsa` writes it.
    pub fn read(path: &Path) -> Self {
        Self::new(Rsa::private_key_from_pem(&std::fs::read(path).unwrap()).unwrap())
    }

    fn new(rsa: Rsa<Private>) -> Self {
        let digest = openssl::sha::sha256(&rsa.n().to_vec());
        Self { key: PKey::from_rsa(rsa).unwrap(), id: URL_SAFE_NO_PAD.encode(&digest[..9]) }
    }

    /// The public half, as brokers read it.
    pub fn jwks(&self) -> Json {
        let rsa = self.key.rsa().unwrap();
        let number = |number: Vec<u8>| URL_SAFE_NO_PAD.encode(number);
        json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.id,
            "n": number(rsa.n().to_vec()), "e": number(rsa.e().to_vec()),
        }]})
    }

    /// A token for this subject that runs out in so many seconds; in the past where that is negative.
    pub fn token(&self, subject: &str, life: i64) -> String {
        let now = i64::try_from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()).unwrap();
        // A token that has run out was given out before that.
        let issued = now.min(now + life - 1);
        self.sign(&json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": issued, "exp": now + life, "scope": "kafka",
            "jti": uuid::Uuid::new_v4().to_string(),
        }))
    }

    /// A token with these claims, whatever they are.
    pub fn sign(&self, claims: &Json) -> String {
        let part = |value: &Json| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&json!({"alg": "RS256", "typ": "JWT", "kid": self.id})), part(claims));
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).unwrap();
        let signature = signer.sign_oneshot_to_vec(signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// What the token endpoint does.
#[derive(Debug, Clone, Default)]
pub enum Behaviour {
    /// Gives tokens to those who know their secret, and 401 `invalid_client` to others.
    #[default]
    Proper,
    /// Answers every request so: status, and body.
    Says(u16, String),
    /// Takes requests and never answers.
    Hangs,
    /// Answers without end.
    Endless,
    /// Sends one byte a second, without end.
    Drips,
    /// Sends back the `Authorization` header and the form, with this status.
    Echoes(u16),
    /// Closes each connection without a word.
    Closes,
}

struct State {
    key: SigningKey,
    secrets: Mutex<HashMap<String, String>>,
    life: Mutex<i64>,
    behaviour: Mutex<Behaviour>,
    asked: AtomicUsize,
    given: Mutex<Vec<String>>,
    bodies: Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// The server; it ends where it goes out of scope.
pub struct TokenServer {
    address: SocketAddr,
    state: Arc<State>,
    /// Its certificate in PEM, where it speaks TLS.
    certificate: Option<Vec<u8>>,
}

impl TokenServer {
    /// On a port of its own, with a key of its own.
    pub fn start() -> Self {
        Self::with_key(SigningKey::generate(), 0)
    }

    /// With a key that a broker knows already, on this port of 127.0.0.1; on any where it is zero.
    pub fn with_key(key: SigningKey, port: u16) -> Self {
        Self::serve(key, port, None)
    }

    /// Over TLS, with a certificate for `localhost` that it signed itself; at 127.0.0.1 its name is wrong.
    pub fn start_tls() -> Self {
        let key = SigningKey::generate();
        let certificate = self_signed(&key.key);
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls_server()).unwrap();
        acceptor.set_private_key(&key.key).unwrap();
        acceptor.set_certificate(&certificate).unwrap();
        let mut server = Self::serve(key, 0, Some(acceptor.build()));
        server.certificate = Some(certificate.to_pem().unwrap());
        server
    }

    fn serve(key: SigningKey, port: u16, tls: Option<SslAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            key,
            secrets: Mutex::default(),
            life: Mutex::new(300),
            behaviour: Mutex::default(),
            asked: AtomicUsize::new(0),
            given: Mutex::default(),
            bodies: Mutex::default(),
            stop: AtomicBool::new(false),
        });
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.stop.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(stream), state, tls) = (stream, Arc::clone(&serving), tls.clone()) else { continue };
                // A client that hangs up ends its own connection alone.
                std::thread::spawn(move || {
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    match tls {
                        None => state.serve(stream),
                        // Who does not trust the certificate has hung up.
                        Some(tls) => drop(tls.accept(stream).map(|stream| state.serve(stream))),
                    }
                });
            }
        });
        Self { address, state, certificate: None }
    }

    /// `http://127.0.0.1:PORT/token`, for `token_endpoint`; `https://localhost:PORT/token` where it speaks TLS.
    pub fn token_endpoint(&self) -> String {
        match self.certificate {
            None => format!("http://{}/token", self.address),
            Some(_) => format!("https://localhost:{}/token", self.address.port()),
        }
    }

    /// What a client has to trust, in PEM.
    pub fn certificate(&self) -> &[u8] {
        self.certificate.as_deref().expect("a server with TLS")
    }

    /// `http://127.0.0.1:PORT/jwks`, for the broker.
    pub fn jwks_url(&self) -> String {
        format!("http://{}/jwks", self.address)
    }

    pub fn key(&self) -> &SigningKey {
        &self.state.key
    }

    /// Knows this client from now on, by this secret.
    pub fn client(&self, id: &str, secret: &str) {
        self.state.secrets.lock().unwrap().insert(id.to_owned(), secret.to_owned());
    }

    /// How many seconds the tokens live that are given out from now on; 300 at first.
    pub fn life(&self, seconds: i64) {
        *self.state.life.lock().unwrap() = seconds;
    }

    pub fn behave(&self, behaviour: Behaviour) {
        *self.state.behaviour.lock().unwrap() = behaviour;
    }

    /// How many times a token was asked for.
    pub fn asked(&self) -> usize {
        self.state.asked.load(Ordering::Acquire)
    }

    /// The tokens that were given out, in order.
    pub fn given(&self) -> Vec<String> {
        self.state.given.lock().unwrap().clone()
    }

    /// The bodies of the requests for tokens, in order.
    pub fn bodies(&self) -> Vec<String> {
        self.state.bodies.lock().unwrap().clone()
    }

    /// Waits until a token was asked for so many times.
    #[track_caller]
    pub fn wait_until_asked(&self, times: usize, patience: Duration) {
        let deadline = std::time::Instant::now() + patience;
        while self.asked() < times {
            assert!(
                std::time::Instant::now() < deadline,
                "asked {} times within {patience:?}, not {times}",
                self.asked()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for TokenServer {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::Release);
        // Wakes the thread that waits for a connection.
        let _woken = TcpStream::connect(self.address);
    }
}

impl State {
    fn serve(&self, stream: impl Read + Write) {
        let mut reader = BufReader::new(stream);
        let Some(request) = Request::read(&mut reader) else { return };
        let stream = reader.get_mut();
        // The client may be gone by now, which is its own affair.
        let path = request.path.split('?').next().unwrap_or_default();
        let _answered = match (request.method.as_str(), path) {
            ("GET", "/jwks") => answer(stream, 200, &self.key.jwks().to_string()),
            ("POST", "/token") => {
                let body = String::from_utf8_lossy(&request.body).into_owned();
                self.give(stream, request.authorization().unwrap_or_default(), body)
            }
            _ => answer(stream, 404, "{}"),
        };
    }

    fn give(&self, stream: &mut impl Write, authorization: &str, body: String) -> std::io::Result<()> {
        self.asked.fetch_add(1, Ordering::AcqRel);
        self.bodies.lock().unwrap().push(body.clone());
        let behaviour = self.behaviour.lock().unwrap().clone();
        match behaviour {
            Behaviour::Proper => match self.known(authorization) {
                Some(_) if !body.split('&').any(|pair| pair == "grant_type=client_credentials") => {
                    answer(stream, 400, r#"{"error": "unsupported_grant_type"}"#)
                }
                Some(client) => {
                    let life = *self.life.lock().unwrap();
                    let token = self.key.token(&client, life);
                    self.given.lock().unwrap().push(token.clone());
                    let said = json!({"access_token": token, "token_type": "Bearer", "expires_in": life});
                    answer(stream, 200, &said.to_string())
                }
                None => answer(stream, 401, r#"{"error": "invalid_client"}"#),
            },
            Behaviour::Says(status, text) => answer(stream, status, &text),
            Behaviour::Echoes(status) => {
                let plain = authorization.strip_prefix("Basic ").and_then(|code| STANDARD.decode(code).ok());
                let plain = String::from_utf8_lossy(&plain.unwrap_or_default()).into_owned();
                let said = json!({"error": plain, "error_description": authorization, "form": body});
                answer(stream, status, &said.to_string())
            }
            Behaviour::Hangs => {
                while !self.stop.load(Ordering::Acquire) {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Ok(())
            }
            Behaviour::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")?;
                loop {
                    stream.write_all(&[b' '; 1 << 16])?;
                }
            }
            Behaviour::Drips => {
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")?;
                loop {
                    stream.write_all(b" ")?;
                    std::thread::sleep(Duration::from_secs(1));
                }
            }
            Behaviour::Closes => Ok(()),
        }
    }

    /// The client of `Basic` authorization, where its secret is right.
    fn known(&self, authorization: &str) -> Option<String> {
        let decoded = STANDARD.decode(authorization.strip_prefix("Basic ")?).ok()?;
        let text = String::from_utf8(decoded).ok()?;
        let (id, secret) = text.split_once(':')?;
        (self.secrets.lock().unwrap().get(id)? == secret).then(|| id.to_owned())
    }
}

fn answer(stream: &mut impl Write, status: u16, body: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn self_signed(key: &PKey<Private>) -> X509 {
    let mut name = X509NameBuilder::new().unwrap();
    name.append_entry_by_text("CN", "localhost").unwrap();
    let name = name.build();
    let mut certificate = X509::builder().unwrap();
    certificate.set_version(2).unwrap();
    certificate.set_serial_number(&BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap()).unwrap();
    certificate.set_subject_name(&name).unwrap();
    certificate.set_issuer_name(&name).unwrap();
    certificate.set_pubkey(key).unwrap();
    certificate.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::days_from_now(2).unwrap()).unwrap();
    certificate.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    let names = SubjectAlternativeName::new().dns("localhost").build(&certificate.x509v3_context(None, None)).unwrap();
    certificate.append_extension(names).unwrap();
    certificate.sign(key, MessageDigest::sha256()).unwrap();
    certificate.build()
}
