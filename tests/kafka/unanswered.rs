//! What a writer has beside sending, where brokers do not answer: each call ends in time, and nothing is lost without a
//! word.

use std::time::{Duration, Instant};

use hop_core::Blob;
use hop_kafka::{ErrorKind, Publisher};

use crate::faults::{TIME_OUT, drop_soon, hop, silences, within};
use crate::json;

/// What calls may take that wait for less than a connection.
const BRIEFLY: Duration = Duration::from_millis(300);

/// Also where the name of the broker does not resolve, which can take librdkafka's threads long.
fn urls() -> Vec<(&'static str, String, Box<dyn std::any::Any>)> {
    let nameless =
        ("a host without address", "no-such-host.invalid".to_owned(), Box::new(()) as Box<dyn std::any::Any>);
    let all = silences().into_iter().chain([nameless]);
    all.map(|(what, address, kept)| (what, format!("kafka://{address}/t"), kept)).collect()
}

async fn queue(out: &Publisher, count: i64) {
    for number in 0..count {
        let _fate = out.write(&json(number)).queue().await.unwrap();
    }
}

/// It is so large that the topic's limit is asked for.
fn large() -> Blob {
    Blob::from(vec![b'x'; 300_000])
}

#[tokio::test]
async fn a_writer_goes_out_of_scope_soon_also_in_the_middle_of_a_question() {
    for (what, url, _kept) in urls() {
        let out = hop().publish(&url).await.unwrap();
        queue(&out, 100).await;
        let asked = tokio::time::timeout(TIME_OUT / 10, out.write(&large()).queue()).await;
        assert!(asked.is_err(), "{what}: there was an answer");
        drop_soon(what, out);
    }
}

#[tokio::test]
async fn a_question_ends_in_time_and_the_message_is_queued() {
    for (what, url, _kept) in urls() {
        let out = hop().publish(&url).await.unwrap();
        let large = large();
        let _fate = within(what, TIME_OUT, out.write(&large).queue()).await.unwrap();
        let error = within(what, TIME_OUT, async { out.max_message_bytes("t").await.unwrap_err() }).await;
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut), "{what}: {error:?}");
        assert_eq!(out.close_within(Duration::ZERO).await.unwrap_err().undelivered().len(), 1, "{what}");
    }
}

#[tokio::test]
async fn a_flush_ends_in_time_and_what_is_unsent_stays() {
    for (what, url, _kept) in urls() {
        let out = hop().publish(&url).await.unwrap();
        queue(&out, 3).await;
        let error = within(what, BRIEFLY, async { out.flush_within(BRIEFLY).await.unwrap_err() }).await;
        assert_eq!(error.kind(), ErrorKind::TimedOut, "{what}");
        assert!(error.to_string().contains("3 messages are still unsent"), "{what}: {error}");
        let error = within(what, BRIEFLY, async { out.close_within(BRIEFLY).await.unwrap_err() }).await;
        assert_eq!((error.kind(), error.undelivered().len()), (ErrorKind::Undelivered, 3), "{what}: {error}");
    }
}

#[tokio::test]
async fn a_list_of_topics_ends_in_time() {
    for (what, url, _kept) in urls() {
        let error = within(what, TIME_OUT, async { hop().list_topics(&url).await.unwrap_err() }).await;
        assert!(matches!(error.kind(), ErrorKind::Connection | ErrorKind::TimedOut), "{what}: {error:?}");
    }
}

#[test]
fn without_a_runtime_it_is_the_same() {
    for (what, url, _kept) in urls() {
        let out = hop().publish(&url).start().unwrap();
        let _fate = hop_kafka::block_on(out.write(&json(1)).queue()).unwrap();
        let started = Instant::now();
        assert_eq!(hop_kafka::block_on(out.flush_within(BRIEFLY)).unwrap_err().kind(), ErrorKind::TimedOut, "{what}");
        assert_eq!(hop_kafka::block_on(out.close_within(BRIEFLY)).unwrap_err().undelivered().len(), 1, "{what}");
        assert!(started.elapsed() < TIME_OUT, "{what}: {:?}", started.elapsed());
    }
}
