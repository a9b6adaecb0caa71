//! When a network lost a mailbox of mine, or of a contact.
//!
//! ```text
//! mine    Gone ─▶ lost, another is due ─ wait ─▶ asked for ─ MailboxOpened ─▶
//!         contact is told ─ a letter of theirs comes to it ─▶ mended
//! theirs  letters fail ─ their new addresses come ─▶ what failed is said again
//! ```
//!
//! How long the wait is, [`losses`](super::losses) knows; what is said again,
//! [`repeat`](super::repeat) says. If both sides lost theirs at the same time,
//! nobody can tell anybody anything, and only a new invitation helps.

use hushwing_delivery::{Address, Keep, LetterId, MailboxId, NetworkCommand, NetworkTag};
use hushwing_sansio::StorageError;

use super::broken::is_damage;
use super::{Call, Messenger};
use crate::letter::LetterBody;
use crate::storage::{InvitationState, MailboxRecord, MailboxState, MailboxUse, Role, Standing};
use crate::{ContactId, InvitationId, RoomId, Secret, Storage};

impl Messenger {
    /// Takes up what earlier runs knew to be lost.
    pub(super) fn resume_losses(&mut self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            let owner = MailboxUse::Conversation(contact);
            match self.losses.resume(storage, owner) {
                Err(error) if is_damage(&error) => self.damaged.push(contact),
                resumed => resumed?,
            }
        }
        for id in self.invitations.keys() {
            self.losses.resume(storage, MailboxUse::Invitation(*id))?;
        }
        for place in self.rooms.places().collect::<Vec<_>>() {
            match self
                .losses
                .resume(storage, MailboxUse::Room(RoomId::at(place)))
            {
                Err(error) if is_damage(&error) => self.damaged.push(place),
                resumed => resumed?,
            }
        }
        self.count_old_losses(storage)?;
        for (contact, person) in &mut self.people {
            person.mailbox_lost = person.record.standing != Standing::Broken
                && self.losses.stands(MailboxUse::Conversation(*contact));
        }
        Ok(())
    }

    /// Older versions kept one row for each mailbox that was lost.
    fn count_old_losses(&mut self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let old = self.mailboxes.iter().filter(|(_, record)| {
            matches!(record.state, MailboxState::Lost | MailboxState::Replaced)
        });
        let old: Vec<_> = old.map(|(id, r)| (*id, r.owner, r.state)).collect();
        for (id, owner, state) in old {
            self.losses
                .note_old(storage, owner, state == MailboxState::Lost)?;
            self.mailboxes.remove(&id);
            storage.remove_mailbox_record(id)?;
        }
        Ok(())
    }

    /// Plans what earlier runs did not come to.
    pub(super) fn plan_replacements(&mut self, call: &Call<'_, '_>) {
        for (id, record) in &self.mailboxes {
            if record.state == MailboxState::Due {
                self.losses.plan(call.cx, record.owner, *id);
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
        let had = |record: &MailboxRecord| {
            matches!(record.state, MailboxState::Opening | MailboxState::Open)
        };
        let Some(lost) = known.filter(had) else {
            // It was taken note of, but the network was not told before a
            // crash.
            self.instruct(network, NetworkCommand::CloseMailbox { mailbox });
            return Ok(());
        };
        match lost.owner {
            MailboxUse::Conversation(contact) => self.lose_conversation(call, lost, contact),
            MailboxUse::Invitation(id) => self.lose_invitation(call, lost, id),
            MailboxUse::Room(room) => self.within(call, room.place(), |this, call| {
                this.room_mailbox_lost(call, room, lost)
            }),
        }
    }

    fn lose_conversation(
        &mut self,
        call: &mut Call<'_, '_>,
        lost: MailboxRecord,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if matches!(self.standing(contact), None | Some(Standing::Broken)) {
            // Nobody will write there any more.
            return self.close_mailbox(call, MailboxId(lost.id));
        }
        if matches!(
            self.mails.role(contact, MailboxId(lost.id)),
            Role::Old | Role::Leaving { .. } | Role::Recovery
        ) {
            // They write elsewhere, or try this one last. A sweep makes another for the last
            // resort, so that it does not make those in service wait.
            self.mails.of(contact).drop_note(lost.id);
            self.mails.save(call.storage, contact)?;
            return self.close_mailbox(call, MailboxId(lost.id));
        }
        let keys = MailboxRecord {
            first_contact: Secret::default(),
            shared: Secret::new(call.cx.random::<32>()),
            ..lost
        };
        self.replace_mailbox(call, keys)?;
        if let Some(person) = self.people.get_mut(&contact) {
            person.mailbox_lost = true;
        }
        self.tell_contact(contact);
        Ok(())
    }

    /// The link of a reusable invitation can be published again in another
    /// mailbox; a one-time link is dead.
    fn lose_invitation(
        &mut self,
        call: &mut Call<'_, '_>,
        lost: MailboxRecord,
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
        let mailbox = self.replace_mailbox(call, lost)?;
        if let Some(record) = self.invitations.get_mut(&id) {
            record.mailbox = mailbox;
            call.storage.put_invitation(record)?;
        }
        Ok(())
    }

    /// Puts another mailbox with its keys in place of `lost`. It is asked for
    /// when its owner has waited long enough.
    pub(super) fn replace_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        lost: MailboxRecord,
    ) -> Result<u64, StorageError> {
        let (owner, before) = (lost.owner, lost.id);
        self.close_mailbox(call, MailboxId(lost.id))?;
        let record = MailboxRecord {
            id: call.storage.next_number()?,
            state: MailboxState::Due,
            locator: None,
            ..lost
        };
        let id = record.id;
        self.renumber_mailbox(call, owner, before, id)?;
        self.losses.note(call.cx.wall(), call.storage, owner)?;
        self.save_mailbox(call, record)?;
        self.losses.plan(call.cx, owner, MailboxId(id));
        self.replace_due(call)?;
        Ok(id)
    }

    /// Asks for the mailboxes that waited long enough.
    pub(super) fn replace_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for mailbox in self.losses.take(call.cx.now()) {
            let due = self.mailboxes.get(&mailbox).cloned();
            let Some(record) = due.filter(|record| record.state == MailboxState::Due) else {
                continue;
            };
            let state = MailboxState::Opening;
            self.open_mailbox(call, MailboxRecord { state, ..record })?;
        }
        Ok(())
    }

    /// Whether a contact was told an address of mine that was lost since.
    pub(super) fn people_were_told(&self, contact: ContactId) -> bool {
        let owner = MailboxUse::Conversation(contact);
        self.in_touch(contact) && self.losses.count(owner) > 0
    }

    /// Whether neither side can tell the other anything, as far as I know: my
    /// mailbox was lost, and what I write to them fails for good.
    pub(super) fn out_of_reach(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let person = self.people.get(&contact);
        Ok(person.is_some_and(|person| person.mailbox_lost)
            && !call.storage.failed_to(contact)?.is_empty())
    }

    /// An envelope opened under the keys of `mailbox`, so whoever it is for
    /// knows that address.
    pub(super) fn reached_at(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(contact) = self.conversation_of(mailbox) else {
            return Ok(());
        };
        let person = self.people.get_mut(&contact);
        let Some(person) = person.filter(|person| person.mailbox_lost) else {
            return Ok(());
        };
        person.mailbox_lost = false;
        let owner = MailboxUse::Conversation(contact);
        self.losses.mend(call.storage, owner)?;
        self.tell_contact(contact);
        Ok(())
    }

    /// Whether I know an address of somebody I write to that is not among
    /// `tried`.
    pub(super) fn writes_elsewhere(&self, contact: ContactId, tried: &[Address]) -> bool {
        self.people.get(&contact).is_some_and(|person| {
            person.record.standing == Standing::Established
                && self.is_written_to(contact)
                && person.addresses.iter().any(|to| !tried.contains(to))
        })
    }

    /// Keeps my last commit until they prove that it came: without it they can
    /// read nothing that follows. Empty once they did.
    pub(super) fn keep_commit(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        commit: &[u8],
    ) -> Result<(), StorageError> {
        match commit {
            [] => call.storage.remove_setting(&commit_of(contact)),
            commit => call.storage.put_setting(&commit_of(contact), commit),
        }
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
                self.within(call, contact, |this, call| {
                    this.post_commit_again(call, contact).map(drop)
                })
            }
            _ => Ok(()),
        }
    }

    /// Posts my last commit again, unless they proved that it came; whether it
    /// did.
    pub(super) fn post_commit_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let letter = self.people.get(&contact);
        let Some(letter) = letter.and_then(|person| person.record.commit_letter) else {
            return Ok(false);
        };
        let answer = self.people.get(&contact).map(|person| &person.era.answer);
        let bytes = match answer.filter(|answer| !answer.is_empty()) {
            Some(answer) => answer.clone(),
            None => {
                let commit = call.storage.setting(&commit_of(contact))?;
                let Some(commit) = commit.filter(|commit| !commit.is_empty()) else {
                    return Ok(false);
                };
                LetterBody::message(&commit)
            }
        };
        self.office
            .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        if let (Some(letter), Some(person)) = (&letter, self.people.get_mut(&contact)) {
            person.record.commit_letter = Some(letter.0);
            call.storage.put_contact(&person.record)?;
        }
        Ok(letter.is_some())
    }
}

/// The setting under which my last commit to a contact lies.
pub(super) fn commit_of(contact: ContactId) -> String {
    format!("commit {}", contact.0)
}
