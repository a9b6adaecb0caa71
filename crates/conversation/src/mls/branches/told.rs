//! What the keeper of branches says to whoever asked.

use crate::fork_choice::{AccountId, CommitHash, StateName};

use super::pointer::StatePrefix;

/// Names one thing I want of a group: [`super::Wish`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntentId(pub u64);

/// Something that follows from an input. To be acted on in the same
/// transaction: nothing of it is told twice, even after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A commit of mine is to be sent to every leaf of the state it was made
    /// in, those it removes included. When a network accepted it:
    /// [`super::Keeper::published`].
    Publish {
        /// Its name.
        commit: CommitHash,
        /// The MLS message.
        bytes: Vec<u8>,
    },
    /// Another state is followed from now on.
    Followed {
        /// The state before.
        from: StateName,
        /// The state now.
        to: StateName,
        /// States on the way from the last common one to `from`: what I said
        /// in them and nobody confirmed has to be said again, under its old
        /// name. Empty if `to` descends from `from`.
        left: Vec<StateName>,
        /// States on the way from the last common one to `to`, which is last.
        entered: Vec<StateName>,
    },
    /// The state followed from now on has no leaf of mine: somebody who may do
    /// so removed it. Another branch can still bring it back.
    Removed,
    /// A Welcome is to be sent to those a commit of mine added.
    Welcome {
        /// The commit.
        commit: CommitHash,
        /// The state it leads into, which may be one of those before the followed one.
        state: StateName,
        /// The public signature keys of the leaves added.
        to: Vec<Vec<u8>>,
        /// The MLS message.
        bytes: Vec<u8>,
    },
    /// An intent of mine is settled: the followed branch has shown it for as
    /// long as a fork can undo.
    Settled(IntentId),
    /// An intent of mine cannot be had in the state followed now. It is kept for as
    /// long as another branch may win in which it can: forget it with
    /// [`super::Keeper::unwish`], or wait. Told once for each branch.
    Waits(IntentId, MakeFault),
    /// An intent of mine could not be had in a state that nothing can undo any more,
    /// and is forgotten.
    GivenUp(IntentId, MakeFault),
    /// States nothing can be read of any more.
    Forgotten(Vec<StateName>),
}

/// What an MLS message turned out to be. What follows from it is told beside it,
/// whether it was taken or not.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something somebody said. That it was said at all can show that a commit of
    /// mine arrived.
    Said(Said),
    /// A commit that was not known, by its name.
    Commit(CommitHash),
    /// What was said and read before, or a commit that was known: a repeat, one sealed a
    /// second time, or an echo of mine.
    Known,
}

/// Something said in a group.
#[derive(PartialEq, Eq)]
pub struct Said {
    /// What.
    pub plaintext: Vec<u8>,
    /// Who.
    pub author: AccountId,
    /// The public signature key of their leaf.
    pub key: Vec<u8>,
    /// From which leaf.
    pub leaf: u32,
    /// In which state. It need not be one on the followed branch.
    pub state: StateName,
    /// The epoch of that state.
    pub epoch: u64,
    /// The epoch in which it was said first, if it is said again.
    pub first_said: Option<u64>,
}

impl core::fmt::Debug for Said {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Said")
            .field("leaf", &self.leaf)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}

/// Why an MLS message was not taken. All of these are the sender's doing, or
/// age's, or that something else has not come yet. What it showed nevertheless,
/// or made room for in vain, is told beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HearFault {
    /// Not a PrivateMessage of this group, or without a pointer to a state.
    #[error("not a message of this group")]
    Kind,
    /// Made in a state that is not known here. Hold it, and ask its sender for
    /// [`super::Keeper::chain_to`] that state.
    #[error("message of an unknown state")]
    UnknownState {
        /// The state.
        state: StatePrefix,
        /// Its epoch, as the message claims.
        epoch: u64,
    },
    /// Made in a state older than all that are kept.
    #[error("message too late")]
    TooLate,
    /// Made in a state my leaf is not in.
    #[error("message of a state without a leaf of mine")]
    NotMine,
    /// Does not decrypt or verify.
    #[error("message cannot be read")]
    Unreadable,
    /// A commit its author may not make, or one that nobody could follow.
    #[error("commit against the rules")]
    Rules,
    /// More commits than are kept.
    #[error("too many commits")]
    Full,
}

/// Why a chain of commits did not lead to what it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// It begins in a state that is not known here and leads further than I am, and
    /// a leaf of the followed state signed it: this leaf and its sender have no common state left. If what is missing
    /// does not come by itself ([`super::Keeper::is_stranded`]), only being added
    /// anew helps; whether to ask a steward for it is the caller's decision.
    #[error("no common state is left")]
    Beyond,
    /// It begins in a state that is not known here, and nobody whom the followed
    /// state knows signed it: it shows nothing. Ask somebody else as well.
    #[error("chain of unknown states signed by nobody known")]
    Unproven,
    /// One of its commits was not taken.
    #[error("chain broken")]
    Broken(#[source] HearFault),
}

/// Why a commit of mine cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MakeFault {
    /// The state followed has no leaf of mine.
    #[error("my leaf is not in the group")]
    NotIn,
    /// The rules of the group do not allow it to me.
    #[error("the group's rules do not allow it")]
    Rules,
    /// It is too soon after the last commit of my account, or the last that changed something.
    #[error("too soon after the last change")]
    TooSoon,
    /// More commits are known than are kept, and none of them may go: a wish
    /// waits until the group has moved on.
    #[error("too many commits")]
    Full,
    /// What is wanted makes no sense in this state, for instance a key package
    /// whose keys are none, or a policy that is too long.
    #[error("the group cannot be changed so")]
    Sense,
    /// A pair is founded with both accounts, a group by one alone.
    #[error("a pair is not founded as a group")]
    Shape,
    /// openmls failed at it.
    #[error("the group fails at {0}")]
    Group(&'static str),
}

/// Why a Welcome was not followed. All of these are the sender's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WelcomeFault {
    /// Not a Welcome, or not one for a key package of ours.
    #[error("not a welcome for us")]
    Welcome,
    /// A group of another suite, size or shape.
    #[error("group against the rules")]
    Rules,
    /// Of a leaf that is not known as one that may bring me back, or for another
    /// account than mine.
    #[error("welcome from somebody who may not bring us back")]
    Stranger,
    /// A state that is known already, or one no better than what is followed.
    #[error("group known already")]
    Known,
}
