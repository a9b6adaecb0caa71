//! An encrypted file for references that store something.

use std::path::Path;

use rusqlite::Connection;

/// A new file under a raw key of 32 bytes and a salt of 16, as `hushwing-store`
/// gives its files, with the settings of a profile.
pub(crate) fn open(path: &Path) -> rusqlite::Result<Connection> {
    let file = Connection::open(path)?;
    let key = "8f".repeat(48);
    file.execute_batch(&format!("PRAGMA key = \"x'{key}'\""))?;
    file.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA journal_size_limit = 8388608;",
    )?;
    Ok(file)
}
