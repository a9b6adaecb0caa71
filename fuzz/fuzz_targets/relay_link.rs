#![no_main]

#[path = "../bodies/relay_link.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
