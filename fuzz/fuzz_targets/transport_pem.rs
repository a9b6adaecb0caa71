#![no_main]

#[path = "../bodies/transport_pem.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
