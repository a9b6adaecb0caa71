//! My mailboxes for a room give way to others every week, as those of a conversation of two.
//!
//! All at once, as when somebody was removed ([`super::mailboxes`]): who writes to an old one
//! meanwhile is told the new ones by my greeting, which lies in their mailbox, and says again
//! what was refused. In a group of very many each does so much seldomer: all hear of each.

use hushwing_sansio::StorageError;

use super::planned::{plan, planned};
use crate::messenger::rotate::LONGEST;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger, SWEEP};
use crate::storage::RoomStanding;
use crate::{NewKeys, NewMailboxes, Refusal, Reply, RoomId};

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

    /// Replaces my mailboxes for a room now, and my keys in it as soon as that can be.
    pub(in crate::messenger) fn rotate_room_on_demand(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let head = self.head_of(room.place());
        if !self.is_pair(room) {
            let room = self.my_room(room)?.record.id;
            let (mailboxes, keys) = self.rotate_in(call, room)?;
            return Ok(Reply::Rotating { mailboxes, keys });
        }
        if self.is_blocked_pair(room) {
            return Err(Refusal::Blocked.into());
        }
        let pair = self.pair_of(head).ok_or(Refusal::NotEstablished)?;
        let rotated = self.rotate_pair(call, pair)?;
        let (mailboxes, keys) = rotated.ok_or(Refusal::PairOver)?;
        Ok(Reply::Rotating { mailboxes, keys })
    }

    /// The same in a pair; `None` if it was damaged, and goes on no more.
    pub(in crate::messenger) fn rotate_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        pair: RoomId,
    ) -> Result<Option<(NewMailboxes, NewKeys)>, StorageError> {
        let mut rotated = None;
        self.within(call, pair.place(), |this, call| {
            rotated = Some(this.rotate_in(call, pair)?);
            Ok(())
        })?;
        Ok(rotated)
    }

    fn rotate_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(NewMailboxes, NewKeys), StorageError> {
        let keys = self.renew_on_demand(call, room)?;
        Ok((self.rotate_room(call, room)?, keys))
    }

    /// Begins to replace my mailboxes for a room, but only if all before them are closed: who
    /// is removed next is to find places left for others.
    fn rotate_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<NewMailboxes, StorageError> {
        let now = call.cx.now();
        let served = self.in_service(room).len();
        let stays = self.is_seldom_written_to(room)?;
        let known = self.rooms.find(room)?;
        let (exposed, leaving) = (known.record.exposed, !known.record.leaving.is_empty());
        let rests = known.rests.is_some_and(|until| now < until);
        match (served, exposed) {
            (0, _) => return Ok(NewMailboxes::Missing),
            _ if stays => return Ok(NewMailboxes::Staying),
            (_, false) if leaving => return Ok(NewMailboxes::Fresh),
            (_, false) => {
                self.rooms.rotated = Some(now);
                self.plan_rotation_of(call, room)?;
                self.expose_mailboxes(call, room)?;
            }
            (_, true) => {}
        }
        // In a wide group there may be a turn to wait for, but not for who asks.
        self.replace_mailbox_now(call, room)?;
        Ok(match exposed {
            _ if rests => NewMailboxes::Awaited(served),
            true => NewMailboxes::UnderWay,
            false => NewMailboxes::Begun(served),
        })
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
