//! Link data: set and removed by the recipient, read by who has the link.

use std::sync::Arc;

use subtle::ConstantTimeEq;

use super::{Engine, Stop};
use crate::server::record::QueueRecord;
use crate::server::request::Answer;
use crate::server::storage::{Storage, StoredLink};
use crate::wire::key::AuthKey;
use crate::wire::{QueueMode, SmpError};

impl Engine {
    /// `LSET`: only the user's part may change, and nothing once the one
    /// sender of a messaging queue is known.
    pub(super) fn set_link(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
        link_id: &[u8],
        link: &StoredLink,
    ) -> Result<Answer, Stop> {
        if record.is_secured_messaging() {
            return Err(SmpError::Auth.into());
        }
        if let Some(present_id) = &record.link_id {
            let present = storage.link(record.row)?.ok_or(SmpError::Auth)?;
            let same = present_id.as_slice().ct_eq(link_id) & present.fixed.ct_eq(&link.fixed);
            if !bool::from(same) {
                return Err(SmpError::Auth.into());
            }
        }
        if !storage.set_link(record.row, link_id, link)? {
            return Err(SmpError::Auth.into());
        }
        if record.link_id.is_none() {
            let linked = QueueRecord {
                link_id: Some(link_id.to_vec()),
                ..(**record).clone()
            };
            self.changed(record, linked);
        }
        Ok(Answer::Done)
    }

    /// Removes link data, if there is any.
    pub(super) fn drop_link(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
    ) -> Result<(), Stop> {
        if record.link_id.is_some() {
            storage.delete_link(record.row)?;
            let unlinked = QueueRecord {
                link_id: None,
                ..(**record).clone()
            };
            self.changed(record, unlinked);
        }
        Ok(())
    }

    /// `LKEY`: secures the queue and reads its link in one step, so that two
    /// readers of one invitation cannot both believe to have it.
    pub(super) fn reserve_link(
        &mut self,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
        key: AuthKey,
    ) -> Result<Answer, Stop> {
        if !record.sender_may_secure() {
            return Err(SmpError::Auth.into());
        }
        let link = storage.link(record.row)?.ok_or(SmpError::Auth)?;
        self.secure(storage, record, key)?;
        Ok(Answer::Link {
            sender_id: record.sender_id,
            link,
        })
    }

    /// `LGET`: contact queues, and queues of clients that name no mode while
    /// they have no sender's key.
    pub(super) fn read_link(
        storage: &mut dyn Storage,
        record: &QueueRecord,
    ) -> Result<Answer, Stop> {
        let open = match record.mode {
            Some(QueueMode::Contact) => true,
            Some(QueueMode::Messaging) => false,
            None => record.sender_key.is_none(),
        };
        if !open {
            return Err(SmpError::Auth.into());
        }
        let link = storage.link(record.row)?.ok_or(SmpError::Auth)?;
        Ok(Answer::Link {
            sender_id: record.sender_id,
            link,
        })
    }
}
