//! Descriptions of topics and groups, with what the credential may do with them; rdkafka's `AdminClient` asks for neither.

use std::ffi::{CStr, CString, c_char};
use std::ptr::null_mut;
use std::time::Duration;

use rdkafka::bindings as native;
use rdkafka::consumer::Consumer as _;

use super::Client;
use super::rights::Right;
use crate::native::Owned;
use crate::{Error, ErrorKind};

/// The longest time-out that librdkafka takes, in milliseconds.
const LONGEST: u128 = 3_600_000;

type Event = Owned<native::rd_kafka_event_t>;
type Kind = native::rd_kafka_admin_op_t;
type Options = native::rd_kafka_AdminOptions_t;
type Queue = native::rd_kafka_queue_t;

/// What is said of one topic or group.
pub(super) struct Described {
    pub(super) state: Option<String>,
    pub(super) members: usize,
    /// `None` where the broker does not tell.
    pub(super) rights: Option<Vec<Right>>,
}

/// Returns whether the cluster names one of its brokers as the controller, which librdkafka asks for rights and waits for
/// without an end: [`EmbeddedBroker`](crate::EmbeddedBroker) does not.
pub(super) fn has_controller(client: &Client) -> Result<bool, Error> {
    const OPERATION: &str = "asking for the controller of the cluster";
    let consumer = client.consumer.client();
    let metadata = consumer.fetch_metadata(None, client.within).map_err(|error| client.error(OPERATION, error))?;
    let within = i32::try_from(client.within.as_millis().clamp(1, LONGEST)).unwrap_or(i32::MAX);
    // SAFETY: the handle lives as long as the client.
    #[allow(unsafe_code)]
    let controller = unsafe { native::rd_kafka_controllerid(consumer.native_ptr(), within) };
    Ok(metadata.brokers().iter().any(|broker| broker.id() == controller))
}

/// Describes each of the topics.
pub(super) fn topics(client: &Client, topics: &[String]) -> Result<Vec<Result<Described, Error>>, Error> {
    const OPERATION: &str = "asking for the rights on the topics";
    let (_names, mut pointers) = c_strings(OPERATION, topics)?;
    let answer = ask(client, OPERATION, Kind::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, |handle, options, queue| {
        // SAFETY: the pointers lead to as many strings as there are, which librdkafka copies; the collection is checked before
        // it is used, and destroyed after it.
        #[allow(unsafe_code)]
        unsafe {
            let collection = Owned::new(
                native::rd_kafka_TopicCollection_of_topic_names(pointers.as_mut_ptr(), pointers.len()),
                native::rd_kafka_TopicCollection_destroy,
            );
            match collection {
                Some(collection) => native::rd_kafka_DescribeTopics(handle, collection.get(), options, queue),
                None => return false,
            }
        }
        true
    })?;
    // SAFETY: the event is there and lives as long as `answer`; its contents are read with the functions of its type, each
    // pointer is checked before it is used, and lists are read up to the lengths that come with them.
    #[allow(unsafe_code)]
    unsafe {
        let result = native::rd_kafka_event_DescribeTopics_result(answer.get());
        if result.is_null() {
            return Err(unclear(OPERATION));
        }
        let mut count = 0;
        let list = native::rd_kafka_DescribeTopics_result_topics(result, &mut count);
        let list = if list.is_null() { &[] } else { std::slice::from_raw_parts(list, count) };
        let describe = |topic: &String| {
            let found = list.iter().find(|found| text(native::rd_kafka_TopicDescription_name(**found)) == *topic);
            let found = *found.ok_or_else(|| unclear(OPERATION))?;
            let operation = format!("asking for the rights on the topic `{topic}`");
            check(&operation, native::rd_kafka_TopicDescription_error(found))?;
            let mut count = 0;
            let rights = native::rd_kafka_TopicDescription_authorized_operations(found, &mut count);
            Ok(Described { state: None, members: 0, rights: rights_of(rights, count) })
        };
        Ok(topics.iter().map(describe).collect())
    }
}

/// Describes a group.
pub(super) fn group(client: &Client, name: &str) -> Result<Described, Error> {
    let operation = format!("asking for the group `{name}`");
    let (_names, mut pointers) = c_strings(&operation, &[name.to_owned()])?;
    let answer = ask(client, &operation, Kind::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS, |handle, options, queue| {
        // SAFETY: the pointer leads to a string, which librdkafka copies.
        #[allow(unsafe_code)]
        unsafe {
            native::rd_kafka_DescribeConsumerGroups(handle, pointers.as_mut_ptr(), pointers.len(), options, queue);
        }
        true
    })?;
    // SAFETY: as for topics.
    #[allow(unsafe_code)]
    unsafe {
        let result = native::rd_kafka_event_DescribeConsumerGroups_result(answer.get());
        if result.is_null() {
            return Err(unclear(&operation));
        }
        let mut count = 0;
        let list = native::rd_kafka_DescribeConsumerGroups_result_groups(result, &mut count);
        let list = if list.is_null() { &[] } else { std::slice::from_raw_parts(list, count) };
        let found = *list.first().ok_or_else(|| unclear(&operation))?;
        check(&operation, native::rd_kafka_ConsumerGroupDescription_error(found))?;
        let mut count = 0;
        let rights = native::rd_kafka_ConsumerGroupDescription_authorized_operations(found, &mut count);
        let state = native::rd_kafka_ConsumerGroupDescription_state(found);
        Ok(Described {
            state: Some(text(native::rd_kafka_consumer_group_state_name(state))),
            members: native::rd_kafka_ConsumerGroupDescription_member_count(found),
            rights: rights_of(rights, count),
        })
    }
}

/// Sends a question with its options, and waits for the answer.
fn ask(
    client: &Client,
    operation: &str,
    kind: Kind,
    send: impl FnOnce(*mut native::rd_kafka_t, *mut Options, *mut Queue) -> bool,
) -> Result<Event, Error> {
    let no_memory = || Error::new(ErrorKind::Kafka, format!("{operation}: there is no memory for it"));
    let handle = client.consumer.client().native_ptr();
    let within = i32::try_from(client.within.as_millis().clamp(1, LONGEST)).unwrap_or(i32::MAX);
    // SAFETY: the handle lives as long as the client; each pointer is checked before it is used; an error that an option is not
    // taken is destroyed; the event, if there is one, is ours.
    #[allow(unsafe_code)]
    let answer = unsafe {
        let queue = Owned::new(native::rd_kafka_queue_new(handle), native::rd_kafka_queue_destroy);
        let options =
            Owned::new(native::rd_kafka_AdminOptions_new(handle, kind), native::rd_kafka_AdminOptions_destroy);
        let (Some(queue), Some(options)) = (queue, options) else { return Err(no_memory()) };
        // It only refuses what is out of range.
        native::rd_kafka_AdminOptions_set_request_timeout(options.get(), within, null_mut(), 0);
        let refused = native::rd_kafka_AdminOptions_set_include_authorized_operations(options.get(), 1);
        drop(Owned::new(refused, native::rd_kafka_error_destroy));
        if !send(handle, options.get(), queue.get()) {
            return Err(no_memory());
        }
        // Its own time-out comes first.
        let patience = within.saturating_add(2_000);
        Owned::new(native::rd_kafka_queue_poll(queue.get(), patience), native::rd_kafka_event_destroy)
    };
    let answer =
        answer.ok_or_else(|| Error::timed_out(operation, Duration::from_millis(within.unsigned_abs().into())))?;
    // SAFETY: the event is there, and the text lives as long as it.
    #[allow(unsafe_code)]
    let (code, reason) = unsafe {
        (native::rd_kafka_event_error(answer.get()), text(native::rd_kafka_event_error_string(answer.get())))
    };
    match code {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(answer),
        code => Err(Error::of_code(operation, Some(code.into()), &reason)),
    }
}

fn unclear(operation: &str) -> Error {
    Error::new(ErrorKind::Kafka, format!("{operation}: the answer does not say"))
}

/// The names as C has them, and pointers to them.
fn c_strings(operation: &str, names: &[String]) -> Result<(Vec<CString>, Vec<*const c_char>), Error> {
    let zero = |_| Error::new(ErrorKind::Usage, format!("{operation}: the name has a zero byte in it"));
    let names = names.iter().map(|name| CString::new(name.as_str()).map_err(zero)).collect::<Result<Vec<_>, _>>()?;
    let pointers = names.iter().map(|name| name.as_ptr()).collect();
    Ok((names, pointers))
}

/// A text of librdkafka's; empty where there is none.
///
/// # Safety
/// The pointer is null or leads to text that ends with a zero.
#[allow(unsafe_code)]
unsafe fn text(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: as the caller has it.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// The error that is said of one topic or group.
///
/// # Safety
/// The pointer is null or leads to an error of librdkafka's.
#[allow(unsafe_code)]
unsafe fn check(operation: &str, error: *const native::rd_kafka_error_t) -> Result<(), Error> {
    if error.is_null() {
        return Ok(());
    }
    // SAFETY: as the caller has it.
    let (code, reason) = unsafe { (native::rd_kafka_error_code(error), text(native::rd_kafka_error_string(error))) };
    match code {
        native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(Error::of_code(operation, Some(code.into()), &reason)),
    }
}

/// The rights in a list of librdkafka's; `None` where there is none.
///
/// # Safety
/// The pointer is null or leads to so many.
#[allow(unsafe_code)]
unsafe fn rights_of(list: *const native::rd_kafka_AclOperation_t, count: usize) -> Option<Vec<Right>> {
    if list.is_null() {
        return None;
    }
    // SAFETY: as the caller has it.
    let list = unsafe { std::slice::from_raw_parts(list, count) };
    Some(list.iter().filter_map(|operation| Right::of(*operation)).collect())
}
