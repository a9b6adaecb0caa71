//! What was said with a contact who was forgotten goes a piece at a time.
//!
//! The contact is gone at once, and with them everything by which they could be
//! shown or written to. What was said may be very much, and each text is taken out
//! of the index by its words; in one transaction it would keep all others waiting.
//! Who is still going lies in storage, so that a restart goes on with it.

use core::time::Duration;
use std::collections::VecDeque;

use hushwing_sansio::{Moment, StorageError};

use super::{Call, Messenger};
use crate::ContactId;

/// Setting that names the contacts of whom something is left, eight bytes each.
const GOING: &str = "contacts going";
/// Messages that go in one call.
const PIECE: usize = 256;
/// How long others have their turn between two calls.
const PAUSE: Duration = Duration::from_millis(20);

/// Contacts of whom messages are left.
#[derive(Default)]
pub(super) struct Going {
    contacts: VecDeque<ContactId>,
    due: Option<Moment>,
}

impl Going {
    pub(super) fn due(&self) -> Option<Moment> {
        self.due
    }

    fn encode(&self) -> Vec<u8> {
        let contacts = self.contacts.iter();
        contacts
            .flat_map(|contact| contact.0.to_be_bytes())
            .collect()
    }
}

impl Messenger {
    /// Takes up what an earlier run left.
    pub(super) fn resume_going(&mut self, call: &Call<'_, '_>) -> Result<(), StorageError> {
        let left = call.storage.setting(GOING)?.unwrap_or_default();
        let (numbers, _) = left.as_chunks::<8>();
        let contacts = numbers
            .iter()
            .map(|number| ContactId(u64::from_be_bytes(*number)));
        self.going.contacts = contacts.collect();
        self.going.due = (!self.going.contacts.is_empty()).then(|| call.cx.now());
        Ok(())
    }

    /// A contact was forgotten: what was said goes, the first piece at once.
    pub(super) fn let_messages_go(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if !call.storage.remove_messages(contact, PIECE)? {
            return Ok(());
        }
        self.going.contacts.push_back(contact);
        self.going.due = Some(call.cx.now() + PAUSE);
        call.storage.put_setting(GOING, &self.going.encode())
    }

    /// Lets the next piece go.
    pub(super) fn go_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.going.due.is_none_or(|due| due > call.cx.now()) {
            return Ok(());
        }
        self.going.due = Some(call.cx.now() + PAUSE);
        if let Some(contact) = self.going.contacts.front().copied()
            && !call.storage.remove_messages(contact, PIECE)?
        {
            self.going.contacts.pop_front();
            call.storage.put_setting(GOING, &self.going.encode())?;
        }
        if self.going.contacts.is_empty() {
            self.going.due = None;
            call.storage.remove_setting(GOING)?;
        }
        Ok(())
    }
}
