//! Why a command stops: it is refused, or storage failed.

use hushwing_sansio::StorageError;

use crate::Refusal;

/// Why a command stops. A refusal comes before the first write.
#[derive(Debug)]
pub(super) enum Stop {
    /// The command is answered with this.
    Refused(Refusal),
    /// The transaction is void.
    Storage(StorageError),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StorageError> for Stop {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}
