//! The table `messages`.

use hushwing_relay::server::{Depth, Id, MessageBody, Place, QueueRow, StoredMessage};
use hushwing_sansio::{StorageError, Timestamp};
use rusqlite::Params;
use zeroize::Zeroizing;

use super::bodies::{Bodies, KEY};
use crate::Database;
use crate::query::Columns;

const READ: &str = "read a message";
const DELETE: &str = "delete a message";

const PLAIN: i64 = 0;
const NOTIFIED: i64 = 1;
const QUOTA: i64 = 2;

pub(super) fn depth(database: &Database, row: QueueRow) -> Result<Depth, StorageError> {
    const WHAT: &str = "count messages";
    let sql = "SELECT count(*), max(place) FROM messages WHERE queue = ?1";
    let counted = database.first(WHAT, sql, [row.0], |columns| {
        Ok((columns.get::<u32>(0)?, columns.get::<Option<i64>>(1)?))
    })?;
    let Some((count, Some(last))) = counted else {
        return Ok(Depth::default());
    };
    let sql = "SELECT kind FROM messages WHERE queue = ?1 AND place = ?2";
    let kind = database.first(WHAT, sql, (row.0, last), |columns| columns.get::<i64>(0))?;
    Ok(Depth {
        count,
        marked: kind == Some(QUOTA),
    })
}

/// The slots that hold bodies.
pub(super) fn slots(database: &Database) -> Result<Vec<u64>, StorageError> {
    let sql = "SELECT slot FROM messages WHERE slot >= 0";
    database.all(READ, sql, [], |columns| columns.get(0))
}

pub(super) fn head(
    database: &Database,
    bodies: &Bodies,
    row: QueueRow,
) -> Result<Option<(Place, StoredMessage)>, StorageError> {
    let sql = "SELECT place, id, at, kind, slot, body_key FROM messages
         WHERE queue = ?1 ORDER BY place LIMIT 1";
    database.first(READ, sql, [row.0], |columns| {
        decode(columns, |slot, key, id| bodies.get(slot, key, id))
    })
}

/// Reads the columns that [`head`] selects, and the body by `body`.
pub(super) fn decode(
    columns: &Columns<'_>,
    body: impl FnOnce(u64, &[u8; KEY], &[u8]) -> Result<Vec<u8>, StorageError>,
) -> Result<(Place, StoredMessage), StorageError> {
    let id = Id(columns.array(1)?);
    let body = match columns.get(3)? {
        kind @ (PLAIN | NOTIFIED) => {
            let key = Zeroizing::new(columns.array(5)?);
            MessageBody::Message {
                notify: kind == NOTIFIED,
                body: body(columns.get(4)?, &key, &id.0)?.into(),
            }
        }
        QUOTA => MessageBody::Quota,
        _ => return Err(StorageError::corrupt(READ)),
    };
    let at = Timestamp::from_millis(columns.get(2)?);
    Ok((Place(columns.get(0)?), StoredMessage { id, at, body }))
}

pub(super) fn append(
    database: &Database,
    bodies: &mut Bodies,
    row: QueueRow,
    message: &StoredMessage,
) -> Result<Place, StorageError> {
    const WHAT: &str = "store a message";
    let (kind, body) = match &message.body {
        MessageBody::Message { notify, body } => {
            let kind = if *notify { NOTIFIED } else { PLAIN };
            (kind, Some(bodies.put(&message.id.0, body)?))
        }
        MessageBody::Quota => (QUOTA, None),
    };
    let slot = match &body {
        Some((slot, _)) => i64::try_from(*slot).map_err(|_| StorageError::corrupt(WHAT))?,
        None => -1,
    };
    let key: &[u8] = body.as_ref().map_or(&[], |(_, key)| key.as_slice());
    // Places count within a queue: they say nothing of other queues. Asked for
    // first: a statement that writes what it selects, or returns what it wrote,
    // notes the old pages in a journal of its own.
    let sql = "SELECT coalesce(max(place), 0) + 1 FROM messages WHERE queue = ?1";
    let place = database.first(WHAT, sql, [row.0], |columns| columns.get(0))?;
    let place: i64 = place.ok_or_else(|| StorageError::corrupt(WHAT))?;
    let sql = "INSERT INTO messages (queue, place, id, at, kind, slot, body_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let at = millis(message.at);
    let values = (row.0, place, message.id.0, at, kind, slot, key);
    database.run(WHAT, sql, values)?;
    Ok(Place(place))
}

pub(super) fn remove(
    database: &Database,
    bodies: &mut Bodies,
    row: QueueRow,
    place: Place,
    id: &Id,
) -> Result<bool, StorageError> {
    // In two statements for the reason that `append` has.
    let sql = "SELECT slot FROM messages WHERE queue = ?1 AND place = ?2 AND id = ?3";
    let found = database.first(DELETE, sql, (row.0, place.0, id.0), |columns| {
        columns.get::<i64>(0)
    })?;
    let Some(slot) = found else {
        return Ok(false);
    };
    let sql = "DELETE FROM messages WHERE queue = ?1 AND place = ?2";
    database.run(DELETE, sql, (row.0, place.0))?;
    if let Ok(slot) = u64::try_from(slot) {
        bodies.release(slot);
    }
    Ok(true)
}

pub(super) fn delete_all(
    database: &Database,
    bodies: &mut Bodies,
    row: QueueRow,
) -> Result<(), StorageError> {
    let sql = "DELETE FROM messages WHERE queue = ?1 RETURNING slot";
    delete(database, bodies, sql, [row.0]).map(drop)
}

/// The index by time orders by hours only, as times are (RFC 0017), so it tells
/// no more than they do.
pub(super) fn expire(
    database: &Database,
    bodies: &mut Bodies,
    before: Timestamp,
    limit: u32,
) -> Result<u32, StorageError> {
    let sql = "DELETE FROM messages WHERE (queue, place) IN (
             SELECT queue, place FROM messages WHERE at < ?1 ORDER BY at LIMIT ?2)
         RETURNING slot";
    let removed = delete(database, bodies, sql, (millis(before), limit))?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Runs a statement that deletes messages and returns their slots; how many
/// there were.
fn delete(
    database: &Database,
    bodies: &mut Bodies,
    sql: &'static str,
    params: impl Params,
) -> Result<usize, StorageError> {
    let slots = database.all(DELETE, sql, params, |columns| columns.get::<i64>(0))?;
    for slot in slots.iter().filter_map(|slot| u64::try_from(*slot).ok()) {
        bodies.release(slot);
    }
    Ok(slots.len())
}

/// Times beyond the year 292 million do not occur.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
