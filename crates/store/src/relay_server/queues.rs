//! The tables `queues` and `links`.

use aws_lc_rs::rand;
use hushwing_relay::server::{
    Id, Name, NewRecord, QueueRecord, QueueRow, StoredLink, keys_from_bytes, keys_to_bytes,
};
use hushwing_relay::wire::{BoxKey, QueueMode};
use hushwing_sansio::{StorageError, StorageErrorKind};
use rusqlite::{OptionalExtension, Params};

use crate::Database;
use crate::error::storage;
use crate::query::Columns;

const READ: &str = "read a queue";
const LINK: &str = "read a link";

pub(super) fn by_row(
    database: &Database,
    row: QueueRow,
) -> Result<Option<QueueRecord>, StorageError> {
    one(
        database,
        "SELECT q.queue, recipient_id, sender_id, recipient_keys, sender_key, box_key, mode,
                active, link_id
         FROM queues q LEFT JOIN links l ON l.queue = q.queue WHERE q.queue = ?1",
        [row.0],
    )
}

pub(super) fn by_name(
    database: &Database,
    name: &Name,
) -> Result<Option<QueueRecord>, StorageError> {
    match name {
        Name::Recipient(id) => one(
            database,
            "SELECT q.queue, recipient_id, sender_id, recipient_keys, sender_key, box_key, mode,
                    active, link_id
             FROM queues q LEFT JOIN links l ON l.queue = q.queue WHERE recipient_id = ?1",
            [id.0],
        ),
        Name::Sender(id) => one(
            database,
            "SELECT q.queue, recipient_id, sender_id, recipient_keys, sender_key, box_key, mode,
                    active, link_id
             FROM queues q LEFT JOIN links l ON l.queue = q.queue WHERE sender_id = ?1",
            [id.0],
        ),
        Name::Link(id) => one(
            database,
            "SELECT q.queue, recipient_id, sender_id, recipient_keys, sender_key, box_key, mode,
                    active, link_id
             FROM links l JOIN queues q ON q.queue = l.queue WHERE link_id = ?1",
            [id.as_slice()],
        ),
    }
}

fn one(
    database: &Database,
    sql: &'static str,
    params: impl Params,
) -> Result<Option<QueueRecord>, StorageError> {
    database.first(READ, sql, params, decode)
}

/// Reads the columns that [`one`] is given.
pub(super) fn decode(columns: &Columns<'_>) -> Result<QueueRecord, StorageError> {
    let keys = |bytes: &[u8]| keys_from_bytes(bytes).map_err(|_| corrupt());
    let sender_key = match columns.get::<Option<Vec<u8>>>(4)? {
        Some(bytes) => keys(&bytes)?.first().copied(),
        None => None,
    };
    Ok(QueueRecord {
        row: QueueRow(columns.get(0)?),
        recipient_id: Id(columns.array(1)?),
        sender_id: Id(columns.array(2)?),
        recipient_keys: keys(columns.bytes(3)?)?,
        sender_key,
        box_key: BoxKey::from_bytes(columns.array(5)?),
        mode: mode_from(columns.get(6)?)?,
        active: columns.get(7)?,
        link_id: columns.get(8)?,
    })
}

fn corrupt() -> StorageError {
    StorageError::corrupt(READ)
}

const fn mode_number(mode: Option<QueueMode>) -> i64 {
    match mode {
        None => 0,
        Some(QueueMode::Messaging) => 1,
        Some(QueueMode::Contact) => 2,
    }
}

fn mode_from(number: i64) -> Result<Option<QueueMode>, StorageError> {
    match number {
        0 => Ok(None),
        1 => Ok(Some(QueueMode::Messaging)),
        2 => Ok(Some(QueueMode::Contact)),
        _ => Err(corrupt()),
    }
}

/// Numbers in order would tell which queues were made one after the other, and
/// so, mostly, which belong to one conversation. Of 2^63 none comes twice.
fn random_row() -> Result<i64, StorageError> {
    let mut bytes = [0; 8];
    rand::fill(&mut bytes)
        .map_err(|_| StorageError::new(StorageErrorKind::Failed, "draw a queue's number"))?;
    Ok(i64::from_be_bytes(bytes) & i64::MAX)
}

pub(super) fn insert(
    database: &Database,
    queue: NewRecord,
) -> Result<Option<QueueRecord>, StorageError> {
    const WHAT: &str = "create a queue";
    let row: Option<i64> = database
        .writing(
            "INSERT INTO queues
                 (queue, recipient_id, sender_id, recipient_keys, box_key, mode, active)
             VALUES (?6, ?1, ?2, ?3, ?4, ?5, 1)
             ON CONFLICT DO NOTHING RETURNING queue",
            WHAT,
        )?
        .query_row(
            (
                queue.recipient_id.0,
                queue.sender_id.0,
                keys_to_bytes(&[queue.recipient_key]),
                *queue.box_key.to_bytes(),
                mode_number(queue.mode),
                random_row()?,
            ),
            |row| row.get(0),
        )
        .optional()
        .map_err(storage(WHAT))?;
    Ok(row.map(|row| queue.at(QueueRow(row))))
}

pub(super) fn update(database: &Database, record: &QueueRecord) -> Result<(), StorageError> {
    const WHAT: &str = "change a queue";
    let sender_key = record.sender_key.map(|key| keys_to_bytes(&[key]));
    database.run(
        WHAT,
        "UPDATE queues SET recipient_keys = ?2, sender_key = ?3, active = ?4
             WHERE queue = ?1",
        (
            record.row.0,
            keys_to_bytes(&record.recipient_keys),
            sender_key,
            record.active,
        ),
    )?;
    Ok(())
}

pub(super) fn delete(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    const WHAT: &str = "delete a queue";
    database.run(WHAT, "DELETE FROM queues WHERE queue = ?1", [row.0])?;
    Ok(())
}

pub(super) fn link(database: &Database, row: QueueRow) -> Result<Option<StoredLink>, StorageError> {
    let sql = "SELECT fixed, user FROM links WHERE queue = ?1";
    database.first(LINK, sql, [row.0], |columns| {
        Ok(StoredLink {
            fixed: columns.get(0)?,
            user: columns.get(1)?,
        })
    })
}

pub(super) fn set_link(
    database: &Database,
    row: QueueRow,
    link_id: &[u8],
    link: &StoredLink,
) -> Result<bool, StorageError> {
    const WHAT: &str = "set a link";
    let sql = "SELECT queue FROM links WHERE link_id = ?1";
    let owner = database.first(LINK, sql, [link_id], |columns| columns.get::<i64>(0))?;
    if owner.is_some_and(|owner| owner != row.0) {
        return Ok(false);
    }
    database.run(
        WHAT,
        "INSERT INTO links (queue, link_id, fixed, user) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (queue) DO UPDATE
             SET link_id = excluded.link_id, fixed = excluded.fixed, user = excluded.user",
        (row.0, link_id, &link.fixed, &link.user),
    )?;
    Ok(true)
}

pub(super) fn delete_link(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    const WHAT: &str = "delete a link";
    database.run(WHAT, "DELETE FROM links WHERE queue = ?1", [row.0])?;
    Ok(())
}
