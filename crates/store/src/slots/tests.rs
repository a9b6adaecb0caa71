//! Slots as a whole: what is lost at no instant, what costs the same, and what
//! the files tell.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use tempfile::TempDir;

use super::seal::{HALF, PAGE};
use super::*;
use crate::{Database, OpenError, Schema};

const SCHEMA: Schema = Schema {
    steps: &["CREATE TABLE t (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"],
};

const CHEAP: Cost = Cost {
    memory: 8,
    passes: 1,
    lanes: 1,
};

struct Dice(ChaCha20Rng);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
}

fn dice(seed: u64) -> Dice {
    Dice(ChaCha20Rng::seed_from_u64(seed))
}

fn words(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

/// A folder with these slots; all others are missing, and cost as much to try.
fn with_slots(numbers: impl IntoIterator<Item = u8>) -> (TempDir, Slots) {
    let dir = tempfile::tempdir().unwrap();
    let slots = Slots::at(dir.path().join("slots"));
    for number in numbers {
        assert!(slots.make(number, &mut dice(number.into())).unwrap());
    }
    (dir, slots)
}

fn hide(slots: &Slots, name: &str, slot: u8, passphrase: &str) -> Result<Arc<Slot>, SlotError> {
    let hidden = Hidden {
        name,
        settings: b"settings",
        slot: Some(slot),
        databases: Databases::default(),
        again: false,
    };
    slots.hide(&hidden, &[], &words(passphrase), CHEAP, dice(77))
}

fn open(slots: &Slots, name: &str, passphrase: &str) -> Result<Arc<Slot>, SlotError> {
    slots.open(name, &words(passphrase), CHEAP, dice(78))
}

fn database(slot: &Arc<Slot>) -> Database {
    Database::open_in_slot(slot, Part::Profile, &SCHEMA).unwrap()
}

fn write(database: &mut Database, text: &str) -> Result<(), hushwing_sansio::StorageError> {
    database.begin()?;
    let written = database.run("write", "INSERT INTO t (text) VALUES (?1)", [text]);
    match written.and_then(|_| database.commit()) {
        Ok(()) => Ok(()),
        Err(error) => {
            database.rollback().unwrap();
            Err(error)
        }
    }
}

fn texts(database: &Database) -> Vec<String> {
    let sql = "SELECT text FROM t ORDER BY id";
    database.all("read", sql, [], |row| row.get(0)).unwrap()
}

/// Counts how often a key is stretched.
struct Counting<'a>(ByPassphrase<'a>, Cell<usize>);

impl Stretch for Counting<'_> {
    fn stretch(&self, salt: &[u8; SALT]) -> Option<Zeroizing<[u8; 32]>> {
        self.1.set(self.1.get() + 1);
        self.0.stretch(salt)
    }
}

#[test]
fn a_profile_is_found_by_its_name_and_passphrase_alone_and_all_slots_are_tried() {
    let (_dir, slots) = with_slots([2, 5]);
    drop(hide(&slots, "Ada", 2, "one").unwrap());
    drop(hide(&slots, "Bob", 5, "two").unwrap());
    let slot = open(&slots, "Ada", "one").unwrap();
    assert_eq!((&**slot.name(), slot.number()), ("Ada", 2));
    assert_eq!(**slot.settings(), *b"settings");
    assert_eq!(open(&slots, "Bob", "two").unwrap().number(), 5);
    for (name, passphrase) in [("Ada", "two"), ("Eve", "one"), ("Ada", ""), ("Eve", "none")] {
        let refused = open(&slots, name, passphrase).unwrap_err();
        assert!(matches!(refused, SlotError::NotFound), "{refused}");
    }
    for (passphrase, found) in [("one", 1), ("two", 1), ("none", 0)] {
        let words = words(passphrase);
        let counting = Counting(ByPassphrase(&words, CHEAP), Cell::new(0));
        assert_eq!(slots.found(&counting).unwrap().len(), found);
        assert_eq!(counting.1.get(), usize::from(COUNT), "{passphrase}");
    }
}

#[test]
fn what_is_committed_is_there_when_the_slot_is_opened_again() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    for text in ["one", "two", "three"] {
        write(&mut file, text).unwrap();
    }
    file.begin().unwrap();
    file.run("write", "INSERT INTO t (text) VALUES ('not')", [])
        .unwrap();
    file.rollback().unwrap();
    let again = database(&open(&slots, "Ada", "words").unwrap());
    assert_eq!(texts(&again), ["one", "two", "three"]);
    assert_eq!(texts(&file), ["one", "two", "three"]);
    file.check().unwrap();
}

#[test]
fn a_transaction_that_changes_nothing_writes_nothing() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    write(&mut file, "one").unwrap();
    let before = fs::read(slots.path(0)).unwrap();
    file.begin().unwrap();
    assert_eq!(texts(&file), ["one"]);
    file.commit().unwrap();
    assert!(fs::read(slots.path(0)).unwrap() == before);
}

/// A write that power or a signal cut short leaves a beginning of the new bytes
/// over the old ones, or any mixture of their sectors.
#[test]
fn whatever_a_torn_write_leaves_is_the_state_before_or_after() {
    let (_dir, slots) = with_slots([3]);
    let slot = hide(&slots, "Ada", 3, "words").unwrap();
    let mut file = database(&slot);
    let path = slots.path(3);
    let mut expected = Vec::new();
    for (text, half) in [("one", Half::Second), ("two", Half::First)] {
        let old = fs::read(&path).unwrap();
        let before = expected.clone();
        write(&mut file, text).unwrap();
        expected.push(text.to_owned());
        let new = fs::read(&path).unwrap();
        let (from, to) = (half.offset(), half.offset() + HALF);
        assert!(old[..from] == new[..from] && old[to..] == new[to..]);
        for cut in [1, 24, 25, 512, HALF / 2, HALF - 16, HALF - 1] {
            let mut torn = old.clone();
            torn[from..from + cut].copy_from_slice(&new[from..from + cut]);
            fs::write(&path, &torn).unwrap();
            assert_eq!(held(&slots), before, "cut after {cut}");
        }
        let mut mixed = old.clone();
        for sector in (from..to - 512).step_by(1024) {
            mixed[sector..sector + 512].copy_from_slice(&new[sector..sector + 512]);
        }
        fs::write(&path, &mixed).unwrap();
        assert_eq!(held(&slots), before, "every second sector");
        // What a disk loses with a write is a whole piece.
        for at in [from, from + HALF / 2, to - 1] {
            let at = at / PAGE * PAGE;
            let mut lost = new.clone();
            lost[at..at + PAGE].fill(0xA5);
            fs::write(&path, &lost).unwrap();
            assert_eq!(held(&slots), before, "without the piece at {at}");
        }
        fs::write(&path, &new).unwrap();
        assert_eq!(held(&slots), expected);
    }
}

#[test]
fn a_slot_that_cannot_be_read_keeps_nobody_from_another() {
    let (dir, slots) = with_slots([2]);
    drop(hide(&slots, "Ada", 2, "words").unwrap());
    let broken = slots.path(6);
    std::os::unix::fs::symlink(&broken, &broken).unwrap();
    assert_eq!(open(&slots, "Ada", "words").unwrap().number(), 2);
    let refused = open(&slots, "Ada", "other").unwrap_err();
    assert!(matches!(refused, SlotError::Io(_)), "{refused}");
    drop(dir);
}

fn held(slots: &Slots) -> Vec<String> {
    texts(&database(&open(slots, "Ada", "words").unwrap()))
}

#[test]
fn what_was_deleted_is_in_neither_half_once_it_settled() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    write(&mut file, "forget-me").unwrap();
    file.begin().unwrap();
    file.run("delete", "DELETE FROM t", []).unwrap();
    file.commit().unwrap();
    let halves_hold = || {
        let whole = fs::read(slots.path(0)).unwrap();
        Half::BOTH.map(|half| {
            let mut one = whole.clone();
            one[half.other().offset()] ^= 1;
            fs::write(slots.path(0), &one).unwrap();
            let held = held(&slots).len();
            fs::write(slots.path(0), &whole).unwrap();
            held
        })
    };
    assert_eq!(halves_hold().into_iter().sum::<usize>(), 1);
    file.settle().unwrap();
    assert_eq!(halves_hold(), [0, 0]);
    let before = fs::read(slots.path(0)).unwrap();
    file.settle().unwrap();
    assert!(fs::read(slots.path(0)).unwrap() == before);
}

#[test]
fn what_could_not_be_written_is_not_there_and_the_next_write_is() {
    let (dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    write(&mut file, "one").unwrap();
    let away = dir.path().join("away");
    fs::rename(slots.path(0), &away).unwrap();
    write(&mut file, "lost").unwrap_err();
    assert_eq!(texts(&file), ["one"], "nothing that is not durable is seen");
    fs::rename(&away, slots.path(0)).unwrap();
    write(&mut file, "two").unwrap();
    assert_eq!(held(&slots), ["one", "two"]);
}

#[test]
fn a_full_slot_refuses_and_loses_nothing() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    let long = "x".repeat(300_000);
    let mut kept = 0;
    let refused = loop {
        match write(&mut file, &long) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
        assert!(kept < 20, "it grows without end");
    };
    assert_eq!(refused.kind, hushwing_sansio::StorageErrorKind::Full);
    assert!(kept >= 11, "{kept}");
    assert_eq!(texts(&file).len(), kept);
    let mut relay = Database::open_in_slot(&slot, Part::Relay, &SCHEMA).unwrap();
    write(&mut relay, "mailboxes still fit").unwrap();
    assert_eq!(held(&slots).len(), kept);
    file.begin().unwrap();
    file.run("make room", "DELETE FROM t WHERE id < 4", [])
        .unwrap();
    file.commit().unwrap();
    write(&mut file, &long).unwrap();
    assert_eq!(held(&slots).len(), kept - 2);
}

#[test]
fn each_database_of_a_slot_has_one_user() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let first = database(&slot);
    let second = Database::open_in_slot(&slot, Part::Profile, &SCHEMA);
    assert!(matches!(second, Err(OpenError::Busy { .. })));
    drop(first);
    database(&slot);
}

#[test]
fn no_profile_that_is_known_is_overwritten() {
    let (_dir, slots) = with_slots(0..COUNT);
    drop(hide(&slots, "Ada", 1, "words").unwrap());
    let again = hide(&slots, "Ada", 2, "words").unwrap_err();
    assert!(matches!(again, SlotError::Exists));
    let over = hide(&slots, "Bob", 1, "words").unwrap_err();
    assert!(matches!(over, SlotError::NoneFree), "{over}");
    let none = hide(&slots, "Bob", 2, "").unwrap_err();
    assert!(matches!(none, SlotError::EmptyPassphrase));
    let none = hide(&slots, &"x".repeat(65), 2, "words").unwrap_err();
    assert!(matches!(none, SlotError::TooLong));
    let any = Hidden {
        name: "Bob",
        settings: b"",
        slot: None,
        databases: Databases::default(),
        again: false,
    };
    let large = [0; 4096 * 129];
    let too_large = Hidden {
        databases: Databases {
            relay: &large,
            ..Databases::default()
        },
        ..any
    };
    let over = slots.hide(&too_large, &[], &words("words"), CHEAP, dice(1));
    assert!(matches!(over, Err(SlotError::TooLarge)));
    let open_ones = [0, 2, 3, 4, 5, 7];
    let chosen = slots.hide(&any, &open_ones, &words("words"), CHEAP, dice(1));
    assert_eq!(chosen.unwrap().number(), 6, "1 opens by the same words");
    open(&slots, "Ada", "words").unwrap();
}

#[test]
fn every_free_slot_may_be_chosen() {
    let mut dice = dice(5);
    let chosen: BTreeSet<_> = (0..99).map(|_| choose(None, &[1, 4], &mut dice)).collect();
    let free = [0, 2, 3, 5, 6, 7].map(Some);
    assert_eq!(chosen, BTreeSet::from(free));
    assert_eq!(choose(Some(8), &[], &mut dice), None);
    assert_eq!(choose(None, &[0, 1, 2, 3, 4, 5, 6, 7], &mut dice), None);
}

#[test]
fn an_erased_profile_is_found_no_more() {
    let (_dir, slots) = with_slots([4]);
    drop(hide(&slots, "Ada", 4, "words").unwrap());
    slots.erase(4, &mut dice(9)).unwrap();
    assert!(matches!(
        open(&slots, "Ada", "words"),
        Err(SlotError::NotFound)
    ));
}

#[test]
fn one_look_at_the_files_does_not_tell_which_is_in_use() {
    let (_dir, slots) = with_slots(0..COUNT);
    assert!(slots.are_made().unwrap());
    let slot = hide(&slots, "Ada Lovelace", 6, "words").unwrap();
    let mut file = database(&slot);
    write(&mut file, "a text to look for").unwrap();
    write(&mut file, "another").unwrap();
    let mut looks = BTreeSet::new();
    for number in 0..COUNT {
        let path = slots.path(number);
        let found = fs::metadata(&path).unwrap();
        looks.insert((
            found.len(),
            found.mode() & 0o777,
            (found.mtime(), found.mtime_nsec()),
            (found.atime(), found.atime_nsec()),
        ));
        let bytes = fs::read(&path).unwrap();
        for needle in [&b"Ada Lovelace"[..], b"a text", b"SQLite", b"settings"] {
            assert!(!bytes.windows(needle.len()).any(|part| part == needle));
        }
        assert!(is_even(&bytes), "slot {number}");
    }
    assert_eq!(looks.len(), 1, "{looks:?}");
    assert_eq!(fs::read_dir(&slots).unwrap().count(), 8, "nothing beside");
}

/// Whether each byte is about as frequent as any other: in 8 MiB 32,768 times,
/// and by chance never farther away than eight standard deviations.
fn is_even(bytes: &[u8]) -> bool {
    let mut counts = [0_i64; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    counts.iter().all(|count| (count - 32_768).abs() < 8 * 181)
}

#[test]
fn a_slot_that_is_there_is_never_made_anew() {
    let (_dir, slots) = with_slots([1]);
    assert!(!slots.are_made().unwrap());
    let before = fs::read(slots.path(1)).unwrap();
    assert!(!slots.make(1, &mut dice(99)).unwrap());
    assert!(fs::read(slots.path(1)).unwrap() == before);
    fs::write(slots.path(2), b"short").unwrap();
    assert!(!slots.make(2, &mut dice(99)).unwrap());
    assert!(matches!(
        hide(&slots, "Ada", 2, "words"),
        Err(SlotError::Io(_))
    ));
    assert_eq!(fs::read(slots.path(2)).unwrap(), b"short");
}

#[test]
fn a_commit_writes_one_half() {
    let (_dir, slots) = with_slots([0]);
    let slot = hide(&slots, "Ada", 0, "words").unwrap();
    let mut file = database(&slot);
    for _ in 0..8 {
        write(&mut file, &"x".repeat(300_000)).unwrap();
    }
    let before = fs::read(slots.path(0)).unwrap();
    write(&mut file, "one more").unwrap();
    let after = fs::read(slots.path(0)).unwrap();
    let changed = |half: Half| {
        let range = half.offset()..half.offset() + HALF;
        before[range.clone()] != after[range]
    };
    assert_eq!(
        Half::BOTH.into_iter().filter(|half| changed(*half)).count(),
        1
    );
}
