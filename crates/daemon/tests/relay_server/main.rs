//! The relay server as it runs: real sockets, real TLS, a real file, and real
//! processes killed without warning.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod checklist;
mod client;
mod killed;
mod many;
mod running;
