//! The events of librdkafka's consumer, read from its queue.
//!
//! The crate `rdkafka` reads the same queue, but of an error or the end of a partition it drops the name of the topic. So it
//! is read here: the one queue has everything that happens, in order.

use std::ffi::{CStr, CString, c_char};
use std::time::Duration;

use hop_core::Place;
use rdkafka::bindings as native;
use rdkafka::client::{Client, ClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{IsError as _, KafkaError};

use super::client::{Event, Partition, Received};
use crate::record::{Shared, copy};

/// The queue of one consumer. It must go before the consumer does.
pub(super) struct Events {
    queue: *mut native::rd_kafka_queue_t,
    client: *mut native::rd_kafka_t,
}

// SAFETY: librdkafka's functions on a queue and on a client may be called from any thread, also at the same time.
#[allow(unsafe_code)]
unsafe impl Send for Events {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl Sync for Events {}

/// An event that is destroyed with the value.
struct NativeEvent(*mut native::rd_kafka_event_t);

impl Drop for NativeEvent {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: the event came from the queue, and nothing that is kept points into it.
        unsafe { native::rd_kafka_event_destroy(self.0) }
    }
}

impl Events {
    /// The queue of the consumer that `client` is.
    #[allow(unsafe_code)]
    pub(super) fn of<C: ClientContext>(client: &Client<C>) -> Option<Self> {
        let client = client.native_ptr();
        // SAFETY: the client is valid; the queue is counted, and given back by `drop`.
        let queue = unsafe { native::rd_kafka_queue_get_consumer(client) };
        (!queue.is_null()).then_some(Self { queue, client })
    }

    /// Has the call of `poll` that waits now, or else the next one, return at once.
    #[allow(unsafe_code)]
    pub(super) fn wake(&self) {
        // SAFETY: the queue is valid until `drop`.
        unsafe { native::rd_kafka_queue_yield(self.queue) }
    }

    /// Waits for the next event, at most for this time.
    #[allow(unsafe_code)]
    pub(super) fn poll(&self, shared: &mut Shared, timeout: Duration) -> Option<Event> {
        let milliseconds = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
        // SAFETY: the queue is valid until `drop`; the event belongs to the caller.
        let event = unsafe { native::rd_kafka_queue_poll(self.queue, milliseconds) };
        if event.is_null() {
            return None;
        }
        let event = NativeEvent(event);
        // SAFETY: the event is valid until it is dropped, at the end of this function.
        let kind = unsafe { native::rd_kafka_event_type(event.0) };
        Some(match kind {
            native::RD_KAFKA_EVENT_FETCH => event.message(shared),
            native::RD_KAFKA_EVENT_ERROR => event.error(),
            native::RD_KAFKA_EVENT_REBALANCE => event.rebalance(),
            native::RD_KAFKA_EVENT_OFFSET_COMMIT => event.commit(),
            native::RD_KAFKA_EVENT_LOG => event.log(),
            _ => Event::Nothing,
        })
    }

    /// Returns the first offset of a partition, and the one after the last, as the last fetch had them.
    #[allow(unsafe_code)]
    pub(super) fn ends(&self, topic: &str, partition: i32) -> Option<(i64, i64)> {
        let topic = CString::new(topic).ok()?;
        let (mut low, mut high) = (-1, -1);
        // SAFETY: the client outlives this value; the name ends with NUL, and the two numbers are locals.
        let status = unsafe {
            native::rd_kafka_get_watermark_offsets(self.client, topic.as_ptr(), partition, &mut low, &mut high)
        };
        (!status.is_error() && low >= 0).then_some((low, high))
    }
}

impl Drop for Events {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it was counted when it was taken, and is not used any more.
        unsafe { native::rd_kafka_queue_destroy(self.queue) }
    }
}

/// # Safety
/// The pointer is null, or to text that ends with NUL and is valid while the result is used.
#[allow(unsafe_code)]
unsafe fn text<'a>(start: *const c_char) -> &'a CStr {
    // SAFETY: the caller says so.
    if start.is_null() { c"" } else { unsafe { CStr::from_ptr(start) } }
}

#[allow(unsafe_code)]
impl NativeEvent {
    fn message(&self, shared: &mut Shared) -> Event {
        // SAFETY: the event is valid and is one of messages; it has one.
        let message = unsafe { native::rd_kafka_event_message_next(self.0).as_ref() };
        let Some(message) = message else { return Event::Nothing };
        // SAFETY: the message belongs to the event, and has its topic while it is valid.
        let topic = shared.topic(unsafe { text(native::rd_kafka_topic_name(message.rkt)) });
        let place = Place { topic, partition: message.partition, offset: message.offset };
        // SAFETY: the message is librdkafka's, and valid as long as the event.
        Event::Message(Received { record: unsafe { copy(message, shared) }, place })
    }

    fn error(&self) -> Event {
        // SAFETY: the event is valid; its texts are as long as it is, and are copied.
        let (code, reason, fatal) = unsafe {
            (
                native::rd_kafka_event_error(self.0),
                text(native::rd_kafka_event_error_string(self.0)).to_string_lossy().trim().to_owned(),
                native::rd_kafka_event_error_is_fatal(self.0) != 0,
            )
        };
        let partition = self.partition();
        if code == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF {
            return match partition {
                Some((partition, offset)) => Event::End(partition, offset),
                None => Event::Nothing,
            };
        }
        if !code.is_error() {
            return Event::Nothing;
        }
        let error = match fatal {
            true => KafkaError::MessageConsumptionFatal(code.into()),
            false => KafkaError::MessageConsumption(code.into()),
        };
        Event::Failed { partition, error, reason }
    }

    /// The partition that the event is of, and the offset there.
    fn partition(&self) -> Option<(Partition, i64)> {
        // SAFETY: the event is valid; the partition is the caller's, and destroyed below.
        unsafe {
            let found = native::rd_kafka_event_topic_partition(self.0);
            let partition = found.as_ref().map(|found| (read(found), found.offset));
            if !found.is_null() {
                native::rd_kafka_topic_partition_destroy(found);
            }
            partition
        }
    }

    fn rebalance(&self) -> Event {
        // SAFETY: the event is valid; the list belongs to it, and is copied.
        let (code, partitions) = unsafe {
            let list = native::rd_kafka_event_topic_partition_list(self.0).as_ref();
            let partitions = list.filter(|list| !list.elems.is_null() && list.cnt > 0).map(|list| {
                let elements = std::slice::from_raw_parts(list.elems, usize::try_from(list.cnt).unwrap_or(0));
                elements.iter().map(|element| read(element)).collect::<Vec<_>>()
            });
            (native::rd_kafka_event_error(self.0), partitions.unwrap_or_default())
        };
        match code {
            native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => Event::Assigned(partitions),
            _ => Event::Revoked(partitions),
        }
    }

    fn commit(&self) -> Event {
        // SAFETY: the event is valid.
        let code = unsafe { native::rd_kafka_event_error(self.0) };
        Event::Committed(if code.is_error() { Err(KafkaError::ConsumerCommit(code.into())) } else { Ok(()) })
    }

    fn log(&self) -> Event {
        let (mut facility, mut line, mut level) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the event is valid, and the three pointers are to locals; the texts are as long as the event, and are
        // copied.
        unsafe {
            if native::rd_kafka_event_log(self.0, &mut facility, &mut line, &mut level) != 0 {
                return Event::Nothing;
            }
            let copied = |start| text(start).to_string_lossy().trim().to_owned();
            Event::Logged(level_of(level), copied(facility), copied(line))
        }
    }
}

/// # Safety
/// The partition is valid.
#[allow(unsafe_code)]
unsafe fn read(partition: &native::rd_kafka_topic_partition_t) -> Partition {
    // SAFETY: librdkafka ends the name with NUL.
    (unsafe { text(partition.topic) }.to_string_lossy().into_owned(), partition.partition)
}

/// The level of a log line, as syslog numbers it.
fn level_of(level: i32) -> RDKafkaLogLevel {
    match level {
        ..=0 => RDKafkaLogLevel::Emerg,
        1 => RDKafkaLogLevel::Alert,
        2 => RDKafkaLogLevel::Critical,
        3 => RDKafkaLogLevel::Error,
        4 => RDKafkaLogLevel::Warning,
        5 => RDKafkaLogLevel::Notice,
        6 => RDKafkaLogLevel::Info,
        7.. => RDKafkaLogLevel::Debug,
    }
}
