//! One connection, from the server's hello to its end.
//!
//! Blocks go in by [`Session::receive`], answers of the engine by
//! [`Session::answer`]; requests come out by [`Session::take_requests`], blocks
//! by [`Session::poll_block`]. Between blocks a session holds keys and a few
//! counters, no buffer.

mod authorise;
mod handshake;
mod outgoing;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hushwing_sansio::Context;

use super::config::ServerConfig;
use super::directory::Directory;
use super::request::{Output, Request, Ticket};
use crate::wire::{
    BoxKey, Command, Opener, SmpError, Transmission, Verifier, Version, transmissions,
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

/// A command the engine has not answered yet.
struct Pending {
    ticket: Ticket,
    correlation_id: Vec<u8>,
    entity_id: Vec<u8>,
}

/// A block whose later commands wait for the answer to an earlier one.
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
        if self.barrier.is_none()
            && let Some(parked) = self.parked.take()
        {
            self.run(cx, directory, &parked.content, parked.done);
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
        for (number, item) in items.into_iter().enumerate().skip(done) {
            if self.barrier.is_some() {
                self.parked = Some(Parked {
                    content: content.to_vec(),
                    done: number,
                });
                return;
            }
            match item {
                Ok(transmission) => self.command(cx, directory, &transmission),
                Err(_) => self.refuse(&[], &[], SmpError::Block),
            }
        }
    }

    fn command(
        &mut self,
        cx: &mut Context<'_>,
        directory: &dyn Directory,
        transmission: &Transmission<'_>,
    ) {
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
                open.authorise(
                    cx,
                    directory,
                    &self.config,
                    transmission,
                    credential,
                    command,
                )
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
