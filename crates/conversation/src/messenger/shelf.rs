//! Which letters wait, and which of them must go to make room.
//!
//! A letter waits for the commit that opens its epoch, or for the join request
//! it overtook. It is the sender who decides how many come, so they are bounded:
//! each sender's by itself, and all together. Where all together are too many,
//! the oldest of whoever takes most room goes, so that nobody can push out the
//! letters of people who take less.

use std::collections::BTreeMap;

use hushwing_delivery::RepeatId;
use hushwing_sansio::{StorageError, Timestamp};

use super::broken::is_damage;
use super::people::Opened;
use super::room::Rooms;
use crate::storage::HeldHead;
use crate::{ContactId, Storage};

/// Under whom letters wait that overtook their join request: a number never
/// given to a contact.
pub(super) const STRAYS: ContactId = ContactId(0);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
/// What a letter takes beside its bytes, in storage and in memory. It bounds
/// the number of the smallest ones.
pub(super) const OVERHEAD: usize = 4 * KIB;
/// Room for the letters of one contact.
pub(super) const ROOM_OF_ONE: usize = 4 * MIB;
/// Room for strays.
pub(super) const ROOM_OF_STRAYS: usize = MIB;
/// Room for the letters of all contacts together.
pub(super) const ROOM_IN_ALL: usize = 32 * MIB;

/// What is known of a waiting letter without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// What it takes, [`OVERHEAD`] included.
    room: usize,
    pub(super) since: Timestamp,
    pub(super) repeat: Option<RepeatId>,
}

/// The letters of one sender, oldest first.
#[derive(Default)]
struct Pile {
    letters: BTreeMap<u64, Waiting>,
    room: usize,
}

/// All letters that wait: what storage holds, without the bytes.
#[derive(Default)]
pub(super) struct Shelf {
    piles: BTreeMap<ContactId, Pile>,
    /// What those of contacts take together.
    room: usize,
}

impl Shelf {
    /// Reads what waits of the people `found`. Of whom it is damaged is noted
    /// there; damaged strays go, for nobody is known whose they are.
    pub(super) fn open(
        storage: &mut dyn Storage,
        found: &mut Opened,
        rooms: &Rooms,
    ) -> Result<Self, StorageError> {
        let mut shelf = Self::default();
        let people = found.people.keys().copied();
        for whose in people.chain(rooms.places()).chain([STRAYS]) {
            match storage.held_heads(whose) {
                Ok(heads) => heads.iter().for_each(|head| shelf.add(head)),
                Err(error) if !is_damage(&error) => return Err(error),
                Err(_) if whose == STRAYS => storage.remove_all_held(STRAYS)?,
                Err(_) => found.damaged.push(whose),
            }
        }
        Ok(shelf)
    }

    /// Notes a letter that storage holds now.
    pub(super) fn add(&mut self, head: &HeldHead) {
        self.remove(head.contact, head.number);
        let waiting = Waiting {
            room: room_for(head.length),
            since: head.since,
            repeat: head.repeat,
        };
        let pile = self.piles.entry(head.contact).or_default();
        pile.letters.insert(head.number, waiting);
        pile.room = pile.room.saturating_add(waiting.room);
        if head.contact != STRAYS {
            self.room = self.room.saturating_add(waiting.room);
        }
    }

    /// Takes a letter off; `None` if it does not wait any more.
    pub(super) fn remove(&mut self, whose: ContactId, number: u64) -> Option<Waiting> {
        let pile = self.piles.get_mut(&whose)?;
        let waiting = pile.letters.remove(&number)?;
        pile.room = pile.room.saturating_sub(waiting.room);
        if pile.letters.is_empty() {
            self.piles.remove(&whose);
        }
        if whose != STRAYS {
            self.room = self.room.saturating_sub(waiting.room);
        }
        Some(waiting)
    }

    /// Takes everything of a contact off.
    pub(super) fn forget(&mut self, whose: ContactId) {
        if let Some(pile) = self.piles.remove(&whose)
            && whose != STRAYS
        {
            self.room = self.room.saturating_sub(pile.room);
        }
    }

    /// The letters of a sender, oldest first.
    pub(super) fn numbers(&self, whose: ContactId) -> Vec<u64> {
        let pile = self.piles.get(&whose);
        pile.map_or_else(Vec::new, |pile| pile.letters.keys().copied().collect())
    }

    /// The letters of a sender that came before `time`, oldest first.
    pub(super) fn before(&self, whose: ContactId, time: Timestamp) -> Vec<u64> {
        let letters = self.piles.get(&whose).map(|pile| &pile.letters);
        let old = letters.into_iter().flatten();
        old.filter(|(_, waiting)| waiting.since < time)
            .map(|(number, _)| *number)
            .collect()
    }

    /// Whether a letter of `length` bytes may wait at all.
    pub(super) fn fits(whose: ContactId, length: usize) -> bool {
        room_for(length) <= room_of(whose)
    }

    /// The letter that must go next before one of `length` bytes from `whose`
    /// may wait; `None` if there is room.
    pub(super) fn in_the_way(&self, whose: ContactId, length: usize) -> Option<(ContactId, u64)> {
        let room = room_for(length);
        let own = self.piles.get(&whose).map_or(0, |pile| pile.room);
        if own.saturating_add(room) > room_of(whose) {
            return self.oldest(whose);
        }
        if whose == STRAYS || self.room.saturating_add(room) <= ROOM_IN_ALL {
            return None;
        }
        let piles = self.piles.iter().filter(|(of, _)| **of != STRAYS);
        let (largest, _) = piles.max_by_key(|(_, pile)| pile.room)?;
        self.oldest(*largest)
    }

    fn oldest(&self, whose: ContactId) -> Option<(ContactId, u64)> {
        let (number, _) = self.piles.get(&whose)?.letters.first_key_value()?;
        Some((whose, *number))
    }
}

fn room_for(length: usize) -> usize {
    length.saturating_add(OVERHEAD)
}

fn room_of(whose: ContactId) -> usize {
    if whose == STRAYS {
        ROOM_OF_STRAYS
    } else {
        ROOM_OF_ONE
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Puts a letter on the shelf as the machine does; tells what had to go.
    fn put(shelf: &mut Shelf, whose: ContactId, number: u64, length: usize) -> Vec<ContactId> {
        let mut gone = Vec::new();
        if !Shelf::fits(whose, length) {
            return gone;
        }
        while let Some((of, number)) = shelf.in_the_way(whose, length) {
            shelf.remove(of, number).unwrap();
            gone.push(of);
        }
        shelf.add(&HeldHead {
            contact: whose,
            number,
            since: Timestamp::default(),
            repeat: None,
            length,
        });
        gone
    }

    fn room(shelf: &Shelf, whose: ContactId) -> usize {
        shelf.piles.get(&whose).map_or(0, |pile| pile.room)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whatever_comes_stays_within_its_room_and_hurts_nobody_who_takes_less(
            letters in prop::collection::vec((0..14_u64, 0..600_000_usize), 0..400)
        ) {
            let mut shelf = Shelf::default();
            for (number, (whose, length)) in letters.into_iter().enumerate() {
                let before: Vec<usize> =
                    (0..14).map(|of| room(&shelf, ContactId(of))).collect();
                let whose = ContactId(whose);
                for of in put(&mut shelf, whose, number as u64, length) {
                    let most = before[1..].iter().max().unwrap();
                    let own = of == whose;
                    prop_assert!(own || before[usize::try_from(of.0).unwrap()] * 2 > *most);
                    prop_assert!(own || of != STRAYS);
                }
                let all: usize = (1..14).map(|of| room(&shelf, ContactId(of))).sum();
                prop_assert_eq!(all, shelf.room);
                prop_assert!(all <= ROOM_IN_ALL);
                prop_assert!((1..14).all(|of| room(&shelf, ContactId(of)) <= ROOM_OF_ONE));
                prop_assert!(room(&shelf, STRAYS) <= ROOM_OF_STRAYS);
                for pile in shelf.piles.values() {
                    let sum: usize = pile.letters.values().map(|letter| letter.room).sum();
                    prop_assert_eq!(sum, pile.room);
                }
            }
        }
    }

    #[test]
    fn ten_thousand_of_the_smallest_leave_a_thousand() {
        let mut shelf = Shelf::default();
        for number in 0..10_000 {
            put(&mut shelf, ContactId(1), number, 1);
        }
        assert_eq!(shelf.numbers(ContactId(1)).len(), 1_023);
        assert_eq!(shelf.numbers(ContactId(1)).last(), Some(&9_999));
    }

    #[test]
    fn a_full_shelf_takes_from_whoever_has_most() {
        let mut shelf = Shelf::default();
        let mut number = 0;
        let mut next = || {
            number += 1;
            number
        };
        for flooder in 2..12 {
            for _ in 0..40 {
                put(&mut shelf, ContactId(flooder), next(), 100 * KIB);
            }
        }
        for _ in 0..20 {
            let gone = put(&mut shelf, ContactId(1), next(), 10 * KIB);
            assert!(!gone.contains(&ContactId(1)));
        }
        assert_eq!(shelf.numbers(ContactId(1)).len(), 20);
    }
}
