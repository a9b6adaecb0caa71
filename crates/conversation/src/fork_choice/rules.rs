//! Which commits are valid in a state, and what they are (`protocol/commits.md`,
//! section 3).
//!
//! The answer depends on the parent state alone, never on a clock, on what
//! arrived first, or on a past that somebody who joined yesterday does not have.
//! Whoever asks describes state and commit in the plain facts below.

use std::collections::{BTreeMap, BTreeSet};

use super::MAX_STEWARDS;
use super::commit::{Class, Shape};
use super::names::AccountId;

/// Most leaves of a group that has no bound of its own.
pub(crate) const MAX_LEAVES: usize = 1_000;

/// Most leaves of one account, in a group that has no bound of its own for that.
pub(crate) const MAX_DEVICES: usize = 8;

/// Most epochs between what two commits of an account that is no steward must
/// keep; more than [`HORIZON`](super::HORIZON), so that nobody alone can carry
/// the others' tip away from a commit that is on its way.
pub(crate) const SPACING: u64 = 8;

/// A leaf, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Whose it is: the identity of its credential.
    pub(crate) account: AccountId,
    /// The epoch in which it last made a commit, by the stamp in its extension. None
    /// until its first.
    pub(crate) renewed_at: Option<u64>,
    /// The epoch in which it last made one that did more than renew its keys, by the
    /// same stamp.
    pub(crate) changed_at: Option<u64>,
}

/// A state of a group, described from its group context and its ratchet tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parent {
    /// Pair or group.
    pub(crate) shape: Shape,
    /// Its epoch.
    pub(crate) epoch: u64,
    /// Most leaves, by the group context; never changes.
    pub(crate) most: usize,
    /// Most leaves of one account, by the group context; never changes.
    pub(crate) each: usize,
    /// Whether the group context bounds the leaves of one account, and to as many as
    /// there may be of all; never changes.
    pub(crate) of_one: bool,
    /// Most leaves without a herald, by the group context; never changes.
    pub(crate) narrow: usize,
    /// The heralds as the group context lists them: members who pass on what others
    /// say. Those without a leaf are none.
    pub(crate) heralds: Vec<AccountId>,
    /// The stewards as the group context lists them.
    pub(crate) listed: Vec<AccountId>,
    /// The leaves that are not blank, by index.
    pub(crate) leaves: BTreeMap<u32, Leaf>,
}

/// What a commit holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contents {
    /// The leaf that made it.
    pub(crate) committer: u32,
    /// That leaf after it, if it has an update path.
    pub(crate) path: Option<Leaf>,
    /// The leaves it removes.
    pub(crate) removed: BTreeSet<u32>,
    /// The leaves it adds.
    pub(crate) added: Vec<Leaf>,
    /// The list of stewards after it, if it replaces the group context's
    /// extensions. The same list then means that only the policy changes.
    pub(crate) listed: Option<Vec<AccountId>>,
    /// The heralds after it, if it replaces the group context's extensions.
    pub(crate) heralds: Option<Vec<AccountId>>,
    /// Whether it holds anything else: a proposal of another kind or by
    /// reference, a change of an extension that is neither stewards nor policy,
    /// or comes from outside.
    pub(crate) foreign: bool,
}

impl Contents {
    /// Whether it does more than renew the keys of its committer.
    pub(crate) fn changes(&self) -> bool {
        !self.removed.is_empty() || !self.added.is_empty() || self.listed.is_some()
    }
}

/// Why a commit is invalid in its parent state. All of these are its author's
/// doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    /// Its author has no leaf.
    #[error("committer is no leaf")]
    Stranger,
    /// Something no commit may hold.
    #[error("commit holds what no commit may")]
    Foreign,
    /// It has no update path.
    #[error("commit without an update path")]
    NoPath,
    /// Its new leaf says it is somebody else's.
    #[error("committer changes whose leaf it is")]
    Identity,
    /// The stamp of its new leaf says other epochs, or an added leaf has one.
    #[error("wrong epoch of renewal or change")]
    Stamp,
    /// It removes a leaf that is blank, or its own.
    #[error("leaf cannot be removed")]
    NoSuchLeaf,
    /// Only a steward may do this.
    #[error("committer is no steward")]
    NotSteward,
    /// It touches a steward who is not below its author.
    #[error("not below the committer")]
    NotBelow,
    /// It adds somebody in the name of an account that is there, or that waits
    /// in the list of stewards.
    #[error("account cannot be added")]
    NotNew,
    /// The list names somebody twice, or somebody without a leaf, or nobody.
    #[error("list of stewards cannot be")]
    List,
    /// Too many leaves, of all or without a herald, devices of one account, or
    /// stewards.
    #[error("group too large")]
    TooMany,
    /// Nobody may do this in a pair.
    #[error("not in a pair")]
    InPair,
    /// The author's account made a commit too few epochs ago, of those that count for this.
    #[error("too soon after the last commit of its account")]
    TooSoon,
}

impl Parent {
    /// The stewards in force: those listed who have a leaf, in order. A commit
    /// that would leave none is invalid, so a group has one as long as it was
    /// founded with one. A pair has none, nor has a group of one account's devices:
    /// each is as much that account as the others, a stolen one too, and what it does
    /// must not outweigh that it was thrown out.
    pub(crate) fn stewards(&self) -> Vec<AccountId> {
        if self.ranks_devices() {
            return Vec::new();
        }
        let mut stewards: Vec<AccountId> = Vec::new();
        for account in &self.listed {
            if self.has(account) && !stewards.contains(account) {
                stewards.push(account.clone());
            }
        }
        stewards.truncate(MAX_STEWARDS);
        stewards
    }

    /// Whether no more leaves are there than may be, of all and of each account.
    pub(crate) fn is_within_bounds(&self) -> bool {
        let mut accounts = self.accounts().into_iter();
        let few = accounts.all(|account| self.devices(account).count() <= self.each);
        few && self.leaves.len() <= self.most
    }

    /// Whether it is a group in which every leaf may be one account's. It stays that of
    /// its founder.
    pub(crate) fn is_of_one(&self) -> bool {
        self.shape == Shape::Group && self.of_one
    }

    /// Whether of devices that throw each other out the lower leaf is heard: where no
    /// steward can be.
    pub(crate) fn ranks_devices(&self) -> bool {
        self.shape == Shape::Pair || self.is_of_one()
    }

    /// The leaves that the choice weighs against others of their account: the stewards',
    /// and all where no steward can be.
    pub(crate) fn weighed(&self) -> BTreeSet<u32> {
        let (all, stewards) = (self.ranks_devices(), self.stewards());
        let weighs = |leaf: &Leaf| all || stewards.contains(&leaf.account);
        let leaves = self.leaves.iter().filter(|(_, leaf)| weighs(leaf));
        leaves.map(|(index, _)| *index).collect()
    }

    /// Whether all leaves are of one account.
    pub(crate) fn is_one_accounts(&self) -> bool {
        self.accounts().len() == 1
    }

    /// Whether it is a pair as pairs are founded: of two accounts, without anybody
    /// listed, and with room for the devices of both. No commit changes any of that.
    pub(crate) fn is_a_pair(&self) -> bool {
        let roomy = (self.most, self.each, self.narrow) == (MAX_LEAVES, MAX_DEVICES, MAX_LEAVES);
        let two = self.listed.is_empty() && self.accounts().len() == 2;
        self.shape == Shape::Pair && roomy && two
    }

    /// The account that holds the turn of a pair: the accounts take turns in the
    /// order of their first leaves.
    pub(crate) fn turn(&self) -> Option<&AccountId> {
        if self.shape == Shape::Group {
            return None;
        }
        let accounts = self.accounts();
        let place = usize::try_from(self.epoch % 2).ok()?;
        accounts.get(place).copied()
    }

    /// The first epoch in which an account that is no steward may renew keys and do
    /// nothing else: [`SPACING`] epochs after its last commit, in small groups as many
    /// as there are accounts.
    pub(crate) fn free_to_renew(&self, account: &AccountId) -> u64 {
        self.spaced_from(account, |leaf| leaf.renewed_at)
    }

    /// The first epoch in which it may change its own devices: as long after its last
    /// commit that did more than renew keys. So that everybody renews theirs keeps
    /// nobody's other devices out.
    pub(crate) fn free_to_change(&self, account: &AccountId) -> u64 {
        self.spaced_from(account, |leaf| leaf.changed_at)
    }

    fn spaced_from(&self, account: &AccountId, stamp: impl Fn(&Leaf) -> Option<u64>) -> u64 {
        let spacing = u64::try_from(self.accounts().len()).unwrap_or(SPACING);
        let last = self.devices(account).filter_map(|(_, leaf)| stamp(leaf));
        let last = last.max();
        last.map_or(0, |epoch| epoch.saturating_add(spacing.min(SPACING)))
    }

    /// What the new leaf of a commit bears as `changed_at`.
    pub(crate) fn changed_at(&self, commit: &Contents) -> Option<u64> {
        match commit.changes() {
            true => Some(self.epoch),
            false => self.leaves.get(&commit.committer)?.changed_at,
        }
    }

    fn accounts(&self) -> Vec<&AccountId> {
        let mut accounts = Vec::new();
        for leaf in self.leaves.values() {
            if !accounts.contains(&&leaf.account) {
                accounts.push(&leaf.account);
            }
        }
        accounts
    }

    fn devices(&self, account: &AccountId) -> impl Iterator<Item = (&u32, &Leaf)> {
        let leaves = self.leaves.iter();
        leaves.filter(move |(_, leaf)| leaf.account == *account)
    }

    fn has(&self, account: &AccountId) -> bool {
        self.devices(account).next().is_some()
    }
}

/// Whether a commit is valid in `parent`, and what it is then.
///
/// # Errors
///
/// See [`Invalid`]: the first that applies.
pub(crate) fn check(parent: &Parent, commit: &Contents) -> Result<Class, Invalid> {
    let check = Check::new(parent, commit)?;
    if commit.foreign {
        return Err(Invalid::Foreign);
    }
    check.removals()?;
    check.list()?;
    check.additions()?;
    check.sizes()?;
    let class = check.class();
    check.path(class)?;
    check.spacing(class)?;
    Ok(class)
}

/// A commit beside its parent state.
struct Check<'a> {
    parent: &'a Parent,
    commit: &'a Contents,
    author: &'a AccountId,
    stewards: Vec<AccountId>,
    rank: Option<usize>,
}

impl<'a> Check<'a> {
    fn new(parent: &'a Parent, commit: &'a Contents) -> Result<Self, Invalid> {
        let leaf = parent.leaves.get(&commit.committer);
        let author = &leaf.ok_or(Invalid::Stranger)?.account;
        let stewards = parent.stewards();
        Ok(Self {
            parent,
            commit,
            author,
            rank: stewards.iter().position(|steward| steward == author),
            stewards,
        })
    }

    /// The leaves removed that are of this account, or not.
    fn removed(&self, own: bool) -> impl Iterator<Item = &Leaf> {
        let removed = self.commit.removed.iter();
        let leaves = removed.filter_map(|index| self.parent.leaves.get(index));
        leaves.filter(move |leaf| (leaf.account == *self.author) == own)
    }

    /// A leaf of an account that stays; the committer's own always does.
    fn stays(&self, account: &AccountId) -> bool {
        let mut devices = self.parent.devices(account);
        devices.any(|(index, _)| !self.commit.removed.contains(index))
    }

    fn is_added(&self, account: &AccountId) -> bool {
        self.commit
            .added
            .iter()
            .any(|leaf| leaf.account == *account)
    }

    fn is_steward(&self) -> Result<usize, Invalid> {
        match self.parent.shape {
            Shape::Pair => Err(Invalid::InPair),
            Shape::Group => self.rank.ok_or(Invalid::NotSteward),
        }
    }

    /// Of others only a steward removes, and of stewards only those below him.
    fn removals(&self) -> Result<(), Invalid> {
        let there = |index: &u32| self.parent.leaves.contains_key(index);
        let removed = &self.commit.removed;
        if removed.contains(&self.commit.committer) || !removed.iter().all(there) {
            return Err(Invalid::NoSuchLeaf);
        }
        for leaf in self.removed(false) {
            let rank = self.is_steward()?;
            let above = self.stewards.iter().take(rank);
            if above.into_iter().any(|steward| *steward == leaf.account) {
                return Err(Invalid::NotBelow);
            }
        }
        Ok(())
    }

    /// A steward arranges the places from his own on; all listed must be there.
    fn list(&self) -> Result<(), Invalid> {
        let Some(listed) = &self.commit.listed else {
            return Ok(());
        };
        let rank = self.is_steward()?;
        let kept = self.stewards.iter().take(rank);
        if listed.len() < rank || !kept.eq(listed.iter().take(rank)) {
            return Err(Invalid::NotBelow);
        }
        if listed.len() > MAX_STEWARDS {
            return Err(Invalid::TooMany);
        }
        let different: BTreeSet<_> = listed.iter().collect();
        let there = |account| self.stays(account) || self.is_added(account);
        if listed.is_empty() || different.len() < listed.len() || !listed.iter().all(there) {
            return Err(Invalid::List);
        }
        Ok(())
    }

    /// Devices of one's own account, or by a steward accounts that are new.
    fn additions(&self) -> Result<(), Invalid> {
        let mut new = BTreeSet::new();
        for leaf in &self.commit.added {
            if leaf.renewed_at.is_some() || leaf.changed_at.is_some() {
                return Err(Invalid::Stamp);
            }
            if leaf.account == *self.author {
                continue;
            }
            self.is_steward()?;
            let waits = self.commit.listed.is_none()
                && self.parent.listed.contains(&leaf.account)
                && !self.stewards.contains(&leaf.account);
            if self.stays(&leaf.account) || waits || !new.insert(&leaf.account) {
                return Err(Invalid::NotNew);
            }
        }
        Ok(())
    }

    fn sizes(&self) -> Result<(), Invalid> {
        let leaves = self.parent.leaves.len() + self.commit.added.len();
        let leaves = leaves.saturating_sub(self.commit.removed.len());
        // Who adds nobody need not find a herald first: a removal never has to wait.
        let crowded =
            leaves > self.parent.narrow && !self.commit.added.is_empty() && !self.has_herald();
        if leaves > self.parent.most
            || crowded
            || self.own_devices() > self.parent.each && self.is_added(self.author)
        {
            return Err(Invalid::TooMany);
        }
        Ok(())
    }

    /// Whether somebody passes on what others say after the commit.
    fn has_herald(&self) -> bool {
        let listed = self.commit.heralds.as_ref();
        let mut heralds = listed.unwrap_or(&self.parent.heralds).iter();
        heralds.any(|account| self.stays(account) || self.is_added(account))
    }

    /// How many leaves the author's account has after the commit.
    fn own_devices(&self) -> usize {
        let devices = self.parent.devices(self.author);
        let stay = devices.filter(|(index, _)| !self.commit.removed.contains(index));
        let added = self.commit.added.iter();
        stay.count() + added.filter(|leaf| leaf.account == *self.author).count()
    }

    /// The first class that fits.
    fn class(&self) -> Class {
        if self.removed(false).next().is_some() {
            Class::Removal
        } else if self.commit.listed.is_some() {
            Class::Policy
        } else if self.removed(true).next().is_some() && !self.is_added(self.author) {
            Class::OwnRemoval
        } else if !self.commit.added.is_empty() {
            Class::Membership
        } else if self.parent.turn() == Some(self.author) {
            Class::Turn
        } else {
            Class::Refresh
        }
    }

    /// The committer's new leaf stays its account's and says when it was made.
    fn path(&self, class: Class) -> Result<(), Invalid> {
        let leaf = self.commit.path.as_ref().ok_or(Invalid::NoPath)?;
        if leaf.account != *self.author {
            return Err(Invalid::Identity);
        }
        let due = (Some(self.parent.epoch), self.parent.changed_at(self.commit));
        match (leaf.renewed_at, leaf.changed_at) {
            stamp if stamp == due => Ok(()),
            // Pairs of one device each go without stamps.
            (None, None) if class == Class::Turn => Ok(()),
            _ => Err(Invalid::Stamp),
        }
    }

    /// Who is no steward keeps a distance. A device may throw out all others of
    /// its account at any time, or a stolen one could keep it from doing so.
    fn spacing(&self, class: Class) -> Result<(), Invalid> {
        let free_from = match (self.parent.shape, class) {
            _ if self.rank.is_some() => 0,
            (_, Class::Refresh) => self.parent.free_to_renew(self.author),
            (Shape::Group, Class::Membership) => self.parent.free_to_change(self.author),
            (Shape::Group, Class::OwnRemoval) if self.own_devices() > 1 => {
                self.parent.free_to_change(self.author)
            }
            _ => 0,
        };
        if self.parent.epoch < free_from {
            return Err(Invalid::TooSoon);
        }
        Ok(())
    }
}
