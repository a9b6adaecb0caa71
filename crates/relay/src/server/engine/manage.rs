//! Creating, changing and deleting queues.

use std::sync::Arc;

use super::{Engine, QueueChange, Stop};
use crate::server::record::QueueRecord;
use crate::server::request::{Answer, ConnectionId, Event, NewQueueRequest};
use crate::server::storage::{Depth, NewRecord, Storage};
use crate::wire::key::AuthKey;
use crate::wire::{QueueMode, SmpError};

impl Engine {
    /// `NEW`.
    pub(super) fn create(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        new: NewQueueRequest,
    ) -> Result<Answer, Stop> {
        // Drawn ids collide only if the random source is broken.
        let taken = if new.chosen {
            SmpError::Auth
        } else {
            SmpError::Internal
        };
        let record = NewRecord {
            recipient_id: new.recipient_id,
            sender_id: new.sender_id,
            recipient_key: new.recipient_key,
            box_key: new.box_key,
            mode: new.mode,
        };
        let Some(mut record) = storage.insert_queue(record)? else {
            return Err(taken.into());
        };
        if let Some((link_id, link)) = new.link {
            if !storage.set_link(record.row, &link_id, &link)? {
                storage.delete_queue(record.row)?;
                return Err(taken.into());
            }
            record.link_id = Some(link_id);
        }
        let record = Arc::new(record);
        self.remembered.replace(&record);
        self.remembered.set_depth(record.row, Depth::default());
        self.changes.push(QueueChange {
            before: None,
            after: Some(Arc::clone(&record)),
        });
        if new.subscribe {
            self.subscriptions.subscribe(from, record.row);
        }
        Ok(Answer::Created {
            queue: record,
            server_dh: new.server_dh,
        })
    }

    /// `RKEY`.
    pub(super) fn set_keys(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
        keys: Vec<AuthKey>,
    ) -> Result<Answer, Stop> {
        if record.mode != Some(QueueMode::Contact) || keys.is_empty() {
            return Err(SmpError::Auth.into());
        }
        let changed = QueueRecord {
            recipient_keys: keys,
            ..(**record).clone()
        };
        storage.update_queue(&changed)?;
        self.changed(record, changed);
        Ok(Answer::Done)
    }

    /// `OFF`.
    pub(super) fn suspend(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
    ) -> Result<Answer, Stop> {
        if record.active {
            let changed = QueueRecord {
                active: false,
                ..(**record).clone()
            };
            storage.update_queue(&changed)?;
            self.changed(record, changed);
        }
        Ok(Answer::Done)
    }

    /// `DEL`.
    pub(super) fn delete(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: &Arc<QueueRecord>,
    ) -> Result<Answer, Stop> {
        storage.delete_queue(record.row)?;
        self.remembered.forget(record.row);
        self.changes.push(QueueChange {
            before: Some(Arc::clone(record)),
            after: None,
        });
        if let Some(other) = self.subscriptions.delete(from, record.row) {
            self.tell(other, Event::Deleted(record.recipient_id));
        }
        Ok(Answer::Done)
    }
}
