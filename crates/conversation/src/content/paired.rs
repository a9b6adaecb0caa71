//! What a device tells the others of its account of a contact, whose conversation goes on
//! as a pair that it is in.

use core::fmt;

use super::cbor::{Reader, Writer};
use super::room::RoomWordError;
use super::shared::Shared;
use crate::ConversationId;

/// A pair that a device is in, and with whom. `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Paired {
    /// The pair. What it calls itself is what the contact is called.
    pub shared: Shared,
    /// The conversation that goes on as it.
    pub conversation: ConversationId,
    /// Which pair of that conversation it is.
    pub turn: u32,
    /// The public signature keys that the safety number is made of: of the account's
    /// device that knows the contact, and theirs.
    pub keys: [[u8; 32]; 2],
    /// Whether the safety number was compared.
    pub verified: bool,
    /// Whether nothing is to be heard from the contact.
    pub blocked: bool,
    /// Above that of all that this device told of the contact before.
    pub revision: u64,
}

impl fmt::Debug for Paired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Paired(..)")
    }
}

impl Paired {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(7)?;
        let shared = Shared::read(reader)?;
        let conversation = ConversationId(reader.fixed()?);
        let turn = reader.unsigned()?;
        let keys = [reader.fixed()?, reader.fixed()?];
        // Of what can be marked: verified 1, blocked 2.
        let marks: u8 = reader.unsigned()?;
        if marks > 3 {
            return Err(RoomWordError::Step);
        }
        Ok(Self {
            shared,
            conversation,
            turn,
            keys,
            verified: marks & 1 > 0,
            blocked: marks & 2 > 0,
            revision: reader.unsigned()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(7);
        self.shared.write(writer);
        writer.bytes(&self.conversation.0).unsigned(self.turn);
        self.keys.iter().for_each(|key| {
            writer.bytes(key);
        });
        let marks = u8::from(self.verified) | u8::from(self.blocked) << 1;
        writer.unsigned(marks).unsigned(self.revision);
    }

    pub(super) fn clean(&mut self) -> Result<(), RoomWordError> {
        self.shared.clean()
    }
}
