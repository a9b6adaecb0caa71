//! Numbers that are never given twice within a profile.

use hushwing_sansio::StorageError;

use super::storage::Storage;

/// Gives ascending numbers: the count of runs above, a counter below.
///
/// The run is claimed in storage with the first number given, so the claim is
/// committed before any output that shows the number can leave.
pub(super) struct Numbers {
    run: u32,
    next: Option<u32>,
}

impl Numbers {
    pub(super) fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        Ok(Self {
            run: storage.epoch()?,
            next: None,
        })
    }

    pub(super) fn give(&mut self, storage: &mut dyn Storage) -> Result<u64, StorageError> {
        let low = match self.next {
            Some(low) => low,
            None => {
                self.run = self.run.saturating_add(1);
                storage.set_epoch(self.run)?;
                0
            }
        };
        self.next = low.checked_add(1);
        Ok((u64::from(self.run) << 32) | u64::from(low))
    }
}
