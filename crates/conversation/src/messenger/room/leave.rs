//! Leaving a room.
//!
//! Whoever leaves asks, and a steward's program removes them. Nobody below may
//! remove a steward, so one gives that up first, by a commit, and is bound to see
//! to it: a steward who were gone without would stay in the list for good.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use super::{Room, account};
use crate::branches::{Keeper, Wish};
use crate::content::{Content, RoomStep, RoomWord};
use crate::event::RoomFault;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;
use crate::{Event, MemberId, Refusal, Reply, RoomId};

/// Between two times that it is said.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Room {
    /// Whether I am a steward in the state that is followed, who cannot be gone
    /// before that is handed over: somebody else is there.
    pub(super) fn holds_office(&self) -> bool {
        let inside = matches!(
            self.record.standing,
            RoomStanding::Member | RoomStanding::Leaving
        );
        inside && self.is_steward(&self.record.account) && self.strangers().next().is_some()
    }

    /// Whether a day more went by since I began to leave, and nobody removed me.
    pub(super) fn leaves_again(&self, wall: Timestamp) -> bool {
        let said = u32::from(self.record.leave_said).saturating_add(1);
        let since = self.record.ended;
        since.is_some_and(|since| since + DAY.saturating_mul(said) <= wall)
    }

    /// Whether nobody but me is a steward.
    fn is_last_steward(&self) -> bool {
        let me = &self.record.account;
        self.stewards.iter().all(|one| one.as_bytes() == me)
    }
}

impl Messenger {
    /// Leaves a room: from now on nothing is heard in it, and a steward's
    /// program removes me. Until one did, [`tend_room`](Self::tend_room) says it daily.
    pub(in crate::messenger) fn leave_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let now = call.cx.wall();
        let known = self.my_room(room)?;
        let alone = known.strangers().next().is_none();
        if known.is_last_steward() && !alone {
            return Err(Refusal::LastSteward.into());
        }
        if !alone {
            self.ask_to_be_removed(call, room)?;
        }
        self.give_up_said(call, room)?;
        let left = self.room(room)?.record.conversation;
        self.end_consents(call, left)?;
        let known = self.room(room)?;
        known.record.ended = Some(now);
        known.record.leave_said = 0;
        known.record.asked.clear();
        known.record.standing = match alone {
            true => RoomStanding::Left,
            false => RoomStanding::Leaving,
        };
        self.save_room(call, room)?;
        if alone {
            self.end_stay(call, room)?;
        }
        self.tell_room(room);
        self.show_room(room)
    }

    /// Leaves a pair, which nobody can be removed from by the other side: they are told, and
    /// nothing is said or heard in it from now on. What was said stays.
    pub(in crate::messenger) fn leave_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.say_leave(call, room)?;
        self.end_pair(call, room)
    }

    /// The same, and nobody is told.
    pub(in crate::messenger) fn end_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.give_up_said(call, room)?;
        let now = call.cx.wall();
        let record = &mut self.rooms.find(room)?.record;
        record.ended = Some(now);
        record.standing = RoomStanding::Left;
        self.save_room(call, room)?;
        self.end_stay(call, room)
    }

    /// Asks the stewards to remove me. A steward gives that up first: nobody
    /// below may remove one.
    fn ask_to_be_removed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        if !known.is_steward(&known.record.account) {
            return self.say_leave(call, room);
        }
        let me = known.account()?;
        self.want(call, room, Wish::Dismiss(me))
    }

    /// Another state is followed while I leave: what I asked for may have been
    /// said in one that was left, or before I ceased to be a steward.
    pub(super) fn leave_further(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        match known.is_steward(&known.record.account) && known.is_last_steward() {
            // Whether I stay is seen when nothing of mine is under way any more.
            true => Ok(()),
            // Somebody may have made me one since I said that I leave.
            false => self.ask_to_be_removed(call, room),
        }
    }

    /// All other stewards left at the same time: somebody has to be one, and that
    /// is me. I am in it as before, and told so.
    pub(super) fn stay_if_last(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let busy = self.rooms.keepers.get(&room).is_some_and(Keeper::is_busy);
        let known = self.rooms.find(room)?;
        let leaving = known.record.standing == RoomStanding::Leaving;
        if !leaving || busy || !known.is_last_steward() || !known.holds_office() {
            return Ok(());
        }
        let me = known.account()?;
        known.record.standing = RoomStanding::Member;
        known.record.ended = None;
        // At another address all say again what came while nothing was listened to.
        known.record.exposed = true;
        self.save_room(call, room)?;
        self.keeper(call, room, |keeper, lent| {
            keeper.withdraw(lent.rows, |wish| *wish == Wish::Dismiss(me.clone()))
        })?;
        let reason = RoomFault::LastSteward;
        self.tell(Event::RoomUnchanged { room, reason });
        self.tell_room(room);
        self.be_back(call, room)?;
        self.replace_room_mailbox(call, room)?;
        // Who asked to be removed while I did not listen asks again in the next state.
        self.want(call, room, Wish::Refresh)
    }

    pub(super) fn say_leave(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let conversation = self.rooms.find(room)?.record.conversation;
        let content = Content::Room(RoomWord {
            room: conversation,
            step: RoomStep::Leave,
        });
        self.say_in_passing_to_all(call, room, &content)
    }

    /// Somebody wants to leave; a steward's program sees to it.
    pub(super) fn heard_leave(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let leaver = known.members.get(&member).filter(|member| member.present);
        let Some(leaver) = leaver.map(|member| account(&member.account)) else {
            return Ok(());
        };
        let own = leaver
            .as_ref()
            .is_ok_and(|leaver| leaver.as_bytes() == known.record.account);
        if known.is_mine() && !own && self.is_pair(room) {
            return self.pair_left_by_them(call, room);
        }
        let known = self.rooms.find(room)?;
        if let Ok(leaver) = &leaver {
            known.note_leaver(leaver.as_bytes(), call.cx.now());
        }
        if known.is_mine() && known.is_steward(&known.record.account) {
            self.want(call, room, Wish::Remove(leaver?))?;
            self.tell_room(room);
        }
        Ok(())
    }
}
