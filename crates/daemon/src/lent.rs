//! Stores as drivers bracket them: the store knows transactions, the driver
//! knows when, and neither knows the other.

use hushwing_sansio::StorageError;
use hushwing_store::{ProfileStore, RelayClientStore};
use hushwing_transport::Transactional;

use crate::copying::Copies;
use crate::inspection::Inspections;

/// The profile's file, lent to the conversation machine.
pub(crate) struct LentProfile(
    pub(crate) ProfileStore,
    pub(crate) Inspections,
    pub(crate) Copies,
);

/// The relay client's file, lent to the relay client.
pub(crate) struct LentRelayClient(
    pub(crate) RelayClientStore,
    pub(crate) Inspections,
    pub(crate) Copies,
);

impl Transactional for LentProfile {
    type Storage = dyn hushwing_conversation::Storage;

    fn begin(&mut self) -> Result<(), StorageError> {
        self.1.answer(|| self.0.check());
        self.2.answer(|path, key| self.0.snapshot(path, key));
        self.0.begin()
    }

    fn storage(&mut self) -> &mut Self::Storage {
        &mut self.0
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.0.commit()
    }

    fn rollback(&mut self) {
        roll_back(self.0.rollback());
    }

    fn settle(&mut self) {
        settled(self.0.settle());
    }
}

impl Transactional for LentRelayClient {
    type Storage = dyn hushwing_relay::client::Storage;

    fn begin(&mut self) -> Result<(), StorageError> {
        self.1.answer(|| self.0.check());
        self.2.answer(|path, key| self.0.snapshot(path, key));
        self.0.begin()
    }

    fn storage(&mut self) -> &mut Self::Storage {
        &mut self.0
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.0.commit()
    }

    fn rollback(&mut self) {
        roll_back(self.0.rollback());
    }

    fn settle(&mut self) {
        settled(self.0.settle());
    }
}

/// A rollback that fails leaves the transaction open, so the next `begin`
/// fails and says why; here it can only be logged.
fn roll_back(result: Result<(), StorageError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "cannot roll back");
    }
}

/// What the log still tells can be cleared the next time; nothing was lost.
fn settled(result: Result<(), StorageError>) {
    if let Err(error) = result {
        tracing::warn!(%error, "cannot clear the write-ahead log");
    }
}
