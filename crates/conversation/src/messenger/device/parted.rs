//! After a backup was put back: this device was linked with others, and is no more.
//!
//! What MLS knew of their room must not be used again, and nobody but a person lets a device
//! in. So the room is forgotten, and the others are remembered by name: this device shows one
//! of them a link as a new one does, or a person gives them up.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use super::Devices;
use crate::messenger::{Call, Messenger};
use crate::storage::{MemberRecord, PartedDevice, PartedRecord};
use crate::view::DeviceView;
use crate::{MemberId, RoomId};

/// How long a group waits to be entered by another device, before it is founded anew.
const PATIENCE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Devices {
    /// The leaf I was where they meet, before a backup was put back.
    pub(super) fn leaf_before(&self) -> Option<[u8; 32]> {
        self.parted.key.as_slice().try_into().ok()
    }

    /// Whether there are devices with which this one was linked before, and is not now.
    pub(super) fn is_parted(&self) -> bool {
        !self.parted.devices.is_empty()
    }

    pub(super) fn parted_views(&self) -> impl Iterator<Item = DeviceView> {
        self.parted.devices.iter().map(|one| DeviceView {
            device: one.device,
            name: one.name.clone(),
            me: false,
            reachable: false,
            parted: true,
        })
    }

    /// Whether another device was in a group of the backup, as this account.
    pub(in crate::messenger) fn was_in_before(&self, room: RoomId, account: &[u8]) -> bool {
        let mut groups = self.parted.groups.iter();
        groups.any(|one| one.room == room && one.account == account)
    }

    /// Whether a group is not to be founded anew, since another device may be in it.
    pub(in crate::messenger) fn group_waits(&self, room: RoomId) -> bool {
        let mut groups = self.parted.groups.iter();
        groups.any(|one| one.room == room && one.waits)
    }

    /// Whether a group waited, and has waited long enough.
    pub(in crate::messenger) fn waited_for(&self, room: RoomId, now: Timestamp) -> bool {
        // A clock that was put into the future ends nothing.
        let over = self.parted.since + PATIENCE <= now;
        over && self.group_waits(room)
    }
}

impl Messenger {
    fn save_parted(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        self.devices.parted.put(call.storage)
    }

    /// Takes note of the devices that a backup knew, and forgets the room where they meet.
    pub(in crate::messenger) fn part_from_devices(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let room = self.devices.record.room.take();
        self.save_devices(call)?;
        let members = room.map(|room| self.rooms.present_in(room));
        let members = members.into_iter().flatten();
        let (mine, others): (Vec<_>, Vec<_>) = members.partition(|one| one.mine);
        if !others.is_empty() {
            self.devices.parted = PartedRecord {
                key: mine.first().map_or_else(Vec::new, |one| one.key.clone()),
                devices: others.into_iter().map(parted_device).collect(),
                groups: self.rooms.with_devices().collect(),
                since: call.cx.wall(),
            };
        } else if self.devices.is_parted() {
            // By a backup before: they wait from now on.
            self.devices.parted.since = call.cx.wall();
        }
        self.save_parted(call)?;
        match room.filter(|room| self.rooms.standing(*room).is_some()) {
            Some(room) => self.remove_room(call, room),
            None => Ok(()),
        }
    }

    /// This device is linked again: by those it meets it comes back into groups.
    pub(super) fn linked_again(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let parted = &mut self.devices.parted;
        if *parted == PartedRecord::default() {
            return Ok(());
        }
        parted.devices.clear();
        parted.since = now;
        self.save_parted(call)
    }

    /// A person gives a device up with which this one was linked; whether that is one.
    pub(super) fn give_up_device(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
    ) -> Result<bool, StorageError> {
        let parted = &mut self.devices.parted;
        let before = parted.devices.len();
        parted.devices.retain(|one| one.device != device);
        let found = parted.devices.len() < before;
        let last = found && parted.devices.is_empty();
        match (found, last) {
            (false, _) => {}
            (true, false) => self.save_parted(call)?,
            (true, true) => self.give_devices_up(call)?,
        }
        Ok(found)
    }

    /// No group waits any more for devices with which this one was linked.
    pub(super) fn give_devices_up(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.devices.parted == PartedRecord::default() {
            return Ok(());
        }
        self.devices.parted = PartedRecord::default();
        self.save_parted(call)?;
        self.found_restored_anew(call)
    }

    /// A group waits no more to be entered by another device.
    pub(in crate::messenger) fn stop_waiting_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let groups = self.devices.parted.groups.iter_mut();
        for group in groups.filter(|one| one.room == room) {
            group.waits = false;
        }
        self.save_parted(call)
    }
}

fn parted_device(one: &MemberRecord) -> PartedDevice {
    PartedDevice {
        device: one.member,
        name: one.name.clone(),
    }
}
