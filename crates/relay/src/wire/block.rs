//! Blocks of 16,384 bytes and the key chains that seal them (SMP 3).
//!
//! There is no counter on the wire: both ends step their chain once per block,
//! so one lost or damaged block ends the session.

use aws_lc_rs::hkdf::{HKDF_SHA512, KeyType, Salt};
use zeroize::{Zeroize, Zeroizing};

use super::cryptobox::{BoxKey, NONCE_LEN, NotOpened, TAG_LEN};
use super::pad::FILL;
use super::{Malformed, TooLong, pad, unpad};

/// Length of every block on the stream, in bytes.
pub const BLOCK_LEN: usize = 16_384;

const KEY_LEN: usize = 32;

/// Which end of the session this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Opened the connection.
    Client,
    /// Accepted it.
    Server,
}

struct OutputLen(usize);

impl KeyType for OutputLen {
    fn len(&self) -> usize {
        self.0
    }
}

/// HKDF-SHA512 with output written to `out`.
///
/// # Errors
///
/// [`Malformed`] if the crypto library refuses; it does so only for outputs
/// longer than 16,320 bytes.
pub fn hkdf(salt: &[u8], secret: &[u8], info: &[u8], out: &mut [u8]) -> Result<(), Malformed> {
    Salt::new(HKDF_SHA512, salt)
        .extract(secret)
        .expand(&[info], OutputLen(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| Malformed)
}

/// The key chain of one direction.
pub struct Chain(Zeroizing<[u8; KEY_LEN]>);

impl Chain {
    /// A chain at this key.
    #[must_use]
    pub fn new(key: [u8; KEY_LEN]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// Moves on and returns key and nonce for one block.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the crypto library fails; the session is then over.
    pub fn step(&mut self) -> Result<(BoxKey, [u8; NONCE_LEN]), Malformed> {
        let mut okm = Zeroizing::new([0; 2 * KEY_LEN + NONCE_LEN]);
        hkdf(
            &[],
            self.0.as_slice(),
            b"SimpleXSbChain",
            okm.as_mut_slice(),
        )?;
        let (next, rest) = okm.split_first_chunk::<KEY_LEN>().ok_or(Malformed)?;
        let (key, nonce) = rest.split_first_chunk::<KEY_LEN>().ok_or(Malformed)?;
        self.0.zeroize();
        *self.0 = *next;
        Ok((
            BoxKey::derive(key),
            nonce.try_into().map_err(|_| Malformed)?,
        ))
    }
}

/// The chains of a session: what this end sends with and receives with.
///
/// `secret` is the raw X25519 output of the two hello keys.
///
/// # Errors
///
/// [`Malformed`] if the crypto library fails.
pub fn agree(
    role: Role,
    session_id: &[u8],
    secret: &[u8; 32],
) -> Result<(Sealer, Opener), Malformed> {
    let mut okm = Zeroizing::new([0; 2 * KEY_LEN]);
    hkdf(
        session_id,
        secret,
        b"SimpleXSbChainInit",
        okm.as_mut_slice(),
    )?;
    let (first, second) = okm.split_first_chunk::<KEY_LEN>().ok_or(Malformed)?;
    let first = Chain::new(*first);
    let second = Chain::new(second.try_into().map_err(|_| Malformed)?);
    let (send, receive) = match role {
        Role::Server => (first, second),
        Role::Client => (second, first),
    };
    Ok((Sealer(Some(send)), Opener(Some(receive))))
}

/// Finishes outgoing blocks.
pub struct Sealer(Option<Chain>);

impl Sealer {
    /// Blocks are padded only (below version 11, forwarding servers, clients
    /// without a key).
    #[must_use]
    pub const fn plain() -> Self {
        Self(None)
    }

    /// Bytes to leave free at the start of a block for the tag: 16 or 0.
    #[must_use]
    pub const fn head_len(&self) -> usize {
        if self.0.is_some() { TAG_LEN } else { 0 }
    }

    /// Fills `block` up, sets its length field and seals it.
    ///
    /// `block` holds [`head_len`](Self::head_len) bytes of anything, two bytes
    /// for the length, and the content.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if it is longer than a block or shorter than its head.
    pub fn seal(&mut self, block: &mut Vec<u8>) -> Result<(), TooLong> {
        let head = self.head_len();
        let len = block.len().checked_sub(head + 2).ok_or(TooLong)?;
        if block.len() > BLOCK_LEN {
            return Err(TooLong);
        }
        let len = u16::try_from(len).map_err(|_| TooLong)?;
        block
            .get_mut(head..head + 2)
            .ok_or(TooLong)?
            .copy_from_slice(&len.to_be_bytes());
        block.resize(BLOCK_LEN, FILL);
        if let Some(chain) = &mut self.0 {
            let (key, nonce) = chain.step().map_err(|_| TooLong)?;
            key.seal(&nonce, block).map_err(|_| TooLong)?;
        }
        Ok(())
    }
}

/// Why a received block has no content. Fatal for the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not sealed with the next key of the chain.
    #[error("block does not open")]
    Sealed,
    /// Not 16,384 bytes, or the length field points past the end.
    #[error("malformed block")]
    Malformed,
}

impl From<NotOpened> for OpenError {
    fn from(_: NotOpened) -> Self {
        Self::Sealed
    }
}

impl From<Malformed> for OpenError {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Opens incoming blocks.
pub struct Opener(Option<Chain>);

impl Opener {
    /// Counterpart of [`Sealer::plain`].
    #[must_use]
    pub const fn plain() -> Self {
        Self(None)
    }

    /// Opens `block` in place and returns its content.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; the session must end.
    pub fn open<'b>(&mut self, block: &'b mut [u8]) -> Result<&'b [u8], OpenError> {
        if block.len() != BLOCK_LEN {
            return Err(OpenError::Malformed);
        }
        match &mut self.0 {
            None => Ok(unpad(block)?),
            Some(chain) => {
                let (key, nonce) = chain.step()?;
                Ok(unpad(key.open(&nonce, block)?)?)
            }
        }
    }
}

/// A block with one hello in it, which is never sealed.
///
/// # Errors
///
/// [`TooLong`] if `hello` exceeds 16,382 bytes.
pub fn hello_block(hello: &[u8]) -> Result<Vec<u8>, TooLong> {
    let mut block = Vec::with_capacity(BLOCK_LEN);
    pad(&mut block, hello, BLOCK_LEN)?;
    Ok(block)
}

/// The hello in a block.
///
/// # Errors
///
/// [`OpenError`] if the length field points past the end.
pub fn open_hello(block: &mut [u8]) -> Result<&[u8], OpenError> {
    Opener::plain().open(block)
}

/// Cuts a byte stream into blocks.
///
/// It holds no buffer while no bytes of a block have come, so that an idle
/// connection costs nothing.
#[derive(Default)]
pub struct BlockReader(Vec<u8>);

impl BlockReader {
    /// Takes in `bytes` and hands every block they complete to `each`, which
    /// may stop the reading by returning false; the rest is then dropped.
    pub fn push(&mut self, mut bytes: &[u8], mut each: impl FnMut(Vec<u8>) -> bool) {
        while !bytes.is_empty() {
            if self.0.capacity() == 0 {
                self.0.reserve_exact(BLOCK_LEN);
            }
            let want = BLOCK_LEN.saturating_sub(self.0.len()).min(bytes.len());
            let (now, later) = bytes.split_at(want);
            self.0.extend_from_slice(now);
            bytes = later;
            if self.0.len() == BLOCK_LEN && !each(core::mem::take(&mut self.0)) {
                return;
            }
        }
    }
}
