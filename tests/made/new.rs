//! `hop new`, and the way of a new user from there.

use std::fs;
use std::path::Path;

use hop_tests::made::quietly;
use hop_tests::process::Program;

use crate::{hop, workshop};

/// A test that a user adds: publishes with the crate's own `hop`, and reads its own type.
const READS: &str = r#"
use donut::Donut;
use hop_kafka::{EmbeddedBroker, StartPosition, Stream};

#[tokio::test]
async fn what_the_command_publishes_arrives_as_a_donut() -> Result<(), Box<dyn std::error::Error>> {
    let broker = EmbeddedBroker::start()?;
    let content = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/donut/plain/content.json");
    let published = std::process::Command::new(env!("CARGO_BIN_EXE_hop"))
        .args(["publish", "--no-auth", "-f", "donut", &broker.url("donuts"), content])
        .status()?;
    assert!(published.success());

    let hop = Stream::builder().start_at(StartPosition::Earliest).until_eos(true).no_auth().build()?;
    let mut alerts = hop.subscribe(broker.url("donuts")).await?;
    let alert = alerts.next().await.ok_or("nothing came")??;
    let expected = Donut { name: "SN 2026abc".into(), ra: 270.82, dec: -31.46, magnitude: Some(17.5) };
    assert_eq!(alert.get::<Donut>(), Some(&expected));
    assert!(alerts.next().await.is_none());
    alerts.close().await?;
    Ok(())
}
"#;

#[test]
fn a_new_crate_passes_its_tests_at_once_and_its_hop_carries_the_model() {
    let workshop = workshop();
    let folder = workshop.folder("new").join("donut");
    let root = fs::canonicalize(hop_tests::root()).unwrap();
    let made = hop(["new".as_ref(), "donut".as_ref(), "--path".as_ref(), folder.as_os_str()]).run();
    assert!(made.expect(0).contains("a crate with the model Donut"), "{made:?}");
    model_is_short(&folder);

    let tested = quietly(&workshop.cargo(&folder, &["test"]));
    assert!(tested.contains("donut_fixtures::plain ... ok"), "{tested}");
    assert!(tested.contains("test result: ok. 1 passed"), "the example in the documentation did not run: {tested}");
    quietly(&workshop.cargo(&folder, &["clippy", "--all-targets", "--features", "hop", "--", "-D", "warnings"]));
    let formatted = Program::new("cargo").args(["fmt", "--check"]).folder(&folder).run();
    assert!(formatted.status.success(), "{formatted:?}");

    quietly(&workshop.cargo(&folder, &["build", "--features", "hop"]));
    let listed = Program::new(workshop.program("hop")).args(["models"]).run();
    let listed = listed.expect(0);
    assert!(listed.lines().any(|line| line.split_whitespace().eq(["donut", "Donut", "donut", "0.1.0"])), "{listed}");
    let content = folder.join("fixtures/donut/plain/content.json");
    let valid = Program::new(workshop.program("hop")).args(["validate".as_ref(), content.as_os_str()]).run();
    assert!(valid.expect(0).ends_with(": ok, donut (by its headers)\n"), "{valid:?}");

    // From here on the crate is the user's.
    let manifest = folder.join("Cargo.toml");
    let needs = format!(
        "[dev-dependencies]\nhop-kafka = {{ path = {:?} }}\ntokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}",
        root.join("hop-kafka")
    );
    let text = fs::read_to_string(&manifest).unwrap().replace("[dev-dependencies]", &needs);
    fs::write(&manifest, text).unwrap();
    fs::write(folder.join("tests/reads.rs"), READS).unwrap();
    let tested = quietly(&workshop.cargo(&folder, &["test", "--features", "hop", "--test", "reads"]));
    assert!(tested.contains("what_the_command_publishes_arrives_as_a_donut ... ok"), "{tested}");
}

/// At most five lines besides the fields: the import, the derive, the label, and the braces.
#[track_caller]
fn model_is_short(folder: &Path) {
    let text = fs::read_to_string(folder.join("src/lib.rs")).unwrap();
    let code = text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"));
    let besides: Vec<&str> = code.filter(|line| !line.starts_with("    pub ")).collect();
    assert!(besides.len() <= 5, "{besides:#?}");
}
