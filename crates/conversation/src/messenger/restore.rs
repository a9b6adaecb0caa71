//! After a backup was put back: contacts are asked to begin anew.
//!
//! ```text
//! restored ─▶ Restoring: fresh mailbox asked for ─ MailboxOpened ─▶ ask posted
//!          ─ their answer ─▶ a new group, Established; what was under way is said again
//! ```
//!
//! What MLS knew when the backup was made must not be used again: the lost device
//! may have encrypted other messages with the same keys. So all of it is left
//! alone, and the contact, who has the newest state, makes a new group
//! ([`anew`](super::anew)). The ask goes to all addresses that are known, the one
//! of last resort among them.

use core::time::Duration;

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::{StorageError, Timestamp};

use super::anew::AHEAD;
use super::hear::Arrival;
use super::people::Person;
use super::{Call, Messenger};
use crate::anew::{Answer, Ask};
use crate::content::Mode;
use crate::mls::{FreshKeyPackage, Group, LeafKey, Place, forget_key_package};
use crate::storage::{Position, RequestRecord, Role, Standing};
use crate::{ContactId, DropReason, Storage};

/// An ask that nobody answered is posted again.
const AGAIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// Epochs that a conversation can have had; one a second for a million years.
const MOST_EPOCHS: u64 = 1 << 45;

/// When the newest message that I have of a conversation came or was said.
fn newest(
    storage: &dyn Storage,
    contact: ContactId,
    last: Option<Position>,
) -> Result<Timestamp, StorageError> {
    let Some(last) = last else {
        return Ok(Timestamp::default());
    };
    let record = storage.message(&last.id)?;
    let record = record.filter(|record| record.contact == contact);
    Ok(record.map_or(Timestamp::default(), |record| {
        record.times.delivered.unwrap_or(record.sent_at)
    }))
}

impl Messenger {
    /// Whose group `group` is, if it is the present one of a conversation.
    pub(super) fn whose_group(&self, group: crate::ConversationId) -> Option<ContactId> {
        if let Some(contact) = self.begun_anew.get(&group) {
            return Some(*contact);
        }
        let contact = self.conversations.get(&group)?;
        let first = self.people.get(contact)?.era.group.is_none();
        first.then_some(*contact)
    }

    /// Whether a conversation is called so, or the present group of one.
    pub(super) fn is_known_group(&self, name: crate::ConversationId) -> bool {
        self.conversations.contains_key(&name) || self.begun_anew.contains_key(&name)
    }

    fn restoring(&self) -> Vec<ContactId> {
        let people = self.people.values();
        people
            .filter(|person| person.record.standing == Standing::Restoring)
            .map(|person| person.record.id)
            .collect()
    }

    /// Asks for the mailboxes in which answers shall come.
    pub(super) fn resume_restoring(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in self.restoring() {
            self.within(call, contact, |this, call| {
                this.mailbox_for_answer(call, contact)
            })?;
        }
        Ok(())
    }

    fn mailbox_for_answer(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let mut mailboxes = self.mailboxes_of(contact).into_iter();
        if mailboxes.any(|id| self.mails.role(contact, id) == Role::Service) {
            return Ok(());
        }
        let network = self.config.network;
        self.open_as(call, contact, network, Role::Service, None)
    }

    /// Whoever was away, blocked me for a while, or has a server that loses
    /// letters is asked once more.
    pub(super) fn sweep_restoring(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let people = self.people.values();
        let asking = people.filter(|person| {
            let standing = person.record.standing;
            matches!(standing, Standing::Restoring | Standing::Established)
                && person.era.request.is_some()
        });
        for contact in asking.map(|p| p.record.id).collect::<Vec<_>>() {
            let person = self.people.get(&contact);
            let request = person.and_then(|person| person.era.request.as_ref());
            let due = |request: &RequestRecord| {
                let ahead = now < request.posted;
                ahead || request.letter.is_none() || request.posted + AGAIN <= now
            };
            if request.is_some_and(due) {
                self.within(call, contact, |this, call| this.ask_anew(call, contact))?;
            }
        }
        Ok(())
    }

    /// Asks a contact to begin anew; they are told all my mailboxes that are
    /// open.
    pub(super) fn ask_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let damaged = || StorageError::corrupt("reading what was restored");
        let addresses = self.my_addresses(contact);
        if addresses.addresses.is_empty() || self.is_blocked(contact) {
            return Ok(());
        }
        let mut request = self.request(call, contact)?;
        // They follow the newest only: with a clock that was set back, the ask is
        // taken for an old one until it has caught up.
        request.made_at = call.cx.wall().as_millis();
        if let Some(letter) = request.letter {
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        let person = self.people.get(&contact).ok_or_else(damaged)?;
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let ask = Ask {
            made_at: request.made_at,
            epoch: person.tail.last.map_or(0, |last| last.epoch),
            since: newest(call.storage, contact, person.tail.last)?.as_millis(),
            key_package: request.key_package.clone(),
            addresses,
        };
        let bytes = ask.letter(person.record.conversation, &key);
        let bytes = bytes.ok_or_else(damaged)?;
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        person.era.request = Some(RequestRecord {
            letter: letter.map(|letter| letter.0),
            posted: call.cx.wall(),
            ..request
        });
        person.reunion.asked = ask.made_at;
        person.reunion.put(call.storage, contact)?;
        person.era.put(call.storage, contact)
    }

    /// Nothing is asked any more.
    pub(super) fn end_request(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let Some(request) = person.era.request.take() else {
            return Ok(());
        };
        person.era.put(call.storage, contact)?;
        forget_key_package(&mut *call.storage, &request.reference)?;
        if let Some(letter) = request.letter {
            self.office
                .settle(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        Ok(())
    }

    /// I answer, though I put a backup back as well: what they ask may be old, so
    /// what I ask stands until they are heard in the group I make.
    pub(super) fn keep_asking(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Restoring) {
            return Ok(());
        }
        let request = self.request(call, contact)?;
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        person.reunion.asked = request.made_at;
        person.reunion.put(call.storage, contact)?;
        person.era.request = Some(request);
        person.era.put(call.storage, contact)
    }

    /// What I ask of a contact; made where it was not yet.
    fn request(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<RequestRecord, StorageError> {
        let damaged = || StorageError::corrupt("reading what was restored");
        let person = self.people.get(&contact).ok_or_else(damaged)?;
        if let Some(request) = &person.era.request {
            return Ok(request.clone());
        }
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let their_key = self.their_restored_key(call, contact)?;
        let rows = &mut *call.storage;
        let package = FreshKeyPackage::make(&self.crypto, call.cx, rows, &key)?;
        Ok(RequestRecord {
            made_at: call.cx.wall().as_millis(),
            key_package: package.message,
            reference: package.reference,
            their_key: their_key.to_vec(),
            letter: None,
            posted: call.cx.wall(),
        })
    }

    /// The signature key that a contact had when the backup was made.
    pub(super) fn their_restored_key(
        &self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<[u8; 32], StorageError> {
        let damaged = || StorageError::corrupt("reading what was restored");
        let person = self.people.get(&contact).ok_or_else(damaged)?;
        if let Some(request) = &person.era.request {
            let key = request.their_key.as_slice().try_into();
            return key.map_err(|_| damaged());
        }
        // Only read: nothing is encrypted with what it holds.
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let (group, rows) = (person.group(), &mut *call.storage);
        let group = Group::load(&self.crypto, call.cx, rows, group, key)?;
        group.their_key().ok_or_else(damaged)
    }

    /// A contact made a new group.
    pub(super) fn begun_anew(
        &mut self,
        call: &mut Call<'_, '_>,
        arrival: Arrival,
        items: &[&[u8]],
    ) -> Result<(), StorageError> {
        let Some(contact) = self.conversation_of(arrival.mailbox) else {
            return self.drop_letter(None, DropReason::Letter);
        };
        self.within(call, contact, |this, call| {
            match this.enter(call, contact, items)? {
                None => this.drop_letter(Some(contact), DropReason::JoinRequest),
                Some(messages) => {
                    for message in messages {
                        this.hear(call, arrival, message)?;
                    }
                    this.go_on(call, contact)
                }
            }
        })
    }

    /// Enters the group that an answer brings, and gives what it says first.
    /// `None` where it is no answer to me.
    fn enter<'b>(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        items: &[&'b [u8]],
    ) -> Result<Option<Vec<&'b [u8]>>, StorageError> {
        let Some(person) = self.people.get(&contact) else {
            return Ok(None);
        };
        // Also of who answered an ask of theirs: that may have been an old one.
        let standing = person.record.standing;
        let waits = matches!(standing, Standing::Restoring | Standing::Established);
        let Some(request) = person.era.request.as_ref().filter(|_| waits) else {
            return Ok(None);
        };
        let Ok(their_key) = request.their_key.as_slice().try_into() else {
            return Err(StorageError::corrupt("reading what was restored"));
        };
        let Some(answer) = Answer::open(items, person.record.conversation, their_key) else {
            return Ok(None);
        };
        let known = person.tail.last.map_or(0, |last| last.epoch);
        // The first epoch there must not come before anything said here.
        let first = answer.before.saturating_add(1);
        if answer.made_at != request.made_at || !(known..MOST_EPOCHS).contains(&first) {
            return Ok(None);
        }
        let place = Place {
            before: answer.before,
            ..person.place()
        };
        let key = LeafKey::from_secret(&person.record.signing_key);
        let mine = |public: &[u8]| key.filter(|key| key.public() == public);
        let rows = &mut *call.storage;
        let joined = Group::join(&self.crypto, call.cx, rows, answer.welcome, mine)?;
        let Ok(group) = joined else {
            return Ok(None);
        };
        let Some(name) = group.conversation() else {
            return Ok(None);
        };
        if group.their_key().as_ref() != Some(their_key) || self.is_known_group(name) {
            call.storage.remove_mls_scope(&Group::scope(name))?;
            return Ok(None);
        }
        if let Some(person) = self.people.get_mut(&contact) {
            // They may have restored too, and count from where they were then.
            person.record.address_revision = 0;
            // What they asked before is void, and may be brought again.
            let void = answer.asked.min((call.cx.wall() + AHEAD).as_millis());
            let from = void.saturating_add(u64::from(void > 0));
            person.era.asked_at = person.era.asked_at.max(from);
            person.era.answer.clear();
        }
        if standing == Standing::Established {
            self.stop_talking(call, contact)?;
        }
        self.end_request(call, contact)?;
        self.leave_for(call, contact, group.placed(place), place, false)?;
        Ok(Some(answer.messages))
    }

    /// The conversation goes on in another group; the old one is forgotten, or
    /// read for a while.
    pub(super) fn leave_for(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        group: Group,
        place: Place,
        readable: bool,
    ) -> Result<(), StorageError> {
        let damaged = || StorageError::corrupt("naming a group");
        // Who restored knows nothing of it any more.
        self.forget_stretch(call, contact)?;
        self.stretches.tend(contact);
        let name = group.conversation().ok_or_else(damaged)?;
        let person = self.people.get_mut(&contact).ok_or_else(damaged)?;
        let (old, before) = (person.group(), person.era.before);
        person.era.group = Some(name.0);
        person.era.before = place.before;
        person.era.put(call.storage, contact)?;
        person.record.standing = Standing::Established;
        // Where the key is to change, it still is.
        let marked = person.record.unsecured_start;
        person.begin_epoch(call.cx.wall());
        person.record.unsecured_start = marked;
        person.save(call.storage)?;
        self.begun_anew.remove(&old);
        self.begun_anew.insert(name, contact);
        self.leave_group(call, contact, (old, before), readable)?;
        self.groups.insert(contact, group);
        self.observe(call, contact, false)
    }

    /// Tells the contact that their answer came, and takes up what was under way.
    fn go_on(&mut self, call: &mut Call<'_, '_>, contact: ContactId) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) {
            return Ok(());
        }
        self.tell_new_addresses(call, contact)?;
        if self
            .people
            .get(&contact)
            .is_some_and(Person::wishes_off_record)
        {
            // The lost device may have taken it back, and they go by that.
            self.wish_again(call, contact, Mode::Otr)?;
        }
        self.say_all_again(call, contact, true, true)?;
        self.resume_debts_of(call, contact)?;
        self.mails.to_tend.insert(contact);
        self.plan_profile(call, contact);
        self.tell_contact(contact);
        self.ask_to_return(call)
    }
}
