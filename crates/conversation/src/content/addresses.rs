//! Telling a contact where I can be reached from now on.

use core::fmt;

use super::cbor::{Reader, SyntaxError, Writer, whole};

/// Media type of an update.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.addresses+cbor";
/// Version of the encoding without recovery addresses.
const VERSION: u64 = 1;
/// Version of the encoding with recovery addresses.
const WITH_RECOVERY: u64 = 2;
/// Addresses in one update.
pub const MAX_ADDRESSES: usize = 16;
/// Bytes of one encoded address.
pub const MAX_ADDRESS: usize = 2_560;
/// Bytes of an encoded update.
const MAX_UPDATE: usize = 2 * MAX_ADDRESSES * (MAX_ADDRESS + 3) + 16;

/// All addresses of one side of a conversation, replacing those told before.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AddressUpdate {
    /// Above that of every update before; a receiver ignores lower ones, since
    /// messages arrive in any order.
    pub revision: u64,
    /// `delivery::Address` values as that room encodes them; the receiver
    /// keeps those it understands. The preferred one first.
    pub addresses: Vec<Vec<u8>>,
    /// Where to write when none of `addresses` takes letters any more.
    pub recovery: Vec<Vec<u8>>,
}

/// Why something is no update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressUpdateError {
    /// Not the canonical CBOR of an update.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("addresses of newer version {0}")]
    Newer(u64),
}

impl AddressUpdate {
    /// Encodes as `[1, revision, [address, …]]`, with recovery addresses as
    /// `[2, revision, [address, …], [address, …]]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes an update.
    ///
    /// # Errors
    ///
    /// [`AddressUpdateError`] for anything but the canonical encoding of at
    /// most [`MAX_ADDRESSES`] addresses of at most [`MAX_ADDRESS`] bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, AddressUpdateError> {
        whole(bytes, MAX_UPDATE, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, AddressUpdateError> {
        let at = reader.at();
        let count = reader.array(64)?;
        let version = reader.unsigned()?;
        match (version, count) {
            (VERSION, 3) | (WITH_RECOVERY, 4) => {}
            (0 | VERSION | WITH_RECOVERY, _) => {
                return Err(SyntaxError::Count { at }.into());
            }
            (newer, _) => return Err(AddressUpdateError::Newer(newer)),
        }
        let revision = reader.unsigned()?;
        let addresses = read_list(reader)?;
        let at = reader.at();
        let recovery = match version {
            WITH_RECOVERY => read_list(reader)?,
            _ => Vec::new(),
        };
        // Without any, the first form is the one encoding.
        if version == WITH_RECOVERY && recovery.is_empty() {
            return Err(SyntaxError::Unexpected { at }.into());
        }
        Ok(Self {
            revision,
            addresses,
            recovery,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let lists: &[&[Vec<u8>]] = match self.recovery.as_slice() {
            [] => &[&self.addresses],
            recovery => &[&self.addresses, recovery],
        };
        let version = if lists.len() == 1 {
            VERSION
        } else {
            WITH_RECOVERY
        };
        writer.array(2 + lists.len()).unsigned(version);
        writer.unsigned(self.revision);
        for list in lists {
            write_list(list, writer);
        }
    }
}

/// Reads a list of addresses, here and in bundles.
pub(crate) fn read_list(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, SyntaxError> {
    let count = reader.array(MAX_ADDRESSES as u64)?;
    (0..count)
        .map(|_| reader.bytes(MAX_ADDRESS).map(<[u8]>::to_vec))
        .collect()
}

/// Writes a list of addresses.
pub(crate) fn write_list(addresses: &[Vec<u8>], writer: &mut Writer) {
    writer.array(addresses.len());
    for address in addresses {
        writer.bytes(address);
    }
}

impl fmt::Debug for AddressUpdate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressUpdate")
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_update_survives() {
        let update = AddressUpdate {
            revision: 7,
            addresses: vec![vec![1; 40], vec![2; 1_300]],
            recovery: Vec::new(),
        };
        assert_eq!(AddressUpdate::decode(&update.encode()), Ok(update.clone()));
        let update = AddressUpdate {
            recovery: vec![vec![3; 40]],
            ..update
        };
        assert_eq!(AddressUpdate::decode(&update.encode()), Ok(update));
    }

    #[test]
    fn there_is_one_encoding_and_newer_ones_are_named() {
        let empty_recovery = [0x84, 2, 1, 0x80, 0x80];
        assert!(AddressUpdate::decode(&empty_recovery).is_err());
        let newer = [0x81, 3];
        assert_eq!(
            AddressUpdate::decode(&newer),
            Err(AddressUpdateError::Newer(3))
        );
    }

    #[test]
    fn too_many_and_too_long_addresses_are_refused() {
        for addresses in [
            vec![vec![1]; MAX_ADDRESSES + 1],
            vec![vec![1; MAX_ADDRESS + 1]],
        ] {
            let update = AddressUpdate {
                revision: 0,
                addresses,
                recovery: Vec::new(),
            };
            assert!(AddressUpdate::decode(&update.encode()).is_err());
        }
    }

    #[test]
    fn debug_hides_addresses() {
        let update = AddressUpdate {
            revision: 7,
            addresses: vec![vec![65; 4]],
            recovery: Vec::new(),
        };
        assert_eq!(format!("{update:?}"), "AddressUpdate { revision: 7, .. }");
    }
}
