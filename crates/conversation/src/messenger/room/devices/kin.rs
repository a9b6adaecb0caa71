//! Whose devices the members of a room are.
//!
//! A member is a leaf, and an account alone says nothing: a steward can throw somebody
//! out and put another leaf under their account. So two leaves of an account are devices
//! of one person only if each says so of the other, in words that its leaf signed. And a leaf
//! is mine only if it proved so in the room where my devices meet ([`super::share`]).

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::StorageError;

use crate::content::{Content, MAX_MINE, RoomStep, RoomWord};
use crate::messenger::room::{Room, key};
use crate::messenger::{Call, Messenger};
use crate::storage::{KinRecord, MemberRecord, MessageState, RecipientRecord};
use crate::{ContactId, MemberId, RoomId, Storage};

impl Room {
    /// The member by whom somebody is known, whatever device they use.
    pub(in crate::messenger) fn person(&self, member: MemberId) -> MemberId {
        let record = self.members.get(&member);
        if record.is_some_and(|one| one.mine) {
            // I am known by this device, whichever was there first.
            return member;
        }
        if self.is_own_device(member)
            && let Some(me) = self.me()
        {
            return me;
        }
        let known = match record.is_some_and(|one| one.present) {
            true => self.kin.get(&member),
            // As it was when they went; nobody vouches for them since.
            false => self.former.get(&member),
        };
        known.copied().unwrap_or(member)
    }

    /// Whether a member is I, by this device or another.
    pub(in crate::messenger) fn is_own(&self, member: MemberId) -> bool {
        let mine = self.members.get(&member).is_some_and(|one| one.mine);
        mine || self.is_own_device(member)
    }

    /// Whether a member proved to be another device of mine.
    pub(in crate::messenger) fn is_own_device(&self, member: MemberId) -> bool {
        if self.own.is_empty() {
            return false;
        }
        let known = self.members.get(&member).filter(|one| !one.mine);
        known.is_some_and(|one| one.account == self.record.account && self.is_proved(&one.key))
    }

    /// Whether a good device of mine proved to be this leaf.
    pub(in crate::messenger) fn is_proved(&self, leaf: &[u8]) -> bool {
        key(leaf).is_ok_and(|leaf| self.own.contains(&leaf))
    }

    /// Whether I say of a leaf that it is mine, by this device or a good one.
    pub(super) fn is_vouched_for(&self, leaf: &[u8]) -> bool {
        key(leaf).is_ok_and(|leaf| {
            let mut claims = self.claims.iter();
            claims.any(|(by, said)| said.contains(&leaf) && self.is_own(*by))
        })
    }

    /// The leaves of somebody that are there, but for mine.
    pub(in crate::messenger) fn devices_of(
        &self,
        person: MemberId,
    ) -> impl Iterator<Item = &MemberRecord> {
        let person = self.person(person);
        self.others()
            .filter(move |member| self.person(member.member) == person)
    }

    /// Those who are in it and are not I by another device.
    pub(in crate::messenger) fn strangers(&self) -> impl Iterator<Item = &MemberRecord> {
        self.others().filter(|member| !self.is_own(member.member))
    }

    /// How many people are in it.
    pub(in crate::messenger) fn people(&self) -> usize {
        let present = self.members.values().filter(|member| member.present);
        let people = present.map(|member| self.person(member.member));
        people.collect::<BTreeSet<_>>().len()
    }

    /// The contact that somebody is, where that is known of one of their devices.
    pub(in crate::messenger) fn contact_of(&self, member: MemberId) -> Option<ContactId> {
        let person = self.person(member);
        let mut theirs = self.members.values();
        theirs.find_map(|one| one.contact.filter(|_| self.person(one.member) == person))
    }

    /// How far a message of mine got to people: who has it on one device has it. My other
    /// devices are nobody it was said to.
    pub(in crate::messenger) fn by_people(
        &self,
        recipients: Vec<RecipientRecord>,
    ) -> Vec<RecipientRecord> {
        let mut people: BTreeMap<MemberId, RecipientRecord> = BTreeMap::new();
        for one in recipients {
            let member = self.person(one.member);
            if self.is_own(member) {
                continue;
            }
            let farther = |before: &RecipientRecord| how_far(one.state) > how_far(before.state);
            if people.get(&member).is_none_or(farther) {
                people.insert(member, RecipientRecord { member, ..one });
            }
        }
        people.into_values().collect()
    }

    /// Reads whose devices are whose.
    pub(in crate::messenger) fn read_kin(
        &mut self,
        storage: &dyn Storage,
    ) -> Result<(), StorageError> {
        let record = KinRecord::of(storage, self.record.id)?;
        let claims = record.claims.into_iter();
        let claims = claims.map(|(by, keys)| (by, keys.into_iter().collect()));
        self.claims = claims.collect();
        self.former = record.former.into_iter().collect();
        self.relink();
        Ok(())
    }

    /// The room is kept by another group: nobody there vouches for anybody yet.
    pub(in crate::messenger) fn forget_all_kin(&mut self) {
        self.part(&self.members.keys().copied().collect::<Vec<_>>());
        self.claims.clear();
        self.own.clear();
        self.relink();
    }

    /// Finds out who is whose device: of one account, there, and each says so of each.
    pub(in crate::messenger) fn relink(&mut self) {
        let claimers = self.claims.keys().filter_map(|by| self.members.get(by));
        let accounts: BTreeSet<_> = claimers.map(|by| &by.account).collect();
        let mut people: BTreeMap<&Vec<u8>, Vec<Vec<&MemberRecord>>> = BTreeMap::new();
        let several = self.members.values();
        for one in several.filter(|one| one.present && accounts.contains(&one.account)) {
            let each = |other: &&MemberRecord| self.vouches(one, other) && self.vouches(other, one);
            let people = people.entry(&one.account).or_default();
            match people.iter_mut().find(|devices| devices.iter().all(each)) {
                Some(devices) => devices.push(one),
                None => people.push(vec![one]),
            }
        }
        let mut kin = BTreeMap::new();
        for devices in people.into_values().flatten() {
            let mut devices = devices.into_iter().map(|one| one.member);
            let first = devices.next();
            kin.extend(devices.filter_map(|one| Some((one, first?))));
        }
        let before = core::mem::replace(&mut self.kin, kin);
        for (device, person) in before {
            let vouches_no_more = !self.kin.contains_key(&device) && self.is_other(person);
            if vouches_no_more && self.members.get(&person).is_some_and(|one| one.present) {
                // While it is there it is somebody else; once it is gone it was theirs.
                self.former.insert(device, person);
            }
        }
    }

    /// Whether a member is of another account than mine.
    fn is_other(&self, member: MemberId) -> bool {
        let known = self.members.get(&member);
        known.is_some_and(|one| one.account != self.record.account)
    }

    fn vouches(&self, by: &MemberRecord, of: &MemberRecord) -> bool {
        let said = self.claims.get(&by.member);
        let key = key(&of.key).ok();
        said.zip(key).is_some_and(|(said, key)| said.contains(&key))
    }

    /// Members are gone: they vouch for nobody any more and nobody does for them, should a
    /// leaf of the same key come back too. Whose they were is remembered.
    pub(in crate::messenger) fn part(&mut self, gone: &[MemberId]) {
        let mut people: BTreeMap<MemberId, Vec<MemberId>> = BTreeMap::new();
        for (device, person) in &self.kin {
            let devices = people.entry(*person).or_insert_with(|| vec![*person]);
            devices.push(*device);
        }
        people.retain(|person, _| self.is_other(*person));
        for (person, devices) in people {
            let mut stay = devices.iter().filter(|one| !gone.contains(one));
            let known_by = stay.next().copied().unwrap_or(person);
            let before = self.former.values_mut().filter(|one| **one == person);
            before.for_each(|one| *one = known_by);
            let went = devices
                .iter()
                .filter(|one| gone.contains(one) && **one != known_by);
            self.former.extend(went.map(|one| (*one, known_by)));
        }
        for member in gone {
            self.claims.remove(member);
            if let Some(Ok(key)) = self.members.get(member).map(|one| key(&one.key)) {
                self.claims.values_mut().for_each(|said| {
                    said.remove(&key);
                });
            }
        }
        self.claims.retain(|_, said| !said.is_empty());
    }

    /// I vouch for the leaves that are mine and there, or are being let in; whether that is
    /// not what I said last.
    pub(super) fn vouch_for_own(&mut self) -> bool {
        let Some(me) = self.me() else {
            self.relink();
            return false;
        };
        let there = |leaf: &&[u8; 32]| {
            let mut members = self.members.values();
            let known = members.find(|one| one.key == leaf.as_slice());
            known.is_some_and(|one| one.present || one.gone.is_none())
        };
        let mine: BTreeSet<_> = self
            .own
            .iter()
            .filter(there)
            .take(MAX_MINE)
            .copied()
            .collect();
        let before = self.claims.get(&me).cloned().unwrap_or_default();
        let changed = mine != before;
        match mine.is_empty() {
            true => self.claims.remove(&me),
            false => self.claims.insert(me, mine),
        };
        self.relink();
        changed
    }
}

/// What failed on the way to one device got less far than what waits for another.
fn how_far(state: MessageState) -> u8 {
    match state {
        MessageState::Failed => 0,
        MessageState::Queued => 1,
        MessageState::Accepted => 2,
        MessageState::Delivered => 3,
        MessageState::Read => 4,
    }
}

impl Messenger {
    /// A member says that leaves are other devices of theirs.
    pub(in crate::messenger) fn heard_mine(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        keys: &[[u8; 32]],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let there = known.members.get(&member).is_some_and(|one| one.present);
        let said: BTreeSet<_> = keys.iter().copied().collect();
        let before = known.claims.get(&member).cloned().unwrap_or_default();
        if said == before || !there {
            return Ok(());
        }
        match said.is_empty() {
            true => known.claims.remove(&member),
            false => known.claims.insert(member, said),
        };
        known.relink();
        let own = known.is_own_device(member);
        self.save_kin(call, room)?;
        self.tell_room(room);
        match own {
            // It may vouch for somebody no more, or for somebody who was about to go.
            true => self.sweep(call, room),
            false => Ok(()),
        }
    }

    /// What I say of my other devices in a room.
    pub(super) fn my_claims(&mut self, room: RoomId) -> Result<Content, StorageError> {
        let known = self.rooms.find(room)?;
        let mine = known.me().and_then(|me| known.claims.get(&me));
        Ok(Content::Room(RoomWord {
            room: known.record.conversation,
            step: RoomStep::Mine(mine.into_iter().flatten().copied().collect()),
        }))
    }

    /// The same, if I have any: who says nothing has none.
    pub(in crate::messenger) fn some_claims(
        &mut self,
        room: RoomId,
    ) -> Result<Option<Content>, StorageError> {
        let known = self.rooms.find(room)?;
        let some = known.me().is_some_and(|me| known.claims.contains_key(&me));
        some.then(|| self.my_claims(room)).transpose()
    }

    /// A member is not remembered any more.
    pub(in crate::messenger) fn forget_kin(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let said = known.claims.remove(&member).is_some();
        match known.former.remove(&member).is_some() || said {
            true => {
                known.relink();
                self.save_kin(call, room)
            }
            false => Ok(()),
        }
    }

    pub(in crate::messenger) fn save_kin(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let claims = known.claims.iter();
        let claims = claims.map(|(by, keys)| (*by, keys.iter().copied().collect()));
        let record = KinRecord {
            claims: claims.collect(),
            former: known.former.iter().map(|(gone, by)| (*gone, *by)).collect(),
        };
        record.put(call.storage, room)
    }
}

#[cfg(test)]
pub(in crate::messenger) mod tests {
    use super::*;
    use crate::ConversationId;
    use crate::storage::{DamagedRoom, RoomRecord};

    pub(in crate::messenger) const ME: u8 = 9;

    /// A room with me, and others by their numbers and accounts.
    pub(in crate::messenger) fn room(others: &[(u8, u8)]) -> Room {
        let stand_in = DamagedRoom {
            id: RoomId(1),
            conversation: ConversationId([1; 16]),
        };
        let mut room = Room::new(RoomRecord {
            account: vec![ME; 16],
            ..stand_in.stand_in()
        });
        room.key = vec![ME; 32];
        for (number, of) in others.iter().chain(&[(ME, ME)]) {
            let member = MemberId(u64::from(*number));
            let record = MemberRecord {
                room: RoomId(1),
                member,
                account: vec![*of; 16],
                key: vec![*number; 32],
                mine: *number == ME,
                name: String::new(),
                addresses: Vec::new(),
                revision: 0,
                contact: None,
                present: true,
                gone: None,
                told_again: false,
                welcome: None,
                stranded: None,
            };
            room.members.insert(member, record);
        }
        room
    }

    fn claim(room: &mut Room, by: u8, of: &[u8]) {
        let keys = of.iter().map(|number| [*number; 32]).collect();
        room.claims.insert(MemberId(u64::from(by)), keys);
        room.relink();
    }

    fn turn(room: &mut Room, number: u8, present: bool) {
        let member = MemberId(u64::from(number));
        room.members.get_mut(&member).unwrap().present = present;
        match present {
            true => {
                room.former.remove(&member);
            }
            false => room.part(&[member]),
        }
        room.relink();
    }

    fn person(room: &Room, number: u8) -> u64 {
        room.person(MemberId(u64::from(number))).0
    }

    #[test]
    fn who_is_gone_vouches_for_nobody_when_the_same_leaf_comes_back() {
        let mut bob = room(&[(1, 5), (2, 5)]);
        claim(&mut bob, 1, &[2]);
        assert_eq!(person(&bob, 2), 2, "one alone says so");
        claim(&mut bob, 2, &[1]);
        assert_eq!(person(&bob, 2), 1);
        turn(&mut bob, 2, false);
        assert_eq!(person(&bob, 2), 1, "theirs as long as it is gone");
        // A steward puts the key of the device that was thrown out back in its place.
        turn(&mut bob, 2, true);
        assert_eq!(person(&bob, 2), 2);
        claim(&mut bob, 2, &[1]);
        assert_eq!(person(&bob, 2), 2, "nobody vouches for it");
    }

    #[test]
    fn whose_first_device_went_is_known_by_the_next() {
        let mut bob = room(&[(1, 5), (2, 5), (3, 5)]);
        for (by, of) in [(1, [2, 3]), (2, [1, 3]), (3, [1, 2])] {
            claim(&mut bob, by, &of);
        }
        turn(&mut bob, 1, false);
        assert_eq!([1, 2, 3].map(|one| person(&bob, one)), [2, 2, 2]);
        turn(&mut bob, 2, false);
        assert_eq!([1, 2, 3].map(|one| person(&bob, one)), [3, 3, 3]);
        assert_eq!(bob.people(), 2);
    }

    #[test]
    fn nobody_is_tied_to_somebody_through_a_third() {
        let mut bob = room(&[(1, 5), (2, 5), (3, 5)]);
        claim(&mut bob, 1, &[2]);
        claim(&mut bob, 2, &[1, 3]);
        claim(&mut bob, 3, &[2, 1]);
        assert_eq!([1, 2, 3].map(|one| person(&bob, one)), [1, 1, 3]);
        claim(&mut bob, 1, &[]);
        assert_eq!([1, 2, 3].map(|one| person(&bob, one)), [1, 2, 2]);
    }

    #[test]
    fn what_is_under_my_account_is_mine_only_if_a_good_device_proved_it() {
        let mut room = room(&[(1, ME), (2, 5)]);
        claim(&mut room, 1, &[ME]);
        let other = MemberId(1);
        let leads = |room: &Room| room.leads(&[ME; 16], &[1; 32]);
        // A steward who knows my account comes in under it, and says that I am theirs.
        assert!(!room.is_own(other) && !leads(&room));
        assert_eq!(person(&room, 1), 1);
        assert!(!room.vouch_for_own());
        room.own = BTreeSet::from([[1; 32]]);
        assert!(room.vouch_for_own() && !room.vouch_for_own());
        assert!(room.is_own(other) && leads(&room));
        assert_eq!(person(&room, 1), u64::from(ME));
        // It is thrown out.
        room.own.clear();
        assert!(room.vouch_for_own());
        assert!(!room.is_own(other) && !leads(&room));
        assert!(!room.claims.contains_key(&MemberId(u64::from(ME))));
    }
}
