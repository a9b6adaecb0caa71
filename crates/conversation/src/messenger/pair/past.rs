//! What was said in a conversation before it went on as a pair, as far as it is handed to
//! further devices (RFC 0032).
//!
//! On the device that has the contact it lies in the conversation, on the others in the pair, as
//! what it is: handed on. All of it stands before the first epoch of the pair, so the epoch
//! tells where something was said, and by which keys it is named.

use hushwing_sansio::StorageError;

use crate::content::Origin;
use crate::messenger::Messenger;
use crate::storage::{MessageRecord, MessageState, Position};
use crate::{ContactId, Refusal, RoomId};

impl Messenger {
    /// The first epoch of a pair, in the order of its conversation.
    fn first_of_pair(&self, room: RoomId) -> Option<u64> {
        let pair = self.pair_in(room)?;
        Some(u64::from(pair.turn) << 32)
    }

    /// Whether what has that epoch in a pair was said in the conversation before it.
    pub(in crate::messenger) fn is_before_pair(&self, room: RoomId, epoch: u64) -> bool {
        self.first_of_pair(room).is_some_and(|first| epoch < first)
    }

    /// The conversation before a pair, if I have the contact, and before which place in it what
    /// precedes one in the pair stands.
    pub(in crate::messenger) fn before_pair(
        &self,
        room: RoomId,
        before: Position,
    ) -> Option<(ContactId, Position)> {
        let first = self.first_of_pair(room)?;
        let before = match before.epoch < first {
            true => before,
            // Nobody counts from nought.
            false => Position {
                epoch: first,
                lamport: 0,
                ..before
            },
        };
        Some((self.contact_of_pair(room)?, before))
    }

    /// The origin of what a leaf of the conversation before a pair said.
    pub(in crate::messenger) fn origin_before_pair(
        &self,
        room: RoomId,
        leaf: u32,
    ) -> Result<Origin, StorageError> {
        let pair = self.pair_in(room);
        pair.and_then(|pair| Origin::new(&leaf.to_be_bytes(), &pair.conversation.0))
            .ok_or_else(|| StorageError::corrupt("naming a speaker"))
    }

    /// Whether something said here can be changed here: what was said before a pair only where
    /// the contact is, who knows it from there.
    pub(in crate::messenger) fn may_change(&self, record: &MessageRecord) -> Result<(), Refusal> {
        match self.is_before_pair(RoomId::at(record.contact), record.position.epoch) {
            true => Err(Refusal::OnAnotherDevice),
            false => Ok(()),
        }
    }
}

/// Whether something said before a pair stays where it was said: off the record, or to nobody.
pub(in crate::messenger) fn stays(record: &MessageRecord) -> bool {
    record.is_off_record() || record.state == MessageState::Failed
}
