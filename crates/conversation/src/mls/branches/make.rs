//! Commits of mine.

use std::collections::BTreeSet;

use hushwing_sansio::StorageError;
use openmls::prelude::{KeyPackage, LeafNodeIndex, MlsGroup, MlsMessageOut};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::Serialize as _;

use super::facts;
use super::intent::Wish;
use super::keeper::{self, Keeper, Lent};
use super::member::MemberPackage;
use super::pointer::{Pointer, StatePrefix};
use super::policy::GroupPolicy;
use super::records::{self, Bulk, CommitRecord, Shelf, Standing, StateRecord};
use super::rows::{self, Overlay};
use super::shape;
use super::told::{IntentId, MakeFault, Told};
use crate::Secret;
use crate::fork_choice::rules::{self, Contents, Invalid, Leaf, Parent};
use crate::fork_choice::{AccountId, Class, CommitHash, Shape, StateName};
use crate::mls::crypto::Crypto;
use crate::mls::provider::Provider;
use crate::mls::{LeafKey, store};

/// Accounts that one commit adds; more are added by the next one. Each newcomer's
/// Welcome holds something for all who come with them.
const MOST_ADDED: usize = 64;

/// What one commit is to do, and for which wishes.
pub(super) struct Order {
    pub(super) wishes: Vec<IntentId>,
    adds: Vec<KeyPackage>,
    added: Vec<AccountId>,
    removes: BTreeSet<u32>,
    policy: Option<GroupPolicy>,
    /// It is to bring back a leaf that is not there: who was thrown out meanwhile.
    in_vain: bool,
}

/// Which wishes one commit is for.
#[derive(Clone, Copy)]
pub(super) struct How {
    /// The first only, or all of its kind.
    pub(super) apart: bool,
    /// Removals only: my account made many commits, so that the others would hold
    /// anything else.
    pub(super) paced: bool,
}

/// Wishes of one kind go into one commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    AddOwn,
    Remove,
    RemoveOwn,
    Policy,
    Refresh,
}

/// A commit of mine that was made and kept.
pub(super) struct Made {
    pub(super) commit: CommitHash,
    /// Nobody else is in the group, so it takes part at once.
    pub(super) alone: bool,
    pub(super) publish: Option<Told>,
}

/// What openmls made of an order.
struct Built {
    group: MlsGroup,
    bytes: Vec<u8>,
    welcome: Option<Vec<u8>>,
    class: Class,
    leaf: u32,
    alone: bool,
}

impl Order {
    /// New keys for my leaf, for no wish.
    pub(super) fn renewal() -> Self {
        Self {
            wishes: Vec::new(),
            adds: Vec::new(),
            added: Vec::new(),
            removes: BTreeSet::new(),
            policy: None,
            in_vain: false,
        }
    }

    /// Out of open wishes the first that can be had now, with all that are of
    /// its kind.
    pub(super) fn collect(
        crypto: &Crypto,
        group: &MlsGroup,
        account: &AccountId,
        open: &[(IntentId, Wish)],
        how: How,
    ) -> Option<Self> {
        let How { apart, paced } = how;
        let parent = facts::parent(group)?;
        let paced = paced && parent.leaves.len() > 1;
        let bound = !parent.stewards().contains(account);
        let soon = |free_from: u64| bound && parent.epoch < free_from;
        // In a pair what changes an account's own devices keeps no distance, and who
        // has the turn renews keys.
        let soon_to_add = soon(parent.free_to_change(account)) && parent.shape == Shape::Group;
        let soon_to_renew = soon(parent.free_to_renew(account)) && parent.turn() != Some(account);
        let kinds = open.iter().map(|(id, wish)| {
            let package = wish.package(crypto);
            (
                *id,
                wish,
                Kind::of(wish, package.as_ref(), group, account),
                package,
            )
        });
        // What comes too soon waits.
        let mut due = kinds.filter(|(_, _, kind, _)| match kind {
            Kind::Remove | Kind::RemoveOwn => true,
            Kind::AddOwn => !soon_to_add && !paced,
            Kind::Refresh => !soon_to_renew && !paced,
            Kind::Add | Kind::Policy => !paced,
        });
        let first = due.next()?;
        let kind = first.2;
        let more = due.filter(|(_, _, other, _)| *other == kind && !apart);
        let most = match kind {
            Kind::Add => MOST_ADDED - 1,
            _ => usize::MAX,
        };
        let more = more.take(most);
        let mut order = Self::renewal();
        for (id, wish, _, package) in core::iter::once(first).chain(more) {
            order.wishes.push(id);
            order.take(group, &parent, account, wish, package);
        }
        order.arrange(group, &parent);
        Some(order)
    }

    fn take(
        &mut self,
        group: &MlsGroup,
        parent: &Parent,
        account: &AccountId,
        wish: &Wish,
        package: Option<MemberPackage>,
    ) {
        match wish {
            Wish::Add(_) | Wish::Refresh => {}
            Wish::Remove(account) => self.remove_all(group, account),
            Wish::AddAnew(_) => {
                if let Some(package) = &package {
                    self.remove_all(group, package.account());
                }
            }
            Wish::AddLeafAnew { lost, .. } => match &package {
                // A device of the account itself leaves the others in.
                Some(package) if package.account() == account => {
                    let before = self.removes.len();
                    self.remove_leaf(group, lost, Some(account));
                    self.in_vain |= self.removes.len() == before;
                }
                Some(package) => self.remove_all(group, package.account()),
                None => {}
            },
            Wish::RemoveLeaf(key) => self.remove_leaf(group, key, None),
            Wish::Appoint(_)
            | Wish::Dismiss(_)
            | Wish::Policy(_)
            | Wish::Relieve { .. }
            | Wish::NameHerald(_)
            | Wish::DismissHerald { .. }
            | Wish::Picture(_) => {
                let before = self.policy.take().or_else(|| in_force(group, parent));
                self.policy = before.map(|policy| wish.apply(policy));
            }
        }
        if let Some(package) = package {
            self.added.push(package.account().clone());
            self.adds.push(package.package);
        }
    }

    /// Removes the leaf with this key, if it is `of` that account.
    fn remove_leaf(&mut self, group: &MlsGroup, key: &[u8], of: Option<&AccountId>) {
        let leaves = group.treesync().full_leaves();
        let found = leaves.filter(|(_, leaf)| {
            leaf.signature_key().as_slice() == key
                && of.is_none_or(|of| shape::account(leaf).as_ref() == Some(of))
        });
        self.removes.extend(found.map(|(index, _)| index.u32()));
    }

    fn remove_all(&mut self, group: &MlsGroup, account: &AccountId) {
        let leaves = group.treesync().full_leaves();
        let of_account = leaves.filter(|(_, leaf)| shape::account(leaf).as_ref() == Some(account));
        self.removes
            .extend(of_account.map(|(index, _)| index.u32()));
    }

    /// What the commit will hold, for the rules: what they refuse is never made.
    fn contents(&self, committer: u32, parent: &Parent, account: &AccountId) -> Contents {
        let leaf = |account: &AccountId| Leaf {
            account: account.clone(),
            renewed_at: None,
            changed_at: None,
        };
        let contents = Contents {
            committer,
            path: None,
            removed: self.removes.clone(),
            added: self.added.iter().map(leaf).collect(),
            listed: self.policy.as_ref().map(|policy| policy.stewards.clone()),
            heralds: self.policy.as_ref().map(GroupPolicy::heralds),
            foreign: false,
        };
        let path = Leaf {
            renewed_at: Some(parent.epoch),
            changed_at: parent.changed_at(&contents),
            ..leaf(account)
        };
        Contents {
            path: Some(path),
            ..contents
        }
    }

    /// Keeps the list of stewards to those who are there: nobody removed waits
    /// in it to be somebody again. Who is made a steward and is not there makes the
    /// commit one that the rules refuse.
    fn arrange(&mut self, group: &MlsGroup, parent: &Parent) {
        let stays = |account: &AccountId| {
            let mut leaves = parent.leaves.iter();
            self.added.contains(account)
                || leaves
                    .any(|(index, leaf)| leaf.account == *account && !self.removes.contains(index))
        };
        let removes_one = parent.stewards().iter().any(|steward| !stays(steward));
        if self.policy.is_none() && removes_one {
            let before = in_force(group, parent).map(|mut policy| {
                policy.stewards.retain(|steward| stays(steward));
                policy
            });
            self.policy = before;
        }
    }
}

/// The policy of a state, with those stewards alone who are in force there.
fn in_force(group: &MlsGroup, parent: &Parent) -> Option<GroupPolicy> {
    let policy = shape::policy(group.extensions())?;
    let stewards = parent.stewards();
    Some(GroupPolicy { stewards, ..policy })
}

impl Kind {
    fn of(wish: &Wish, package: Option<&MemberPackage>, group: &MlsGroup, me: &AccountId) -> Self {
        match wish {
            Wish::Add(_) if package.is_some_and(|package| package.account() == me) => Self::AddOwn,
            Wish::Add(_) => Self::Add,
            Wish::RemoveLeaf(key) => {
                let mut leaves = group.treesync().full_leaves();
                let own = leaves.any(|(_, leaf)| {
                    leaf.signature_key().as_slice() == key
                        && shape::account(leaf).as_ref() == Some(me)
                });
                if own { Self::RemoveOwn } else { Self::Remove }
            }
            // Not with removals: beside what it adds they would weigh nothing.
            Wish::AddLeafAnew { .. } if package.is_some_and(|package| package.account() == me) => {
                Self::AddOwn
            }
            Wish::Remove(_) | Wish::AddAnew(_) | Wish::AddLeafAnew { .. } => Self::Remove,
            Wish::Appoint(_)
            | Wish::Dismiss(_)
            | Wish::Policy(_)
            | Wish::Relieve { .. }
            | Wish::NameHerald(_)
            | Wish::DismissHerald { .. }
            | Wish::Picture(_) => Self::Policy,
            Wish::Refresh => Self::Refresh,
        }
    }
}

impl Wish {
    fn package(&self, crypto: &Crypto) -> Option<MemberPackage> {
        match self {
            Self::Add(message)
            | Self::AddAnew(message)
            | Self::AddLeafAnew {
                package: message, ..
            } => MemberPackage::check(crypto, message),
            _ => None,
        }
    }
}

impl Keeper {
    /// Makes a commit on the followed state and keeps it with the state it leads
    /// to, unpublished. Of the followed state only one thing changes: the ratchet
    /// the commit was sealed with, so that no other is ever sealed with the same
    /// key.
    pub(super) fn make(
        &mut self,
        lent: &mut Lent<'_, '_>,
        order: &Order,
        told: &mut Vec<Told>,
    ) -> Result<Result<Made, MakeFault>, StorageError> {
        let parent = self.followed;
        let mut overlay = Overlay::of(&mut *lent.rows, self.id, &parent)?;
        let provider = Provider::new(lent.crypto, lent.cx, &mut overlay);
        let built = match keeper::load(&provider, self.id) {
            Some(group) => build(&provider, group, &self.key, &parent, order),
            None => Err(MakeFault::Group("reading a state")),
        };
        let mut built = match provider.end(built)? {
            Ok(built) => built,
            Err(fault) => return Ok(Err(fault)),
        };
        // The commit was sealed with a ratchet: if that did not move, the next one
        // would be sealed with the same key, and this one must not leave.
        let scope = rows::state(self.id, &parent);
        let ratchets = overlay.row(store::MESSAGE_SECRETS).cloned();
        let before = overlay.under(&scope, store::MESSAGE_SECRETS)?;
        let Some(ratchets) = moved(before.as_ref(), ratchets) else {
            return Err(StorageError::corrupt("sealing a commit of mine"));
        };
        let provider = Provider::new(lent.crypto, lent.cx, &mut overlay);
        let merged = built.group.merge_pending_commit(&provider);
        let merged = merged.map_err(|_| MakeFault::Group("merging my commit"));
        if let Err(fault) = provider.end(merged)? {
            return Ok(Err(fault));
        }
        let child = keeper::name_of(&built.group);
        let size = overlay.keep_as(self.id, &child)?;
        lent.rows
            .put_mls_row(&scope, store::MESSAGE_SECRETS, &[], ratchets.expose())?;
        self.at_hand = None;
        self.mark_used(lent.rows, parent)?;
        let hash = CommitHash::of(&built.bytes);
        let now = lent.cx.wall().as_millis();
        let record = self.record_made(order, &built, child, now);
        let mut state = state_record(&built.group, &self.account, Some(hash), now);
        state.size = size;
        if !self.make_room(lent.rows, hash, &record, &state, told)? {
            Shelf::new(lent.rows, self.id).remove_state(&child)?;
            return Ok(Err(MakeFault::Full));
        }
        self.keep_made(lent, built, (hash, record), (child, state))
            .map(Ok)
    }

    fn record_made(
        &self,
        order: &Order,
        built: &Built,
        child: StateName,
        now: u64,
    ) -> CommitRecord {
        let added = order.adds.iter();
        let added = added.map(|package| package.leaf_node().signature_key().as_slice().to_vec());
        CommitRecord {
            parent: self.followed.0,
            child: child.0,
            author: self.account.as_bytes().to_vec(),
            leaf: built.leaf,
            class: records::number_of(built.class),
            standing: if built.alone {
                Standing::TakesPart
            } else {
                Standing::Made
            },
            welcome: built.welcome.as_ref().map(|_| added.collect()),
            own: true,
            since: now,
        }
    }

    fn keep_made(
        &mut self,
        lent: &mut Lent<'_, '_>,
        built: Built,
        (commit, record): (CommitHash, CommitRecord),
        (child, state): (StateName, StateRecord),
    ) -> Result<Made, StorageError> {
        if let Some(welcome) = &built.welcome {
            Shelf::new(lent.rows, self.id).put_bulk(Bulk::Welcome, &commit, welcome)?;
        }
        self.keep(lent.rows, commit, record, &built.bytes, child, state)?;
        let bytes = built.bytes;
        Ok(Made {
            commit,
            alone: built.alone,
            publish: (!built.alone).then_some(Told::Publish { commit, bytes }),
        })
    }
}

/// The ratchets after something was sealed, if they are there and moved.
fn moved(before: Option<&Secret>, after: Option<Secret>) -> Option<Secret> {
    let after = after?;
    (before?.expose() != after.expose()).then_some(after)
}

/// What is remembered of the state a group is in.
pub(super) fn state_record(
    group: &MlsGroup,
    me: &AccountId,
    by: Option<CommitHash>,
    now: u64,
) -> StateRecord {
    let parent = facts::parent(group);
    let devices = parent.as_ref().map(|parent| facts::devices(group, parent));
    let stewards = parent.map(|parent| parent.stewards()).unwrap_or_default();
    let welcomers = facts::welcomers(group, &stewards, me);
    StateRecord {
        by: by.map(|by| by.0),
        epoch: group.epoch().as_u64(),
        stewards: stewards.iter().map(|s| s.as_bytes().to_vec()).collect(),
        devices: devices
            .unwrap_or_default()
            .into_iter()
            .map(|(leaf, key)| (leaf, key.0))
            .collect(),
        welcomers,
        since: now,
        mine: group.is_active(),
        used: false,
        size: 0,
    }
}

fn build(
    provider: &Provider<'_>,
    mut group: MlsGroup,
    key: &LeafKey,
    name: &StateName,
    order: &Order,
) -> Result<Built, MakeFault> {
    let parent = facts::parent(&group).ok_or(MakeFault::Group("reading a state"))?;
    let leaf = group.own_leaf_index().u32();
    let account = group.own_leaf_node().and_then(shape::account);
    let account = account.ok_or(MakeFault::NotIn)?;
    if order.in_vain {
        return Err(MakeFault::Rules);
    }
    let contents = order.contents(leaf, &parent, &account);
    rules::check(&parent, &contents)?;
    let pointer = Pointer {
        state: StatePrefix::of(name),
        first_said: None,
    };
    group.set_aad(pointer.encode());
    let path = shape::renewed_leaf(shape::Stamp {
        renewed_at: parent.epoch,
        changed_at: parent.changed_at(&contents),
    });
    let path = path.map_err(|_| MakeFault::Group("stamping my leaf"))?;
    let mut builder = group
        .commit_builder()
        .consume_proposal_store(false)
        .force_self_update(true)
        .leaf_node_parameters(path)
        .propose_removals(order.removes.iter().map(|leaf| LeafNodeIndex::new(*leaf)))
        .propose_adds(order.adds.iter().cloned());
    if let Some(policy) = &order.policy {
        let policy = policy.encode().map_err(|_| MakeFault::Sense)?;
        let context = shape::context(policy).map_err(|_| MakeFault::Sense)?;
        builder = builder
            .propose_group_context_extensions(context)
            .map_err(|_| MakeFault::Sense)?;
    }
    let bundle = builder
        .load_psks(provider.storage())
        .map_err(|_| MakeFault::Group("making a commit"))?
        .build(provider.rand(), provider.crypto(), key, |_| true)
        .map_err(|_| MakeFault::Sense)?
        .stage_commit(provider)
        .map_err(|_| MakeFault::Group("sealing a commit"))?;
    let (commit, welcome, _) = bundle.into_messages();
    let class = {
        let staged = group
            .pending_commit()
            .ok_or(MakeFault::Group("making a commit"))?;
        let contents = facts::contents(&parent, leaf, staged);
        rules::check(&parent, &contents)?
    };
    let bytes = |message: MlsMessageOut| {
        message
            .tls_serialize_detached()
            .map_err(|_| MakeFault::Group("encoding a commit"))
    };
    Ok(Built {
        bytes: bytes(commit)?,
        welcome: welcome.map(bytes).transpose()?,
        class,
        leaf,
        alone: parent.leaves.len() == 1,
        group,
    })
}

impl From<Invalid> for MakeFault {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::TooSoon => Self::TooSoon,
            _ => Self::Rules,
        }
    }
}
