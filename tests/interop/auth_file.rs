//! One auth.toml for both: what one writes, the other reads, and both take the same credential from it.

use std::path::PathBuf;

use hop_kafka::Credential;
use hop_kafka::auth::{self, CredentialStore, Mechanism, Protocol};
use hop_tests::process::{Finished, Program};
use serde_json::{Value as Json, json};

use crate::python::{Python, lines};

/// A folder with configuration that both use.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("hop")
    }

    /// A private file in it.
    fn put(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir_all(self.folder()).unwrap();
        let file = self.folder().join(name);
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder().join(name)).unwrap()
    }

    fn python(&self, python: &Python, arguments: &[&str]) -> Finished {
        self.here(python.program(arguments))
    }

    fn here(&self, program: Program) -> Finished {
        program.env("XDG_CONFIG_HOME", self.0.path()).run()
    }

    /// What hop-client adds from this CSV file.
    #[track_caller]
    fn python_adds(&self, python: &Python, csv: &str) {
        let file = self.0.path().join("new.csv");
        std::fs::write(&file, csv).unwrap();
        self.python(python, &["-m", "hop", "auth", "add", file.to_str().unwrap()]).expect(0);
    }

    #[track_caller]
    fn python_lists(&self, python: &Python) -> Vec<Json> {
        let script = hop_tests::root().join("tests/interop/auth.py");
        lines(self.python(python, &[script.to_str().unwrap(), "list"]).expect(0))
    }

    fn store(&self) -> CredentialStore {
        CredentialStore::open_in(&self.folder()).unwrap()
    }
}

fn as_listed(username: &str, password: &str, more: &Json) -> Json {
    let mut listed = json!({
        "username": username, "password": password, "hostname": "", "protocol": "SASL_SSL", "mechanism": "SCRAM-SHA-512",
        "ssl_ca_location": null, "token_endpoint": null, "token_command": null,
    });
    for (name, value) in more.as_object().unwrap() {
        listed[name] = value.clone();
    }
    listed
}

/// Passwords that are hard to write and to read.
fn odd_passwords() -> Vec<String> {
    let mut out: Vec<String> = [
        "p\"",
        "\"\"",
        "\"\"\"",
        "'",
        "'''",
        "\\",
        "\\\\",
        "a\\u0041",
        "\\n",
        "\\x41\"",
        "'\\\"",
        "#",
        "[[auth]]",
        "=",
        " x ",
        "ünï🍩",
        "a=b#c\"d'e\\f",
        "${HOME}",
        "%40",
        "{}",
        "]",
    ]
    .map(str::to_owned)
    .into();
    out.extend((0x21_u8..0x7f).map(|byte| format!("{0}a{0}", char::from(byte))));
    out
}

#[test]
fn hop_client_reads_what_hop_writes() {
    let Some((python, _)) = Python::or_skip("hop_client_reads_what_hop_writes") else { return };
    let home = Home::new();
    let mut store = home.store();
    let mut expected = Vec::new();
    for (at, password) in odd_passwords().iter().enumerate() {
        let username = format!("odd-{at}");
        expected.push(as_listed(&username, password, &json!({})));
        store.add(Credential::new(username, password), false).unwrap();
    }
    let more = [
        (
            Credential::new("ada", "1")
                .hostname("kafka.example:9093")
                .mechanism(Mechanism::ScramSha256)
                .ssl_ca_location("/ca.pem")
                .client_certificate("/c.pem", "/k.pem")
                .ssl_key_password("3"),
            as_listed(
                "ada",
                "1",
                &json!({"hostname": "kafka.example:9093", "mechanism": "SCRAM-SHA-256", "ssl_ca_location": "/ca.pem"}),
            ),
        ),
        (
            Credential::new("bob", "2").protocol(Protocol::SaslPlaintext).mechanism(Mechanism::Plain),
            as_listed("bob", "2", &json!({"protocol": "SASL_PLAINTEXT", "mechanism": "PLAIN"})),
        ),
        (
            Credential::new("id", "s").token_endpoint("https://auth.example/token?x=1"),
            as_listed(
                "id",
                "s",
                &json!({"mechanism": "OAUTHBEARER", "token_endpoint": "https://auth.example/token?x=1"}),
            ),
        ),
        (
            Credential::new("eve", "").token_command("echo \"$X\" | sed 's/\\./,/'"),
            as_listed("eve", "", &json!({"mechanism": "OAUTHBEARER", "token_command": "echo \"$X\" | sed 's/\\./,/'"})),
        ),
    ];
    for (credential, listed) in more {
        store.add(credential, false).unwrap();
        expected.push(listed);
    }
    store.save().unwrap();
    assert_eq!(home.python_lists(&python), expected);
    // It is changed by hop-client too, and comes back.
    let before = store.credentials().to_vec();
    home.python(&python, &["-m", "hop", "auth", "remove", "ada@kafka.example:9093"]).expect(0);
    let left: Vec<Credential> = before.into_iter().filter(|credential| credential.username() != "ada").collect();
    // Its writer harms text with a backslash and an x, `\x41`; nothing else of these.
    let harmed = |credential: &&Credential| credential.username() != "odd-9";
    let now = home.store().credentials().to_vec();
    assert_eq!(now.iter().filter(harmed).collect::<Vec<_>>(), left.iter().filter(harmed).collect::<Vec<_>>());
    // The last one taken out leaves a file that both can read.
    let mut store = home.store();
    for credential in now {
        store.remove(&format!("{}@{}", credential.username(), credential.host().unwrap_or_default())).unwrap();
    }
    store.save().unwrap();
    assert_eq!(home.python_lists(&python), [Json::Null; 0]);
}

#[test]
fn hop_reads_what_hop_client_writes() {
    let Some((python, _)) = Python::or_skip("hop_reads_what_hop_client_writes") else { return };
    let home = Home::new();
    let cases = [
        ("username,password\nada,hunter2\n", Credential::new("ada", "hunter2")),
        (
            "username,password,hostname\nada,\"a,\"\"b'\\\",kafka.example:9093\n",
            Credential::new("ada", "a,\"b'\\").hostname("kafka.example:9093"),
        ),
        (
            "username,password,hostname,mechanism,protocol,ssl_ca_location\nbob,2,h,SCRAM-SHA-256,SASL_SSL,/ca.pem\n",
            Credential::new("bob", "2").hostname("h").mechanism(Mechanism::ScramSha256).ssl_ca_location("/ca.pem"),
        ),
        (
            "username,password,mechanism,protocol\nzoe,4,PLAIN,SASL_PLAINTEXT\n",
            Credential::new("zoe", "4").mechanism(Mechanism::Plain).protocol(Protocol::SaslPlaintext),
        ),
        (
            "username,password,token_endpoint\nid,s,https://h/t\n",
            Credential::new("id", "s").token_endpoint("https://h/t"),
        ),
        (
            "username,token_command\neve,print-token 'x y'\n",
            Credential::new("eve", "").token_command("print-token 'x y'"),
        ),
    ];
    for (at, (csv, credential)) in cases.iter().enumerate() {
        // The same file, read by us.
        assert_eq!(auth::read_csv(csv).unwrap(), std::slice::from_ref(credential), "{csv}");
        home.python_adds(&python, csv);
        let file = home.folder().join("auth.toml");
        let expected: Vec<Credential> = cases[..=at].iter().map(|(_, credential)| credential.clone()).collect();
        assert_eq!(auth::load_from(&file).unwrap(), expected, "{}", home.text("auth.toml"));
    }
}

#[test]
fn both_turn_older_forms_into_the_same() {
    let Some((python, _)) = Python::or_skip("both_turn_older_forms_into_the_same") else { return };
    let entry = "username = \"ada\"\npassword = \"hunter2\"\n";
    for (name, text) in [
        ("auth.toml", format!("[auth]\n{entry}")),
        ("config.toml", format!("[auth]\n{entry}\n[config]\nfetch_external = false\n")),
        ("config.toml", format!("[[auth]]\n{entry}\n[config]\nfetch_external = false\n")),
    ] {
        let (theirs, ours) = (Home::new(), Home::new());
        theirs.put(name, &text);
        theirs.python_adds(&python, "username,password\nbob,2\n");
        ours.put(name, &text);
        let mut store = ours.store();
        store.add(Credential::new("bob", "2"), false).unwrap();
        store.save().unwrap();
        for home in [&theirs, &ours] {
            assert_eq!(home.store().credentials(), store.credentials());
            assert_eq!(home.python_lists(&python).len(), 2);
            if name == "config.toml" {
                assert_eq!(home.text(name).trim(), "[config]\nfetch_external = false");
            }
        }
    }
}

#[test]
fn both_take_the_same_credential() {
    let Some((python, _)) = Python::or_skip("both_take_the_same_credential") else { return };
    let usernames = ["ada", "b@b"];
    let hosts = ["", "h", "h:9092", "h:9093", "other", "[::1]", "[::1]:9093"];
    let every: Vec<(&str, &str)> =
        usernames.iter().flat_map(|name| hosts.iter().map(move |host| (*name, *host))).collect();
    let mut urls = Vec::new();
    for username in ["", "ada@", "b%40b@", "zoe@"] {
        for broker in ["h", "h:9092", "h:9093", "other", "[::1]", "[::1]:9092", "[::1]:9093"] {
            urls.push(format!("kafka://{username}{broker}/t"));
        }
    }
    let mut cases: Vec<Vec<(&str, &str)>> = vec![vec![]];
    for (at, one) in every.iter().enumerate() {
        cases.push(vec![*one]);
        for (second, two) in every.iter().enumerate().skip(at) {
            cases.push(vec![*one, *two]);
            cases.extend(every.iter().skip(second).map(|three| vec![*one, *two, *three]));
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let asked: Vec<Json> = cases.iter().map(|credentials| json!({"credentials": credentials, "urls": urls})).collect();
    std::fs::write(file.path(), json!(asked).to_string()).unwrap();
    let script = hop_tests::root().join("tests/interop/auth.py");
    let home = Home::new();
    let theirs =
        lines(home.python(&python, &[script.to_str().unwrap(), "select", file.path().to_str().unwrap()]).expect(0));
    assert_eq!(theirs.len(), cases.len());
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for (case, theirs) in cases.iter().zip(&theirs) {
        let credentials: Vec<Credential> = case
            .iter()
            .map(|(username, host)| match *host {
                "" => Credential::new(*username, "secret"),
                host => Credential::new(*username, "secret").hostname(host),
            })
            .collect();
        for (url, theirs) in urls.iter().zip(theirs.as_array().unwrap()) {
            let ours = match auth::select(&credentials, &url.parse().unwrap()) {
                Ok(found) => json!([found.username(), found.host().unwrap_or_default()]),
                Err(error) if error.to_string().starts_with("no credential fits") => json!("none"),
                Err(error) if error.to_string().contains("credentials fit") => json!("several"),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(ours, *theirs, "{url} with {case:?}");
            *seen.entry(ours.as_str().unwrap_or("one").to_owned()).or_default() += 1;
        }
    }
    println!("{} lists of credentials, {} URLs each: {seen:?}", cases.len(), urls.len());
    assert_eq!(seen.len(), 3);
}

#[test]
fn both_share_the_settings() {
    let Some((python, _)) = Python::or_skip("both_share_the_settings") else { return };
    let home = Home::new();
    let ours = |arguments: &[&str]| home.here(Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments));
    let theirs = |arguments: &[&str]| home.python(&python, &[&["-m", "hop"], arguments].concat());
    ours(&["configure", "set", "automatic_offload", "no"]).expect(0);
    assert_eq!(theirs(&["configure", "show"]).expect(0), "fetch_external: True\nautomatic_offload: False\n");
    theirs(&["configure", "set", "fetch_external", "off"]).expect(0);
    assert_eq!(ours(&["configure", "show"]).expect(0), "fetch_external: False\nautomatic_offload: False\n");
    for arguments in [&["configure", "locate"][..], &["configure", "locate", "-t", "auth"], &["auth", "locate"]] {
        assert_eq!(ours(arguments).expect(0), theirs(arguments).expect(0));
    }
}
