//! What a message costs on disk: pages are encrypted, authenticated and written
//! one by one, so their number is what a commit costs beside its one flush.
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
use std::path::Path;

use hushwing_conversation::storage::{
    MessageKind, MessageRecord, MessageState, Owed, Position, SaidRows,
};
use hushwing_conversation::{ContactId, MessageId, MlsRows, Storage};
use hushwing_delivery::{LetterId, RepeatId, Storage as Office};
use hushwing_sansio::Timestamp;
use hushwing_store::ProfileStore;
use records::{message, times};
use workshop::{open_profile, profile_path};

/// Bytes of a page in the log, and of the log's own header.
const FRAME: u64 = 4096 + 24;
const HEADER: u64 = 32;

/// The `n`th message of one long conversation, 300 bytes long, with an id that
/// falls anywhere.
fn said(n: u32, mine: bool) -> MessageRecord {
    let mut id = [1; 32];
    id[1..5].copy_from_slice(&n.wrapping_mul(0x9E37_79B1).to_be_bytes());
    let id = MessageId::from_bytes(&id).unwrap();
    MessageRecord {
        contact: ContactId(1),
        position: Position {
            epoch: (n / 50).into(),
            lamport: n.into(),
            leaf: 0,
            id,
        },
        mine,
        author: None,
        kind: MessageKind::Text,
        target: None,
        state: if mine {
            MessageState::Queued
        } else {
            MessageState::Delivered
        },
        owed: if mine { Owed::Nothing } else { Owed::Delivered },
        letter: mine.then_some(n.into()),
        sealed_epoch: (n / 50).into(),
        content: vec![7; 300],
        ..message(0, 0)
    }
}

/// Adds a message and makes it found by the words of a text.
fn note(store: &mut ProfileStore, record: &MessageRecord, n: u32) {
    store.add_message(record).unwrap();
    let text = format!("see you at the harbour at {n}, or not before {}", n / 2);
    store.index_text(record.id(), Some(&text)).unwrap();
}

fn send(store: &mut ProfileStore, n: u32) {
    store.begin().unwrap();
    store
        .put_mls_row(b"group", 10, b"key", &vec![1; 1_500 + n as usize % 9])
        .unwrap();
    note(store, &said(n, true), n);
    store
        .insert_letter(LetterId(n.into()), &[2; 200], &[3; 600])
        .unwrap();
    store.commit().unwrap();
}

fn accepted(store: &mut ProfileStore, n: u32) {
    store.begin().unwrap();
    store
        .set_state(said(n, true).id(), MessageState::Accepted, &times(0))
        .unwrap();
    store.delete_letter(LetterId(n.into())).unwrap();
    store.commit().unwrap();
}

fn receive(store: &mut ProfileStore, n: u32) {
    store.begin().unwrap();
    store
        .put_mls_row(b"group", 10, b"key", &vec![1; 1_500 + n as usize % 9])
        .unwrap();
    note(store, &said(n, false), n);
    let mut repeat = [0; 16];
    repeat[..4].copy_from_slice(&n.wrapping_mul(0x85EB_CA6B).to_be_bytes());
    store
        .insert_repeat(RepeatId(repeat), Timestamp::from_millis(n.into()))
        .unwrap();
    store.commit().unwrap();
}

/// Pages per call of `step`, over 50 calls on a conversation of 400 messages.
fn pages(step: impl Fn(&mut ProfileStore, u32)) -> u64 {
    let dir = tempfile::tempdir().unwrap();
    let path = profile_path(&dir);
    let mut store = open_profile(&path);
    for n in 0..200 {
        send(&mut store, n);
        receive(&mut store, 1_000 + n);
    }
    // Closing empties the log; 50 calls do not fill it again.
    drop(store);
    let mut store = open_profile(&path);
    let before = log_pages(&path);
    for n in 0..50 {
        step(&mut store, n);
    }
    (log_pages(&path) - before).div_ceil(50)
}

fn log_pages(path: &Path) -> u64 {
    let length = fs::metadata(path.with_file_name("profile.db-wal")).map_or(0, |log| log.len());
    length.saturating_sub(HEADER) / FRAME
}

#[test]
fn a_message_touches_few_pages() {
    let cost = [
        pages(|store, n| send(store, 5_000 + n)),
        pages(accepted),
        pages(|store, n| receive(store, 6_000 + n)),
    ];
    // Today's figures; a higher one wants a reason. Five are the index of texts:
    // the text itself, its words and their prefixes (RFC 0015).
    assert!(
        cost[0] <= 14 && cost[1] <= 5 && cost[2] <= 13,
        "sent, accepted, received: {cost:?}"
    );
}

/// A value of the same length is replaced where it lies.
#[test]
fn of_a_long_ratchet_only_the_page_that_changed_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = profile_path(&dir);
    let mut store = open_profile(&path);
    let mut ratchet = vec![1; 8_192];
    let mut put = |n: u8| {
        *ratchet.last_mut().unwrap() = n;
        store.begin().unwrap();
        store.put_mls_row(b"group", 10, b"key", &ratchet).unwrap();
        store.commit().unwrap();
    };
    put(0);
    let before = log_pages(&path);
    (1..=10).for_each(&mut put);
    assert_eq!(log_pages(&path) - before, 10);
}
