use hop_kafka::ErrorKind;
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
    let topics = stream().build().unwrap().list_topics_blocking(broker.url("")).unwrap();
    assert_eq!((topics.len(), topics[0].name.as_str(), topics[0].partitions), (1, "t", 2));
}

#[tokio::test]
async fn a_url_that_is_none_is_refused() {
    let error = stream().build().unwrap().list_topics("http://127.0.0.1/").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Url);
}
