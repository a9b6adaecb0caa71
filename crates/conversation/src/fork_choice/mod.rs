//! Which of several branches of one conversation everybody follows (RFC 0011).
//!
//! No server orders commits, so two members may commit to the same state, and
//! the conversation forks. Whoever knows the same commits must come to the same
//! verdict, whatever came first and whatever any clock says; and nobody whom one
//! branch removes may win by another.
//!
//! [`Forks`] is a tree: its root is the oldest state that can still be gone back
//! to, and each [`Commit`] leads from its parent to a state of its own.
//! [`Forks::verdict`] first takes out what has fallen:
//!
//! - what a leaf made that a rival branch removes, with all that stands on it;
//! - what a steward made as such whom a rival branch makes a common member.
//!
//! These are looked at by rank of who made them, so of two stewards who remove
//! each other the higher one is right. Then it walks from the root, and at each
//! state follows the commit
//!
//! 1. whose branch holds a steward's removal or policy, the higher steward's
//!    before the lower one's;
//! 2. whose branch is longer, counting commits in turn and by stewards, to
//!    [`HORIZON`] at most;
//! 3. that is the weightiest by itself: its class, then the standing and the leaf
//!    of who made it, and last the smaller hash, which thus decides between two
//!    commits of one leaf only.
//!
//! The branch of a commit is the one that would be followed from it, so the
//! verdict is a function of the set of commits.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Most commits that can be gone back over, and most that length counts.
pub const HORIZON: usize = 5;

/// Names a state of a group: a hash over its id, epoch and epoch authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateName(pub [u8; 32]);

/// SHA-256 of a commit as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitHash(pub [u8; 32]);

/// Index of a leaf in the ratchet tree (RFC 9420 section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf(pub u32);

/// What a committer was in the parent state; the higher standing is the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// The steward at this place of the list of stewards. In a conversation of
    /// two the account that holds the turn has place 0.
    Steward(u16),
    /// Anybody else.
    Member,
}

/// What a commit does; the weightier class is the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Removes leaves of other accounts.
    Removal,
    /// Changes stewards or policy.
    Policy,
    /// Adds leaves, or carries out what others proposed.
    Membership,
    /// Renews keys in turn.
    Update,
    /// Renews keys out of turn.
    SelfUpdate,
}

/// A commit that is valid in its parent state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Names it.
    pub hash: CommitHash,
    /// The state it stands on.
    pub parent: StateName,
    /// The state it leads to.
    pub child: StateName,
    /// Who made it.
    pub committer: Leaf,
    /// What the committer was in `parent`.
    pub standing: Standing,
    /// What it does.
    pub class: Class,
    /// Leaves it removes, without those of the committer's own account.
    pub removed: BTreeSet<Leaf>,
    /// Leaves it makes common members, without those of the committer's own
    /// account.
    pub demoted: BTreeSet<Leaf>,
}

/// Why a commit was not taken into the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It is there already.
    #[error("commit known already")]
    Known,
    /// Another commit leads to its state, which no two valid ones can.
    #[error("two commits lead to one state")]
    SameState,
}

/// All commits known that stand on one state.
#[derive(Clone, Debug)]
pub struct Forks {
    root: StateName,
    /// By the state each leads to, so that no state has two parents and what
    /// hangs on the root is a tree.
    commits: BTreeMap<StateName, Commit>,
}

/// How good a branch is; the greatest is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Merit {
    /// The highest steward who protects the conversation on it.
    protection: Option<Reverse<u16>>,
    /// Commits that count.
    length: usize,
}

/// Commits that have not fallen, named by the states they lead to.
type Upright = BTreeSet<StateName>;

impl Commit {
    /// The place of the steward who protects the conversation with it.
    fn protection(&self) -> Option<u16> {
        match (self.class, self.standing) {
            (Class::Removal | Class::Policy, Standing::Steward(place)) => Some(place),
            _ => None,
        }
    }

    fn counts(&self) -> bool {
        self.class != Class::SelfUpdate && self.standing != Standing::Member
    }

    /// Whether `rival`, made beside it, falls by it.
    fn fells(&self, rival: &Self) -> bool {
        let powers = rival.standing != Standing::Member;
        self.removed.contains(&rival.committer) || powers && self.demoted.contains(&rival.committer)
    }

    /// Decides between branches of equal merit; the least is followed.
    fn weight(&self) -> (Class, Standing, Leaf, CommitHash) {
        (self.class, self.standing, self.committer, self.hash)
    }
}

impl Forks {
    /// No commit stands on `root` yet.
    #[must_use]
    pub fn new(root: StateName) -> Self {
        Self {
            root,
            commits: BTreeMap::new(),
        }
    }

    /// Takes a commit in. One that stands on nothing known has no weight until
    /// what it stands on comes.
    ///
    /// # Errors
    ///
    /// See [`NotTaken`]; nothing changes then.
    pub fn add(&mut self, commit: Commit) -> Result<(), NotTaken> {
        match self.commits.get(&commit.child) {
            Some(known) if known.hash == commit.hash => Err(NotTaken::Known),
            Some(_) => Err(NotTaken::SameState),
            None if commit.child == self.root => Err(NotTaken::SameState),
            None => {
                self.commits.insert(commit.child, commit);
                Ok(())
            }
        }
    }

    /// The commits to follow from the root, in order.
    #[must_use]
    pub fn verdict(&self) -> Vec<CommitHash> {
        let upright = self.upright();
        let (mut path, mut state) = (Vec::new(), self.root);
        while let Some(next) = self.best(state, &upright) {
            path.push(next.hash);
            state = next.child;
        }
        path
    }

    fn best(&self, state: StateName, upright: &Upright) -> Option<&Commit> {
        self.on(state)
            .filter(|commit| upright.contains(&commit.child))
            .min_by_key(|commit| (Reverse(self.merit(commit, upright)), commit.weight()))
    }

    /// The merit of the branch that would be followed from `commit` on.
    fn merit(&self, commit: &Commit, upright: &Upright) -> Merit {
        let onward = self
            .on(commit.child)
            .filter(|next| upright.contains(&next.child))
            .map(|next| self.merit(next, upright))
            .max()
            .unwrap_or_default();
        Merit {
            protection: onward.protection.max(commit.protection().map(Reverse)),
            length: HORIZON.min(onward.length + usize::from(commit.counts())),
        }
    }

    /// What hangs on the root and has not fallen.
    fn upright(&self) -> Upright {
        let connected = self.above(self.root);
        let mut upright = connected.clone();
        for judge in self.judges(&connected) {
            if !upright.contains(&judge.child) {
                continue;
            }
            let rivals = self.named(&connected).filter(|rival| judge.fells(rival));
            for rival in rivals.filter(|rival| self.is_beside(judge, rival)) {
                let onward = self.above(rival.child);
                upright.retain(|state| *state != rival.child && !onward.contains(state));
            }
        }
        upright
    }

    /// Removals and demotions by stewards, the highest steward's first.
    fn judges<'a>(&'a self, among: &'a Upright) -> Vec<&'a Commit> {
        let mut judges: Vec<_> = self
            .named(among)
            .filter(|commit| commit.protection().is_some())
            .collect();
        judges.sort_by_key(|commit| (commit.standing, commit.weight()));
        judges
    }

    /// Whether neither stands on the other.
    fn is_beside(&self, one: &Commit, other: &Commit) -> bool {
        one.child != other.child
            && !self.above(one.child).contains(&other.child)
            && !self.above(other.child).contains(&one.child)
    }

    fn named<'a>(&'a self, states: &'a BTreeSet<StateName>) -> impl Iterator<Item = &'a Commit> {
        states.iter().filter_map(|state| self.commits.get(state))
    }

    /// The commits that stand on a state.
    fn on(&self, state: StateName) -> impl Iterator<Item = &Commit> {
        (self.commits.values()).filter(move |commit| commit.parent == state)
    }

    /// The states that follow from a state.
    fn above(&self, state: StateName) -> BTreeSet<StateName> {
        let (mut found, mut open) = (BTreeSet::new(), vec![state]);
        while let Some(state) = open.pop() {
            for commit in self.on(state) {
                if found.insert(commit.child) {
                    open.push(commit.child);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
