//! MLS's rows.

use std::collections::BTreeMap;

use hushwing_sansio::StorageError;

use super::MemoryStorage;
use crate::Secret;
use crate::storage::{MlsRow, MlsRows};

impl MlsRows for MemoryStorage {
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError> {
        Ok(self
            .mls
            .get(scope)
            .and_then(|rows| rows.get(&(label, key.to_vec())).cloned()))
    }

    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        if !self.mls.contains_key(scope) {
            self.mls.insert(scope.to_vec(), BTreeMap::new());
        }
        if let Some(rows) = self.mls.get_mut(scope) {
            rows.entry((label, key.to_vec())).or_default().set(value);
        }
        Ok(())
    }

    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError> {
        if let Some(rows) = self.mls.get_mut(scope) {
            rows.remove(&(label, key.to_vec()));
        }
        Ok(())
    }

    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError> {
        let rows = self.mls.get(scope).into_iter().flatten();
        Ok(rows
            .map(|((label, key), value)| (*label, key.clone(), value.clone()))
            .collect())
    }

    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError> {
        self.mls.remove(scope);
        Ok(())
    }
}
