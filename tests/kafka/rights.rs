//! Rights that are taken away and given back while someone reads and writes.

use std::time::{Duration, Instant};

use hop_kafka::ErrorKind;
use hop_tests::process::Program;
use hop_tests::secured::Secured;
use hop_tests::stream;

use crate::{json, next, numbers};

/// How long a client may go on with rights that it no longer has, or without those that it has again.
const SOON: Duration = Duration::from_secs(20);

fn change(what: &str, broker: &str, rules: &str) {
    let probe = hop_tests::root().join("tests/kafka/probe.py");
    Program::new("python3").args([probe.to_str().unwrap(), what, broker]).input(rules).run().expect(0);
}

#[tokio::test]
async fn rights_that_are_taken_away_are_reported_and_given_back_reading_goes_on() {
    let name = "rights_that_are_taken_away_are_reported_and_given_back_reading_goes_on";
    let Some(secured) = Secured::or_skip(name) else { return };
    let broker = &secured.broker;
    let topic = broker.topic_after("hop-test-rights-", 1, &[]).await;
    let rules = format!("stranger read topic {topic}\nstranger write topic {topic}\n");
    change("allow", broker.address(), &rules);
    let url = format!("kafka://{}/{topic}", secured.sasl_plaintext());
    let hop = stream().until_eos(false).credential(secured.credential_in_the_clear("stranger")).build().unwrap();
    // The rules are in force a moment after they are set.
    let started = Instant::now();
    let mut alerts = loop {
        match hop.subscribe(&url).await {
            Ok(alerts) => break alerts,
            Err(error) => assert!(started.elapsed() < SOON, "{error}"),
        }
    };
    let out = hop.publish(&url).produce_timeout(SOON).await.unwrap();
    out.write(&json(0)).send().await.unwrap();
    assert_eq!(numbers(&[next(&mut alerts).await.unwrap().unwrap()]), [0]);

    change("forbid", broker.address(), &format!("stranger read topic {topic}\n"));
    change("forbid", broker.address(), &format!("stranger write topic {topic}\n"));
    let error = next(&mut alerts).await.unwrap().expect_err("reading without the right to");
    assert_eq!(error.kind(), ErrorKind::Authorization, "{error}");
    let started = Instant::now();
    let error = loop {
        match out.write(&json(-1)).send().await {
            Err(error) => break error,
            Ok(_) => assert!(started.elapsed() < SOON, "writing without the right to"),
        }
    };
    assert_eq!(error.undelivered()[0].kind, ErrorKind::Authorization, "{error}");

    change("allow", broker.address(), &rules);
    let started = Instant::now();
    while let Err(error) = out.write(&json(1)).send().await {
        assert_eq!(error.undelivered()[0].kind, ErrorKind::Authorization, "{error}");
        assert!(started.elapsed() < SOON, "{error}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let started = Instant::now();
    loop {
        match next(&mut alerts).await.unwrap() {
            Ok(alert) if numbers(std::slice::from_ref(&alert)) == [1] => break,
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::Authorization, "{error}"),
        }
        assert!(started.elapsed() < SOON, "the message did not come");
    }
    change("forbid", broker.address(), &format!("stranger read topic {topic}\n"));
}
