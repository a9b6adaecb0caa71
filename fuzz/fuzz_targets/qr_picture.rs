#![no_main]

#[path = "../bodies/qr_picture.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
