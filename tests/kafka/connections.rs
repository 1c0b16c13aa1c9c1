use std::time::{Duration, Instant};

use hop_kafka::ErrorKind;
use hop_tests::proxy::{Behaviour, Proxy};
use hop_tests::{Broker, stream};

use crate::{json, next, numbers};

#[tokio::test]
async fn a_reader_and_a_writer_go_on_after_their_connections_were_cut_frozen_and_refused() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let proxy = Proxy::before([broker.address()]);
    let url = format!("kafka://{}/{topic}", proxy.address());
    let hop = stream().until_eos(false).build().unwrap();
    let mut alerts = hop.subscribe(&url).await.unwrap();
    let out = hop.publish(&url).await.unwrap();
    let mut number = 0;
    let mut one_more = async |what: &str| {
        number += 1;
        out.write(&json(number)).send().await.unwrap();
        let read = next(&mut alerts).await.unwrap().unwrap();
        assert_eq!(numbers(&[read]), [number], "after it was {what}");
    };
    one_more("opened").await;
    let before = proxy.accepted();
    for (what, behaviour) in
        [("frozen", Some(Behaviour::BlackHole)), ("refused", Some(Behaviour::Refuse)), ("cut", None)]
    {
        match behaviour {
            Some(behaviour) => {
                proxy.behave(behaviour);
                tokio::time::sleep(Duration::from_millis(300)).await;
                proxy.behave(Behaviour::Forward);
            }
            None => proxy.cut(),
        }
        one_more(what).await;
    }
    // All of it came through the proxy, which the clients found in the broker's answers.
    assert!(proxy.accepted() >= before + 4, "{before} connections, and {} at the end", proxy.accepted());
}

#[tokio::test]
async fn what_a_proxy_delays_comes_later_and_what_it_swallows_times_out() {
    let broker = Broker::new();
    let topic = broker.topic(1).await;
    let proxy = Proxy::before([broker.address()]);
    let url = format!("kafka://{}/{topic}", proxy.address());
    let hop = stream().build().unwrap();
    let out = hop.publish(&url).produce_timeout(Duration::from_secs(2)).await.unwrap();
    out.write(&json(1)).send().await.unwrap();
    proxy.behave(Behaviour::Delay(Duration::from_millis(400)));
    let started = Instant::now();
    out.write(&json(2)).send().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(800), "there and back: {:?}", started.elapsed());

    proxy.behave(Behaviour::BlackHole);
    let started = Instant::now();
    let error = out.write(&json(3)).send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Undelivered);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
