//! What a slot takes of a database that lies in a file: its pages without a key, as
//! SQLite serialises them. They are in memory alone.

use hushwing_sansio::StorageError;
use rusqlite::Connection;
use zeroize::Zeroizing;

use crate::Database;
use crate::error::storage;

const WHAT: &str = "read the database as a whole";

/// Rows are copied table by table, so what refers to others may come before them.
const BEFORE: &str = "
    PRAGMA foreign_keys = OFF;
    ATTACH DATABASE ':memory:' AS plain KEY '';
";
const AFTER: &str = "
    DETACH DATABASE plain;
    PRAGMA foreign_keys = ON;
";

impl Database {
    /// All of it, without a key. Between transactions.
    ///
    /// # Errors
    ///
    /// If a page cannot be read, or there is no memory for a copy.
    pub(crate) fn plain(&mut self) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let connection = self.connection_alone();
        connection.execute_batch(BEFORE).map_err(storage(WHAT))?;
        let copied = exported(connection);
        connection.execute_batch(AFTER).map_err(storage(WHAT))?;
        copied
    }
}

fn exported(connection: &mut Connection) -> Result<Zeroizing<Vec<u8>>, StorageError> {
    let version: u32 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(storage(WHAT))?;
    connection
        .query_row("SELECT sqlcipher_export('plain')", [], |_| Ok(()))
        .and_then(|()| connection.pragma_update(Some("plain"), "user_version", version))
        .map_err(storage(WHAT))?;
    let bytes = connection.serialize(c"plain").map_err(storage(WHAT))?;
    Ok(Zeroizing::new(bytes.to_vec()))
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::Entropy;

    use crate::keys::{MasterKey, Role};
    use crate::{Database, Schema};

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(7);
        }
    }

    const SCHEMA: Schema = Schema {
        steps: &["
            CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
            CREATE TABLE acts (
                id INTEGER PRIMARY KEY,
                who INTEGER NOT NULL REFERENCES people (id)
            ) STRICT;
            CREATE INDEX who ON acts (who);
            CREATE VIRTUAL TABLE words USING fts5 (text);
        "],
    };

    #[test]
    fn nothing_is_lost_where_the_key_is_taken_off() {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::generate(&mut Sevens).derive(Role::Profile, "Ada");
        let mut database = Database::open(&dir.path().join("a.db"), &key, &SCHEMA).unwrap();
        database.begin().unwrap();
        let rows = "
            INSERT INTO people VALUES (1, 'Ada');
            INSERT INTO acts VALUES (7, 1);
            INSERT INTO words VALUES ('found again');
        ";
        database.connection().execute_batch(rows).unwrap();
        database.commit().unwrap();
        let bytes = database.plain().unwrap();
        assert!(bytes.starts_with(b"SQLite format 3\0"));

        let mut plain = rusqlite::Connection::open_in_memory().unwrap();
        plain
            .deserialize_read_exact("main", bytes.as_slice(), bytes.len(), false)
            .unwrap();
        let count = |sql| {
            plain
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .unwrap()
        };
        assert_eq!(
            count("SELECT count(*) FROM acts JOIN people ON who = people.id"),
            1
        );
        assert_eq!(
            count("SELECT count(*) FROM words WHERE words MATCH 'again'"),
            1
        );
        assert_eq!(count("PRAGMA user_version"), 1);
        // And the file goes on as it was.
        database.begin().unwrap();
        let orphan = database
            .connection()
            .execute("INSERT INTO acts VALUES (8, 2)", []);
        assert!(orphan.is_err(), "references are checked again");
    }
}
