//! The post office's rows, kept by its own storage in memory.

use hushwing_delivery::{LetterId, MailboxId, Part, RepeatId, Storage};
use hushwing_sansio::{StorageError, Timestamp};

use super::MemoryStorage;

impl Storage for MemoryStorage {
    fn epoch(&mut self) -> Result<u32, StorageError> {
        self.office.epoch()
    }

    fn set_epoch(&mut self, epoch: u32) -> Result<(), StorageError> {
        self.office.set_epoch(epoch)
    }

    fn mailboxes(&mut self) -> Result<Vec<(MailboxId, Vec<u8>)>, StorageError> {
        self.office.mailboxes()
    }

    fn put_mailbox(&mut self, mailbox: MailboxId, row: &[u8]) -> Result<(), StorageError> {
        self.office.put_mailbox(mailbox, row)
    }

    fn delete_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError> {
        self.office.delete_mailbox(mailbox)
    }

    fn letters(&mut self) -> Result<Vec<(LetterId, Vec<u8>)>, StorageError> {
        self.office.letters()
    }

    fn insert_letter(
        &mut self,
        letter: LetterId,
        head: &[u8],
        body: &[u8],
    ) -> Result<(), StorageError> {
        self.office.insert_letter(letter, head, body)
    }

    fn set_letter_head(&mut self, letter: LetterId, head: &[u8]) -> Result<(), StorageError> {
        self.office.set_letter_head(letter, head)
    }

    fn letter_chunk(
        &mut self,
        letter: LetterId,
        offset: usize,
        len: usize,
    ) -> Result<Vec<u8>, StorageError> {
        self.office.letter_chunk(letter, offset, len)
    }

    fn delete_letter(&mut self, letter: LetterId) -> Result<(), StorageError> {
        self.office.delete_letter(letter)
    }

    fn insert_repeat(&mut self, repeat: RepeatId, at: Timestamp) -> Result<bool, StorageError> {
        self.office.insert_repeat(repeat, at)
    }

    fn is_repeat(&mut self, repeat: RepeatId) -> Result<bool, StorageError> {
        self.office.is_repeat(repeat)
    }

    fn delete_repeat(&mut self, repeat: RepeatId) -> Result<(), StorageError> {
        self.office.delete_repeat(repeat)
    }

    fn delete_repeats_before(&mut self, at: Timestamp) -> Result<(), StorageError> {
        self.office.delete_repeats_before(at)
    }

    fn keep_repeats(&mut self, most: usize) -> Result<(), StorageError> {
        self.office.keep_repeats(most)
    }

    fn parts(&mut self) -> Result<Vec<Part>, StorageError> {
        self.office.parts()
    }

    fn insert_part(&mut self, part: &Part, chunk: &[u8]) -> Result<(), StorageError> {
        self.office.insert_part(part, chunk)
    }

    fn part_chunks(
        &mut self,
        mailbox: MailboxId,
        repeat: RepeatId,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        self.office.part_chunks(mailbox, repeat)
    }

    fn delete_parts(&mut self, mailbox: MailboxId, repeat: RepeatId) -> Result<(), StorageError> {
        self.office.delete_parts(mailbox, repeat)
    }
}
