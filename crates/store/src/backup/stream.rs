//! What follows the header: chunks under the STREAM construction of Hoang,
//! Reyhanitabar, Rogaway and Vizár, with XChaCha20-Poly1305 (crate `aead`).
//!
//! Each chunk has 65,536 bytes of content; its place and whether it is the last are
//! part of its nonce, so a chunk that is changed, missing, doubled or elsewhere does
//! not open, nor does a file that ends early or goes on. The key is a stream's own,
//! so the rest of the nonce has nothing to tell apart and is zero.

use std::io::{self, Read, Write};

use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305};
use zeroize::Zeroizing;

use super::RestoreError;

/// Bytes of content in a chunk.
pub(super) const CHUNK: usize = 65_536;
/// Bytes of a chunk in the file.
pub(super) const SEALED: usize = CHUNK + 16;
/// Bytes of nonce that are neither place nor mark of the end.
const PREFIX: [u8; 19] = [0; 19];
/// Files under eight steps have this step.
const LEAST_STEP: u64 = 1 << 20;

/// Encrypts what is written to it.
pub(super) struct Sealer<W> {
    out: W,
    seal: EncryptorBE32<XChaCha20Poly1305>,
    /// The chunk at hand, with room for its tag.
    chunk: Zeroizing<Vec<u8>>,
    content: u64,
}

impl<W: Write> Sealer<W> {
    pub(super) fn new(out: W, key: &[u8; 32]) -> Self {
        let cipher = XChaCha20Poly1305::new(key.into());
        Self {
            out,
            seal: EncryptorBE32::from_aead(cipher, &PREFIX.into()),
            chunk: Zeroizing::new(Vec::with_capacity(SEALED)),
            content: 0,
        }
    }

    /// Pads to the next step and writes the last chunk.
    pub(super) fn finish(mut self) -> io::Result<W> {
        let padding = padded(self.content) - self.content;
        io::copy(&mut io::repeat(0).take(padding), &mut self)?;
        self.seal
            .encrypt_last_in_place(b"", &mut *self.chunk)
            .map_err(|_| too_long())?;
        self.out.write_all(&self.chunk)?;
        Ok(self.out)
    }

    fn seal_next(&mut self) -> io::Result<()> {
        self.seal
            .encrypt_next_in_place(b"", &mut *self.chunk)
            .map_err(|_| too_long())?;
        self.out.write_all(&self.chunk)?;
        self.chunk.clear();
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Not before there is more: the last chunk is sealed otherwise.
        if self.chunk.len() == CHUNK && !bytes.is_empty() {
            self.seal_next()?;
        }
        let room = CHUNK - self.chunk.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.chunk.extend_from_slice(taken);
        self.content += u64::try_from(taken.len()).unwrap_or_default();
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The length to which content is padded: the next multiple of a step, which is
/// 1 MiB or, for more than 8 MiB, the power of two that is more than a sixteenth
/// and at most an eighth of it.
pub(super) fn padded(content: u64) -> u64 {
    let eighth = (content / 8).max(LEAST_STEP);
    let step = 1 << eighth.ilog2();
    content.div_ceil(step).max(1).saturating_mul(step)
}

/// Chunks have numbers of 32 bits, which last for 256 TiB.
fn too_long() -> io::Error {
    io::ErrorKind::FileTooLarge.into()
}

/// Decrypts a stream; gives no byte that was not authenticated.
pub(super) struct Opener<R> {
    from: R,
    /// Gone once the last chunk is open.
    seal: Option<DecryptorBE32<XChaCha20Poly1305>>,
    chunk: Zeroizing<Vec<u8>>,
    /// How much of the chunk was given.
    given: usize,
    /// The next chunk, still sealed: whether there is one tells which is the last.
    ahead: Zeroizing<Vec<u8>>,
}

impl<R: Read> Opener<R> {
    pub(super) fn new(from: R, key: &[u8; 32]) -> Result<Self, RestoreError> {
        let cipher = XChaCha20Poly1305::new(key.into());
        let mut opener = Self {
            from,
            seal: Some(DecryptorBE32::from_aead(cipher, &PREFIX.into())),
            chunk: Zeroizing::new(Vec::with_capacity(SEALED)),
            given: 0,
            ahead: Zeroizing::new(Vec::with_capacity(SEALED)),
        };
        opener.look_ahead()?;
        Ok(opener)
    }

    /// The next `N` bytes.
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], RestoreError> {
        let mut bytes = [0; N];
        self.pass(u64::try_from(N).unwrap_or(u64::MAX), &mut &mut bytes[..])?;
        Ok(bytes)
    }

    /// Writes the next `length` bytes to `out`.
    pub(super) fn pass(
        &mut self,
        mut length: u64,
        out: &mut impl Write,
    ) -> Result<(), RestoreError> {
        while length > 0 {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Err(RestoreError::Damaged);
            }
            let most = usize::try_from(length).unwrap_or(usize::MAX);
            let part = rest.get(..most).unwrap_or(rest);
            out.write_all(part)?;
            let passed = part.len();
            self.given += passed;
            length -= u64::try_from(passed).unwrap_or(length);
        }
        Ok(())
    }

    /// Reads the padding; only then is the whole known to be what was written.
    pub(super) fn finish(mut self) -> Result<(), RestoreError> {
        loop {
            let rest = self.rest()?;
            if rest.is_empty() {
                return Ok(());
            }
            if rest.iter().any(|byte| *byte != 0) {
                return Err(RestoreError::Damaged);
            }
            self.given = self.chunk.len();
        }
    }

    /// What is left of the chunk at hand, or all of the next; nothing at the end.
    fn rest(&mut self) -> Result<&[u8], RestoreError> {
        if self.given == self.chunk.len() && self.seal.is_some() {
            self.open_next()?;
        }
        Ok(self.chunk.get(self.given..).unwrap_or_default())
    }

    fn open_next(&mut self) -> Result<(), RestoreError> {
        std::mem::swap(&mut self.chunk, &mut self.ahead);
        self.given = 0;
        self.look_ahead()?;
        // Every chunk is full: content is padded.
        if self.chunk.len() != SEALED {
            return Err(RestoreError::Damaged);
        }
        let Some(mut seal) = self.seal.take() else {
            return Err(RestoreError::Damaged);
        };
        let opened = if self.ahead.is_empty() {
            seal.decrypt_last_in_place(b"", &mut *self.chunk)
        } else {
            let opened = seal.decrypt_next_in_place(b"", &mut *self.chunk);
            self.seal = Some(seal);
            opened
        };
        opened.map_err(|_| RestoreError::Damaged)
    }

    fn look_ahead(&mut self) -> Result<(), RestoreError> {
        self.ahead.clear();
        let most = u64::try_from(SEALED).unwrap_or(u64::MAX);
        (&mut self.from).take(most).read_to_end(&mut self.ahead)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn sealed(content: &[u8]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), &KEY);
        sealer.write_all(content).unwrap();
        sealer.finish().unwrap()
    }

    fn opened(bytes: &[u8], length: usize) -> Result<Vec<u8>, RestoreError> {
        let mut opener = Opener::new(bytes, &KEY)?;
        let mut content = Vec::new();
        opener.pass(length as u64, &mut content)?;
        opener.finish()?;
        Ok(content)
    }

    #[test]
    fn chunks_that_are_missing_moved_doubled_or_added_are_damage() {
        let content: Vec<u8> = (0..=255_u8).cycle().take(3 * CHUNK + 5).collect();
        let whole = sealed(&content);
        assert_eq!(whole.len(), 16 * SEALED);
        assert_eq!(opened(&whole, content.len()).unwrap(), content);
        let chunks: Vec<&[u8]> = whole.chunks(SEALED).collect();
        let mut swapped = chunks.clone();
        swapped.swap(1, 2);
        let cut = &chunks[..15];
        let without_one = [&chunks[..5], &chunks[6..]].concat();
        let doubled = [&chunks[..2], &chunks[1..]].concat();
        let longer = [&chunks[..], &chunks[15..]].concat();
        for wrong in [
            &swapped[..],
            cut,
            &without_one[..],
            &doubled[..],
            &longer[..],
            &[],
        ] {
            let refused = opened(&wrong.concat(), content.len());
            assert!(matches!(refused, Err(RestoreError::Damaged)));
        }
    }

    #[test]
    fn a_flipped_bit_in_any_region_and_a_cut_anywhere_are_damage() {
        let whole = sealed(b"something");
        let places = [0, 1, 8, CHUNK, SEALED - 1, SEALED, 9 * SEALED + 77];
        for at in places.into_iter().chain([whole.len() - 1]) {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            assert!(opened(&flipped, 9).is_err(), "byte {at}");
            assert!(opened(&whole[..at], 9).is_err(), "cut at {at}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert!(opened(&longer, 9).is_err());
    }

    #[test]
    fn lengths_come_in_coarse_steps() {
        let mib = 1 << 20;
        for (content, length) in [
            (1, mib),
            (mib, mib),
            (mib + 1, 2 * mib),
            (15 * mib + 1, 16 * mib),
            (16 * mib + 1, 18 * mib),
            (1000 * mib, 1024 * mib),
        ] {
            assert_eq!(padded(content), length, "{content}");
        }
    }

    proptest! {
        #[test]
        fn padding_costs_a_megabyte_or_an_eighth(content in 1_u64..1 << 50) {
            let length = padded(content);
            prop_assert!(length >= content && length.is_multiple_of(CHUNK as u64));
            prop_assert!(length - content < (content / 8).max(LEAST_STEP));
        }
    }
}
