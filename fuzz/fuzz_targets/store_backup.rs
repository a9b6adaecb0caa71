#![no_main]

#[path = "../bodies/store_backup.rs"]
mod body;

libfuzzer_sys::fuzz_target!(|data: &[u8]| body::run(data));
