//! History between devices of one account: asked for and handed over in pieces.

use core::fmt;

use hushwing_sansio::Timestamp;

use super::cbor::{Reader, Writer};
use super::past::{MAX_PAST, Past};
use super::room::RoomWordError;

/// Devices named in one word.
pub const MAX_ENTITLED: usize = 8;

/// The name of a place in the order of a group, the same on all devices: epoch, counter, leaf
/// and message id.
pub type Place = [u8; 52];

/// One piece of what was said in a group, newest first. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Piece {
    /// Before which place it was asked for.
    pub asked: Place,
    /// How it goes on.
    pub next: Next,
    /// Each text, and what changed it after it.
    pub past: Vec<Past>,
}

/// How it goes on behind a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// There is no more.
    End,
    /// Not by me: perhaps by another device, or later.
    Elsewhere,
    /// Before this place.
    Before(Place),
}

/// A device that is handed what was said. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entitled {
    /// By the public signature key of its leaf in the device room.
    pub device: [u8; 32],
    /// Nothing that was said before this.
    pub since: Timestamp,
}

impl fmt::Debug for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Piece(..)")
    }
}

impl fmt::Debug for Entitled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entitled(..)")
    }
}

impl Piece {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        reader.array_of(3)?;
        let asked = reader.fixed()?;
        let next = Next::read(reader)?;
        let count = reader.array(MAX_PAST as u64)?;
        let past = (0..count).map(|_| Past::read(reader));
        Ok(Self {
            asked,
            next,
            past: past.collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.array(3).bytes(&self.asked);
        self.next.write(writer);
        writer.array(self.past.len());
        self.past.iter().for_each(|one| one.write(writer));
    }

    pub(super) fn clean(&mut self) {
        self.past.iter_mut().for_each(Past::clean);
    }
}

impl Next {
    fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        let items = reader.array(2)?;
        match (items, reader.unsigned()?) {
            (1, 0_u64) => Ok(Self::End),
            (1, 1) => Ok(Self::Elsewhere),
            (2, 2) => Ok(Self::Before(reader.fixed()?)),
            _ => Err(RoomWordError::Place),
        }
    }

    fn write(self, writer: &mut Writer) {
        match self {
            Self::End => writer.array(1).unsigned(0_u64),
            Self::Elsewhere => writer.array(1).unsigned(1_u64),
            Self::Before(place) => writer.array(2).unsigned(2_u64).bytes(&place),
        };
    }
}

impl Entitled {
    pub(super) fn read_all(reader: &mut Reader<'_>) -> Result<Vec<Self>, RoomWordError> {
        let count = reader.array(MAX_ENTITLED as u64)?;
        let all = (0..count).map(|_| {
            reader.array_of(2)?;
            Ok(Self {
                device: reader.fixed()?,
                since: Timestamp::from_millis(reader.unsigned()?),
            })
        });
        all.collect()
    }

    pub(super) fn write_all(all: &[Self], writer: &mut Writer) {
        writer.array(all.len());
        for one in all {
            writer.array(2).bytes(&one.device);
            writer.unsigned(one.since.as_millis());
        }
    }
}
