//! The table `messages`.

use hushwing_relay::server::{Depth, Id, MessageBody, Place, QueueRow, StoredMessage};
use hushwing_sansio::{StorageError, Timestamp};

use crate::Database;
use crate::error::storage;
use crate::query::Columns;

const READ: &str = "read a message";
const DELETE: &str = "delete a message";

const PLAIN: i64 = 0;
const NOTIFIED: i64 = 1;
const QUOTA: i64 = 2;

pub(super) fn depth(database: &Database, row: QueueRow) -> Result<Depth, StorageError> {
    const WHAT: &str = "count messages";
    // Both come from the index alone; only the kind of the last one does not.
    let sql = "SELECT count(*), max(place) FROM messages WHERE queue = ?1";
    let counted = database.first(WHAT, sql, [row.0], |columns| {
        Ok((columns.get::<u32>(0)?, columns.get::<Option<i64>>(1)?))
    })?;
    let Some((count, Some(last))) = counted else {
        return Ok(Depth::default());
    };
    let sql = "SELECT kind FROM messages WHERE place = ?1";
    let kind = database.first(WHAT, sql, [last], |columns| columns.get::<i64>(0))?;
    Ok(Depth {
        count,
        marked: kind == Some(QUOTA),
    })
}

pub(super) fn head(
    database: &Database,
    row: QueueRow,
) -> Result<Option<(Place, StoredMessage)>, StorageError> {
    let sql = "SELECT place, id, at, kind, body FROM messages
         WHERE queue = ?1 ORDER BY place LIMIT 1";
    database.first(READ, sql, [row.0], decode)
}

fn decode(columns: &Columns<'_>) -> Result<(Place, StoredMessage), StorageError> {
    let body = match columns.get(3)? {
        kind @ (PLAIN | NOTIFIED) => MessageBody::Message {
            notify: kind == NOTIFIED,
            body: columns.bytes(4)?.into(),
        },
        QUOTA => MessageBody::Quota,
        _ => return Err(StorageError::corrupt(READ)),
    };
    let message = StoredMessage {
        id: Id(columns.array(1)?),
        at: Timestamp::from_millis(columns.get(2)?),
        body,
    };
    Ok((Place(columns.get(0)?), message))
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
    let removed = database.run(
        DELETE,
        "DELETE FROM messages WHERE place = ?1 AND queue = ?2 AND id = ?3",
        (place.0, row.0, id.0),
    )?;
    Ok(removed > 0)
}

pub(super) fn delete_all(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    database.run(DELETE, "DELETE FROM messages WHERE queue = ?1", [row.0])?;
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
    let removed = database.run(
        WHAT,
        "DELETE FROM messages WHERE at < ?1
             AND place IN (SELECT place FROM messages ORDER BY place LIMIT ?2)",
        (millis(before), limit),
    )?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

/// Times beyond the year 292 million do not occur.
fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.as_millis()).unwrap_or(i64::MAX)
}
