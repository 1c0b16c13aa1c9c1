//! Positions and times beside astropy.
//!
//! The random ones are the same each time; `HOP_TEST_SEED` gives others.

use hop_core::sky::{Frame, Position, Sexagesimal, format_degrees, format_hours};
use hop_core::time::{Time, TimeScale};

use crate::python::Python;

/// How many of each kind are tried.
const COUNT: usize = 10_000;
/// One milliarcsecond, in degrees.
const MAS: f64 = 1.0 / 3_600_000.0;

/// Numbers that look random.
struct Dice(u64);

impl Dice {
    fn from_environment() -> Self {
        let seed = std::env::var("HOP_TEST_SEED").ok().map(|seed| seed.parse().expect("HOP_TEST_SEED is a number"));
        let seed = seed.unwrap_or(1);
        println!("seed {seed}");
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `least` to below `most`.
    fn between(&mut self, least: f64, most: f64) -> f64 {
        least + (most - least) * ((self.next() >> 11) as f64 / (1u64 << 53) as f64)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    /// A direction, each part of the sky as often; one of twenty is at a pole, the origin or the edge of the circle.
    fn direction(&mut self) -> (f64, f64) {
        if self.below(20) == 0 {
            let longitude = [0.0, 180.0, 359.999_999_9, 1e-9, 90.0][self.below(5)];
            return (longitude, [0.0, 90.0, -90.0, 89.999_999, -1e-9][self.below(5)]);
        }
        (self.between(0.0, 360.0), self.between(-1.0, 1.0).asin().to_degrees())
    }
}

/// What astropy answers to each question; `None`, said aloud, where there is no Python.
fn astropy(test: &str, questions: &[String]) -> Option<Vec<String>> {
    let python = Python::alone_or_skip(test)?;
    let script = hop_tests::root().join("tests/interop/sky.py");
    let finished = python.program(&[script.to_str().unwrap()]).input(format!("{}\n", questions.join("\n"))).run();
    let answers: Vec<String> = finished.expect(0).lines().map(str::to_owned).collect();
    assert_eq!(answers.len(), questions.len(), "{}", finished.err);
    Some(answers)
}

fn numbers(answer: &str) -> Vec<f64> {
    answer.split('\t').map(|number| number.parse().unwrap()).collect()
}

/// The name that sky.py has for a frame, and its equinox.
fn name(frame: Frame) -> (&'static str, f64) {
    match frame {
        Frame::Fk4 { equinox } => ("fk4", equinox),
        Frame::Fk5 { equinox } => ("fk5", equinox),
        Frame::Ecliptic { equinox } => ("ecliptic", equinox),
        Frame::Galactic => ("galactic", 0.0),
        _ => ("icrs", 0.0),
    }
}

#[test]
fn positions_agree_with_astropy_to_a_milliarcsecond() {
    let mut dice = Dice::from_environment();
    let mut frames = vec![Frame::Icrs, Frame::J2000, Frame::B1950, Frame::Galactic, Frame::ECLIPTIC];
    for _ in 0..20 {
        frames.push(Frame::Fk5 { equinox: dice.between(1900.0, 2100.0) });
        frames.push(Frame::Fk4 { equinox: dice.between(1875.0, 2000.0) });
        frames.push(Frame::Ecliptic { equinox: dice.between(1900.0, 2100.0) });
    }
    // Half of them from the fixed frames.
    let cases: Vec<(Frame, (f64, f64))> = (0..COUNT)
        .map(|at| (if at % 2 == 0 { frames[at / 2 % 5] } else { frames[5 + dice.below(60)] }, dice.direction()))
        .collect();
    let mut questions = Vec::new();
    for (way, (frame, (longitude, latitude))) in
        ["to_icrs", "from_icrs"].iter().flat_map(|way| cases.iter().map(move |case| (way, case)))
    {
        let (frame, equinox) = name(*frame);
        questions.push(format!("{way}\t{frame}\t{equinox:?}\t{longitude:?}\t{latitude:?}"));
    }
    let Some(answers) = astropy("positions_agree_with_astropy_to_a_milliarcsecond", &questions) else { return };
    let (to_icrs, from_icrs) = answers.split_at(COUNT);
    let mut worst = std::collections::BTreeMap::new();
    for ((frame, (longitude, latitude)), (to, from)) in cases.iter().zip(to_icrs.iter().zip(from_icrs)) {
        let at = Position::new(*frame, *longitude, *latitude).unwrap();
        let expected = numbers(to);
        let expected = Position::icrs(expected[0], expected[1]).unwrap();
        let there = at.separation(&expected) / MAS;

        let back = Position::icrs(*longitude, *latitude).unwrap().in_frame(*frame).unwrap();
        let expected = numbers(from);
        // The distance of two points in one frame is the same in any.
        let expected = Position::icrs(expected[0], expected[1]).unwrap();
        let back = Position::icrs(back.longitude, back.latitude).unwrap().separation(&expected) / MAS;

        let name = match frame {
            Frame::Fk5 { equinox } if *equinox != 2000.0 => "FK5 of date".to_owned(),
            Frame::Fk4 { equinox } if *equinox != 1950.0 => "FK4 of date".to_owned(),
            Frame::Ecliptic { equinox } if *equinox != 2000.0 => "ecliptic of date".to_owned(),
            other => other.to_string(),
        };
        let entry: &mut (usize, f64, f64) = worst.entry(name).or_default();
        *entry = (entry.0 + 1, entry.1.max(there), entry.2.max(back));
    }
    for (frame, (count, to, from)) in &worst {
        println!("{frame}: {count} positions, worst difference {to:.1e} mas to ICRS, {from:.1e} mas from ICRS");
        assert!(*to < 1.0 && *from < 1.0, "{frame}");
    }
}

#[test]
fn separations_and_position_angles_agree_with_astropy() {
    let mut dice = Dice::from_environment();
    let pairs: Vec<_> = (0..COUNT)
        .map(|_| {
            let (ra, dec) = dice.direction();
            // Some are close.
            let other = match dice.below(2) {
                0 => dice.direction(),
                _ => {
                    let step = 10f64.powf(dice.between(-7.0, 1.0));
                    (
                        (ra + dice.between(-step, step)).rem_euclid(360.0),
                        (dec + dice.between(-step, step)).clamp(-90.0, 90.0),
                    )
                }
            };
            (ra, dec, other.0, other.1)
        })
        .collect();
    let questions: Vec<_> = pairs.iter().map(|(a, b, c, d)| format!("pair\t{a:?}\t{b:?}\t{c:?}\t{d:?}")).collect();
    let Some(answers) = astropy("separations_and_position_angles_agree_with_astropy", &questions) else { return };
    let (mut worst_separation, mut worst_angle) = (0f64, 0f64);
    for ((a, b, c, d), answer) in pairs.into_iter().zip(&answers) {
        let (here, there) = (Position::icrs(a, b).unwrap(), Position::icrs(c, d).unwrap());
        let expected = numbers(answer);
        worst_separation = worst_separation.max((here.separation(&there) - expected[0]).abs() / MAS);
        // How far the angle misses on the sky; of two points in one place, or opposite, it means nothing.
        let angle = (here.position_angle(&there) - expected[1]).abs();
        let angle = angle.min(360.0 - angle);
        worst_angle = worst_angle.max((angle.to_radians() * expected[0].to_radians().sin()).abs().to_degrees() / MAS);
    }
    println!(
        "separation: worst difference {worst_separation:.1e} mas; position angle: {worst_angle:.1e} mas at that distance"
    );
    assert!(worst_separation < 1.0 && worst_angle < 1.0);
}

const SCALES: [(TimeScale, &str); 5] = [
    (TimeScale::Utc, "utc"),
    (TimeScale::Tt, "tt"),
    (TimeScale::Tdb, "tdb"),
    (TimeScale::Tai, "tai"),
    (TimeScale::Gps, "gps"),
];

/// A date and time in ISO 8601: from 1972 to 2026, and some at a leap second.
fn random_time(dice: &mut Dice, is_utc: bool) -> String {
    const LEAPS: [&str; 8] = [
        "1972-06-30",
        "1972-12-31",
        "1981-06-30",
        "1998-12-31",
        "2005-12-31",
        "2008-12-31",
        "2015-06-30",
        "2016-12-31",
    ];
    let nanoseconds = dice.next() % 1_000_000_000;
    if dice.below(20) == 0 {
        let second = 58 + dice.below(if is_utc { 3 } else { 2 });
        return format!("{}T23:59:{second:02}.{nanoseconds:09}", LEAPS[dice.below(LEAPS.len())]);
    }
    // UTC, as labels, before its leap seconds began too.
    let year = match dice.below(10) {
        0 if is_utc => 1900 + dice.below(60),
        1 if is_utc => 2027 + dice.below(70),
        _ => 1972 + dice.below(55),
    };
    let (month, day) = (1 + dice.below(12), 2 + dice.below(27));
    let (hour, minute, second) = (dice.below(24), dice.below(60), dice.below(60));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{nanoseconds:09}")
}

#[test]
fn times_agree_with_astropy() {
    let mut dice = Dice::from_environment();
    let mut cases: Vec<(String, Result<Time, hop_core::Error>, TimeScale, &str)> = Vec::new();
    for at in 0..COUNT {
        let (scale, label) = SCALES[at % SCALES.len()];
        let form = ["iso", "mjd", "jd", "days"][at / SCALES.len() % 4];
        let text = random_time(&mut dice, scale == TimeScale::Utc || form == "days");
        let (question, time) = match form {
            "iso" => (format!("iso\t{label}\t{text}"), Time::parse(&text, scale)),
            "days" => (format!("days\t{text}"), Time::parse(&text, TimeScale::Utc)),
            _ => {
                // As many digits as a double has.
                let mjd = Time::parse(&text, TimeScale::Utc).unwrap().mjd();
                match form {
                    "mjd" => (format!("mjd\t{label}\t{mjd:?}"), Time::from_mjd(mjd, scale)),
                    _ => {
                        let jd = mjd + 2_400_000.5;
                        (format!("jd\t{label}\t{jd:?}"), Time::from_jd(jd, scale))
                    }
                }
            }
        };
        cases.push((question, time, scale, form));
    }
    let questions: Vec<String> = cases.iter().map(|(question, ..)| question.clone()).collect();
    let Some(answers) = astropy("times_agree_with_astropy", &questions) else { return };
    let mut worst = std::collections::BTreeMap::new();
    for ((question, time, scale, form), answer) in cases.into_iter().zip(&answers) {
        let time = time.unwrap_or_else(|error| panic!("{question}: {error}"));
        let difference = if form == "days" {
            (time.mjd() - answer.parse::<f64>().unwrap()) * 86_400.0
        } else {
            time.seconds_since(&Time::parse(answer, TimeScale::Utc).unwrap())
        };
        let scale = if form == "days" { TimeScale::Utc } else { scale };
        let entry: &mut (usize, f64) = worst.entry((form, scale.as_str())).or_default();
        *entry = (entry.0 + 1, entry.1.max(difference.abs()));
        // The series of TDB is good to 10 microseconds; a Modified Julian Date in one double to less than one.
        let most = if scale == TimeScale::Tdb { 15e-6 } else { 1e-6 };
        assert!(difference.abs() <= most, "{question}: {time} here, {answer} there");
    }
    for ((form, scale), (count, seconds)) in &worst {
        println!("{form} in {scale}: {count} times, worst difference {:.3} us", seconds * 1e6);
    }
}

#[test]
fn sexagesimal_angles_agree_with_astropy() {
    let mut dice = Dice::from_environment();
    let (mut questions, mut read, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..COUNT / 5 {
        let (whole, minutes, seconds) = (dice.below(24), dice.below(60), dice.between(0.0, 60.0));
        let decimals = dice.below(7);
        let seconds = format!(
            "{:0width$.decimals$}",
            seconds.min(59.999_999),
            width = if decimals == 0 { 2 } else { 3 + decimals }
        );
        let seconds = if seconds.starts_with("60") { "59.5".to_owned() } else { seconds };
        let sign = ["-", "+", ""][dice.below(3)];
        let text = match at % 4 {
            0 => format!("{whole:02}:{minutes:02}:{seconds}"),
            1 => format!("{whole:02}h{minutes:02}m{seconds}s"),
            2 => format!("{sign}{:02} {minutes:02} {seconds}", dice.below(90)),
            _ => format!("{sign}{:02}d{minutes:02}m{seconds}s", if dice.below(3) == 0 { 0 } else { dice.below(90) }),
        };
        questions.push(format!("{}\t{text}", if at % 4 < 2 { "hours" } else { "degrees" }));
        let angle = Sexagesimal::parse(&text);
        read.push(if at % 4 < 2 {
            angle.and_then(Sexagesimal::right_ascension)
        } else {
            angle.and_then(Sexagesimal::declination)
        });
    }
    for at in 0..COUNT / 5 {
        // Many of them a hair below the next minute.
        let decimals = dice.below(7);
        let near = (dice.below(20_000) as f64 / 60.0) - dice.between(0.0, 2.0) / 3600.0 / 10f64.powi(decimals as i32);
        let degrees = if dice.below(2) == 0 { near.abs() } else { dice.between(0.0, 360.0) };
        if at % 2 == 0 {
            questions.push(format!("write_hours\t{decimals}\t{degrees:?}"));
            written.push(format_hours(degrees, decimals));
        } else {
            let degrees = degrees / 4.0 * [1.0, -1.0][dice.below(2)];
            questions.push(format!("write_degrees\t{decimals}\t{degrees:?}"));
            written.push(format_degrees(degrees, decimals));
        }
    }
    let Some(answers) = astropy("sexagesimal_angles_agree_with_astropy", &questions) else { return };
    let mut worst = 0f64;
    for ((question, read), answer) in questions.iter().zip(&read).zip(&answers) {
        let read = *read.as_ref().unwrap_or_else(|error| panic!("{question}: {error}"));
        let difference = (read - answer.parse::<f64>().unwrap()).abs() / MAS;
        worst = worst.max(difference);
        assert!(difference < 1e-3, "{question}: {read} here, {answer} there");
    }
    let mut different = 0;
    for ((question, ours), theirs) in questions[read.len()..].iter().zip(&written).zip(&answers[read.len()..]) {
        // astropy writes 24 hours, and keeps the sign of what it rounds to zero.
        let theirs = theirs.replace("24:00:00", "00:00:00");
        let zero = theirs.trim_start_matches(['-', '+']).bytes().all(|byte| matches!(byte, b'0' | b':' | b'.'));
        let theirs = if zero { theirs.replace('-', "+") } else { theirs };
        assert!(!ours.contains(":60"), "{question}: {ours}");
        if *ours != theirs {
            // Half a unit of the last digit is rounded either way.
            let fields: Vec<&str> = question.split('\t').collect();
            let (decimals, degrees): (i32, f64) = (fields[1].parse().unwrap(), fields[2].parse().unwrap());
            let scale = if fields[0] == "write_hours" { 15.0 } else { 1.0 };
            let unit = scale / 3600.0 / 10f64.powi(decimals);
            let away = (Sexagesimal::parse(ours).unwrap().value() * scale - degrees).abs();
            assert!((away - unit / 2.0).abs() < unit * 1e-3, "{question}: {ours} here, {theirs} there");
            different += 1;
        }
    }
    println!(
        "sexagesimal: {} read, worst difference {worst:.1e} mas; {} written, {different} rounded the other way",
        read.len(),
        written.len()
    );
    assert!(different < 10);
}
