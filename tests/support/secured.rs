//! The listeners of the Apache Kafka of the tests that ask who is there; see `tests/kafka/README.md`.

use std::collections::HashMap;
use std::path::PathBuf;

use hop_kafka::Credential;
use hop_kafka::auth::{Mechanism, Protocol};

use crate::{Broker, skip};

/// The folder of certificates, passwords and keys.
const FOLDER_VARIABLE: &str = "HOP_TEST_SECURITY";

/// Apache Kafka with users that may do this and that.
pub struct Secured {
    pub broker: Broker,
    folder: PathBuf,
    passwords: HashMap<String, String>,
}

impl Secured {
    /// `None`, said aloud, where there is none.
    pub fn or_skip(test: &str) -> Option<Self> {
        let broker = Broker::apache_or_skip(test)?;
        let Some(folder) = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from) else {
            skip(test, &format!("{FOLDER_VARIABLE} is not set: eval \"$(tests/kafka/up)\""));
            return None;
        };
        let text = std::fs::read_to_string(folder.join("passwords")).unwrap();
        let passwords = text.lines().map(|line| line.split_once(' ').unwrap());
        let passwords = passwords.map(|(user, password)| (user.to_owned(), password.to_owned())).collect();
        Some(Self { broker, folder, passwords })
    }

    /// TLS and a credential.
    pub fn sasl_ssl(&self) -> String {
        variable("HOP_TEST_SASL_SSL")
    }

    /// TLS, a certificate of the client and a credential.
    pub fn mutual_tls(&self) -> String {
        variable("HOP_TEST_MUTUAL_TLS")
    }

    /// A credential without TLS.
    pub fn sasl_plaintext(&self) -> String {
        variable("HOP_TEST_SASL_PLAINTEXT")
    }

    /// A file of the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn password(&self, user: &str) -> &str {
        &self.passwords[user]
    }

    /// What must be seen nowhere.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        self.passwords.values().map(String::as_str)
    }

    /// The user's credential, with the broker's authority.
    pub fn credential(&self, user: &str, mechanism: Mechanism) -> Credential {
        Credential::new(user, self.password(user)).mechanism(mechanism).ssl_ca_location(self.file("ca.pem"))
    }

    /// The same without TLS.
    pub fn credential_in_the_clear(&self, user: &str) -> Credential {
        Credential::new(user, self.password(user)).protocol(Protocol::SaslPlaintext)
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: eval \"$(tests/kafka/up)\""))
}
