//! Signed receipts in memory.

use hushwing_sansio::StorageError;

use super::MemoryStorage;
use crate::MessageId;
use crate::storage::{ReceiptRows, SignedReceiptRecord};

impl MemoryStorage {
    /// Signed receipts go with what they confirm.
    pub(super) fn forget_receipts(&mut self, of: &MessageId) {
        self.receipts.retain(|(message, _), _| message != of);
    }
}

impl ReceiptRows for MemoryStorage {
    fn add_signed_receipt(&mut self, record: &SignedReceiptRecord) -> Result<(), StorageError> {
        self.receipts
            .entry((record.message, record.status))
            .or_insert(*record);
        Ok(())
    }

    fn signed_receipts(&self, of: &MessageId) -> Result<Vec<SignedReceiptRecord>, StorageError> {
        let all = self.receipts.iter();
        let theirs = all.filter(|((message, _), _)| message == of);
        Ok(theirs.map(|(_, record)| *record).collect())
    }
}
