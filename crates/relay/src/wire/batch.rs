//! Several transmissions in one block (SMP 4).

use super::transmission::Transmission;
use super::{BLOCK_LEN, Malformed, Reader, Sealer, TooLong, Version, Writer};

/// Room for transmissions in one block: each takes its length and two bytes.
/// It leaves space for the tag even where blocks are not sealed.
pub const BATCH_ROOM: usize = 16_365;

/// Most transmissions in one block.
pub const BATCH_COUNT: u8 = 255;

/// Why a block did not take a transmission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// The block is full. Here are the encoded bytes, for the next block.
    Full(Vec<u8>),
    /// It would not fit an empty block either, or a field overflowed.
    TooLong,
}

/// One outgoing block while it is being filled.
#[derive(Debug)]
pub struct BlockBuilder {
    block: Vec<u8>,
    head: usize,
    count: u8,
}

impl BlockBuilder {
    /// An empty block for `sealer`.
    #[must_use]
    pub fn new(sealer: &Sealer) -> Self {
        Self::in_buffer(sealer, Vec::with_capacity(BLOCK_LEN))
    }

    /// An empty block that re-uses the memory of `buffer`, whose content is
    /// dropped.
    #[must_use]
    pub fn in_buffer(sealer: &Sealer, mut buffer: Vec<u8>) -> Self {
        let head = sealer.head_len();
        buffer.clear();
        buffer.resize(head + 3, 0);
        Self {
            block: buffer,
            head,
            count: 0,
        }
    }

    /// Transmissions in it.
    #[must_use]
    pub const fn count(&self) -> u8 {
        self.count
    }

    /// Whether nothing is in it. An empty batch may not be sent.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Room left, in bytes of transmission; 0 also if the count is used up.
    #[must_use]
    pub fn room(&self) -> usize {
        if self.count == BATCH_COUNT {
            return 0;
        }
        let used = self.block.len().saturating_sub(self.head + 3);
        BATCH_ROOM.saturating_sub(used + 2)
    }

    /// Adds the transmission that `item` writes.
    ///
    /// # Errors
    ///
    /// [`Rejected`]; the block is then as before.
    pub fn push(&mut self, item: impl FnOnce(&mut Writer<'_>)) -> Result<(), Rejected> {
        let room = self.room();
        let start = self.block.len();
        let mut w = Writer::new(&mut self.block);
        w.big_of(item);
        let fitted = w.check();
        let len = self.block.len().saturating_sub(start + 2);
        if fitted.is_err() || len > BATCH_ROOM - 2 {
            self.block.truncate(start);
            return Err(Rejected::TooLong);
        }
        if len > room || self.count == BATCH_COUNT {
            let item = self.block.split_off(start + 2);
            self.block.truncate(start);
            return Err(Rejected::Full(item));
        }
        self.count += 1;
        Ok(())
    }

    /// Sets the count and seals.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the crypto library fails or the block is empty.
    pub fn finish(mut self, sealer: &mut Sealer) -> Result<Vec<u8>, TooLong> {
        if self.is_empty() {
            return Err(TooLong);
        }
        *self.block.get_mut(self.head + 2).ok_or(TooLong)? = self.count;
        sealer.seal(&mut self.block)?;
        Ok(self.block)
    }
}

/// Packs transmissions into as many blocks as they need, in order.
pub struct Packer<'s> {
    sealer: &'s mut Sealer,
    open: Option<BlockBuilder>,
    done: Vec<Vec<u8>>,
}

impl<'s> Packer<'s> {
    /// A packer that seals with `sealer`.
    #[must_use]
    pub const fn new(sealer: &'s mut Sealer) -> Self {
        Self {
            sealer,
            open: None,
            done: Vec::new(),
        }
    }

    /// Adds the transmission that `item` writes.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if it does not fit even a block of its own; the others are
    /// not affected.
    pub fn push(&mut self, item: impl FnOnce(&mut Writer<'_>)) -> Result<(), TooLong> {
        let open = self
            .open
            .get_or_insert_with(|| BlockBuilder::new(self.sealer));
        match open.push(item) {
            Ok(()) => Ok(()),
            Err(Rejected::TooLong) => Err(TooLong),
            Err(Rejected::Full(item)) => {
                self.flush()?;
                let mut next = BlockBuilder::new(self.sealer);
                next.push(|w| {
                    w.raw(&item);
                })
                .map_err(|_| TooLong)?;
                self.open = Some(next);
                Ok(())
            }
        }
    }

    /// Ends the block being filled, so that the next transmission starts a
    /// new one.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the crypto library fails.
    pub fn flush(&mut self) -> Result<(), TooLong> {
        if let Some(open) = self.open.take().filter(|open| !open.is_empty()) {
            self.done.push(open.finish(self.sealer)?);
        }
        Ok(())
    }

    /// The finished blocks.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if the crypto library fails.
    pub fn finish(mut self) -> Result<Vec<Vec<u8>>, TooLong> {
        self.flush()?;
        Ok(self.done)
    }
}

/// The transmissions in a block's content. Each may fail by itself and the
/// others still count; a content that is no batch at all fails as a whole.
///
/// # Errors
///
/// [`Malformed`] if the count is 0, an item is cut short, or bytes are left
/// over.
pub fn transmissions(
    content: &[u8],
    version: Version,
) -> Result<Vec<Result<Transmission<'_>, Malformed>>, Malformed> {
    let mut r = Reader::new(content);
    let items = r.list1(Reader::big)?;
    r.finish()?;
    Ok(items
        .into_iter()
        .map(|item| Transmission::parse(item, version))
        .collect())
}
