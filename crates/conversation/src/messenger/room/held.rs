//! Letters of a room that wait for a commit, or for the Welcome.
//!
//! Each is heard once, when the state it was made in is known; of which state it
//! is, it says itself. Only so many are heard in one go, the rest right after it:
//! who sends commits in the wrong order must not make the others work for long.

use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::RepeatId;
use hushwing_sansio::{Moment, StorageError};

use super::listen::Way;
use crate::branches::{StatePrefix, claimed_state};
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;
use crate::{DropReason, RoomId};

/// Letters heard in one go.
const MOST_AT_ONCE: usize = 64;
/// Further states asked for in one go.
const MOST_ASKED: usize = 16;

/// A state as a letter names it: its epoch, and the beginning of its name.
type Claimed = (u64, StatePrefix);

/// Which letters wait for which states. The shelf has what waits; this is made of
/// it when a room first needs it.
#[derive(Default)]
pub(in crate::messenger) struct Held {
    rooms: BTreeMap<RoomId, Waiting>,
    /// Rooms in which more can be heard at once.
    more: BTreeMap<RoomId, Moment>,
}

#[derive(Default)]
struct Waiting {
    by_state: BTreeMap<Claimed, BTreeSet<u64>>,
    count: usize,
    /// The state that was asked for last.
    asked: Option<Claimed>,
}

impl Waiting {
    fn add(&mut self, state: Claimed, number: u64) {
        let fresh = self.by_state.entry(state).or_default().insert(number);
        self.count += usize::from(fresh);
    }

    /// Takes out up to `most` letters whose state does not have to be waited for.
    fn take(&mut self, waits: impl Fn(Claimed) -> bool, most: usize) -> Vec<u64> {
        let mut ready = Vec::new();
        self.by_state.retain(|state, numbers| {
            if ready.len() < most && !waits(*state) {
                while ready.len() < most
                    && let Some(number) = numbers.pop_first()
                {
                    ready.push(number);
                }
            }
            !numbers.is_empty()
        });
        self.count -= ready.len();
        ready.sort_unstable();
        ready
    }

    /// The next states that are `wanted`, after those of the last time.
    fn take_turns(
        &mut self,
        wanted: impl Fn(StatePrefix) -> bool,
        most: usize,
    ) -> Vec<StatePrefix> {
        let last = self.asked;
        let after = self.by_state.keys().filter(|state| Some(**state) > last);
        let before = self.by_state.keys().filter(|state| Some(**state) <= last);
        let next = after.chain(before).filter(|(_, state)| wanted(*state));
        let next: Vec<_> = next.take(most).copied().collect();
        self.asked = next.last().copied().or(last);
        next.into_iter().map(|(_, state)| state).collect()
    }

    /// Forgets those that the shelf let go.
    fn keep(&mut self, on_shelf: &BTreeSet<u64>) {
        self.by_state.retain(|_, numbers| {
            numbers.retain(|number| on_shelf.contains(number));
            !numbers.is_empty()
        });
        self.count = self.by_state.values().map(BTreeSet::len).sum();
    }
}

impl Held {
    /// When there is more to hear.
    pub(super) fn due(&self) -> Option<Moment> {
        self.more.values().min().copied()
    }

    /// Nothing waits in a room any more.
    pub(super) fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.more.remove(&room);
    }
}

impl Messenger {
    /// Keeps a letter of a room until its state is known.
    pub(super) fn hold_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        bytes: &[u8],
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        let conversation = self.rooms.find(room)?.record.conversation;
        let Some(state) = claimed_state(conversation, bytes) else {
            return self.drop_letter(None, DropReason::Kind);
        };
        self.know_held(call, room)?;
        let before = self.shelf.numbers(room.place()).last().copied();
        self.hold(call, room.place(), bytes, repeat)?;
        let on_shelf = self.shelf.numbers(room.place());
        let waiting = self.rooms.held.rooms.entry(room).or_default();
        if let Some(number) = on_shelf.last().filter(|last| before < Some(**last)) {
            waiting.add(state, *number);
        }
        if waiting.count > 2 * on_shelf.len() {
            waiting.keep(&on_shelf.into_iter().collect());
        }
        Ok(())
    }

    /// Reads once in a run which states the letters of a room wait for.
    fn know_held(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        if self.rooms.held.rooms.contains_key(&room) {
            return Ok(());
        }
        let conversation = self.rooms.find(room)?.record.conversation;
        let mut waiting = Waiting::default();
        for number in self.shelf.numbers(room.place()) {
            let held = call.storage.held(room.place(), number)?;
            if let Some(state) = held.and_then(|held| claimed_state(conversation, &held.bytes)) {
                waiting.add(state, number);
            }
        }
        self.rooms.held.rooms.insert(room, waiting);
        Ok(())
    }

    /// Hears what waits and can be heard now: something that was missing has come.
    pub(super) fn hear_held_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if self.rooms.find(room)?.record.standing == RoomStanding::Joining {
            return Ok(());
        }
        self.know_held(call, room)?;
        let mut left = MOST_AT_ONCE;
        loop {
            let ready = self.take_ready(call, room, left)?;
            if ready.is_empty() {
                break;
            }
            left -= ready.len();
            for number in ready {
                // It may have gone meanwhile.
                if let Some(held) = self.take_held(call, room.place(), number)? {
                    let way = Way {
                        repeat: held.repeat,
                        ..Way::default()
                    };
                    self.hear_in(call, room, &held.bytes, way)?;
                }
            }
            if left == 0 {
                self.rooms.held.more.insert(room, call.cx.now());
                return Ok(());
            }
        }
        self.miss_held(call, room)
    }

    /// The next letters that can be heard. Those whose state is too old are among
    /// them: they are dropped for it.
    fn take_ready(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        most: usize,
    ) -> Result<Vec<u64>, StorageError> {
        let empty = |held: &Held| {
            let waiting = held.rooms.get(&room);
            waiting.is_none_or(|waiting| waiting.by_state.is_empty())
        };
        if most == 0 || empty(&self.rooms.held) || !self.has_keeper(call, room)? {
            return Ok(Vec::new());
        }
        let (known, oldest) = self.keeper(call, room, |keeper, _| {
            let known: BTreeSet<Claimed> = keeper.known_states().collect();
            Ok((known, keeper.oldest_epoch()))
        })?;
        let waits = |state: Claimed| !known.contains(&state) && state.0 >= oldest;
        let waiting = self.rooms.held.rooms.entry(room).or_default();
        Ok(waiting.take(waits, most))
    }

    /// What is waited for still is asked for: of what is not looked for yet some, and
    /// others the next time.
    fn miss_held(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let missing = &self.rooms.missing;
        let Some(waiting) = self.rooms.held.rooms.get_mut(&room) else {
            return Ok(());
        };
        let states = waiting.take_turns(|state| !missing.seeks(room, state), MOST_ASKED);
        states
            .into_iter()
            .try_for_each(|state| self.miss(call, room, state, None))
    }

    /// Goes on where there is more to hear.
    pub(super) fn held_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for room in core::mem::take(&mut self.rooms.held.more).into_keys() {
            self.within(call, room.place(), |this, call| {
                this.hear_held_in(call, room)
            })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_given_once_in_their_order_when_their_state_is_known() {
        let state = |byte| (u64::from(byte), StatePrefix([byte; 8]));
        let mut waiting = Waiting::default();
        for number in 0..10 {
            waiting.add(state(u8::try_from(number % 3).unwrap()), number);
        }
        assert!(waiting.take(|_| true, 9).is_empty());
        assert_eq!(waiting.take(|of| of != state(1), 9), [1, 4, 7]);
        assert_eq!(waiting.take(|of| of == state(2), 3), [0, 3, 6]);
        assert_eq!(waiting.take(|_| false, 2), [2, 9]);
        assert_eq!(waiting.count, 2);
        waiting.keep(&BTreeSet::from([8, 100]));
        assert_eq!(waiting.take(|_| false, 9), [8]);
        assert_eq!(waiting.count, 0);
    }
}
