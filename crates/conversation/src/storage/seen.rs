//! Up to where another device of mine read in a room.
//!
//! It lies in a setting: what is read there may come here later.

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};

use super::message::Position;
use super::{Storage, codec};
use crate::{MessageId, RoomId};

/// The last message that was read elsewhere. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRecord {
    epoch: u64,
    lamport: u64,
    leaf: u32,
    id: Vec<u8>,
}

impl core::fmt::Debug for SeenRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("SeenRecord(..)")
    }
}

impl SeenRecord {
    /// Read up to there.
    #[must_use]
    pub fn at(position: &Position) -> Self {
        Self {
            epoch: position.epoch,
            lamport: position.lamport,
            leaf: position.leaf,
            id: position.id.as_bytes().to_vec(),
        }
    }

    /// Where that is; `None` if no message is called so.
    #[must_use]
    pub fn position(&self) -> Option<Position> {
        Some(Position {
            epoch: self.epoch,
            lamport: self.lamport,
            leaf: self.leaf,
            id: MessageId::from_bytes(&self.id).ok()?,
        })
    }

    /// Up to where it was read in a room, if anything was.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, room: RoomId) -> Result<Option<Position>, StorageError> {
        let body = storage.setting(&seen_in(room))?;
        let body = body.filter(|body| !body.is_empty());
        let record = body.map(|body| Self::decode(&body)).transpose()?;
        Ok(record.and_then(|record| record.position()))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, room: RoomId) -> Result<(), StorageError> {
        storage.put_setting(&seen_in(room), &self.encode())
    }

    /// Nothing of a room is remembered any more.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, room: RoomId) -> Result<(), StorageError> {
        storage.remove_setting(&seen_in(room))
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
        codec::decode(body, "reading what was read elsewhere")
    }
}

fn seen_in(room: RoomId) -> String {
    format!("read elsewhere in room {}", room.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::MemoryStorage;

    #[test]
    fn it_survives_in_its_room_and_damage_is_told() {
        let mut storage = MemoryStorage::new();
        let position = Position {
            epoch: 3,
            lamport: 8,
            leaf: 1,
            id: MessageId::from_bytes(&[1; 32]).unwrap(),
        };
        let record = SeenRecord::at(&position);
        record.put(&mut storage, RoomId(5)).unwrap();
        assert_eq!(SeenRecord::of(&storage, RoomId(5)).unwrap(), Some(position));
        assert_eq!(SeenRecord::of(&storage, RoomId(6)).unwrap(), None);
        let body = record.encode();
        assert!((0..body.len()).all(|end| SeenRecord::decode(&body[..end]).is_err()));
        SeenRecord::clear(&mut storage, RoomId(5)).unwrap();
        assert_eq!(SeenRecord::of(&storage, RoomId(5)).unwrap(), None);
    }
}
