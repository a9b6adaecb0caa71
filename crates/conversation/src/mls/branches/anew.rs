//! Founding a group anew (`protocol/commits.md` section 6).
//!
//! A group whose stewards do not answer, or whose members have no common state
//! left, can be founded again by any of them, with whoever answers. The new group
//! is another one: nothing of the old tree counts in it. Its policy says which group
//! it follows upon, signed by the founder's leaf in the old one: a signature can be
//! checked by everybody who knows that leaf, whatever state they are in.
//!
//! ```text
//! entry 1 of a policy   01 ‖ old group id (16) ‖ shown epoch, u64 be ‖ old key (32)
//!                          ‖ new key (32) ‖ signature (64)
//! old key signs         "hushwing founding anew 1" ‖ the entry but its signature ‖ new group id
//! ```

use hushwing_sansio::StorageError;
use openmls_traits::crypto::OpenMlsCrypto as _;
use openmls_traits::signatures::Signer as _;
use openmls_traits::types::SignatureScheme;

use super::intent::Wish;
use super::keeper::{Keeper, Lent, Member};
use super::member::MemberPackage;
use super::policy::GroupPolicy;
use super::told::{MakeFault, Told};
use crate::ConversationId;
use crate::fork_choice::{AccountId, Shape};
use crate::mls::LeafKey;
use crate::mls::crypto::Crypto;

/// The number of the entry in a policy.
const ENTRY: u16 = 1;
const VERSION: u8 = 1;
/// Not how any other thing begins that a leaf signs.
const LABEL: &[u8] = b"hushwing founding anew 1";
/// Bytes of the entry before its signature.
const SIGNED: usize = 1 + 16 + 8 + 32 + 32;
const SIGNATURE: usize = 64;
/// Epochs that are kept apart for each group of a succession, so that what is said in
/// it comes after all that was said before.
const EPOCHS: u32 = 32;
/// Groups of one succession whose epochs can be told apart.
const MOST_GROUPS: u64 = 1 << 12;

/// That a group follows upon another, as its policy claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Succession {
    /// The old group.
    pub group: ConversationId,
    /// The epoch of it in which the founder was, above the [`base`](Self::base) of it.
    pub epoch: u64,
    /// The public signature key of the founder's leaf in the old group.
    pub by: [u8; 32],
    /// The public signature key of the founder's leaf in the new group. A Welcome
    /// of another leaf is not the founder's.
    pub founder: [u8; 32],
    entry: Vec<u8>,
}

impl Succession {
    /// What a policy claims, if it claims something. Nothing of it is checked:
    /// [`Keeper::is_succeeded_by`].
    #[must_use]
    pub fn of(policy: &GroupPolicy) -> Option<Self> {
        let mut entries = policy.further.iter();
        let (_, entry) = entries.find(|(number, _)| *number == ENTRY)?;
        Self::read(entry)
    }

    /// What such an entry claims.
    #[must_use]
    pub fn read(entry: &[u8]) -> Option<Self> {
        if entry.len() != SIGNED + SIGNATURE {
            return None;
        }
        let (&VERSION, rest) = entry.split_first()? else {
            return None;
        };
        let (group, rest) = rest.split_first_chunk::<16>()?;
        let (epoch, rest) = rest.split_first_chunk::<8>()?;
        let (by, rest) = rest.split_first_chunk::<32>()?;
        let (founder, _) = rest.split_first_chunk::<32>()?;
        Some(Self {
            group: ConversationId(*group),
            epoch: u64::from_be_bytes(*epoch),
            by: *by,
            founder: *founder,
            entry: entry.to_vec(),
        })
    }

    /// The entry as it stands in the policy.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.entry
    }

    /// What the epochs of the new group are shown above: what was said there comes after
    /// what was said in the old one.
    #[must_use]
    pub fn base(&self) -> u64 {
        let group = (self.epoch >> EPOCHS).saturating_add(1);
        group.min(MOST_GROUPS) << EPOCHS
    }

    pub(super) fn entry(
        old: &Keeper,
        base: u64,
        new: ConversationId,
        founder: &LeafKey,
    ) -> Result<Vec<u8>, MakeFault> {
        let mut entry = vec![VERSION];
        entry.extend(old.id.0);
        entry.extend(base.saturating_add(old.epoch()).to_be_bytes());
        entry.extend(old.key.public());
        entry.extend(founder.public());
        let signature = old.key.sign(&signed_bytes(&entry, new));
        entry.extend(signature.map_err(|_| MakeFault::Group("signing a founding"))?);
        Ok(entry)
    }

    pub(super) fn is_signed(&self, crypto: &Crypto, new: ConversationId) -> bool {
        let Some((claim, signature)) = self.entry.split_at_checked(SIGNED) else {
            return false;
        };
        let bytes = signed_bytes(claim, new);
        crypto
            .verify_signature(SignatureScheme::ED25519, &bytes, &self.by, signature)
            .is_ok()
    }
}

fn signed_bytes(claim: &[u8], new: ConversationId) -> Vec<u8> {
    [LABEL, claim, &new.0].concat()
}

impl Keeper {
    /// Founds the group `id` in place of `old`, as one of its members: with its name
    /// and modes, with me as the only steward, and with those whose key packages
    /// (MLS messages) are given and who have a leaf in the state of `old` I follow.
    /// The Welcome is among what is told. `old` stays as it is: it is for the caller
    /// to say nothing more in it.
    ///
    /// Whether a group has to be founded anew is for a person to decide: nobody can
    /// know that a steward will not answer any more.
    ///
    /// # Errors
    ///
    /// When storage fails. The inner error says that I am not in `old`, that `old` is
    /// a pair (two who know each other need no stranger's word to begin anew), or that
    /// the policy of `old` has no room for what is to be said of it.
    pub fn found_anew(
        lent: &mut Lent<'_, '_>,
        old: &mut Self,
        id: ConversationId,
        packages: &[Vec<u8>],
    ) -> Result<Result<(Self, Vec<Told>), MakeFault>, StorageError> {
        let Some(before) = old.policy(lent)? else {
            return Ok(Err(MakeFault::NotIn));
        };
        if before.shape == Shape::Pair {
            return Ok(Err(MakeFault::Shape));
        }
        let key = LeafKey::generate(lent.cx);
        let base = Succession::of(&before).map_or(0, |succession| succession.base());
        let entry = match Succession::entry(old, base, id, &key) {
            Ok(entry) => entry,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut policy = GroupPolicy {
            stewards: vec![old.account.clone()],
            ..before
        };
        policy.further.retain(|(number, _)| *number != ENTRY);
        policy.further.push((ENTRY, entry));
        policy.further.sort();
        let mut keeper = match Self::found_with(lent, id, &old.account.clone(), &policy, key)? {
            Ok(keeper) => keeper,
            Err(fault) => return Ok(Err(fault)),
        };
        let members = old.members(lent)?;
        let accounts: Vec<_> = members.into_iter().map(|member| member.account).collect();
        let told = keeper.bring(lent, &accounts, packages)?;
        Ok(Ok((keeper, told)))
    }

    fn bring(
        &mut self,
        lent: &mut Lent<'_, '_>,
        accounts: &[AccountId],
        packages: &[Vec<u8>],
    ) -> Result<Vec<Told>, StorageError> {
        let known = |package: &&Vec<u8>| {
            let package = MemberPackage::check(lent.crypto, package);
            package.is_some_and(|package| accounts.contains(package.account()))
        };
        let known: Vec<_> = packages.iter().filter(known).cloned().collect();
        let wishes = known.into_iter().map(Wish::Add).collect();
        // A package that was checked is refused only where too many are wanted.
        Ok(self.wish_all(lent, wishes)?.unwrap_or_default())
    }

    /// Whether the founder of the group `new` is a member of this one, who then is
    /// given: a leaf of the state followed here signed that `new` follows upon this
    /// group. Any member can found one, so it is for a person to decide whether to
    /// go along; of several, that of the higher steward is the better guess, else
    /// that of the lower leaf.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn is_succeeded_by(
        &mut self,
        lent: &mut Lent<'_, '_>,
        new: ConversationId,
        succession: &Succession,
    ) -> Result<Option<Member>, StorageError> {
        if succession.group != self.id || !succession.is_signed(lent.crypto, new) {
            return Ok(None);
        }
        let members = self.members(lent)?;
        let mut members = members.into_iter();
        Ok(members.find(|member| member.signature_key == succession.by))
    }

    /// Whether `new` follows upon the same group as this one, by the word of the same
    /// leaf there: who founded this one founded that too, since a backup was put back
    /// twice. The founder here is given.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn is_founded_again_as(
        &mut self,
        lent: &mut Lent<'_, '_>,
        new: ConversationId,
        succession: &Succession,
    ) -> Result<Option<Member>, StorageError> {
        let Some(mine) = self.policy(lent)?.as_ref().and_then(Succession::of) else {
            return Ok(None);
        };
        let same = (mine.group, mine.by) == (succession.group, succession.by);
        if !same || !succession.is_signed(lent.crypto, new) {
            return Ok(None);
        }
        let mut members = self.members(lent)?.into_iter();
        Ok(members.find(|member| member.signature_key == mine.founder))
    }
}
