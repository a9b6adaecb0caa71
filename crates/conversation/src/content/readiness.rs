//! Whether somebody passes on what others say, as they tell a steward.

use super::cbor::{Reader, Writer};
use super::room::RoomWordError;

/// Whether a member passes on what others say in a large group, or would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Yes.
    Ready,
    /// Not now: too much waits here already.
    Unable,
    /// Its owner does not want to.
    Unwilling,
}

impl Readiness {
    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, RoomWordError> {
        match reader.unsigned::<u8>()? {
            0 => Ok(Self::Ready),
            1 => Ok(Self::Unable),
            2 => Ok(Self::Unwilling),
            _ => Err(RoomWordError::Readiness),
        }
    }

    pub(super) fn write(self, writer: &mut Writer) {
        let number: u8 = match self {
            Self::Ready => 0,
            Self::Unable => 1,
            Self::Unwilling => 2,
        };
        writer.unsigned(number);
    }
}
