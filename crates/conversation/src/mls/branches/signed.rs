//! A chain of commits, signed by the leaf that hands it out.
//!
//! Commits of states that are not known here cannot be read, and so prove nothing.
//! That a group has gone on without me is believed only to a leaf I know: the last
//! piece of a chain is its signature over all before it.
//!
//! ```text
//! 01 ‖ public signature key (32) ‖ the state it leads to (8) ‖ signature (64) over
//!      "hushwing chain 1" ‖ group id ‖ that state (8) ‖ the SHA-256 of each commit, in order
//! ```

use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::signatures::Signer as _;
use openmls_traits::types::SignatureScheme;

use super::pointer::StatePrefix;
use crate::ConversationId;
use crate::fork_choice::CommitHash;
use crate::mls::LeafKey;
use crate::mls::crypto::Crypto;

const VERSION: u8 = 1;
/// What is signed begins so. No signature of MLS does: its first byte is the
/// length of a label, and none has 10,357 bytes.
const LABEL: &[u8] = b"hushwing chain 1";
const KEY: usize = 32;
const STATE: usize = 8;
const SIGNATURE: usize = 64;

fn signed_bytes(group: ConversationId, to: StatePrefix, commits: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [LABEL, &group.0, &to.0].concat();
    for commit in commits {
        bytes.extend(CommitHash::of(commit).0);
    }
    bytes
}

/// The last piece of a chain of these commits, which lead to the state `to`.
pub(super) fn sign(
    key: &LeafKey,
    group: ConversationId,
    to: StatePrefix,
    commits: &[Vec<u8>],
) -> Option<Vec<u8>> {
    let signature = key.sign(&signed_bytes(group, to, commits)).ok()?;
    Some([&[VERSION], key.public().as_slice(), &to.0, &signature].concat())
}

/// Who signed a chain, and what they say of it.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    /// The public signature key.
    pub(super) key: &'a [u8],
    /// The state it leads to.
    pub(super) to: StatePrefix,
}

/// A chain, apart from who signed it.
pub(super) struct Chain<'a> {
    pub(super) commits: &'a [Vec<u8>],
    /// Who signed it, if somebody did.
    pub(super) signer: Option<Signer<'a>>,
}

impl<'a> Chain<'a> {
    /// Looks whether the last piece is a signature, and a good one. Whose, is for
    /// the caller to ask.
    pub(super) fn open(crypto: &Crypto, group: ConversationId, chain: &'a [Vec<u8>]) -> Self {
        let unsigned = Self {
            commits: chain,
            signer: None,
        };
        let Some((last, commits)) = chain.split_last() else {
            return unsigned;
        };
        // A commit is longer, and its first byte is 0.
        let Some((&VERSION, rest)) = last.split_first() else {
            return unsigned;
        };
        if rest.len() != KEY + STATE + SIGNATURE {
            return unsigned;
        }
        let (key, rest) = rest.split_at(KEY);
        let Some((to, signature)) = rest.split_first_chunk::<STATE>() else {
            return unsigned;
        };
        let to = StatePrefix(*to);
        let bytes = signed_bytes(group, to, commits);
        let good = crypto.verify_signature(SignatureScheme::ED25519, &bytes, key, signature);
        Self {
            commits,
            signer: good.is_ok().then_some(Signer { key, to }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    #[test]
    fn a_signature_holds_for_its_commits_and_its_group_alone() {
        let crypto = Crypto::default();
        let key = LeafKey::from_secret(&Secret::new([7; 32])).unwrap();
        let (here, there) = (ConversationId([1; 16]), ConversationId([2; 16]));
        let mut chain = vec![vec![0, 1], vec![0, 2]];
        chain.push(sign(&key, here, StatePrefix([3; 8]), &chain).unwrap());
        let signer = |group, chain: &[Vec<u8>]| {
            let opened = Chain::open(&crypto, group, chain);
            assert_eq!(opened.commits.len(), 2);
            opened.signer.map(|signer| signer.key.to_vec())
        };
        assert_eq!(signer(here, &chain), Some(key.public().to_vec()));
        assert_eq!(signer(there, &chain), None);
        for at in 0..chain[2].len() {
            let mut bent = chain.clone();
            bent[2][at] ^= 1;
            // Without the version byte it is no signature, and so a piece more.
            let opened = Chain::open(&crypto, here, &bent);
            assert!(opened.signer.is_none());
            assert_eq!(opened.commits.len(), if at == 0 { 3 } else { 2 });
        }
        chain.swap(0, 1);
        assert_eq!(signer(here, &chain), None);
    }
}
