//! Tokens: where they come from, that they are renewed whether or not anyone reads, and how it ends where none come.

use std::time::{Duration, Instant};

use hop_kafka::auth::Protocol;
use hop_kafka::{Credential, Error, ErrorKind, Stream};
use hop_tests::secured::Secured;
use hop_tests::token::{Behaviour, SigningKey, TokenServer};

use crate::{PATIENCE, blob, next};

/// Where nobody listens. What is said about the token is said whatever the broker does.
const NOWHERE: &str = "kafka://127.0.0.1:1/hop-test-nowhere";
const SECRET: &str = "hunter2-the-secret";

fn hop(credential: Credential, patience: Duration) -> Stream {
    hop_tests::stream().credential(credential).connect_timeout(patience).build().unwrap()
}

/// A reader that does not come to be: why not, and after how long.
async fn refused(credential: Credential, patience: Duration) -> (Error, Duration) {
    let started = Instant::now();
    let subscribe = hop(credential, patience).subscribe(NOWHERE);
    let error = tokio::time::timeout(PATIENCE, subscribe).await.expect("it hangs").expect_err("it connected");
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    (error, started.elapsed())
}

fn of(server: &TokenServer) -> Credential {
    Credential::new("ada", SECRET).token_endpoint(server.token_endpoint())
}

#[tokio::test]
async fn an_endpoint_that_refuses_ends_the_wait_at_once() {
    let server = TokenServer::start();
    server.client("ada", "another secret");
    let says = |status, text: &str| Behaviour::Says(status, text.to_owned());
    let echoed = format!("{{\"error\": \"{SECRET}\", \"error_description\": \"{SECRET}\"}}");
    let expired = format!("{{\"access_token\": \"{}\", \"expires_in\": 300}}", server.key().token("ada", -60));
    for (behaviour, why) in [
        (
            Behaviour::Proper,
            "answers 401 (invalid_client); check the credential's username (the client's id), its password",
        ),
        (says(400, r#"{"error": "invalid_scope"}"#), "set the property `sasl.oauthbearer.scope`"),
        (says(404, "nothing here"), "answers 404; check the credential"),
        (says(302, ""), "answers 302: the endpoint is elsewhere; write its own address as `token_endpoint`"),
        (says(400, &echoed), "answers 400; check the credential"),
        (Behaviour::Echoes(401), "answers 401; check the credential"),
        (Behaviour::Echoes(200), "gives no `access_token`"),
        (says(200, SECRET), "gives something else than a JSON object"),
        (says(200, &format!("{{\"access_token\": \"{SECRET}\"}}")), "nothing says when the token runs out"),
        (
            says(200, r#"{"access_token": "x", "expires_in": "soon"}"#),
            "gives an `expires_in` that is no number of seconds",
        ),
        (
            says(200, r#"{"access_token": "x", "expires_in": 9, "token_type": "mac"}"#),
            "gives a token that is no bearer token",
        ),
        (says(200, &expired), "the token ran out "),
        (Behaviour::Endless, "gives an answer longer than 65536 bytes"),
    ] {
        server.behave(behaviour.clone());
        let asked = server.asked();
        let (error, took) = refused(of(&server), Duration::from_secs(30)).await;
        assert_eq!(error.kind(), ErrorKind::Authentication, "{behaviour:?}: {error}");
        assert!(error.to_string().contains(why), "{behaviour:?}: {error}");
        assert!(took < Duration::from_secs(3), "{behaviour:?}: {took:?}");
        assert_eq!(server.asked() - asked, 1, "{behaviour:?}: who is refused does not insist");
    }
}

#[tokio::test]
async fn an_endpoint_that_does_not_answer_is_waited_for_as_long_as_a_broker() {
    let server = TokenServer::start();
    for (behaviour, patience, kind, why) in [
        (Behaviour::Closes, 2, ErrorKind::Connection, "ended the connection before it had answered"),
        (Behaviour::Says(503, "later".to_owned()), 2, ErrorKind::Connection, "answers 503; check `token_endpoint`"),
        (Behaviour::Hangs, 7, ErrorKind::TimedOut, "did not answer within 5 s"),
        (Behaviour::Drips, 7, ErrorKind::TimedOut, "did not answer within 5 s"),
        (Behaviour::Hangs, 2, ErrorKind::TimedOut, "no token has come yet from the token endpoint http://127.0.0.1:"),
    ] {
        server.behave(behaviour.clone());
        let patience = Duration::from_secs(patience);
        let (error, took) = refused(of(&server), patience).await;
        assert_eq!(error.kind(), kind, "{behaviour:?}: {error}");
        assert!(error.to_string().contains(why), "{behaviour:?}: {error}");
        assert!(took >= patience - Duration::from_millis(500) && took < patience + Duration::from_secs(2), "{took:?}");
    }
    // Where nobody listens, and where no name is.
    for (endpoint, why) in [("http://127.0.0.1:1/token", "refused"), ("https://nobody.invalid/token", "")] {
        let credential = Credential::new("ada", SECRET).token_endpoint(endpoint);
        let (error, _) = refused(credential, Duration::from_secs(2)).await;
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        let said = format!("the token endpoint {endpoint} cannot be reached");
        assert!(error.to_string().contains(&said) && error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_has_to_be_trusted() {
    let server = TokenServer::start_tls();
    server.client("ada", "another secret");
    let folder = tempfile::tempdir().unwrap();
    let (own, other, none) =
        (folder.path().join("own.pem"), folder.path().join("other.pem"), folder.path().join("none.pem"));
    std::fs::write(&own, server.certificate()).unwrap();
    std::fs::write(&other, TokenServer::start_tls().certificate()).unwrap();
    std::fs::write(&none, "nothing").unwrap();
    let by_address = server.token_endpoint().replace("localhost", "127.0.0.1");
    for (credential, kind, why) in [
        // Trusted, so that it is asked, and refuses.
        (of(&server).ssl_ca_location(&own), ErrorKind::Authentication, "answers 401 (invalid_client)"),
        (of(&server), ErrorKind::Tls, "name it in `ssl_ca_location`"),
        (of(&server).ssl_ca_location(&other), ErrorKind::Tls, "cannot be trusted"),
        (
            of(&server).token_endpoint(by_address).ssl_ca_location(&own),
            ErrorKind::Tls,
            "its certificate is for this host name",
        ),
    ] {
        let (error, took) = refused(credential.protocol(Protocol::SaslPlaintext), Duration::from_secs(30)).await;
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(took < Duration::from_secs(3), "{took:?}");
        println!("{error}");
    }
    assert_eq!(server.asked(), 1);
    let (error, _) = refused(of(&server).protocol(Protocol::SaslPlaintext).ssl_ca_location(&none), PATIENCE).await;
    assert!(error.to_string().contains("none.pem: there is no certificate in it"), "{error}");
}

#[tokio::test]
async fn a_command_that_gives_no_token_ends_the_wait_at_once() {
    let expired = SigningKey::generate().token("ada", -60);
    for (command, why) in [
        (
            format!("echo {SECRET} >&2; exit 3"),
            "the token command of `ada` for any broker fails: exit code 3; run `token_command` by hand",
        ),
        ("kill -9 $$".to_owned(), "fails: it was killed"),
        ("true".to_owned(), "prints nothing"),
        (format!("yes {SECRET}"), "prints more than 65536 bytes"),
        (format!("echo {SECRET}"), "nothing says when the token runs out"),
        (format!("echo {SECRET} {SECRET}"), "what was given is no token"),
        ("printf '\\377'".to_owned(), "prints what is no text"),
        (format!("echo {expired}"), "the token ran out 6"),
        ("sleep 30 & true".to_owned(), "leaves a program behind that holds its standard output"),
    ] {
        let credential = Credential::new("ada", "").token_command(&command);
        let (error, took) = refused(credential, Duration::from_secs(30)).await;
        assert_eq!(error.kind(), ErrorKind::Authentication, "{command}: {error}");
        assert!(error.to_string().contains(why), "{command}: {error}");
        assert!(took < Duration::from_secs(3), "{command}: {took:?}");
    }
}

#[tokio::test]
async fn a_command_that_hangs_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let command = format!("sh -c 'echo $$ >>{0}; exec sleep 600' & echo $$ >>{0}; wait", pids.display());
    let (error, took) = refused(Credential::new("ada", "").token_command(command), Duration::from_secs(30)).await;
    assert_eq!(error.kind(), ErrorKind::TimedOut, "{error}");
    assert!(error.to_string().contains("did not end within 8 s"), "{error}");
    assert!(took < Duration::from_secs(10), "{took:?}");
    let pids = std::fs::read_to_string(pids).unwrap();
    assert_eq!(pids.lines().count(), 2, "{pids}");
    for pid in pids.lines() {
        assert!(gone(pid).await, "process {pid} is left");
    }
}

/// Whether a process ends soon.
async fn gone(pid: &str) -> bool {
    for _ in 0..50 {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // What nobody waits for any more is as good as gone.
        if stat.is_empty() || stat.rsplit_once(") ").unwrap().1.starts_with('Z') {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn whoever_ends_while_a_command_runs_takes_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let command = format!("echo $$ >{}; sleep 600", pid.display());
    let out = hop(Credential::new("ada", "").token_command(command), PATIENCE).publish(NOWHERE).await.unwrap();
    while std::fs::read_to_string(&pid).unwrap_or_default().is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let started = Instant::now();
    drop(out);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    assert!(gone(std::fs::read_to_string(&pid).unwrap().trim()).await);
}

#[tokio::test]
async fn what_cannot_be_sent_for_want_of_a_token_is_handed_back() {
    let server = TokenServer::start();
    let out = hop(of(&server), PATIENCE).publish(NOWHERE).await.unwrap();
    let message = blob("alert");
    let error = tokio::time::timeout(Duration::from_secs(10), out.write(&message).send()).await.expect("it hangs");
    let error = error.unwrap_err();
    assert_eq!(error.undelivered().len(), 1);
    assert!(error.to_string().contains("answers 401 (invalid_client)"), "{error}");
}

#[tokio::test]
async fn tokens_are_renewed_without_anybody_asking_until_the_client_ends() {
    let server = TokenServer::start();
    server.client("ada", SECRET);
    server.life(4);
    let out = hop(of(&server), PATIENCE).publish(NOWHERE).await.unwrap();
    // Each after four fifths of its life, which ends with a whole second: after 2.4 to 3.2 s.
    let started = Instant::now();
    server.wait_until_asked(4, PATIENCE);
    let took = started.elapsed();
    assert!(took > Duration::from_secs(7) && took < Duration::from_secs(13), "{took:?}");
    // While the endpoint fails it is asked again and again, ever less often; then all is well again.
    server.behave(Behaviour::Says(503, String::new()));
    let before = server.asked();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let asked = server.asked() - before;
    assert!((2..=5).contains(&asked), "asked {asked} times");
    server.behave(Behaviour::Proper);
    let given = server.given().len();
    server.wait_until_asked(server.asked() + 2, PATIENCE);
    assert!(server.given().len() > given);
    drop(out);
    let asked = server.asked();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(server.asked(), asked, "it asks on after its end");
    assert!(server.bodies().iter().all(|body| body == "grant_type=client_credentials"));
}

#[tokio::test]
async fn the_scope_is_asked_for() {
    let server = TokenServer::start();
    server.client("ada", SECRET);
    let hop = hop_tests::stream().credential(of(&server)).property("sasl.oauthbearer.scope", "kafka:read a&b").build();
    let out = hop.unwrap().publish(NOWHERE).await.unwrap();
    server.wait_until_asked(1, PATIENCE);
    drop(out);
    assert_eq!(server.bodies()[0], "grant_type=client_credentials&scope=kafka%3Aread%20a%26b");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_reader_and_an_idle_writer_outlive_their_tokens() {
    let Some(secured) = Secured::or_skip("an_idle_reader_and_an_idle_writer_outlive_their_tokens") else { return };
    let key = SigningKey::read(&secured.file("token-key.pem"));
    let server = TokenServer::with_key(key, 0);
    server.client("owner", SECRET);
    // Seconds: six lives of a token; the whole night in small where nothing may be left out.
    let (life, idle) = if std::env::var_os(hop_tests::REQUIRE_VARIABLE).is_some() { (30, 180) } else { (5, 30) };
    server.life(life);
    let ca = secured.file("ca.pem");
    let by_endpoint =
        Credential::new("owner", SECRET).token_endpoint(server.token_endpoint()).ssl_ca_location(ca.clone());
    // What it prints is a fresh token, which the test puts there every second.
    let here = tempfile::tempdir().unwrap();
    let (token, runs) = (here.path().join("token"), here.path().join("runs"));
    let put = {
        let (token, key) = (token.clone(), server.key().clone());
        move || {
            std::fs::write(token.with_extension("new"), key.token("owner", life)).unwrap();
            std::fs::rename(token.with_extension("new"), &token).unwrap();
        }
    };
    put();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            put();
        }
    });
    let command = format!("echo run >>{}; cat {}", runs.display(), token.display());
    let by_command = Credential::new("owner", "").token_command(command).ssl_ca_location(ca);
    let asked = || server.asked() + std::fs::read_to_string(&runs).unwrap_or_default().lines().count();
    let topic = secured.broker.topic(1).await;
    let url = format!("kafka://{}/{topic}", secured.sasl_ssl());
    let mut idlers = Vec::new();
    for credential in [by_endpoint, by_command] {
        let hop = hop_tests::stream().until_eos(false).credential(credential);
        let hop = hop.build().unwrap();
        let out = hop.publish(&url).await.unwrap();
        out.write(&blob("before")).send().await.unwrap();
        let mut alerts = hop.subscribe(&url).await.unwrap();
        assert_eq!(&next(&mut alerts).await.unwrap().unwrap().record.content[..], b"before");
        idlers.push((out, alerts));
    }
    let before = asked();
    tokio::time::sleep(Duration::from_secs(idle)).await;
    // Each of the four, once in each life at least.
    assert!(asked() >= before + 4 * usize::try_from(idle / u64::try_from(life).unwrap()).unwrap());
    for (at, (out, mut alerts)) in idlers.into_iter().enumerate() {
        let started = Instant::now();
        let after = format!("after {at}");
        out.write(&blob(&after)).send().await.unwrap();
        while &next(&mut alerts).await.unwrap().unwrap().record.content[..] != after.as_bytes() {}
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        out.close().await.unwrap();
        alerts.close().await.unwrap();
    }
}
