//! Which members of a room say that others are devices of theirs, and whose device was who
//! is gone.
//!
//! It lies in a setting of its own, written only where somebody has several.

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec;
use crate::{MemberId, RoomId};

/// What members of a room say of others. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KinRecord {
    /// Who says so, and of which leaves, by public signature key.
    pub claims: Vec<(MemberId, Vec<[u8; 32]>)>,
    /// Who is gone, and by whom their owner was known then.
    pub former: Vec<(MemberId, MemberId)>,
}

impl core::fmt::Debug for KinRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("KinRecord(..)")
    }
}

impl KinRecord {
    /// Those of a room.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, room: RoomId) -> Result<Self, StorageError> {
        let body = storage.setting(&kin_of(room))?;
        let body = body.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes those of a room.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, room: RoomId) -> Result<(), StorageError> {
        match *self == Self::default() {
            true => storage.remove_setting(&kin_of(room)),
            false => storage.put_setting(&kin_of(room), &self.encode()),
        }
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading whose devices are in a room")
    }
}

fn kin_of(room: RoomId) -> String {
    format!("devices in room {}", room.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn they_survive_in_their_room_and_damage_is_told() {
        let mut storage = MemoryStorage::new();
        let record = KinRecord {
            claims: vec![(MemberId(7), vec![[1; 32]]), (MemberId(9), vec![])],
            former: vec![(MemberId(3), MemberId(7))],
        };
        record.put(&mut storage, RoomId(3)).unwrap();
        assert_eq!(KinRecord::of(&storage, RoomId(3)).unwrap(), record);
        let none = KinRecord::default();
        assert_eq!(KinRecord::of(&storage, RoomId(4)).unwrap(), none);
        let body = record.encode();
        assert!((0..body.len()).all(|end| KinRecord::decode(&body[..end]).is_err()));
        none.put(&mut storage, RoomId(3)).unwrap();
        assert_eq!(KinRecord::of(&storage, RoomId(3)).unwrap(), none);
    }
}
