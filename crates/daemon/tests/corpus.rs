//! Replays the corpus of the fuzz targets: what broke a decoder once, and one
//! valid input of each form, on the stable compiler and in every check.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs
)]

use std::path::Path;

#[path = "../../../fuzz/bodies/conversation_content.rs"]
mod conversation_content;
#[path = "../../../fuzz/bodies/conversation_link.rs"]
mod conversation_link;
#[path = "../../../fuzz/bodies/delivery_address.rs"]
mod delivery_address;
#[path = "../../../fuzz/bodies/delivery_frame.rs"]
mod delivery_frame;
#[path = "../../../fuzz/bodies/relay_address.rs"]
mod relay_address;
#[path = "../../../fuzz/bodies/relay_block.rs"]
mod relay_block;

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz");
    let mut files: Vec<_> = std::fs::read_dir(fuzz.join(folder))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// Runs a target over its corpus: each input whole, cut short, and with each of
/// its first bytes changed.
fn replay(target: &str, run: fn(&[u8])) {
    let corpus = files(&format!("corpus/{target}"));
    assert!(!corpus.is_empty());
    for (_, input) in corpus {
        run(&input);
        let reach = input.len().min(200);
        for end in 0..reach {
            run(&input[..end]);
        }
        for at in 0..reach {
            let mut changed = input.clone();
            changed[at] ^= 0x81;
            run(&changed);
        }
    }
}

#[test]
fn no_target_is_left_out() {
    let targets: Vec<String> = files("bodies").into_iter().map(|(name, _)| name).collect();
    let known = [
        "conversation_content.rs",
        "conversation_link.rs",
        "delivery_address.rs",
        "delivery_frame.rs",
        "relay_address.rs",
        "relay_block.rs",
    ];
    assert_eq!(targets, known);
}

#[test]
fn conversation_content_survives_its_corpus() {
    replay("conversation_content", conversation_content::run);
}

#[test]
fn conversation_link_survives_its_corpus() {
    replay("conversation_link", conversation_link::run);
}

#[test]
fn delivery_address_survives_its_corpus() {
    replay("delivery_address", delivery_address::run);
}

#[test]
fn delivery_frame_survives_its_corpus() {
    replay("delivery_frame", delivery_frame::run);
}

#[test]
fn relay_address_survives_its_corpus() {
    replay("relay_address", relay_address::run);
}

#[test]
fn relay_block_survives_its_corpus() {
    replay("relay_block", relay_block::run);
}
