//! What the keys of a notice mean: numbers with their units, times in UTC.
//!
//! Keys differ from mission to mission: a position is under `GRB_RA`, `SRC_RA` or `EVENT_RA`, and so is where a telescope
//! points (`NEXT_POINT_RA`). What stands before the ending says which it is.
//!
//! Source: the examples on <https://gcn.gsfc.nasa.gov/tech_describe.html> and the pages of each mission.

use std::borrow::Cow;

use hop_core::sky::{Frame, Position, Region, Sexagesimal};
use hop_core::time::{Time, TimeScale};
use jiff::civil::Date;

use super::TextNotice;
use crate::gcn::circular::event;
use crate::gcn::date;

/// What keys about the event begin with: bursts, sources, transients, and the counterparts that telescopes find.
const EVENT: &[&str] = &[
    "GRB",
    "BURST",
    "SRC",
    "SOURCE",
    "EVENT",
    "EVT",
    "TRIGGER",
    "TRIG",
    "TRANS",
    "TRANSIENT",
    "DISCOVERY",
    "CNTRPART",
    "COUNTERPART",
    "LOC",
    "NEUTRINO",
    "LENS",
    "FRB",
    "SGR",
    "SN",
    "WXM_CNTR",
    "SXC_CNTR",
];
/// What keys about the direction of a telescope or spacecraft begin with; besides, all that end with `POINT`.
const POINTING: &[&str] = &["SC", "S/C", "SPACECRAFT", "BORESIGHT", "TGT", "TARGET", "AIM", "SLEW"];
/// What keys about the start of an observation begin with.
const OBSERVATION: &[&str] = &["IMG_START", "OBS_START", "EXP_START", "OBSERVATION", "OBS"];
/// The frames that values name, as they name them, and those in which a time is needed to know the equinox.
const ICRS: &[&str] = &["ICRS"];
const J2000: &[&str] = &["J2000", "(2000", "FK5"];
const OF_DATE: &[&str] = &["CURRENT", "OF DATE"];
const B1950: &[&str] = &["B1950", "(1950", "FK4"];
/// The keys that name an event.
const EVENT_NAMES: &[&str] =
    &["event_name", "grb_name", "burst_name", "trans_name", "src_name", "source_name", "event_id"];
/// The keys that number a trigger.
const TRIGGER_NUMBERS: &[&str] = &[
    "trigger_num",
    "trigger_number",
    "trig_num",
    "event_trig_num",
    "event_num",
    "event_number",
    "event_id_num",
    "evt_num",
    "trig_number",
    "trans_num",
    "burst_num",
    "grb_num",
    "trigger_ref_num",
];

impl TextNotice {
    /// Returns what the notice is called, from `TITLE`: `GCN/FERMI NOTICE`. Of pager notices, their first line.
    pub fn title(&self) -> Option<Cow<'_, str>> {
        let first = || self.preamble().lines().next().map(|line| Cow::Borrowed(line.trim()));
        self.get("title").or_else(first).filter(|title| !title.is_empty())
    }

    /// Returns what kind of notice it is, from `NOTICE_TYPE`: `Fermi-GBM Alert`.
    pub fn notice_type(&self) -> Option<Cow<'_, str>> {
        self.get("notice_type")
    }

    /// Returns when the notice was sent, from `NOTICE_DATE` (`Mon 17 Nov 25 12:19:53 UT`), in UTC.
    pub fn notice_date(&self) -> Option<Time> {
        let text = self.get("notice_date")?;
        let mut words =
            text.split_ascii_whitespace().skip_while(|word| word.bytes().all(|byte| byte.is_ascii_alphabetic()));
        let day: i8 = words.next()?.parse().ok()?;
        let month = month(words.next()?)?;
        let year: i16 = words.next()?.parse().ok()?;
        let clock = words.next()?;
        if !words.next().is_none_or(is_utc) || year < 0 {
            return None;
        }
        at_clock(Date::new(date::full_year(year), month, day).ok()?, clock, TimeScale::Utc)
    }

    /// Returns when the event was, in UTC: from the first pair such as `GRB_DATE` and `GRB_TIME`, `TRIGGER_DATE` and
    /// `TRIGGER_TIME`.
    ///
    /// Dates are `20996 TJD; 321 DOY; 25/11/17`, where the calendar counts, or else the days (TJD 0 is 24 May 1968); times are
    /// `44392.14 SOD {12:19:52.14} UT`, where what stands in braces counts, or else the seconds of the day. A notice that only
    /// states when an image began, and how long that was after the trigger, has the trigger's time from both. When an image
    /// began or a telescope slewed is never the time of the event: see [`observation_start`](Self::observation_start) and
    /// [`pointing_time`](Self::pointing_time).
    pub fn event_time(&self) -> Option<Time> {
        self.first_time(|prefix| is_one_of(prefix, EVENT)).or_else(|| self.trigger_before_observation())
    }

    /// Returns when the observation that the notice reports began, in UTC: from a pair such as `IMG_START_DATE` and
    /// `IMG_START_TIME`, `OBS_DATE` and `OBS_TIME`. `None` where there is none.
    pub fn observation_start(&self) -> Option<Time> {
        self.first_time(|prefix| is_one_of(prefix, OBSERVATION))
    }

    /// Returns when the telescope points where [`pointing`](Self::pointing) says, in UTC: from `SLEW_DATE` and `SLEW_TIME`.
    pub fn pointing_time(&self) -> Option<Time> {
        self.first_time(|prefix| is_one_of(prefix, &["SLEW"]) || is_pointing(prefix))
    }

    /// Returns where the event was, with the region of its error: from the first pair such as `GRB_RA` and `GRB_DEC`.
    ///
    /// The coordinates for J2000 count, or else those for the date of the notice (`current`), or else those for 1950. `None`
    /// where no frame is stated, since none is assumed, and for a direction in which a telescope points: see
    /// [`pointing`](Self::pointing). Coordinates are degrees (`141.21d`), or sexagesimal (`09 24 50.4`, `09h 24m 50.4s`).
    pub fn position(&self) -> Option<Position> {
        let (prefix, position) = self.first_position(|prefix| is_one_of(prefix, EVENT))?;
        match self.errors_of(prefix).into_iter().next() {
            Some(region) => position.with_region(region).ok(),
            None => Some(position),
        }
    }

    /// Returns where the telescope points, or will point: from a pair such as `NEXT_POINT_RA` and `NEXT_POINT_DEC`,
    /// `POINT_RA` and `POINT_DEC`, `SC_RA` and `SC_DEC`. `None` where there is none.
    pub fn pointing(&self) -> Option<Position> {
        self.first_position(is_pointing).map(|(_, position)| position)
    }

    /// Returns the radius within which the event was, in degrees: the first of [`position_errors`](Self::position_errors).
    pub fn position_error(&self) -> Option<f64> {
        self.position_errors().first().map(Region::radius)
    }

    /// Returns the circles within which the event was, from keys such as `GRB_ERROR`, `SRC_ERROR90` and `SRC_ERROR68` that
    /// stand beside the position.
    ///
    /// Radii are in degrees; notices state degrees, minutes or seconds of arc, and what states no unit is left out. The
    /// confidence is that of the key (`SRC_ERROR68`), or else what the text says (`90% containment`). The key without a number
    /// comes first, then 90, 68, 95, 50 and 99 percent.
    pub fn position_errors(&self) -> Vec<Region> {
        let prefixes = self.ending("_RA").map(|(prefix, _)| prefix).filter(|prefix| is_one_of(prefix, EVENT));
        prefixes.map(|prefix| self.errors_of(prefix)).find(|errors| !errors.is_empty()).unwrap_or_default()
    }

    /// Returns the trigger's number or name, from `TRIGGER_NUM`, `TRIGGER_NUMBER`, `EVENT_TRIG_NUM` or `EVENT_NUM`: `728094`
    /// of `728094, Seg_Num: 0`, `S200316bj`.
    pub fn trigger_number(&self) -> Option<Cow<'_, str>> {
        TRIGGER_NUMBERS.iter().find_map(|key| {
            let before = |text: &str| text.split([',', '\n']).next().unwrap_or_default().trim_end().len();
            let number = match self.get(key)? {
                Cow::Borrowed(text) => Cow::Borrowed(&text[..before(text)]),
                Cow::Owned(mut text) => {
                    text.truncate(before(&text));
                    Cow::Owned(text)
                }
            };
            Some(number).filter(|number| !number.is_empty())
        })
    }

    /// Returns the names of the event, from `EVENT_NAME`, `GRB_NAME`, `SRC_NAME` and their like, and from a trigger that has a
    /// name: `IceCube-230416A`, `S200316bj`. Each is written as its catalogue writes it
    /// ([`Circular::event_names`](crate::Circular::event_names)); one that is in no known catalogue is returned as it stands.
    pub fn event_names(&self) -> Vec<String> {
        let stated = EVENT_NAMES.iter().filter_map(|key| self.get(key));
        // Other triggers are numbers.
        let is_name = |text: &Cow<'_, str>| text.starts_with(|c: char| c.is_ascii_alphabetic());
        let mut names = Vec::new();
        for text in stated.chain(self.trigger_number()).filter(is_name) {
            let name = event::catalogued(text.lines().next().unwrap_or_default());
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The first key about the event that ends so, and its value: what cannot be read is quoted from it.
    pub(super) fn event_entry(&self, suffix: &'static str) -> Option<(&str, Cow<'_, str>)> {
        let mut entries = self
            .entries()
            .filter(|entry| strip_suffix(entry.key(), suffix).is_some_and(|prefix| is_one_of(prefix, EVENT)));
        entries.next().map(|entry| (entry.key(), entry.value()))
    }

    /// The first time whose keys begin as asked.
    fn first_time(&self, is_asked: impl Fn(&str) -> bool) -> Option<Time> {
        let asked = |suffix| self.ending(suffix).filter(|(prefix, _)| is_asked(prefix));
        let of_pair = asked("_DATE").find_map(|(prefix, date)| {
            let date = day(&date)?;
            time(date, &self.beside(prefix, "_TIME")?)
        });
        // Both in one: `2024-01-12T05:43:04.96`.
        of_pair.or_else(|| asked("_TIME").find_map(|(_, text)| Time::parse(&text, TimeScale::Utc).ok()))
    }

    /// The time of the trigger, where the start of an observation says how long it was after it.
    fn trigger_before_observation(&self) -> Option<Time> {
        self.ending("_TIME").filter(|(prefix, _)| is_one_of(prefix, OBSERVATION)).find_map(|(prefix, text)| {
            let (before, after) = text.split_once("[sec] since")?;
            if !after.to_ascii_lowercase().contains("trigger") {
                return None;
            }
            let elapsed: f64 = before.rsplit(',').next()?.trim().parse().ok()?;
            time(day(&self.beside(prefix, "_DATE")?)?, &text)?.plus(-elapsed).ok()
        })
    }

    /// The first position whose keys begin as asked, and what they begin with.
    fn first_position(&self, is_asked: impl Fn(&str) -> bool) -> Option<(&str, Position)> {
        let of_date = self.notice_date().map(|date| Frame::of_date(&date));
        let frames =
            [(Some(Frame::Icrs), ICRS), (Some(Frame::J2000), J2000), (of_date, OF_DATE), (Some(Frame::B1950), B1950)];
        frames.into_iter().find_map(|(frame, marks)| {
            let frame = frame?;
            self.ending("_RA").filter(|(prefix, _)| is_asked(prefix)).find_map(|(prefix, ra)| {
                let ra = coordinate(&ra, marks, true).filter(|ra| *ra >= 0.0)?;
                let dec = coordinate(&self.beside(prefix, "_DEC")?, marks, false)?;
                Some((prefix, Position::new(frame, ra, dec).ok()?))
            })
        })
    }

    /// The circles under keys that begin with `prefix`.
    fn errors_of(&self, prefix: &str) -> Vec<Region> {
        const ENDINGS: [&str; 10] = ["", "90", "68", "95", "50", "99", "_90", "_68", "_95", "_50"];
        let circle = |ending: &str| {
            let text = self.beside(prefix, &format!("_ERROR{ending}"))?;
            let radius = radius(&text)?;
            let digits = ending.trim_start_matches('_');
            let percent: Option<f64> = if digits.is_empty() { stated_percentage(&text) } else { digits.parse().ok() };
            Some(Region::Circle { radius, confidence: percent.map(|percent| percent / 100.0) })
        };
        ENDINGS.into_iter().filter_map(circle).collect()
    }

    /// What stands before `suffix` in keys that end so, and their values; the first few, so that no notice costs the square of
    /// its keys.
    fn ending<'a>(&'a self, suffix: &'static str) -> impl Iterator<Item = (&'a str, Cow<'a, str>)> {
        const MOST: usize = 16;
        let keys = self.entries().filter_map(move |entry| Some((strip_suffix(entry.key(), suffix)?, entry)));
        keys.take(MOST).map(|(prefix, entry)| (prefix, entry.value()))
    }

    /// The value of the key that is `prefix` and `suffix`.
    fn beside(&self, prefix: &str, suffix: &str) -> Option<Cow<'_, str>> {
        let matches = |key: &str| strip_suffix(key, suffix).is_some_and(|start| start.eq_ignore_ascii_case(prefix));
        self.entries().find(|entry| matches(entry.key())).map(|entry| entry.value())
    }
}

fn is_one_of(prefix: &str, these: &[&str]) -> bool {
    these.iter().any(|one| prefix.eq_ignore_ascii_case(one))
}

fn is_pointing(prefix: &str) -> bool {
    strip_suffix(prefix, "POINT").is_some() || is_one_of(prefix, POINTING)
}

fn strip_suffix<'a>(key: &'a str, suffix: &str) -> Option<&'a str> {
    let (start, end) = key.split_at_checked(key.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(start)
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UT" | "UTC" | "GMT")
}

fn month(name: &str) -> Option<i8> {
    const NAMES: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    let at = NAMES.iter().position(|month| name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case(month)))?;
    i8::try_from(at + 1).ok()
}

/// `20996 TJD;   321 DOY;   25/11/17`, or `2025-11-17`.
fn day(text: &str) -> Option<Date> {
    let mut parts = text.split(';').map(str::trim);
    let calendar = parts.clone().find_map(|part| {
        let word = part.split_ascii_whitespace().next()?;
        date::slashed(word).or_else(|| word.parse().ok())
    });
    let truncated = || {
        let days: i32 = parts.find_map(|part| part.strip_suffix("TJD"))?.trim().parse().ok()?;
        Date::constant(1968, 5, 24).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
    };
    calendar.or_else(truncated)
}

/// `44392.14 SOD {12:19:52.14} UT`, or `03:25:45.00 UT`, on a day.
fn time(day: Date, text: &str) -> Option<Time> {
    let braced = text.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    if let Some((clock, after)) = braced.or_else(|| text.trim().split_once(' '))
        && let Some(time) = at_clock(day, clock, scale(after))
    {
        return Some(time);
    }
    if let Some(time) = at_clock(day, text, TimeScale::Utc) {
        return Some(time);
    }
    let (seconds, after) = text.split_once("SOD")?;
    let seconds: f64 = seconds.trim().parse().ok()?;
    at_clock(day, "00:00:00", scale(after))?.plus(seconds).ok()
}

/// The scale that a clock's reading is followed by; UTC where it is followed by anything else.
fn scale(after: &str) -> TimeScale {
    let word = after.trim_start().split(|c: char| !c.is_ascii_alphanumeric()).next();
    word.and_then(TimeScale::from_label).unwrap_or_default()
}

/// `12:19:52.14` on a day: second 60 is the next minute, or a leap second.
fn at_clock(day: Date, clock: &str, scale: TimeScale) -> Option<Time> {
    // An offset would be read as well, and no notice has one.
    let is_clock = clock.trim().bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.'));
    if !is_clock || !clock.contains(':') {
        return None;
    }
    Time::parse(&format!("{day}T{}", clock.trim()), scale).ok()
}

/// The degrees of `123.45d {+08h 13m 48s} (J2000), 123.79d {…} (current), …` where one of `marks` is.
fn coordinate(text: &str, marks: &[&str], is_ra: bool) -> Option<f64> {
    let marked = |piece: &&str| {
        let piece = piece.to_ascii_uppercase();
        marks.iter().any(|mark| piece.contains(mark))
    };
    let piece = text.split([',', '\n']).find(marked)?;
    let upper = piece.to_ascii_uppercase();
    // The number ends where braces or the frame begin.
    let ends = marks.iter().filter_map(|mark| upper.find(mark)).chain(piece.find(['{', '(', '[']));
    let number = piece.get(..ends.min()?)?.trim();
    if let Ok(written) = Sexagesimal::parse(number) {
        return if is_ra { written.right_ascension() } else { written.declination() }.ok();
    }
    // Whatever else is in the text, `12 34` is not 12 degrees.
    let number = number.strip_suffix("deg").or_else(|| number.strip_suffix(['d', '°'])).unwrap_or(number);
    number.trim_end().parse().ok()
}

/// The degrees of `9.83 [deg radius, stat-only]`; `None` where no unit is stated.
fn radius(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E')))?;
    let (number, rest) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let rest = rest.trim_start_matches([' ', '\t', '[', '(']);
    let mut words = rest.split(|c: char| !(c.is_alphabetic() || "'\"°′″".contains(c)));
    let unit = match words.next()? {
        // `arc min`, `arc-sec`.
        arc if arc.eq_ignore_ascii_case("arc") => format!("arc{}", words.next()?),
        unit => unit.to_owned(),
    };
    let per_degree = match unit.to_ascii_lowercase().as_str() {
        "deg" | "degs" | "degree" | "degrees" | "d" | "°" => 1.0,
        "arcmin" | "arcmins" | "arcminute" | "arcminutes" | "'" | "′" => 60.0,
        "arcsec" | "arcsecs" | "arcsecond" | "arcseconds" | "\"" | "″" | "''" => 3600.0,
        _ => return None,
    };
    Some(number / per_degree).filter(|radius| radius.is_finite() && *radius >= 0.0)
}

/// The number of `90% containment`.
fn stated_percentage(text: &str) -> Option<f64> {
    let before = text.split_once('%')?.0.trim_end();
    let start = before.rfind(|c: char| !(c.is_ascii_digit() || c == '.')).map_or(0, |at| at + 1);
    before.get(start..)?.parse().ok().filter(|percent| (0.0..=100.0).contains(percent))
}
