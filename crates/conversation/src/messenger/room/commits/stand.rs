//! Whether I am in a room, and what follows from it.

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::RoomId;
use crate::branches::Keeper;
use crate::messenger::{Call, Messenger};
use crate::storage::{HANDED_ON, RoomStanding};

/// How long a room is listened to that I was removed from, and what waits for
/// others who were removed is kept: a branch that undoes it may still come.
pub(in crate::messenger) const FAREWELL: Duration = Duration::from_secs(4 * 24 * 60 * 60);

impl Messenger {
    /// Whether I am in a room follows from the state that is followed, and from
    /// nothing that was told on the way there: a branch that removes me can lose.
    pub(super) fn take_stand(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let keeper = self.rooms.keepers.get(&room);
        let inside = keeper.map(Keeper::is_member);
        let record = &self.rooms.find(room)?.record;
        match (record.standing, inside) {
            (RoomStanding::Member | RoomStanding::Leaving, Some(false)) => self.removed(call, room),
            (RoomStanding::Left, Some(true)) if record.may_return => self.returned(call, room),
            _ => Ok(()),
        }
    }

    /// I am not in the state that is followed.
    pub(in crate::messenger) fn removed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let record = &mut self.rooms.find(room)?.record;
        let left = record.standing == RoomStanding::Leaving;
        record.standing = RoomStanding::Left;
        record.ended = Some(now);
        // Nobody is to bring me back where I wanted to go.
        record.may_return = !left;
        self.save_room(call, room)?;
        self.give_up_said(call, room)?;
        match left {
            true => self.end_stay(call, room),
            false => Ok(()),
        }
    }

    /// The branch that removed me lost: all is as before.
    pub(super) fn returned(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.standing = RoomStanding::Member;
        record.ended = None;
        record.may_return = false;
        self.save_room(call, room)?;
        self.be_back(call, room)
    }

    /// I am in it as before, and did not listen for a while: what was called back
    /// leaves again, and others are told where to write.
    pub(in crate::messenger) fn be_back(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let bare = self.rooms.find(room)?.record.mailbox.is_none();
        if bare {
            self.open_room_mailbox(call, room)?;
        }
        self.say_again_in(call, room, 0..HANDED_ON)?;
        self.resume_room_debts(call, room)?;
        // Who was thrown out meanwhile was not looked for here.
        self.find_own_quietly(call, room)?;
        self.sweep(call, room)?;
        self.share_rooms(call)?;
        self.greet_room(call, room)
    }

    /// I am out, and nothing undoes it any more.
    pub(in crate::messenger) fn end_stay(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        record.may_return = false;
        record.asked.clear();
        self.fail_said(call, room)?;
        self.end_links_into(call, room)?;
        self.close_room_mailbox(call, room)
    }
}
