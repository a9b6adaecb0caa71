//! Names of states, commits and accounts: compared and ordered, never opened.

use core::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What the hash of a state's name begins with.
const STATE: &[u8] = b"hushwing state 1";

/// Names a state of a group. Whoever knows the name was in that state: it hashes
/// the epoch authenticator.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StateName(pub [u8; 32]);

impl StateName {
    /// The name of the state of group `group_id` in `epoch` with that epoch
    /// authenticator (RFC 9420 section 8.7).
    ///
    /// Group ids are 16 bytes in this program, so their length always fits.
    pub(crate) fn derive(group_id: &[u8], epoch: u64, authenticator: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(STATE)
            .chain_update([u8::try_from(group_id.len()).unwrap_or(u8::MAX)])
            .chain_update(group_id)
            .chain_update(epoch.to_be_bytes())
            .chain_update(authenticator);
        Self(hash.finalize().into())
    }

    /// What messages say of the state they were made in. Two states can share
    /// it, since somebody may have looked for such a pair.
    pub(crate) fn short(&self) -> [u8; 8] {
        let mut short = [0; 8];
        short.copy_from_slice(self.0.split_at(8).0);
        short
    }
}

// Knowing a name shows that one was there, so a log gets no more than a
// beginning to tell states apart by.
impl fmt::Debug for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "StateName({first:02x}{second:02x}..)")
    }
}

/// SHA-256 of a commit: of the bytes of its MLS message as they were sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommitHash(pub [u8; 32]);

impl CommitHash {
    /// Names the commit with these bytes.
    pub(crate) fn of(message: &[u8]) -> Self {
        Self(Sha256::digest(message).into())
    }
}

impl fmt::Debug for CommitHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, ..] = self.0;
        write!(f, "CommitHash({first:02x}{second:02x}..)")
    }
}

/// Tells the leaves of one group apart, wherever in the tree they are: by account and public
/// signature key, which no commit changes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DeviceKey(pub(crate) [u8; 32]);

impl DeviceKey {
    /// The leaf of `account` with this public signature key. By both: whoever leaves can hand
    /// their key to another account.
    pub(crate) fn of(account: &AccountId, key: &[u8]) -> Self {
        let hash = Sha256::new()
            .chain_update(b"hushwing device 1")
            .chain_update([account.as_bytes().len().try_into().unwrap_or(u8::MAX)])
            .chain_update(account.as_bytes())
            .chain_update(key);
        Self(hash.finalize().into())
    }
}

// Whoever knows it knows one device again.
impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(..)")
    }
}

/// Whose a leaf is: the identity of its basic credential. Random for each
/// conversation; the devices of one account share it. It proves nothing: a
/// steward can add any.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Vec<u8>", into = "Vec<u8>")]
pub struct AccountId(Vec<u8>);

/// Bytes are no account id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account id has 16 to 32 bytes")]
pub struct AccountIdError;

impl AccountId {
    /// The bytes of the identity.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for AccountId {
    type Error = AccountIdError;

    fn try_from(bytes: &[u8]) -> Result<Self, AccountIdError> {
        match bytes.len() {
            16..=32 => Ok(Self(bytes.to_vec())),
            _ => Err(AccountIdError),
        }
    }
}

impl TryFrom<Vec<u8>> for AccountId {
    type Error = AccountIdError;

    fn try_from(bytes: Vec<u8>) -> Result<Self, AccountIdError> {
        Self::try_from(bytes.as_slice())
    }
}

impl From<AccountId> for Vec<u8> {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

// It goes over the wire only encrypted, so a log must not hold it.
impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccountId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_states_name_hashes_all_of_it() {
        let name = StateName::derive(&[9; 16], 7, &[1; 48]);
        assert_eq!(
            hex::encode(name.0),
            "67a634c96a098c5e01c6f761ef6cdd66ea493a66375aa789586b62f0ed1a56b2"
        );
        assert_eq!(name.short(), name.0[..8]);
        assert_ne!(name, StateName::derive(&[9; 16], 8, &[1; 48]));
        assert_ne!(name, StateName::derive(&[8; 16], 7, &[1; 48]));
        assert_ne!(name, StateName::derive(&[9; 16], 7, &[2; 48]));
    }

    #[test]
    fn an_account_id_has_16_to_32_bytes() {
        for (length, good) in [(0, false), (15, false), (16, true), (32, true), (33, false)] {
            let id = AccountId::try_from(vec![1_u8; length].as_slice());
            assert_eq!(id.is_ok(), good, "{length}");
        }
    }

    #[test]
    fn a_device_is_of_its_account() {
        let of =
            |account: &[u8], key: &[u8]| DeviceKey::of(&AccountId::try_from(account).unwrap(), key);
        let device = of(&[1; 16], &[2; 32]);
        assert_eq!(device, of(&[1; 16], &[2; 32]));
        assert_ne!(device, of(&[3; 16], &[2; 32]));
        assert_ne!(device, of(&[1; 16], &[3; 32]));
        assert_ne!(of(&[1; 16], &[1, 2]), of(&[1; 17], &[2]));
    }

    #[test]
    fn logs_see_no_account_and_no_whole_name() {
        let account = AccountId::try_from([0xab; 16].as_slice()).unwrap();
        let shown = format!(
            "{account:?} {:?} {:?} {:?}",
            StateName([0xab; 32]),
            CommitHash([0xab; 32]),
            DeviceKey([0xab; 32])
        );
        assert_eq!(
            shown,
            "AccountId(..) StateName(abab..) CommitHash(abab..) DeviceKey(..)"
        );
    }
}
