//! Messages that disappear, and those that were taken back: nothing of them stays.
//!
//! Both sides agree on a time by a message that says so. What is said from then
//! on carries that time in itself, so a message goes by what held when it was
//! said. For its reader time begins when it was read, for its author when a
//! network took it (or gave it up): before that it is nowhere but here. The end
//! is noted by the calendar, so that it survives restarts, and overwritten when
//! it has come. Name and place stay, so that a further copy is known to be one.

use core::time::Duration;

use hushwing_delivery::LetterId;
use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::inquiry::message_with;
use super::show::taken_back;
use super::stop::Stop;
use super::{Call, Messenger, SWEEP};
use crate::content::{Content, Expiration, MAX_TIMER, Message, Opened as Said, Timer};
use crate::storage::{
    MessageKind, MessageRecord, MessageState, MessageTimes, Standing, TimerRecord,
};
use crate::{ContactId, ConversationId, Event, MessageId, Refusal, Reply, RoomId};

/// Messages that disappear in one call.
const MOST_AT_ONCE: usize = 256;

/// When something said now shall disappear, where messages do `after` so many
/// seconds. What changes a message goes with it and needs no time of its own.
pub(super) fn expiry_of(content: &Content, after: Option<u32>) -> Option<Expiration> {
    match content {
        Content::Post(_) => after.map(Expiration::AfterReading),
        _ => None,
    }
}

/// When something ends that names its end itself, as other programs may.
pub(super) fn fixed_end(said: &Said, kind: MessageKind) -> Option<Timestamp> {
    match said.expires {
        Some(at @ Expiration::At(_)) if kind == MessageKind::Text => {
            Some(at.due(Timestamp::default()))
        }
        _ => None,
    }
}

impl Messenger {
    /// Says that messages shall disappear after so many seconds.
    pub(super) fn disappear(
        &mut self,
        call: &mut Call<'_, '_>,
        conversation: ConversationId,
        seconds: u32,
    ) -> Result<Reply, Stop> {
        let contact = self.contact_in(conversation)?;
        if seconds > MAX_TIMER {
            return Err(Refusal::TimerTooLong { most: MAX_TIMER }.into());
        }
        let pair = self.is_pair(RoomId::at(contact));
        if seconds > 0 && (pair || self.is_pairing(contact)) {
            return Err(Refusal::NotInPairs.into());
        }
        match self.rooms.get(contact).is_some() {
            // There is none.
            true if pair => {}
            true => self.disappear_in_room(call, RoomId::at(contact), seconds)?,
            false => self.say_timer(call, contact, Timer { seconds })?,
        }
        let view = self.kept(call, contact)?.ok_or(Refusal::NoContact)?;
        Ok(Reply::Conversation(view))
    }

    /// Says to a contact when messages shall disappear.
    fn say_timer(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        timer: Timer,
    ) -> Result<(), Stop> {
        self.may_speak(contact, 0)?;
        let content = Content::Timer(timer);
        let reply = self.say(call, contact, &content, MessageKind::Text, None)?;
        if let Reply::Sent { message, .. } = &reply
            && let Some(record) = call.storage.message(message)?
        {
            self.agree(call, &record, timer)?;
        }
        Ok(())
    }

    /// Somebody said when messages shall disappear; of several words the one
    /// that stands last in the conversation counts.
    pub(super) fn agree(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        timer: Timer,
    ) -> Result<(), StorageError> {
        if timer.seconds > 0 && self.pair_of(record.contact).is_some() {
            return Ok(());
        }
        let said = TimerRecord::new(timer.seconds, &record.position);
        let agreed = self.keep_changed(call, record.contact, |kept| {
            let last = kept.timer.as_ref().is_none_or(|holds| said.is_after(holds));
            if last {
                kept.timer = Some(said);
            }
            last
        })?;
        match agreed {
            true => self.tell_kept(call, record.contact),
            false => Ok(()),
        }
    }

    /// The time of a message begins to run, if it has one.
    pub(super) fn begin_to_vanish(
        &mut self,
        call: &Call<'_, '_>,
        record: &MessageRecord,
        times: &mut MessageTimes,
    ) -> Result<(), StorageError> {
        match times.vanishes {
            Some(_) => Ok(()),
            None => self.vanish_within(call, record, times, Duration::ZERO),
        }
    }

    /// The time of a message begins to run after `wait` at the latest, if it has one.
    pub(super) fn vanish_within(
        &mut self,
        call: &Call<'_, '_>,
        record: &MessageRecord,
        times: &mut MessageTimes,
        wait: Duration,
    ) -> Result<(), StorageError> {
        if record.kind != MessageKind::Text || record.is_erased() {
            return Ok(());
        }
        let message = Message::decode(&record.content)
            .map_err(|_| StorageError::corrupt("reading a message"))?;
        if let Some(expires) = message.expires {
            let at = expires.due(call.cx.wall() + wait);
            let at = times.vanishes.map_or(at, |before| before.min(at));
            times.vanishes = Some(at);
            let look = look_at(call, at);
            self.next_vanishing = Some(self.next_vanishing.map_or(look, |next| next.min(look)));
        }
        Ok(())
    }

    /// Finds out when to look next.
    pub(super) fn plan_vanishing(&mut self, call: &Call<'_, '_>) -> Result<(), StorageError> {
        let next = call.storage.next_vanishing()?;
        self.next_vanishing = next.map(|at| look_at(call, at));
        Ok(())
    }

    /// Lets go what is due.
    pub(super) fn vanish_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.next_vanishing.is_none_or(|at| at > call.cx.now()) {
            return Ok(());
        }
        for (contact, message) in call.storage.vanishing(call.cx.wall(), MOST_AT_ONCE)? {
            let known = self.place(contact).is_some();
            if known {
                self.within(call, contact, |this, call| {
                    this.call_back(call, contact, &message)
                })?;
            }
            call.storage.make_gone(contact, &message)?;
            self.text_went(call)?;
            self.unpin(call, contact, &message)?;
            if known && self.standing(contact) != Some(Standing::Requested) {
                self.tell(Event::Disappeared { contact, message });
            }
        }
        self.plan_vanishing(call)
    }

    /// Overwrites what a message said, and what it said before it was edited;
    /// the outbox gives up what it still had of it.
    pub(super) fn erase_said(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        message: &MessageId,
    ) -> Result<(), StorageError> {
        let record = message_with(call.storage, contact, message)?;
        if record.is_none_or(|record| record.is_erased()) {
            return Ok(());
        }
        self.call_back(call, contact, message)?;
        call.storage.make_edits_gone(contact, message)?;
        call.storage.erase(message)?;
        self.text_went(call)?;
        self.unpin(call, contact, message)
    }

    /// Gives up what the outbox still has of a message of mine: nobody is to
    /// hear any more what is gone, and nobody would end it otherwise.
    fn call_back(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        message: &MessageId,
    ) -> Result<(), StorageError> {
        let record = message_with(call.storage, contact, message)?;
        let edits = call.storage.edits(contact, message, true)?;
        for said in record.iter().chain(&edits) {
            self.call_back_said(call, said)?;
            let leaving = matches!(said.state, MessageState::Queued | MessageState::Accepted);
            if let Some(letter) = said.letter.filter(|_| said.mine && leaving) {
                self.office
                    .cancel(call.cx, &mut *call.storage, LetterId(letter))?;
            }
        }
        Ok(())
    }

    /// A reaction was taken back, or another took its place: the mark goes.
    pub(super) fn forget_mark(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        content: &Content,
    ) -> Result<(), StorageError> {
        let before = match content {
            Content::Unreact { reaction } => Some(*reaction),
            Content::Reaction { replaces, .. } => *replaces,
            _ => return Ok(()),
        };
        let before = before
            .map(|id| message_with(call.storage, record.contact, &id))
            .transpose()?
            .flatten();
        let unreact = matches!(content, Content::Unreact { .. });
        let same = |other: &MessageRecord| {
            let place = unreact || other.target == record.target;
            // Hearsay takes the place of hearsay by the same alone.
            let hearsay = other.is_handed_on() && other.is_by_author_of(record);
            let may = !record.is_handed_on() || hearsay;
            place && may && other.kind == MessageKind::Reaction && other.mine == record.mine
        };
        if let Some(before) = before.filter(|other| same(other) && !other.is_erased()) {
            call.storage.erase(before.id())?;
        }
        // It may have been taken back before it came.
        if record.kind == MessageKind::Reaction && taken_back(call.storage, record)? {
            call.storage.erase(record.id())?;
        }
        Ok(())
    }
}

/// When to look whether `at` has come: then, but not so late that a change of
/// the calendar would go unnoticed.
fn look_at(call: &Call<'_, '_>, at: Timestamp) -> Moment {
    let wait = at.as_millis().saturating_sub(call.cx.wall().as_millis());
    call.cx.now() + Duration::from_millis(wait).min(SWEEP)
}
