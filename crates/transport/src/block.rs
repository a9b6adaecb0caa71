//! A connection that carries blocks of 16,384 bytes.
//!
//! No buffer is held while nothing moves: a block's buffer is taken when its
//! first byte has been decrypted and given back when the [`Block`] is dropped.
//!
//! A session loop looks like this:
//!
//! ```text
//! loop {
//!     select! {
//!         event = stream.next() => ...            // also sends what is queued
//!         answer = answers.recv(), if stream.has_room() => ...
//!     }
//!     for block in session.drain() { stream.queue(&block)? }
//! }
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use crate::pool::{Pool, Pooled};
use crate::tls::{Happening, Plaintext, StreamError, Tunnel};

/// Length of every block (smp.md 1.4).
pub const BLOCK_LENGTH: usize = 16_384;

/// A received block: exactly [`BLOCK_LENGTH`] bytes in a borrowed buffer.
pub struct Block {
    buffer: Pooled,
}

impl Deref for Block {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer
    }
}

impl DerefMut for Block {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.buffer
    }
}

impl fmt::Debug for Block {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Block(..)")
    }
}

/// What a [`BlockStream`] reports.
#[derive(Debug)]
pub enum BlockEvent {
    /// A whole block arrived.
    Received(Block),
    /// There is room to queue again, after there was none.
    Room,
    /// The peer will send no more.
    Closed,
}

/// A server's connection: blocks in, blocks out.
pub struct BlockStream {
    tunnel: Tunnel<Blocks>,
}

impl BlockStream {
    pub(crate) fn new(tunnel: Tunnel<Blocks>) -> Self {
        Self { tunnel }
    }

    /// Encrypts a block and queues it; [`BlockStream::next`] sends it,
    /// together with its neighbours where the socket takes them.
    ///
    /// # Errors
    ///
    /// [`StreamError::BlockLength`] if `block` is not 16,384 bytes,
    /// [`StreamError::QueueFull`] over budget, or a TLS failure.
    pub fn queue(&mut self, block: &[u8]) -> Result<(), StreamError> {
        if block.len() != BLOCK_LENGTH {
            return Err(StreamError::BlockLength(block.len()));
        }
        self.tunnel.queue(block)
    }

    /// False when more is unsent than the high-water mark of
    /// [`StreamLimits`](crate::StreamLimits); wait for [`BlockEvent::Room`].
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.tunnel.has_room()
    }

    /// Sends what is queued and waits for what happens. While there is no
    /// room nothing is read, so a peer that only writes is held back. Dropping
    /// the future loses nothing.
    ///
    /// # Errors
    ///
    /// When the connection is broken, or the peer too slow for the limits.
    pub async fn next(&mut self) -> Result<BlockEvent, StreamError> {
        Ok(match self.tunnel.next().await? {
            Happening::Received(block) => BlockEvent::Received(block),
            Happening::Room => BlockEvent::Room,
            Happening::Closed => BlockEvent::Closed,
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

/// Plaintext cut into blocks.
pub(crate) struct Blocks {
    pool: Arc<Pool>,
    whole: VecDeque<Block>,
    partial: Option<(Pooled, usize)>,
}

impl Blocks {
    /// `pool` must lend buffers of [`BLOCK_LENGTH`] bytes.
    pub(crate) fn new(pool: Arc<Pool>) -> Self {
        Self {
            pool,
            whole: VecDeque::new(),
            partial: None,
        }
    }
}

impl Plaintext for Blocks {
    type Item = Block;

    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (mut buffer, filled) = self.partial.take().unwrap_or_else(|| (self.pool.take(), 0));
            let room = buffer.get_mut(filled..).unwrap_or_default();
            let (now, later) = bytes.split_at(bytes.len().min(room.len()));
            if let Some(room) = room.get_mut(..now.len()) {
                room.copy_from_slice(now);
            }
            bytes = later;
            match filled + now.len() {
                BLOCK_LENGTH => self.whole.push_back(Block { buffer }),
                filled => self.partial = Some((buffer, filled)),
            }
        }
    }

    fn pop(&mut self) -> Option<Block> {
        self.whole.pop_front()
    }

    fn is_partial(&self) -> bool {
        self.partial.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_chunking_yields_the_same_blocks() {
        let sent: Vec<u8> = (0..3 * BLOCK_LENGTH).map(|i| (i * 7 % 251) as u8).collect();
        for chunk in [1, 100, 16_383, 16_384, 16_385, 40_000] {
            let mut blocks = Blocks::new(Pool::new(BLOCK_LENGTH, 4));
            for bytes in sent.chunks(chunk) {
                blocks.push(bytes);
            }
            let got: Vec<u8> = std::iter::from_fn(|| blocks.pop())
                .flat_map(|block| block.to_vec())
                .collect();
            assert!(got == sent, "chunks of {chunk}");
            assert!(!blocks.is_partial());
        }
    }
}
