//! Handing a message to librdkafka.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;
use std::sync::Arc;

use hop_core::Outgoing;
use rdkafka::bindings as native;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer as _};
use rdkafka::util::IntoOpaque;

use super::context::WriterContext;
use super::delivery::InFlight;
use crate::native::Owned;

/// Content of this size or more is sent from where it is. Below, a copy beside librdkafka's own data costs less than
/// sharing the bytes between threads.
pub(super) const SHARED_FROM: usize = 16 << 10;

/// Queues the message; takes the headers if it is queued, and gives `in_flight` back if it is not.
///
/// rdkafka's own `send` copies all content, and makes a list of headers for each attempt.
#[allow(unsafe_code)]
pub(super) fn send(
    producer: &BaseProducer<WriterContext>,
    topic: &CStr,
    message: &Outgoing,
    headers: &mut Option<Owned<native::rd_kafka_headers_t>>,
    in_flight: Arc<InFlight>,
) -> Result<(), (RDKafkaErrorCode, Arc<InFlight>)> {
    fn bytes(bytes: &[u8]) -> (*const c_void, usize) {
        (bytes.as_ptr().cast(), bytes.len())
    }
    let flags: c_int = if in_flight.shares(&message.content) { 0 } else { native::RD_KAFKA_MSG_F_COPY };
    let (content, content_size) = message.content.as_bytes().map_or((ptr::null(), 0), |content| bytes(content));
    let (key, key_size) = message.key.as_deref().map_or((ptr::null(), 0), bytes);
    let list = headers.as_ref().map_or(ptr::null_mut(), Owned::get);
    let opaque = in_flight.into_ptr();
    // SAFETY: the client and the topic's name outlive the call; each tag is followed by the arguments that it wants.
    // Content that is not copied lives in `in_flight`, whose reference librdkafka has until the delivery report. The
    // headers and that reference are librdkafka's if, and only if, it reports no error.
    let status = unsafe {
        use native::rd_kafka_vtype_t as tag;
        native::rd_kafka_producev(
            producer.client().native_ptr(),
            tag::RD_KAFKA_VTYPE_TOPIC,
            topic.as_ptr(),
            tag::RD_KAFKA_VTYPE_MSGFLAGS,
            flags,
            tag::RD_KAFKA_VTYPE_VALUE,
            content,
            content_size,
            tag::RD_KAFKA_VTYPE_KEY,
            key,
            key_size,
            tag::RD_KAFKA_VTYPE_OPAQUE,
            opaque,
            tag::RD_KAFKA_VTYPE_HEADERS,
            list,
            tag::RD_KAFKA_VTYPE_END,
        )
    };
    if status == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        if let Some(headers) = headers.take() {
            headers.release();
        }
        return Ok(());
    }
    // SAFETY: the pointer was made by `into_ptr` above, and librdkafka did not take it.
    Err((status.into(), unsafe { Arc::from_ptr(opaque) }))
}
