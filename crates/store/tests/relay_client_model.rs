//! The relay client's rows against its own storage in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod workshop;

use hushwing_delivery::MailboxId;
use hushwing_relay::client::{MemoryStorage, Storage};
use hushwing_store::RelayClientStore;
use hushwing_store::keys::Role;
use proptest::prelude::*;
use workshop::key;

#[derive(Clone, Debug)]
enum Op {
    PutMailbox(u8, Vec<u8>),
    RemoveMailbox(u8),
    PutKey(u8, Vec<u8>),
    Rollback,
    Commit,
}

fn op() -> impl Strategy<Value = Op> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        (0..4_u8, bytes()).prop_map(|(id, record)| Op::PutMailbox(id, record)),
        (0..4_u8).prop_map(Op::RemoveMailbox),
        (0..4_u8, bytes()).prop_map(|(id, record)| Op::PutKey(id, record)),
        Just(Op::Rollback),
        Just(Op::Commit),
    ]
}

fn apply(storage: &mut dyn Storage, op: &Op) {
    match op {
        Op::PutMailbox(id, record) => storage.put_mailbox(MailboxId((*id).into()), record),
        Op::RemoveMailbox(id) => storage.remove_mailbox(MailboxId((*id).into())),
        Op::PutKey(id, record) => storage.put_sender_key(&[*id; 97], record),
        Op::Rollback | Op::Commit => unreachable!("the caller's"),
    }
    .unwrap();
}

type Seen = (Vec<(MailboxId, Vec<u8>)>, Vec<Option<Vec<u8>>>);

fn look(storage: &mut dyn Storage) -> Seen {
    let mailboxes = storage.mailboxes().unwrap();
    let keys = (0..4).map(|id| storage.sender_key(&[id; 97]).unwrap());
    (
        mailboxes
            .iter()
            .map(|(id, record)| (*id, record.to_vec()))
            .collect(),
        keys.map(|key| key.map(|record| record.to_vec())).collect(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_file_answers_as_memory_does(ops in prop::collection::vec(op(), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("relay.db");
        let open = || RelayClientStore::open(&path, &key(Role::RelayClient)).unwrap();
        let mut file = open();
        let mut memory = MemoryStorage::default();
        let mut committed = memory.clone();
        file.begin().unwrap();
        for op in &ops {
            match op {
                Op::Commit => {
                    file.commit().unwrap();
                    file.begin().unwrap();
                    committed = memory.clone();
                }
                Op::Rollback => {
                    file.rollback().unwrap();
                    file.begin().unwrap();
                    memory = committed.clone();
                }
                _ => {
                    apply(&mut file, op);
                    apply(&mut memory, op);
                }
            }
        }
        prop_assert_eq!(look(&mut file), look(&mut memory));
        drop(file);
        prop_assert_eq!(look(&mut open()), look(&mut committed));
    }
}
