//! What the writer holds of each connection, and who goes when clients read
//! too slowly.
//!
//! Whoever has not read for long makes room for whoever just came, so that
//! parked connections cannot keep others from their mail. Looking at every
//! mailbox is left for when there is too much.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use hushwing_relay::server::{ConnectionId, ServerConfig};
use hushwing_sansio::Moment;

use super::backlog::{self, Unread};
use super::line::{Line, ToConnection};

/// A connection may have this much unread for as long as there is room.
const MODEST: usize = 8 * 16_384;

/// Between two looks for connections that read too slowly.
const LOOKS: Duration = Duration::from_secs(60);

/// A connection as the writer sees it. Dropping it ends the connection.
pub(super) struct Mailbox {
    line: Arc<Line>,
    /// When something was sent last that found nothing unread.
    empty: Moment,
    /// When something was sent last that found no more than [`MODEST`].
    modest: Moment,
}

impl Mailbox {
    /// An empty one.
    pub(super) fn new(line: Arc<Line>) -> Self {
        Self {
            line,
            empty: Moment::default(),
            modest: Moment::default(),
        }
    }

    /// False if the connection must go for what it already had unread. What
    /// one transaction says is thus always taken, which leaves room for the
    /// answers to a block.
    fn send(&mut self, message: ToConnection, limit: usize, now: Moment) -> bool {
        if let ToConnection::Outputs(outputs) = &message {
            let before = self.line.backlog.add(backlog::weight(outputs));
            if before == 0 {
                self.empty = now;
            }
            if before <= MODEST {
                self.modest = now;
            }
            if before > limit {
                return false;
            }
        }
        self.line.say(message);
        true
    }

    /// What it costs the others: bytes by milliseconds.
    fn cost(&self, now: Moment) -> u128 {
        let bytes = u128::try_from(self.line.backlog.bytes()).unwrap_or(u128::MAX);
        bytes.saturating_mul(now.since(self.empty).as_millis())
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.line.give_up();
    }
}

/// The mailboxes of all connections.
pub(super) struct Mailboxes {
    by_connection: HashMap<ConnectionId, Mailbox>,
    unread: Unread,
    /// Bytes, of one connection and of all.
    limits: (usize, usize),
    patience: Duration,
    next_look: Moment,
}

impl Mailboxes {
    /// None yet; what theirs have unread is counted in `unread`.
    pub(super) fn new(config: &ServerConfig, unread: Unread) -> Self {
        Self {
            by_connection: HashMap::new(),
            unread,
            limits: (config.unread, config.unread_in_all),
            patience: config.unread_patience,
            next_look: Moment::default(),
        }
    }

    pub(super) fn insert(&mut self, connection: ConnectionId, mailbox: Mailbox) {
        self.by_connection.insert(connection, mailbox);
    }

    pub(super) fn has(&self, connection: ConnectionId) -> bool {
        self.by_connection.contains_key(&connection)
    }

    pub(super) fn remove(&mut self, connection: ConnectionId) {
        self.by_connection.remove(&connection);
    }

    pub(super) fn clear(&mut self) {
        self.by_connection.clear();
    }

    /// Tells a connection, or ends it if it has far too much unread.
    pub(super) fn send(&mut self, connection: ConnectionId, message: ToConnection, now: Moment) {
        let (limit, _) = self.limits;
        let mailbox = self.by_connection.get_mut(&connection);
        if mailbox.is_some_and(|mailbox| !mailbox.send(message, limit, now)) {
            self.remove(connection);
        }
    }

    /// Ends those that cost most if all have too much unread; one that had
    /// read everything before this transaction, never.
    pub(super) fn make_room(&mut self, now: Moment) {
        let (_, limit) = self.limits;
        let unread = self.unread.bytes();
        if unread <= limit {
            return;
        }
        // Some more, so that the next message is not the next such look.
        let mut excess = unread - (limit - limit / 16);
        let mut costly: Vec<_> = (self.by_connection.iter())
            .filter(|(_, mailbox)| mailbox.empty < now && mailbox.line.backlog.bytes() > 0)
            .map(|(connection, mailbox)| {
                (mailbox.cost(now), *connection, mailbox.line.backlog.bytes())
            })
            .collect();
        costly.sort_unstable();
        while excess > 0
            && let Some((_, connection, bytes)) = costly.pop()
        {
            self.remove(connection);
            excess = excess.saturating_sub(bytes);
        }
    }

    /// When [`Mailboxes::close_stalled`] has something to do.
    pub(super) fn next_look(&self) -> Moment {
        self.next_look
    }

    /// Ends those that had more than a modest part unread all the time.
    pub(super) fn close_stalled(&mut self, now: Moment) {
        if now < self.next_look {
            return;
        }
        self.next_look = now + LOOKS.min(self.patience / 2);
        if self.unread.bytes() > MODEST {
            let patience = self.patience;
            self.by_connection.retain(|_, mailbox| {
                mailbox.line.backlog.bytes() <= MODEST || now.since(mailbox.modest) < patience
            });
        }
    }

    /// Ends those that said nothing for `patience`, but for `exempt` ones.
    pub(super) fn close_silent(
        &mut self,
        patience: Duration,
        now: Moment,
        exempt: impl Fn(ConnectionId) -> bool,
    ) {
        self.by_connection.retain(|connection, mailbox| {
            exempt(*connection) || !mailbox.line.heard.is_silent_for(patience, now)
        });
    }
}

#[cfg(test)]
mod tests;
