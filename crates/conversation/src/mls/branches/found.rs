//! How a group comes to be kept: founded, or entered by a Welcome.

use std::collections::BTreeMap;

use hushwing_sansio::StorageError;
use openmls::group::JoinBuilder;
use openmls::prelude::{
    GroupId, MlsGroup, MlsMessageBodyIn, MlsMessageIn, ProcessedWelcome, StagedWelcome,
};
use openmls::treesync::LeafNodeSource;
use tls_codec::DeserializeBytes as _;

use super::facts;
use super::keeper::{self, Keeper, Lent};
use super::make::state_record;
use super::pair;
use super::policy::GroupPolicy;
use super::records::{Shelf, StateRecord};
use super::repeats::Repeats;
use super::rows::Overlay;
use super::shape;
use super::told::{MakeFault, Told, WelcomeFault};
use crate::fork_choice::rules::Parent;
use crate::fork_choice::{AccountId, Shape};
use crate::mls::provider::Provider;
use crate::mls::{LeafKey, suite};
use crate::{ConversationId, Secret};

/// Most states that are remembered because something was sealed in them. Beyond
/// that no Welcome brings me back.
const MOST_SPENT: usize = 1024;

/// The state a keeper begins with.
pub(super) struct First {
    pub(super) group: MlsGroup,
    pub(super) key: LeafKey,
    /// Bytes of its rows.
    pub(super) size: u64,
    pub(super) account: AccountId,
    pub(super) welcomed_by: Option<Welcomer>,
}

/// The leaf that signed a Welcome. Its account is what the tree in that Welcome
/// says, and so worth nothing without the key.
pub(super) struct Welcomer {
    account: AccountId,
    pub(super) key: Vec<u8>,
}

/// A Welcome that was decrypted, for the group it claims to be of.
pub(super) struct Opened {
    pub(super) welcome: ProcessedWelcome,
    pub(super) id: ConversationId,
}

impl Keeper {
    /// Founds the group `id`, with me alone in it, of the account `me`. Others
    /// come by [`wish`](Self::wish).
    ///
    /// # Errors
    ///
    /// When storage fails. The inner error says that `policy` is too long, names
    /// somebody twice, does not name me alone, or is that of a pair:
    /// [`found_pair`](Self::found_pair).
    pub fn found(
        lent: &mut Lent<'_, '_>,
        id: ConversationId,
        me: &AccountId,
        policy: &GroupPolicy,
    ) -> Result<Result<Self, MakeFault>, StorageError> {
        if policy.shape != Shape::Group {
            return Ok(Err(MakeFault::Shape));
        }
        if policy.stewards.as_slice() != core::slice::from_ref(me) {
            return Ok(Err(MakeFault::Rules));
        }
        let key = LeafKey::generate(lent.cx);
        Self::found_with(lent, id, me, policy, key)
    }

    /// The same, with a leaf of this key.
    pub(super) fn found_with(
        lent: &mut Lent<'_, '_>,
        id: ConversationId,
        me: &AccountId,
        policy: &GroupPolicy,
        key: LeafKey,
    ) -> Result<Result<Self, MakeFault>, StorageError> {
        let Ok(config) = policy
            .encode()
            .map_err(|_| ())
            .and_then(|policy| shape::create_config(policy).map_err(|_| ()))
        else {
            return Ok(Err(MakeFault::Sense));
        };
        let mut rows = Overlay::empty(&mut *lent.rows, id);
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let credential = shape::credential(me, &key);
        let name = GroupId::from_slice(&id.0);
        let group = MlsGroup::new_with_group_id(&provider, &key, &config, name, credential);
        let group = match provider.end(group)? {
            Ok(group) => group,
            Err(_) => return Ok(Err(MakeFault::Group("founding a group"))),
        };
        let size = rows.keep_as(id, &keeper::name_of(&group))?;
        let first = First {
            group,
            key,
            size,
            account: me.clone(),
            welcomed_by: None,
        };
        Self::begin(lent, id, first).map(Ok)
    }

    /// Follows a Welcome into a group that is not kept. `key_of` gives the
    /// private key of the leaf with the given public signature key, if it is
    /// mine: [`super::OwnPackage::key`].
    ///
    /// Nothing of a Welcome shows who sent it: whoever has my key package can found
    /// a group of any names. So look at it with [`invited`](Self::invited) first, and follow it only if
    /// the person whom I gave the package vouches for the key of
    /// [`Invited::by`](super::Invited).
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn join(
        lent: &mut Lent<'_, '_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<Secret>,
    ) -> Result<Result<Self, WelcomeFault>, StorageError> {
        let opened = match open(lent, welcome)? {
            Ok(opened) => opened,
            Err(fault) => return Ok(Err(fault)),
        };
        if Self::open(lent, opened.id)?.is_some() {
            return Ok(Err(WelcomeFault::Known));
        }
        enter(lent, opened, key_of, |_, _, _| Ok(()))
    }

    /// A Welcome to the group that is kept here. It is followed if it can only
    /// be meant to bring me back: I was removed, or no state is left that I have
    /// in common with the others, or whoever welcomed me before welcomes me to a
    /// later state, since the branch of the first was lost. Then everything that
    /// was kept is forgotten but my wishes.
    ///
    /// Whoever has my key package can found a group of the same id with the same
    /// names in it. So it must be signed by a leaf that the followed state knows,
    /// of a steward above me or of my own account.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn join_again(
        &mut self,
        lent: &mut Lent<'_, '_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<Secret>,
    ) -> Result<Result<Vec<Told>, WelcomeFault>, StorageError> {
        self.join_again_by(lent, welcome, key_of, None)
    }

    /// The same, where a person whom the caller has checked, and who may bring me
    /// back, vouches that the Welcome is signed with their key: that of
    /// [`Invited::by`](super::Invited). So a steward can bring me back whose leaf is
    /// newer than what I know, and anybody can whom I trust to.
    ///
    /// # Errors
    ///
    /// As [`Self::join_again`].
    pub fn join_again_vouched(
        &mut self,
        lent: &mut Lent<'_, '_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<Secret>,
        vouched: &[u8],
    ) -> Result<Result<Vec<Told>, WelcomeFault>, StorageError> {
        self.join_again_by(lent, welcome, key_of, Some(vouched))
    }

    fn join_again_by(
        &mut self,
        lent: &mut Lent<'_, '_>,
        welcome: &[u8],
        key_of: impl FnOnce(&[u8]) -> Option<Secret>,
        vouched: Option<&[u8]>,
    ) -> Result<Result<Vec<Told>, WelcomeFault>, StorageError> {
        let opened = match open(lent, welcome)? {
            Ok(opened) => opened,
            Err(fault) => return Ok(Err(fault)),
        };
        if opened.id != self.id {
            return Ok(Err(WelcomeFault::Welcome));
        }
        let stewards = self.stewards()?;
        let fits = |group: &MlsGroup, me: &AccountId, by: &Welcomer| {
            let name = keeper::name_of(group);
            let may = vouched == Some(&by.key) || self.may_bring_back(&stewards, by);
            if *me != self.account || !may {
                return Err(WelcomeFault::Stranger);
            }
            // Entering a state again would begin its ratchets anew, and seal with
            // the same keys what is said now. Of those below the root no names are
            // kept, so none of them is entered.
            let epoch = group.epoch().as_u64();
            let root = self.states.get(&self.root).map_or(0, |root| root.epoch);
            let fresh = epoch >= root
                && !self.states.contains_key(&name)
                && !self.spent.contains(&(epoch, name.0))
                && self.spent.len() < MOST_SPENT;
            let later = self.welcomed_by.as_ref() == Some(&by.key);
            if fresh && (later || self.stranded || !self.is_member()) {
                Ok(())
            } else {
                Err(WelcomeFault::Known)
            }
        };
        let mut entered = match enter(lent, opened, key_of, fits)? {
            Ok(entered) => entered,
            Err(fault) => return Ok(Err(fault)),
        };
        entered.take_over(lent, self)?;
        let gone = self.states.keys().copied().collect();
        let from = self.followed;
        *self = entered;
        let mut told = vec![Told::Followed {
            from,
            to: self.followed,
            left: gone,
            entered: vec![self.followed],
        }];
        told.extend(self.settle(lent)?);
        Ok(Ok(told))
    }

    /// Whether a Welcome of this leaf can bring me back: the followed state knows
    /// it as one of a steward, above me if I am one, or of my account.
    fn may_bring_back(&self, stewards: &[AccountId], by: &Welcomer) -> bool {
        let known = self.states.get(&self.followed).is_some_and(|state| {
            let mut leaves = state.welcomers.iter();
            leaves.any(|(account, key)| account == by.account.as_bytes() && *key == by.key)
        });
        let rank = |account| stewards.iter().position(|steward| steward == account);
        let above = match (rank(&by.account), rank(&self.account)) {
            (Some(by), Some(mine)) => by < mine,
            (Some(_), None) => true,
            (None, _) => false,
        };
        known && (above || by.account == self.account)
    }

    /// Keeps the wishes of an earlier keeper of the group, and forgets the rest
    /// of it.
    fn take_over(&mut self, lent: &mut Lent<'_, '_>, old: &Self) -> Result<(), StorageError> {
        self.next_intent = old.next_intent;
        self.intents.clone_from(&old.intents);
        let used = old.states.iter().filter(|(_, state)| state.used);
        let spent = used.map(|(name, state)| (state.epoch, name.0));
        self.spent = old.spent.iter().copied().chain(spent).collect();
        let root = self.states.get(&self.root).map_or(0, |root| root.epoch);
        self.spent.retain(|(epoch, _)| *epoch >= root);
        let mut shelf = Shelf::new(lent.rows, self.id);
        for name in old.states.keys().filter(|name| **name != self.followed) {
            shelf.remove_state(name)?;
        }
        for hash in old.commits.keys() {
            shelf.remove_commit(hash)?;
        }
        self.save_head(&mut *lent.rows)?;
        let mut shelf = Shelf::new(lent.rows, self.id);
        for (id, intent) in &mut self.intents {
            intent.fulfilled = None;
            intent.refused = None;
            intent.tried = None;
            intent.carriers.clear();
            shelf.put_intent(id.0, intent)?;
        }
        Ok(())
    }

    pub(super) fn begin(
        lent: &mut Lent<'_, '_>,
        id: ConversationId,
        first: First,
    ) -> Result<Self, StorageError> {
        let corrupt = || StorageError::corrupt("founding a group");
        let parent = facts::parent(&first.group).ok_or_else(corrupt)?;
        let name = keeper::name_of(&first.group);
        let now = lent.cx.wall().as_millis();
        let record = StateRecord {
            used: true,
            size: first.size,
            ..state_record(&first.group, &first.account, None, now)
        };
        Shelf::new(lent.rows, id).put_state(&name, &record)?;
        let keeper = Self {
            id,
            account: first.account,
            key: first.key,
            shape: parent.shape,
            root: name,
            followed: name,
            next_intent: 1,
            welcomed_by: first.welcomed_by.map(|by| by.key),
            stranded: false,
            broken_since: None,
            spent: Vec::new(),
            states: BTreeMap::from([(name, record)]),
            commits: BTreeMap::new(),
            intents: BTreeMap::new(),
            resting: BTreeMap::new(),
            turn: None,
            at_hand: Some((name, first.group)),
            repeats: Repeats::default(),
        };
        keeper.save_head(lent.rows)?;
        Ok(keeper)
    }
}

pub(super) fn open(
    lent: &mut Lent<'_, '_>,
    bytes: &[u8],
) -> Result<Result<Opened, WelcomeFault>, StorageError> {
    let Ok(message) = MlsMessageIn::tls_deserialize_exact_bytes(bytes) else {
        return Ok(Err(WelcomeFault::Welcome));
    };
    let MlsMessageBodyIn::Welcome(welcome) = message.extract() else {
        return Ok(Err(WelcomeFault::Welcome));
    };
    let provider = Provider::new(lent.crypto, lent.cx, &mut *lent.rows);
    let welcome = ProcessedWelcome::new_from_welcome(&provider, &shape::join_config(), welcome)
        .map_err(|_| WelcomeFault::Welcome)
        .and_then(|welcome| {
            if !welcome.psks().is_empty() {
                return Err(WelcomeFault::Rules);
            }
            let id = welcome.unverified_group_info().group_id().as_slice();
            let id = id.try_into().map(ConversationId);
            let id = id.map_err(|_| WelcomeFault::Rules)?;
            Ok(Opened { welcome, id })
        });
    provider.end(welcome)
}

/// Enters the group of a Welcome, if it is as ours are and `fits`, which is
/// asked with the group, my account in it and the leaf that welcomes me.
fn enter(
    lent: &mut Lent<'_, '_>,
    opened: Opened,
    key_of: impl FnOnce(&[u8]) -> Option<Secret>,
    fits: impl FnOnce(&MlsGroup, &AccountId, &Welcomer) -> Result<(), WelcomeFault>,
) -> Result<Result<Keeper, WelcomeFault>, StorageError> {
    let id = opened.id;
    let mut rows = Overlay::empty(&mut *lent.rows, id);
    let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
    let first = follow(&provider, opened.welcome, key_of).and_then(|first| {
        let by = first.welcomed_by.as_ref();
        let by = by.ok_or(WelcomeFault::Rules)?;
        fits(&first.group, &first.account, by)?;
        Ok(first)
    });
    let mut first = match provider.end(first)? {
        Ok(first) => first,
        Err(fault) => return Ok(Err(fault)),
    };
    first.size = rows.keep_as(id, &keeper::name_of(&first.group))?;
    Keeper::begin(lent, id, first).map(Ok)
}

pub(super) fn follow(
    provider: &Provider<'_>,
    welcome: ProcessedWelcome,
    key_of: impl FnOnce(&[u8]) -> Option<Secret>,
) -> Result<First, WelcomeFault> {
    let package = welcome.own_key_package().cloned();
    let package = package.ok_or(WelcomeFault::Welcome)?;
    let staged = JoinBuilder::new(provider, welcome)
        .skip_lifetime_validation()
        .build()
        .map_err(|_| WelcomeFault::Welcome)?;
    let own = staged.own_leaf_node().ok_or(WelcomeFault::Welcome)?;
    let key = key_of(own.signature_key().as_slice()).ok_or(WelcomeFault::Welcome)?;
    let key = LeafKey::from_secret(&key).ok_or(WelcomeFault::Welcome)?;
    let account = shape::account(own).ok_or(WelcomeFault::Rules)?;
    // A leaf that committed since has other keys: whoever welcomes it welcomes
    // somebody who has been in.
    let fresh = matches!(own.leaf_node_source(), LeafNodeSource::KeyPackage(_))
        && own.encryption_key() == package.leaf_node().encryption_key();
    if !fresh {
        return Err(WelcomeFault::Rules);
    }
    let welcomed_by = welcomer(&staged).ok_or(WelcomeFault::Rules)?;
    let group = staged
        .into_group(provider)
        .map_err(|_| WelcomeFault::Welcome)?;
    let parent = facts::parent(&group).ok_or(WelcomeFault::Rules)?;
    let fits = group.ciphersuite() == suite::SUITE
        && parent.is_within_bounds()
        && group
            .treesync()
            .full_leaves()
            .all(|(_, leaf)| shape::leaf_follows_the_rules(leaf))
        && may_welcome(&parent, &account, &welcomed_by.account);
    if !fits {
        return Err(WelcomeFault::Rules);
    }
    Ok(First {
        group,
        key,
        size: 0,
        account,
        welcomed_by: Some(welcomed_by),
    })
}

/// Whether the account `by` can have welcomed a leaf of `me` to this state.
fn may_welcome(parent: &Parent, me: &AccountId, by: &AccountId) -> bool {
    let stewards = parent.stewards();
    match parent.shape {
        Shape::Pair => pair::may_welcome(parent, me, by),
        Shape::Group if parent.is_of_one() => by == me && parent.is_one_accounts(),
        Shape::Group => !stewards.is_empty() && (stewards.contains(by) || by == me),
    }
}

fn welcomer(staged: &StagedWelcome) -> Option<Welcomer> {
    let leaf = staged.welcome_sender().ok()?;
    Some(Welcomer {
        account: shape::account(leaf)?,
        key: leaf.signature_key().as_slice().to_vec(),
    })
}
