//! From an empty or old file to the present schema.
//!
//! One SQL file per step, never changed once released; a file's `user_version`
//! counts the steps it has seen. Rules for the SQL: STRICT tables, NOT NULL
//! with defaults where a later column may be added, columns always named, the
//! meaning of a column never changed.

#[cfg(test)]
mod schemas;

use rusqlite::Connection;

use crate::OpenError;

/// The steps that make a kind of file.
#[derive(Debug)]
pub struct Schema {
    /// SQL of each step, oldest first.
    pub steps: &'static [&'static str],
}

impl Schema {
    /// The version this program writes.
    #[must_use]
    pub fn version(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    /// Runs the missing steps, all in one transaction.
    pub(crate) fn migrate(&self, connection: &mut Connection) -> Result<(), OpenError> {
        let known = self.version();
        let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        let seen = usize::try_from(found).unwrap_or(usize::MAX);
        let missing = self.steps.get(seen..).unwrap_or_default();
        if missing.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for step in missing {
            transaction.execute_batch(step)?;
        }
        transaction.pragma_update(None, "user_version", known)?;
        transaction.commit()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: Schema = Schema {
        steps: &["CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;"],
    };
    const NEW: Schema = Schema {
        steps: &[
            "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;",
            "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 7;",
        ],
    };
    const BROKEN: Schema = Schema {
        steps: &[
            "CREATE TABLE a (id INTEGER PRIMARY KEY) STRICT;",
            "ALTER TABLE a ADD COLUMN b INTEGER NOT NULL DEFAULT 7;",
            "this is no SQL",
        ],
    };

    #[test]
    fn an_old_file_gets_the_missing_steps_only() {
        let mut connection = Connection::open_in_memory().unwrap();
        OLD.migrate(&mut connection).unwrap();
        connection
            .execute("INSERT INTO a (id) VALUES (1)", [])
            .unwrap();
        NEW.migrate(&mut connection).unwrap();
        NEW.migrate(&mut connection).unwrap();
        let b: i64 = connection
            .query_row("SELECT b FROM a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(b, 7);
    }

    #[test]
    fn a_newer_file_is_refused_untouched() {
        let mut connection = Connection::open_in_memory().unwrap();
        NEW.migrate(&mut connection).unwrap();
        let refused = OLD.migrate(&mut connection);
        assert!(matches!(
            refused,
            Err(OpenError::Newer { found: 2, known: 1 })
        ));
    }

    #[test]
    fn a_step_that_fails_undoes_the_others() {
        let mut connection = Connection::open_in_memory().unwrap();
        OLD.migrate(&mut connection).unwrap();
        assert!(BROKEN.migrate(&mut connection).is_err());
        let version: u32 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        assert_eq!(version, 1);
        assert!(connection.prepare("SELECT b FROM a").is_err());
    }
}
