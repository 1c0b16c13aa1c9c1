use std::fs;

use serde_json::json;

use crate::{fixture, hop, json_lines};

fn path(name: &str) -> String {
    fixture(name).to_str().unwrap().to_owned()
}

#[test]
fn a_file_is_held_to_the_format_that_its_place_or_its_content_tells() {
    let folder = tempfile::tempdir().unwrap();
    let circular = folder.path().join("20260304.txt");
    fs::copy(fixture("circular/hop/plain/file.txt"), &circular).unwrap();
    let cases = [
        (path("circular/hop/plain/content.json"), "circular", "by its headers"),
        (path("circular/hop/plain/file.txt"), "circular", "by its folder"),
        (path("voevent/v1.0/simple-wherewhen/content.xml"), "voevent", "by its headers"),
        (path("json/bare/object/content.json"), "json", "by its folder"),
        (path("voevent/hop-0.5/envelope/content.json"), "voevent", "by its envelope"),
        (circular.to_str().unwrap().to_owned(), "circular", "by its content"),
    ];
    for (path, format, by) in cases {
        let finished = hop(["validate", "--json", &path]).run();
        let mut expected = json!({"path": path, "ok": true, "format": format, "by": by});
        if path.ends_with("20260304.txt") {
            // The wire brings circulars as mail, too.
            expected["form"] = "wire".into();
        }
        assert_eq!(json_lines(finished.expect(0)), [expected]);
    }
    let several = [path("circular/hop/plain/content.json"), path("avro/survey/alert/content.avro")];
    let finished = hop(["validate", &several[0], &several[1]]).run();
    let expected =
        format!("{}: ok, circular (by its headers)\n{}: ok, avro (by its headers)\n", several[0], several[1]);
    assert_eq!((finished.expect(0), &*finished.err), (&*expected, ""));
}

#[test]
fn the_name_of_a_folder_makes_nothing_valid() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let event = fs::read(fixture("voevent/v1.0/simple-wherewhen/content.xml")).unwrap();
    let alert = fs::read(fixture("avro/survey/alert/content.avro")).unwrap();
    let enveloped = fs::read(fixture("voevent/hop-0.5/envelope/content.json")).unwrap();
    let circular = fs::read(fixture("circular/hop/plain/file.txt")).unwrap();
    for label in ["circular", "gcntextnotice"] {
        // Content that says what it is.
        for (name, content, format) in [
            ("event.xml", &event, "voevent"),
            ("file.xml", &event, "voevent"),
            ("alert", &alert, "avro"),
            ("old.json", &enveloped, "voevent"),
            ("n.json", &br#"{"n": 1}"#.to_vec(), "json"),
            ("other.txt", &circular, "circular"),
        ] {
            let path = write(&format!("{label}/{name}"), content);
            let finished = hop(["validate", "--json", &path]).run();
            assert_eq!(json_lines(finished.expect(0))[0]["format"], format, "{path}");
            let finished = hop(["decode", "--json", &path]).run();
            assert_eq!(json_lines(finished.expect(0))[0]["format"], format, "{path}");
            let is_said = format!("the folder above it says `{label}`, and the content `{format}`");
            assert_eq!(finished.err.contains(&is_said), label != format, "{path}: {}", finished.err);
        }
        // Content that is nothing at all.
        for (name, content) in [
            ("noise", &b"\x00\xff\x12\x07"[..]),
            ("cut.json", b"{\"n\": "),
            ("empty", b""),
            ("blank", b" \n"),
            ("nul.txt", b"a\0b"),
        ] {
            let path = write(&format!("{label}/{name}"), content);
            assert_eq!(json_lines(hop(["validate", "--json", &path]).run().expect(1))[0]["ok"], false, "{path}");
            assert_eq!(json_lines(hop(["decode", "--json", &path]).run().expect(1))[0]["ok"], false, "{path}");
        }
        // Any text may be one.
        let path = write(&format!("{label}/note.txt"), b"call the observatory\n");
        let finished = hop(["validate", &path]).run();
        let said = format!("{path}: ok, {label} (by its folder's name alone, as this format can be any text");
        assert!(finished.expect(0).starts_with(&said), "{finished:?}");
    }
    // What says so itself needs no folder.
    let path = write("circular/own.txt", &circular);
    assert_eq!(json_lines(hop(["validate", "--json", &path]).run().expect(0))[0]["by"], "by its folder");
}

#[test]
fn both_forms_of_a_message_are_right() {
    for name in ["circular/hop/plain/file.txt", "circular/hop/plain/content.json"] {
        let finished = hop(["validate", "--json", "-f", "CIRCULAR", &path(name)]).run();
        assert_eq!(json_lines(finished.expect(0))[0]["by"], "as asked");
    }
}

#[test]
fn a_file_is_held_to_the_form_that_its_name_says_with_a_format_and_without() {
    let refused = path("circular/refused/not-an-object/content.json");
    let enveloped = path("circular/envelope/plain/content.json");
    for arguments in [&["validate"][..], &["validate", "-f", "circular"]] {
        assert_eq!(hop(arguments.iter().chain([&&*refused])).run().expect(1), "");
        hop(arguments.iter().chain([&&*enveloped])).run().expect(0);
    }
    // Of any other name it may have either.
    let folder = tempfile::tempdir().unwrap();
    for (case, form) in [("hop/plain", "wire"), ("refused/not-an-object", "file")] {
        let copy = folder.path().join("circular.json");
        fs::copy(fixture("circular").join(case).join("content.json"), &copy).unwrap();
        let copy = copy.to_str().unwrap();
        let finished = hop(["validate", "-f", "circular", copy]).run();
        assert_eq!(finished.expect(0), format!("{copy}: ok, circular (as asked, in the {form} form)\n"));
    }
    // The same content under the names of the two forms.
    for (name, code) in [("content.json", 1), ("file.json", 0)] {
        let copy = folder.path().join(name);
        fs::copy(&refused, &copy).unwrap();
        hop(["validate", "-f", "circular", copy.to_str().unwrap()]).run().expect(code);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_kind_and_place_and_the_others_are_checked_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let broken = file("broken.json", b"{\"a\": 1,\n \"b\": }");
    let cut = file("cut.avro", &fs::read(fixture("avro/survey/alert/content.avro")).unwrap()[..400]);
    let event = file("event.xml", b"<?xml version=\"1.0\"?><voe:VOEvent>");
    let bytes = file("bytes.bin", b"\x00\xffwhat is this");
    let missing = folder.path().join("missing").to_str().unwrap().to_owned();
    let good = path("circular/hop/plain/content.json");
    let finished = hop(["validate", "--json", &broken, &cut, &event, &bytes, &missing, &good]).run();
    let lines = json_lines(finished.expect(1));
    assert_eq!(lines.len(), 6);
    let of = |at: usize| (lines[at]["format"].as_str(), lines[at]["error"]["kind"].as_str().unwrap());
    assert_eq!(
        [of(0), of(1), of(2)],
        [(None, "malformed"), (Some("avro"), "malformed"), (Some("voevent"), "malformed"),]
    );
    assert_eq!([of(3), of(4)], [(None, "unknown-format"), (None, "io")]);
    assert_eq!(lines[5]["ok"], true);
    let error = &lines[0]["error"];
    assert_eq!((&error["line"], &error["column"], &error["byte"]), (&json!(2), &json!(7), &json!(15)), "{error}");
    assert!(lines[1]["error"]["byte"].as_u64().is_some(), "{}", lines[1]);
    let help = lines[3]["error"]["message"].as_str().unwrap();
    assert!(help.ends_with("say which it is with `--format`; `hop models` lists them"), "{help}");

    let finished = hop(["validate", &broken, &good]).run();
    assert!(finished.expect(1).starts_with(&format!("{good}: ok, ")));
    assert!(finished.err.starts_with(&format!("hop: {broken}: malformed: json: expected a value")), "{}", finished.err);
    assert!(finished.err.contains("line 2, column 7"), "{}", finished.err);
}

#[test]
fn a_label_that_is_not_linked_is_told() {
    let finished = hop(["validate", "-f", "donut", &path("donut/plain/cake/content.json")]).run();
    assert_eq!(finished.expect(2), "");
    assert!(finished.err.contains("unknown format `donut`; linked: avro, "), "{}", finished.err);
    // Where the headers name it, that is what is wrong with the file.
    let finished = hop(["validate", "--json", &path("donut/plain/cake/content.json")]).run();
    let line = &json_lines(finished.expect(1))[0];
    assert_eq!((&line["format"], &line["error"]["kind"]), (&json!("donut"), &json!("unknown-format")), "{line}");
}

#[test]
fn a_voevent_is_held_to_the_schema_of_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, inner: &str, version: &str| {
        let path = folder.path().join(name);
        let xml = format!(
            "<v:VOEvent xmlns:v=\"http://www.ivoa.net/xml/VOEvent/v2.0\" ivorn=\"ivo://a/b#c\" version=\"{version}\">\n{inner}</v:VOEvent>"
        );
        fs::write(&path, xml).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let param = "<What><Param name=\"x\" dataType=\"double\"/></What>";
    let (valid, wrong, older) =
        (file("a.xml", "<What/>", "2.0"), file("b.xml", param, "2.0"), file("c.xml", param, "1.1"));
    hop(["validate", &valid, &older]).run().expect(0);
    let finished = hop(["validate", &wrong]).run();
    finished.expect(1);
    let expected = format!(
        "hop: {wrong}: invalid: the schema of VOEvent 2.0 does not allow one thing in it\n\
         hop: {wrong}:2:8: VOEvent/What/Param/@dataType: `dataType` has to be `string`, `float` or `int`, not `double`\n"
    );
    assert_eq!(finished.err, expected);
    let finished = hop(["validate", "--json", &wrong]).run();
    let line = &json_lines(finished.expect(1))[0];
    assert_eq!((&line["error"]["kind"], &line["error"]["line"]), (&json!("invalid"), &json!(2)), "{line}");
    assert_eq!(line["error"]["violations"][0]["path"], "VOEvent/What/Param/@dataType");
}
