//! A relay server's rows against its own storage in memory.
//!
//! Rows of queues and places of messages are each storage's own numbers, so
//! queues are compared by their names and messages in their order.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod queues;
mod workshop;

use hushwing_relay::server::{
    Depth, MemoryStorage, MessageBody, Name, QueueRow, Storage, StoredLink, StoredMessage,
};
use hushwing_sansio::Timestamp;
use hushwing_store::RelayServerStore;
use hushwing_store::keys::Role;
use proptest::prelude::*;
use queues::{Compared, auth_key, columns, id, new_queue, stored_link, stored_message};
use workshop::key;

#[derive(Clone, Debug)]
enum Op {
    Insert(u8),
    Secure(u8, u8),
    Suspend(u8),
    Delete(u8),
    SetLink(u8, u8),
    DeleteLink(u8),
    Append(u8, u8),
    RemoveHead(u8),
    RemoveOther(u8),
    Expire(u8, u32),
    Rollback,
    Commit,
}

fn op() -> impl Strategy<Value = Op> {
    let queue = || 0..4_u8;
    prop_oneof![
        4 => queue().prop_map(Op::Insert),
        1 => (queue(), any::<u8>()).prop_map(|(of, key)| Op::Secure(of, key)),
        1 => queue().prop_map(Op::Suspend),
        1 => queue().prop_map(Op::Delete),
        2 => (queue(), queue()).prop_map(|(of, link)| Op::SetLink(of, link)),
        1 => queue().prop_map(Op::DeleteLink),
        6 => (queue(), 0..40_u8).prop_map(|(of, n)| Op::Append(of, n)),
        2 => queue().prop_map(Op::RemoveHead),
        1 => queue().prop_map(Op::RemoveOther),
        1 => (0..40_u8, 0..5_u32).prop_map(|(before, limit)| Op::Expire(before, limit)),
        1 => Just(Op::Rollback),
        2 => Just(Op::Commit),
    ]
}

/// Runs `op` and tells whether it did anything.
fn apply(storage: &mut dyn Storage, op: &Op, clock: &mut u64) -> Option<bool> {
    let found = |storage: &mut dyn Storage, n: u8| storage.find(&Name::Recipient(id(n))).unwrap();
    match op {
        Op::Insert(n) => return Some(storage.insert_queue(new_queue(*n)).unwrap().is_some()),
        Op::Secure(n, key) => {
            let mut queue = found(storage, *n)?;
            queue.sender_key = Some(auth_key(*key));
            queue.recipient_keys.push(auth_key(key / 2));
            storage.update_queue(&queue).unwrap();
        }
        Op::Suspend(n) => {
            let mut queue = found(storage, *n)?;
            queue.active = false;
            storage.update_queue(&queue).unwrap();
        }
        Op::Delete(n) => {
            let row = found(storage, *n)?.row;
            storage.delete_queue(row).unwrap();
        }
        Op::SetLink(n, link) => {
            let row = found(storage, *n)?.row;
            return Some(
                storage
                    .set_link(row, &[*link; 24], &stored_link(n + link))
                    .unwrap(),
            );
        }
        Op::DeleteLink(n) => {
            let row = found(storage, *n)?.row;
            storage.delete_link(row).unwrap();
        }
        Op::Append(n, seed) => {
            let row = found(storage, *n)?.row;
            // Of the same time any may expire first.
            *clock += u64::from(seed % 3) + 1;
            let at = Timestamp::from_millis(*clock);
            storage
                .append(
                    row,
                    &StoredMessage {
                        at,
                        ..stored_message(*seed)
                    },
                )
                .unwrap();
        }
        Op::RemoveHead(n) => {
            let row = found(storage, *n)?.row;
            let (place, head) = storage.head(row).unwrap()?;
            return Some(storage.remove(row, place, &head.id).unwrap());
        }
        Op::RemoveOther(n) => {
            let row = found(storage, *n)?.row;
            let (place, _) = storage.head(row).unwrap()?;
            return Some(storage.remove(row, place, &id(200)).unwrap());
        }
        Op::Expire(before, limit) => {
            let before = Timestamp::from_millis(u64::from(*before));
            return Some(storage.expire(before, *limit).unwrap() > 0);
        }
        Op::Rollback | Op::Commit => unreachable!("the caller's"),
    }
    None
}

/// One queue as seen under each of its names.
type SeenQueue = (
    Option<Compared>,
    bool,
    Option<StoredLink>,
    Depth,
    Vec<Vec<u8>>,
);

/// Looks at everything; takes the messages out to see them all.
fn look(storage: &mut dyn Storage) -> Vec<SeenQueue> {
    (0..4).map(|n| look_at(storage, n)).collect()
}

fn look_at(storage: &mut dyn Storage, n: u8) -> SeenQueue {
    let by_link = storage.find(&Name::Link(vec![n; 24])).unwrap();
    let of_link = by_link.and_then(|queue| storage.link(queue.row).unwrap());
    let queue = storage.find(&Name::Recipient(id(n))).unwrap();
    let by_sender = storage.find(&Name::Sender(id(100 + n))).unwrap();
    let Some(queue) = queue else {
        return (
            None,
            by_sender.is_some(),
            of_link,
            Depth::default(),
            Vec::new(),
        );
    };
    let same = by_sender.is_some_and(|other| columns(&other) == columns(&queue));
    let by_row = storage.queue(queue.row).unwrap();
    let same = same && by_row.is_some_and(|other| columns(&other) == columns(&queue));
    let depth = storage.depth(queue.row).unwrap();
    let mut messages = Vec::new();
    while let Some((place, message)) = storage.head(queue.row).unwrap() {
        assert!(storage.remove(queue.row, place, &message.id).unwrap());
        messages.push(match message.body {
            MessageBody::Message { notify, body } => [
                &[notify.into()],
                &message.at.as_millis().to_be_bytes()[..],
                &body,
            ]
            .concat(),
            MessageBody::Quota => Vec::new(),
        });
    }
    let mut compared = columns(&queue);
    compared.0 = QueueRow(0);
    (Some(compared), same, of_link, depth, messages)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_file_answers_as_memory_does(ops in prop::collection::vec(op(), 1..80)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay-server.db");
        let open = || RelayServerStore::open(&path, &key(Role::RelayServer)).unwrap();
        let mut file = open();
        let mut memory = MemoryStorage::default();
        let (mut file_clock, mut clock) = (0, 0);
        file.begin().unwrap();
        for op in &ops {
            match op {
                Op::Commit => {
                    file.commit().unwrap();
                    file.begin().unwrap();
                    memory.commit();
                }
                Op::Rollback => {
                    file.rollback().unwrap();
                    file.begin().unwrap();
                    memory.roll_back();
                }
                _ => prop_assert_eq!(
                    apply(&mut file, op, &mut file_clock),
                    apply(&mut memory, op, &mut clock)
                ),
            }
        }
        prop_assert!(look(&mut file) == look(&mut memory));
        // What was not committed goes with the process; the rest stays.
        drop(file);
        memory.roll_back();
        let mut file = open();
        file.begin().unwrap();
        prop_assert!(look(&mut file) == look(&mut memory));
    }
}
