//! The keeper of one group's branches.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::{Context, Moment, StorageError};
use openmls::prelude::{GroupId, MlsGroup};

use super::intent::Intent;
use super::pointer::StatePrefix;
use super::policy::GroupPolicy;
use super::records::{self, CommitRecord, Head, Records, Shelf, Standing, StateRecord};
use super::repeats::Repeats;
use super::rows::InPlace;
use super::told::IntentId;
use super::{records::Bulk, shape, signed, welcome};
use crate::fork_choice::{AccountId, CommitHash, Shape, StateName};
use crate::mls::LeafKey;
use crate::mls::crypto::Crypto;
use crate::mls::provider::Provider;
use crate::{ConversationId, MlsRows};
use openmls_traits::signatures::Signer as _;

/// What a keeper is lent for one call.
pub struct Lent<'a, 'c> {
    /// Crypto, made once.
    pub crypto: &'a Crypto,
    /// Clocks and chance.
    pub cx: &'a mut Context<'c>,
    /// Where everything lies. If a call fails with a `StorageError`, what it
    /// wrote has to be rolled back and the keeper opened again.
    pub rows: &'a mut dyn MlsRows,
}

/// Keeps all states of one group that can still matter, and follows the branch
/// that everybody follows.
///
/// It is told what arrives ([`hear`](Self::hear)), what I want
/// ([`wish`](Self::wish)), that a network took a commit of mine
/// ([`published`](Self::published)) and that time passed
/// ([`tick`](Self::tick)), and it says what follows as [`Told`](super::Told).
/// Everything it knows lies in the rows.
pub struct Keeper {
    pub(super) id: ConversationId,
    pub(super) account: AccountId,
    pub(super) key: LeafKey,
    pub(super) shape: Shape,
    pub(super) root: StateName,
    pub(super) followed: StateName,
    pub(super) next_intent: u64,
    /// The public signature key of the leaf that welcomed me.
    pub(super) welcomed_by: Option<Vec<u8>>,
    pub(super) stranded: bool,
    /// Since when a chain could not be followed to its end.
    pub(super) broken_since: Option<u64>,
    /// States that are forgotten and in which something was sealed, by epoch and
    /// name, from the root's epoch on: none of them is entered again.
    pub(super) spent: Vec<(u64, [u8; 32])>,
    pub(super) states: BTreeMap<StateName, StateRecord>,
    pub(super) commits: BTreeMap<CommitHash, CommitRecord>,
    pub(super) intents: BTreeMap<IntentId, Intent>,
    /// When commits of mine that a network took have rested.
    pub(super) resting: BTreeMap<CommitHash, Moment>,
    /// When the next commit takes part that is held, or I may make another.
    pub(super) turn: Option<Moment>,
    /// The group openmls was last busy with, in its state.
    pub(super) at_hand: Option<(StateName, MlsGroup)>,
    /// What was said and read in this run.
    pub(super) repeats: Repeats,
}

/// One member leaf of a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its place in the tree.
    pub leaf: u32,
    /// Whose device it is.
    pub account: AccountId,
    /// Its public signature key.
    pub signature_key: Vec<u8>,
    /// The epoch it last committed in, if it ever did.
    pub renewed_at: Option<u64>,
}

impl Keeper {
    /// Reads the keeper of group `id`; `None` if there is no such group.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn open(lent: &mut Lent<'_, '_>, id: ConversationId) -> Result<Option<Self>, StorageError> {
        let Some(records) = Records::read(&*lent.rows, id)? else {
            return Ok(None);
        };
        let head = records.head;
        let corrupt = || StorageError::corrupt("reading the branches of a group");
        let key = LeafKey::from_secret(&head.key).ok_or_else(corrupt)?;
        let mut keeper = Self {
            id,
            account: records::account(&head.account)?,
            key,
            shape: if head.pair { Shape::Pair } else { Shape::Group },
            root: StateName(head.root),
            followed: StateName(head.followed),
            next_intent: head.next_intent,
            welcomed_by: head.welcomed_by,
            stranded: head.stranded,
            broken_since: head.broken_since,
            spent: head.spent,
            states: records.states.into_iter().collect(),
            commits: records.commits.into_iter().collect(),
            intents: records
                .intents
                .into_iter()
                .map(|(number, intent)| (IntentId(number), intent))
                .collect(),
            resting: BTreeMap::new(),
            turn: None,
            at_hand: None,
            repeats: Repeats::default(),
        };
        keeper.check_links()?;
        keeper.rest_again(lent.cx.now());
        if keeper.waits() {
            keeper.turn = Some(lent.cx.now());
        }
        Ok(Some(keeper))
    }

    /// Damage shows when it is read, not in the midst of a choice.
    fn check_links(&self) -> Result<(), StorageError> {
        let corrupt = || StorageError::corrupt("reading the branches of a group");
        let known = |name: &[u8; 32]| self.states.contains_key(&StateName(*name));
        let commits = self.commits.values();
        let sound = known(&self.root.0)
            && known(&self.followed.0)
            && commits.clone().all(|c| known(&c.parent) && known(&c.child));
        for (name, state) in &self.states {
            let by = state.by.and_then(|by| self.commits.get(&CommitHash(by)));
            let fits = match by {
                Some(by) => {
                    let parent = self.states.get(&StateName(by.parent));
                    // The epoch grows along every branch, so none is a ring.
                    by.child == name.0
                        && parent
                            .is_some_and(|parent| parent.epoch.checked_add(1) == Some(state.epoch))
                }
                None => *name == self.root,
            };
            if !fits {
                return Err(corrupt());
            }
        }
        if sound { Ok(()) } else { Err(corrupt()) }
    }

    /// Whether something is held, or wanted and not had: then a look at the clock
    /// after opening says when it is due.
    fn waits(&self) -> bool {
        let mut commits = self.commits.values();
        commits.any(|commit| commit.standing == Standing::Held)
            || self
                .intents
                .values()
                .any(|intent| intent.fulfilled.is_none())
    }

    fn rest_again(&mut self, now: Moment) {
        for (hash, commit) in &self.commits {
            if let Standing::Published(rest) = commit.standing {
                self.resting
                    .insert(*hash, now + Duration::from_millis(rest));
            }
        }
    }

    /// Forgets the group and everything of it. The key packages I was added with
    /// have to be forgotten as well: a Welcome that is followed twice begins the
    /// ratchets of its state anew.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn forget(rows: &mut dyn MlsRows, id: ConversationId) -> Result<(), StorageError> {
        Shelf::new(rows, id).clear()
    }

    /// Which group it is.
    #[must_use]
    pub fn id(&self) -> ConversationId {
        self.id
    }

    /// My account in it.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The public signature key of my leaf: what names it in [`super::Wish`]es of
    /// others.
    #[must_use]
    pub fn signature_key(&self) -> Vec<u8> {
        self.key.public().to_vec()
    }

    /// Signs as my leaf. What is signed begins as nothing else does that a leaf signs.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        self.key.sign(bytes).ok()
    }

    /// Whether my account may change its own devices in the followed state, though more
    /// than one stays: it keeps no distance there, or did. `None` if I was removed.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub(crate) fn is_free(
        &mut self,
        lent: &mut Lent<'_, '_>,
    ) -> Result<Option<bool>, StorageError> {
        if !self.is_member() {
            return Ok(None);
        }
        let me = self.account.clone();
        let free = self.within(lent, self.followed, |_, group, _| {
            let parent = super::facts::parent(group).ok_or(())?;
            let kept = parent.shape == Shape::Group && !parent.stewards().contains(&me);
            Ok::<_, ()>(!kept || parent.epoch >= parent.free_to_change(&me))
        })?;
        Ok(Some(free.unwrap_or(false)))
    }

    /// The state that is followed.
    #[must_use]
    pub fn followed(&self) -> StateName {
        self.followed
    }

    /// The state on the followed branch by which a leaf ceased to be in the group; `None` if
    /// it is in it, or was in none that is kept.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub(crate) fn out_of(
        &mut self,
        lent: &mut Lent<'_, '_>,
        key: &[u8],
    ) -> Result<Option<StateName>, StorageError> {
        let mut was_in = false;
        for state in self.states_to(self.followed) {
            let members = self.members_of(lent, state)?;
            if members.is_empty() {
                // I was not in that one myself.
                continue;
            }
            let is_in = members.iter().any(|one| one.signature_key == key);
            if was_in && !is_in {
                return Ok(Some(state));
            }
            was_in = is_in;
        }
        Ok(None)
    }

    /// A state if it is held and I am in it, else the followed one.
    #[must_use]
    pub fn held_or_followed(&self, name: StateName) -> StateName {
        let held = self.states.get(&name).is_some_and(|state| state.mine);
        if held { name } else { self.followed }
    }

    /// Its epoch.
    #[must_use]
    pub fn epoch(&self) -> u64 {
        self.states
            .get(&self.followed)
            .map_or(0, |state| state.epoch)
    }

    /// The epoch of the oldest state that is kept: nothing older can be read.
    #[must_use]
    pub fn oldest_epoch(&self) -> u64 {
        self.states.get(&self.root).map_or(0, |state| state.epoch)
    }

    /// Whether a leaf of mine is in it. If not, I was removed.
    #[must_use]
    pub fn is_member(&self) -> bool {
        self.states
            .get(&self.followed)
            .is_some_and(|state| state.mine)
    }

    /// Whether a chain of commits, signed by a leaf of the followed state, had
    /// nothing in common with what is kept ([`super::ChainFault::Beyond`]) or could not be
    /// followed to its end for three days, and the group has not moved on here
    /// since. What is missing may still be on its way, so have patience before you
    /// ask to be added anew.
    #[must_use]
    pub fn is_stranded(&self) -> bool {
        self.stranded
    }

    /// The stewards in force in the followed state, by rank.
    ///
    /// # Errors
    ///
    /// When the record is damaged.
    pub fn stewards(&self) -> Result<Vec<AccountId>, StorageError> {
        let state = self.states.get(&self.followed);
        let stewards = state.into_iter().flat_map(|state| &state.stewards);
        stewards.map(|steward| records::account(steward)).collect()
    }

    /// All states that are kept.
    pub fn states(&self) -> impl Iterator<Item = StateName> {
        self.states.keys().copied()
    }

    /// The same, as messages name them: by epoch and the beginning of the name.
    pub fn known_states(&self) -> impl Iterator<Item = (u64, StatePrefix)> {
        let states = self.states.iter();
        states.map(|(name, state)| (state.epoch, StatePrefix::of(name)))
    }

    /// How many commits are kept, followed or not.
    #[must_use]
    pub fn commits(&self) -> usize {
        self.commits.len()
    }

    /// The wishes that a fork can still undo, or that wait for a commit.
    pub fn open_intents(&self) -> impl Iterator<Item = IntentId> {
        self.intents.keys().copied()
    }

    /// The wishes that the followed state does not show, each with the key of the leaf
    /// it adds.
    pub fn pending(&self) -> impl Iterator<Item = (&super::Wish, Option<&[u8]>)> {
        let open = self.intents.values().filter(|one| one.fulfilled.is_none());
        open.map(|one| (&one.wish, one.adds.as_deref()))
    }

    /// What a wish is for that is not settled.
    #[must_use]
    pub fn wish_of(&self, id: IntentId) -> Option<&super::Wish> {
        self.intents.get(&id).map(|intent| &intent.wish)
    }

    /// The members of the followed state, by leaf; empty if I was removed.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn members(&mut self, lent: &mut Lent<'_, '_>) -> Result<Vec<Member>, StorageError> {
        self.members_of(lent, self.followed)
    }

    /// The members of a state, by leaf; empty if it is not kept, or if I was not in it.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn members_of(
        &mut self,
        lent: &mut Lent<'_, '_>,
        state: StateName,
    ) -> Result<Vec<Member>, StorageError> {
        if !self.states.get(&state).is_some_and(|state| state.mine) {
            return Ok(Vec::new());
        }
        let members = self.within(lent, state, |_, group, _| {
            Ok::<_, core::convert::Infallible>(welcome::members(group))
        })?;
        Ok(members.unwrap_or_default())
    }

    /// The account whose leaf made a commit that is kept.
    #[must_use]
    pub fn author_of(&self, commit: &CommitHash) -> Option<&[u8]> {
        let record = self.commits.get(commit)?;
        Some(&record.author)
    }

    /// What the group agreed on in the followed state; `None` if I was removed.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn policy(&mut self, lent: &mut Lent<'_, '_>) -> Result<Option<GroupPolicy>, StorageError> {
        if !self.is_member() {
            return Ok(None);
        }
        let policy = self.within(lent, self.followed, |_, group, _| {
            shape::policy(group.extensions()).ok_or(())
        })?;
        let policy = policy.map_err(|()| StorageError::corrupt("reading the policy of a group"))?;
        Ok(Some(policy))
    }

    /// The epoch authenticator of the followed state (RFC 9420 section 8.7);
    /// `None` if I was removed.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn authenticator(
        &mut self,
        lent: &mut Lent<'_, '_>,
    ) -> Result<Option<Vec<u8>>, StorageError> {
        if !self.is_member() {
            return Ok(None);
        }
        let bytes = self.within(lent, self.followed, |_, group, _| {
            Ok::<_, core::convert::Infallible>(group.epoch_authenticator().as_slice().to_vec())
        })?;
        Ok(bytes.ok())
    }

    /// The commits that lead from the oldest state that is kept to one whose
    /// name begins with `state`, in order: what to hand to somebody who holds a
    /// message of that state and does not know it. `None` if it is not kept. If
    /// somebody made several such states, the commits that lead to all of them.
    /// The last piece is my signature over all before it: without it nobody believes
    /// that a chain leads beyond what they know. All pieces are handed on as they
    /// are.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn chain_to(
        &self,
        rows: &mut dyn MlsRows,
        state: StatePrefix,
    ) -> Result<Option<Vec<Vec<u8>>>, StorageError> {
        let names = self.states.keys();
        let mut names = names.filter(|name| StatePrefix::of(name) == state);
        let Some(first) = names.next() else {
            return Ok(None);
        };
        let mut path = self.path_to(*first);
        for name in names {
            let more = self.path_to(*name).into_iter();
            let more: Vec<_> = more.filter(|hash| !path.contains(hash)).collect();
            path.extend(more);
        }
        let shelf = Shelf::new(rows, self.id);
        let chain = path.into_iter();
        let chain = chain.map(|hash| shelf.bulk(Bulk::Commit, &hash));
        let mut chain: Vec<_> = chain.collect::<Result<_, _>>()?;
        chain.extend(signed::sign(&self.key, self.id, state, &chain));
        Ok(Some(chain))
    }

    /// The commits from the root to a state, in order.
    pub(super) fn path_to(&self, name: StateName) -> Vec<CommitHash> {
        let mut path = Vec::new();
        let mut at = name;
        while let Some(by) = self.states.get(&at).and_then(|state| state.by) {
            path.push(CommitHash(by));
            let Some(commit) = self.commits.get(&CommitHash(by)) else {
                break;
            };
            at = StateName(commit.parent);
        }
        path.reverse();
        path
    }

    /// The states from the root to a state, both among them, in order.
    pub(super) fn states_to(&self, name: StateName) -> Vec<StateName> {
        let path = self.path_to(name).into_iter();
        let children = path.filter_map(|hash| self.commits.get(&hash));
        core::iter::once(self.root)
            .chain(children.map(|commit| StateName(commit.child)))
            .collect()
    }

    /// Writes down what there is one of.
    pub(super) fn save_head(&self, rows: &mut dyn MlsRows) -> Result<(), StorageError> {
        let head = Head {
            account: self.account.as_bytes().to_vec(),
            key: self.key.secret(),
            pair: self.shape == Shape::Pair,
            root: self.root.0,
            followed: self.followed.0,
            next_intent: self.next_intent,
            welcomed_by: self.welcomed_by.clone(),
            stranded: self.stranded,
            broken_since: self.broken_since,
            spent: self.spent.clone(),
        };
        Shelf::new(rows, self.id).put_head(&head)
    }

    /// Does something with the group as it is in `state`. What openmls writes
    /// stays if it succeeds, and is forgotten if not.
    pub(super) fn within<T, E>(
        &mut self,
        lent: &mut Lent<'_, '_>,
        state: StateName,
        act: impl FnOnce(&Provider<'_>, &mut MlsGroup, &LeafKey) -> Result<T, E>,
    ) -> Result<Result<T, E>, StorageError> {
        let mut rows = InPlace::new(&mut *lent.rows, self.id, &state);
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let known = self.at_hand.take().filter(|(at, _)| *at == state);
        let mut group = match known {
            Some((_, group)) => group,
            None => match load(&provider, self.id) {
                Some(group) => group,
                None => {
                    provider.end(Err::<(), ()>(()))?.unwrap_or(());
                    return Err(StorageError::corrupt("reading a state of a group"));
                }
            },
        };
        let outcome = act(&provider, &mut group, &self.key);
        let outcome = provider.end(outcome)?;
        // After a failure, what openmls holds may have moved; the rows have not.
        if outcome.is_ok() {
            self.at_hand = Some((state, group));
        }
        Ok(outcome)
    }
}

/// Reads the group from whatever rows the provider shows as its own.
pub(super) fn load(provider: &Provider<'_>, id: ConversationId) -> Option<MlsGroup> {
    use openmls_traits::OpenMlsProvider as _;
    let id = GroupId::from_slice(&id.0);
    MlsGroup::load(provider.storage(), &id).ok().flatten()
}

/// The name of the state a group is in.
pub(super) fn name_of(group: &MlsGroup) -> StateName {
    StateName::derive(
        group.group_id().as_slice(),
        group.epoch().as_u64(),
        group.epoch_authenticator().as_slice(),
    )
}
