//! How MLS state becomes bytes: a version byte, then postcard.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version byte of all values.
const VERSION: u8 = 1;
/// Bytes with room for most values: the message secrets of a conversation,
/// written with each message, take about 8 KB.
const ROOM: usize = 10_240;

/// Collects encoded bytes behind the version byte. Most values are long lists
/// of single bytes to serde, and this is written with each message, so a byte
/// must cost no call.
struct Collector {
    bytes: Vec<u8>,
    length: usize,
}

impl Collector {
    fn new() -> Self {
        let mut bytes = vec![0; ROOM];
        bytes.iter_mut().take(1).for_each(|first| *first = VERSION);
        Self { bytes, length: 1 }
    }

    #[cold]
    fn grow(&mut self, more: usize) {
        let length = (self.bytes.len() * 2).max(self.length + more);
        self.bytes.resize(length, 0);
    }
}

impl Flavor for Collector {
    type Output = Vec<u8>;

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

    fn finalize(mut self) -> postcard::Result<Vec<u8>> {
        self.bytes.truncate(self.length);
        Ok(self.bytes)
    }
}

/// Encodes a value.
pub(super) fn encode<T: Serialize>(value: &T) -> postcard::Result<Vec<u8>> {
    postcard::serialize_with_flavor(value, Collector::new())
}

/// Decodes what [`encode`] made.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match bytes.split_first() {
        Some((&VERSION, body)) => postcard::from_bytes(body).ok(),
        _ => None,
    }
}

/// The scope or key that a name of openmls leads to.
pub(super) fn key<K: Serialize>(name: &K) -> Vec<u8> {
    // Memory takes everything; names are plain structures.
    postcard::to_allocvec(name).unwrap_or_default()
}
