//! Planned crashes, and how a world fails.

use hushwing_sansio::StorageError;

use crate::host::When;

/// Whose steps are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Transactions of a person's process.
    Person(usize),
    /// Inputs of the server.
    Server,
}

/// A process that dies at its `step`-th step, counted from 0. At the server,
/// [`When::BeforeCommit`] loses the input and [`When::AfterCommit`] what would
/// have been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CrashPlan {
    /// Which process.
    pub of: Step,
    /// At which of its steps.
    pub step: u64,
    /// When in that step.
    pub when: When,
}

/// Why a world cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// A store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Machines keep each other busy without time passing.
    #[error("the world does not come to rest")]
    Restless,
}
