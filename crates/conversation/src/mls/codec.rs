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

/// Collects encoded bytes behind the version byte. Most values are long lists
/// of single bytes to serde, and this is written with each message, so a byte
/// must cost no call. Most are secret too, so all memory they ever lay in is
/// wiped.
struct Collector {
    bytes: Zeroizing<Vec<u8>>,
    length: usize,
}

impl Collector {
    fn new() -> Self {
        let mut bytes = Zeroizing::new(vec![0; ROOM]);
        bytes.iter_mut().take(1).for_each(|first| *first = VERSION);
        Self { bytes, length: 1 }
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
        self.bytes.truncate(self.length);
        Ok(Secret::new(core::mem::take(&mut *self.bytes)))
    }
}

/// Encodes a value.
pub(super) fn encode<T: Serialize>(value: &T) -> postcard::Result<Secret> {
    postcard::serialize_with_flavor(value, Collector::new())
}

/// Decodes what [`encode`] made.
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
}
