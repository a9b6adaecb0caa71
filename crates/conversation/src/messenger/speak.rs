//! What I say.

use hushwing_delivery::{Keep, Letter, LetterId, PostError, SealKey, Urgency};
use hushwing_sansio::StorageError;

use super::show::{arrived, taken_back};
use super::stop::Stop;
use super::vanish::expiry_of;
use super::{Call, Messenger};
use crate::content::shown::MAX_TEXT;
use crate::content::{ComposeError, Content, Frame, Mark, MessageId, Post, Salt, Stamp, Text};
use crate::event::BreakReason;
use crate::letter::LetterBody;
use crate::storage::{
    MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position, Standing,
};
use crate::{ContactId, Event, Refusal, Reply, RoomId};

/// Bytes of text to somebody who has not answered yet: letters to an
/// invitation may not be longer than 64 KiB.
const MOST_TO_STRANGER: usize = 40_000;

impl Messenger {
    pub(super) fn send(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        text: &str,
        reply_to: Option<MessageId>,
    ) -> Result<Reply, Stop> {
        if let Some(target) = &reply_to {
            let places = self.places_of(contact).into_iter();
            let said = places.map(|place| said_with(call, place, target));
            said.reduce(Result::or).unwrap_or(Ok(()))?;
        }
        let contact = self.speaks_at(contact);
        self.may_speak(contact, text.len())?;
        let post = Post::new(self.words(contact, text)?, reply_to);
        self.say(call, contact, &Content::Post(post), MessageKind::Text, None)
    }

    pub(super) fn edit(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &MessageId,
        text: &str,
    ) -> Result<Reply, Stop> {
        let record = self.my_text(call, message)?;
        self.may_change(&record)?;
        self.may_speak(record.contact, text.len())?;
        let reply_to = crate::content::Message::decode(&record.content)
            .map_err(|_| StorageError::corrupt("reading a message"))?
            .in_reply_to;
        let post = Post::new(self.words(record.contact, text)?, reply_to);
        let content = Content::Edit {
            target: *message,
            post,
        };
        self.say(
            call,
            record.contact,
            &content,
            MessageKind::Edit,
            Some(*message),
        )
    }

    pub(super) fn delete(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &MessageId,
    ) -> Result<Reply, Stop> {
        let record = self.my_text(call, message)?;
        self.may_change(&record)?;
        if self.forget_unsaid(call, &record)? {
            let (message, state) = (*message, record.state);
            return Ok(Reply::Sent { message, state });
        }
        self.may_speak(record.contact, 0)?;
        let content = Content::Delete { target: *message };
        self.say(
            call,
            record.contact,
            &content,
            MessageKind::Delete,
            Some(*message),
        )
    }

    pub(super) fn react(
        &mut self,
        call: &mut Call<'_, '_>,
        message: &MessageId,
        mark: &str,
    ) -> Result<Reply, Stop> {
        let record = self.message_of(call, message)?;
        if record.kind != MessageKind::Text {
            return Err(Refusal::NoMessage.into());
        }
        stands(call, &record)?;
        self.may_change(&record)?;
        self.may_speak(record.contact, 0)?;
        let replaces = Self::my_reaction(call, &record)?;
        if mark.is_empty() {
            let reaction = replaces.ok_or(Refusal::NoReaction)?;
            let content = Content::Unreact { reaction };
            return self.say(
                call,
                record.contact,
                &content,
                MessageKind::Delete,
                Some(reaction),
            );
        }
        let mark = Mark::new(mark).ok_or(Refusal::BadReaction)?;
        let content = Content::Reaction {
            target: *message,
            mark,
            replaces,
        };
        self.say(
            call,
            record.contact,
            &content,
            MessageKind::Reaction,
            Some(*message),
        )
    }

    /// My reaction to a message that stands now.
    fn my_reaction(call: &Call<'_, '_>, to: &MessageRecord) -> Result<Option<MessageId>, Stop> {
        let changes = call.storage.changes(to.contact, to.id())?;
        let mut mine = changes.iter().filter(|change| change.mine);
        let Some(last) = mine.find(|change| change.kind == MessageKind::Reaction) else {
            return Ok(None);
        };
        let taken_back = call.storage.changes(to.contact, last.id())?;
        Ok(taken_back.is_empty().then_some(*last.id()))
    }

    /// A message of somebody known. Of who was forgotten some may still be going.
    pub(super) fn message_of(
        &self,
        call: &Call<'_, '_>,
        message: &MessageId,
    ) -> Result<MessageRecord, Stop> {
        let record = call.storage.message(message)?;
        let known = record.filter(|record| self.place(record.contact).is_some());
        Ok(known.ok_or(Refusal::NoMessage)?)
    }

    fn my_text(&self, call: &Call<'_, '_>, message: &MessageId) -> Result<MessageRecord, Stop> {
        let record = self.message_of(call, message)?;
        if !record.mine || record.kind != MessageKind::Text {
            return Err(Refusal::NotMine.into());
        }
        stands(call, &record)?;
        Ok(record)
    }

    pub(super) fn may_speak(&mut self, contact: ContactId, length: usize) -> Result<(), Refusal> {
        if let Some(may) = self.may_speak_in(contact) {
            return may;
        }
        if let Some(may) = self.may_publish_at(contact) {
            return may;
        }
        let cut = self.pairs.is_cut(contact);
        let person = self.person(contact)?;
        if person.kept.blocked.is_some() {
            return Err(Refusal::Blocked);
        }
        if cut {
            return Err(Refusal::Broken);
        }
        match person.record.standing {
            Standing::Joining | Standing::Requested => return Err(Refusal::NotEstablished),
            Standing::Broken => return Err(Refusal::Broken),
            Standing::Restoring => return Err(Refusal::Restoring),
            Standing::Asked | Standing::Established => {}
        }
        let to_stranger = person
            .addresses
            .iter()
            .any(|a| matches!(a.seal, SealKey::FirstContact(_)));
        if to_stranger && length > MOST_TO_STRANGER {
            return Err(Refusal::TextTooLong {
                most: MOST_TO_STRANGER,
            });
        }
        Ok(())
    }

    /// Encrypts, posts, stores and shows my next message.
    pub(super) fn say(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
        kind: MessageKind,
        target: Option<MessageId>,
    ) -> Result<Reply, Stop> {
        if self.rooms.get(contact).is_some() {
            return self.say_in_room(call, RoomId::at(contact), content, kind, target);
        }
        if self.channels.get(contact).is_some() {
            return self.publish_at(call, RoomId::at(contact), content, kind, target);
        }
        let before = self
            .people
            .get(&contact)
            .and_then(|person| person.tail.last);
        self.may_say_more(call, contact)?;
        let off = self.goes_off_record(call, contact, content)?;
        let (mut record, message) = self.utter(call, contact, content, kind, target, off)?;
        if let Some(message) = message {
            let bytes = LetterBody::message(&message);
            let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
            record.letter = Some(letter.ok_or(Refusal::Broken)?.0);
        }
        call.storage.add_message(&record)?;
        self.show_new(call, &record, content, before)?;
        self.renew_if_due(call, contact)?;
        Ok(Reply::Sent {
            message: *record.id(),
            state: record.state,
        })
    }

    /// Tells faces of a message that is new here.
    pub(super) fn show_new(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        content: &Content,
        before: Option<Position>,
    ) -> Result<(), StorageError> {
        if self.standing(record.contact) == Some(Standing::Requested) {
            return Ok(());
        }
        let quiet = record.mine || self.is_muted(record.contact, call.cx.wall());
        let event = self.put_on_show(call, record, content, before, quiet)?;
        self.forget_mark(call, record, content)?;
        if record.kind == MessageKind::Text && !record.mine {
            self.something_new(call, record.contact)?;
        }
        self.events.extend(event);
        Ok(())
    }

    /// What faces are to be told of a message that is in its place now, which can be
    /// found by its text from here on.
    pub(super) fn put_on_show(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        content: &Content,
        before: Option<Position>,
        quiet: bool,
    ) -> Result<Option<Event>, StorageError> {
        let Some(place) = self.place(record.contact) else {
            return Ok(None);
        };
        let event = arrived(call.storage, place, record, content, before, quiet)?;
        if let Some(Event::Arrived { message, .. } | Event::Changed(message)) = &event {
            // A reaction changes no text, and writing one anew costs more than
            // all else of it.
            let text = matches!(record.kind, MessageKind::Text | MessageKind::Edit);
            if text || message.deleted {
                self.note_shown(call, (record.contact, message))?;
            }
            if record.kind == MessageKind::Edit {
                self.text_went(call)?;
            }
        }
        Ok(event)
    }

    /// Says something that no face shows.
    pub(super) fn say_control(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
    ) -> Result<(), StorageError> {
        let Some((mut record, message)) = self.utter_control(call, contact, content)? else {
            return Ok(());
        };
        let bytes = LetterBody::message(&message);
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        record.letter = letter.map(|letter| letter.0);
        call.storage.add_message(&record)
    }

    /// Encrypts something that no face shows; `None` if the conversation broke.
    pub(super) fn utter_control(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
    ) -> Result<Option<(MessageRecord, Vec<u8>)>, StorageError> {
        match self.utter(call, contact, content, MessageKind::Control, None, false) {
            Ok((record, message)) => Ok(message.map(|message| (record, message))),
            Err(Stop::Storage(error)) => Err(error),
            Err(Stop::Refused(_)) => {
                self.break_off(call, contact, BreakReason::Group)?;
                Ok(None)
            }
        }
    }

    /// Encrypts my next message and takes note of it; nothing is posted or
    /// stored yet. Off the record it may have to wait, and is not encrypted then.
    fn utter(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
        kind: MessageKind,
        target: Option<MessageId>,
        off: bool,
    ) -> Result<(MessageRecord, Option<Vec<u8>>), Stop> {
        let salt = Salt(call.cx.random());
        let (person, group, _) = self.at_hand(call, contact)?;
        let stamp = Stamp {
            lamport: person.tail.lamport.next(),
            sent: call.cx.wall(),
        };
        let bytes = content
            .compose(Frame {
                salt,
                stamp,
                expires: expiry_of(content, person.kept.disappear_after()),
            })
            .map_err(unfit)?;
        let bytes = match content.is_signable() && !off {
            true => person.sign(bytes)?,
            false => bytes,
        };
        let leaf = group.own_leaf();
        let id = MessageId::derive(&person.origin(leaf)?, &bytes, &salt);
        let epoch = group.epoch();
        let (sealed_epoch, message) = match off {
            true => self.seal_off_record(call, contact, epoch, &bytes)?,
            false => (epoch, Some(self.seal_on_record(call, contact, &bytes)?)),
        };
        let position = Position {
            epoch,
            lamport: stamp.lamport.get(),
            leaf,
            id,
        };
        if let Some(person) = self.people.get_mut(&contact) {
            person.note(position, sealed_epoch, epoch);
        }
        let record = MessageRecord {
            contact,
            position,
            mine: true,
            author: None,
            kind,
            target,
            sent_at: stamp.sent,
            state: MessageState::Queued,
            times: MessageTimes::default(),
            owed: Owed::Nothing,
            letter: None,
            sealed_epoch,
            content: bytes,
        };
        Ok((record, message))
    }

    fn seal_on_record(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Stop> {
        let (_, group, crypto) = self.at_hand(call, contact)?;
        let sealed = group.encrypt(crypto, call.cx, &mut *call.storage, bytes, None)?;
        if let Ok(message) = sealed {
            return Ok(message);
        }
        self.break_off(call, contact, BreakReason::Group)?;
        Err(Refusal::Broken.into())
    }

    /// Puts a letter to a contact into the outbox; `None` if the addresses they
    /// gave cannot take it, which ends the conversation, or if they are blocked.
    pub(super) fn post(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        bytes: Vec<u8>,
        keep: Keep,
    ) -> Result<Option<LetterId>, StorageError> {
        if self.is_blocked(contact) || self.pairs.is_cut(contact) {
            return Ok(None);
        }
        let (to, last_resort) = self.ways_to(contact, keep, call.cx.wall());
        let at_once = self.config.in_parallel && keep == Keep::UntilSettled;
        let letter = Letter {
            to,
            last_resort,
            bytes,
            urgency: if at_once {
                Urgency::Urgent
            } else {
                Urgency::Normal
            },
            keep,
        };
        match self.office.post(call.cx, &mut *call.storage, &letter) {
            Ok(letter) => Ok(Some(letter)),
            Err(PostError::Storage(error)) => Err(error),
            Err(_) => {
                self.break_off(call, contact, BreakReason::Addresses)?;
                Ok(None)
            }
        }
    }

    /// Takes a letter back out of the outbox.
    pub(super) fn recall(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: u64,
    ) -> Result<(), StorageError> {
        self.office
            .cancel(call.cx, &mut *call.storage, LetterId(letter))
            .map(drop)
    }
}

/// What was taken back once stays so.
fn stands(call: &Call<'_, '_>, record: &MessageRecord) -> Result<(), Stop> {
    match taken_back(call.storage, record)? {
        true => Err(Refusal::Deleted.into()),
        false => Ok(()),
    }
}

/// Whether a message is of a contact's conversation. It is not read: if it is of
/// another one and damaged, this one is sound.
pub(super) fn said_with(
    call: &Call<'_, '_>,
    contact: ContactId,
    message: &MessageId,
) -> Result<(), Stop> {
    if call.storage.whose_message(message)? == Some(contact) {
        Ok(())
    } else {
        Err(Refusal::NoMessage.into())
    }
}

/// A text, if it says something.
pub(super) fn something(words: Text) -> Result<Text, Refusal> {
    if words.as_str().trim().is_empty() {
        Err(Refusal::EmptyText)
    } else {
        Ok(words)
    }
}

pub(super) fn unfit(error: ComposeError) -> Refusal {
    match error {
        ComposeError::Empty => Refusal::EmptyText,
        _ => Refusal::TextTooLong { most: MAX_TEXT },
    }
}
