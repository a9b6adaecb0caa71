//! Which devices of mine are good, and which leaves are theirs.
//!
//! A device is good while it is where the devices meet and no person threw it out here.
//! What it proved counts for so long and no longer: nothing has to be taken back.

use std::collections::BTreeSet;

use hushwing_sansio::StorageError;

use crate::messenger::{Call, Messenger};
use crate::storage::{LeavesRecord, RoomStanding};
use crate::{ConversationId, MemberId, RoomId, Storage};

/// My other devices, and where we meet.
pub(in crate::messenger) struct Good {
    pub(in crate::messenger) room: RoomId,
    pub(in crate::messenger) conversation: ConversationId,
    /// As which leaf I am there, by public signature key.
    pub(in crate::messenger) me: Vec<u8>,
    /// Who else is, the same.
    others: Vec<(MemberId, Vec<u8>)>,
}

impl Good {
    pub(in crate::messenger) fn others(&self) -> impl Iterator<Item = MemberId> {
        self.others.iter().map(|(member, _)| *member)
    }

    /// The key of a device; `None` if it is not good.
    pub(in crate::messenger) fn key_of(&self, device: MemberId) -> Option<&[u8]> {
        let mut others = self.others.iter();
        let found = others.find(|(member, _)| *member == device);
        found.map(|(_, key)| key.as_slice())
    }

    pub(in crate::messenger) fn includes(&self, device: &[u8]) -> bool {
        self.others.iter().any(|(_, key)| key == device)
    }
}

impl Messenger {
    /// My other devices, if this is one of them.
    pub(in crate::messenger) fn good_devices_with(
        &self,
        storage: &dyn Storage,
        device: MemberId,
    ) -> Result<Option<Good>, StorageError> {
        let good = self.good_devices(storage)?;
        Ok(good.filter(|good| good.key_of(device).is_some()))
    }

    /// My other devices; `None` if I am not where they meet.
    pub(in crate::messenger) fn good_devices(
        &self,
        storage: &dyn Storage,
    ) -> Result<Option<Good>, StorageError> {
        let room = self.devices.room();
        let known = room.and_then(|room| self.rooms.by_id.get(&room));
        let Some(known) = known.filter(|known| known.record.standing == RoomStanding::Member)
        else {
            return Ok(None);
        };
        let leaves = LeavesRecord::read(storage)?;
        let others = known.others().filter(|one| !leaves.is_revoked(&one.key));
        Ok(Some(Good {
            room: known.record.id,
            conversation: known.record.conversation,
            me: known.key.clone(),
            others: others.map(|one| (one.member, one.key.clone())).collect(),
        }))
    }

    /// Whether that is where the devices meet, and no good one is there but this.
    pub(in crate::messenger) fn waits_for_no_device(
        &self,
        call: &Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        let good = self.good_devices(call.storage)?;
        let here = good.filter(|good| good.room == room);
        Ok(here.is_some_and(|good| good.others().next().is_none()))
    }

    /// Finds out anew, in all rooms, which leaves are my other devices'.
    pub(in crate::messenger) fn find_all_own(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| this.find_own(call, room))?;
        }
        Ok(())
    }

    /// Finds out anew which leaves in a room are my other devices', and says so there if
    /// that is not what I said last.
    pub(super) fn find_own(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let changed = self.find_own_quietly(call, room)?;
        if !changed || !self.rooms.find(room)?.is_mine() {
            return Ok(());
        }
        self.tell_room(room);
        let mine = self.my_claims(room)?;
        self.say_in_passing_to_all(call, room, &mine)
    }

    /// The same, and says nothing; whether there is something to say.
    pub(in crate::messenger) fn find_own_quietly(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        if self.devices.room().is_none() || self.devices.meet_in(room) {
            return Ok(false);
        }
        let good = self.good_devices(call.storage)?;
        let leaves = LeavesRecord::read(call.storage)?;
        let known = self.rooms.find(room)?;
        let proved = leaves.within(known.record.conversation);
        let own = proved.filter(|leaf| {
            let good = good
                .as_ref()
                .is_some_and(|good| good.includes(&leaf.device));
            good && leaf.account == known.record.account
        });
        let own: BTreeSet<[u8; 32]> = own.map(|leaf| leaf.key).collect();
        known.own = own;
        match known.vouch_for_own() {
            true => {
                self.save_kin(call, room)?;
                Ok(true)
            }
            false => Ok(false),
        }
    }
}
