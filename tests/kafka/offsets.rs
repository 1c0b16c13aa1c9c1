//! How far groups are, and moving them.

use std::time::{Duration, SystemTime};

use hop_core::Place;
use hop_kafka::{ErrorKind, StartPosition};
use hop_tests::process::Program;
use hop_tests::{Broker, send_to, stream};

use crate::next;

/// Sends so many messages to each partition, and has the group read the first three that come.
async fn filled(broker: &Broker, group: &str) -> String {
    let topic = broker.topic(2).await;
    for partition in 0..2 {
        for number in 0..5 {
            send_to(broker.address(), &topic, partition, format!("{number}").as_bytes());
        }
    }
    let hop = stream().build().unwrap();
    let mut alerts = hop.subscribe(broker.url(&topic)).group(group).await.unwrap();
    for _ in 0..3 {
        next(&mut alerts).await.unwrap().unwrap();
    }
    // The third is done when it is marked.
    alerts.close().await.unwrap();
    topic
}

#[tokio::test]
async fn the_lag_of_a_group_is_what_it_has_not_read() {
    let broker = Broker::new();
    let name = format!("{}-lag", uuid::Uuid::new_v4());
    let topic = filled(&broker, &name).await;
    let hop = stream().build().unwrap();
    let group = hop.group(broker.url(&topic), &name);
    let progress = group.progress().await.unwrap();
    assert_eq!(progress.len(), 2);
    let read: i64 = progress.iter().filter_map(|of| of.committed).sum();
    let lag: u64 = progress.iter().map(|of| of.lag()).sum();
    assert!((2..=3).contains(&read), "{progress:?}");
    assert_eq!(lag, 10 - u64::try_from(read).unwrap(), "{progress:?}");
    assert!(progress.iter().all(|of| (of.first, of.end, of.lost()) == (0, 5, 0)), "{progress:?}");
    // Without a topic, wherever it has committed; and a group that nobody knows is nowhere.
    let anywhere = hop.group(broker.url(""), &name).progress().await.unwrap();
    assert!(
        !anywhere.is_empty() && anywhere.iter().all(|of| of.topic == topic && of.committed.is_some()),
        "{anywhere:?}"
    );
    let nobody = hop.group(broker.url(&topic), format!("{name}-nobody"));
    assert_eq!(nobody.progress().await.unwrap().iter().map(|of| of.lag()).sum::<u64>(), 10);
    assert!(hop.group(broker.url(""), format!("{name}-nobody")).progress().await.unwrap().is_empty());
    let error = hop.group(broker.url("hop-test-nowhere"), &name).progress().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnknownTopic, "{error}");
    assert!(error.to_string().contains("hop-test-nowhere"), "{error}");
    assert_eq!(hop.group(broker.url(&topic), "").progress().await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test]
async fn a_group_goes_on_where_it_was_moved_to() {
    let Some(broker) = Broker::apache_or_skip("a_group_goes_on_where_it_was_moved_to") else { return };
    let name = format!("{}-moved", uuid::Uuid::new_v4());
    let topic = filled(&broker, &name).await;
    let hop = stream().build().unwrap();
    let group = hop.group(broker.url(&topic), &name);
    let before = group.progress().await.unwrap();
    let place = |offset| Place { topic: topic.as_str().into(), partition: 1, offset };
    for (to, expected) in [
        (StartPosition::Earliest, vec![0, 0]),
        (StartPosition::Latest, vec![5, 5]),
        (StartPosition::Last(2), vec![3, 3]),
        (StartPosition::Last(99), vec![0, 0]),
        (StartPosition::Offsets(vec![place(4)]), vec![4]),
    ] {
        let moves = group.plan(&to).await.unwrap();
        assert_eq!(moves.iter().map(|one| one.to).collect::<Vec<_>>(), expected, "{to:?}");
        // A plan changes nothing.
        assert_eq!(group.progress().await.unwrap(), before, "{to:?}");
    }
    for wrong in [place(6), place(-1), Place { partition: 2, ..place(0) }] {
        let error = group.plan(&StartPosition::Offsets(vec![wrong.clone()])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{wrong}: {error}");
    }
    group.commit(&group.plan(&StartPosition::Last(2)).await.unwrap()).await.unwrap();
    assert!(group.progress().await.unwrap().iter().all(|of| (of.committed, of.lag()) == (Some(3), 2)));
    let mut alerts = hop.subscribe(broker.url(&topic)).group(&name).await.unwrap();
    let mut read = Vec::new();
    while let Some(alert) = next(&mut alerts).await {
        read.push(alert.unwrap().record.place.unwrap().offset);
    }
    read.sort_unstable();
    assert_eq!(read, [3, 3, 4, 4]);
}

#[tokio::test]
async fn a_group_with_members_is_not_moved_and_a_time_is_looked_up() {
    let Some(broker) = Broker::apache_or_skip("a_group_with_members_is_not_moved_and_a_time_is_looked_up") else {
        return;
    };
    let name = format!("{}-busy", uuid::Uuid::new_v4());
    let topic = broker.topic(1).await;
    send_to(broker.address(), &topic, 0, b"1");
    tokio::time::sleep(Duration::from_millis(50)).await;
    let between = SystemTime::now();
    tokio::time::sleep(Duration::from_millis(50)).await;
    send_to(broker.address(), &topic, 0, b"2");
    let hop = stream().until_eos(false).build().unwrap();
    let group = hop.group(broker.url(&topic), &name);
    let at = |to: SystemTime| {
        let group = group.clone();
        async move { group.plan(&StartPosition::Time(to)).await.unwrap()[0].to }
    };
    assert_eq!(at(SystemTime::UNIX_EPOCH).await, 0);
    assert_eq!(at(between).await, 1);
    assert_eq!(at(SystemTime::now() + Duration::from_secs(3600)).await, 2);
    let mut alerts = hop.subscribe(broker.url(&topic)).group(&name).start_at(StartPosition::Earliest).await.unwrap();
    next(&mut alerts).await.unwrap().unwrap();
    let described = group.describe().await.unwrap();
    assert_eq!((described.members, described.state.as_str()), (1, "Stable"));
    let moves = group.plan(&StartPosition::Latest).await.unwrap();
    let error = group.commit(&moves).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    assert!(
        error.to_string().contains("has 1 member,") && error.to_string().contains("stop all of them first"),
        "{error}"
    );
    alerts.close().await.unwrap();
    group.commit(&moves).await.unwrap();
    assert_eq!(group.progress().await.unwrap()[0].committed, Some(2));
}

#[tokio::test]
async fn the_command_shows_lag_and_offsets_and_moves_a_group_when_it_is_told_to() {
    let test = "the_command_shows_lag_and_offsets_and_moves_a_group_when_it_is_told_to";
    let Some(broker) = Broker::apache_or_skip(test) else { return };
    let name = format!("{}-shown", uuid::Uuid::new_v4());
    let topic = filled(&broker, &name).await;
    let home = tempfile::tempdir().unwrap();
    let hop = |arguments: &[&str]| {
        let command = Program::new(env!("CARGO_BIN_EXE_plain-hop")).args(arguments);
        command.env("HOME", home.path()).env("XDG_CONFIG_HOME", home.path()).run()
    };
    let url = broker.url(&topic);
    let read_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let finished = hop(&["lag", "--no-auth", "--json", &name, &url]);
    let shown = read_json(finished.expect(0));
    assert_eq!((shown["group"].as_str(), shown["partitions"].as_array().map(Vec::len)), (Some(name.as_str()), Some(2)));
    let lag = shown["lag"].as_u64().unwrap();
    assert!((7..=8).contains(&lag), "{shown}");
    let finished = hop(&["lag", "--no-auth", &name, &url]);
    let text = finished.expect(0);
    assert!(text.starts_with(&format!("{name}: {lag} to read")) && text.contains("PARTITION"), "{text}");
    // A dry run, unless it is told to.
    let reset = ["offsets", "reset", "--no-auth", &name, &url, "--to", "-2"];
    let finished = hop(&reset);
    assert!(finished.expect(0).contains(&format!("{topic}  ")), "{finished:?}");
    assert!(finished.err.contains("nothing was changed; do it with `--execute`"), "{}", finished.err);
    let committed = || {
        let finished = hop(&["offsets", "show", "--no-auth", "--json", &name, &url]);
        let shown = read_json(finished.expect(0));
        shown.as_array().unwrap().iter().map(|of| of["committed"].as_i64()).collect::<Vec<_>>()
    };
    assert_ne!(committed(), [Some(3), Some(3)]);
    let finished = hop(&[&reset[..], &["--execute", "--json"]].concat());
    assert!(read_json(finished.expect(0)).as_array().unwrap().iter().all(|one| one["to"] == 3 && one["done"] == true));
    assert_eq!(committed(), [Some(3), Some(3)]);
    for (arguments, code, words) in [
        (&["offsets", "reset", "--no-auth", &name, &broker.url(""), "--to", "LATEST"][..], 2, "names no topic"),
        (&["offsets", "reset", "--no-auth", &name, &url, "--to", "noon"], 2, "expected EARLIEST, LATEST"),
        (&["lag", "--no-auth", &name, &broker.url("hop-test-nowhere")], 1, "there is no topic `hop-test-nowhere`"),
    ] {
        let finished = hop(arguments);
        assert!(finished.expect(code).is_empty() && finished.err.contains(words), "{arguments:?}: {}", finished.err);
    }
}
