//! Real messages, and what hop-client makes of them: `../shared/corpus`, where it is there.
//!
//! That each file gives the fields that hop-client gives is tried through the `hop` command, in `tests/cli/corpus.rs`. Here
//! stand the typed models, and what hop-client refuses or distorts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, clippy::print_stderr)]

#[path = "support/corpus.rs"]
mod support;

use std::fs;
use std::path::Path;

use hop_core::{MessageModel, Registry, Value, json};

use crate::support::{corpus, difference, files, read_json};

/// One file of the corpus, loaded under a label, as a typed model.
fn load<M: hop_core::MessageModel>(corpus: &Path, name: &str) -> M {
    let bytes = bytes::Bytes::from(fs::read(corpus.join("files").join(name)).unwrap());
    M::load((&bytes).into()).expect(name)
}

/// A circular's title and where its file is; `circular/derived` and `circular/email` hold what hop-client distorts.
#[test]
fn circulars_that_hop_client_distorts_are_whole() {
    use hop_models::Circular;
    let Some(corpus) = corpus() else { return };

    // The fold is undone: the title is that of the circular it was made from.
    let folded: Circular = load(&corpus, "circular/derived/folded-subject.txt");
    let subject = folded.subject().unwrap();
    assert!(
        !subject.contains('\n') && subject.starts_with("GRB 230812B: Zwicky Transient Facility Identifies"),
        "{subject}"
    );

    // Both subjects are there.
    let twice: Circular = load(&corpus, "circular/derived/duplicate-headers.txt");
    assert_eq!(twice.header().get_all("subject").count(), 2);

    // The plain text is the body, the rest is at hand.
    let mail: Circular = load(&corpus, "circular/email/gcnweb-multipart-mixed-attachment.eml");
    assert_eq!(mail.body(), "There will be an attachment on this\n");
    let kinds: Vec<_> = mail.parts().iter().map(|part| part.content_type()).collect();
    assert_eq!(kinds, ["text/plain", "text/html", "text/plain"]);
    assert_eq!(mail.parts()[2].file_name().as_deref(), Some("attach_me.txt"));
    assert_eq!(mail.parts()[2].content(), "just a blank file, nothing to see here");
    assert_eq!(mail.date().unwrap().to_string(), "2023-04-12T19:46:51Z");
    let mail: Circular = load(&corpus, "circular/email/gcnweb-multipart-rewrite.eml");
    assert_eq!(mail.body(), "This is an external email (gmail) test with the test_rewrite flag\n");
}

/// What hop-client refuses: GCN's own JSON. Everything in it is somewhere in the circular, and stays there on the wire.
#[test]
fn circulars_in_the_json_of_gcn_are_read_and_nothing_is_lost() {
    use hop_core::MessageModel;
    use hop_models::Circular;
    let Some(corpus) = corpus() else { return };
    let (mut all, mut read) = (Vec::new(), 0);
    files(&corpus.join("files/circular/json"), &mut all);
    for path in all {
        let json = read_json(&path).unwrap();
        let Some(id) = json["circularId"].as_i64() else { continue };
        let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap();
        let circular: Circular = load(&corpus, name);
        assert_eq!(circular.number().map(i64::from), Some(id), "{name}");
        assert_eq!(Some(circular.body()), json["body"].as_str(), "{name}");
        assert_eq!(circular.header().get("subject"), json["subject"].as_str(), "{name}");
        assert_eq!(circular.author().as_deref(), json["submitter"].as_str(), "{name}");
        let seconds = json["createdOn"].as_i64().map(|milliseconds| milliseconds.div_euclid(1000));
        assert_eq!(circular.date().map(|date| date.unix().0), seconds, "{name}");
        let again = Circular::decode((&circular.encode().unwrap()).into()).unwrap();
        assert_eq!(again, circular, "{name}");
        for (key, value) in json.as_object().unwrap().iter() {
            let shown = circular.fields().unwrap().to_string();
            let value = value.as_array().map_or(value, |values| &values[0]).to_string();
            let value = value.trim_matches('"');
            assert!(shown.contains(value), "{name}: {key} is lost");
        }
        // The same circular as GCN's text page has it.
        if let Ok(text) = fs::read(corpus.join(format!("files/circular/txt/gcn-{id}.txt"))) {
            let text = Circular::load(text.as_slice().into()).unwrap();
            for (title, value) in text.header().iter() {
                assert_eq!(circular.header().get(title), Some(value), "{name}");
            }
        }
        read += 1;
    }
    println!("circular/json: {read} of GCN's own read");
    assert!(read > 0);
}

/// Numbers and times of every notice, and the first line of those without a key for it.
#[test]
fn notices_say_what_when_and_where() {
    use hop_models::TextNotice;
    let Some(corpus) = corpus() else { return };
    let pager: TextNotice = load(&corpus, "gcn-text/pager-rxte-grb.txt");
    assert_eq!(pager.title().as_deref(), Some("GCN/RXTE_PCA GRB"));
    assert_eq!(pager.preamble(), "GCN/RXTE_PCA GRB\nRA=152.40d DEC=+3.26d");

    let icecube: TextNotice = load(&corpus, "gcn-text/hop-icecube-bronze.txt");
    assert_eq!(icecube.get_all("comments").count(), 2);
    assert_eq!(icecube.position().map(|at| (at.stated().longitude, at.stated().latitude)), Some((103.7861, 5.8716)));
    assert_eq!(icecube.position_error(), Some(69.22 / 60.0));
    assert_eq!(icecube.event_time().unwrap().to_string(), "2024-04-12T05:33:46.89Z");

    let lvc: TextNotice = load(&corpus, "gcn-text/skip-lvc-S200316bj-preliminary.txt");
    assert_eq!(lvc.trigger_number().as_deref(), Some("S200316bj"));
    assert_eq!(lvc.event_time().unwrap().to_string(), "2020-03-16T21:57:56.157221Z");

    let mut all = Vec::new();
    files(&corpus.join("files/gcn-text"), &mut all);
    for path in all {
        let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap();
        let notice: TextNotice = load(&corpus, name);
        assert!(notice.title().is_some(), "{name}");
        println!(
            "{name}: {:?} {:?} {:?} {:?}",
            notice.notice_date().map(|time| time.to_string()),
            notice.event_time().map(|time| time.to_string()),
            notice.position().map(|at| (at.ra(), at.dec())),
            notice.position_error(),
        );
        if !name.contains("pager") && notice.get("notice_date").is_some() {
            assert!(notice.notice_date().is_some(), "{name}");
        }
    }
}

/// VOEvents that hop-client refuses, and a sensible decoding of them: local names, namespace declarations dropped.
#[test]
fn voevents_that_hop_client_refuses_are_read_as_suggested() {
    let Some(corpus) = corpus() else { return };
    let mut all = Vec::new();
    files(&corpus.join("files/voevent"), &mut all);
    let mut read = 0;
    for path in all {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Some(expected) = read_json(&corpus.join("expected/voevent").join(format!("{name}.json"))) else { continue };
        let Some(suggested) = expected["suggested"]["fields"].as_object() else { continue };
        let content = fs::read(&path).unwrap();
        let event = hop_models::VoEvent::load(content.as_slice().into()).unwrap();
        let mut fields = event.fields().unwrap();
        // What is missing has its default here, and `id` stands for a missing `ivorn`.
        if let Value::Object(fields) = &mut fields {
            let defaults: Vec<String> =
                fields.iter().map(|(key, _)| key.to_string()).filter(|key| suggested.get(key).is_none()).collect();
            for key in defaults {
                let value = fields.remove(&key).unwrap();
                let of_id = key == "ivorn" && value == suggested.get("_extra").unwrap()["id"];
                assert!(of_id || value.as_object().is_some_and(|object| object.is_empty()), "{name}: {key} is {value}");
            }
        }
        assert_eq!(difference("", &fields, &Value::Object(suggested.clone())), None, "{name}");
        assert_eq!(event.encode().unwrap(), content, "{name}");
        read += 1;
    }
    println!("voevent: {read} read as suggested");
    assert!(read > 0);
}

/// An element as xmltodict has it, by local name, from another reader of XML.
fn by_local_name(element: roxmltree::Node<'_, '_>) -> Value {
    let mut entries: Vec<(String, Vec<Value>)> = Vec::new();
    let mut push = |name: &str, value: Value| match entries.iter_mut().find(|(other, _)| other == name) {
        Some((_, values)) => values.push(value),
        None => entries.push((name.to_owned(), vec![value])),
    };
    for attribute in element.attributes().filter(|attribute| attribute.namespace().is_none()) {
        push(attribute.name(), attribute.value().into());
    }
    for child in element.children().filter(roxmltree::Node::is_element) {
        push(child.tag_name().name(), by_local_name(child));
    }
    let text: String = element.children().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect();
    match (entries.is_empty(), text.trim()) {
        (true, "") => return Value::Null,
        (true, text) => return text.into(),
        (false, "") => {}
        (false, text) => entries.push(("#text".to_owned(), vec![text.into()])),
    }
    Value::object(entries.into_iter().map(|(name, mut values)| {
        let one = if values.len() == 1 { values.pop() } else { None };
        (name, one.unwrap_or(Value::Array(values)))
    }))
}

/// VOEvents that hop-client loads and mangles: by local name nothing is missing, and the order of the document is there.
#[test]
fn voevents_that_hop_client_mangles_lose_nothing() {
    let Some(corpus) = corpus() else { return };
    let (mut ordered, mut leaked) = (0, 0);
    let table = fs::read_to_string(corpus.join("HOP_MANGLES.tsv")).unwrap();
    for line in table.lines().filter(|line| line.starts_with("voevent/")) {
        let name = line.split('\t').next().unwrap();
        let content = fs::read(corpus.join("files").join(name)).unwrap();
        let event = hop_models::VoEvent::load(content.as_slice().into()).unwrap();
        assert_eq!(event.encode().unwrap(), content, "{name}");
        let document = roxmltree::Document::parse(std::str::from_utf8(&content).unwrap()).unwrap();
        let mut fields = event.fields().unwrap();
        let all = by_local_name(document.root_element());
        // Beside what is in the document there are the defaults.
        if let Value::Object(fields) = &mut fields {
            for (key, value) in fields.clone() {
                if value.as_object().is_some_and(hop_core::Object::is_empty) && all.get(&key.to_string()).is_none() {
                    fields.remove(&key.to_string());
                }
            }
        }
        assert_eq!(difference("", &fields, &all), None, "{name}");
        if line.contains("order lost") {
            let what = document.root_element().children().find(|node| node.tag_name().name() == "What").unwrap();
            let theirs: Vec<String> = what
                .descendants()
                .filter(|node| node.is_element() && *node != what)
                .map(|node| format!("{} {:?}", node.tag_name().name(), node.attribute("name")))
                .collect();
            let ours: Vec<String> = event
                .what()
                .unwrap()
                .element()
                .descendants()
                .map(|element| format!("{} {:?}", element.name(), element.attribute("name").as_deref()))
                .collect();
            assert_eq!(ours, theirs, "{name}");
            ordered += 1;
        }
        if line.contains("differs from local-name decoding") {
            leaked += 1;
        }
    }
    println!("voevent: order kept in {ordered}, local names in {leaked} that hop-client mangles");
    assert!(ordered > 0 && leaked > 0);
}

/// Avro that hop-client refuses as it is called, and reads when told that there are several records or given the codec's
/// library; and Avro that is broken.
#[test]
fn avro_that_hop_client_reads_otherwise_is_read_the_same() {
    let Some(corpus) = corpus() else { return };
    let registry = Registry::builder().models(hop_models::MODELS).build().unwrap();
    let mut all = Vec::new();
    files(&corpus.join("files/avro"), &mut all);
    let (mut wrong, mut agree, mut refused) = (Vec::new(), 0, 0);
    for path in all {
        let name = path.strip_prefix(corpus.join("files")).unwrap().to_str().unwrap().to_owned();
        let Some(expected) = read_json(&corpus.join("expected").join(format!("{name}.json"))) else { continue };
        if expected["ok"].as_bool() == Some(true) {
            continue;
        }
        let content = fs::read(&path).unwrap();
        let fields = registry.require("avro").unwrap().load(content.as_slice().into()).and_then(|model| model.fields());
        let other = expected["alt"].as_array().unwrap_or_default().iter().find(|alt| alt["ok"].as_bool() == Some(true));
        let outcome = match (fields, other) {
            (Err(error), None) if error.location().is_some() => {
                println!("{name}: {error}");
                refused += 1;
                continue;
            }
            (Err(error), None) => Some(format!("an error without a place: {error}")),
            (Err(error), Some(_)) => Some(error.to_string()),
            (Ok(_), None) => Some("read, though it is broken".to_owned()),
            (Ok(fields), Some(other)) => {
                let shown = json::parse(fields.to_string().as_str().into()).unwrap();
                difference("", &shown, &other["fields"])
            }
        };
        match outcome {
            None => agree += 1,
            Some(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    println!("avro, read otherwise: agree {agree}; broken, refused: {refused}");
    assert!(wrong.is_empty(), "{} disagree:\n{}", wrong.len(), wrong.join("\n"));
}
