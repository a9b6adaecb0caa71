//! One connection, from the server's hello to its end.
//!
//! Blocks go in by [`Session::receive`], answers of the engine by
//! [`Session::answer`]; requests come out by [`Session::take_requests`], blocks
//! by [`Session::poll_block`]. Between blocks a session holds keys and a few
//! counters, no buffer.

mod authorise;
mod handshake;
mod outgoing;
#[cfg(test)]
mod refusal;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hushwing_sansio::Context;

use super::config::ServerConfig;
use super::directory::{Directory, Lookup, Name};
use super::record::QueueRecord;
use super::request::{Output, Request, Ticket};
use crate::wire::{
    BoxKey, Command, Malformed, Opener, SmpError, Transmission, Verifier, Version, transmissions,
};
use authorise::Local;
use handshake::Hello;
pub use handshake::{Accepted, ServerIdentity};
use outgoing::{Item, Outgoing};

/// Why a session is over. Nothing more is sent; the driver closes the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionEnd {
    /// The client's hello is malformed, names another server, or a version we
    /// did not offer.
    #[error("peer sent an unacceptable hello")]
    Hello,
    /// A block does not open with the session's keys.
    #[error("peer sent a block that does not open")]
    Block,
    /// The crypto library failed.
    #[error("cryptography failed")]
    Crypto,
}

/// The queue a command is about, if it exists.
type Found = Option<Arc<QueueRecord>>;

/// The directory together with what storage said. Storage's word is newer.
struct Resolved<'a> {
    directory: &'a dyn Directory,
    found: &'a BTreeMap<Name, Arc<QueueRecord>>,
}

impl Directory for Resolved<'_> {
    fn find(&self, name: &Name) -> Lookup {
        if let Some(queue) = self.found.get(name) {
            return Lookup::Known(Some(Arc::clone(queue)));
        }
        match self.directory.find(name) {
            Lookup::Unknown => Lookup::Known(None),
            known => known,
        }
    }
}

/// A command the engine has not answered yet.
struct Pending {
    ticket: Ticket,
    correlation_id: Vec<u8>,
    entity_id: Vec<u8>,
}

/// A block whose later commands wait, for the answer to an earlier one or for
/// queues to be looked up.
struct Parked {
    content: Vec<u8>,
    done: usize,
}

/// The part of a session that has an agreed version and keys.
struct Open {
    version: Version,
    opener: Opener,
    verifier: Verifier,
    /// Agreements between queue keys and the session key, by queue key.
    agreed: BTreeMap<[u8; 32], BoxKey>,
}

enum Phase {
    /// The client's hello is awaited.
    Hello(Hello),
    Open(Box<Open>),
}

/// One connection of the server, see the module.
pub struct Session {
    config: Arc<ServerConfig>,
    phase: Phase,
    session_id: Vec<u8>,
    outgoing: Outgoing,
    requests: Vec<(Ticket, Request)>,
    pending: VecDeque<Pending>,
    parked: Option<Parked>,
    /// The ticket whose answer parked commands wait for.
    barrier: Option<Ticket>,
    /// Names the directory did not know, until the driver takes them.
    wanted: Vec<Name>,
    /// Whether parked commands wait for [`Session::resolve`].
    unresolved: bool,
    next_ticket: u64,
}

impl Session {
    /// The session of a connection whose TLS handshake is done. Its hello is
    /// the first block to send.
    ///
    /// # Errors
    ///
    /// [`SessionEnd::Crypto`] if no session key can be made.
    pub fn accept(
        cx: &mut Context<'_>,
        config: &Arc<ServerConfig>,
        identity: &Arc<ServerIdentity>,
        accepted: &Accepted,
    ) -> Result<Self, SessionEnd> {
        let (hello, block) = Hello::new(cx, identity, accepted)?;
        Ok(Self {
            config: Arc::clone(config),
            phase: Phase::Hello(hello),
            session_id: accepted.binding.clone(),
            outgoing: Outgoing::with_hello(block),
            requests: Vec::new(),
            pending: VecDeque::new(),
            parked: None,
            barrier: None,
            wanted: Vec::new(),
            unresolved: false,
            next_ticket: 0,
        })
    }

    /// Takes in one block, decrypting it where it lies.
    ///
    /// # Errors
    ///
    /// [`SessionEnd`]; the session is over.
    pub fn receive(
        &mut self,
        cx: &mut Context<'_>,
        directory: &dyn Directory,
        block: &mut [u8],
    ) -> Result<(), SessionEnd> {
        let content = match &mut self.phase {
            Phase::Hello(hello) => {
                let (open, sealer) = hello.finish(&self.session_id, block)?;
                self.phase = Phase::Open(Box::new(open));
                self.outgoing.seal_with(sealer);
                return Ok(());
            }
            Phase::Open(open) => open.opener.open(block).map_err(|_| SessionEnd::Block)?,
        };
        match self.parked {
            // The driver ignored `wants_block`; order would be lost.
            Some(_) => Err(SessionEnd::Block),
            None => {
                self.run(cx, directory, content, 0);
                Ok(())
            }
        }
    }

    /// Takes in what the engine says after a commit, all of one commit at
    /// once, so that answers share blocks.
    pub fn answer(
        &mut self,
        cx: &mut Context<'_>,
        directory: &dyn Directory,
        outputs: impl IntoIterator<Item = Output>,
    ) {
        let mut messages = Vec::new();
        for output in outputs {
            let item = match output {
                Output::Event(event) => Item::from_event(event),
                Output::Answer(ticket, answer) => {
                    if self.barrier == Some(ticket) {
                        self.barrier = None;
                    }
                    let Some(at) = self.pending.iter().position(|p| p.ticket == ticket) else {
                        continue;
                    };
                    let Some(pending) = self.pending.remove(at) else {
                        continue;
                    };
                    Item::from_answer(pending.correlation_id, pending.entity_id, answer)
                }
            };
            if item.is_message() {
                messages.push(item)
            } else {
                self.outgoing.push(item)
            }
        }
        messages
            .into_iter()
            .for_each(|item| self.outgoing.push(item));
        if self.pending.is_empty() {
            self.pending = VecDeque::new();
        }
        self.go_on(cx, directory);
    }

    /// Takes in what storage says of the names from [`Session::take_wanted`];
    /// those left out count as names of no queue.
    pub fn resolve(
        &mut self,
        cx: &mut Context<'_>,
        directory: &dyn Directory,
        found: &BTreeMap<Name, Arc<QueueRecord>>,
    ) {
        if self.unresolved {
            self.unresolved = false;
            self.go_on(cx, &Resolved { directory, found });
        }
    }

    /// Whether the driver may read another block.
    #[must_use]
    pub fn wants_block(&self) -> bool {
        self.parked.is_none()
            && self.barrier.is_none()
            && self.pending.len() < self.config.requests_in_flight
    }

    /// Whether the handshake is done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_))
    }

    /// Names to look up in storage, if commands wait for that; the answer
    /// goes to [`Session::resolve`].
    pub fn take_wanted(&mut self) -> Vec<Name> {
        core::mem::take(&mut self.wanted)
    }

    /// The requests for the engine, in order.
    pub fn take_requests(&mut self) -> Vec<(Ticket, Request)> {
        core::mem::take(&mut self.requests)
    }

    /// The next block to send, written into `buffer`, or `None` if there is
    /// nothing to say.
    pub fn poll_block(&mut self, buffer: &mut Vec<u8>) -> Option<Result<(), SessionEnd>> {
        let version = match &self.phase {
            Phase::Hello(_) => None,
            Phase::Open(open) => Some(open.version),
        };
        self.outgoing.poll_block(version, buffer)
    }

    fn go_on(&mut self, cx: &mut Context<'_>, directory: &dyn Directory) {
        if self.barrier.is_none()
            && !self.unresolved
            && let Some(parked) = self.parked.take()
        {
            self.run(cx, directory, &parked.content, parked.done);
        }
    }

    /// Carries out the commands of a block, beginning with number `done`.
    fn run(
        &mut self,
        cx: &mut Context<'_>,
        directory: &dyn Directory,
        content: &[u8],
        done: usize,
    ) {
        let Phase::Open(open) = &self.phase else {
            return;
        };
        let Ok(items) = transmissions(content, open.version) else {
            return self.refuse(&[], &[], SmpError::Block);
        };
        let park = |done| Parked {
            content: content.to_vec(),
            done,
        };
        let Some(queues) = self.look_up(directory, items.iter().skip(done)) else {
            self.unresolved = true;
            self.parked = Some(park(done));
            return;
        };
        for ((number, item), queue) in items.into_iter().enumerate().skip(done).zip(queues) {
            if self.barrier.is_some() {
                // What was looked up may be what the barrier changes.
                self.parked = Some(park(number));
                return;
            }
            match item {
                Ok(transmission) => self.command(cx, &transmission, queue),
                Err(_) => self.refuse(&[], &[], SmpError::Block),
            }
        }
    }

    /// The queues that `items` are about, or `None` if storage must be asked
    /// for some of them.
    fn look_up<'i>(
        &mut self,
        directory: &dyn Directory,
        items: impl Iterator<Item = &'i Result<Transmission<'i>, Malformed>>,
    ) -> Option<Vec<Found>> {
        let mut queues = Vec::new();
        for item in items {
            let name = item.as_ref().ok().and_then(Name::of);
            match name.map(|name| (directory.find(&name), name)) {
                None => queues.push(None),
                Some((Lookup::Known(queue), _)) => queues.push(queue),
                Some((Lookup::Unknown, name)) => self.wanted.push(name),
            }
        }
        self.wanted.is_empty().then_some(queues)
    }

    fn command(&mut self, cx: &mut Context<'_>, transmission: &Transmission<'_>, queue: Found) {
        let Phase::Open(open) = &mut self.phase else {
            return;
        };
        let (correlation_id, entity_id) = (transmission.correlation_id, transmission.entity_id);
        let Ok(credential) = crate::wire::Credential::parse(transmission.authorisation) else {
            return self.refuse(correlation_id, &[], SmpError::Block);
        };
        let judged = Command::parse(transmission.text, open.version)
            .map_err(SmpError::from)
            .and_then(|command| {
                command.check_credentials(transmission)?;
                open.authorise(cx, &self.config, transmission, credential, command, queue)
            });
        match judged {
            Ok(Local::Pong) => self.outgoing.push(Item::pong(correlation_id)),
            Ok(Local::Ask(request)) => self.ask(correlation_id, entity_id, request),
            Err(error) => self.refuse(correlation_id, entity_id, error),
        }
    }

    fn ask(&mut self, correlation_id: &[u8], entity_id: &[u8], request: Request) {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket = self.next_ticket.wrapping_add(1);
        if request.changes_keys() {
            self.barrier = Some(ticket);
        }
        self.pending.push_back(Pending {
            ticket,
            correlation_id: correlation_id.to_vec(),
            entity_id: entity_id.to_vec(),
        });
        self.requests.push((ticket, request));
    }

    fn refuse(&mut self, correlation_id: &[u8], entity_id: &[u8], error: SmpError) {
        self.outgoing
            .push(Item::refusal(correlation_id, entity_id, error));
    }
}
