use bytes::Bytes;
use hop_core::{Content, Error, Headers, MessageModel, Registry};
use hop_kafka::{ErrorKind, Stream, Undecodable, dead_letter, restore};
use hop_tests::{Broker, send_raw, stream};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::{all, json, next, numbers, send};

fn hop() -> Stream {
    stream().build().unwrap()
}

#[tokio::test]
async fn what_does_not_decode_goes_to_the_dead_letters_bit_for_bit_and_back() {
    let broker = Broker::new();
    let (topic, dead) = (broker.topic(1).await, broker.topic(1).await);
    let (url, dead_url) = (broker.url(&topic), broker.url(&dead));
    let broken = b"{\"n\": \xff";
    let headers: [(&str, Option<&[u8]>); 5] = [
        ("_format", Some(b"JSON")),
        ("null", None),
        ("twice", Some(b"\xfe\x00")),
        ("twice", Some(b"")),
        ("_id", Some(b"short")),
    ];
    send(&url, &[&json(0)]).await;
    send_raw(broker.address(), &topic, broken, &headers);
    send(&url, &[&json(2)]).await;
    let read = async || {
        let putting = hop().subscribe(&url).group("letters").on_undecodable(Undecodable::DeadLetter(dead.clone()));
        let mut alerts = putting.await.unwrap();
        let read = numbers(&all(&mut alerts).await);
        let letters = alerts.counters().dead_letters;
        alerts.close().await.unwrap();
        (read, letters)
    };
    assert_eq!(read().await, (vec![0, 2], 1));
    assert_eq!(read().await, (vec![], 0), "it counts as done");

    let mut letters = hop().subscribe(&dead_url).await.unwrap();
    let letter = letters.next_record().await.unwrap().unwrap();
    assert!(letters.next_record().await.is_none());
    assert_eq!(letter.content, &broken[..]);
    let first: Vec<_> = letter.headers.iter().take(headers.len()).map(|h| (&*h.name, h.value.as_deref())).collect();
    assert_eq!(first, headers);
    let said = |name| std::str::from_utf8(letter.headers.get(name).unwrap()).unwrap().to_owned();
    assert_eq!((said(dead_letter::TOPIC), said(dead_letter::PARTITION)), (topic.clone(), "0".to_owned()));
    assert_eq!(said(dead_letter::OFFSET), "1");
    assert!(said(dead_letter::REASON).contains(&format!("{topic}[0]@1 does not decode: json:")), "{letter:?}");
    assert!(said(dead_letter::AT).parse::<i64>().unwrap() >= said(dead_letter::TIMESTAMP).parse().unwrap());

    let (from, message) = restore(&letter);
    assert_eq!(from.as_deref(), Some(topic.as_str()));
    assert_eq!(message.content, &broken[..]);
    let back: Vec<_> = message.headers.iter().map(|h| (&*h.name, h.value.as_deref())).collect();
    assert_eq!(back, headers);
}

#[tokio::test]
async fn a_dead_letter_that_cannot_be_sent_is_handed_over() {
    let Some(broker) = Broker::apache_or_skip("a_dead_letter_that_cannot_be_sent_is_handed_over") else { return };
    let topic = broker.topic(1).await;
    let dead = broker.topic_with(1, &[("max.message.bytes", "200")]).await;
    send_raw(broker.address(), &topic, &[b'{'; 500], &[("_format", Some(b"json"))]);
    let putting = hop().subscribe(broker.url(&topic)).on_undecodable(Undecodable::DeadLetter(dead));
    let mut alerts = putting.await.unwrap();
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("could not be sent to the dead-letter topic"), "{error}");
    assert_eq!(error.record().unwrap().content.len(), 500);
    assert!(next(&mut alerts).await.is_none());
}

/// The donut as a program knows it that has yet to be mended: it takes none without a filling for one.
#[derive(Debug)]
struct Filled(donut_model::Donut);

impl MessageModel for Filled {
    const FORMAT: &'static str = donut_model::Donut::FORMAT;

    fn decode(content: Content<'_>) -> Result<Self, Error> {
        let donut = donut_model::Donut::decode(content)?;
        if donut.has_filling {
            return Ok(Self(donut));
        }
        Err(Error::new(hop_core::ErrorKind::Invalid, Self::FORMAT).expected("a filling").found("none"))
    }

    fn encode(&self) -> Result<Bytes, Error> {
        self.0.encode()
    }

    fn fields(&self) -> Result<hop_core::Value, Error> {
        self.0.fields()
    }
}

#[derive(Debug, Clone, PartialEq)]
struct Sent {
    content: Vec<u8>,
    key: Vec<u8>,
    headers: Headers,
}

/// Message number `number`: one in a hundred has no filling, and headers of all kinds.
fn donut(number: usize) -> Sent {
    let has_filling = number % 100 != 37;
    let content = format!(
        "{{\"category\": \"yeast\",  \"flavor\": \"\\u00e9{number}\", \"has_filling\": {has_filling}, \"more\": [1e2]}}"
    );
    let (number, bytes) = (number.to_string(), number.to_be_bytes());
    let headers: [(&str, Option<&[u8]>); 5] = [
        ("number", Some(number.as_bytes())),
        ("bytes", Some(&bytes)),
        ("bytes", None),
        ("_id", Some(&bytes)),
        ("_format", Some(b"Donut")),
    ];
    Sent { content: content.into_bytes(), key: number.as_bytes().to_vec(), headers: headers.into_iter().collect() }
}

fn read_back(record: &hop_core::Record) -> Sent {
    let key = record.key.as_ref().unwrap().to_vec();
    Sent { content: record.content.to_vec(), key, headers: record.headers.clone() }
}

#[tokio::test]
async fn one_broken_message_in_a_hundred_is_put_aside_and_replayed_after_a_fix() {
    let name = "one_broken_message_in_a_hundred_is_put_aside_and_replayed_after_a_fix";
    let Some(broker) = Broker::apache_or_skip(name) else { return };
    const MESSAGES: usize = 10_000;
    let (topic, dead) = (broker.topic(1).await, broker.topic(3).await);
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    for number in 0..MESSAGES {
        let Sent { content, key, headers } = donut(number);
        let headers = headers.iter().fold(OwnedHeaders::new(), |owned, header| {
            owned.insert(Header { key: &header.name, value: header.value.as_deref() })
        });
        producer.send(BaseRecord::<_, _>::to(&topic).payload(&content).key(&key).headers(headers)).unwrap();
    }
    producer.flush(std::time::Duration::from_secs(30)).unwrap();

    let registry = Registry::builder().models([hop_core::registration!(Filled)]).build().unwrap();
    let unmended = stream().registry(registry).build().unwrap();
    let putting = unmended.subscribe(broker.url(&topic)).group("bakers");
    let mut alerts = putting.on_undecodable(Undecodable::DeadLetter(dead.clone())).await.unwrap();
    let good: Vec<_> = all(&mut alerts).await.iter().map(|alert| read_back(&alert.record)).collect();
    assert_eq!(alerts.counters().dead_letters as usize, MESSAGES / 100);
    alerts.close().await.unwrap();
    let (broken, fine): (Vec<_>, Vec<_>) = (0..MESSAGES).partition(|number| number % 100 == 37);
    assert!(
        good == fine.into_iter().map(donut).collect::<Vec<_>>(),
        "good messages are missing, changed or out of order"
    );

    let mut letters = hop().subscribe(broker.url(&dead)).await.unwrap();
    let mut put_aside = Vec::new();
    while let Some(letter) = letters.next_record().await {
        let letter = letter.unwrap();
        let (from, message) = restore(&letter);
        assert_eq!(from.as_deref(), Some(topic.as_str()));
        assert_eq!(message.headers.len() + 6, letter.headers.len());
        put_aside.push(read_back(&hop_core::Record { headers: message.headers, ..letter }));
    }
    let by_number = |sent: &Sent| std::str::from_utf8(&sent.key).unwrap().parse::<usize>().unwrap();
    put_aside.sort_by_key(by_number);
    let broken: Vec<_> = broken.into_iter().map(donut).collect();
    assert!(put_aside == broken, "dead letters are missing or changed");

    // One that no fix helps stays, and is met again.
    send_raw(
        broker.address(),
        &dead,
        b"{",
        &[
            ("_format", Some(b"donut")),
            (dead_letter::REASON, Some(b"it is cut off")),
            (dead_letter::TOPIC, Some(topic.as_bytes())),
        ],
    );
    let replay = || {
        let url = broker.url(&dead);
        let program = hop_tests::process::Program::new(env!("CARGO_BIN_EXE_mended-hop"));
        tokio::task::spawn_blocking(move || program.args(["replay", "--no-auth", &url]).run())
    };
    let finished = replay().await.unwrap();
    assert_eq!(finished.expect(1), format!("{} messages replayed, 1 still do not decode\n", broken.len()));
    assert!(finished.err.contains("donut: expected"), "{}", finished.err);
    assert_eq!(replay().await.unwrap().expect(1), "0 messages replayed, 1 still do not decode\n");

    // The group of the readers goes on with them; and by now every one of them decodes.
    let registry = Registry::builder().models([hop_core::registration!(donut_model::Donut)]).build().unwrap();
    let mended = stream().registry(registry).build().unwrap();
    let mut alerts = mended.subscribe(broker.url(&topic)).group("bakers").await.unwrap();
    let mut replayed: Vec<_> = all(&mut alerts).await.iter().map(|alert| read_back(&alert.record)).collect();
    replayed.sort_by_key(by_number);
    assert!(replayed == broken, "what was replayed is not what was sent first");
}
