//! `hop generate`, on the schemas that the missions publish: one crate of all that comes out.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use hop_core::{Content, MessageModel};
use hop_models::AvroBlob;
use hop_models::avro::Schema;
use hop_tests::corpus::{corpus, files};

use hop_tests::made::quietly;
use hop_tests::pairs::{Pair, pair};
use hop_tests::process::Program;

use crate::{hop, workshop};

/// Schemas under `fixtures/schemas`, labels, and the messages of the corpus that are written by them, or by one before
/// that lacks nothing they require.
const SCHEMAS: [(&str, &str, &[&str]); 14] = [
    (
        "ztf/alert.avsc",
        "ztf.alert",
        &[
            "avro/brokers/alerce-2454460970015010006.avro",
            "avro/brokers/fink-multi-alerts-other.avro",
            "avro/ztf/ampel-ZTF20abyfpze.avro",
            "avro/ztf/kowalski-2475433850415015002-v4.avro",
            "avro/ztf/pittgoogle-ZTF18abeoiol.avro",
        ],
    ),
    (
        "lsst/lsst.v11_0.alert.avsc",
        "lsst.v11_0.alert",
        &[
            "avro/derived/lsst-fakeAlert-v11.0-deflate.avro",
            "avro/derived/lsst-fakeAlert-v11.0-xz.avro",
            "avro/derived/lsst-fakeAlert-v11.0-zstandard.avro",
            "avro/lsst/fakeAlert-v11.0.avro",
        ],
    ),
    (
        "lvk/igwn.gwalert.schema.json",
        "igwn.gwalert",
        &["json/igwn-gwalert-captured-1MB.json", "json/igwn-gwalert-retraction.json"],
    ),
    (
        "gcn/notices/superk/sn_alert.schema.json",
        "gcn.notices.superk.sn_alert",
        &["json/gcn-schema-superk-sn_alert.test.json"],
    ),
    (
        "gcn/notices/chime/frb.schema.json",
        "gcn.notices.chime.frb",
        &[
            "json/gcn-schema-chime-frb.detection.json",
            "json/gcn-schema-chime-frb.retraction.json",
            "json/gcn-schema-chime-frb.subsequent.json",
        ],
    ),
    ("gcn/notices/dsa110/frb.schema.json", "gcn.notices.dsa110.frb", &["json/gcn-schema-dsa110-frb.update.json"]),
    (
        "gcn/notices/fermi/gbm/trigger.schema.json",
        "gcn.notices.fermi.gbm",
        &["json/gcn-schema-fermi-gbm-trigger.final.json", "json/gcn-schema-fermi-gbm-trigger.flight3.json"],
    ),
    (
        "gcn/notices/icecube/single_neutrino_alerts.schema.json",
        "gcn.notices.icecube",
        &["json/gcn-schema-icecube-single_neutrino_alerts.gold_bronze_track_alerts.json"],
    ),
    (
        "gcn/notices/km3net/alert.schema.json",
        "gcn.notices.km3net",
        &["json/gcn-schema-km3net-alert.json", "json/gcn-schema-km3net-alert.multiplet.json"],
    ),
    (
        "gcn/notices/maxi/gsc.unknown.schema.json",
        "gcn.notices.maxi",
        &["json/gcn-schema-maxi-gsc.unknown.ellipse.json", "json/gcn-schema-maxi-gsc.unknown.retraction.json"],
    ),
    (
        "gcn/notices/svom/trigger.schema.json",
        "gcn.notices.svom",
        &["json/gcn-schema-svom-eclairs-trigger.catalog.json", "json/gcn-schema-svom-grm-trigger.json"],
    ),
    (
        "gcn/notices/swift/bat/Guano.schema.json",
        "gcn.notices.swift.bat.guano",
        &["json/gcn-schema-swift-bat-guano.loc_map.json"],
    ),
    (
        "gcn/notices/burstcube/alert.schema.json",
        "gcn.notices.burstcube.alert",
        &["json/gcn-schema-burstcube-alert.json"],
    ),
    (
        "gcn/notices/einstein_probe/wxt/alert.schema.json",
        "gcn.notices.einstein_probe.wxt.alert",
        &["json/ep-wxt-alert_258.json"],
    ),
];

/// The core of GCN's notices, each file as a schema of its own.
const CORE: &str = "gcn/notices/core";

/// Two kinds that only a constant tells apart; keys that are no code, and one that is on two lines; other keys, too.
const SHAPES: &str = r#"{"title": "Shape", "oneOf": [
    {"title": "round", "type": "object", "required": ["kind"],
        "properties": {"kind": {"const": "round"}, "r": {"type": "number"}, "Value": {"type": "number"}, "a\nb": {}},
        "patternProperties": {"^x_": {"type": "number"}}},
    {"title": "square", "type": "object", "required": ["kind"],
        "properties": {"kind": {"const": "square"}, "w": {"type": "number"}}}]}"#;

/// A crate of generated modules.
struct Made {
    folder: PathBuf,
    /// Module, name of the type, label, and the messages to be read.
    modules: Vec<(String, String, String, Vec<PathBuf>)>,
    /// Labels, and files that another schema has written.
    resolved: Vec<(String, PathBuf)>,
}

impl Made {
    /// A crate of no modules yet.
    fn new(folder: PathBuf) -> Self {
        let root = fs::canonicalize(hop_tests::root()).unwrap();
        let manifest = format!(
            "[package]\nname = \"generated\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [lib]\ntest = false\ndoctest = false\n\n[dependencies]\n\
             hop-core = {{ path = {:?}, features = [\"derive\", \"testing\"] }}\nhop-models = {{ path = {:?} }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_bytes = \"0.11\"\n\n[workspace]\n",
            root.join("hop-core"),
            root.join("hop-models"),
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        Self { folder, modules: Vec::new(), resolved: Vec::new() }
    }

    #[track_caller]
    fn add(&mut self, schema: &Path, label: &str, messages: Vec<PathBuf>) {
        let module: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let out = self.folder.join("src").join(format!("{module}.rs"));
        let written = hop(["generate".as_ref(), "--from".as_ref(), schema.as_os_str()])
            .args(["--format", label, "--out", out.to_str().unwrap()])
            .run();
        let said = written.expect(0);
        assert_eq!(written.err, "");
        let name = said.lines().next().unwrap().split(": ").nth(1).unwrap().split(',').next().unwrap();
        self.modules.push((module, name.to_owned(), label.to_owned(), messages));
    }

    /// The same by way of the standard output, which holds all there is.
    fn add_printed(&mut self, schema: &Path, label: &str, name: &str, messages: Vec<PathBuf>) {
        let module: String = label.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let written = hop(["generate".as_ref(), "--from".as_ref(), schema.as_os_str()])
            .args(["--format", label, "--name", name, "--fixtures"])
            .args([self.folder.join("fixtures").join(label)])
            .run();
        fs::write(self.folder.join("src").join(format!("{module}.rs")), written.expect(0)).unwrap();
        self.modules.push((module, name.to_owned(), label.to_owned(), messages));
    }

    /// The files around the modules.
    fn complete(&self) {
        let mut lib =
            "//! What `hop generate` writes.\n\n#![deny(warnings, missing_docs, clippy::all, rustdoc::all)]\n\n"
                .to_owned();
        let mut types = String::new();
        for (module, name, label, _) in &self.modules {
            writeln!(lib, "pub mod {module};").unwrap();
            writeln!(types, "    each!({label:?}, generated::{module}::{name});").unwrap();
        }
        fs::write(self.folder.join("src/lib.rs"), lib).unwrap();
        let tests = include_str!("generated.rs.in").replace("    // types\n", &types);
        fs::create_dir_all(self.folder.join("tests")).unwrap();
        fs::write(self.folder.join("tests/generated.rs"), tests).unwrap();
        let mut messages = String::new();
        for (_, _, label, paths) in &self.modules {
            for path in paths {
                writeln!(messages, "{label}\t{}", path.display()).unwrap();
            }
        }
        fs::write(self.folder.join("messages.tsv"), messages).unwrap();
        let resolved = self.resolved.iter().map(|(label, path)| format!("{label}\t{}\n", path.display()));
        fs::write(self.folder.join("resolved.tsv"), resolved.collect::<String>()).unwrap();
    }
}

#[test]
fn what_is_generated_compiles_without_a_warning_and_reads_the_missions_messages() {
    let workshop = workshop();
    let folder = workshop.folder("generated");
    let schemas = hop_tests::root().join("fixtures/schemas");
    let corpus = corpus();
    let mut made = Made::new(folder.clone());
    for (schema, label, messages) in SCHEMAS {
        let messages =
            corpus.as_ref().map(|corpus| messages.iter().map(|name| corpus.join("files").join(name)).collect());
        made.add(&schemas.join(schema), label, messages.unwrap_or_default());
    }
    let (schema, _, messages) = SCHEMAS[0];
    let messages = corpus.as_ref().map(|corpus| messages.iter().map(|name| corpus.join("files").join(name)).collect());
    made.add_printed(&schemas.join(schema), "printed", "Printed", messages.unwrap_or_default());
    let package = gcn();
    let mut core = Vec::new();
    // The package has them, too.
    if package.is_none() {
        files(&schemas.join(CORE), &mut core);
    }
    for schema in &core {
        let name = schema.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_lowercase();
        made.add(schema, &format!("core.{name}"), Vec::new());
    }
    if let Some(package) = package {
        add_gcn(&mut made, &package);
    }
    add_pairs(&mut made);
    // Files carry the schema that they were written by; of one schema one file is enough.
    let mut known = Vec::new();
    for (number, file) in corpus.iter().flat_map(|corpus| avro_files(corpus)).enumerate() {
        let Ok(blob) = AvroBlob::decode(Content::from(&fs::read(&file).unwrap()[..])) else { continue };
        let text = blob.schema().unwrap().text().to_owned();
        if known.contains(&text) {
            continue;
        }
        let schema = folder.join(format!("schemas/{number}.avsc"));
        fs::create_dir_all(schema.parent().unwrap()).unwrap();
        fs::write(&schema, &text).unwrap();
        known.push(text);
        // A schema in a word is none that is kept in a file.
        if blob.schema().unwrap().json().as_str().is_none() {
            made.add(&schema, &format!("file.{number}"), vec![file]);
        }
    }
    assert!(corpus.is_none() || known.len() > 25, "{} schemas in the corpus", known.len());
    // What a constant tells apart, and one that is new.
    let shapes = folder.join("schemas/shapes.schema.json");
    fs::create_dir_all(folder.join("schemas")).unwrap();
    fs::write(&shapes, SHAPES).unwrap();
    let mut messages = Vec::new();
    for (kind, key) in [("square", "w"), ("round", "r"), ("line", "length")] {
        messages.push(folder.join(format!("schemas/{kind}.json")));
        fs::write(messages.last().unwrap(), format!(r#"{{"kind": "{kind}", "{key}": 2.5}}"#)).unwrap();
    }
    made.add(&shapes, "shapes", messages);
    for (name, text) in [
        (
            "list",
            r#"{"type": "array", "items": {"type": "record", "name": "Point", "fields": [{"name": "x", "type": "int"}]}}"#,
        ),
        ("raw", r#"{"type": "bytes"}"#),
        ("mixed", r#"{"type": "record", "name": "Mixed", "fields": [{"name": "x", "type": ["string", "bytes"]}]}"#),
    ] {
        let schema = folder.join(format!("schemas/{name}.avsc"));
        fs::write(&schema, text).unwrap();
        made.add(&schema, name, Vec::new());
    }
    made.complete();

    let formatted: Vec<PathBuf> =
        made.modules.iter().map(|(module, ..)| folder.join(format!("src/{module}.rs"))).collect();
    let rustfmt = Program::new("rustfmt").args(["--check", "--edition", "2024"]).args(&formatted).run();
    assert!(rustfmt.status.success(), "rustfmt would write\n{}", String::from_utf8_lossy(&rustfmt.out));
    quietly(&workshop.cargo(&folder, &["clippy", "--all-targets", "--", "-D", "warnings"]));
    let tested = workshop.cargo(&folder, &["test", "--", "--nocapture"]);
    println!("{}", quietly(&tested));
    quietly(&workshop.cargo(&folder, &["doc", "--no-deps"]));
}

/// The package of GCN's schemas, which `tests/gcn/schema` fetches.
fn gcn() -> Option<PathBuf> {
    let folder = std::env::var_os("HOP_GCN_SCHEMA").map(PathBuf::from);
    if folder.is_none() {
        hop_tests::skip("GCN's schemas", "HOP_GCN_SCHEMA is not set: tests/gcn/schema prints it");
    }
    folder
}

/// A module for each of GCN's schemas, which reads the examples that name it.
fn add_gcn(made: &mut Made, package: &Path) {
    let mut all = Vec::new();
    files(&package.join("gcn"), &mut all);
    let (schemas, others): (Vec<PathBuf>, Vec<PathBuf>) =
        all.into_iter().partition(|path| path.to_string_lossy().ends_with(".schema.json"));
    let mut left: Vec<PathBuf> =
        others.into_iter().filter(|path| path.to_string_lossy().ends_with(".example.json")).collect();
    assert!(schemas.len() >= 41 && left.len() >= 50, "{} schemas and {} examples", schemas.len(), left.len());
    for schema in schemas {
        let name = schema.strip_prefix(package).unwrap().to_str().unwrap().to_owned();
        let of_it = |path: &PathBuf| {
            let example: serde_json::Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
            example["$schema"].as_str().is_some_and(|of| of.ends_with(&format!("/{name}")))
        };
        let (examples, others) = left.into_iter().partition(of_it);
        left = others;
        let label = name.trim_start_matches("gcn/").trim_end_matches(".schema.json").to_lowercase();
        made.add(&schema, &format!("package.{}", label.replace('/', ".")), examples);
    }
    assert!(left.is_empty(), "they name no schema of the package: {left:?}");
}

/// Models of readers' schemas, and what was written by others: those of the random pairs that Avro resolves, which
/// `tests/interop` holds to fastavro.
fn add_pairs(made: &mut Made) {
    for (number, Pair { writer, reader, datum }) in (0..40).map(|number| (number, pair(number))) {
        let [writer, schema] = [writer, reader].map(|json| Schema::parse(&json.to_string()).unwrap());
        let blob = AvroBlob::from_datum(&writer, datum).unwrap();
        if blob.resolved(&schema).is_err() {
            continue;
        }
        let folder = made.folder.join(format!("schemas/pair{number}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("reader.avsc"), schema.text()).unwrap();
        fs::write(folder.join("old.avro"), blob.encode().unwrap()).unwrap();
        let label = format!("pair.{number}");
        made.add(&folder.join("reader.avsc"), &label, Vec::new());
        made.resolved.push((label, folder.join("old.avro")));
    }
    assert!(made.resolved.len() > 20, "{} pairs", made.resolved.len());
}

fn avro_files(corpus: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&corpus.join("files/avro"), &mut all);
    all
}
