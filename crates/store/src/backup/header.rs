//! The first bytes of a backup, version 1.
//!
//! ```text
//!   0    4  "HWBK"
//!   4    1  version, 1
//!   5    1  1 a passphrase opens it, 2 a recovery code
//!   6  114  the master key, wrapped: a key file with its own sum
//! 120    8  first bytes of SHA-256 over all before
//! ```
//!
//! The sum tells damage from a wrong passphrase. What protects these bytes against
//! a forger is that the key of all that follows is derived from them.

use std::fmt;

use crate::backup::RestoreError;
use crate::keys::KeyError;
use crate::keys::format::{Content, Wrapped, sum};

const MAGIC: &[u8; 4] = b"HWBK";
const VERSION: u8 = 1;
const SUM: usize = 8;
/// Bytes before the sum.
const BODY: usize = 120;
/// Bytes of the whole.
pub(super) const HEADER: usize = BODY + SUM;

/// What opens a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lock {
    /// A passphrase somebody chose.
    Passphrase,
    /// A recovery code that was drawn.
    Code,
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passphrase => "passphrase",
            Self::Code => "recovery code",
        })
    }
}

/// What the header says.
pub(super) struct Header {
    pub(super) lock: Lock,
    pub(super) wrapped: Wrapped,
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.push(match self.lock {
            Lock::Passphrase => 1,
            Lock::Code => 2,
        });
        out.extend_from_slice(&Content::Wrapped(self.wrapped.clone()).encode());
        let sum = sum(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads what [`Header::encode`] wrote, which is exactly [`HEADER`] bytes.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, RestoreError> {
        let rest = bytes.strip_prefix(MAGIC);
        let (version, rest) = rest
            .and_then(<[u8]>::split_first)
            .ok_or(RestoreError::NotABackup)?;
        if *version > VERSION {
            return Err(RestoreError::Newer(*version));
        }
        let (body, stored) = bytes
            .split_last_chunk::<SUM>()
            .ok_or(RestoreError::Damaged)?;
        if *version != VERSION || body.len() != BODY || sum(body) != *stored {
            return Err(RestoreError::Damaged);
        }
        let lock = match rest.first() {
            Some(1) => Lock::Passphrase,
            Some(2) => Lock::Code,
            _ => return Err(RestoreError::Damaged),
        };
        match Content::decode(body.get(6..).unwrap_or_default()) {
            Ok(Content::Wrapped(ref wrapped)) => Ok(Self {
                lock,
                wrapped: wrapped.clone(),
            }),
            Err(KeyError::Newer(version)) => Err(RestoreError::Newer(version)),
            _ => Err(RestoreError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::keys::Cost;

    fn header() -> Vec<u8> {
        let wrapped = Wrapped {
            cost: Cost::STANDARD,
            salt: [1; 16],
            nonce: [2; 24],
            key: [3; 32],
            tag: [4; 16],
        };
        let lock = Lock::Code;
        Header { lock, wrapped }.encode()
    }

    #[test]
    fn a_header_survives_encoding() {
        let bytes = header();
        assert_eq!(bytes.len(), HEADER);
        assert_eq!(Header::decode(&bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        let bytes = header();
        for at in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {at}");
        }
        for end in 0..bytes.len() {
            assert!(Header::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn what_is_no_backup_and_what_is_newer_are_told_apart_from_damage() {
        let refused = |bytes: &[u8]| Header::decode(bytes).err().unwrap();
        assert!(matches!(
            refused(b"PK\x03\x04 and so on"),
            RestoreError::NotABackup
        ));
        let mut newer = header();
        newer[4] = 2;
        assert!(matches!(refused(&newer), RestoreError::Newer(2)));
        newer[4] = 0;
        assert!(matches!(refused(&newer), RestoreError::Damaged));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
            prop_assert!(Header::decode(&bytes).is_err());
        }
    }
}
