//! How large a message a topic takes: its `max.message.bytes`, asked of the broker by the writer's own connection.
//!
//! rdkafka's `AdminClient` would be one connection more, and never asks for an OAuth token.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::bindings as native;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataBroker;
use rdkafka::producer::{BaseProducer, Producer as _};
use tokio::sync::oneshot;

use super::context::WriterContext;
use super::metadata::metadata;
use crate::blocking::{own, spawn};
use crate::native::Owned;
use crate::time::deadline;
use crate::{Error, ErrorKind};

/// The property of a topic.
const PROPERTY: &str = "max.message.bytes";
/// How old an answer may be for a message to be refused by it; what was not told is not asked for again sooner either.
const FRESH: Duration = Duration::from_secs(60);
/// How often the wait for an answer looks whether anyone still wants it.
const SLICE: Duration = Duration::from_millis(100);
/// The longest time-out that librdkafka takes, in milliseconds.
const LONGEST: i32 = 3_600_000;

/// What is known of a topic, and since when.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// `None` where the broker did not tell.
    limit: Option<usize>,
    at: Instant,
}

#[derive(Debug, Default)]
struct Topic {
    known: Mutex<Option<Known>>,
    /// Held by the one who asks.
    asking: tokio::sync::Mutex<()>,
}

impl Topic {
    fn known(&self) -> Option<Known> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learn(&self, limit: Option<usize>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some(Known { limit, at: Instant::now() });
    }
}

/// The limits of the topics that a writer writes to.
pub(super) struct Limits {
    producer: Arc<BaseProducer<WriterContext>>,
    /// How long the broker may take to answer.
    within: Duration,
    /// A message of this size or less is not worth a question.
    worth_asking: usize,
    /// A message of this size or less is below every limit that is known, and not worth a question either.
    small: AtomicUsize,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

impl Limits {
    pub(super) fn new(producer: Arc<BaseProducer<WriterContext>>, within: Duration, worth_asking: usize) -> Self {
        Self { producer, within, worth_asking, small: AtomicUsize::new(worth_asking), topics: Mutex::default() }
    }

    fn topic(&self, name: &str) -> Arc<Topic> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(name) {
            return Arc::clone(topic);
        }
        Arc::clone(topics.entry(name.to_owned()).or_default())
    }

    fn learn(&self, about: &Topic, limit: Option<usize>) {
        about.learn(limit);
        if let Some(limit) = limit {
            self.small.fetch_min(limit, Ordering::Relaxed);
        }
    }

    /// The topic's limit, if a message of this size is certainly above it. Where it is not known, the broker decides.
    pub(super) async fn exceeded(&self, topic: &str, size: usize) -> Option<usize> {
        if size <= self.small.load(Ordering::Relaxed) {
            return None;
        }
        let about = self.topic(topic);
        let is_settled = || match about.known() {
            None => size <= self.worth_asking,
            // It may have been raised since.
            Some(known) => known.at.elapsed() < FRESH || known.limit.is_some_and(|limit| size <= limit),
        };
        if !is_settled() {
            let _turn = own(about.asking.lock()).await;
            if !is_settled() {
                let limit = self.ask(topic).await;
                if let Err(error) = &limit {
                    tracing::debug!(target: "hop", %error, "whether the message is too large is the broker's to decide");
                }
                self.learn(&about, limit.ok());
            }
        }
        about.known()?.limit.filter(|limit| *limit < size)
    }

    /// The topic's limit, asked for unless it was a moment ago.
    pub(super) async fn of(&self, topic: &str) -> Result<usize, Error> {
        let about = self.topic(topic);
        let _turn = own(about.asking.lock()).await;
        if let Some(Known { limit: Some(limit), at }) = about.known()
            && at.elapsed() < FRESH
        {
            return Ok(limit);
        }
        let limit = self.ask(topic).await?;
        self.learn(&about, Some(limit));
        Ok(limit)
    }

    /// Asks on a thread of its own: the answer may take as long as the connection.
    async fn ask(&self, topic: &str) -> Result<usize, Error> {
        let question = Question {
            producer: Arc::clone(&self.producer),
            operation: format!("asking for the largest message that `{topic}` takes"),
            topic: topic.to_owned(),
            within: self.within,
        };
        let (tell, told) = oneshot::channel();
        spawn("hop-request", move || {
            let answer = question.ask(|| tell.is_closed());
            // Whoever asked may have given up meanwhile.
            let _told = tell.send(answer);
        })?;
        let ended = || Error::new(ErrorKind::Kafka, format!("the thread that asked about `{topic}` ended"));
        own(told).await.unwrap_or_else(|_| Err(ended()))
    }
}

/// A question about one topic.
struct Question {
    producer: Arc<BaseProducer<WriterContext>>,
    operation: String,
    topic: String,
    within: Duration,
}

impl Question {
    fn ask(&self, nobody_waits: impl Fn() -> bool) -> Result<usize, Error> {
        let deadline = deadline(self.within);
        // Left to itself librdkafka waits for the controller, which need not be up, or even there.
        let metadata = {
            let complaint = &self.producer.context().complaint;
            metadata(self.producer.client(), complaint, &self.operation, self.within, &nobody_waits)?
        };
        let brokers: Vec<i32> = metadata.brokers().iter().map(MetadataBroker::id).collect();
        let answered = brokers.iter().find(|id| **id == metadata.orig_broker_id());
        let answers = self.send(answered.or(brokers.first()).copied())?;
        let complaint = &self.producer.context().complaint;
        loop {
            if let Some(hopeless) = complaint.hopeless(&self.operation) {
                return Err(hopeless);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || nobody_waits() {
                let why = complaint.error(&self.operation);
                return Err(why.unwrap_or_else(|| Error::timed_out(&self.operation, self.within)));
            }
            if let Some(answer) = next(&answers, left.min(SLICE)) {
                return self.read(&answer);
            }
        }
    }

    fn error(&self, code: RDKafkaErrorCode, reason: Option<String>) -> Error {
        Error::of_code(&self.operation, Some(code), &reason.unwrap_or_else(|| code.to_string()))
    }

    /// Sends the question to this broker; gives the queue that the answer comes to.
    #[allow(unsafe_code)]
    fn send(&self, broker: Option<i32>) -> Result<Owned<native::rd_kafka_queue_t>, Error> {
        let no_memory = || Error::new(ErrorKind::Kafka, format!("{}: there is no memory for it", self.operation));
        let name = CString::new(self.topic.as_str()).map_err(|_| self.error(RDKafkaErrorCode::InvalidTopic, None))?;
        let client = self.producer.client().native_ptr();
        let within = i32::try_from(self.within.as_millis()).unwrap_or(i32::MAX).clamp(1, LONGEST);
        // SAFETY: `client` and `name` live until the end of this function and beyond; each pointer is checked before it is
        // used; librdkafka copies the resource and the options.
        unsafe {
            let queue = Owned::new(native::rd_kafka_queue_new(client), native::rd_kafka_queue_destroy);
            let resource = Owned::new(
                native::rd_kafka_ConfigResource_new(
                    native::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC,
                    name.as_ptr(),
                ),
                native::rd_kafka_ConfigResource_destroy,
            );
            let options = Owned::new(
                native::rd_kafka_AdminOptions_new(
                    client,
                    native::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS,
                ),
                native::rd_kafka_AdminOptions_destroy,
            );
            let (Some(queue), Some(resource), Some(options)) = (queue, resource, options) else {
                return Err(no_memory());
            };
            // They only refuse what is out of range.
            native::rd_kafka_AdminOptions_set_request_timeout(options.get(), within, null_mut(), 0);
            if let Some(broker) = broker {
                native::rd_kafka_AdminOptions_set_broker(options.get(), broker, null_mut(), 0);
            }
            let mut resources = [resource.get()];
            native::rd_kafka_DescribeConfigs(client, resources.as_mut_ptr(), 1, options.get(), queue.get());
            Ok(queue)
        }
    }

    #[allow(unsafe_code)]
    fn read(&self, answer: &Owned<native::rd_kafka_event_t>) -> Result<usize, Error> {
        let text = |text: *const std::ffi::c_char| {
            // SAFETY: librdkafka's texts end with NUL and live as long as the event, which `answer` keeps.
            (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
        };
        let check = |code: native::rd_kafka_resp_err_t, reason| match code {
            native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
            code => Err(self.error(code.into(), text(reason))),
        };
        let unclear = || Error::new(ErrorKind::Kafka, format!("{}: the answer does not say", self.operation));
        // SAFETY: the event is there; what it holds is asked for by the functions of its type, each pointer is checked
        // before it is used, and lists are read up to the lengths that come with them.
        unsafe {
            let event = answer.get();
            check(native::rd_kafka_event_error(event), native::rd_kafka_event_error_string(event))?;
            let result = native::rd_kafka_event_DescribeConfigs_result(event);
            if result.is_null() {
                return Err(unclear());
            }
            let mut count = 0;
            let resources = native::rd_kafka_DescribeConfigs_result_resources(result, &mut count);
            let resource = if resources.is_null() || count == 0 { return Err(unclear()) } else { *resources };
            check(
                native::rd_kafka_ConfigResource_error(resource),
                native::rd_kafka_ConfigResource_error_string(resource),
            )?;
            let mut count = 0;
            let entries = native::rd_kafka_ConfigResource_configs(resource, &mut count);
            let entries = if entries.is_null() { &[] } else { std::slice::from_raw_parts(entries, count) };
            let found = entries
                .iter()
                .find(|entry| text(native::rd_kafka_ConfigEntry_name(**entry)).is_some_and(|name| name == PROPERTY));
            let value = found.and_then(|entry| text(native::rd_kafka_ConfigEntry_value(*entry)));
            value.and_then(|value| value.parse().ok()).ok_or_else(unclear)
        }
    }
}

/// The next answer that comes to the queue.
#[allow(unsafe_code)]
fn next(answers: &Owned<native::rd_kafka_queue_t>, within: Duration) -> Option<Owned<native::rd_kafka_event_t>> {
    let within = i32::try_from(within.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: the queue is there; the event, if there is one, is ours.
    Owned::new(unsafe { native::rd_kafka_queue_poll(answers.get(), within) }, native::rd_kafka_event_destroy)
}
