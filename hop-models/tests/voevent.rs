//! The reader of XML against another reader, and against what is made to hurt it; and what the typed views say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hop_core::{Content, ErrorKind, Limits, MessageModel};
use hop_models::VoEvent;
use hop_models::voevent::{Cite, Element, Frame, Item, NewGroup, NewParam, Observation, Role, TimeScale};

fn decode(content: &[u8]) -> Result<VoEvent, hop_core::Error> {
    let started = Instant::now();
    let outcome = VoEvent::decode(content.into());
    assert!(started.elapsed() < Duration::from_secs(1), "took {:?}", started.elapsed());
    outcome
}

fn kind(content: &str) -> ErrorKind {
    match decode(content.as_bytes()) {
        Ok(_) => panic!("read: {content}"),
        Err(error) => error.kind(),
    }
}

fn event(inside: &str) -> VoEvent {
    decode(format!("<VOEvent ivorn='ivo://a/b#c'>{inside}</VOEvent>").as_bytes()).unwrap()
}

fn xml_files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            xml_files(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            out.push(path);
        }
    }
}

/// The fixtures, and the corpus where it is there.
fn documents() -> Vec<(PathBuf, Vec<u8>)> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    xml_files(&here.join("../fixtures/voevent"), &mut paths);
    assert!(!paths.is_empty());
    xml_files(&here.join("../../shared/corpus/files/voevent"), &mut paths);
    paths.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// What roxmltree makes of it, `None` where it refuses. It takes UTF-8 alone, and wants prefixes declared.
fn oracle(text: &str) -> Option<roxmltree::Document<'_>> {
    let options = roxmltree::ParsingOptions { allow_dtd: false, ..Default::default() };
    roxmltree::Document::parse_with_options(text, options).ok()
}

/// Element by element: name, attributes and text.
fn same(ours: Element<'_>, theirs: roxmltree::Node<'_, '_>) {
    let mut pending = vec![(ours, theirs)];
    while let Some((ours, theirs)) = pending.pop() {
        assert_eq!(ours.name(), theirs.tag_name().name());
        let mine: Vec<_> =
            ours.attributes().filter(|a| !a.is_declaration()).map(|a| (a.name(), a.value().into_owned())).collect();
        let other: Vec<_> = theirs.attributes().map(|a| (a.name(), a.value().to_owned())).collect();
        assert_eq!(mine, other);
        let text: String = theirs.children().filter(|node| node.is_text()).filter_map(|node| node.text()).collect();
        assert_eq!(ours.text().as_deref().unwrap_or_default(), text.trim());
        let (mine, other): (Vec<_>, Vec<_>) =
            (ours.children().collect(), theirs.children().filter(|node| node.is_element()).collect());
        assert_eq!(mine.len(), other.len());
        pending.extend(mine.into_iter().zip(other));
    }
}

/// Whether both agree: the same content where both read, and no reading of what the other finds malformed.
///
/// Exceptions, all on purpose: white space before the XML declaration, prefixes that are not declared or declared wrongly, which
/// XML without namespaces does not look at, and the version in the XML declaration.
fn agree(content: &[u8]) -> bool {
    let ours = decode(content);
    let Ok(text) = std::str::from_utf8(content) else {
        let declares = content.windows(8).any(|window| window == b"encoding");
        let marked = content.starts_with(&[0xFF, 0xFE]) || content.starts_with(&[0xFE, 0xFF]) || content.contains(&0);
        return ours.is_err() || declares || marked;
    };
    if text.contains('\0') {
        return true;
    }
    let trimmed = text.trim_start_matches('\u{FEFF}').trim_start_matches([' ', '\t', '\r', '\n']);
    match (ours, oracle(trimmed)) {
        (Ok(event), Some(document)) => {
            // A document in another encoding is not the text that its bytes would be in UTF-8.
            if !trimmed.contains("ISO-8859") {
                same(event.root(), document.root_element());
            }
            true
        }
        (Ok(_), None) => {
            // Without prefixes and with a plain declaration there is nothing left for them to disagree on.
            let body =
                trimmed.strip_prefix("<?xml").and_then(|rest| rest.split_once("?>")).map_or(trimmed, |(_, body)| body);
            let plain: String = body.chars().map(|c| if c == ':' { '_' } else { c }).collect();
            let plain = plain.replace("xmlns", "xmlnz");
            oracle(&plain).is_some()
        }
        (Err(_), _) => true,
    }
}

#[test]
fn what_roxmltree_reads_is_read_the_same() {
    let (mut read, mut refused) = (0, 0);
    for (path, content) in documents() {
        assert!(agree(&content), "{}", path.display());
        let text = std::str::from_utf8(&content).unwrap_or_default().trim_start_matches('\u{FEFF}');
        let is_event = oracle(text).is_some_and(|document| document.root_element().tag_name().name() == "VOEvent");
        let outcome = decode(&content);
        if is_event {
            assert!(outcome.is_ok(), "{}: {:?}", path.display(), outcome.err());
        }
        if outcome.is_ok() { read += 1 } else { refused += 1 }
    }
    println!("{read} read, {refused} refused");
}

#[test]
fn no_mutant_is_read_that_roxmltree_finds_malformed() {
    let pieces: [&[u8]; 16] = [
        b"<",
        b">",
        b"&",
        b"\"",
        b"'",
        b"]]>",
        b"--",
        b"<!--",
        b"<![CDATA[",
        b"&#0;",
        b"&lt;",
        b"\x01",
        b"=",
        b"/",
        b"\xFF",
        b"?>",
    ];
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as usize % below.max(1)
    };
    let mut read = 0;
    for (path, content) in documents() {
        for round in 0..150 {
            let mut mutant = content.clone();
            for _ in 0..=random(2) {
                let at = random(mutant.len());
                match random(4) {
                    0 => mutant[at] = random(256) as u8,
                    1 => drop(mutant.remove(at)),
                    2 => mutant.truncate(at.max(1)),
                    _ => drop(mutant.splice(at..at, pieces[random(pieces.len())].iter().copied())),
                }
            }
            read += usize::from(decode(&mutant).is_ok());
            assert!(agree(&mutant), "{} in round {round}:\n{}", path.display(), String::from_utf8_lossy(&mutant));
        }
    }
    assert!(read > 0);
}

#[test]
fn what_is_made_to_exhaust_is_an_error() {
    let nested = |depth: usize| format!("<VOEvent ivorn='x'>{}{}</VOEvent>", "<a>".repeat(depth), "</a>".repeat(depth));
    assert_eq!(kind(&nested(100_000)), ErrorKind::Limit);
    assert_eq!(kind(&"<VOEvent>".repeat(100_000)), ErrorKind::Limit);
    let deep = nested(500);
    assert!(decode(deep.as_bytes()).unwrap().fields().is_ok());
    let limits = Limits { depth: usize::MAX, ..Limits::default() };
    let error = VoEvent::decode(Content::from(nested(5000).as_str()).with_limits(&limits)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Limit);

    let laughs = "<?xml version='1.0'?><!DOCTYPE lolz [<!ENTITY lol 'lol'><!ENTITY lol2 '&lol;&lol;'>]><VOEvent>&lol2;</VOEvent>";
    assert_eq!(kind(laughs), ErrorKind::Unsupported);
    assert_eq!(kind("<VOEvent>&lol;</VOEvent>"), ErrorKind::Malformed);

    let limits = Limits { nodes: 10, ..Limits::default() };
    let many = format!("<VOEvent>{}</VOEvent>", "<a/>".repeat(10));
    assert_eq!(
        VoEvent::decode(Content::from(many.as_str()).with_limits(&limits)).unwrap_err().kind(),
        ErrorKind::Limit
    );
    let limits = Limits { content: 10, ..Limits::default() };
    assert_eq!(
        VoEvent::decode(Content::from(many.as_str()).with_limits(&limits)).unwrap_err().kind(),
        ErrorKind::Limit
    );
}

#[test]
fn what_is_made_to_be_slow_is_not() {
    let attributes: String = (0..100_000).map(|n| format!(" a{n}='1'")).collect();
    let wide = decode(format!("<VOEvent ivorn='x'{attributes}/>").as_bytes()).unwrap();
    let names: String = (0..100_000).map(|n| format!("<a{n}/>")).collect();
    let many = decode(format!("<VOEvent ivorn='x'><What>{names}</What></VOEvent>").as_bytes()).unwrap();
    let same = event(&"<Param name='a' value='&amp;'/>".repeat(100_000));
    let text = event(&format!("<Description>{}</Description>", "a<!-- -->&amp;<b/>".repeat(100_000)));
    for event in [wide, many, same, text] {
        let started = Instant::now();
        event.fields().unwrap();
        assert!(started.elapsed() < Duration::from_secs(1), "took {:?}", started.elapsed());
    }
    assert_eq!(kind(&format!("<VOEvent{attributes} a7='2'/>")), ErrorKind::Malformed);
    assert_eq!(kind(&format!("<VOEvent>{}", "<!--".repeat(100_000))), ErrorKind::Malformed);
    let dashes = "<![CDATA[".repeat(100_000);
    assert_eq!(kind(&format!("<VOEvent>{dashes}")), ErrorKind::Malformed);
}

#[test]
fn other_things_are_called_by_their_names() {
    for (content, said) in [
        (&b"\x1F\x8B\x08\0\0\0"[..], "gzip"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"\n<HTML><body>502 Bad Gateway", "HTML"),
        (b"<?xml version='1.0'?><!DOCTYPE LIGO_LW SYSTEM 'x'><LIGO_LW/>", "LIGO_LW"),
        (b"<LIGO_LW/>", "light-weight"),
        (b"<q:quakeml xmlns:q='u'/>", "QuakeML"),
        (b"<trn:Transport role='iamalive' version='1.0'>", "Transport Protocol"),
        (b"{\"alert_type\": \"INITIAL\"}", "JSON without `ivorn`"),
        (b"{\"ivorn\": 7}", "an integer"),
        (b"[1, 2]", "an array"),
        (b"<?xml version='1.0' encoding='Shift_JIS'?><VOEvent/>", "Shift_JIS"),
        (b"\xFF\xFE\0\0<\0\0\0", "UTF-32"),
    ] {
        let error = decode(content).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let title = decode(b"My template\n<?xml version='1.0'?><VOEvent/>").unwrap_err();
    assert_eq!(
        title.to_string(),
        "voevent: expected `<VOEvent`, or the XML declaration before it, found `My template\\n<?xml version=\\'1.0\\'?…`, at line 1, \
         column 1 (byte 0); take out the text in front of `<?xml`"
    );
    let crossed = decode(b"<VOEvent>\n <What>\n </Who>\n</VOEvent>").unwrap_err();
    assert_eq!(
        crossed.to_string(),
        "voevent: expected `</What>`, found `</Who>\\n</VOEvent>`, at line 3, column 2 (byte 19); it was opened on line 2"
    );
}

#[test]
fn params_groups_and_tables_keep_their_order() {
    let event = event(
        "<What><Param name='a' value='1'/><Group name='g'><Param name='b' value='0x1F' units='m'/></Group>\
         <Param name='c'><Value> 2.5 </Value><Description>d</Description><Reference uri='u'/></Param>\
         <Table name='t'><Field name='x' unit='s'/><Field name='y'/><Data><TR><TD>1</TD><TD/></TR><TR><TD>2</TD></TR></Data></Table>\
         </What>",
    );
    let order: String = event
        .what()
        .unwrap()
        .items()
        .map(|item| match item {
            Item::Param(_) => 'P',
            Item::Group(_) => 'G',
            Item::Table(_) => 'T',
            _ => '?',
        })
        .collect();
    assert_eq!(order, "PGPT");
    assert_eq!(event.params().map(|p| p.name().unwrap().into_owned()).collect::<String>(), "abc");
    assert_eq!(event.top_params().map(|p| p.name().unwrap().into_owned()).collect::<String>(), "ac");
    let b = event.param("g", "b").unwrap();
    assert_eq!((b.as_i64().unwrap(), b.unit().as_deref()), (31, Some("m")));
    let c = event.top_param("c").unwrap();
    assert_eq!((c.as_f64().unwrap(), c.descriptions().count(), c.references().count()), (2.5, 1, 1));
    assert_eq!(b.as_f64().unwrap_err().to_string(), "voevent: expected a number, found `0x1F`, in `Param b`");
    let table = event.what().unwrap().tables().next().unwrap();
    let column: Vec<_> = table.column("y").unwrap().collect();
    assert_eq!(column, [None, None]);
    assert_eq!(table.column("x").unwrap().flatten().collect::<Vec<_>>(), ["1", "2"]);
    assert!(table.column("z").is_none());
}

#[test]
fn where_and_when_are_read_in_degrees_and_utc() {
    let at = |system: &str, coords: &str| {
        event(&format!(
            "<WhereWhen><ObsDataLocation><ObservatoryLocation id='Keck'><AstroCoords><Position3D><Value3><C1>1</C1><C2>2</C2></Value3>\
             </Position3D></AstroCoords></ObservatoryLocation><ObservationLocation><AstroCoordSystem id='{system}'/><AstroCoords>{coords}\
             </AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen>"
        ))
    };
    let plain = at(
        "TT-ICRS-TOPO",
        "<Time unit='s'><TimeInstant><ISOTime>2020-01-01T00:01:09.184</ISOTime></TimeInstant><Error>0.5</Error></Time>\
         <Position2D unit='arcmin'><Name1>RA</Name1><Name2>Dec</Name2><Value2><C1 pos_unit='h'>2</C1><C2>-90</C2></Value2>\
         <Error2Radius>6</Error2Radius></Position2D>",
    );
    let position = plain.position().unwrap().unwrap();
    assert_eq!((position.ra(), position.dec()), (30.0, -1.5));
    assert_eq!((position.radius(), position.stated().frame), (Some(0.1), Frame::Icrs));
    let time = plain.time().unwrap().unwrap();
    assert_eq!((time.scale(), time.error()), (TimeScale::Tt, Some(0.5)));
    assert_eq!(time.utc().unwrap().to_string(), "2020-01-01T00:00:00Z");
    assert_eq!(plain.where_when().unwrap().observatory().as_deref(), Some("Keck"));

    assert_eq!(at("UTC-FK5-GEO", "").position().unwrap(), None);
    assert_eq!(at("UTC-FK5-GEO", "").time().unwrap(), None);
    let swapped = at(
        "FK5-UTC-GEO",
        "<Position2D><Name1>Dec</Name1><Name2>RA</Name2><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>",
    );
    let position = swapped.position().unwrap().unwrap();
    assert_eq!((position.stated().longitude, position.radius(), position.stated().frame), (2.0, None, Frame::J2000));
    for (system, coords, kind) in [
        (
            "UTC-FK5-GEO",
            "<Position2D unit='pc'><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>",
            ErrorKind::Unsupported,
        ),
        (
            "UTC-SUPERGALACTIC-GEO",
            "<Position2D><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>",
            ErrorKind::Unsupported,
        ),
        (
            "UTC-GALACTIC-GEO",
            "<Position2D><Name1>RA</Name1><Name2>Dec</Name2><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>",
            ErrorKind::Unsupported,
        ),
        (
            "UTC-FK5-GEO",
            "<Position2D><Name1>Az</Name1><Name2>El</Name2><Value2><C1>1</C1><C2>2</C2></Value2></Position2D>",
            ErrorKind::Unsupported,
        ),
        ("UTC-FK5-GEO", "<Position2D><Value2><C1>1</C1></Value2></Position2D>", ErrorKind::Invalid),
        ("UTC-FK5-GEO", "<Position2D><Value2><C1>1h</C1><C2>2</C2></Value2></Position2D>", ErrorKind::Invalid),
    ] {
        assert_eq!(at(system, coords).position().unwrap_err().kind(), kind);
    }
    let flat = event(
        "<WhereWhen type='simple'><Ra units='deg'><Coord>12.5</Coord><Error value='6' units='arcmin'/></Ra><Dec units='deg'>\
         <Coord>-30.25</Coord></Dec><Time><Value>2005-06-01T23:59:59</Value><Error value='30' units='s'/></Time></WhereWhen>",
    );
    assert_eq!(flat.position().unwrap().unwrap().radius(), Some(0.1));
    assert_eq!(flat.time().unwrap().unwrap().error(), Some(30.0));
}

#[test]
fn every_real_event_answers() {
    let mut positions = 0;
    for (path, content) in documents() {
        let Ok(event) = decode(&content) else { continue };
        assert!(event.ivorn().is_some(), "{}", path.display());
        match event.position() {
            Ok(position) => positions += usize::from(position.is_some()),
            // Raw notices of the IPN have -1 for everything that is not known.
            Err(error) => assert!(error.to_string().contains("`-1`"), "{}: {error}", path.display()),
        }
        if let Err(error) = event.time() {
            // The placeholder of a template.
            assert!(error.to_string().contains("`["), "{}: {error}", path.display());
        }
        for citation in event.citations().into_iter().flat_map(|citations| citations.events()) {
            assert!(citation.cite().is_some(), "{}", path.display());
        }
        let why = event.why().map(|why| why.importance());
        assert!(why.is_none_or(|importance| importance.is_ok()), "{}", path.display());
    }
    println!("{positions} positions");
}

#[test]
fn a_built_event_says_what_was_put_in() {
    let time = "2026-01-31T04:05:06.25Z".parse().unwrap();
    let event = VoEvent::builder("ivo://a/b#c", Role::Test)
        .author_ivorn("ivo://a")
        .date(time)
        .title("A & B")
        .contact_name("Zoë <z>")
        .param(NewParam::new("mag", 17.25).unit("mag").ucd("phot.mag").data_type("float").description("\"AB\"\r\nnew"))
        .group(NewGroup::new("g").kind("t").param(NewParam::new("n", "a\tb\nc ")))
        .param(NewParam::new("last", true))
        .observation(Observation::new(time, 150.1, -2.5, 1e-7).time_error(0.1).frame(Frame::J2000).observatory("Keck"))
        .how_description("a camera")
        .how_reference("https://example.org/?a=1&b=2")
        .importance(0.5)
        .expires(time)
        .concept("c")
        .name("n")
        .citation(Cite::Supersedes, "ivo://a/b#b")
        .description("d")
        .reference("https://example.org/")
        .build()
        .unwrap();
    let again = VoEvent::load((&event.dump().unwrap()).into()).unwrap();
    assert_eq!(again.fields().unwrap(), event.fields().unwrap());
    assert_eq!(event.top_param("mag").unwrap().as_f64().unwrap(), 17.25);
    assert_eq!(event.top_param("mag").unwrap().descriptions().next().as_deref(), Some("\"AB\"\r\nnew"));
    assert_eq!(event.param("g", "n").unwrap().value().as_deref(), Some("a\tb\nc "));
    assert!(event.top_param("last").unwrap().as_bool().unwrap());
    let position = event.position().unwrap().unwrap();
    assert_eq!(
        (position.stated().longitude, position.radius(), position.stated().frame),
        (150.1, Some(1e-7), Frame::J2000)
    );
    assert_eq!(event.time().unwrap().unwrap().utc().unwrap(), time);
    assert_eq!(event.who().unwrap().author().unwrap().contact_name().as_deref(), Some("Zoë <z>"));
    assert_eq!(event.citations().unwrap().events().next().unwrap().cite(), Some(Cite::Supersedes));
    let strict = roxmltree::Document::parse(std::str::from_utf8(event.as_bytes()).unwrap()).unwrap();
    assert_eq!(strict.root_element().tag_name().namespace(), Some("http://www.ivoa.net/xml/VOEvent/v2.0"));
}

#[test]
fn what_voevent_does_not_allow_is_not_built() {
    let time = "2026-01-31T04:05:06.25Z".parse().unwrap();
    let before_christ = "-000001-01-01T00:00:00Z".parse().unwrap();
    let start = || VoEvent::builder("ivo://a/b#c", Role::Test);
    for builder in [
        VoEvent::builder("a", Role::Test),
        VoEvent::builder("ivo://a/b#c", Role::Other("observe".into())),
        start().importance(f64::NAN),
        start().observation(Observation::new(time, f64::INFINITY, 0.0, 1.0)),
        start().observation(Observation::new(time, 0.0, 0.0, 1.0).frame(Frame::B1950)),
        start().group(NewGroup::new("empty")),
        start().description("\u{1}"),
        start().observation(Observation::new(time, 0.0, 90.5, 1.0)),
        start().observation(Observation::new(time, 0.0, 0.0, -1.0)),
        start().observation(Observation::new(time, 0.0, 0.0, 1.0).time_error(-1.0)),
        start().citation(Cite::Other("see-also".into()), "ivo://a/b#b"),
        start().param(NewParam::new("x", 1).data_type("double")),
        start().date(before_christ),
        start().expires(before_christ).concept("c"),
        start().observation(Observation::new(before_christ, 0.0, 0.0, 1.0)),
        VoEvent::builder("ivo://a/b#%zz", Role::Test),
        start().author_ivorn("ivo://a#b#c"),
        start().reference("1:a"),
        start().how_reference("http://host:port/"),
    ] {
        assert_eq!(builder.build().unwrap_err().kind(), ErrorKind::Unencodable);
    }
}

#[test]
fn what_is_built_is_valid() {
    let importance = VoEvent::builder("ivo://a/b#c", Role::Test).importance(0.6).build().unwrap();
    assert_eq!(importance.validate(), []);
    assert_eq!(importance.why().unwrap().importance().unwrap(), Some(0.6));
}

#[test]
fn violations_have_a_path_and_a_line() {
    for (file, expected) in [
        (
            include_str!("data/builder/cite-other.xml"),
            "4:6: VOEvent/Citations/EventIVORN/@cite: `cite` has to be `followup`, `supersedes` or `retraction`, not `see-also`",
        ),
        (
            include_str!("data/builder/data-type-double.xml"),
            "4:6: VOEvent/What/Param/@dataType: `dataType` has to be `string`, `float` or `int`, not `double`",
        ),
        (
            include_str!("data/builder/date-before-year-1.xml"),
            "4:6: VOEvent/Who/Date: `Date` has to be a date and time such as `2026-01-31T04:05:06Z`, not `-000001-01-01T00:00:00Z`",
        ),
        (
            include_str!("data/builder/importance-alone.xml"),
            "3:4: VOEvent/Why: `Why` has to hold at least one of `Name`, `Concept`, `Inference`, `Description` and `Reference`",
        ),
        (
            include_str!("data/builder/ivorn-not-a-uri.xml"),
            "2:2: VOEvent/@ivorn: `ivorn` has to be a URI, not `ivo://a/b#%zz`",
        ),
    ] {
        let found: Vec<_> = decode(file.as_bytes()).unwrap().validate().iter().map(ToString::to_string).collect();
        assert_eq!(found, [expected]);
    }
    let event = decode(b"<VOEvent ivorn='a' version='2.0'><Who/><Who/><X/>t<Why>x<Name/></Why></VOEvent>").unwrap();
    let paths: Vec<_> = event.validate().iter().map(|violation| violation.path().to_owned()).collect();
    assert_eq!(paths, ["VOEvent", "VOEvent", "VOEvent", "VOEvent", "VOEvent/Why"]);
}

#[test]
fn events_and_files_compare() {
    let read = |text: &str| decode(text.as_bytes()).unwrap();
    assert_eq!(read("<VOEvent ivorn='a'/>"), read("<VOEvent ivorn='a'/>"));
    assert_ne!(read("<VOEvent ivorn='a'/>"), read("<VOEvent ivorn='b'/>"));
    assert_ne!(read(r#"{"ivorn": "a", "version": "2.0"}"#), read(r#"{"ivorn": "a", "version": "2.1"}"#));
    let blob = |value: i64| hop_models::AvroBlob::new(hop_core::Value::object([("a", value.into())]));
    assert_eq!(blob(1), blob(1));
    assert_ne!(blob(1), blob(2));
    let again = hop_models::AvroBlob::decode((&blob(1).encode().unwrap()).into()).unwrap();
    assert_eq!(again, blob(1));
}

#[test]
fn a_dictionary_becomes_an_event_and_the_same_dictionary_again() {
    for (path, content) in documents() {
        let Ok(event) = decode(&content) else { continue };
        let fields = event.fields().unwrap();
        let again = VoEvent::from_fields(fields.clone()).unwrap();
        assert_eq!(again.fields().unwrap(), fields, "{}", path.display());
        let xml = again.encode().unwrap();
        assert!(oracle(std::str::from_utf8(&xml).unwrap()).is_some(), "{}", path.display());
        let read = VoEvent::decode((&xml).into()).unwrap();
        assert_eq!(read.fields().unwrap(), fields, "{}", path.display());
        assert_eq!(read.position().ok(), event.position().ok(), "{}", path.display());
        let json = VoEvent::decode(fields.to_json().unwrap().as_slice().into()).unwrap();
        assert_eq!(json.fields().unwrap(), fields, "{}", path.display());
    }
}

#[test]
fn json_that_xml_cannot_hold_is_read_or_refused_and_never_lost() {
    let read =
        decode(br#"{"ivorn": "ivo://a/b#c", "Description": "a\u0001b\ud800", "Why": {"importance": 0.5, "n": NaN}}"#)
            .unwrap();
    assert_eq!(read.fields().unwrap()["Why"]["importance"].as_f64(), Some(0.5));
    assert_eq!(read.description().as_deref(), Some("a\u{FFFD}b\u{FFFD}"));
    assert_eq!(read.why().unwrap().importance().unwrap(), Some(0.5));
    for name in ["a b", "", "<x", "1", "@id"] {
        let error = decode(format!(r#"{{"ivorn": "i", "What": {{"{name}": 1}}}}"#).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
    assert_eq!(kind(r#"{"ivorn": "i", "alert": 1}"#), ErrorKind::Unsupported);
    assert_eq!(kind(r#"{"ivorn": "i""#), ErrorKind::Malformed);
    let deep = format!(r#"{{"ivorn": "i", "What": {}1{}}}"#, r#"{"a": "#.repeat(100_000), "}".repeat(100_000));
    assert_eq!(kind(&deep), ErrorKind::Limit);
}

/// Printed, not judged: `cargo test --release -p hop-models --test voevent -- --ignored --nocapture`.
#[test]
#[ignore = "measures"]
fn speed() {
    let registry = hop_core::Registry::builder().models(hop_models::MODELS).build().unwrap();
    let headers: hop_core::Headers = [("_format", Some("voevent"))].into_iter().collect();
    for (path, content) in documents().into_iter().filter(|(_, content)| (5900..6100).contains(&content.len())) {
        let content = bytes::Bytes::from(content);
        // The best of many short runs: what else the machine does only adds to them.
        let rounds = 50;
        let measure = |fields: fn(&VoEvent) -> f64| {
            let run = || {
                let started = Instant::now();
                let mut sum = 0.0;
                for _ in 0..rounds {
                    let decoded = registry.decode(&headers, (&content).into()).unwrap();
                    sum += fields(decoded.model.downcast_ref::<VoEvent>().unwrap());
                }
                assert!(sum >= 0.0);
                started.elapsed() / rounds
            };
            (0..2000).map(|_| run()).min().unwrap()
        };
        let decoded = measure(|_| 0.0);
        let read = measure(|event| {
            let position = event.position().ok().flatten().map_or(0.0, |position| position.ra());
            let time = event
                .time()
                .ok()
                .flatten()
                .and_then(|time| time.utc().ok())
                .map_or(0.0, |time| time.as_second() as f64);
            let ivorn = event.ivorn().map_or(0, |ivorn| ivorn.len());
            let test = f64::from(u8::from(event.role() == Role::Test));
            let far = event.top_param("FAR").and_then(|param| param.as_f64().ok()).unwrap_or_default();
            position.abs() + time + ivorn as f64 + test + far
        });
        let dictionary = measure(|event| f64::from(u8::from(event.fields().is_ok())));
        println!(
            "{} B: decode {decoded:?}, with fields read {read:?}, with the dictionary {dictionary:?} {}",
            content.len(),
            path.display()
        );
    }
}
