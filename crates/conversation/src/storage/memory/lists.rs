//! The lists by which messages are found.

use std::collections::BTreeSet;

use super::MemoryStorage;
use crate::storage::{MessageRecord, MessageState, Position};
use crate::{ContactId, MemberId, MessageId};

impl MemoryStorage {
    /// The changes of a message, by kind and author.
    pub(super) fn slots(
        &self,
        of: ContactId,
        target: &MessageId,
    ) -> impl Iterator<Item = (&Slot, &BTreeSet<Position>)> {
        let last = (*target, of, u8::MAX, true, Some(MemberId(u64::MAX)));
        self.about.range((*target, of, 0, false, None)..=last)
    }

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
        self.forget_recipients(message.id());
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

/// Where a change stands in the list by what it changes: that, whose
/// conversation, the code of its kind, whether it is mine, and its author.
pub(super) type Slot = (MessageId, ContactId, u8, bool, Option<MemberId>);

/// The place of a change in that list.
pub(super) fn slot(message: &MessageRecord) -> Option<Slot> {
    Some((
        message.target?,
        message.contact,
        message.kind.code(),
        message.mine,
        message.author,
    ))
}
