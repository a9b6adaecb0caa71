//! Telling a contact where I can be reached from now on.

use core::fmt;

use super::cbor::{Reader, SyntaxError, Writer, whole};

/// Media type of an update.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.addresses+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Addresses in one update.
pub const MAX_ADDRESSES: usize = 16;
/// Bytes of one encoded address.
pub const MAX_ADDRESS: usize = 2_560;
/// Bytes of an encoded update.
const MAX_UPDATE: usize = MAX_ADDRESSES * (MAX_ADDRESS + 3) + 16;

/// All addresses of one side of a conversation, replacing those told before.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AddressUpdate {
    /// Above that of every update before; a receiver ignores lower ones, since
    /// messages arrive in any order.
    pub revision: u64,
    /// `delivery::Address` values as that room encodes them; the receiver
    /// keeps those it understands.
    pub addresses: Vec<Vec<u8>>,
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
    /// Encodes as `[1, revision, [address, …]]`.
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
        match reader.versioned(VERSION, 3)? {
            VERSION => {}
            newer => return Err(AddressUpdateError::Newer(newer)),
        }
        let revision = reader.unsigned()?;
        Ok(Self {
            revision,
            addresses: read_list(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(3).unsigned(VERSION).unsigned(self.revision);
        write_list(&self.addresses, writer);
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
        };
        assert_eq!(AddressUpdate::decode(&update.encode()), Ok(update));
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
            };
            assert!(AddressUpdate::decode(&update.encode()).is_err());
        }
    }

    #[test]
    fn debug_hides_addresses() {
        let update = AddressUpdate {
            revision: 7,
            addresses: vec![vec![65; 4]],
        };
        assert_eq!(format!("{update:?}"), "AddressUpdate { revision: 7, .. }");
    }
}
