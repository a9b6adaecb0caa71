//! New keys: who commits when, and what that means for messages on their way.

use core::time::Duration;

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::StorageError;

use super::hear::reason;
use super::people::Person;
use super::{Call, Messenger};
use crate::ContactId;
use crate::event::BreakReason;
use crate::letter::LetterBody;
use crate::mls::{LeafKey, PAST_EPOCHS, Staged};
use crate::storage::{MessageRecord, Side, Standing};

/// Messages in an epoch after which its keys are renewed.
pub(super) const MOST_IN_EPOCH: u64 = 50;
/// Age after which the keys of an epoch that was used are renewed.
pub(super) const EPOCH_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl Messenger {
    /// Commits if it is my turn and time: after 50 messages, after a day in
    /// which something was said, or at once where a person asked for it or the
    /// inviter has to end the "no forward secrecy yet" mark.
    pub(super) fn renew_if_due(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            // New keys would tell who is blocked that somebody is there; and what is told to
            // nobody would be ahead of the other side for good.
            return Ok(());
        }
        let now = call.cx.wall();
        let wanted = self.mails.get(contact).is_some_and(|mail| mail.new_keys);
        let (person, group, _) = self.at_hand(call, contact)?;
        let established = person.record.standing == Standing::Established;
        let aged = person.tail.in_epoch > 0 && person.record.epoch_since + EPOCH_LIFE <= now;
        let full = person.tail.in_epoch >= MOST_IN_EPOCH;
        if established && group.holds_turn() && (full || aged || wanted || ends_mark(person)) {
            self.renew(call, contact)?;
        }
        Ok(())
    }

    fn renew(&mut self, call: &mut Call<'_, '_>, contact: ContactId) -> Result<(), StorageError> {
        let (person, group, crypto) = self.at_hand(call, contact)?;
        let marked = ends_mark(person);
        // All readers of a reusable link saw one key; from here on each
        // conversation has its own.
        let successor = marked.then(|| LeafKey::generate(call.cx));
        let Ok(commit) = group.renew(crypto, call.cx, &mut *call.storage, successor)? else {
            return self.break_off(call, contact, BreakReason::Group);
        };
        person.record.signing_key = group.key().secret();
        person.begin_epoch(call.cx.wall());
        if core::mem::take(&mut self.mails.of(contact).new_keys) {
            self.mails.save(call.storage, contact)?;
        }
        self.stretches.tend(contact);
        self.observe(call, contact, false)?;
        let bytes = LetterBody::message(&commit);
        let Some(letter) = self.post(call, contact, bytes, Keep::UntilSettled)? else {
            return Ok(());
        };
        self.keep_commit(call, contact, &commit)?;
        if let Some(person) = self.people.get_mut(&contact) {
            person.record.commit_letter = Some(letter.0);
            call.storage.put_contact(&person.record)?;
        }
        if marked {
            self.tell_contact(contact);
            self.tend_channels_with(contact);
        }
        self.say_again(call, contact)
    }

    /// The other side renewed its keys.
    pub(super) fn renewed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        staged: Staged,
    ) -> Result<(), StorageError> {
        let (person, group, crypto) = self.at_hand(call, contact)?;
        if let Err(fault) = staged.merge(crypto, call.cx, &mut *call.storage, group)? {
            // The epoch it would begin cannot be lived with; this one goes on.
            self.groups.remove(&contact);
            return self.drop_letter(Some(contact), reason(fault));
        }
        let marked = person.record.unsecured_start;
        person.begin_epoch(call.cx.wall());
        call.storage.put_contact(&person.record)?;
        self.observe(call, contact, marked)?;
        self.stretches.tend(contact);
        self.commit_came_through(call, contact)?;
        if marked {
            self.tell_contact(contact);
            self.tend_channels_with(contact);
        }
        self.say_again(call, contact)?;
        self.hear_held(call, contact)?;
        self.renew_if_due(call, contact)
    }

    /// Encrypts again what was not confirmed and cannot be read any more,
    /// under its old name, so that whoever has it drops it.
    fn say_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            return Ok(());
        }
        let (_, group, _) = self.at_hand(call, contact)?;
        let Some(oldest) = group.epoch().checked_sub(PAST_EPOCHS) else {
            return Ok(());
        };
        for record in call.storage.unconfirmed_before(contact, oldest)? {
            self.say_once_more(call, &record)?;
            if !self.is_written_to(contact) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn say_once_more(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        // What disappeared or was taken back is not said again.
        if record.is_erased() || !self.is_written_to(record.contact) {
            return Ok(());
        }
        if record.is_off_record() {
            return self.say_again_off_record(call, record);
        }
        let (_, group, crypto) = self.at_hand(call, record.contact)?;
        let first_said = Some(record.position.epoch);
        let rows = &mut *call.storage;
        let Ok(message) = group.encrypt(crypto, call.cx, rows, &record.content, first_said)? else {
            return self.break_off(call, record.contact, BreakReason::Group);
        };
        let epoch = group.epoch();
        if let Some(letter) = record.letter {
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        let bytes = LetterBody::message(&message);
        match self.post(call, record.contact, bytes, Keep::UntilSettled)? {
            Some(letter) => call.storage.set_letter(record.id(), letter.0, epoch),
            None => Ok(()),
        }
    }

    /// What depends on the date: epochs that have grown old.
    pub(super) fn sweep_people(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let old = self.people.values().filter(|person| {
            person.record.standing == Standing::Established
                && person.record.epoch_since + EPOCH_LIFE <= now
        });
        for contact in old.map(|person| person.record.id).collect::<Vec<_>>() {
            self.within(call, contact, |this, call| this.renew_if_due(call, contact))?;
        }
        Ok(())
    }
}

/// Whether my next commit ends the "no forward secrecy yet" mark.
fn ends_mark(person: &Person) -> bool {
    person.record.unsecured_start && person.record.side == Side::Inviter
}
