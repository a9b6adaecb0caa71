//! The row of a message.

use hushwing_conversation::storage::{
    Allowance, MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position,
};
use hushwing_conversation::{ContactId, MemberId, MessageId};
use hushwing_delivery::NetworkTag;
use hushwing_sansio::{StorageError, Timestamp};
use rusqlite::{Params, params};

use crate::Database;
use crate::query::Columns;

const READING: &str = "reading a message";

/// A statement that reads whole messages; `$tail` follows the table's name.
macro_rules! select_messages {
    ($tail:literal) => {
        concat!(
            "SELECT contact, epoch, lamport, leaf, id, mine, kind, target, sent_at, state,
                 accepted_network, accepted_at, delivered_at, read_at, failed_at, owed,
                 letter, sealed_epoch, content, vanish_at, author
             FROM messages ",
            $tail
        )
    };
}
pub(super) use select_messages;

impl Database {
    /// The messages that a [`select_messages`] finds.
    pub(super) fn messages(
        &self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        self.all(READING, sql, params, message)
    }

    /// The first of the messages that a [`select_messages`] finds, as long as
    /// they have no more than `bytes` of content, but one at least.
    pub(super) fn messages_within(
        &self,
        bytes: usize,
        sql: &'static str,
        params: impl Params,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let mut allowance = Allowance::new(bytes);
        let takes = |record: &MessageRecord| allowance.takes(record);
        self.all_while(READING, sql, params, message, takes)
    }

    /// The message that a [`select_messages`] finds.
    pub(super) fn message(
        &self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<Option<MessageRecord>, StorageError> {
        self.first(READING, sql, params, message)
    }

    /// Adds a message.
    pub(super) fn insert_message(&self, record: &MessageRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO messages
             (contact, epoch, lamport, leaf, id, mine, kind, target, sent_at, state,
              accepted_network, accepted_at, delivered_at, read_at, failed_at, owed,
              letter, sealed_epoch, content, vanish_at, author)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
              ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)";
        let position = &record.position;
        let times = TimeColumns::from(&record.times);
        let row = params![
            record.contact.0,
            position.epoch,
            position.lamport,
            position.leaf,
            position.id.as_bytes(),
            record.mine,
            record.kind.code(),
            record.target.as_ref().map(MessageId::as_bytes),
            record.sent_at.as_millis(),
            record.state.code(),
            times.accepted_network,
            times.accepted_at,
            times.delivered_at,
            times.read_at,
            times.failed_at,
            record.owed.code(),
            record.letter,
            record.sealed_epoch,
            record.content,
            times.vanish_at,
            record.author.map_or(0, |author| author.0),
        ];
        self.run("writing a message", sql, row).map(drop)
    }

    /// Changes a message that must be there.
    pub(super) fn change_message(
        &self,
        sql: &'static str,
        params: impl Params,
    ) -> Result<(), StorageError> {
        match self.run("changing a message", sql, params)? {
            0 => Err(StorageError::corrupt("changing an unknown message")),
            _ => Ok(()),
        }
    }
}

/// [`MessageTimes`] as columns.
pub(super) struct TimeColumns {
    pub(super) accepted_network: Option<u8>,
    pub(super) accepted_at: Option<u64>,
    pub(super) delivered_at: Option<u64>,
    pub(super) read_at: Option<u64>,
    pub(super) failed_at: Option<u64>,
    pub(super) vanish_at: Option<u64>,
}

impl From<&MessageTimes> for TimeColumns {
    fn from(times: &MessageTimes) -> Self {
        Self {
            accepted_network: times.accepted.map(|(network, _)| network.0),
            accepted_at: times.accepted.map(|(_, at)| at.as_millis()),
            delivered_at: times.delivered.map(Timestamp::as_millis),
            read_at: times.read.map(Timestamp::as_millis),
            failed_at: times.failed.map(Timestamp::as_millis),
            vanish_at: times.vanishes.map(Timestamp::as_millis),
        }
    }
}

/// The message id in column `at`.
pub(super) fn message_id(row: &Columns<'_>, at: usize) -> Result<MessageId, StorageError> {
    MessageId::from_bytes(row.bytes(at)?)
        .map_err(|error| StorageError::corrupt(READING).because(error))
}

/// The position in columns `at` to `at + 3`.
pub(super) fn position(row: &Columns<'_>, at: usize) -> Result<Position, StorageError> {
    Ok(Position {
        epoch: row.get(at)?,
        lamport: row.get(at + 1)?,
        leaf: row.get(at + 2)?,
        id: message_id(row, at + 3)?,
    })
}

fn message(row: &Columns<'_>) -> Result<MessageRecord, StorageError> {
    let target: Option<[u8; 32]> = row.get(7)?;
    let target = target.map(|id| MessageId::from_bytes(&id)).transpose();
    Ok(MessageRecord {
        contact: ContactId(row.get(0)?),
        position: position(row, 1)?,
        mine: row.get(5)?,
        author: author(row)?,
        kind: MessageKind::from_code(row.get(6)?)?,
        target: target.map_err(|error| StorageError::corrupt(READING).because(error))?,
        sent_at: Timestamp::from_millis(row.get(8)?),
        state: MessageState::from_code(row.get(9)?)?,
        times: times(row)?,
        owed: Owed::from_code(row.get(15)?)?,
        letter: row.get(16)?,
        sealed_epoch: row.get(17)?,
        content: row.get(18)?,
    })
}

/// Numbers begin at 1; 0 stands for nobody.
fn author(row: &Columns<'_>) -> Result<Option<MemberId>, StorageError> {
    let number: u64 = row.get(20)?;
    Ok((number > 0).then_some(MemberId(number)))
}

fn times(row: &Columns<'_>) -> Result<MessageTimes, StorageError> {
    let at = |column| {
        let millis: Result<Option<u64>, StorageError> = row.get(column);
        millis.map(|millis| millis.map(Timestamp::from_millis))
    };
    let network = row.get::<Option<u8>>(10)?.map(NetworkTag);
    Ok(MessageTimes {
        accepted: network.zip(at(11)?),
        delivered: at(12)?,
        read: at(13)?,
        failed: at(14)?,
        vanishes: at(19)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Partial indexes work only where their condition stands in the statement
    /// as written, so these codes are literals in SQL.
    #[test]
    fn codes_in_the_sql_are_those_of_conversation() {
        assert_eq!(MessageKind::Text.code(), 1);
        assert_eq!(MessageKind::Edit.code(), 2);
        assert_eq!(MessageKind::Delete.code(), 3);
        assert_eq!(MessageKind::Reaction.code(), 4);
        assert_eq!(MessageKind::Control.code(), 5);
        assert_eq!(MessageKind::Gone.code(), 6);
        assert_eq!(MessageState::Queued.code(), 1);
        assert_eq!(MessageState::Accepted.code(), 2);
        assert_eq!(MessageState::Delivered.code(), 3);
        assert_eq!(MessageState::Failed.code(), 5);
        assert_eq!(Owed::Nothing.code(), 0);
    }
}
