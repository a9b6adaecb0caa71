//! What a device tells the others of its account of a conversation it is in, and of
//! what it read and began to write there.

use core::fmt;

use super::cbor::{Reader, Writer};
use super::room::{MAX_CLAIM, RoomWordError};
use super::shown::{MAX_NAME, MAX_TEXT, clean_name};
use crate::branches::AccountId;
use crate::{ConversationId, MessageId};

/// Conversations told of in one letter.
pub const MAX_SHARED: usize = 16;
/// Leaves that one says are its own other devices.
pub const MAX_MINE: usize = 8;
/// What an epoch or a counter of a message can be at most.
const MOST_PLACE: u64 = i64::MAX as u64;
/// Bytes of an account id.
const MAX_ACCOUNT: usize = 32;

/// A conversation that a device is in. `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Shared {
    /// Which one.
    pub room: ConversationId,
    /// The account that all its devices are there.
    pub account: AccountId,
    /// The public signature key of its leaf: a Welcome of another is not its.
    pub key: [u8; 32],
    /// What the conversation calls itself.
    pub name: String,
    /// What the account is called in it.
    pub my_name: String,
    /// The signature of that leaf: that it is this device's.
    pub proof: [u8; 64],
    /// The entry of its policy that says in whose place it was founded, if in one's.
    pub before: Vec<u8>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared(..)")
    }
}

impl Shared {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(7)?;
        let room = ConversationId(reader.fixed()?);
        let account = AccountId::try_from(reader.bytes(MAX_ACCOUNT)?);
        Ok(Self {
            room,
            account: account.map_err(|_| RoomWordError::Account)?,
            key: reader.fixed()?,
            name: reader.text(MAX_NAME * 4)?.to_owned(),
            my_name: reader.text(MAX_NAME * 4)?.to_owned(),
            proof: reader.fixed()?,
            before: reader.bytes(MAX_CLAIM)?.to_vec(),
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(7).bytes(&self.room.0);
        writer.bytes(self.account.as_bytes()).bytes(&self.key);
        writer.text(&self.name).text(&self.my_name);
        writer.bytes(&self.proof);
        writer.bytes(&self.before);
    }

    pub(super) fn clean(&mut self) -> Result<(), RoomWordError> {
        for name in [&mut self.name, &mut self.my_name] {
            *name = clean_name(name).ok_or(RoomWordError::EmptyName)?;
        }
        Ok(())
    }
}

/// Up to where a device read. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Seen {
    /// In which conversation.
    pub room: ConversationId,
    /// The epoch of the last message it read.
    pub epoch: u64,
    /// The Lamport counter of that.
    pub lamport: u64,
    /// The leaf it is of.
    pub leaf: u32,
    /// Its id.
    pub message: MessageId,
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seen(..)")
    }
}

impl Seen {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(5)?;
        let room = ConversationId(reader.fixed()?);
        // No store has room for more, and nothing is there.
        let place: [u64; 2] = [reader.unsigned()?, reader.unsigned()?];
        let [epoch, lamport] = match place.iter().all(|part| *part <= MOST_PLACE) {
            true => place,
            false => return Err(RoomWordError::Place),
        };
        let leaf = reader.unsigned()?;
        let id: [u8; 32] = reader.fixed()?;
        Ok(Self {
            room,
            epoch,
            lamport,
            leaf,
            message: MessageId::from_bytes(&id).map_err(|_| RoomWordError::Message)?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(5).bytes(&self.room.0);
        writer.unsigned(self.epoch).unsigned(self.lamport);
        writer.unsigned(self.leaf).bytes(self.message.as_bytes());
    }
}

/// What a device began to write. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Begun {
    /// In which conversation.
    pub room: ConversationId,
    /// The text so far; empty if nothing is to be kept.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Begun(..)")
    }
}

impl Begun {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(3)?;
        let room = ConversationId(reader.fixed()?);
        let text = reader.text(MAX_TEXT)?.to_owned();
        let reply_to = match reader.bytes(32)? {
            [] => None,
            id => Some(MessageId::from_bytes(id).map_err(|_| RoomWordError::Message)?),
        };
        Ok(Self {
            room,
            text,
            reply_to,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        let reply_to = self.reply_to.as_ref();
        writer.array(3).bytes(&self.room.0).text(&self.text);
        writer.bytes(reply_to.map_or(&[], |id| id.as_bytes().as_slice()));
    }
}
