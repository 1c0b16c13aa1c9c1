//! `hop doctor` names what is wrong, whatever it is.

use std::path::Path;

use hop_tests::process::{Finished, Program};
use hop_tests::proxy::{Behaviour, Proxy};
use hop_tests::registry::{Answer, FakeRegistry};
use hop_tests::secured::Secured;
use hop_tests::token::{SigningKey, TokenServer};
use hop_tests::{Broker, send_raw};
use serde_json::Value;

/// A home whose file of credentials is this, and `hop doctor` in it.
fn doctor(auth: &str, arguments: &[&str]) -> Program {
    let home = tempfile::tempdir().unwrap().keep();
    std::fs::create_dir(home.join("hop")).unwrap();
    let file = home.join("hop/auth.toml");
    std::fs::write(&file, auth).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let fixed = ["doctor", "--json", "--timeout", "3"];
    Program::new(env!("CARGO_BIN_EXE_plain-hop"))
        .args(fixed.iter().chain(arguments))
        .env("HOME", &home)
        .env("XDG_CONFIG_HOME", &home)
}

/// The steps of a report, and whether all is well.
fn steps(finished: &Finished) -> (bool, Vec<Value>) {
    let report: Value = serde_json::from_slice(&finished.out).unwrap_or_else(|error| panic!("{error}: {finished:?}"));
    let is_ok = report["ok"].as_bool().unwrap();
    assert_eq!(finished.status.code(), Some(i32::from(!is_ok)), "{finished:?}");
    (is_ok, report["steps"].as_array().unwrap().clone())
}

/// The first step that failed.
fn fault(steps: &[Value]) -> &Value {
    steps.iter().find(|step| step["status"] == "failed").unwrap_or_else(|| panic!("nothing failed: {steps:?}"))
}

struct Case {
    what: &'static str,
    auth: String,
    arguments: Vec<String>,
    /// The step that fails, and words of what it saw and of what to do.
    step: &'static str,
    saw: &'static str,
    advice: &'static str,
}

/// An entry of the file of credentials.
fn entry(user: &str, password: &str, more: &[(&str, &str)]) -> String {
    let mut text = format!("[[auth]]\nusername = '{user}'\npassword = '{password}'\n");
    for (name, value) in more {
        text.push_str(&format!("{name} = '{value}'\n"));
    }
    text
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_fault_is_named_by_its_step_with_what_to_do() {
    let Some(secured) = Secured::or_skip("each_fault_is_named_by_its_step_with_what_to_do") else { return };
    let topic = secured.broker.topic(1).await;
    let for_reader = secured.broker.topic_after("hop-test-for-reader-", 1, &[]).await;
    send_raw(secured.broker.address(), &topic, b"{}", &[]);
    send_raw(secured.broker.address(), &for_reader, b"{}", &[]);
    let (ssl, mutual, clear) = (secured.sasl_ssl(), secured.mutual_tls(), secured.sasl_plaintext());
    let (_host, port) = ssl.split_once(':').unwrap();
    let (ca, unknown_ca) = (text(&secured.file("ca.pem")), text(&secured.file("unknown-ca.pem")));
    let (client, key) = (text(&secured.file("client.pem")), text(&secured.file("client-key.pem")));
    let user = |name: &str| entry(name, secured.password(name), &[("ssl_ca_location", &ca)]);
    let owner = || user("owner");
    let in_the_clear = entry("owner", secured.password("owner"), &[("protocol", "SASL_PLAINTEXT")]);
    let wrong = |name: &str, mechanism: &str| {
        entry(name, "wrong-pa55word", &[("mechanism", mechanism), ("ssl_ca_location", &ca)])
    };
    let server = TokenServer::with_key(SigningKey::read(&secured.file("token-key.pem")), 0);
    server.client("owner", "the-cl1ents-secret");
    let endpoint = server.token_endpoint();
    let by_endpoint = [
        ("token_endpoint", endpoint.as_str()),
        ("ssl_ca_location", &ca),
        ("ssl_certificate_location", &client),
        ("ssl_key_location", &key),
    ];
    let by_command =
        |token: &str| entry("owner", "", &[("token_command", &format!("printf %s {token}")), ("ssl_ca_location", &ca)]);
    let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let black_hole = Proxy::blind(&ssl);
    black_hole.behave(Behaviour::BlackHole);
    let plain = secured.broker.address().to_owned();

    let at = |address: &str| vec![format!("kafka://{address}/{topic}")];
    let reading = |more: &[&str]| {
        let mut arguments = vec![format!("kafka://{ssl}/{for_reader}")];
        arguments.extend(more.iter().map(|text| (*text).to_owned()));
        arguments
    };
    let no_auth = |address: &str| vec!["--no-auth".to_owned(), format!("kafka://{address}/{topic}")];
    let mut cases = Vec::new();
    let mut case = |what, auth: String, arguments, step, saw, advice| {
        cases.push(Case { what, auth, arguments, step, saw, advice });
    };
    let password = ("the credential is refused", "check the username, the password");
    case("wrong password, PLAIN", wrong("owner", "PLAIN"), at(&ssl), "login", password.0, password.1);
    case("wrong password, SHA-256", wrong("owner", "SCRAM-SHA-256"), at(&ssl), "login", password.0, password.1);
    case("wrong password, SHA-512", wrong("owner", "SCRAM-SHA-512"), at(&ssl), "login", password.0, password.1);
    case("unknown user", wrong("nobody", "SCRAM-SHA-512"), at(&ssl), "login", password.0, password.1);
    let unknown_authority = entry("owner", secured.password("owner"), &[("ssl_ca_location", &unknown_ca)]);
    case(
        "unknown authority",
        unknown_authority,
        at(&ssl),
        "tls",
        "issued by `hop test authority`",
        "unknown-ca.pem has to have",
    );
    let systems = entry("owner", secured.password("owner"), &[]);
    case("the system's authorities", systems, at(&ssl), "tls", "not trusted", "as `ssl_ca_location`");
    let elsewhere = at(&format!("127.0.0.1:{port}"));
    case(
        "wrong host name",
        owner(),
        elsewhere,
        "tls",
        "is for `localhost`, and not for `127.0.0.1`",
        "connect by a name",
    );
    case(
        "no certificate of the client",
        owner(),
        at(&mutual),
        "tls",
        "the client's certificate",
        "`ssl_certificate_location`",
    );
    case("TLS where there is none", owner(), at(&plain), "tls", "does not answer by TLS", "check the port");
    case("no TLS where there is", in_the_clear.clone(), at(&ssl), "tls", "seems to be one with TLS", "check the port");
    case(
        "neither TLS nor a credential",
        String::new(),
        no_auth(&ssl),
        "tls",
        "seems to be one with TLS",
        "check the port",
    );
    case(
        "a credential too much",
        in_the_clear,
        at(&plain),
        "login",
        "asks for no credential",
        "turn authentication off",
    );
    case(
        "no credential",
        String::new(),
        no_auth(&clear),
        "login",
        "seems to want a credential",
        "give one that is for this broker",
    );
    case("no credential at all", String::new(), at(&ssl), "credential", "it has no `[[auth]]`", "`hop auth add`");
    let expired = server.key().token("owner", -5);
    case(
        "a token that ran out",
        by_command(&expired),
        at(&ssl),
        "token",
        "the token ran out",
        "fresh tokens are given",
    );
    let of_another = SigningKey::generate().token("owner", 60);
    case(
        "a token that another signed",
        by_command(&of_another),
        at(&ssl),
        "login",
        "does not accept the token",
        "this machine's clock",
    );
    let too_many = entry("owner", "the-cl1ents-secret", &by_endpoint);
    case(
        "a mechanism too many",
        too_many,
        at(&mutual),
        "login",
        "does not know the mechanism OAUTHBEARER",
        "one that it knows: PLAIN",
    );
    case(
        "no such name",
        owner(),
        at("nowhere.invalid"),
        "name",
        "nowhere.invalid: the name does not resolve",
        "check the spelling",
    );
    case("a dead port", owner(), at(&refused), "connection", "nobody listens there", "check the port");
    case("a black hole", owner(), at(&black_hole.address()), "login", "", "check the");
    case(
        "no right to the topic",
        user("stranger"),
        at(&ssl),
        "topic",
        "Topic authorization failed",
        "ask the topic's owner",
    );
    case(
        "no right to read",
        user("writer"),
        at(&ssl),
        "topic",
        "may be written to, and not read",
        "permission to read",
    );
    case(
        "no right to write",
        user("reader"),
        reading(&["--write"]),
        "topic",
        "may be read, and not written to",
        "permission to write",
    );
    let group = reading(&["--group-id", "night-watch"]);
    case(
        "no right to the group",
        user("reader"),
        group,
        "group",
        "Group authorization failed",
        "the username and a hyphen",
    );
    let missing = vec![format!("kafka://{ssl}/hop-test-nowhere")];
    case("no such topic", owner(), missing, "topic", "`hop-test-nowhere`", "check the topic's name");

    let running: Vec<_> = cases
        .into_iter()
        .map(|case| {
            std::thread::spawn(move || {
                let arguments: Vec<&str> = case.arguments.iter().map(String::as_str).collect();
                let finished = doctor(&case.auth, &arguments).run();
                (case, finished)
            })
        })
        .collect();
    let secrets = [expired.as_str(), &of_another, "wrong-pa55word", "the-cl1ents-secret"];
    for running in running {
        let (Case { what, step, saw, advice, .. }, finished) = running.join().unwrap();
        let (_, all) = steps(&finished);
        let fault = fault(&all);
        println!("{what}: {fault}");
        assert_eq!(fault["step"], step, "{what}: {all:#?}");
        assert!(fault["saw"].as_str().unwrap().contains(saw), "{what}: {fault}");
        assert!(fault["advice"].as_str().unwrap_or_default().contains(advice), "{what}: {fault}");
        let shown = format!("{}{}", String::from_utf8_lossy(&finished.out), finished.err);
        for secret in secured.secrets().chain(secrets) {
            assert!(!shown.contains(secret), "{what}: a secret is shown");
        }
    }
}

#[tokio::test]
async fn all_is_well_where_all_is_well() {
    let Some(secured) = Secured::or_skip("all_is_well_where_all_is_well") else { return };
    let topic = secured.broker.topic_after("hop-test-for-reader-", 1, &[]).await;
    send_raw(secured.broker.address(), &topic, b"{}", &[("_format", Some(b"json"))]);
    let ca = text(&secured.file("ca.pem"));
    let registry = FakeRegistry::start(|_| Answer::lacking());
    let url = format!("kafka://{}/{topic}", secured.sasl_ssl());
    let registry_url = registry.url();
    let arguments = [url.as_str(), "--group-id", "reader-at-night", "--registry", &registry_url, "--heartbeat", &topic];
    let auth = entry("reader", secured.password("reader"), &[("ssl_ca_location", &ca)]);
    let (is_ok, all) = steps(&doctor(&auth, &arguments).run());
    assert!(is_ok, "{all:#?}");
    let names: Vec<_> = all.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "broker",
            "name",
            "connection",
            "credential",
            "token",
            "tls",
            "login",
            "topic",
            "size",
            "group",
            "message",
            "heartbeat",
            "registry",
            "clock"
        ]
    );
    let of = |name: &str| all.iter().find(|step| step["step"] == name).unwrap()["saw"].as_str().unwrap();
    for (step, words) in [
        ("credential", "`reader`"),
        ("credential", "the file was changed"),
        ("tls", "is trusted"),
        ("login", "as `reader`"),
        ("topic", "may be read, and not written to"),
        ("group", "`reader-at-night` has 0 members"),
        ("message", "is read as `json`"),
        ("heartbeat", "s old"),
        ("registry", "answers"),
        ("clock", "it goes"),
    ] {
        assert!(of(step).contains(words), "{step}: {}", of(step));
    }
    // For people.
    let mut command =
        Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(["doctor", "--no-auth", "kafka://127.0.0.1:1/t"]);
    let home = tempfile::tempdir().unwrap();
    command = command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path());
    let finished = command.run();
    let shown = finished.expect(1);
    assert!(shown.contains("FAILED     connection  127.0.0.1:1: nobody listens there\n"), "{shown}");
    assert!(shown.contains("           -> check the port"), "{shown}");
}

/// A clock that stands still, at a time of the past, for programs that take this library along.
const STOPPED: &str = r#"
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *at) {
    if (clock == CLOCK_REALTIME) { at->tv_sec = 1700000000; at->tv_nsec = 0; return 0; }
    return (int)syscall(SYS_clock_gettime, clock, at);
}
"#;

#[tokio::test]
async fn a_stopped_clock_a_wrong_registry_and_a_missing_topic_are_named() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    send_raw(broker.address(), &topic, b"{}", &[]);
    let url = broker.url(&topic);
    let no_auth = |more: &[&str]| doctor("", &[&["--no-auth"], more].concat());

    // A web server that is not a registry, one that is not there, and one that does not answer.
    let page = FakeRegistry::start(|_| Answer::Says(404, "<html>not found</html>".to_owned()));
    let hangs = FakeRegistry::start(|_| Answer::Hangs);
    for (registry, words) in [
        (page.url(), "there is no registry"),
        ("http://127.0.0.1:1".to_owned(), "cannot be reached"),
        (hangs.url(), "did not answer in time"),
        ("registry.example.org".to_owned(), "the schema registry's URL"),
    ] {
        let (_, all) = steps(&no_auth(&[&url, "--registry", &registry]).run());
        let fault = fault(&all);
        assert_eq!(fault["step"], "registry", "{registry}: {fault}");
        assert!(fault["saw"].as_str().unwrap().contains(words), "{registry}: {fault}");
        assert!(fault["advice"].is_string(), "{registry}: {fault}");
    }

    let nowhere = broker.url("hop-test-nowhere");
    let (_, all) = steps(&no_auth(&[&nowhere]).run());
    assert_eq!(fault(&all)["step"], "topic", "{all:#?}");
    assert!(fault(&all)["saw"].as_str().unwrap().contains("`hop-test-nowhere`"), "{all:#?}");
    assert!(fault(&all)["advice"].as_str().unwrap().contains("check the topic's name"), "{all:#?}");

    // A message that cannot be read as the rules have it, and a heart that does not beat.
    let empty = broker.topic(1).await;
    let (_, all) = steps(&no_auth(&[&url, "--heartbeat", &empty]).run());
    assert_eq!(fault(&all)["step"], "heartbeat", "{all:#?}");

    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("stopped.c"), folder.path().join("stopped.so"));
    std::fs::write(&source, STOPPED).unwrap();
    Program::new("cc")
        .args(["-shared", "-fPIC", "-o", library.to_str().unwrap(), source.to_str().unwrap()])
        .run()
        .expect(0);
    let (_, all) = steps(&no_auth(&[&url]).env("LD_PRELOAD", &library).run());
    let fault = fault(&all);
    assert_eq!(fault["step"], "clock", "{all:#?}");
    assert!(fault["saw"].as_str().unwrap().contains("stands still at 2023-11-14T22:13:20Z"), "{fault}");
    assert!(fault["advice"].as_str().unwrap().contains("set this machine's clock"), "{fault}");
}
