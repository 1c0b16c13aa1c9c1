use std::fs;

use serde_json::{Value, json};

use crate::{fixture, hop, json_lines};

/// The one line that `decode --json` prints with these arguments, and the exit code that goes with it.
#[track_caller]
fn decode(arguments: &[&str]) -> Value {
    let finished = hop(["decode", "--json"].iter().chain(arguments)).run();
    let code = finished.status.code().unwrap();
    let [line] = &json_lines(finished.expect(code))[..] else { panic!("{finished:?}") };
    assert_eq!(line["ok"].as_bool(), Some(code == 0), "{line}");
    assert!(code < 2, "{finished:?}");
    line.clone()
}

/// A file that is there as long as the test runs.
fn file(folder: &tempfile::TempDir, name: &str, content: impl AsRef<[u8]>) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn path(name: &str) -> String {
    fixture(name).to_str().unwrap().to_owned()
}

#[test]
fn a_line_has_these_keys_in_this_order() {
    let circular = path("circular/hop/plain/content.json");
    let finished = hop(["decode", "--json", "-f", "circular", &circular]).run();
    let start = format!(
        r#"{{"path": "{circular}", "ok": true, "format": "circular", "route": "file", "model": {{"header": {{"title": "#
    );
    assert!(finished.expect(0).starts_with(&start), "{finished:?}");
    assert_eq!(json_lines(finished.expect(0))[0].as_object().unwrap().len(), 5);
    assert_eq!(finished.err, "");

    let folder = tempfile::tempdir().unwrap();
    let broken = file(&folder, "broken.json", r#"{"n": "#);
    let finished = hop(["decode", "--json", "-f", "json", &broken]).run();
    let start = format!(r#"{{"path": "{broken}", "ok": false, "error": {{"kind": "malformed", "message": "json: "#);
    assert!(finished.expect(1).starts_with(&start), "{finished:?}");
    let line = &json_lines(finished.expect(1))[0];
    assert_eq!((line.as_object().unwrap().len(), line["error"].as_object().unwrap().len()), (3, 2));
    assert_eq!(finished.err, "");
}

#[test]
fn every_fixture_comes_out_as_it_says() {
    // `model.json` is written as this command prints it.
    let mut cases = Vec::new();
    hop_tests::corpus::files(&fixture("."), &mut cases);
    cases.retain(|path| {
        path.ends_with("model.json")
            && !path.components().any(|part| matches!(part.as_os_str().to_str(), Some("codec" | "donut" | "snews")))
    });
    assert!(cases.len() > 60, "{}", cases.len());
    for case in cases {
        let folder = case.parent().unwrap();
        let content = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| path.file_stem().unwrap() == "content")
            .unwrap();
        let headers = folder.join("headers.json");
        let finished = if headers.exists() {
            hop(["decode", "--json", "--headers"]
                .map(std::ffi::OsString::from)
                .into_iter()
                .chain([headers.into(), content.clone().into()]))
            .run()
        } else {
            hop(["decode".as_ref(), "--json".as_ref(), content.as_os_str()]).run()
        };
        let expected = hop_tests::corpus::read_json(&case).unwrap();
        let line = std::str::from_utf8(&finished.out).unwrap().trim_end();
        let found = hop_core::Value::from_json(line).unwrap();
        match expected["error"].as_str() {
            Some(kind) => {
                finished.expect(1);
                assert_eq!(found["error"]["kind"].as_str(), Some(kind), "{line}");
            }
            None => {
                finished.expect(0);
                for key in ["format", "route", "model"] {
                    assert_eq!(
                        hop_tests::corpus::difference(key, &found[key], &expected[key]),
                        None,
                        "{}",
                        case.display()
                    );
                }
            }
        }
    }
}

#[test]
fn without_json_there_is_a_line_a_file_and_complaints_on_stderr() {
    let folder = tempfile::tempdir().unwrap();
    let (good, broken) = (file(&folder, "good.json", r#"{"n": 1}"#), file(&folder, "broken.json", "{"));
    let finished = hop(["decode", "-f", "json", &good, &broken]).run();
    assert_eq!(finished.expect(1), format!("{good}: json (file): {{\"content\": {{\"n\": 1}}}}\n"));
    assert!(finished.err.starts_with(&format!("hop: {broken}: json: ")), "{}", finished.err);
    assert_eq!(finished.err.lines().count(), 1);
}

#[test]
fn the_label_is_taken_in_any_case() {
    let circular = path("circular/hop/plain/file.txt");
    for label in ["circular", "CIRCULAR", "Circular"] {
        let line = decode(&["-f", label, &circular]);
        assert_eq!((&line["format"], &line["model"]["header"]["number"]), (&json!("circular"), &json!("99001")));
    }
}

#[test]
fn an_unknown_label_is_wrong_use_and_says_what_there_is() {
    let finished = hop(["decode", "--json", "-f", "donut", &path("donut/plain/cake/content.json")]).run();
    assert_eq!(finished.expect(2), "");
    for word in ["`donut`", "avro", "blob", "circular", "external", "gcntextnotice", "json", "voevent"] {
        assert!(finished.err.contains(word), "{word} is not in {}", finished.err);
    }
}

#[test]
fn a_file_is_what_people_keep_and_the_wire_is_what_kafka_carries() {
    let (file, wire) = (path("circular/hop/plain/file.txt"), path("circular/hop/plain/content.json"));
    let (from_file, from_wire) = (decode(&["-f", "circular", &file]), decode(&["-f", "circular", "--wire", &wire]));
    assert_eq!((&from_file["route"], &from_wire["route"]), (&json!("file"), &json!("wire")));
    assert_eq!(from_file["model"], from_wire["model"]);
}

#[test]
fn headers_decide_as_a_map_and_as_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let content = path("circular/hop/plain/content.json");
    let headers = [
        ("map.json", r#"{"_format": "Circular", "note": null}"#, "circular", "header"),
        (
            "list.json",
            r#"[["n", null], ["_format", {"$bytes": "Y2lyY3VsYXI="}], ["_format", "json"]]"#,
            "circular",
            "header",
        ),
        ("unknown.json", r#"[["_format", "nobody"]]"#, "blob", "unknown-format"),
        ("null.json", r#"[["_format", null]]"#, "blob", "unknown-format"),
        ("none.json", "[]", "json", "json"),
    ];
    for (name, headers, format, route) in headers {
        let line = decode(&["--headers", &file(&folder, name, headers), &content]);
        assert_eq!((&line["format"], &line["route"]), (&json!(format), &json!(route)), "{name}");
    }
    for (name, headers) in
        [("text.json", "\"_format\""), ("pairs.json", "[[1, 2]]"), ("number.json", r#"{"n": 1}"#), ("broken.json", "{")]
    {
        let headers = file(&folder, name, headers);
        let finished = hop(["decode", "--headers", &headers, &content]).run();
        assert_eq!(finished.expect(2), "");
        assert!(finished.err.starts_with(&format!("hop: {headers}: ")), "{}", finished.err);
    }
    hop(["decode", "--headers", "/nothing/like/it", &content]).run().expect(2);
}

#[test]
fn without_a_label_the_file_is_what_validate_finds_it_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let copied = |name: &str, from: &str| file(&folder, name, fs::read(fixture(from)).unwrap());
    let cases = [
        // By its content.
        (copied("event.xml", "voevent/v2.0/prefixed/content.xml"), "voevent", "wire"),
        (copied("20260304.txt", "circular/hop/plain/file.txt"), "circular", "wire"),
        (copied("alert", "avro/survey/alert/content.avro"), "avro", "wire"),
        (copied("old.json", "voevent/hop-0.5/envelope/content.json"), "voevent", "envelope"),
        // By its folder, in either form.
        (path("circular/hop/plain/file.txt"), "circular", "file"),
        (path("blob/bare/text/content.txt"), "blob", "blob"),
        // By the headers beside it.
        (path("circular/hop/plain/content.json"), "circular", "header"),
    ];
    for (name, format, route) in cases {
        let line = decode(&[&name]);
        assert_eq!((&line["format"], &line["route"]), (&json!(format), &json!(route)), "{name}");
        let found = hop(["validate", "--json", &name]).run();
        if format != "blob" {
            let line = &json_lines(std::str::from_utf8(&found.out).unwrap())[0];
            assert_eq!(line["format"], format, "{name}");
        }
    }
    // A folder that has the name of a format by chance.
    fs::create_dir(folder.path().join("avro")).unwrap();
    let line = decode(&[&copied("avro/event.xml", "voevent/v2.0/prefixed/content.xml")]);
    assert_eq!(line["format"], "voevent");
    // JSON in one is JSON, and the folder is named.
    let plain = copied("avro/config.json", "json/bare/object/content.json");
    let finished = hop(["decode", "--json", &plain]).run();
    let line = &json_lines(finished.expect(0))[0];
    assert_eq!((&line["format"], &line["route"]), (&json!("json"), &json!("json")));
    assert!(finished.err.contains("the folder above it says `avro`"), "{}", finished.err);
    // Of what lies there as a message does, the folder is right.
    let message = copied("avro/content.json", "json/bare/object/content.json");
    assert_eq!(decode(&[&message])["error"]["kind"], "unsupported");
    // What nobody reads is what the folder says, in neither case a blob without a word.
    let noise = file(&folder, "avro/noise.bin", b"\x00\xff");
    assert_eq!(decode(&[&noise])["ok"], false);
    // The standard input, from where it lies in no folder.
    let event = fs::read(fixture("voevent/v2.0/prefixed/content.xml")).unwrap();
    let finished = hop(["decode", "--json", "--wire", "-"]).input(event).run();
    assert_eq!(json_lines(finished.expect(0))[0]["format"], "voevent");
    // What starts like a format and is not of it is an error, as it is to `validate`.
    let finished = hop(["decode", &file(&folder, "cut.xml", "<VOEvent><Who></Who>")]).run();
    assert_eq!(finished.expect(1), "");
    assert!(finished.err.contains("voevent"), "{}", finished.err);
    // Not all XML is meant to be a VOEvent.
    assert_eq!(decode(&[&file(&folder, "page.html", "<html></html>")])["format"], "blob");
}

#[test]
fn without_label_and_headers_the_content_decides() {
    let cases = [
        ("json/bare/object/content.json", "json", "json"),
        ("voevent/hop-0.5/envelope/content.json", "voevent", "envelope"),
        ("blob/envelope/unknown/content.json", "blob", "envelope"),
        ("blob/bare/binary/content.bin", "blob", "blob"),
        ("voevent/v2.0/prefixed/content.xml", "voevent", "header"),
    ];
    for (name, format, route) in cases {
        let line = decode(&[&path(name)]);
        assert_eq!((&line["format"], &line["route"]), (&json!(format), &json!(route)), "{name}");
    }
}

#[test]
fn the_standard_input_is_a_dash() {
    let finished = hop(["decode", "--json", "-f", "json", "-"]).input(r#"{"n": 1}"#).run();
    let expected = json!({"path": "-", "ok": true, "format": "json", "route": "file", "model": {"content": {"n": 1}}});
    assert_eq!(json_lines(finished.expect(0)), [expected]);
    let finished = hop(["decode", "--json", "-"]).input("").run();
    assert_eq!(json_lines(finished.expect(0))[0]["model"], json!({"content": {"$bytes": ""}}));
}

#[test]
fn files_are_taken_in_order_and_one_that_is_missing_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (first, last) = (file(&folder, "1.json", "1"), file(&folder, "2.json", "2"));
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let directory = folder.path().to_str().unwrap();
    let finished = hop(["decode", "--json", "-f", "json", &first, &missing, directory, &last]).run();
    let lines = json_lines(finished.expect(1));
    let of: Vec<_> = lines.iter().map(|line| (line["path"].as_str().unwrap(), line["ok"].as_bool().unwrap())).collect();
    assert_eq!(of, [(first.as_str(), true), (&missing, false), (directory, false), (&last, true)]);
    assert_eq!((&lines[1]["error"]["kind"], &lines[2]["error"]["kind"]), (&json!("io"), &json!("io")));
    assert_eq!(lines[3]["model"], json!({"content": 2}));
}

#[test]
fn headers_that_cannot_be_read_stop_no_other_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for (name, headers) in [("a", "{}"), ("b", "not JSON"), ("c", "[[1, 2]]"), ("d", r#"{"_format": "json"}"#)] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::write(folder.path().join(name).join("headers.json"), headers).unwrap();
        files.push(file(&folder, &format!("{name}/content.json"), "1"));
    }
    for command in ["decode", "validate"] {
        let finished = hop([command, "--json"].into_iter().chain(files.iter().map(String::as_str))).run();
        let lines = json_lines(finished.expect(1));
        let ok: Vec<_> = lines.iter().map(|line| line["ok"].as_bool().unwrap()).collect();
        assert_eq!(ok, [true, false, false, true], "{command}");
        for line in [&lines[1], &lines[2]] {
            assert_eq!(line["error"]["kind"], "headers");
            assert!(line["error"]["message"].as_str().unwrap().contains("headers.json: "), "{line}");
        }
        let finished = hop([command].into_iter().chain(files.iter().map(String::as_str))).run();
        assert_eq!(finished.expect(1).lines().count(), 2);
        assert_eq!(finished.err.matches("headers.json: ").count(), 2, "{}", finished.err);
    }
}

#[test]
fn what_json_lacks_is_shown_in_json() {
    let folder = tempfile::tempdir().unwrap();
    let numbers = file(&folder, "n.json", "[NaN, -Infinity, 1e999, 0.1, 1.0, 9007199254740993]");
    let content = json!([
        {"$float": "NaN"}, {"$float": "-Infinity"}, {"$float": "Infinity"}, 0.1, 1.0, 9_007_199_254_740_993_i64
    ]);
    assert_eq!(decode(&["-f", "json", &numbers])["model"]["content"], content);
    let bytes = file(&folder, "b.bin", b"\x00\xff\n");
    assert_eq!(decode(&["-f", "blob", &bytes])["model"], json!({"content": {"$bytes": "AP8K"}}));
    // One line, whatever is in it.
    let text = file(&folder, "t.json", r#"["a\nb\r\u2028\u0000", "é"]"#);
    assert_eq!(decode(&["-f", "json", &text])["model"]["content"], json!(["a\nb\r\u{2028}\0", "é"]));
}

#[test]
fn json_is_read_as_deep_as_python_reads_it() {
    let folder = tempfile::tempdir().unwrap();
    for (open, close) in [("[", "]"), ("{\"a\": [", "]}")] {
        let levels = 600 / open.matches(['[', '{']).count();
        let deep = file(&folder, "deep.json", format!("{}{}", open.repeat(levels), close.repeat(levels)));
        let finished = hop(["decode", "-f", "json", &deep]).run();
        finished.expect(0);
    }
}

#[test]
fn a_path_that_is_no_text_is_shown_as_well_as_can_be() {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"\xff\"\n.json"));
    fs::write(&path, "1").unwrap();
    let finished = hop(["decode".as_ref(), "--json".as_ref(), path.as_os_str()]).run();
    let lines = json_lines(finished.expect(0));
    assert!(lines[0]["path"].as_str().unwrap().ends_with("\u{fffd}\"\n.json"), "{lines:?}");
}

#[test]
fn what_is_over_the_limits_is_refused_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let deep = file(&folder, "deep.json", "[".repeat(100_000));
    let line = decode(&["-f", "json", &deep]);
    assert_eq!(line["error"]["kind"], "limit", "{line}");
    // Without end; no more than the limit is read.
    for label in ["blob", "json", "voevent", "gcntextnotice", "avro"] {
        let finished = hop(["decode", "--json", "-f", label, "/dev/zero"]).run();
        let lines = json_lines(finished.expect(1));
        assert!(matches!(lines[0]["error"]["kind"].as_str(), Some("limit" | "malformed")), "{lines:?}");
    }
}
