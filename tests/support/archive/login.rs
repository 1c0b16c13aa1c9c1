//! Logins by SCRAM over HTTP, or with a token.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use uuid::Uuid;

use super::fault::Fault;
use super::{Asked, Reply, State};

pub(super) struct Login {
    mechanism: String,
    nonce: String,
    first: String,
    challenge: String,
    password: String,
}

impl State {
    /// Lets those in who have a login, and serves them.
    pub(super) fn reply(&self, asked: &Asked, fault: &Fault) -> Reply {
        let is_reading = asked.method == "GET";
        if is_reading && self.public.load(Ordering::Acquire) {
            return self.route(asked, fault);
        }
        let Some(authorization) = &asked.authorization else {
            let challenge = "SCRAM-SHA-512 realm=\"default@hop.test\"".to_owned();
            return Reply { status: 401, headers: vec![("WWW-Authenticate", challenge)], body: Vec::new() };
        };
        let (scheme, parameters) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if scheme == "Bearer" {
            let is_known = self.tokens.lock().unwrap().iter().any(|token| token == parameters);
            return if is_known { self.route(asked, fault) } else { Reply::new(401, "") };
        }
        let parameters: HashMap<&str, &str> =
            parameters.split(',').filter_map(|parameter| parameter.trim().split_once('=')).collect();
        let data = parameters.get("data").and_then(|data| STANDARD.decode(data).ok()).unwrap_or_default();
        let data = String::from_utf8(data).unwrap();
        match parameters.get("sid") {
            None => self.challenge(scheme, &data, fault),
            Some(sid) => match self.signature(sid, &data, fault) {
                None => Reply::new(403, "Forbidden"),
                Some(signature) => {
                    let mut reply = self.route(asked, fault);
                    let sid = if matches!(fault, Fault::WrongSid) { "another" } else { sid };
                    if !matches!(fault, Fault::NoSignature) {
                        let data = STANDARD.encode(format!("v={signature}"));
                        reply.headers.push(("Authentication-Info", format!("sid={sid},data={data}")));
                    }
                    reply
                }
            },
        }
    }

    fn challenge(&self, mechanism: &str, message: &str, fault: &Fault) -> Reply {
        let first = message.strip_prefix("n,,").unwrap().to_owned();
        let (name, nonce) = first.strip_prefix("n=").unwrap().split_once(",r=").unwrap();
        let password = self.users.lock().unwrap().get(name).cloned();
        let Some(password) = password else { return Reply::new(403, "Forbidden") };
        let nonce = format!("{nonce}SERVERNONCE");
        let iterations = if let Fault::Iterations(count) = fault { *count } else { 4096 };
        let challenge = format!("r={nonce},s={},i={iterations}", STANDARD.encode("0123456789abcdef"));
        let sid = Uuid::new_v4().simple().to_string();
        let header = format!("{mechanism} sid={sid}, data={}", STANDARD.encode(&challenge));
        let login = Login { mechanism: mechanism.to_owned(), nonce, first, challenge, password };
        self.logins.lock().unwrap().insert(sid, login);
        Reply { status: 401, headers: vec![("WWW-Authenticate", header)], body: Vec::new() }
    }

    /// Checks the client's proof; returns the server's signature.
    fn signature(&self, sid: &str, message: &str, fault: &Fault) -> Option<String> {
        let login = self.logins.lock().unwrap().remove(sid)?;
        let (unproven, proof) = message.rsplit_once(",p=")?;
        assert_eq!(unproven, format!("c=biws,r={}", login.nonce));
        let digest = match login.mechanism.as_str() {
            "SCRAM-SHA-256" => MessageDigest::sha256(),
            _ => MessageDigest::sha512(),
        };
        let hmac = |key: &[u8], data: &[u8]| {
            let key = PKey::hmac(key).unwrap();
            Signer::new(digest, &key).unwrap().sign_oneshot_to_vec(data).unwrap()
        };
        let mut salted = vec![0; digest.size()];
        openssl::pkcs5::pbkdf2_hmac(login.password.as_bytes(), b"0123456789abcdef", 4096, digest, &mut salted).unwrap();
        let signed = format!("{},{},{unproven}", login.first, login.challenge);
        let client_key = hmac(&salted, b"Client Key");
        let stored_key = openssl::hash::hash(digest, &client_key).unwrap();
        let signature = hmac(&stored_key, signed.as_bytes());
        let expected: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        if STANDARD.decode(proof).ok()? != expected {
            return None;
        }
        let mut signature = hmac(&hmac(&salted, b"Server Key"), signed.as_bytes());
        if matches!(fault, Fault::WrongSignature) {
            signature[0] ^= 1;
        }
        Some(STANDARD.encode(signature))
    }
}
