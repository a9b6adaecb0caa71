//! What I want of a group, for as long as a fork can undo it.
//!
//! A wish is not a commit: it becomes one, that may lose against a rival, and
//! then becomes another. It is fulfilled in the first state of the followed
//! branch that came from a commit made for it, or that shows it anyway; if the
//! branch is left, it is open again. Once that state lies below all that are
//! kept, nothing can undo it, and the wish is forgotten.

use core::slice;

use openmls::prelude::MlsGroup;
use serde::{Deserialize, Serialize};

use crate::fork_choice::{AccountId, StateName};

use super::policy::{GroupPolicy, History, Mode};
use super::shape;
use super::told::MakeFault;

/// A change of a group that somebody wants.
///
/// `Debug` hides what is in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Add the leaf of a key package (MLS message, checked before):
    /// an account new to the group, or a further device of mine.
    Add(Vec<u8>),
    /// Remove all leaves of an account.
    Remove(AccountId),
    /// Remove the leaf with this public signature key, for instance a stolen
    /// device of mine.
    RemoveLeaf(Vec<u8>),
    /// Remove all leaves of the key package's account, and add that: for
    /// whoever has no common state left with us, where I am a steward. The key
    /// package must be a fresh one.
    AddAnew(Vec<u8>),
    /// Make somebody a steward, the last of rank. Who is one keeps the rank.
    Appoint(AccountId),
    /// Make somebody a steward no more; they stay in the group.
    Dismiss(AccountId),
    /// Change what else the group agreed on.
    Policy(PolicyChange),
    /// New keys for my leaf.
    Refresh,
    /// Add the leaf of a key package for a device that has no common state left with
    /// us. A device of its own account removes the lost leaf alone, and adds nothing if
    /// that is not there: a revoked device may ask as well. A steward has to remove all
    /// leaves of the account, see [`Wish::AddAnew`].
    AddLeafAnew {
        /// The key package (MLS message), a fresh one.
        package: Vec<u8>,
        /// The public signature key of the lost leaf: the lost device's
        /// [`signature_key`](super::Keeper::signature_key).
        lost: Vec<u8>,
    },
    /// Put others in the place of heralds. Once one of those is named no more, whoever
    /// saw to it, nothing is left of it: of two stewards who want it at a time neither
    /// does it again on top of what the other did.
    Relieve {
        /// Who is to be named no more.
        heralds: Vec<AccountId>,
        /// Who is to be named, each in the place of one of them.
        by: Vec<AccountId>,
    },
    /// Show this picture of the group; an empty one for none any more. No part of a
    /// [`PolicyChange`]: records of before would not be read any more.
    Picture(Vec<u8>),
    /// Put somebody first among the heralds, so that the last of as many as there may be
    /// goes. Who is one stays where they are.
    NameHerald(AccountId),
    /// Let somebody be a herald no longer.
    DismissHerald {
        /// Who.
        herald: AccountId,
        /// Who may come in their place: the first of these who is none then.
        by: Vec<AccountId>,
    },
}

impl core::fmt::Debug for Wish {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Wish(..)")
    }
}

/// What of a policy is to change; the rest stays as it is when the commit is
/// made. Who the stewards are is no part of it: a list that was thought of in one
/// state would, on another, bring back who ceased to be one there.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// The name.
    pub name: Option<String>,
    /// What can be proved.
    pub mode: Option<Mode>,
    /// What new members are given.
    pub history: Option<History>,
    /// Since when, in milliseconds after 1970, if they are.
    pub shared_since: u64,
    /// Seconds after reading until messages disappear; 0 if they stay.
    pub disappear: Option<u32>,
    /// Who passes on what others say, in a group that knows heralds.
    pub heralds: Option<Vec<AccountId>>,
}

impl PolicyChange {
    /// The policy after the change.
    #[must_use]
    pub fn apply(&self, policy: &GroupPolicy) -> GroupPolicy {
        let mut policy = policy.clone();
        if let Some(name) = &self.name {
            policy.name.clone_from(name);
        }
        policy.mode = self.mode.unwrap_or(policy.mode);
        policy = match self.history {
            Some(History::Shared) => policy.sharing(Some(self.shared_since)),
            Some(History::FromJoining) => policy.sharing(None),
            None => policy,
        };
        if let Some(seconds) = self.disappear {
            policy = policy.disappearing(seconds);
        }
        match (&self.heralds, policy.narrow().map(u16::try_from)) {
            (Some(heralds), Some(Ok(narrow))) => policy.heralded(narrow, heralds),
            _ => policy,
        }
    }

    /// Whether it decides all that another does.
    fn covers(&self, other: &Self) -> bool {
        (self.name.is_some() || other.name.is_none())
            && (self.mode.is_some() || other.mode.is_none())
            && (self.history.is_some() || other.history.is_none())
            && (self.disappear.is_some() || other.disappear.is_none())
            && (self.heralds.is_some() || other.heralds.is_none())
    }
}

impl Wish {
    /// The policy after it, if it is one that changes only that.
    pub(super) fn apply(&self, mut policy: GroupPolicy) -> GroupPolicy {
        match self {
            Self::Appoint(account) if !policy.stewards.contains(account) => {
                policy.stewards.push(account.clone());
            }
            Self::Dismiss(account) => policy.stewards.retain(|one| one != account),
            Self::Policy(change) => return change.apply(&policy),
            Self::Relieve { heralds, by } => return relieved(policy, heralds, by),
            Self::Picture(picture) => return policy.pictured(picture),
            Self::NameHerald(herald) => return named_first(policy, herald),
            Self::DismissHerald { herald, by } => {
                let named = policy.heralds();
                let next = by.iter().find(|one| !named.contains(one));
                return relieved(
                    policy,
                    slice::from_ref(herald),
                    next.map_or(&[], slice::from_ref),
                );
            }
            _ => {}
        }
        policy
    }

    /// Whether who wants this does not want an earlier wish any more: made anew on
    /// another branch after this one, that would undo it.
    pub(super) fn replaces(&self, earlier: &Self) -> bool {
        match (self, earlier) {
            (Self::Appoint(now), Self::Dismiss(then))
            | (Self::Dismiss(now), Self::Appoint(then)) => now == then,
            (Self::Policy(now), Self::Policy(then)) => now.covers(then),
            (Self::Picture(_), Self::Picture(_)) => true,
            (Self::NameHerald(now), Self::DismissHerald { herald: then, .. })
            | (
                Self::DismissHerald { herald: now, .. },
                Self::NameHerald(then) | Self::DismissHerald { herald: then, .. },
            ) => now == then,
            (Self::RemoveLeaf(now), Self::AddLeafAnew { lost, .. }) => now == lost,
            _ => false,
        }
    }

    /// Whether it throws out the leaf with this key.
    pub(super) fn throws_out(&self, key: &[u8]) -> bool {
        matches!(self, Self::RemoveLeaf(gone) if gone == key)
    }
}

/// Most wishes that wait at a time; further ones are refused.
pub const MOST_WISHES: usize = 1024;
/// Commits made for one wish that are remembered, the last ones.
const MOST_CARRIERS: usize = 16;

/// A wish and what became of it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) wish: Wish,
    /// The public signature key of the leaf to add, if one is.
    pub(super) adds: Option<Vec<u8>>,
    /// Commits of mine that were made for it, by hash.
    pub(super) carriers: Vec<[u8; 32]>,
    /// The state in which it was first fulfilled on the followed branch, by name.
    pub(super) fulfilled: Option<[u8; 32]>,
    /// The state of the followed branch in which it could not be had first, by name,
    /// and why.
    pub(super) refused: Option<([u8; 32], Refusal)>,
    /// The state it could not be had in last, so that it is not tried there again
    /// and again.
    #[serde(skip)]
    pub(super) tried: Option<StateName>,
}

/// Why a wish could not be had, as it is stored.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Refusal {
    Rules,
    Sense,
    Group,
}

impl From<MakeFault> for Refusal {
    fn from(fault: MakeFault) -> Self {
        match fault {
            MakeFault::Rules => Self::Rules,
            MakeFault::Sense => Self::Sense,
            _ => Self::Group,
        }
    }
}

impl From<Refusal> for MakeFault {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Rules => Self::Rules,
            Refusal::Sense => Self::Sense,
            Refusal::Group => Self::Group("making a commit"),
        }
    }
}

impl Intent {
    pub(super) fn new(wish: Wish, adds: Option<Vec<u8>>) -> Self {
        Self {
            wish,
            adds,
            carriers: Vec::new(),
            fulfilled: None,
            refused: None,
            tried: None,
        }
    }

    /// Whether whoever wants `later` does not want this any more.
    pub(super) fn gives_way_to(&self, later: &Wish) -> bool {
        let undone = self
            .adds
            .as_deref()
            .is_some_and(|key| later.throws_out(key));
        later.replaces(&self.wish) || undone
    }

    pub(super) fn carried_by(&mut self, commit: [u8; 32]) {
        if self.carriers.len() == MOST_CARRIERS {
            self.carriers.remove(0);
        }
        self.carriers.push(commit);
    }

    /// Whether a group in this state shows it without any commit of mine.
    pub(super) fn shows(&self, group: &MlsGroup) -> bool {
        let has = |account: &AccountId| {
            let mut leaves = group.treesync().full_leaves();
            leaves.any(|(_, leaf)| shape::account(leaf).as_ref() == Some(account))
        };
        let holds = |key: &[u8]| {
            let mut leaves = group.treesync().full_leaves();
            leaves.any(|(_, leaf)| leaf.signature_key().as_slice() == key)
        };
        let policy = shape::policy(group.extensions());
        let lists = |account: &AccountId| {
            let mut stewards = policy.iter().flat_map(|policy| &policy.stewards);
            stewards.any(|one| one == account)
        };
        match &self.wish {
            Wish::Add(_) | Wish::AddAnew(_) | Wish::AddLeafAnew { .. } => {
                self.adds.as_deref().is_some_and(holds)
            }
            Wish::Remove(account) => !has(account),
            Wish::RemoveLeaf(key) => !holds(key),
            Wish::Appoint(account) => has(account) && lists(account),
            Wish::Dismiss(account) => !lists(account),
            Wish::Policy(change) => policy.is_some_and(|policy| change.apply(&policy) == policy),
            Wish::Relieve { heralds, .. } => policy.is_some_and(|policy| {
                let named = policy.heralds();
                !heralds.iter().all(|one| named.contains(one))
            }),
            Wish::NameHerald(herald) => {
                policy.is_some_and(|policy| policy.heralds().contains(herald))
            }
            Wish::DismissHerald { herald, .. } => {
                policy.is_some_and(|policy| !policy.heralds().contains(herald))
            }
            Wish::Picture(picture) => {
                policy.is_some_and(|policy| policy.clone().pictured(picture) == policy)
            }
            Wish::Refresh => false,
        }
    }
}

/// The policy with somebody first among the heralds, who was none.
fn named_first(policy: GroupPolicy, herald: &AccountId) -> GroupPolicy {
    let Some(Ok(narrow)) = policy.narrow().map(u16::try_from) else {
        return policy;
    };
    let named = policy.heralds();
    match named.contains(herald) {
        true => policy,
        false => {
            let after = [slice::from_ref(herald), named.as_slice()].concat();
            policy.heralded(narrow, &after)
        }
    }
}

/// The policy with others in the place of some heralds. All others stay where they are.
fn relieved(policy: GroupPolicy, heralds: &[AccountId], by: &[AccountId]) -> GroupPolicy {
    let Some(Ok(narrow)) = policy.narrow().map(u16::try_from) else {
        return policy;
    };
    let named = policy.heralds();
    let mut new = by.iter().filter(|one| !named.contains(one));
    let places = named.iter().filter_map(|one| match heralds.contains(one) {
        true => new.next(),
        false => Some(one),
    });
    let mut after: Vec<AccountId> = places.cloned().collect();
    after.extend(new.cloned());
    policy.heralded(narrow, &after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mls::codec;

    /// Records of profiles that were opened before there were pictures.
    #[test]
    fn a_wish_of_before_is_read_as_it_was_meant() {
        let change = PolicyChange {
            name: Some("Sailing".to_owned()),
            ..PolicyChange::default()
        };
        let stored = codec::encode(&Intent::new(Wish::Policy(change), None)).unwrap();
        let before = b"\x01\x06\x01\x07Sailing\0\0\0\0\0\0\0\0\0";
        assert_eq!(stored.expose(), before);
        let picture = codec::encode(&Wish::Picture(b"P".to_vec())).unwrap();
        assert_eq!(picture.expose(), b"\x01\x0a\x01P");
    }
}
