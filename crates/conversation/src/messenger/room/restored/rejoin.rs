//! Coming back into a group of a backup by another device of mine.
//!
//! Whoever put the backup back is linked again, and the other device tells of the groups it
//! is in, as it does to any. Here the group is there already, with what was said in it. Where a
//! contact let me in meanwhile I stay another member than the other device is.

use hushwing_sansio::StorageError;

use crate::content::Shared;
use crate::messenger::room::{Room, Rooms};
use crate::messenger::{Call, Messenger};
use crate::storage::{PartedGroup, RoomReturnRecord, RoomStanding};
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
        let restoring = self.rooms.standing(room) == Some(RoomStanding::Restoring);
        if !restoring || !self.devices.waited_for(room, call.cx.wall()) {
            return Ok(false);
        }
        self.stop_waiting_in(call, room)?;
        self.found_anew(call, room)?;
        Ok(self.rooms.standing(room) == Some(RoomStanding::Member))
    }

    /// Comes back into a group by a device of mine that told of it, if a backup brought the
    /// group here; whether it asked to.
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
            RoomStanding::Restoring if known.record.account == account => {}
            // Nobody let me in for weeks.
            RoomStanding::Broken if was_there => {}
            _ => return Ok(false),
        }
        if RoomReturnRecord::of(call.storage, room)?.is_none() {
            // Should the device not let me in, contacts are asked.
            RoomReturnRecord {
                asked: Vec::new(),
                since: call.cx.wall(),
                trusted: self.stewards_of_backup(call, room)?,
            }
            .put(call.storage, room)?;
        }
        self.note_stale(call, room)?;
        self.join_shared(call, device, shared, Some(room))?;
        Ok(true)
    }

    /// The device by which I asked to come back does not let me in: the group is as the
    /// backup brought it.
    pub(in crate::messenger::room) fn restore_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.forget_package(call, room)?;
        let since = call.cx.wall();
        self.retire_mailboxes(room, since)?;
        self.rooms.find(room)?.record.standing = RoomStanding::Restoring;
        self.save_room(call, room)?;
        self.tell_room(room);
        match self.devices.group_waits(room) {
            true => Ok(()),
            false => self.found_anew(call, room),
        }
    }
}
