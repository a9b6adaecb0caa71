//! Changing a room: removing, renaming, stewards, leaving.

use hushwing_sansio::StorageError;

use super::account;
use super::found::usable;
use crate::branches::{AccountId, PolicyChange, Wish};
use crate::content::{Content, RoomStep, RoomWord};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;
use crate::{MemberId, Refusal, Reply, RoomId};

impl Messenger {
    /// The account of somebody else who is in a room of which I am a steward.
    fn under_me(&mut self, room: RoomId, member: MemberId) -> Result<AccountId, Stop> {
        let known = self.my_room(room)?;
        if !known.is_steward(&known.record.account) {
            return Err(Refusal::NotASteward.into());
        }
        let found = known.members.get(&member).filter(|member| member.present);
        let found = &found.ok_or(Refusal::NoMember)?.account;
        let rank = |account: &[u8]| {
            let mut stewards = known.stewards.iter();
            stewards.position(|one| one.as_bytes() == account)
        };
        if rank(found).is_some_and(|theirs| Some(theirs) < rank(&known.record.account)) {
            return Err(Refusal::StewardAbove.into());
        }
        Ok(account(found)?)
    }

    pub(in crate::messenger) fn remove_from_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<Reply, Stop> {
        let account = self.under_me(room, member)?;
        if account.as_bytes() == self.my_room(room)?.record.account {
            return Err(Refusal::StillInRoom.into());
        }
        self.change_room(call, room, Wish::Remove(account))
    }

    pub(in crate::messenger) fn rename_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable(name)?;
        let known = self.my_room(room)?;
        if !known.is_steward(&known.record.account) {
            return Err(Refusal::NotASteward.into());
        }
        let change = PolicyChange {
            name: Some(name),
            ..PolicyChange::default()
        };
        self.change_room(call, room, Wish::Policy(change))
    }

    pub(in crate::messenger) fn set_steward(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        on: bool,
    ) -> Result<Reply, Stop> {
        let account = self.under_me(room, member)?;
        let known = self.my_room(room)?;
        let mut stewards = known.stewards.clone();
        stewards.retain(|one| *one != account);
        if on {
            stewards.push(account);
        }
        if stewards.is_empty() {
            return Err(Refusal::LastSteward.into());
        }
        if stewards == known.stewards {
            return self.show_room(room);
        }
        let change = PolicyChange {
            stewards: Some(stewards),
            ..PolicyChange::default()
        };
        self.change_room(call, room, Wish::Policy(change))
    }

    /// Leaves a room: from now on nothing is heard in it, and a steward's
    /// program removes me.
    pub(in crate::messenger) fn leave_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let now = call.cx.wall();
        let known = self.my_room(room)?;
        let alone = known.others().next().is_none();
        let me = &known.record.account;
        let last = known.stewards.iter().all(|one| one.as_bytes() == me);
        if last && !alone {
            return Err(Refusal::LastSteward.into());
        }
        if !alone {
            self.ask_to_be_removed(call, room)?;
        }
        self.give_up_said(call, room)?;
        let known = self.room(room)?;
        known.record.ended = Some(now);
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

    /// Asks the stewards to remove me. A steward gives that up first: nobody
    /// below may remove one.
    fn ask_to_be_removed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let me = known.record.account.clone();
        if !known.is_steward(&me) {
            return self.say_leave(call, room);
        }
        let mut stewards = known.stewards.clone();
        stewards.retain(|one| one.as_bytes() != me);
        let change = PolicyChange {
            stewards: Some(stewards),
            ..PolicyChange::default()
        };
        self.want(call, room, Wish::Policy(change))
    }

    /// Another state is followed while I leave: what I asked for may have been
    /// said in one that was left, or before I ceased to be a steward.
    pub(super) fn leave_further(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        match known.is_steward(&known.record.account) {
            // The keeper sees to what I want.
            true => Ok(()),
            false => self.say_leave(call, room),
        }
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
        if known.is_mine() && known.is_steward(&known.record.account) {
            self.want(call, room, Wish::Remove(leaver?))?;
            self.tell_room(room);
        }
        Ok(())
    }
}
