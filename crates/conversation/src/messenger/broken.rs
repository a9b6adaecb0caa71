//! Conversations that cannot go on, alone.
//!
//! MLS may be unable to work with what the other side made of a group, or what
//! is stored of a conversation may be damaged. Either ends this conversation and
//! touches no other. Damage of the file itself, or of what a profile is opened
//! with (its contacts, invitations, joins and mailboxes, and the heads of letters
//! on their way), is another matter: nobody could tell whom it concerns, so it
//! stops the machine as every failure of storage does.

use hushwing_delivery::LetterId;
use hushwing_sansio::{StorageError, StorageErrorKind};

use super::{Call, Messenger};
use crate::event::{BreakReason, FailReason};
use crate::storage::{LackRecord, MailboxState, MailboxUse, MessageState, RepeatRecord, Standing};
use crate::{Command, ContactId, ConversationId, Event, MessageId, RoomId};

/// Whether a record cannot be read, though storage can.
pub(super) fn is_damage(error: &StorageError) -> bool {
    error.kind == StorageErrorKind::Corrupt
}

/// What a command concerns, by which its contact is found.
pub(super) enum Concern {
    Contact(ContactId),
    Conversation(ConversationId),
    Message(MessageId),
    Nobody,
}

impl Concern {
    pub(super) fn of(command: &Command) -> Self {
        match command {
            Command::Accept { contact }
            | Command::Refuse { contact }
            | Command::Rename { contact, .. }
            | Command::SafetyNumber { contact }
            | Command::Verify { contact, .. }
            | Command::Mode { contact }
            | Command::SetMode { contact, .. }
            | Command::Rotate { contact }
            | Command::Avatar { contact }
            | Command::Send { contact, .. }
            | Command::Read { contact, .. }
            | Command::Introduce { one: contact, .. } => Self::Contact(*contact),
            Command::Room { room }
            | Command::OfferRoom { room, .. }
            | Command::TakeOfferBack { room, .. }
            | Command::AcceptRoom { room }
            | Command::RefuseRoom { room }
            | Command::RemoveMember { room, .. }
            | Command::RenameRoom { room, .. }
            | Command::SetRoomAvatar { room, .. }
            | Command::RoomAvatar { room }
            | Command::SetRoomHistory { room, .. }
            | Command::SetSteward { room, .. }
            | Command::SetHerald { room, .. }
            | Command::BeHerald { room, .. }
            | Command::LeaveRoom { room } => Self::Contact(room.place()),
            Command::Edit { message, .. }
            | Command::Delete { message }
            | Command::React { message, .. }
            | Command::History { message }
            | Command::WhichConversation { message }
            | Command::Prove { message }
            | Command::Where { message } => Self::Message(*message),
            Command::Keep { conversation, .. }
            | Command::Disappear { conversation, .. }
            | Command::Look { conversation, .. }
            | Command::Typing { conversation } => Self::Conversation(*conversation),
            Command::Invite { .. }
            | Command::InviteToRoom { .. }
            | Command::JoinRoom { .. }
            | Command::Join { .. }
            | Command::Withdraw { .. }
            | Command::Invitations
            | Command::Contacts
            | Command::Requests
            | Command::Introductions
            | Command::Offers
            | Command::AcceptIntroduction { .. }
            | Command::RefuseIntroduction { .. }
            | Command::Find { .. }
            | Command::SetProfile(_)
            | Command::MyProfile
            | Command::SetReadReceipts { .. }
            | Command::SetTyping { .. }
            | Command::Conversations
            | Command::Search { .. }
            | Command::ShowDevice { .. }
            | Command::CallDevice { .. }
            | Command::ConfirmDevice { .. }
            | Command::Devices
            | Command::RevokeDevice { .. }
            | Command::FoundRoom { .. }
            | Command::FoundChannel { .. }
            | Command::Rooms
            | Command::ForgetRoom { .. }
            // What is damaged of one contact is looked after there.
            | Command::List(_)
            // It goes on without what is damaged.
            | Command::Forget { .. } => Self::Nobody,
        }
    }
}

impl Messenger {
    /// Does something that reads what is stored of one contact. If that is
    /// damaged, their conversation breaks, and whatever else goes on.
    pub(super) fn within<'c, 'x>(
        &mut self,
        call: &mut Call<'c, 'x>,
        contact: ContactId,
        act: impl FnOnce(&mut Self, &mut Call<'c, 'x>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        match act(self, call) {
            Err(error) if is_damage(&error) => self.damaged(call, contact, error),
            outcome => outcome,
        }
    }

    /// As [`within`](Self::within), for what a letter of mine holds.
    pub(super) fn within_letter<'c, 'x>(
        &mut self,
        call: &mut Call<'c, 'x>,
        letter: LetterId,
        act: impl FnOnce(&mut Self, &mut Call<'c, 'x>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        match act(self, call) {
            Err(error) if is_damage(&error) => match call.storage.whose_letter(letter.0)? {
                Some(contact) => self.damaged(call, contact, error),
                None => Err(error),
            },
            outcome => outcome,
        }
    }

    /// Breaks the conversation that a command was about, if it was damage that
    /// stopped it.
    pub(super) fn damaged_by(
        &mut self,
        call: &mut Call<'_, '_>,
        concern: &Concern,
        error: StorageError,
    ) -> Result<(), StorageError> {
        let contact = match concern {
            Concern::Contact(contact) => Some(*contact),
            Concern::Conversation(id) => self.conversations.get(id).copied(),
            Concern::Message(message) if is_damage(&error) => {
                call.storage.whose_message(message)?
            }
            Concern::Message(_) | Concern::Nobody => None,
        };
        match contact {
            Some(contact) if is_damage(&error) => self.damaged(call, contact, error),
            _ => Err(error),
        }
    }

    /// What is stored of a conversation is damaged.
    pub(super) fn damaged(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        error: StorageError,
    ) -> Result<(), StorageError> {
        if self.is_broken_room(contact) {
            return Ok(());
        }
        if self.rooms.get(contact).is_some() {
            return self.break_room(call, RoomId::at(contact));
        }
        if self.channels.get(contact).is_some() {
            return self.break_channel(call, RoomId::at(contact));
        }
        match self.standing(contact) {
            None => Err(error),
            Some(Standing::Broken) => Ok(()),
            Some(_) => self.break_off(call, contact, BreakReason::Damaged),
        }
    }

    /// Ends a conversation that cannot go on. Whatever the other side did to
    /// it, nothing else of the profile is touched. What was to leave does not:
    /// nobody could tell what became of it.
    pub(super) fn break_off(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ContactId,
        reason: BreakReason,
    ) -> Result<(), StorageError> {
        self.groups.remove(&id);
        self.forget_stretch(call, id)?;
        self.call_receipts_back(call, id)?;
        self.readdress_posts(call, id)?;
        self.debts.forget(id);
        self.repeats.forget(id);
        RepeatRecord::clear(call.storage, id)?;
        LackRecord::clear(call.storage, id)?;
        self.shelf.forget(id);
        call.storage.remove_all_held(id)?;
        if let Some(person) = self.people.get_mut(&id) {
            person.record.standing = Standing::Broken;
            person.mailbox_lost = false;
            person.save(call.storage)?;
            self.tell(Event::Broken {
                contact: id,
                reason,
            });
        }
        self.give_up_letters(call, id)?;
        self.give_up_replacements(call, id)?;
        self.tell_contact(id);
        Ok(())
    }

    /// Takes back what the outbox holds for a contact, receipts and commits
    /// included, and tells which messages did not leave.
    pub(super) fn give_up_letters(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ContactId,
    ) -> Result<(), StorageError> {
        for (message, state, letter) in call.storage.on_the_way(id)? {
            if let Some(letter) = letter {
                self.office
                    .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
            }
            if state == MessageState::Queued {
                self.not_sent(call, &message)?;
            }
        }
        let addresses = self.theirs_alone(call, id);
        let Some(person) = self.people.get_mut(&id) else {
            return Ok(());
        };
        let commit = person.record.commit_letter.take();
        person.save(call.storage)?;
        if let Some(letter) = commit {
            self.keep_commit(call, id, &[])?;
            self.office
                .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        self.office
            .cancel_to(call.cx, &mut *call.storage, &addresses)
    }

    pub(super) fn not_sent(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &MessageId,
    ) -> Result<(), StorageError> {
        let (shown, mut times) = match call.storage.message(message) {
            Ok(Some(record)) => (record.kind.is_found(), record.times),
            Ok(None) => return Ok(()),
            Err(error) if is_damage(&error) => Default::default(),
            Err(error) => return Err(error),
        };
        times.failed = Some(call.cx.wall());
        call.storage
            .set_state(message, MessageState::Failed, &times)?;
        if shown {
            self.tell(Event::State {
                message: *message,
                state: MessageState::Failed,
                reason: Some(FailReason::Broken),
            });
        }
        Ok(())
    }

    /// Mailboxes that were to replace lost ones are not asked for any more.
    fn give_up_replacements(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ContactId,
    ) -> Result<(), StorageError> {
        let due = self.mailboxes.iter().filter(|(_, record)| {
            record.owner == MailboxUse::Conversation(id) && record.state == MailboxState::Due
        });
        for mailbox in due.map(|(mailbox, _)| *mailbox).collect::<Vec<_>>() {
            self.close_mailbox(call, mailbox)?;
        }
        Ok(())
    }
}
