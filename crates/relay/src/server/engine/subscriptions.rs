//! Who reads which queue, and what was handed to them.

use std::collections::BTreeMap;

use crate::server::record::{Id, QueueRow};
use crate::server::request::ConnectionId;
use crate::server::storage::Place;

/// How a connection reads a queue. The first command decides: after `GET` it
/// may not subscribe, after `SUB` it may not `GET`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Messages are pushed to it.
    Subscribed,
    /// It asks for each.
    Asking,
}

/// A message handed out and not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Delivered {
    pub(super) place: Place,
    pub(super) id: Id,
}

#[derive(Clone, Copy)]
pub(super) struct Use {
    pub(super) reading: Reading,
    pub(super) delivered: Option<Delivered>,
}

/// All uses of queues by living connections.
#[derive(Default)]
pub(super) struct Subscriptions {
    subscribers: BTreeMap<QueueRow, ConnectionId>,
    uses: BTreeMap<ConnectionId, BTreeMap<QueueRow, Use>>,
}

impl Subscriptions {
    pub(super) fn connections(&self) -> usize {
        self.uses.len()
    }

    pub(super) fn is_subscribed(&self, connection: ConnectionId) -> bool {
        self.uses.get(&connection).is_some_and(|uses| {
            uses.values()
                .any(|used| used.reading == Reading::Subscribed)
        })
    }

    pub(super) fn subscriber(&self, row: QueueRow) -> Option<ConnectionId> {
        self.subscribers.get(&row).copied()
    }

    pub(super) fn get(&self, connection: ConnectionId, row: QueueRow) -> Option<Use> {
        self.uses.get(&connection)?.get(&row).copied()
    }

    /// Makes `connection` the subscriber and returns the one it took over
    /// from, if that was another.
    pub(super) fn subscribe(
        &mut self,
        connection: ConnectionId,
        row: QueueRow,
    ) -> Option<ConnectionId> {
        let before = self
            .subscribers
            .insert(row, connection)
            .filter(|c| *c != connection);
        if let Some(before) = before {
            self.drop_use(before, row);
        }
        self.set(connection, row, Reading::Subscribed, None);
        before
    }

    pub(super) fn set(
        &mut self,
        connection: ConnectionId,
        row: QueueRow,
        reading: Reading,
        delivered: Option<Delivered>,
    ) {
        let used = Use { reading, delivered };
        self.uses.entry(connection).or_default().insert(row, used);
    }

    /// Forgets the queue for its subscriber and for `own`, and returns the
    /// subscriber if that is another. Connections that only asked keep a mark
    /// that matches nothing any more, since rows are never used again.
    pub(super) fn delete(&mut self, own: ConnectionId, row: QueueRow) -> Option<ConnectionId> {
        let subscriber = self.subscribers.remove(&row);
        if let Some(subscriber) = subscriber {
            self.drop_use(subscriber, row);
        }
        self.drop_use(own, row);
        subscriber.filter(|connection| *connection != own)
    }

    pub(super) fn close(&mut self, connection: ConnectionId) {
        for (row, used) in self.uses.remove(&connection).unwrap_or_default() {
            if used.reading == Reading::Subscribed {
                self.subscribers.remove(&row);
            }
        }
    }

    fn drop_use(&mut self, connection: ConnectionId, row: QueueRow) {
        if let Some(uses) = self.uses.get_mut(&connection) {
            uses.remove(&row);
            if uses.is_empty() {
                self.uses.remove(&connection);
            }
        }
    }
}
