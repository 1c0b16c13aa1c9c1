//! `brokers.toml`, schema registries and framings, as a user meets them.

use std::path::Path;

use hop_kafka::EmbeddedBroker;
use hop_tests::process::Program;
use hop_tests::registry::{Answer, FakeRegistry};
use hop_tests::send_raw;
use serde_json::json;

use crate::{hop, json_lines};

/// A home with these files in its folder of settings.
struct Home(tempfile::TempDir);

impl Home {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("hop")).unwrap();
        for (name, text) in files {
            let path = folder.path().join("hop").join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        Self(folder)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn hop(&self, arguments: &[&str]) -> Program {
        hop(arguments).env("XDG_CONFIG_HOME", self.path())
    }

    fn subscribe(&self, broker: &EmbeddedBroker, topics: &str, options: &[&str]) -> Program {
        let url = broker.url(topics);
        let fixed = ["subscribe", "--no-auth", "-e", "-j", "-s", "EARLIEST", &url];
        self.hop(&[&fixed[..], options].concat())
    }
}

/// A broker whose topics have one message of JSON each.
fn broker(topics: &[&str]) -> EmbeddedBroker {
    let broker = EmbeddedBroker::start().unwrap();
    for topic in topics {
        broker.create_topic(topic, 1).unwrap();
        send_raw(&broker.address(), topic, br#"{"n": 1}"#, &[]);
    }
    broker
}

#[test]
fn a_name_that_is_mistyped_in_ones_own_brokers_is_an_error_where_it_is_read() {
    let broker = broker(&["alerts", "others"]);
    for (rule, words) in [
        ("format = 'voevnt'", ["unknown format `voevnt`", "did you mean `voevent`?"]),
        ("format = 'json', framing = 'gzp'", ["unknown framing `gzp`", "did you mean `gzip`?"]),
        ("format = 'json', framing = 'confluent+gzp'", ["unknown framing `gzp`", "did you mean `gzip`?"]),
    ] {
        let text = format!("[mine]\nhosts = ['127.0.0.1']\ntopics = [{{ pattern = 'alert*', {rule} }}]\n");
        let home = Home::new(&[("brokers.toml", &text)]);
        let finished = home.subscribe(&broker, "others,alerts", &[]).run();
        assert_eq!(finished.expect(1), "", "{rule}");
        for word in words.into_iter().chain(["brokers.toml: `topics` of `mine`: the rule for topic `alert*`: "]) {
            assert!(finished.err.contains(word), "{rule}: {}", finished.err);
        }
        // It is about no other topic, and not about what goes before it.
        home.subscribe(&broker, "others", &[]).run().expect(0);
        home.subscribe(&broker, "alerts", &["--as", "json"]).run().expect(0);
        // The list of brokers tells whatever is wrong.
        let finished = home.hop(&["brokers"]).run();
        assert!(finished.expect(1).contains("mine"), "{finished:?}");
        assert!(finished.err.contains(words[1]) && finished.err.contains("brokers.toml"), "{}", finished.err);
    }
    // What a profile of hop's own says of models that a program does not have is passed over.
    let home = Home::new(&[("brokers.toml", "[mine]\nhosts = ['127.0.0.1']\nlike = 'gcn'\n")]);
    home.subscribe(&broker, "alerts", &[]).run().expect(0);
    home.hop(&["brokers"]).run().expect(0);
}

#[test]
fn a_rule_that_needs_schemas_is_about_the_topics_that_it_reads() {
    let broker = broker(&["plain", "framed"]);
    let home = Home::new(&[(
        "brokers.toml",
        "[mine]\nhosts = ['127.0.0.1']\n\
         topics = [{ pattern = 'framed', format = 'avro', framing = 'confluent' }, { pattern = 'plain', format = 'json' }]\n",
    )]);
    let finished = home.subscribe(&broker, "plain", &[]).run();
    assert_eq!(json_lines(finished.expect(0))[0]["model"], json!({"content": {"n": 1}}));
    let finished = home.subscribe(&broker, "plain,framed", &[]).run();
    assert!(finished.expect(1).is_empty() && finished.err.contains("a source of schemas"), "{}", finished.err);
    // A rule that goes before it needs none.
    home.subscribe(&broker, "plain,framed", &["--as", "framed=json"]).run().expect(0);
    home.subscribe(&broker, "plain", &["--as", "framed=avro+confluent"]).run().expect(0);
}

#[test]
fn a_rule_that_reads_no_topic_or_is_given_twice_is_reported() {
    let (broker, home) = (broker(&["alerts"]), Home::new(&[]));
    let finished = home.subscribe(&broker, "alerts", &["--as", "alert=blob", "--as", "alerts=json"]).run();
    finished.expect(0);
    assert_eq!(finished.err.matches("no message is read by the rule for `alert`: the topics are `alerts`").count(), 1);
    let finished = home.subscribe(&broker, "alerts", &["--as", "alerts=json", "--as", "alerts=JSON"]).run();
    finished.expect(0);
    assert_eq!(
        finished.err.matches("--as alerts=JSON: the rule is given more than once").count(),
        1,
        "{}",
        finished.err
    );
    let finished = home.subscribe(&broker, "alerts", &["--as", "json", "--as", "**=blob"]).run();
    assert_eq!(finished.expect(2), "");
    assert!(finished.err.contains("--as **=blob contradicts --as json"), "{}", finished.err);
    // Rules that fit a topic are not mentioned, whether or not another goes before them.
    let finished = home.subscribe(&broker, "alerts", &["--as", "al*=blob", "--as", "alerts=json"]).run();
    finished.expect(0);
    assert!(!finished.err.contains("WARN"), "{}", finished.err);
}

#[test]
fn credentials_that_cannot_be_used_are_reported_where_only_the_registry_needs_them() {
    let broker = broker(&[]);
    broker.create_topic("alerts", 1).unwrap();
    send_raw(&broker.address(), "alerts", b"\0\0\0\0\x07\x0a", &[]);
    let registry = registry();
    let (url, address) = (registry.url(), registry.address());
    let read = |home: &Home| home.subscribe(&broker, "alerts", &["--as", "avro+confluent", "--registry", &url]).run();
    let entry = format!("[[auth]]\nusername = 'ada'\nhostname = '{address}'\n");
    for (text, words) in [("[[auth]", "auth.toml"), ("auth = 1", "auth.toml"), (&*entry, "`password` is missing")] {
        let finished = read(&Home::new(&[("auth.toml", text)]));
        finished.expect(0);
        assert!(finished.err.contains("the registry is asked without a login"), "{text}: {}", finished.err);
        assert!(finished.err.contains(words), "{text}: {}", finished.err);
    }
    // Without a file there is nothing to say.
    let finished = read(&Home::new(&[]));
    finished.expect(0);
    assert!(!finished.err.contains("WARN"), "{}", finished.err);
}

#[test]
fn mistakes_in_ones_own_brokers_name_file_key_and_cure() {
    for (text, words) in [
        ("[mine]\nhosts = ['a']\n[MINE]\nhosts = ['b']", "`MINE` and `mine` are one name"),
        ("[mine]\nhosts = ['a']\nretention_days = 0", "`retention_days` of `mine` is not a number of days, 1 or more"),
        (
            "[mine]\nhosts = ['a']\nlike = 'gnc'",
            "`like` of `mine` is not the name of an earlier broker: those are hopskotch, gcn,",
        ),
        ("[mine]", "`mine` has no `hosts`: list"),
    ] {
        let finished = Home::new(&[("brokers.toml", text)]).hop(&["brokers"]).run();
        assert_eq!(finished.expect(1), "", "{text}");
        assert!(finished.err.contains(words) && finished.err.contains("brokers.toml"), "{text}: {}", finished.err);
    }
    for text in ["", "# nothing yet\n"] {
        let finished = Home::new(&[("brokers.toml", text)]).hop(&["brokers"]).run();
        finished.expect(0);
        assert_eq!(finished.err.matches("brokers.toml holds no broker: add one").count(), 1, "{}", finished.err);
    }
    // A name of hop's own, in any case, is replaced.
    let home = Home::new(&[("brokers.toml", "[GCN]\nhosts = ['localhost']\n")]);
    let listed = home.hop(&["brokers"]).run();
    assert_eq!(
        listed.expect(0).lines().filter(|line| line.to_lowercase().starts_with("gcn ")).count(),
        1,
        "{listed:?}"
    );
}

#[test]
fn hosts_of_ones_own_brokers_may_be_ipv6_addresses() {
    let home = Home::new(&[(
        "brokers.toml",
        "[mine]\nhosts = ['[2001:DB8::00a]', '::1']\nprotocol = 'SASL_SSL'\nmechanism = 'PLAIN'\n",
    )]);
    let finished = home.hop(&["brokers", "--json"]).run();
    let brokers = &json_lines(finished.expect(0))[0];
    assert_eq!(brokers[0]["hosts"], json!(["[2001:db8::a]", "[::1]"]));
    let finished = home.hop(&["auth", "add", "--broker", "mine"]).input("ada\nsecret-pw\n").run();
    finished.expect(0);
    let finished = home.hop(&["auth", "list"]).run();
    assert!(finished.expect(0).contains("[2001:db8::a]"), "{finished:?}");
    let wrong = Home::new(&[("brokers.toml", "[mine]\nhosts = ['2001:db8::1::2']\n")]);
    let finished = wrong.hop(&["brokers"]).run();
    assert!(finished.expect(1).is_empty() && finished.err.contains("`hosts` of `mine`"), "{}", finished.err);
}

const SCHEMA: &str = r#"{"type": "record", "name": "a.alert", "fields": [{"name": "id", "type": "int"}]}"#;

/// A registry that has one schema, the seventh, and registers it under any subject.
fn registry() -> FakeRegistry {
    FakeRegistry::start(|request| match request.line.as_str() {
        "GET /api/schemas/ids/7" => Answer::schema(SCHEMA),
        line if line.starts_with("POST ") && line.contains("/versions") => Answer::Says(200, r#"{"id": 7}"#.to_owned()),
        _ => Answer::lacking(),
    })
}

#[test]
fn the_registry_is_logged_in_to_although_the_broker_is_not() {
    let broker = broker(&[]);
    broker.create_topic("alerts", 1).unwrap();
    send_raw(&broker.address(), "alerts", b"\0\0\0\0\x07\x0a", &[]);
    let registry = registry();
    let credential =
        format!("[[auth]]\nusername = \"ada\"\npassword = \"secret-pw\"\nhostname = \"{}\"\n", registry.address());
    let profile = format!(
        "[mine]\nhosts = ['127.0.0.1']\nregistry = '{}'\n\
         topics = [{{ pattern = 'alerts', format = 'avro', framing = 'confluent' }}]\n",
        registry.url()
    );
    let by_profile = Home::new(&[("auth.toml", &credential), ("brokers.toml", &profile)]);
    let by_option = Home::new(&[("auth.toml", &credential)]);
    let url = registry.url();
    for finished in [
        by_profile.subscribe(&broker, "alerts", &[]).run(),
        by_option.subscribe(&broker, "alerts", &["--as", "avro+confluent", "--registry", &url]).run(),
    ] {
        assert_eq!(json_lines(finished.expect(0))[0]["model"]["content"], json!({"id": 5}));
    }
    let requests = registry.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests.iter().all(|request| request.authorization.as_deref() == Some("Basic YWRhOnNlY3JldC1wdw==")),
        "{requests:?}"
    );
}

#[test]
fn a_framing_is_written_with_the_numbers_of_a_registry_or_a_folder() {
    let broker = broker(&[]);
    broker.create_topic("alerts", 1).unwrap();
    let registry = registry();
    let home = Home::new(&[]);
    let alert = home.path().join("alert.avro");
    let schemas = home.path().join("schemas");
    std::fs::create_dir(&schemas).unwrap();
    std::fs::write(schemas.join("7.avsc"), SCHEMA).unwrap();
    let blob = hop_models::AvroBlob::new(hop_core::Value::object([("id", 5.into())]));
    let blob = blob.with_schema(hop_models::avro::Schema::parse(SCHEMA).unwrap()).unwrap();
    std::fs::write(&alert, hop_core::MessageModel::encode(&blob).unwrap()).unwrap();
    let (url, alert, schemas, registry_url) =
        (broker.url("alerts"), alert.to_str().unwrap(), schemas.to_str().unwrap(), registry.url());
    let publish = |options: &[&str]| {
        let fixed = ["publish", "--no-auth", "-f", "avro", &url, alert];
        home.hop(&[&fixed[..], options].concat()).run()
    };
    for options in [
        &["--framing", "confluent", "--registry", &registry_url, "--register"][..],
        &["--framing", "confluent", "--schemas", schemas],
        &["--framing", "confluent", "--schemas", schemas, "--registry", &registry_url],
    ] {
        publish(options).expect(0);
    }
    // It is looked up alone, unless it may be registered.
    let finished = publish(&["--framing", "confluent", "--registry", &registry_url]);
    assert!(finished.expect(1).is_empty() && finished.err.contains("does not have the schema"), "{}", finished.err);
    for (options, words) in [
        (&["--framing", "confuent"][..], "did you mean `confluent`?"),
        (&["--schemas", schemas], "--framing"),
        (&["--framing", "confluent", "--register"], "--registry"),
    ] {
        let finished = publish(options);
        assert!(finished.expect(2).is_empty() && finished.err.contains(words), "{}", finished.err);
    }
    let finished = home.subscribe(&broker, "alerts", &["--as", "avro+confluent", "--schemas", schemas]).run();
    let models: Vec<_> = json_lines(finished.expect(0)).iter().map(|line| line["model"]["content"].clone()).collect();
    assert_eq!(models, vec![json!({"id": 5}); 3]);
}
