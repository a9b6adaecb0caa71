//! All commits known above the oldest state that can still be gone back to.

use std::collections::{BTreeMap, BTreeSet};

use super::commit::{Commit, State};
use super::names::{CommitHash, StateName};
use super::{MAX_COMMITS, MAX_STEWARDS};

/// The tree of commits. Each leads to a state of its own; the root is the oldest
/// state kept.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: StateName,
    states: BTreeMap<StateName, Node>,
    /// Which state each commit leads to.
    commits: BTreeMap<CommitHash, StateName>,
}

/// A state with the edges of the tree.
#[derive(Clone, Debug)]
struct Node {
    state: State,
    /// The commit that leads here; none at the root.
    from: Option<Commit>,
    /// The states that commits on this one lead to.
    children: BTreeSet<StateName>,
}

/// Why a commit was not taken into the tree. Nothing changed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// It is there already.
    #[error("commit known already")]
    Known,
    /// It stands on a state that is not here: ask its sender for the chain.
    #[error("commit stands on an unknown state")]
    UnknownParent(StateName),
    /// The state it leads to is there already: it is a commit that is known,
    /// which its author sealed a second time.
    #[error("commit known already in another form")]
    SameState,
    /// The state handed over is not the one the commit leads to, or none that
    /// can follow: another shape, too many stewards. The caller's fault.
    #[error("state does not belong to the commit")]
    Mismatch,
    /// [`MAX_COMMITS`] are here: see [`Tree::room_for`].
    #[error("too many commits")]
    Full,
}

/// No such state is in the tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no such state is kept")]
pub(crate) struct UnknownState;

impl Tree {
    /// No commit stands on `root` yet.
    pub(crate) fn new(root: State) -> Self {
        Self {
            root: root.name,
            states: BTreeMap::from([(root.name, Node::new(root, None))]),
            commits: BTreeMap::new(),
        }
    }

    /// Takes in a commit that is valid in its parent state, with the state it
    /// leads to.
    ///
    /// # Errors
    ///
    /// See [`Refused`]; nothing changes then.
    pub(crate) fn insert(&mut self, commit: Commit, child: State) -> Result<(), Refused> {
        if self.commits.contains_key(&commit.hash) {
            return Err(Refused::Known);
        }
        let full = self.commits.len() >= MAX_COMMITS;
        let taken = self.states.contains_key(&commit.child);
        let Some(parent) = self.states.get_mut(&commit.parent) else {
            return Err(Refused::UnknownParent(commit.parent));
        };
        if taken {
            return Err(Refused::SameState);
        }
        if commit.child != child.name || !parent.state.can_lead_to(&child) {
            return Err(Refused::Mismatch);
        }
        if full {
            return Err(Refused::Full);
        }
        parent.children.insert(commit.child);
        self.commits.insert(commit.hash, commit.child);
        self.states
            .insert(child.name, Node::new(child, Some(commit)));
        Ok(())
    }

    /// The oldest state.
    pub(crate) fn root(&self) -> StateName {
        self.root
    }

    /// How many commits are here.
    pub(crate) fn len(&self) -> usize {
        self.commits.len()
    }

    /// A state by its name.
    pub(crate) fn state(&self, name: &StateName) -> Option<&State> {
        Some(&self.states.get(name)?.state)
    }

    /// The states whose names begin so; more than one only if somebody made it
    /// so.
    pub(crate) fn beginning(&self, short: [u8; 8]) -> impl Iterator<Item = StateName> {
        let names = self.states.keys().copied();
        names.filter(move |name| name.short() == short)
    }

    /// A commit by its hash.
    pub(crate) fn commit(&self, hash: &CommitHash) -> Option<&Commit> {
        self.commit_to(self.commits.get(hash)?)
    }

    /// The commit that leads to a state; none to the root.
    pub(crate) fn commit_to(&self, name: &StateName) -> Option<&Commit> {
        self.states.get(name)?.from.as_ref()
    }

    /// The commits that stand on a state.
    pub(crate) fn children(&self, name: &StateName) -> impl Iterator<Item = &Commit> {
        let children = self.states.get(name).map(|node| &node.children);
        children
            .into_iter()
            .flatten()
            .filter_map(|child| self.commit_to(child))
    }

    /// The commits that lead from the root to a state, in order: what somebody
    /// needs who does not know it.
    ///
    /// # Errors
    ///
    /// The state is not here.
    pub(crate) fn chain_to(&self, name: &StateName) -> Result<Vec<CommitHash>, UnknownState> {
        let mut node = self.states.get(name).ok_or(UnknownState)?;
        let mut chain = Vec::new();
        while let Some(commit) = &node.from {
            chain.push(commit.hash);
            node = self.states.get(&commit.parent).ok_or(UnknownState)?;
        }
        chain.reverse();
        Ok(chain)
    }

    /// Makes a later state the root. What does not stand on it goes, the commits
    /// that lead to it included; their hashes are handed out.
    ///
    /// # Errors
    ///
    /// The state is not here; nothing changes then.
    pub(crate) fn reroot(&mut self, name: &StateName) -> Result<Vec<CommitHash>, UnknownState> {
        self.states.get(name).ok_or(UnknownState)?;
        let kept: BTreeSet<_> = self.order_from(*name).into_iter().collect();
        let all: Vec<_> = self.states.keys().copied().collect();
        let mut dropped = Vec::new();
        for gone in all.into_iter().filter(|name| !kept.contains(name)) {
            let node = self.states.remove(&gone);
            dropped.extend(node.and_then(|node| node.from).map(|commit| commit.hash));
        }
        if let Some(root) = self.states.get_mut(name) {
            dropped.extend(root.from.take().map(|commit| commit.hash));
        }
        for hash in &dropped {
            self.commits.remove(hash);
        }
        self.root = *name;
        Ok(dropped)
    }

    /// A state and all that follow from it, each after the one it stands on.
    pub(super) fn order_from(&self, name: StateName) -> Vec<StateName> {
        let mut order = vec![name];
        let mut next = 0;
        while let Some(node) = order.get(next).and_then(|name| self.states.get(name)) {
            order.extend(&node.children);
            next += 1;
        }
        order
    }

    /// Takes out a commit with all that stands on it; gives their hashes.
    pub(super) fn remove(&mut self, name: StateName) -> Vec<CommitHash> {
        let parent = self.commit_to(&name).map(|commit| commit.parent);
        if let Some(parent) = parent.and_then(|parent| self.states.get_mut(&parent)) {
            parent.children.remove(&name);
        }
        let mut dropped = Vec::new();
        for gone in self.order_from(name) {
            let node = self.states.remove(&gone);
            dropped.extend(node.and_then(|node| node.from).map(|commit| commit.hash));
        }
        for hash in &dropped {
            self.commits.remove(hash);
        }
        dropped
    }
}

impl Node {
    fn new(state: State, from: Option<Commit>) -> Self {
        Self {
            state,
            from,
            children: BTreeSet::new(),
        }
    }
}

impl State {
    fn can_lead_to(&self, child: &Self) -> bool {
        self.shape == child.shape && child.stewards.len() <= MAX_STEWARDS
    }
}
