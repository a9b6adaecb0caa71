//! What was said, by other ways than its order: what goes again, what stood
//! there before, what is found by its words.

use hushwing_sansio::{StorageError, Timestamp};

use super::{MessageRecord, Position};
use crate::search::Query;
use crate::{ContactId, MessageId};

/// Rows of messages by other ways than their order.
///
/// What is taken out by these methods is overwritten and not only unlinked, and
/// none of it stays in what finds texts by their words.
pub trait SaidRows {
    /// Empties the content of a message, which stays where it stands.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn erase(&mut self, id: &MessageId) -> Result<(), StorageError>;

    /// Empties a message, its edits, reactions and deletions, and makes all of
    /// them [`Gone`](super::MessageKind::Gone): no list has them any more, but a
    /// further copy is still known to be one.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn make_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError>;

    /// Makes all edits of a message, and reactions to it,
    /// [`Gone`](super::MessageKind::Gone).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn make_edits_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError>;

    /// Messages that shall disappear at `until` or before, with whom, the first
    /// due first, at most `most`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn vanishing(
        &self,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<(ContactId, MessageId)>, StorageError>;

    /// When the next message shall disappear.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn next_vanishing(&self) -> Result<Option<Timestamp>, StorageError>;

    /// The edits of a message by me, or by the contact, by position.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn edits(
        &self,
        of: ContactId,
        target: &MessageId,
        mine: bool,
    ) -> Result<Vec<MessageRecord>, StorageError>;

    /// Where the newest `most` texts stand that are before `before`, if given;
    /// oldest first. Of what they say nothing is read, so that a damaged one
    /// hides no other.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn text_positions(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
    ) -> Result<Vec<Position>, StorageError>;

    /// Removes messages of a contact, of any kind, at most `most`; whether there
    /// are more.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_messages(&mut self, of: ContactId, most: usize) -> Result<bool, StorageError>;

    /// How many messages of a contact are unread.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn count_unread(&self, of: ContactId) -> Result<u64, StorageError>;

    /// Makes a message found by the words of `text`, and by no others; by none
    /// at all if there is no text. The text is as
    /// [`spaced`](crate::search::spaced) made it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn index_text(&mut self, id: &MessageId, text: Option<&str>) -> Result<(), StorageError>;

    /// Brings the index by which texts are found into order, `pages` of it at a
    /// time, so that nothing is left there of words that were taken out. Whether
    /// there is more to do.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn tidy_texts(&mut self, pages: usize) -> Result<bool, StorageError>;

    /// Messages in whose texts a query is found, of one contact or of all, the
    /// last stored first, at most `most`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn find_texts(
        &self,
        query: &Query,
        of: Option<ContactId>,
        most: usize,
    ) -> Result<Vec<MessageId>, StorageError>;
}
