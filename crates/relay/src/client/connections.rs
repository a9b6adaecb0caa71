//! Streams opened, closed and lost, and what their ends mean.

use hushwing_sansio::{Channel, CloseReason, Context, Moment, Output, StorageError, StreamId};

use super::machine::Client;
use super::session::{Ended, Job, Session, Tick};
use super::storage::Storage;
use crate::address::Server;

/// How a client stands with one server: what a status page shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    /// Which server.
    pub server: Server,
    /// How many mailboxes lie there, made or to be made.
    pub mailboxes: usize,
    /// Whether a session stands.
    pub state: ConnectionState,
    /// When the server last refused to make a mailbox, if it made none since.
    pub refused: Option<Moment>,
}

/// Whether a session with a server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionState {
    /// None does, and none is needed.
    Idle,
    /// None yet.
    Connecting,
    /// One does.
    Connected {
        /// Since when.
        since: Moment,
    },
    /// None does any more, or none came about.
    Down {
        /// Since when.
        since: Moment,
        /// Why the last one, or the last attempt, ended.
        why: Ended,
        /// When the next attempt is due, unless one is under way or nothing
        /// asks for one.
        next: Option<Moment>,
    },
}

impl Client {
    /// How the client stands with each server it has to do with.
    pub fn connections(&self) -> impl Iterator<Item = Connection> {
        self.sessions.iter().map(|(server, session)| Connection {
            server: server.clone(),
            mailboxes: session.mailboxes.len(),
            state: session.state(),
            refused: session.refused,
        })
    }

    /// Whether [`Client::connections`] would give just this; costs no copy.
    #[must_use]
    pub fn has_connections(&self, known: &[Connection]) -> bool {
        let same = |((server, session), known): ((&Server, &Session), &Connection)| {
            *server == known.server
                && session.mailboxes.len() == known.mailboxes
                && session.refused == known.refused
                && session.state() == known.state
        };
        self.sessions.len() == known.len() && self.sessions.iter().zip(known).all(same)
    }

    pub(super) fn opened(&mut self, stream: StreamId, channel: Channel) {
        let Some(server) = self.streams.get(&stream) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(server) {
            session.opened(channel);
        }
    }

    fn connect(&mut self, now: Moment, server: &Server) {
        let stream = StreamId(self.next_stream);
        let Some(session) = self.sessions.get_mut(server) else {
            return;
        };
        if session.start_connecting(now, stream) {
            self.next_stream += 1;
            self.streams.insert(stream, server.clone());
            self.outputs.push_back(Output::OpenStream {
                stream,
                endpoint: server.endpoint(),
            });
        }
    }

    pub(super) fn tick(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
    ) -> Result<(), StorageError> {
        self.try_again(cx.now(), server);
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        match session.tick(cx.now()) {
            Tick::Nothing => {}
            Tick::Ping => session.enqueue(Job::Ping),
            Tick::End(why) => self.hang_up(cx, storage, server, why)?,
            Tick::Close => {
                // Nothing is left to be remembered of it.
                if let Some(stream) = session.stream() {
                    self.streams.remove(&stream);
                    self.outputs.push_back(Output::CloseStream { stream });
                }
                self.sessions.remove(server);
            }
        }
        self.connect(cx.now(), server);
        Ok(())
    }

    /// Closes the stream from our side and ends the session.
    pub(super) fn hang_up(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        why: Ended,
    ) -> Result<(), StorageError> {
        if let Some(stream) = self.sessions.get(server).and_then(Session::stream) {
            self.streams.remove(&stream);
            self.outputs.push_back(Output::CloseStream { stream });
        }
        self.ended(cx, storage, server, why)
    }

    pub(super) fn closed(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        stream: StreamId,
        reason: CloseReason,
    ) -> Result<(), StorageError> {
        let Some(server) = self.streams.remove(&stream) else {
            return Ok(());
        };
        let was_connected = self
            .sessions
            .get(&server)
            .is_some_and(Session::is_connected);
        let why = match reason {
            CloseReason::WrongIdentity => Ended::WrongServer,
            _ if was_connected => Ended::Broken,
            _ => Ended::Unreachable,
        };
        self.ended(cx, storage, &server, why)
    }

    /// A session ended: nobody may wait for its answers any longer.
    fn ended(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        why: Ended,
    ) -> Result<(), StorageError> {
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        let lost = session.end(cx, why);
        for job in lost {
            match job {
                Job::Send(send) => self.send_lost(send, why),
                Job::Fetch(fetch) => self.fetch_lost(fetch, why),
                _ => {}
            }
        }
        self.mailboxes_lost(cx, storage, server, why)
    }
}
