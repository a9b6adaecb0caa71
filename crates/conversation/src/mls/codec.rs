//! How MLS state becomes bytes: a version byte, then postcard.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use crate::Secret;

/// Version byte of all values.
const VERSION: u8 = 1;
/// Bytes with room for most values: the message secrets of a conversation,
/// written with each message, take about 8 KB.
const ROOM: usize = 10_240;
/// Steps in which values of [`encode_in_steps`] grow.
const STEP: usize = 512;

/// Collects encoded bytes behind the version byte. Most values are long lists
/// of single bytes to serde, and this is written with each message, so a byte
/// must cost no call. Most are secret too, so all memory they ever lay in is
/// wiped.
struct Collector {
    /// Zeros from `length` on.
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
    step: usize,
}

impl Collector {
    fn new(step: usize) -> Self {
        let mut bytes = Zeroizing::new(vec![0; ROOM]);
        bytes.iter_mut().take(1).for_each(|first| *first = VERSION);
        let length = 1;
        Self {
            bytes,
            length,
            step,
        }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        // Not by `resize`, which would leave a copy behind.
        let length = (self.bytes.len() * 2).max(self.length + more);
        let mut longer = Zeroizing::new(vec![0; length]);
        if let Some(place) = longer.get_mut(..self.bytes.len()) {
            place.copy_from_slice(&self.bytes);
        }
        self.bytes = longer;
    }
}

impl Flavor for Collector {
    type Output = Secret;

    #[inline(always)]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.length == self.bytes.len() {
            self.grow(1);
        }
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        let end = self.length + bytes.len();
        if end > self.bytes.len() {
            self.grow(bytes.len());
        }
        if let Some(place) = self.bytes.get_mut(self.length..end) {
            place.copy_from_slice(bytes);
            self.length = end;
        }
        Ok(())
    }

    fn finalize(mut self) -> postcard::Result<Secret> {
        let length = self.length.next_multiple_of(self.step);
        if length > self.bytes.len() {
            self.grow(length - self.bytes.len());
        }
        self.bytes.truncate(length);
        Ok(Secret::new(core::mem::take(&mut *self.bytes)))
    }
}

/// Encodes a value.
pub(super) fn encode<T: Serialize>(value: &T) -> postcard::Result<Secret> {
    postcard::serialize_with_flavor(value, Collector::new(1))
}

/// The same with zeros behind it, which reading passes over. A value that often
/// changes near its end, and grows by a byte, then mostly keeps its length: a
/// database replaces it where it lies, and only the pages that differ.
pub(super) fn encode_in_steps<T: Serialize>(value: &T) -> postcard::Result<Secret> {
    postcard::serialize_with_flavor(value, Collector::new(STEP))
}

/// Decodes what [`encode`] or [`encode_in_steps`] made.
pub(super) fn decode<T: DeserializeOwned>(value: &Secret) -> Option<T> {
    match value.expose().split_first() {
        Some((&VERSION, body)) => postcard::from_bytes(body).ok(),
        _ => None,
    }
}

/// The scope or key that a name of openmls leads to.
pub(super) fn key<K: Serialize>(name: &K) -> Vec<u8> {
    // Memory takes everything; names are plain structures.
    postcard::to_allocvec(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_longer_than_the_room_survive() {
        for length in [0, ROOM - 10, ROOM, ROOM + 1, ROOM * 5] {
            let bytes = vec![7_u8; length];
            let strings = vec!["x".repeat(length); 3];
            let value = encode(&(&bytes, &strings)).unwrap();
            assert_eq!(decode(&value), Some((bytes, strings)));
        }
    }

    #[test]
    fn values_in_steps_are_read_alike_and_seldom_change_their_length() {
        let mut lengths = Vec::new();
        for length in (0..2 * STEP).chain([ROOM - STEP, ROOM - 2, ROOM, ROOM * 2]) {
            let bytes = vec![7_u8; length];
            let value = encode_in_steps(&bytes).unwrap();
            assert_eq!(decode(&value), Some(bytes));
            lengths.push(value.expose().len());
        }
        assert!(lengths.iter().all(|length| length % STEP == 0));
        lengths.dedup();
        assert_eq!(lengths.len(), 3 + 3);
    }
}
