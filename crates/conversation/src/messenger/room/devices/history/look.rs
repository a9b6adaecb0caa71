//! What reached the others late.
//!
//! Somebody who was off when I came into a group said something there before they heard of
//! me: it is sealed for those who were in it, and none of its copies is for me. It reaches my
//! other devices once that person is back. So the last pieces of what was said before I came
//! are asked for again: an hour later, a day later, and when nothing that was sealed before
//! can be read any more.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use super::place_of;
use crate::messenger::{Call, Messenger};
use crate::storage::{Position, TakingGroup, TakingRecord};
use crate::{MessageId, RoomId};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// How long after I came.
const LOOKS: [Duration; 3] = [HOUR, HOUR.saturating_mul(24), HOUR.saturating_mul(4 * 24)];
/// When the last look ends, though another device did not answer.
const END: Duration = HOUR.saturating_mul(5 * 24);
/// Pieces that are looked at, though nothing new is in them: some 256 texts.
const DEEP: u32 = 8;
/// The first place in an epoch: nothing can be said before the counter begins.
const FIRST: [u8; 32] = {
    let mut id = [0; 32];
    id[0] = 1;
    id
};

/// Whether a piece in which nothing was new ends it.
pub(super) const fn is_deep_enough(group: &TakingGroup) -> bool {
    group.looks == 0 || group.depth >= DEEP
}

/// When a group is looked at again, or the last look ends; `None` while more of it is to come
/// for the first time, or after that. A device that is off ends no look.
fn due(group: &TakingGroup) -> Option<Timestamp> {
    let after = match LOOKS.get(usize::from(group.looks)) {
        Some(after) if group.over || group.looks > 0 => *after,
        None if !group.over => END,
        _ => return None,
    };
    Some(group.since + after)
}

/// When the next group of all is.
pub(super) fn next_look(taking: &TakingRecord) -> Option<Timestamp> {
    taking.groups.iter().filter_map(due).min()
}

impl Messenger {
    /// Before which place all stands that was said before I came into a group in this epoch.
    pub(super) fn entered_at(
        &mut self,
        room: RoomId,
        epoch: u64,
    ) -> Result<Position, StorageError> {
        let id = MessageId::from_bytes(&FIRST);
        let id = id.map_err(|fault| StorageError::corrupt("naming a place").because(fault))?;
        Ok(Position {
            epoch: self.rooms.find(room)?.base.saturating_add(epoch),
            lamport: 0,
            leaf: 0,
            id,
        })
    }

    /// Asks again for the last that was said before I came, where that is due.
    pub(super) fn look_again(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        if self.rooms.pages.look.is_none_or(|at| at > wall) {
            return Ok(());
        }
        let mut taking = TakingRecord::read(call.storage)?;
        for group in &mut taking.groups {
            if due(group).is_none_or(|at| at > wall) {
                continue;
            }
            if usize::from(group.looks) >= LOOKS.len() {
                group.over = true;
                continue;
            }
            // Those that were missed while the program did not run are one.
            let passed = LOOKS.iter().filter(|after| group.since + **after <= wall);
            group.looks = u8::try_from(passed.count()).unwrap_or(u8::MAX);
            if self.rooms.standing(group.room).is_none() {
                continue;
            }
            let before = self.entered_at(group.room, group.entered)?;
            group.before = place_of(&before).to_vec();
            (group.over, group.again, group.depth) = (false, true, 0);
            group.ended.clear();
        }
        taking.put(call.storage)?;
        self.note_history(call)?;
        self.take_history_soon(call)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_looked_at_three_times_and_never_while_more_is_to_come() {
        let mut group = TakingGroup {
            room: RoomId(1),
            entered: 0,
            before: Vec::new(),
            again: false,
            pieces: 0,
            taken: 0,
            ended: Vec::new(),
            over: false,
            since: Timestamp::from_secs(1_000),
            looks: 0,
            depth: 0,
        };
        assert_eq!(due(&group), None);
        group.over = true;
        let mut times = Vec::new();
        while let Some(at) = due(&group) {
            times.push(at.since(group.since).as_secs() / 3_600);
            group.looks += 1;
        }
        assert_eq!(times, [1, 24, 96]);
        // One that a device does not answer gives way to the next, and ends.
        (group.looks, group.over) = (1, false);
        assert_eq!(due(&group), Some(group.since + LOOKS[1]));
        group.looks = 3;
        assert_eq!(due(&group), Some(group.since + END));
    }
}
