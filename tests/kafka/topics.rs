use std::time::{Duration, Instant};

use hop_kafka::auth::Mechanism;
use hop_kafka::{Credential, ErrorKind};
use hop_tests::secured::Secured;
use hop_tests::{Broker, stream};

#[tokio::test]
async fn topics_are_listed_with_their_partitions_those_of_the_url_if_it_names_some() {
    let broker = Broker::new();
    let (one, three) = (broker.topic(1).await, broker.topic(3).await);
    let hop = stream().build().unwrap();
    let list = async |topics: &str| {
        let topics = hop.list_topics(broker.url(topics)).await.unwrap();
        topics.into_iter().map(|topic| (topic.name, topic.partitions)).collect::<Vec<_>>()
    };
    let all = list("").await;
    assert!(all.is_sorted());
    assert!(all.contains(&(one.clone(), 1)) && all.contains(&(three.clone(), 3)), "{all:?}");
    assert_eq!(list(&format!("{three},not-there")).await, [(three, 3)]);
    // To ask for a topic does not make it.
    assert_eq!(list("not-there").await, []);
    assert_eq!(list("").await, all);
}

#[test]
fn they_are_listed_without_a_runtime_too() {
    let broker = hop_kafka::EmbeddedBroker::start().unwrap();
    broker.create_topic("t", 2).unwrap();
    let topics = hop_kafka::block_on(stream().build().unwrap().list_topics(broker.url(""))).unwrap();
    assert_eq!((topics.len(), topics[0].name.as_str(), topics[0].partitions), (1, "t", 2));
}

#[tokio::test]
async fn rights_are_told_or_not_and_asking_takes_no_longer_than_an_answer() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let started = Instant::now();
    let rights = stream().build().unwrap().topic_rights(broker.url(&format!("{topic},not-there"))).await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(rights.iter().map(|topic| topic.topic.as_str()).collect::<Vec<_>>(), [topic.as_str(), "not-there"]);
    let known = rights[0].rights.as_ref().unwrap();
    // Apache Kafka without access rules tells that everything is allowed.
    assert!(known.as_ref().is_none_or(|rights| rights.contains(&hop_kafka::Right::Read)), "{known:?}");
    let missing = rights[1].rights.as_ref().unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::UnknownTopic, "{missing}");
}

#[tokio::test]
async fn a_url_that_is_none_is_refused() {
    let error = stream().build().unwrap().list_topics("http://127.0.0.1/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Url);
}

#[tokio::test]
async fn each_sees_what_his_credential_may_see() {
    let Some(secured) = Secured::or_skip("each_sees_what_his_credential_may_see") else { return };
    let topic = secured.broker.topic(2).await;
    let list = async |credential: Credential| {
        let hop = hop_kafka::Stream::builder().credential(credential).build().unwrap();
        hop.list_topics(format!("kafka://{}/{topic}", secured.sasl_ssl())).await
    };
    assert_eq!(list(secured.credential("writer", Mechanism::Plain)).await.unwrap()[0].partitions, 2);
    assert_eq!(list(secured.credential("stranger", Mechanism::Plain)).await.unwrap(), []);
    let started = Instant::now();
    let wrong = Credential::new("writer", "wrong").mechanism(Mechanism::Plain).ssl_ca_location(secured.file("ca.pem"));
    let error = list(wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Authentication, "{error}");
    // No patience mends that.
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
