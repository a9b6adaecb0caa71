//! Storage in memory, for tests and for measuring.

use std::collections::BTreeMap;
use std::sync::Arc;

use hushwing_sansio::{StorageError, Timestamp};

use super::storage::{Part, Storage};
use crate::{LetterId, MailboxId, RepeatId};

/// Shared by snapshots.
type Bytes = Arc<[u8]>;
type PartKey = (MailboxId, RepeatId, u16);

/// The post office's rows in ordered maps.
///
/// A clone is a snapshot: bodies are shared, so taking one before a
/// transaction and putting it back is how tests roll back.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    epoch: u32,
    mailboxes: BTreeMap<MailboxId, Bytes>,
    letters: BTreeMap<LetterId, (Bytes, Bytes)>,
    repeats: BTreeMap<RepeatId, Timestamp>,
    parts: BTreeMap<PartKey, (Part, Bytes)>,
}

impl MemoryStorage {
    /// Empty storage.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Letters held in the outbox.
    #[must_use]
    pub fn letter_count(&self) -> usize {
        self.letters.len()
    }

    /// Parts of incomplete letters held in the inbox.
    #[must_use]
    pub fn part_count(&self) -> usize {
        self.parts.len()
    }

    /// About how many bytes lie here, keys included.
    #[must_use]
    pub fn weight(&self) -> usize {
        let mailboxes = self.mailboxes.values().map(|row| row.len() + 8);
        let letters = self.letters.values();
        let letters = letters.map(|(head, body)| head.len() + body.len() + 16);
        let parts = self.parts.values().map(|(_, chunk)| chunk.len() + 64);
        let all = mailboxes.chain(letters).chain(parts);
        all.sum::<usize>() + self.repeats.len() * 24
    }

    /// Repeat ids remembered.
    #[must_use]
    pub fn repeat_count(&self) -> usize {
        self.repeats.len()
    }
}

impl core::fmt::Debug for MemoryStorage {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("MemoryStorage(..)")
    }
}

impl Storage for MemoryStorage {
    fn epoch(&mut self) -> Result<u32, StorageError> {
        Ok(self.epoch)
    }

    fn set_epoch(&mut self, epoch: u32) -> Result<(), StorageError> {
        self.epoch = epoch;
        Ok(())
    }

    fn mailboxes(&mut self) -> Result<Vec<(MailboxId, Vec<u8>)>, StorageError> {
        Ok(self
            .mailboxes
            .iter()
            .map(|(id, row)| (*id, row.to_vec()))
            .collect())
    }

    fn put_mailbox(&mut self, mailbox: MailboxId, row: &[u8]) -> Result<(), StorageError> {
        self.mailboxes.insert(mailbox, row.into());
        Ok(())
    }

    fn delete_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError> {
        self.mailboxes.remove(&mailbox);
        self.parts.retain(|(of, _, _), _| *of != mailbox);
        Ok(())
    }

    fn letters(&mut self) -> Result<Vec<(LetterId, Vec<u8>)>, StorageError> {
        Ok(self
            .letters
            .iter()
            .map(|(id, (head, _))| (*id, head.to_vec()))
            .collect())
    }

    fn insert_letter(
        &mut self,
        letter: LetterId,
        head: &[u8],
        body: &[u8],
    ) -> Result<(), StorageError> {
        self.letters.insert(letter, (head.into(), body.into()));
        Ok(())
    }

    fn set_letter_head(&mut self, letter: LetterId, head: &[u8]) -> Result<(), StorageError> {
        if let Some(row) = self.letters.get_mut(&letter) {
            row.0 = head.into();
        }
        Ok(())
    }

    fn letter_chunk(
        &mut self,
        letter: LetterId,
        offset: usize,
        len: usize,
    ) -> Result<Vec<u8>, StorageError> {
        let chunk = self.letters.get(&letter).and_then(|(_, body)| {
            let end = offset.saturating_add(len).min(body.len());
            body.get(offset..end)
        });
        Ok(chunk.unwrap_or_default().to_vec())
    }

    fn delete_letter(&mut self, letter: LetterId) -> Result<(), StorageError> {
        self.letters.remove(&letter);
        Ok(())
    }

    fn insert_repeat(&mut self, repeat: RepeatId, at: Timestamp) -> Result<bool, StorageError> {
        if self.repeats.contains_key(&repeat) {
            return Ok(false);
        }
        self.repeats.insert(repeat, at);
        Ok(true)
    }

    fn is_repeat(&mut self, repeat: RepeatId) -> Result<bool, StorageError> {
        Ok(self.repeats.contains_key(&repeat))
    }

    fn delete_repeat(&mut self, repeat: RepeatId) -> Result<(), StorageError> {
        self.repeats.remove(&repeat);
        Ok(())
    }

    fn delete_repeats_before(&mut self, at: Timestamp) -> Result<(), StorageError> {
        self.repeats.retain(|_, remembered| *remembered >= at);
        Ok(())
    }

    fn keep_repeats(&mut self, most: usize) -> Result<(), StorageError> {
        let mut all: Vec<_> = self.repeats.iter().map(|(id, at)| (*at, *id)).collect();
        all.sort_unstable();
        let beyond = all.len().saturating_sub(most);
        for (_, id) in all.into_iter().take(beyond) {
            self.repeats.remove(&id);
        }
        Ok(())
    }

    fn parts(&mut self) -> Result<Vec<Part>, StorageError> {
        Ok(self.parts.values().map(|(part, _)| *part).collect())
    }

    fn insert_part(&mut self, part: &Part, chunk: &[u8]) -> Result<(), StorageError> {
        self.parts.insert(
            (part.mailbox, part.repeat, part.index),
            (*part, chunk.into()),
        );
        Ok(())
    }

    fn part_chunks(
        &mut self,
        mailbox: MailboxId,
        repeat: RepeatId,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        Ok(self
            .parts
            .range((mailbox, repeat, 0)..=(mailbox, repeat, u16::MAX))
            .map(|(_, (_, chunk))| chunk.to_vec())
            .collect())
    }

    fn delete_parts(&mut self, mailbox: MailboxId, repeat: RepeatId) -> Result<(), StorageError> {
        self.parts
            .retain(|(of, id, _), _| (*of, *id) != (mailbox, repeat));
        Ok(())
    }
}
