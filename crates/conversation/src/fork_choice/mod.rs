//! Which of several branches of one conversation everybody follows (RFC 0013,
//! `protocol/commits.md`).
//!
//! No server orders commits, so two members may commit to the same state, and
//! the conversation forks. Whoever knows the same commits must come to the same
//! verdict, whatever came first and whatever any clock says; and nobody whom a
//! steward throws out may win by another branch.
//!
//! Two questions, answered apart:
//!
//! - *May this commit be made on that state?* [`rules::check`], a function of
//!   the parent state alone, so that whoever joined yesterday answers alike.
//! - *Which of the commits that may be made do we follow?* [`Tree::verdict`], a
//!   function of the commits above the oldest state that is kept.
//!
//! Everything here is pure: no MLS library, no storage, no clock, no chance.

mod choice;
mod commit;
mod names;
mod prune;
pub(crate) mod rules;
mod tree;

pub use commit::Shape;
pub(crate) use commit::{Class, Commit, State};
pub(crate) use names::DeviceKey;
pub use names::{AccountId, AccountIdError, CommitHash, StateName};
pub(crate) use tree::{Refused, Tree, UnknownState};

/// Most counting commits that make a branch longer, and how many commits below
/// the tip a keeper can go back.
pub(crate) const HORIZON: usize = 5;

/// Most commits in a tree.
pub(crate) const MAX_COMMITS: usize = 256;

/// Most stewards of a group.
pub(crate) const MAX_STEWARDS: usize = 32;

#[cfg(test)]
mod tests;
