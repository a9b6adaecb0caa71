//! Who knows whom cannot be rebuilt from what a relay has on its disk: fifty
//! people meet and talk for hours over a relay with real files; then a script
//! (`interop/contact_list`) is given all that lies in the relay's folder, key
//! and log included, and pairs queues. It may do no better than chance. On
//! relays with a fault the same script succeeds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    missing_docs
)]

// Those they belong to use more of them than these tests.
#[allow(dead_code)]
#[path = "../../../relay/tests/peer/mod.rs"]
mod peer;
mod people;
#[allow(dead_code)]
#[path = "../../../cli/tests/second_models/python.rs"]
mod python;
mod rooms;
mod verdict;

use std::collections::BTreeMap;
use std::time::Duration;

use people::{Life, Scale};
use python::Python;
use rooms::{KEEPS_HISTORY, SOUND, TALKS};
use verdict::{Verdict, judge};

const HOUR: Duration = Duration::from_secs(60 * 60);

/// What is bearable at each change; `HUSHWING_SOAK=1` asks for more. A fault
/// shows in a shorter life.
fn scale(fault: u8) -> Scale {
    let soak = std::env::var("HUSHWING_SOAK").is_ok_and(|soak| soak == "1");
    Scale {
        users: 50,
        conversations: if soak { 150 } else { 80 },
        meeting: 4 * HOUR,
        talking: if soak { 24 * HOUR } else { 3 * HOUR },
        messages: match (soak, fault) {
            (true, _) => 12_000,
            (false, SOUND) => 900,
            (false, _) => 400,
        },
    }
}

/// Lets them live, takes the disk, and says what the script made of it.
fn attacked<const PROMPT: bool, const FAULT: u8>(seed: u64) -> BTreeMap<String, Verdict> {
    let scale = scale(FAULT);
    let mut life = Life::<PROMPT, FAULT>::new(seed, scale);
    life.pass();
    let folder = tempfile::tempdir().unwrap();
    life.world.server().seize(folder.path());
    let truth = life.conversations();
    assert!(truth.len() * 10 >= scale.conversations * 9, "too few met");
    let said = Python::with_packages().run(&[
        "-m",
        "contact_list",
        folder.path().to_str().unwrap(),
        &scale.users.to_string(),
    ]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    // Whoever never writes pages anew leaves old bytes on them, where rows moved.
    if FAULT != KEEPS_HISTORY {
        assert_eq!(said["remnants"], 0);
    }
    println!(
        "{} queues, {} messages wait, {} frames in the log, {} remnants",
        said["queues"].as_array().unwrap().len(),
        said["waiting"],
        said["frames"],
        said["remnants"]
    );
    let verdicts = judge(&said, &truth);
    for (kind, verdict) in &verdicts {
        println!("{kind}: {verdict:?}");
    }
    verdicts
}

#[test]
fn a_relays_disk_pairs_nobody() {
    for (kind, verdict) in attacked::<false, SOUND>(1) {
        assert!(verdict.is_chance(), "{kind}: {verdict:?}");
    }
}

/// The attack can succeed: a write-ahead log that is never cleared, and receipts
/// that leave at once.
#[test]
fn a_relay_that_keeps_history_gives_pairs_away() {
    let verdicts = attacked::<true, KEEPS_HISTORY>(1);
    for kind in ["order in the write-ahead log", "together"] {
        let verdict = &verdicts[kind];
        assert!(
            !verdict.is_chance() && verdict.hits >= 10,
            "{kind}: {verdict:?}"
        );
    }
}

/// The attack can succeed: a log that names the queue with each message.
#[test]
fn a_relay_that_prints_names_gives_pairs_away() {
    let verdicts = attacked::<false, TALKS>(1);
    for kind in ["log", "together"] {
        let verdict = &verdicts[kind];
        assert!(
            !verdict.is_chance() && verdict.hits >= 10,
            "{kind}: {verdict:?}"
        );
    }
}
