//! Rows of MLS.

use hushwing_conversation::storage::MlsRow;
use hushwing_conversation::{MlsRows, Secret};
use hushwing_sansio::StorageError;

use super::ProfileStore;

impl MlsRows for ProfileStore {
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError> {
        let sql = "SELECT value FROM mls_rows WHERE scope = ?1 AND label = ?2 AND key = ?3";
        self.database
            .first("reading MLS state", sql, (scope, label, key), |row| {
                // Taken over as it is read: no other copy of ours.
                row.get::<Vec<u8>>(0).map(Secret::new)
            })
    }

    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        let sql = "INSERT INTO mls_rows (scope, label, key, value) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (scope, label, key) DO UPDATE SET value = excluded.value";
        self.database
            .run("writing MLS state", sql, (scope, label, key, value))
            .map(drop)
    }

    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError> {
        let sql = "DELETE FROM mls_rows WHERE scope = ?1 AND label = ?2 AND key = ?3";
        self.database
            .run("removing MLS state", sql, (scope, label, key))
            .map(drop)
    }

    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError> {
        let sql = "SELECT label, key, value FROM mls_rows WHERE scope = ?1 ORDER BY label, key";
        self.database.all("reading MLS state", sql, [scope], |row| {
            let value: Vec<u8> = row.get(2)?;
            Ok((row.get(0)?, row.get(1)?, Secret::new(value)))
        })
    }

    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError> {
        let sql = "DELETE FROM mls_rows WHERE scope = ?1";
        self.database
            .run("removing MLS state", sql, [scope])
            .map(drop)
    }
}
