//! Messages, and letters that cannot be read yet.

use hushwing_delivery::{NetworkTag, RepeatId};
use hushwing_sansio::{StorageError, Timestamp};

use super::{HANDED_ON, OFF_RECORD};
use crate::{ContactId, MemberId, MessageId};

/// Where a message stands in its conversation. Both sides compute the same:
/// everything in it is told by the sender, and `Ord` compares in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The MLS epoch in which the message was first said.
    pub epoch: u64,
    /// One more than the highest counter the sender had seen.
    pub lamport: u64,
    /// The sender's leaf.
    pub leaf: u32,
    /// Settles the rest.
    pub id: MessageId,
}

/// What a message does. The codes are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Something to show in its own right: text or a reply.
    Text,
    /// Replaces the text of its target.
    Edit,
    /// Takes its target, a text or a reaction, back.
    Delete,
    /// Sets a reaction to its target.
    Reaction,
    /// Tells the contact about me (name, addresses); shown by no face.
    Control,
    /// Was one of the others and disappeared: nothing of it is left but its name
    /// and its place, so that a further copy is known to be one.
    Gone,
}

impl MessageKind {
    /// Whether a person may name such a message.
    #[must_use]
    pub fn is_found(self) -> bool {
        !matches!(self, Self::Control | Self::Gone)
    }

    /// The stored code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Text => 1,
            Self::Edit => 2,
            Self::Delete => 3,
            Self::Reaction => 4,
            Self::Control => 5,
            Self::Gone => 6,
        }
    }

    /// The kind with `code`.
    ///
    /// # Errors
    ///
    /// Unknown codes are damage.
    pub fn from_code(code: u8) -> Result<Self, StorageError> {
        Ok(match code {
            1 => Self::Text,
            2 => Self::Edit,
            3 => Self::Delete,
            4 => Self::Reaction,
            5 => Self::Control,
            6 => Self::Gone,
            _ => return Err(StorageError::corrupt("reading the kind of a message")),
        })
    }
}

/// How far a message got. For messages of others only `Delivered` (it is here)
/// and `Read` occur. The codes are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MessageState {
    /// In my outbox.
    Queued,
    /// A network took responsibility.
    Accepted,
    /// No network can deliver it; it will not be tried again.
    Failed,
    /// The recipient's signed receipt came.
    Delivered,
    /// The recipient's signed receipt says it was read.
    Read,
}

impl MessageState {
    /// The stored code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Queued => 1,
            Self::Accepted => 2,
            Self::Delivered => 3,
            Self::Read => 4,
            Self::Failed => 5,
        }
    }

    /// The state with `code`.
    ///
    /// # Errors
    ///
    /// Unknown codes are damage.
    pub fn from_code(code: u8) -> Result<Self, StorageError> {
        Ok(match code {
            1 => Self::Queued,
            2 => Self::Accepted,
            3 => Self::Delivered,
            4 => Self::Read,
            5 => Self::Failed,
            _ => return Err(StorageError::corrupt("reading the state of a message")),
        })
    }
}

/// Which receipt I owe for a message. The codes are stored and never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owed {
    /// None, or it left.
    Nothing,
    /// That it is here.
    Delivered,
    /// That I read it, which says that it is here too.
    Read,
    /// That it is here, to its author alone: it came from there, past all heralds.
    DeliveredBack,
    /// That I read it, to its author alone.
    ReadBack,
}

impl Owed {
    /// The stored code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Delivered => 1,
            Self::Read => 2,
            Self::DeliveredBack => 3,
            Self::ReadBack => 4,
        }
    }

    /// Whether it says that I read the message.
    #[must_use]
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Read | Self::ReadBack)
    }

    /// Whether it goes back to the author, past all heralds.
    #[must_use]
    pub const fn goes_back(self) -> bool {
        matches!(self, Self::DeliveredBack | Self::ReadBack)
    }

    /// The same, to the author alone.
    #[must_use]
    pub const fn back(self) -> Self {
        match self {
            Self::Nothing => Self::Nothing,
            Self::Delivered | Self::DeliveredBack => Self::DeliveredBack,
            Self::Read | Self::ReadBack => Self::ReadBack,
        }
    }

    /// What is owed if both are.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let most = match self.is_read() || other.is_read() {
            true => Self::Read,
            false if self == Self::Nothing => other,
            false if other == Self::Nothing => self,
            false => Self::Delivered,
        };
        match self.goes_back() || other.goes_back() {
            true => most.back(),
            false => most,
        }
    }

    /// The receipt with `code`.
    ///
    /// # Errors
    ///
    /// Unknown codes are damage.
    pub fn from_code(code: u8) -> Result<Self, StorageError> {
        Ok(match code {
            0 => Self::Nothing,
            1 => Self::Delivered,
            2 => Self::Read,
            3 => Self::DeliveredBack,
            4 => Self::ReadBack,
            _ => return Err(StorageError::corrupt("reading which receipt is owed")),
        })
    }
}

/// When a message of mine reached each state; of a message of others: by which
/// network and when it came, and when I read it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageTimes {
    /// A network took responsibility: which and when. For messages of others,
    /// the network that brought it.
    pub accepted: Option<(NetworkTag, Timestamp)>,
    /// The delivery receipt came. For messages of others: it came itself.
    pub delivered: Option<Timestamp>,
    /// The read receipt came. For messages of others: I read it.
    pub read: Option<Timestamp>,
    /// It was given up.
    pub failed: Option<Timestamp>,
    /// It shall disappear then, once its time has begun to run.
    pub vanishes: Option<Timestamp>,
}

/// A message: mine or theirs.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// Whose conversation.
    pub contact: ContactId,
    /// Key (its `id`) and order.
    pub position: Position,
    /// Whether I said it.
    pub mine: bool,
    /// The member of a room who said it; none in a conversation of two, and of
    /// what I said.
    pub author: Option<MemberId>,
    /// What it does.
    pub kind: MessageKind,
    /// The message it edits, deletes or reacts to.
    pub target: Option<MessageId>,
    /// When its sender says it was sent; when it arrived if the sender is in
    /// the future.
    pub sent_at: Timestamp,
    /// How far it got.
    pub state: MessageState,
    /// When it got there.
    pub times: MessageTimes,
    /// Which receipt I owe.
    pub owed: Owed,
    /// The letter it leaves in, for messages of mine.
    pub letter: Option<u64>,
    /// The epoch under whose keys it left or came; differs from the position's
    /// after it was encrypted again, and is none of the conversation's where it
    /// was said off the record ([`OFF_RECORD`]), or handed on to me ([`HANDED_ON`]).
    pub sealed_epoch: u64,
    /// The encoded MIMI message; empty once it was erased.
    pub content: Vec<u8>,
}

impl MessageRecord {
    /// Whether what was said is not here any more.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.content.is_empty()
    }

    /// Whether it was said off the record.
    #[must_use]
    pub fn is_off_record(&self) -> bool {
        self.sealed_epoch >= OFF_RECORD
    }

    /// Whether it was said before I came, and somebody handed it on.
    #[must_use]
    pub fn is_handed_on(&self) -> bool {
        self.sealed_epoch == HANDED_ON
    }

    /// Whether `other` has the same author, by whatever device.
    #[must_use]
    pub fn is_by_author_of(&self, other: &Self) -> bool {
        (self.mine, self.author) == (other.mine, other.author)
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &MessageId {
        &self.position.id
    }
}

// What was said belongs in no log.
impl core::fmt::Debug for MessageRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("MessageRecord")
            .field("contact", &self.contact)
            .field("kind", &self.kind)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What messages that are read together may have of content.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    left: usize,
    empty: bool,
}

impl Allowance {
    /// Room for `bytes`, but for one message at least.
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        Self {
            left: bytes,
            empty: true,
        }
    }

    /// Whether there is room for a message, which is taken then.
    pub fn takes(&mut self, message: &MessageRecord) -> bool {
        let first = core::mem::replace(&mut self.empty, false);
        match self.left.checked_sub(message.content.len()) {
            Some(left) => self.left = left,
            None if first => self.left = 0,
            None => return false,
        }
        true
    }
}

/// How much was said in a conversation, by both sides and of all kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Messages.
    pub messages: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// A letter of an epoch that its commit has not opened yet, or of a
/// conversation that no join request has opened yet (contact 0).
#[derive(Clone, PartialEq, Eq)]
pub struct HeldRecord {
    /// Whose conversation.
    pub contact: ContactId,
    /// Key within the contact, from [`Storage::next_number`](super::Storage::next_number).
    pub number: u64,
    /// When it came.
    pub since: Timestamp,
    /// The mark of the letter it came in; unknown of those from before version
    /// 2 of the rows.
    pub repeat: Option<RepeatId>,
    /// The MLS message, still encrypted.
    pub bytes: Vec<u8>,
}

/// A held letter without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldHead {
    /// Whose conversation.
    pub contact: ContactId,
    /// Key within the contact.
    pub number: u64,
    /// When it came.
    pub since: Timestamp,
    /// The mark of the letter it came in.
    pub repeat: Option<RepeatId>,
    /// How many bytes it has.
    pub length: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_to_their_values() {
        for kind in [
            MessageKind::Text,
            MessageKind::Edit,
            MessageKind::Delete,
            MessageKind::Reaction,
            MessageKind::Control,
            MessageKind::Gone,
        ] {
            assert_eq!(MessageKind::from_code(kind.code()).unwrap(), kind);
        }
        for state in [
            MessageState::Queued,
            MessageState::Accepted,
            MessageState::Delivered,
            MessageState::Read,
            MessageState::Failed,
        ] {
            assert_eq!(MessageState::from_code(state.code()).unwrap(), state);
        }
        for owed in [Owed::Nothing, Owed::Delivered, Owed::Read] {
            assert_eq!(Owed::from_code(owed.code()).unwrap(), owed);
        }
        assert!(MessageState::from_code(0).is_err());
    }
}
