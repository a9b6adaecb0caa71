//! A contact put a backup back and asks to begin anew: I make a group with them
//! and say again what they may have forgotten. Their half is in
//! [`restore`](super::restore).
//!
//! The conversation stays what it is: its name, who is called which leaf, what
//! was said, and the keys by which both know each other. Only the group is
//! another, and its epochs come after all that were.

use core::time::Duration;

use hushwing_delivery::{Address, Keep, LetterId, RepeatId, SealKey};
use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::hear::Arrival;
use super::{Call, Messenger};
use crate::anew::{Answer, Ask};
use crate::content::{AddressUpdate, Content};
use crate::mls::{CheckedKeyPackage, Group, LeafKey, Place};
use crate::storage::{RepeatRecord, Standing};
use crate::{ContactId, ConversationId, DropReason, Secret};

/// How far ahead a contact's clock may be. One that is further ahead could never
/// ask again once it is right.
pub(super) const AHEAD: Duration = Duration::from_secs(25 * 3600);
/// What was confirmed so long before the last message an asker knows, in
/// milliseconds, may still not be known there, for clocks differ.
const SLACK: u64 = AHEAD.as_millis() as u64;
/// Between two groups that are made for one contact: each costs more than a
/// letter.
const PAUSE: Duration = Duration::from_secs(60);
/// Epochs by which the other side of a conversation that both restored may be
/// ahead.
const MOST_UNKNOWN: u64 = 1 << 20;

impl Messenger {
    /// Somebody asks to begin a conversation anew.
    pub(super) fn asked_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        arrival: Arrival,
        items: &[&[u8]],
    ) -> Result<(), StorageError> {
        let Some(contact) = self.conversation_of(arrival.mailbox) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        if self.pairs.is_cut(contact) {
            // Whoever has the device that was thrown out has its keys.
            return self.drop_letter(Some(contact), DropReason::Letter);
        }
        if self.is_blocked(contact) {
            // They ask again every week, so unblocking is enough.
            return Ok(());
        }
        self.within(call, contact, |this, call| {
            match this.opened_ask(call, contact, items)? {
                Some(ask) => this.begin_anew(call, contact, ask, arrival.repeat),
                None => this.drop_letter(Some(contact), DropReason::Letter),
            }
        })
    }

    /// What a contact asks, if it is theirs and nothing newer was asked.
    fn opened_ask(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        items: &[&[u8]],
    ) -> Result<Option<Ask>, StorageError> {
        let Some(their_key) = self.their_lasting_key(call, contact)? else {
            return Ok(None);
        };
        let Some(person) = self.people.get(&contact) else {
            return Ok(None);
        };
        let latest = (call.cx.wall() + AHEAD).as_millis();
        let ask = Ask::open(items, person.record.conversation, &their_key).filter(|ask| {
            let usable = usable(&ask.addresses);
            usable && ask.made_at >= person.era.asked_at && ask.made_at <= latest
        });
        Ok(ask)
    }

    /// The key by which a contact may ask. None where it is not theirs to ask.
    fn their_lasting_key(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Option<[u8; 32]>, StorageError> {
        match self.standing(contact) {
            Some(Standing::Established) => {
                let (_, group, _) = self.at_hand(call, contact)?;
                Ok(group.their_key())
            }
            // Both restored. One of us has to make the group; I do if my key is
            // the higher one, and wait for theirs if not.
            Some(Standing::Restoring) => {
                let theirs = self.their_restored_key(call, contact)?;
                let person = self.people.get(&contact);
                let mine = person.and_then(|p| LeafKey::from_secret(&p.record.signing_key));
                Ok(mine.filter(|mine| mine.public() > theirs).map(|_| theirs))
            }
            _ => Ok(None),
        }
    }

    fn begin_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        ask: Ask,
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let again = person.era.asked_at == ask.made_at;
        let now = call.cx.now();
        let made = self.made_anew.get(&contact);
        if !again && made.is_some_and(|at| now < *at + PAUSE) {
            return self.put_off(call, contact, ask, repeat);
        }
        let ask = &ask;
        let moved = !again || ask.addresses.revision > person.record.address_revision;
        if moved {
            person.record.address_revision = ask.addresses.revision;
            let addresses = ask.addresses.addresses.iter().cloned();
            person.record.addresses = addresses.map(Secret::new).collect();
            person.save(call.storage)?;
            self.keep_recovery(call, contact, &ask.addresses)?;
            self.readdress_posts(call, contact)?;
        }
        if again {
            // The answer may be lost, or have gone to where they are no more.
            return self.post_commit_again(call, contact).map(drop);
        }
        self.made_anew.insert(contact, now);
        self.keep_asking(call, contact)?;
        self.leave_pairs(call, contact)?;
        let Some((group, place, welcome)) = self.make_group(call, contact, ask)? else {
            return self.drop_letter(Some(contact), DropReason::JoinRequest);
        };
        // What the lost device said there may still come, unless nobody ever
        // came to that group, or it is one of a backup of mine.
        let person = self.people.get(&contact);
        let readable = person.is_some_and(|person| {
            person.record.standing == Standing::Established && person.era.answer.is_empty()
        });
        self.stop_talking(call, contact)?;
        self.leave_for(call, contact, group, place, readable)?;
        // By two clocks, which may differ.
        let since = Timestamp::from_millis(ask.since.saturating_sub(SLACK));
        call.storage.unconfirm_since(contact, since)?;
        self.answer_anew(call, contact, ask, place, &welcome)?;
        self.note_restored(call, contact)?;
        self.tell_contact(contact);
        Ok(())
    }

    /// They ask again so soon that it waits: somebody who puts two backups back, or
    /// whose asks all lay at a server. After a crash they ask again, or another copy
    /// comes.
    fn put_off(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        ask: Ask,
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        if let Some(repeat) = repeat {
            self.office.forget_repeat(&mut *call.storage, repeat)?;
        }
        let waiting = self.asked_too_soon.get(&contact);
        if waiting.is_none_or(|waiting| waiting.made_at < ask.made_at) {
            self.asked_too_soon.insert(contact, ask);
        }
        Ok(())
    }

    /// When the first of those who asked too soon is answered.
    pub(super) fn asks_due_at(&self) -> Option<Moment> {
        let waiting = self.asked_too_soon.keys();
        let made = waiting.map(|contact| self.made_anew.get(contact).copied().unwrap_or_default());
        made.min().map(|made| made + PAUSE)
    }

    /// Answers those who asked too soon.
    pub(super) fn asks_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let made = |contact: &ContactId| self.made_anew.get(contact).copied().unwrap_or_default();
        let waiting = self.asked_too_soon.keys().copied();
        let due: Vec<_> = waiting
            .filter(|contact| made(contact) + PAUSE <= now)
            .collect();
        for contact in due {
            let Some(ask) = self.asked_too_soon.remove(&contact) else {
                continue;
            };
            let person = self.people.get(&contact);
            let newest = person.is_some_and(|person| ask.made_at > person.era.asked_at);
            if newest && !self.is_blocked(contact) && !self.pairs.is_cut(contact) {
                self.within(call, contact, |this, call| {
                    this.begin_anew(call, contact, ask, None)
                })?;
            }
        }
        Ok(())
    }

    /// A new group with the key package that a contact sent; `None` where that
    /// is of no use.
    fn make_group(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        ask: &Ask,
    ) -> Result<Option<(Group, Place, Vec<u8>)>, StorageError> {
        let damaged = || StorageError::corrupt("reading a signing key");
        let Some(theirs) = self.their_lasting_key(call, contact)? else {
            return Ok(None);
        };
        let person = self.people.get(&contact).ok_or_else(damaged)?;
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let package = CheckedKeyPackage::check(&self.crypto, &ask.key_package);
        let Some(package) = package.filter(|package| package.is_of(&theirs)) else {
            return Ok(None);
        };
        let last = person.tail.last.map_or(0, |last| last.epoch);
        let mine = self.groups.get(&contact).map_or(last, Group::epoch);
        let present = ask.epoch.min(mine.saturating_add(MOST_UNKNOWN)).max(mine);
        // What was said in pairs stands before what is said now.
        let paired = self.places_of(contact).into_iter();
        let paired = paired.filter_map(|place| self.rooms.get(place)?.tail.last);
        let present = paired.map(|last| last.epoch).fold(present, u64::max);
        let place = Place {
            // One more may have begun that only they knew of.
            before: present.saturating_add(1),
            ..person.place()
        };
        let name = ConversationId(call.cx.random());
        let rows = &mut *call.storage;
        let made = Group::create(&self.crypto, call.cx, rows, name, key, &package)?;
        Ok(made
            .ok()
            .map(|(group, welcome)| (group.placed(place), place, welcome)))
    }

    /// Nothing that was encrypted in the old group is of use any more.
    pub(super) fn stop_talking(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.call_receipts_back(call, contact)?;
        self.readdress_posts(call, contact)?;
        call.storage.remove_all_held(contact)?;
        self.shelf.forget(contact);
        self.repeats.forget(contact);
        RepeatRecord::clear(call.storage, contact)?;
        let person = self.people.get_mut(&contact);
        let commit = person.and_then(|person| person.record.commit_letter.take());
        self.keep_commit(call, contact, &[])?;
        let said = call.storage.on_the_way(contact)?.into_iter();
        for letter in said.filter_map(|(_, _, letter)| letter).chain(commit) {
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        Ok(())
    }

    /// Posts the Welcome, with my addresses behind it.
    fn answer_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        ask: &Ask,
        place: Place,
        welcome: &[u8],
    ) -> Result<(), StorageError> {
        let damaged = || StorageError::corrupt("answering who restored");
        self.forget_old_addresses(call, contact)?;
        let addresses = Content::Addresses(self.my_addresses(contact));
        let Some((mut record, message)) = self.utter_control(call, contact, &addresses)? else {
            return Ok(());
        };
        let person = self.people.get_mut(&contact).ok_or_else(damaged)?;
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let answer = Answer {
            made_at: ask.made_at,
            before: place.before,
            asked: person.reunion.asked,
            welcome,
            messages: vec![&message],
        };
        let bytes = answer.letter(person.record.conversation, &key);
        let bytes = bytes.ok_or_else(damaged)?;
        person.era.asked_at = ask.made_at;
        person.era.answer.clone_from(&bytes);
        person.era.put(call.storage, contact)?;
        person.reunion.void = person.reunion.asked;
        person.reunion.put(call.storage, contact)?;
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        record.letter = letter.map(|letter| letter.0);
        call.storage.add_message(&record)?;
        if let Some(person) = self.people.get_mut(&contact) {
            person.record.commit_letter = record.letter;
            person.save(call.storage)?;
        }
        Ok(())
    }

    /// They are in the new group: what they may lack is said again there.
    pub(super) fn anew_came_through(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get_mut(&contact);
        let Some(person) = person.filter(|person| !person.era.answer.is_empty()) else {
            return Ok(());
        };
        person.era.answer.clear();
        person.era.put(call.storage, contact)?;
        let request = person.era.request.as_ref();
        if request.is_some_and(|request| request.made_at <= person.reunion.void) {
            // They are where I am, and know that I ask no more. What I asked
            // since they may have answered, and then they are elsewhere.
            self.end_request(call, contact)?;
        }
        self.say_all_again(call, contact, true, true)?;
        self.resume_debts_of(call, contact)
    }
}

/// Whether letters can be posted to them. Between people who know each other
/// there are shared secrets only.
fn usable(update: &AddressUpdate) -> bool {
    let mut all = update.addresses.iter().chain(&update.recovery);
    let shared = |bytes: &Vec<u8>| match Address::decode(bytes) {
        Ok(address) => matches!(address.seal, SealKey::Shared(_)),
        // Of a newer program; another one is there.
        Err(_) => true,
    };
    let mut service = update.addresses.iter();
    service.any(|bytes| Address::decode(bytes).is_ok()) && all.all(shared)
}
