//! When I move to another mailbox, where all in a group with heralds do once somebody is out.
//!
//! Each who moves makes heralds write to all others, so they do it one after the other, each at a
//! moment that it draws. That is written down: who runs for a few minutes at a time would draw
//! anew each time and never move.

use core::time::Duration;

use hushwing_sansio::StorageError;

use super::planned::{plan, planned};
use crate::RoomId;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;

/// Within which time all move, for each leaf.
const OF_EACH: Duration = Duration::from_secs(60);

/// Where it stands when I move.
fn turn_in(room: RoomId) -> String {
    format!("turn to move in room {}", room.0)
}

impl Messenger {
    /// Whether it is my turn to move; if not, it is looked at again when it is.
    pub(super) fn has_its_turn(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let me = known.me().and_then(|me| known.members.get(&me));
        let there = known.record.standing == RoomStanding::Member;
        if !there
            || !known.record.exposed
            || !known.is_wide()
            || me.is_some_and(|me| known.is_sought(me))
        {
            return Ok(true);
        }
        let within = OF_EACH.saturating_mul(u32::try_from(known.size()).unwrap_or(u32::MAX));
        let wall = call.cx.wall();
        let drawn = planned(call, &turn_in(room))?;
        // Where a clock was set back it is not waited for.
        let at = match drawn.filter(|at| *at <= wall + within) {
            Some(at) => at,
            None => {
                let at = wall + call.cx.random_time_below(within);
                plan(call, &turn_in(room), at)?;
                at
            }
        };
        let left = at.as_millis().saturating_sub(wall.as_millis());
        let moves = call.cx.now() + Duration::from_millis(left);
        self.rooms.find(room)?.moves = (left > 0).then_some(moves);
        Ok(left == 0)
    }

    /// I moved, or am not to any more.
    pub(super) fn forget_turn(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.find(room)?.moves = None;
        call.storage.remove_setting(&turn_in(room))
    }

    /// Moves where it is my turn.
    pub(super) fn turns_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let mut due = Vec::new();
        for (room, known) in &mut self.rooms.by_id {
            if known.moves.take_if(|at| *at <= now).is_some() {
                due.push(*room);
            }
        }
        for room in due {
            self.within(call, room.place(), |this, call| {
                this.replace_room_mailbox(call, room)
            })?;
        }
        Ok(())
    }
}
