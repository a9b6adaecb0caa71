//! When a network lost a mailbox of mine, or of a contact.
//!
//! ```text
//! mine    Gone ─▶ lost, another asked for ─ MailboxOpened ─▶ contact is told
//!         ─ a letter of theirs comes to it ─▶ mended
//! theirs  letters fail ─ their new addresses come ─▶ what failed is said again
//! ```
//!
//! If both sides lost theirs at the same time, nobody can tell anybody
//! anything, and only a new invitation helps.

use hushwing_delivery::{Address, Keep, LetterId, MailboxId, NetworkCommand, NetworkTag};
use hushwing_sansio::StorageError;

use super::people::Person;
use super::{Call, Messenger};
use crate::content::{AddressUpdate, Content};
use crate::letter::LetterBody;
use crate::storage::{
    InvitationState, MailboxRecord, MailboxState, MailboxUse, MessageKind, MessageRecord,
    MessageState, Standing,
};
use crate::{ContactId, InvitationId, Secret};

impl Messenger {
    /// Takes up what earlier runs knew to be lost.
    pub(super) fn note_lost_mailboxes(&mut self) {
        for record in self.mailboxes.values() {
            if let (MailboxState::Lost, MailboxUse::Conversation(contact)) =
                (record.state, record.owner)
                && let Some(person) = self.people.get_mut(&contact)
            {
                person.mailbox_lost = person.record.standing != Standing::Broken;
            }
        }
    }

    /// A network does not have a mailbox any more.
    pub(super) fn mailbox_lost(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let known = self.mailboxes.get(&mailbox).cloned();
        match known.map(|record| (record.state, record.owner, record)) {
            Some((MailboxState::Opening | MailboxState::Open, owner, record)) => match owner {
                MailboxUse::Conversation(contact) => self.replace_mailbox(call, record, contact),
                MailboxUse::Invitation(id) => self.lose_invitation(call, &record, id),
            },
            // It was taken note of, but the network was not told before a
            // crash.
            _ => {
                self.instruct(network, NetworkCommand::CloseMailbox { mailbox });
                Ok(())
            }
        }
    }

    fn replace_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        lost: MailboxRecord,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let (id, network) = (MailboxId(lost.id), NetworkTag(lost.network));
        let record = MailboxRecord {
            state: MailboxState::Lost,
            first_contact: Secret::default(),
            shared: Secret::default(),
            locator: None,
            ..lost
        };
        call.storage.put_mailbox_record(&record)?;
        self.mailboxes.insert(id, record);
        self.office.close_mailbox(&mut *call.storage, id)?;
        let person = self.people.get_mut(&contact);
        let broken = |person: &&mut Person| person.record.standing == Standing::Broken;
        let Some(person) = person.filter(|person| !broken(person)) else {
            // Nobody will write there any more.
            return Ok(());
        };
        person.mailbox_lost = true;
        self.tell_contact(contact);
        self.open_conversation_mailbox(call, network, contact)
    }

    /// The link of a reusable invitation can be published again in another
    /// mailbox; a one-time link is dead.
    fn lose_invitation(
        &mut self,
        call: &mut Call<'_, '_>,
        lost: &MailboxRecord,
        id: InvitationId,
    ) -> Result<(), StorageError> {
        let again = self
            .invitations
            .get(&id)
            .is_some_and(|record| record.reusable && record.state == InvitationState::Open);
        if !again {
            // Who waits for the link hears of it first.
            return match self.waiting_invites.contains_key(&id) {
                true => Ok(()),
                false => self.forget_invitation(call, id),
            };
        }
        self.close_mailboxes(call, MailboxUse::Invitation(id))?;
        let mailbox = call.storage.next_number()?;
        if let Some(record) = self.invitations.get_mut(&id) {
            record.mailbox = mailbox;
            call.storage.put_invitation(record)?;
        }
        self.open_mailbox(
            call,
            MailboxRecord {
                id: mailbox,
                state: MailboxState::Opening,
                locator: None,
                ..lost.clone()
            },
        )
    }

    /// Whether a contact was told an address of mine that was lost since.
    pub(super) fn people_were_told(&self, contact: ContactId) -> bool {
        let in_touch = matches!(
            self.standing(contact),
            Some(Standing::Asked | Standing::Established)
        );
        in_touch && self.losses(contact) > 0
    }

    /// How many mailboxes of a contact were lost so far.
    fn losses(&self, contact: ContactId) -> u64 {
        let owner = MailboxUse::Conversation(contact);
        let lost = |record: &&MailboxRecord| {
            record.owner == owner
                && matches!(record.state, MailboxState::Lost | MailboxState::Replaced)
        };
        u64::try_from(self.mailboxes.values().filter(lost).count()).unwrap_or(u64::MAX)
    }

    /// Tells a contact my addresses again, above all earlier ones: those were
    /// revision 1, and one more for each loss.
    pub(super) fn tell_new_addresses(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let update = AddressUpdate {
            revision: self.losses(contact).saturating_add(1),
            addresses: self.addresses_for(contact),
        };
        self.say_control(call, contact, &Content::Addresses(update))?;
        // Receipts may have been lost with the mailbox; what is said again is
        // confirmed again.
        for record in self.unconfirmed(call, contact)? {
            if record.kind != MessageKind::Control {
                self.say_once_more(call, &record)?;
            }
        }
        Ok(())
    }

    /// An envelope opened under the keys of `mailbox`, so whoever it is for
    /// knows that address.
    pub(super) fn reached_at(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let owner = self.mailboxes.get(&mailbox).map(|record| record.owner);
        let Some(MailboxUse::Conversation(contact)) = owner else {
            return Ok(());
        };
        let person = self.people.get_mut(&contact);
        let Some(person) = person.filter(|person| person.mailbox_lost) else {
            return Ok(());
        };
        person.mailbox_lost = false;
        let owner = MailboxUse::Conversation(contact);
        for record in self.mailboxes.values_mut() {
            if record.owner == owner && record.state == MailboxState::Lost {
                record.state = MailboxState::Replaced;
                call.storage.put_mailbox_record(record)?;
            }
        }
        self.tell_contact(contact);
        Ok(())
    }

    /// Whether I know an address of somebody in touch that is not among
    /// `tried`.
    pub(super) fn writes_elsewhere(&self, contact: ContactId, tried: &[Address]) -> bool {
        self.people.get(&contact).is_some_and(|person| {
            person.record.standing == Standing::Established
                && person.addresses.iter().any(|to| !tried.contains(to))
        })
    }

    /// A contact has another mailbox: says once more what failed and what may
    /// have been lost with the old one, my last commit first.
    pub(super) fn say_stranded(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Established) {
            return Ok(());
        }
        self.post_commit_again(call, contact)?;
        for record in self
            .unconfirmed(call, contact)?
            .into_iter()
            .chain(call.storage.failed_to(contact)?)
        {
            self.say_once_more(call, &record)?;
            if self.standing(contact) == Some(Standing::Broken) {
                return Ok(());
            }
            if record.state == MessageState::Failed {
                let mut times = record.times.clone();
                times.failed = None;
                call.storage
                    .set_state(record.id(), MessageState::Queued, &times)?;
                self.tell_state(&record, MessageState::Queued);
            }
        }
        Ok(())
    }

    /// My messages to a contact that are on their way as far as I know.
    fn unconfirmed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        if self.standing(contact) == Some(Standing::Broken) {
            return Ok(Vec::new());
        }
        let (_, group, _) = self.at_hand(call, contact)?;
        let all = group.epoch().saturating_add(1);
        call.storage.unconfirmed_before(contact, all)
    }

    /// Keeps my last commit until they prove that it came: without it they can
    /// read nothing that follows. Empty once they did.
    pub(super) fn keep_commit(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        commit: &[u8],
    ) -> Result<(), StorageError> {
        call.storage.put_setting(&commit_of(contact), commit)
    }

    /// A letter that holds no message was given up.
    pub(super) fn commit_failed(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        tried: &[Address],
    ) -> Result<(), StorageError> {
        let of = self
            .people
            .values()
            .find(|person| person.record.commit_letter == Some(letter.0));
        match of.map(|person| person.record.id) {
            Some(contact) if self.writes_elsewhere(contact, tried) => {
                self.post_commit_again(call, contact)
            }
            _ => Ok(()),
        }
    }

    /// Posts my last commit again, unless they proved that it came.
    fn post_commit_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let letter = self.people.get(&contact);
        let Some(letter) = letter.and_then(|person| person.record.commit_letter) else {
            return Ok(());
        };
        let commit = call.storage.setting(&commit_of(contact))?;
        let Some(commit) = commit.filter(|commit| !commit.is_empty()) else {
            return Ok(());
        };
        self.office
            .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        let bytes = LetterBody::message(&commit);
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        if let (Some(letter), Some(person)) = (letter, self.people.get_mut(&contact)) {
            person.record.commit_letter = Some(letter.0);
            call.storage.put_contact(&person.record)?;
        }
        Ok(())
    }
}

/// The setting under which my last commit to a contact lies.
fn commit_of(contact: ContactId) -> String {
    format!("commit {}", contact.0)
}
