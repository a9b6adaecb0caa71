//! The writer: one thread that owns engine and database, and commits what all
//! connections ask in groups.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hushwing_relay::server::{
    ConnectionId, Engine, Name, Output, QueueRecord, Request, ServerConfig, Storage, Ticket,
};
use hushwing_sansio::{Context, Moment, StorageError};
use hushwing_store::RelayServerStore;
use hushwing_transport::{OsEntropy, SystemClock};
use tokio::sync::oneshot;

use super::line::ToConnection;
use super::mailboxes::{Mailbox, Mailboxes};
use super::recent::Recent;
use crate::inspection::{Verdict, verdict};

/// Requests in one transaction. More would only delay the first answer.
const GROUP: usize = 256;

/// Rest after a transaction that served several, if no more were waiting. To
/// make a transaction durable costs the same for one request as for many, so
/// under load the writer lets them gather; without load nothing waits (RFC 0007).
const GATHERING: Duration = Duration::from_millis(2);

/// Requests in one transaction from which on the rest is twice as long: where so
/// many come in the time of one, processors are what is short.
const MANY: usize = 8;

/// Between two looks for messages that are too old (smp.md 3.4).
const EXPIRY_INTERVAL: Duration = Duration::from_secs(2 * 3600);

/// Most time between two looks for connections nobody uses (smp.md 3.4).
const ROUNDS: Duration = Duration::from_secs(3600);

/// How many times as long as writing pages anew took it is not done again:
/// whoever makes queues all the time must not keep the writer from others.
const ORDERING_REST: u32 = 100;

/// Rest before a failed database is tried again.
const REST: Duration = Duration::from_millis(200);

/// What connections tell the writer.
pub(super) enum ToWriter {
    /// A connection begins; its answers go there.
    Open(ConnectionId, Mailbox),
    /// Requests, in order.
    Ask(ConnectionId, Vec<(Ticket, Request)>),
    /// Names to look up.
    Find(ConnectionId, Vec<Name>),
    /// The connection is over; nothing follows.
    Close(ConnectionId),
    /// Is the database sound?
    Inspect(oneshot::Sender<Verdict>),
}

/// What the store has under the names a connection asked for.
type Found = Vec<(Name, Option<Arc<QueueRecord>>)>;

/// What is told to connections and directory once a transaction is durable.
#[derive(Default)]
struct Afterwards {
    found: Vec<(ConnectionId, Found)>,
}

pub(super) struct Writer {
    config: Arc<ServerConfig>,
    store: RelayServerStore,
    engine: Engine,
    recent: Arc<Recent>,
    clock: SystemClock,
    mailboxes: Mailboxes,
    next_expiry: Moment,
    next_round: Moment,
    /// When the write-ahead log is cleared, if something was written since.
    forget_at: Option<Moment>,
    /// When pages may be written anew once more.
    order_at: Moment,
}

impl Writer {
    pub(super) fn new(
        config: Arc<ServerConfig>,
        store: RelayServerStore,
        recent: Arc<Recent>,
        clock: SystemClock,
        mailboxes: Mailboxes,
    ) -> Self {
        Self {
            engine: Engine::new(config.as_ref().clone()),
            config,
            store,
            recent,
            clock,
            mailboxes,
            // At once: the server may have been off for weeks.
            next_expiry: Moment::default(),
            next_round: Moment::default(),
            // At once: the last run may have ended before it could.
            forget_at: Some(Moment::default()),
            order_at: Moment::default(),
        }
    }

    /// Runs until all senders are gone.
    pub(super) fn spawn(mut self, inbox: Receiver<ToWriter>) -> io::Result<JoinHandle<()>> {
        thread::Builder::new()
            .name("relay-writer".into())
            .spawn(move || self.run(&inbox))
    }

    fn run(&mut self, inbox: &Receiver<ToWriter>) {
        loop {
            let next = self.next_expiry.min(self.next_round);
            let next = next.min(self.mailboxes.next_look());
            let next = self.forget_at.map_or(next, |at| next.min(at));
            let wait = self.clock.until(next);
            let group = match inbox.recv_timeout(wait) {
                Ok(first) => gather(first, inbox),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => return self.end(),
            };
            let rest = rest_after(group.iter().map(weight).sum());
            let changes = !group.is_empty() || self.next_expiry <= self.clock.now();
            if let Err(error) = self.transact(group) {
                self.recover(&error);
            }
            self.forget(changes);
            self.mailboxes.close_stalled(self.clock.now());
            self.close_unused();
            if let Some(rest) = rest {
                thread::sleep(rest);
            }
        }
    }

    /// The log is not left to be given back to the file system with all it holds.
    fn end(&mut self) {
        if let Err(error) = self.store.forget() {
            tracing::warn!(%error, "the relay's write-ahead log cannot be cleared");
        }
    }

    /// Clears the write-ahead log some time after it was written to: it tells
    /// in which order things came (RFC 0017). Where that fails, for want of
    /// room, what was accepted is safe all the same, so nobody is sent away.
    fn forget(&mut self, changes: bool) {
        let now = self.clock.now();
        let due = self.forget_at.is_some_and(|at| at <= now);
        if due {
            self.forget_at = None;
            if let Err(error) = self.put_in_order(now).and_then(|()| self.store.forget()) {
                tracing::warn!(%error, "the relay's write-ahead log cannot be cleared");
                self.forget_at = Some(now + self.config.forgetting);
            } else if self.store.is_disordered() {
                self.forget_at = Some(self.order_at);
            }
        }
        if changes {
            let at = now + self.config.forgetting;
            self.forget_at = Some(self.forget_at.map_or(at, |before| before.min(at)));
        }
    }

    /// Writes pages anew where queues changed, so rarely that requests wait for it
    /// in one of a hundred cases at most.
    fn put_in_order(&mut self, now: Moment) -> Result<(), StorageError> {
        if self.store.is_disordered() && self.order_at <= now {
            self.store.put_in_order()?;
            let done = self.clock.now();
            self.order_at = done + done.since(now) * ORDERING_REST;
        }
        Ok(())
    }

    /// Gives up connections that say nothing and to which nothing is pushed.
    fn close_unused(&mut self) {
        let (now, patience) = (self.clock.now(), self.config.inactivity);
        if now < self.next_round {
            return;
        }
        self.next_round = now + ROUNDS.min(patience / 2);
        let engine = &self.engine;
        self.mailboxes
            .close_silent(patience, now, |connection| engine.is_subscribed(connection));
    }

    /// One transaction, from begin to the answers.
    fn transact(&mut self, group: Vec<ToWriter>) -> Result<(), StorageError> {
        let mut afterwards = Afterwards::default();
        self.store.begin()?;
        for message in group {
            self.take(message, &mut afterwards)?;
        }
        let (mut entropy, now) = (OsEntropy, self.clock.now());
        if self.next_expiry <= now {
            let cx = Context::new(now, self.clock.wall(), &mut entropy);
            if !self.engine.expire(&cx, &mut self.store)? {
                self.next_expiry = now + EXPIRY_INTERVAL;
            }
        }
        self.store.commit()?;
        self.tell(afterwards);
        Ok(())
    }

    fn take(&mut self, message: ToWriter, afterwards: &mut Afterwards) -> Result<(), StorageError> {
        match message {
            ToWriter::Open(connection, mailbox) => {
                self.mailboxes.insert(connection, mailbox);
            }
            ToWriter::Close(connection) => {
                self.mailboxes.remove(connection);
                self.engine.close(connection);
            }
            ToWriter::Inspect(asker) => {
                // It fails where nobody waits any more.
                let _ = asker.send(verdict(self.store.check()));
            }
            // Asked before the engine was made anew, or by one given up.
            ToWriter::Ask(connection, _) | ToWriter::Find(connection, _)
                if !self.mailboxes.has(connection) => {}
            ToWriter::Ask(connection, requests) => {
                let mut entropy = OsEntropy;
                let (now, wall) = (self.clock.now(), self.clock.wall());
                let mut cx = Context::new(now, wall, &mut entropy);
                for (ticket, request) in requests {
                    self.engine
                        .apply(&mut cx, &mut self.store, connection, ticket, request)?;
                }
            }
            ToWriter::Find(connection, names) => {
                let mut found = Vec::with_capacity(names.len());
                for name in names {
                    let queue = self.store.find(&name)?.map(Arc::new);
                    found.push((name, queue));
                }
                afterwards.found.push((connection, found));
            }
        }
        Ok(())
    }

    fn tell(&mut self, afterwards: Afterwards) {
        let mut replies = Vec::with_capacity(afterwards.found.len());
        // What was found may have been changed later in the same transaction,
        // so changes are noted last.
        for (connection, found) in afterwards.found {
            let mut known = BTreeMap::new();
            for (name, queue) in found {
                self.recent.learn(name.clone(), queue.clone());
                if let Some(queue) = queue {
                    known.insert(name, queue);
                }
            }
            replies.push((connection, ToConnection::Found(known)));
        }
        for change in self.engine.take_changes() {
            self.recent.change(change);
        }
        let mut outputs: BTreeMap<ConnectionId, Vec<Output>> = BTreeMap::new();
        while let Some((connection, output)) = self.engine.poll_output() {
            outputs.entry(connection).or_default().push(output);
        }
        let outputs = outputs
            .into_iter()
            .map(|(to, some)| (to, ToConnection::Outputs(some)));
        let now = self.clock.now();
        for (connection, message) in replies.into_iter().chain(outputs) {
            self.mailboxes.send(connection, message, now);
        }
        self.mailboxes.make_room(now);
    }

    /// The one road after a failure: all connections end, and what they hold
    /// is read anew from storage when they come back.
    fn recover(&mut self, error: &StorageError) {
        tracing::error!(%error, "the relay's database failed; its connections are closed");
        self.mailboxes.clear();
        self.engine = Engine::new(self.config.as_ref().clone());
        self.recent.clear();
        if let Err(error) = self.store.rollback() {
            tracing::error!(%error, "the relay's database cannot be rolled back");
        }
        thread::sleep(REST);
    }
}

/// How long requests may gather after a transaction of so many. A full one left
/// others waiting.
fn rest_after(requests: usize) -> Option<Duration> {
    match requests {
        0 | 1 | GROUP.. => None,
        MANY.. => Some(2 * GATHERING),
        _ => Some(GATHERING),
    }
}

/// Everything that is there already, up to a group's worth of requests.
fn gather(first: ToWriter, inbox: &Receiver<ToWriter>) -> Vec<ToWriter> {
    let mut requests = weight(&first);
    let mut group = vec![first];
    while requests < GROUP {
        match inbox.try_recv() {
            Ok(message) => {
                requests += weight(&message);
                group.push(message);
            }
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
        }
    }
    group
}

fn weight(message: &ToWriter) -> usize {
    match message {
        ToWriter::Ask(_, requests) => requests.len(),
        ToWriter::Find(_, names) => names.len(),
        ToWriter::Open(..) | ToWriter::Close(_) | ToWriter::Inspect(_) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_alone_waits_for_nobody_and_many_wait_longest() {
        let rests = [0, 1, 2, MANY - 1, MANY, GROUP - 1, GROUP].map(rest_after);
        let (some, most) = (Some(GATHERING), Some(2 * GATHERING));
        assert_eq!(rests, [None, None, some, some, most, most, None]);
    }
}
