//! The table `messages`.

use std::sync::Arc;

use hushwing_relay::server::{Depth, Id, MessageBody, Place, QueueRow, StoredMessage};
use hushwing_sansio::{StorageError, Timestamp};
use rusqlite::{OptionalExtension, Row};

use crate::Database;
use crate::error::storage;

const READ: &str = "read a message";
const DELETE: &str = "delete a message";

const PLAIN: i64 = 0;
const NOTIFIED: i64 = 1;
const QUOTA: i64 = 2;

pub(super) fn depth(database: &Database, row: QueueRow) -> Result<Depth, StorageError> {
    const WHAT: &str = "count messages";
    // Both come from the index alone, except for the kind of the last one.
    let (count, last): (u32, Option<i64>) = database
        .statement(
            "SELECT count(*), max(place) FROM messages WHERE queue = ?1",
            WHAT,
        )?
        .query_row([row.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .map_err(storage(WHAT))?;
    let Some(last) = last else {
        return Ok(Depth::default());
    };
    let kind: i64 = database
        .statement("SELECT kind FROM messages WHERE place = ?1", WHAT)?
        .query_row([last], |row| row.get(0))
        .map_err(storage(WHAT))?;
    Ok(Depth {
        count,
        marked: kind == QUOTA,
    })
}

pub(super) fn head(
    database: &Database,
    row: QueueRow,
) -> Result<Option<(Place, StoredMessage)>, StorageError> {
    let found = database
        .statement(
            "SELECT place, id, at, kind, body FROM messages
             WHERE queue = ?1 ORDER BY place LIMIT 1",
            READ,
        )?
        .query_row([row.0], |row| Ok(decode(row)))
        .optional()
        .map_err(storage(READ))?;
    found.transpose()
}

fn decode(row: &Row<'_>) -> Result<(Place, StoredMessage), StorageError> {
    let read = storage(READ);
    let corrupt = || StorageError::corrupt(READ);
    let at: i64 = row.get(2).map_err(&read)?;
    let kind: i64 = row.get(3).map_err(&read)?;
    let body = || -> Result<Arc<[u8]>, StorageError> {
        let blob = row.get_ref(4).map_err(&read)?;
        blob.as_blob().map(Arc::from).map_err(|_| corrupt())
    };
    let body = match kind {
        PLAIN | NOTIFIED => MessageBody::Message {
            notify: kind == NOTIFIED,
            body: body()?,
        },
        QUOTA => MessageBody::Quota,
        _ => return Err(corrupt()),
    };
    let message = StoredMessage {
        id: Id(row.get(1).map_err(&read)?),
        at: Timestamp::from_millis(u64::try_from(at).map_err(|_| corrupt())?),
        body,
    };
    Ok((Place(row.get(0).map_err(&read)?), message))
}

pub(super) fn append(
    database: &Database,
    row: QueueRow,
    message: &StoredMessage,
) -> Result<Place, StorageError> {
    const WHAT: &str = "store a message";
    let (kind, body): (_, &[u8]) = match &message.body {
        MessageBody::Message {
            notify: false,
            body,
        } => (PLAIN, body),
        MessageBody::Message { notify: true, body } => (NOTIFIED, body),
        MessageBody::Quota => (QUOTA, &[]),
    };
    let place = database
        .writing(
            "INSERT INTO messages (queue, id, at, kind, body) VALUES (?1, ?2, ?3, ?4, ?5)",
            WHAT,
        )?
        .insert((row.0, message.id.0, millis(message.at), kind, body))
        .map_err(storage(WHAT))?;
    Ok(Place(place))
}

pub(super) fn remove(
    database: &Database,
    row: QueueRow,
    place: Place,
    id: &Id,
) -> Result<bool, StorageError> {
    let removed = database
        .writing(
            "DELETE FROM messages WHERE place = ?1 AND queue = ?2 AND id = ?3",
            DELETE,
        )?
        .execute((place.0, row.0, id.0))
        .map_err(storage(DELETE))?;
    Ok(removed > 0)
}

pub(super) fn delete_all(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    database
        .writing("DELETE FROM messages WHERE queue = ?1", DELETE)?
        .execute([row.0])
        .map_err(storage(DELETE))?;
    Ok(())
}

/// Places grow with time, so old messages are the first ones; no index by time
/// has to be kept for what happens every two hours.
pub(super) fn expire(
    database: &Database,
    before: Timestamp,
    limit: u32,
) -> Result<u32, StorageError> {
    const WHAT: &str = "delete old messages";
    let removed = database
        .writing(
            "DELETE FROM messages WHERE at < ?1
             AND place IN (SELECT place FROM messages ORDER BY place LIMIT ?2)",
            WHAT,
        )?
        .execute((millis(before), limit))
        .map_err(storage(WHAT))?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Times beyond the year 292 million do not occur.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
