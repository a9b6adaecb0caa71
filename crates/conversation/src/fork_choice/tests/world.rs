//! A group as the tests see it: states described in full, so that every commit
//! of a tree passed [`rules::check`], and states follow from commits as MLS
//! makes them follow.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::super::rules::{self, Contents, Invalid, Leaf, MAX_DEVICES, MAX_LEAVES, Parent};
use super::super::{
    AccountId, Class, Commit, CommitHash, DeviceKey, Refused, Shape, State, StateName, Tree,
};

/// Account `number`.
pub(super) fn account(number: u8) -> AccountId {
    AccountId::try_from([number; 16].as_slice()).unwrap()
}

/// A leaf that made no commit yet.
pub(super) fn leaf(number: u8) -> Leaf {
    Leaf {
        account: account(number),
        renewed_at: None,
        changed_at: None,
    }
}

/// A state in which the leaves belong to these accounts, in order; 0 is blank.
pub(super) fn parent(shape: Shape, epoch: u64, listed: &[u8], leaves: &[u8]) -> Parent {
    let owned = (0..).zip(leaves).filter(|(_, number)| **number != 0);
    Parent {
        shape,
        epoch,
        most: MAX_LEAVES,
        each: MAX_DEVICES,
        of_one: false,
        narrow: MAX_LEAVES,
        heralds: Vec::new(),
        listed: listed.iter().map(|number| account(*number)).collect(),
        leaves: owned
            .map(|(index, number)| (index, leaf(*number)))
            .collect(),
    }
}

/// A commit of `committer` with the right stamp and nothing else in it.
pub(super) fn bare(parent: &Parent, committer: u32) -> Contents {
    let path = parent.leaves.get(&committer).map(|leaf| Leaf {
        renewed_at: Some(parent.epoch),
        ..leaf.clone()
    });
    Contents {
        committer,
        path,
        removed: BTreeSet::new(),
        added: Vec::new(),
        listed: None,
        heralds: None,
        foreign: false,
    }
}

/// The same commit, whose new leaf says that it changed something if it does.
pub(super) fn stamped(parent: &Parent, commit: &Contents) -> Contents {
    let mut commit = commit.clone();
    let renews = commit.removed.is_empty() && commit.added.is_empty() && commit.listed.is_none();
    let before = parent.leaves.get(&commit.committer);
    let before = before.and_then(|leaf| leaf.changed_at);
    if let Some(path) = &mut commit.path {
        path.changed_at = if renews { before } else { Some(parent.epoch) };
    }
    commit
}

/// The state after a valid commit: new leaves go to the first blank places.
pub(super) fn after(parent: &Parent, commit: &Contents) -> Parent {
    let mut child = parent.clone();
    child.epoch += 1;
    child
        .leaves
        .retain(|index, _| !commit.removed.contains(index));
    child
        .leaves
        .extend(commit.path.clone().map(|path| (commit.committer, path)));
    for leaf in &commit.added {
        let blank = (0..)
            .find(|index| !child.leaves.contains_key(index))
            .unwrap();
        child.leaves.insert(blank, leaf.clone());
    }
    if let Some(listed) = &commit.listed {
        child.listed.clone_from(listed);
    }
    if let Some(heralds) = &commit.heralds {
        child.heralds.clone_from(heralds);
    }
    child
}

/// Bytes in which no two commits are the same.
fn encoded(commit: &Contents) -> Vec<u8> {
    let accounts = |leaves: &[Leaf]| leaves.iter().map(|leaf| leaf.account.clone()).collect();
    let bytes = |accounts: Vec<AccountId>| {
        let bytes = accounts.iter().map(|account| account.as_bytes().to_vec());
        bytes.collect::<Vec<_>>()
    };
    let added = bytes(accounts(&commit.added));
    let listed = commit.listed.clone().map(bytes);
    format!("{:?}", (commit.committer, &commit.removed, added, listed)).into_bytes()
}

pub(super) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let hash = parts
        .iter()
        .fold(Sha256::new(), |hash, part| hash.chain_update(part));
    hash.finalize().into()
}

/// A tree, and what its states are.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) tree: Tree,
    pub(super) states: BTreeMap<StateName, Parent>,
    /// All commits ever taken, each after what it stands on.
    pub(super) made: Vec<(Commit, State)>,
    pub(super) contents: BTreeMap<CommitHash, Contents>,
    /// Which leaves are the same in which states.
    pub(super) devices: BTreeMap<StateName, Devices>,
}

pub(super) type Devices = BTreeMap<u32, DeviceKey>;

/// The leaves after a commit: those that stayed, and those that came in with it.
fn devices_after(
    before: &Devices,
    contents: &Contents,
    child: &Parent,
    name: StateName,
) -> Devices {
    let places = child.leaves.keys().map(|index| {
        let stayed = before
            .get(index)
            .filter(|_| !contents.removed.contains(index));
        let new = || DeviceKey(digest(&[&name.0, &index.to_be_bytes()]));
        (*index, stayed.copied().unwrap_or_else(new))
    });
    places.collect()
}

impl World {
    pub(super) fn new(root: Parent) -> Self {
        let name = StateName([0; 32]);
        let new = bare(&root, 0);
        let devices = devices_after(&Devices::new(), &new, &root, name);
        Self {
            tree: Tree::new(state(name, &root, &devices)),
            devices: BTreeMap::from([(name, devices)]),
            states: BTreeMap::from([(name, root)]),
            made: Vec::new(),
            contents: BTreeMap::new(),
        }
    }

    pub(super) fn root() -> StateName {
        StateName([0; 32])
    }

    /// Makes a commit if it is valid; `seed` makes another of it.
    pub(super) fn make(
        &mut self,
        on: StateName,
        contents: &Contents,
        seed: u8,
    ) -> Result<CommitHash, Invalid> {
        let parent = &self.states[&on];
        let contents = stamped(parent, contents);
        let class = rules::check(parent, &contents)?;
        let hash = digest(&[&on.0, &encoded(&contents), &[seed]]);
        let child = StateName(digest(&[&hash]));
        self.take(on, &contents, class, CommitHash(hash), child);
        Ok(CommitHash(hash))
    }

    /// As [`World::make`], with a hash and a name for the child of one's own.
    pub(super) fn make_as(&mut self, on: StateName, contents: &Contents, number: u8) -> StateName {
        let contents = stamped(&self.states[&on], contents);
        let class = rules::check(&self.states[&on], &contents).unwrap();
        let child = StateName([number; 32]);
        self.take(on, &contents, class, CommitHash([number; 32]), child);
        child
    }

    fn take(
        &mut self,
        on: StateName,
        contents: &Contents,
        class: Class,
        hash: CommitHash,
        name: StateName,
    ) {
        let parent = &self.states[&on];
        let child = after(parent, contents);
        let commit = Commit {
            hash,
            parent: on,
            child: name,
            author: parent.leaves[&contents.committer].account.clone(),
            leaf: contents.committer,
            class,
        };
        let devices = devices_after(&self.devices[&on], contents, &child, name);
        let state = state(name, &child, &devices);
        match self.tree.insert(commit.clone(), state.clone()) {
            Ok(()) => {
                self.states.insert(name, child);
                self.devices.insert(name, devices);
                self.contents.insert(hash, contents.clone());
                self.made.push((commit, state));
            }
            Err(refused) => assert_eq!(refused, Refused::Known),
        }
    }

    /// The commits followed from a state.
    pub(super) fn followed_from(&self, name: StateName) -> Vec<Commit> {
        let mut tree = self.tree.clone();
        tree.reroot(&name).unwrap();
        let hashes = tree.verdict();
        hashes
            .iter()
            .map(|hash| self.tree.commit(hash).unwrap().clone())
            .collect()
    }

    /// The paths from a state to every state above it.
    pub(super) fn paths_from(&self, name: StateName) -> Vec<Vec<&Commit>> {
        let mut paths: Vec<Vec<&Commit>> = vec![Vec::new()];
        let mut next = 0;
        while let Some(path) = paths.get(next).cloned() {
            let tip = path.last().map_or(name, |commit| commit.child);
            for commit in self.tree.children(&tip) {
                let mut longer = path.clone();
                longer.push(commit);
                paths.push(longer);
            }
            next += 1;
        }
        paths
    }
}

/// What the tree knows of a state.
fn state(name: StateName, parent: &Parent, devices: &Devices) -> State {
    let weighed = parent.weighed();
    let devices = devices.iter().filter(|(leaf, _)| weighed.contains(leaf));
    State {
        name,
        shape: parent.shape,
        stewards: parent.stewards(),
        devices: devices.map(|(leaf, key)| (*leaf, *key)).collect(),
    }
}
