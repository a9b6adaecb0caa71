#![no_main]

#[path = "../bodies/delivery_rows.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
