//! Message bodies, in a file of equal slots beside the database.
//!
//! A body is 16 KB of ciphertext that lives for seconds. In the database its
//! pages would be encrypted and authenticated twice over, when it comes and
//! when `secure_delete` overwrites it, which costs more than all else the
//! writer does (RFC 0007). Here it is written once, sealed under a key of its
//! own that lies in its row in the database: deleting the row makes the body
//! unreadable, and the slot is used again.
//!
//! Order makes it crash-safe. A body is on disk before the row that names it is
//! committed; a slot is free again only after the row that named it is gone for
//! good. Which slots are free is not stored: it follows from the rows.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::rand;
use hushwing_sansio::{StorageError, StorageErrorKind};
use zeroize::Zeroizing;

use crate::files::private;

/// Bytes of a slot. All are written whatever the body's length.
const SLOT: usize = 16_384;

/// First byte of a slot's content; another form gets another number.
const VERSION: u8 = 1;

/// Version and length before a body, tag after it.
const HEAD: usize = 3;
const TAG: usize = 16;

/// Slots the file grows by, so that its length seldom changes.
const GROWTH: u64 = 8;

/// Length of the key of one body.
pub(super) const KEY: usize = 32;

const READ: &str = "read a body";
const WRITE: &str = "store a body";

/// The file and what is known of its slots.
pub(super) struct Bodies {
    file: File,
    slots: u64,
    free: Vec<u64>,
    /// Taken and given back since the transaction began.
    taken: Vec<u64>,
    freed: Vec<u64>,
}

impl Bodies {
    /// Opens the file at `path`, of which the slots in `used` hold bodies.
    pub(super) fn open(path: &Path, used: &[u64]) -> io::Result<Self> {
        let file = private().open(path)?;
        let slots = file.metadata()?.len() / SLOT as u64;
        let mut used = used.to_vec();
        used.sort_unstable();
        let free = (0..slots)
            .filter(|slot| used.binary_search(slot).is_err())
            .collect();
        Ok(Self {
            file,
            slots,
            free,
            taken: Vec::new(),
            freed: Vec::new(),
        })
    }

    /// Writes a body into a free slot; where it is and under which key.
    pub(super) fn put(
        &mut self,
        name: &[u8],
        body: &[u8],
    ) -> Result<(u64, Zeroizing<[u8; KEY]>), StorageError> {
        let mut key = Zeroizing::new([0; KEY]);
        rand::fill(key.as_mut_slice()).map_err(|_| failed(WRITE))?;
        let content = seal(&key, name, body)?;
        let slot = self.take()?;
        self.file
            .write_all_at(&content, offset(slot))
            .map_err(io_error(WRITE))?;
        Ok((slot, key))
    }

    /// The body in a slot.
    pub(super) fn get(
        &self,
        slot: u64,
        key: &[u8; KEY],
        name: &[u8],
    ) -> Result<Vec<u8>, StorageError> {
        let mut content = vec![0; SLOT];
        self.file
            .read_exact_at(&mut content, offset(slot))
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => StorageError::corrupt(READ),
                _ => io_error(READ)(error),
            })?;
        open(key, name, content).ok_or_else(|| StorageError::corrupt(READ))
    }

    /// Notes that a slot's row is deleted in this transaction.
    pub(super) fn release(&mut self, slot: u64) {
        self.freed.push(slot);
    }

    /// Makes bodies durable; to be done before the commit.
    pub(super) fn sync(&self) -> Result<(), StorageError> {
        if self.taken.is_empty() {
            return Ok(());
        }
        self.file.sync_data().map_err(io_error(WRITE))
    }

    /// The transaction is durable.
    pub(super) fn committed(&mut self) {
        self.taken.clear();
        self.free.append(&mut self.freed);
    }

    /// The transaction never was.
    pub(super) fn rolled_back(&mut self) {
        self.freed.clear();
        self.free.append(&mut self.taken);
    }

    /// Any free slot: where bodies lie must not tell in which order they came.
    fn take(&mut self) -> Result<u64, StorageError> {
        if self.free.is_empty() {
            let (first, end) = (self.slots, self.slots.saturating_add(GROWTH));
            self.file.set_len(offset(end)).map_err(io_error(WRITE))?;
            self.slots = end;
            self.free.extend(first..end);
        }
        let slot = self.free.swap_remove(self.any_free()?);
        self.taken.push(slot);
        Ok(slot)
    }

    /// A place in `free`, drawn evenly but for one in 2^64 by its length.
    fn any_free(&self) -> Result<usize, StorageError> {
        let mut bytes = [0; 8];
        rand::fill(&mut bytes).map_err(|_| failed(WRITE))?;
        let below = u128::try_from(self.free.len()).unwrap_or(u128::MAX);
        let drawn = u128::from(u64::from_be_bytes(bytes)).saturating_mul(below) >> 64;
        usize::try_from(drawn).map_err(|_| failed(WRITE))
    }
}

fn offset(slot: u64) -> u64 {
    slot.saturating_mul(SLOT as u64)
}

fn failed(what: &'static str) -> StorageError {
    StorageError::new(StorageErrorKind::Failed, what)
}

fn io_error(what: &'static str) -> impl Fn(io::Error) -> StorageError {
    move |error| {
        let kind = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StorageErrorKind::Full,
            _ => StorageErrorKind::Failed,
        };
        StorageError::new(kind, what).because(error)
    }
}

fn cipher(key: &[u8; KEY]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .ok()
        .map(LessSafeKey::new)
}

/// Every key seals one body only, so that the nonce may be constant.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

/// `version ‖ u16 length ‖ body ‖ zeros ‖ tag`, of which all but the tag is
/// encrypted.
fn seal(key: &[u8; KEY], name: &[u8], body: &[u8]) -> Result<Vec<u8>, StorageError> {
    let length = u16::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= SLOT - HEAD - TAG)
        .ok_or_else(|| failed(WRITE))?;
    let mut content = Vec::with_capacity(SLOT);
    content.push(VERSION);
    content.extend_from_slice(&length.to_be_bytes());
    content.extend_from_slice(body);
    content.resize(SLOT - TAG, 0);
    let cipher = cipher(key).ok_or_else(|| failed(WRITE))?;
    cipher
        .seal_in_place_append_tag(nonce(), Aad::from(name), &mut content)
        .map_err(|_| failed(WRITE))?;
    Ok(content)
}

fn open(key: &[u8; KEY], name: &[u8], mut content: Vec<u8>) -> Option<Vec<u8>> {
    let plain = cipher(key)?
        .open_in_place(nonce(), Aad::from(name), &mut content)
        .ok()?;
    body(plain).map(<[u8]>::to_vec)
}

/// The body in the decrypted content of a slot.
pub(super) fn body(plain: &[u8]) -> Option<&[u8]> {
    let (head, rest) = plain.split_first_chunk::<HEAD>()?;
    let [version, high, low] = *head;
    let body = rest.get(..usize::from(u16::from_be_bytes([high, low])))?;
    (version == VERSION).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &tempfile::TempDir) -> std::path::PathBuf {
        dir.path().join("bodies")
    }

    #[test]
    fn bodies_of_all_lengths_come_back() {
        let dir = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::open(&file(&dir), &[]).unwrap();
        for length in [0, 1, 16_048, 16_088, SLOT - HEAD - TAG] {
            let body = vec![7; length];
            let (slot, key) = bodies.put(b"id", &body).unwrap();
            assert!(bodies.get(slot, &key, b"id").unwrap() == body);
            assert!(bodies.get(slot, &key, b"other").is_err());
        }
        assert!(bodies.put(b"id", &[7; SLOT - HEAD - TAG + 1]).is_err());
    }

    #[test]
    fn a_slot_is_free_only_after_the_commit() {
        let dir = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::open(&file(&dir), &[]).unwrap();
        let (first, _) = bodies.put(b"id", b"x").unwrap();
        bodies.committed();
        bodies.release(first);
        let (second, _) = bodies.put(b"id", b"x").unwrap();
        assert_ne!(second, first);
        bodies.rolled_back();
        // Taken back by the roll-back, while the first is still in use: all
        // others come before the file grows.
        let mut taken: Vec<_> = (1..GROWTH)
            .map(|_| bodies.put(b"id", b"x").unwrap().0)
            .collect();
        assert!(taken.contains(&second) && !taken.contains(&first));
        bodies.release(first);
        bodies.committed();
        taken.push(bodies.put(b"id", b"x").unwrap().0);
        assert_eq!(taken.last(), Some(&first));
    }

    #[test]
    fn slots_are_not_taken_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::open(&file(&dir), &[]).unwrap();
        let taken: Vec<_> = (0..8 * GROWTH)
            .map(|_| bodies.put(b"id", b"x").unwrap().0)
            .collect();
        let rising = taken.windows(2).filter(|two| two[0] < two[1]).count();
        assert!((1..taken.len() - 1).contains(&rising));
        let mut sorted = taken.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), taken.len());
    }

    #[test]
    fn used_slots_are_kept_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::open(&file(&dir), &[]).unwrap();
        let (slot, key) = bodies.put(b"id", b"kept").unwrap();
        drop(bodies);
        let mut bodies = Bodies::open(&file(&dir), &[slot]).unwrap();
        for _ in 0..2 * GROWTH {
            assert_ne!(bodies.put(b"id", b"x").unwrap().0, slot);
        }
        assert!(bodies.get(slot, &key, b"id").unwrap() == b"kept");
    }

    #[test]
    fn the_file_shows_no_body() {
        let dir = tempfile::tempdir().unwrap();
        let mut bodies = Bodies::open(&file(&dir), &[]).unwrap();
        bodies.put(b"id", &[0x55; 16_048]).unwrap();
        let bytes = std::fs::read(file(&dir)).unwrap();
        assert!(!bytes.windows(8).any(|window| window == [0x55; 8]));
    }
}
