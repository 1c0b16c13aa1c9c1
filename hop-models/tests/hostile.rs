//! Content that is broken or made to hurt, through every decoder and the ladder: no panic, soon, and in bounded memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

#[path = "support/sightings.rs"]
mod sightings;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hop_core::{Error, Headers, MessageModel, Registry};
use hop_models::Circular;

const MOST_TIME: Duration = Duration::from_secs(1);
const MOST_MEMORY: usize = 256 << 20;
const FLIPS: usize = 10_000;

/// Counts what is allocated, and the most there was at once.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grown(size: usize) {
    let now = NOW.fetch_add(size, Ordering::Relaxed) + size;
    PEAK.fetch_max(now, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator unchanged; what is counted beside it touches no memory of it.
#[allow(unsafe_code, reason = "an allocator cannot be written without, and only one sees what decoders ask for")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Old and new may be there at once, while the one is copied to the other.
        grown(size);
        // SAFETY: as the caller promises.
        let moved = unsafe { System.realloc(memory, layout, size) };
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        moved
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn registry() -> Registry {
    Registry::builder().models(hop_models::MODELS).build().unwrap()
}

/// The folders with a `content.*`, and that.
fn fixtures() -> Vec<(PathBuf, Vec<u8>)> {
    fn find(folder: &Path, out: &mut Vec<(PathBuf, Vec<u8>)>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                find(&path, out);
            } else if path.file_stem().is_some_and(|stem| stem == "content" || stem == "file") {
                let content = fs::read(&path).unwrap();
                out.push((path, content));
            }
        }
    }
    let mut out = Vec::new();
    find(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures"), &mut out);
    out.sort();
    assert!(out.len() > 100);
    out
}

/// Ways to read content: each model from the wire, circulars from a file too (that of the others is the wire form), and the
/// ladder without a label and with a label that is unknown. With one that is known it does what the model does.
struct Readers {
    registry: Registry,
    unlabelled: Headers,
    unknown: Headers,
}

impl Readers {
    fn new() -> Self {
        let unknown = Headers::from_iter([("_format", Some("unknown"))]);
        Self { registry: registry(), unlabelled: Headers::new(), unknown }
    }

    fn each(&self, content: &Bytes, mut read: impl FnMut(&str, &dyn Fn() -> Result<(), Error>)) {
        for model in &self.registry {
            read(model.format(), &|| model.decode(content.into()).map(drop));
        }
        read("circular, from a file", &|| Circular::load(content.into()).map(drop));
        read("the ladder", &|| self.registry.decode(&self.unlabelled, content.into()).map(drop));
        read("the ladder, labelled", &|| self.registry.decode(&self.unknown, content.into()).map(drop));
    }

    /// Reads it in each way, and tells each that took too long or panicked.
    fn read(&self, content: &[u8], told: impl Fn() -> String) {
        self.each(&Bytes::copy_from_slice(content), |how, read| {
            let started = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(read));
            assert!(outcome.is_ok(), "{how} panics on {}", told());
            if started.elapsed() > MOST_TIME {
                let started = time_used();
                let _ = read();
                assert!(time_used() - started < MOST_TIME, "{how} takes long on {}", told());
            }
        });
    }
}

/// Runs `check` on all fixtures, on as many threads as there are processors.
fn each_fixture(check: impl Fn(&Readers, &Path, &[u8]) + Sync) {
    let (fixtures, next) = (fixtures(), AtomicUsize::new(0));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let readers = Readers::new();
                while let Some((path, content)) = fixtures.get(next.fetch_add(1, Ordering::Relaxed)) {
                    check(&readers, path, content);
                }
            });
        }
    });
}

fn truncations() {
    each_fixture(|readers, path, content| {
        for end in 0..content.len() {
            readers.read(&content[..end], || format!("{} cut to {end} bytes", path.display()));
        }
    });
}

fn flips() {
    each_fixture(|readers, path, content| {
        if content.is_empty() {
            return;
        }
        let mut bytes = content.to_vec();
        // A fixed sequence (Knuth's MMIX) for each fixture, so that a failure comes again.
        let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ content.len() as u64;
        for _ in 0..FLIPS {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % bytes.len();
            let was = std::mem::replace(&mut bytes[at], (state >> 17) as u8);
            readers.read(&bytes, || format!("{} with byte {at} 0x{:02x}", path.display(), bytes[at]));
            bytes[at] = was;
        }
    });
}

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

fn counted(bytes: &[u8]) -> Vec<u8> {
    [&long(bytes.len() as i64), bytes].concat()
}

/// An Avro file of one block.
fn avro(schema: &str, codec: &str, count: i64, block: &[u8]) -> Vec<u8> {
    let meta = [&b"avro.schema"[..], schema.as_bytes(), b"avro.codec", codec.as_bytes()].map(counted).concat();
    [&b"Obj\x01\x04"[..], &meta, &[0], &[7; 16], &long(count), &counted(block), &[7; 16]].concat()
}

/// What decompresses to a string of so many zeros.
fn deflated(megabytes: usize) -> Vec<u8> {
    use std::io::Write;
    let mut out = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(&long((megabytes as i64) << 20)).unwrap();
    for _ in 0..megabytes {
        out.write_all(&[0; 1 << 20]).unwrap();
    }
    out.finish().unwrap()
}

fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    const N: usize = 100_000;
    const LARGE: usize = 60 << 20;
    let endless = r#"{"type": "record", "name": "R", "fields": [{"name": "r", "type": "R"}]}"#;
    let list = r#"{"type": "record", "name": "L", "fields": [{"name": "next", "type": ["null", "L"]}]}"#;
    let twice = r#"{"type": "record", "name": "A", "fields": [{"name": "a", "type": {"type": "array", "items": "A"}},
        {"name": "b", "type": {"type": "array", "items": "A"}}]}"#;
    let doubles = r#"{"type": "array", "items": "double"}"#;
    let laughs: String =
        (1..10).map(|n| format!("<!ENTITY lol{n} \"{}\">", format!("&lol{};", n - 1).repeat(10))).collect();
    let repeat = |part: &str, size: usize| part.repeat(size / part.len());
    vec![
        ("a schema of itself", avro(endless, "null", 1, b"")),
        ("a schema of itself, nested in the data", avro(list, "null", 1, &[2; 1 << 20])),
        ("a schema of two of itself", avro(twice, "null", 1, &[2; 1 << 20])),
        ("a bomb of 100 MB", avro("\"bytes\"", "deflate", 1, &deflated(100))),
        ("a bomb of 1 GB", avro("\"bytes\"", "deflate", 1, &deflated(1024))),
        ("a bomb of doubles", avro(doubles, "deflate", 1, &deflated(120))),
        ("4 GB of bytes", avro("\"bytes\"", "null", 1, &long(1 << 32))),
        ("4 GB of a map", avro(r#"{"type": "map", "values": "long"}"#, "null", 1, &long(1 << 32))),
        ("4 GB of a block", [&avro("\"bytes\"", "null", 0, b"")[..], &long(1), &long(1 << 32)].concat()),
        ("4 GB of metadata", [&b"Obj\x01"[..], &long(1), &long(1 << 32)].concat()),
        (
            "many booleans",
            avro(
                r#"{"type": "array", "items": "boolean"}"#,
                "null",
                1,
                &[&long(3_900_000)[..], &[1; 3_900_000], &[0]].concat(),
            ),
        ),
        ("nested elements", format!("<VOEvent>{}", "<a>".repeat(N)).into_bytes()),
        ("nested elements, closed", format!("<VOEvent>{}{}</VOEvent>", "<a>".repeat(N), "</a>".repeat(N)).into_bytes()),
        ("nested arrays", "[".repeat(N).into_bytes()),
        ("nested arrays, closed", ("[".repeat(N) + &"]".repeat(N)).into_bytes()),
        ("nested objects", ("{\"ivorn\":".repeat(N) + "1" + &"}".repeat(N)).into_bytes()),
        (
            "billion laughs",
            format!("<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol0 'lol'>{laughs}]><VOEvent>&lol9;</VOEvent>")
                .into_bytes(),
        ),
        ("billion laughs without a declaration", b"<VOEvent>&lol9;</VOEvent>".to_vec()),
        ("one title", [b"TITLE: ", "x".repeat(LARGE).as_bytes()].concat()),
        ("titles", repeat("a: b\n", LARGE).into_bytes()),
        ("one long line", "x".repeat(LARGE).into_bytes()),
        ("one folded title", ("a: b\n".to_owned() + &repeat(" c\n", LARGE)).into_bytes()),
        ("one line that is no UTF-8", vec![0xFF; LARGE]),
        ("line ends", vec![b'\r'; LARGE]),
        ("a circular of one body", format!("{{\"header\": {{}}, \"body\": \"{}\"}}", "x".repeat(LARGE)).into_bytes()),
        (
            "a circular of one escaped body",
            format!("{{\"header\": {{}}, \"body\": \"{}\"}}", repeat("\\u00e9", LARGE)).into_bytes(),
        ),
        ("too many numbers", format!("[{}1]", repeat("1,", LARGE)).into_bytes()),
        ("as many numbers as may be", format!("[{}1]", "1,".repeat(3_900_000)).into_bytes()),
        ("as many objects as may be", format!("[{}1]", "{\"a\":1},".repeat(1_900_000)).into_bytes()),
        ("as many strings as may be", format!("[{}1]", "\"a\",".repeat(3_900_000)).into_bytes()),
        (
            "one name again after many others",
            format!("{{{}\"n1\":1}}", (0..1_200_000).map(|n| format!("\"n{n}\":1,")).collect::<String>()).into_bytes(),
        ),
        ("arrays of one", format!("[{}1]", "[1],".repeat(1_500_000)).into_bytes()),
        ("too many elements", format!("<VOEvent>{}", repeat("<a/>", LARGE)).into_bytes()),
        (
            "too many attributes",
            format!("<VOEvent{}", (0..4_000_000).map(|n| format!(" a{n}=''")).collect::<String>()).into_bytes(),
        ),
        ("text of an element", format!("<VOEvent>{}</VOEvent>", "x".repeat(LARGE)).into_bytes()),
        ("text of references", format!("<VOEvent>{}</VOEvent>", repeat("&amp;", LARGE)).into_bytes()),
        ("more than may be", vec![b' '; 65 << 20]),
    ]
}

/// Content that derived models are asked to read, under each codec.
fn hostile_to_codecs() -> Vec<(&'static str, Vec<u8>)> {
    const N: usize = 100_000;
    const LARGE: usize = 60 << 20;
    let repeat = |part: &[u8], size: usize| part.repeat(size / part.len());
    let framed = |datum: &[u8]| [&[0, 0, 0, 0, 7], datum].concat();
    let nested = |open: &str, close: &str, levels: usize| (open.repeat(levels) + &close.repeat(levels)).into_bytes();
    vec![
        ("MessagePack: arrays of 4 G elements", repeat(b"\xdd\xff\xff\xff\xff", N)),
        ("MessagePack: maps of 4 G entries", repeat(b"\xdf\xff\xff\xff\xff", N)),
        ("MessagePack: trees of 4 G trees", repeat(b"\x81\xa1a\xdd\xff\xff\xff\xff", N)),
        ("MessagePack: 4 GB of bytes", b"\xc6\xff\xff\xff\xff".to_vec()),
        ("MessagePack: nested trees", repeat(b"\x81\xa1a\x91", 4 * N)),
        ("MessagePack: trees as deep as may be", [&b"\x81\xa1a\x91".repeat(255)[..], b"\x80"].concat()),
        // Each takes a byte here, and 48 as a struct; that of the other end is the type's affair.
        ("MessagePack: a tree of many", [&b"\x81\xa1a\xdd\x00\x10\x00\x00"[..], &[0x80; 0x10_0000]].concat()),
        ("MessagePack: as many values as may be", [&b"\xdd\x00\x3b\x00\x00"[..], &[0x80; 0x3b_0000]].concat()),
        ("MessagePack: nothing but nulls", [&b"\xdd\x03\x00\x00\x00"[..], &[0xc0; 0x300_0000]].concat()),
        ("CBOR: arrays of 2^64 elements", repeat(b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", N)),
        ("CBOR: trees of 2^64 trees", repeat(b"\xa1\x61a\x9b\xff\xff\xff\xff\xff\xff\xff\xff", N)),
        ("CBOR: 2^64 bytes of text", b"\x7b\xff\xff\xff\xff\xff\xff\xff\xff".to_vec()),
        ("CBOR: nested trees", repeat(b"\xa1\x61a\x81", 4 * N)),
        ("CBOR: trees as deep as may be", [&b"\xa1\x61a\x81".repeat(255)[..], b"\xa0"].concat()),
        ("CBOR: nested arrays without an end", vec![0x9f; N]),
        ("CBOR: nothing but tags", vec![0xc1; LARGE]),
        ("CBOR: text in pieces", [&b"\x7f"[..], &repeat(b"\x61a", LARGE), b"\xff"].concat()),
        ("CBOR: an integer of many bytes", [&b"\xc2\x5a\x03\x00\x00\x00"[..], &[0xff; 0x300_0000]].concat()),
        ("XML: nested trees", nested("<a>", "</a>", N)),
        ("XML: nested trees that are not closed", "<a>".repeat(N).into_bytes()),
        ("XML: trees as deep as may be", nested("<a>", "</a>", 128)),
        ("XML: trees as deep as documents may be", nested("<a>", "</a>", 512)),
        ("XML: a tree of as many as may be", format!("<t>{}</t>", "<a/>".repeat(999_000)).into_bytes()),
        ("XML: a tree of too many", format!("<t>{}</t>", "<a/>".repeat(1_900_000)).into_bytes()),
        ("XML: two lists in turn", format!("<t>{}</t>", "<a/><b/>".repeat(60_000)).into_bytes()),
        ("XML: two long lists in turn", format!("<t>{}</t>", "<a/><b/>".repeat(900_000)).into_bytes()),
        ("XML: two lists in turn, at each level", nested("<b><a/>", "<a/></b>", 127)),
        ("XML: two long lists, at each level", nested(&("<b>".to_owned() + &"<a/>".repeat(900)), "</b>", 127)),
        (
            "XML: entities",
            b"<!DOCTYPE t [<!ENTITY a '&b;&b;'><!ENTITY b 'lol'>]><Sighting><title>&a;</title></Sighting>".to_vec(),
        ),
        ("XML: an entity without a declaration", b"<Sighting><title>&lol9;</title></Sighting>".to_vec()),
        ("XML: one text", format!("<Sighting><title>{}</title></Sighting>", "x".repeat(LARGE)).into_bytes()),
        ("Avro: nested trees in a frame", framed(&repeat(b"\x02", 1 << 20))),
        ("Avro: trees as deep as may be in a frame", framed(&[&[2_u8; 255][..], &[0; 600]].concat())),
        ("Avro: a tree of 2^62 trees in a frame", framed(&long(1 << 62))),
        ("JSON: nested trees", nested("{\"a\":[", "]}", N)),
        ("JSON: trees as deep as may be", nested("{\"a\":[", "]}", 255)),
    ]
}

/// The time that this thread has been computing, where the system tells it; else the time of day. What else the machine does
/// is no fault of a decoder.
fn time_used() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    let told = fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = told.and_then(|told| told.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| START.get_or_init(Instant::now).elapsed(), Duration::from_nanos)
}

/// One at a time, so that the peak is of this content alone.
fn made_to_hurt() {
    let mut wrong = Vec::new();
    let mut measured = |what: &str, how: &str, read: &dyn Fn() -> Result<(), Error>| {
        let before = NOW.load(Ordering::Relaxed);
        PEAK.store(before, Ordering::Relaxed);
        let started = time_used();
        // An error is as good as a success.
        let _ = read();
        let (elapsed, peak) = (time_used() - started, PEAK.load(Ordering::Relaxed) - before);
        println!("{what}: {how}: {} ms, {} MB", elapsed.as_millis(), peak >> 20);
        if elapsed > MOST_TIME || peak > MOST_MEMORY {
            wrong.push(format!("{what}: {how} took {elapsed:?} and {} MB", peak >> 20));
        }
    };
    let readers = Readers::new();
    for (what, content) in hostile() {
        readers.each(&Bytes::from(content), |how, read| measured(what, how, read));
    }
    let derived = [sightings::models(), sightings::trees()].concat();
    for (what, content) in hostile_to_codecs() {
        for model in &derived {
            measured(what, model.format(), &|| model.decode(content.as_slice().into()).map(drop));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// In one test: what is counted is that of the whole program.
#[test]
fn nothing_panics_or_takes_long_or_grows() {
    made_to_hurt();
    let before = NOW.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    truncations();
    flips();
    let peak = PEAK.load(Ordering::Relaxed) - before;
    assert!(peak < MOST_MEMORY, "{} MB", peak >> 20);
}
