//! A relay server's file over restarts and kills.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod workshop;

use std::fs;
use std::path::{Path, PathBuf};

use hushwing_relay::server::{Depth, Id, MessageBody, NewRecord, Storage, StoredMessage};
use hushwing_relay::wire::{AuthKey, BoxKey};
use hushwing_sansio::Timestamp;
use hushwing_store::RelayServerStore;
use hushwing_store::keys::Role;
use workshop::key;

fn id(kind: u8, number: u8) -> Id {
    Id([kind * 16 + number; 24])
}

fn new(number: u8) -> NewRecord {
    NewRecord {
        recipient_id: id(1, number),
        sender_id: id(2, number),
        recipient_key: AuthKey::Ed25519([number; 32]),
        box_key: BoxKey::from_bytes([number; 32]),
        mode: None,
    }
}

fn message(number: u8, at: u64) -> StoredMessage {
    let body = MessageBody::Message {
        notify: false,
        body: vec![number; 16_048].into(),
    };
    StoredMessage {
        id: id(3, number),
        at: Timestamp::from_millis(at),
        body,
    }
}

fn open(path: &Path) -> RelayServerStore {
    RelayServerStore::open(path, &key(Role::RelayServer)).unwrap()
}

#[test]
fn a_row_is_never_used_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay-server.db");
    let mut file = open(&path);
    let mut rows = Vec::new();
    for number in 0..4 {
        file.begin().unwrap();
        let row = file.insert_queue(new(number)).unwrap().unwrap().row;
        file.delete_queue(row).unwrap();
        file.commit().unwrap();
        assert!(!rows.contains(&row));
        rows.push(row);
        if number == 1 {
            drop(file);
            file = open(&path);
        }
    }
}

#[test]
fn numbers_of_queues_tell_no_order() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = open(&dir.path().join("relay-server.db"));
    file.begin().unwrap();
    let rows: Vec<_> = (0..16)
        .map(|number| file.insert_queue(new(number)).unwrap().unwrap().row)
        .collect();
    file.commit().unwrap();
    let rising = rows.windows(2).filter(|two| two[0] < two[1]).count();
    // All 15 of either kind: once in 2^43.
    assert!((1..15).contains(&rising));
}

#[test]
fn a_cleared_log_is_blank_and_its_changes_stay() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay-server.db");
    let log = dir.path().join("relay-server.db-wal");
    let mut file = open(&path);
    file.begin().unwrap();
    let row = file.insert_queue(new(1)).unwrap().unwrap().row;
    file.append(row, &message(1, 5)).unwrap();
    file.commit().unwrap();
    let length = fs::read(&log).unwrap().len();
    file.forget().unwrap();
    // As long as before: the next commits write where blocks are.
    assert_eq!(fs::read(&log).unwrap(), vec![0; length]);
    assert_eq!(file.head(row).unwrap().unwrap().1, message(1, 5));
    // In a transaction it is refused, and nothing is lost.
    file.begin().unwrap();
    file.append(row, &message(2, 6)).unwrap();
    assert!(file.forget().is_err());
    file.commit().unwrap();
    assert_eq!(file.depth(row).unwrap().count, 2);
}

/// The files as they lie on the disk now, in another folder.
fn image(path: &Path, to: &Path) -> PathBuf {
    let copy = to.join("relay-server.db");
    for suffix in ["", "-wal", "-bodies"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        fs::copy(&name, to.join(Path::new(&name).file_name().unwrap())).unwrap();
    }
    copy
}

#[test]
fn a_kill_between_commits_and_clearings_loses_nothing() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("relay-server.db");
    let mut file = open(&path);
    file.begin().unwrap();
    let row = file.insert_queue(new(1)).unwrap().unwrap().row;
    file.commit().unwrap();
    let mut count = 0;
    // Clearings after one commit and after several, and two in a row.
    for clearings in [0, 1, 0, 0, 2, 1, 0, 1, 0, 0, 0, 1, 0] {
        file.begin().unwrap();
        count += 1;
        file.append(row, &message(count, 5)).unwrap();
        file.commit().unwrap();
        for _ in 0..clearings {
            file.forget().unwrap();
        }
        let mut copy = open(&image(&path, elsewhere.path()));
        assert_eq!(copy.depth(row).unwrap().count, u32::from(count));
        copy.check().unwrap();
    }
}

#[test]
fn power_may_go_anywhere_in_a_clearing() {
    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let path = dir.path().join("relay-server.db");
    let log = dir.path().join("relay-server.db-wal");
    let mut file = open(&path);
    let mut rows = Vec::new();
    for number in 0..12 {
        file.begin().unwrap();
        rows.push(file.insert_queue(new(number)).unwrap().unwrap().row);
        file.commit().unwrap();
    }
    let before = fs::read(&log).unwrap();
    file.forget().unwrap();
    // The header is gone first; of what follows, any part may be.
    for kept in (32..before.len()).step_by(9_001) {
        for zeros_first in [true, false] {
            let copy = image(&path, elsewhere.path());
            let mut torn = vec![0; 32];
            match zeros_first {
                true => {
                    torn.resize(kept, 0);
                    torn.extend(&before[kept..]);
                }
                false => torn.extend(&before[32..kept]),
            }
            fs::write(elsewhere.path().join("relay-server.db-wal"), torn).unwrap();
            let mut copy = open(&copy);
            for row in &rows {
                assert!(copy.queue(*row).unwrap().is_some(), "{kept}");
            }
            copy.check().unwrap();
        }
    }
}

#[test]
fn places_count_within_a_queue() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = open(&dir.path().join("relay-server.db"));
    file.begin().unwrap();
    let rows = [1, 2].map(|number| file.insert_queue(new(number)).unwrap().unwrap().row);
    let places: Vec<_> = (0..4)
        .map(|n| {
            file.append(rows[usize::from(n % 2)], &message(n, 5))
                .unwrap()
                .0
        })
        .collect();
    assert_eq!(places, [1, 1, 2, 2]);
}

#[test]
fn what_was_not_committed_is_gone_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("relay-server.db");
    let mut file = open(&path);
    file.begin().unwrap();
    let row = file.insert_queue(new(1)).unwrap().unwrap().row;
    file.append(row, &message(1, 5)).unwrap();
    file.commit().unwrap();
    file.begin().unwrap();
    file.append(row, &message(2, 6)).unwrap();

    let elsewhere = tempfile::tempdir().unwrap();
    let mut copy = open(&image(&path, elsewhere.path()));
    assert_eq!(
        copy.depth(row).unwrap(),
        Depth {
            count: 1,
            marked: false
        }
    );
    assert_eq!(copy.head(row).unwrap().unwrap().1, message(1, 5));
    copy.check().unwrap();
}
