//! What crosses the edge of a machine.

use core::fmt;

/// The name a machine gives one byte stream. Machines choose the numbers of
/// streams they open; drivers choose those of streams they accept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// Where a stream should lead: a TLS server known by the fingerprint of its
/// identity certificate, not by its name.
///
/// `Debug` hides hosts, port and fingerprint, which name a user's server.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Host names or addresses, tried in this order.
    pub hosts: Vec<String>,
    /// TCP port.
    pub port: u16,
    /// SHA-256 over the DER of the identity certificate (32 bytes).
    pub fingerprint: [u8; 32],
    /// ALPN protocol name to offer.
    pub alpn: &'static [u8],
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint(..)")
    }
}

/// What the driver learnt while opening a stream.
#[derive(Clone)]
pub struct Channel {
    /// `verify_data` of the client's TLS Finished message: both ends hold the
    /// same value and no other connection has it (32 bytes with SHA-256).
    pub binding: Vec<u8>,
    /// The server's certificate chain in DER, leaf first, already checked
    /// against [`Endpoint::fingerprint`].
    pub chain: Vec<Vec<u8>>,
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Channel(..)")
    }
}

/// Why a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// No connection came about: refused, unreachable, or timed out.
    Unreachable,
    /// The server is not the one the address names: wrong fingerprint or a
    /// broken certificate chain. Retrying will not help.
    WrongIdentity,
    /// The TLS handshake failed for another reason.
    Handshake,
    /// The peer closed, or the connection broke.
    Closed,
}

/// One thing that happened.
#[derive(Debug)]
pub enum Input<C> {
    /// A command from the room above.
    Command(C),
    /// A stream asked for by [`Output::OpenStream`] is ready.
    StreamOpened {
        /// Which stream.
        stream: StreamId,
        /// What its handshake yielded.
        channel: Channel,
    },
    /// Bytes arrived, in order; any chunking.
    StreamReceived {
        /// Which stream.
        stream: StreamId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A stream ended; its number will not be heard of again.
    StreamClosed {
        /// Which stream.
        stream: StreamId,
        /// Why.
        reason: CloseReason,
    },
    /// The time told by [`Machine::poll_timeout`](crate::Machine::poll_timeout)
    /// has come. A timeout too early or too many does no harm.
    Timeout,
}

/// One thing that should happen.
#[derive(Debug)]
pub enum Output<E> {
    /// An event for the room above.
    Event(E),
    /// Open a stream; answered by `StreamOpened` or `StreamClosed`.
    OpenStream {
        /// The number the machine gives it.
        stream: StreamId,
        /// Where to.
        endpoint: Endpoint,
    },
    /// Write bytes to a stream, in order.
    SendStream {
        /// Which stream.
        stream: StreamId,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Close a stream; no `StreamClosed` answers it.
    CloseStream {
        /// Which stream.
        stream: StreamId,
    },
}
