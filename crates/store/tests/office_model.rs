//! The post office's rows against its own storage in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod workshop;

use hushwing_delivery::{LetterId, MailboxId, MemoryStorage, Part, RepeatId, Storage};
use hushwing_sansio::Timestamp;
use proptest::prelude::*;
use workshop::{open_profile, profile_path};

#[derive(Clone, Debug)]
enum Op {
    SetEpoch(u32),
    PutMailbox(u8, Vec<u8>),
    DeleteMailbox(u8),
    InsertLetter(u8, Vec<u8>, usize),
    SetHead(u8, Vec<u8>),
    DeleteLetter(u8),
    InsertRepeat(u8, u8),
    ForgetRepeat(u8),
    ForgetRepeats(u8),
    KeepRepeats(u8),
    InsertPart(u8, u8, u8, Vec<u8>),
    DeleteParts(u8, u8),
    Rollback,
    Commit,
}

fn op() -> impl Strategy<Value = Op> {
    let id = 0..4_u8;
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        1 => (0..u32::MAX).prop_map(Op::SetEpoch),
        1 => (id.clone(), bytes()).prop_map(|(id, row)| Op::PutMailbox(id, row)),
        1 => id.clone().prop_map(Op::DeleteMailbox),
        3 => (id.clone(), bytes(), prop_oneof![0..100_usize, 2_046..2_051_usize, 16_380..16_390_usize, 0..70_000_usize])
            .prop_map(|(id, head, length)| Op::InsertLetter(id, head, length)),
        1 => (id.clone(), bytes()).prop_map(|(id, head)| Op::SetHead(id, head)),
        1 => id.clone().prop_map(Op::DeleteLetter),
        3 => (id.clone(), 0..9_u8).prop_map(|(id, at)| Op::InsertRepeat(id, at)),
        1 => id.clone().prop_map(Op::ForgetRepeat),
        1 => (0..9_u8).prop_map(Op::ForgetRepeats),
        1 => (0..4_u8).prop_map(Op::KeepRepeats),
        4 => (id.clone(), id.clone(), id.clone(), bytes())
            .prop_map(|(mailbox, repeat, index, chunk)| Op::InsertPart(mailbox, repeat, index, chunk)),
        1 => (id.clone(), id).prop_map(|(mailbox, repeat)| Op::DeleteParts(mailbox, repeat)),
        1 => Just(Op::Rollback),
        2 => Just(Op::Commit),
    ]
}

fn at(n: u8) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + u64::from(n))
}

fn repeat(n: u8) -> RepeatId {
    RepeatId([n; 16])
}

/// Runs `op` and tells what it answered.
fn apply(storage: &mut dyn Storage, op: &Op) -> Option<bool> {
    let mailbox = |n: u8| MailboxId(n.into());
    let letter = |n: u8| LetterId(u64::from(n) << 32);
    match op {
        Op::SetEpoch(epoch) => storage.set_epoch(*epoch).unwrap(),
        Op::PutMailbox(id, row) => storage.put_mailbox(mailbox(*id), row).unwrap(),
        Op::DeleteMailbox(id) => storage.delete_mailbox(mailbox(*id)).unwrap(),
        Op::InsertLetter(id, head, length) => {
            // The office never gives a number twice.
            if storage
                .letters()
                .unwrap()
                .iter()
                .all(|(known, _)| *known != letter(*id))
            {
                let body: Vec<u8> = (0..*length).map(|n| (n % 251) as u8).collect();
                storage.insert_letter(letter(*id), head, &body).unwrap();
            }
        }
        Op::SetHead(id, head) => storage.set_letter_head(letter(*id), head).unwrap(),
        Op::DeleteLetter(id) => storage.delete_letter(letter(*id)).unwrap(),
        Op::InsertRepeat(id, time) => {
            return Some(storage.insert_repeat(repeat(*id), at(*time)).unwrap());
        }
        Op::ForgetRepeat(id) => storage.delete_repeat(repeat(*id)).unwrap(),
        Op::ForgetRepeats(time) => storage.delete_repeats_before(at(*time)).unwrap(),
        Op::KeepRepeats(most) => storage.keep_repeats((*most).into()).unwrap(),
        Op::InsertPart(of, id, index, chunk) => {
            let part = Part {
                mailbox: mailbox(*of),
                repeat: repeat(*id),
                index: (*index).into(),
                count: 4,
                length: 120,
                at: at(*index),
                first_contact: index % 2 == 0,
            };
            storage.insert_part(&part, chunk).unwrap();
        }
        Op::DeleteParts(of, id) => storage.delete_parts(mailbox(*of), repeat(*id)).unwrap(),
        Op::Rollback | Op::Commit => unreachable!("the caller's"),
    }
    None
}

#[derive(Debug, PartialEq)]
struct Seen {
    epoch: u32,
    mailboxes: Vec<(MailboxId, Vec<u8>)>,
    letters: Vec<(LetterId, Vec<u8>)>,
    chunks: Vec<Vec<u8>>,
    repeats: Vec<bool>,
    parts: Vec<Part>,
    part_chunks: Vec<Vec<Vec<u8>>>,
}

fn look(storage: &mut dyn Storage) -> Seen {
    let ids = 0..4_u8;
    let spans = [
        (0, 0),
        (1_000, 2_000),
        (0, 10),
        (0, 14_968),
        (14_968, 14_968),
        (16_383, 2),
        (60_000, usize::MAX),
    ];
    let letters = ids
        .clone()
        .flat_map(|id| spans.map(|span| (LetterId(u64::from(id) << 32), span)));
    let pairs = ids
        .clone()
        .flat_map(|of| (0..4).map(move |id| (MailboxId(of.into()), repeat(id))));
    let mut parts = storage.parts().unwrap();
    parts.sort_by_key(|part| (part.mailbox, part.repeat, part.index));
    Seen {
        epoch: storage.epoch().unwrap(),
        mailboxes: storage.mailboxes().unwrap(),
        letters: storage.letters().unwrap(),
        chunks: letters
            .map(|(letter, (from, len))| storage.letter_chunk(letter, from, len).unwrap())
            .collect(),
        repeats: ids
            .map(|id| storage.is_repeat(repeat(id)).unwrap())
            .collect(),
        parts,
        part_chunks: pairs
            .map(|(of, id)| storage.part_chunks(of, id).unwrap())
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_file_answers_as_memory_does(ops in prop::collection::vec(op(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let path = profile_path(&dir);
        let mut file = open_profile(&path);
        let mut memory = MemoryStorage::new();
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
                _ => prop_assert_eq!(apply(&mut file, op), apply(&mut memory, op)),
            }
        }
        prop_assert_eq!(look(&mut file), look(&mut memory));
        // What was not committed goes with the process; the rest stays.
        drop(file);
        prop_assert_eq!(look(&mut open_profile(&path)), look(&mut committed));
    }
}
