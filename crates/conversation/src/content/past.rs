//! What newcomers to a room are handed of what was said before they came.

use core::fmt;

use super::cbor::{Reader, Writer};
use super::message::MAX_MESSAGE;
use super::room::RoomWordError;
use super::shown::{MAX_NAME, clean_name};
use crate::branches::AccountId;

/// Messages in one letter.
pub const MAX_PAST: usize = 64;
/// Bytes of an account id.
const MAX_ACCOUNT: usize = 32;

/// Something that was said to all, as whoever hands it on has it. Nothing proves who
/// said it. `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Past {
    /// The account of who said it.
    pub account: AccountId,
    /// The public signature key of their leaf.
    pub key: [u8; 32],
    /// What they call themselves; empty if that is not known.
    pub name: String,
    /// The epoch in which it was said first.
    pub epoch: u64,
    /// The leaf that said it.
    pub leaf: u32,
    /// The message, as it was then.
    pub message: Vec<u8>,
}

impl fmt::Debug for Past {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Past(..)")
    }
}

impl Past {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(6)?;
        let account = AccountId::try_from(reader.bytes(MAX_ACCOUNT)?);
        Ok(Self {
            account: account.map_err(|_| RoomWordError::Account)?,
            key: reader.fixed()?,
            name: reader.text(MAX_NAME * 4)?.to_owned(),
            epoch: reader.unsigned()?,
            leaf: reader.unsigned()?,
            message: reader.bytes(MAX_MESSAGE)?.to_vec(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(6).bytes(self.account.as_bytes());
        writer.bytes(&self.key).text(&self.name);
        writer.unsigned(self.epoch).unsigned(self.leaf);
        writer.bytes(&self.message);
    }

    /// A name of which nothing can be seen is none: the message is not lost of it.
    pub(super) fn clean(&mut self) {
        self.name = clean_name(&self.name).unwrap_or_default();
    }
}
