//! A journal in front of lent rows.
//!
//! openmls writes while it works, for instance it forgets a one-time key before
//! it knows whether the Welcome is any good. The journal keeps its writes until
//! the outcome is known: [`Ledger::settle`] carries them out, dropping the
//! ledger forgets them, so what a peer got wrong changes nothing.

use core::cell::{Cell, RefCell};

use hushwing_sansio::StorageError;

use crate::{MlsRows, Secret};

/// One pending write; no value means removal.
#[derive(Clone)]
struct Write {
    scope: Vec<u8>,
    label: u8,
    key: Vec<u8>,
    value: Option<Secret>,
}

/// Lent rows and what is to be written to them.
pub(crate) struct Ledger<'a> {
    rows: &'a mut dyn MlsRows,
    writes: RefCell<Vec<Write>>,
    // openmls swallows the cause of some failures, so it is kept here.
    fault: Cell<Option<StorageError>>,
}

/// What lies under a key.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A value of this call, not yet written.
    Pending(Secret),
    /// A value of an earlier call.
    Stored(Secret),
}

/// The rows failed or hold damage, then the ledger knows the cause; or a value
/// of this call cannot be written or read back, which is a fault of the call.
#[derive(Debug, thiserror::Error)]
#[error("the rows failed")]
pub(crate) struct RowError;

impl<'a> Ledger<'a> {
    pub(super) fn new(rows: &'a mut dyn MlsRows) -> Self {
        Self {
            rows,
            writes: RefCell::default(),
            fault: Cell::new(None),
        }
    }

    /// The value under (`scope`, `label`, `key`), pending or stored.
    pub(super) fn get(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Found, RowError> {
        let writes = self.writes.borrow();
        let pending = writes
            .iter()
            .find(|w| w.label == label && w.scope == scope && w.key == key);
        if let Some(write) = pending {
            return Ok(write.value.clone().map_or(Found::Nothing, Found::Pending));
        }
        let stored = self.rows.mls_row(scope, label, key);
        Ok(stored
            .map_err(|error| self.fail(error))?
            .map_or(Found::Nothing, Found::Stored))
    }

    /// Does `act` and forgets what it wrote.
    pub(super) fn trial<T>(&self, act: impl FnOnce() -> T) -> T {
        let before = self.writes.borrow().clone();
        let outcome = act();
        self.writes.replace(before);
        outcome
    }

    /// Notes a write, or with no value a removal.
    pub(super) fn set(&self, scope: Vec<u8>, label: u8, key: Vec<u8>, value: Option<Secret>) {
        let mut writes = self.writes.borrow_mut();
        let known = writes
            .iter_mut()
            .find(|w| w.label == label && w.scope == scope && w.key == key);
        match known {
            Some(write) => write.value = value,
            None => writes.push(Write {
                scope,
                label,
                key,
                value,
            }),
        }
    }

    /// Notes why the rows failed.
    pub(super) fn fail(&self, error: StorageError) -> RowError {
        self.fault.set(Some(error));
        RowError
    }

    /// Why the rows failed, if they did.
    pub(super) fn fault(&self) -> Option<StorageError> {
        self.fault.take()
    }

    /// Carries the pending writes out.
    pub(super) fn settle(&mut self) -> Result<(), StorageError> {
        for write in self.writes.take() {
            match write.value {
                Some(value) => {
                    self.rows
                        .put_mls_row(&write.scope, write.label, &write.key, value.expose())?;
                }
                None => self
                    .rows
                    .remove_mls_row(&write.scope, write.label, &write.key)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStorage;

    fn four() -> Secret {
        Secret::new([4])
    }

    #[test]
    fn nothing_is_written_before_it_is_settled() {
        let mut storage = MemoryStorage::new();
        let ledger = Ledger::new(&mut storage);
        ledger.set(vec![1], 2, vec![3], Some(four()));
        assert!(matches!(
            ledger.get(&[1], 2, &[3]),
            Ok(Found::Pending(value)) if value == four()
        ));
        drop(ledger);
        assert_eq!(storage.mls_row(&[1], 2, &[3]).unwrap(), None);
    }

    #[test]
    fn the_last_write_counts() {
        let mut storage = MemoryStorage::new();
        storage.put_mls_row(&[1], 2, &[3], &[9]).unwrap();
        let mut ledger = Ledger::new(&mut storage);
        ledger.set(vec![1], 2, vec![3], Some(four()));
        ledger.set(vec![1], 2, vec![3], None);
        assert!(matches!(ledger.get(&[1], 2, &[3]), Ok(Found::Nothing)));
        ledger.settle().unwrap();
        drop(ledger);
        assert_eq!(storage.mls_row(&[1], 2, &[3]).unwrap(), None);
    }

    #[test]
    fn a_trial_sees_what_is_pending_and_leaves_no_trace() {
        let mut storage = MemoryStorage::new();
        let mut ledger = Ledger::new(&mut storage);
        ledger.set(vec![1], 2, vec![3], Some(four()));
        ledger.trial(|| {
            assert!(matches!(ledger.get(&[1], 2, &[3]), Ok(Found::Pending(_))));
            ledger.set(vec![1], 2, vec![3], None);
            ledger.set(vec![1], 2, vec![5], Some(Secret::new([6])));
        });
        ledger.settle().unwrap();
        drop(ledger);
        assert_eq!(storage.mls_row(&[1], 2, &[3]).unwrap(), Some(four()));
        assert_eq!(storage.mls_row(&[1], 2, &[5]).unwrap(), None);
    }
}
