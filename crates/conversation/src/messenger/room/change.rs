//! Changing a room: removing, renaming, stewards.

use super::found::usable;
use super::{Room, account};
use crate::branches::{AccountId, History, MOST_PICTURE_BYTES, PolicyChange, Wish};
use crate::content::Avatar;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, Refusal, Reply, RoomId};

impl Messenger {
    /// A room of which I am a steward.
    pub(super) fn my_stewardship(&mut self, room: RoomId) -> Result<&mut Room, Refusal> {
        let known = self.my_room(room)?;
        match known.is_steward(&known.record.account) {
            true => Ok(known),
            false => Err(Refusal::NotASteward),
        }
    }

    /// The account of somebody else who is in a room of which I am a steward.
    pub(super) fn under_me(&mut self, room: RoomId, member: MemberId) -> Result<AccountId, Stop> {
        let known = self.my_stewardship(room)?;
        let mut theirs = known.members.values();
        let person = known.person(member);
        let found = theirs.find(|one| one.present && known.person(one.member) == person);
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
        self.my_stewardship(room)?;
        let change = PolicyChange {
            name: Some(name),
            ..PolicyChange::default()
        };
        self.change_room(call, room, Wish::Policy(change))
    }

    /// Changes the picture that all see, or takes it away. It is small enough to lie in the
    /// policy, so whoever comes later has it, and of two stewards' the same one stands for all.
    pub(in crate::messenger) fn set_room_avatar(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        avatar: Option<&Avatar>,
    ) -> Result<Reply, Stop> {
        let fits = |avatar: &Avatar| {
            avatar.is_fit() && (1..=MOST_PICTURE_BYTES).contains(&avatar.as_bytes().len())
        };
        if !avatar.is_none_or(fits) {
            return Err(Refusal::BadAvatar.into());
        }
        self.my_stewardship(room)?;
        // Where none is shown, there may be one that cannot be: that is taken away as well.
        let picture = avatar.map(|avatar| avatar.as_bytes().to_vec());
        self.change_room(call, room, Wish::Picture(picture.unwrap_or_default()))
    }

    pub(in crate::messenger) fn room_avatar(&mut self, room: RoomId) -> Result<Reply, Stop> {
        let known = self.room(room)?;
        let picture = known.picture.clone().ok_or(Refusal::NoAvatar)?;
        Ok(Reply::Avatar(picture))
    }

    /// Changes when messages disappear, for all. It is part of what the group agreed
    /// on, so whoever comes later knows it, and all obey the same word.
    pub(in crate::messenger) fn disappear_in_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        seconds: u32,
    ) -> Result<(), Stop> {
        let known = self.my_stewardship(room)?;
        if known.disappear_after.unwrap_or_default() == seconds && known.changing == 0 {
            return Ok(());
        }
        let change = PolicyChange {
            disappear: Some(seconds),
            ..PolicyChange::default()
        };
        self.change_room(call, room, Wish::Policy(change)).map(drop)
    }

    /// Changes whether newcomers are handed what is said from now on. What was said
    /// while nobody expected that is never handed on.
    pub(in crate::messenger) fn set_room_history(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        on: bool,
    ) -> Result<Reply, Stop> {
        let now = call.cx.wall().as_millis();
        let known = self.my_stewardship(room)?;
        let shared = known.record.shared;
        if shared.is_some() == on && known.changing == 0 {
            return self.show_room(room);
        }
        let history = match on {
            true => History::Shared,
            false => History::FromJoining,
        };
        let change = PolicyChange {
            history: Some(history),
            // What was agreed on already is not agreed on again later.
            shared_since: shared.map_or(now, |shared| shared.since),
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
        if !on && known.stewards == [account.clone()] {
            return Err(Refusal::LastSteward.into());
        }
        if known.is_steward(account.as_bytes()) == on && known.changing == 0 {
            return self.show_room(room);
        }
        // A change that is under way may undo what is so already.
        let wish = match on {
            true => Wish::Appoint(account),
            false => Wish::Dismiss(account),
        };
        self.change_room(call, room, wish)
    }
}
