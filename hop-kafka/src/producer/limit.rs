//! How large a message a topic takes: its `max.message.bytes`, asked of the broker by the writer's own connection.
//!
//! rdkafka's `AdminClient` would be one connection more, and never asks for an OAuth token.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::ptr::{NonNull, null_mut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hop_core::Outgoing;
use rdkafka::bindings as native;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::metadata::MetadataBroker;
use rdkafka::producer::{BaseProducer, Producer as _};
use tokio::sync::oneshot;

use super::delivery::Deliveries;
use super::topics::metadata;
use crate::blocking::{own, spawn};
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

/// The bytes that the broker compares with the topic's limit: the message as a batch of its own, not compressed.
///
/// Source: Apache Kafka, "Record Batch" and "Record", version 2.
pub(super) fn size_as_sent(message: &Outgoing) -> usize {
    const BATCH: usize = 61;
    // Attributes, and the distances to the batch's timestamp and offset, which are zero.
    const FIXED: usize = 3;
    let text = |length: usize| varint(length) + length;
    // A key or value that is null has the length -1, which takes one byte.
    let optional = |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| text(bytes.len()));
    let headers: usize =
        message.headers.iter().map(|header| text(header.name.len()) + optional(header.value.as_deref())).sum();
    let record = FIXED
        + optional(message.key.as_deref())
        + optional(message.content.as_bytes().map(|content| &content[..]))
        + varint(message.headers.len())
        + headers;
    BATCH + text(record)
}

/// The bytes that a length takes: seven bits a byte, after the sign.
fn varint(length: usize) -> usize {
    let bits = usize::BITS - length.leading_zeros() + 1;
    bits.div_ceil(7) as usize
}

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
    producer: Arc<BaseProducer<Deliveries>>,
    /// How long the broker may take to answer.
    within: Duration,
    /// A message of this size or less is not worth a question.
    worth_asking: usize,
    topics: Mutex<HashMap<String, Arc<Topic>>>,
}

impl Limits {
    pub(super) fn new(producer: Arc<BaseProducer<Deliveries>>, within: Duration, worth_asking: usize) -> Self {
        Self { producer, within, worth_asking, topics: Mutex::default() }
    }

    fn topic(&self, name: &str) -> Arc<Topic> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(topic) = topics.get(name) {
            return Arc::clone(topic);
        }
        Arc::clone(topics.entry(name.to_owned()).or_default())
    }

    /// The topic's limit, if a message of this size is certainly above it. Where it is not known, the broker decides.
    pub(super) async fn exceeded(&self, topic: &str, size: usize) -> Option<usize> {
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
                about.learn(limit.ok());
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
        about.learn(Some(limit));
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

/// Something of librdkafka's that is ours to destroy.
struct Owned<T> {
    it: NonNull<T>,
    destroy: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    fn new(it: *mut T, destroy: unsafe extern "C" fn(*mut T)) -> Option<Self> {
        NonNull::new(it).map(|it| Self { it, destroy })
    }

    fn get(&self) -> *mut T {
        self.it.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: `it` came from the constructor that belongs to `destroy`, and nobody else destroys it.
        unsafe { (self.destroy)(self.it.as_ptr()) }
    }
}

/// A question about one topic.
struct Question {
    producer: Arc<BaseProducer<Deliveries>>,
    operation: String,
    topic: String,
    within: Duration,
}

impl Question {
    fn ask(&self, nobody_waits: impl Fn() -> bool) -> Result<usize, Error> {
        let deadline = deadline(self.within);
        // Left to itself librdkafka waits for the controller, which need not be up, or even there.
        let metadata = metadata(&self.producer, &self.operation, self.within, &nobody_waits)?;
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use hop_core::Headers;

    use super::*;

    #[test]
    fn lengths_take_seven_bits_a_byte_after_the_sign() {
        for (length, bytes) in [(0, 1), (63, 1), (64, 2), (8191, 2), (8192, 3), (1 << 20, 4)] {
            assert_eq!(varint(length), bytes, "{length}");
        }
    }

    #[test]
    fn the_size_counts_all_that_is_sent() {
        let mut message = Outgoing { content: Bytes::new().into(), key: None, headers: Headers::new() };
        // Length, fixed, no key, no content, no headers.
        assert_eq!(size_as_sent(&message), 61 + 1 + 3 + 1 + 1 + 1);
        message.content = hop_core::Payload::NULL;
        assert_eq!(size_as_sent(&message), 61 + 1 + 3 + 1 + 1 + 1);
        message.content = vec![0; 100].into();
        message.key = Some(Bytes::from_static(b"key"));
        message.headers = [("name", Some("value")), ("none", None)].into_iter().collect();
        assert_eq!(size_as_sent(&message), 61 + 2 + 3 + 4 + 102 + 1 + (5 + 6) + (5 + 1));
    }
}
