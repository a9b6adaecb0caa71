//! Whether a conversation is provable: what both sides wish, and since when.
//!
//! Both sides' wishes are content like any other, so both see them in one
//! order, and either can tell which mode was in force where. A wish is stored,
//! posted and counted in one transaction; my key is made with the first one and
//! never again.

use hushwing_delivery::Keep;
use hushwing_sansio::StorageError;

use super::people::Person;
use super::show::content_of;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Content, Mode, Wish};
use crate::letter::LetterBody;
use crate::proof::{IdentityKey, PublicIdentity, Wished};
use crate::storage::{MessageRecord, MessageState, Standing};
use crate::view::ModeView;
use crate::{ContactId, DropReason, Event, Refusal, Reply};

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

    /// Wishes a conversation to be of some mode, unless that is my wish already. A
    /// key is told for the keys of both leaves, so these must be there to stay.
    pub(super) fn set_mode(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mode: Mode,
    ) -> Result<Reply, Stop> {
        let paired = self.is_pairing(contact);
        let person = self.person(contact)?;
        if person.kept.blocked.is_some() {
            return Err(Refusal::Blocked.into());
        }
        match person.record.standing {
            Standing::Established => {}
            Standing::Broken => return Err(Refusal::Broken.into()),
            Standing::Restoring => return Err(Refusal::Restoring.into()),
            Standing::Joining | Standing::Asked | Standing::Requested => {
                return Err(Refusal::NotEstablished.into());
            }
        }
        if mode != Mode::Normal && paired {
            return Err(Refusal::NotInPairs.into());
        }
        if mode != Mode::Normal && person.record.unsecured_start {
            return Err(Refusal::KeysNotFixed.into());
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
        let wish = match mode {
            Mode::Normal => Wish::Normal,
            Mode::Otr => Wish::Otr,
            Mode::Provable => {
                let (_, group, _) = self.at_hand(call, contact)?;
                let theirs = group.their_key().ok_or(Refusal::Broken)?;
                let mine = group.key().public();
                let person = self.person(contact)?;
                let key = person.identity_key();
                let key = key.unwrap_or_else(|| IdentityKey::generate(call.cx));
                person.mode.secret = Some(key.secret());
                let wished = Wished {
                    conversation: person.record.conversation,
                    sender: mine,
                    receiver: theirs,
                };
                Wish::Provable {
                    key: key.public(),
                    proof: wished.sign(&key),
                }
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

    /// Says what I wish once more: they seem to go by something else, which they or
    /// I learned before a backup was put back.
    pub(super) fn wish_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mode: Mode,
    ) -> Result<(), StorageError> {
        // It comes again by itself until it came. Each is kept, so they must not
        // have me say many.
        if !self.is_written_to(contact)
            || Self::wish_is_going(call, contact)?
            || !self.stretches.may_wish(contact, call.cx.now())
        {
            return Ok(());
        }
        match self.wish(call, contact, mode) {
            // The conversation broke, which was told.
            Ok(()) | Err(Stop::Refused(_)) => Ok(()),
            Err(Stop::Storage(error)) => Err(error),
        }
    }

    /// Whether a wish of mine is not confirmed yet.
    fn wish_is_going(call: &Call<'_, '_>, contact: ContactId) -> Result<bool, StorageError> {
        for record in call.storage.control(contact, true)? {
            let going = matches!(record.state, MessageState::Queued | MessageState::Accepted);
            if going && matches!(content_of(&record)?, Content::Mode(_)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Why a wish cannot be theirs: who tells a key that is not their own, mine
    /// or anybody's, would have what its holder signed look like what they said.
    pub(super) fn may_not_wish(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        wish: &Wish,
    ) -> Result<Option<DropReason>, StorageError> {
        let (key, proof) = match wish {
            Wish::Normal | Wish::Otr => return Ok(None),
            Wish::Unsigned(_) => return Ok(Some(DropReason::UnprovedKey)),
            Wish::Provable { key, proof } => (key, proof),
        };
        let (person, group, _) = self.at_hand(call, contact)?;
        let wished = group.their_key().map(|sender| Wished {
            conversation: person.record.conversation,
            sender,
            receiver: group.key().public(),
        });
        // Before the mark falls the keys change, and nobody honest wishes it.
        let fixed = wished.filter(|_| !person.record.unsecured_start);
        let signed = fixed.is_some_and(|wished| wished.is_signed(key, proof));
        Ok(match () {
            () if !signed || person.my_identity() == Some(*key) => Some(DropReason::UnprovedKey),
            () if !person.mode.has_room_for(wish) => Some(DropReason::TooManyKeys),
            () => None,
        })
    }

    /// Takes note of a wish, mine or theirs, and tells what changed.
    pub(super) fn note_wish(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        wish: &Wish,
    ) -> Result<(), StorageError> {
        if !record.mine && *wish != Wish::Normal && self.pair_of(record.contact).is_some() {
            // In a pair none can be had.
            return Ok(());
        }
        let Some(person) = self.people.get_mut(&record.contact) else {
            return Ok(());
        };
        let before = person.mode_view();
        if !person.mode.note(record.mine, &record.position, wish) {
            return Ok(());
        }
        person.mode.put(call.storage, record.contact)?;
        self.stretches.tend(record.contact);
        let after = person.mode_view();
        // They may think that I wish it, from before a backup was put back.
        let unsure = person.era.group.is_some() && after.mine != Mode::Otr;
        let theirs = !record.mine && *wish == Wish::Otr;
        // Of who is blocked nothing is heard; what they wish is seen once they are
        // not.
        let quiet = person.record.standing == Standing::Requested || person.kept.blocked.is_some();
        if after != before && !quiet {
            self.tell(Event::Mode(after));
        }
        if !theirs || !self.stretches.may_act(record.contact, call.cx.now()) {
            return Ok(());
        }
        match unsure {
            true => self.wish_again(call, record.contact, after.mine),
            // An offer that came before they wished it, they did not take.
            false => self.post_announcement(call, record.contact),
        }
    }
}
