//! Bodies of records: a version byte, then postcard.

use hushwing_sansio::StorageError;
use postcard::ser_flavors::Size;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Version byte of all bodies this program writes.
const VERSION: u8 = 1;

/// Encodes a body. It may hold secrets, which whoever writes it has to wipe, so
/// it is made in one piece: growing would leave copies behind.
pub(super) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Memory takes everything, and no record holds what postcard refuses
    // (sequences of unknown length); an empty body would be read as damage.
    let length = postcard::serialize_with_flavor(value, Size::default()).unwrap_or_default();
    let mut body = Vec::with_capacity(1 + length);
    body.push(VERSION);
    postcard::to_extend(value, body).unwrap_or_default()
}

/// Decodes what [`encode`] made.
pub(super) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    what: &'static str,
) -> Result<T, StorageError> {
    match bytes.split_first() {
        Some((&VERSION, body)) => {
            postcard::from_bytes(body).map_err(|error| StorageError::corrupt(what).because(error))
        }
        _ => Err(StorageError::corrupt(what)),
    }
}

/// Serialises a [`Timestamp`](hushwing_sansio::Timestamp) as milliseconds.
pub(super) mod millis {
    use hushwing_sansio::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(in crate::storage) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.as_millis().serialize(serializer)
    }

    pub(in crate::storage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        u64::deserialize(deserializer).map(Timestamp::from_millis)
    }
}

/// Serialises an optional [`Timestamp`](hushwing_sansio::Timestamp).
pub(super) mod optional_millis {
    use hushwing_sansio::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(in crate::storage) fn serialize<S: Serializer>(
        time: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        time.map(Timestamp::as_millis).serialize(serializer)
    }

    pub(in crate::storage) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        Option::<u64>::deserialize(deserializer).map(|time| time.map(Timestamp::from_millis))
    }
}
