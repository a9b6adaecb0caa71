//! The rows that a message shown cannot avoid, in a file under a profile's
//! settings: the message with its id and its place in the order, the id by
//! which a copy is known, the ratchet that moved on. Nothing else is done with
//! them.

use std::time::Instant;

use rusqlite::{Connection, params};

use super::{BATCH, TEXT};
use crate::BenchError;
use crate::clock::{micros, thread_time};
use crate::conversation::encrypted;

/// Bytes of a content around its text.
const AROUND: usize = 160;
/// Bytes of a ratchet that must be replaced.
const RATCHET: usize = 400;
const FAILED: &str = "rows cannot be stored";

/// Microseconds per message.
pub(super) struct Cost {
    /// By the clock on the wall, waiting for the disk included.
    pub(super) elapsed: f64,
    /// Of the processor.
    pub(super) cpu: f64,
}

/// Writes the rows of `each` messages of so many contacts, in durable
/// transactions of a driver's size.
pub(super) fn measure(contacts: usize, each: usize) -> Result<Cost, BenchError> {
    let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
    write(&folder.path().join("rows.db"), contacts, each).map_err(BenchError::bug(FAILED))
}

fn write(path: &std::path::Path, contacts: usize, each: usize) -> rusqlite::Result<Cost> {
    let file = encrypted::open(path)?;
    file.execute_batch(
        "CREATE TABLE messages (
             row INTEGER PRIMARY KEY, id BLOB NOT NULL, contact INTEGER NOT NULL,
             place INTEGER NOT NULL, content BLOB NOT NULL) STRICT;
         CREATE UNIQUE INDEX by_id ON messages (id);
         CREATE INDEX by_place ON messages (contact, place);
         CREATE TABLE repeats (repeat BLOB PRIMARY KEY, at INTEGER) STRICT, WITHOUT ROWID;
         CREATE TABLE ratchets (contact INTEGER PRIMARY KEY, state BLOB NOT NULL) STRICT;",
    )?;
    for contact in 0..contacts {
        file.execute(
            "INSERT INTO ratchets (contact, state) VALUES (?1, zeroblob(?2))",
            (contact, RATCHET),
        )?;
    }
    let all: Vec<_> = (0..each)
        .flat_map(|place| (0..contacts).map(move |contact| (contact, place)))
        .collect();
    let (started, busy) = (Instant::now(), thread_time());
    for batch in all.chunks(BATCH) {
        file.prepare_cached("BEGIN")?.execute([])?;
        for (contact, place) in batch {
            one(&file, *contact, *place)?;
        }
        file.prepare_cached("COMMIT")?.execute([])?;
    }
    let (elapsed, busy) = (started.elapsed(), thread_time().saturating_sub(busy));
    let count = all.len().max(1) as f64;
    Ok(Cost {
        elapsed: micros(elapsed) / count,
        cpu: micros(busy) / count,
    })
}

/// Ids are random, as real ones are.
fn one(file: &Connection, contact: usize, place: usize) -> rusqlite::Result<()> {
    file.prepare_cached(
        "INSERT INTO messages (id, contact, place, content)
         VALUES (randomblob(32), ?1, ?2, randomblob(?3))",
    )?
    .execute(params![contact, place, TEXT + AROUND])?;
    file.prepare_cached("INSERT INTO repeats (repeat, at) VALUES (randomblob(16), ?1)")?
        .execute([place])?;
    file.prepare_cached("UPDATE ratchets SET state = randomblob(?2) WHERE contact = ?1")?
        .execute(params![contact, RATCHET])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_cost_something() {
        let cost = measure(2, 2).unwrap();
        assert!(cost.elapsed > 0.0 && cost.cpu > 0.0);
    }
}
