//! The client's promises, kept over the real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod acts;
mod faults;
mod hostile;
mod invitations;
mod letters;
mod pace;
#[path = "../peer/mod.rs"]
mod peer;
mod places;
mod world;
