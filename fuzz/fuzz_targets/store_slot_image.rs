#![no_main]

#[path = "../bodies/store_slot_image.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
