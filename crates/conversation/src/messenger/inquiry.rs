//! Asking what became of messages, and answering.
//!
//! When a mailbox is lost, receipts may be lost with it, and messages. Nobody
//! knows which, so both sides ask after what no receipt confirms; receipts say
//! what is there, and what is not is said again, and nothing else.

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::content::{Content, Frame, Inquiry, MessageId, Salt, Stamp};
use crate::event::BreakReason;
use crate::letter::LetterBody;
use crate::storage::{LackRecord, MessageRecord, MessageState, Owed};
use crate::{ContactId, Storage};

/// Whether a message is here and of that conversation. Whoever could tell one of
/// another conversation from one that is nowhere would learn who else is talked
/// to here, and that two conversations are one person's.
pub(super) fn is_here(
    storage: &dyn Storage,
    contact: ContactId,
    message: &MessageId,
) -> Result<bool, StorageError> {
    Ok(storage.whose_message(message)? == Some(contact))
}

/// A message of that conversation. None of another one is read, so that its
/// damage stays there, too.
pub(super) fn message_with(
    storage: &dyn Storage,
    contact: ContactId,
    message: &MessageId,
) -> Result<Option<MessageRecord>, StorageError> {
    match is_here(storage, contact, message)? {
        true => storage.message(message),
        false => Ok(None),
    }
}

impl Messenger {
    /// Asks a contact which of my messages are there.
    pub(super) fn inquire(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        messages: Vec<MessageId>,
    ) -> Result<(), StorageError> {
        let (off, on) = self.part_off_record(call, contact, messages, |id| id)?;
        if !off.is_empty() {
            let content = Content::Inquiry(Inquiry { messages: off });
            self.say_in_stretch(call, contact, &content, Keep::UntilAccepted)?;
        }
        if !on.is_empty() {
            let content = Content::Inquiry(Inquiry { messages: on });
            self.say_in_passing(call, contact, &content)?;
        }
        Ok(())
    }

    /// Encrypts and posts what is not kept and not confirmed; the letter, unless
    /// the conversation broke.
    pub(super) fn say_in_passing(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
    ) -> Result<Option<LetterId>, StorageError> {
        let salt = Salt(call.cx.random());
        let (person, group, crypto) = self.at_hand(call, contact)?;
        let stamp = Stamp {
            lamport: person.tail.lamport,
            sent: call.cx.wall(),
        };
        let frame = Frame {
            salt,
            stamp,
            expires: None,
        };
        let sealed = match content.compose(frame) {
            Ok(bytes) => group.encrypt(crypto, call.cx, &mut *call.storage, &bytes, None)?,
            Err(_) => Err(crate::mls::GroupFault("composing in passing")),
        };
        let Ok(message) = sealed else {
            self.break_off(call, contact, BreakReason::Group)?;
            return Ok(None);
        };
        let bytes = LetterBody::message(&message);
        self.post(call, contact, bytes, Keep::UntilAccepted)
    }

    /// A contact asks which of their messages are here. Strangers learn nothing.
    pub(super) fn answer_inquiry(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        inquiry: &Inquiry,
        off: bool,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            return Ok(());
        }
        self.doubt_receipts(call, contact, inquiry)?;
        let mut lacking = Vec::new();
        for message in &inquiry.messages {
            if !is_here(call.storage, contact, message)? {
                lacking.push(message);
                continue;
            }
            // They know what I said to them.
            if let Some((_, false, state)) = call.storage.outline(message)? {
                let read = state == MessageState::Read && self.read_receipts;
                let owed = if read { Owed::Read } else { Owed::Delivered };
                self.owe(call, contact, *message, owed)?;
            }
        }
        let known = LackRecord::of(call.storage, contact)?;
        if lacking.is_empty() && known.messages.is_empty() {
            return Ok(());
        }
        self.note_lacking(call, contact, &lacking, known, off)?;
        self.debts.wake(call.cx, self.config.receipt_delay, contact);
        Ok(())
    }

    /// Notes what they asked after and what is not here, where it was asked.
    fn note_lacking(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        lacking: &[&MessageId],
        mut on_record: LackRecord,
        off: bool,
    ) -> Result<(), StorageError> {
        if !off {
            lacking.iter().for_each(|message| on_record.add(message));
            return on_record.put(call.storage, contact);
        }
        match self.people.get_mut(&contact) {
            Some(person) => {
                let stretch = &mut person.stretch;
                lacking.iter().for_each(|message| stretch.lack(message));
                stretch.put(call.storage, contact)
            }
            None => Ok(()),
        }
    }

    /// A contact says that a message of mine is not there: it is said again, later
    /// if that was said too often.
    pub(super) fn lacks(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        message: &MessageId,
        off: bool,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            return Ok(());
        }
        let record = message_with(call.storage, contact, message)?;
        let Some(record) = record.filter(|record| {
            record.mine && record.is_off_record() == off && record.state == MessageState::Accepted
        }) else {
            return Ok(());
        };
        let letter = record.letter.map(LetterId);
        if record.is_erased() {
            // It has disappeared, and is not to come any more.
            return match letter {
                Some(letter) => {
                    let office = &mut self.office;
                    office.cancel(call.cx, &mut *call.storage, letter).map(drop)
                }
                None => Ok(()),
            };
        }
        // What is on its way again leaves by itself.
        let letter = letter.and_then(|letter| self.office.whereabouts(letter));
        if letter.is_some_and(|letter| letter.accepted.is_none()) {
            return Ok(());
        }
        let now = call.cx.now();
        match self.repeats.may_lack(contact, now, record.content.len()) {
            true => self.say_once_more(call, &record),
            false => self.say_later(call, &record),
        }
    }

    /// Takes what a contact is to be told is not here, and still is not.
    pub(super) fn take_lacking(
        storage: &mut dyn Storage,
        contact: ContactId,
    ) -> Result<Vec<MessageId>, StorageError> {
        let record = LackRecord::of(storage, contact)?;
        if record.messages.is_empty() {
            return Ok(Vec::new());
        }
        LackRecord::clear(storage, contact)?;
        let mut lacking = Vec::new();
        for message in record.ids() {
            if !is_here(storage, contact, &message)? {
                lacking.push(message);
            }
        }
        Ok(lacking)
    }
}
