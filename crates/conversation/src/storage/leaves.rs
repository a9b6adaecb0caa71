//! As which leaf each other device of the account is in which conversation, so that a
//! device that is thrown out can be thrown out everywhere.
//!
//! It lies in a setting.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use crate::ConversationId;

/// The setting.
const NAME: &str = "leaves of devices";
/// Leaves of one device that are remembered, the last ones.
pub const MOST_LEAVES_KNOWN: usize = 128;
/// Leaves of all devices that ever were, the last ones.
const MOST_IN_ALL: usize = 1_024;
/// Devices that were thrown out and are remembered, the last ones.
const MOST_REVOKED: usize = 64;

/// The leaves of other devices, as they proved them. `Debug` hides them.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeavesRecord {
    /// What each is.
    pub leaves: Vec<LeafRecord>,
    /// The devices that a person threw out here.
    pub revoked: Vec<RevokedRecord>,
    /// When a device was thrown out last, here or by another.
    #[serde(with = "millis")]
    pub thrown_out: Timestamp,
}

/// A leaf of another device. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeafRecord {
    /// The device, by the public signature key of its leaf in the device room.
    pub device: Vec<u8>,
    /// The conversation.
    pub conversation: ConversationId,
    /// The account it is of there.
    pub account: Vec<u8>,
    /// The public signature key of its leaf there.
    pub key: [u8; 32],
}

/// A device that was thrown out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedRecord {
    /// The device, as above.
    pub device: Vec<u8>,
    /// When.
    #[serde(with = "millis")]
    pub at: Timestamp,
}

impl core::fmt::Debug for LeavesRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LeavesRecord(..)")
    }
}

impl core::fmt::Debug for LeafRecord {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("LeafRecord(..)")
    }
}

impl LeavesRecord {
    /// What is known.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        let body = storage.setting(NAME)?.filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.put_setting(NAME, &self.encode())
    }

    /// Nothing is known of devices: whoever put a backup back begins with none.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.remove_setting(NAME)
    }

    /// Remembers a leaf that was proved; whether that is news. The first proof of a leaf
    /// stands. Where there are too many the first goes that is not `there`: nothing a
    /// device says has what it said of a leaf forgotten that has to go with it.
    pub fn note(&mut self, leaf: LeafRecord, there: impl Fn(&LeafRecord) -> bool) -> bool {
        let same = |one: &LeafRecord| one.conversation == leaf.conversation && one.key == leaf.key;
        if self.leaves.iter().any(same) {
            return false;
        }
        let many = self.of(&leaf.device).count() >= MOST_LEAVES_KNOWN;
        if many || self.leaves.len() >= MOST_IN_ALL {
            let may_go = |one: &LeafRecord| (!many || one.device == leaf.device) && !there(one);
            let Some(first) = self.leaves.iter().position(may_go) else {
                return false;
            };
            self.leaves.remove(first);
        }
        self.leaves.push(leaf);
        true
    }

    /// The leaves of a device.
    pub fn of<'a>(&'a self, device: &'a [u8]) -> impl Iterator<Item = &'a LeafRecord> {
        self.leaves.iter().filter(move |one| one.device == device)
    }

    /// The leaves in a conversation.
    pub fn within(&self, conversation: ConversationId) -> impl Iterator<Item = &LeafRecord> {
        let leaves = self.leaves.iter();
        leaves.filter(move |one| one.conversation == conversation)
    }

    /// A person throws a device out.
    pub fn revoke(&mut self, device: &[u8], at: Timestamp) {
        self.thrown_out = at;
        self.revoked.retain(|one| one.device != device);
        if self.revoked.len() >= MOST_REVOKED {
            self.revoked.remove(0);
        }
        let device = device.to_vec();
        self.revoked.push(RevokedRecord { device, at });
    }

    /// Whether a device was thrown out.
    #[must_use]
    pub fn is_revoked(&self, device: &[u8]) -> bool {
        self.revoked.iter().any(|one| one.device == device)
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
        codec::decode(body, "reading the leaves of devices")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(device: u8, conversation: u16, key: u8) -> LeafRecord {
        let [high, low] = conversation.to_be_bytes();
        let mut name = [0; 16];
        (name[0], name[1]) = (high, low);
        LeafRecord {
            device: vec![device; 32],
            conversation: ConversationId(name),
            account: vec![6; 16],
            key: [key; 32],
        }
    }

    fn nowhere(_: &LeafRecord) -> bool {
        false
    }

    #[test]
    fn the_first_proof_of_a_leaf_stands() {
        let mut known = LeavesRecord::default();
        assert!(known.note(leaf(1, 1, 1), nowhere) && known.note(leaf(2, 1, 2), nowhere));
        assert!(!known.note(leaf(1, 1, 1), nowhere) && !known.note(leaf(2, 1, 1), nowhere));
        assert!(known.note(leaf(1, 1, 3), nowhere) && known.note(leaf(1, 2, 4), nowhere));
        let of: Vec<_> = known.of(&[1; 32]).cloned().collect();
        assert_eq!(of, [leaf(1, 1, 1), leaf(1, 1, 3), leaf(1, 2, 4)]);
        known.revoke(&[1; 32], Timestamp::from_secs(4));
        assert_eq!(known.thrown_out, Timestamp::from_secs(4));
        assert!(known.is_revoked(&[1; 32]) && !known.is_revoked(&[2; 32]));
        let body = known.encode();
        assert_eq!(LeavesRecord::decode(&body).unwrap(), known);
        assert!((0..body.len()).all(|end| LeavesRecord::decode(&body[..end]).is_err()));
    }

    #[test]
    fn who_tells_of_leaves_without_end_pushes_out_nobody_elses() {
        let mut known = LeavesRecord::default();
        known.note(leaf(2, 1, 9), nowhere);
        for conversation in 0..2_000 {
            known.note(leaf(1, conversation, 1), nowhere);
        }
        assert_eq!(known.leaves.len(), 1 + MOST_LEAVES_KNOWN);
        assert_eq!(known.leaves.first(), Some(&leaf(2, 1, 9)));
        // What it told last is known.
        assert_eq!(known.leaves.last(), Some(&leaf(1, 1_999, 1)));
        for device in 3..100 {
            for conversation in 0..100 {
                known.note(leaf(device, conversation, device), nowhere);
            }
        }
        assert_eq!(known.leaves.len(), MOST_IN_ALL);
    }

    #[test]
    fn no_device_has_the_proof_of_a_leaf_forgotten_that_is_there() {
        let mut known = LeavesRecord::default();
        let there = |one: &LeafRecord| *one == leaf(1, 1, 9);
        assert!(known.note(leaf(1, 1, 9), there));
        for conversation in 0..2_000 {
            assert!(known.note(leaf(1, conversation, 1), there));
        }
        assert_eq!(known.leaves.len(), MOST_LEAVES_KNOWN);
        assert_eq!(known.leaves.first(), Some(&leaf(1, 1, 9)));
        assert!(!known.note(leaf(1, 1, 2), |_| true), "no place");
    }
}
