//! How a stretch ends: both say nothing more, give their keys away, and wipe it.
//! Or it cannot go on, and is wiped at once: then what was not confirmed is said
//! again in the next one.

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::StorageError;

use super::super::{Call, Messenger};
use crate::content::{Content, StretchWord};
use crate::mls::{Group, forget_key_package};
use crate::storage::{Stretch, StretchRecord};
use crate::{ContactId, Storage};

impl Messenger {
    /// Says what gets a stretch further, and keeps saying it until it came.
    pub(super) fn get_on(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        word: StretchWord,
    ) -> Result<(), StorageError> {
        let content = Content::Stretch(word);
        let letter = self.say_in_stretch(call, contact, &content, Keep::UntilSettled)?;
        let now = call.cx.wall();
        let (mut before, revealed) = (
            None,
            matches!(content, Content::Stretch(StretchWord::Key(_))),
        );
        self.keep_stretch(call, contact, |stretch| {
            before = stretch.letter.take();
            stretch.letter = letter.map(|letter| letter.0);
            stretch.posted = now;
            stretch.again = 0;
            stretch.end.my_last = true;
            stretch.end.revealed |= revealed;
        })?;
        before.map_or(Ok(()), |letter| self.recall(call, letter))
    }

    /// Gives my private key away, inside the stretch. I say nothing in it after.
    pub(super) fn reveal(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let stretch = person.and_then(|person| person.stretch.now.as_ref());
        match stretch.map(|stretch| stretch.seed.clone()) {
            Some(seed) => self.get_on(call, contact, StretchWord::Key(seed)),
            None => Ok(()),
        }
    }

    /// What got the stretch further is said once more, if it left and nobody
    /// showed that it came.
    pub(super) fn get_on_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let Some(stretch) = person.and_then(|person| person.stretch.now.as_ref()) else {
            return Ok(());
        };
        let letter = stretch.letter.map(LetterId);
        let letter = letter.and_then(|letter| self.office.whereabouts(letter));
        let waits = letter.is_some_and(|letter| letter.accepted.is_none());
        let end = stretch.end;
        if waits || !self.is_written_to(contact) {
            return Ok(());
        }
        let again = stretch.again.saturating_add(1);
        match () {
            () if !stretch.announcement.is_empty() => self.post_announcement(call, contact)?,
            () if end.revealed && !end.they_left => {
                self.keep_stretch(call, contact, |stretch| stretch.end.revealed = false)?;
                self.reveal(call, contact)?;
            }
            () if end.my_last && !end.revealed => self.get_on(call, contact, StretchWord::Last)?,
            () => return Ok(()),
        }
        self.keep_stretch(call, contact, |stretch| stretch.again = again)
    }

    /// Something came in the stretch: they need my announcement no more.
    pub(super) fn announcement_answered(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let stretch = person.and_then(|person| person.stretch.now.as_ref());
        match stretch.is_some_and(|stretch| !stretch.announcement.is_empty()) {
            true => {
                self.stretches.tend(contact);
                self.forget_offer(call, contact)
            }
            false => Ok(()),
        }
    }

    /// My announcement was answered: neither it nor its key package is needed any
    /// more.
    pub(super) fn forget_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let (mut letter, mut package) = (None, Vec::new());
        self.keep_stretch(call, contact, |stretch| {
            stretch.announcement.clear();
            stretch.again = 0;
            letter = stretch.letter.take();
            package = core::mem::take(&mut stretch.package);
        })?;
        if !package.is_empty() {
            forget_key_package(&mut *call.storage, &package)?;
        }
        letter.map_or(Ok(()), |letter| self.recall(call, letter))
    }

    /// The stretch that stands cannot go on with me; they are told.
    pub(super) fn leave_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let number = person.and_then(|person| Some(person.stretch.now.as_ref()?.number));
        self.forget_stretch(call, contact)?;
        self.stretches.tend(contact);
        match number.filter(|_| self.stretches.may_act(contact, call.cx.now())) {
            Some(number) => self.say_over(call, contact, number),
            None => Ok(()),
        }
    }

    /// Wipes the stretch that stands, if any.
    pub(in crate::messenger) fn forget_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.stretches.groups.remove(&contact);
        self.stretches.used.remove(&contact);
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let Some(stretch) = person.stretch.now.take() else {
            return Ok(());
        };
        person.stretch.ended = stretch.group.or(person.stretch.ended);
        person.stretch.take_lacking();
        person.stretch.put(call.storage, contact)?;
        wipe(call.storage, &stretch)?;
        let letter = stretch.letter;
        letter.map_or(Ok(()), |letter| self.recall(call, letter))
    }

    /// Forgets that there ever was any.
    pub(in crate::messenger) fn forget_stretches(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.forget_stretch(call, contact)?;
        self.stretches.forget(contact);
        StretchRecord::clear(call.storage, contact)
    }
}

/// Wipes what a backup knew of a stretch: the lost device may have said something
/// else with the same keys.
pub(in crate::messenger) fn wipe_restored(
    storage: &mut dyn Storage,
    contact: ContactId,
) -> Result<(), StorageError> {
    let mut record = StretchRecord::of(storage, contact)?;
    let Some(stretch) = record.now.take() else {
        return Ok(());
    };
    record.take_lacking();
    wipe(storage, &stretch)?;
    record.put(storage, contact)
}

fn wipe(storage: &mut dyn Storage, stretch: &Stretch) -> Result<(), StorageError> {
    if let Some(group) = stretch.group() {
        storage.remove_mls_scope(&Group::scope(group))?;
    }
    match stretch.package.is_empty() {
        true => Ok(()),
        false => forget_key_package(&mut *storage, &stretch.package),
    }
}
