//! An established connection: a socket, its TLS session, and the two clocks
//! that end a connection whose peer has stopped reading or writing.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustls::CommonState;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep, timeout};

use super::finished::FinishedLog;
use super::wire::{Session, Step, Wire};
use crate::pool::Pool;

/// How long a polite close may wait for the peer to take the last bytes.
const CLOSING: Duration = Duration::from_secs(5);

/// Budgets of one connection.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Bytes waiting to be sent above which nothing more is read and the
    /// stream reports no room.
    pub high_water: usize,
    /// Bytes waiting to be sent that are never exceeded.
    pub most_unsent: usize,
    /// How long a peer may take to accept the next 32 KiB.
    pub write_patience: Duration,
    /// How long a peer may take to complete what it began to send.
    pub read_patience: Duration,
}

impl Default for StreamLimits {
    fn default() -> Self {
        Self {
            high_water: 8 * 16_384,
            most_unsent: 64 * 16_384,
            write_patience: Duration::from_secs(60),
            read_patience: Duration::from_secs(60),
        }
    }
}

/// Why an established connection broke.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The socket failed.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The peer broke TLS.
    #[error("the peer broke the TLS protocol: {0}")]
    Tls(#[from] rustls::Error),
    /// The peer stopped taking what is sent to it.
    #[error("the peer does not read what is sent to it")]
    WriteStalled,
    /// The peer stopped in the middle of a block or record.
    #[error("the peer stopped in the middle of a block")]
    ReadStalled,
    /// The caller queued more than [`StreamLimits::most_unsent`].
    #[error("more is waiting to be sent than the connection's budget allows")]
    QueueFull,
    /// The caller queued a block that is not 16,384 bytes long.
    #[error("a block of {0} bytes instead of 16384")]
    BlockLength(usize),
}

/// Where plaintext goes, and in what units it comes out.
pub(crate) trait Plaintext {
    type Item;

    fn push(&mut self, bytes: &[u8]);
    fn pop(&mut self) -> Option<Self::Item>;
    /// True while an item is begun but not complete.
    fn is_partial(&self) -> bool;
}

/// What a connection reports.
pub(crate) enum Happening<T> {
    Received(T),
    /// There is room to queue again, after there was none.
    Room,
    /// The peer will send no more.
    Closed,
}

pub(crate) struct Tunnel<P> {
    tcp: TcpStream,
    wire: Wire,
    plaintext: P,
    limits: StreamLimits,
    peer_closed: bool,
    was_full: bool,
    write_deadline: Option<Pin<Box<Sleep>>>,
    read_deadline: Option<Pin<Box<Sleep>>>,
}

impl<P: Plaintext + Unpin> Tunnel<P> {
    pub(super) fn new(
        tcp: TcpStream,
        session: Session,
        pool: Arc<Pool>,
        plaintext: P,
        limits: StreamLimits,
    ) -> Self {
        Self {
            tcp,
            wire: Wire::new(session, pool),
            plaintext,
            limits,
            peer_closed: false,
            was_full: false,
            write_deadline: None,
            read_deadline: None,
        }
    }

    /// What the handshake agreed on.
    pub(super) fn common(&self) -> &CommonState {
        self.wire.common()
    }

    /// Runs the handshake and yields the client's Finished, or `None` if it
    /// could not be told apart.
    pub(super) async fn handshake(&mut self) -> Result<Option<Vec<u8>>, StreamError> {
        let mut log = FinishedLog::default();
        loop {
            let step = log.during(|| self.wire.advance(&mut |bytes| self.plaintext.push(bytes)));
            match step {
                Ok(step) if step == Step::Handshaking || self.wire.is_handshaking() => {
                    poll_fn(|cx| self.poll_flush(cx)).await?;
                    poll_fn(|cx| self.poll_fill(cx)).await?;
                    if self.peer_closed {
                        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
                    }
                }
                Ok(_) => {
                    poll_fn(|cx| self.poll_flush(cx)).await?;
                    return Ok(log.into_client_finished());
                }
                Err(error) => {
                    // The alert; whether the peer takes it changes nothing.
                    let _told = timeout(CLOSING, poll_fn(|cx| self.poll_flush(cx))).await;
                    return Err(error.into());
                }
            }
        }
    }

    /// Encrypts `bytes` and queues them; [`Tunnel::next`] sends them.
    pub(crate) fn queue(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        if self.wire.unsent() + bytes.len() > self.limits.most_unsent {
            return Err(StreamError::QueueFull);
        }
        self.wire
            .seal(bytes, &mut |bytes| self.plaintext.push(bytes))?;
        self.was_full |= !self.has_room();
        Ok(())
    }

    pub(crate) fn has_room(&self) -> bool {
        self.wire.unsent() < self.limits.high_water
    }

    /// Sends what is queued and waits for what happens. Dropping the future
    /// loses nothing.
    pub(crate) async fn next(&mut self) -> Result<Happening<P::Item>, StreamError> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends everything that is queued.
    pub(crate) async fn flush(&mut self) -> Result<(), StreamError> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Says goodbye, waiting a few seconds at most.
    pub(crate) async fn close(mut self) -> Result<(), StreamError> {
        self.wire.seal_close(&mut |_| {})?;
        match timeout(CLOSING, poll_fn(|cx| self.poll_flush(cx))).await {
            Ok(flushed) => flushed,
            Err(_) => Err(StreamError::WriteStalled),
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Happening<P::Item>, StreamError>> {
        loop {
            // Pending here means "not all sent", which need not stop reading.
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            if !self.has_room() {
                return Poll::Pending;
            }
            if std::mem::take(&mut self.was_full) {
                return Poll::Ready(Ok(Happening::Room));
            }
            if let Some(item) = self.plaintext.pop() {
                self.read_deadline = None;
                return Poll::Ready(Ok(Happening::Received(item)));
            }
            if self.peer_closed {
                return Poll::Ready(Ok(Happening::Closed));
            }
            match self.poll_fill(cx)? {
                Poll::Ready(()) => {
                    let step = self.wire.advance(&mut |bytes| self.plaintext.push(bytes));
                    if step.is_err() {
                        // The alert, if the socket takes it at once.
                        let _told = self.poll_flush(cx);
                    }
                    self.peer_closed |= step? == Step::PeerClosed;
                }
                Poll::Pending => return self.poll_read_deadline(cx),
            }
        }
    }

    /// Reads once from the socket, holding a buffer only from the moment there
    /// is something to read.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        ready!(self.tcp.poll_read_ready(cx))?;
        let mut room = ReadBuf::new(self.wire.room());
        let read = Pin::new(&mut self.tcp).poll_read(cx, &mut room);
        let count = room.filled().len();
        self.wire.filled(count);
        ready!(read)?;
        self.peer_closed = count == 0;
        Poll::Ready(Ok(()))
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        while self.wire.unsent() > 0 {
            let tcp = Pin::new(&mut self.tcp);
            let written = self
                .wire
                .with_unsent(|slices| tcp.poll_write_vectored(cx, slices));
            let Poll::Ready(written) = written else {
                return self.poll_write_deadline(cx);
            };
            match written? {
                0 => return Poll::Ready(Err(io::Error::from(io::ErrorKind::WriteZero).into())),
                count if self.wire.sent(count) => self.write_deadline = None,
                _ => {}
            }
        }
        self.write_deadline = None;
        Poll::Ready(Ok(()))
    }

    fn poll_write_deadline(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), StreamError>> {
        let patience = self.limits.write_patience;
        let deadline = self
            .write_deadline
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(StreamError::WriteStalled))
    }

    fn poll_read_deadline<T>(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, StreamError>> {
        if !self.wire.is_mid_record() && !self.plaintext.is_partial() {
            self.read_deadline = None;
            return Poll::Pending;
        }
        let until = Instant::now() + self.limits.read_patience;
        let deadline = self
            .read_deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(StreamError::ReadStalled))
    }
}
