//! Rooms, their members, and whom messages reached.

use hushwing_conversation::storage::{
    MemberRecord, MessageState, RecipientRecord, RoomRecord, RoomRows,
};
use hushwing_conversation::{MemberId, MessageId, RoomId};
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use super::ProfileStore;
use super::messages::message_id;
use crate::query::Columns;

const READING: &str = "reading whom a message reached";

impl RoomRows for ProfileStore {
    fn put_room(&mut self, record: &RoomRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO rooms (id, body) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let row = (record.id.0, body.as_slice());
        self.database.run("writing a room", sql, row).map(drop)
    }

    fn rooms(&self) -> Result<Vec<RoomRecord>, StorageError> {
        let sql = "SELECT body FROM rooms ORDER BY id";
        self.database.all("reading rooms", sql, [], |row| {
            RoomRecord::decode(row.bytes(0)?)
        })
    }

    fn remove_room(&mut self, id: RoomId) -> Result<(), StorageError> {
        const WHAT: &str = "removing a room";
        self.database
            .run(WHAT, "DELETE FROM members WHERE room = ?1", [id.0])?;
        self.database
            .run(WHAT, "DELETE FROM rooms WHERE id = ?1", [id.0])
            .map(drop)
    }

    fn put_member(&mut self, record: &MemberRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO members (room, member, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (room, member) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let row = (record.room.0, record.member.0, body.as_slice());
        self.database
            .run("writing a member of a room", sql, row)
            .map(drop)
    }

    fn members(&self, of: RoomId) -> Result<Vec<MemberRecord>, StorageError> {
        let sql = "SELECT body FROM members WHERE room = ?1 ORDER BY member";
        let what = "reading the members of a room";
        self.database
            .all(what, sql, [of.0], |row| MemberRecord::decode(row.bytes(0)?))
    }

    fn remove_member(&mut self, of: RoomId, member: MemberId) -> Result<(), StorageError> {
        let sql = "DELETE FROM members WHERE room = ?1 AND member = ?2";
        self.database
            .run("removing a member of a room", sql, (of.0, member.0))
            .map(drop)
    }

    fn put_recipient(&mut self, record: &RecipientRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO recipients (message, member, letter, state)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (message, member) DO UPDATE SET
             letter = excluded.letter, state = excluded.state";
        let row = (
            record.message.as_bytes(),
            record.member.0,
            record.letter,
            record.state.code(),
        );
        self.database
            .run("writing whom a message reached", sql, row)
            .map(drop)
    }

    fn remove_recipient(
        &mut self,
        message: &MessageId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let sql = "DELETE FROM recipients WHERE message = ?1 AND member = ?2";
        self.database
            .run(
                "forgetting whom a message reached",
                sql,
                (message.as_bytes(), member.0),
            )
            .map(drop)
    }

    fn recipients(&self, message: &MessageId) -> Result<Vec<RecipientRecord>, StorageError> {
        let sql = "SELECT message, member, letter, state FROM recipients
             WHERE message = ?1 ORDER BY member";
        self.database
            .all(READING, sql, [message.as_bytes()], recipient)
    }

    fn recipient_of(&self, letter: u64) -> Result<Option<RecipientRecord>, StorageError> {
        let sql = "SELECT message, member, letter, state FROM recipients WHERE letter = ?1";
        self.database.first(READING, sql, [letter], recipient)
    }

    fn waiting_for(&self, member: MemberId, most: usize) -> Result<Vec<MessageId>, StorageError> {
        let sql = "SELECT message FROM recipients
             WHERE member = ?2 AND letter IS NULL AND state = 1
             ORDER BY message LIMIT ?1";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let what = "finding messages that wait";
        self.database
            .all(what, sql, (most, member.0), |row| message_id(row, 0))
    }

    fn set_sealed(&mut self, id: &MessageId, epoch: u64) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET sealed_epoch = ?2 WHERE id = ?1";
        self.database.change_message(sql, (id.as_bytes(), epoch))
    }
}

fn recipient(row: &Columns<'_>) -> Result<RecipientRecord, StorageError> {
    Ok(RecipientRecord {
        message: message_id(row, 0)?,
        member: MemberId(row.get(1)?),
        letter: row.get(2)?,
        state: MessageState::from_code(row.get(3)?)?,
    })
}
