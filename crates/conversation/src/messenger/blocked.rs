//! Who is blocked is told nothing, whatever they do and however long it lasts.
//!
//! Whether anything may leave to a contact is asked here and nowhere else:
//! [`Messenger::is_written_to`]. Whoever would encrypt or change something asks
//! first; the post office's door ([`post`](Messenger::post)) asks again, so that
//! what forgets to ask sends nothing either.
//!
//! What a contact says while blocked is dropped and not confirmed. So their
//! program keeps it, and asks after it as soon as it is told addresses again:
//! that is what unblocking begins with, and it brings what must not be missed
//! (a timer, what they took back) along with the rest.

use hushwing_delivery::{Address, Keep, LetterId};
use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::storage::{RepeatRecord, Role, Standing};
use crate::{ContactId, MemberId, RoomId};

impl Messenger {
    /// Whether nothing is to be heard from a contact.
    pub(super) fn is_blocked(&self, contact: ContactId) -> bool {
        let person = self.people.get(&contact);
        person.is_some_and(|person| person.kept.blocked.is_some())
    }

    /// Whether somebody in a room is a contact of whom nothing is to be heard. What is
    /// said to all reaches them; nothing is told them besides.
    pub(super) fn is_blocked_member(&self, room: RoomId, member: MemberId) -> bool {
        let contact = self.rooms.contact_of(room, member);
        let in_pair = || {
            let known = self.rooms.get(room.place());
            known.is_some_and(|known| {
                let member = known.members.get(&member);
                member.is_some_and(|one| one.account != known.record.account)
            })
        };
        contact.is_some_and(|contact| self.is_blocked(contact))
            || self.is_blocked_pair(room) && in_pair()
    }

    /// Whether anything may leave to a contact: they are in touch and not
    /// blocked.
    pub(super) fn is_written_to(&self, contact: ContactId) -> bool {
        self.in_touch(contact) && !self.is_blocked(contact) && !self.pairs.is_cut(contact)
    }

    /// A contact is blocked from now on: what lies in the outbox for them is
    /// called back and waits with its message. A request to join that is on its
    /// way is let go: without it there is no conversation.
    pub(super) fn fall_silent(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.call_receipts_back(call, contact)?;
        self.debts.forget(contact);
        self.repeats.forget(contact);
        RepeatRecord::clear(call.storage, contact)?;
        let person = self.people.get(&contact);
        let request = person.and_then(|person| person.era.request.as_ref()?.letter);
        if let Some(letter) = request {
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        if self.standing(contact) != Some(Standing::Established) {
            return Ok(());
        }
        let commit = self.people.get(&contact);
        let commit = commit.and_then(|person| person.record.commit_letter);
        let messages = call.storage.on_the_way(contact)?.into_iter();
        let letters = messages.filter_map(|(_, _, letter)| letter);
        for letter in letters.chain(commit).map(LetterId) {
            self.office.cancel(call.cx, &mut *call.storage, letter)?;
        }
        self.readdress_posts(call, contact)?;
        let addresses = self.theirs_alone(call, contact);
        self.office
            .cancel_to(call.cx, &mut *call.storage, &addresses)
    }

    /// A contact is not blocked any more: they are told where to write, and what
    /// waited is said again or asked after.
    pub(super) fn speak_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.resume_debts_of(call, contact)?;
        self.tend_channels_with(contact);
        match self.standing(contact) {
            Some(Standing::Joining) if !self.open_for(contact, |_| true).is_empty() => {
                return self.conversation_opened(call, contact);
            }
            Some(Standing::Restoring) => return self.ask_anew(call, contact),
            Some(Standing::Established) => {}
            _ => return Ok(()),
        }
        self.renew_if_due(call, contact)?;
        let told = |role| matches!(role, Role::Service | Role::Old);
        if self.is_written_to(contact) && !self.open_for(contact, told).is_empty() {
            self.tell_new_addresses(call, contact)?;
        }
        if self.is_written_to(contact) {
            self.say_all_again(call, contact, true, true)?;
        }
        self.mails.to_tend.insert(contact);
        Ok(())
    }

    /// The addresses of a contact, the last resort included. One link may have
    /// brought two contacts: what goes to where both read may be for the other.
    pub(super) fn theirs_alone(&self, call: &Call<'_, '_>, contact: ContactId) -> Vec<Address> {
        let recovery = self.ways_to(contact, Keep::UntilSettled, call.cx.wall()).1;
        let person = self.people.get(&contact);
        let mut addresses = person.map_or(Vec::new(), |person| person.addresses.clone());
        addresses.extend(recovery);
        let others = self.people.iter().filter(|(id, _)| **id != contact);
        let others: Vec<_> = others.flat_map(|(_, other)| &other.addresses).collect();
        addresses.retain(|address| !others.contains(&address));
        addresses
    }
}
