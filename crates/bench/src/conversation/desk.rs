//! Storage with its transactions: in memory, or a profile's encrypted file.

use hushwing_conversation::{MemoryStorage, Storage};
use hushwing_sansio::StorageError;
use hushwing_store::ProfileStore;
use hushwing_store::keys::{FileKey, MasterKey, Role};
use hushwing_transport::OsEntropy;
use tempfile::TempDir;

use crate::BenchError;

/// What a driver lends a messenger.
pub(crate) trait Desk {
    fn begin(&mut self) -> Result<(), StorageError>;
    fn commit(&mut self) -> Result<(), StorageError>;
    fn lend(&mut self) -> &mut (dyn Storage + 'static);
}

/// Nothing is durable.
#[derive(Default)]
pub(crate) struct Memory(MemoryStorage);

impl Desk for Memory {
    fn begin(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    fn lend(&mut self) -> &mut (dyn Storage + 'static) {
        &mut self.0
    }
}

/// A fresh `profile.db`; each transaction is durable.
pub(crate) struct Profile {
    store: ProfileStore,
    // After the store, which writes there.
    _folder: TempDir,
}

impl Profile {
    pub(crate) fn new() -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let store = ProfileStore::open(&folder.path().join("profile.db"), &fresh_key())
            .map_err(BenchError::bug("a profile cannot be opened"))?;
        Ok(Self {
            store,
            _folder: folder,
        })
    }
}

impl Desk for Profile {
    fn begin(&mut self) -> Result<(), StorageError> {
        self.store.begin()
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.store.commit()
    }

    fn lend(&mut self) -> &mut (dyn Storage + 'static) {
        &mut self.store
    }
}

/// Either of them, for people who keep differently.
impl Desk for Box<dyn Desk> {
    fn begin(&mut self) -> Result<(), StorageError> {
        (**self).begin()
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        (**self).commit()
    }

    fn lend(&mut self) -> &mut (dyn Storage + 'static) {
        (**self).lend()
    }
}

/// A key for one file.
pub(crate) fn fresh_key() -> FileKey {
    MasterKey::generate(&mut OsEntropy).derive(Role::Profile, "bench")
}

/// For `map_err`: what the measured code's storage refused.
pub(crate) fn storage<E: std::fmt::Display>(error: E) -> BenchError {
    BenchError::Conversation(error.to_string())
}
