use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use hop_kafka::ErrorKind::{Authentication, Authorization, Connection, TimedOut, Tls, UnknownTopic};
use hop_kafka::auth::Mechanism::{Plain, ScramSha256, ScramSha512};
use hop_kafka::{Credential, Error, ErrorKind, StreamBuilder};
use hop_tests::proxy::{Behaviour, Proxy};
use hop_tests::secured::Secured;
use hop_tests::stream;
use hop_tests::token::{SigningKey, TokenServer};
use tokio::task::JoinSet;

use crate::{all, json, next, numbers};

/// Whatever is wrong is said within this time.
const AT_MOST: Duration = Duration::from_secs(10);
/// Where waiting might help, so long is waited.
const PATIENCE: Duration = Duration::from_secs(3);

/// What must be seen nowhere, beside the users' passwords.
const WRONG_PASSWORD: &str = "wrong-pa55word";
const CLIENT_SECRET: &str = "the-cl1ents-secret";

/// All that the programs of this suite log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// The one log, which librdkafka's own debugging goes to as well.
    fn begin() -> &'static Self {
        static LOG: OnceLock<Log> = OnceLock::new();
        LOG.get_or_init(|| {
            let log = Log::default();
            let writer = log.clone();
            tracing_subscriber::fmt()
                .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .try_init()
                .unwrap();
            log
        })
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(line)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn speaking(credential: Credential) -> StreamBuilder {
    stream().credential(credential).connect_timeout(PATIENCE)
}

/// What a reader is told, and a writer.
#[derive(Clone, Copy)]
enum Who {
    Reader(Option<&'static str>),
    Writer,
}

struct Refusal {
    what: &'static str,
    who: Vec<Who>,
    hop: StreamBuilder,
    /// Whether librdkafka goes on trying, so that only the writer's time-out ends it.
    mends: bool,
    url: String,
    kind: ErrorKind,
    /// The reason, and the cure.
    says: [&'static str; 2],
}

impl Refusal {
    async fn check(self) -> Vec<String> {
        let Self { what, who, hop, mends, url, kind, says } = self;
        let hop = hop.build().unwrap();
        let mut told = Vec::new();
        for who in who {
            let started = Instant::now();
            let (found, listing) = match who {
                Who::Reader(group) => {
                    let mut request = hop.subscribe(&url);
                    if let Some(group) = group {
                        request = request.group(group);
                    }
                    // Some things show only when messages are asked for.
                    let error: Error = match request.await {
                        Err(error) => error,
                        Ok(mut alerts) => next(&mut alerts).await.expect("a refusal").expect_err(what),
                    };
                    (error.kind(), format!("{error}\n{error:?}\n{error:#?}"))
                }
                Who::Writer => {
                    let mut publish = hop.publish(&url);
                    if mends {
                        publish = publish.produce_timeout(PATIENCE);
                    }
                    let out = publish.await.unwrap();
                    let message = json(1);
                    let error = tokio::time::timeout(AT_MOST, out.write(&message).send()).await;
                    let error = error.unwrap_or_else(|_| panic!("{what}: it waits for ever")).expect_err(what);
                    assert_eq!(error.kind(), ErrorKind::Undelivered, "{what}: {error}");
                    let [undelivered] = error.undelivered() else { panic!("{what}: {error}") };
                    (undelivered.kind, format!("{error}\n{error:?}\n{undelivered:?}\n{out:?}"))
                }
            };
            let took = started.elapsed();
            println!("{what} ({took:.1?}): {}", listing.lines().next().unwrap());
            assert_eq!(found, kind, "{what}: {listing}");
            assert!(took < AT_MOST, "{what} took {took:?}");
            for words in says {
                assert!(listing.contains(words), "{what}: `{words}` is not said: {listing}");
            }
            told.push(listing);
        }
        told
    }
}

fn with_certificate(secured: &Secured, credential: Credential) -> Credential {
    credential.client_certificate(secured.file("client.pem"), secured.file("client-key.pem"))
}

/// A token endpoint whose tokens the broker takes, and the credential of a user who gets them there.
fn tokens(secured: &Secured, user: &str) -> (TokenServer, Credential) {
    let server = TokenServer::with_key(SigningKey::read(&secured.file("token-key.pem")), 0);
    server.client(user, CLIENT_SECRET);
    let credential = Credential::new(user, CLIENT_SECRET).token_endpoint(server.token_endpoint());
    (server, credential.ssl_ca_location(secured.file("ca.pem")))
}

#[tokio::test]
async fn each_mechanism_reads_and_writes() {
    let Some(secured) = Secured::or_skip("each_mechanism_reads_and_writes") else { return };
    let topic = secured.broker.topic(1).await;
    let (ssl, mutual, clear) = (secured.sasl_ssl(), secured.mutual_tls(), secured.sasl_plaintext());
    let with_certificate = speaking(with_certificate(&secured, secured.credential("owner", ScramSha512)));
    let (server, by_endpoint) = tokens(&secured, "owner");
    let command = format!("printf %s {}", server.key().token("owner", 60));
    let by_command = Credential::new("owner", "").token_command(command).ssl_ca_location(secured.file("ca.pem"));
    let ways = [
        (&ssl, speaking(secured.credential("owner", Plain))),
        (&ssl, speaking(secured.credential("owner", ScramSha256))),
        (&ssl, speaking(secured.credential("owner", ScramSha512))),
        (&ssl, speaking(by_endpoint)),
        (&ssl, speaking(by_command)),
        (&mutual, with_certificate),
        (&clear, speaking(secured.credential_in_the_clear("owner"))),
    ];
    let mut expected = Vec::new();
    for (number, (address, hop)) in (0_i64..).zip(ways) {
        let url = format!("kafka://{address}/{topic}");
        let hop = hop.build().unwrap();
        let out = hop.publish(&url).await.unwrap();
        out.write(&json(number)).send().await.unwrap();
        out.close().await.unwrap();
        expected.push(number);
        let read = all(&mut hop.subscribe(&url).group("owner-reads").await.unwrap()).await;
        assert_eq!(numbers(&read), [number], "{address}: the group had read the rest");
        let read = all(&mut hop.subscribe(&url).await.unwrap()).await;
        assert_eq!(numbers(&read), expected, "{address}");
        assert_eq!(read[0].record.headers.get("_sender"), Some(&b"owner"[..]));
    }
}

#[tokio::test]
async fn who_may_only_read_reads_and_who_may_only_write_writes() {
    let Some(secured) = Secured::or_skip("who_may_only_read_reads_and_who_may_only_write_writes") else { return };
    let topic = secured.broker.topic_after("hop-test-for-reader-", 2, &[]).await;
    let url = format!("kafka://{}/{topic}", secured.sasl_ssl());
    let writer = speaking(secured.credential("writer", ScramSha512)).build().unwrap();
    let out = writer.publish(&url).idempotent(true).await.unwrap();
    for number in 0..5 {
        out.write(&json(number)).key("k").send().await.unwrap();
    }
    out.close().await.unwrap();
    let reader = speaking(secured.credential("reader", ScramSha512)).build().unwrap();
    for group in [None, Some("reader-at-night")] {
        let mut request = reader.subscribe(&url);
        if let Some(group) = group {
            request = request.group(group);
        }
        assert_eq!(numbers(&all(&mut request.await.unwrap()).await), [0, 1, 2, 3, 4]);
    }
}

#[tokio::test]
async fn each_refusal_is_told_soon_with_its_layer_and_its_cure_and_no_secret() {
    let Some(secured) = Secured::or_skip("each_refusal_is_told_soon_with_its_layer_and_its_cure_and_no_secret") else {
        return;
    };
    let log = Log::begin();
    let both = || vec![Who::Reader(None), Who::Writer];
    let topic = secured.broker.topic(1).await;
    let for_reader = secured.broker.topic_after("hop-test-for-reader-", 1, &[]).await;
    hop_tests::send_raw(secured.broker.address(), &topic, b"{}", &[]);
    hop_tests::send_raw(secured.broker.address(), &for_reader, b"{}", &[]);
    let wrong = |user: &str, mechanism| {
        Credential::new(user, WRONG_PASSWORD).mechanism(mechanism).ssl_ca_location(secured.file("ca.pem"))
    };
    let owner = || secured.credential("owner", ScramSha512);
    let at = |address: &str| format!("kafka://{address}/{topic}");
    let ssl = secured.sasl_ssl();
    let (_host, port) = ssl.split_once(':').unwrap();
    let refused = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().to_string()
    };
    let black_hole = Proxy::blind(&ssl);
    black_hole.behave(Behaviour::BlackHole);

    let mut cases = Vec::new();
    let mut case = |what, who, hop, mends, url, kind, says| {
        cases.push(Refusal { what, who, hop, mends, url, kind, says });
    };
    let password = ["the credential is refused", "check the username, the password"];
    for (what, mechanism) in [
        ("wrong password, PLAIN", Plain),
        ("wrong password, SHA-256", ScramSha256),
        ("wrong password, SHA-512", ScramSha512),
    ] {
        case(what, both(), speaking(wrong("owner", mechanism)), false, at(&ssl), Authentication, password);
    }
    case("unknown user", both(), speaking(wrong("nobody", ScramSha512)), false, at(&ssl), Authentication, password);

    let unknown_authority = owner().ssl_ca_location(secured.file("unknown-ca.pem"));
    let says = [
        "not trusted: unable to get local issuer certificate, issued by `hop test authority`",
        "unknown-ca.pem has to have",
    ];
    case("unknown authority", both(), speaking(unknown_authority), false, at(&ssl), Tls, says);
    let systems = Credential::new("owner", secured.password("owner"));
    let says = ["not trusted", "as `ssl_ca_location`"];
    case("the system's authorities", both(), speaking(systems), false, at(&ssl), Tls, says);
    let says = ["is for `localhost`, and not for `127.0.0.1`", "connect by a name that the certificate is for"];
    case("wrong host name", both(), speaking(owner()), false, at(&format!("127.0.0.1:{port}")), Tls, says);
    let says = ["the client's certificate, or misses one", "`ssl_certificate_location`"];
    case("no certificate of the client", both(), speaking(owner()), false, at(&secured.mutual_tls()), Tls, says);
    let says = ["does not answer by TLS", "check the port"];
    case("TLS where there is none", both(), speaking(owner()), true, at(secured.broker.address()), Tls, says);
    let in_the_clear = || speaking(secured.credential_in_the_clear("owner"));
    let says = ["seems to be one with TLS", "check the port"];
    case("no TLS where there is", both(), in_the_clear(), true, at(&ssl), Tls, says);
    case("neither TLS nor a credential", both(), stream().connect_timeout(PATIENCE), true, at(&ssl), Tls, says);
    let says = ["asks for no credential", "turn authentication off"];
    case("a credential too much", both(), in_the_clear(), false, at(secured.broker.address()), Authentication, says);
    let says = ["seems to want a credential", "give one that is for this broker"];
    let without = stream().connect_timeout(PATIENCE);
    case("no credential", both(), without, true, at(&secured.sasl_plaintext()), Authentication, says);

    let (server, by_endpoint) = tokens(&secured, "owner");
    let by_command = |token: String| {
        let credential = Credential::new("owner", "").token_command(format!("printf %s {token}"));
        speaking(credential.ssl_ca_location(secured.file("ca.pem")))
    };
    let says = ["the token ran out", "that fresh tokens are given"];
    let expired = server.key().token("owner", -5);
    case("a token that ran out", both(), by_command(expired), false, at(&ssl), Authentication, says);
    let says = ["does not accept the token", "this machine's clock"];
    let of_another = SigningKey::generate().token("owner", 60);
    case("a token that another signed", both(), by_command(of_another.clone()), false, at(&ssl), Authentication, says);
    let says = ["does not know the mechanism OAUTHBEARER", "one that it knows: PLAIN"];
    let elsewhere = with_certificate(&secured, by_endpoint);
    case("a mechanism too many", both(), speaking(elsewhere), false, at(&secured.mutual_tls()), Authentication, says);

    let says = ["nowhere.invalid:9092: the name does not resolve", "check the spelling of the host name"];
    case("no such name", both(), speaking(owner()), true, at("nowhere.invalid"), Connection, says);
    let says = ["nobody listens there", "check the port"];
    case("a dead port", both(), speaking(owner()), true, at(&refused), Connection, says);
    let says = ["", "check the"];
    case("a black hole", both(), speaking(owner()), true, at(&black_hole.address()), TimedOut, says);

    let stranger = || speaking(secured.credential("stranger", ScramSha512));
    let says = ["Topic authorization failed", "ask the topic's owner for permission"];
    case("no right to the topic", both(), stranger(), false, at(&ssl), Authorization, says);
    let writer = || speaking(secured.credential("writer", ScramSha512));
    case("no right to read", vec![Who::Reader(None)], writer(), false, at(&ssl), Authorization, says);
    let reader = || speaking(secured.credential("reader", ScramSha512));
    let readable = format!("kafka://{ssl}/{for_reader}");
    case("no right to write", vec![Who::Writer], reader(), false, readable.clone(), Authorization, says);
    let says = ["Group authorization failed", "the username and a hyphen"];
    case(
        "no right to the group",
        vec![Who::Reader(Some("night-watch"))],
        reader(),
        false,
        readable,
        Authorization,
        says,
    );
    let nowhere = format!("kafka://{ssl}/hop-test-nowhere");
    let says = ["nknown topic", "check the topic's name"];
    let makes_none = speaking(owner()).property("allow.auto.create.topics", "false");
    case("no such topic", both(), makes_none, false, nowhere, UnknownTopic, says);

    let mut running = JoinSet::new();
    for case in cases {
        // With all that librdkafka has to say.
        let hop = case.hop.property("debug", "all");
        running.spawn(Refusal { hop, ..case }.check());
    }
    let (mut listing, mut failed) = (Vec::new(), 0);
    while let Some(told) = running.join_next().await {
        match told {
            Ok(told) => listing.extend(told),
            // It was printed as it happened.
            Err(_panic) => failed += 1,
        }
    }
    assert_eq!(failed, 0, "see above");

    let log = log.text();
    assert!(log.contains("librdkafka") && log.contains("SASL"), "the debugging of librdkafka is not in the log");
    assert!(listing.len() >= 42, "only {} errors", listing.len());
    listing.push(log);
    let tokens = server.given();
    assert!(!tokens.is_empty(), "no token was given out");
    let secrets = tokens.iter().map(String::as_str).chain([WRONG_PASSWORD, CLIENT_SECRET, &of_another]);
    for secret in secured.secrets().chain(secrets) {
        for text in &listing {
            if let Some(at) = text.find(secret) {
                let line = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
                panic!("a secret is shown after: {}", &text[line..at]);
            }
        }
    }
}
