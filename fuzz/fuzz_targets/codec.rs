#![no_main]

libfuzzer_sys::fuzz_target!(|content: &[u8]| hop_fuzz::checks::codec(content));
