//! The file of credentials: read in every form, written whole, and for its owner alone.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use hop_kafka::auth::{CredentialStore, Mechanism, Protocol, load_from, select};
use hop_kafka::{Credential, Error, ErrorKind};

const ENTRY: &str = "username = \"ada\"\npassword = \"hunter2\"\nhostname = \"h\"\nprotocol = \"SASL_PLAINTEXT\"\n\
                     mechanism = \"PLAIN\"\n";

fn ada() -> Credential {
    Credential::new("ada", "hunter2").hostname("h").protocol(Protocol::SaslPlaintext).mechanism(Mechanism::Plain)
}

fn put(folder: &Path, name: &str, text: &str, mode: u32) {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().mode() & 0o7777
}

/// The credentials in a private auth.toml with this text.
fn read(text: &str) -> Result<Vec<Credential>, Error> {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "auth.toml", text, 0o600);
    load_from(&folder.path().join("auth.toml"))
}

#[test]
fn every_form_is_read() {
    let inline =
        "{ username = 'ada', password = 'hunter2', hostname = 'h', protocol = 'SASL_PLAINTEXT', mechanism = 'PLAIN' }";
    for text in [
        format!("[[auth]]\n{ENTRY}"),
        format!("[auth]\n{ENTRY}"),
        format!("auth = {inline}"),
        format!("auth = [{inline}]"),
        ENTRY.lines().map(|line| format!("auth.{line}\n")).collect(),
    ] {
        assert_eq!(read(&text).unwrap(), [ada()], "{text}");
        // As it is written again.
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "auth.toml", &text, 0o600);
        let mut store = CredentialStore::open_in(folder.path()).unwrap();
        store.add(Credential::new("bob", "pass"), false).unwrap();
        store.save().unwrap();
        let file = folder.path().join("auth.toml");
        let written = fs::read_to_string(&file).unwrap();
        assert_eq!(written.matches("[[auth]]").count(), 2, "{written}");
        assert_eq!(load_from(&file).unwrap(), [ada(), Credential::new("bob", "pass")]);
    }
    assert!(read("auth = []").unwrap().is_empty());
}

#[test]
fn fields_mean_what_hop_client_takes_them_for() {
    let found = read(
        r#"
        [[auth]]
        username = "a"
        password = "1"
        hostname = ""
        mechanism = "SCRAM_SHA_256"
        ssl_ca_location = "/ca.pem"
        favourite_colour = "blue"
        [[auth]]
        username = "b"
        password = "2"
        token_endpoint = "https://h/t"
        [[auth]]
        username = "c"
        password = ""
        token_command = "print-token"
        [[auth]]
        username = "d"
        password = "4"
        mechanism = "PLAIN"
        token_endpoint = "https://h/t"
        ssl_certificate_location = "/c.pem"
        ssl_key_location = "/k.pem"
        ssl_key_password = "5"
        "#,
    );
    assert_eq!(
        found.unwrap(),
        [
            Credential::new("a", "1").mechanism(Mechanism::ScramSha256).ssl_ca_location("/ca.pem"),
            Credential::new("b", "2").token_endpoint("https://h/t"),
            Credential::new("c", "").token_command("print-token"),
            Credential::new("d", "4")
                .token_endpoint("https://h/t")
                .mechanism(Mechanism::Plain)
                .client_certificate("/c.pem", "/k.pem")
                .ssl_key_password("5"),
        ]
    );
}

#[test]
fn what_cannot_be_read_says_where_and_never_what() {
    for (text, why) in [
        ("[[auth]]\nusername = \"ada\"\npassword = hunter2", "not TOML, near line 3"),
        ("[[auth]]\nusername = \"ada\"\npassword = \"hunter2\"\npassword = \"hunter2\"", "not TOML, near line 4"),
        ("auth = \"hunter2\"", "no `[[auth]]`"),
        ("password = \"hunter2\"", "no `[[auth]]`"),
        ("", "no `[[auth]]`"),
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Credential);
        assert!(error.to_string().contains(why), "{text:?}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn a_file_that_others_may_read_is_refused_to_read_and_to_change() {
    let folder = tempfile::tempdir().unwrap();
    for open in [0o640, 0o604, 0o601, 0o4600] {
        put(folder.path(), "auth.toml", &format!("[[auth]]\n{ENTRY}"), open);
        for error in [
            load_from(&folder.path().join("auth.toml")).unwrap_err(),
            CredentialStore::open_in(folder.path()).unwrap_err(),
        ] {
            let text = error.to_string();
            assert!(text.contains(&format!("mode {open:04o}")) && text.contains("chmod 0600 "), "{text}");
        }
    }
}

#[test]
fn what_is_written_is_private_and_leaves_nothing_beside_it() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("config/hop");
    let mut store = CredentialStore::open_in(&folder).unwrap();
    assert!(store.credentials().is_empty());
    store.add(ada(), false).unwrap();
    store.save().unwrap();
    assert_eq!(mode(&folder.join("auth.toml")), 0o600);
    assert_eq!(mode(&folder), 0o700);
    store.remove("ada").unwrap();
    store.save().unwrap();
    assert_eq!(fs::read_to_string(folder.join("auth.toml")).unwrap(), "auth = []\n");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn comments_and_names_of_others_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let text = "# Mine.\nversion = 3\n\n# At work.\n[[auth]]\nusername = \"ada\" # me\npassword = \"old\" # change in May\n\
                favourite_colour = \"blue\"\ntoken_command = \"x\"\n\n# At home.\n[[auth]]\nusername = \"bob\"\npassword = \"2\"\n\
                [other]\nkey = 1\n";
    put(folder.path(), "auth.toml", text, 0o600);
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    assert!(store.add(Credential::new("ada", "new"), true).unwrap());
    assert!(!store.add(Credential::new("eve", "3").hostname("h"), true).unwrap());
    store.remove("bob").unwrap();
    store.save().unwrap();
    assert_eq!(
        fs::read_to_string(folder.path().join("auth.toml")).unwrap(),
        "# Mine.\nversion = 3\n\n# At work.\n[[auth]]\nusername = \"ada\" # me\npassword = \"new\" # change in May\n\
         favourite_colour = \"blue\"\nprotocol = \"SASL_SSL\"\nmechanism = \"SCRAM-SHA-512\"\n\n[[auth]]\nusername = \"eve\"\n\
         password = \"3\"\nhostname = \"h\"\nprotocol = \"SASL_SSL\"\nmechanism = \"SCRAM-SHA-512\"\n[other]\nkey = 1\n"
    );
}

#[test]
fn credentials_in_the_general_file_move_to_their_own() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "config.toml", &format!("# Mine.\n[auth]\n{ENTRY}\n[config]\nfetch_external = false\n"), 0o600);
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    assert_eq!(store.credentials(), [ada()]);
    store.add(Credential::new("bob", "2"), false).unwrap();
    store.save().unwrap();
    assert_eq!(load_from(&folder.path().join("auth.toml")).unwrap(), [ada(), Credential::new("bob", "2")]);
    let general = fs::read_to_string(folder.path().join("config.toml")).unwrap();
    assert!(!general.contains("hunter2") && general.contains("[config]\nfetch_external = false"), "{general}");
    // Once there is a file for them alone, credentials in the general one are not read.
    put(folder.path(), "config.toml", "[[auth]]\nusername = \"zoe\"\npassword = \"1\"\n", 0o600);
    assert_eq!(CredentialStore::open_in(folder.path()).unwrap().credentials().len(), 2);
}

#[test]
fn a_write_that_fails_leaves_all_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("[[auth]]\n{ENTRY}");
    put(folder.path(), "auth.toml", &text, 0o600);
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    store.add(Credential::new("bob", "2"), false).unwrap();
    // A folder in the way of the new file; also root, whom modes do not stop, cannot replace it.
    fs::remove_file(folder.path().join("auth.toml")).unwrap();
    fs::create_dir(folder.path().join("auth.toml")).unwrap();
    let error = store.save().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Credential);
    assert!(error.to_string().contains("auth.toml: not written: "), "{error}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something is left behind");
}

#[test]
fn a_link_is_followed() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(elsewhere.path(), "mine.toml", &format!("[[auth]]\n{ENTRY}"), 0o600);
    std::os::unix::fs::symlink(elsewhere.path().join("mine.toml"), folder.path().join("auth.toml")).unwrap();
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    store.add(Credential::new("bob", "2"), false).unwrap();
    store.save().unwrap();
    assert!(fs::symlink_metadata(folder.path().join("auth.toml")).unwrap().is_symlink());
    assert_eq!(load_from(&elsewhere.path().join("mine.toml")).unwrap().len(), 2);
}

#[test]
fn a_credential_is_one_by_its_username_and_hostname() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    for (username, hostname) in [("ada", None), ("ada", Some("h")), ("ada", Some("h:1")), ("bob@b", None)] {
        let credential = Credential::new(username, "1");
        let credential = hostname.map_or(credential.clone(), |hostname| credential.hostname(hostname));
        assert!(!store.add(credential.clone(), false).unwrap());
        let twice = store.add(credential, false).unwrap_err().to_string();
        assert!(twice.starts_with("there is a credential `"), "{twice}");
    }
    let several = store.remove("ada").unwrap_err().to_string();
    assert_eq!(
        several,
        "several credentials have the name `ada`: `ada` for any broker, `ada` for h, `ada` for h:1; say which one, as in \
         `username@hostname`; `username@` for the one without a hostname; or `#2` for the second in the file"
    );
    assert_eq!(store.remove("ada@").unwrap().host(), None);
    assert_eq!(store.remove("ada@h").unwrap().host(), Some("h"));
    assert_eq!(store.remove("ada").unwrap().host(), Some("h:1"));
    assert_eq!(store.remove("bob@b").unwrap().username(), "bob@b");
    assert!(store.remove("bob").unwrap_err().to_string().contains("no credential has the name"));
}

#[test]
fn whatever_is_in_a_password_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let odd: String =
        (1..=0x80).filter_map(char::from_u32).chain("\"'''\"\"\"\\u0041 ünï🍩 #[[auth]]\r\n".chars()).collect();
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    let credential = Credential::new("ada", odd).hostname("h").token_command("echo \"a b\" | sed 's/\\(a\\)/\\1/'");
    store.add(credential.clone(), false).unwrap();
    store.save().unwrap();
    assert_eq!(load_from(&folder.path().join("auth.toml")).unwrap(), [credential]);
}

#[test]
fn what_cannot_be_used_is_not_added() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    for (credential, why) in [
        (Credential::new("", "hunter2"), "has no `username`"),
        (Credential::new("ada", ""), "has no `password`"),
        (Credential::new("ada", "hunter2\0"), "zero byte"),
        (Credential::new("ada", "hunter2").mechanism(Mechanism::OAuthBearer), "no token; give it a `token_endpoint`"),
        (Credential::new("ada", "hunter2").token_endpoint("https://hunter2@h/t"), "has a username in it"),
        (
            Credential::new("ada", "hunter2").token_endpoint("http://hunter2.example/t"),
            "would send the password in the clear",
        ),
        (Credential::new("ada", "hunter2").token_endpoint("hunter2"), "no URL"),
        (Credential::new("ada", "hunter2").token_endpoint("ftp://hunter2/"), "not an `https` URL"),
    ] {
        let error = store.add(credential.clone(), false).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
        assert!(!format!("{error} {error:?} {credential:?}").contains("hunter2"), "{error} {credential:?}");
    }
    assert!(store.add(Credential::new("ada", "1").token_endpoint("http://[::1]:8080/t?x=1"), false).is_ok());
}

/// Entries that cannot be used, and what is said of them.
const FAULTY: [(&str, &str); 13] = [
    (
        "username = 'bad'\npassword = 'hunter2'\nmechanism = 'GSSAPI'\nhostname = 'old.example'",
        "`mechanism` is none of",
    ),
    (
        "username = 'bad'\npassword = 'hunter2'\nmechanism = 'hunter2'\nhostname = 'old.example'",
        "`mechanism` is none of",
    ),
    ("username = 'bad'\npassword = 'hunter2'\nprotocol = 'hunter2'\nhostname = 'old.example'", "`protocol` is neither"),
    ("username = 'bad'\npassword = ['hunter2']\nhostname = 'old.example'", "`password` is not a string"),
    ("username = 'bad'\nhostname = 'old.example'", "`password` is missing"),
    ("username = 'bad'\npassword = ''\nhostname = 'old.example'", "no `password`"),
    ("username = 'bad'\npassword = 'hunter2'\nhostname = 5", "`hostname` is not a string"),
    ("username = 'bad'\npassword = 'hunter2'\nhostname = 'a host/x'", "invalid hostname"),
    (
        "username = 'bad'\npassword = 'hunter2'\nhostname = 'old.example'\nssl_ca_location = 2026-11-26",
        "is not a string",
    ),
    ("username = 'bad'\npassword = 'hunter2'\nhostname = 'old.example'\nmechanism = 'OAUTHBEARER'", "no token"),
    ("username = 'bad'\npassword = 'hunter2'\nhostname = 'old.example'\nssl_key_location = 'k'", "only one of"),
    (
        "username = 'bad'\npassword = 'hunter2'\nhostname = 'old.example'\ntoken_endpoint = 'http://h/hunter2'",
        "`https`",
    ),
    ("username = 'bad'\npassword = \"hunter2\\u0000\"\nhostname = 'old.example'", "zero byte"),
];

#[test]
fn one_bad_entry_leaves_the_others_usable_and_can_be_removed() {
    let good = "[[auth]]\nusername = 'ada-1234'\npassword = 'p'\nhostname = '127.0.0.1:9092'\n";
    for (bad, why) in FAULTY {
        for text in [format!("[[auth]]\n{bad}\n{good}"), format!("{good}[[auth]]\n{bad}\n")] {
            let folder = tempfile::tempdir().unwrap();
            put(folder.path(), "auth.toml", &text, 0o600);
            let file = folder.path().join("auth.toml");
            let credentials = load_from(&file).unwrap();
            assert_eq!(select(&credentials, &"kafka://127.0.0.1/t".parse().unwrap()).unwrap().username(), "ada-1234");
            let problem = credentials.iter().find(|one| one.username() == "bad").unwrap().problem().unwrap();
            assert!(problem.contains(why) && !problem.contains("hunter2"), "{bad}: {problem}");
            let chosen = select(&credentials, &"kafka://bad@old.example/t".parse().unwrap()).unwrap_err();
            assert!(chosen.to_string().contains(why), "{bad}: {chosen}");
            assert!(!format!("{chosen:?} {chosen} {credentials:?}").contains("hunter2"), "{chosen:?} {credentials:?}");

            let mut store = CredentialStore::open_in(folder.path()).unwrap();
            store.add(Credential::new("eve", "1"), false).unwrap();
            store.save().unwrap();
            assert_eq!(load_from(&file).unwrap().len(), 3, "{bad}");
            store.remove("bad").unwrap();
            store.save().unwrap();
            let left = load_from(&file).unwrap();
            assert!(left.iter().all(|credential| credential.problem().is_none()) && left.len() == 2, "{left:?}");
        }
    }
}

#[test]
fn entries_without_a_name_are_removed_by_their_place() {
    for (text, why) in [
        ("[[auth]]\npassword = \"hunter2\"\n[[auth]]\nusername = 'ada'\npassword = '1'", "`username` is missing"),
        (
            "[[auth]]\nusername = 7\npassword = \"2\"\n[[auth]]\nusername = 'ada'\npassword = '1'",
            "`username` is not a string",
        ),
        ("auth = [\"hunter2\", { username = 'ada', password = '1' }]", "it is not a table"),
        ("auth = [[1], { username = 'ada', password = '1' }]", "it is not a table"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "auth.toml", text, 0o600);
        let mut store = CredentialStore::open_in(folder.path()).unwrap();
        let problem = store.credentials()[0].problem().unwrap();
        assert!(problem.contains(why), "{problem}");
        store.add(Credential::new("bob", "2"), false).unwrap();
        store.save().unwrap();
        assert_eq!(CredentialStore::open_in(folder.path()).unwrap().credentials().len(), 3, "{text}");
        assert!(store.remove("#0").is_err() && store.remove("#9").is_err());
        store.remove("#1").unwrap();
        store.save().unwrap();
        let left = load_from(&folder.path().join("auth.toml")).unwrap();
        assert_eq!(left, [Credential::new("ada", "1"), Credential::new("bob", "2")], "{text}");
    }
}

#[test]
fn a_hostname_with_and_without_the_port_is_one_broker() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = CredentialStore::open_in(folder.path()).unwrap();
    store.add(Credential::new("ada", "1").hostname("kafka.example"), false).unwrap();
    for twin in ["kafka.example:9092", "KAFKA.example", "Kafka.Example:9092"] {
        assert!(store.add(Credential::new("ada", "2").hostname(twin), false).is_err(), "{twin}");
    }
    assert!(store.add(Credential::new("ada", "2").hostname("kafka.example:9092"), true).unwrap());
    assert!(!store.add(Credential::new("ada", "3").hostname("kafka.example:9093"), false).unwrap());
    assert!(!store.add(Credential::new("ada", "4").hostname("[::1]"), false).unwrap());
    assert!(store.add(Credential::new("ada", "5").hostname("[::1]:9092"), true).unwrap());
    assert_eq!(store.credentials().len(), 3);
    assert_eq!(store.remove("ada@kafka.example").unwrap().host(), Some("kafka.example:9092"));
    assert_eq!(store.remove("ada@[::1]:9092").unwrap().host(), Some("[::1]:9092"));
}

#[test]
fn what_is_not_a_regular_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("auth.toml");
    let made = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap();
    assert!(made.success());
    for error in [load_from(&file).unwrap_err(), CredentialStore::open_in(folder.path()).unwrap_err()] {
        assert!(error.to_string().contains("not a regular file"), "{error}");
    }
    // In the place of the general file too, which is looked into where there is none of credentials.
    fs::rename(&file, folder.path().join("config.toml")).unwrap();
    assert!(CredentialStore::open_in(folder.path()).unwrap().credentials().is_empty());
    for device in ["/dev/zero", "/dev/tty", "/dev"] {
        let link = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(device, link.path().join("auth.toml")).unwrap();
        let error = load_from(&link.path().join("auth.toml")).unwrap_err();
        assert!(error.to_string().contains("not a regular file"), "{device}: {error}");
    }
}
