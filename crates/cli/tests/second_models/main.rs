//! The second models of `interop/`, run against this program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod python;
mod walk;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use python::{Python, interop};
use serde_json::Value;
use tempfile::TempDir;

/// A relay in a process of its own.
struct Relay {
    process: Child,
    address: String,
    _dir: TempDir,
}

impl Relay {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_hushwing"))
            .args(["--json", "relay", "run", "--listen", "127.0.0.1:0", "--dir"])
            .arg(dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let first: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("relay said {line:?}"));
        Self {
            address: first["address"].as_str().unwrap().to_owned(),
            process,
            _dir: dir,
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn talks_at(version: u16) {
    let python = Python::with_packages();
    let relay = Relay::start();
    let said = python.run(&["-m", "smp_peer", &relay.address, &version.to_string()]);
    assert_eq!(said.lines().last(), Some("ok"), "{said}");
}

#[test]
fn a_peer_of_version_8_is_served() {
    talks_at(8);
}

#[test]
fn a_peer_of_version_9_is_served() {
    talks_at(9);
}

#[test]
fn a_peer_of_version_11_is_served() {
    talks_at(11);
}

#[test]
fn a_peer_of_version_14_is_served() {
    talks_at(14);
}

#[test]
fn a_peer_of_version_16_is_served() {
    talks_at(16);
}

#[test]
fn a_peer_of_version_18_is_served() {
    talks_at(18);
}

#[test]
fn the_peer_computes_the_vectors_of_the_specification() {
    Python::with_packages().run(&["-m", "unittest", "smp_peer.test_vectors"]);
}

/// Every commit of the vectors is checked, every state computed and every fork
/// decided once more.
#[test]
fn the_second_model_of_the_commit_rule_agrees() {
    let said = Python::with_packages().run(&["-m", "commit_rule", "vectors/commit_rule.json"]);
    assert!(said.starts_with("ok"), "{said}");
}

/// A letter to one member of a room, opened by other hands.
#[test]
fn the_second_model_of_side_letters_agrees() {
    let said = Python::with_packages().run(&["-m", "side_letter", "vectors/side_letter.json"]);
    assert!(said.starts_with("ok"), "{said}");
}

/// Posts of a channel, opened by other hands, and none with a bit changed.
#[test]
fn the_second_model_of_channels_agrees() {
    let said = Python::with_packages().run(&["-m", "channel", "vectors/channel.json"]);
    assert!(said.starts_with("ok"), "{said}");
}

/// A stretch off the record and three that never were: the second checker takes all,
/// and none with a byte changed.
#[test]
fn the_second_model_takes_forged_stretches_as_it_takes_real_ones() {
    let said = Python::with_packages().run(&["-m", "otr", "vectors/otr.json"]);
    assert_eq!(said.lines().last(), Some("ok"), "{said}");
}

/// The description of the local API, read by a validator of other hands and held
/// against what two running daemons were asked and answered.
#[test]
fn the_local_api_is_as_it_is_described() {
    let python = Python::with_packages();
    let dir = tempfile::tempdir().unwrap();
    let calls = walk::walk(dir.path());
    let calls = calls.to_str().unwrap();
    let stored = interop().join("../docs/openapi.json");
    let said = python.run(&["api_check.py", stored.to_str().unwrap(), calls]);
    assert_eq!(said.lines().last(), Some("ok"), "{said}");

    // That it would be seen: each of these is a slip somebody could make.
    let stored = std::fs::read_to_string(stored).unwrap();
    let slips = [
        ("\"short\"", "\"brief\"", "'brief' is a required property"),
        ("\"delivered\"", "\"received\"", "'delivered' is not one of"),
        ("\"passwords\"", "\"secrets\"", "the query value passwords"),
        ("/v1/doctor\"", "/v1/physician\"", "GET /v1/doctor 200"),
        ("not_found", "lost", "an error of kind not_found"),
    ];
    let slipped = slips
        .iter()
        .fold(stored.clone(), |text, (right, wrong, _)| {
            text.replace(right, wrong)
        });
    let file = dir.path().join("slip.json");
    let refusal = |text: String| {
        std::fs::write(&file, text).unwrap();
        python.refusal(&["api_check.py", file.to_str().unwrap(), calls])
    };
    let told = refusal(slipped);
    for (_, _, problem) in slips {
        assert!(told.contains(problem), "{problem}: {told}");
    }
    let no_openapi = stored.replace("\"in\": \"query\"", "\"in\": \"nowhere\"");
    assert!(refusal(no_openapi).contains("nowhere"));
}

/// The second verifier takes the proof of the vectors, and no other byte in it.
#[test]
fn the_second_verifier_refuses_every_changed_byte_of_a_proof() {
    let vectors = interop().join("../crates/conversation/tests/vectors/hushwing-proof-1.txt");
    let vectors = std::fs::read_to_string(vectors).unwrap();
    let text = vectors
        .lines()
        .find_map(|row| row.strip_prefix("proof-text "));
    let text = text.unwrap();
    let bytes = (0..text.len()).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("proof");
    std::fs::write(&file, bytes).unwrap();
    let file = file.to_str().unwrap();
    let said = Python::with_packages().run(&["-m", "proof", "--every-byte", file]);
    let proved: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(proved["text"], "Grüße, 👋");
    assert_eq!(proved["received"][1][0], "read");
}

/// The second verifier takes the wish of the vectors for its conversation and its
/// two leaves, and with no other byte in any of them.
#[test]
fn the_second_verifier_takes_a_key_for_one_conversation_alone() {
    let vectors = interop().join("../crates/conversation/tests/vectors/hushwing-proof-1.txt");
    let vectors = std::fs::read_to_string(vectors).unwrap();
    let vector = |name: &str| {
        let mut rows = vectors.lines().filter_map(|row| row.split_once(' '));
        rows.find(|(of, _)| *of == name).unwrap().1.to_owned()
    };
    let [conversation, sender, receiver] =
        [("09", 16), ("03", 32), ("04", 32)].map(|(byte, count)| byte.repeat(count));
    let wish = vector("wish-provable");
    let said = Python::with_packages().run(&[
        "-m",
        "proof",
        "--wish",
        &wish,
        &conversation,
        &sender,
        &receiver,
    ]);
    assert_eq!(said.trim(), vector("author"));
}

/// Our tests compare with these files; here the files are compared with what
/// the second models say today.
#[test]
fn stored_vectors_are_those_of_the_second_models() {
    let made = tempfile::tempdir().unwrap();
    let folder = made.path().to_str().unwrap();
    Python::with_packages().run(&["vectors/generate.py", folder]);
    let crates = interop().parent().unwrap().join("crates");
    let same = |stored: &str, file: &str| {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap();
        let stored = crates.join(stored).join(file);
        assert_eq!(read(&stored), read(&made.path().join(file)), "{file}");
    };
    same("conversation/tests/vectors", "hushwing-content-1.txt");
    same("conversation/tests/vectors", "hushwing-link-1.txt");
    same("conversation/tests/vectors", "hushwing-proof-1.txt");
    same("delivery/tests/office/vectors", "regular.txt");
    same("relay/tests/vectors", "sender_keys.txt");
}
