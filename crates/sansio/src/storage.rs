//! How lent storage fails.

use std::error::Error;

/// What went wrong, as far as a user can act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageErrorKind {
    /// No space left on the device.
    Full,
    /// Another process holds the file.
    Busy,
    /// A record that was read cannot be what was written; what lies around it
    /// can be read.
    Corrupt,
    /// The file itself is damaged: nothing in it can be relied on.
    Damaged,
    /// Anything else the database or the system reported.
    Failed,
}

/// A failure of lent storage. The transaction is lost: the driver rolls back
/// and opens the machine again, see the crate's law.
#[derive(Debug, thiserror::Error)]
#[error("storage {}: {what}", match kind {
    StorageErrorKind::Full => "is full",
    StorageErrorKind::Busy => "is held by another process",
    StorageErrorKind::Corrupt => "holds a damaged record",
    StorageErrorKind::Damaged => "is damaged",
    StorageErrorKind::Failed => "failed",
})]
pub struct StorageError {
    /// The coarse kind.
    pub kind: StorageErrorKind,
    /// What was being done; never holds stored values.
    pub what: &'static str,
    /// The cause, if one is known.
    #[source]
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl StorageError {
    /// An error of `kind` while doing `what`.
    #[must_use]
    pub fn new(kind: StorageErrorKind, what: &'static str) -> Self {
        Self {
            kind,
            what,
            source: None,
        }
    }

    /// The error for stored bytes that cannot be decoded.
    #[must_use]
    pub fn corrupt(what: &'static str) -> Self {
        Self::new(StorageErrorKind::Corrupt, what)
    }

    /// Adds the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
