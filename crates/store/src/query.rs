//! How stores speak to their database: every statement is compiled once, every
//! value is bound, every error says what was being done.

use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::types::{FromSql, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, Params, Row, params_from_iter};

use crate::Database;
use crate::error::storage;

/// The columns of one row.
pub(crate) struct Columns<'a> {
    row: &'a Row<'a>,
    what: &'static str,
}

/// One column's value, whatever a damaged file might hold there.
#[derive(Clone, Copy, Debug)]
pub enum Cell<'a> {
    /// Nothing.
    Null,
    /// A whole number.
    Integer(i64),
    /// Another number.
    Real(f64),
    /// Text, which need not be UTF-8.
    Text(&'a [u8]),
    /// Bytes.
    Blob(&'a [u8]),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(value),
            Self::Real(value) => ValueRef::Real(value),
            Self::Text(value) => ValueRef::Text(value),
            Self::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

/// Reads a row that holds `cells`, as one from a table is read.
pub(crate) fn read_cells<T>(
    what: &'static str,
    cells: &[Cell<'_>],
    read: impl FnOnce(&Columns<'_>) -> Result<T, StorageError>,
) -> Result<T, StorageError> {
    let memory = Connection::open_in_memory().map_err(storage(what))?;
    let sql = format!("SELECT {}", vec!["?"; cells.len()].join(", "));
    let mut statement = memory.prepare(&sql).map_err(storage(what))?;
    let mut rows = statement
        .query(params_from_iter(cells))
        .map_err(storage(what))?;
    let row = rows.next().map_err(storage(what))?;
    let row = row.ok_or_else(|| StorageError::corrupt(what))?;
    read(&Columns { row, what })
}

impl Columns<'_> {
    /// The column at `at`; a value of the wrong type or range is damage.
    pub(crate) fn get<T: FromSql>(&self, at: usize) -> Result<T, StorageError> {
        self.row.get(at).map_err(storage(self.what))
    }

    /// The bytes of the column at `at`, without copying them.
    pub(crate) fn bytes(&self, at: usize) -> Result<&[u8], StorageError> {
        let value = self.row.get_ref(at).map_err(storage(self.what))?;
        value
            .as_blob()
            .map_err(|error| self.damage().because(error))
    }

    /// The bytes of the column at `at`, which always has `N`.
    pub(crate) fn array<const N: usize>(&self, at: usize) -> Result<[u8; N], StorageError> {
        self.bytes(at)?.try_into().map_err(|_| self.damage())
    }

    fn damage(&self) -> StorageError {
        StorageError::corrupt(self.what)
    }
}

impl Database {
    /// Runs a statement that writes, and returns how many rows it touched.
    pub(crate) fn run(
        &self,
        what: &'static str,
        sql: &'static str,
        params: impl Params,
    ) -> Result<usize, StorageError> {
        self.writing(sql, what)?
            .execute(params)
            .map_err(storage(what))
    }

    /// The first row that a statement finds.
    pub(crate) fn first<T>(
        &self,
        what: &'static str,
        sql: &'static str,
        params: impl Params,
        read: impl FnOnce(&Columns<'_>) -> Result<T, StorageError>,
    ) -> Result<Option<T>, StorageError> {
        let mut statement = self.statement(sql, what)?;
        let mut rows = statement.query(params).map_err(storage(what))?;
        let row = rows.next().map_err(storage(what))?;
        row.map(|row| read(&Columns { row, what })).transpose()
    }

    /// All rows that a statement finds.
    pub(crate) fn all<T>(
        &self,
        what: &'static str,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&Columns<'_>) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        self.all_while(what, sql, params, read, |_| true)
    }

    /// The rows that a statement finds, up to the first that is not `wanted`.
    pub(crate) fn all_while<T>(
        &self,
        what: &'static str,
        sql: &'static str,
        params: impl Params,
        read: impl Fn(&Columns<'_>) -> Result<T, StorageError>,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Result<Vec<T>, StorageError> {
        let mut statement = self.statement(sql, what)?;
        let mut rows = statement.query(params).map_err(storage(what))?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(storage(what))? {
            let one = read(&Columns { row, what })?;
            if !wanted(&one) {
                break;
            }
            found.push(one);
        }
        Ok(found)
    }

    /// The value of a counter, 0 if it was never set.
    pub(crate) fn counter(
        &self,
        what: &'static str,
        name: &'static str,
    ) -> Result<u64, StorageError> {
        let sql = "SELECT value FROM counters WHERE name = ?1";
        let value = self.first(what, sql, [name], |columns| columns.get(0))?;
        Ok(value.unwrap_or(0))
    }

    /// Sets a counter.
    pub(crate) fn set_counter(
        &self,
        what: &'static str,
        name: &'static str,
        value: u64,
    ) -> Result<(), StorageError> {
        let sql = "INSERT INTO counters (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(what, sql, (name, value)).map(drop)
    }

    /// A statement for reading, compiled at its first use only.
    pub(crate) fn statement(
        &self,
        sql: &'static str,
        what: &'static str,
    ) -> Result<CachedStatement<'_>, StorageError> {
        #[cfg(test)]
        SEEN.with_borrow_mut(|seen| seen.insert(sql));
        self.connection().prepare_cached(sql).map_err(storage(what))
    }

    /// A statement for writing, refused outside of a transaction.
    pub(crate) fn writing(
        &self,
        sql: &'static str,
        what: &'static str,
    ) -> Result<CachedStatement<'_>, StorageError> {
        if self.connection().is_autocommit() {
            return Err(StorageError::new(StorageErrorKind::Failed, what)
                .because("write outside of a transaction"));
        }
        self.statement(sql, what)
    }
}

#[cfg(test)]
thread_local! {
    static SEEN: std::cell::RefCell<std::collections::BTreeSet<&'static str>> = Default::default();
}

/// The statements that this test has run.
#[cfg(test)]
pub(crate) fn seen() -> Vec<&'static str> {
    SEEN.with_borrow(|seen| seen.iter().copied().collect())
}
