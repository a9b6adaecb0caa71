//! My mailboxes for a room give way to others every week, as those of a conversation of two.
//!
//! All at once, as when somebody was removed ([`super::mailboxes`]): who writes to an old one
//! meanwhile is told the new ones by my greeting, which lies in their mailbox, and says again
//! what was refused. In a group of very many each does so much seldomer: all hear of each.

use hushwing_sansio::StorageError;

use super::planned::{plan, planned};
use crate::RoomId;
use crate::messenger::rotate::LONGEST;
use crate::messenger::{Call, Messenger, SWEEP};
use crate::storage::RoomStanding;

/// Where it stands when the mailboxes of a room are replaced.
fn planned_for(room: RoomId) -> String {
    format!("rotation of room {}", room.0)
}

impl Messenger {
    /// Begins to replace my mailboxes for a room if it is time to.
    pub(super) fn rotate_room_in_time(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let stays = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        let stays_exposed = self.is_seldom_written_to(room)?;
        let known = self.rooms.find(room)?;
        let weeks = known.size().div_ceil(self.config.most_who_move.max(1));
        let record = &known.record;
        let serves = record.standing == RoomStanding::Member && record.mailbox.is_some();
        let calm = (stays_exposed || !record.exposed) && record.leaving.is_empty();
        // Whoever sees several of my mailboxes shall not see them change together.
        let lately = self.rooms.rotated.is_some_and(|at| now < at + SWEEP);
        if !serves || stays || !self.config.rotates {
            return Ok(());
        }
        // Where a clock was set back it is not waited for.
        match planned(call, &planned_for(room))?.filter(|at| *at <= wall + LONGEST) {
            None => self.plan_rotation_of(call, room),
            Some(at) if wall < at || !calm || lately => Ok(()),
            Some(_) if stays_exposed && !is_drawn(call, weeks) => self.plan_rotation_of(call, room),
            Some(_) => {
                self.rooms.rotated = Some(now);
                self.plan_rotation_of(call, room)?;
                self.expose_mailboxes(call, room)?;
                match stays_exposed {
                    true => self.replace_mailbox_now(call, room),
                    false => Ok(()),
                }
            }
        }
    }

    /// Draws when they are replaced next.
    pub(super) fn plan_rotation_of(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let at = self.draw_rotation(call.cx);
        plan(call, &planned_for(room), at)
    }

    /// Nothing of a room is replaced any more.
    pub(super) fn forget_rotation_of(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        call.storage.remove_setting(&planned_for(room))
    }
}

/// One of so many times: where very many are in a room, each moves so much seldomer.
fn is_drawn(call: &mut Call<'_, '_>, of: usize) -> bool {
    call.cx.random_below(u64::try_from(of).unwrap_or(1).max(1)) == 0
}
