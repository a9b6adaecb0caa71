//! The bytes of the key file, version 1.
//!
//! ```text
//!  0   4  "HWKY"
//!  4   1  version, 1
//!  5   1  0 raw, 1 wrapped
//!  raw:      6  32  master key
//!  wrapped:  6   4  memory in KiB   ┐
//!           10   4  passes          │ big-endian; all of 0..58 is
//!           14   4  lanes           │ authenticated with the key
//!           18  16  Argon2id salt   │
//!           34  24  XChaCha20 nonce ┘
//!           58  32  encrypted master key
//!           90  16  Poly1305 tag
//!  end   8  first bytes of SHA-256 over all before
//! ```
//!
//! The sum tells a damaged file from a wrong passphrase; it is no protection
//! against a forger, who could as well replace the file.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::KeyError;
use super::passphrase::{Cost, NONCE, SALT, TAG};

const MAGIC: &[u8; 4] = b"HWKY";
const VERSION: u8 = 1;
const RAW: u8 = 0;
const WRAPPED: u8 = 1;
const SUM: usize = 8;

/// What a key file holds.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) enum Content {
    /// The master key itself.
    Raw([u8; 32]),
    /// The master key under a passphrase.
    Wrapped(#[zeroize(skip)] Wrapped),
}

/// A wrapped master key; nothing in it is secret.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Wrapped {
    pub(crate) cost: Cost,
    pub(crate) salt: [u8; SALT],
    pub(crate) nonce: [u8; NONCE],
    pub(crate) key: [u8; 32],
    pub(crate) tag: [u8; TAG],
}

impl Wrapped {
    /// Everything before the encrypted key, which the tag covers too.
    pub(crate) fn header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(58);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&[VERSION, WRAPPED]);
        for number in [self.cost.memory, self.cost.passes, self.cost.lanes] {
            out.extend_from_slice(&number.to_be_bytes());
        }
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.nonce);
        out
    }
}

impl Content {
    /// The bytes of the file.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // Room for either kind: a secret is not left behind by growing.
        let mut out = Zeroizing::new(Vec::with_capacity(128));
        match self {
            Self::Raw(key) => {
                out.extend_from_slice(MAGIC);
                out.extend_from_slice(&[VERSION, RAW]);
                out.extend_from_slice(key);
            }
            Self::Wrapped(wrapped) => {
                out.extend_from_slice(&wrapped.header());
                out.extend_from_slice(&wrapped.key);
                out.extend_from_slice(&wrapped.tag);
            }
        }
        let sum = sum(&out);
        out.extend_from_slice(&sum);
        out
    }

    /// Reads what [`Content::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut head = Reader(bytes);
        if &head.take::<4>()? != MAGIC {
            return Err(KeyError::Damaged);
        }
        let [version] = head.take()?;
        if version > VERSION {
            return Err(KeyError::Newer(version));
        }
        let (body, stored) = bytes.split_last_chunk::<SUM>().ok_or(KeyError::Damaged)?;
        if version != VERSION || sum(body) != *stored {
            return Err(KeyError::Damaged);
        }
        let mut reader = Reader(body.get(5..).unwrap_or_default());
        let content = match reader.take()? {
            [RAW] => Self::Raw(reader.take()?),
            [WRAPPED] => Self::Wrapped(reader.wrapped()?),
            _ => return Err(KeyError::Damaged),
        };
        if reader.0.is_empty() {
            Ok(content)
        } else {
            Err(KeyError::Damaged)
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], KeyError> {
        let (part, rest) = self.0.split_first_chunk::<N>().ok_or(KeyError::Damaged)?;
        self.0 = rest;
        Ok(*part)
    }

    fn number(&mut self) -> Result<u32, KeyError> {
        self.take().map(u32::from_be_bytes)
    }

    fn wrapped(&mut self) -> Result<Wrapped, KeyError> {
        let cost = Cost {
            memory: self.number()?,
            passes: self.number()?,
            lanes: self.number()?,
        };
        if !cost.is_sane() {
            return Err(KeyError::Damaged);
        }
        Ok(Wrapped {
            cost,
            salt: self.take()?,
            nonce: self.take()?,
            key: self.take()?,
            tag: self.take()?,
        })
    }
}

/// What tells damage from a wrong passphrase.
pub(crate) fn sum(bytes: &[u8]) -> [u8; SUM] {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    let mut sum = [0; SUM];
    for (to, from) in sum.iter_mut().zip(digest) {
        *to = from;
    }
    sum
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped() -> Content {
        Content::Wrapped(Wrapped {
            cost: Cost::STANDARD,
            salt: [1; SALT],
            nonce: [2; NONCE],
            key: [3; 32],
            tag: [4; TAG],
        })
    }

    #[test]
    fn both_kinds_survive_encoding() {
        let raw = Content::Raw([9; 32]).encode();
        assert_eq!(raw.len(), 46);
        assert!(matches!(Content::decode(&raw).unwrap(), Content::Raw(key) if key == [9; 32]));
        let bytes = wrapped().encode();
        assert_eq!(bytes.len(), 114);
        assert_eq!(Content::decode(&bytes).unwrap().encode(), bytes);
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_seen() {
        for content in [Content::Raw([9; 32]), wrapped()] {
            let bytes = content.encode();
            for at in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[at / 8] ^= 1 << (at % 8);
                assert!(Content::decode(&flipped).is_err(), "bit {at}");
            }
            for end in 0..bytes.len() {
                assert!(Content::decode(&bytes[..end]).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn a_newer_version_is_told_apart() {
        let mut bytes = wrapped().encode();
        bytes[4] = 2;
        assert!(matches!(Content::decode(&bytes), Err(KeyError::Newer(2))));
    }

    #[test]
    fn absurd_costs_are_refused() {
        for cost in [
            Cost {
                memory: u32::MAX,
                ..Cost::STANDARD
            },
            Cost {
                passes: 0,
                ..Cost::STANDARD
            },
            Cost {
                lanes: 1 << 20,
                ..Cost::STANDARD
            },
        ] {
            let Content::Wrapped(ref sane) = wrapped() else {
                panic!("a wrapped key")
            };
            let bytes = Content::Wrapped(Wrapped {
                cost,
                ..sane.clone()
            })
            .encode();
            assert!(matches!(Content::decode(&bytes), Err(KeyError::Damaged)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_input_panics(bytes in prop::collection::vec(any::<u8>(), 0..150)) {
            prop_assert!(Content::decode(&bytes).is_err());
        }
    }
}
