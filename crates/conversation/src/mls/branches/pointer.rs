//! What stands beside each message: the state it was made in.
//!
//! It is authenticated data, so nobody on the way can change it, and it is read
//! before anything is decrypted: a fork shows at first contact, and the rows to
//! read a message with are found without trying.

use crate::fork_choice::StateName;

/// Version byte of a message said once.
const SAID: u8 = 2;
/// Version byte of a message said again after a fork was lost.
const SAID_AGAIN: u8 = 3;

/// The first bytes of a state's name. Enough to tell the few hundred states
/// somebody can hold apart; a state is never taken for another because of it,
/// since a message of the other does not decrypt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatePrefix(pub [u8; 8]);

impl StatePrefix {
    /// The prefix of `name`.
    #[must_use]
    pub fn of(name: &StateName) -> Self {
        Self(name.short())
    }
}

impl core::fmt::Debug for StatePrefix {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("StatePrefix(..)")
    }
}

/// The authenticated data of an MLS message in a group that may fork.
///
/// ```text
/// first time  02 ‖ 8 bytes of the state's name
/// again       03 ‖ 8 bytes of the state's name ‖ u64 be, the epoch first said in
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointer {
    /// The state whose keys sealed it.
    pub state: StatePrefix,
    /// The epoch in which it was said first, if it is said again.
    pub first_said: Option<u64>,
}

impl Pointer {
    /// As it is sent.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let version = if self.first_said.is_some() {
            SAID_AGAIN
        } else {
            SAID
        };
        let mut bytes = vec![version];
        bytes.extend(self.state.0);
        bytes.extend(self.first_said.into_iter().flat_map(u64::to_be_bytes));
        bytes
    }

    /// Reads what [`Self::encode`] made; `None` for anything else.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (state, rest) = rest.split_first_chunk::<8>()?;
        let first_said = match (*version, rest) {
            (SAID, []) => None,
            (SAID_AGAIN, epoch) => Some(u64::from_be_bytes(epoch.try_into().ok()?)),
            _ => return None,
        };
        Some(Self {
            state: StatePrefix(*state),
            first_said,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_reads_as_it_was_written_and_nothing_else_does() {
        for first_said in [None, Some(0), Some(u64::MAX)] {
            let pointer = Pointer {
                state: StatePrefix([7; 8]),
                first_said,
            };
            let bytes = pointer.encode();
            assert_eq!(Pointer::decode(&bytes), Some(pointer));
            for length in 0..bytes.len() {
                assert_eq!(Pointer::decode(&bytes[..length]), None);
            }
            let longer = [bytes.as_slice(), &[0]].concat();
            assert_eq!(Pointer::decode(&longer), None);
        }
    }

    #[test]
    fn the_versions_of_a_pair_are_not_taken() {
        for version in [0, 1, 4, 255] {
            let bytes = [&[version][..], &[0; 8]].concat();
            assert_eq!(Pointer::decode(&bytes), None);
        }
    }
}
