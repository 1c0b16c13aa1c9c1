//! Between Kafka's messages and hop's records: the one copy in, the one copy out.

use std::collections::HashMap;
use std::ffi::CStr;
use std::sync::Arc;

use bytes::Bytes;
use hop_core::{Headers, Place, Record};
use rdkafka::Message;
use rdkafka::bindings as native;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Header, OwnedHeaders};

/// The names of topics, each kept once.
#[derive(Debug, Default)]
pub(crate) struct Topics(HashMap<String, Arc<str>>);

impl Topics {
    pub(crate) fn intern(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let shared: Arc<str> = name.into();
        self.0.insert(name.to_owned(), Arc::clone(&shared));
        shared
    }
}

/// The message as a record of its own. A message without a value has empty content.
pub(crate) fn record(message: &BorrowedMessage<'_>, topics: &mut Topics) -> Record {
    Record {
        content: message.payload().map(Bytes::copy_from_slice).unwrap_or_default(),
        key: message.key().map(Bytes::copy_from_slice),
        headers: message.headers().map(headers).unwrap_or_default(),
        timestamp: message.timestamp().to_millis(),
        place: Some(Place {
            topic: topics.intern(message.topic()),
            partition: message.partition(),
            offset: message.offset(),
        }),
    }
}

/// All headers in order.
///
/// Names come from the network. The library's own reader panics on one that is not UTF-8, so they are read here, and
/// what is not UTF-8 becomes `U+FFFD`.
#[allow(unsafe_code)]
pub(crate) fn headers(borrowed: &BorrowedHeaders) -> Headers {
    // `BorrowedHeaders` has no fields: a reference to one is the address of librdkafka's list.
    let list = std::ptr::from_ref(borrowed).cast::<native::rd_kafka_headers_t>();
    let mut out = Headers::with_capacity(rdkafka::message::Headers::count(borrowed));
    for index in 0.. {
        let (mut name, mut value, mut size) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: `list` is valid while `borrowed` is, and the three pointers are to locals that are written only when
        // there is a header at `index`.
        let status = unsafe { native::rd_kafka_header_get_all(list, index, &mut name, &mut value, &mut size) };
        if status != native::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR || name.is_null() {
            break;
        }
        // SAFETY: librdkafka ends each name with NUL, and keeps name and value as long as the message, which `borrowed` is
        // a part of.
        let name = unsafe { CStr::from_ptr(name) }.to_string_lossy();
        let value = (!value.is_null()).then(|| {
            // SAFETY: as above; `size` bytes are there.
            Bytes::copy_from_slice(unsafe { std::slice::from_raw_parts(value.cast::<u8>(), size) })
        });
        out.push(name, value);
    }
    out
}

/// Headers as librdkafka takes them.
pub(crate) fn owned_headers(headers: &Headers) -> OwnedHeaders {
    headers.iter().fold(OwnedHeaders::new_with_capacity(headers.len()), |owned, header| {
        owned.insert(Header { key: &header.name, value: header.value.as_deref() })
    })
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
}
