//! What a contact is told of my mailboxes, and when an old one is closed.
//!
//! ```text
//!            another is open          they know, and          confirmed,
//!            in its place             wrote to one in service a day passed
//! Service ──────────────────▶ Old ──────────────────▶ Leaving ──────────▶ closed
//!         told: new …, old         told: new …
//! ```
//!
//! Each step is in storage before what it says leaves, and the next one waits
//! for proof by the contact, so that a crash between any two repeats at most a
//! letter. [`rotate`](super::rotate) begins it.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::{Keep, MailboxId};
use hushwing_sansio::{Moment, StorageError};

use super::broken::is_damage;
use super::mailbox::shared_address;
use super::{Call, Messenger};
use crate::content::{AddressUpdate, Content, MessageId};
use crate::letter::LetterBody;
use crate::storage::{MailRecord, MailboxState, MailboxUse, Role, Standing};
use crate::{ContactId, Storage};

/// How long a mailbox stays after it was confirmed that nobody writes to it any
/// more, for what was under way to it.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// How long this program must have run after that, to fetch what lies there: the
/// day may have passed while the machine slept.
pub(super) const GRACE_RUN: Duration = Duration::from_secs(60 * 60);

/// What is known of the mailboxes of all conversations.
#[derive(Default)]
pub(super) struct Mails {
    pub(super) by_contact: BTreeMap<ContactId, MailRecord>,
    /// Contacts whose mailboxes may be too few.
    pub(super) to_tend: BTreeSet<ContactId>,
    /// Contacts for whom no mailbox could be made; tried again then.
    pub(super) rests: BTreeMap<ContactId, Moment>,
    /// Mailboxes that have been left long enough, and since when that was seen in
    /// this run.
    left: BTreeMap<u64, Moment>,
    /// Mailboxes that lie where none is to lie any more, as their networks told.
    pub(super) displaced: BTreeSet<MailboxId>,
}

impl Mails {
    /// What is known of the mailboxes of a contact.
    pub(super) fn of(&mut self, contact: ContactId) -> &mut MailRecord {
        self.by_contact.entry(contact).or_default()
    }

    /// The same, only to look.
    pub(super) fn get(&self, contact: ContactId) -> Option<&MailRecord> {
        self.by_contact.get(&contact)
    }

    /// What a mailbox is for.
    pub(super) fn role(&self, contact: ContactId, mailbox: MailboxId) -> Role {
        let mail = self.by_contact.get(&contact);
        mail.map_or(Role::Service, |mail| mail.role(mailbox.0))
    }

    /// Writes what is known of the mailboxes of a contact.
    pub(super) fn save(
        &self,
        storage: &mut dyn Storage,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        match self.by_contact.get(&contact) {
            Some(mail) => mail.put(storage, contact),
            None => Ok(()),
        }
    }

    /// Forgets a contact.
    pub(super) fn forget(
        &mut self,
        storage: &mut dyn Storage,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.by_contact.remove(&contact);
        self.to_tend.remove(&contact);
        self.rests.remove(&contact);
        MailRecord::clear(storage, contact)
    }
}

impl Messenger {
    /// Takes up what earlier runs knew.
    pub(super) fn resume_mails(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            match MailRecord::of(storage, contact) {
                Ok(mail) => {
                    self.mails.by_contact.insert(contact, mail);
                }
                Err(error) if is_damage(&error) => self.damaged.push(contact),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The mailboxes of a contact, the preferred one first.
    pub(super) fn mailboxes_of(&self, contact: ContactId) -> Vec<MailboxId> {
        let owner = MailboxUse::Conversation(contact);
        let mut all: Vec<MailboxId> = self
            .mailboxes
            .iter()
            .filter(|(_, record)| record.owner == owner)
            .map(|(id, _)| *id)
            .collect();
        if let Some(mail) = self.mails.get(contact) {
            // One that is not named is older than those that are.
            let place = |id: &MailboxId| mail.mailboxes.iter().position(|note| note.id == id.0);
            all.sort_by_key(|id| place(id).map_or(0, |at| at + 1));
        }
        all
    }

    /// Those of a contact's mailboxes that are open and for `wanted`.
    pub(super) fn open_for(
        &self,
        contact: ContactId,
        wanted: impl Fn(Role) -> bool,
    ) -> Vec<MailboxId> {
        let mut all = self.mailboxes_of(contact);
        all.retain(|id| {
            let open = self.mailboxes.get(id).map(|record| record.state);
            open == Some(MailboxState::Open) && wanted(self.mails.role(contact, *id))
        });
        all
    }

    /// My addresses for a contact, as they are told: revision 1, and one more
    /// for each loss and each other change.
    pub(super) fn my_addresses(&self, contact: ContactId) -> AddressUpdate {
        let encoded = |mailboxes: Vec<MailboxId>| {
            let records = mailboxes
                .into_iter()
                .filter_map(|id| self.mailboxes.get(&id));
            let addresses = records.filter_map(shared_address);
            addresses.map(|address| address.encode())
        };
        let service = encoded(self.open_for(contact, |role| role == Role::Service));
        let old = encoded(self.open_for(contact, |role| role == Role::Old));
        let recovery = encoded(self.open_for(contact, |role| role == Role::Recovery));
        let told = self.mails.get(contact).map_or(0, |mail| mail.told);
        let losses = self.losses.count(MailboxUse::Conversation(contact));
        AddressUpdate {
            revision: losses.saturating_add(told).saturating_add(1),
            addresses: service.chain(old).collect(),
            recovery: recovery.collect(),
        }
    }

    /// Tells a contact my addresses again, above all earlier ones. What may have
    /// been lost meanwhile is asked after: receipts may wait where nobody comes
    /// by any more.
    pub(super) fn tell_new_addresses(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let silent = !self.is_written_to(contact);
        let mail = self.mails.of(contact);
        mail.told = mail.told.saturating_add(1);
        mail.confirmed = false;
        if silent {
            // Unblocking tells them what is then.
            mail.telling.clear();
            return self.mails.save(call.storage, contact);
        }
        let update = self.my_addresses(contact);
        self.forget_old_addresses(call, contact)?;
        let content = Content::Addresses(update);
        let Some((mut record, message)) = self.utter_control(call, contact, &content)? else {
            return Ok(());
        };
        let bytes = LetterBody::message(&message);
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        record.letter = letter.map(|letter| letter.0);
        call.storage.add_message(&record)?;
        self.mails.of(contact).telling = record.id().as_bytes().to_vec();
        self.mails.save(call.storage, contact)?;
        self.say_all_again(call, contact, false, false)
    }

    /// A mailbox for a contact is open: they are greeted there, or told of it
    /// beside the others.
    pub(super) fn mailbox_for_contact(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) == Some(Standing::Restoring) {
            return self.ask_anew(call, contact);
        }
        let first = self.open_for(contact, |_| true) == [mailbox];
        let told = self.mails.get(contact).is_some_and(|mail| mail.told > 0);
        if !self.in_touch(contact) || (first && !told && !self.people_were_told(contact)) {
            self.conversation_opened(call, contact)?;
        } else {
            self.take_place(call, contact, mailbox)?;
            self.tell_new_addresses(call, contact)?;
            self.let_into_room(call, contact)?;
        }
        self.mails.to_tend.insert(contact);
        Ok(())
    }

    /// A mailbox that is open now takes the place of the one it replaces.
    fn take_place(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let mail = self.mails.of(contact);
        let mut notes = mail.mailboxes.iter_mut();
        let note = notes.find(|note| note.id == mailbox.0);
        let replaced = note.and_then(|note| note.replaces.take());
        if let Some(replaced) = replaced {
            mail.set_role(replaced, Role::Old, now);
        }
        self.mails.save(call.storage, contact)
    }

    /// A contact confirmed a message of mine that no face shows.
    pub(super) fn telling_confirmed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        message: &MessageId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let mail = self.mails.by_contact.get_mut(&contact);
        let Some(mail) = mail.filter(|mail| mail.telling == message.as_bytes()) else {
            return Ok(());
        };
        mail.telling.clear();
        mail.confirmed = true;
        for note in &mut mail.mailboxes {
            if let Role::Leaving { since } = &mut note.role {
                since.get_or_insert(now);
            }
        }
        self.mails.save(call.storage, contact)
    }

    /// A contact wrote to a mailbox. If they know my addresses and this is one
    /// in service, the old ones are not needed any more.
    pub(super) fn wrote_to(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(contact) = self.conversation_of(mailbox) else {
            return Ok(());
        };
        let role = self.mails.role(contact, mailbox);
        let established = self.standing(contact) == Some(Standing::Established);
        let silent = !self.is_written_to(contact);
        let mail = self.mails.by_contact.get_mut(&contact);
        let Some(mail) = mail.filter(|mail| mail.confirmed && established) else {
            return Ok(());
        };
        let old = |role: Role| role == Role::Old;
        let now = call.cx.wall();
        if role != Role::Service || !mail.mailboxes.iter().any(|note| old(note.role)) {
            return Ok(());
        }
        for note in &mut mail.mailboxes {
            if old(note.role) {
                // Who is blocked is not told; they reach another, so it goes.
                let since = silent.then_some(now);
                note.role = Role::Leaving { since };
            }
        }
        self.within(call, contact, |this, call| {
            this.tell_new_addresses(call, contact)
        })
    }

    /// Closes mailboxes to which nobody can be writing any more.
    pub(super) fn close_left(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let all = self.mails.by_contact.iter();
        let over = all.flat_map(|(contact, mail)| {
            let left = mail.mailboxes.iter().filter(|note| match note.role {
                Role::Leaving { since: Some(since) } => since + GRACE <= now,
                _ => false,
            });
            left.map(|note| (*contact, note.id))
        });
        let over: Vec<_> = over.collect();
        let still = |mailbox: &u64| over.iter().any(|(_, left)| left == mailbox);
        self.mails.left.retain(|mailbox, _| still(mailbox));
        for (contact, mailbox) in over {
            let seen = self.mails.left.entry(mailbox);
            if call.cx.now() < *seen.or_insert(call.cx.now()) + GRACE_RUN {
                continue;
            }
            self.close_mailbox(call, MailboxId(mailbox))?;
            self.mails.of(contact).drop_note(mailbox);
            self.mails.save(call.storage, contact)?;
        }
        Ok(())
    }
}
