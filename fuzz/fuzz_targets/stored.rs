#![no_main]

//! What the archive answers: messages, pages and receipts in BSON.

#[allow(dead_code, unreachable_pub)]
#[path = "../../hop-kafka/src/archive/document.rs"]
mod document;

use bytes::Bytes;
use hop_core::Outgoing;

libfuzzer_sys::fuzz_target!(|content: &[u8]| {
    let content = Bytes::copy_from_slice(content);
    let _page = document::page(&content);
    let _names = document::names(&content);
    let _count = document::count(&content);
    let _receipt = document::receipt(&content);
    let Ok(stored) = document::message(&content) else { return };
    // What was read can be written, unless a header is null, and is BSON whose length is that of the bytes.
    let has_null = stored.headers.iter().any(|header| header.value.is_none());
    let message = Outgoing { content: stored.content.clone().into(), key: stored.key, headers: stored.headers.clone() };
    let Some(written) = document::upload(&message).map(|parts| parts.concat()) else {
        assert!(has_null);
        return;
    };
    let read = bson::Document::from_reader(&written[..]).expect("what is written is BSON");
    assert_eq!(u32::from_le_bytes(written[..4].try_into().unwrap()) as usize, written.len());
    assert_eq!(read.get_binary_generic("message").unwrap()[..], stored.content.unwrap_or_default()[..]);
    assert_eq!(read.get_array("headers").unwrap().len(), stored.headers.len());
});
