//! The choice, fork by fork.
//!
//! At a state with several commits on it each is weighed together with the path
//! that would be followed from it. So the verdict of a tree is its first commit
//! and the verdict of what stands on that, and devices whose roots differ agree.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::iter;

use super::commit::{Class, Commit, State};
use super::names::{CommitHash, StateName};
use super::{HORIZON, Tree};

/// No leaf has this index.
const NOBODY: u32 = u32::MAX;

/// The stewards of one state who act on a path, or throw out devices of their own there: each
/// rank with the lowest of its leaves in that state that throws one out, or [`NOBODY`]. The
/// lesser list is the better: that which holds the highest steward whom the other lacks, or a lower
/// leaf of the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Judges(BTreeMap<usize, u32>);

impl Judges {
    /// Somebody of that rank acts, or throws a device out as that leaf.
    fn hear(&mut self, rank: usize, leaf: Option<u32>) {
        let lowest = self.0.entry(rank).or_insert(NOBODY);
        *lowest = (*lowest).min(leaf.unwrap_or(NOBODY));
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of them throws a device out.
    fn throw_out(&self) -> bool {
        self.0.values().any(|leaf| *leaf != NOBODY)
    }

    /// By rank, up to the first that throws a device out: or that device could bring lower
    /// ranks up on a branch where it was not. Then an end, after which comes whom only the
    /// other has.
    fn list(&self) -> impl Iterator<Item = (usize, u32)> {
        let voice = self.0.iter().find(|(_, leaf)| **leaf != NOBODY);
        let last = voice.map_or(usize::MAX, |(rank, _)| *rank);
        let judges = self.0.range(..=last).map(|(rank, leaf)| (*rank, *leaf));
        judges.chain(iter::once((usize::MAX, NOBODY)))
    }
}

impl Ord for Judges {
    fn cmp(&self, other: &Self) -> Ordering {
        self.list().cmp(other.list())
    }
}

impl PartialOrd for Judges {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a commit on a state is chosen by: the smallest wins. Two keys are never
/// equal, since states have one name each.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Who of the stewards of *this* state acts on the path. A later list is not
    /// asked: whom the path itself made a steward judges nothing here.
    judges: Judges,
    /// Whether a device throws out others of its account, where no steward acts.
    own: Reverse<bool>,
    /// The lowest leaf of *this* state that does so on the path, where devices are
    /// weighed; [`NOBODY`] if none does. Whoever came in on the path is no
    /// leaf here, whatever place they took.
    device: u32,
    /// Commits that count, to [`HORIZON`]; none where a device is heard, since who was
    /// thrown out can go on beside it.
    length: Reverse<usize>,
    class: Class,
    /// The author's rank in this state; who is no steward comes last.
    rank: usize,
    leaf: u32,
    /// Reached only between two commits of one leaf to one state. Not the hash:
    /// whoever made a commit can seal it anew, and so give it many.
    child: StateName,
}

/// The best commit on each state.
pub(super) struct Choice<'a> {
    tree: &'a Tree,
    best: BTreeMap<StateName, &'a Commit>,
}

impl<'a> Choice<'a> {
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut choice = Self {
            tree,
            best: BTreeMap::new(),
        };
        // From the tips down: what follows a state is decided before the state.
        for name in tree.order_from(tree.root()).into_iter().rev() {
            if let Some(best) = choice.best_on(&name) {
                choice.best.insert(name, best);
            }
        }
        choice
    }

    fn best_on(&self, name: &StateName) -> Option<&'a Commit> {
        let state = self.tree.state(name)?;
        let mut children = self.tree.children(name);
        let first = children.next()?;
        let Some(second) = children.next() else {
            return Some(first);
        };
        let all = [first, second].into_iter().chain(children);
        all.min_by_key(|commit| self.key(state, commit))
    }

    /// What `commit` on `state` is chosen by.
    pub(super) fn key(&self, state: &State, commit: &'a Commit) -> Key {
        let mut judges = Judges::default();
        let (mut own, mut device, mut length) = (false, NOBODY, 0);
        for step in iter::once(commit).chain(self.path(commit.child)) {
            let Some(parent) = self.tree.state(&step.parent) else {
                continue;
            };
            let place = self.thrower(state, parent, step);
            match state.rank(&step.author) {
                Some(rank) if step.judges(parent) => judges.hear(rank, place),
                None if step.class == Class::OwnRemoval => {
                    device = device.min(place.unwrap_or(NOBODY));
                }
                _ => {}
            }
            own |= step.class == Class::OwnRemoval;
            length += usize::from(step.counts(parent));
        }
        let heard = device != NOBODY || judges.throw_out();
        Key {
            own: Reverse(own && judges.is_empty()),
            judges,
            device,
            length: Reverse(if heard { 0 } else { length.min(HORIZON) }),
            class: commit.class,
            rank: state.rank(&commit.author).unwrap_or(usize::MAX),
            leaf: commit.leaf,
            child: commit.child,
        }
    }

    /// The leaf of `state` as which a commit throws out devices of its own account.
    fn thrower(&self, state: &State, parent: &State, step: &Commit) -> Option<u32> {
        if step.class != Class::OwnRemoval {
            return None;
        }
        state.place(*parent.devices.get(&step.leaf)?)
    }

    /// The commits to follow from a state.
    pub(super) fn path(&self, from: StateName) -> impl Iterator<Item = &'a Commit> {
        let next = |name| self.best.get(&name).copied();
        iter::successors(next(from), move |commit| next(commit.child))
    }
}

impl Tree {
    /// The commits to follow from the root, in order.
    pub(crate) fn verdict(&self) -> Vec<CommitHash> {
        let choice = Choice::new(self);
        let path = choice.path(self.root());
        path.map(|commit| commit.hash).collect()
    }

    /// The state the verdict leads to: the one to be in.
    pub(crate) fn tip(&self) -> StateName {
        let choice = Choice::new(self);
        let last = choice.path(self.root()).last();
        last.map_or(self.root(), |commit| commit.child)
    }
}
