//! What I say off the record, and what of it waits.

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::StorageError;

use super::super::inquiry::{is_here, message_with};
use super::super::receipts::MOST_IN_LETTER;
use super::super::stop::Stop;
use super::super::{Call, Messenger};
use super::END;
use crate::content::{Content, Frame, MessageId, Mode, Receipt, Salt, Stamp, Status};
use crate::letter::LetterBody;
use crate::mls::GroupFault;
use crate::storage::{MessageRecord, OFF_RECORD, Owed};
use crate::{ContactId, Event, Refusal};

impl Messenger {
    /// Whether I say something off the record. That is so while both wish it; who
    /// wishes it alone says nothing at all, so that nobody else decides what goes on
    /// record. What names something said off the record is not said elsewhere.
    pub(in crate::messenger) fn goes_off_record(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        content: &Content,
    ) -> Result<bool, Stop> {
        let Some(person) = self.people.get(&contact) else {
            return Ok(false);
        };
        match [true, false].map(|mine| person.mode.wish(mine, None)) {
            [Mode::Otr, Mode::Otr] => return Ok(true),
            [Mode::Otr, _] => return Err(Refusal::OffRecordAlone.into()),
            _ => {}
        }
        for named in content.named() {
            if self.is_off_record(call, contact, named)? {
                return Err(Refusal::SaidOffRecord.into());
            }
        }
        Ok(false)
    }

    /// Whether a message of a conversation was said off the record. None is where
    /// nobody ever was.
    pub(in crate::messenger) fn is_off_record(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        message: &MessageId,
    ) -> Result<bool, StorageError> {
        let person = self.people.get(&contact);
        if person.is_none_or(|person| person.mode.is_untouched() && person.stretch.is_untouched()) {
            return Ok(false);
        }
        let record = message_with(call.storage, contact, message)?;
        Ok(record.is_some_and(|record| record.is_off_record()))
    }

    /// Encrypts something first said in `epoch` of the conversation for the stretch
    /// that stands, and tells where it is sealed. Where none stands it waits, and is
    /// not encrypted yet.
    pub(in crate::messenger) fn seal_off_record(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        epoch: u64,
        content: &[u8],
    ) -> Result<(u64, Option<Vec<u8>>), StorageError> {
        let person = self.people.get(&contact);
        let open = person.and_then(|person| person.open_stretch());
        let Some(sealed_epoch) = open.map(|open| open.sealed_epoch()) else {
            return Ok((OFF_RECORD, None));
        };
        match self.seal_in_stretch(call, contact, epoch, content)? {
            Some(message) => Ok((sealed_epoch, Some(message))),
            None => Ok((OFF_RECORD, None)),
        }
    }

    /// Encrypts for the stretch that stands. If that cannot go on it is over.
    fn seal_in_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        epoch: u64,
        content: &[u8],
    ) -> Result<Option<Vec<u8>>, StorageError> {
        let Some((group, crypto)) = self.stretch_at_hand(call, contact)? else {
            return Ok(None);
        };
        let rows = &mut *call.storage;
        match group.encrypt(crypto, call.cx, rows, content, Some(epoch))? {
            Ok(message) => Ok(Some(message)),
            Err(_) => {
                self.leave_stretch(call, contact)?;
                Ok(None)
            }
        }
    }

    /// Says a message off the record again, under its old name; if no stretch
    /// stands, when one does.
    pub(in crate::messenger) fn say_again_off_record(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        let (contact, epoch) = (record.contact, record.position.epoch);
        let sealed = self.seal_off_record(call, contact, epoch, &record.content)?;
        let (sealed_epoch, Some(message)) = sealed else {
            return Ok(());
        };
        if let Some(letter) = record.letter {
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        let bytes = LetterBody::message(&message);
        match self.post(call, contact, bytes, Keep::UntilSettled)? {
            Some(letter) => call.storage.set_letter(record.id(), letter.0, sealed_epoch),
            None => Ok(()),
        }
    }

    /// Says something in the stretch that stands which is not kept; the letter, if
    /// anybody is to hear it.
    pub(in crate::messenger) fn say_in_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
        keep: Keep,
    ) -> Result<Option<LetterId>, StorageError> {
        let written_to = self.is_written_to(contact);
        let person = self.people.get(&contact);
        let heard = person.filter(|person| written_to && person.is_heard_off_record());
        let Some(lamport) = heard.map(|person| person.tail.lamport) else {
            return Ok(None);
        };
        let frame = Frame {
            salt: Salt(call.cx.random()),
            stamp: Stamp {
                lamport,
                sent: call.cx.wall(),
            },
            expires: None,
        };
        let unfit = |_| StorageError::corrupt(GroupFault("composing in passing").0);
        let bytes = zeroize::Zeroizing::new(content.compose(frame).map_err(unfit)?);
        let epoch = self.at_hand(call, contact)?.1.epoch();
        match self.seal_in_stretch(call, contact, epoch, &bytes)? {
            Some(message) => self.post(call, contact, LetterBody::message(&message), keep),
            None => Ok(None),
        }
    }

    /// What I said off the record and nobody confirmed, in its order.
    pub(in crate::messenger) fn unsaid(
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let mut records = call.storage.unconfirmed_before(contact, END)?;
        records.retain(|record| record.is_off_record() && !record.is_erased());
        Ok(records)
    }

    /// Forgets a text that waits for a stretch and never left, and all I said about
    /// it; whether it was one. Nobody else ever heard of it, so nobody is told.
    pub(in crate::messenger) fn forget_unsaid(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<bool, StorageError> {
        if record.sealed_epoch != OFF_RECORD || record.letter.is_some() {
            return Ok(false);
        }
        let (contact, message) = (record.contact, *record.id());
        // An edit may leave before what it changes does.
        let mut about = call.storage.changes(contact, &message)?;
        about.extend(call.storage.edits(contact, &message, true)?);
        let waits = |one: &MessageRecord| one.sealed_epoch == OFF_RECORD && one.letter.is_none();
        if !about.iter().all(waits) {
            return Ok(false);
        }
        for change in call.storage.changes(contact, &message)? {
            call.storage.remove_message(change.id())?;
        }
        self.erase_said(call, contact, &message)?;
        call.storage.make_gone(contact, &message)?;
        self.tell(Event::Disappeared { contact, message });
        Ok(true)
    }

    /// Whether I owe a contact receipts for what they said off the record.
    pub(super) fn owes_off_record(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        if self
            .people
            .get(&contact)
            .is_some_and(|person| person.stretch.lacks())
        {
            return Ok(true);
        }
        for (message, _) in call.storage.owing(contact)? {
            if self.is_off_record(call, contact, &message)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Parts messages in those said off the record and the others.
    pub(in crate::messenger) fn part_off_record<T>(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        all: Vec<T>,
        name: impl Fn(&T) -> &MessageId,
    ) -> Result<(Vec<T>, Vec<T>), StorageError> {
        let (mut off, mut on) = (Vec::new(), Vec::new());
        for one in all {
            match self.is_off_record(call, contact, name(&one))? {
                true => off.push(one),
                false => on.push(one),
            }
        }
        Ok((off, on))
    }

    /// Sends the receipts for what was said off the record, and tells what is not
    /// here of what was asked after there. What nobody can hear is owed on.
    pub(in crate::messenger) fn pay_off_record(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mut receipts: Vec<Receipt>,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        if !person.is_heard_off_record() {
            return Ok(());
        }
        if person.stretch.lacks() {
            let lacking = person.stretch.take_lacking();
            person.stretch.put(call.storage, contact)?;
            for message in lacking {
                if call.storage.whose_message(&message)? != Some(contact) {
                    let status = Status::ERROR;
                    receipts.push(Receipt { message, status });
                }
            }
        }
        for batch in receipts.chunks(MOST_IN_LETTER) {
            let content = Content::Receipts(batch.to_vec());
            let letter = self.say_in_stretch(call, contact, &content, Keep::UntilAccepted)?;
            let Some(letter) = letter else {
                return Ok(());
            };
            self.debts.note_letter(contact, letter);
            for receipt in batch
                .iter()
                .filter(|receipt| receipt.status != Status::ERROR)
            {
                // It may have been superseded meanwhile.
                if is_here(call.storage, contact, &receipt.message)? {
                    call.storage.set_owed(&receipt.message, Owed::Nothing)?;
                }
            }
        }
        self.stretches.note_use(contact);
        Ok(())
    }
}
