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

mod channels;
mod introductions;
mod lists;
mod rooms;
mod seeds;
mod stretches;

#[path = "../../../../fuzz/bodies/conversation_branches.rs"]
mod conversation_branches;
#[path = "../../../../fuzz/bodies/conversation_card.rs"]
mod conversation_card;
#[path = "../../../../fuzz/bodies/conversation_channel.rs"]
mod conversation_channel;
#[path = "../../../../fuzz/bodies/conversation_code.rs"]
mod conversation_code;
#[path = "../../../../fuzz/bodies/conversation_content.rs"]
mod conversation_content;
#[path = "../../../../fuzz/bodies/conversation_introduction.rs"]
mod conversation_introduction;
#[path = "../../../../fuzz/bodies/conversation_letter.rs"]
mod conversation_letter;
#[path = "../../../../fuzz/bodies/conversation_link.rs"]
mod conversation_link;
#[path = "../../../../fuzz/bodies/conversation_mls_rows.rs"]
mod conversation_mls_rows;
#[path = "../../../../fuzz/bodies/conversation_otr.rs"]
mod conversation_otr;
#[path = "../../../../fuzz/bodies/conversation_parts.rs"]
mod conversation_parts;
#[path = "../../../../fuzz/bodies/conversation_proof.rs"]
mod conversation_proof;
#[path = "../../../../fuzz/bodies/conversation_records.rs"]
mod conversation_records;
#[path = "../../../../fuzz/bodies/conversation_room.rs"]
mod conversation_room;
#[path = "../../../../fuzz/bodies/delivery_address.rs"]
mod delivery_address;
#[path = "../../../../fuzz/bodies/delivery_frame.rs"]
mod delivery_frame;
#[path = "../../../../fuzz/bodies/delivery_rows.rs"]
mod delivery_rows;
#[path = "../../../../fuzz/bodies/relay_address.rs"]
mod relay_address;
#[path = "../../../../fuzz/bodies/relay_block.rs"]
mod relay_block;
#[path = "../../../../fuzz/bodies/relay_body.rs"]
mod relay_body;
#[path = "../../../../fuzz/bodies/relay_command.rs"]
mod relay_command;
#[path = "../../../../fuzz/bodies/relay_key.rs"]
mod relay_key;
#[path = "../../../../fuzz/bodies/relay_link.rs"]
mod relay_link;
#[path = "../../../../fuzz/bodies/relay_message.rs"]
mod relay_message;
#[path = "../../../../fuzz/bodies/relay_records.rs"]
mod relay_records;
#[path = "../../../../fuzz/bodies/relay_server_address.rs"]
mod relay_server_address;
#[path = "../../../../fuzz/bodies/store_backup.rs"]
mod store_backup;
#[path = "../../../../fuzz/bodies/store_key_file.rs"]
mod store_key_file;
#[path = "../../../../fuzz/bodies/store_relay_rows.rs"]
mod store_relay_rows;
#[path = "../../../../fuzz/bodies/store_slot_image.rs"]
mod store_slot_image;
#[path = "../../../../fuzz/bodies/transport_chain.rs"]
mod transport_chain;
#[path = "../../../../fuzz/bodies/transport_gate.rs"]
mod transport_gate;
#[path = "../../../../fuzz/bodies/transport_pem.rs"]
mod transport_pem;

use std::path::{Path, PathBuf};

/// One test for each target, and the list of all.
macro_rules! replay {
    ($($target:ident)*) => {
        const TARGETS: &[&str] = &[$(stringify!($target)),*];

        mod survives_its_corpus {
            $(
                #[test]
                fn $target() {
                    super::replay(stringify!($target), super::$target::run);
                }
            )*
        }
    };
}

replay! {
    conversation_branches
    conversation_card
    conversation_channel
    conversation_code
    conversation_content
    conversation_introduction
    conversation_letter
    conversation_link
    conversation_mls_rows
    conversation_otr
    conversation_parts
    conversation_proof
    conversation_records
    conversation_room
    delivery_address
    delivery_frame
    delivery_rows
    relay_address
    relay_block
    relay_body
    relay_command
    relay_key
    relay_link
    relay_message
    relay_records
    relay_server_address
    store_backup
    store_key_file
    store_relay_rows
    store_slot_image
    transport_chain
    transport_gate
    transport_pem
}

/// Targets whose room is above this one and replays them itself.
const ELSEWHERE: [&str; 1] = ["qr_picture"];

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = fuzz().join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
    let mut files: Vec<_> = entries
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
    let manifest = std::fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    let rows: Vec<&str> = manifest.lines().collect();
    let mut targets = [TARGETS, &ELSEWHERE].concat();
    targets.sort_unstable();
    for target in &targets {
        let name = format!("name = \"{target}\"");
        assert!(rows.contains(&name.as_str()), "no binary {target}");
    }
    for folder in ["bodies", "fuzz_targets"] {
        let found = files(folder);
        let found: Vec<&str> = found
            .iter()
            .map(|(name, _)| name.trim_end_matches(".rs"))
            .collect();
        assert_eq!(found, targets, "{folder}");
    }
}

/// Seeds that no encoder makes any more would try decoders of the past.
/// `HUSHWING_WRITE_SEEDS=1` writes them.
#[test]
fn seeds_are_what_the_encoders_make() {
    for (target, name, bytes) in seeds::all() {
        assert!(TARGETS.contains(&target), "{target}");
        let folder = fuzz().join("corpus").join(target);
        let file = folder.join(name);
        if std::env::var_os("HUSHWING_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(&file, &bytes).unwrap();
        }
        let stored = std::fs::read(&file).unwrap_or_else(|_| panic!("no {target}/{name}"));
        assert_eq!(stored, bytes, "{target}/{name}");
    }
}
