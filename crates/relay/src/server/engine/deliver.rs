//! Messages: in by `SEND`, out by push, `SUB`, `GET` and `ACK`.
//!
//! A connection holds at most one unacknowledged message of a queue. A message
//! is pushed only into an empty queue whose subscriber holds none; all others
//! leave as answers to `ACK`.

use std::sync::Arc;

use hushwing_sansio::{Context, Timestamp};
use subtle::ConstantTimeEq;

use super::subscriptions::{Delivered, Reading};
use super::{Engine, Stop};
use crate::server::record::{Id, QueueRecord, QueueRow};
use crate::server::request::{Answer, ConnectionId, Delivery, Event};
use crate::server::storage::{Depth, MessageBody, Place, Storage, StoredMessage};
use crate::wire::{CommandError, SmpError};

impl Engine {
    /// `SEND`, after the sender was checked.
    pub(super) fn send(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        record: &Arc<QueueRecord>,
        notify: bool,
        body: Arc<[u8]>,
    ) -> Result<Answer, Stop> {
        let depth = self.remembered.depth(storage, record.row)?;
        if depth.marked {
            return Err(SmpError::Quota.into());
        }
        if depth.count >= self.config.quota {
            self.append(cx, storage, record.row, depth, MessageBody::Quota)?;
            return Err(SmpError::Quota.into());
        }
        if record.is_secured_messaging() {
            self.drop_link(storage, record)?;
        }
        let body = MessageBody::Message { notify, body };
        let (place, message) = self.append(cx, storage, record.row, depth, body)?;
        if depth.count == 0 {
            self.push(record, place, message);
        }
        Ok(Answer::Done)
    }

    fn append(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        row: QueueRow,
        depth: Depth,
        body: MessageBody,
    ) -> Result<(Place, StoredMessage), Stop> {
        let marked = body == MessageBody::Quota;
        let message = StoredMessage {
            id: Id(cx.random()),
            at: hour(cx.wall()),
            body,
        };
        let place = storage.append(row, &message)?;
        let count = depth.count.saturating_add(1);
        self.remembered.set_depth(row, Depth { count, marked });
        Ok((place, message))
    }

    /// Hands the first message of a queue to its subscriber, if there is one
    /// with free hands.
    fn push(&mut self, record: &Arc<QueueRecord>, place: Place, message: StoredMessage) {
        let Some(subscriber) = self.subscriptions.subscriber(record.row) else {
            return;
        };
        let used = self.subscriptions.get(subscriber, record.row);
        if used.is_none_or(|used| used.delivered.is_some()) {
            return;
        }
        let delivered = Delivered {
            place,
            id: message.id,
        };
        self.subscriptions
            .set(subscriber, record.row, Reading::Subscribed, Some(delivered));
        let queue = Arc::clone(record);
        self.tell(subscriber, Event::Message(Delivery { queue, message }));
    }

    /// `SUB`: takes over from whoever had the queue, and delivers its head
    /// again.
    pub(super) fn subscribe(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: Arc<QueueRecord>,
    ) -> Result<Answer, Stop> {
        let used = self.subscriptions.get(from, record.row);
        if used.is_some_and(|used| used.reading == Reading::Asking) {
            return Err(SmpError::Cmd(CommandError::Prohibited).into());
        }
        if let Some(before) = self.subscriptions.subscribe(from, record.row) {
            self.tell(before, Event::Ended(record.recipient_id));
        }
        if let Some(delivery) = self.hand_out(storage, from, record, Reading::Subscribed)? {
            self.tell(from, Event::Message(delivery));
        }
        Ok(Answer::Subscribed)
    }

    /// `GET`.
    pub(super) fn get(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: Arc<QueueRecord>,
    ) -> Result<Answer, Stop> {
        let used = self.subscriptions.get(from, record.row);
        if used.is_some_and(|used| used.reading == Reading::Subscribed) {
            return Err(SmpError::Cmd(CommandError::Prohibited).into());
        }
        let delivery = self.hand_out(storage, from, record, Reading::Asking)?;
        Ok(delivery.map_or(Answer::Done, Answer::Message))
    }

    /// `ACK`: deletes what was delivered, and answers a subscriber with the
    /// next message if there is one.
    pub(super) fn acknowledge(
        &mut self,
        storage: &mut dyn Storage,
        from: ConnectionId,
        record: Arc<QueueRecord>,
        id: &[u8],
    ) -> Result<Answer, Stop> {
        let used = self
            .subscriptions
            .get(from, record.row)
            .ok_or(SmpError::NoMsg)?;
        let delivered = used.delivered.ok_or(SmpError::NoMsg)?;
        if !id.is_empty() && !bool::from(delivered.id.0.as_slice().ct_eq(id)) {
            return Err(SmpError::NoMsg.into());
        }
        self.remove(storage, record.row, delivered)?;
        self.subscriptions.set(from, record.row, used.reading, None);
        if used.reading == Reading::Asking {
            return Ok(Answer::Done);
        }
        let next = self.hand_out(storage, from, record, Reading::Subscribed)?;
        Ok(next.map_or(Answer::Done, Answer::Message))
    }

    fn remove(
        &mut self,
        storage: &mut dyn Storage,
        row: QueueRow,
        delivered: Delivered,
    ) -> Result<(), Stop> {
        let depth = self.remembered.depth(storage, row)?;
        // Another connection may have acknowledged it, or it grew too old.
        if storage.remove(row, delivered.place, &delivered.id)? {
            let count = depth.count.saturating_sub(1);
            self.remembered.set_depth(
                row,
                Depth {
                    count,
                    marked: depth.marked && count > 0,
                },
            );
        }
        Ok(())
    }

    /// The head of a queue, noted as delivered to `to`.
    fn hand_out(
        &mut self,
        storage: &mut dyn Storage,
        to: ConnectionId,
        record: Arc<QueueRecord>,
        reading: Reading,
    ) -> Result<Option<Delivery>, Stop> {
        let row = record.row;
        let empty = self.remembered.depth(storage, row)?.count == 0;
        let head = if empty { None } else { storage.head(row)? };
        let delivered = head.as_ref().map(|(place, message)| Delivered {
            place: *place,
            id: message.id,
        });
        self.subscriptions.set(to, row, reading, delivered);
        Ok(head.map(|(_, message)| Delivery {
            queue: record,
            message,
        }))
    }
}

/// The hour of a time. Exact times in storage would tell which message follows
/// which, and so which queues belong to one conversation (RFC 0017). Nor may who
/// gets a message at once be told another time than who gets it again: the
/// message's id is the nonce of its box.
pub(super) fn hour(at: Timestamp) -> Timestamp {
    const HOUR: u64 = 60 * 60 * 1_000;
    Timestamp::from_millis(at.as_millis() - at.as_millis() % HOUR)
}
