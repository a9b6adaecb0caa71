//! The lists by which messages are found.

use super::MemoryStorage;
use crate::storage::{MessageRecord, MessageState};
use crate::{ContactId, MessageId};

impl MemoryStorage {
    /// Keeps the list of my unconfirmed messages.
    pub(super) fn sort_out(&mut self, message: &MessageRecord) {
        let unconfirmed = self.unconfirmed.entry(message.contact).or_default();
        let on_its_way = matches!(message.state, MessageState::Queued | MessageState::Accepted);
        if message.mine && on_its_way {
            unconfirmed.insert(message.position);
        } else {
            unconfirmed.remove(&message.position);
        }
    }

    /// Takes a removed message out of the lists by letter and by target.
    pub(super) fn unlist(&mut self, message: &MessageRecord) {
        self.texts.remove(message.id());
        self.rows.remove(message.id());
        self.forget_receipts(message.id());
        if let Some(letter) = message.letter {
            self.letters.remove(&letter);
        }
        if let Some(slot) = slot(message)
            && let Some(changes) = self.about.get_mut(&slot)
        {
            changes.remove(&message.position);
            if changes.is_empty() {
                self.about.remove(&slot);
            }
        }
    }
}

/// Where a change stands in the list by what it changes.
pub(super) fn slot(message: &MessageRecord) -> Option<(MessageId, ContactId, u8, bool)> {
    Some((
        message.target?,
        message.contact,
        message.kind.code(),
        message.mine,
    ))
}
