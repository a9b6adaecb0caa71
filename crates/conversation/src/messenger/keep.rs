//! How I keep conversations: seen or not, heard or not, begun or not, and no more.

use hushwing_sansio::{StorageError, Timestamp};

use super::speak::said_with;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::shown::MAX_TEXT;
use crate::storage::{
    ConversationRecord, DraftRecord, MOST_PINNED, MailboxUse, MessageKind, Standing,
};
use crate::view::{ConversationView, Draft};
use crate::{Change, ContactId, ConversationId, Event, MessageId, Refusal, Reply, RoomId};

impl Messenger {
    /// Whose conversation it is. Who asked and was not accepted has none yet.
    pub(super) fn contact_in(&self, conversation: ConversationId) -> Result<ContactId, Refusal> {
        let contact = self.conversations.get(&conversation).copied();
        let known = contact.filter(|contact| {
            self.standing(*contact) != Some(Standing::Requested)
                && !self.devices.meet_in(RoomId::at(*contact))
        });
        known.ok_or(Refusal::NoContact)
    }

    /// Whether what comes there is to draw no attention.
    pub(super) fn is_muted(&self, at: ContactId, now: Timestamp) -> bool {
        let at = self.head_of(at);
        let room = self.rooms.get(at).map(|room| &room.kept);
        let channel = || self.channels.get(at).map(|channel| &channel.kept);
        let person = || self.people.get(&at).map(|person| &person.kept);
        let kept = room.or_else(channel).or_else(person);
        kept.is_some_and(|kept| kept.is_muted(now))
    }

    /// Changes how the conversation at a place is kept, if `change` says that it
    /// did; whether so.
    pub(super) fn keep_changed(
        &mut self,
        call: &mut Call<'_, '_>,
        at: ContactId,
        change: impl FnOnce(&mut ConversationRecord) -> bool,
    ) -> Result<bool, StorageError> {
        let at = self.head_of(at);
        let (conversation, kept) = match self.rooms.get_mut(at) {
            Some(room) => (room.record.conversation, &mut room.kept),
            None => match (self.people.get_mut(&at), self.channels.get_mut(at)) {
                (Some(person), _) => (person.record.conversation, &mut person.kept),
                (None, Some(channel)) => (channel.name(), &mut channel.kept),
                (None, None) => return Ok(false),
            },
        };
        let changed = change(kept);
        if changed {
            call.storage.put_conversation(conversation, kept)?;
        }
        Ok(changed)
    }

    pub(super) fn list_conversations(&self, call: &Call<'_, '_>) -> Result<Reply, Stop> {
        let people = self.people.values();
        let known = people.filter(|person| person.record.standing != Standing::Requested);
        let contacts = known.map(|person| person.record.id);
        let rooms = self.rooms.entered();
        // A pair is shown as the conversation that it belongs to.
        let shown = |at: &ContactId| self.head_of(*at) == *at;
        let rooms = rooms.filter(|at| !self.devices.meet_in(RoomId::at(*at)) && shown(at));
        let channels = self.channels.entered().map(|(_, at)| at);
        let all = contacts.chain(rooms).chain(channels);
        let views = all.map(|at| self.kept(call, at));
        let views: Result<Vec<_>, StorageError> = views.collect();
        Ok(Reply::Conversations(views?.into_iter().flatten().collect()))
    }

    pub(super) fn kept(
        &self,
        call: &Call<'_, '_>,
        at: ContactId,
    ) -> Result<Option<ConversationView>, StorageError> {
        let at = self.head_of(at);
        let pair = self.shown_pair(RoomId::at(at));
        let room = self.rooms.get(at);
        let channel = self.channels.get(at);
        let (kept, conversation, name) = match (room, channel, self.people.get(&at)) {
            (Some(one), ..) => {
                let conversation = pair.map_or(one.record.conversation, |pair| pair.conversation);
                let known = self.known_with(one.record.id);
                let name = known.map_or(&one.record.name, |known| &known.name);
                (&one.kept, conversation, name.clone())
            }
            (None, Some(one), _) => (&one.kept, one.name(), one.title()),
            (None, None, Some(one)) => {
                let name = one.record.name.clone();
                (&one.kept, one.record.conversation, name)
            }
            (None, None, None) => return Ok(None),
        };
        Ok(Some(ConversationView {
            conversation,
            contact: at,
            room: room.filter(|_| pair.is_none()).map(|room| room.record.id),
            channel: channel.map(|channel| channel.record.id),
            name,
            unread: self.unread_of(call, at)?,
            marked_unread: kept.marked_unread,
            disappear_after: match room {
                Some(room) => room.disappear_after,
                None => kept.disappear_after(),
            },
            blocked: kept.blocked,
            archived: kept.archived,
            pinned: kept.pinned,
            muted: kept.muted.filter(|until| *until > call.cx.wall()),
            pinned_messages: kept.pins().collect(),
            draft: kept.draft.as_ref().map(draft),
        }))
    }

    /// Tells faces how a conversation is kept.
    pub(super) fn tell_kept(
        &mut self,
        call: &Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) != Some(Standing::Requested)
            && let Some(view) = self.kept(call, contact)?
        {
            self.tell(Event::Conversation(view));
        }
        Ok(())
    }

    pub(super) fn which_conversation(
        &self,
        call: &Call<'_, '_>,
        message: &MessageId,
    ) -> Result<Reply, Stop> {
        let contact = call.storage.whose_message(message)?;
        let view = match contact {
            Some(contact) => self.kept(call, contact)?,
            None => None,
        };
        Ok(Reply::Conversation(view.ok_or(Refusal::NoMessage)?))
    }

    pub(super) fn keep_otherwise(
        &mut self,
        call: &mut Call<'_, '_>,
        conversation: ConversationId,
        change: Change,
    ) -> Result<Reply, Stop> {
        let contact = self.contact_in(conversation)?;
        let shared = self.rooms.get(contact).is_some() || self.channels.get(contact).is_some();
        let pair = RoomId::at(contact);
        let elsewhere = self.is_pair(pair);
        match change {
            Change::Blocked(_) if shared && !elsewhere => {
                return Err(Refusal::RoomNotBlocked.into());
            }
            // Each device blocks for itself, and hears of what the one does that has them.
            Change::Blocked(false) if self.pairs.is_blocked_elsewhere(conversation) => {
                return Err(Refusal::OnAnotherDevice.into());
            }
            _ => {}
        }
        let blocked = self.is_blocked(contact) || self.is_blocked_pair(pair);
        let places = self.places_of(contact).into_iter();
        let checked = places.map(|place| check(call, place, &change));
        checked.reduce(Result::or).unwrap_or(Ok(()))?;
        let begins = matches!(change, Change::Draft(_));
        let now = call.cx.wall();
        let mut outcome = Ok(());
        self.keep_changed(call, contact, |kept| {
            outcome = changed(kept, change, now);
            outcome.is_ok()
        })?;
        outcome?;
        let now_blocked = self.is_blocked(contact) || self.is_blocked_pair(pair);
        match (blocked, now_blocked) {
            (false, true) => {
                self.fail_in_pairs(call, contact, |_, _| true)?;
                if !elsewhere {
                    self.fall_silent(call, contact)?;
                    self.end_with_others(call, contact, Refusal::Blocked)?;
                }
            }
            (true, false) if !elsewhere => self.speak_again(call, contact)?,
            _ => {}
        }
        if blocked != now_blocked {
            self.tell_contact(contact);
            self.tell_pair(pair);
        }
        if begins {
            self.tell_begun(call, contact)?;
        }
        self.tell_kept(call, contact)?;
        let view = self.kept(call, contact)?.ok_or(Refusal::NoContact)?;
        Ok(Reply::Conversation(view))
    }

    /// Something new came: a conversation that was out of sight is seen again,
    /// unless it is to draw no attention.
    pub(super) fn something_new(
        &mut self,
        call: &mut Call<'_, '_>,
        at: ContactId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let seen = self.keep_changed(call, at, |kept| {
            !kept.is_muted(now) && core::mem::take(&mut kept.archived)
        })?;
        match seen {
            true => self.tell_kept(call, at),
            false => Ok(()),
        }
    }

    /// A conversation was read.
    pub(super) fn looked_at(
        &mut self,
        call: &mut Call<'_, '_>,
        at: ContactId,
    ) -> Result<(), StorageError> {
        let unmark = |kept: &mut ConversationRecord| core::mem::take(&mut kept.marked_unread);
        self.keep_changed(call, at, unmark).map(drop)
    }

    /// What others are part of, and is under way with a contact, ends.
    pub(super) fn end_with_others(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        why: Refusal,
    ) -> Result<(), StorageError> {
        self.give_up_offers(call, contact, why)?;
        self.end_meeting(call, contact)?;
        self.ask_no_more(call, contact)?;
        self.end_introductions(call, contact, false)
    }

    /// A message is not to be found again.
    pub(super) fn unpin(
        &mut self,
        call: &mut Call<'_, '_>,
        at: ContactId,
        message: &MessageId,
    ) -> Result<(), StorageError> {
        let unpin = |kept: &mut ConversationRecord| {
            let pinned = &mut kept.pinned_messages;
            let before = pinned.len();
            pinned.retain(|id| id != message.as_bytes());
            pinned.len() < before
        };
        self.keep_changed(call, at, unpin).map(drop)
    }

    /// Forgets a contact with all that was said. They are not told: what they
    /// write from now on their network cannot deliver.
    pub(super) fn forget(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        match self.standing(contact) {
            None if self.is_pair(RoomId::at(contact)) => {
                return self.forget_elsewhere(call, contact);
            }
            None | Some(Standing::Requested) => return Err(Refusal::NoContact.into()),
            Some(_) => {}
        }
        self.forget_pairs(call, contact)?;
        self.forget_join(call, contact)?;
        self.call_receipts_back(call, contact)?;
        self.give_up_letters(call, contact)?;
        self.close_mailboxes(call, MailboxUse::Conversation(contact))?;
        self.remove_person(call, contact)?;
        self.tell(Event::Forgotten { contact });
        Ok(Reply::Done)
    }
}

/// Refuses what cannot be kept.
fn check(call: &Call<'_, '_>, contact: ContactId, change: &Change) -> Result<(), Stop> {
    match change {
        Change::Draft(Some(draft)) => {
            if draft.text.len() > MAX_TEXT {
                return Err(Refusal::TextTooLong { most: MAX_TEXT }.into());
            }
            match &draft.reply_to {
                Some(target) => said_with(call, contact, target),
                None => Ok(()),
            }
        }
        Change::MessagePinned(message, true) => {
            said_with(call, contact, message)?;
            let record = call.storage.message(message)?.ok_or(Refusal::NoMessage)?;
            match record.kind {
                MessageKind::Text if record.is_erased() => Err(Refusal::Deleted.into()),
                MessageKind::Text => Ok(()),
                _ => Err(Refusal::NoMessage.into()),
            }
        }
        _ => Ok(()),
    }
}

/// Keeps a conversation otherwise.
fn changed(kept: &mut ConversationRecord, change: Change, now: Timestamp) -> Result<(), Refusal> {
    match change {
        Change::Archived(archived) => kept.archived = archived,
        Change::Pinned(pinned) => kept.pinned = pinned,
        Change::Muted(until) => kept.muted = until,
        Change::MarkedUnread(marked) => kept.marked_unread = marked,
        Change::Draft(draft) => kept.draft = draft.as_ref().and_then(begun),
        Change::Blocked(true) => {
            kept.blocked.get_or_insert(now);
        }
        Change::Blocked(false) => kept.blocked = None,
        Change::MessagePinned(message, pinned) => pin(kept, &message, pinned)?,
    }
    Ok(())
}

fn pin(kept: &mut ConversationRecord, message: &MessageId, pinned: bool) -> Result<(), Refusal> {
    let there = kept.pins().any(|one| one == *message);
    if !pinned {
        kept.pinned_messages.retain(|id| id != message.as_bytes());
    } else if !there && kept.pinned_messages.len() >= MOST_PINNED {
        return Err(Refusal::TooManyPinned { most: MOST_PINNED });
    } else if !there {
        kept.pinned_messages.push(message.as_bytes().to_vec());
    }
    Ok(())
}

fn begun(draft: &Draft) -> Option<DraftRecord> {
    (!draft.text.is_empty()).then(|| DraftRecord {
        text: draft.text.clone(),
        reply_to: draft.reply_to.map(|id| id.as_bytes().to_vec()),
    })
}

fn draft(record: &DraftRecord) -> Draft {
    let reply_to = record.reply_to.as_deref();
    Draft {
        text: record.text.clone(),
        reply_to: reply_to.and_then(|id| MessageId::from_bytes(id).ok()),
    }
}
