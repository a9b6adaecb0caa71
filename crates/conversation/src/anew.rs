//! What two people say to each other to begin their conversation anew, after one
//! of them put a backup back (protocol/conversation.md, section 9).
//!
//! Neither can be an MLS message: who restored must not use what MLS knew. So
//! both are signed with the keys the leaves of the conversation have.
//!
//! ```text
//! ask     head, KeyPackage, addresses, signature
//!         head: u64 made at, u64 last epoch known, u64 when the newest message known came
//! answer  head, Welcome, signature, MLS message …
//!         head: u64 made at (of the ask), u64 epochs before,
//!         u64 made at (of the last ask of who answers)
//! ```
//!
//! Numbers are big-endian. A signature is Ed25519 over a label, the conversation
//! and the items before it, each behind its length.

use ed25519_dalek::{Signature, VerifyingKey};
use openmls_traits::signatures::Signer as _;

use crate::content::AddressUpdate;
use crate::letter::LetterBody;
use crate::mls::LeafKey;
use crate::{ConversationId, letter};

const ASK: &[u8] = b"hushwing begin anew: ask, version 1\0";
const ANSWER: &[u8] = b"hushwing begin anew: answer, version 1\0";

/// "I have an old state. Make a group with this key package."
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    /// When it was made, in milliseconds; names it.
    pub(crate) made_at: u64,
    /// The last epoch of which a message is known.
    pub(crate) epoch: u64,
    /// When the newest message that is known came or was said, in milliseconds;
    /// what was confirmed before that, the asker has.
    pub(crate) since: u64,
    /// An MLS KeyPackage message under the asker's leaf key.
    pub(crate) key_package: Vec<u8>,
    /// Where the asker is to be reached.
    pub(crate) addresses: AddressUpdate,
}

impl Ask {
    /// The letter, signed with the key of my leaf.
    pub(crate) fn letter(&self, of: ConversationId, key: &LeafKey) -> Option<Vec<u8>> {
        let head = numbers(&[self.made_at, self.epoch, self.since]);
        let addresses = self.addresses.encode();
        let items = [head.as_slice(), &self.key_package, &addresses];
        let signature = sign(ASK, of, &items, key)?;
        let [head, package, addresses] = items;
        Some(LetterBody::ask_anew(&[
            head, package, addresses, &signature,
        ]))
    }

    /// Reads the items of a letter; `None` unless `theirs` signed them.
    pub(crate) fn open(items: &[&[u8]], of: ConversationId, theirs: &[u8; 32]) -> Option<Self> {
        let [head, package, addresses, signature] = items else {
            return None;
        };
        verify(ASK, of, &[head, package, addresses], signature, theirs)?;
        let [made_at, epoch, since] = read_numbers(head)?;
        Some(Self {
            made_at,
            epoch,
            since,
            key_package: package.to_vec(),
            addresses: AddressUpdate::decode(addresses).ok()?,
        })
    }
}

/// "Here it is."
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer<'b> {
    /// The [`Ask`] it answers.
    pub(crate) made_at: u64,
    /// Epochs of the conversation before the first of the new group.
    pub(crate) before: u64,
    /// When who answers made their own last ask, in milliseconds; it is void, as
    /// are all before it. 0 if they never asked.
    pub(crate) asked: u64,
    /// The MLS Welcome.
    pub(crate) welcome: &'b [u8],
    /// MLS messages of the new group.
    pub(crate) messages: Vec<&'b [u8]>,
}

impl<'b> Answer<'b> {
    /// The letter, signed with the key of my leaf.
    pub(crate) fn letter(&self, of: ConversationId, key: &LeafKey) -> Option<Vec<u8>> {
        let head = numbers(&[self.made_at, self.before, self.asked]);
        let signature = sign(ANSWER, of, &[&head, self.welcome], key)?;
        let mut items = vec![head.as_slice(), self.welcome, &signature];
        items.extend(&self.messages);
        Some(LetterBody::anew(&items))
    }

    /// Reads the items of a letter; `None` unless `theirs` signed them.
    pub(crate) fn open(items: &[&'b [u8]], of: ConversationId, theirs: &[u8; 32]) -> Option<Self> {
        let [head, welcome, signature, messages @ ..] = items else {
            return None;
        };
        verify(ANSWER, of, &[head, welcome], signature, theirs)?;
        let [made_at, before, asked] = read_numbers(head)?;
        Some(Self {
            made_at,
            before,
            asked,
            welcome,
            messages: messages.to_vec(),
        })
    }
}

fn numbers(all: &[u64]) -> Vec<u8> {
    all.iter().flat_map(|n| n.to_be_bytes()).collect()
}

fn read_numbers<const N: usize>(bytes: &[u8]) -> Option<[u64; N]> {
    let (numbers, []) = bytes.as_chunks::<8>() else {
        return None;
    };
    let numbers: &[[u8; 8]; N] = numbers.try_into().ok()?;
    Some(numbers.map(u64::from_be_bytes))
}

fn signed(label: &[u8], of: ConversationId, items: &[&[u8]]) -> Vec<u8> {
    [label, &of.0, &letter::list(items)].concat()
}

fn sign(label: &[u8], of: ConversationId, items: &[&[u8]], key: &LeafKey) -> Option<Vec<u8>> {
    key.sign(&signed(label, of, items)).ok()
}

fn verify(
    label: &[u8],
    of: ConversationId,
    items: &[&[u8]],
    signature: &[u8],
    theirs: &[u8; 32],
) -> Option<()> {
    let key = VerifyingKey::from_bytes(theirs).ok()?;
    let signature = Signature::from_slice(signature).ok()?;
    key.verify_strict(&signed(label, of, items), &signature)
        .ok()
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
    use proptest::prelude::*;

    use super::*;

    const OF: ConversationId = ConversationId([9; 16]);

    struct Same(u8);

    impl Entropy for Same {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(self.0);
        }
    }

    fn key(seed: u8) -> LeafKey {
        let mut entropy = Same(seed);
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut entropy);
        LeafKey::generate(&mut cx)
    }

    fn ask() -> Ask {
        Ask {
            made_at: 1,
            epoch: 2,
            since: 3,
            key_package: vec![4; 40],
            addresses: AddressUpdate {
                revision: 5,
                addresses: vec![vec![6; 30]],
                recovery: Vec::new(),
            },
        }
    }

    fn items(letter: &[u8]) -> Vec<&[u8]> {
        match LetterBody::read(letter) {
            Some(LetterBody::AskAnew(items) | LetterBody::Anew(items)) => items,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_ask_and_its_answer_survive() {
        let key = key(1);
        let letter = ask().letter(OF, &key).unwrap();
        let read = Ask::open(&items(&letter), OF, &key.public());
        assert_eq!(read, Some(ask()));
        let answer = Answer {
            made_at: 1,
            before: 7,
            asked: 8,
            welcome: b"welcome",
            messages: vec![b"one", b"two"],
        };
        let letter = answer.letter(OF, &key).unwrap();
        let read = Answer::open(&items(&letter), OF, &key.public());
        assert_eq!(read, Some(answer));
    }

    #[test]
    fn only_the_leaf_of_this_conversation_may_ask() {
        let key_of_leaf = key(1);
        let letter = ask().letter(OF, &key_of_leaf).unwrap();
        let items = items(&letter);
        assert_eq!(Ask::open(&items, OF, &key(2).public()), None);
        let other = ConversationId([8; 16]);
        assert_eq!(Ask::open(&items, other, &key_of_leaf.public()), None);
        // An answer under the same key is no ask, nor the other way round.
        assert_eq!(Answer::open(&items, OF, &key_of_leaf.public()), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_changed_on_the_way_is_refused(at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let key = key(3);
            let mut letter = ask().letter(OF, &key).unwrap();
            // The first two bytes say what kind of letter it is.
            let at = 2 + at.index(letter.len() - 2);
            letter[at] ^= 1 << bit;
            if let Some(LetterBody::AskAnew(items)) = LetterBody::read(&letter) {
                prop_assert_eq!(Ask::open(&items, OF, &key.public()), None);
            }
        }
    }
}
