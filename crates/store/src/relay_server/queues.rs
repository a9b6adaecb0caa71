//! The tables `queues` and `links`.

use hushwing_relay::server::{
    Id, Name, NewRecord, QueueRecord, QueueRow, StoredLink, keys_from_bytes, keys_to_bytes,
};
use hushwing_relay::wire::{BoxKey, QueueMode};
use hushwing_sansio::StorageError;
use rusqlite::{OptionalExtension, Params, Row};

use crate::Database;
use crate::error::storage;

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
    let found = database
        .statement(sql, READ)?
        .query_row(params, |row| Ok(decode(row)))
        .optional()
        .map_err(storage(READ))?;
    found.transpose()
}

fn decode(row: &Row<'_>) -> Result<QueueRecord, StorageError> {
    let read = storage(READ);
    let keys: Vec<u8> = row.get(3).map_err(&read)?;
    let sender_key: Option<Vec<u8>> = row.get(4).map_err(&read)?;
    let sender_key = match sender_key {
        Some(bytes) => keys_from_bytes(&bytes)
            .map_err(|_| corrupt())?
            .first()
            .copied(),
        None => None,
    };
    Ok(QueueRecord {
        row: QueueRow(row.get(0).map_err(&read)?),
        recipient_id: Id(row.get(1).map_err(&read)?),
        sender_id: Id(row.get(2).map_err(&read)?),
        recipient_keys: keys_from_bytes(&keys).map_err(|_| corrupt())?,
        sender_key,
        box_key: BoxKey::from_bytes(row.get(5).map_err(&read)?),
        mode: mode_from(row.get(6).map_err(&read)?)?,
        active: row.get(7).map_err(&read)?,
        link_id: row.get(8).map_err(&read)?,
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

pub(super) fn insert(
    database: &Database,
    queue: NewRecord,
) -> Result<Option<QueueRecord>, StorageError> {
    const WHAT: &str = "create a queue";
    let row: Option<i64> = database
        .writing(
            "INSERT INTO queues
                 (recipient_id, sender_id, recipient_keys, box_key, mode, active)
             VALUES (?1, ?2, ?3, ?4, ?5, 1)
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
    database
        .writing(
            "UPDATE queues SET recipient_keys = ?2, sender_key = ?3, active = ?4
             WHERE queue = ?1",
            WHAT,
        )?
        .execute((
            record.row.0,
            keys_to_bytes(&record.recipient_keys),
            sender_key,
            record.active,
        ))
        .map_err(storage(WHAT))?;
    Ok(())
}

pub(super) fn delete(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    const WHAT: &str = "delete a queue";
    database
        .writing("DELETE FROM queues WHERE queue = ?1", WHAT)?
        .execute([row.0])
        .map_err(storage(WHAT))?;
    Ok(())
}

pub(super) fn link(database: &Database, row: QueueRow) -> Result<Option<StoredLink>, StorageError> {
    database
        .statement("SELECT fixed, user FROM links WHERE queue = ?1", LINK)?
        .query_row([row.0], |row| {
            Ok(StoredLink {
                fixed: row.get(0)?,
                user: row.get(1)?,
            })
        })
        .optional()
        .map_err(storage(LINK))
}

pub(super) fn set_link(
    database: &Database,
    row: QueueRow,
    link_id: &[u8],
    link: &StoredLink,
) -> Result<bool, StorageError> {
    const WHAT: &str = "set a link";
    let owner: Option<i64> = database
        .statement("SELECT queue FROM links WHERE link_id = ?1", LINK)?
        .query_row([link_id], |row| row.get(0))
        .optional()
        .map_err(storage(LINK))?;
    if owner.is_some_and(|owner| owner != row.0) {
        return Ok(false);
    }
    database
        .writing(
            "INSERT INTO links (queue, link_id, fixed, user) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (queue) DO UPDATE
             SET link_id = excluded.link_id, fixed = excluded.fixed, user = excluded.user",
            WHAT,
        )?
        .execute((row.0, link_id, &link.fixed, &link.user))
        .map_err(storage(WHAT))?;
    Ok(true)
}

pub(super) fn delete_link(database: &Database, row: QueueRow) -> Result<(), StorageError> {
    const WHAT: &str = "delete a link";
    database
        .writing("DELETE FROM links WHERE queue = ?1", WHAT)?
        .execute([row.0])
        .map_err(storage(WHAT))?;
    Ok(())
}
