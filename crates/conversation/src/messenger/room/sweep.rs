//! What a device that was thrown out leaves behind.
//!
//! Each device finds out by itself that another is out, from the room where they meet;
//! the person's word counts at once where it was said. What the device proved to be its
//! own leaf goes in every state that is followed from then on, however late. A leaf of my account
//! that nobody proved, and no good device vouches for within a minute, goes when a device
//! is thrown out, and for some days after: it may have been letting some in.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Moment, StorageError};

use super::members::Turns;
use super::{Room, account};
use crate::branches::Wish;
use crate::messenger::{Call, Messenger};
use crate::storage::{LeavesRecord, RoomStanding};
use crate::{MemberId, RoomId};

/// For how long after a device was thrown out a leaf goes that nobody proved: longer than a
/// branch can win that it kept back.
const SWEEPING: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// How long a good device has to vouch for a leaf, whose word may come after it.
const DOUBT: Duration = Duration::from_secs(60);

impl Room {
    /// When nobody vouched in time for a leaf of my account.
    pub(super) fn doubt_ends(&self) -> Option<Moment> {
        self.doubted.values().min().map(|since| *since + DOUBT)
    }
}

impl Messenger {
    /// A person throws a device out: from now on it is told nothing and let in nowhere.
    pub(in crate::messenger) fn revoke_in_rooms(
        &mut self,
        call: &mut Call<'_, '_>,
        device: &[u8],
    ) -> Result<(), StorageError> {
        let mut known = LeavesRecord::read(call.storage)?;
        known.revoke(device, call.cx.wall());
        known.put(call.storage)?;
        self.devices_went(call)
    }

    /// A good device less than before.
    fn devices_went(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        self.stop_coming_by_others(call)?;
        self.find_all_own(call)?;
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| this.sweep(call, room))?;
        }
        self.devices.forget_all_told();
        self.share_rooms(call)
    }

    /// Who waited for a device that is not good any more waits for nothing of it.
    fn stop_coming_by_others(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let rooms = self.rooms.records().filter(|record| {
            let by = record.package.as_ref().map(|package| package.by);
            let by_other = by.is_some_and(|by| {
                let contact = self.people.contains_key(&by);
                !contact && good.key_of(MemberId(by.0)).is_none()
            });
            let joining = record.standing == RoomStanding::Joining;
            joining && by_other && record.id != good.room
        });
        for room in rooms.map(|record| record.id).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.withdraw_from(call, room)?;
                if let Ok(known) = this.rooms.find(room) {
                    known.record.may_return = true;
                    this.save_room(call, room)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Throws out of a group the leaves of my account that are no good device's.
    pub(super) fn sweep(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        let inside = self.rooms.standing(room) == Some(RoomStanding::Member);
        let Some(good) = good.filter(|good| inside && good.room != room) else {
            return Ok(());
        };
        let leaves = LeavesRecord::read(call.storage)?;
        let lately = call.cx.wall() < leaves.thrown_out + SWEEPING;
        let now = call.cx.now();
        let known = self.rooms.find(room)?;
        let mut doubted = core::mem::take(&mut known.doubted);
        let mut doubts = BTreeMap::new();
        let (group, me) = (known.record.conversation, account(&known.record.account)?);
        let steward = known.is_steward(me.as_bytes());
        let own = known.others().filter(|one| one.account == me.as_bytes());
        let (fine, bad): (Vec<_>, Vec<_>) = own.partition(|one| {
            let mut proved = leaves.within(group).filter(|leaf| leaf.key == *one.key);
            match proved.next() {
                Some(leaf) => good.includes(&leaf.device),
                None if !lately || known.is_vouched_for(&one.key) => true,
                None => {
                    let since = doubted.remove(&one.key).unwrap_or(now);
                    let waits = now < since + DOUBT;
                    if waits {
                        doubts.insert(one.key.clone(), since);
                    }
                    waits
                }
            }
        });
        let keys = |some: Vec<&crate::storage::MemberRecord>| -> Vec<Vec<u8>> {
            some.into_iter().map(|one| one.key.clone()).collect()
        };
        let (fine, bad) = (keys(fine), keys(bad));
        let own = known.own.clone();
        known.doubted = doubts;
        self.let_adds_go(call, room, |key| !own.iter().any(|one| one == key))?;
        if bad.is_empty() {
            // Somebody vouched for one that was to go.
            return self.keeper(call, room, |keeper, lent| {
                keeper.withdraw(
                    lent.rows,
                    |wish| matches!(wish, Wish::RemoveLeaf(key) if fine.contains(key)),
                )
            });
        }
        // More than one device may stay only at a distance from the last commit: until then
        // none does but me, and the good ones come again.
        let free = self.keeper(call, room, |keeper, lent| keeper.is_free(lent))?;
        let gone = match free || steward {
            true => bad,
            false => bad.into_iter().chain(fine).collect(),
        };
        for key in gone {
            self.want(call, room, Wish::RemoveLeaf(key))?;
        }
        Ok(())
    }

    /// Looks again at leaves that nobody vouched for in time.
    pub(super) fn doubts_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let rooms = self.rooms.by_id.values();
        let due = rooms.filter(|room| room.doubt_ends().is_some_and(|at| at <= now));
        for room in due.map(|room| room.record.id).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| this.sweep(call, room))?;
            if let Ok(known) = self.rooms.find(room) {
                // Where it is not for me to look there is nothing to wait for.
                known.doubted.retain(|_, since| now < *since + DOUBT);
            }
        }
        Ok(())
    }

    /// Another state of a room is followed, in which some are out or back.
    pub(super) fn devices_turned(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        turns: &Turns,
    ) -> Result<(), StorageError> {
        if self.devices.meet_in(room) {
            if turns.gone.is_empty() {
                return self.find_all_own(call);
            }
            let mut leaves = LeavesRecord::read(call.storage)?;
            leaves.thrown_out = call.cx.wall();
            leaves.put(call.storage)?;
            return self.devices_went(call);
        }
        if self.devices.room().is_none() {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let own = turns.gone.iter().any(|member| known.is_own(*member));
        self.find_own(call, room)?;
        self.sweep(call, room)?;
        if own {
            // A device that had to go with a bad one is told again, and comes back.
            self.devices.forget_all_told();
            self.share_rooms(call)?;
        }
        Ok(())
    }
}
