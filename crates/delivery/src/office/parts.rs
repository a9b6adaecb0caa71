//! Letters of which some parts have come.
//!
//! Parts wait in storage, since each is acknowledged as it comes. What waits
//! is bounded for each mailbox: beyond the bound the letter that began first
//! goes, so that somebody who floods a mailbox with beginnings would have to do
//! so between two parts of an honest letter.

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{StorageError, Timestamp};

use super::storage::{Part, Storage};
use super::timing;
use crate::{MailboxId, RepeatId};

/// Incomplete letters of contacts a mailbox may hold.
const MOST_LETTERS: usize = 64;
/// Parts of contacts' letters a mailbox may hold: two of the longest letters.
const MOST_PARTS: usize = 1_124;
/// Incomplete letters of strangers a mailbox may hold.
const MOST_FIRST_CONTACTS: usize = 256;
/// Parts of strangers' letters a mailbox may hold.
const MOST_FIRST_CONTACT_PARTS: usize = 512;

/// What became of a part.
pub(super) enum Joined {
    /// It was the last one missing; the whole letter.
    Whole(Vec<u8>),
    /// It is kept, or was there already.
    Incomplete,
    /// It contradicts a part that came before.
    Mismatch,
}

struct Incomplete {
    count: u16,
    length: u32,
    since: Timestamp,
    first_contact: bool,
    have: BTreeSet<u16>,
}

type Key = (MailboxId, RepeatId);

#[derive(Default)]
pub(super) struct Parts {
    letters: BTreeMap<Key, Incomplete>,
}

impl Parts {
    pub(super) fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        let mut parts = Self::default();
        for part in storage.parts()? {
            parts.note(&part);
        }
        Ok(parts)
    }

    fn note(&mut self, part: &Part) {
        let letter = self
            .letters
            .entry((part.mailbox, part.repeat))
            .or_insert_with(|| Incomplete {
                count: part.count,
                length: part.length,
                since: part.at,
                first_contact: part.first_contact,
                have: BTreeSet::new(),
            });
        letter.since = letter.since.min(part.at);
        letter.have.insert(part.index);
    }

    /// Takes in a part of a letter that is not a repeat.
    pub(super) fn add(
        &mut self,
        storage: &mut dyn Storage,
        part: &Part,
        chunk: &[u8],
    ) -> Result<Joined, StorageError> {
        let key = (part.mailbox, part.repeat);
        if let Some(letter) = self.letters.get(&key) {
            if (letter.count, letter.length, letter.first_contact)
                != (part.count, part.length, part.first_contact)
            {
                return Ok(Joined::Mismatch);
            }
            if letter.have.contains(&part.index) {
                return Ok(Joined::Incomplete);
            }
            if letter.have.len().saturating_add(1) == usize::from(part.count) {
                return self.finish(storage, part, chunk).map(Joined::Whole);
            }
        }
        storage.insert_part(part, chunk)?;
        self.note(part);
        self.make_room(storage, part)?;
        Ok(Joined::Incomplete)
    }

    /// Joins what waited with the last part.
    fn finish(
        &mut self,
        storage: &mut dyn Storage,
        part: &Part,
        chunk: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let key = (part.mailbox, part.repeat);
        let mut chunks = storage.part_chunks(part.mailbox, part.repeat)?;
        let place = usize::from(part.index).min(chunks.len());
        chunks.insert(place, chunk.to_vec());
        let bytes = chunks.concat();
        if chunks.len() != usize::from(part.count)
            || u32::try_from(bytes.len()).ok() != Some(part.length)
        {
            return Err(StorageError::corrupt("join the parts of a letter"));
        }
        self.drop_letter(storage, key)?;
        Ok(bytes)
    }

    fn make_room(&mut self, storage: &mut dyn Storage, part: &Part) -> Result<(), StorageError> {
        let (most_letters, most_parts) = if part.first_contact {
            (MOST_FIRST_CONTACTS, MOST_FIRST_CONTACT_PARTS)
        } else {
            (MOST_LETTERS, MOST_PARTS)
        };
        loop {
            let rivals = self
                .letters
                .range((part.mailbox, RepeatId([0; 16]))..=(part.mailbox, RepeatId([0xFF; 16])))
                .filter(|(_, letter)| letter.first_contact == part.first_contact);
            let (letters, parts) =
                rivals
                    .clone()
                    .fold((0_usize, 0_usize), |(letters, parts), (_, letter)| {
                        (
                            letters.saturating_add(1),
                            parts.saturating_add(letter.have.len()),
                        )
                    });
            if letters <= most_letters && parts <= most_parts {
                return Ok(());
            }
            let oldest = rivals
                .filter(|((_, repeat), _)| *repeat != part.repeat)
                .min_by_key(|(_, letter)| letter.since)
                .map(|(key, _)| *key);
            let Some(oldest) = oldest else {
                return Ok(());
            };
            self.drop_letter(storage, oldest)?;
        }
    }

    fn drop_letter(&mut self, storage: &mut dyn Storage, key: Key) -> Result<(), StorageError> {
        self.letters.remove(&key);
        storage.delete_parts(key.0, key.1)
    }

    pub(super) fn remove_mailbox(&mut self, mailbox: MailboxId) {
        self.letters.retain(|(of, _), _| *of != mailbox);
    }

    pub(super) fn tidy(
        &mut self,
        storage: &mut dyn Storage,
        now: Timestamp,
    ) -> Result<(), StorageError> {
        let expired: Vec<Key> = self
            .letters
            .iter()
            .filter(|(_, letter)| {
                let patience = if letter.first_contact {
                    timing::INCOMPLETE_FIRST_CONTACT
                } else {
                    timing::INCOMPLETE
                };
                now.since(letter.since) > patience
            })
            .map(|(key, _)| *key)
            .collect();
        for key in expired {
            self.drop_letter(storage, key)?;
        }
        Ok(())
    }
}
