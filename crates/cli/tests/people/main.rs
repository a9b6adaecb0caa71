//! Real people on real processes: every test starts relays and daemons of its
//! own and talks to them as a person at a terminal would.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

mod backup;
mod bots;
mod channels;
mod content;
mod damaged;
mod devices;
mod failover;
mod faults;
mod full_disk;
mod groups;
mod hidden;
mod history;
mod impostor;
mod introductions;
mod kills;
mod lists;
mod lost;
mod otr;
mod ports;
mod profiles;
mod provable;
// The second models use more of it.
#[path = "../second_models/python.rs"]
#[allow(dead_code)]
mod python;
mod servers;
mod strangers;
mod system;
mod terminal;
mod text;
mod two_homes;
mod world;
