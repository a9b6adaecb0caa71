//! What a new device and an old one tell each other before they share a room.

use super::cbor::{Reader, Writer};
use super::room::{Entry, RoomWordError, cleaned, read_account, read_package};
use super::shown::MAX_NAME;
use crate::branches::AccountId;

/// To a new device that showed a link: you are to be of this account in the room of my
/// devices.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceCall {
    /// The account.
    pub account: AccountId,
    /// Who I am in it: a Welcome of another leaf is not mine.
    pub entry: Entry,
    /// What the profile is called, as it says.
    pub profile: String,
}

/// From the new device: yes, as this leaf.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceAnswer {
    /// The MLS KeyPackage message.
    pub package: Vec<u8>,
    /// Who I am in it.
    pub entry: Entry,
    /// What the profile is called, as it says.
    pub profile: String,
    /// The public signature key of the leaf that I was in that room, or in another, when
    /// the backup was made from which I was put back.
    pub before: Option<[u8; 32]>,
}

impl DeviceCall {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(3)?;
        Ok(Self {
            account: read_account(reader)?,
            entry: Entry::read(reader)?,
            profile: reader.text(MAX_NAME * 4)?.to_owned(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(3).bytes(self.account.as_bytes());
        self.entry.write(writer);
        writer.text(&self.profile);
    }

    pub(super) fn clean(&mut self) -> Result<(), RoomWordError> {
        self.profile = cleaned(&self.profile)?;
        self.entry.clean()
    }
}

impl DeviceAnswer {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(4)?;
        Ok(Self {
            package: read_package(reader)?,
            entry: Entry::read(reader)?,
            profile: reader.text(MAX_NAME * 4)?.to_owned(),
            before: read_before(reader)?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(4).bytes(&self.package);
        self.entry.write(writer);
        writer.text(&self.profile);
        writer.array(self.before.iter().len());
        if let Some(key) = &self.before {
            writer.bytes(key);
        }
    }

    pub(super) fn clean(&mut self) -> Result<(), RoomWordError> {
        self.profile = cleaned(&self.profile)?;
        self.entry.clean()
    }
}

/// At most one key.
fn read_before(reader: &mut Reader<'_>) -> Result<Option<[u8; 32]>, RoomWordError> {
    match reader.array(1)? {
        0 => Ok(None),
        _ => Ok(Some(reader.fixed()?)),
    }
}
