//! The way of a new user, on to Python.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hop_tests::made::{Workshop, quietly};
use hop_tests::process::Program;
use serde_json::{Value as Json, json};

use crate::python::Python;

#[tokio::test]
async fn what_a_new_crates_hop_publishes_is_json_in_python() {
    let Some((python, broker)) = Python::or_skip("what_a_new_crates_hop_publishes_is_json_in_python") else {
        return;
    };
    let workshop = Workshop::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = workshop.folder("interop").join("kilonova");
    let root = std::fs::canonicalize(hop_tests::root()).unwrap();
    let made = Program::new(env!("CARGO_BIN_EXE_plain-hop"))
        .args(["new".as_ref(), "kilonova".as_ref(), "--path".as_ref(), folder.as_os_str()])
        .args(["--hop-path".as_ref(), root.as_os_str()])
        .run();
    made.expect(0);
    quietly(&workshop.cargo(&folder, &["build", "--features", "hop"]));

    let topic = broker.topic(1).await;
    let published = Program::new(workshop.program("hop"))
        .args(["publish", "--no-auth", "-f", "kilonova", &broker.url(&topic)])
        .args([folder.join("fixtures/kilonova/plain/content.json")])
        .run();
    published.expect(0);
    let came = python.receive(&broker, &topic, 1, false);
    // hop-client does not know the label: it hands over the bytes, which are JSON.
    assert_eq!((&came[0]["format"], &came[0]["model"]), (&json!("kilonova"), &json!("Blob")));
    let content = STANDARD.decode(came[0]["fields"]["content"]["$bytes"].as_str().unwrap()).unwrap();
    let content: Json = serde_json::from_slice(&content).unwrap();
    assert_eq!(content, json!({"name": "SN 2026abc", "ra": 270.82, "dec": -31.46, "magnitude": 17.5}));
}
