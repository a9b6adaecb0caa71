//! Finding messages by their words, and the texts they had before.
//!
//! The index has of each message the text that is shown, so a search finds
//! nothing that reading would not show: it is told anew whenever something else
//! is shown, and forgets what is not shown any more.

use core::time::Duration;
use std::collections::VecDeque;

use hushwing_sansio::{Moment, StorageError};

use super::broken::is_damage;
use super::show::{content_of, show};
use super::stop::Stop;
use super::{Call, Messenger};
use crate::search::{MAX_QUERY, Query, QueryError, spaced};
use crate::storage::{MessageKind, Position, Standing};
use crate::view::{MessageView, Version};
use crate::{ContactId, ConversationId, MessageId, Refusal, Reply};

/// The most messages one search gives.
const MOST_FOUND: usize = 1_000;
/// Setting under which it lies up to which contact older messages are in the
/// index: eight bytes, all of them ones if all are.
const INDEXED: &str = "texts indexed up to contact";
/// Older messages that are taken into the index in one call.
const PIECE: usize = 64;
/// How long others have their turn between two pieces.
const PAUSE: Duration = Duration::from_millis(20);

/// Messages from before there was an index, on their way into it.
pub(super) struct Indexing {
    /// Contacts still to do.
    left: VecDeque<ContactId>,
    /// Of the first of these, the earliest message that is done.
    before: Option<Position>,
    due: Moment,
}

impl Indexing {
    pub(super) fn due(&self) -> Moment {
        self.due
    }
}

impl Messenger {
    /// A face is told what a message shows now.
    pub(super) fn note_shown(
        &mut self,
        call: &mut Call<'_, '_>,
        (place, view): (ContactId, &MessageView),
    ) -> Result<(), StorageError> {
        if view.deleted {
            return self.erase_said(call, place, &view.id);
        }
        let text = spaced(&view.text);
        let text = (!text.trim().is_empty()).then_some(text.as_str());
        call.storage.index_text(&view.id, text)
    }

    pub(super) fn search(
        &mut self,
        call: &mut Call<'_, '_>,
        text: &str,
        within: Option<ConversationId>,
        most: usize,
    ) -> Result<Reply, Stop> {
        let query = Query::new(text).map_err(|error| match error {
            QueryError::Empty => Refusal::EmptyQuery,
            QueryError::TooLong => Refusal::TextTooLong { most: MAX_QUERY },
        })?;
        let within = within.map(|id| self.contact_in(id)).transpose()?;
        let most = most.min(MOST_FOUND);
        let found = match within.map(|head| self.places_of(head)) {
            // What was said last is in the last place.
            Some(places) => {
                let mut found = Vec::new();
                for place in places.into_iter().rev() {
                    found.extend(call.storage.find_texts(&query, Some(place), most)?);
                }
                found.truncate(most);
                found
            }
            None => call.storage.find_texts(&query, None, most)?,
        };
        let mut views = Vec::with_capacity(found.len());
        for id in found {
            views.extend(self.shown_now(call, &id)?);
        }
        views.reverse();
        Ok(Reply::Messages(views))
    }

    /// A message as reading would show it, if it would.
    fn shown_now(
        &self,
        call: &Call<'_, '_>,
        id: &MessageId,
    ) -> Result<Option<MessageView>, StorageError> {
        let record = match call.storage.message(id) {
            // The damage is found where that message is read.
            Err(error) if is_damage(&error) => None,
            record => record?,
        };
        let Some(record) = record.filter(|record| record.kind == MessageKind::Text) else {
            return Ok(None);
        };
        let known = self.standing(record.contact) != Some(Standing::Requested);
        let Some(place) = self.place(record.contact).filter(|_| known) else {
            return Ok(None);
        };
        match show(call.storage, place, &record) {
            Err(error) if is_damage(&error) => Ok(None),
            view => Ok(Some(view?).filter(|view| !view.deleted)),
        }
    }

    pub(super) fn history(&self, call: &Call<'_, '_>, message: &MessageId) -> Result<Reply, Stop> {
        let record = self.message_of(call, message)?;
        if record.kind != MessageKind::Text {
            return Err(Refusal::NoMessage.into());
        }
        if record.is_erased() {
            return Err(Refusal::Deleted.into());
        }
        let mut edits = call.storage.edits(record.contact, message, record.mine)?;
        edits.retain(|edit| edit.is_by_author_of(&record));
        let mut versions = Vec::with_capacity(1 + edits.len());
        for said in [&record].into_iter().chain(&edits) {
            versions.push(Version {
                text: content_of(said)?.to_plain(),
                sent_at: said.sent_at,
            });
        }
        Ok(Reply::History(versions))
    }

    /// Takes up what an older version of this program left out of the index.
    pub(super) fn resume_indexing(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let done = call.storage.setting(INDEXED)?;
        let done = match done.as_deref().map(<[u8; 8]>::try_from) {
            Some(Ok(done)) => Some(u64::from_be_bytes(done)),
            _ => None,
        };
        let left: VecDeque<_> = self
            .people
            .keys()
            .copied()
            .filter(|contact| done.is_none_or(|done| contact.0 > done))
            .collect();
        if left.is_empty() {
            return match done {
                Some(u64::MAX) => Ok(()),
                _ => call.storage.put_setting(INDEXED, &u64::MAX.to_be_bytes()),
            };
        }
        self.indexing = Some(Indexing {
            left,
            before: None,
            due: call.cx.now(),
        });
        Ok(())
    }

    /// Takes a piece of what was left out into the index.
    pub(super) fn index_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(mut indexing) = self.indexing.take() else {
            return Ok(());
        };
        if indexing.due > call.cx.now() {
            self.indexing = Some(indexing);
            return Ok(());
        }
        let Some(contact) = indexing.left.front().copied() else {
            return call.storage.put_setting(INDEXED, &u64::MAX.to_be_bytes());
        };
        match self.index_piece(call, contact, indexing.before.as_ref())? {
            Some(earliest) => indexing.before = Some(earliest),
            None => {
                call.storage
                    .put_setting(INDEXED, &contact.0.to_be_bytes())?;
                indexing.left.pop_front();
                indexing.before = None;
            }
        }
        indexing.due = call.cx.now() + PAUSE;
        self.indexing = Some(indexing);
        Ok(())
    }

    /// The earliest message that is done then; `None` if there was none left.
    fn index_piece(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        before: Option<&Position>,
    ) -> Result<Option<Position>, StorageError> {
        // One by one: what is damaged is found by reading, and hides no other
        // from a search.
        let positions = call.storage.text_positions(contact, before, PIECE)?;
        for position in &positions {
            if let Some(view) = self.shown_now(call, &position.id)? {
                self.note_shown(call, (contact, &view))?;
            }
        }
        Ok(positions.first().copied())
    }
}
