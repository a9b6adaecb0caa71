//! Files written by earlier releases still open, and mean what they meant.
//!
//! One file per release and kind lies in `tests/golden/`; the first release
//! that changes a schema adds its own beside them. `HUSHWING_BLESS=1` writes
//! those of the present release, before it is out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod queues;
mod records;
mod workshop;

use std::fs;
use std::path::{Path, PathBuf};

use hushwing_conversation::{ContactId, InvitationId, MlsRows, Storage};
use hushwing_delivery::{LetterId, MailboxId, Part, RepeatId, Storage as Office};
use hushwing_relay::client::Storage as Relay;
use hushwing_relay::server::{Name, Storage as Server};
use hushwing_sansio::Timestamp;
use hushwing_store::keys::{Cost, KeyFile, Passphrase, Role};
use hushwing_store::{ProfileStore, RelayClientStore, RelayServerStore};
use queues::{auth_key, columns, new_queue, stored_link, stored_message};
use records::{contact, invitation, join, key_package, mailbox, message, message_id};
use tempfile::TempDir;
use workshop::{Seeded, key};

/// A copy of the golden file `name`, for opening changes it; or, when blessing,
/// the path at which to make it.
fn copy(name: &str, make: impl FnOnce(&Path)) -> (TempDir, PathBuf) {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    if std::env::var_os("HUSHWING_BLESS").is_some() {
        make(&path);
    }
    // Bodies of a relay server lie in a file beside.
    for beside in ["", "-bodies"] {
        let there = |path: &Path| path.with_file_name(format!("{name}{beside}"));
        let (mut from, mut to) = (there(&golden), there(&path));
        if std::env::var_os("HUSHWING_BLESS").is_some() {
            std::mem::swap(&mut from, &mut to);
        }
        if from.exists() || beside.is_empty() {
            fs::copy(from, to).unwrap();
        }
    }
    (dir, path)
}

fn part() -> Part {
    Part {
        mailbox: MailboxId(3),
        repeat: RepeatId([6; 16]),
        index: 1,
        count: 2,
        length: 20_000,
        at: Timestamp::from_millis(1_700_000_000_000),
        first_contact: true,
    }
}

fn make_profile(path: &Path) {
    let mut store = ProfileStore::open(path, &key(Role::Profile)).unwrap();
    store.begin().unwrap();
    assert_eq!(store.next_number().unwrap(), 1);
    store.put_setting("name", b"Alice").unwrap();
    store.put_mls_row(b"group", 10, b"key", b"ratchet").unwrap();
    store.put_invitation(&invitation(1, 1)).unwrap();
    store.put_key_package(&key_package(1, 1, 1)).unwrap();
    store.put_mailbox_record(&mailbox(1, 1)).unwrap();
    store.put_join(&join(1, 1)).unwrap();
    store.put_contact(&contact(1, 1)).unwrap();
    for n in 0..8 {
        store.add_message(&message(n, n * 31)).unwrap();
    }
    store.set_epoch(4).unwrap();
    store.put_mailbox(MailboxId(3), b"office mailbox").unwrap();
    store
        .insert_letter(LetterId(1 << 32), b"head", &[5; 17_000])
        .unwrap();
    store
        .insert_repeat(RepeatId([6; 16]), Timestamp::from_millis(1))
        .unwrap();
    store.insert_part(&part(), b"chunk").unwrap();
    store.commit().unwrap();
}

#[test]
fn a_profile_of_release_0_1_opens() {
    let (_dir, path) = copy("profile-0.1.db", make_profile);
    let mut store = ProfileStore::open(&path, &key(Role::Profile)).unwrap();
    store.check().unwrap();
    assert_eq!(store.setting("name").unwrap().unwrap(), b"Alice");
    assert_eq!(
        store
            .mls_row(b"group", 10, b"key")
            .unwrap()
            .unwrap()
            .expose(),
        b"ratchet"
    );
    assert!(store.invitations().unwrap() == [invitation(1, 1)]);
    assert!(store.key_packages(InvitationId(1)).unwrap() == [key_package(1, 1, 1)]);
    assert!(store.mailbox_records().unwrap() == [mailbox(1, 1)]);
    assert!(store.joins().unwrap() == [join(1, 1)]);
    assert!(store.contacts().unwrap() == [contact(1, 1)]);
    for n in 0..8 {
        assert!(store.message(&message_id(n)).unwrap() == Some(message(n, n * 31)));
    }
    assert_eq!(
        store
            .messages(ContactId(0), None, 50, usize::MAX)
            .unwrap()
            .len(),
        2
    );
    assert_eq!(store.epoch().unwrap(), 4);
    assert_eq!(
        store.mailboxes().unwrap(),
        [(MailboxId(3), b"office mailbox".to_vec())]
    );
    assert_eq!(
        store.letters().unwrap(),
        [(LetterId(1 << 32), b"head".to_vec())]
    );
    assert_eq!(
        store
            .letter_chunk(LetterId(1 << 32), 16_000, 9_000)
            .unwrap(),
        [5; 1_000]
    );
    assert!(store.is_repeat(RepeatId([6; 16])).unwrap());
    assert_eq!(store.parts().unwrap(), [part()]);
    let chunks = store.part_chunks(MailboxId(3), RepeatId([6; 16])).unwrap();
    assert_eq!(chunks, [b"chunk".to_vec()]);
    // And it can be written to.
    store.begin().unwrap();
    assert_eq!(store.next_number().unwrap(), 2);
    store.commit().unwrap();
}

fn make_relay_client(path: &Path) {
    let mut store = RelayClientStore::open(path, &key(Role::RelayClient)).unwrap();
    store.begin().unwrap();
    store.put_mailbox(MailboxId(3), b"mailbox").unwrap();
    store.put_sender_key(&[7; 97], b"sender key").unwrap();
    store.commit().unwrap();
}

#[test]
fn a_relay_client_of_release_0_1_opens() {
    let (_dir, path) = copy("relay-0.1.db", make_relay_client);
    let mut store = RelayClientStore::open(&path, &key(Role::RelayClient)).unwrap();
    // These records are made up, which is seen.
    assert!(store.check().is_err());
    let mailboxes = store.mailboxes().unwrap();
    assert_eq!(mailboxes.len(), 1);
    assert_eq!(
        (mailboxes[0].0, mailboxes[0].1.as_slice()),
        (MailboxId(3), &b"mailbox"[..])
    );
    assert_eq!(*store.sender_key(&[7; 97]).unwrap().unwrap(), b"sender key");
    store.begin().unwrap();
    store.remove_mailbox(MailboxId(3)).unwrap();
    store.commit().unwrap();
}

fn make_relay_server(path: &Path) {
    let mut store = RelayServerStore::open(path, &key(Role::RelayServer)).unwrap();
    store.begin().unwrap();
    let mut record = store.insert_queue(new_queue(1)).unwrap().unwrap();
    record.sender_key = Some(auth_key(5));
    store.update_queue(&record).unwrap();
    assert!(
        store
            .set_link(record.row, &[8; 24], &stored_link(9))
            .unwrap()
    );
    store.append(record.row, &stored_message(3)).unwrap();
    store.append(record.row, &stored_message(4)).unwrap();
    store.commit().unwrap();
}

#[test]
fn a_relay_server_of_release_0_1_opens() {
    let (_dir, path) = copy("relay-server-0.1.db", make_relay_server);
    let mut store = RelayServerStore::open(&path, &key(Role::RelayServer)).unwrap();
    store.check().unwrap();
    let queue = store.find(&Name::Link(vec![8; 24])).unwrap().unwrap();
    let mut expected = new_queue(1).at(queue.row);
    expected.sender_key = Some(auth_key(5));
    expected.link_id = Some(vec![8; 24]);
    assert_eq!(columns(&queue), columns(&expected));
    assert!(store.link(queue.row).unwrap() == Some(stored_link(9)));
    assert_eq!(store.depth(queue.row).unwrap().count, 2);
    let (place, head) = store.head(queue.row).unwrap().unwrap();
    // Exact times of old files are forgotten, all but the hour.
    let mut expected = stored_message(3);
    expected.at = Timestamp::from_secs(expected.at.as_secs() / 3_600 * 3_600);
    assert!(head == expected);
    store.begin().unwrap();
    assert!(store.remove(queue.row, place, &head.id).unwrap());
    store.commit().unwrap();
}

#[test]
fn key_files_of_release_0_1_open_and_give_the_same_keys() {
    let phrase = Passphrase::new("correct horse".to_owned());
    let (_dir, path) = copy("key-raw-0.1", |path| {
        KeyFile::at(path).create(&mut Seeded::new(1)).unwrap();
    });
    let raw = KeyFile::at(path).unlock(None).unwrap();
    let (_dir, path) = copy("key-wrapped-0.1", |path| {
        let file = KeyFile::at(path);
        let mut chance = Seeded::new(1);
        file.create(&mut chance).unwrap();
        file.set_passphrase(None, &phrase, Cost::STANDARD, &mut chance)
            .unwrap();
    });
    let wrapped = KeyFile::at(path).unlock(Some(&phrase)).unwrap();
    // Both lead to the key of the golden profile.
    for master in [raw, wrapped] {
        let (_dir, path) = copy("profile-0.1.db", make_profile);
        ProfileStore::open(&path, &master.derive(Role::Profile, "alice")).unwrap();
    }
}
