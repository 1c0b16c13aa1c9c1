//! Between Kafka's messages and hop's records: the one copy in, the one copy out.

use std::ffi::{CStr, c_char};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hop_core::{Headers, Outgoing, Record};
use rdkafka::bindings as native;
use rdkafka::message::BorrowedHeaders;

use crate::native::Owned;

/// Reads all headers of a message in librdkafka's memory, in order, each value by `copy`.
///
/// Names come from the network, and may be anything but NUL. One that is not UTF-8 has `U+FFFD` in it; the library's own
/// reader panics on one.
///
/// # Safety
/// The list is null, or valid while this runs.
#[allow(unsafe_code)]
unsafe fn read_headers(list: *const native::rd_kafka_headers_t, mut copy: impl FnMut(&[u8]) -> Bytes) -> Headers {
    if list.is_null() {
        return Headers::new();
    }
    // SAFETY: the list is valid.
    let mut headers = Headers::with_capacity(unsafe { native::rd_kafka_header_cnt(list) });
    for index in 0.. {
        let (mut name, mut value, mut size): (*const c_char, _, _) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the list is valid, and the three pointers are to locals that are written only when there is a header at
        // `index`.
        let status = unsafe { native::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut size) };
        if status != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            break;
        }
        // SAFETY: librdkafka ends each name with NUL, and keeps name and value as long as the list.
        let name = unsafe { CStr::from_ptr(name) };
        // SAFETY: as above; `size` bytes are there.
        headers.push(name.to_string_lossy(), unsafe { slice(value, size) }.map(&mut copy));
    }
    headers
}

/// Copies the headers of a message that was not delivered.
#[allow(unsafe_code)]
pub(crate) fn headers(borrowed: &BorrowedHeaders) -> Headers {
    // SAFETY: `BorrowedHeaders` has no fields: a reference to one is the address of librdkafka's list, which is valid while
    // `borrowed` is.
    unsafe { read_headers(std::ptr::from_ref(borrowed).cast(), Bytes::copy_from_slice) }
}

/// # Safety
/// `start` is null, or that many bytes are there for as long as the result is used.
#[allow(unsafe_code)]
unsafe fn slice<'a>(start: *const std::ffi::c_void, size: usize) -> Option<&'a [u8]> {
    // SAFETY: the caller says so.
    (!start.is_null()).then(|| unsafe { std::slice::from_raw_parts(start.cast::<u8>(), size) })
}

/// What messages in a row share, so that most of them need no memory of their own.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// Room for small parts. A record that is kept keeps its neighbours' parts: at most [`ROOM`](Self::ROOM) bytes.
    room: BytesMut,
    /// The name of the topic that was met last.
    topic: Option<Arc<str>>,
}

impl Shared {
    const ROOM: usize = 16 << 10;
    /// A larger part has memory of its own.
    const SMALL: usize = 4 << 10;

    /// Copies a part of a message.
    fn copy(&mut self, part: &[u8]) -> Bytes {
        if part.is_empty() {
            return Bytes::new();
        }
        if part.len() > Self::SMALL {
            return Bytes::copy_from_slice(part);
        }
        if self.room.capacity() < part.len() {
            self.room = BytesMut::with_capacity(Self::ROOM);
        }
        self.room.extend_from_slice(part);
        self.room.split().freeze()
    }

    /// Returns the name, shared with the last call if it was the same then.
    pub(crate) fn topic(&mut self, name: &CStr) -> Arc<str> {
        match &self.topic {
            Some(known) if known.as_bytes() == name.to_bytes() => Arc::clone(known),
            _ => {
                let topic: Arc<str> = name.to_string_lossy().into();
                self.topic = Some(Arc::clone(&topic));
                topic
            }
        }
    }

    /// Shares no name with the messages before: they are dropped by another thread while this one adds more.
    pub(crate) fn forget_topic(&mut self) {
        self.topic = None;
    }
}

/// Copies a message into a record, which has no place yet.
///
/// # Safety
/// The message is one that librdkafka gave out, and is valid while this runs.
#[allow(unsafe_code)]
pub(crate) unsafe fn copy(message: &native::rd_kafka_message_t, with: &mut Shared) -> Record {
    let mut list = std::ptr::null_mut();
    // SAFETY: the message is valid; the list belongs to it, and is written only on success.
    let status = unsafe { native::rd_kafka_message_headers(message, &mut list) };
    let is_list = status == native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    let list = if is_list { list.cast_const() } else { std::ptr::null() };
    // SAFETY: the list is null or the message's, and valid while the message is.
    let headers = unsafe { read_headers(list, |value| with.copy(value)) };
    // SAFETY: payload and key are null or have the lengths that stand beside them; both are valid while the message is.
    let (content, key) = unsafe { (slice(message.payload, message.len), slice(message.key, message.key_len)) };
    let mut kind = native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is valid, and `kind` is a local.
    let timestamp = unsafe { native::rd_kafka_message_timestamp(message, &mut kind) };
    let has_timestamp = timestamp != -1 && kind != native::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    Record {
        content: content.map(|content| with.copy(content)).into(),
        key: key.map(|key| with.copy(key)),
        headers,
        timestamp: has_timestamp.then_some(timestamp),
        place: None,
    }
}

/// Headers as librdkafka takes them; `None` when there is no memory for them.
///
/// A name must not contain NUL: [`is_sendable`] says so.
#[allow(unsafe_code)]
pub(crate) fn native_headers(headers: &Headers) -> Option<Owned<native::rd_kafka_headers_t>> {
    // SAFETY: librdkafka makes the list, which `Owned` destroys unless it is given away.
    let list = Owned::new(unsafe { native::rd_kafka_headers_new(headers.len()) }, native::rd_kafka_headers_destroy)?;
    for header in headers {
        let (value, size) = header.value.as_ref().map_or((std::ptr::null(), 0), |value| (value.as_ptr(), value.len()));
        let (Ok(length), Ok(size)) = (isize::try_from(header.name.len()), isize::try_from(size)) else { return None };
        // SAFETY: the list is there; name and value have the lengths given, and are copied.
        let status =
            unsafe { native::rd_kafka_header_add(list.get(), header.name.as_ptr().cast(), length, value.cast(), size) };
        if status != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
    }
    Some(list)
}

/// Returns false for a header name with NUL in it: librdkafka would hand its readers the part before.
pub(crate) fn is_sendable(name: &str) -> bool {
    !name.contains('\0')
}

/// The bytes that the broker compares with the topic's limit: the message as a batch of its own, not compressed.
///
/// Source: Apache Kafka, "Record Batch" and "Record", version 2.
pub(crate) fn size_as_sent(message: &Outgoing) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(unsafe_code)]
    fn names_that_are_not_utf8_do_no_harm() {
        // SAFETY: the list is made, filled, read and destroyed here; each pointer is to a literal of the length given.
        let read = unsafe {
            let list = native::rd_kafka_headers_new(2);
            for (name, value) in [(&b"\xe9\xff"[..], Some(&b"v"[..])), (b"null", None)] {
                let (start, length) =
                    value.map_or((std::ptr::null(), 0), |value| (value.as_ptr(), value.len() as isize));
                native::rd_kafka_header_add(list, name.as_ptr().cast(), name.len() as isize, start.cast(), length);
            }
            let read = headers(&*list.cast::<BorrowedHeaders>());
            native::rd_kafka_headers_destroy(list);
            read
        };
        let expected: Headers = [("\u{FFFD}\u{FFFD}", Some("v")), ("null", None)].into_iter().collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn messages_in_a_row_share_the_name_of_their_topic() {
        let mut shared = Shared::default();
        let (first, again, other) = (shared.topic(c"a"), shared.topic(c"a"), shared.topic(c"b"));
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!((&*first, &*other), ("a", "b"));
    }

    #[test]
    fn small_parts_share_memory_and_large_ones_do_not() {
        let mut shared = Shared::default();
        let parts: Vec<Vec<u8>> = (0..100_u8).map(|number| vec![number; usize::from(number) * 100]).collect();
        let copied: Vec<Bytes> = parts.iter().map(|part| shared.copy(part)).collect();
        assert_eq!(copied, parts);
        assert_eq!(copied[1].as_ptr_range().end, copied[2].as_ptr());
        assert!(copied[99].is_unique() && !copied[2].is_unique());
    }

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
