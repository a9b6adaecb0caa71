//! Where sessions look queues up.

use std::sync::Arc;

use hushwing_sansio::StorageError;

use super::record::{Id, QueueRecord};

/// Committed queues by the names clients use. Shared by all sessions.
///
/// It may lag behind the engine by what is not committed yet; the engine
/// checks again.
pub trait Directory {
    /// The queue with this recipient's id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it cannot be read.
    fn by_recipient(&self, id: &Id) -> Result<Option<Arc<QueueRecord>>, StorageError>;

    /// The queue with this sender's id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it cannot be read.
    fn by_sender(&self, id: &Id) -> Result<Option<Arc<QueueRecord>>, StorageError>;

    /// The queue with this link id.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if it cannot be read.
    fn by_link(&self, id: &[u8]) -> Result<Option<Arc<QueueRecord>>, StorageError>;
}
