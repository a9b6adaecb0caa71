//! The queues in use, so that a busy queue is not read anew per message.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use hushwing_sansio::StorageError;

use crate::server::record::{QueueRecord, QueueRow};
use crate::server::storage::{Depth, Storage};

struct Entry {
    record: Arc<QueueRecord>,
    depth: Option<Depth>,
}

/// A bounded copy of what storage holds, written through. It forgets by a
/// sweep over the rows, not by age: it need only stay small.
pub(super) struct Remembered {
    entries: BTreeMap<QueueRow, Entry>,
    limit: usize,
    hand: QueueRow,
}

impl Remembered {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            limit: limit.max(1),
            hand: QueueRow(i64::MIN),
        }
    }

    pub(super) fn record(
        &mut self,
        storage: &mut dyn Storage,
        row: QueueRow,
    ) -> Result<Option<Arc<QueueRecord>>, StorageError> {
        if let Some(entry) = self.entries.get(&row) {
            return Ok(Some(Arc::clone(&entry.record)));
        }
        let Some(record) = storage.queue(row)?.map(Arc::new) else {
            return Ok(None);
        };
        self.replace(&record);
        Ok(Some(record))
    }

    /// Remembers `record` and leaves its depth as it was.
    pub(super) fn replace(&mut self, record: &Arc<QueueRecord>) {
        if let Some(entry) = self.entries.get_mut(&record.row) {
            entry.record = Arc::clone(record);
            return;
        }
        if self.entries.len() >= self.limit {
            self.forget_one();
        }
        self.entries.insert(
            record.row,
            Entry {
                record: Arc::clone(record),
                depth: None,
            },
        );
    }

    pub(super) fn depth(
        &mut self,
        storage: &mut dyn Storage,
        row: QueueRow,
    ) -> Result<Depth, StorageError> {
        let Some(entry) = self.entries.get_mut(&row) else {
            return storage.depth(row);
        };
        if let Some(depth) = entry.depth {
            return Ok(depth);
        }
        let depth = storage.depth(row)?;
        entry.depth = Some(depth);
        Ok(depth)
    }

    /// Notes what `row`'s depth has become.
    pub(super) fn set_depth(&mut self, row: QueueRow, depth: Depth) {
        if let Some(entry) = self.entries.get_mut(&row) {
            entry.depth = Some(depth);
        }
    }

    pub(super) fn forget(&mut self, row: QueueRow) {
        self.entries.remove(&row);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    fn forget_one(&mut self) {
        let after = (Bound::Excluded(self.hand), Bound::Unbounded);
        let next = self
            .entries
            .range(after)
            .next()
            .or_else(|| self.entries.iter().next());
        if let Some(row) = next.map(|(row, _)| *row) {
            self.entries.remove(&row);
            self.hand = row;
        }
    }
}
