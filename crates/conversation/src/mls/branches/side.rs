//! Letters to one member, beside what is said to all.
//!
//! An MLS message is for all leaves: sent to one of them only, it would leave a
//! gap in everybody else's ratchet. So what is for one (receipts, a roster, a
//! question) is sealed under a secret that MLS exports (RFC 9420 section 8.5)
//! and signed by the sender's leaf. All members of the state can compute the
//! secret: who intercepts one could read it, nobody could have written it.
//!
//! ```text
//!  0   1  version, 1
//!  1  16  group id
//! 17   8  first bytes of the state's name
//! 25   8  its epoch, big-endian
//! 33   4  from leaf, big-endian
//! 37   4  to leaf, big-endian
//! 41  12  nonce, random
//! 53   …  AES-256-GCM of: Ed25519 signature (64) ‖ content
//!
//! key        MLS-Exporter("hushwing side letter", state's name ‖ from ‖ to, 32)
//! authentic  bytes 0 to 53
//! signed     "hushwing side letter 1" ‖ state's name ‖ bytes 0 to 53 ‖ content
//! ```

use hushwing_sansio::StorageError;
use openmls::prelude::{LeafNodeIndex, MlsGroup};
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::signatures::Signer as _;
use openmls_traits::types::{AeadType, SignatureScheme};
use zeroize::Zeroizing;

use super::keeper::{Keeper, Lent};
use super::pointer::StatePrefix;
use super::shape;
use super::told::{HearFault, MakeFault};
use crate::ConversationId;
use crate::fork_choice::{AccountId, StateName};
use crate::mls::LeafKey;

/// The first byte of every side letter. MLS messages begin with 0.
pub const SIDE_VERSION: u8 = 1;
const LABEL: &str = "hushwing side letter";
const SIGNED: &[u8] = b"hushwing side letter 1";
const HEADER: usize = 53;
const SIGNATURE: usize = 64;

/// What stands before the sealed part.
#[derive(Clone, Copy)]
struct Header {
    group: [u8; 16],
    state: StatePrefix,
    epoch: u64,
    from: u32,
    to: u32,
    nonce: [u8; 12],
}

/// Something said to me alone. `Debug` hides it.
#[derive(PartialEq, Eq)]
pub struct Aside {
    /// What.
    pub content: Vec<u8>,
    /// Who said it.
    pub author: AccountId,
    /// The public signature key of their leaf.
    pub key: Vec<u8>,
    /// Which leaf that is.
    pub leaf: u32,
    /// In which state.
    pub state: StateName,
    /// In which epoch.
    pub epoch: u64,
}

impl core::fmt::Debug for Aside {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Aside")
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

impl Header {
    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        let fields: [&[u8]; 7] = [
            &[SIDE_VERSION],
            &self.group,
            &self.state.0,
            &self.epoch.to_be_bytes(),
            &self.from.to_be_bytes(),
            &self.to.to_be_bytes(),
            &self.nonce,
        ];
        let all = fields.into_iter().flatten();
        bytes.iter_mut().zip(all).for_each(|(at, byte)| *at = *byte);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (&[version], rest) = bytes.split_first_chunk::<1>()?;
        let (group, rest) = rest.split_first_chunk::<16>()?;
        let (state, rest) = rest.split_first_chunk::<8>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (from, rest) = rest.split_first_chunk::<4>()?;
        let (to, rest) = rest.split_first_chunk::<4>()?;
        let (nonce, sealed) = rest.split_first_chunk::<12>()?;
        let header = Self {
            group: *group,
            state: StatePrefix(*state),
            epoch: u64::from_be_bytes(*epoch),
            from: u32::from_be_bytes(*from),
            to: u32::from_be_bytes(*to),
            nonce: *nonce,
        };
        (version == SIDE_VERSION).then_some((header, sealed))
    }

    fn context(&self, name: &StateName) -> Vec<u8> {
        [
            &name.0[..],
            &self.from.to_be_bytes(),
            &self.to.to_be_bytes(),
        ]
        .concat()
    }

    fn signed(&self, name: &StateName, content: &[u8]) -> Vec<u8> {
        [SIGNED, &name.0, &self.encode(), content].concat()
    }
}

/// The state a side letter says it is of.
pub(super) fn claimed_state(group: ConversationId, bytes: &[u8]) -> Option<(u64, StatePrefix)> {
    let (header, _) = Header::read(bytes)?;
    (header.group == group.0).then_some((header.epoch, header.state))
}

fn seal(
    crypto: &impl OpenMlsCrypto,
    secret: &[u8],
    key: &LeafKey,
    header: &Header,
    name: &StateName,
    content: &[u8],
) -> Option<Vec<u8>> {
    let signature = key.sign(&header.signed(name, content)).ok()?;
    let plain = Zeroizing::new([&signature, content].concat());
    let head = header.encode();
    let sealed = crypto
        .aead_encrypt(AeadType::Aes256Gcm, secret, &plain, &header.nonce, &head)
        .ok()?;
    Some([&head[..], &sealed].concat())
}

fn open(
    crypto: &impl OpenMlsCrypto,
    secret: &[u8],
    public: &[u8],
    header: &Header,
    name: &StateName,
    sealed: &[u8],
) -> Option<Vec<u8>> {
    let head = header.encode();
    let plain = crypto
        .aead_decrypt(AeadType::Aes256Gcm, secret, sealed, &header.nonce, &head)
        .ok()?;
    let (signature, content) = plain.split_at_checked(SIGNATURE)?;
    let signed = header.signed(name, content);
    crypto
        .verify_signature(SignatureScheme::ED25519, &signed, public, signature)
        .ok()?;
    Some(content.to_vec())
}

impl Keeper {
    /// Seals something for one member in a state that is held: the leaf with this public
    /// signature key.
    ///
    /// # Errors
    ///
    /// When storage fails. The inner error says that one of us is not in it.
    pub fn write_aside(
        &mut self,
        lent: &mut Lent<'_, '_>,
        name: StateName,
        to: &[u8],
        content: &[u8],
    ) -> Result<Result<Vec<u8>, MakeFault>, StorageError> {
        let state = self.states.get(&name).filter(|state| state.mine);
        let Some(epoch) = state.map(|state| state.epoch) else {
            return Ok(Err(MakeFault::NotIn));
        };
        let group_id = self.id.0;
        let nonce = lent.cx.random::<12>();
        self.within(lent, name, |provider, group, key| {
            let header = Header {
                group: group_id,
                state: StatePrefix::of(&name),
                epoch,
                from: group.own_leaf_index().u32(),
                to: leaf_of(group, to).ok_or(MakeFault::NotIn)?,
                nonce,
            };
            let crypto = provider.crypto();
            let secret = secret(crypto, group, &header, &name);
            let secret = secret.ok_or(MakeFault::Group("exporting a secret"))?;
            seal(crypto, &secret, key, &header, &name, content)
                .ok_or(MakeFault::Group("sealing a side letter"))
        })
    }

    /// Opens what somebody sealed for me.
    ///
    /// # Errors
    ///
    /// When storage fails. The inner error says why it was not taken; of
    /// [`HearFault::UnknownState`] it may be opened later.
    pub fn read_aside(
        &mut self,
        lent: &mut Lent<'_, '_>,
        bytes: &[u8],
    ) -> Result<Result<Aside, HearFault>, StorageError> {
        let Some((header, sealed)) = Header::read(bytes) else {
            return Ok(Err(HearFault::Kind));
        };
        if header.group != self.id.0 {
            return Ok(Err(HearFault::Kind));
        }
        let known = self.states.iter().filter(|(name, state)| {
            state.epoch == header.epoch && StatePrefix::of(name) == header.state
        });
        let known: Vec<_> = known.map(|(name, state)| (*name, state.mine)).collect();
        if known.is_empty() {
            let root = self.states.get(&self.root).map_or(0, |root| root.epoch);
            return Ok(Err(match header.epoch < root {
                true => HearFault::TooLate,
                false => HearFault::UnknownState {
                    state: header.state,
                    epoch: header.epoch,
                },
            }));
        }
        let mut fault = HearFault::NotMine;
        for (name, _) in known.into_iter().filter(|(_, mine)| *mine) {
            let read = self.within(lent, name, |provider, group, _| {
                read(provider.crypto(), group, &header, &name, sealed)
            })?;
            match read {
                Ok(aside) => return Ok(Ok(aside)),
                Err(why) => fault = why,
            }
        }
        Ok(Err(fault))
    }
}

fn read(
    crypto: &impl OpenMlsCrypto,
    group: &MlsGroup,
    header: &Header,
    name: &StateName,
    sealed: &[u8],
) -> Result<Aside, HearFault> {
    if header.to != group.own_leaf_index().u32() || header.from == header.to {
        return Err(HearFault::Kind);
    }
    let leaf = group.public_group().leaf(LeafNodeIndex::new(header.from));
    let leaf = leaf.ok_or(HearFault::Unreadable)?;
    let author = shape::account(leaf).ok_or(HearFault::Unreadable)?;
    let public = leaf.signature_key().as_slice();
    let secret = secret(crypto, group, header, name).ok_or(HearFault::Unreadable)?;
    let content = open(crypto, &secret, public, header, name, sealed);
    Ok(Aside {
        content: content.ok_or(HearFault::Unreadable)?,
        author,
        key: public.to_vec(),
        leaf: header.from,
        state: *name,
        epoch: header.epoch,
    })
}

fn secret(
    crypto: &impl OpenMlsCrypto,
    group: &MlsGroup,
    header: &Header,
    name: &StateName,
) -> Option<Zeroizing<Vec<u8>>> {
    let secret = group.export_secret(crypto, LABEL, &header.context(name), 32);
    secret.ok().map(Zeroizing::new)
}

/// The leaf with this public signature key.
fn leaf_of(group: &MlsGroup, key: &[u8]) -> Option<u32> {
    let mut leaves = group.treesync().full_leaves();
    let found = leaves.find(|(_, leaf)| leaf.signature_key().as_slice() == key);
    found.map(|(index, _)| index.u32())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;
    use crate::mls::crypto::Crypto;

    /// Also checked by `interop/side_letter`, which was written from
    /// `protocol/rooms.md` alone.
    const VECTOR: &str = include_str!("../../../../../interop/vectors/side_letter.json");

    fn parts() -> (Header, StateName, LeafKey, [u8; 32], &'static [u8]) {
        let name = StateName(core::array::from_fn(|at| 0x40 + u8::try_from(at).unwrap()));
        let header = Header {
            group: [0x11; 16],
            state: StatePrefix::of(&name),
            epoch: 7,
            from: 2,
            to: 5,
            nonce: [0x22; 12],
        };
        let key = LeafKey::from_secret(&Secret::new([0x33; 32])).unwrap();
        (header, name, key, [0x44; 32], b"what is for one")
    }

    #[test]
    fn a_side_letter_is_the_one_on_record() {
        let (header, name, key, secret, content) = parts();
        let crypto = Crypto::default();
        let letter = seal(&crypto, &secret, &key, &header, &name, content).unwrap();
        let field = |name: &str| {
            let rest = VECTOR.split_once(&format!("\"{name}\": \"")).unwrap().1;
            hex::decode(rest.split_once('"').unwrap().0).unwrap()
        };
        assert_eq!(field("letter"), letter, "{}", hex::encode(&letter));
        assert_eq!(field("exported"), secret);
        assert_eq!(field("context"), header.context(&name));
        assert_eq!(field("state"), name.0);
        assert_eq!(field("public"), key.public());
        assert_eq!(field("content"), content);
    }

    #[test]
    fn no_bit_of_a_side_letter_can_be_changed() {
        let (header, name, key, secret, content) = parts();
        let crypto = Crypto::default();
        let letter = seal(&crypto, &secret, &key, &header, &name, content).unwrap();
        let opened = |letter: &[u8]| {
            let (header, sealed) = Header::read(letter)?;
            open(&crypto, &secret, &key.public(), &header, &name, sealed)
        };
        assert_eq!(opened(&letter).as_deref(), Some(content));
        for at in 0..letter.len() {
            let mut other = letter.clone();
            other[at] ^= 1;
            assert_eq!(opened(&other), None, "{at}");
            assert_eq!(opened(&letter[..at]), None, "{at}");
        }
        // Who knows the secret but not the key cannot write one.
        let mallory = LeafKey::from_secret(&Secret::new([0x34; 32])).unwrap();
        let forged = seal(&crypto, &secret, &mallory, &header, &name, content).unwrap();
        assert_eq!(opened(&forged), None);
    }
}
