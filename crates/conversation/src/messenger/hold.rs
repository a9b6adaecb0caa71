//! Letters that cannot be read yet: kept for a while, within the room of the
//! [`Shelf`].
//!
//! What is not kept is not remembered either: a further copy of it is heard
//! again, so that what its sender's outbox sends anew is not lost for good.

use core::time::Duration;

use hushwing_delivery::{MailboxId, RepeatId};
use hushwing_sansio::StorageError;

use super::hear::Arrival;
use super::shelf::{STRAYS, Shelf};
use super::{Call, Messenger};
use crate::mls::Received;
use crate::storage::{HeldHead, HeldRecord};
use crate::{ContactId, DropReason};

/// How long a stray waits for its join request; as long as the rest of a
/// stranger's letter is waited for.
const STRAY_LIFE: Duration = Duration::from_secs(3 * 24 * 60 * 60);

impl Messenger {
    /// Drops a letter of which a further copy may be heard.
    pub(super) fn pass_over(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: Option<ContactId>,
        reason: DropReason,
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        if let Some(repeat) = repeat {
            self.office.forget_repeat(&mut *call.storage, repeat)?;
        }
        self.drop_letter(contact, reason)
    }

    /// Keeps a letter until the commit that opens its epoch comes, or, of
    /// [`STRAYS`], until its join request comes.
    pub(super) fn hold(
        &mut self,
        call: &mut Call<'_, '_>,
        whose: ContactId,
        bytes: &[u8],
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        if !Shelf::fits(whose, bytes.len()) {
            return self.pass_over(call, named(whose), DropReason::TooManyHeld, repeat);
        }
        while let Some((of, number)) = self.shelf.in_the_way(whose, bytes.len()) {
            self.let_go(call, of, number, DropReason::TooManyHeld)?;
        }
        let record = HeldRecord {
            contact: whose,
            number: call.storage.next_number()?,
            since: call.cx.wall(),
            repeat,
            bytes: bytes.to_vec(),
        };
        call.storage.add_held(&record)?;
        self.shelf.add(&HeldHead {
            contact: whose,
            number: record.number,
            since: record.since,
            repeat,
            length: bytes.len(),
        });
        Ok(())
    }

    fn let_go(
        &mut self,
        call: &mut Call<'_, '_>,
        whose: ContactId,
        number: u64,
        reason: DropReason,
    ) -> Result<(), StorageError> {
        let repeat = self.shelf.remove(whose, number).and_then(|w| w.repeat);
        call.storage.remove_held(whose, number)?;
        self.pass_over(call, named(whose), reason, repeat)
    }

    /// Hears what waited for the present epoch. Each letter is read once: only
    /// those of the next epoch are held, so all can be opened when it comes.
    pub(super) fn hear_held(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        for number in self.shelf.numbers(contact) {
            if let Some(held) = self.take_held(call, contact, number)? {
                self.hear_held_one(call, contact, &held)?;
            }
        }
        Ok(())
    }

    fn hear_held_one(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        held: &HeldRecord,
    ) -> Result<(), StorageError> {
        let (bytes, repeat) = (&held.bytes, held.repeat);
        let Some(received) = Received::parse(bytes) else {
            return self.hear_announcement(call, contact, bytes, repeat);
        };
        // By which network it came is not kept while it waits.
        let network = None;
        let group = received.conversation();
        if self.whose_group(group) == Some(contact) {
            self.hear_from(call, contact, received, bytes, repeat, network)
        } else if self.whose_stretch(group) == Some(contact) {
            self.hear_in_stretch(call, contact, received, network)
        } else if self.still_awaits_stretch(contact) {
            self.hold(call, contact, bytes, repeat)
        } else {
            self.drop_letter(Some(contact), DropReason::Unreadable)
        }
    }

    /// Takes a letter off the shelf and out of storage; `None` if it was taken
    /// meanwhile.
    pub(super) fn take_held(
        &mut self,
        call: &mut Call<'_, '_>,
        whose: ContactId,
        number: u64,
    ) -> Result<Option<HeldRecord>, StorageError> {
        if self.shelf.remove(whose, number).is_none() {
            return Ok(None);
        }
        let held = call.storage.held(whose, number)?;
        call.storage.remove_held(whose, number)?;
        Ok(held)
    }

    /// Keeps a letter to a conversation that its join request has not opened
    /// yet. The oldest gives way: whoever sends what nobody asked for must not
    /// keep an honest letter out for good.
    pub(super) fn keep_stray(
        &mut self,
        call: &mut Call<'_, '_>,
        bytes: &[u8],
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        self.hold(call, STRAYS, bytes, repeat)
    }

    /// Hears the strays of a conversation that was just opened.
    pub(super) fn hear_strays(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let conversation = person.map(|person| person.record.conversation);
        for number in self.shelf.numbers(STRAYS) {
            let Some(held) = call.storage.held(STRAYS, number)? else {
                continue;
            };
            let claimed = Received::parse(&held.bytes).map(|received| received.conversation());
            if claimed == conversation
                && let Some(held) = self.take_held(call, STRAYS, number)?
            {
                let repeat = held.repeat;
                self.hear(call, Arrival { mailbox, repeat }, &held.bytes)?;
            }
        }
        Ok(())
    }

    /// Lets strays go whose join request did not come.
    pub(super) fn sweep_strays(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let oldest = call.cx.wall() - STRAY_LIFE;
        for number in self.shelf.before(STRAYS, oldest) {
            self.let_go(call, STRAYS, number, DropReason::Stray)?;
        }
        Ok(())
    }
}

/// Whom to name where a letter is dropped.
fn named(whose: ContactId) -> Option<ContactId> {
    (whose != STRAYS).then_some(whose)
}
