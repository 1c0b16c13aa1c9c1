//! What the screen shows: the last alerts, how often they come, and which one is chosen.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use hop_core::sky::Position;
use hop_core::{Record, escape_controls, guarded};
use hop_kafka::{Alert, Error, ErrorKind};
use jiff::Timestamp;

use super::keys::Act;
use crate::chart::{Chart, Mark};
use crate::output::fields::Fields;
use crate::output::people;

/// The most alerts that are remembered, and of these that are on the map.
const REMEMBERED: usize = 500;
const ON_THE_MAP: usize = 50;
/// The most topics that are counted one by one.
const TOPICS: usize = 200;
/// What counts as now.
const RECENT: Duration = Duration::from_secs(60);
/// How often the screen is drawn even if nothing comes: ages grow.
const IDLE: Duration = Duration::from_secs(1);

/// An alert as it is shown.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) published: Option<Timestamp>,
    pub(super) title: String,
    pub(super) is_test: bool,
    pub(super) is_bad: bool,
    pub(super) mark: Option<Mark>,
    /// Names and values.
    pub(super) details: Vec<(String, String)>,
}

/// Messages of one topic.
#[derive(Debug, Default)]
pub(super) struct Rate {
    pub(super) total: u64,
    /// How many came in each second of the last minute.
    seconds: VecDeque<(u64, u64)>,
}

impl Rate {
    fn count(&mut self, second: u64) {
        self.total += 1;
        match self.seconds.back_mut() {
            Some((last, count)) if *last == second => *count += 1,
            _ => self.seconds.push_back((second, 1)),
        }
        self.forget(second);
    }

    fn forget(&mut self, second: u64) {
        while self.seconds.front().is_some_and(|(first, _)| first + RECENT.as_secs() <= second) {
            self.seconds.pop_front();
        }
    }

    /// Messages in the last minute.
    pub(super) fn recent(&mut self, second: u64) -> u64 {
        self.forget(second);
        self.seconds.iter().map(|(_, count)| count).sum()
    }
}

#[derive(Debug)]
pub(super) struct Watch {
    pub(super) url: String,
    started: Instant,
    /// The newest first.
    pub(super) alerts: VecDeque<Shown>,
    /// What came while the screen stands still.
    waiting: VecDeque<Shown>,
    pub(super) rates: BTreeMap<String, Rate>,
    pub(super) total: u64,
    pub(super) undecodable: u64,
    /// The number of the alert that is chosen, the newest being 0; the newest is followed unless another one was chosen.
    pub(super) chosen: usize,
    follows: bool,
    pub(super) is_paused: bool,
    /// Lines that the details are scrolled by.
    pub(super) scrolled: usize,
    /// The last that was said about the connection.
    pub(super) said: Option<String>,
    is_over: bool,
    changed: bool,
    drawn: Option<Instant>,
}

impl Watch {
    pub(super) fn new(url: &str) -> Self {
        Self {
            url: escape_controls(url).into_owned(),
            started: Instant::now(),
            alerts: VecDeque::new(),
            waiting: VecDeque::new(),
            rates: BTreeMap::new(),
            total: 0,
            undecodable: 0,
            chosen: 0,
            follows: true,
            is_paused: false,
            scrolled: 0,
            said: None,
            is_over: false,
            changed: true,
            drawn: None,
        }
    }

    /// Seconds since the start.
    pub(super) fn second(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// Adds what came: an alert, a message that does not decode, or an error.
    pub(super) fn add(&mut self, alert: Result<Alert, Error>) {
        self.changed = true;
        match alert {
            Ok(alert) => {
                self.count(&alert.record);
                self.keep(Shown::of(&alert));
            }
            Err(error) if error.kind() == ErrorKind::Decode => {
                self.undecodable += 1;
                let text = error.to_string();
                if let Some(record) = error.into_record() {
                    self.count(&record);
                    self.keep(Shown::undecodable(&text, &record));
                }
            }
            Err(error) => self.note(&error.to_string()),
        }
    }

    fn count(&mut self, record: &Record) {
        self.total += 1;
        let second = self.second();
        let topic = record.place.as_ref().map_or("", |place| &*place.topic);
        if let Some(rate) = self.rates.get_mut(topic) {
            rate.count(second);
        } else if self.rates.len() < TOPICS {
            self.rates.entry(escape_controls(topic).into_owned()).or_default().count(second);
        }
    }

    fn keep(&mut self, shown: Shown) {
        let list = if self.is_paused { &mut self.waiting } else { &mut self.alerts };
        list.push_front(shown);
        list.truncate(REMEMBERED);
        if !self.is_paused {
            self.stay_with(1);
        }
    }

    /// So many alerts came before the chosen one, which stays chosen.
    fn stay_with(&mut self, more: usize) {
        if self.follows {
            (self.chosen, self.scrolled) = (0, 0);
        } else {
            self.chosen = (self.chosen + more).min(self.alerts.len().saturating_sub(1));
        }
    }

    /// Notes what was said about the connection.
    pub(super) fn note(&mut self, line: &str) {
        self.changed = true;
        self.said = Some(escape_controls(line.trim()).into_owned());
    }

    /// No more will come.
    pub(super) fn end(&mut self) {
        (self.is_over, self.changed) = (true, true);
        if self.said.is_none() {
            self.note("the messages have ended");
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn act(&mut self, act: Act) {
        self.changed = true;
        let last = self.alerts.len().saturating_sub(1);
        let chosen = self.chosen;
        match act {
            Act::Move(by) => self.chosen = self.chosen.saturating_add_signed(by).min(last),
            Act::Newest => self.chosen = 0,
            Act::Oldest => self.chosen = last,
            Act::Scroll(by) => self.scrolled = self.scrolled.saturating_add_signed(by),
            Act::Pause => {
                self.is_paused = !self.is_paused;
                let came = std::mem::take(&mut self.waiting);
                let more = came.len();
                for shown in came.into_iter().rev() {
                    self.alerts.push_front(shown);
                }
                self.alerts.truncate(REMEMBERED);
                self.stay_with(more);
            }
            Act::Resize | Act::Leave => {}
        }
        if matches!(act, Act::Move(_) | Act::Newest | Act::Oldest) {
            self.follows = self.chosen == 0;
            if self.chosen != chosen {
                self.scrolled = 0;
            }
        }
    }

    /// Whether the screen is to be drawn now.
    pub(super) fn is_due(&mut self) -> bool {
        let due = self.changed || self.drawn.is_none_or(|drawn| drawn.elapsed() >= IDLE);
        if due {
            (self.changed, self.drawn) = (false, Some(Instant::now()));
        }
        due
    }

    /// Returns the map of the newest positions and of the chosen one, and the number of that one's mark.
    pub(super) fn chart(&self) -> (Chart, Option<usize>) {
        let newest = self.alerts.iter().enumerate().filter(|(number, _)| *number != self.chosen);
        let mut marks: Vec<Mark> = newest.filter_map(|(_, shown)| shown.mark.clone()).take(ON_THE_MAP).collect();
        // The last one is drawn on top of the others.
        let chosen = self.alerts.get(self.chosen).and_then(|shown| shown.mark.clone());
        let number = chosen.is_some().then_some(marks.len());
        marks.extend(chosen);
        (Chart { marks }, number)
    }
}

impl Shown {
    fn of(alert: &Alert) -> Self {
        let summary = people::summary(&*alert.model);
        let mut details: Vec<(String, String)> = Vec::new();
        details.extend(summary.facts().into_iter().map(|(name, text)| (name.to_owned(), text)));
        details.extend(origin(&alert.record, alert.model.format()));
        match guarded("the model's `fields`", || alert.model.fields()) {
            Ok(fields) => {
                let Fields { rows, texts } = Fields::of(&fields);
                details.extend(rows);
                for (name, text) in texts {
                    let lines = text.trim_end().lines().map(|line| (String::new(), escape_controls(line).into_owned()));
                    details.push((name, String::new()));
                    details.extend(lines.take(Self::LINES));
                }
            }
            Err(error) => details.push(("not read".to_owned(), escape_controls(&error.to_string()).into_owned())),
        }
        let mark =
            |position: Position| Mark { position, label: summary.names.first().unwrap_or(&summary.kind).clone() };
        Self {
            published: published(&alert.record),
            title: summary.title(),
            is_test: summary.is_test || alert.record.headers.is_test(),
            is_bad: false,
            mark: summary.direction.position().map(mark),
            details,
        }
    }

    /// The most lines of a text.
    const LINES: usize = 400;

    fn undecodable(error: &str, record: &Record) -> Self {
        let error = escape_controls(error).into_owned();
        let format =
            record.headers.get(hop_core::header::FORMAT).map_or("no format stated".into(), String::from_utf8_lossy);
        let mut details = vec![("error".to_owned(), error.clone())];
        details.extend(origin(record, &format));
        Self {
            published: published(record),
            title: format!("does not decode: {error}"),
            is_test: record.headers.is_test(),
            is_bad: true,
            mark: None,
            details,
        }
    }
}

fn published(record: &Record) -> Option<Timestamp> {
    record.timestamp.and_then(|ms| Timestamp::from_millisecond(ms).ok())
}

fn origin(record: &Record, format: &str) -> Vec<(String, String)> {
    let line = |name: &str, text: String| (name.to_owned(), escape_controls(&text).into_owned());
    let place = record.place.as_ref().map(|place| line("from", place.to_string()));
    let sender = record.headers.sender().map(|sender| line("sender", sender.to_owned()));
    place.into_iter().chain([line("format", format.to_owned())]).chain(sender).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use hop_core::MessageModel as _;
    use hop_core::{Headers, Place, Registry};
    use hop_models::Circular;

    use super::*;

    /// An alert as it comes from a broker.
    pub(in super::super) fn alert(subject: &str, offset: i64) -> Result<Alert, Error> {
        let text = format!("TITLE:   GCN CIRCULAR\nNUMBER:  7\nSUBJECT: {subject}\n\nAt RA = 83.6, Dec = 22.0.\n");
        let model = Circular::load(text.as_bytes().into()).unwrap();
        let headers: Headers = [("_format", Some("circular"))].into_iter().collect();
        let content = model.encode().unwrap();
        let registry = Registry::builder().models(hop_models::MODELS).build().unwrap();
        let decoded = registry.decode(&headers, (&content).into()).unwrap();
        let place = Place { topic: "gcn.circular".into(), partition: 0, offset };
        let record = Record {
            content: content.into(),
            headers,
            timestamp: Some(1_795_665_600_000),
            place: Some(place),
            ..Record::default()
        };
        Ok(Alert { model: decoded.model, route: decoded.route, record })
    }

    #[test]
    fn the_newest_is_followed_until_another_one_is_chosen() {
        let mut watch = Watch::new("kafka://localhost/gcn.circular");
        for offset in 0..3 {
            watch.add(alert(&format!("GRB 26112{offset}A"), offset));
        }
        let chosen = |watch: &Watch| watch.alerts[watch.chosen].title.clone();
        assert!(chosen(&watch).contains("GRB 261122A"), "{}", chosen(&watch));
        watch.act(Act::Move(1));
        watch.add(alert("GRB 261123A", 3));
        assert!(chosen(&watch).contains("GRB 261121A"));
        watch.act(Act::Move(-100));
        watch.add(alert("GRB 261124A", 4));
        assert!(chosen(&watch).contains("GRB 261124A"));
        watch.act(Act::Oldest);
        assert!(chosen(&watch).contains("GRB 261120A"));
        assert_eq!((watch.total, watch.rates["gcn.circular"].total), (5, 5));
    }

    #[test]
    fn what_comes_while_the_screen_stands_still_is_shown_afterwards() {
        let mut watch = Watch::new("kafka://localhost/gcn.circular");
        watch.add(alert("GRB 261120A", 0));
        watch.act(Act::Pause);
        for offset in 1..2_000 {
            watch.add(alert("GRB 261121A", offset));
        }
        assert_eq!((watch.alerts.len(), watch.total), (1, 2_000));
        watch.act(Act::Pause);
        assert_eq!((watch.alerts.len(), watch.chosen), (REMEMBERED, 0));
    }

    #[test]
    fn errors_are_shown_and_do_no_harm() {
        let mut watch = Watch::new("kafka://localhost/\u{1b}[2Jtopic");
        assert!(!watch.url.contains('\u{1b}'));
        watch.note("\u{1b}[31mconnection lost\u{1b}[0m");
        assert!(watch.said.as_deref().is_some_and(|said| !said.contains('\u{1b}')));
        watch.add(alert("GRB\u{1b}[2J 261120A", 0));
        let shown = &watch.alerts[0];
        let all = shown.details.iter().flat_map(|(name, value)| [name, value]).chain([&shown.title]);
        assert!(all.into_iter().all(|text| !text.contains(char::is_control)));
        watch.end();
        assert!(watch.is_over());
    }
}
