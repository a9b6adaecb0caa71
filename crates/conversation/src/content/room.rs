//! Rooms: asking somebody in, and what members tell each other beside what they
//! say.

mod entry;
mod error;

use core::fmt;

pub use entry::Entry;
pub use error::RoomWordError;

use super::cbor::{Reader, Writer, whole};
use super::device::{DeviceAnswer, DeviceCall};
use super::history::{Entitled, Piece, Place};
use super::message::MAX_MESSAGE;
use super::paired::Paired;
use super::past::{MAX_PAST, Past};
use super::readiness::Readiness;
use super::shared::{Begun, MAX_MINE, MAX_SHARED, Seen, Shared};
use super::shown::{MAX_NAME, clean_name};
use super::tally::{MAX_TALLIES, Tally};
use crate::ConversationId;
use crate::branches::AccountId;

/// Media type of all content about rooms.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.room+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of a key package.
const MAX_PACKAGE: usize = 8_192;
/// Bytes of the entry of a policy.
pub(super) const MAX_CLAIM: usize = 1_024;
/// Bytes of an account id.
const MAX_ACCOUNT: usize = 32;
/// Entries of one roster.
pub const MAX_ROSTER: usize = 64;
/// Names of what was passed on, in one letter.
pub const MAX_PASSED: usize = 256;

/// What is said about one room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomWord {
    /// Which one.
    pub room: ConversationId,
    /// What.
    pub step: RoomStep,
}

/// One thing said about a room. `Debug` hides names and addresses.
#[derive(Clone, PartialEq, Eq)]
pub enum RoomStep {
    /// Between two: do you want to be in it?
    Offer {
        /// What it calls itself.
        name: String,
        /// How many are in it.
        size: u32,
        /// The public signature key of the leaf that would welcome: a Welcome of
        /// another is none of this offer's.
        key: [u8; 32],
        /// Random: what comes with the same again is a repeat.
        id: [u8; 8],
    },
    /// The answer: yes, as this leaf, and here I am written to.
    Answer {
        /// The MLS KeyPackage message.
        package: Vec<u8>,
        /// Who I am in it.
        entry: Entry,
    },
    /// To who was just added: who is in it.
    Roster(Vec<Entry>),
    /// To all: here I am. Whose addresses I know in an older revision, or not at
    /// all, greets in turn.
    Greeting {
        /// Who I am.
        entry: Entry,
        /// Whose addresses I know, by the key of their leaf, and in which revision.
        known: Vec<([u8; 32], u64)>,
    },
    /// To all: I want to be removed.
    Leave,
    /// To one: which commits lead to the states whose names begin so?
    Ask([u8; 8]),
    /// To one: what I said to all, again.
    Again {
        /// The epoch in which it was said first.
        epoch: u64,
        /// The message, as it was then.
        message: Vec<u8>,
    },
    /// To a new device of mine that showed a link, before it is in any group.
    Call(DeviceCall),
    /// From a new device to the one that called it.
    Called(DeviceAnswer),
    /// From a herald: I passed these on, by the first bytes of the SHA-256 of each.
    Passed(Vec<[u8; 16]>),
    /// From a herald to an author: which leaves have what they said.
    Tallies(Vec<Tally>),
    /// To who was just added: what was said before.
    Past(Vec<Past>),
    /// Between two: I put a backup back, and want to be let in again as another leaf.
    Return,
    /// Between two: I put a backup back and founded this room in the place of another,
    /// of which nobody else is a steward. The entry of its policy that says so.
    Anew(Vec<u8>),
    /// Between two: I do not ask any more whether you want to be in it.
    Withdrawn,
    /// Among the devices of one account: let me into this conversation, as this leaf.
    Come {
        /// The MLS KeyPackage message.
        package: Vec<u8>,
        /// Who I am in it.
        entry: Entry,
        /// The signature of the leaf: that it is this device's.
        proof: [u8; 64],
    },
    /// Among the devices of one account: I am in these conversations.
    Share(Vec<Shared>),
    /// Among the devices of one account: I read up to there.
    Seen(Vec<Seen>),
    /// Among the devices of one account: I began to write this.
    Begun(Begun),
    /// To a device of mine: what was said in it before this place?
    Further(Place),
    /// To a device of mine: a piece of that.
    Piece(Piece),
    /// To a device of mine: these are handed what was said.
    Entitled(Vec<Entitled>),
    /// To all, or to one: the leaves with these keys are devices of mine.
    Mine(Vec<[u8; 32]>),
    /// To one: of the leaves with these keys I do not know where they are written to, or
    /// whose devices they are.
    Missing(Vec<[u8; 32]>),
    /// From a steward: are you there? Random: the answer bears the same.
    Roll([u8; 16]),
    /// To a steward: I am.
    Here {
        /// What it answers, or anything.
        mark: [u8; 16],
        /// Whether I pass on what others say, if I am asked to.
        readiness: Readiness,
    },
    /// Among stewards: this member is named to pass on by no program of its own accord, or may
    /// be again. A person said so.
    Dismissed {
        /// Whose account.
        account: AccountId,
        /// Whether they may not be.
        out: bool,
    },
    /// Between two: let this conversation go on as a pair, the one of this number at
    /// least. The room is the conversation.
    PairWanted(u32),
    /// Between two: this conversation is to go on as this pair.
    PairOffered {
        /// Which pair of this conversation it is.
        turn: u32,
        /// The public signature key of the leaf that will found it.
        key: [u8; 32],
        /// Random: what comes with the same again is a repeat.
        id: [u8; 8],
    },
    /// Among the devices of one account: I am in these pairs.
    Paired(Vec<Paired>),
}

impl fmt::Debug for RoomStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer { .. } => "Offer",
            Self::Answer { .. } => "Answer",
            Self::Roster(_) => "Roster",
            Self::Greeting { .. } => "Greeting",
            Self::Leave => "Leave",
            Self::Ask(_) => "Ask",
            Self::Again { .. } => "Again",
            Self::Call(_) => "Call",
            Self::Called(_) => "Called",
            Self::Passed(_) => "Passed",
            Self::Tallies(_) => "Tallies",
            Self::Past(_) => "Past",
            Self::Return => "Return",
            Self::Anew(_) => "Anew",
            Self::Withdrawn => "Withdrawn",
            Self::Come { .. } => "Come",
            Self::Share(_) => "Share",
            Self::Seen(_) => "Seen",
            Self::Begun(_) => "Begun",
            Self::Further(_) => "Further",
            Self::Piece(_) => "Piece",
            Self::Entitled(_) => "Entitled",
            Self::Mine(_) => "Mine",
            Self::Missing(_) => "Missing",
            Self::Roll(_) => "Roll",
            Self::Here { .. } => "Here",
            Self::Dismissed { .. } => "Dismissed",
            Self::PairWanted(_) => "PairWanted",
            Self::PairOffered { .. } => "PairOffered",
            Self::Paired(_) => "Paired",
        })
    }
}

impl RoomWord {
    /// Encodes as `[1, step, room, body]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes what is said about a room, and cleans its names.
    ///
    /// # Errors
    ///
    /// [`RoomWordError`] for anything but the canonical encoding of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, RoomWordError> {
        let mut word = whole(bytes, MAX_MESSAGE, Self::read, Self::write)?;
        match &mut word.step {
            RoomStep::Offer { name, .. } => *name = cleaned(name)?,
            RoomStep::Answer { entry, .. }
            | RoomStep::Come { entry, .. }
            | RoomStep::Greeting { entry, .. } => entry.clean()?,
            RoomStep::Call(said) => said.clean()?,
            RoomStep::Called(said) => said.clean()?,
            RoomStep::Roster(entries) => entries.iter_mut().try_for_each(Entry::clean)?,
            RoomStep::Past(all) => all.iter_mut().for_each(Past::clean),
            RoomStep::Piece(piece) => piece.clean(),
            RoomStep::Share(shared) => shared.iter_mut().try_for_each(Shared::clean)?,
            RoomStep::Paired(pairs) => pairs.iter_mut().try_for_each(Paired::clean)?,
            RoomStep::Leave
            | RoomStep::Ask(_)
            | RoomStep::Again { .. }
            | RoomStep::Passed(_)
            | RoomStep::Tallies(_)
            | RoomStep::Seen(_)
            | RoomStep::Begun(_)
            | RoomStep::Further(_)
            | RoomStep::Entitled(_)
            | RoomStep::Mine(_)
            | RoomStep::Missing(_)
            | RoomStep::Roll(_)
            | RoomStep::Here { .. }
            | RoomStep::Dismissed { .. }
            | RoomStep::Return
            | RoomStep::Anew(_)
            | RoomStep::PairWanted(_)
            | RoomStep::PairOffered { .. }
            | RoomStep::Withdrawn => {}
        }
        Ok(word)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        match reader.versioned(VERSION, 4)? {
            VERSION => {}
            newer => return Err(RoomWordError::Newer(newer)),
        }
        let step: u8 = reader.unsigned()?;
        let room = ConversationId(reader.fixed()?);
        let step = match step {
            0 => {
                reader.array_of(4)?;
                RoomStep::Offer {
                    name: reader.text(MAX_NAME * 4)?.to_owned(),
                    size: reader.unsigned()?,
                    key: reader.fixed()?,
                    id: reader.fixed()?,
                }
            }
            1 => {
                reader.array_of(2)?;
                RoomStep::Answer {
                    package: read_package(reader)?,
                    entry: Entry::read(reader)?,
                }
            }
            2 => {
                let count = reader.array(MAX_ROSTER as u64)?;
                let entries = (0..count).map(|_| Entry::read(reader));
                RoomStep::Roster(entries.collect::<Result<_, _>>()?)
            }
            3 => {
                reader.array_of(2)?;
                RoomStep::Greeting {
                    entry: Entry::read(reader)?,
                    known: read_known(reader)?,
                }
            }
            4 => {
                reader.array_of(0)?;
                RoomStep::Leave
            }
            5 => RoomStep::Ask(reader.fixed()?),
            6 => {
                reader.array_of(2)?;
                RoomStep::Again {
                    epoch: reader.unsigned()?,
                    message: reader.bytes(MAX_MESSAGE)?.to_vec(),
                }
            }
            7 => {
                let count = reader.array(MAX_PASSED as u64)?;
                let names = (0..count).map(|_| reader.fixed());
                RoomStep::Passed(names.collect::<Result<_, _>>()?)
            }
            8 => {
                let count = reader.array(MAX_TALLIES as u64)?;
                let tallies = (0..count).map(|_| Tally::read(reader));
                RoomStep::Tallies(tallies.collect::<Result<_, _>>()?)
            }
            9 => RoomStep::Call(DeviceCall::read(reader)?),
            14 => RoomStep::Called(DeviceAnswer::read(reader)?),
            18 => RoomStep::Further(reader.fixed()?),
            19 => RoomStep::Piece(Piece::read(reader)?),
            27 => RoomStep::Entitled(Entitled::read_all(reader)?),
            10 => {
                reader.array_of(0)?;
                RoomStep::Return
            }
            20 => RoomStep::Anew(reader.bytes(MAX_CLAIM)?.to_vec()),
            21 => {
                reader.array_of(0)?;
                RoomStep::Withdrawn
            }
            13 => {
                let count = reader.array(MAX_PAST as u64)?;
                let all = (0..count).map(|_| Past::read(reader));
                RoomStep::Past(all.collect::<Result<_, _>>()?)
            }
            11 => {
                reader.array_of(3)?;
                RoomStep::Come {
                    package: read_package(reader)?,
                    entry: Entry::read(reader)?,
                    proof: reader.fixed()?,
                }
            }
            12 => {
                let count = reader.array(MAX_SHARED as u64)?;
                let shared = (0..count).map(|_| Shared::read(reader));
                RoomStep::Share(shared.collect::<Result<_, _>>()?)
            }
            16 => RoomStep::Begun(Begun::read(reader)?),
            17 => RoomStep::Mine(read_keys(reader, MAX_MINE)?),
            28 => RoomStep::Missing(read_keys(reader, MAX_ROSTER)?),
            22 => RoomStep::Roll(reader.fixed()?),
            23 => {
                reader.array_of(2)?;
                RoomStep::Here {
                    mark: reader.fixed()?,
                    readiness: Readiness::read(reader)?,
                }
            }
            29 => {
                reader.array_of(2)?;
                RoomStep::Dismissed {
                    account: read_account(reader)?,
                    out: reader.bool()?,
                }
            }
            15 => {
                let count = reader.array(MAX_SHARED as u64)?;
                let seen = (0..count).map(|_| Seen::read(reader));
                RoomStep::Seen(seen.collect::<Result<_, _>>()?)
            }
            24 => RoomStep::PairWanted(reader.unsigned()?),
            25 => {
                reader.array_of(3)?;
                RoomStep::PairOffered {
                    turn: reader.unsigned()?,
                    key: reader.fixed()?,
                    id: reader.fixed()?,
                }
            }
            26 => {
                let count = reader.array(MAX_SHARED as u64)?;
                let pairs = (0..count).map(|_| Paired::read(reader));
                RoomStep::Paired(pairs.collect::<Result<_, _>>()?)
            }
            _ => return Err(RoomWordError::Step),
        };
        Ok(Self { room, step })
    }

    fn write(&self, writer: &mut Writer) {
        let mut head = |step: u8| {
            writer.array(4).unsigned(VERSION).unsigned(step);
            writer.bytes(&self.room.0);
        };
        match &self.step {
            RoomStep::Offer {
                name,
                size,
                key,
                id,
            } => {
                head(0);
                writer.array(4).text(name).unsigned(*size);
                writer.bytes(key).bytes(id);
            }
            RoomStep::Answer { package, entry } => {
                head(1);
                writer.array(2).bytes(package);
                entry.write(writer);
            }
            RoomStep::Roster(entries) => {
                head(2);
                writer.array(entries.len());
                entries.iter().for_each(|entry| entry.write(writer));
            }
            RoomStep::Greeting { entry, known } => {
                head(3);
                writer.array(2);
                entry.write(writer);
                writer.array(known.len());
                for (key, revision) in known {
                    writer.array(2).bytes(key);
                    writer.unsigned(*revision);
                }
            }
            RoomStep::Leave => {
                head(4);
                writer.array(0);
            }
            RoomStep::Ask(state) => {
                head(5);
                writer.bytes(state);
            }
            RoomStep::Again { epoch, message } => {
                head(6);
                writer.array(2).unsigned(*epoch).bytes(message);
            }
            RoomStep::Passed(names) => {
                head(7);
                writer.array(names.len());
                for name in names {
                    writer.bytes(name);
                }
            }
            RoomStep::Tallies(tallies) => {
                head(8);
                writer.array(tallies.len());
                tallies.iter().for_each(|tally| tally.write(writer));
            }
            RoomStep::Return => {
                head(10);
                writer.array(0);
            }
            RoomStep::Anew(claim) => {
                head(20);
                writer.bytes(claim);
            }
            RoomStep::Withdrawn => {
                head(21);
                writer.array(0);
            }
            RoomStep::Call(said) => {
                head(9);
                said.write(writer);
            }
            RoomStep::Called(said) => {
                head(14);
                said.write(writer);
            }
            RoomStep::Further(place) => {
                head(18);
                writer.bytes(place);
            }
            RoomStep::Piece(piece) => {
                head(19);
                piece.write(writer);
            }
            RoomStep::Entitled(all) => {
                head(27);
                Entitled::write_all(all, writer);
            }
            RoomStep::Past(all) => {
                head(13);
                writer.array(all.len());
                all.iter().for_each(|one| one.write(writer));
            }
            RoomStep::Come {
                package,
                entry,
                proof,
            } => {
                head(11);
                writer.array(3).bytes(package);
                entry.write(writer);
                writer.bytes(proof);
            }
            RoomStep::Share(shared) => {
                head(12);
                writer.array(shared.len());
                shared.iter().for_each(|one| one.write(writer));
            }
            RoomStep::PairWanted(turn) => {
                head(24);
                writer.unsigned(*turn);
            }
            RoomStep::PairOffered { turn, key, id } => {
                head(25);
                writer.array(3).unsigned(*turn);
                writer.bytes(key).bytes(id);
            }
            RoomStep::Paired(pairs) => {
                head(26);
                writer.array(pairs.len());
                pairs.iter().for_each(|one| one.write(writer));
            }
            RoomStep::Mine(keys) => {
                head(17);
                write_keys(keys, writer);
            }
            RoomStep::Missing(keys) => {
                head(28);
                write_keys(keys, writer);
            }
            RoomStep::Roll(mark) => {
                head(22);
                writer.bytes(mark);
            }
            RoomStep::Here { mark, readiness } => {
                head(23);
                writer.array(2).bytes(mark);
                readiness.write(writer);
            }
            RoomStep::Dismissed { account, out } => {
                head(29);
                writer.array(2).bytes(account.as_bytes()).bool(*out);
            }
            RoomStep::Begun(begun) => {
                head(16);
                begun.write(writer);
            }
            RoomStep::Seen(seen) => {
                head(15);
                writer.array(seen.len());
                seen.iter().for_each(|one| one.write(writer));
            }
        }
    }
}

pub(super) fn cleaned(name: &str) -> Result<String, RoomWordError> {
    clean_name(name).ok_or(RoomWordError::EmptyName)
}

pub(super) fn read_package(reader: &mut Reader<'_>) -> Result<Vec<u8>, RoomWordError> {
    Ok(reader.bytes(MAX_PACKAGE)?.to_vec())
}

pub(super) fn read_account(reader: &mut Reader<'_>) -> Result<AccountId, RoomWordError> {
    let account = AccountId::try_from(reader.bytes(MAX_ACCOUNT)?);
    account.map_err(|_| RoomWordError::Account)
}

fn read_keys(reader: &mut Reader<'_>, most: usize) -> Result<Vec<[u8; 32]>, RoomWordError> {
    let count = reader.array(most as u64)?;
    (0..count).map(|_| Ok(reader.fixed()?)).collect()
}

fn write_keys(keys: &[[u8; 32]], writer: &mut Writer) {
    writer.array(keys.len());
    for key in keys {
        writer.bytes(key);
    }
}

fn read_known(reader: &mut Reader<'_>) -> Result<Vec<([u8; 32], u64)>, RoomWordError> {
    let count = reader.array(MAX_ROSTER as u64)?;
    let known = (0..count).map(|_| {
        reader.array_of(2)?;
        Ok((reader.fixed()?, reader.unsigned()?))
    });
    known.collect()
}

#[cfg(test)]
mod tests;
