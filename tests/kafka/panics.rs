//! Other people's code that panics.

use bytes::Bytes;
use hop_core::{Content, Error, MessageModel, Registry, Value, registration};
use hop_kafka::{Commit, ErrorKind, Undecodable};
use hop_tests::{Broker, send_raw, stream};

use crate::next;

/// Panics over content that starts with `!`.
#[derive(Debug)]
struct Bomb(String);

impl MessageModel for Bomb {
    const FORMAT: &'static str = "bomb";

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        let text = content.as_str(Self::FORMAT)?;
        assert!(!text.starts_with('!'), "boom");
        Ok(Self(text.to_owned()))
    }

    fn encode(&self) -> Result<Bytes, Error> {
        Ok(self.0.clone().into())
    }

    fn fields(&self) -> Result<Value, Error> {
        Ok(self.0.as_str().into())
    }
}

const CONTENTS: [&str; 6] = ["0", "!1", "!2", "3", "!4", "5"];

async fn bombs(broker: &Broker) -> String {
    let topic = broker.topic(1).await;
    for content in CONTENTS {
        send_raw(broker.address(), &topic, content.as_bytes(), &[("_format", Some(b"bomb"))]);
    }
    broker.url(&topic)
}

fn hop() -> hop_kafka::Stream {
    let registry = Registry::builder().models([registration!(Bomb)]).build().unwrap();
    stream().registry(registry).build().unwrap()
}

#[tokio::test]
async fn a_panic_in_a_model_is_an_error_of_its_message_and_nothing_more() {
    let broker = Broker::new();
    let url = bombs(&broker).await;
    for threads in [0, 1, 2] {
        let mut alerts = hop().subscribe(&url).decoding_threads(threads).await.unwrap();
        let mut typed = hop().subscribe(&url).decoding_threads(threads).await.unwrap().typed::<Bomb>();
        for content in CONTENTS {
            let alert = next(&mut alerts).await.unwrap();
            let one = typed.next().await.unwrap();
            if content.starts_with('!') {
                for error in [alert.unwrap_err(), one.unwrap_err()] {
                    assert_eq!(error.kind(), ErrorKind::Decode);
                    assert_eq!(error.record().unwrap().content, content);
                    assert!(error.to_string().contains("a panic: boom"), "{error}");
                }
            } else {
                assert_eq!(alert.unwrap().get::<Bomb>().unwrap().0, content);
                assert_eq!(one.unwrap().model.0, content);
            }
        }
        assert!(next(&mut alerts).await.is_none());
        assert_eq!(alerts.counters().undecodable, 3);
    }
}

#[tokio::test]
async fn a_group_passes_a_message_over_which_its_model_panics() {
    let broker = Broker::new();
    let url = bombs(&broker).await;
    let read = async |undecodable| {
        let mut alerts = hop().subscribe(&url).group("bombs").on_undecodable(undecodable).await.unwrap();
        let mut read = 0;
        while let Some(alert) = next(&mut alerts).await {
            read += usize::from(alert.is_ok());
        }
        alerts.close().await.unwrap();
        read
    };
    assert_eq!(read(Undecodable::Skip).await, 3);
    assert_eq!(read(Undecodable::Yield).await, 0, "everything is done");
}

#[tokio::test]
async fn a_panic_in_a_filter_is_an_error_of_its_message() {
    let broker = Broker::new();
    let url = bombs(&broker).await;
    for threads in [0, 2] {
        let filter = |record: &hop_core::Record| {
            assert!(record.content != "3", "the filter gives up");
            !record.content.starts_with(b"!")
        };
        let mut alerts = hop().subscribe(&url).filter(filter).decoding_threads(threads).await.unwrap();
        assert!(next(&mut alerts).await.unwrap().is_ok());
        let error = next(&mut alerts).await.unwrap().unwrap_err();
        assert_eq!((error.kind(), &error.record().unwrap().content[..]), (ErrorKind::Decode, &b"3"[..]));
        assert!(error.to_string().contains("the filter gives up"), "{error}");
        assert!(next(&mut alerts).await.unwrap().is_ok());
        assert!(next(&mut alerts).await.is_none());
    }
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused() {
    let broker = Broker::new();
    let url = broker.url("a,b");
    let hop = hop();
    for refused in [
        hop.subscribe(&url).group(""),
        hop.subscribe(&url).commit(Commit::Each),
        hop.subscribe(&url).on_undecodable(Undecodable::DeadLetter("b".to_owned())),
    ] {
        assert_eq!(refused.start().unwrap_err().kind(), ErrorKind::Usage);
    }
}
