#![no_main]

#[path = "../bodies/relay_server_address.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
