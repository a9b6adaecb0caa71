//! The post office on a desk: its networks say what the test says.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod desk;
mod inbox;
mod others;
mod outbox;
mod seal;
mod ways;
