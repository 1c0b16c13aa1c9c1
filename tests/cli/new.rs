//! What `hop new` writes and refuses. That it builds and passes its tests is `tests/made`'s.

use std::fs;

use serde_json::json;

use crate::{hop, json_lines};

#[test]
fn a_crate_takes_hop_from_the_checkout_that_the_command_is_of() {
    let folder = tempfile::tempdir().unwrap();
    let made = hop(["new", "snews-alert"]).folder(folder.path()).run();
    assert!(made.expect(0).starts_with("snews-alert: a crate with the model SnewsAlert\n"), "{made:?}");
    let read = |name: &str| fs::read_to_string(folder.path().join("snews-alert").join(name)).unwrap();
    let manifest = read("Cargo.toml");
    let root = fs::canonicalize(hop_tests::root()).unwrap();
    let core = format!("hop-core = {{ path = {:?}, features = [\"derive\"] }}", root.join("hop-core"));
    assert!(manifest.contains(&core) && !manifest.contains("[workspace]"), "{manifest}");
    assert!(read("src/lib.rs").contains("#[hop(format = \"snews-alert\")]\npub struct SnewsAlert {"));
    assert!(read("src/bin/hop.rs").contains("use snews_alert as _;"));
    assert_eq!(read("fixtures/snews-alert/plain/headers.json"), "[[\"_format\", \"snews-alert\"]]\n");
    for name in ["Cargo.toml", "README.md", "src/lib.rs", "src/bin/hop.rs", "tests/fixtures.rs"] {
        assert!(!read(name).contains('@'), "{name} has a gap:\n{}", read(name));
    }

    // The same for a program.
    let made = hop(["new", "other-alert", "--json", "--path", "made here"]).folder(folder.path()).run();
    let made = &json_lines(made.expect(0))[0];
    assert_eq!(
        (&made["crate"], &made["type"], &made["path"]),
        (&json!("other-alert"), &json!("OtherAlert"), &json!("made here"))
    );
    let files = made["files"].as_array().unwrap();
    assert!(files.len() > 5 && files.iter().all(|file| folder.path().join(file.as_str().unwrap()).is_file()), "{made}");

    // Within another crate it is no member of that one's workspace.
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").unwrap();
    hop(["new", "donut"]).folder(folder.path()).run().expect(0);
    assert!(fs::read_to_string(folder.path().join("donut/Cargo.toml")).unwrap().ends_with("\n[workspace]\n"));
}

#[test]
fn what_is_there_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("donut")).unwrap();
    fs::write(folder.path().join("donut/notes.txt"), "mine").unwrap();
    let finished = hop(["new", "donut"]).folder(folder.path()).run();
    assert_eq!(finished.expect(2), "");
    assert!(finished.err.contains("donut is there already, and not empty"), "{}", finished.err);
    assert_eq!(fs::read_dir(folder.path().join("donut")).unwrap().count(), 1);
    let elsewhere = folder.path().join("else/where");
    hop(["new", "donut", "--path", elsewhere.to_str().unwrap()]).run().expect(0);
    assert!(elsewhere.join("src/lib.rs").exists());
}

#[test]
fn names_and_checkouts_that_are_none_are_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, why) in [
        (&["Donut"][..], "write `donut`"),
        (&["../donut"], "is no label"),
        (&["2donuts"], "starts with a letter"),
        (&["voevent"], "one of hop's own labels"),
        (&["serde"], "means something else"),
        (&["donut", "--hop-path", "."], "is no checkout of hop"),
    ] {
        let finished = hop(["new"].iter().chain(arguments)).folder(folder.path()).run();
        assert_eq!(finished.expect(2), "");
        assert!(finished.err.contains(why), "{}", finished.err);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
