//! How I keep a conversation: what both sides agreed on, and what is mine alone.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, optional_millis};
use super::message::Position;
use crate::{ConversationId, MessageId};

/// Messages that can be pinned in one conversation.
pub const MOST_PINNED: usize = 32;

/// How I keep a conversation. One that has none is kept as by
/// [`ConversationRecord::default`].
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationRecord {
    /// The last word on when messages disappear.
    pub timer: Option<TimerRecord>,
    /// Since when nothing is heard from the other side.
    #[serde(with = "optional_millis")]
    pub blocked: Option<Timestamp>,
    /// Out of sight until something new comes.
    pub archived: bool,
    /// Shown before others.
    pub pinned: bool,
    /// Until when nothing new is to draw attention.
    #[serde(with = "optional_millis")]
    pub muted: Option<Timestamp>,
    /// To be looked at again, though all was read.
    pub marked_unread: bool,
    /// Ids (32 bytes) of messages to be found again, oldest pin first; at most
    /// [`MOST_PINNED`].
    pub pinned_messages: Vec<Vec<u8>>,
    /// What I began to write.
    pub draft: Option<DraftRecord>,
}

/// A word on when messages disappear: of several, the one that stands last in
/// the conversation counts, so both sides go by the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimerRecord {
    /// Seconds from reading until they disappear; 0 if they stay.
    pub seconds: u32,
    epoch: u64,
    lamport: u64,
    leaf: u32,
    id: Vec<u8>,
}

impl TimerRecord {
    /// `seconds`, said at `position`.
    #[must_use]
    pub fn new(seconds: u32, position: &Position) -> Self {
        Self {
            seconds,
            epoch: position.epoch,
            lamport: position.lamport,
            leaf: position.leaf,
            id: position.id.as_bytes().to_vec(),
        }
    }

    /// Whether this stands after `other`.
    #[must_use]
    pub fn is_after(&self, other: &Self) -> bool {
        let order = |timer: &Self| (timer.epoch, timer.lamport, timer.leaf);
        (order(self), &self.id) > (order(other), &other.id)
    }
}

/// What I began to write. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DraftRecord {
    /// The text so far.
    pub text: String,
    /// Id (32 bytes) of the message it answers.
    pub reply_to: Option<Vec<u8>>,
}

impl ConversationRecord {
    /// Seconds after which messages said now disappear; `None` if they stay.
    #[must_use]
    pub fn disappear_after(&self) -> Option<u32> {
        let seconds = self.timer.as_ref()?.seconds;
        (seconds > 0).then_some(seconds)
    }

    /// Whether nothing new is to draw attention at `now`.
    #[must_use]
    pub fn is_muted(&self, now: Timestamp) -> bool {
        self.muted.is_some_and(|until| until > now)
    }

    /// The pinned messages, oldest pin first.
    pub fn pins(&self) -> impl Iterator<Item = MessageId> {
        let ids = self.pinned_messages.iter();
        ids.filter_map(|id| MessageId::from_bytes(id).ok())
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading how a conversation is kept")
    }
}

// Drafts belong in no log.
impl core::fmt::Debug for ConversationRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ConversationRecord")
            .field("timer", &self.timer)
            .field("blocked", &self.blocked)
            .finish_non_exhaustive()
    }
}

impl core::fmt::Debug for DraftRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DraftRecord(..)")
    }
}

/// The rows in which it is kept how conversations are kept.
pub trait ConversationRows {
    /// How a conversation is kept; `None` if nothing was ever chosen for it.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    fn conversation(&self, id: ConversationId) -> Result<Option<ConversationRecord>, StorageError>;

    /// Writes or replaces how a conversation is kept. What stood there before
    /// is overwritten: it may be a draft.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_conversation(
        &mut self,
        id: ConversationId,
        record: &ConversationRecord,
    ) -> Result<(), StorageError>;

    /// Forgets how a conversation is kept, if that is known.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_conversation(&mut self, id: ConversationId) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lamport: u64, id: u8) -> Position {
        Position {
            epoch: 3,
            lamport,
            leaf: 1,
            id: MessageId::from_bytes(&[&[1][..], &[id; 31]].concat()).unwrap(),
        }
    }

    #[test]
    fn the_timer_that_stands_last_counts() {
        let (first, second) = (
            TimerRecord::new(60, &at(4, 1)),
            TimerRecord::new(0, &at(5, 0)),
        );
        assert!(second.is_after(&first) && !first.is_after(&second));
        assert!(TimerRecord::new(9, &at(4, 2)).is_after(&first));
        assert!(!first.is_after(&first));
    }

    #[test]
    fn a_record_survives_and_damage_is_told() {
        let record = ConversationRecord {
            timer: Some(TimerRecord::new(60, &at(4, 1))),
            blocked: Some(Timestamp::from_millis(7)),
            draft: Some(DraftRecord {
                text: "half a".to_owned(),
                reply_to: Some(vec![1; 32]),
            }),
            pinned_messages: vec![vec![1; 32], vec![2; 5]],
            ..ConversationRecord::default()
        };
        assert_eq!(
            ConversationRecord::decode(&record.encode()).unwrap(),
            record
        );
        assert_eq!(record.pins().count(), 1);
        assert!(ConversationRecord::decode(&[1, 9]).is_err());
        assert!(!format!("{record:?}").contains("half"));
    }
}
