//! A connection that carries bytes, in whatever portions they arrive.

use crate::tls::{Happening, Plaintext, StreamError, Tunnel};

/// What a [`ByteStream`] reports.
#[derive(Debug, PartialEq, Eq)]
pub enum ByteEvent {
    /// Bytes arrived; never empty.
    Received(Vec<u8>),
    /// There is room to queue again, after there was none.
    Room,
    /// The peer will send no more.
    Closed,
}

/// A client's connection: bytes in, bytes out.
pub struct ByteStream {
    tunnel: Tunnel<Chunks>,
}

impl ByteStream {
    pub(crate) fn new(tunnel: Tunnel<Chunks>) -> Self {
        Self { tunnel }
    }

    /// Queues bytes; [`ByteStream::next`] sends them.
    ///
    /// # Errors
    ///
    /// [`StreamError::QueueFull`] over budget, or a TLS failure.
    pub fn queue(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        self.tunnel.queue(bytes)
    }

    /// False when more is unsent than the high-water mark of
    /// [`StreamLimits`](crate::StreamLimits); wait for [`ByteEvent::Room`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.tunnel.has_room()
    }

    /// Sends what is queued and waits for what happens. Dropping the future
    /// loses nothing.
    ///
    /// # Errors
    ///
    /// When the connection is broken, or the peer too slow for the limits.
    pub async fn next(&mut self) -> Result<ByteEvent, StreamError> {
        Ok(match self.tunnel.next().await? {
            Happening::Received(bytes) => ByteEvent::Received(bytes),
            Happening::Room => ByteEvent::Room,
            Happening::Closed => ByteEvent::Closed,
        })
    }

    /// Sends everything that is queued.
    ///
    /// # Errors
    ///
    /// When the connection is broken, or the peer too slow for the limits.
    pub async fn flush(&mut self) -> Result<(), StreamError> {
        self.tunnel.flush().await
    }

    /// Sends what is queued, says goodbye and closes; takes seconds at most.
    ///
    /// # Errors
    ///
    /// When the peer did not take the last bytes; the connection is closed
    /// nevertheless.
    pub async fn close(self) -> Result<(), StreamError> {
        self.tunnel.close().await
    }
}

/// Plaintext as it came.
#[derive(Default)]
pub(crate) struct Chunks {
    bytes: Vec<u8>,
}

impl Plaintext for Chunks {
    type Item = Vec<u8>;

    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn pop(&mut self) -> Option<Vec<u8>> {
        (!self.bytes.is_empty()).then(|| std::mem::take(&mut self.bytes))
    }

    fn is_partial(&self) -> bool {
        false
    }
}
