//! Coming back into a group of a backup by another device of mine.
//!
//! Whoever put the backup back is linked again, and the other device tells of the groups it
//! is in, as it does to any. Here the group is there already, with what was said in it; or I
//! came back meanwhile by a contact, as another member than the other device is.

use hushwing_sansio::StorageError;

use crate::content::Shared;
use crate::messenger::room::{Room, Rooms};
use crate::messenger::{Call, Messenger};
use crate::storage::{PartedGroup, RoomStanding};
use crate::{MemberId, RoomId};

impl Rooms {
    /// The groups of a backup in which another device was.
    pub(in crate::messenger) fn with_devices(&self) -> impl Iterator<Item = PartedGroup> {
        let restoring = |room: &&Room| room.record.standing == RoomStanding::Restoring;
        let rooms = self.by_id.values().filter(restoring);
        let shared = rooms.filter(|room| {
            let account = &room.record.account;
            room.others().any(|one| one.account == *account)
        });
        shared.map(|room| PartedGroup {
            room: room.record.id,
            account: room.record.account.clone(),
            waits: true,
        })
    }
}

impl Messenger {
    /// Founds a group anew for which I waited for another device in vain, if I may; whether
    /// it was.
    pub(super) fn found_after_wait(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        if !self.devices.waited_for(room, call.cx.wall()) {
            return Ok(false);
        }
        self.stop_waiting_in(call, room)?;
        self.found_anew(call, room)?;
        Ok(self.rooms.find(room)?.record.standing == RoomStanding::Member)
    }

    /// Comes back into a group by a device of mine that told of it, if a backup brought the
    /// group here; whether it did.
    pub(in crate::messenger::room) fn rejoin_by_device(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: MemberId,
        shared: &Shared,
    ) -> Result<bool, StorageError> {
        let account = shared.account.as_bytes();
        let was_there = self.devices.was_in_before(room, account);
        let known = self.rooms.find(room)?;
        match known.record.standing {
            RoomStanding::Restoring => {}
            // Nobody let me in for weeks.
            RoomStanding::Broken if was_there => {}
            RoomStanding::Member if was_there && known.is_parted_from(shared) => {
                self.say_leave(call, room)?;
            }
            _ => return Ok(false),
        }
        self.clear_broken(call, room)?;
        self.join_shared(call, device, shared, Some(room))?;
        Ok(true)
    }
}

impl Room {
    /// Whether I am in it as another member than a device of mine that is in it as well. A
    /// steward stays: that was given to who I am now.
    fn is_parted_from(&self, shared: &Shared) -> bool {
        let account = shared.account.as_bytes();
        let there = self.present(&shared.key);
        self.record.account != account
            && !self.is_steward(&self.record.account)
            && there.is_some_and(|one| one.account == account)
    }
}
