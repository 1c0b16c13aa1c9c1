use std::collections::BTreeMap;
use std::time::Instant;

use hop_core::{AnyModel, Blob, Registry};
use hop_kafka::Compression;
use hop_tests::{Broker, stream};

use crate::{json, next};

const MESSAGES: usize = 100_000;
const PARTITIONS: u16 = 6;

/// Message number `number`, with the label that it travels under: each format has its turn.
fn message(examples: &[Box<dyn AnyModel>], number: usize) -> (String, Vec<u8>) {
    match number % (examples.len() + 2) {
        0 => ("json".to_owned(), json(number as i64).encode().unwrap().to_vec()),
        1 => ("blob".to_owned(), number.to_be_bytes().repeat(1 + number % 50)),
        other => {
            let model = &examples[other - 2];
            (model.sent_as().to_owned(), model.encode().unwrap().to_vec())
        }
    }
}

#[tokio::test]
async fn a_hundred_thousand_messages_arrive_unchanged_and_in_order() {
    let Some(broker) = Broker::apache_or_skip("a_hundred_thousand_messages_arrive_unchanged_and_in_order") else {
        return;
    };
    let registry = Registry::builder().models(hop_models::MODELS).linked().build().unwrap();
    let examples: Vec<_> = registry.iter().filter_map(|model| model.example()).collect();
    assert!(examples.len() >= 7, "every built-in format has an example");
    let url = broker.url(&broker.topic(PARTITIONS).await);
    let started = Instant::now();

    let out = stream().build().unwrap().publish(&url).compression(Compression::Lz4).await.unwrap();
    for number in 0..MESSAGES {
        let model: Box<dyn AnyModel> = match number % (examples.len() + 2) {
            0 => Box::new(json(number as i64)),
            1 => Box::new(Blob::from(message(&examples, number).1)),
            other => {
                let _fate = out
                    .write(&*examples[other - 2])
                    .header("number", number.to_string())
                    .key((number % 100).to_string())
                    .queue()
                    .await
                    .unwrap();
                continue;
            }
        };
        let write = out.write(&*model).header("number", number.to_string()).key((number % 100).to_string());
        let _fate = write.queue().await.unwrap();
    }
    out.close().await.unwrap();
    let written = started.elapsed();

    let mut alerts = stream().build().unwrap().subscribe(&url).await.unwrap();
    let mut last: BTreeMap<i32, (i64, usize)> = BTreeMap::new();
    let mut read = vec![false; MESSAGES];
    while let Some(alert) = next(&mut alerts).await {
        let alert = alert.unwrap();
        let record = &alert.record;
        let number: usize = std::str::from_utf8(record.headers.get("number").unwrap()).unwrap().parse().unwrap();
        let (format, content) = message(&examples, number);
        assert_eq!((alert.model.format(), &record.content[..]), (format.as_str(), &content[..]));
        assert!(!std::mem::replace(&mut read[number], true), "message {number} came twice");
        let place = record.place.as_ref().unwrap();
        if let Some((offset, earlier)) = last.insert(place.partition, (place.offset, number)) {
            assert!(offset < place.offset && earlier < number, "partition {} is out of order", place.partition);
        }
    }
    assert_eq!(read.iter().filter(|read| **read).count(), MESSAGES);
    assert_eq!(last.len(), usize::from(PARTITIONS));
    println!("{MESSAGES} messages: written in {written:?}, read in {:?}", started.elapsed() - written);
}
