//! What of rooms is found.

use hushwing_conversation::storage::{MessageRecord, Owed, RoomRows as _, SaidRows as _};
use hushwing_conversation::{ContactId, MemberId, Storage as _};

use super::{message, open};

#[test]
fn receipts_owed_to_one_member_are_found_a_few_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    for n in 0..7 {
        let record = MessageRecord {
            mine: false,
            author: Some(MemberId(u64::from(n % 2))),
            owed: match n {
                6 => Owed::Nothing,
                _ => Owed::Delivered,
            },
            letter: None,
            ..message(n)
        };
        store.add_message(&record).unwrap();
    }
    let owing = |at, author, most| {
        let found = store.owing_to(ContactId(at), MemberId(author), most);
        found.unwrap().len()
    };
    assert_eq!([owing(1, 0, 9), owing(1, 1, 9), owing(1, 1, 2)], [3, 3, 2]);
    assert_eq!([owing(1, 7, 9), owing(2, 0, 9)], [0, 0]);
}

#[test]
fn what_has_disappeared_is_not_among_what_is_to_be_said_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    for n in 0..4 {
        store.add_message(&message(n)).unwrap();
    }
    store.make_gone(ContactId(1), message(2).id()).unwrap();
    let found = store.unconfirmed_in(ContactId(1), 0..9, 3).unwrap();
    let found: Vec<_> = found.iter().map(|record| *record.id()).collect();
    assert_eq!(found, [0, 1, 3].map(|n| *message(n).id()));
}
