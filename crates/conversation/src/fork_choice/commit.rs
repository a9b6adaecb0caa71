//! What the choice knows of a state and of a commit.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::names::{AccountId, CommitHash, DeviceKey, StateName};

/// What kind of conversation a group is. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// Two accounts, without stewards; they renew keys in turn.
    Pair,
    /// Any number of accounts; stewards decide who belongs to it.
    Group,
}

/// A state of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// Names it.
    pub(crate) name: StateName,
    /// Pair or group.
    pub(crate) shape: Shape,
    /// The stewards in force ([`rules::Parent::stewards`]), none of them twice;
    /// the place in it is a steward's rank, 0 the highest. Empty in a pair.
    ///
    /// [`rules::Parent::stewards`]: super::rules::Parent::stewards
    pub(crate) stewards: Vec<AccountId>,
    /// The leaves that are weighed against others of their account
    /// ([`rules::Parent::weighed`]), by index.
    ///
    /// [`rules::Parent::weighed`]: super::rules::Parent::weighed
    pub(crate) devices: BTreeMap<u32, DeviceKey>,
}

impl State {
    /// The rank of an account, if it is a steward.
    pub(crate) fn rank(&self, account: &AccountId) -> Option<usize> {
        self.stewards.iter().position(|steward| steward == account)
    }

    /// The index of a device here. By its key: elsewhere in the tree of commits another
    /// may have its place.
    pub(super) fn place(&self, device: DeviceKey) -> Option<u32> {
        let mut devices = self.devices.iter();
        let found = devices.find(|(_, key)| **key == device);
        found.map(|(leaf, _)| *leaf)
    }
}

/// What a commit does. One that does several things is of the first class that
/// fits; the weightier is the less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    /// A steward removes leaves of others.
    Removal,
    /// A steward changes who is steward, or the policy.
    Policy,
    /// A device removes other devices of its own account, and adds none in their place.
    OwnRemoval,
    /// Adds leaves, in place of own ones too.
    Membership,
    /// New keys in turn, in a pair.
    Turn,
    /// New keys out of turn.
    Refresh,
}

/// A commit that [`rules::check`] found valid in its parent state.
///
/// [`rules::check`]: super::rules::check
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Names it.
    pub(crate) hash: CommitHash,
    /// The state it was made in.
    pub(crate) parent: StateName,
    /// The state it leads to.
    pub(crate) child: StateName,
    /// Whose device made it.
    pub(crate) author: AccountId,
    /// The leaf of that device in the parent state.
    pub(crate) leaf: u32,
    /// What it does.
    pub(crate) class: Class,
}

impl Commit {
    /// Whether branches are first judged by it: a steward's act of authority, or that a
    /// steward throws out a device of its own.
    pub(super) fn judges(&self, parent: &State) -> bool {
        match self.class {
            Class::Removal | Class::Policy => true,
            Class::OwnRemoval => parent.rank(&self.author).is_some(),
            Class::Membership | Class::Turn | Class::Refresh => false,
        }
    }

    /// Whether it makes a branch longer: what stewards do for the group, and new
    /// keys in turn. What any device could do alone does not.
    pub(super) fn counts(&self, parent: &State) -> bool {
        match self.class {
            Class::Removal | Class::Policy | Class::Turn => true,
            Class::Membership => parent.rank(&self.author).is_some(),
            Class::OwnRemoval | Class::Refresh => false,
        }
    }
}
