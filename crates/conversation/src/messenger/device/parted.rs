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
use crate::{ConversationId, MemberId, RoomId, Secret};

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

    /// Whether a call is of the account and the room that the backup knew: others let nobody
    /// in here who has conversations.
    pub(super) fn is_called_by_its_own(&self, meeting: ConversationId, account: &[u8]) -> bool {
        let parted = &self.parted;
        !self.is_parted() || (parted.meeting == Some(meeting) && parted.account == account)
    }

    /// Whether a person has yet to say here that the code is the same.
    pub(in crate::messenger) fn waits_for_word(&self) -> bool {
        self.is_parted() && !self.parted.agreed
    }

    /// Whether what there is of a group is what a backup had of it.
    pub(in crate::messenger) fn is_stale(&self, room: RoomId) -> bool {
        self.parted.stale.contains(&room)
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
        // By this device's calendar, as all that takes days.
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
        let known = room.and_then(|room| self.rooms.get(room.place()));
        let members = known.into_iter().flat_map(|known| known.members.values());
        let present = members.filter(|one| one.present);
        let (mine, others): (Vec<_>, Vec<_>) = present.partition(|one| one.mine);
        // By a backup before, if not by this one.
        let before = core::mem::take(&mut self.devices.parted);
        let before = match others.is_empty() {
            true => before,
            false => PartedRecord {
                meeting: known.map(|known| known.record.conversation),
                account: known.map_or_else(Vec::new, |known| known.record.account.clone()),
                key: mine.first().map_or_else(Vec::new, |one| one.key.clone()),
                devices: others.into_iter().map(parted_device).collect(),
                ..PartedRecord::default()
            },
        };
        // They wait from now on.
        self.devices.parted = PartedRecord {
            groups: self.rooms.with_devices().collect(),
            stale: Vec::new(),
            agreed: false,
            welcome: None,
            since: call.cx.wall(),
            ..before
        };
        if self.devices.parted.groups.is_empty() && !self.devices.is_parted() {
            self.devices.parted = PartedRecord::default();
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
        parted.agreed = false;
        parted.welcome = None;
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
        if found && self.devices.record.shown.is_some() {
            // It could only be shown to one of them.
            self.stop_showing(call)?;
        }
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
        let stale = core::mem::take(&mut self.devices.parted.stale);
        self.devices.parted = PartedRecord {
            stale,
            ..PartedRecord::default()
        };
        self.save_parted(call)?;
        self.found_restored_anew(call)
    }

    /// A person says here that the code is the same. Whoever reads the link could call, and
    /// this device tells who let it in of its groups.
    pub(super) fn agree_here(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.devices.parted.agreed = true;
        let welcome = self.devices.parted.welcome.take();
        self.save_parted(call)?;
        let Some(welcome) = welcome else {
            return Ok(());
        };
        self.within(call, room.place(), |this, call| {
            this.heard_welcome(call, room, welcome.expose())
        })
    }

    /// Keeps a Welcome until a person compared the code here.
    pub(in crate::messenger) fn keep_welcome(
        &mut self,
        call: &mut Call<'_, '_>,
        welcome: &[u8],
    ) -> Result<(), StorageError> {
        self.devices.parted.welcome = Some(Secret::new(welcome.to_vec()));
        self.save_parted(call)
    }

    /// Another link, or none: what was agreed on was the one before.
    pub(super) fn disagree(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let parted = &mut self.devices.parted;
        if !parted.agreed && parted.welcome.is_none() {
            return Ok(());
        }
        (parted.agreed, parted.welcome) = (false, None);
        self.save_parted(call)
    }

    /// A group is entered by another device; what the backup had of it stays until then.
    pub(in crate::messenger) fn note_stale(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if self.devices.is_stale(room) {
            return Ok(());
        }
        self.devices.parted.stale.push(room);
        self.save_parted(call)
    }

    /// I am in a group, as this account: nothing of the backup is there any more.
    pub(in crate::messenger) fn note_entered(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        account: &[u8],
    ) -> Result<(), StorageError> {
        let parted = &mut self.devices.parted;
        if *parted == PartedRecord::default() {
            return Ok(());
        }
        parted.stale.retain(|one| *one != room);
        parted
            .groups
            .retain(|one| one.room != room || one.account != account);
        if !self.devices.is_parted() && self.devices.parted.groups.is_empty() {
            let stale = core::mem::take(&mut self.devices.parted.stale);
            self.devices.parted = PartedRecord {
                stale,
                ..PartedRecord::default()
            };
        }
        self.save_parted(call)
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
