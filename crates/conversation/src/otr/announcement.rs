//! Whose a leaf key of a stretch is: told by a tag that both sides can make.
//!
//! ```text
//! head = version (1 byte, 1) ‖ step (1 byte) ‖ leaf (1 byte) ‖ u64 epoch ‖ u64 stretch ‖ key (32 bytes)
//! tag  = HMAC-SHA-256(tag key, label ‖ conversation ‖ head ‖ answered ‖ SHA-256(object))
//! name = HMAC-SHA-256(tag key, label ‖ conversation ‖ u64 stretch ‖ key of leaf 0 ‖ key of leaf 1), cut
//! ```

use core::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::ConversationId;

const LABEL: &[u8] = b"hushwing otr announcement, version 1\0";
const NAME_LABEL: &[u8] = b"hushwing otr group, version 1\0";
const VERSION: u8 = 1;
/// Bytes of a head.
const HEAD: usize = 3 + 8 + 8 + 32;

/// What both sides know of an epoch of their conversation and nobody else: what
/// it tags, either may have tagged. Wipes itself.
#[derive(Clone, PartialEq, Eq)]
pub struct TagKey(Zeroizing<[u8; 32]>);

impl TagKey {
    /// The key that MLS exports.
    #[must_use]
    pub fn new(exported: [u8; 32]) -> Self {
        Self(Zeroizing::new(exported))
    }

    /// Its bytes, which a partner may publish.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// What the group of a stretch is called, whose leaves have these keys. So
    /// it belongs to this conversation and no other: somebody who talks to two
    /// people cannot pass the offer of the one to the other, and have them talk
    /// to each other while each takes the other for them.
    #[must_use]
    pub fn group(&self, of: ConversationId, stretch: u64, keys: [&[u8; 32]; 2]) -> [u8; 16] {
        let [first, second] = keys;
        let name = Hmac::<Sha256>::new_from_slice(self.expose()).map(|mac| {
            let mac = mac.chain_update(NAME_LABEL).chain_update(of.0);
            let mac = mac.chain_update(stretch.to_be_bytes());
            let mac = mac.chain_update(first).chain_update(second);
            <[u8; 32]>::from(mac.finalize().into_bytes())
        });
        // HMAC takes keys of any length, so there always is one.
        let name = name.unwrap_or_default();
        name.first_chunk().copied().unwrap_or_default()
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TagKey(..)")
    }
}

/// What is announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// "This is my key of the next stretch, and a key package of it."
    Offer,
    /// "This is mine, and here is the group."
    Begin,
    /// "I know your key of that stretch, and need nothing of it any more."
    Over,
}

impl Step {
    const fn code(self) -> u8 {
        match self {
            Self::Offer => 1,
            Self::Begin => 2,
            Self::Over => 3,
        }
    }

    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Offer),
            2 => Some(Self::Begin),
            3 => Some(Self::Over),
            _ => None,
        }
    }
}

/// The head of an announcement; nothing of it is believed before its tag is
/// verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Announced {
    /// What.
    pub step: Step,
    /// By which leaf of the conversation, 0 or 1.
    pub leaf: u8,
    /// The epoch of the conversation whose tag key is used.
    pub epoch: u64,
    /// The number of the stretch, from 1 on.
    pub stretch: u64,
    /// The public signature key of that leaf in the stretch; zeros where it is
    /// over.
    pub key: [u8; 32],
}

impl Announced {
    /// The head as it is sent.
    #[must_use]
    pub fn head(&self) -> Vec<u8> {
        let head = [VERSION, self.step.code(), self.leaf];
        let numbers = [self.epoch.to_be_bytes(), self.stretch.to_be_bytes()];
        [&head, numbers.as_flattened(), &self.key].concat()
    }

    /// Reads a head; `None` for anything else.
    #[must_use]
    pub fn read(head: &[u8]) -> Option<Self> {
        let head: &[u8; HEAD] = head.try_into().ok()?;
        let (&[VERSION, step, leaf], rest) = head.split_first_chunk::<3>()? else {
            return None;
        };
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (stretch, key) = rest.split_first_chunk::<8>()?;
        let announced = Self {
            step: Step::from_code(step)?,
            leaf,
            epoch: u64::from_be_bytes(*epoch),
            stretch: u64::from_be_bytes(*stretch),
            key: key.try_into().ok()?,
        };
        (leaf < 2 && announced.stretch > 0).then_some(announced)
    }

    /// The tag of an announcement with the MLS object `object`, which answers an
    /// offer of the key `answered`.
    #[must_use]
    pub fn tag(
        &self,
        key: &TagKey,
        of: ConversationId,
        answered: Option<&[u8; 32]>,
        object: &[u8],
    ) -> [u8; 32] {
        let mac = self.mac(key, of, answered, &digest(object));
        mac.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    /// Whether `tag` is that of this announcement; compared in constant time.
    #[must_use]
    pub fn is_tagged(
        &self,
        key: &TagKey,
        of: ConversationId,
        answered: Option<&[u8; 32]>,
        object: &[u8],
        tag: &[u8],
    ) -> bool {
        self.is_tagged_hash(key, of, answered, &digest(object), tag)
    }

    pub(super) fn is_tagged_hash(
        &self,
        key: &TagKey,
        of: ConversationId,
        answered: Option<&[u8; 32]>,
        hash: &[u8; 32],
        tag: &[u8],
    ) -> bool {
        let mac = self.mac(key, of, answered, hash);
        mac.is_some_and(|mac| mac.verify_slice(tag).is_ok())
    }

    pub(super) fn tag_hash(
        &self,
        key: &TagKey,
        of: ConversationId,
        answered: Option<&[u8; 32]>,
        hash: &[u8; 32],
    ) -> [u8; 32] {
        let mac = self.mac(key, of, answered, hash);
        mac.map_or([0; 32], |mac| mac.finalize().into_bytes().into())
    }

    /// HMAC takes keys of any length, so there always is one.
    fn mac(
        &self,
        key: &TagKey,
        of: ConversationId,
        answered: Option<&[u8; 32]>,
        hash: &[u8; 32],
    ) -> Option<Hmac<Sha256>> {
        let mac = Hmac::<Sha256>::new_from_slice(key.expose()).ok()?;
        let answered = answered.unwrap_or(&[0; 32]);
        let mac = mac.chain_update(LABEL).chain_update(of.0);
        Some(
            mac.chain_update(self.head())
                .chain_update(answered)
                .chain_update(hash),
        )
    }
}

pub(super) fn digest(object: &[u8]) -> [u8; 32] {
    Sha256::digest(object).into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OF: ConversationId = ConversationId([9; 16]);

    fn offer() -> Announced {
        Announced {
            step: Step::Offer,
            leaf: 1,
            epoch: 5,
            stretch: 2,
            key: [7; 32],
        }
    }

    #[test]
    fn what_is_tagged_is_all_of_it() {
        let (key, answered) = (TagKey::new([1; 32]), [3; 32]);
        let tag = offer().tag(&key, OF, Some(&answered), b"object");
        let holds = |said: Announced, key, of, answered: Option<&[u8; 32]>, object: &[u8]| {
            said.is_tagged(key, of, answered, object, &tag)
        };
        assert!(holds(offer(), &key, OF, Some(&answered), b"object"));
        let other = TagKey::new([2; 32]);
        assert!(!holds(offer(), &other, OF, Some(&answered), b"object"));
        let elsewhere = ConversationId([8; 16]);
        assert!(!holds(offer(), &key, elsewhere, Some(&answered), b"object"));
        assert!(!holds(offer(), &key, OF, None, b"object"));
        assert!(!holds(offer(), &key, OF, Some(&answered), b"objects"));
        for changed in [
            Announced {
                step: Step::Begin,
                ..offer()
            },
            Announced { leaf: 0, ..offer() },
            Announced {
                epoch: 6,
                ..offer()
            },
            Announced {
                stretch: 3,
                ..offer()
            },
            Announced {
                key: [6; 32],
                ..offer()
            },
        ] {
            assert!(!holds(changed, &key, OF, Some(&answered), b"object"));
        }
        assert!(!offer().is_tagged(&key, OF, Some(&answered), b"object", &tag[1..]));
    }

    #[test]
    fn a_group_is_named_by_all_that_it_belongs_to() {
        let named = |tag_key, of, stretch, first, second| {
            TagKey::new([tag_key; 32]).group(
                ConversationId([of; 16]),
                stretch,
                [&[first; 32], &[second; 32]],
            )
        };
        let name = named(1, 2, 3, 4, 5);
        assert_eq!(name, named(1, 2, 3, 4, 5));
        let others = [
            named(9, 2, 3, 4, 5),
            named(1, 9, 3, 4, 5),
            named(1, 2, 9, 4, 5),
            named(1, 2, 3, 9, 5),
            named(1, 2, 3, 4, 9),
            named(1, 2, 3, 5, 4),
        ];
        assert!(!others.contains(&name));
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", TagKey::new([1; 32])), "TagKey(..)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_read_is_the_one_form_of_it(mut bytes in prop::collection::vec(any::<u8>(), HEAD)) {
            bytes[0] = VERSION;
            bytes[1] %= 5;
            bytes[2] %= 3;
            if let Some(announced) = Announced::read(&bytes) {
                prop_assert_eq!(announced.head(), bytes);
            } else {
                let zero = bytes[11..19].iter().all(|byte| *byte == 0);
                prop_assert!(!(1..4).contains(&bytes[1]) || bytes[2] > 1 || zero);
            }
        }
    }
}
