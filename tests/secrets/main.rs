//! No secret is shown: not in errors and what stands behind them, not by `Debug`, not in any log, librdkafka's included.
//!
//! A program of its own, since it listens to the log of the whole process.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::error::Error as _;
use std::fmt::{Debug, Write as _};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hop_core::JsonBlob;
use hop_kafka::auth::{self, CredentialStore, Mechanism, Protocol};
use hop_kafka::{Auth, Credential, EmbeddedBroker, Error, Offload, Stream, Url};
use hop_models::External;
use hop_tests::archive::{Archive, Fault};
use hop_tests::hostile::{HARMS, HostileServer};
use hop_tests::process::Program;
use hop_tests::token::{Behaviour, TokenServer};
use uuid::Uuid;

/// The password, the endpoint's secret, what a command holds: each has this in it.
const SECRET: &str = "hunter2-is-secret";
/// How long anything may take to fail.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Everything that was shown, by whom.
#[derive(Clone, Default)]
struct Shown(Arc<Mutex<String>>);

impl Shown {
    fn add(&self, what: impl Debug) {
        writeln!(self.0.lock().unwrap(), "{what:?} {what:#?}").unwrap();
    }

    fn text(&self, text: &str) {
        self.0.lock().unwrap().push_str(text);
    }

    /// An error in each of its forms, and what stands behind it. Its text, for the test to look at.
    fn error(&self, error: &Error) -> String {
        self.add(error);
        self.text(&error.to_string());
        let mut source = error.source();
        while let Some(behind) = source {
            self.text(&format!("{behind} {behind:?} {behind:#?}"));
            source = behind.source();
        }
        error.undelivered().iter().for_each(|lost| self.add(lost));
        error.to_string()
    }
}

impl io::Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn listen() -> Shown {
    let shown = Shown::default();
    let writer = shown.clone();
    // Of the `log` crate, which ureq and rdkafka speak to, too.
    tracing_log::LogTracer::init().unwrap();
    tracing::subscriber::set_global_default(
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish(),
    )
    .unwrap();
    shown
}

/// Reads and writes with this credential where that fails, and shows all there is to see.
async fn use_in_vain(shown: &Shown, address: &str, credential: Credential) {
    shown.add(&credential);
    shown.text(&credential.to_string());
    shown.add(Auth::Credentials(vec![credential.clone()]));
    let builder = || {
        Stream::builder()
            .credential(credential.clone())
            .connect_timeout(PATIENCE)
            .property("ssl.key.password", SECRET)
            // librdkafka says all that it can say.
            .property("debug", "all")
    };
    shown.add(builder());
    let hop = builder().build().unwrap();
    shown.add(&hop);
    let url = format!("kafka://{}:{SECRET}@{address}/topic", "ada");
    let subscribe = hop.subscribe(&url);
    shown.add(&subscribe);
    match subscribe.await {
        Ok(subscription) => shown.add(subscription),
        Err(error) => drop(shown.error(&error)),
    }
    let publish = hop.publish(&url).produce_timeout(PATIENCE);
    shown.add(&publish);
    match publish.await {
        Ok(publisher) => {
            shown.add(&publisher);
            let sent = publisher.write(&JsonBlob::default()).send().await;
            drop(sent.map_err(|error| shown.error(&error)));
            drop(publisher.close_within(PATIENCE).await.map_err(|error| shown.error(&error)));
        }
        Err(error) => drop(shown.error(&error)),
    }
}

/// Publishes by way of a journal, which keeps what cannot be sent, and shows that and every byte on the disk.
async fn publish_by_journal(shown: &Shown, address: &str, credential: Credential) {
    let home = tempfile::tempdir().unwrap();
    let hop =
        Stream::builder().credential(credential).connect_timeout(PATIENCE).property("debug", "all").build().unwrap();
    let publish = hop.publish(format!("kafka://ada:{SECRET}@{address}/topic")).journal(home.path().join("journal"));
    shown.add(&publish);
    match publish.await {
        Ok(publisher) => {
            shown.add(&publisher);
            let message = JsonBlob::default();
            let queued = publisher.write(&message).queue().await;
            drop(queued.map_err(|error| shown.error(&error)));
            let brief = PATIENCE / 5;
            drop(publisher.close_within(brief).await.map_err(|error| shown.error(&error)));
        }
        Err(error) => drop(shown.error(&error)),
    }
    for file in std::fs::read_dir(home.path().join("journal")).into_iter().flatten() {
        shown.text(&String::from_utf8_lossy(&std::fs::read(file.unwrap().path()).unwrap()));
    }
}

/// The files that hold credentials, and do not read.
fn read_what_is_broken(shown: &Shown, folder: &Path) {
    let entry = format!("username = \"ada\"\npassword = \"{SECRET}\"");
    for text in [
        format!("[[auth]]\n{entry}\nhostname = {SECRET}"),
        format!("[[auth]]\n{entry}\npassword = \"{SECRET}\""),
        format!("[[auth]]\n{entry}\nmechanism = \"{SECRET}\""),
        format!("[[auth]]\n{entry}\nprotocol = \"{SECRET}\""),
        format!("[[auth]]\nusername = [\"{SECRET}\"]"),
        format!("auth = \"{SECRET}\""),
        format!("password = \"{SECRET}\""),
    ] {
        let file = folder.join("auth.toml");
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        // An entry that cannot be used is shown with what is wrong; a file that cannot be read is an error.
        match auth::load_from(&file) {
            Ok(credentials) => credentials.iter().for_each(|credential| {
                shown.add(credential);
                shown.text(&credential.to_string());
            }),
            Err(error) => drop(shown.error(&error)),
        }
        match CredentialStore::open_in(folder) {
            Ok(store) => shown.add(store),
            Err(error) => drop(shown.error(&error)),
        }
    }
    std::fs::remove_file(folder.join("auth.toml")).unwrap();
    let mut store = CredentialStore::open_in(folder).unwrap();
    store.add(Credential::new("ada", SECRET), false).unwrap();
    shown.add(&store);
    shown.error(&store.add(Credential::new("ada", SECRET), false).unwrap_err());
    shown.error(&store.add(Credential::new("ada", format!("{SECRET}\0")), true).unwrap_err());
    for csv in [
        format!("user,password\nada,{SECRET}\n"),
        format!("username,password\nada,{SECRET},{SECRET}\n"),
        format!("username,password,mechanism\nada,{SECRET},{SECRET}\n"),
        format!("username,password,hostname\nada,{SECRET},a b\n"),
    ] {
        shown.error(&auth::read_csv(&csv).unwrap_err());
    }
    for url in [format!("kafka://ada:{SECRET}@h:port/t"), format!("ada:{SECRET}@h"), format!("http://ada:{SECRET}@h/")]
    {
        shown.error(&url.parse::<Url>().unwrap_err());
    }
}

/// Fetches from, stores in and searches archives that misbehave, as a user whose password is the secret.
async fn use_archives(shown: &Shown) {
    let (broker, archive) = (EmbeddedBroker::start().unwrap(), Archive::start());
    archive.user("ada", SECRET);
    let metadata = Stream::builder().no_auth().build().unwrap().publish(broker.url("t")).await.unwrap();
    let url = archive.url(Uuid::new_v4());
    for url in [url.as_str(), &format!("http://ada:{SECRET}@127.0.0.1:{}/x", archive.port())] {
        metadata.write(&External::new(url)).send().await.unwrap();
    }
    let wrong = format!("{SECRET} but wrong");
    let credentials = [
        Credential::new("ada", SECRET),
        Credential::new("ada", SECRET).mechanism(Mechanism::ScramSha256),
        Credential::new("ada", wrong),
        Credential::new("a\u{7}", SECRET),
        Credential::new("ada", format!("{SECRET}\u{7}")),
    ];
    for (number, credential) in credentials.into_iter().enumerate() {
        // Each fault once; the other credentials where they are refused.
        let faults = [
            Fault::None,
            Fault::Closes,
            Fault::Says(400),
            Fault::Says(401),
            Fault::Says(500),
            Fault::Redirects("http://127.0.0.1:1/x".to_owned()),
            Fault::WrongSignature,
            Fault::WrongSid,
            Fault::NoSignature,
            Fault::Iterations(1),
        ];
        let count = if number == 0 { faults.len() } else { 1 };
        for fault in faults.into_iter().take(count) {
            archive.fault(fault);
            let hop = Stream::builder()
                .credential(credential.clone())
                .property("security.protocol", "plaintext")
                .start_at(hop_kafka::StartPosition::Earliest)
                .until_eos(true)
                .fetch_external(true)
                .offload(Offload::Always)
                .external_timeout(Duration::from_millis(300))
                .archive_url(archive.endpoint());
            shown.add(&hop);
            let hop = hop.build().unwrap();
            shown.add(&hop);
            match hop.archive(broker.url("")) {
                Err(error) => drop(shown.error(&error)),
                Ok(client) => {
                    shown.add(&client);
                    drop(client.get(Uuid::new_v4()).await.map_err(|error| shown.error(&error)));
                    drop(client.topics().await.map_err(|error| shown.error(&error)));
                }
            }
            let out = hop.publish(broker.url("u")).produce_timeout(Duration::from_millis(300)).await.unwrap();
            drop(out.write(&JsonBlob::default()).send().await.map_err(|error| shown.error(&error)));
            shown.add(&out);
            let mut alerts = hop.subscribe(broker.url("t")).await.unwrap();
            while let Some(alert) = alerts.next().await {
                drop(alert.map_err(|error| shown.error(&error)));
            }
        }
    }
    assert!(!archive.asked().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_shown_has_a_secret_in_it() {
    let shown = listen();
    let folder = tempfile::tempdir().unwrap();
    read_what_is_broken(&shown, folder.path());

    let broker = EmbeddedBroker::start().unwrap();
    let server = TokenServer::start();
    let ada = || Credential::new("ada", SECRET);
    let of_server = || ada().token_endpoint(server.token_endpoint());
    // What comes after the `?` of an endpoint is not shown by hop; the HTTP client's log has it.
    shown.add(ada().token_endpoint(format!("https://h/t?key={SECRET}")));
    // By password. The broker knows nothing of TLS and SASL, and hangs up.
    for protocol in [Protocol::SaslPlaintext, Protocol::SaslSsl] {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha512] {
            use_in_vain(&shown, &broker.address(), ada().protocol(protocol).mechanism(mechanism)).await;
        }
    }
    // Apache Kafka, where there is one, asks for the password, and refuses it.
    if let Ok(apache) = std::env::var("HOP_TEST_SASL_PLAINTEXT") {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
            use_in_vain(&shown, &apache, ada().protocol(Protocol::SaslPlaintext).mechanism(mechanism)).await;
        }
    }
    // A server that has SCRAM begin, and then means harm.
    for harm in HARMS {
        let hostile = HostileServer::start(harm);
        let credential = ada().protocol(Protocol::SaslPlaintext).mechanism(Mechanism::ScramSha512);
        use_in_vain(&shown, hostile.address(), credential).await;
        assert!(hostile.reached() > 0, "{harm:?}");
    }
    let nothing = folder.path().join("nothing.pem");
    use_in_vain(&shown, &broker.address(), ada().ssl_ca_location(&nothing)).await;
    use_in_vain(&shown, &broker.address(), ada().client_certificate(&nothing, &nothing).ssl_key_password(SECRET)).await;
    use_in_vain(&shown, &broker.address(), ada().token_endpoint(format!("https://ada:{SECRET}@h/"))).await;

    // By way of a journal, which keeps what cannot be sent.
    for protocol in [Protocol::SaslPlaintext, Protocol::SaslSsl] {
        publish_by_journal(&shown, &broker.address(), ada().protocol(protocol)).await;
    }
    publish_by_journal(&shown, &broker.address(), of_server()).await;

    // By token: an endpoint that sends back what it is sent, one that gives tokens, commands that say too much.
    for status in [200, 400, 401, 500] {
        server.behave(Behaviour::Echoes(status));
        use_in_vain(&shown, &broker.address(), of_server()).await;
    }
    let says = |status, text: String| Behaviour::Says(status, text);
    for text in [SECRET.to_owned(), format!("{{\"access_token\": \"{SECRET} {SECRET}\", \"expires_in\": 300}}")] {
        server.behave(says(200, text));
        use_in_vain(&shown, &broker.address(), of_server()).await;
    }
    server.behave(Behaviour::Proper);
    server.client("ada", SECRET);
    use_in_vain(&shown, &broker.address(), of_server().protocol(Protocol::SaslPlaintext)).await;
    for command in [
        format!("set -x; echo {SECRET} >&2; echo {SECRET}; exit 1"),
        format!("echo {SECRET} {SECRET}"),
        format!("echo {SECRET}"),
        SECRET.to_owned(),
    ] {
        use_in_vain(&shown, &broker.address(), Credential::new("ada", "").token_command(command)).await;
    }

    use_archives(&shown).await;

    // The command, as talkative as can be.
    let home = tempfile::tempdir().unwrap();
    let add = |input: String| {
        let hop = Program::new(env!("CARGO_BIN_EXE_plain-hop")).env("XDG_CONFIG_HOME", home.path());
        let finished = hop.args(["-v", "auth", "add"]).input(input).run();
        shown.text(&format!("{}{}", String::from_utf8_lossy(&finished.out), finished.err));
    };
    add(format!("ada\n{SECRET}\n\n\n"));
    add(format!("ada\n{SECRET}\n\n\n"));
    add(format!("id\n{SECRET}\n\n{}\n", server.token_endpoint()));
    let (ada_url, id_url) =
        (format!("kafka://ada@{}/t", broker.address()), format!("kafka://id@{}/t", broker.address()));
    for arguments in [
        &["auth", "list"][..],
        &["auth", "remove", "nobody"],
        &["subscribe", "-e", &ada_url],
        &["subscribe", "-e", &id_url],
        &["publish", "--timeout", "2", "-f", "json", &id_url, &format!("{}/Cargo.toml", env!("CARGO_MANIFEST_DIR"))],
    ] {
        let hop = Program::new(env!("CARGO_BIN_EXE_plain-hop")).env("XDG_CONFIG_HOME", home.path());
        let finished = hop.args(["-v"]).args(arguments).run();
        shown.text(&format!("{}{}", String::from_utf8_lossy(&finished.out), finished.err));
    }

    let given = server.given();
    assert!(!given.is_empty(), "no token was given, so none could be shown");
    let shown = shown.0.lock().unwrap().clone();
    // That it listened to all: to us, to librdkafka, to the HTTP client.
    for heard in ["[hidden]", "no token", "librdkafka", "ureq", "hopjrnl"] {
        assert!(shown.contains(heard), "nothing of `{heard}` among {} characters", shown.len());
    }
    let mut secrets =
        vec![SECRET.to_owned(), STANDARD.encode(format!("ada:{SECRET}")), STANDARD.encode(format!("\0ada\0{SECRET}"))];
    // The head of a token is no secret; its claims and its signature are.
    secrets.extend(given.iter().flat_map(|token| token.split('.').skip(1).map(str::to_owned)));
    for secret in secrets {
        if let Some(at) = shown.find(&secret) {
            let line_start = shown[..at].rfind('\n').map_or(0, |at| at + 1);
            let line = shown[line_start..].lines().next().unwrap_or_default();
            panic!("a secret is shown in: {line}");
        }
    }
}
