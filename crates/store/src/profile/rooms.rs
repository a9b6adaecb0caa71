//! Rooms, their members, and whom messages reached.

use hushwing_conversation::storage::{
    DamagedRoom, MemberRecord, MessageRecord, MessageState, Owed, RecipientRecord, RoomRecord,
    RoomRows,
};
use hushwing_conversation::{ContactId, ConversationId, MemberId, MessageId, RoomId};
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use super::ProfileStore;
use super::messages::{message_id, select_messages};
use crate::query::Columns;

const READING: &str = "reading whom a message reached";

impl RoomRows for ProfileStore {
    fn put_room(&mut self, record: &RoomRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO rooms (id, conversation, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET
             conversation = excluded.conversation, body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let row = (
            record.id.0,
            record.conversation.0.as_slice(),
            body.as_slice(),
        );
        self.database.run("writing a room", sql, row).map(drop)
    }

    fn rooms(&self) -> Result<Vec<Result<RoomRecord, DamagedRoom>>, StorageError> {
        let sql = "SELECT id, conversation, body FROM rooms ORDER BY id";
        self.database.all("reading rooms", sql, [], |row| {
            let damaged = DamagedRoom {
                id: RoomId(row.get(0)?),
                conversation: ConversationId(row.array(1)?),
            };
            let read = RoomRecord::decode(row.bytes(2)?).ok();
            let fits = |record: &RoomRecord| {
                (record.id, record.conversation) == (damaged.id, damaged.conversation)
            };
            Ok(read.filter(fits).ok_or(damaged))
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
            record.letter.unwrap_or(0),
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
        let sql = "SELECT message, member, letter, state FROM recipients
             WHERE letter = ?1 AND letter <> 0";
        self.database.first(READING, sql, [letter], recipient)
    }

    fn unreached(
        &self,
        member: MemberId,
        up_to: u64,
        most: usize,
    ) -> Result<Vec<RecipientRecord>, StorageError> {
        let sql = "SELECT message, member, letter, state FROM recipients
             WHERE member = ?1 AND state IN (1, 2, 5) AND letter <= ?2
                 AND (state <> 5 OR letter <> 0)
             ORDER BY letter, message LIMIT ?3";
        let row = (member.0, number(up_to), limit(most));
        self.database.all(READING, sql, row, recipient)
    }

    fn last_unreached(&self, member: MemberId) -> Result<Option<u64>, StorageError> {
        let sql = "SELECT letter FROM recipients
             WHERE member = ?1 AND state IN (1, 2, 5) ORDER BY letter DESC LIMIT 1";
        let last = self
            .database
            .first(READING, sql, [member.0], |row| row.get::<u64>(0))?;
        Ok(last.filter(|letter| *letter != 0))
    }

    fn unconfirmed_in(
        &self,
        of: ContactId,
        sealed: core::ops::Range<u64>,
        most: usize,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let sql = select_messages!(
            "WHERE contact = ?1 AND sealed_epoch >= ?2 AND sealed_epoch < ?3
                 AND mine = 1 AND state IN (1, 2) AND content <> x''
             ORDER BY sealed_epoch DESC, row DESC LIMIT ?4"
        );
        let row = (of.0, number(sealed.start), number(sealed.end), limit(most));
        let mut found = self.database.messages(sql, row)?;
        found.reverse();
        Ok(found)
    }

    fn owing_to(
        &self,
        of: ContactId,
        author: MemberId,
        most: usize,
    ) -> Result<Vec<(MessageId, Owed)>, StorageError> {
        let sql = "SELECT id, owed FROM messages
             WHERE contact = ?1 AND owed <> 0 AND author = ?2 ORDER BY id LIMIT ?3";
        let row = (of.0, author.0, limit(most));
        self.database
            .all("finding receipts owed to a member", sql, row, |row| {
                Ok((message_id(row, 0)?, Owed::from_code(row.get(1)?)?))
            })
    }

    fn set_sealed(&mut self, id: &MessageId, epoch: u64) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET sealed_epoch = ?2 WHERE id = ?1";
        self.database.change_message(sql, (id.as_bytes(), epoch))
    }
}

/// Storage counts in signed numbers.
fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

fn recipient(row: &Columns<'_>) -> Result<RecipientRecord, StorageError> {
    Ok(RecipientRecord {
        message: message_id(row, 0)?,
        member: MemberId(row.get(1)?),
        letter: Some(row.get(2)?).filter(|letter| *letter != 0),
        state: MessageState::from_code(row.get(3)?)?,
    })
}
