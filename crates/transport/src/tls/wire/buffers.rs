//! Bytes on their way from and to the socket.

use std::collections::VecDeque;
use std::io::IoSlice;
use std::sync::Arc;

use crate::pool::{Pool, Pooled};

/// Buffers handed to one system call.
const SLICES_AT_ONCE: usize = 16;

/// Bytes from the socket that are not yet whole records.
pub(super) struct Incoming {
    buffer: Pooled,
    start: usize,
    end: usize,
}

impl Incoming {
    pub(super) fn new(buffer: Pooled) -> Self {
        Self {
            buffer,
            start: 0,
            end: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    pub(super) fn unread(&mut self) -> &mut [u8] {
        self.buffer
            .get_mut(self.start..self.end)
            .unwrap_or_default()
    }

    /// Forgets the first `count` unread bytes.
    pub(super) fn discard(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// All room behind the unread bytes, which move to the front.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Tells how many bytes were put into the room.
    pub(super) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.buffer.len());
    }
}

/// Records on their way to the socket.
pub(super) struct Outgoing {
    pool: Arc<Pool>,
    pieces: VecDeque<Piece>,
    bytes: usize,
}

struct Piece {
    buffer: Pooled,
    start: usize,
    end: usize,
}

impl Piece {
    fn unsent(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn room(&mut self) -> &mut [u8] {
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }
}

impl Outgoing {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self {
            pool,
            pieces: VecDeque::new(),
            bytes: 0,
        }
    }

    /// Unsent bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Lets `write` put a record behind the last one, or into a new buffer if
    /// it says that there is too little room.
    pub(super) fn append(
        &mut self,
        mut write: impl FnMut(&mut [u8]) -> Option<usize>,
    ) -> Result<(), rustls::Error> {
        if let Some(last) = self.pieces.back_mut()
            && let Some(count) = write(last.room())
        {
            last.end += count;
            self.bytes += count;
            return Ok(());
        }
        let mut piece = Piece {
            buffer: self.pool.take(),
            start: 0,
            end: 0,
        };
        let Some(count) = write(piece.room()) else {
            return Err(rustls::Error::EncryptError);
        };
        piece.end = count;
        self.bytes += count;
        self.pieces.push_back(piece);
        Ok(())
    }

    /// Lends the unsent bytes, as many buffers as one system call takes.
    pub(super) fn lend<R>(&self, write: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        let mut slices = [IoSlice::new(&[]); SLICES_AT_ONCE];
        let mut used = 0;
        for (slot, piece) in slices.iter_mut().zip(&self.pieces) {
            *slot = IoSlice::new(piece.unsent());
            used += 1;
        }
        write(slices.get(..used).unwrap_or_default())
    }

    /// Forgets the first `count` unsent bytes. True if a whole buffer went.
    pub(super) fn sent(&mut self, mut count: usize) -> bool {
        self.bytes = self.bytes.saturating_sub(count);
        let mut whole = false;
        while let Some(first) = self.pieces.front_mut() {
            let length = first.end - first.start;
            if count < length {
                first.start += count;
                break;
            }
            count -= length;
            self.pieces.pop_front();
            whole = true;
        }
        whole
    }
}
