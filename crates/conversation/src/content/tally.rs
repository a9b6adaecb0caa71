//! What a herald tells of many at once: which leaves have a message.

use std::collections::BTreeSet;

use super::cbor::{Reader, Writer};
use super::id::MessageId;
use super::room::RoomWordError;

/// Messages in one letter of counts.
pub const MAX_TALLIES: usize = 64;
/// Bytes of a set of leaves: as many as a group can have.
const MAX_SET: usize = 125;

/// Whom a message reached, of those that a herald looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Which message.
    pub message: MessageId,
    /// The leaves that have it.
    pub delivered: BTreeSet<u32>,
    /// Those that read it.
    pub read: BTreeSet<u32>,
}

impl Tally {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(3)?;
        let id: [u8; 32] = reader.fixed()?;
        Ok(Self {
            message: MessageId::from_bytes(&id).map_err(|_| RoomWordError::Tally)?,
            delivered: read_set(reader.bytes(MAX_SET)?)?,
            read: read_set(reader.bytes(MAX_SET)?)?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(3).bytes(self.message.as_bytes());
        writer.bytes(&written_set(&self.delivered));
        writer.bytes(&written_set(&self.read));
    }
}

/// Leaf *i* is the bit 0x80 >> (*i* mod 8) of byte *i* / 8; the last byte is not 0.
fn read_set(bytes: &[u8]) -> Result<BTreeSet<u32>, RoomWordError> {
    if bytes.last() == Some(&0) {
        return Err(RoomWordError::Tally);
    }
    let bits = (0_u32..).zip(bytes).flat_map(|(at, byte)| {
        let set = (0..8).filter(move |bit| byte & (0x80 >> bit) != 0);
        set.map(move |bit| at * 8 + bit)
    });
    Ok(bits.collect())
}

/// Leaves beyond what a set can hold are left out.
fn written_set(leaves: &BTreeSet<u32>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for leaf in leaves {
        let at = usize::try_from(leaf / 8).unwrap_or(MAX_SET);
        if at >= MAX_SET {
            break;
        }
        bytes.resize(bytes.len().max(at + 1), 0);
        if let Some(byte) = bytes.get_mut(at) {
            *byte |= 0x80 >> (leaf % 8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_leaves_has_one_form() {
        for leaves in [vec![], vec![0], vec![7, 8], vec![0, 9, 499, 999]] {
            let leaves: BTreeSet<u32> = leaves.into_iter().collect();
            assert_eq!(read_set(&written_set(&leaves)), Ok(leaves));
        }
        assert_eq!(written_set(&BTreeSet::from([0, 9])), [0x80, 0x40]);
        assert_eq!(read_set(&[0x80, 0]), Err(RoomWordError::Tally));
        assert!(written_set(&BTreeSet::from([1_000])).is_empty());
    }
}
