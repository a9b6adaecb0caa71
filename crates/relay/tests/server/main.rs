//! What a relay server answers, command by command: sessions and engine in
//! one thread, spoken to by a peer that builds its own transmissions.
//! Numbers in brackets are those of the conformance checklist (smp.md 8).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod crash;
mod creating;
mod handshake;
mod links;
mod managing;
mod packing;
mod peer;
mod quota;
mod reading;
mod refusing;
mod securing;
mod sending;
mod world;
