//! What need not be kept: whoever makes many commits to one state costs the
//! others no more than one.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use super::Tree;
use super::choice::{Choice, Key};
use super::commit::{Class, Commit};
use super::names::{AccountId, CommitHash, StateName};

/// How much a commit weighs when there is no room: an act of a steward of the
/// root by his rank, what else counts, a device thrown out, the rest. The
/// smaller is the weightier.
type Weight = (u8, usize);

impl Tree {
    /// Drops, of one account's commits on one state that nothing stands on, all
    /// but its best; gives the hashes of what went. The verdict stays the same,
    /// now and whatever is still to be built on what stays. The states `kept` stay
    /// in any case; those below one of them have to be among them.
    pub(crate) fn prune(&mut self, kept: &BTreeSet<StateName>) -> Vec<CommitHash> {
        let candidates = &self.childless() - kept;
        self.keep_best(&candidates)
    }

    /// Makes room for `commit` in a tree that is full with `most`. Prunes; then drops, of one
    /// account's branches on one state that it made alone, all but its best; then
    /// a commit that weighs less, that nothing stands on and that is not
    /// followed. Gives the hashes of what went.
    ///
    /// The verdict stays the same for now. What went may matter once others build
    /// on it: that is refused for its unknown parent, and comes with its chain.
    /// If the tree is full even so, there is no room. The states `kept` stay in any
    /// case; those below one of them have to be among them.
    pub(crate) fn room_for(
        &mut self,
        commit: &Commit,
        most: usize,
        kept: &BTreeSet<StateName>,
    ) -> Vec<CommitHash> {
        let needed = &self.chain_down(commit.parent) | kept;
        let besides = |names: BTreeSet<_>| &names - &needed;
        let mut dropped = self.keep_best(&besides(self.childless()));
        if self.len() >= most {
            dropped.extend(self.keep_best(&besides(self.made_alone())));
        }
        if self.len() >= most
            && let Some(name) = self.lightest(commit, &needed)
        {
            dropped.extend(self.remove(name));
        }
        dropped
    }

    /// Of the commits of one account on one state that lead to one of
    /// `candidates`, drops all but the best, with what stands on them.
    fn keep_best(&mut self, candidates: &BTreeSet<StateName>) -> Vec<CommitHash> {
        let losers = self.losers(candidates);
        let dropped = losers.into_iter().flat_map(|name| self.remove(name));
        dropped.collect()
    }

    fn losers(&self, candidates: &BTreeSet<StateName>) -> Vec<StateName> {
        let choice = Choice::new(self);
        let mut losers = Vec::new();
        for name in self.order_from(self.root()) {
            let Some(state) = self.state(&name) else {
                continue;
            };
            let mut best: BTreeMap<&AccountId, (Key, StateName)> = BTreeMap::new();
            let children = self.children(&name);
            for commit in children.filter(|commit| candidates.contains(&commit.child)) {
                let this = (choice.key(state, commit), commit.child);
                let Some(other) = best.remove(&commit.author) else {
                    best.insert(&commit.author, this);
                    continue;
                };
                let (better, worse) = if this < other {
                    (this, other)
                } else {
                    (other, this)
                };
                losers.push(worse.1);
                best.insert(&commit.author, better);
            }
        }
        losers
    }

    /// A state and those it stands on.
    fn chain_down(&self, name: StateName) -> BTreeSet<StateName> {
        let down = |name: &StateName| Some(self.commit_to(name)?.parent);
        iter::successors(Some(name), down).collect()
    }

    /// The states on which nothing stands.
    fn childless(&self) -> BTreeSet<StateName> {
        let states = self.order_from(self.root()).into_iter();
        let childless = states.filter(|name| self.children(name).next().is_none());
        childless.collect()
    }

    /// The states led to by commits on which their author's account alone built.
    fn made_alone(&self) -> BTreeSet<StateName> {
        let mut alone = BTreeSet::new();
        for name in self.order_from(self.root()).into_iter().rev() {
            let Some(commit) = self.commit_to(&name) else {
                continue;
            };
            let same = |next: &Commit| next.author == commit.author && alone.contains(&next.child);
            if self.children(&name).all(same) {
                alone.insert(name);
            }
        }
        alone
    }

    /// The lightest commit that may go for `commit`, by the state it leads to.
    fn lightest(&self, commit: &Commit, needed: &BTreeSet<StateName>) -> Option<StateName> {
        let followed: BTreeSet<_> = self.verdict().into_iter().collect();
        let childless = self.childless().into_iter();
        childless
            .filter(|name| !needed.contains(name))
            .filter_map(|name| self.commit_to(&name))
            .filter(|known| !followed.contains(&known.hash))
            .max_by_key(|known| (self.weight(known), known.child))
            .filter(|known| self.weight(known) > self.weight(commit))
            .map(|known| known.child)
    }

    fn weight(&self, commit: &Commit) -> Weight {
        let parent = self.state(&commit.parent);
        let rank = self
            .state(&self.root())
            .and_then(|root| root.rank(&commit.author));
        match rank {
            Some(rank) if parent.is_some_and(|parent| commit.judges(parent)) => (0, rank),
            _ if parent.is_some_and(|parent| commit.counts(parent)) => {
                (1, rank.unwrap_or(usize::MAX))
            }
            _ if commit.class == Class::OwnRemoval => (2, 0),
            _ => (3, 0),
        }
    }
}
