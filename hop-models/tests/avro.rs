//! Avro beyond the fixtures: what no file may do, what another library reads, what structs are read from.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hop_core::{Content, Error, ErrorKind, Limits, MessageModel, Value};
use hop_models::avro::{self, AvroBlob, Schema, split_confluent, split_single_object};
use serde::Deserialize;

fn long(value: i64) -> Vec<u8> {
    let mut bits = ((value << 1) ^ (value >> 63)) as u64;
    let mut out = Vec::new();
    while bits >= 0x80 {
        out.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    out.push(bits as u8);
    out
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [long(value.len() as i64), value.to_vec()].concat()
}

/// A file of one block.
fn file(schema: &str, codec: &str, count: i64, block: &[u8]) -> Vec<u8> {
    let sync = [7; 16];
    [
        b"Obj\x01".to_vec(),
        long(2),
        bytes(b"avro.schema"),
        bytes(schema.as_bytes()),
        bytes(b"avro.codec"),
        bytes(codec.as_bytes()),
        long(0),
        sync.to_vec(),
        long(count),
        bytes(block),
        sync.to_vec(),
    ]
    .concat()
}

fn read(content: &[u8]) -> Result<AvroBlob, Error> {
    AvroBlob::decode(content.into())
}

/// The kind of the error, which comes soon.
fn refused(content: &[u8], limits: &Limits) -> ErrorKind {
    let started = Instant::now();
    let error = AvroBlob::decode(Content::from(content).with_limits(limits)).unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(1), "{error} took {:?}", started.elapsed());
    error.kind()
}

fn message(content: &[u8]) -> String {
    read(content).unwrap_err().to_string()
}

#[test]
fn counts_and_lengths_that_cannot_be_are_refused_before_anything_is_made() {
    let limits = Limits::default();
    let nulls = r#"{"type": "array", "items": "null"}"#;
    let empty = r#"{"type": "array", "items": {"type": "record", "name": "Empty", "fields": []}}"#;
    let many = [long(1 << 40), long(0)].concat();
    assert_eq!(refused(&file(nulls, "null", 1, &many), &limits), ErrorKind::Limit);
    assert_eq!(refused(&file(empty, "null", 1, &many), &limits), ErrorKind::Limit);
    assert_eq!(
        refused(&file(nulls, "null", 1, &[long(i64::MIN), long(0), long(0)].concat()), &limits),
        ErrorKind::Limit
    );
    // Many blocks that each stay within what a message may hold for nothing.
    let blocks = [long(60_000).repeat(10), long(0)].concat();
    assert_eq!(refused(&file(nulls, "null", 1, &blocks), &limits), ErrorKind::Limit);
    assert_eq!(refused(&file("\"null\"", "null", 1 << 50, b""), &limits), ErrorKind::Limit);
    assert_eq!(refused(&file("\"null\"", "null", 900_000, b""), &limits), ErrorKind::Limit);
    assert_eq!(refused(&file("\"null\"", "null", -1, b""), &limits), ErrorKind::Malformed);
    for schema in
        ["\"bytes\"", "\"string\"", r#"{"type": "map", "values": "int"}"#, r#"{"type": "array", "items": "int"}"#]
    {
        for length in [1 << 32, i64::MAX, 100] {
            assert_eq!(
                refused(&file(schema, "null", 1, &long(length)), &limits),
                ErrorKind::Malformed,
                "{schema} {length}"
            );
        }
    }
    for schema in ["\"bytes\"", "\"string\""] {
        assert_eq!(refused(&file(schema, "null", 1, &long(-1)), &limits), ErrorKind::Malformed);
    }
    let fixed = r#"{"type": "fixed", "name": "F", "size": 9000000000000000000}"#;
    assert_eq!(refused(&file(fixed, "null", 1, b"x"), &limits), ErrorKind::Malformed);
    assert_eq!(refused(&file("\"long\"", "null", 1, &[0xFF; 11]), &limits), ErrorKind::Malformed);
    let header = [b"Obj\x01".to_vec(), long(i64::MAX), bytes(b"avro.schema")].concat();
    assert_eq!(refused(&header, &limits), ErrorKind::Malformed);
}

#[test]
fn schemas_that_name_themselves_end_or_are_refused() {
    let limits = Limits::default();
    let endless = r#"{"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}"#;
    assert_eq!(
        message(&file(endless, "null", 1, b"")),
        "avro: expected a type whose values end, as `R` does not, found it, at byte 125"
    );
    // Where no value of it is sent, it does no harm.
    assert!(read(&file(endless, "null", 0, b"")).is_ok());
    let two = r#"{"type": "record", "name": "A", "fields": [{"name": "b", "type":
        {"type": "record", "name": "B", "fields": [{"name": "a", "type": "A"}]}}]}"#;
    assert_eq!(refused(&file(two, "null", 1, b""), &limits), ErrorKind::Invalid);
    let list = r#"{"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}"#;
    let short = read(&file(list, "null", 1, &[2, 2, 0])).unwrap();
    assert_eq!(short.content().unwrap().to_string(), r#"{"next": {"next": {"next": null}}}"#);
    assert_eq!(refused(&file(list, "null", 1, &[2; 1_000_000]), &limits), ErrorKind::Limit);
    let tree =
        r#"{"type": "record", "name": "T", "fields": [{"name": "of", "type": {"type": "array", "items": "T"}}]}"#;
    assert_eq!(refused(&file(tree, "null", 1, &[2; 1_000_000]), &limits), ErrorKind::Limit);
    let deep = format!("{}\"int\"{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(refused(&file(&deep, "null", 1, &[2]), &limits), ErrorKind::Limit);
    // Declarations within declarations, each of which names the one around it; and one that is merely long.
    let mut nested = "\"int\"".to_owned();
    for n in (0..100).rev() {
        let (around, before) = (n.max(1) - 1, nested);
        nested = format!(
            r#"{{"type": "record", "name": "R{n}", "fields": [{{"name": "a", "type": {before}}}, {{"name": "b", "type": ["null", "R{around}"]}}]}}"#
        );
    }
    assert_eq!(refused(&file(&nested, "null", 1, b""), &limits), ErrorKind::Malformed);
    let long = format!("[{}\"int\"]", "\"int\",".repeat(300_000));
    assert_eq!(refused(&file(&long, "null", 1, b""), &limits), ErrorKind::Malformed);
    assert_eq!(refused(&file(&long.repeat(2), "null", 1, &[0, 2]), &limits), ErrorKind::Limit);
    // As deep as any limit allows, on the stack of a thread.
    let deepest = Limits { depth: 1000, ..Limits::default() };
    let content = file(list, "null", 1, &[[2; 990].as_slice(), &[0]].concat());
    let blob = AvroBlob::decode(Content::from(content.as_slice()).with_limits(&deepest)).unwrap();
    assert!(blob.fields().unwrap().to_string().len() > 990);
}

#[test]
fn compressed_blocks_grow_no_further_than_allowed() {
    let zeros = vec![0_u8; 40 << 20];
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(&zeros).unwrap();
    let snappy = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    let snappy = [snappy, crc32fast::hash(&zeros).to_be_bytes().to_vec()].concat();
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    bzip2.write_all(&zeros).unwrap();
    let zstandard = ruzstd::encoding::compress_to_vec(&zeros[..], ruzstd::encoding::CompressionLevel::Fastest);
    let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    xz.write_all(&zeros).unwrap();
    let limits = Limits { decompressed: 1 << 20, ..Limits::default() };
    let bombs = [
        ("xz", xz.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("snappy", snappy),
        ("bzip2", bzip2.finish().unwrap()),
        ("zstandard", zstandard),
        ("lz4", lz4_flex::block::compress_prepend_size(&zeros)),
    ];
    for (codec, block) in bombs {
        let content = file("\"bytes\"", codec, 1, &block);
        assert_eq!(refused(&content, &limits), ErrorKind::Limit, "{codec}");
        // Blocks count together.
        let mut blocks = content.clone();
        let start = content.len() - 16 - bytes(&block).len() - 1;
        blocks.extend_from_slice(&content[start..]);
        let limits = Limits { decompressed: 60 << 20, ..Limits::default() };
        let error = AvroBlob::decode(Content::from(blocks.as_slice()).with_limits(&limits)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Limit, "{codec}: {error}");
    }
    // The file and its blocks count together, too.
    let zipped = gzip(&file("\"bytes\"", "null", 1, &bytes(&zeros)));
    assert_eq!(refused(&zipped, &limits), ErrorKind::Limit);
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::none());
    deflate.write_all(&bytes(&zeros[..700 << 10])).unwrap();
    let zipped = gzip(&file("\"bytes\"", "deflate", 1, &deflate.finish().unwrap()));
    assert_eq!(refused(&zipped, &limits), ErrorKind::Limit);
    assert!(read(&zipped).is_ok());
    // A stated size that is a lie costs nothing.
    assert_eq!(
        refused(&file("\"bytes\"", "snappy", 1, &[0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0]), &limits),
        ErrorKind::Limit
    );
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(content).unwrap();
    gzip.finish().unwrap()
}

#[test]
fn a_block_of_lz4_holds_what_it_states() {
    let good = lz4_flex::block::compress_prepend_size(&bytes(b"flare"));
    let read_block = |block: &[u8]| read(&file("\"bytes\"", "lz4", 1, block));
    assert_eq!(read_block(&good).unwrap().record().unwrap().as_bytes().unwrap().as_ref(), b"flare");
    for (at, stated) in [(0, 0), (0, 5), (0, 7), (3, 0xFF), (2, 1)] {
        let mut wrong = good.clone();
        wrong[at] = stated;
        assert_eq!(read_block(&wrong).unwrap_err().kind(), ErrorKind::Malformed, "{stated} at {at}");
    }
    for end in 0..good.len() {
        assert_eq!(read_block(&good[..end]).unwrap_err().kind(), ErrorKind::Malformed, "{end} bytes");
    }
}

#[test]
fn a_file_inside_gzip_is_that_file() {
    let inside = file("\"bytes\"", "null", 1, &bytes(b"flare"));
    let blob = read(&gzip(&inside)).unwrap();
    assert_eq!(blob.encode().unwrap(), inside);
    assert_eq!(blob.metadata().len(), 2);
    // In two parts, as tools append to one.
    let (first, second) = inside.split_at(20);
    assert_eq!(read(&[gzip(first), gzip(second)].concat()).unwrap(), blob);
    let whole = gzip(&inside);
    for end in 2..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end} bytes");
    }
    assert_eq!(
        message(&gzip(b"{}")),
        "avro: expected an Avro object container file inside gzip, found JSON, at byte 0; send it as `json`"
    );
    assert!(
        message(b"\x1f\x8b\x08").starts_with("avro: expected content inside gzip, found "),
        "{}",
        message(b"\x1f\x8b\x08")
    );
}

#[test]
fn limits_are_kept() {
    let ints = file(r#"{"type": "array", "items": "int"}"#, "null", 1, &[long(50), vec![2; 50], long(0)].concat());
    assert!(read(&ints).is_ok());
    for limits in [
        Limits { nodes: 40, ..Limits::default() },
        Limits { content: 40, ..Limits::default() },
        Limits { depth: 0, ..Limits::default() },
    ] {
        assert_eq!(refused(&ints, &limits), ErrorKind::Limit);
    }
    let records = file("\"int\"", "null", 5, &[2; 5]);
    assert_eq!(refused(&records, &Limits { records: 4, ..Limits::default() }), ErrorKind::Limit);
}

#[test]
fn an_error_says_what_and_where() {
    let schema = r#"{"type": "record", "name": "A", "fields": [{"name": "points", "type": {"type": "array", "items":
        {"type": "record", "name": "P", "fields": [{"name": "flux", "type": ["null", "double"]}]}}}]}"#;
    // Two points, and bytes for one and a half.
    let cut = file(schema, "null", 1, &[vec![4, 2], vec![0; 8], vec![2], vec![0; 4]].concat());
    assert!(message(&cut).starts_with(
        "avro: expected the 8 bytes of a double, found the end of the data after 4 bytes in `points[1].flux`, at byte "
    ), "{}", message(&cut));
    let wrong = r#"{"type": "record", "name": "A", "fields": [{"name": "x", "type": {"type": "map", "values": "P"}}]}"#;
    assert_eq!(
        message(&file(wrong, "null", 0, b"")),
        "avro schema: expected the name of a type declared before, found `P`, in `x.values`"
    );
    for (content, expected) in [
        (
            &b""[..],
            "avro: expected an Avro object container file, which starts with `Obj\\x01`, found no content, at byte 0",
        ),
        (b"BZh91AY", "avro: expected an Avro object container file, found bzip2, at byte 0; decompress it first"),
        (b"{\"a\": 1}", "avro: expected an Avro object container file, found JSON, at byte 0; send it as `json`"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "avro: expected an Avro object container file, found a Git LFS pointer, at byte 0; fetch the file it stands for \
             with `git lfs pull`",
        ),
        (
            b"\0\0\0\x04\x2fdatum",
            "avro: expected an Avro object container file, found what may be Confluent's framing of a datum, by schema 1071 of \
             a registry, at byte 0; with that schema, `AvroBlob::from_datum` reads it",
        ),
    ] {
        assert_eq!(message(content), expected);
    }
    assert_eq!(read(b"<xml/>").unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(read(b"\xc3\x01abcdefgh").unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(read(b"hello").unwrap_err().kind(), ErrorKind::Malformed);
}

#[test]
fn datums_come_out_of_their_frames() {
    // Schema and fingerprints as in Avro's own tests.
    let schema = Schema::parse(r#""int""#).unwrap();
    assert_eq!(schema.fingerprint(), 0x7275_d51a_3f39_5c8f);
    let schema = Schema::parse(
        r#"{"type": "fixed", "name": "Test", "namespace": "org.apache.avro", "size": 16, "doc": "left out"}"#,
    )
    .unwrap();
    assert_eq!(schema.canonical(), r#"{"name":"org.apache.avro.Test","type":"fixed","size":16}"#);

    let schema =
        Schema::parse(r#"{"type": "record", "name": "R", "fields": [{"name": "x", "type": {"type": "string"}}]}"#)
            .unwrap();
    assert_eq!(schema.canonical(), r#"{"name":"R","type":"record","fields":[{"name":"x","type":"string"}]}"#);
    let framed = Bytes::from([&[0, 0, 0, 4, 0x2f][..], &bytes(b"datum")].concat());
    let (id, datum) = split_confluent(&framed).unwrap();
    assert_eq!(id, 1071);
    let blob = AvroBlob::from_datum(&schema, datum.clone()).unwrap();
    assert_eq!(blob.record().unwrap()["x"].as_str(), Some("datum"));
    let written = read(&blob.encode().unwrap()).unwrap();
    assert_eq!(written.content().unwrap(), blob.content().unwrap());
    assert_eq!(AvroBlob::from_datum(&schema, [&datum[..], b"!"].concat()).unwrap_err().kind(), ErrorKind::Malformed);

    let single = Bytes::from([&[0xC3, 1][..], &schema.fingerprint().to_le_bytes(), &datum].concat());
    let (fingerprint, inside) = split_single_object(&single).unwrap();
    assert_eq!((fingerprint, inside), (schema.fingerprint(), datum));
    assert!(split_confluent(&single).is_none() && split_single_object(&framed).is_none());
}

#[test]
fn another_library_reads_what_is_written() {
    let content = Value::from_json(
        r#"{"id": "x", "far": 1e-9, "n": [1, 2.5, null, "a", [1], ["b"]], "maps": {"a": {"k": 1}, "b": {"k": null}},
            "same": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], "other": [{"a": 1, "b": "x"}, {"a": null, "b": true}],
            "names": {"not a name": 1, "x": "y"}, "none": [], "nothing": {}}"#,
    )
    .unwrap();
    let written = AvroBlob::new(content.clone()).encode().unwrap();
    assert_eq!(read(&written).unwrap().content().unwrap(), content);
    let theirs: Vec<_> = apache_avro::Reader::new(&written[..]).unwrap().map(Result::unwrap).collect();
    assert_eq!(theirs.len(), 1);

    let several = AvroBlob::of_records(vec![content.clone(), Value::Null, content]);
    assert_eq!(several.encode().unwrap(), several.clone().encode().unwrap(), "the same content, other bytes");
    let written = several.encode().unwrap();
    assert_eq!(apache_avro::Reader::new(&written[..]).unwrap().count(), 3);
    let again = read(&written).unwrap();
    assert_eq!((again.count(), again.is_single()), (3, false));
    assert_eq!(again.encode().unwrap(), written);
    assert!(again.metadata().iter().any(|(key, value)| (*key, *value) == ("avro.codec", b"null")));
}

/// apache-avro's value in the form that hop shows.
fn theirs(value: apache_avro::types::Value) -> Value {
    use apache_avro::types::Value as Theirs;
    match value {
        Theirs::Null => Value::Null,
        Theirs::Boolean(value) => value.into(),
        Theirs::Int(value) => value.into(),
        Theirs::Long(value) => value.into(),
        Theirs::Float(value) => f64::from(value).into(),
        Theirs::Double(value) => value.into(),
        Theirs::Bytes(bytes) | Theirs::Fixed(_, bytes) => Value::Bytes(bytes.into()),
        Theirs::String(text) | Theirs::Enum(_, text) => text.into(),
        Theirs::Union(_, inner) => theirs(*inner),
        Theirs::Array(values) => Value::Array(values.into_iter().map(theirs).collect()),
        // Its maps have no order.
        Theirs::Map(map) => {
            Value::object(std::collections::BTreeMap::from_iter(map).into_iter().map(|(k, v)| (k, theirs(v))))
        }
        Theirs::Record(fields) => Value::object(fields.into_iter().map(|(name, value)| (name, theirs(value)))),
        other => panic!("not in these files: {other:?}"),
    }
}

fn sorted_maps(value: &avro::Value) -> Value {
    match value {
        avro::Value::Map(map) => {
            let entries = std::collections::BTreeMap::from_iter(map.iter());
            Value::object(entries.into_iter().map(|(key, value)| (key, sorted_maps(value))))
        }
        avro::Value::Record(record) => Value::object(record.iter().map(|(name, value)| (name, sorted_maps(value)))),
        avro::Value::Array(values) => Value::Array(values.iter().map(sorted_maps).collect()),
        other => other.into(),
    }
}

#[test]
fn another_library_reads_the_same() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/avro");
    let mut records = 0;
    for case in ["hop/inferred", "hop/text", "survey/alert", "survey/several", "survey/none", "codec/deflate"] {
        let content = std::fs::read(folder.join(case).join("content.avro")).unwrap();
        let ours: Vec<Value> = read(&content).unwrap().records().unwrap().iter().map(sorted_maps).collect();
        let read = apache_avro::Reader::new(&content[..]).unwrap();
        assert_eq!(ours, read.map(|value| theirs(value.unwrap())).collect::<Vec<_>>(), "{case}");
        records += ours.len();
    }
    assert!(records >= 8);
}

#[test]
fn content_is_written_by_the_schema_it_is_given() {
    let schema = Schema::parse(
        r#"{"type": "record", "name": "A", "fields": [
            {"name": "when", "type": {"type": "long", "logicalType": "timestamp-millis"}},
            {"name": "day", "type": ["null", {"type": "int", "logicalType": "date"}], "default": null},
            {"name": "cost", "type": {"type": "bytes", "logicalType": "decimal", "precision": 8, "scale": 3}},
            {"name": "raw", "type": "bytes", "default": "\u00ff"},
            {"name": "band", "type": {"type": "enum", "name": "B", "symbols": ["g", "r"]}},
            {"name": "magnitude", "type": ["null", "float", "double"]}]}"#,
    )
    .unwrap();
    let content = Value::from_json(
        r#"{"when": {"$datetime": "2017-08-17T14:41:04.429+02:00"}, "day": {"$date": "2017-08-17"},
            "cost": {"$decimal": "-1.25"}, "band": "r", "magnitude": 17.3}"#,
    )
    .unwrap();
    let blob = AvroBlob::new(content).with_schema(schema.clone()).unwrap();
    let back = read(&blob.encode().unwrap()).unwrap();
    assert_eq!(
        back.content().unwrap().to_string(),
        r#"{"when": {"$datetime": "2017-08-17T12:41:04.429000+00:00"}, "day": {"$date": "2017-08-17"}, "cost": {"$decimal": "-1.250"}, "raw": {"$bytes": "/w=="}, "band": "r", "magnitude": 17.3}"#
    );
    assert_eq!(back.schema(), Some(&schema));
    for (content, expected) in [
        ("{}", "avro: expected a value, found none, in `when`"),
        (
            r#"{"when": 0, "cost": {"$decimal": "0"}, "band": "i", "magnitude": 1}"#,
            "avro: expected a symbol of `B`, found \"i\", in `band`",
        ),
        (
            r#"{"when": 0, "cost": {"$decimal": "0"}, "band": "g", "magnitude": "bright"}"#,
            "avro: expected a value of one of the types of a union, found a string, in `magnitude`",
        ),
        (
            r#"{"when": 0, "cost": {"$decimal": "0"}, "band": "g", "magnitude": 1, "more": 2}"#,
            "avro: expected fields of the schema, found `more`",
        ),
    ] {
        let blob = AvroBlob::new(Value::from_json(content).unwrap()).with_schema(schema.clone()).unwrap();
        let error = blob.encode().unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Unencodable, expected));
    }
    let large = Value::from_json("123456789012345678901234567890").unwrap();
    assert_eq!(AvroBlob::new(large).encode().unwrap_err().kind(), ErrorKind::Unencodable);
}

#[test]
fn structs_are_read_from_the_bytes() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Detection {
        detection_id: i64,
        mjd: f64,
        band: Band,
        flux: Option<f32>,
        #[serde(default)]
        not_in_the_schema: u8,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Band {
        U,
        G,
        R,
        I,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Alert<'a> {
        alert_id: &'a str,
        detection: Detection,
        previous: Option<Vec<Detection>>,
        stamp: Option<Vec<u8>>,
        #[serde(borrow)]
        crossmatches: std::collections::BTreeMap<&'a str, Value>,
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/avro");
    let blob = read(&std::fs::read(folder.join("survey/several/content.avro")).unwrap()).unwrap();
    let alerts: Vec<Alert<'_>> = blob.records_as().unwrap();
    assert_eq!(alerts.len(), 3);
    let last = &alerts[2];
    assert_eq!((last.alert_id, last.detection.band == Band::R, last.detection.flux), ("example:2", true, Some(0.1)));
    assert_eq!(alerts[1].stamp.as_deref(), Some(&b"\x89FIT"[..]));
    let previous = last.previous.as_ref().unwrap();
    assert!(previous[0].flux.unwrap().is_nan() && previous[1].flux.is_none() && previous[1].band == Band::G);
    assert_eq!(previous[1].detection_id, (1 << 53) + 1);
    assert_eq!(last.crossmatches["name"], "SN 2026abc".into());
    // A value of any shape, and one that does not fit.
    let any: Vec<Value> = blob.records_as().unwrap();
    assert_eq!(any[2]["detection"]["mjd"], 61002.125.into());
    #[derive(Debug, Deserialize)]
    struct Wrong {
        #[allow(dead_code)]
        detection: Inner,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code)]
        mjd: String,
    }
    let error = blob.records_as::<Wrong>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "avro: invalid type: floating point `61000.125`, expected a string, in `detection.mjd`"
    );
    assert_eq!(blob.record_as::<Wrong>().unwrap_err().kind(), ErrorKind::Invalid);

    #[derive(Debug, Deserialize)]
    struct Times {
        day: i32,
        utc_micros: String,
        utc_millis: i64,
        id: uuid::Uuid,
        cost: f64,
        fixed_cost: String,
    }
    let blob = read(&std::fs::read(folder.join("logical/all/content.avro")).unwrap()).unwrap();
    let times: Times = blob.record_as().unwrap();
    assert_eq!((times.day, times.utc_millis, times.cost), (-133_397, 541_064_135_000, -12345.6));
    assert_eq!((times.utc_micros.as_str(), times.fixed_cost.as_str()), ("2017-08-17T12:41:04.429001+00:00", "-42"));
    assert_eq!(times.id.to_string(), "6f1a2b3c-4d5e-4f60-8a7b-9c0d1e2f3a4b");
}

#[test]
fn of_a_field_that_is_named_twice_the_last_value_stands() {
    let schema = r#"{"type": "record", "name": "r", "fields": [
        {"name": "mag", "type": "int"}, {"name": "band", "type": "string"}, {"name": "mag", "type": "int"}]}"#;
    let block = [long(17), bytes(b"g"), long(18)].concat();
    let blob = read(&file(schema, "null", 1, &block)).unwrap();
    assert_eq!(blob.content().unwrap()["mag"], 18.into());
    #[derive(Deserialize)]
    struct Record {
        mag: i32,
        band: String,
    }
    let record: Record = blob.record_as().unwrap();
    assert_eq!((record.mag, record.band.as_str()), (18, "g"));
}

#[test]
fn what_decodes_can_be_shown_whatever_was_broken_in_it() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/avro");
    let mut shown = 0;
    for case in ["hop/inferred", "survey/alert", "survey/several", "logical/all", "codec/snappy"] {
        let mut content = std::fs::read(folder.join(case).join("content.avro")).unwrap();
        let mut state = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..3000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % content.len();
            let was = std::mem::replace(&mut content[at], (state >> 17) as u8);
            if let Ok(blob) = read(&content) {
                let fields = blob.fields().unwrap();
                let records: Vec<Value> = blob.records_as().unwrap();
                assert_eq!(records.len(), blob.count());
                assert!(!fields.to_string().is_empty());
                // Whether it can be written again depends on what was broken; that it is tried must do no harm.
                let _outcome = AvroBlob::from_fields(fields).and_then(|again| again.encode());
                shown += 1;
            }
            content[at] = was;
        }
    }
    assert!(shown > 1000, "{shown}");
}

#[test]
fn a_blob_is_short_in_messages() {
    let text = format!("[\"int\", {{\"type\": \"string\", \"doc\": \"{}\"}}]", "long ".repeat(1000));
    let blob = read(&file(&text, "null", 1, &[0, 2])).unwrap();
    let shown = format!("{blob:?}");
    assert!(shown.starts_with("AvroBlob { records: 1, schema: Some(Schema([") && shown.len() < 400, "{shown}");
}

#[test]
fn fields_make_the_blob_again() {
    let blob = AvroBlob::of_records(vec![1.into(), Value::Null]);
    let shown = read(&blob.encode().unwrap()).unwrap().fields().unwrap();
    assert_eq!(shown.to_string(), r#"{"content": [1, null], "schema": ["long", "null"], "single_record": false}"#);
    let again = AvroBlob::from_fields(shown).unwrap();
    assert_eq!(again.encode().unwrap(), blob.encode().unwrap());
    assert!(AvroBlob::from_fields(Value::object([("content", 1.into()), ("single_record", false.into())])).is_err());
}
