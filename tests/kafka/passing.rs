//! Nothing is changed by passing through: null and empty keys, values and headers.

use hop_core::{Blob, Header, JsonBlob, Outgoing, Payload, Record, Route};
use hop_kafka::{ErrorKind, Undecodable, restore};
use hop_tests::{Broker, stream};
use rdkafka::ClientConfig;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::{all, next};

const NULL_AND_EMPTY: [Option<&[u8]>; 2] = [None, Some(b"")];

/// Sends a message beside hop, with null and empty where they are asked for.
fn send(broker: &Broker, topic: &str, value: Option<&[u8]>, key: Option<&[u8]>, headers: &[(&str, Option<&[u8]>)]) {
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    let headers = headers
        .iter()
        .fold(OwnedHeaders::new(), |owned, (key, value)| owned.insert(rdkafka::message::Header { key, value: *value }));
    let record = BaseRecord::<[u8], [u8]> {
        topic,
        partition: Some(0),
        payload: value,
        key,
        timestamp: None,
        headers: Some(headers),
        delivery_opaque: (),
    };
    producer.send(record).unwrap();
    producer.flush(std::time::Duration::from_secs(10)).unwrap();
}

/// Value, key and headers, with null apart from empty.
type Parts = (Option<Vec<u8>>, Option<Vec<u8>>, Vec<Header>);

fn parts(record: &Record) -> Parts {
    let bytes = |bytes: &bytes::Bytes| bytes.to_vec();
    let headers = record.headers.iter().cloned().collect();
    (record.content.as_bytes().map(bytes), record.key.as_ref().map(bytes), headers)
}

#[tokio::test]
async fn null_and_empty_stay_apart_when_read_forwarded_put_aside_and_restored() {
    let broker = Broker::new();
    let (first, second, dead, third) =
        (broker.topic(1).await, broker.topic(1).await, broker.topic(1).await, broker.topic(1).await);
    let mut sent: Vec<Parts> = Vec::new();
    for value in NULL_AND_EMPTY {
        for key in NULL_AND_EMPTY {
            for header in NULL_AND_EMPTY {
                let headers = [("h", header), ("_format", Some(&b"json"[..]))];
                send(&broker, &first, value, key, &headers);
                let own = |(name, value): &(&str, Option<&[u8]>)| Header {
                    name: (*name).to_owned().into(),
                    value: value.map(bytes::Bytes::copy_from_slice),
                };
                sent.push((value.map(<[u8]>::to_vec), key.map(<[u8]>::to_vec), headers.iter().map(own).collect()));
            }
        }
    }
    let hop = stream().build().unwrap();
    // Read, and written back.
    let mut records = hop.subscribe(broker.url(&first)).await.unwrap();
    let out = hop.publish(broker.url(&second)).await.unwrap();
    let mut read = Vec::new();
    while let Some(record) = records.next_record().await {
        let record = record.unwrap();
        read.push(parts(&record));
        let Record { content, key, headers, .. } = record;
        let _delivery = out.forward(&second, Outgoing { content, key, headers }).await.unwrap();
    }
    out.close().await.unwrap();
    assert_eq!(read, sent);
    // None of them is JSON, so all are put aside.
    let mut alerts =
        hop.subscribe(broker.url(&second)).on_undecodable(Undecodable::DeadLetter(dead.clone())).await.unwrap();
    assert!(all(&mut alerts).await.is_empty());
    // And restored, and sent on.
    let mut letters = hop.subscribe(broker.url(&dead)).await.unwrap();
    let out = hop.publish(broker.url(&third)).await.unwrap();
    while let Some(letter) = letters.next_record().await {
        let (from, message) = restore(&letter.unwrap());
        assert_eq!(from.as_deref(), Some(second.as_str()));
        let _delivery = out.forward(&third, message).await.unwrap();
    }
    out.close().await.unwrap();
    let mut records = hop.subscribe(broker.url(&third)).await.unwrap();
    let mut read = Vec::new();
    while let Some(record) = records.next_record().await {
        read.push(parts(&record.unwrap()));
    }
    assert_eq!(read, sent);
}

#[tokio::test]
async fn a_null_value_is_a_null_blob_and_no_other_model() {
    let broker = Broker::new();
    let (topic, back) = (broker.topic(1).await, broker.topic(1).await);
    let blob: [(&str, Option<&[u8]>); 1] = [("_format", Some(b"blob"))];
    let strange: [(&str, Option<&[u8]>); 1] = [("_format", Some(b"nobody-knows"))];
    // A notice of no bytes is a notice; a notice of null is none.
    let notice: [(&str, Option<&[u8]>); 1] = [("_format", Some(b"gcntextnotice"))];
    for headers in [&[][..], &blob, &strange] {
        send(&broker, &topic, None, Some(b"key"), headers);
        send(&broker, &topic, Some(b""), Some(b"key"), headers);
    }
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(broker.url(&topic)).await.unwrap();
    let read = all(&mut alerts).await;
    let routes: Vec<_> = read.iter().map(|alert| alert.route.as_str()).collect();
    assert_eq!(routes, ["blob", "blob", "header", "header", "unknown-format", "unknown-format"]);
    let out = hop.publish(broker.url(&back)).await.unwrap();
    for (at, alert) in read.iter().enumerate() {
        let is_null = at % 2 == 0;
        let blob = alert.get::<Blob>().unwrap();
        assert_eq!((blob.content.is_null(), alert.record.content.is_null()), (is_null, is_null), "{at}");
        let content = if is_null { hop_core::Value::Null } else { hop_core::Value::Bytes(bytes::Bytes::new()) };
        assert_eq!(alert.model.fields().unwrap(), hop_core::Value::object([("content", content)]));
        // Written back as the model that it is.
        out.write(&*alert.model).send().await.unwrap();
    }
    out.write(&Blob::NULL).key("gone").send().await.unwrap();
    out.close().await.unwrap();
    let read = all(&mut hop.subscribe(broker.url(&back)).await.unwrap()).await;
    let nulls: Vec<_> = read.iter().map(|alert| alert.record.content.is_null()).collect();
    assert_eq!(nulls, [true, false, true, false, true, false, true]);
    assert!(read.iter().all(|alert| alert.route == Route::Header && alert.model.is::<Blob>()));

    // Under the label of a model that needs content it is an error, for a typed reader too.
    let topic = broker.topic(1).await;
    send(&broker, &topic, None, Some(b"key"), &notice);
    send(&broker, &topic, Some(b""), Some(b"key"), &notice);
    let mut alerts = hop.subscribe(broker.url(&topic)).await.unwrap();
    let error = next(&mut alerts).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Decode);
    assert!(error.to_string().contains("null"), "{error}");
    assert_eq!(error.record().unwrap().content, Payload::NULL);
    assert_eq!(next(&mut alerts).await.unwrap().unwrap().model.format(), "gcntextnotice");
    let mut notices = hop.subscribe(broker.url(&topic)).await.unwrap().typed::<hop_models::TextNotice>();
    assert!(notices.next().await.unwrap().unwrap_err().record().unwrap().content.is_null());
    assert!(notices.next().await.unwrap().is_ok());
    // A reader of JSON has nothing to do with it.
    let mut json = hop.subscribe(broker.url(&topic)).await.unwrap().typed::<JsonBlob>();
    assert!(json.next().await.is_none());
}
