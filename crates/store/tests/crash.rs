//! What is left when the process goes without a word.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod records;
mod workshop;

use std::fs;
use std::path::{Path, PathBuf};

use hushwing_conversation::{MlsRows, Storage};
use hushwing_delivery::{LetterId, Storage as Office};
use hushwing_sansio::StorageErrorKind;
use hushwing_store::ProfileStore;
use records::{message, message_id};
use workshop::{open_profile, profile_path};

/// One message with its ratchet step and letter, as a machine writes it.
fn say(store: &mut ProfileStore, n: u8) {
    store.put_mls_row(b"group", 10, b"key", &[n; 500]).unwrap();
    store.add_message(&message(n, 0)).unwrap();
    store
        .insert_letter(LetterId(n.into()), b"head", &[n; 20_000])
        .unwrap();
}

fn said(store: &mut ProfileStore) -> Vec<u8> {
    let said: Vec<u8> = (0..20)
        .filter(|n| store.has_message(&message_id(*n)).unwrap())
        .collect();
    // Message, ratchet and letter are there together or not at all.
    let letters = store.letters().unwrap();
    let known: Vec<u64> = letters.iter().map(|(letter, _)| letter.0).collect();
    assert_eq!(
        known,
        said.iter().map(|n| u64::from(*n)).collect::<Vec<_>>()
    );
    let ratchet = store.mls_row(b"group", 10, b"key").unwrap();
    assert_eq!(ratchet.map(|row| row.expose()[0]), said.last().copied());
    said
}

/// The files as they lie on the disk now, in another folder.
fn image(path: &Path, to: &tempfile::TempDir) -> PathBuf {
    let copy = profile_path(to);
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.with_file_name(entry.file_name())).unwrap();
    }
    copy
}

#[test]
fn a_crash_keeps_all_that_was_committed_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let path = profile_path(&dir);
    let mut store = open_profile(&path);
    for n in 0..8 {
        store.begin().unwrap();
        say(&mut store, n);
        let elsewhere = tempfile::tempdir().unwrap();
        let before: Vec<u8> = (0..n).collect();
        assert_eq!(said(&mut open_profile(&image(&path, &elsewhere))), before);
        store.commit().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let after: Vec<u8> = (0..=n).collect();
        assert_eq!(said(&mut open_profile(&image(&path, &elsewhere))), after);
    }
}

#[test]
fn a_torn_end_of_the_log_loses_the_last_commit_only() {
    let dir = tempfile::tempdir().unwrap();
    let path = profile_path(&dir);
    let mut store = open_profile(&path);
    let mut lengths = Vec::new();
    for n in 0..4 {
        store.begin().unwrap();
        say(&mut store, n);
        store.commit().unwrap();
        lengths.push(
            fs::metadata(path.with_file_name("profile.db-wal"))
                .unwrap()
                .len(),
        );
    }
    // Power goes while the fourth commit is being written, at any byte of it.
    let (third, fourth) = (lengths[2], lengths[3]);
    for cut in (third..fourth).step_by(5000) {
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = image(&path, &elsewhere);
        let log = fs::OpenOptions::new()
            .write(true)
            .open(copy.with_file_name("profile.db-wal"))
            .unwrap();
        log.set_len(cut).unwrap();
        assert_eq!(said(&mut open_profile(&copy)), [0, 1, 2], "cut at {cut}");
    }
}

#[test]
fn a_rolled_back_transaction_leaves_the_store_usable() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_profile(&profile_path(&dir));
    store.begin().unwrap();
    say(&mut store, 1);
    store.rollback().unwrap();
    assert!(said(&mut store).is_empty());
    store.begin().unwrap();
    say(&mut store, 2);
    store.commit().unwrap();
    assert_eq!(said(&mut store), [2]);
}

#[test]
fn nothing_is_written_outside_of_a_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open_profile(&profile_path(&dir));
    let refused = store.add_message(&message(1, 0)).unwrap_err();
    assert_eq!(refused.kind, StorageErrorKind::Failed);
    assert!(!store.has_message(&message_id(1)).unwrap());
}
