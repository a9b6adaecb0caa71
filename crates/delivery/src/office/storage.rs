//! What the post office asks of lent storage.

use hushwing_sansio::{StorageError, Timestamp};

use crate::{LetterId, MailboxId, RepeatId};

/// One part of an incomplete letter, without its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The mailbox it came to.
    pub mailbox: MailboxId,
    /// The letter it belongs to.
    pub repeat: RepeatId,
    /// Which part, from 0.
    pub index: u16,
    /// How many parts the letter has.
    pub count: u16,
    /// Length of the whole letter in bytes.
    pub length: u32,
    /// When it came.
    pub at: Timestamp,
    /// Whether it was sealed to an invitation's public key.
    pub first_contact: bool,
}

/// Rows of the post office. All rows given as bytes carry a version of their
/// own and hold secrets; a store keeps them encrypted and compares nothing.
///
/// Every method sees what earlier calls in the same transaction wrote.
/// Deleting or changing what is not there does nothing.
///
/// # Errors
///
/// Every method fails only as the store does, which voids the transaction.
pub trait Storage {
    /// The number set last, or 0.
    fn epoch(&mut self) -> Result<u32, StorageError>;
    /// Sets the number of this run.
    fn set_epoch(&mut self, epoch: u32) -> Result<(), StorageError>;

    /// All mailboxes.
    fn mailboxes(&mut self) -> Result<Vec<(MailboxId, Vec<u8>)>, StorageError>;
    /// Inserts or replaces a mailbox.
    fn put_mailbox(&mut self, mailbox: MailboxId, row: &[u8]) -> Result<(), StorageError>;
    /// Deletes a mailbox and the parts that came to it.
    fn delete_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError>;

    /// The heads of all letters, in ascending order.
    fn letters(&mut self) -> Result<Vec<(LetterId, Vec<u8>)>, StorageError>;
    /// Inserts a letter. The body (up to 8 MiB) never changes; the head (a few
    /// hundred bytes, up to 20 KiB) may, so they should not share a page.
    fn insert_letter(
        &mut self,
        letter: LetterId,
        head: &[u8],
        body: &[u8],
    ) -> Result<(), StorageError>;
    /// Replaces the head of a letter.
    fn set_letter_head(&mut self, letter: LetterId, head: &[u8]) -> Result<(), StorageError>;
    /// Bytes `offset..offset + len` of a letter's body, cut at its end; empty
    /// for an unknown letter.
    fn letter_chunk(
        &mut self,
        letter: LetterId,
        offset: usize,
        len: usize,
    ) -> Result<Vec<u8>, StorageError>;
    /// Deletes a letter, head and body.
    fn delete_letter(&mut self, letter: LetterId) -> Result<(), StorageError>;

    /// Remembers a repeat id; `false` if it was known already.
    fn insert_repeat(&mut self, repeat: RepeatId, at: Timestamp) -> Result<bool, StorageError>;
    /// Whether a repeat id is known.
    fn is_repeat(&mut self, repeat: RepeatId) -> Result<bool, StorageError>;
    /// Forgets a repeat id.
    fn delete_repeat(&mut self, repeat: RepeatId) -> Result<(), StorageError>;
    /// Forgets repeat ids remembered before a time.
    fn delete_repeats_before(&mut self, at: Timestamp) -> Result<(), StorageError>;

    /// Forgets the repeat ids remembered first, until `most` are left; of the
    /// same time the lower ones.
    fn keep_repeats(&mut self, most: usize) -> Result<(), StorageError>;

    /// All parts of incomplete letters, without their bytes, in any order.
    fn parts(&mut self) -> Result<Vec<Part>, StorageError>;
    /// Inserts a part (chunk of up to 15,000 bytes).
    fn insert_part(&mut self, part: &Part, chunk: &[u8]) -> Result<(), StorageError>;
    /// The chunks of one incomplete letter, in ascending order of their index.
    fn part_chunks(
        &mut self,
        mailbox: MailboxId,
        repeat: RepeatId,
    ) -> Result<Vec<Vec<u8>>, StorageError>;
    /// Deletes the parts of one incomplete letter.
    fn delete_parts(&mut self, mailbox: MailboxId, repeat: RepeatId) -> Result<(), StorageError>;
}
