//! Asking to be let in, once a card was read and a mailbox is open: the second
//! half of a join, and telling a contact where to write.

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::content::{Content, Profile};
use crate::event::BreakReason;
use crate::letter::LetterBody;
use crate::mls::{CheckedKeyPackage, Group, LeafKey};
use crate::storage::{CardRecord, Standing};
use crate::{ContactId, Event, Refusal};

impl Messenger {
    /// Whether a group can be made with the key package of a card. All of a
    /// card is its maker's doing, and this is the last moment to refuse it
    /// before there is a contact.
    pub(super) fn could_ask(
        &self,
        call: &mut Call<'_, '_>,
        key_package: &[u8],
    ) -> Result<bool, StorageError> {
        match CheckedKeyPackage::check(&self.crypto, key_package) {
            Some(package) => {
                Group::could_create(&self.crypto, call.cx, &mut *call.storage, &package)
            }
            None => Ok(false),
        }
    }

    /// A join came to nothing after there was a contact.
    pub(super) fn fail_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        reason: BreakReason,
        refusal: Refusal,
    ) -> Result<(), StorageError> {
        self.forget_join(call, contact)?;
        self.break_off(call, contact, reason)?;
        let contact = Some(contact);
        self.tell(Event::JoinFailed { contact, refusal });
        Ok(())
    }

    /// A mailbox for a contact is open: the joiner can ask, the inviter can
    /// answer.
    pub(super) fn conversation_opened(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Joining) {
            self.greet(call, contact)?;
            return self.let_into_room(call, contact);
        }
        if self.is_blocked(contact) {
            // Unblocking takes it up.
            return Ok(());
        }
        let mut joins = self.joins.values();
        let join = joins.find(|join| join.contact == Some(contact));
        match join.and_then(|join| join.card.clone()) {
            Some(card) => self.request_join(call, contact, &card),
            None => Ok(()),
        }
    }

    /// Creates the group and posts the join request.
    fn request_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        card: &CardRecord,
    ) -> Result<(), StorageError> {
        let damaged = || StorageError::corrupt("reading a join");
        let person = self.people.get_mut(&contact).ok_or_else(damaged)?;
        let key = LeafKey::from_secret(&person.record.signing_key).ok_or_else(damaged)?;
        let id = person.record.conversation;
        // Both were tried when the card came, but perhaps by another version
        // of this program.
        let Some(package) = CheckedKeyPackage::check(&self.crypto, &card.key_package) else {
            return self.fail_join(call, contact, BreakReason::Group, Refusal::LinkForged);
        };
        let rows = &mut *call.storage;
        let created = Group::create(&self.crypto, call.cx, rows, id, key, &package)?;
        let Ok((group, welcome)) = created else {
            return self.fail_join(call, contact, BreakReason::Group, Refusal::LinkForged);
        };
        person.record.addresses = vec![card.address.clone()];
        person.record.standing = Standing::Asked;
        person.record.epoch_since = call.cx.wall();
        person.save(call.storage)?;
        self.groups.insert(contact, group);
        self.observe(call, contact, false)?;
        if self.post_join_request(call, contact, &welcome)?.is_none() {
            return self.fail_join(call, contact, BreakReason::Group, Refusal::LinkForged);
        }
        self.tell_contact(contact);
        Ok(())
    }

    /// `None` if the conversation broke.
    fn post_join_request(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        welcome: &[u8],
    ) -> Result<Option<()>, StorageError> {
        let addresses = Content::Addresses(self.my_addresses(contact));
        let Some((mut first, first_message)) = self.utter_control(call, contact, &addresses)?
        else {
            return Ok(None);
        };
        let profile = match Profile::new(&self.config.name, None) {
            Ok(profile) => Content::Profile(profile),
            Err(_) => Content::Addresses(self.my_addresses(contact)),
        };
        let Some((mut second, second_message)) = self.utter_control(call, contact, &profile)?
        else {
            return Ok(None);
        };
        let bytes = LetterBody::join_request(welcome, [&first_message, &second_message]);
        let Some(letter) = self.post(call, contact, bytes, Keep::UntilSettled)? else {
            return Ok(None);
        };
        for record in [&mut first, &mut second] {
            record.letter = Some(letter.0);
            call.storage.add_message(record)?;
        }
        Ok(Some(()))
    }

    /// Tells a contact my addresses, in a letter of its own.
    pub(super) fn greet(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) {
            return Ok(());
        }
        let addresses = Content::Addresses(self.my_addresses(contact));
        self.say_control(call, contact, &addresses)
    }
}
