//! What a device that was thrown out leaves behind.
//!
//! Each device finds out by itself that another is out, from the room where they meet;
//! the person's word counts at once where it was said. What the device proved to be its
//! own leaf goes in every state that is followed from then on, however late. A leaf of my account
//! that nobody proved, and no good device vouches for, goes when a device is thrown out, and for
//! some days after: it may have been letting some in. One that comes in meanwhile has a minute for
//! that, if nothing else is to go: what is left alone then could throw out the good ones.

use core::time::Duration;

use hushwing_delivery::Keep;
use hushwing_sansio::{Moment, StorageError};

use super::good::Good;
use crate::branches::{StatePrefix, Wish};
use crate::letter::LetterBody;
use crate::messenger::room::members::Turns;
use crate::messenger::room::{Room, account};
use crate::messenger::{Call, Messenger};
use crate::storage::{LeavesRecord, MemberRecord, RoomStanding};
use crate::{MemberId, RoomId};

/// The leaves of my account but my own, by key.
struct Judged {
    /// Proved by a good device, or vouched for.
    sure: Vec<Vec<u8>>,
    /// Not judged: nobody was thrown out lately, or it has time.
    open: Vec<Vec<u8>>,
    bad: Vec<Vec<u8>>,
}

/// For how long after a device was thrown out a leaf goes that nobody proved: longer than a
/// branch can win that it kept back.
const SWEEPING: Duration = Duration::from_secs(5 * 24 * 60 * 60);
/// Devices that are told that they are out.
const MOST_TOLD: usize = 8;
/// How long a good device has to vouch for a leaf, whose word may come after it.
const DOUBT: Duration = Duration::from_secs(60);

impl Room {
    /// When nobody vouched in time for a leaf of my account.
    pub(in crate::messenger) fn doubt_ends(&self) -> Option<Moment> {
        self.doubted.values().min().map(|since| *since + DOUBT)
    }

    /// Leaves of my account that came in with this state have time.
    fn doubt(&mut self, came: &[MemberId], now: Moment) {
        let account = self.record.account.clone();
        let came = came.iter().filter_map(|member| self.members.get(member));
        let own = came.filter(|one| one.account == account && !one.mine);
        let keys: Vec<_> = own.map(|one| one.key.clone()).collect();
        self.doubted.extend(keys.into_iter().map(|key| (key, now)));
    }

    fn judge(&mut self, leaves: &LeavesRecord, good: &Good, lately: bool, now: Moment) -> Judged {
        let group = self.record.conversation;
        let proof = |key: &[u8]| leaves.within(group).find(|leaf| leaf.key == key);
        let account = &self.record.account;
        let own = self.others().filter(|one| one.account == *account);
        let own: Vec<_> = own.map(|one| one.key.clone()).collect();
        let is_bad = |key: &Vec<u8>| proof(key).is_some_and(|leaf| !good.includes(&leaf.device));
        let caught = own.iter().any(is_bad);
        let (mut sure, mut open, mut bad) = (Vec::new(), Vec::new(), Vec::new());
        let mut doubted = core::mem::take(&mut self.doubted);
        doubted.retain(|_, since| !caught && now < *since + DOUBT);
        for key in own {
            match proof(&key) {
                Some(leaf) if good.includes(&leaf.device) => sure.push(key),
                Some(_) => bad.push(key),
                None if self.is_vouched_for(&key) => sure.push(key),
                None if !lately || doubted.contains_key(&key) => open.push(key),
                None => bad.push(key),
            }
        }
        doubted.retain(|key, _| open.contains(key));
        self.doubted = doubted;
        Judged { sure, open, bad }
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
            self.within(call, room.place(), |this, call| {
                // What it let in at the last moment has no time.
                this.rooms.find(room)?.doubted.clear();
                this.sweep(call, room)
            })?;
        }
        self.devices.forget_all_told();
        self.share_rooms(call)?;
        self.take_history_by_others(call)?;
        self.note_history(call)?;
        self.tell_devices();
        Ok(())
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
    pub(in crate::messenger) fn sweep(
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
        let known = self.rooms.find(room)?;
        let steward = known.is_steward(account(&known.record.account)?.as_bytes());
        let Judged { sure, open, bad } = known.judge(&leaves, &good, lately, call.cx.now());
        let own = known.own.clone();
        self.let_adds_go(call, room, |key| !own.iter().any(|one| one == key))?;
        if bad.is_empty() {
            // Somebody vouched for one that was to go.
            return self.keeper(call, room, |keeper, lent| {
                keeper.withdraw(
                    lent.rows,
                    |wish| matches!(wish, Wish::RemoveLeaf(key) if sure.contains(key)),
                )
            });
        }
        // More than one device may stay only at a distance from the last change: until then
        // none does but me, and the good ones come again.
        let free = self.keeper(call, room, |keeper, lent| keeper.is_free(lent))?;
        // A state may be followed in which I am out myself, for now or for good.
        let Some(free) = free else {
            return Ok(());
        };
        let gone = match free || steward {
            true => bad,
            false => [bad, open, sure].concat(),
        };
        for key in gone {
            self.want(call, room, Wish::RemoveLeaf(key))?;
        }
        Ok(())
    }

    /// Looks again at leaves that nobody vouched for in time.
    pub(in crate::messenger) fn doubts_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
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

    /// Tells devices that they are out, by the commits that lead there: they left by letters
    /// that a relay lets expire, and whoever is lost is switched on when somebody finds it.
    fn tell_who_is_out(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        gone: &[MemberId],
    ) -> Result<(), StorageError> {
        let chain = self.keeper(call, room, |keeper, lent| {
            let followed = StatePrefix::of(&keeper.followed());
            keeper.chain_to(lent.rows, followed)
        })?;
        let Some(chain) = chain else {
            return Ok(());
        };
        for device in gone {
            self.stop_telling(call, *device)?;
            let body = LetterBody::commits(&chain);
            let letter = self.post_to_member(call, room, *device, body, Keep::UntilSettled)?;
            self.devices.note_told_out(*device, letter);
        }
        self.stop_telling_the_oldest(call, room)
    }

    /// A device is in again, or told otherwise: what told it that it is out goes no more.
    fn stop_telling(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
    ) -> Result<(), StorageError> {
        match self.devices.take_told_out(device) {
            Some(letter) => self.recall(call, letter.0),
            None => Ok(()),
        }
    }

    /// A device that lets others in and throws them out without end makes no letter of each.
    fn stop_telling_the_oldest(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let members = self.rooms.find(room)?.members.values();
        let told = members.filter(|one| one.gone.is_some() && !one.addresses.is_empty());
        let mut told: Vec<_> = told.cloned().collect();
        told.sort_by_key(|one| core::cmp::Reverse((one.gone, one.member)));
        for device in told.into_iter().skip(MOST_TOLD) {
            self.cancel_letters_to(call, room, &device.addresses)?;
            let addresses = Vec::new();
            self.save_member(
                call,
                MemberRecord {
                    addresses,
                    ..device
                },
            )?;
        }
        Ok(())
    }

    /// Another state of a room is followed, in which some are out or back.
    pub(in crate::messenger) fn devices_turned(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        turns: &Turns,
    ) -> Result<(), StorageError> {
        if self.devices.meet_in(room) {
            for device in &turns.back {
                self.stop_telling(call, *device)?;
            }
            if turns.gone.is_empty() {
                return self.find_all_own(call);
            }
            let mut leaves = LeavesRecord::read(call.storage)?;
            leaves.thrown_out = call.cx.wall();
            leaves.put(call.storage)?;
            self.tell_who_is_out(call, room, &turns.gone)?;
            return self.devices_went(call);
        }
        if self.devices.room().is_none() {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let own = turns.gone.iter().any(|member| known.is_own(*member));
        known.doubt(&turns.came, call.cx.now());
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
