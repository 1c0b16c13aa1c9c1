//! The worker with a client that needs no broker: events in any order, and what becomes of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};

use hop_core::{Place, Record};
use rdkafka::config::ClientConfig;
use rdkafka::error::RDKafkaErrorCode;

use super::super::client::{Answers, Offsets};
use super::super::dead_letters::Undecodable;
use super::super::decode::Decoder;
use super::super::nightly::Topics;
use super::super::offsets::StartPosition;
use super::super::options::Commit;
use super::super::queue::Bound;
use super::super::session::Settings;
use super::super::subscription::Subscription;
use super::*;
use crate::complaint::Complaint;

const WITHIN: Duration = Duration::from_secs(10);

/// A client whose events the test makes. Every partition has offsets from 0 to `high`.
#[derive(Default)]
struct Fake {
    events: Mutex<VecDeque<Event>>,
    stored: Mutex<Vec<(Partition, Offset)>>,
    calls: Mutex<Vec<String>>,
    ends: Mutex<HashMap<Partition, (i64, i64)>>,
    high: i64,
    /// The topics that there are not.
    absent: Mutex<HashSet<String>>,
}

impl Fake {
    fn events(&self) -> MutexGuard<'_, VecDeque<Event>> {
        self.events.lock().unwrap()
    }

    fn call(&self, call: impl Into<String>) {
        self.calls.lock().unwrap().push(call.into());
    }

    fn calls(&self, of: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| call.starts_with(of)).count()
    }

    fn stored(&self) -> Vec<i64> {
        let offset = |(_, offset): &(Partition, Offset)| offset.to_raw().unwrap();
        self.stored.lock().unwrap().iter().map(offset).collect()
    }
}

impl Client for Arc<Fake> {
    fn poll(&self, _: &mut Shared, timeout: Duration) -> Option<Event> {
        let event = self.events().pop_front();
        if event.is_none() {
            std::thread::sleep(timeout.min(Duration::from_millis(2)));
        }
        event
    }

    fn wake(&self) {}

    fn subscribe(&self, topics: &[String]) -> Result<(), KafkaError> {
        self.call(format!("subscribe {}", topics.join(",")));
        Ok(())
    }

    fn is_cooperative(&self) -> bool {
        false
    }

    fn assign(&self, starts: &Offsets, _: bool) -> Result<(), KafkaError> {
        self.call(format!("assign {}", starts.len()));
        Ok(())
    }

    fn unassign(&self, partitions: &[Partition], others_stay: bool) -> Result<(), KafkaError> {
        match others_stay {
            true => self.call(format!("drop {}", partitions[0].0)),
            false => self.call("unassign"),
        }
        Ok(())
    }

    fn pause(&self, paused: bool, _: Option<&[Partition]>) -> Result<(), KafkaError> {
        self.call(if paused { "pause" } else { "resume" });
        Ok(())
    }

    fn seek(&self, place: &Place, _: Duration) -> Result<(), KafkaError> {
        self.call(format!("seek {place}"));
        Ok(())
    }

    fn store(&self, offsets: &Offsets) -> Result<(), KafkaError> {
        self.stored.lock().unwrap().extend(offsets.iter().cloned());
        Ok(())
    }

    fn commit(&self, _: &Offsets) -> Result<(), KafkaError> {
        self.call("commit");
        Ok(())
    }

    fn committed(&self, partitions: &[Partition], _: Duration) -> Result<Answers, KafkaError> {
        Ok(partitions.iter().map(|partition| (partition.clone(), Ok(None))).collect())
    }

    fn partitions(&self, topic: &str, _: Duration) -> Result<Vec<i32>, KafkaError> {
        match self.absent.lock().unwrap().contains(topic) {
            true => Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition)),
            false => Ok(vec![0, 1]),
        }
    }

    fn offsets(&self, at: &Offsets, _: Duration) -> Result<Answers, KafkaError> {
        let answer = |(partition, offset): &(Partition, Offset)| {
            let found = if *offset == Offset::End { self.high } else { 0 };
            (partition.clone(), Ok(Some(found)))
        };
        Ok(at.iter().map(answer).collect())
    }

    fn positions(&self) -> Result<Vec<(Partition, Option<i64>)>, KafkaError> {
        Ok(Vec::new())
    }

    fn ends(&self, partition: &Partition) -> Option<(i64, i64)> {
        self.ends.lock().unwrap().get(partition).copied()
    }
}

/// A reader of the topic `t` with the fake client, and the client.
struct Reader {
    client: Arc<Fake>,
    alerts: Subscription,
}

impl Reader {
    fn start(commit: Option<Commit>, until_eos: bool, high: i64, bound: Bound) -> Self {
        let settings = Settings {
            topics: Topics::new(vec!["t".to_owned()], 1),
            start_at: StartPosition::Earliest,
            until_eos,
            until: None,
            commit,
            discovery: None,
            timeout: WITHIN,
            report_loss: true,
            pass_unreadable: true,
            batch: 4,
        };
        Self::of(settings, bound, Fake { high, ..Fake::default() })
    }

    fn of(settings: Settings, bound: Bound, client: Fake) -> Self {
        let session = Arc::new(Session::new(settings, bound, Complaint::new(&ClientConfig::new())));
        let client = Arc::new(client);
        let registry = hop_core::Registry::builder().build().unwrap();
        let stream = crate::Stream::builder().registry(registry).no_auth().build().unwrap();
        let decoder = Decoder::new(stream, false, Vec::new(), Vec::new(), hop_core::TopicRules::default(), None, None);
        let alerts = Subscription::new(Arc::clone(&session), decoder, Undecodable::Yield, None);
        let worker = Worker::new(session, Arc::new(Arc::clone(&client)));
        let (tell, _started) = oneshot::channel();
        std::thread::spawn(move || worker.run(None, tell));
        Self { client, alerts }
    }

    fn group() -> Self {
        Self::start(Some(Commit::Auto), false, 0, Bound::default())
    }

    fn put(&self, events: impl IntoIterator<Item = Event>) {
        self.client.events().extend(events);
    }

    fn next(&mut self) -> Option<Result<crate::Alert, Error>> {
        crate::block_on_within(self.alerts.next(), WITHIN)
    }

    fn offset(&mut self) -> i64 {
        self.next().unwrap().unwrap().record.place.unwrap().offset
    }

    fn nothing_comes(&mut self) -> bool {
        let waited = crate::blocking::block_on_until(self.alerts.next(), Instant::now() + Duration::from_millis(150));
        waited.is_none()
    }
}

fn partition(id: i32) -> Partition {
    ("t".to_owned(), id)
}

fn message(id: i32, offset: i64) -> Event {
    let place = Place { topic: "t".into(), partition: id, offset };
    Event::Message(Received { record: Record::default(), place })
}

fn messages(id: i32, offsets: std::ops::Range<i64>) -> impl Iterator<Item = Event> {
    offsets.map(move |offset| message(id, offset))
}

fn given(ids: &[i32]) -> Event {
    Event::Assigned(ids.iter().copied().map(partition).collect())
}

fn taken(ids: &[i32]) -> Event {
    Event::Revoked(ids.iter().copied().map(partition).collect())
}

/// Waits until it is so.
fn until(what: &str, fits: impl Fn() -> bool) {
    let deadline = Instant::now() + WITHIN;
    while !fits() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn messages_of_a_partition_that_goes_are_forgotten_and_come_again_when_it_is_back() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..6));
    assert_eq!([reader.offset(), reader.offset()], [0, 1]);
    // In the middle of the batch that the reader walks through.
    reader.put([taken(&[0])]);
    until("the partition went", || reader.client.calls("unassign") == 1);
    assert!(reader.nothing_comes());
    assert_eq!(reader.client.stored().last(), Some(&1), "the second message was not asked past");
    // On its way when the partition went.
    reader.put([message(0, 6), given(&[0])]);
    reader.put(messages(0, 1..3));
    assert_eq!([reader.offset(), reader.offset()], [1, 2]);
    until("what is done is stored", || reader.client.stored().last() == Some(&2));
}

#[test]
fn an_offset_is_never_stored_for_a_partition_as_it_was_before() {
    let mut reader = Reader::start(Some(Commit::Each), false, 0, Bound::default());
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..3));
    let records: Vec<Record> = (0..3).map(|_| reader.next().unwrap().unwrap().record).collect();
    reader.put([taken(&[0]), given(&[0])]);
    until("the partition is back", || reader.client.calls("assign") == 2);
    assert_eq!(reader.alerts.mark_done(&records[0]).unwrap_err().kind(), ErrorKind::Kafka);
    reader.put(messages(0, 0..1));
    let again = reader.next().unwrap().unwrap().record;
    reader.alerts.mark_done(&again).unwrap();
    until("the mark is stored", || reader.client.stored() == [1]);
}

#[test]
fn a_mark_before_an_earlier_one_changes_nothing() {
    let mut reader = Reader::start(Some(Commit::Marked), false, 0, Bound::default());
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..10));
    let records: Vec<Record> = (0..10).map(|_| reader.next().unwrap().unwrap().record).collect();
    reader.alerts.mark_done(&records[9]).unwrap();
    until("the mark is stored", || reader.client.stored() == [10]);
    reader.alerts.mark_done(&records[3]).unwrap();
    crate::block_on(reader.alerts.close()).unwrap();
    assert_eq!(reader.client.stored(), [10]);
}

#[test]
fn a_seek_forgets_the_rest_of_the_batch() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..6));
    assert_eq!(reader.offset(), 0);
    let place = Place { topic: "t".into(), partition: 0, offset: 40 };
    crate::block_on(reader.alerts.control().seek(&place, WITHIN)).unwrap();
    reader.put(messages(0, 40..42));
    assert_eq!([reader.offset(), reader.offset()], [40, 41]);
}

#[test]
fn a_paused_reader_stops_in_the_middle_of_a_batch_and_goes_on_there() {
    let mut reader = Reader::group();
    let control = reader.alerts.control();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..4));
    assert_eq!(reader.offset(), 0);
    control.pause();
    assert!(reader.nothing_comes());
    assert!(
        crate::block_on(async { Ok::<_, Error>(reader.alerts.next_batch(5, Duration::from_millis(50)).await) })
            .unwrap()
            .is_empty()
    );
    until("the partitions are paused", || reader.client.calls("pause") > 0);
    control.resume();
    assert_eq!([reader.offset(), reader.offset(), reader.offset()], [1, 2, 3]);
}

#[test]
fn a_stopped_reader_hands_nothing_more_over_and_counts_what_is_left() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..6));
    assert_eq!(reader.offset(), 0);
    until("all is received", || reader.alerts.control().waiting() == 5);
    reader.alerts.control().stop();
    assert!(reader.next().is_none());
    assert_eq!(crate::block_on(reader.alerts.close()).unwrap(), 5);
    assert_eq!(reader.client.stored(), [1]);
}

#[test]
fn a_waiting_reader_sees_that_it_was_stopped() {
    let mut reader = Reader::group();
    let control = reader.alerts.control();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        control.stop();
    });
    assert!(reader.next().is_none());
}

#[test]
fn reading_ends_at_the_ends_of_all_partitions_and_hands_nothing_later_over() {
    let mut reader = Reader::start(None, true, 3, Bound::default());
    reader.put(messages(0, 0..5));
    // The last offset of the other partition is no message.
    reader.put(messages(1, 0..2));
    reader.put([Event::End(partition(1), 3)]);
    let offsets: Vec<i64> =
        std::iter::from_fn(|| reader.next()).map(|alert| alert.unwrap().record.place.unwrap().offset).collect();
    assert_eq!(offsets, [0, 1, 2, 0, 1]);
}

#[test]
fn the_end_is_not_found_while_partitions_move() {
    let mut reader = Reader::start(Some(Commit::Auto), true, 2, Bound::default());
    reader.put([given(&[0, 1])]);
    reader.put(messages(0, 0..2));
    assert_eq!([reader.offset(), reader.offset()], [0, 1]);
    reader.put([taken(&[0, 1])]);
    assert!(reader.nothing_comes());
    reader.put([given(&[1])]);
    assert!(reader.nothing_comes());
    reader.put(messages(1, 0..2));
    assert_eq!([reader.offset(), reader.offset()], [0, 1]);
    assert!(reader.next().is_none());
}

#[test]
fn a_storm_of_errors_hides_no_message() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    for offset in 0..50 {
        let failed = |code| Event::Failed {
            partition: None,
            error: KafkaError::MessageConsumption(code),
            reason: "1/1 brokers are down".to_owned(),
        };
        reader.put([
            failed(RDKafkaErrorCode::AllBrokersDown),
            message(0, offset),
            failed(RDKafkaErrorCode::TopicAuthorizationFailed),
        ]);
    }
    let (mut offsets, mut errors) = (Vec::new(), 0);
    while offsets.len() < 50 || errors < 50 {
        match reader.next().unwrap() {
            Ok(alert) => offsets.push(alert.record.place.unwrap().offset),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Authorization, "{error}");
                errors += 1;
            }
        }
    }
    assert_eq!(offsets, (0..50).collect::<Vec<_>>());
    assert_eq!(reader.alerts.counters().errors, 100);
}

#[test]
fn a_fatal_error_ends_the_stream_behind_what_came_before() {
    let mut reader = Reader::group();
    let fatal = KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::Fatal);
    reader.put([given(&[0]), message(0, 0)]);
    reader.put([Event::Failed { partition: None, error: fatal, reason: "fenced".to_owned() }]);
    assert_eq!(reader.offset(), 0);
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn a_slow_reader_bounds_what_is_taken() {
    let bound = Bound { messages: 3, bytes: 1 << 20 };
    let mut reader = Reader::start(Some(Commit::Auto), false, 0, bound);
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..100));
    until("the queue is full", || reader.alerts.control().waiting() == 3);
    for offset in 0..100 {
        assert_eq!(reader.offset(), offset);
        assert!(reader.alerts.control().waiting() <= 3);
    }
}

#[test]
fn a_batch_waits_for_all_of_it_or_for_the_time() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..10));
    let batch = |reader: &mut Reader, most, within| {
        let batch = async { Ok::<_, Error>(reader.alerts.next_batch(most, within).await) };
        crate::block_on(batch).unwrap().len()
    };
    assert_eq!(batch(&mut reader, 7, WITHIN), 7);
    assert_eq!(batch(&mut reader, 7, Duration::from_millis(50)), 3);
    assert_eq!(batch(&mut reader, 7, Duration::from_millis(50)), 0);
    assert_eq!(batch(&mut reader, 0, WITHIN), 0);
    until("the batches are done", || reader.client.stored().last() == Some(&10));
}

#[test]
fn deleted_messages_are_reported_and_gaps_of_compaction_are_not() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    // 2 to 4 are missing, and the beginning has not moved.
    reader.put([message(0, 0), message(0, 1), message(0, 5)]);
    assert_eq!([reader.offset(), reader.offset(), reader.offset()], [0, 1, 5]);
    reader.client.ends.lock().unwrap().insert(partition(0), (20, 100));
    reader.put([message(0, 22)]);
    let error = reader.next().unwrap().unwrap_err();
    let lost = error.lost().unwrap();
    assert_eq!((error.kind(), lost.from, lost.to), (ErrorKind::Lost, 6, 20));
    assert_eq!(reader.offset(), 22);
    // Everything is deleted, and nothing new comes.
    reader.client.ends.lock().unwrap().insert(partition(0), (30, 100));
    reader.put([Event::End(partition(0), 30)]);
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!((error.lost().unwrap().from, error.lost().unwrap().to), (23, 30));
    assert_eq!(reader.alerts.counters().lost, 14 + 7);
}

#[test]
fn a_topic_made_anew_is_read_and_committed_from_its_beginning() {
    let mut reader = Reader::group();
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..8));
    for offset in 0..8 {
        assert_eq!(reader.offset(), offset);
    }
    until("seven are done", || reader.client.stored().last() == Some(&7));
    reader.put(messages(0, 0..3));
    let error = reader.next().unwrap().unwrap_err();
    assert_eq!((error.lost().unwrap().from, error.lost().unwrap().to), (8, 0));
    assert_eq!([reader.offset(), reader.offset(), reader.offset()], [0, 1, 2]);
    until("the new messages are committed", || reader.client.stored().last() == Some(&2));
}

#[test]
fn a_batch_that_cannot_be_unpacked_is_passed_and_no_more_than_it() {
    let mut reader = Reader::group();
    reader.client.ends.lock().unwrap().insert(partition(0), (0, 100));
    let failed = || Event::Failed {
        partition: Some((partition(0), 3)),
        error: KafkaError::MessageConsumption(RDKafkaErrorCode::BadCompression),
        reason: "no room".to_owned(),
    };
    reader.put([given(&[0])].into_iter().chain(messages(0, 0..3)));
    // Tried from 4, 6, 5 and 6 again.
    reader.put([failed(), failed(), message(0, 6), failed(), message(0, 6), message(0, 7)]);
    assert_eq!([reader.offset(), reader.offset(), reader.offset()], [0, 1, 2]);
    let error = reader.next().unwrap().unwrap_err();
    let lost = error.lost().unwrap();
    assert_eq!((lost.from, lost.to), (3, 6));
    assert_eq!(lost.why, Loss::Unreadable { reason: "no room".to_owned() });
    assert_eq!([reader.offset(), reader.offset()], [6, 7]);
    assert_eq!(reader.alerts.counters().lost, 3);
    let calls = reader.client.calls.lock().unwrap().clone();
    let sought: Vec<_> = calls.iter().filter(|call| call.starts_with("seek")).map(String::as_str).collect();
    assert_eq!(sought, ["seek t[0]@4", "seek t[0]@6", "seek t[0]@5", "seek t[0]@6"]);
}

/// A reader of `t_{date}` with a window of two nights, whose clock the test sets, in days.
fn nightly(commit: Option<Commit>, absent: &[&str]) -> (Reader, Arc<std::sync::atomic::AtomicU64>) {
    let day = Arc::new(std::sync::atomic::AtomicU64::new(20_000));
    let clock = Arc::clone(&day);
    let now =
        move || std::time::UNIX_EPOCH + Duration::from_secs(clock.load(std::sync::atomic::Ordering::Relaxed) * 86_400);
    let settings = Settings {
        topics: Topics::by_clock(vec!["t_{date}".to_owned()], 2, Arc::new(now)),
        start_at: StartPosition::Earliest,
        until_eos: false,
        until: None,
        commit,
        discovery: Some(Duration::from_millis(20)),
        timeout: WITHIN,
        report_loss: true,
        pass_unreadable: true,
        batch: 4,
    };
    let absent = Mutex::new(absent.iter().map(|topic| (*topic).to_owned()).collect());
    (Reader::of(settings, Bound::default(), Fake { absent, ..Fake::default() }), day)
}

fn of_topic(topic: &str, offset: i64) -> Event {
    let place = Place { topic: topic.into(), partition: 0, offset };
    Event::Message(Received { record: Record::default(), place })
}

fn ends_of(topic: &str, offset: i64) -> [Event; 2] {
    [0, 1].map(|id| Event::End((topic.to_owned(), id), if id == 0 { offset } else { 0 }))
}

#[test]
fn nights_come_when_they_are_there_and_go_when_they_are_read() {
    // Days 19,999 to 20,002 are 2024-10-03 to 2024-10-06.
    let (mut reader, day) = nightly(None, &["t_20241004", "t_20241005"]);
    until("the night before is read", || reader.client.calls("assign 2") == 1);
    reader.put([of_topic("t_20241003", 0)]);
    assert_eq!(reader.offset(), 0);
    // Tonight's topic is made.
    reader.client.absent.lock().unwrap().remove("t_20241004");
    until("tonight is read", || reader.client.calls("assign 2") == 2);
    reader.put([of_topic("t_20241004", 0)]);
    assert_eq!(reader.offset(), 0);
    // The next night: the first one falls out of the window, and stays until its end is reached.
    day.store(20_001, std::sync::atomic::Ordering::Relaxed);
    assert!(reader.nothing_comes());
    assert_eq!(reader.client.calls("drop"), 0);
    reader.put([of_topic("t_20241003", 1)]);
    reader.put(ends_of("t_20241003", 2));
    assert_eq!(reader.offset(), 1);
    until("the first night is let go", || reader.client.calls("drop t_20241003") == 1);
    // What still comes of it is not this reader's.
    reader.put([of_topic("t_20241003", 2), of_topic("t_20241004", 1)]);
    let alert = reader.next().unwrap().unwrap();
    assert_eq!(&*alert.record.place.unwrap().topic, "t_20241004");
    assert!(reader.nothing_comes());
    assert_eq!(reader.client.calls("drop"), 1);
    assert_eq!(reader.client.calls("unassign"), 0);
}

#[test]
fn a_group_subscribes_to_its_nights_and_keeps_one_until_it_is_done() {
    let absent = ["t_20241003", "t_20241004", "t_20241005"];
    let (mut reader, day) = nightly(Some(Commit::Marked), &absent);
    let gives = |reader: &Reader, topic: &str| {
        reader.put([Event::Assigned([0, 1].map(|id| (topic.to_owned(), id)).to_vec())]);
    };
    // No night is there yet: nothing to join for.
    assert!(reader.nothing_comes());
    assert_eq!(reader.client.calls("subscribe"), 0);
    reader.client.absent.lock().unwrap().remove("t_20241004");
    until("tonight is joined", || reader.client.calls("subscribe t_20241004") == 1);
    gives(&reader, "t_20241004");
    reader.put([of_topic("t_20241004", 0)]);
    reader.put(ends_of("t_20241004", 1));
    let alert = reader.next().unwrap().unwrap();
    reader.client.absent.lock().unwrap().remove("t_20241005");
    day.store(20_002, std::sync::atomic::Ordering::Relaxed);
    // Its message is not done, so the night stays beside the next one.
    until("both nights are joined", || reader.client.calls("subscribe t_20241004,t_20241005") == 1);
    assert!(reader.nothing_comes());
    assert_eq!(reader.client.calls("subscribe"), 2);
    reader.alerts.mark_done(&alert.record).unwrap();
    until("the first night is left", || reader.client.calls("subscribe t_20241005,t_20241006") == 1);
}

#[test]
fn a_reader_that_waits_for_a_large_batch_is_not_waited_for() {
    let bound = Bound { messages: 10, bytes: 1 << 20 };
    let mut reader = Reader::start(Some(Commit::Auto), false, 0, bound);
    reader.put([given(&[0])]);
    reader.put(messages(0, 0..400));
    // A machine that is busy may delay a round, but not each of them.
    let mut fastest = WITHIN;
    for _ in 0..10 {
        until("the queue is full", || reader.alerts.counters().messages >= 10);
        // Now it is neither full nor half empty.
        for _ in 0..4 {
            reader.offset();
        }
        let started = Instant::now();
        let batch = async { Ok::<_, Error>(reader.alerts.next_batch(10, WITHIN).await) };
        assert!(crate::block_on(batch).unwrap().len() >= 6);
        fastest = fastest.min(started.elapsed());
    }
    assert!(fastest < Duration::from_millis(60), "{fastest:?}");
}
