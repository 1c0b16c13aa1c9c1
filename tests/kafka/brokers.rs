//! One program reads every public broker: the topics are named and filled as each broker does it, and the profile is found by
//! the broker's own host name, whose address is that of the test's broker.

use std::sync::Arc;

use bytes::Bytes;
use hop_core::{Encoder, Framing, JsonBlob, MessageModel, Value};
use hop_kafka::{Broker as Profile, Error, StartPosition, Stream};
use hop_models::avro::Schema;
use hop_models::framing::{SchemaInKey, rubin, rubin_schemas};
use hop_models::{AvroBlob, Circular, GcnNotice, GcnPacket, GwAlert, TextNotice, VoEvent};
use hop_tests::{Broker, stream};
use rdkafka::ClientConfig;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

/// What one broker sends.
struct Sent {
    host: &'static str,
    topic: &'static str,
    content: Bytes,
    key: Option<Bytes>,
    format: Option<&'static str>,
}

impl Sent {
    fn new(host: &'static str, topic: &'static str, content: impl Into<Bytes>) -> Self {
        Self { host, topic, content: content.into(), key: None, format: None }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(hop_tests::root().join("fixtures").join(name)).unwrap()
}

fn object(fields: &[(&str, Value)]) -> Value {
    Value::object(fields.iter().cloned())
}

fn container(id: &str) -> Bytes {
    AvroBlob::new(object(&[("objectId", id.into()), ("mjd", 61_000.5.into())])).encode().unwrap()
}

/// ANTARES: `zlib.compress(bson.encode({"locus_id": "ANT2020j7wo4", "ra": 123.4567, …}))`, as Python writes it.
const LOCUS: &str = "789c9bcac0c0c094939f5c5a1c9f99c2c00be439fa8518191819649997e79b303016253204b32e9e647537ce8131253599e1e8bf4dd\
                     59f36681c602e28ca2f482d2ac94c2d665005ea12c82bcd8d4fcc018a1433b002f99c79a9e5a9c5250c0a46b6dbe7300205584a12\
                     d3214a990c1858805471713e039321031f90995a515294989e9893985c92990ce403009401285c";

fn bytes_of(hexadecimal: &str) -> Vec<u8> {
    (0..hexadecimal.len()).step_by(2).map(|at| u8::from_str_radix(&hexadecimal[at..at + 2], 16).unwrap()).collect()
}

/// An alert of the Rubin Observatory, by version 11.0 of its schema: every field as small as it can be.
fn rubin_alert() -> AvroBlob {
    let text = rubin_schemas().unwrap();
    let text = hop_core::SchemaSource::schema(&text, &hop_core::SchemaId::Number(1100)).unwrap().unwrap();
    let schema = Schema::parse(&text.text).unwrap();
    fn least(schema: &Value) -> Value {
        match schema {
            Value::Array(branches) if branches.iter().any(|branch| branch.as_str() == Some("null")) => Value::Null,
            Value::Array(branches) => least(&branches[0]),
            Value::Object(of) => match of.get("type").and_then(Value::as_str) {
                Some("record") => {
                    let fields = of.get("fields").and_then(Value::as_array).unwrap();
                    Value::object(fields.iter().map(|field| (field["name"].as_str().unwrap(), least(&field["type"]))))
                }
                Some("array") => Value::Array(Vec::new()),
                _ => least(of.get("type").unwrap()),
            },
            name => match name.as_str().unwrap() {
                "boolean" => false.into(),
                "int" | "long" => 7.into(),
                "float" | "double" => 1.5.into(),
                "bytes" => Value::Bytes(Bytes::new()),
                _ => "".into(),
            },
        }
    }
    let content = least(schema.json());
    AvroBlob::new(content).with_schema(schema).unwrap()
}

/// Everything that the brokers send; what is read of it is in [`read_all`].
fn sent() -> Vec<Sent> {
    const GCN: &str = "kafka.gcn.nasa.gov";
    let event = fixture("voevent/v2.0/prefixed/content.xml");
    let gwalert = GwAlert::example().unwrap().encode().unwrap();
    let fink = AvroBlob::new(object(&[("objectId", "ZTF18abeoiol".into())]));
    let fink = SchemaInKey::new().wrap("", Encoder::new().encode(&fink).unwrap()).unwrap();
    let rubin = rubin(None).wrap("", Encoder::new().encode(&rubin_alert()).unwrap()).unwrap();
    let mut hopskotch = GwAlert::example().unwrap().fields().unwrap();
    if let Value::Object(alert) = &mut hopskotch
        && let Some(Value::Object(event)) = alert.get_mut("event")
    {
        event.insert("skymap", Value::Bytes(Bytes::from_static(b"SIMPLE")));
    }
    vec![
        Sent::new(GCN, "gcn.classic.voevent.FERMI_GBM_FIN_POS", event.clone()),
        Sent::new(GCN, "gcn.classic.text.SWIFT_BAT_GRB_POS_ACK", TextNotice::example().unwrap().encode().unwrap()),
        Sent::new(GCN, "gcn.classic.binary.SWIFT_BAT_GRB_POS_ACK", GcnPacket::example().unwrap().encode().unwrap()),
        Sent::new(GCN, "gcn.notices.einstein_probe.wxt.alert", GcnNotice::example().unwrap().encode().unwrap()),
        Sent::new(GCN, "gcn.notices.svom.voevent.eclairs", event),
        Sent::new(GCN, "gcn.circulars", fixture("circular/gcn-json/kafka/content.json")),
        Sent { format: Some("json"), ..Sent::new(GCN, "igwn.gwalert", gwalert) },
        Sent::new(
            GCN,
            "gcn.heartbeat",
            r#"{"$schema": "https://gcn.nasa.gov/schema/v4.1.0/gcn/notices/core/Alert.schema.json", "alert_datetime": "2026-11-26T03:04:05Z"}"#,
        ),
        Sent {
            content: rubin.content.as_bytes().unwrap().clone(),
            ..Sent::new("usdf-alert-stream-dev.lsst.cloud:9094", "alerts-simulated", "")
        },
        Sent {
            content: fink.content.as_bytes().unwrap().clone(),
            key: fink.key,
            ..Sent::new("kafka-ztf.fink-broker.org:24499", "fink_sn_candidates_ztf", "")
        },
        Sent::new("kafka.lsst.ac.uk", "lasair_2SN-likecandidates", r#"{"objectId": "ZTF23abc", "UTC": "2026-11-26"}"#),
        Sent::new("kafka.alerce.science:9093", "lc_classifier_20261126", container("alerce")),
        Sent::new("kafka.antares.noirlab.edu", "client.nuclear_transient", bytes_of(LOCUS)),
        Sent::new("kaboom.caltech.edu:9093", "babamul.ztf.no-lsst-match.hosted", container("babamul")),
        Sent::new("public.alerts.ztf.uw.edu", "ztf_20261126_programid1", container("ztf")),
        Sent {
            format: Some("circular"),
            ..Sent::new("kafka.scimma.org", "gcn.circular", fixture("circular/hop/plain/content.json"))
        },
        Sent {
            format: Some("avro"),
            ..Sent::new("kafka.scimma.org", "igwn.gwalert", AvroBlob::new(hopskotch).encode().unwrap())
        },
    ]
}

/// Reads the last message of the topic, by the name of the host that the world knows.
async fn last<M: MessageModel>(hop: &Stream, host: &str, topic: &str) -> M {
    let url = format!("kafka://{host}/{topic}");
    assert!(Profile::of(&url.parse().unwrap()).unwrap().is_some(), "{url} is nobody's");
    let mut alerts = hop.subscribe(&url).start_at(StartPosition::Last(1)).until_eos(true).await.unwrap().typed::<M>();
    let read = tokio::time::timeout(crate::PATIENCE, alerts.next()).await.expect("nothing came in time");
    let read: Result<_, Error> = read.unwrap_or_else(|| panic!("{url}: nothing of {}", M::FORMAT));
    read.unwrap_or_else(|error| panic!("{url}: {error}")).model
}

#[tokio::test]
async fn one_program_reads_all_of_them_typed() {
    let broker = Broker::new();
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", broker.address()).create().unwrap();
    let sent = sent();
    for one in &sent {
        broker.named_topic(one.topic).await;
        // Two of them are called the same on two brokers.
        if one.host == "kafka.scimma.org" {
            continue;
        }
        send(&producer, one);
    }
    // Rubin's own registry would be asked last: it is not on this machine.
    let hop = stream()
        .property("bootstrap.servers", broker.address())
        .schema_source(Arc::new(rubin_schemas().unwrap()))
        .build()
        .unwrap();

    const GCN: &str = "kafka.gcn.nasa.gov";
    for topic in ["gcn.classic.voevent.FERMI_GBM_FIN_POS", "gcn.notices.svom.voevent.eclairs"] {
        let event: VoEvent = last(&hop, GCN, topic).await;
        assert_eq!(event.as_bytes(), &fixture("voevent/v2.0/prefixed/content.xml")[..]);
    }
    let text: TextNotice = last(&hop, GCN, "gcn.classic.text.SWIFT_BAT_GRB_POS_ACK").await;
    assert_eq!(Some(text), TextNotice::example());
    let packet: GcnPacket = last(&hop, GCN, "gcn.classic.binary.SWIFT_BAT_GRB_POS_ACK").await;
    assert!((packet.position().unwrap().ra() - 336.6645).abs() < 0.1, "{:?}", packet.position());
    let notice: GcnNotice = last(&hop, GCN, "gcn.notices.einstein_probe.wxt.alert").await;
    assert_eq!(notice.instrument().unwrap(), Some("WXT"));
    let circular: Circular = last(&hop, GCN, "gcn.circulars").await;
    assert_eq!(circular.number(), Some(99_002));
    let alert: GwAlert = last(&hop, GCN, "igwn.gwalert").await;
    let heartbeat: JsonBlob = last(&hop, GCN, "gcn.heartbeat").await;
    assert_eq!(heartbeat.content["alert_datetime"].as_str(), Some("2026-11-26T03:04:05Z"));
    let rubin: AvroBlob = last(&hop, "usdf-alert-stream-dev.lsst.cloud:9094", "alerts-simulated").await;
    assert_eq!(rubin, rubin_alert());
    assert_eq!(rubin.schema().unwrap().json()["name"].as_str(), Some("lsst.v11_0.alert"));
    let fink: AvroBlob = last(&hop, "kafka-ztf.fink-broker.org:24499", "fink_sn_candidates_ztf").await;
    assert_eq!(fink.record().unwrap()["objectId"].as_str(), Some("ZTF18abeoiol"));
    let lasair: JsonBlob = last(&hop, "kafka.lsst.ac.uk", "lasair_2SN-likecandidates").await;
    assert_eq!(lasair.content["objectId"].as_str(), Some("ZTF23abc"));
    let antares: JsonBlob = last(&hop, "kafka.antares.noirlab.edu", "client.nuclear_transient").await;
    assert_eq!(
        antares.content.to_string(),
        r#"{"locus_id": "ANT2020j7wo4", "ra": 123.4567, "dec": -12.3456, "properties": {"num_alerts": 5, "newest": "2026-03-04T05:06:07.008Z"}, "tags": ["sso", "extragalactic"]}"#
    );
    for (host, topic, id) in [
        ("kafka.alerce.science:9093", "lc_classifier_20261126", "alerce"),
        ("kaboom.caltech.edu:9093", "babamul.ztf.no-lsst-match.hosted", "babamul"),
        ("public.alerts.ztf.uw.edu", "ztf_20261126_programid1", "ztf"),
    ] {
        let avro: AvroBlob = last(&hop, host, topic).await;
        assert_eq!(avro.record().unwrap()["objectId"].as_str(), Some(id), "{host}");
    }

    // Hopskotch labels what it sends, and sends the same alert by its own road.
    for one in sent.iter().filter(|one| one.host == "kafka.scimma.org") {
        send(&producer, one);
    }
    let circular: Circular = last(&hop, "kafka.scimma.org", "gcn.circular").await;
    assert_eq!(circular.number(), Some(99_001));
    assert_eq!(last::<GwAlert>(&hop, "kafka.scimma.org", "igwn.gwalert").await, alert);
}

#[tokio::test]
async fn a_rule_leaves_messages_with_a_known_label_alone_unless_it_goes_before_it() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    hop_tests::send_raw(broker.address(), &topic, b"{}", &[("_format", Some(b"JSON"))]);
    hop_tests::send_raw(broker.address(), &topic, b"{}", &[("_format", Some(b"nobody-knows"))]);
    hop_tests::send_raw(broker.address(), &topic, b"{}", &[]);
    let hop = stream().build().unwrap();
    let rule = || hop_core::TopicRule::new(&topic, "gcntextnotice").unwrap();
    for (rule, expected) in [
        // A framing of the rule does not touch them either.
        (rule().framed_as("gzip"), [Ok("json"), Ok("blob"), Err(())]),
        (rule(), [Ok("json"), Ok("blob"), Ok("gcntextnotice")]),
        (rule().before_header(), [Ok("gcntextnotice"); 3]),
    ] {
        let mut alerts = hop.subscribe(broker.url(&topic)).topic_rule(rule).await.unwrap();
        for expected in expected {
            let read = crate::next(&mut alerts).await.unwrap();
            assert_eq!(read.map(|alert| alert.model.format()).map_err(drop), expected);
        }
    }
}

fn send(producer: &BaseProducer, sent: &Sent) {
    let mut headers = OwnedHeaders::new();
    if let Some(format) = sent.format {
        headers = headers.insert(Header { key: "_format", value: Some(format) });
    }
    let record = BaseRecord::<[u8], [u8]> {
        topic: sent.topic,
        partition: Some(0),
        payload: Some(&sent.content),
        key: sent.key.as_deref(),
        timestamp: None,
        headers: Some(headers),
        delivery_opaque: (),
    };
    producer.send(record).unwrap();
    producer.flush(std::time::Duration::from_secs(10)).unwrap();
}
