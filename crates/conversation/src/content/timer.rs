//! When messages of a conversation disappear, as one side says and both obey.

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::message::DecodeError;

/// Media type of a timer.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.timer+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of an encoded timer.
const MAX_ENCODED: usize = 16;
/// The longest time: that of the longest [`Expiration`](super::Expiration).
pub const MAX_TIMER: u32 = 366 * 24 * 60 * 60;

/// How long messages said from now on stay after they were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timer {
    /// Seconds, at most [`MAX_TIMER`]; 0 if they stay for good.
    pub seconds: u32,
}

/// Why something is no timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimerError {
    /// Not the canonical CBOR of a timer.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made by a newer program.
    #[error("timer of newer version {0}")]
    Newer(u64),
    /// Over a year.
    #[error("timer over a year")]
    TooLong,
}

impl From<SyntaxError> for TimerError {
    fn from(error: SyntaxError) -> Self {
        Self::Decode(error.into())
    }
}

impl Timer {
    /// Encodes as `[1, seconds]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes a timer.
    ///
    /// # Errors
    ///
    /// [`TimerError`] for anything but the canonical encoding of at most
    /// [`MAX_TIMER`] seconds.
    pub fn decode(bytes: &[u8]) -> Result<Self, TimerError> {
        whole(bytes, MAX_ENCODED, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, TimerError> {
        match reader.versioned(VERSION, 2)? {
            VERSION => {}
            newer => return Err(TimerError::Newer(newer)),
        }
        match reader.unsigned()? {
            seconds @ 0..=MAX_TIMER => Ok(Self { seconds }),
            _ => Err(TimerError::TooLong),
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(2).unsigned(VERSION).unsigned(self.seconds);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_survives_and_others_are_refused() {
        for seconds in [0, 1, 3_600, MAX_TIMER] {
            let timer = Timer { seconds };
            assert_eq!(Timer::decode(&timer.encode()), Ok(timer));
        }
        let long = Timer {
            seconds: MAX_TIMER + 1,
        };
        assert_eq!(Timer::decode(&long.encode()), Err(TimerError::TooLong));
        assert_eq!(Timer::decode(&[0x83, 2, 0, 0]), Err(TimerError::Newer(2)));
        for malformed in [&[][..], &[0x82, 1], &[0x82, 1, 0x18, 5], &[0x82, 1, 0x20]] {
            assert!(Timer::decode(malformed).is_err(), "{malformed:?}");
        }
    }
}
