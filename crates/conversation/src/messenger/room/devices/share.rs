//! The groups of an account on all its devices.
//!
//! Each device tells the others, in the room where they meet, which groups it is in and
//! as which leaf. Who hears of one it is not in wants to come ([`super::come`]), and who
//! told adds it by a commit of its own account. So nobody else is asked, and each device
//! knows as which leaf the others are where, should one have to be thrown out.
//!
//! ```text
//! device that is in it         device that is not
//!    │ share ─────────────────▶ │   in the device room, to it alone
//!    │ ◀────────────────── come │   key package, mailbox of the room
//!    │ Welcome, roster ───────▶ │   to that mailbox
//!    │ ◀────────────── greeting │   to all of the group
//! ```

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::branches::Succession;
use crate::content::{Content, MAX_SHARED, RoomStep, RoomWord, Shared};
use crate::messenger::device::proof::{is_proved, statement};
use crate::messenger::room::key;
use crate::messenger::{Call, Messenger};
use crate::storage::{LeafRecord, LeavesRecord, RoomStanding};
use crate::{DropReason, MemberId, RoomId};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Messenger {
    /// Tells all other devices of groups they were not told of in this run.
    pub(in crate::messenger) fn share_rooms(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        let others = good.iter().flat_map(|good| good.others());
        let others: Vec<_> = others.collect();
        let mut others = others.into_iter();
        others.try_for_each(|device| self.share_with(call, device))
    }

    /// Tells each device once a day again of the groups that it did not come into: what
    /// either said may have been lost.
    pub(in crate::messenger) fn share_again(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let again = self.devices.tells_again.get_or_insert(now + DAY);
        if now < *again {
            return Ok(());
        }
        *again = now + DAY;
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let leaves = LeavesRecord::read(call.storage)?;
        for device in good.others() {
            for known in self.rooms.by_id.values() {
                let mut leaves = leaves.within(known.record.conversation);
                let inside = leaves.any(|leaf| {
                    let theirs = good.key_of(device) == Some(&leaf.device);
                    theirs && known.present(&leaf.key).is_some()
                });
                if !inside {
                    self.devices.forget_told_of(device, &known.key);
                    self.pairs.forget_told_of(device, known.record.conversation);
                }
            }
        }
        self.share_rooms(call)
    }

    /// Tells one device.
    fn share_with(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
    ) -> Result<(), StorageError> {
        let Some(good) = self.good_devices_with(call.storage, device)? else {
            return Ok(());
        };
        let mut untold = Vec::new();
        for (room, known) in &self.rooms.by_id {
            let told = self.devices.was_told(device, &known.key);
            // Where an account may have one leaf no other device can come.
            let alone = known.each < 2 || known.key.is_empty();
            // Of pairs they are told with whom they are.
            let pair = self.is_pair(*room);
            if *room != good.room && known.is_mine() && !told && !alone && !pair {
                untold.push(*room);
            }
        }
        let mut shared = Vec::new();
        for room in untold {
            self.within(call, room.place(), |this, call| {
                shared.extend(this.shared(call, room, &good.me, good.conversation)?);
                Ok(())
            })?;
        }
        for part in shared.chunks(MAX_SHARED) {
            let content = Content::Room(RoomWord {
                room: good.conversation,
                step: RoomStep::Share(part.to_vec()),
            });
            let left = self.within_told(call, good.room, device, &content)?;
            if left {
                let keys = part.iter().map(|one| one.key);
                self.devices.note_told(device, keys);
            }
        }
        Ok(())
    }

    /// What is told of a group I am in, with the signature of my leaf there.
    pub(in crate::messenger) fn shared(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: &[u8],
        meeting: crate::ConversationId,
    ) -> Result<Option<Shared>, StorageError> {
        let known = self.rooms.find(room)?;
        let (group, leaf) = (known.record.conversation, key(&known.key)?);
        let said = statement(meeting, device, group, &leaf);
        let (proof, policy) = self.keeper(call, room, |keeper, lent| {
            Ok((keeper.sign(&said), keeper.policy(lent)?))
        })?;
        let before = policy.as_ref().and_then(Succession::of);
        let known = self.rooms.find(room)?;
        let Some(Ok(proof)) = proof.map(TryInto::try_into) else {
            return Ok(None);
        };
        Ok(Some(Shared {
            room: group,
            account: known.account()?,
            key: leaf,
            name: named(&known.record.name),
            my_name: named(&known.record.my_name),
            proof,
            before: before.map_or_else(Vec::new, |one| one.bytes().to_vec()),
        }))
    }

    pub(in crate::messenger) fn within_told(
        &mut self,
        call: &mut Call<'_, '_>,
        meeting: RoomId,
        device: MemberId,
        content: &Content,
    ) -> Result<bool, StorageError> {
        let mut left = false;
        self.within(call, meeting.place(), |this, call| {
            left = this.say_aside(call, meeting, device, content)?.is_some();
            Ok(())
        })?;
        Ok(left)
    }

    /// A device greeted, perhaps from elsewhere: what it was told may have been lost.
    pub(in crate::messenger) fn device_greeted(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: MemberId,
        moved: bool,
    ) -> Result<(), StorageError> {
        if !self.devices.meet_in(room) {
            return Ok(());
        }
        if moved {
            self.devices.forget_told(device);
            self.pairs.forget_told(device);
        }
        self.pairs.look();
        self.tell_entitled(call, device)?;
        self.share_with(call, device)?;
        // It may have what no other had.
        self.note_history(call)?;
        self.take_history_soon(call)
    }

    /// Another device said something to this one alone.
    pub(in crate::messenger) fn device_said(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        word: RoomWord,
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        if good.is_none_or(|good| good.key_of(device).is_none()) {
            return self.drop_letter(None, DropReason::Room);
        }
        match word.step {
            RoomStep::Share(shared) => shared
                .iter()
                .try_for_each(|one| self.heard_shared(call, device, one)),
            RoomStep::Paired(pairs) => pairs
                .iter()
                .try_for_each(|one| self.heard_paired(call, device, one)),
            RoomStep::Seen(seen) => seen.iter().try_for_each(|one| self.heard_seen(call, one)),
            RoomStep::Begun(begun) => self.heard_begun(call, &begun),
            RoomStep::Further(place) => self.asked_further(call, device, word.room, place),
            RoomStep::Piece(piece) => self.heard_piece(call, (device, word.room), piece),
            RoomStep::Entitled(all) => self.heard_entitled(call, all),
            RoomStep::Come {
                package,
                entry,
                proof,
            } => self.heard_come(call, device, word.room, (&package, &proof), &entry),
            _ => self.drop_letter(None, DropReason::Room),
        }
    }

    /// Remembers as which leaf a device is in a group, if that signed it; whether it did.
    pub(super) fn note_leaf(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        leaf: LeafRecord,
        proof: &[u8; 64],
    ) -> Result<bool, StorageError> {
        let Some(device) = self.signed_by(call, device, &leaf, proof)? else {
            return Ok(false);
        };
        let mut known = LeavesRecord::read(call.storage)?;
        let group = leaf.conversation;
        let there = |leaf: &LeafRecord| {
            let place = self.conversations.get(&leaf.conversation);
            let room = place.and_then(|place| self.rooms.by_id.get(&RoomId::at(*place)));
            room.is_some_and(|room| room.present(&leaf.key).is_some())
        };
        if known.note(LeafRecord { device, ..leaf }, there) {
            known.put(call.storage)?;
            if let Some(room) = self.conversations.get(&group).copied().map(RoomId::at)
                && self.rooms.by_id.contains_key(&room)
            {
                self.within(call, room.place(), |this, call| this.find_own(call, room))?;
            }
        }
        Ok(true)
    }

    /// The key of a good device, if a leaf signed that it is its.
    pub(super) fn signed_by(
        &self,
        call: &Call<'_, '_>,
        device: MemberId,
        leaf: &LeafRecord,
        proof: &[u8; 64],
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let good = self.good_devices(call.storage)?;
        Ok(good.and_then(|good| {
            let device = good.key_of(device)?;
            let said = statement(good.conversation, device, leaf.conversation, &leaf.key);
            is_proved(&leaf.key, &said, proof).then(|| device.to_vec())
        }))
    }

    /// Remembers as which leaf a device is in a group that it tells of, if that signed it;
    /// whether it did.
    pub(in crate::messenger) fn note_shared_leaf(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        shared: &Shared,
    ) -> Result<bool, StorageError> {
        let leaf = LeafRecord {
            device: Vec::new(),
            conversation: shared.room,
            account: shared.account.as_bytes().to_vec(),
            key: shared.key,
        };
        self.note_leaf(call, device, leaf, &shared.proof)
    }

    /// A device is in a group. If this one is not, and was not as that account, it
    /// wants to be.
    pub(in crate::messenger) fn heard_shared(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        shared: &Shared,
    ) -> Result<(), StorageError> {
        if !self.note_shared_leaf(call, device, shared)? {
            return self.drop_letter(None, DropReason::Room);
        }
        let mut followed = self.rooms.by_id.values();
        if followed.any(|known| known.before == Some(shared.room)) {
            // It hears from me of the group that was founded in its place.
            return Ok(());
        }
        let Some(place) = self.conversations.get(&shared.room).copied() else {
            let before = self.go_along(call, shared)?;
            return self.join_shared(call, device, shared, before);
        };
        let room = RoomId::at(place);
        if !self.rooms.by_id.contains_key(&room) {
            return self.drop_letter(None, DropReason::Room);
        }
        let mut back = false;
        self.within(call, place, |this, call| {
            back = this.rejoin_by_device(call, room, device, shared)?;
            Ok(())
        })?;
        if back {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let record = &known.record;
        let same = |account: &[u8]| account == shared.account.as_bytes();
        match (record.standing, &record.package) {
            (RoomStanding::Joining, Some(package)) if same(&package.account) => {
                let by = MemberId(package.by.0);
                match by == device || !self.is_good(call, by)? {
                    true => self.come_by(call, room, device, shared.key),
                    false => Ok(()),
                }
            }
            // I was told of it as another account, and that one is in it no more.
            (RoomStanding::Joining, Some(package)) if !self.people.contains_key(&package.by) => {
                self.join_shared(call, device, shared, Some(room))
            }
            // Who was thrown out alone may ask again; who left has left.
            (RoomStanding::Left, _) if !same(&record.account) || record.may_return => {
                self.join_shared(call, device, shared, Some(room))
            }
            _ => Ok(()),
        }
    }

    fn is_good(&self, call: &Call<'_, '_>, device: MemberId) -> Result<bool, StorageError> {
        let good = self.good_devices_with(call.storage, device)?;
        Ok(good.is_some())
    }
}

/// A name as it is told; nothing is told without.
fn named(name: &str) -> String {
    match name.is_empty() {
        true => "?".to_owned(),
        false => name.to_owned(),
    }
}
