//! Storage in memory, with transactions and breakdowns on demand. For tests
//! and simulations; a server that runs keeps its queues in a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use hushwing_sansio::{StorageError, StorageErrorKind, Timestamp};

use super::directory::{Directory, Lookup, Name};
use super::record::{Id, QueueRecord, QueueRow};
use super::storage::{Depth, MessageBody, NewRecord, Place, Storage, StoredLink, StoredMessage};

impl Tables {
    fn find(&self, name: &Name) -> Option<QueueRecord> {
        let row = match name {
            Name::Recipient(id) => self.recipients.get(id),
            Name::Sender(id) => self.senders.get(id),
            Name::Link(id) => self.link_ids.get(id),
        };
        self.queues.get(row?).cloned()
    }
}

#[derive(Clone, Default)]
struct Tables {
    next_row: i64,
    next_place: i64,
    queues: BTreeMap<QueueRow, QueueRecord>,
    recipients: BTreeMap<Id, QueueRow>,
    senders: BTreeMap<Id, QueueRow>,
    link_ids: BTreeMap<Vec<u8>, QueueRow>,
    links: BTreeMap<QueueRow, StoredLink>,
    messages: BTreeMap<(QueueRow, Place), StoredMessage>,
}

/// Tables in memory.
#[derive(Default)]
pub struct MemoryStorage {
    committed: Tables,
    working: Tables,
    fails_after: Option<u32>,
}

impl MemoryStorage {
    /// Makes what was written since the last commit durable.
    pub fn commit(&mut self) {
        self.committed = self.working.clone();
    }

    /// Forgets what was written since the last commit, as a crash does.
    pub fn roll_back(&mut self) {
        self.working = self.committed.clone();
        self.fails_after = None;
    }

    /// Lets `calls` more writes succeed and then all fail, until the next
    /// [`roll_back`](Self::roll_back).
    pub fn fail_after(&mut self, calls: u32) {
        self.fails_after = Some(calls);
    }

    /// What sessions may see: the committed queues.
    #[must_use]
    pub fn directory(&self) -> MemoryDirectory<'_> {
        MemoryDirectory(&self.committed)
    }

    /// Messages stored in all queues.
    #[must_use]
    pub fn stored_messages(&self) -> usize {
        self.working.messages.len()
    }

    fn write(&mut self) -> Result<&mut Tables, StorageError> {
        match &mut self.fails_after {
            Some(0) => {
                return Err(StorageError::new(
                    StorageErrorKind::Failed,
                    "fail on demand",
                ));
            }
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(&mut self.working)
    }
}

impl Storage for MemoryStorage {
    fn queue(&mut self, row: QueueRow) -> Result<Option<QueueRecord>, StorageError> {
        Ok(self.working.queues.get(&row).cloned())
    }

    fn find(&mut self, name: &Name) -> Result<Option<QueueRecord>, StorageError> {
        Ok(self.working.find(name))
    }

    fn insert_queue(&mut self, queue: NewRecord) -> Result<Option<QueueRecord>, StorageError> {
        let tables = self.write()?;
        if tables.recipients.contains_key(&queue.recipient_id)
            || tables.senders.contains_key(&queue.sender_id)
        {
            return Ok(None);
        }
        tables.next_row += 1;
        let record = queue.at(QueueRow(tables.next_row));
        tables.recipients.insert(record.recipient_id, record.row);
        tables.senders.insert(record.sender_id, record.row);
        tables.queues.insert(record.row, record.clone());
        Ok(Some(record))
    }

    fn update_queue(&mut self, record: &QueueRecord) -> Result<(), StorageError> {
        if let Some(present) = self.write()?.queues.get_mut(&record.row) {
            present.recipient_keys.clone_from(&record.recipient_keys);
            present.sender_key = record.sender_key;
            present.active = record.active;
        }
        Ok(())
    }

    fn delete_queue(&mut self, row: QueueRow) -> Result<(), StorageError> {
        let tables = self.write()?;
        if let Some(record) = tables.queues.remove(&row) {
            tables.recipients.remove(&record.recipient_id);
            tables.senders.remove(&record.sender_id);
            tables.links.remove(&row);
            tables.link_ids.retain(|_, of| *of != row);
            tables.messages.retain(|(of, _), _| *of != row);
        }
        Ok(())
    }

    fn link(&mut self, row: QueueRow) -> Result<Option<StoredLink>, StorageError> {
        Ok(self.working.links.get(&row).cloned())
    }

    fn set_link(
        &mut self,
        row: QueueRow,
        link_id: &[u8],
        link: &StoredLink,
    ) -> Result<bool, StorageError> {
        let tables = self.write()?;
        if tables.link_ids.get(link_id).is_some_and(|of| *of != row) {
            return Ok(false);
        }
        tables.link_ids.retain(|_, of| *of != row);
        tables.link_ids.insert(link_id.to_vec(), row);
        tables.links.insert(row, link.clone());
        if let Some(record) = tables.queues.get_mut(&row) {
            record.link_id = Some(link_id.to_vec());
        }
        Ok(true)
    }

    fn delete_link(&mut self, row: QueueRow) -> Result<(), StorageError> {
        let tables = self.write()?;
        tables.links.remove(&row);
        tables.link_ids.retain(|_, of| *of != row);
        if let Some(record) = tables.queues.get_mut(&row) {
            record.link_id = None;
        }
        Ok(())
    }

    fn depth(&mut self, row: QueueRow) -> Result<Depth, StorageError> {
        let mut depth = Depth::default();
        for message in of_queue(&self.working, row).map(|(_, message)| message) {
            depth.count += 1;
            depth.marked = message.body == MessageBody::Quota;
        }
        Ok(depth)
    }

    fn head(&mut self, row: QueueRow) -> Result<Option<(Place, StoredMessage)>, StorageError> {
        let head = of_queue(&self.working, row).next();
        Ok(head.map(|(place, message)| (place, message.clone())))
    }

    fn append(&mut self, row: QueueRow, message: &StoredMessage) -> Result<Place, StorageError> {
        let tables = self.write()?;
        tables.next_place += 1;
        let place = Place(tables.next_place);
        tables.messages.insert((row, place), message.clone());
        Ok(place)
    }

    fn remove(&mut self, row: QueueRow, place: Place, id: &Id) -> Result<bool, StorageError> {
        let tables = self.write()?;
        let there = tables
            .messages
            .get(&(row, place))
            .is_some_and(|found| found.id == *id);
        if there {
            tables.messages.remove(&(row, place));
        }
        Ok(there)
    }

    fn expire(&mut self, before: Timestamp, limit: u32) -> Result<u32, StorageError> {
        let tables = self.write()?;
        let mut old: Vec<_> = tables
            .messages
            .iter()
            .filter(|(_, message)| message.at < before)
            .map(|(key, _)| *key)
            .collect();
        old.sort_by_key(|(_, place)| *place);
        old.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        for key in &old {
            tables.messages.remove(key);
        }
        Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
    }
}

fn of_queue(tables: &Tables, row: QueueRow) -> impl Iterator<Item = (Place, &StoredMessage)> {
    tables
        .messages
        .range((row, Place(i64::MIN))..=(row, Place(i64::MAX)))
        .map(|((_, place), message)| (*place, message))
}

/// The committed queues of a [`MemoryStorage`].
pub struct MemoryDirectory<'a>(&'a Tables);

impl Directory for MemoryDirectory<'_> {
    fn find(&self, name: &Name) -> Lookup {
        Lookup::Known(self.0.find(name).map(Arc::new))
    }
}
