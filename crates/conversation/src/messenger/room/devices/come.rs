//! A device of mine comes into a group that another is in, and is let in.
//!
//! What it asks with says, signed by the leaf it will be, that this is its: so it is known
//! as mine from the first state in which it is there.

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::branches::{AccountId, Lent, MemberPackage, OwnPackage, Succession, Wish};
use crate::content::{Content, Entry, RoomStep, RoomWord, Shared};
use crate::messenger::device::proof::statement;
use crate::messenger::room::commits::Budgets;
use crate::messenger::room::{MOST_OF_ONE, account};
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{
    LeafRecord, LeavesRecord, MemberRecord, PackageRecord, RoomRecord, RoomStanding,
};
use crate::{ConversationId, DropReason, MemberId, RoomId};
use openmls_traits::signatures::Signer as _;

/// With how many leaves a device may ask to come, and the time in which it may with one
/// more: each is a word to a whole group.
const OF_ONE: (u32, Duration) = (256, Duration::from_secs(60));

/// How often devices asked to come.
pub(in crate::messenger) struct Comes(Budgets);

impl Default for Comes {
    fn default() -> Self {
        Self(Budgets::new(OF_ONE.0, OF_ONE.1))
    }
}

impl Messenger {
    /// Goes along to a group that was founded in the place of one I am in, of which
    /// another device told; the room it is, if I am in that.
    pub(super) fn go_along(
        &mut self,
        call: &mut Call<'_, '_>,
        shared: &Shared,
    ) -> Result<Option<RoomId>, StorageError> {
        let Some(claim) = Succession::read(&shared.before) else {
            return Ok(None);
        };
        let room = self.conversations.get(&claim.group).copied();
        let room = room.map(RoomId::at).filter(|room| {
            let inside = self.rooms.standing(*room) == Some(RoomStanding::Member);
            inside && !self.devices.meet_in(*room)
        });
        let Some(room) = room else {
            return Ok(None);
        };
        let mut follows = false;
        self.within(call, room.place(), |this, call| {
            follows = this.is_founded_by_another(call, room, shared.room, &claim)?;
            match follows {
                true => this.go_by_another_id(call, room, shared.room),
                false => Ok(()),
            }
        })?;
        Ok(follows.then_some(room))
    }

    /// Enters a group that another device is in: as soon as there is a mailbox for it, the
    /// word leaves that I want to come.
    pub(in crate::messenger::room) fn join_shared(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        shared: &Shared,
        before: Option<RoomId>,
    ) -> Result<(), StorageError> {
        if !self.has_place_for_shared(shared.room) {
            return self.drop_letter(None, DropReason::TooManyRooms);
        }
        let record = match before {
            Some(room) => self.end_stay_before(call, room)?,
            None => RoomRecord {
                account: shared.account.as_bytes().to_vec(),
                ..self.new_room(call, shared.room, &shared.name)?
            },
        };
        let room = record.id;
        let package = self.package_for(call, &shared.account, device, shared.key)?;
        let record = RoomRecord {
            standing: RoomStanding::Joining,
            my_name: shared.my_name.clone(),
            since: call.cx.wall(),
            ended: None,
            leave_said: 0,
            may_return: false,
            package: Some(package),
            ..record
        };
        match before {
            Some(_) => {
                self.rooms.find(room)?.record = record;
                self.save_room(call, room)?;
            }
            None => self.add_room(call, record)?,
        }
        // What it proved came before the group was known.
        self.find_own_quietly(call, room)?;
        self.open_room_mailbox(call, room)?;
        self.tell_room(room);
        Ok(())
    }

    /// What is left of a stay as another account.
    fn end_stay_before(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<RoomRecord, StorageError> {
        self.forget_package(call, room)?;
        self.fail_said(call, room)?;
        let since = call.cx.wall();
        self.retire_mailboxes(room, since)?;
        Ok(self.rooms.find(room)?.record.clone())
    }

    fn package_for(
        &mut self,
        call: &mut Call<'_, '_>,
        me: &AccountId,
        device: MemberId,
        steward: [u8; 32],
    ) -> Result<PackageRecord, StorageError> {
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let package = OwnPackage::make(&mut lent, me)?;
        Ok(PackageRecord {
            account: me.as_bytes().to_vec(),
            by: device.place(),
            steward,
            reference: package.reference,
            message: package.message,
            key: package.key,
            entered: None,
        })
    }

    /// Says once more that I want to come, or to another device than before.
    pub(super) fn come_by(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: MemberId,
        key: [u8; 32],
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        if let Some(package) = &mut record.package {
            (package.by, package.steward) = (device.place(), key);
        }
        let ready = record.mailbox.is_some();
        self.save_room(call, room)?;
        match ready {
            true => self.say_answer(call, room),
            false => Ok(()),
        }
    }

    /// Says to the device that told of a group that I want to come; whether a device did.
    pub(in crate::messenger) fn say_come(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        package: &PackageRecord,
        leaf: &LeafKey,
    ) -> Result<bool, StorageError> {
        let by = MemberId(package.by.0);
        let good = self.good_devices(call.storage)?;
        let Some(good) = good.filter(|good| good.key_of(by).is_some()) else {
            return Ok(false);
        };
        let entry = self.entry_of(room, leaf.public())?;
        let group = self.rooms.find(room)?.record.conversation;
        let said = statement(good.conversation, &good.me, group, &leaf.public());
        let Some(Ok(proof)) = leaf.sign(&said).ok().map(TryInto::try_into) else {
            return Ok(true);
        };
        let content = Content::Room(RoomWord {
            room: group,
            step: RoomStep::Come {
                package: package.message.clone(),
                entry,
                proof,
            },
        });
        self.within_told(call, good.room, by, &content)?;
        Ok(true)
    }

    /// A device wants to come into a group that this one told it of.
    pub(super) fn heard_come(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        conversation: ConversationId,
        (package, proof): (&[u8], &[u8; 64]),
        entry: &Entry,
    ) -> Result<(), StorageError> {
        let place = self.conversations.get(&conversation).copied();
        let room = place.map(RoomId::at).filter(|room| {
            let inside = self.rooms.standing(*room) == Some(RoomStanding::Member);
            inside && !self.devices.meet_in(*room)
        });
        let Some(room) = room else {
            return self.drop_letter(None, DropReason::Room);
        };
        let mine = self.rooms.find(room)?.account()?;
        let checked = MemberPackage::check(&self.crypto, package);
        let sound =
            checked.is_some_and(|one| *one.account() == mine && one.signature_key() == entry.key);
        let again = self.rooms.find(room)?.member_by(&mine, &entry.key).cloned();
        let let_in = match &again {
            // Who was thrown out does not come back by what it asked with before.
            Some(one) => one.present || one.gone.is_none(),
            None => self.has_place_for_device(call, room, device)?,
        };
        let leaf = LeafRecord {
            device: Vec::new(),
            conversation,
            account: mine.as_bytes().to_vec(),
            key: entry.key,
        };
        if !sound || !let_in || self.signed_by(call, device, &leaf, proof)?.is_none() {
            return self.drop_letter(None, DropReason::Room);
        }
        let fresh = again.is_none();
        if fresh && !self.rooms.comes.0.take(device, 1, call.cx.now()) {
            return self.drop_letter(None, DropReason::Room);
        }
        let present = again.is_some_and(|one| one.present);
        self.within(call, room.place(), |this, call| {
            this.forget_waiting_of(call, room, device, entry.key)?;
            let member = this.member_for(call, room, &mine, &entry.key)?;
            this.learn(call, room, member, entry)?;
            this.note_leaf(call, device, leaf, proof)?;
            match present {
                // Its mailbox was lost before it was in.
                true => Ok(()),
                false => this.want(call, room, Wish::Add(package.to_vec())),
            }
        })
    }

    /// Whether a further device may come: nobody is in it twice, nor more than may be.
    fn has_place_for_device(
        &mut self,
        call: &Call<'_, '_>,
        room: RoomId,
        device: MemberId,
    ) -> Result<bool, StorageError> {
        let good = self.good_devices(call.storage)?;
        let device = good.and_then(|good| good.key_of(device).map(<[u8]>::to_vec));
        let leaves = LeavesRecord::read(call.storage)?;
        let known = self.rooms.find(room)?;
        let mut theirs = leaves.within(known.record.conversation);
        let inside = theirs.any(|leaf| {
            let theirs = Some(&leaf.device) == device.as_ref();
            theirs && known.present(&leaf.key).is_some()
        });
        let all = known.members.values();
        let own = all.filter(|one| one.present && one.account == known.record.account);
        let most = usize::from(MOST_OF_ONE).min(known.each);
        Ok(!inside && own.count() < most)
    }

    /// Of what a device asked with only the last stands.
    fn forget_waiting_of(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: MemberId,
        last: [u8; 32],
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        let device = good.and_then(|good| good.key_of(device).map(<[u8]>::to_vec));
        let mut leaves = LeavesRecord::read(call.storage)?;
        let known = self.rooms.find(room)?;
        let group = known.record.conversation;
        let never_in = |one: &MemberRecord| !one.present && one.gone.is_none();
        let waits = |leaf: &LeafRecord| {
            let theirs = leaf.conversation == group && Some(&leaf.device) == device.as_ref();
            let mut members = known.members.values();
            let member = members.find(|one| one.key == leaf.key);
            theirs && leaf.key != last && member.is_some_and(never_in)
        };
        let waiting: Vec<_> = leaves.leaves.iter().filter(|one| waits(one)).collect();
        let keys: Vec<[u8; 32]> = waiting.into_iter().map(|leaf| leaf.key).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let members = known.members.values();
        let members = members.filter(|one| keys.iter().any(|key| one.key == key));
        let members: Vec<_> = members.map(|one| one.member).collect();
        leaves.leaves.retain(|leaf| !keys.contains(&leaf.key));
        leaves.put(call.storage)?;
        self.let_adds_go(call, room, |key| keys.iter().any(|one| one == key))?;
        members
            .into_iter()
            .try_for_each(|member| self.forget_member(call, room, member))
    }

    /// Wants some leaves of my account to be added no more.
    pub(super) fn let_adds_go(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        of: impl Fn(&[u8]) -> bool,
    ) -> Result<(), StorageError> {
        let me = account(&self.rooms.find(room)?.record.account)?;
        self.keeper(call, room, |keeper, lent| {
            let crypto = lent.crypto;
            let meant = |package: &[u8]| {
                let checked = MemberPackage::check(crypto, package);
                checked.is_some_and(|one| *one.account() == me && of(one.signature_key()))
            };
            keeper.withdraw(
                lent.rows,
                |wish| matches!(wish, Wish::Add(package) if meant(package)),
            )
        })
    }
}
