//! `hop archive`, and `hop subscribe` with what the archive has.

use hop_tests::archive::{Archive, Fault, binary};
use uuid::Uuid;

use crate::{hop, json_lines};

/// An archive that anyone may read, with three messages of a topic, the last of which is withdrawn.
fn archive() -> (Archive, Vec<Uuid>) {
    let archive = Archive::start();
    archive.public();
    let ids: Vec<Uuid> = (0..3).map(|_| Uuid::new_v4()).collect();
    for (number, id) in (0_i64..).zip(&ids[..2]) {
        let content = format!(r#"{{"n": {number}}}"#);
        archive.store(*id, content.as_bytes(), &[("_format", b"json")], b"", "t", 1_000 * number);
    }
    let metadata = bson::doc! {"topic": "t", "timestamp": 2_000_i64, "headers": [["_format", binary(b"json")]]};
    let annotations = bson::doc! {"con_text_uuid": ids[2].to_string(), "retracted": true, "title": "a\u{1b}[31mtitle"};
    archive
        .put(ids[2], bson::doc! {"message": binary(b"{\"n\": 2}"), "metadata": metadata, "annotations": annotations});
    (archive, ids)
}

#[test]
fn messages_are_printed_listed_and_searched() {
    let (archive, ids) = archive();
    let ask = |arguments: &[&str]| {
        let common = ["--no-auth", "--address", &archive.endpoint()].map(str::to_owned);
        hop(["archive".to_owned()].into_iter().chain(arguments.iter().map(|text| (*text).to_owned())).chain(common))
            .run()
    };
    assert_eq!(ask(&["get", &ids[0].to_string()]).expect(0), "{\"n\": 0}\n");
    let finished = ask(&["get", &Uuid::new_v4().to_string()]);
    finished.expect(1);
    assert!(finished.err.contains("answered 404"), "{}", finished.err);
    ask(&["get", "x"]).expect(2);
    assert_eq!(ask(&["topics"]).expect(0), "t\n");
    let finished = ask(&["fetch", "t"]);
    assert_eq!(finished.expect(0), "{\"n\": 0}\n{\"n\": 1}\n{\"n\": 2}\n");
    assert!(finished.err.contains(&format!("{} was retracted by its sender", ids[2])), "{}", finished.err);
    let finished = ask(&["fetch", "t", "--json", "--since", "1970-01-01T00:00:01Z", "--until", "1970-01-01T00:00:02Z"]);
    let found = json_lines(finished.expect(0));
    assert_eq!(
        (found.len(), &found[0]["model"]["content"]["n"], &found[0]["archive"]["id"]),
        (1, &1.into(), &ids[1].to_string().into())
    );
    // These messages are of 1970.
    assert_eq!(ask(&["fetch", "t", "--since", "2h"]).expect(0), "");
    assert_eq!(ask(&["fetch", "t", "--since", "1970-01-01", "--until", "1w"]).expect(0).lines().count(), 3);
    assert_eq!(ask(&["search", "n", "--since", "90min"]).expect(0), "");
    let finished = ask(&["fetch", "t", "--list"]);
    let listed: Vec<&str> = finished.expect(0).lines().collect();
    assert!(listed[0].starts_with(&format!("{}  1970-01-01T00:00:00.000Z  t  8", ids[0])), "{}", listed[0]);
    assert!(listed[2].starts_with("RETRACTED "), "{}", listed[2]);
    assert!(!finished.expect(0).contains('\u{1b}'), "control characters reach the terminal");
    let finished = ask(&["search", "n", "--most", "1", "--json"]);
    let found = json_lines(finished.expect(0));
    assert_eq!((found.len(), &found[0]["retracted"]), (1, &true.into()), "the newest first");
    assert_eq!(ask(&["search", "nothing has this"]).expect(0), "");
    archive.fault(Fault::Says(503));
    ask(&["fetch", "t", "--since", "yesterday"]).expect(2);
}

#[test]
fn a_subscription_fetches_what_placeholders_stand_for_and_goes_on_after_one_that_it_cannot() {
    let (archive, ids) = archive();
    let broker = hop(["broker", "--topic", "t", "--topic", "sys.metadata"]).start();
    let base = broker.first_line();
    let publish = |topic: &str, format: &str, content: &str| {
        hop(["publish", "--no-auth", "-f", format, &format!("{base}{topic}")])
            .input(content.to_owned())
            .run()
            .expect(0);
    };
    publish("sys.metadata", "json", &format!("{}\n", archive.metadata()));
    let folder = tempfile::tempdir().unwrap();
    let placeholder = |id: Uuid| {
        let path = folder.path().join("placeholder");
        std::fs::write(&path, format!(r#"{{"url": "{}"}}"#, archive.url(id))).unwrap();
        let url = format!("{base}t");
        hop(["publish", "--no-auth", "-f", "external", &url, path.to_str().unwrap()]).run().expect(0);
    };
    placeholder(ids[0]);
    placeholder(Uuid::new_v4());
    placeholder(ids[1]);
    let url = format!("{base}t");
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &url]).run();
    assert_eq!(finished.expect(1), "{\"n\": 0}\n{\"n\": 1}\n");
    assert!(finished.err.contains("was not fetched"), "{}", finished.err);
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", "--no-fetch", &url]).run();
    assert_eq!(finished.expect(0).matches("/msg/").count(), 3);
    // The environment counts as well.
    let finished = hop(["subscribe", "--no-auth", "-e", "-s", "EARLIEST", &url]).env("HOP_FETCH_EXTERNAL", "off").run();
    assert_eq!(finished.expect(0).matches("/msg/").count(), 3);
    // What the archive has comes first; what Kafka has too comes once.
    let time = "1970-01-01T00:00:00Z";
    let finished = hop(["subscribe", "--no-auth", "-e", "--from-archive", "-s", time, &url]).run();
    assert_eq!(finished.expect(1), "{\"n\": 0}\n{\"n\": 1}\n");
    assert!(finished.err.contains("2 messages came from the archive"), "{}", finished.err);
    assert!(finished.err.contains("Kafka had 2 of them as well"), "{}", finished.err);
    hop(["subscribe", "--no-auth", "--from-archive", &url]).run().expect(2);
}
