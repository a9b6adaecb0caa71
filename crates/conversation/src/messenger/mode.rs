//! Whether a conversation is provable: what both sides wish, and since when.
//!
//! Both sides' wishes are content like any other, so both see them in one
//! order, and either can tell which mode was in force where. A wish is stored,
//! posted and counted in one transaction; my key is made with the first one and
//! never again.

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;

use super::people::Person;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Content, Mode, Wish};
use crate::letter::LetterBody;
use crate::proof::{IdentityKey, PublicIdentity};
use crate::storage::{MessageRecord, Standing};
use crate::view::ModeView;
use crate::{ContactId, Event, Refusal, Reply};

impl Person {
    /// The mode of the conversation with this contact, as shown.
    pub(super) fn mode_view(&self) -> ModeView {
        let mode = &self.mode;
        ModeView {
            contact: self.record.id,
            in_force: mode.in_force(None),
            mine: mode.wish(true, None),
            theirs: mode.wish(false, None),
            my_key: self.my_identity(),
            their_key: mode.their_key(None),
            their_key_changed: mode.their_keys().len() > 1,
        }
    }

    /// The key by which what I say here can be checked, once there is one.
    pub(super) fn my_identity(&self) -> Option<PublicIdentity> {
        self.identity_key().map(|key| key.public())
    }

    /// My private key of this conversation, once there is one.
    pub(super) fn identity_key(&self) -> Option<IdentityKey> {
        IdentityKey::from_secret(self.mode.secret.as_ref()?)
    }
}

impl Messenger {
    /// The mode of a conversation.
    pub(super) fn mode(&mut self, contact: ContactId) -> Result<Reply, Stop> {
        Ok(Reply::Mode(self.person(contact)?.mode_view()))
    }

    /// Wishes a conversation to be of some mode, unless that is my wish already.
    pub(super) fn set_mode(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mode: Mode,
    ) -> Result<Reply, Stop> {
        let person = self.person(contact)?;
        if person.kept.blocked.is_some() {
            return Err(Refusal::Blocked.into());
        }
        match person.record.standing {
            Standing::Established => {}
            Standing::Broken => return Err(Refusal::Broken.into()),
            Standing::Joining | Standing::Asked | Standing::Requested => {
                return Err(Refusal::NotEstablished.into());
            }
        }
        if person.mode.wish(true, None) != mode {
            self.wish(call, contact, mode)?;
        }
        self.mode(contact)
    }

    fn wish(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mode: Mode,
    ) -> Result<(), Stop> {
        let person = self.person(contact)?;
        let wish = match mode {
            Mode::Normal => Wish::Normal,
            Mode::Provable => {
                let key = person.identity_key();
                let key = key.unwrap_or_else(|| IdentityKey::generate(call.cx));
                person.mode.secret = Some(key.secret());
                Wish::Provable(key.public())
            }
        };
        let uttered = self.utter_control(call, contact, &Content::Mode(wish))?;
        let (mut record, message) = uttered.ok_or(Refusal::Broken)?;
        let bytes = LetterBody::message(&message);
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        record.letter = Some(letter.ok_or(Refusal::Broken)?.0);
        call.storage.add_message(&record)?;
        self.note_wish(call, &record, &wish)?;
        Ok(())
    }

    /// Whether a wish can be theirs: who tells my own key as theirs would have
    /// what I said look like what they said.
    pub(super) fn may_wish(&self, contact: ContactId, wish: &Wish) -> bool {
        let person = self.people.get(&contact);
        let mine = person.and_then(Person::my_identity);
        wish.key().is_none_or(|key| Some(key) != mine)
    }

    /// Takes note of a wish, mine or theirs, and tells what changed.
    pub(super) fn note_wish(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        wish: &Wish,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&record.contact) else {
            return Ok(());
        };
        let before = person.mode_view();
        if !person.mode.note(record.mine, &record.position, wish) {
            return Ok(());
        }
        person.mode.put(call.storage, record.contact)?;
        let after = person.mode_view();
        if after != before && person.record.standing != Standing::Requested {
            self.tell(Event::Mode(after));
        }
        Ok(())
    }
}
