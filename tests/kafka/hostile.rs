//! Servers that mean harm to whoever gives them a credential.

use std::time::{Duration, Instant};

use hop_kafka::auth::{Mechanism, Protocol};
use hop_kafka::{Credential, ErrorKind};
use hop_tests::hostile::{HARMS, Harm, HostileServer};
use tokio::task::JoinSet;

use crate::json;

const PASSWORD: &str = "hostile-pa55word";
/// What the calls are given.
const TIME_OUT: Duration = Duration::from_secs(2);
/// What they take at most, on a busy machine.
const AT_MOST: Duration = Duration::from_secs(15);

async fn check(harm: Harm, mechanism: Mechanism) {
    let server = HostileServer::start(harm);
    let url = format!("kafka://{}/t", server.address());
    let credential = Credential::new("ada", PASSWORD).protocol(Protocol::SaslPlaintext).mechanism(mechanism);
    let hop = hop_tests::stream().credential(credential).connect_timeout(TIME_OUT).build().unwrap();
    let started = Instant::now();
    let read = hop.subscribe(&url).await.expect_err("a refusal");
    let out = hop.publish(&url).produce_timeout(TIME_OUT).await.unwrap();
    let unsent = out.write(&json(1)).send().await.expect_err("a refusal");
    let closed = out.close_within(TIME_OUT).await;
    let took = started.elapsed();
    let [lost] = unsent.undelivered() else { panic!("{harm:?}: {unsent}") };
    println!("{harm:?} ({took:.1?}): {read}\n  {unsent}");
    for kind in [read.kind(), lost.kind] {
        let fits = matches!(kind, ErrorKind::Authentication | ErrorKind::TimedOut | ErrorKind::Connection);
        assert!(fits, "{harm:?}: {kind}: {read} {unsent}");
    }
    let shown = format!("{read} {read:?} {unsent} {unsent:?} {lost:?} {closed:?}");
    assert!(!shown.contains(PASSWORD), "{harm:?}: {shown}");
    assert!(shown.len() < 20_000, "{harm:?} says {} bytes", shown.len());
    assert!(took < AT_MOST, "{harm:?} took {took:?}");
    assert!(server.reached() >= 2, "{harm:?}: {} clients came to it", server.reached());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_means_harm_ends_in_an_error_in_time() {
    let mut checks = JoinSet::new();
    for harm in HARMS {
        for mechanism in [Mechanism::ScramSha256, Mechanism::ScramSha512] {
            checks.spawn(check(harm, mechanism));
        }
    }
    while let Some(checked) = checks.join_next().await {
        checked.unwrap();
    }
}
