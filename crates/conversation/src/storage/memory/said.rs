//! What was said by other ways than its order, and how conversations are kept.

use core::ops::Bound;

use hushwing_sansio::{StorageError, Timestamp};

use super::{MemoryStorage, slot};
use crate::search::{self, Query};
use crate::storage::{
    ConversationRecord, ConversationRows, MessageKind, MessageRecord, MessageState, Position,
    SaidRows,
};
use crate::{ContactId, ConversationId, MessageId, Storage as _};

impl MemoryStorage {
    fn gone(&mut self, id: &MessageId) {
        let Some(message) = self.messages.get(id).cloned() else {
            return;
        };
        // By its letter it is still found: that may be on its way.
        if let Some(slot) = slot(&message)
            && let Some(changes) = self.about.get_mut(&slot)
        {
            changes.remove(&message.position);
            if changes.is_empty() {
                self.about.remove(&slot);
            }
        }
        if let Some(order) = self.order.get_mut(&message.contact) {
            order.insert(message.position, MessageKind::Gone);
        }
        if let Some(message) = self.messages.get_mut(id) {
            message.kind = MessageKind::Gone;
            message.target = None;
            message.times.vanishes = None;
            message.content.clear();
        }
        self.forget_receipts(id);
        self.texts.remove(id);
    }

    fn changing(&self, of: ContactId, target: &MessageId, kinds: &[MessageKind]) -> Vec<MessageId> {
        let slots = self.slots(of, target);
        let changing = slots.filter(|((_, _, code, ..), _)| {
            let mut kinds = kinds.iter();
            kinds.any(|kind| kind.code() == *code)
        });
        let positions = changing.flat_map(|(_, positions)| positions);
        positions.map(|position| position.id).collect()
    }
}

impl SaidRows for MemoryStorage {
    fn erase(&mut self, id: &MessageId) -> Result<(), StorageError> {
        self.edit(id)?.content.clear();
        self.forget_receipts(id);
        self.texts.remove(id);
        Ok(())
    }

    fn make_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError> {
        let kinds = [
            MessageKind::Edit,
            MessageKind::Delete,
            MessageKind::Reaction,
        ];
        for change in self.changing(of, id, &kinds) {
            self.gone(&change);
        }
        self.gone(id);
        Ok(())
    }

    fn make_edits_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError> {
        for change in self.changing(of, id, &[MessageKind::Edit, MessageKind::Reaction]) {
            self.gone(&change);
        }
        Ok(())
    }

    fn vanishing(
        &self,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<(ContactId, MessageId)>, StorageError> {
        let mut due: Vec<_> = self
            .messages
            .values()
            .filter_map(|message| Some((message.times.vanishes?, message)))
            .filter(|(at, _)| *at <= until)
            .map(|(at, message)| (at, *message.id(), message.contact))
            .collect();
        due.sort_unstable();
        due.truncate(most);
        Ok(due.into_iter().map(|(_, id, of)| (of, id)).collect())
    }

    fn next_vanishing(&self) -> Result<Option<Timestamp>, StorageError> {
        let times = self.messages.values();
        Ok(times.filter_map(|message| message.times.vanishes).min())
    }

    fn edits(
        &self,
        of: ContactId,
        target: &MessageId,
        mine: bool,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let slots = self.slots(of, target);
        let edits = slots.filter(|((_, _, kind, by_me, _), _)| {
            *kind == MessageKind::Edit.code() && *by_me == mine
        });
        let mut positions: Vec<_> = edits.flat_map(|(_, positions)| positions).collect();
        positions.sort_unstable();
        let edits = positions.into_iter();
        self.copies(edits.filter_map(|position| self.messages.get(&position.id)))
    }

    fn text_positions(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
    ) -> Result<Vec<Position>, StorageError> {
        let Some(order) = self.order.get(&of) else {
            return Ok(Vec::new());
        };
        let end = before.map_or(Bound::Unbounded, |before| Bound::Excluded(*before));
        let newest = order.range((Bound::Unbounded, end)).rev();
        let texts = newest.filter(|(_, kind)| **kind == MessageKind::Text);
        let mut texts: Vec<_> = texts.map(|(position, _)| *position).take(most).collect();
        texts.reverse();
        Ok(texts)
    }

    fn remove_messages(&mut self, of: ContactId, most: usize) -> Result<bool, StorageError> {
        let order = self.order.get(&of).into_iter().flatten();
        let mut all: Vec<_> = order
            .map(|(position, kind)| (kind.code(), *position))
            .collect();
        all.sort_unstable();
        let more = all.len() > most;
        for (_, position) in all.into_iter().take(most) {
            self.remove_message(&position.id)?;
        }
        if !more {
            self.order.remove(&of);
            self.unconfirmed.remove(&of);
        }
        Ok(more)
    }

    fn count_unread(&self, of: ContactId) -> Result<u64, StorageError> {
        let unread = self.ordered(of).filter(|(_, message)| {
            !message.mine
                && message.kind == MessageKind::Text
                && message.state == MessageState::Delivered
        });
        Ok(unread.count() as u64)
    }

    fn index_text(&mut self, id: &MessageId, text: Option<&str>) -> Result<(), StorageError> {
        match text {
            Some(text) if self.messages.contains_key(id) => {
                self.texts.insert(*id, text.to_owned());
            }
            _ => {
                self.texts.remove(id);
            }
        }
        Ok(())
    }

    fn tidy_texts(&mut self, pages: usize) -> Result<bool, StorageError> {
        // A map keeps nothing of what is gone.
        let _ = pages;
        self.tidied = self.tidied.saturating_add(1);
        Ok(false)
    }

    fn find_texts(
        &self,
        query: &Query,
        of: Option<ContactId>,
        most: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let mut found: Vec<_> = self
            .texts
            .iter()
            .filter(|(_, text)| search::has(text, query))
            .filter_map(|(id, _)| self.messages.get(id))
            .filter(|message| of.is_none_or(|of| message.contact == of))
            .filter_map(|message| Some((*self.rows.get(message.id())?, *message.id())))
            .collect();
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.truncate(most);
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }
}

impl ConversationRows for MemoryStorage {
    fn conversation(&self, id: ConversationId) -> Result<Option<ConversationRecord>, StorageError> {
        Ok(self.conversations.get(&id).cloned())
    }

    fn put_conversation(
        &mut self,
        id: ConversationId,
        record: &ConversationRecord,
    ) -> Result<(), StorageError> {
        self.conversations.insert(id, record.clone());
        Ok(())
    }

    fn remove_conversation(&mut self, id: ConversationId) -> Result<(), StorageError> {
        self.conversations.remove(&id);
        Ok(())
    }
}
