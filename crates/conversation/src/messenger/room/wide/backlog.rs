//! What one member said faster than it is passed on: it waits its turn.
//!
//! Who had no network says everything at once when it is back, in good faith. A herald that
//! dropped what is over would make that member write each of its messages to each.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hushwing_sansio::{Moment, StorageError};

use crate::messenger::{Call, Messenger};
use crate::{MemberId, MessageId, RoomId};

/// Messages of one member that wait, and of one room, and their bytes.
const MOST_OF_ONE: usize = 64;
const MOST: usize = 1_024;
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// Between two looks whether more may be passed on, and how much is at most by one.
const INTERVAL: Duration = Duration::from_secs(2);
const MOST_AT_ONCE: usize = 16;

/// What waits in each room, in the order it came.
#[derive(Default)]
pub(super) struct Backlog {
    rooms: BTreeMap<RoomId, Waiting>,
}

#[derive(Default)]
struct Waiting {
    queue: VecDeque<Queued>,
    bytes: usize,
    due: Moment,
}

/// A message that somebody said to all.
pub(in crate::messenger) struct Queued {
    pub(in crate::messenger) author: MemberId,
    pub(in crate::messenger) id: Option<MessageId>,
    /// The letter it is passed on in.
    pub(in crate::messenger) body: Vec<u8>,
}

impl Backlog {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        self.rooms.values().map(|waiting| waiting.due).min()
    }

    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
    }

    /// Whether something of somebody waits, which nothing of theirs may overtake.
    pub(in crate::messenger) fn holds(&self, room: RoomId, author: MemberId) -> bool {
        let waiting = self.rooms.get(&room);
        waiting.is_some_and(|waiting| waiting.queue.iter().any(|one| one.author == author))
    }

    /// Puts something at the end; what finds no place is left to its author.
    pub(in crate::messenger) fn add(&mut self, room: RoomId, new: Queued, now: Moment) {
        let waiting = self.rooms.entry(room).or_default();
        if waiting.queue.is_empty() {
            waiting.due = now + INTERVAL;
        }
        let of_one = waiting.queue.iter().filter(|one| one.author == new.author);
        let room_for_one = of_one.count() < MOST_OF_ONE && waiting.queue.len() < MOST;
        if room_for_one && waiting.bytes.saturating_add(new.body.len()) <= MOST_BYTES {
            waiting.bytes += new.body.len();
            waiting.queue.push_back(new);
        }
        if waiting.queue.is_empty() {
            self.rooms.remove(&room);
        }
    }

    /// Takes out what `may` leave now, of each author in order.
    fn take(
        &mut self,
        room: RoomId,
        now: Moment,
        mut may: impl FnMut(&Queued) -> bool,
    ) -> Vec<Queued> {
        let Some(waiting) = self.rooms.get_mut(&room) else {
            return Vec::new();
        };
        waiting.due = now + INTERVAL;
        let (mut taken, mut stays) = (Vec::new(), BTreeSet::new());
        for one in core::mem::take(&mut waiting.queue) {
            let leaves = taken.len() < MOST_AT_ONCE && !stays.contains(&one.author) && may(&one);
            if leaves {
                waiting.bytes = waiting.bytes.saturating_sub(one.body.len());
                taken.push(one);
            } else {
                stays.insert(one.author);
                waiting.queue.push_back(one);
            }
        }
        if waiting.queue.is_empty() {
            self.rooms.remove(&room);
        }
        taken
    }
}

impl Messenger {
    /// Passes on what waited for its turn.
    pub(in crate::messenger) fn backlog_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let rooms = self.rooms.passing.backlog.rooms.iter();
        let due = rooms.filter(|(_, waiting)| waiting.due <= now);
        for room in due.map(|(room, _)| *room).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.pass_on_the_next(call, room)
            })?;
        }
        Ok(())
    }

    fn pass_on_the_next(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let Some(leaves) = self.leaves_to_serve(room)? else {
            self.rooms.passing.backlog.forget(room);
            return Ok(());
        };
        let (backlog, said) = self.rooms.passing.backlog_and_account();
        let next = backlog.take(room, now, |one| {
            said.take(one.author, one.body.len(), leaves, now)
        });
        next.into_iter()
            .try_for_each(|one| self.pass_on_late(call, room, one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(1);

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn said(author: u64, number: u8) -> Queued {
        Queued {
            author: MemberId(author),
            id: None,
            body: vec![number],
        }
    }

    fn numbers(taken: &[Queued]) -> Vec<(u64, u8)> {
        taken
            .iter()
            .map(|one| (one.author.0, one.body[0]))
            .collect()
    }

    #[test]
    fn each_waits_for_what_they_said_before_and_for_nobody_else() {
        let mut backlog = Backlog::default();
        for (author, number) in [(5, 1), (5, 2), (6, 3), (5, 4)] {
            backlog.add(ROOM, said(author, number), at(0));
        }
        assert_eq!(backlog.due(), Some(at(2)));
        assert!(backlog.holds(ROOM, MemberId(6)) && !backlog.holds(ROOM, MemberId(7)));
        // The second of one may not leave yet: nor may what that one said after it.
        let first = backlog.take(ROOM, at(2), |one| one.body[0] != 2);
        assert_eq!(numbers(&first), [(5, 1), (6, 3)]);
        assert_eq!(backlog.due(), Some(at(4)));
        let rest = backlog.take(ROOM, at(4), |_| true);
        assert_eq!(numbers(&rest), [(5, 2), (5, 4)]);
        assert_eq!(backlog.due(), None);
    }

    #[test]
    fn nobody_fills_it_for_others_and_not_all_leaves_at_once() {
        let mut backlog = Backlog::default();
        for number in 0..u8::MAX {
            backlog.add(ROOM, said(5, number), at(0));
        }
        backlog.add(ROOM, said(6, 0), at(0));
        let taken = (0..).map_while(|_| {
            let next = backlog.take(ROOM, at(2), |_| true);
            (!next.is_empty()).then_some(next.len())
        });
        let taken: Vec<usize> = taken.collect();
        assert_eq!(taken, [16, 16, 16, 16, 1], "64 of one, and one of another");
        let long = Queued {
            body: vec![0; MOST_BYTES],
            ..said(7, 0)
        };
        backlog.add(ROOM, long, at(9));
        backlog.add(ROOM, said(7, 1), at(9));
        assert_eq!(backlog.take(ROOM, at(11), |_| true).len(), 1);
    }
}
