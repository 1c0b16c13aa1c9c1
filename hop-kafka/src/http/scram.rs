//! SCRAM (RFC 5802), in the form in which it goes over HTTP (RFC 7804, as Hopskotch speaks it).
//!
//! The client does not wait for a challenge: its first message goes with a request without a body. What RFC 7804 quotes is
//! not quoted, and there is no realm. The cryptography is OpenSSL's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::auth::Secret;

/// The least and the most rounds of hashing that a server may ask for. Fewer make the password easy to guess for who
/// listens; more only cost time.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// The hash of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

/// A username and a password, prepared as SCRAM wants them.
#[derive(Debug)]
pub(crate) struct Scram {
    pub(super) hash: Hash,
    username: String,
    password: Secret,
}

/// An exchange after the first message of the client.
pub(super) struct First<'a> {
    scram: &'a Scram,
    nonce: String,
    bare: String,
}

/// An exchange after the last message of the client.
pub(super) struct Last {
    /// What the server has to send back, since it knows the password as well.
    signature: Vec<u8>,
}

/// What is wrong with an answer.
pub(super) type Fault = &'static str;

impl Scram {
    /// Prepares a credential.
    pub(super) fn new(hash: Hash, username: &str, password: &str) -> Result<Self, Fault> {
        let prepare = |text: &str| stringprep::saslprep(text).map(|text| text.into_owned());
        let username = prepare(username).map_err(|_| "the username has characters that SCRAM does not allow")?;
        let password = prepare(password).map_err(|_| "the password has characters that SCRAM does not allow")?;
        Ok(Self { hash, username: username.replace('=', "=3D").replace(',', "=2C"), password: Secret::new(password) })
    }

    pub(super) fn mechanism(&self) -> &'static str {
        match self.hash {
            Hash::Sha256 => "SCRAM-SHA-256",
            Hash::Sha512 => "SCRAM-SHA-512",
        }
    }

    /// Begins an exchange; returns the first message.
    pub(super) fn begin(&self) -> (First<'_>, String) {
        // 244 random bits.
        let nonce = format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        self.begin_with(nonce)
    }

    fn begin_with(&self, nonce: String) -> (First<'_>, String) {
        let bare = format!("n={},r={nonce}", self.username);
        let message = format!("n,,{bare}");
        (First { scram: self, nonce, bare }, message)
    }
}

impl First<'_> {
    /// Answers the first message of the server; returns the last message.
    pub(super) fn answer(self, server_first: &str) -> Result<(Last, String), Fault> {
        let mut fields = server_first.split(',');
        let mut field = |name: &str| fields.next().and_then(|field| field.strip_prefix(name));
        let nonce = field("r=").ok_or("a challenge without a nonce")?;
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("a nonce that does not continue ours");
        }
        let salt = field("s=").and_then(|salt| STANDARD.decode(salt).ok()).filter(|salt| !salt.is_empty());
        let salt = salt.ok_or("a challenge without a salt")?;
        let iterations: u32 =
            field("i=").and_then(|count| count.parse().ok()).ok_or("a challenge without a number of iterations")?;
        if !ITERATIONS.contains(&iterations) {
            return Err("a number of iterations that is not between 4096 and 1,000,000");
        }
        let unproven = format!("c=biws,r={nonce}");
        let signed = format!("{},{server_first},{unproven}", self.bare);
        let (proof, signature) =
            prove(self.scram.hash, self.scram.password.reveal(), &salt, iterations, signed.as_bytes())
                .ok_or("a challenge that OpenSSL cannot compute the answer to")?;
        Ok((Last { signature }, format!("{unproven},p={}", STANDARD.encode(proof))))
    }
}

impl Last {
    /// Verifies the last message of the server.
    pub(super) fn verify(&self, server_final: &str) -> Result<(), Fault> {
        let signature = server_final.split(',').next().and_then(|field| field.strip_prefix("v="));
        let signature = signature.and_then(|text| STANDARD.decode(text).ok()).ok_or("no signature")?;
        if is_same(&signature, &self.signature) { Ok(()) } else { Err("a wrong signature") }
    }
}

/// Returns the client's proof and the server's signature.
#[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
fn prove(hash: Hash, password: &str, salt: &[u8], iterations: u32, signed: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    use openssl::hash::{MessageDigest, hash as digest_of};
    use openssl::pkey::PKey;
    use openssl::sign::Signer;

    let digest = match hash {
        Hash::Sha256 => MessageDigest::sha256(),
        Hash::Sha512 => MessageDigest::sha512(),
    };
    let hmac = |key: &[u8], data: &[u8]| {
        let key = PKey::hmac(key).ok()?;
        Signer::new(digest, &key).ok()?.sign_oneshot_to_vec(data).ok()
    };
    let mut salted = vec![0; digest.size()];
    let iterations = usize::try_from(iterations).ok()?;
    openssl::pkcs5::pbkdf2_hmac(password.as_bytes(), salt, iterations, digest, &mut salted).ok()?;
    let client_key = hmac(&salted, b"Client Key")?;
    let stored_key = digest_of(digest, &client_key).ok()?;
    let client_signature = hmac(&stored_key, signed)?;
    let proof = client_key.iter().zip(&client_signature).map(|(key, signature)| key ^ signature).collect();
    let server_key = hmac(&salted, b"Server Key")?;
    Some((proof, hmac(&server_key, signed)?))
}

/// librdkafka, too, speaks SCRAM only with OpenSSL.
#[cfg(not(any(feature = "ssl", feature = "ssl-vendored")))]
fn prove(_: Hash, _: &str, _: &[u8], _: u32, _: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    None
}

/// Compares in a time that does not depend on the contents.
#[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && openssl::memcmp::eq(one, other)
}

#[cfg(not(any(feature = "ssl", feature = "ssl-vendored")))]
fn is_same(_: &[u8], _: &[u8]) -> bool {
    false
}

/// Returns `sid` and `data`, decoded, of the challenge for this mechanism among those in a header's values.
pub(super) fn challenge(headers: &[String], mechanism: &str) -> Option<(String, String)> {
    headers.iter().find_map(|header| {
        let mut is_ours = false;
        let (mut sid, mut data) = (None, None);
        for part in parts(header) {
            let (scheme, parameter) = match part.split_once(' ') {
                Some((scheme, parameter)) if !scheme.contains('=') => (Some(scheme), parameter.trim()),
                _ if part.contains('=') => (None, part),
                _ => (Some(part), ""),
            };
            if let Some(scheme) = scheme {
                is_ours = scheme.eq_ignore_ascii_case(mechanism);
            }
            if is_ours {
                note(parameter, &mut sid, &mut data);
            }
        }
        Some((sid?, data?))
    })
}

/// Returns `sid` and `data`, decoded, of an `Authentication-Info` header.
pub(super) fn information(header: &str) -> Option<(String, String)> {
    let (mut sid, mut data) = (None, None);
    for part in parts(header) {
        note(part, &mut sid, &mut data);
    }
    Some((sid?, data?))
}

fn note(parameter: &str, sid: &mut Option<String>, data: &mut Option<String>) {
    // Base64 ends in `=`, and is not quoted.
    let Some((name, value)) = parameter.split_once('=') else { return };
    let value = value.trim().trim_matches('"');
    match name.trim() {
        // It is sent back in a header.
        "sid" if !value.is_empty() && value.bytes().all(|byte| (b'!'..=b'~').contains(&byte) && byte != b',') => {
            *sid = Some(value.to_owned());
        }
        "data" => *data = STANDARD.decode(value).ok().and_then(|bytes| String::from_utf8(bytes).ok()),
        _ => {}
    }
}

/// Splits a header at the commas outside of quotes.
fn parts(header: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    header
        .split(move |c| {
            is_quoted ^= c == '"';
            c == ',' && !is_quoted
        })
        .map(str::trim)
}

#[cfg(test)]
#[cfg(any(feature = "ssl", feature = "ssl-vendored"))]
mod tests {
    use super::*;

    /// The exchange that hop-client 0.13.0 was recorded with.
    const FIRST: &str = "n,,n=ada-1234,r=sUBduPq3bK5tAaSQs5Ew7uO8CYhZEFb11cOjZvQZF_E";
    const CHALLENGE: &str =
        "r=sUBduPq3bK5tAaSQs5Ew7uO8CYhZEFb11cOjZvQZF_ESERVERNONCE,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=4096";
    const LAST: &str = "Yz1iaXdzLHI9c1VCZHVQcTNiSzV0QWFTUXM1RXc3dU84Q1loWkVGYjExY09qWnZRWkZfRVNFUlZFUk5PTkNFLHA9WnkwZGt3YjltenFVSmhwcDhlNVJ5TEtWdE1MZjV6OEhvV2tnSmZhSExxYzB3NERHVjY1ZDFYRHBKK00waURvN0Evd2tkUHBtS3lBbVhQVHgrTGIyS1E9PQ==";
    const INFO: &str = "sid=sid0,data=dj14UW55c25ObjlBUkY2WStiSkpLVVlVRlFMWFZGVDFFbkIwZ0xSRm56YW5XcDlJektieXd0THM1cnM1b3lLZ3pLRWpHeGQ0bG5EQ2ZQM1RLQnZJV1NHQT09";

    fn recorded() -> Scram {
        Scram::new(Hash::Sha512, "ada-1234", "secret-pw").unwrap()
    }

    fn nonce() -> String {
        FIRST.split_once("r=").unwrap().1.to_owned()
    }

    #[test]
    fn the_recorded_exchange_is_repeated_to_the_byte() {
        let scram = recorded();
        let (first, message) = scram.begin_with(nonce());
        assert_eq!(message, FIRST);
        let header = format!("SCRAM-SHA-512 sid=sid0, data={}", STANDARD.encode(CHALLENGE));
        let (sid, challenge) = challenge(&[header], "SCRAM-SHA-512").unwrap();
        assert_eq!((sid.as_str(), challenge.as_str()), ("sid0", CHALLENGE));
        let (last, message) = first.answer(&challenge).unwrap();
        assert_eq!(STANDARD.encode(&message), LAST);
        let (sid, proof) = information(INFO).unwrap();
        assert_eq!(sid, "sid0");
        last.verify(&proof).unwrap();
        for wrong in ["", "v=", "v=AAAA", "e=other-error", &proof.replace("xQny", "xQnz"), &proof[..20]] {
            assert!(last.verify(wrong).is_err(), "{wrong}");
        }
    }

    /// RFC 7677, section 3.
    #[test]
    fn sha_256_gives_what_its_rfc_gives() {
        let scram = Scram::new(Hash::Sha256, "user", "pencil").unwrap();
        let (first, message) = scram.begin_with("rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(message, "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let challenge = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let (last, message) = first.answer(challenge).unwrap();
        assert_eq!(
            message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        last.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }

    #[test]
    fn a_challenge_that_is_not_as_it_should_be_is_refused() {
        let nonce = nonce();
        for (challenge, why) in [
            (String::new(), "without a nonce"),
            (format!("m=ext,r={nonce}x,s=MDEy,i=4096"), "without a nonce"),
            ("r=other,s=MDEy,i=4096".to_owned(), "does not continue ours"),
            (format!("r={nonce},s=MDEy,i=4096"), "does not continue ours"),
            (format!("r={nonce}x,i=4096"), "without a salt"),
            (format!("r={nonce}x,s=,i=4096"), "without a salt"),
            (format!("r={nonce}x,s=!,i=4096"), "without a salt"),
            (format!("r={nonce}x,s=MDEy"), "without a number"),
            (format!("r={nonce}x,s=MDEy,i=-1"), "without a number"),
            (format!("r={nonce}x,s=MDEy,i=1"), "between"),
            (format!("r={nonce}x,s=MDEy,i=4294967295"), "between"),
            (format!("r={nonce}x,s=MDEy,i=99999999999"), "without a number"),
        ] {
            let scram = recorded();
            let found = scram.begin_with(nonce.clone()).0.answer(&challenge).map(|_| ()).unwrap_err();
            assert!(found.contains(why), "{challenge}: {found}");
        }
    }

    #[test]
    fn challenges_are_found_among_others_quoted_or_not() {
        let data = STANDARD.encode("r=a==");
        for header in [
            format!("SCRAM-SHA-512 sid=a,data={data}"),
            format!("scram-sha-512 sid=\"a\",  data=\"{data}\""),
            format!("Bearer realm=\"x, SCRAM-SHA-512 sid=b\", SCRAM-SHA-512 data={data}, sid=a"),
            format!("SCRAM-SHA-256 sid=b,data=AAAA, SCRAM-SHA-512 sid=a, data={data}, Negotiate"),
        ] {
            let found = challenge(&["Basic realm=\"x\"".to_owned(), header.clone()], "SCRAM-SHA-512");
            assert_eq!(found, Some(("a".to_owned(), "r=a==".to_owned())), "{header}");
        }
        for header in [
            "SCRAM-SHA-512 realm=\"default@hop\"",
            "SCRAM-SHA-512 sid=a",
            "SCRAM-SHA-512 sid=a\u{1},data=cj0=",
            "",
            "SCRAM-SHA-512",
        ] {
            assert_eq!(challenge(&[header.to_owned()], "SCRAM-SHA-512"), None, "{header}");
        }
    }

    #[test]
    fn names_and_passwords_are_prepared_and_never_shown() {
        let scram = Scram::new(Hash::Sha256, "a=b,c", "hunter2").unwrap();
        assert_eq!(scram.begin_with("n".to_owned()).1, "n,,n=a=3Db=2Cc,r=n");
        assert!(!format!("{scram:?}").contains("hunter2"));
        // U+00AD vanishes, U+2168 becomes IX (RFC 4013).
        assert_eq!(Scram::new(Hash::Sha256, "I\u{AD}X", "x").unwrap().username, "IX");
        assert_eq!(Scram::new(Hash::Sha256, "\u{2168}", "x").unwrap().username, "IX");
        assert!(Scram::new(Hash::Sha256, "a\u{7}", "x").is_err());
    }
}
