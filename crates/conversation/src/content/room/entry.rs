//! Who somebody in a room is, and where they are written to.

use core::fmt;

use super::{RoomWordError, cleaned};
use crate::content::addresses::{read_list, write_list};
use crate::content::cbor::{Reader, Writer};
use crate::content::shown::MAX_NAME;

/// Somebody in a room, as told. `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The public signature key of their leaf. Several leaves of one account are
    /// several devices, each with addresses of its own.
    pub key: [u8; 32],
    /// What they call themselves.
    pub name: String,
    /// The revision of the addresses, above that of all told before.
    pub revision: u64,
    /// `delivery::Address` values as that room encodes them, the preferred one
    /// first.
    pub addresses: Vec<Vec<u8>>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entry(..)")
    }
}

impl Entry {
    pub(in crate::content) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(4)?;
        Ok(Self {
            key: reader.fixed()?,
            name: reader.text(MAX_NAME * 4)?.to_owned(),
            revision: reader.unsigned()?,
            addresses: read_list(reader)?,
        })
    }

    pub(in crate::content) fn write(&self, writer: &mut Writer) {
        writer.array(4).bytes(&self.key);
        writer.text(&self.name).unsigned(self.revision);
        write_list(&self.addresses, writer);
    }

    pub(in crate::content) fn clean(&mut self) -> Result<(), RoomWordError> {
        self.name = cleaned(&self.name)?;
        Ok(())
    }
}
