//! Positions and times of notices and events: the right values of small inputs that were once read wrongly, and neighbours.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use hop_core::sky::{Frame, Region};
use hop_core::{Error, MessageModel};
use hop_models::voevent::{Position, Time};
use hop_models::{TextNotice, VoEvent};

fn notice(text: &str) -> TextNotice {
    TextNotice::decode(text.into()).unwrap()
}

/// A position as given, in degrees.
fn given(position: Option<Position>) -> Option<(f64, f64)> {
    position.map(|position| (position.stated().longitude, position.stated().latitude))
}

fn shown(time: Option<Time>) -> Option<String> {
    time.map(|time| time.to_string())
}

#[test]
fn where_a_telescope_points_is_no_event() {
    let pointing = notice(include_str!("data/notice/pointing.txt"));
    assert_eq!((pointing.position(), given(pointing.pointing())), (None, Some((210.0, 12.0))));
    assert_eq!(shown(pointing.event_time()).as_deref(), Some("2016-03-11T11:59:50Z"));

    let next = notice(include_str!("data/notice/next-pointing.txt"));
    assert_eq!((next.position(), next.event_time(), next.observation_start()), (None, None, None));
    assert_eq!(given(next.pointing()), Some((200.1, -10.2)));
    assert_eq!(shown(next.pointing_time()).as_deref(), Some("2026-01-01T00:01:00Z"));

    for prefix in ["SC", "CURR_POINT", "TGT", "BORESIGHT", "SUN", "MOON", "BAT_POINT", "IMG", "SLEW", "OBS", "STAR"] {
        let text =
            format!("TITLE: x\n{prefix}_RA: 10.0d (J2000)\n{prefix}_DEC: 20.0d (J2000)\n{prefix}_ERROR: 3 [deg]\n");
        let notice = notice(&text);
        assert_eq!((notice.position(), notice.position_error()), (None, None), "{prefix}");
    }
    // The event is not what comes first.
    let both = notice(
        "SC_RA: 1d (J2000)\nSC_DEC: 2d (J2000)\nGRB_RA: 3d (J2000)\nGRB_DEC: 4d (J2000)\nGRB_ERROR: 6 [arcmin]\n",
    );
    assert_eq!((given(both.position()), both.position_error()), (Some((3.0, 4.0)), Some(0.1)));
    for prefix in ["GRB", "SRC", "EVENT", "EVT", "TRIGGER", "TRANS", "DISCOVERY", "CNTRPART", "BURST", "LENS", "Src"] {
        let text = format!(
            "TITLE: x\n{prefix}_RA: 10.0d (J2000)\n{prefix}_DEC: 20.0d (J2000)\n{prefix}_DATE: 20321 TJD\n{prefix}_TIME: 1.5 SOD UT\n"
        );
        let notice = notice(&text);
        assert_eq!(given(notice.position()), Some((10.0, 20.0)), "{prefix}");
        assert_eq!(shown(notice.event_time()).as_deref(), Some("2024-01-12T00:00:01.5Z"), "{prefix}");
    }
}

#[test]
fn when_an_observation_began_is_not_when_the_event_was() {
    let image = notice(include_str!("data/notice/image-start.txt"));
    assert_eq!(shown(image.event_time()).as_deref(), Some("2016-12-23T19:01:26.63Z"));
    assert_eq!(shown(image.observation_start()).as_deref(), Some("2016-12-23T19:13:08.53Z"));

    for prefix in ["OBS", "IMG_START", "OBS_START", "BKG", "SLEW", "NOTICE", "MAX", "EXP_START"] {
        let text = format!(
            "TITLE: x\n{prefix}_DATE: 20321 TJD; 12 DOY; 24/01/12\n{prefix}_TIME: 1.00 SOD {{00:00:01.00}} UT\n"
        );
        assert_eq!(notice(&text).event_time(), None, "{prefix}");
    }
    let second_60 = notice("GRB_DATE: 24/01/12\nGRB_TIME: 60.00 SOD {00:00:60.00} UT\n");
    assert_eq!(shown(second_60.event_time()).as_deref(), Some("2024-01-12T00:01:00Z"));
    let leap = notice("GRB_DATE: 16/12/31\nGRB_TIME: 86400.50 SOD {23:59:60.50} UT\n");
    assert_eq!(shown(leap.event_time()).as_deref(), Some("2016-12-31T23:59:60.5Z"));
    let seconds = notice("GRB_DATE: 16/12/31\nGRB_TIME: 86400.50 SOD\n");
    assert_eq!(shown(seconds.event_time()).as_deref(), Some("2016-12-31T23:59:60.5Z"));
    for (time, expected) in [
        ("24:00:00.00 UT", "2024-01-13T00:00:00Z"),
        ("69.184 SOD {00:01:09.184} TT", "2024-01-12T00:00:00Z"),
        ("69.184 SOD TT", "2024-01-12T00:00:00Z"),
        ("05:43:04.96 UT, trigger time", "2024-01-12T05:43:04.96Z"),
    ] {
        let notice = notice(&format!("GRB_DATE: 20321 TJD; 12 DOY; 24/01/12\nGRB_TIME: {time}\n"));
        assert_eq!(shown(notice.event_time()).as_deref(), Some(expected), "{time}");
    }
    let iso = notice("EVENT_TIME: 2024-01-12T05:43:04.96\n");
    assert_eq!(shown(iso.event_time()).as_deref(), Some("2024-01-12T05:43:04.96Z"));
}

#[test]
fn trigger_numbers_and_errors_have_many_names() {
    let gecam = notice(include_str!("data/notice/gecam.txt"));
    assert_eq!(gecam.trigger_number().as_deref(), Some("18"));
    assert_eq!(gecam.position_error(), Some(9.83));
    assert_eq!(gecam.position_errors(), [Region::Circle { radius: 9.83, confidence: Some(0.68) }]);
    assert_eq!(gecam.position().unwrap().region(), Some(Region::Circle { radius: 9.83, confidence: Some(0.68) }));

    for (line, number) in [
        ("TRIGGER_NUM: 728094, Seg_Num: 0", Some("728094")),
        ("TRIGGER_NUMBER: 18", Some("18")),
        ("EVENT_TRIG_NUM: S190412", Some("S190412")),
        ("EVENT_NUM: 14780365", Some("14780365")),
        ("TRIG_NUM: 7", Some("7")),
        ("EVENT_ID_NUM: 8123", Some("8123")),
        ("TRANS_NUM: 1", Some("1")),
        ("TRIGGER_NUM:", None),
        ("RECORD_NUM: 3", None),
        ("TRIGGER_ID: 0x10", None),
    ] {
        assert_eq!(notice(line).trigger_number().as_deref(), number, "{line}");
    }
    for (line, radius, confidence) in [
        ("SRC_ERROR: 30.80 [arcmin radius, stat-only, 90% containment]", 30.80 / 60.0, Some(0.9)),
        ("SRC_ERROR50: 12.00 [arcmin radius, stat-only, 50% containment]", 0.2, Some(0.5)),
        ("SRC_ERROR90: 1.5 [deg]", 1.5, Some(0.9)),
        ("SRC_ERROR95: 36 [arcsec, radius]", 0.01, Some(0.95)),
        ("SRC_ERROR: 7.2 [arcsec, radius]", 7.2 / 3600.0, None),
        ("SRC_ERROR: 2 deg", 2.0, None),
        ("SRC_ERROR: 3.00' radius", 0.05, None),
        ("SRC_ERROR: 36\"", 0.01, None),
        ("SRC_ERROR: 6.0 [arc min radius, 1-sigma]", 0.1, None),
        ("SRC_ERROR99: 1.5 [deg]", 1.5, Some(0.99)),
        ("SRC_ERROR_90: 1.5 [deg]", 1.5, Some(0.9)),
    ] {
        let notice = notice(&format!("SRC_RA: 1d (J2000)\nSRC_DEC: 2d (J2000)\n{line}\n"));
        assert_eq!(notice.position_errors(), [Region::Circle { radius, confidence }], "{line}");
    }
}

#[test]
fn an_error_that_is_no_length_is_none() {
    for line in
        ["SRC_ERROR: -1.0 [deg]", "SRC_ERROR: nan [deg]", "SRC_ERROR: inf [deg]", "SRC_ERROR: 3", "SRC_ERROR: 1 [ct/s]"]
    {
        let notice = notice(&format!("SRC_RA: 1d (J2000)\nSRC_DEC: 2d (J2000)\n{line}\n"));
        assert_eq!((notice.position_error(), given(notice.position())), (None, Some((1.0, 2.0))), "{line}");
    }
}

#[test]
fn a_position_is_in_the_frame_that_is_stated() {
    for (mark, frame) in [
        ("(J2000)", Frame::J2000),
        ("(J2000.0)", Frame::J2000),
        ("(2000)", Frame::J2000),
        ("J2000", Frame::J2000),
        ("(FK5)", Frame::J2000),
        ("(ICRS)", Frame::Icrs),
        ("(1950)", Frame::B1950),
        ("(B1950.0)", Frame::B1950),
        ("(FK4)", Frame::B1950),
        ("[B1950]", Frame::B1950),
    ] {
        let notice =
            notice(&format!("GRB_RA: 10.0d {{+00h 40m 00s}} {mark}\nGRB_DEC: -20.5d {{-20d 30' 00\"}} {mark}\n"));
        let position = notice.position().unwrap();
        assert_eq!((position.stated().frame, given(Some(position))), (frame, Some((10.0, -20.5))), "{mark}");
    }
    // J2000 goes before 1950, and a frame of one coordinate alone is none.
    let both = notice("GRB_RA: 9d (1950), 10d (J2000)\nGRB_DEC: 19d (1950), 20d (J2000)\n");
    assert_eq!(given(both.position()), Some((10.0, 20.0)));
    assert_eq!(notice("GRB_RA: 9d (1950)\nGRB_DEC: 19d (J2000)\n").position(), None);
    // The Crab, as astropy 8.0.2 has it.
    let crab = notice("SRC_RA: 05 31 31.4 (1950)\nSRC_DEC: +21 58 54.4 (1950)\n").position().unwrap();
    assert!((crab.ra() - 83.633_092_29).abs() < 1e-8 && (crab.dec() - 22.014_468_81).abs() < 1e-8, "{crab}");
}

#[test]
fn an_event_has_the_names_that_a_notice_states() {
    for (text, names) in [
        ("EVENT_NAME: IceCubeCascade-230416A", &["IceCube-Cascade 230416A"][..]),
        ("EVENT_NAME: icecube-230416a\nTRIGGER_NUM: 13", &["IceCube-230416A"]),
        ("TRIGGER_NUM: S200316bj", &["S200316bj"]),
        ("SRC_NAME: Cyg X-1", &["Cyg X-1"]),
        ("TGT_NAME: Sgr A*\nTRIGGER_NUM: 728094", &[]),
    ] {
        assert_eq!(notice(text).event_names(), names, "{text}");
    }
}

#[test]
fn three_numbers_are_never_whole_degrees() {
    let spaced = notice(include_str!("data/notice/sexagesimal-spaces.txt"));
    let (ra, dec) = given(spaced.position()).unwrap();
    assert!((ra - 188.73625).abs() < 1e-9 && (dec + 1.034_166_666_7).abs() < 1e-9, "{ra} {dec}");
    for (ra, dec, expected) in [
        ("12:34:56.7", "-01:02:03", Some((188.73625, -1.034_166_666_7))),
        ("12h 34m 56.7s", "-01d 02m 03s", Some((188.73625, -1.034_166_666_7))),
        ("12h34m56.7s", "-00d 30' 00\"", Some((188.73625, -0.5))),
        ("188.73625d", "-00 30 00", Some((188.73625, -0.5))),
        ("188.73625", "+0.5", Some((188.73625, 0.5))),
        ("188.73625 deg", "0.5 [deg]", Some((188.73625, 0.5))),
        ("12 34.5", "-00 30.5", Some((188.625, -0.508_333_333_3))),
        ("12\u{2009}34\u{2009}56.7", "\u{2212}00 30 00", Some((188.73625, -0.5))),
        ("12 34 60", "0", None),
        ("12:34 56.7", "0", None),
        ("12 99 56.7", "0", None),
        ("1 2 3 4", "0", None),
        ("10d", "12 h", None),
        ("10d", "91d", None),
        ("Undefined", "0", None),
    ] {
        let notice = notice(&format!("GRB_RA: {ra} (J2000)\nGRB_DEC: {dec} (J2000)\n"));
        let found = given(notice.position());
        let same = match (found, expected) {
            (Some(found), Some(expected)) => (found.0 - expected.0).abs() < 1e-9 && (found.1 - expected.1).abs() < 1e-9,
            (found, expected) => found == expected,
        };
        assert!(same, "{ra} {dec}: {found:?}");
    }
    // Only another equinox is stated.
    let old = notice("GRB_RA: 259.109d (1950)\nGRB_DEC: -24.960d (1950)\n").position().unwrap();
    assert_eq!(old.stated().frame, Frame::B1950);
    assert!((old.ra() - 259.877).abs() < 0.002 && (old.dec() + 25.010).abs() < 0.002, "{old}");
    let current =
        notice("NOTICE_DATE: Fri 23 Dec 16 19:11:18 UT\nGRB_RA: 260.138d (current)\nGRB_DEC: -25.027d (current)\n");
    let current = current.position().unwrap();
    assert!((current.ra() - 259.877).abs() < 0.002 && (current.dec() + 25.010).abs() < 0.002, "{current}");
    assert_eq!(notice("GRB_RA: 1d\nGRB_DEC: 2d\n").position(), None);
}

fn event(xml: &str) -> VoEvent {
    VoEvent::decode(xml.into()).unwrap()
}

/// An event with this in its `<AstroCoords>`.
fn at(coords: &str) -> VoEvent {
    event(&format!(
        "<VOEvent><WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords coord_system_id='UTC-ICRS-TOPO'>{coords}\
         </AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen></VOEvent>"
    ))
}

fn time(attributes: &str, inner: &str) -> Result<Option<Time>, Error> {
    at(&format!("<Time {attributes}>{inner}</Time>")).time()
}

#[test]
fn times_are_the_instants_that_were_meant() {
    for (file, expected) in [
        (include_str!("data/voevent/second-60.xml"), "2026-01-31T04:06:00Z"),
        (include_str!("data/voevent/second-60-5.xml"), "2026-01-01T04:09:00.5Z"),
        (include_str!("data/voevent/t4-offset.xml"), "2026-01-31T05:05:06Z"),
    ] {
        let time = event(file).time().unwrap().unwrap();
        assert_eq!((time.to_string(), time.utc().unwrap().to_string()), (expected.to_owned(), expected.to_owned()));
    }
    let minutes = event(include_str!("data/voevent/t3-error-minutes.xml"));
    assert_eq!(minutes.time().unwrap().unwrap().error(), Some(300.0));

    for (unit, inner, expected) in [
        ("", "<ISOTime>2026-01-31T24:00:00</ISOTime>", "2026-02-01T00:00:00Z"),
        ("", "<ISOTime>2016-12-31T23:59:60.25</ISOTime>", "2016-12-31T23:59:60.25Z"),
        ("", "<ISOTime>2026-12-31T23:59:60</ISOTime>", "2027-01-01T00:00:00Z"),
        ("unit='d'", "<ISOTime>2026-01-31T00:00:00</ISOTime><TimeOffset>1.5</TimeOffset>", "2026-02-01T12:00:00Z"),
        ("", "<ISOTime>2026-01-31T00:00:00</ISOTime><TimeOffset>-0.5</TimeOffset>", "2026-01-30T23:59:59.5Z"),
        ("", "<ISOTime>2026-01-31T00:00:00</ISOTime><TimeOffset/>", "2026-01-31T00:00:00Z"),
        ("", "<MJDTime>51544.5</MJDTime>", "2000-01-01T12:00:00Z"),
        ("", "<JDTime>2451545.0</JDTime>", "2000-01-01T12:00:00Z"),
        ("", "<ISOTime>2015-06-30T23:59:60.75</ISOTime>", "2015-06-30T23:59:60.75Z"),
        ("", "<ISOTime>2026-01-31T04:05:60+05:30</ISOTime>", "2026-01-30T22:36:00Z"),
        (
            "unit='min'",
            "<ISOTime>2026-01-31T00:00:00</ISOTime><TimeOffset unit='s'>60</TimeOffset>",
            "2026-01-31T00:01:00Z",
        ),
        ("unit='h'", "<ISOTime>2026-01-31T23:59:60</ISOTime><TimeOffset>-1</TimeOffset>", "2026-01-31T23:00:00Z"),
    ] {
        let read = time(unit, &format!("<TimeInstant>{inner}</TimeInstant>")).unwrap();
        assert_eq!(shown(read).as_deref(), Some(expected), "{inner}");
    }
    for (unit, error, expected) in [
        ("unit='s'", "5", Some(5.0)),
        ("", "5", Some(5.0)),
        ("unit='min'", "2", Some(120.0)),
        ("unit='h'", "1", Some(3600.0)),
        ("unit='ms'", "250", Some(0.25)),
        ("unit='d'", "1", Some(86_400.0)),
        ("unit='s'", "-1", None),
        ("unit='s'", "NaN", None),
        ("unit='s'", "1e999", None),
        ("unit='furlong'", "1", None),
    ] {
        let inner = format!("<TimeInstant><ISOTime>2026-01-31T00:00:00</ISOTime></TimeInstant><Error>{error}</Error>");
        match (time(unit, &inner), expected) {
            (Ok(Some(time)), Some(expected)) => assert_eq!(time.error(), Some(expected), "{unit} {error}"),
            (Err(found), None) => {
                let quoted = found.to_string();
                assert!(quoted.contains(&format!("`{error}`")) || quoted.contains("furlong"), "{quoted}");
            }
            (found, _) => panic!("{unit} {error}: {found:?}"),
        }
    }
    for offset in ["NaN", "inf", "1 hour", "1e300"] {
        let inner = format!(
            "<TimeInstant><ISOTime>2026-01-31T00:00:00</ISOTime><TimeOffset>{offset}</TimeOffset></TimeInstant>"
        );
        assert!(time("unit='s'", &inner).is_err(), "{offset}");
    }
    for text in ["2026-01-31T04:05:61", "2026-01-31T24:00:01", "2026-02-30T00:00:00", "2026-01-31T25:00:00", "soon"] {
        let error = time("", &format!("<TimeInstant><ISOTime>{text}</ISOTime></TimeInstant>")).unwrap_err();
        assert!(error.to_string().contains(&format!("`{text}`")), "{error}");
    }
}

#[test]
fn positions_have_a_unit_for_each_axis() {
    let hours = event(include_str!("data/voevent/p1-h-deg.xml")).position().unwrap().unwrap();
    assert_eq!((given(Some(hours)), hours.radius()), (Some((10.5, -20.25)), Some(0.1)));

    let position = |unit: &str, c1: &str, c2: &str, rest: &str| {
        at(&format!("<Position2D {unit}><Value2><C1>{c1}</C1><C2>{c2}</C2></Value2>{rest}</Position2D>")).position()
    };
    for (unit, c1, c2, expected) in [
        ("unit='deg'", "10.5", "-20.25", (10.5, -20.25)),
        ("unit='deg-deg-m'", "10.5", "-20.25", (10.5, -20.25)),
        ("unit='h deg'", "0.7", "-20.25", (10.5, -20.25)),
        ("unit='h, arcmin'", "0.7", "-1215", (10.5, -20.25)),
        ("unit='rad rad'", "0.1832595714594046", "-0.35342917352885173", (10.5, -20.25)),
        ("unit='arcsec'", "37800", "-72900", (10.5, -20.25)),
        ("unit='h:m:s d:m:s'", "00:42:00", "-20:15:00", (10.5, -20.25)),
        ("unit='hms dms'", "0 42 0", "-20 15 0", (10.5, -20.25)),
        ("unit='deg'", "0h42m00s", "-20d15m00s", (10.5, -20.25)),
        ("unit='h deg'", "00:42:00", "-20:15:00", (10.5, -20.25)),
    ] {
        let (ra, dec) = given(position(unit, c1, c2, "").unwrap()).unwrap();
        assert!((ra - expected.0).abs() < 1e-9 && (dec - expected.1).abs() < 1e-9, "{unit} {c1} {c2}: {ra} {dec}");
    }
    // Letters say what a coordinate is in, whatever the unit.
    let letters = position("unit='h deg'", "10d30m00s", "-20d15m00s", "").unwrap();
    assert_eq!(given(letters), Some((10.5, -20.25)));
    let swapped =
        at("<Position2D unit='deg h'><Name1>Dec</Name1><Name2>RA</Name2><Value2><C1>-20.25</C1><C2>0.7</C2></Value2>\
                      </Position2D>");
    assert_eq!(given(swapped.position().unwrap()), Some((10.5, -20.25)));

    let refused = |unit: &str, c1: &str, c2: &str, rest: &str, quoted: &str| {
        let error = position(unit, c1, c2, rest).unwrap_err().to_string();
        assert!(error.contains(quoted), "{error}");
    };
    let nan = event(include_str!("data/voevent/p2-nan.xml")).position().unwrap_err().to_string();
    assert!(nan.contains("`NaN`"), "{nan}");
    refused("", "1", "inf", "", "`inf`");
    refused("", "1e999", "1", "", "`1e999`");
    refused("", "1", "90.5", "", "90.5");
    refused("", "361", "1", "", "361");
    refused("", "1", "2", "<Error2Radius>-1</Error2Radius>", "-1");
    refused("", "1", "2", "<Error2Radius>NaN</Error2Radius>", "`NaN`");
    refused("unit='h'", "1", "2", "", "`h`");
    refused("unit='deg'", "10:42:00", "2", "", "`10:42:00`");
    refused("unit='pc'", "1", "2", "", "`pc`");
    refused("unit='deg h'", "1", "2", "", "`deg h`");
    refused("unit='h deg'", "24.1", "2", "", "361.5");
    refused("unit='hms dms'", "12:34:60", "2", "", "`12:34:60`");
    refused("", "1", "-90.0001", "", "-90.0001");
    refused("", "0x10", "1", "", "`0x10`");
    refused("", "10,5", "1", "", "`10,5`");
    refused("", "1", "2", "<Error2Radius>-0.001</Error2Radius>", "-0.001");
    refused("", "1", "2", "<Error2><C1>-0.5</C1><C2>1</C2></Error2>", "-0.5");
    refused("", "1", "2", "<Error2><C1>NaN</C1><C2>1</C2></Error2>", "`NaN`");
    refused("", "1", "2", "<Error2><C1>1</C1><C2>1</C2><PosAngle>inf</PosAngle></Error2>", "`inf`");
    refused("", "", "2", "", "``");
}

#[test]
fn longitudes_and_latitudes_are_galactic_or_ecliptic() {
    let at = |system: &str, inner: &str| {
        event(&format!(
            "<VOEvent><WhereWhen><ObsDataLocation><ObservationLocation><AstroCoords coord_system_id='{system}'><Position2D \
             unit='deg'>{inner}</Position2D></AstroCoords></ObservationLocation></ObsDataLocation></WhereWhen></VOEvent>"
        ))
        .position()
        .unwrap()
        .unwrap()
    };
    // As astropy 8.0.2 has them.
    let crab = at("UTC-GALACTIC-GEO", "<Value2><C1>184.5575</C1><C2>-5.7844</C2></Value2>");
    assert!((crab.ra() - 83.633_068_08).abs() < 1e-8 && (crab.dec() - 22.014_441_43).abs() < 1e-8, "{crab}");
    let swapped = "<Name1>b</Name1><Name2>l</Name2><Value2><C1>-5.7844</C1><C2>184.5575</C2></Value2>";
    assert_eq!(at("UTC-GAL-GEO", swapped), crab);
    let ecliptic = at("UTC-ECLIPTIC-BARY", "<Value2><C1>84.0971</C1><C2>-1.2944</C2></Value2>");
    assert!(
        (ecliptic.ra() - 83.632_644_97).abs() < 1e-8 && (ecliptic.dec() - 22.014_504_65).abs() < 1e-8,
        "{ecliptic}"
    );
    let old = at("UTC-FK4-TOPO", "<Value2><C1>82.880833</C1><C2>21.981778</C2></Value2>");
    assert!((old.ra() - 83.633_091_95).abs() < 1e-8 && (old.dec() - 22.014_469_03).abs() < 1e-8, "{old}");
}

#[test]
fn regions_are_circles_ellipses_and_boxes() {
    let region = |inner: &str| {
        at(&format!("<Position2D unit='deg'><Value2><C1>1</C1><C2>2</C2></Value2>{inner}</Position2D>"))
            .position()
            .unwrap()
            .unwrap()
            .region()
    };
    assert_eq!(region("<Error2Radius>0.5</Error2Radius>"), Some(Region::Circle { radius: 0.5, confidence: None }));
    let ellipse = |major, minor, angle| Some(Region::Ellipse { major, minor, angle, confidence: None });
    assert_eq!(region("<Error2><C1>0.5</C1><C2>0.25</C2></Error2>"), ellipse(0.5, 0.25, 90.0));
    assert_eq!(region("<Error2><C1>0.25</C1><C2>0.5</C2></Error2>"), ellipse(0.5, 0.25, 0.0));
    assert_eq!(
        region("<Error2PA><Size><C1>0.5</C1><C2>0.25</C2></Size><PosAngle>30</PosAngle></Error2PA>"),
        ellipse(0.5, 0.25, 30.0)
    );
    assert_eq!(
        region("<Error2PA><Size><C1>0.25</C1><C2>0.5</C2></Size><PosAngle>30</PosAngle></Error2PA>"),
        ellipse(0.5, 0.25, 120.0)
    );
    let radians =
        region("<Error2><C1>0.5</C1><C2>0.25</C2><PosAngle unit='rad'>0.7853981633974483</PosAngle></Error2>");
    assert_eq!(radians, ellipse(0.5, 0.25, 45.0));
    let minutes = region("<Error2Radius unit='arcmin'>30</Error2Radius>");
    assert_eq!(minutes, Some(Region::Circle { radius: 0.5, confidence: None }));
    assert_eq!(region("<Error2Radius/>"), None);
    let flat = event(
        "<VOEvent><WhereWhen><Ra units='deg'><Coord>12.5</Coord><Error value='6' units='arcmin'/></Ra><Dec units='deg'>\
         <Coord>-30.25</Coord><Error value='0.2'/></Dec></WhereWhen></VOEvent>",
    );
    let expected = Region::Box { half_width: 0.1, half_height: 0.2, confidence: None };
    assert_eq!(flat.position().unwrap().unwrap().region(), Some(expected));
}
