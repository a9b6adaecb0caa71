//! One TLS connection as bytes in and bytes out, with buffers on loan.
//!
//! This sits on rustls' unbuffered interface: the library keeps no buffer of
//! its own, so a connection that has nothing half read and nothing unsent
//! holds none at all.

use std::io::IoSlice;
use std::sync::Arc;

use rustls::CommonState;
use rustls::client::{ClientConnectionData, UnbufferedClientConnection};
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{ConnectionState, UnbufferedStatus, WriteTraffic};

use self::buffers::{Incoming, Outgoing};
use crate::pool::Pool;

mod buffers;
#[cfg(test)]
mod tests;

/// The longest record of TLS 1.3 (RFC 8446 section 5.2).
const LONGEST_RECORD: usize = 5 + LONGEST_FRAGMENT + 256;
/// The most plaintext in one record, which is also the size of an SMP block.
const LONGEST_FRAGMENT: usize = 16_384;
/// Two records: a second block is read or written with the first.
pub(crate) const WIRE_BUFFER: usize = 2 * LONGEST_RECORD;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The handshake needs more bytes.
    Handshaking,
    /// Nothing: bytes may come and go.
    Open,
    /// The peer has said that it will send no more.
    PeerClosed,
}

/// What to do as soon as the connection can send.
#[derive(Clone, Copy)]
enum Intent<'a> {
    Nothing,
    Encrypt(&'a [u8]),
    Close,
}

/// Either end of a connection.
pub(super) enum Session {
    Client(Box<UnbufferedClientConnection>),
    Server(Box<UnbufferedServerConnection>),
}

impl Session {
    fn common(&self) -> &CommonState {
        match self {
            Self::Client(tls) => tls,
            Self::Server(tls) => tls,
        }
    }
}

/// A connection with its unread and unsent bytes.
pub(super) struct Wire {
    session: Session,
    pool: Arc<Pool>,
    incoming: Option<Incoming>,
    outgoing: Outgoing,
    /// Set by the first error, after which the library must not be called.
    broken: bool,
}

impl Wire {
    /// `pool` must lend buffers of [`WIRE_BUFFER`] bytes.
    pub(super) fn new(session: Session, pool: Arc<Pool>) -> Self {
        let outgoing = Outgoing::new(Arc::clone(&pool));
        Self {
            session,
            pool,
            incoming: None,
            outgoing,
            broken: false,
        }
    }

    /// True until both ends have finished the handshake.
    pub(super) fn is_handshaking(&self) -> bool {
        self.session.common().is_handshaking()
    }

    /// What the handshake agreed on.
    pub(super) fn common(&self) -> &CommonState {
        self.session.common()
    }

    /// Room for bytes from the socket; takes a buffer if none is held. Report
    /// what was written to it with [`Wire::filled`], also if nothing was.
    pub(super) fn room(&mut self) -> &mut [u8] {
        let incoming = self
            .incoming
            .get_or_insert_with(|| Incoming::new(self.pool.take()));
        incoming.room()
    }

    /// Tells how many bytes were put into [`Wire::room`].
    pub(super) fn filled(&mut self, count: usize) {
        if let Some(incoming) = &mut self.incoming {
            incoming.filled(count);
        }
        self.release();
    }

    /// True while a record is half read.
    pub(super) fn is_mid_record(&self) -> bool {
        self.incoming.is_some()
    }

    /// Works through what has arrived; plaintext goes to `sink`.
    pub(super) fn advance(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<Step, rustls::Error> {
        let step = self.dispatch(sink, Intent::Nothing);
        self.release();
        step
    }

    /// Encrypts `bytes` into the unsent bytes.
    pub(super) fn seal(
        &mut self,
        bytes: &[u8],
        sink: &mut dyn FnMut(&[u8]),
    ) -> Result<(), rustls::Error> {
        for fragment in bytes.chunks(LONGEST_FRAGMENT) {
            self.dispatch(sink, Intent::Encrypt(fragment))?;
        }
        Ok(())
    }

    /// Adds the notice that this end will send no more.
    pub(super) fn seal_close(&mut self, sink: &mut dyn FnMut(&[u8])) -> Result<(), rustls::Error> {
        self.dispatch(sink, Intent::Close).map(drop)
    }

    /// Bytes not yet sent.
    pub(super) fn unsent(&self) -> usize {
        self.outgoing.bytes()
    }

    /// Lends the unsent bytes to `write`, in order, as many buffers as one
    /// system call takes.
    pub(super) fn with_unsent<R>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        self.outgoing.lend(write)
    }

    /// Forgets the first `count` unsent bytes. True if a whole buffer went.
    pub(super) fn sent(&mut self, count: usize) -> bool {
        self.outgoing.sent(count)
    }

    /// On the first error the alert that tells the peer why is among the
    /// unsent bytes.
    fn dispatch(
        &mut self,
        sink: &mut dyn FnMut(&[u8]),
        intent: Intent<'_>,
    ) -> Result<Step, rustls::Error> {
        if self.broken {
            return Err(rustls::Error::General(
                "the connection is already broken".into(),
            ));
        }
        let (incoming, outgoing) = (&mut self.incoming, &mut self.outgoing);
        let step = match &mut self.session {
            Session::Client(tls) => advance(tls.as_mut(), incoming, outgoing, sink, intent),
            Session::Server(tls) => advance(tls.as_mut(), incoming, outgoing, sink, intent),
        };
        if step.is_err() {
            self.broken = true;
            self.incoming = None;
            match &mut self.session {
                Session::Client(tls) => alert(tls.as_mut(), outgoing),
                Session::Server(tls) => alert(tls.as_mut(), outgoing),
            }
        }
        step
    }

    fn release(&mut self) {
        if self.incoming.as_ref().is_some_and(Incoming::is_empty) {
            self.incoming = None;
        }
    }
}

/// The one call that differs between the ends.
trait Process {
    type Data;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, Self::Data>;

    fn has_waiting_records(&self) -> bool;
}

impl Process for UnbufferedClientConnection {
    type Data = ClientConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, ClientConnectionData> {
        self.process_tls_records(incoming)
    }

    fn has_waiting_records(&self) -> bool {
        self.wants_write()
    }
}

impl Process for UnbufferedServerConnection {
    type Data = ServerConnectionData;

    fn process<'c, 'i>(
        &'c mut self,
        incoming: &'i mut [u8],
    ) -> UnbufferedStatus<'c, 'i, ServerConnectionData> {
        self.process_tls_records(incoming)
    }

    fn has_waiting_records(&self) -> bool {
        self.wants_write()
    }
}

fn advance<P: Process>(
    tls: &mut P,
    incoming: &mut Option<Incoming>,
    outgoing: &mut Outgoing,
    sink: &mut dyn FnMut(&[u8]),
    intent: Intent<'_>,
) -> Result<Step, rustls::Error> {
    loop {
        let bytes = incoming.as_mut().map(Incoming::unread).unwrap_or_default();
        let UnbufferedStatus { mut discard, state } = tls.process(bytes);
        let step = match state {
            Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                while let Some(record) = traffic.next_record() {
                    let record = record?;
                    discard += record.discard;
                    sink(record.payload);
                }
                None
            }
            Ok(ConnectionState::EncodeTlsData(mut data)) => {
                outgoing.append(|room| data.encode(room).ok())?;
                None
            }
            Ok(ConnectionState::TransmitTlsData(transmit)) => {
                // Unsent bytes leave in order, so "encoded" is as good as sent.
                transmit.done();
                None
            }
            Ok(ConnectionState::BlockedHandshake) => Some(Step::Handshaking),
            Ok(ConnectionState::WriteTraffic(traffic)) => {
                carry_out(intent, traffic, outgoing)?;
                Some(Step::Open)
            }
            Ok(ConnectionState::PeerClosed | ConnectionState::Closed) => Some(Step::PeerClosed),
            Ok(_) => return Err(rustls::Error::General("early data is not spoken".into())),
            Err(error) => return Err(error),
        };
        if let Some(incoming) = incoming {
            incoming.discard(discard);
        }
        if let Some(step) = step {
            return Ok(step);
        }
    }
}

/// Fetches what a failed connection still has to send, last of all the alert.
///
/// Waiting records come before any input is looked at; asked when there are
/// none, a failed connection could panic over input that is no longer there.
fn alert<P: Process>(tls: &mut P, outgoing: &mut Outgoing) {
    while tls.has_waiting_records() {
        let Ok(ConnectionState::EncodeTlsData(mut data)) = tls.process(&mut []).state else {
            return;
        };
        if outgoing.append(|room| data.encode(room).ok()).is_err() {
            return;
        }
    }
}

fn carry_out<Data>(
    intent: Intent<'_>,
    mut traffic: WriteTraffic<'_, Data>,
    outgoing: &mut Outgoing,
) -> Result<(), rustls::Error> {
    match intent {
        Intent::Nothing => Ok(()),
        Intent::Encrypt(bytes) => outgoing.append(|room| traffic.encrypt(bytes, room).ok()),
        Intent::Close => outgoing.append(|room| traffic.queue_close_notify(room).ok()),
    }
}
