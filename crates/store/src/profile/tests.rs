//! What can be seen only from inside: how statements find their rows, and what
//! happens when there is no space left.

mod rooms;
mod texts;

use std::collections::BTreeSet;
use std::path::PathBuf;

use hushwing_conversation::search::{Query, spaced};
use hushwing_conversation::storage::{
    ConversationRecord, ConversationRows, DraftRecord, MessageKind, MessageRecord, MessageState,
    MessageTimes, Owed, Position, SaidRows,
};
use hushwing_conversation::{ContactId, ConversationId, MessageId, MlsRows, Storage};
use hushwing_delivery::{LetterId, MailboxId, RepeatId, Storage as Office};
use hushwing_sansio::{Entropy, StorageErrorKind, Timestamp};

use super::ProfileStore;
use crate::keys::{MasterKey, Role};
use crate::query::seen;

struct Sevens;

impl Entropy for Sevens {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.fill(7);
    }
}

fn path(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("profile.db")
}

fn open(dir: &tempfile::TempDir) -> ProfileStore {
    let key = MasterKey::generate(&mut Sevens).derive(Role::Profile, "alice");
    ProfileStore::open(&path(dir), &key).unwrap()
}

fn message(n: u8) -> MessageRecord {
    let mut id = [1; 32];
    id[1] = n;
    MessageRecord {
        contact: ContactId(1),
        position: Position {
            epoch: 1,
            lamport: n.into(),
            leaf: 0,
            id: MessageId::from_bytes(&id).unwrap(),
        },
        mine: true,
        author: None,
        kind: MessageKind::Text,
        target: None,
        sent_at: Timestamp::default(),
        state: MessageState::Queued,
        times: MessageTimes::default(),
        owed: Owed::Nothing,
        letter: Some(n.into()),
        sealed_epoch: 1,
        content: vec![n; 100],
    }
}

/// Tables that grow with use and are never read from end to end. (Repeat ids are,
/// when the old ones are forgotten.)
const GROWING: [&str; 4] = [
    "messages",
    "mls_rows",
    "office_letter_pieces",
    "office_parts",
];

#[test]
fn no_statement_reads_a_growing_table_from_end_to_end() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    let of = ContactId(1);
    let Position { id, .. } = message(1).position;
    store.add_message(&message(1)).unwrap();
    store.message(&id).unwrap();
    store.has_message(&id).unwrap();
    store.message_ids(id.as_bytes(), 9).unwrap();
    store.message_of_letter(1).unwrap();
    store
        .set_state(&id, MessageState::Accepted, &MessageTimes::default())
        .unwrap();
    store.set_letter(&id, 2, 2).unwrap();
    store.set_owed(&id, Owed::Nothing).unwrap();
    store.messages(of, None, 50, 1_000).unwrap();
    store
        .messages(of, Some(&message(9).position), 50, 1_000)
        .unwrap();
    store.changes(of, &id).unwrap();
    store.control(of, false).unwrap();
    store.remove_message(message(9).id()).unwrap();
    store.unread(of, &message(9).position).unwrap();
    store.owing(of).unwrap();
    store.on_the_way(of).unwrap();
    store.whose_message(&id).unwrap();
    store.outline(&id).unwrap();
    store.whose_letter(1).unwrap();
    store.unconfirmed_before(of, 3).unwrap();
    store.failed_to(of).unwrap();
    store.last_position(of).unwrap();
    store.highest_lamport(of).unwrap();
    store.extent(of).unwrap();
    store.held_heads(of).unwrap();
    store.remove_all_held(of).unwrap();
    store.held(of, 1).unwrap();
    store.count_in_epoch(of, 1).unwrap();
    store.index_text(&id, Some("hello")).unwrap();
    let query = Query::new("hel").unwrap();
    store.find_texts(&query, Some(of), 50).unwrap();
    store.vanishing(Timestamp::default(), 50).unwrap();
    store.next_vanishing().unwrap();
    store.edits(of, &id, true).unwrap();
    store.count_unread(of).unwrap();
    store.text_positions(of, None, 50).unwrap();
    let before = message(9).position;
    store.text_positions(of, Some(&before), 50).unwrap();
    store.erase(&id).unwrap();
    store.make_edits_gone(of, &id).unwrap();
    store.make_gone(of, &id).unwrap();
    store.remove_contact(of).unwrap();
    store.remove_messages(of, 50).unwrap();
    store.put_mls_row(b"group", 1, b"key", b"value").unwrap();
    store.mls_row(b"group", 1, b"key").unwrap();
    store.mls_scope(b"group").unwrap();
    store.remove_mls_row(b"group", 1, b"key").unwrap();
    store.remove_mls_scope(b"group").unwrap();
    store.insert_letter(LetterId(1), b"head", b"body").unwrap();
    store.letter_chunk(LetterId(1), 0, 100).unwrap();
    store.delete_letter(LetterId(1)).unwrap();
    store
        .insert_repeat(RepeatId([1; 16]), Timestamp::default())
        .unwrap();
    store.is_repeat(RepeatId([1; 16])).unwrap();
    store.delete_repeats_before(Timestamp::default()).unwrap();
    store.keep_repeats(9).unwrap();
    store.part_chunks(MailboxId(1), RepeatId([1; 16])).unwrap();
    store.delete_parts(MailboxId(1), RepeatId([1; 16])).unwrap();
    store.delete_mailbox(MailboxId(1)).unwrap();
    store.commit().unwrap();

    for sql in seen() {
        for step in plan(&store, sql) {
            let whole = GROWING.iter().any(|table| {
                let scan = format!("SCAN {table}");
                step == scan || step.starts_with(&format!("{scan} "))
            });
            // What finds texts is asked by words or by row, never for all it has.
            let whole = whole || step == "SCAN texts VIRTUAL TABLE INDEX 0:";
            assert!(!whole, "{sql}\n{step}");
        }
    }
    // What is unread is few among all that was said.
    let unread = seen().into_iter().filter(|sql| sql.contains("state = 3"));
    for sql in unread {
        assert!(plan(&store, sql)[0].contains("messages_unread"), "{sql}");
    }
    // A page of messages is read in its order, not sorted.
    let newest = seen()
        .into_iter()
        .filter(|sql| sql.contains("LIMIT ?2") || sql.contains("DESC LIMIT 1"))
        .filter(|sql| !sql.contains("slots"))
        .collect::<Vec<_>>();
    assert_eq!(newest.len(), 8);
    for sql in newest {
        assert!(
            plan(&store, sql)
                .iter()
                .all(|step| !step.contains("TEMP B-TREE")),
            "{sql}"
        );
    }
}

#[test]
fn a_page_passes_nothing_that_is_not_listed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    let of = ContactId(1);
    for n in 0..=250 {
        let kind = match n % 50 {
            0 => MessageKind::Text,
            _ => MessageKind::Control,
        };
        let record = MessageRecord { kind, ..message(n) };
        store.add_message(&record).unwrap();
    }
    store.commit().unwrap();
    let read = |before| store.messages(of, before, 2, 1_000).unwrap();
    let first = read(None);
    let second = read(Some(&first[0].position));
    let numbers = |page: &[MessageRecord]| -> Vec<u64> {
        page.iter().map(|record| record.position.lamport).collect()
    };
    assert_eq!(numbers(&first), [200, 250]);
    assert_eq!(numbers(&second), [100, 150]);
    let pages = seen().into_iter().filter(|sql| sql.contains("LIMIT ?2"));
    let pages: Vec<_> = pages.collect();
    assert_eq!(pages.len(), 2);
    for sql in pages {
        let steps = plan(&store, sql);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert!(
            steps[0].contains("INDEX messages_order (contact=? AND kind=?"),
            "{steps:?}"
        );
    }
}

#[test]
fn statements_that_list_kinds_of_messages_list_every_kind() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    let kinds = (0..=u8::MAX).filter_map(|code| MessageKind::from_code(code).ok());
    for kind in kinds {
        let contact = ContactId(kind.code().into());
        let record = MessageRecord {
            contact,
            kind,
            ..message(kind.code())
        };
        store.add_message(&record).unwrap();
        let last = store.last_position(contact).unwrap();
        assert_eq!(last, Some(record.position), "{kind:?}");
        let highest = store.highest_lamport(contact).unwrap();
        assert_eq!(highest, record.position.lamport, "{kind:?}");
        assert_eq!(store.count_in_epoch(contact, 1).unwrap(), 1, "{kind:?}");
    }
    store.commit().unwrap();
}

#[test]
fn a_page_has_so_many_bytes_or_one_message() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    for n in 0..10 {
        store.add_message(&message(n)).unwrap();
    }
    store.commit().unwrap();
    for (bytes, count) in [(0, 1), (99, 1), (100, 1), (399, 3), (400, 4), (2_000, 10)] {
        let page = store.messages(ContactId(1), None, 50, bytes).unwrap();
        assert_eq!(page.len(), count, "{bytes}");
        assert_eq!(page.last().unwrap().position.lamport, 9);
    }
}

fn plan(store: &ProfileStore, sql: &str) -> Vec<String> {
    let connection = store.database.connection();
    let mut statement = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
        .unwrap();
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get("detail").unwrap());
    }
    steps
}

#[test]
fn a_full_disk_is_told_and_loses_nothing_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    store.add_message(&message(1)).unwrap();
    store.commit().unwrap();

    // SQLite answers to its own limit as to a disk without space.
    let pages: i64 = store
        .database
        .connection()
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    limit(&store, pages);
    store.begin().unwrap();
    store.add_message(&message(2)).unwrap();
    let error = store
        .insert_letter(LetterId(1), b"head", &[1; 100_000])
        .unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Full);
    store.rollback().unwrap();
    assert!(!store.has_message(message(2).id()).unwrap());
    assert!(store.has_message(message(1).id()).unwrap());

    limit(&store, pages * 10);
    store.begin().unwrap();
    store
        .insert_letter(LetterId(1), b"head", &[1; 100_000])
        .unwrap();
    store.commit().unwrap();
    store.check().unwrap();
}

fn limit(store: &ProfileStore, pages: i64) {
    let connection = store.database.connection();
    connection
        .pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))
        .unwrap();
}

#[test]
fn damage_met_while_reading_is_told_as_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    for n in 0..=250 {
        store
            .add_message(&MessageRecord {
                content: vec![n; 3000],
                ..message(n)
            })
            .unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let mut bytes = std::fs::read(path(&dir)).unwrap();
    for page in bytes.chunks_exact_mut(4096).skip(60) {
        page[2000] ^= 1;
    }
    std::fs::write(path(&dir), bytes).unwrap();
    let error = open(&dir)
        .messages(ContactId(1), None, 500, usize::MAX)
        .unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Damaged);
}

#[test]
fn a_value_that_was_never_written_is_told_as_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    store.add_message(&message(1)).unwrap();
    store.commit().unwrap();
    for change in [
        "state = 77",
        "id = x'0102'",
        "lamport = -1",
        "target = x'01'",
    ] {
        store.begin().unwrap();
        let connection = store.database.connection();
        connection
            .execute(&format!("UPDATE messages SET {change}"), [])
            .unwrap();
        let error = store
            .messages(ContactId(1), None, 50, usize::MAX)
            .unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Corrupt, "{change}");
        store.rollback().unwrap();
    }
}

#[test]
fn the_check_reads_records_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.check().unwrap();
    store.begin().unwrap();
    let connection = store.database.connection();
    connection
        .execute("INSERT INTO joins (fetch, body) VALUES (1, x'01ff')", [])
        .unwrap();
    store.commit().unwrap();
    assert_eq!(store.check().unwrap_err().kind, StorageErrorKind::Corrupt);
}

#[test]
fn errors_never_quote_what_is_stored() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    let record = MessageRecord {
        content: b"sesame".to_vec(),
        ..message(1)
    };
    store.add_message(&record).unwrap();
    let error = store.add_message(&record).unwrap_err();
    let shown = format!("{error} {error:?}");
    let number = format!("{:?}", &record.id().as_bytes()[..4]);
    assert!(
        !shown.contains("sesame") && !shown.contains(&number),
        "{shown}"
    );
}

/// The numbers of the messages that `words` find.
fn found(store: &ProfileStore, words: &str) -> Vec<u64> {
    let query = Query::new(words).unwrap();
    let ids = store.find_texts(&query, None, 50).unwrap();
    let numbers = ids.iter().map(|id| {
        let record = store.message(id).unwrap();
        record.unwrap().position.lamport
    });
    numbers.collect()
}

fn note(store: &mut ProfileStore, n: u8, text: &str) {
    store.add_message(&message(n)).unwrap();
    store
        .index_text(message(n).id(), Some(&spaced(text)))
        .unwrap();
}

#[test]
fn texts_are_found_whatever_their_case_diacritics_and_script() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    note(&mut store, 1, "Le café est à Besançon");
    note(&mut store, 2, "我们明天去喝茶吧");
    note(&mut store, 3, "東京タワーの前で");
    note(&mut store, 4, "Ραντεβού αύριο, у МОСКВЕ");
    note(&mut store, 5, "ราคาเท่าไหร่");
    store.commit().unwrap();
    for (words, number) in [
        ("CAFE", 1),
        ("besancon cafe", 1),
        ("喝茶", 2),
        ("茶", 2),
        ("タワー", 3),
        ("ραντεβού", 4),
        ("москв", 4),
        ("เท่าไหร่", 5),
    ] {
        assert_eq!(found(&store, words), [number], "{words}");
    }
    assert!(found(&store, "茶喝").is_empty());
    assert!(found(&store, "af").is_empty());
}

#[test]
fn nothing_that_is_typed_is_a_mistake() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    note(&mut store, 1, "she said NOT (now) OR never*");
    store.commit().unwrap();
    for words in [
        "NOT",
        "OR",
        "(now",
        "never*",
        "\"said",
        "said:NOT",
        "^she",
        "she + said",
        "NEAR(she said, 2)",
        "she\0said",
        "{text}: she",
        "-she",
        "'; DROP TABLE texts; --",
    ] {
        if let Ok(query) = Query::new(words) {
            store.find_texts(&query, Some(ContactId(1)), 5).unwrap();
        }
    }
    assert_eq!(found(&store, "NOT OR"), [1]);
}

#[test]
fn of_erased_texts_the_index_keeps_no_beginnings_of_words() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plain.db");
    let mut store = ProfileStore {
        database: crate::Database::open_plain(&path, &ProfileStore::SCHEMA),
    };
    // Words with nothing in common, so that each begins a page now and then.
    let word = |n: u32| format!("{:08x}secret", n.wrapping_mul(0x9E37_79B1));
    for n in 0..200_u8 {
        store.begin().unwrap();
        let words: Vec<_> = (0..20).map(|k| word(u32::from(n) * 20 + k)).collect();
        note(&mut store, n, &words.join(" "));
        store.commit().unwrap();
    }
    store.begin().unwrap();
    for n in 0..200_u8 {
        store.erase(message(n).id()).unwrap();
    }
    store.commit().unwrap();
    let mut rounds = 0;
    loop {
        store.begin().unwrap();
        let more = store.tidy_texts(64).unwrap();
        store.commit().unwrap();
        rounds += 1;
        if !more {
            break;
        }
        assert!(rounds < 1_000);
    }
    store.check().unwrap();
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    let begins: BTreeSet<Vec<u8>> = (0..4_000)
        .map(|n| word(n).into_bytes()[..7].into())
        .collect();
    let left = bytes.windows(7).filter(|window| begins.contains(*window));
    assert_eq!(left.count(), 0, "{rounds}");
}

#[test]
fn an_erased_text_is_in_no_page_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("plain.db");
    let mut store = ProfileStore {
        database: crate::Database::open_plain(&path, &ProfileStore::SCHEMA),
    };
    let secrets = ["walnut", "quagga", "zeppelin", "yttrium", "vexillum"];
    store.begin().unwrap();
    let of = ContactId(1);
    let conversation = ConversationId([1; 16]);
    for n in 0..100 {
        let word = secrets[usize::from(n % 5)];
        let text = format!("{word} and harbour {n}");
        let content = text.repeat(if n < 50 { 1 } else { 200 }).into_bytes();
        let kind = match n % 5 {
            3 => MessageKind::Edit,
            _ => MessageKind::Text,
        };
        let target = (kind == MessageKind::Edit).then(|| *message(n - 1).id());
        let record = MessageRecord {
            content,
            kind,
            target,
            ..message(n)
        };
        store.add_message(&record).unwrap();
        if kind == MessageKind::Text {
            store.index_text(record.id(), Some(&text)).unwrap();
        }
    }
    let mut kept = ConversationRecord {
        draft: Some(DraftRecord {
            text: "xylophone ".repeat(600),
            reply_to: None,
        }),
        ..ConversationRecord::default()
    };
    store.put_conversation(conversation, &kept).unwrap();
    store.commit().unwrap();
    store.begin().unwrap();
    for n in 0..100 {
        let record = message(n);
        match n % 5 {
            0 => store.erase(record.id()).unwrap(),
            1 => store.remove_message(record.id()).unwrap(),
            // With its edit, the next one.
            2 => store.make_gone(of, record.id()).unwrap(),
            3 => {}
            _ => store.index_text(record.id(), None).unwrap(),
        }
        if n % 5 == 4 {
            store.erase(record.id()).unwrap();
        }
    }
    kept.draft = None;
    store.put_conversation(conversation, &kept).unwrap();
    note(&mut store, 200, "a harbour that stays");
    store.commit().unwrap();
    for word in secrets {
        assert!(found(&store, word).is_empty(), "{word}");
    }
    assert_eq!(found(&store, "harbour"), [200]);
    store.check().unwrap();
    drop(store);
    let bytes = std::fs::read(&path).unwrap();
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"a harbour that stays"));
    for word in secrets.into_iter().chain(["xylophone"]) {
        // The index may have taken the beginning of a word from another.
        assert!(!holds(&word.as_bytes()[2..]), "{word}");
    }
}
