//! Groups of many leaves, whose commits nobody orders.
//!
//! Two stewards may commit to the same state at the same time. Then there are
//! two branches, and everybody follows the same one by the rule in
//! `protocol/commits.md`, which looks at commits and at nothing else. What that
//! asks of MLS, whose library knows one state of a group and forgets the one
//! before, is kept here: a [`Keeper`] holds every state that can still matter,
//! each with rows of its own.
//!
//! ```text
//! hear ─ bytes ─▶ pointer ─▶ the state it names ─┬ a message: read in place
//!                                                └ a commit: read on a copy ─▶ rules ─▶ a child state
//! wish ─▶ intent ─▶ a commit on a copy ─▶ Publish ─▶ published ─ rest ─▶ takes part
//!                          what takes part ─▶ verdict ─▶ Followed, Welcome, Removed
//! ```
//!
//! # What whoever drives it has to do
//!
//! - One transaction per call; act on all [`Told`] in it. On a `StorageError`
//!   roll back, drop the keeper and [`open`](Keeper::open) it again.
//! - [`Told::Publish`]: send to all leaves of the state it was made in, and say
//!   [`published`](Keeper::published) when a network took it.
//! - [`Told::Followed`] with `left`: what I said in those states and that somebody
//!   has not confirmed, [`say`](Keeper::say) again with the epoch it was said in first,
//!   under its old message id: whoever has it drops it.
//! - [`Told::Forgotten`]: what I said in those states and that somebody has not
//!   confirmed is too late for them; say it again as well.
//! - [`HearFault::UnknownState`]: hold the message, ask its sender for
//!   [`chain_to`](Keeper::chain_to) that state, give the answer to
//!   [`hear_chain`](Keeper::hear_chain), and hear the message again.
//!   [`ChainFault::Beyond`] means that no common state is left: ask a device of my
//!   account or a steward to be added anew ([`Wish::AddLeafAnew`], with my
//!   [`signature_key`](Keeper::signature_key)), and hold Welcomes that came out as
//!   [`WelcomeFault::Known`] for [`join_again`](Keeper::join_again).
//!   [`ChainFault::Unproven`] shows nothing: ask somebody else whom the group has.
//!   A chain is handed on whole, with its last piece, in one letter.
//! - A Welcome to a group that is not kept: look at it with
//!   [`invited`](Keeper::invited), and ask the person who was given that key package
//!   whether the key of the leaf that signed it ([`Invited::by`]) is theirs. In a conversation with them that is a question
//!   their program answers by itself. Without such an answer, do not
//!   [`join`](Keeper::join): anybody who has the package can have made the group.
//! - [`WelcomeFault::Stranger`]: no leaf I know as one that may bring me back signed
//!   it. Drop it, unless it is for my account and a person who may bring me back
//!   vouches for its key in the same way: then
//!   [`join_again_vouched`](Keeper::join_again_vouched). That is how a steward brings
//!   me back whose leaf is newer than what I know, and anybody the highest steward.
//! - [`Told::Removed`]: try Welcomes that were held once more.
//! - A Welcome whose policy holds a [`Succession`]: ask the keeper of the old group
//!   whether it [`is_succeeded_by`](Keeper::is_succeeded_by) the new one, and the
//!   person whether to go along.
//! - What [`hear`](Keeper::hear) and [`hear_chain`](Keeper::hear_chain) tell beside
//!   a fault is to be acted on like all else.
//! - Keep the private half of a key package ([`OwnPackage`]) for as long as a
//!   fork can undo the Welcome that used it.
//! - Call [`tick`](Keeper::tick) at [`poll_timeout`](Keeper::poll_timeout), which
//!   changes with every call: commits rest, and those of an account that makes many
//!   wait.
//! - [`Told::Waits`]: say why it cannot be had now; whoever does not want to wait
//!   for another branch [`unwish`](Keeper::unwish)es it.

mod anew;
mod facts;
mod follow;
mod found;
mod hear;
mod intent;
mod keeper;
mod lost;
mod make;
mod member;
mod own_leaf;
mod pace;
mod pair;
mod pointer;
mod policy;
mod pursue;
mod records;
mod repeats;
mod rows;
mod shape;
mod side;
mod signed;
mod told;
mod welcome;

pub use anew::Succession;
pub use hear::claimed_state;
pub use intent::{MOST_WISHES, PolicyChange, Wish};
pub use keeper::{Keeper, Lent, Member};
pub use member::{MemberPackage, OwnPackage};
pub use own_leaf::OwnLeaf;
pub use pointer::{Pointer, StatePrefix};
pub use policy::{
    GroupPolicy, History, MOST_FURTHER, MOST_FURTHER_BYTES, MOST_HERALDS, MOST_NAME_BYTES,
    MOST_PICTURE_BYTES, Mode, PolicyError,
};
pub use pursue::WishFault;
pub use side::{Aside, SIDE_VERSION};
pub use told::{ChainFault, HearFault, Heard, IntentId, MakeFault, Said, Told, WelcomeFault};
pub use welcome::Invited;

pub use super::crypto::Crypto;
pub use crate::fork_choice::{AccountId, AccountIdError, CommitHash, Shape, StateName};

use core::time::Duration;

/// Age at which a state that was left behind is forgotten.
pub const MOST_AGE: Duration = Duration::from_secs(72 * 60 * 60);

#[cfg(test)]
mod astray;
#[cfg(test)]
mod crowd;
#[cfg(test)]
mod pairs;
#[cfg(test)]
mod stamps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod village;
