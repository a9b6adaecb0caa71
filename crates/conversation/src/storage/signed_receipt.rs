//! Receipts of others for messages of mine, verified, to be shown to anybody.

use hushwing_sansio::{StorageError, Timestamp};

use crate::proof::{Confirmation, SignatureBytes};
use crate::{ContactId, MessageId};

/// A receipt whose signature was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReceiptRecord {
    /// Key, with `status`: a message of mine.
    pub message: MessageId,
    /// Whose receipt it is.
    pub contact: ContactId,
    /// What it confirms.
    pub status: Confirmation,
    /// When, by their clock.
    pub at: Timestamp,
    /// Their signature.
    pub signature: SignatureBytes,
}

/// The rows in which signed receipts are kept. They go with their message, and
/// with what it said, however that goes.
pub trait ReceiptRows {
    /// Keeps a signed receipt for a message that is here, unless there is one
    /// of that status already.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn add_signed_receipt(&mut self, record: &SignedReceiptRecord) -> Result<(), StorageError>;

    /// The signed receipts for a message, by status.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn signed_receipts(&self, of: &MessageId) -> Result<Vec<SignedReceiptRecord>, StorageError>;
}
