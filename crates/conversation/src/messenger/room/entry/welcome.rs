//! The Welcome: mine to those a commit of mine added, and another's to me.

use core::ops::RangeInclusive;

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;

use super::pair::is_the_pair;
use crate::branches::{Invited, Keeper, Lent, OwnPackage, WelcomeFault};
use crate::content::{Content, RoomStep, RoomWord};
use crate::fork_choice::StateName;
use crate::letter::{LetterBody, MOST_WITH_WELCOME};
use crate::messenger::device::MOST_DEVICES;
use crate::messenger::room::commits::FAREWELL;
use crate::messenger::room::{GroupSize, MOST_OF_ONE, account};
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{EntryRecord, MemberRecord, PackageRecord, RoomStanding, WelcomeRecord};
use crate::{ContactId, ConversationId, DropReason, MemberId, RoomId, Secret};

impl Messenger {
    /// A Welcome came to a room's mailbox. Whoever has my key package can make a
    /// group of any names, so it is followed only if the leaf signed it that the
    /// contact named who offered the room.
    pub(in crate::messenger) fn heard_welcome(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        welcome: &[u8],
    ) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        let open = match record.standing {
            RoomStanding::Joining | RoomStanding::Member | RoomStanding::Restoring => true,
            RoomStanding::Left => record.may_return,
            _ => false,
        };
        let Some(package) = record.package.as_ref().filter(|_| open) else {
            return self.drop_letter(None, DropReason::Room);
        };
        let (key, by) = (package.key.clone(), package.steward);
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let invited = Keeper::invited(&mut lent, welcome, own(&key))?;
        let (size, each) = match self.devices.meet_in(room) {
            true => (GroupSize::of_devices(), MOST_DEVICES..=MOST_DEVICES),
            false => (self.config.group_size, 1..=MOST_OF_ONE),
        };
        let pair = self.pairs.of_group(record.conversation);
        let fits = |invited: &Invited| {
            if let Some(pair) = pair {
                return is_the_pair(pair, package, invited);
            }
            let bounded = size.admits(&invited.policy);
            bounded && is_asked_for(record.conversation, package, invited, &each)
        };
        if !invited.as_ref().is_ok_and(fits) {
            return self.drop_letter(None, DropReason::Room);
        }
        if self.devices.meet_in(room) && self.devices.waits_for_word() {
            return self.keep_welcome(call, welcome);
        }
        let first = self.is_first_of_entry(call, room)?;
        let contact = self.contact_of_pair(room);
        if first && contact.is_some_and(|contact| !self.may_be_a_pair(contact)) {
            // It was kept back, and something else was agreed since.
            return self.drop_letter(contact, DropReason::Room);
        }
        match first {
            true => self.enter_anew(call, room, welcome, &key),
            false if !self.leads_still(room, &by)? => self.drop_letter(None, DropReason::Room),
            false => self.enter_again(call, room, welcome, &key, &by),
        }
    }

    /// Whether who welcomed me first may do so again: not if the state I follow
    /// removed them or made them a steward no more, or they could lead me out of
    /// it at any time, by any state that they were in.
    pub(super) fn leads_still(&mut self, room: RoomId, key: &[u8]) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        if known.record.standing != RoomStanding::Member {
            return Ok(true);
        }
        let mut leaves = known.members.values();
        let leaf = leaves.find(|member| member.present && member.key == key);
        let meeting = known.record.id;
        let leads = leaf.is_some_and(|leaf| known.leads(&leaf.account, &leaf.key));
        Ok(leads || leaf.is_some() && self.devices.meet_in(meeting))
    }

    /// Whether nothing is kept of the entry that my last answer asked for.
    fn is_first_of_entry(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        let kept = self.has_keeper(call, room)?;
        let record = &self.rooms.find(room)?.record;
        let asked = record.package.as_ref().map(|package| &package.account);
        Ok(!kept || asked != Some(&record.account))
    }

    /// Enters with a fresh leaf. What is kept of an entry before goes: its keys are
    /// of another leaf, and it may not have heard that it was removed.
    fn enter_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        welcome: &[u8],
        key: &Secret,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        if let Some(package) = &record.package {
            record.account.clone_from(&package.account);
        }
        let id = record.conversation;
        // All replaced their mailboxes when I was removed, and nobody told me.
        for member in self.rooms.find(room)?.members.values_mut() {
            if !member.mine && member.revision > 0 {
                member.addresses.clear();
                member.revision = 0;
                call.storage.put_member(member)?;
            }
        }
        self.rooms.keepers.remove(&room);
        self.rooms.missing.forget(room);
        self.rooms.held.forget(room);
        Keeper::forget(&mut *call.storage, id)?;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        // It was looked at, and is followed as it is.
        let keeper = Keeper::join(&mut lent, welcome, own(key))?;
        let error = |fault| StorageError::corrupt("entering a room").because(fault);
        let keeper = keeper.map_err(error)?;
        self.rooms.keepers.insert(room, keeper);
        self.entered(call, room)?;
        self.greet_room(call, room)?;
        self.hear_held_in(call, room)
    }

    /// A second Welcome by the same key package: the branch of the first was lost.
    fn enter_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        welcome: &[u8],
        key: &Secret,
        by: &[u8],
    ) -> Result<(), StorageError> {
        let outcome = self.keeper(call, room, |keeper, lent| {
            keeper.join_again_vouched(lent, welcome, own(key), by)
        })?;
        match outcome {
            Ok(told) => {
                self.entered(call, room)?;
                self.act_on(call, room, told)?;
                self.greet_room(call, room)?;
                self.hear_held_in(call, room)
            }
            Err(WelcomeFault::Known) => Ok(()),
            Err(_) => self.drop_letter(None, DropReason::Room),
        }
    }

    fn entered(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let epoch = self.keeper(call, room, |keeper, _| Ok(keeper.epoch()))?;
        let record = &mut self.rooms.find(room)?.record;
        if let Some(package) = &mut record.package {
            let since = package.entered.map_or(now, |entered| entered.since);
            package.entered = Some(EntryRecord { epoch, since });
        }
        record.standing = RoomStanding::Member;
        record.ended = None;
        record.may_return = false;
        let package = record.package.clone();
        let account = record.account.clone();
        self.save_room(call, room)?;
        self.note_entered(call, room, &account)?;
        self.refresh(call, room)?;
        // The greeting says which devices are mine.
        self.find_own_quietly(call, room)?;
        if self.devices.meet_in(room) {
            self.device_linked(call)?;
            // Whoever read the link knows where I am written to.
            self.leave_told_mailbox(call, room)?;
        } else if let Some(package) = package.filter(|one| self.people.contains_key(&one.by)) {
            // The leaf that the contact said is theirs, and no other, bears their name.
            self.bind_contact(call, room, &package.steward, package.by)?;
        }
        if !self.devices.meet_in(room) {
            self.want_history_in(call, room, epoch)?;
        }
        self.tell_room(room);
        self.sweep(call, room)?;
        if self.is_pair(room) {
            self.pair_entered(call, room)?;
        }
        self.share_rooms(call)
    }

    /// The leaf with this key is a contact's, by their own word.
    fn bind_contact(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        key: &[u8],
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let members = self.rooms.find(room)?.members.values();
        let mut theirs = members.filter(|member| member.key == key && !member.mine);
        let Some(record) = theirs.next().cloned() else {
            return Ok(());
        };
        let contact = Some(contact);
        self.save_member(call, MemberRecord { contact, ..record })
    }

    /// A Welcome to those a commit of mine added. What goes with it is sealed in the state that
    /// they enter: a later one they may learn from others alone, of whom it tells them.
    pub(in crate::messenger) fn welcome_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        state: StateName,
        (to, welcome): (&[Vec<u8>], &[u8]),
    ) -> Result<(), StorageError> {
        let rosters = self.rosters(room)?;
        // Where so much came at once that it is not held any more, the newcomer asks for what
        // it lacks, as for any state it does not know.
        let state = self.keeper(call, room, |keeper, _| Ok(keeper.held_or_followed(state)))?;
        for key in to {
            let known = self.rooms.find(room)?;
            let conversation = known.record.conversation;
            let Some(member) = known.present(key) else {
                continue;
            };
            let member = member.member;
            let mut sides = Vec::new();
            for entries in rosters.iter().cloned() {
                let content = Content::Room(RoomWord {
                    room: conversation,
                    step: RoomStep::Roster(entries),
                });
                sides.extend(self.seal_aside_in(call, room, (member, state), &content)?);
            }
            if let Some(mine) = self.some_claims(room)? {
                sides.extend(self.seal_aside_in(call, room, (member, state), &mine)?);
            }
            if sides.is_empty() {
                continue;
            }
            let most = MOST_WITH_WELCOME.saturating_sub(sides.len());
            sides.extend(self.past_for(call, room, (member, state), most)?);
            let body = Secret::new(LetterBody::welcome(welcome, &sides));
            self.call_back_welcome(call, room, member)?;
            self.post_welcome(call, room, member, body)?;
        }
        Ok(())
    }

    /// Until they greet.
    fn post_welcome(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        body: Secret,
    ) -> Result<(), StorageError> {
        let bytes = body.expose().to_vec();
        let letter = self.post_to_member(call, room, member, bytes, Keep::UntilSettled)?;
        let Some(record) = self.rooms.find(room)?.members.get(&member).cloned() else {
            return Ok(());
        };
        let letter = letter.map(|letter| letter.0);
        let welcome = Some(WelcomeRecord { letter, body });
        self.save_member(call, MemberRecord { welcome, ..record })
    }

    /// Who was removed before they greeted is not to come in by a Welcome that is
    /// still on its way. It is kept: another branch may bring them back.
    pub(in crate::messenger) fn call_back_welcome(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = self.rooms.find(room)?.members.get(&member).cloned() else {
            return Ok(());
        };
        let letter = record.welcome.as_mut().and_then(|one| one.letter.take());
        let Some(letter) = letter else {
            return Ok(());
        };
        self.recall(call, letter)?;
        self.save_member(call, record)
    }

    /// The removal of who had not greeted yet was undone.
    pub(in crate::messenger) fn welcome_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let record = self.rooms.find(room)?.members.get(&member);
        let welcome = record.and_then(|record| record.welcome.clone());
        match welcome {
            Some(welcome) if welcome.letter.is_none() => {
                self.post_welcome(call, room, member, welcome.body)
            }
            _ => Ok(()),
        }
    }

    /// Lets go of the key package that I came in by once nothing can undo the state I
    /// came into: another Welcome by it could only lead away from where all are.
    pub(in crate::messenger) fn let_package_go(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let oldest = self.rooms.keepers.get(&room).map(Keeper::oldest_epoch);
        let package = self.rooms.find(room)?.record.package.as_ref();
        let Some(entered) = package.and_then(|package| package.entered) else {
            return Ok(());
        };
        let past = oldest.is_some_and(|oldest| oldest > entered.epoch);
        match past || entered.since + FAREWELL <= now {
            true => {
                self.forget_package(call, room)?;
                self.save_room(call, room)
            }
            false => Ok(()),
        }
    }

    /// Lets go of the key package of an answer before: nobody comes in by it.
    pub(in crate::messenger) fn forget_package(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        match self.rooms.find(room)?.record.package.take() {
            Some(before) => OwnPackage::forget(&mut *call.storage, &before.reference),
            None => Ok(()),
        }
    }
}

/// The private key of my leaf, asked for by the public one.
fn own(key: &Secret) -> impl FnOnce(&[u8]) -> Option<Secret> + '_ {
    |public| {
        let own = LeafKey::from_secret(key)?;
        (own.public() == public).then(|| key.clone())
    }
}

/// Whether a Welcome is to the group that was offered, by the leaf that offered
/// it, for the account that I answered with, and by its rules never of more leaves
/// than can be written to, nor of more of one account than may be.
fn is_asked_for(
    room: ConversationId,
    package: &PackageRecord,
    invited: &Invited,
    each: &RangeInclusive<u16>,
) -> bool {
    let of_one = invited.policy.most_of_one().map(u16::try_from);
    invited.group == room
        && account(&package.account).is_ok_and(|mine| mine == invited.account)
        && invited.by.signature_key == package.steward
        && matches!(of_one, Some(Ok(of_one)) if each.contains(&of_one))
}
