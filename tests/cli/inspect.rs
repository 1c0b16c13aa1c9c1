use hop_tests::process::Program;
use serde_json::json;

use crate::{hop, json_lines};

/// The formats that come along, in the order of their labels.
const FORMATS: [(&str, &str, &str); 10] = [
    ("avro", "AvroBlob", "hop-models"),
    ("blob", "Blob", "hop-core"),
    ("circular", "Circular", "hop-models"),
    ("external", "External", "hop-models"),
    ("gcnnotice", "GcnNotice", "hop-models"),
    ("gcnpacket", "GcnPacket", "hop-models"),
    ("gcntextnotice", "TextNotice", "hop-models"),
    ("gwalert", "GwAlert", "hop-models"),
    ("json", "JsonBlob", "hop-core"),
    ("voevent", "VoEvent", "hop-models"),
];

#[test]
fn models_lists_what_is_linked() {
    let version = env!("CARGO_PKG_VERSION");
    let listed = hop(["models", "--json"]).run();
    let expected: Vec<_> = FORMATS
        .map(|(format, name, from)| json!({"format": format, "type": name, "crate": from, "version": version}))
        .into();
    assert_eq!(json_lines(listed.expect(0)), [json!(expected)]);

    let listed = hop(["models"]).run();
    let rows: Vec<Vec<&str>> = listed.expect(0).lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["FORMAT", "TYPE", "CRATE", "VERSION"]);
    let expected: Vec<_> = FORMATS.map(|(format, name, from)| vec![format, name, from, version]).into();
    assert_eq!(rows[1..], expected);
}

#[test]
fn models_shows_the_schema_of_one() {
    let shown = hop(["models", "--schema", "CIRCULAR"]).run();
    let schema: serde_json::Value = serde_json::from_str(shown.expect(0)).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["required"], json!(["header", "body"]));

    let shown = hop(["models", "--schema", "external", "--avro"]).run();
    assert_eq!(
        shown.expect(0),
        "{\n  \"type\": \"record\",\n  \"name\": \"External\",\n  \"doc\": \"A message that is stored elsewhere.\",\n  \
         \"fields\": [{\"name\": \"url\", \"doc\": \"Where it is.\", \"type\": \"string\"}]\n}\n"
    );
}

#[test]
fn a_format_without_a_schema_says_which_have_one() {
    let shown = hop(["models", "--schema", "blob"]).run();
    assert_eq!(shown.expect(1), "");
    assert_eq!(
        shown.err,
        "hop: blob: expected a format whose fields have a schema, found one without; \
         with a schema: circular, external, voevent\n"
    );
    let shown = hop(["models", "--schema", "snews"]).run();
    assert_eq!(shown.expect(1), "");
    assert!(shown.err.starts_with("hop: registry: unknown format `snews`; linked: avro, blob, "), "{}", shown.err);
    let shown = hop(["models", "--schema", "voevent", "--avro"]).run();
    assert_eq!(shown.expect(1), "");
    assert!(shown.err.starts_with("hop: voevent: "), "{}", shown.err);
}

#[test]
fn version_says_its_own_and_that_of_librdkafka() {
    let said = hop(["version"]).run();
    let said = said.expect(0);
    let rest = said.strip_prefix(concat!("hop ", env!("CARGO_PKG_VERSION"), " (librdkafka ")).expect(said);
    let library = rest.strip_suffix(")\n").expect(said);
    assert!(library.split('.').count() == 3 && library.split('.').all(|part| part.parse::<u32>().is_ok()), "{said}");
}

#[test]
fn help_goes_to_stdout_and_names_every_command() {
    let help = hop(["help"]).run();
    let text = help.expect(0);
    for command in ["publish", "subscribe", "decode", "models", "auth", "configure", "broker", "demo", "version"] {
        assert!(text.contains(&format!("\n  {command} ")), "{command} is not in\n{text}");
        let own = hop([command, "--help"]).run();
        assert!(own.expect(0).contains("Usage: "), "{command}");
    }
    assert_eq!(help.err, "");
}

#[test]
fn wrong_use_is_exit_code_2_and_nothing_on_stdout() {
    let wrong: [&[&str]; 18] = [
        &["models", "--avro"],
        &["models", "--json", "--schema", "avro"],
        &[],
        &["nothing-like-it"],
        &["--nothing-like-it"],
        &["decode"],
        &["decode", "-f"],
        &["decode", "-f", "nothing-like-it", "/dev/null"],
        &["decode", "-f", "json", "--headers", "/dev/null", "/dev/null"],
        &["models", "too", "many"],
        &["-q", "-v", "models"],
        &["broker", "--topic", "name:many"],
        &["publish"],
        &["publish", "--no-auth", "-f", "nothing-like-it", "kafka://127.0.0.1:1/t", "/dev/null"],
        &["publish", "--no-auth", "--timeout", "-1", "kafka://127.0.0.1:1/t"],
        // Lines are for blobs and JSON.
        &["publish", "--no-auth", "-f", "circular", "kafka://127.0.0.1:1/t"],
        &["subscribe", "--no-auth", "-s", "SOMETIME", "kafka://127.0.0.1:1/t"],
        &["subscribe", "--no-auth", "-D", r"\q", "kafka://127.0.0.1:1/t"],
    ];
    for arguments in wrong {
        let finished = hop(arguments).run();
        assert_eq!(finished.expect(2), "", "{arguments:?}");
        assert!(!finished.err.trim().is_empty(), "{arguments:?} fails without a word");
    }
}

#[test]
fn debug_shows_the_parts_of_an_error() {
    let plain = hop(["subscribe", "--no-auth", "BAD-URL"]).run();
    let detailed = hop(["--debug", "subscribe", "--no-auth", "BAD-URL"]).run();
    assert_eq!((plain.expect(1), detailed.expect(1)), ("", ""));
    assert!(plain.err.starts_with("hop: ") && !plain.err.contains("in detail"), "{}", plain.err);
    assert!(detailed.err.starts_with(&plain.err) && detailed.err.contains("kind: "), "{}", detailed.err);
}

#[test]
fn without_a_command_it_says_where_to_get_a_credential() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hop/auth.toml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let said = |content: Option<&str>, mode| {
        use std::os::unix::fs::PermissionsExt;
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let finished = hop([""; 0]).env("HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path()).run();
        assert_eq!(finished.expect(2), "");
        finished.err
    };
    let advice = "No valid credential data found";
    assert!(said(None, 0).contains(advice));
    for (content, mode, reason) in [
        ("", 0o604, "chmod 0600"),
        ("JVfwteouh '652b", 0o600, "TOML"),
        ("[owner]\nname = \"T\"\n", 0o600, "auth"),
        ("[auth]\nfoo = \"bar\"\n", 0o600, "`username` is missing"),
    ] {
        let said = said(Some(content), mode);
        assert!(said.contains(advice) && said.contains(reason), "{said}");
    }
    let one = said(Some("auth = [{username = \"ada\", password = \"p-9QzW\"}]"), 0o600);
    assert!(!one.contains(advice) && !one.contains("p-9QzW"), "{one}");
}

#[test]
fn a_url_that_is_none_is_refused_with_a_reason() {
    for command in ["publish", "subscribe"] {
        for url in ["", "127.0.0.1:9092/t", "http://127.0.0.1/t", "kafka://", "kafka://one,two/t"] {
            let finished = hop([command, "--no-auth", url]).run();
            let code = finished.status.code();
            assert!(matches!(code, Some(1 | 2)), "{command} {url}: {code:?}\n{}", finished.err);
            assert!(finished.out.is_empty() && finished.err.starts_with("hop: "), "{command} {url}: {}", finished.err);
        }
    }
}

#[test]
fn the_demonstration_shows_each_format_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let finished = hop(["demo"]).env("TMPDIR", folder.path()).folder(folder.path()).run();
    let out = finished.expect(0);
    for (format, ..) in FORMATS {
        let (route, sent_as) = match format {
            "gcnnotice" | "gwalert" => ("topic", "json"),
            "gcnpacket" => ("topic", "blob"),
            format => ("header", format),
        };
        let shown = out.split("\n\n").find(|part| part.starts_with(&format!("{format} (by {route})\n")));
        let shown: Vec<&str> = shown.unwrap_or_else(|| panic!("{format} is not shown in\n{out}")).lines().collect();
        let headers = shown[1].trim_start().strip_prefix("headers  ").unwrap();
        let headers: Vec<(&str, &str)> = headers.split(", ").map(|header| header.split_once(": ").unwrap()).collect();
        let [demo, (id, uuid), label] = headers[..] else { panic!("{headers:?}") };
        assert_eq!([demo, label], [("demo", format), ("_format", sent_as)]);
        assert_eq!((id, uuid.len(), uuid.as_bytes()[14]), ("_id", 36, b'4'), "no UUID of version 4: {uuid}");
        let model = shown[2].trim_start().strip_prefix("model    {\"").expect("the model's fields");
        assert!(!model.is_empty());
    }
    assert!(out.contains("           where: RA "), "{out}");
    assert!(out.contains("\nWhere they were on the sky") && out.contains('●'), "{out}");
    let (_, next) = out.split_once("\n10 messages published, 10 received\n").unwrap();
    assert!(next.contains("  hop broker --port 9092"), "{next}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "files were left behind");
}

#[test]
fn whoever_has_seen_enough_is_not_complained_to() {
    // As in `hop models | head -0`, again and again, since it is a matter of who is faster.
    for _ in 0..10 {
        let models = env!("CARGO_BIN_EXE_plain-hop");
        let script = format!("set -o pipefail; '{models}' models | true");
        let finished = Program::new("bash").args(["-c", &script]).run();
        finished.expect(0);
        assert_eq!(finished.err, "");
    }
}
