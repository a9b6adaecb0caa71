//! Founding a room anew that a backup brought, and of which nobody is a higher steward.
//!
//! Nobody may remove the lost leaf of its highest steward, so nobody can let another in.
//! Whoever put the backup back founds the room again, as the commit rule's third road for
//! lost states has it: the new group says upon which it follows, signed by the old leaf
//! (`protocol/commits.md` section 6). Who was in it comes along by themselves, if the
//! founder is the highest steward in the state they follow, by the word of the contact who
//! tells it: that person could have removed everybody and added them again. It stays the
//! same room to all, with what was said in it.

use hushwing_sansio::StorageError;

use crate::branches::{AccountId, Keeper, Lent, Member, Succession};
use crate::content::{RoomStep, RoomWord};
use crate::messenger::room::entry::OFFER_LIFE;
use crate::messenger::{Call, Messenger};
use crate::storage::{RoomFollowersRecord, RoomReturnRecord, RoomStanding, Standing};
use crate::{ContactId, ConversationId, DropReason, RoomId};

/// Who claims that a group follows upon another, as the state there has it.
struct Founder {
    leaf: Member,
    stewards: Vec<AccountId>,
}

impl Messenger {
    /// Founds the rooms of a backup anew of which I was the highest steward.
    pub(in crate::messenger) fn found_restored_anew(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let records = self.rooms.records();
        let restoring = records.filter(|one| one.standing == RoomStanding::Restoring);
        for room in restoring.map(|one| one.id).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| this.found_anew(call, room))?;
        }
        Ok(())
    }

    pub(super) fn found_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (new, now) = (ConversationId(call.cx.random()), call.cx.wall());
        let record = &self.rooms.find(room)?.record;
        if record.standing != RoomStanding::Restoring {
            return Ok(());
        }
        let old = record.conversation;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        // Only read, and signed with: nothing is sealed by what it holds.
        let Some(mut before) = Keeper::open(&mut lent, old)? else {
            return Ok(());
        };
        let stewards = before.stewards()?;
        let known = self.rooms.find(room)?;
        let first = stewards.first().map(AccountId::as_bytes);
        let highest = first.is_some() && first == Some(known.record.account.as_slice());
        // Another device of mine may have the group, and would be left behind in it.
        let waits = self.devices.group_waits(room);
        if !highest || waits || !before.is_member() {
            return Ok(());
        }
        let founded = Keeper::found_anew(&mut lent, &mut before, new, &[])?;
        let Ok((keeper, _)) = founded else {
            return Ok(());
        };
        let known = self.rooms.find(room)?;
        let mut waiting: Vec<_> = known.others().filter_map(|one| one.contact).collect();
        waiting.sort_unstable();
        waiting.dedup();
        let waiting = waiting
            .into_iter()
            .map(|contact| (contact, false))
            .collect();
        self.go_by_another_id(call, room, new)?;
        let account = self.rooms.find(room)?.record.account.clone();
        self.note_entered(call, room, &account)?;
        let since = now;
        RoomFollowersRecord { waiting, since }.put(call.storage, room)?;
        self.retire_mailboxes(room, now)?;
        self.rooms.find(room)?.record.standing = RoomStanding::Member;
        self.save_room(call, room)?;
        self.rooms.keepers.insert(room, keeper);
        self.refresh(call, room)?;
        self.open_room_mailbox(call, room)?;
        self.tell_room(room);
        self.tell_followers(call, room)
    }

    /// The room is kept by another group from now on. What was on its way in the one
    /// before arrives nowhere.
    pub(in crate::messenger) fn go_by_another_id(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        new: ConversationId,
    ) -> Result<(), StorageError> {
        self.fail_said(call, room)?;
        self.forget_package(call, room)?;
        self.clear_broken(call, room)?;
        self.rooms.missing.forget(room);
        self.forget_wide(room);
        self.rooms.held.forget(room);
        let known = self.rooms.find(room)?;
        known.key.clear();
        known.forget_all_kin();
        known.record.asked.clear();
        let old = core::mem::replace(&mut known.record.conversation, new);
        let kept = known.kept.clone();
        self.rooms.find(room)?.before = Some(old);
        self.save_kin(call, room)?;
        call.storage.remove_conversation(old)?;
        call.storage.put_conversation(new, &kept)?;
        self.conversations.remove(&old);
        self.conversations.insert(new, room.place());
        self.save_room(call, room)
    }

    /// Tells those who were in a room that it was founded anew, as soon as I talk with
    /// them again.
    pub(super) fn tell_followers(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = RoomFollowersRecord::of(call.storage, room)? else {
            return Ok(());
        };
        let before = record.clone();
        if record.since + OFFER_LIFE <= call.cx.wall() {
            return RoomFollowersRecord::clear(call.storage, room);
        }
        let conversation = self.rooms.find(room)?.record.conversation;
        let policy = self.keeper(call, room, |keeper, lent| keeper.policy(lent))?;
        let Some(claim) = policy.as_ref().and_then(Succession::of) else {
            return RoomFollowersRecord::clear(call.storage, room);
        };
        for (contact, told) in &mut record.waiting {
            let ready = self.standing(*contact) == Some(Standing::Established);
            if *told || !ready || self.is_blocked(*contact) {
                continue;
            }
            *told = true;
            let word = RoomWord {
                room: conversation,
                step: RoomStep::Anew(claim.bytes().to_vec()),
            };
            self.say_of_room(call, *contact, word)?;
        }
        match (record.waiting.is_empty(), record == before) {
            (true, _) => RoomFollowersRecord::clear(call.storage, room),
            (false, true) => Ok(()),
            (false, false) => record.put(call.storage, room),
        }
    }

    /// A contact asks for a group in whose place I founded another, of which their backup
    /// does not know.
    pub(super) fn tell_of_founding(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        old: ConversationId,
    ) -> Result<(), StorageError> {
        let rooms = self.rooms.by_id.values();
        let common = rooms.filter(|one| one.is_mine() && !one.leaves_of(contact).is_empty());
        for room in common.map(|one| one.record.id).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                let policy = this.keeper(call, room, |keeper, lent| keeper.policy(lent))?;
                let claim = policy.as_ref().and_then(Succession::of);
                let known = this.rooms.find(room)?;
                let mine = |one: &Succession| one.group == old && known.key == one.founder;
                let Some(claim) = claim.filter(mine) else {
                    return Ok(());
                };
                let word = RoomWord {
                    room: known.record.conversation,
                    step: RoomStep::Anew(claim.bytes().to_vec()),
                };
                this.say_of_room(call, contact, word)
            })?;
        }
        Ok(())
    }

    /// Who was to come along has answered, and comes in or not: removed afterwards, they
    /// do not come back by this.
    pub(in crate::messenger) fn came_along(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = RoomFollowersRecord::of(call.storage, room)? else {
            return Ok(());
        };
        record.waiting.retain(|(one, _)| *one != contact);
        record.put(call.storage, room)
    }

    /// Whether a contact was in a room before I founded it anew, and is not yet.
    pub(super) fn is_to_come_along(
        &self,
        call: &Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let record = RoomFollowersRecord::of(call.storage, room)?;
        Ok(record.is_some_and(|record| record.waiting.iter().any(|(one, _)| *one == contact)))
    }

    /// A contact put a backup back and founded a room anew that I am in.
    pub(in crate::messenger) fn founded_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        new: ConversationId,
        claim: &[u8],
    ) -> Result<(), StorageError> {
        let claim = Succession::read(claim).filter(|_| !self.is_known_group(new));
        let Some(claim) = claim else {
            return self.drop_letter(Some(contact), DropReason::Room);
        };
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            let mut follows = false;
            self.within(call, room.place(), |this, call| {
                follows = this.is_led_by(call, room, (contact, new), &claim)?;
                match follows {
                    true => this.come_along(call, room, contact, (new, claim.founder)),
                    false => Ok(()),
                }
            })?;
            if follows {
                return Ok(());
            }
        }
        // They are no steward any more, or not the highest: who is may let them in.
        self.asked_back(call, contact, claim.group)
    }

    /// Whether a contact, who claims to have founded a room anew, is its highest steward
    /// as I know it.
    fn is_led_by(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (contact, new): (ContactId, ConversationId),
        claim: &Succession,
    ) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let theirs = known.leaves_of(contact);
        let open = matches!(
            known.record.standing,
            RoomStanding::Member | RoomStanding::Restoring
        );
        if theirs.is_empty() || !open || self.devices.meet_in(room) {
            return Ok(false);
        }
        let Some(founder) = self.founder_of(call, room, new, claim)? else {
            return Ok(false);
        };
        let known = self.rooms.find(room)?;
        let highest = founder.stewards.first() == Some(&founder.leaf.account);
        let mut theirs = theirs.iter().filter_map(|one| known.members.get(one));
        Ok(highest && theirs.any(|one| one.key == founder.leaf.signature_key))
    }

    /// Whether the highest steward of a room founded another in its place, as I know it,
    /// and that is not of my account: a device of mine leads no other out of a room.
    pub(in crate::messenger) fn is_founded_by_another(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        new: ConversationId,
        claim: &Succession,
    ) -> Result<bool, StorageError> {
        let me = self.rooms.find(room)?.account()?;
        let founder = self.founder_of(call, room, new, claim)?;
        Ok(founder.is_some_and(|founder| {
            let highest = founder.stewards.first() == Some(&founder.leaf.account);
            highest && founder.leaf.account != me
        }))
    }

    fn founder_of(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        new: ConversationId,
        claim: &Succession,
    ) -> Result<Option<Founder>, StorageError> {
        let look = |keeper: &mut Keeper, lent: &mut Lent<'_, '_>| {
            let leaf = match keeper.is_succeeded_by(lent, new, claim)? {
                None => keeper.is_founded_again_as(lent, new, claim)?,
                some => some,
            };
            let stewards = keeper.stewards()?;
            Ok(leaf.map(|leaf| Founder { leaf, stewards }))
        };
        let record = &self.rooms.find(room)?.record;
        if record.standing == RoomStanding::Member {
            return self.keeper(call, room, look);
        }
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        // Of a backup it is only read.
        match Keeper::open(&mut lent, record.conversation)? {
            Some(mut keeper) => look(&mut keeper, &mut lent),
            None => Ok(None),
        }
    }

    /// Leaves the old group of a room for the new one. I am to be let in there.
    fn come_along(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
        (new, founder): (ConversationId, [u8; 32]),
    ) -> Result<(), StorageError> {
        self.go_by_another_id(call, room, new)?;
        let record = &mut self.rooms.find(room)?.record;
        record.standing = RoomStanding::Restoring;
        record.offered_by = Some(contact);
        record.may_return = false;
        self.save_room(call, room)?;
        let record = RoomReturnRecord {
            asked: Vec::new(),
            since: call.cx.wall(),
            trusted: vec![(contact, founder)],
        };
        record.put(call.storage, room)?;
        self.tell_room(room);
        self.return_further(call, room)
    }
}
