//! The inviter's answer to a join request.

use hushwing_delivery::MailboxId;
use hushwing_sansio::StorageError;

use super::hear::Arrival;
use super::join::NAMELESS;
use super::show::show;
use super::stop::Stop;
use super::stranger::MOST_MESSAGES;
use super::{Call, Messenger};
use crate::mls::{Group, JoinError, LeafKey};
use crate::storage::{ContactRecord, KeyPackageRecord, MailboxUse, Side, Standing};
use crate::{ContactId, ConversationId, DropReason, Event, InvitationId, Refusal, Reply, Secret};

/// Undecided requests that are kept; further strangers must try again later.
const MOST_REQUESTS: usize = 256;

impl Messenger {
    /// Somebody opened a link of mine.
    pub(super) fn join_request(
        &mut self,
        call: &mut Call<'_, '_>,
        arrival: Arrival,
        invitation: InvitationId,
        welcome: &[u8],
        messages: &[&[u8]],
    ) -> Result<(), StorageError> {
        if !self.takes_joins(invitation, call.cx.wall()) {
            return self.drop_letter(None, DropReason::JoinRequest);
        }
        if self.requests().count() >= MOST_REQUESTS {
            // Decisions make room, and a further copy may find it.
            return self.pass_over(call, None, DropReason::TooManyRequests, arrival.repeat);
        }
        let packages = call.storage.key_packages(invitation)?;
        let key_of = |public: &[u8]| find_key(&packages, public);
        let rows = &mut *call.storage;
        let group = match Group::join(&self.crypto, call.cx, rows, welcome, key_of)? {
            Ok(group) => group,
            Err(error) => return self.drop_letter(None, reason(error)),
        };
        let Some(conversation) = group.conversation() else {
            return self.drop_letter(None, DropReason::JoinRequest);
        };
        if self.is_known_group(conversation) {
            // Of one that was begun anew the first group has no rows any more.
            call.storage.remove_mls_scope(&Group::scope(conversation))?;
            return self.drop_letter(None, DropReason::KnownConversation);
        }
        if !self.is_expected(call, invitation, group.their_key())? {
            call.storage.remove_mls_scope(&Group::scope(conversation))?;
            return self.drop_letter(None, DropReason::WrongJoiner);
        }
        let contact = self.take_in(call, invitation, conversation, group)?;
        let leads = self.led_into(call, invitation)?;
        self.meet_for_room(call, contact, leads, false)?;
        for message in messages {
            self.hear(call, arrival, message)?;
        }
        if self.standing(contact) == Some(Standing::Broken) {
            self.remove_person(call, contact)?;
            return self.drop_letter(None, DropReason::JoinRequest);
        }
        self.settle_join(call, contact, invitation, arrival.mailbox)
    }

    fn take_in(
        &mut self,
        call: &mut Call<'_, '_>,
        invitation: InvitationId,
        conversation: ConversationId,
        group: Group,
    ) -> Result<ContactId, StorageError> {
        let id = ContactId(call.storage.next_number()?);
        let now = call.cx.wall();
        let record = ContactRecord {
            id,
            conversation,
            side: Side::Inviter,
            standing: Standing::Requested,
            name: NAMELESS.to_owned(),
            renamed: false,
            verified: None,
            unsecured_start: self
                .invitations
                .get(&invitation)
                .is_some_and(|i| i.reusable),
            signing_key: group.key().secret(),
            addresses: Vec::new(),
            address_revision: 0,
            commit_letter: None,
            invitation: Some(invitation),
            since: now,
            epoch_since: now,
        };
        self.add_person(call, record, Some(group))?;
        Ok(id)
    }

    /// Ends a join request, now that its first messages were heard.
    fn settle_join(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        invitation: InvitationId,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        if person.addresses.is_empty() {
            // Nobody could answer; the link stays good for somebody honest.
            self.remove_person(call, contact)?;
            return self.drop_letter(None, DropReason::JoinRequest);
        }
        if person.record.unsecured_start {
            self.replace_package(call, invitation)?;
            if self.lets_in(call, invitation)? {
                self.take_on(call, contact)?;
            }
        } else {
            person.record.standing = Standing::Established;
            person.save(call.storage)?;
            self.close_invitation(call, invitation)?;
            self.take_over_mailbox(call, mailbox, contact)?;
            self.greet(call, contact)?;
            self.plan_profile(call, contact);
            self.mails.to_tend.insert(contact);
            self.came_by_introduction(call, invitation, contact)?;
            self.let_into_room(call, contact)?;
        }
        self.tell_contact(contact);
        self.hear_strays(call, mailbox, contact)
    }

    /// The mailbox of a one-time invitation serves the conversation from now
    /// on, under a secret of its own.
    fn take_over_mailbox(
        &mut self,
        call: &mut Call<'_, '_>,
        mailbox: MailboxId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = self.mailboxes.get(&mailbox).cloned() else {
            return Ok(());
        };
        record.owner = MailboxUse::Conversation(contact);
        record.shared = Secret::new(call.cx.random::<32>());
        self.save_mailbox(call, record)
    }

    pub(super) fn accept(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        self.requested(contact)?;
        self.take_on(call, contact)?;
        self.tell_contact(contact);
        self.tell_what_was_said(call, contact)?;
        let view = self.contact_view(contact).ok_or(Refusal::NoContact)?;
        Ok(Reply::Contact(view))
    }

    /// Whoever asked is a contact from now on.
    fn take_on(&mut self, call: &mut Call<'_, '_>, contact: ContactId) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        person.record.standing = Standing::Established;
        person.save(call.storage)?;
        self.open_conversation_mailbox(call, self.config.network, contact)?;
        self.resume_debts_of(call, contact)?;
        self.plan_profile(call, contact);
        self.renew_if_due(call, contact)
    }

    /// Tells faces what somebody said while they waited, now that they are a
    /// contact.
    fn tell_what_was_said(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let mut after = None;
        for record in call
            .storage
            .messages(contact, None, MOST_MESSAGES, usize::MAX)?
        {
            let Some(place) = self.place(contact) else {
                return Ok(());
            };
            let message = show(call.storage, place, &record)?;
            self.note_shown(call, (contact, &message))?;
            let said = Event::Arrived {
                message,
                after,
                last: true,
                quiet: false,
            };
            after = Some(*record.id());
            self.events.push_back(said);
        }
        Ok(())
    }

    pub(super) fn refuse(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        self.requested(contact)?;
        self.remove_person(call, contact)?;
        Ok(Reply::Done)
    }

    fn requested(&self, contact: ContactId) -> Result<(), Refusal> {
        let record = self.people.get(&contact).map(|person| &person.record);
        match record {
            Some(record) if record.standing == Standing::Requested => Ok(()),
            Some(record) if record.side == Side::Inviter => Err(Refusal::NotARequest),
            _ => Err(Refusal::NoRequest),
        }
    }
}

fn find_key(packages: &[KeyPackageRecord], public: &[u8]) -> Option<LeafKey> {
    let keys = packages
        .iter()
        .filter_map(|package| LeafKey::from_secret(&package.signing_key));
    keys.into_iter().find(|key| key.public() == public)
}

fn reason(error: JoinError) -> DropReason {
    match error {
        JoinError::Known => DropReason::KnownConversation,
        JoinError::Welcome | JoinError::Rules => DropReason::JoinRequest,
    }
}
