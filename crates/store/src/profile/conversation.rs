//! Conversation's rows.

use hushwing_conversation::storage::{
    ContactRecord, Extent, HeldHead, HeldRecord, InvitationRecord, JoinRecord, KeyPackageRecord,
    MailboxRecord, MessageRecord, MessageState, MessageTimes, OnTheWay, Outline, Owed, Position,
};
use hushwing_conversation::{ContactId, InvitationId, MessageId, Storage};
use hushwing_delivery::{MailboxId, RepeatId};
use hushwing_sansio::{StorageError, Timestamp};
use rusqlite::{Params, params};
use zeroize::Zeroizing;

use super::ProfileStore;
use super::messages::{TimeColumns, message_id, position, select_messages};
use crate::Database;

const NUMBER: &str = "conversation number";

/// The last number drawn, 0 if none was.
pub(super) fn last_number(database: &Database) -> Result<u64, StorageError> {
    database.counter("reading the last number", NUMBER)
}

impl Database {
    /// The records whose bodies stand in the first column.
    fn records<T>(
        &self,
        what: &'static str,
        sql: &'static str,
        params: impl Params,
        decode: impl Fn(&[u8]) -> Result<T, StorageError>,
    ) -> Result<Vec<T>, StorageError> {
        self.all(what, sql, params, |row| decode(row.bytes(0)?))
    }
}

impl Storage for ProfileStore {
    fn next_number(&mut self) -> Result<u64, StorageError> {
        const WHAT: &str = "drawing a number";
        let next = self.database.counter(WHAT, NUMBER)?.saturating_add(1);
        self.database.set_counter(WHAT, NUMBER, next)?;
        Ok(next)
    }

    fn skip_numbers_to(&mut self, number: u64) -> Result<(), StorageError> {
        const WHAT: &str = "skipping numbers";
        let last = self.database.counter(WHAT, NUMBER)?;
        self.database.set_counter(WHAT, NUMBER, last.max(number))
    }

    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        let sql = "SELECT value FROM settings WHERE name = ?1";
        self.database
            .first("reading a setting", sql, [name], |row| row.get(0))
    }

    fn settings_of(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        // No name has a character beyond ASCII.
        let sql = "SELECT name, value FROM settings
             WHERE name >= ?1 AND name < ?1 || char(128) ORDER BY name";
        self.database.all("reading settings", sql, [prefix], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
    }

    fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), StorageError> {
        let sql = "INSERT INTO settings (name, value) VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.database
            .run("writing a setting", sql, (name, value))
            .map(drop)
    }

    fn remove_setting(&mut self, name: &str) -> Result<(), StorageError> {
        let sql = "DELETE FROM settings WHERE name = ?1";
        self.database
            .run("removing a setting", sql, [name])
            .map(drop)
    }

    fn put_invitation(&mut self, record: &InvitationRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO invitations (id, body) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        self.database
            .run("writing an invitation", sql, (record.id.0, body.as_slice()))
            .map(drop)
    }

    fn invitations(&self) -> Result<Vec<InvitationRecord>, StorageError> {
        let sql = "SELECT body FROM invitations ORDER BY id";
        self.database
            .records("reading invitations", sql, [], InvitationRecord::decode)
    }

    fn remove_invitation(&mut self, id: InvitationId) -> Result<(), StorageError> {
        const WHAT: &str = "removing an invitation";
        self.database
            .run(WHAT, "DELETE FROM invitations WHERE id = ?1", [id.0])?;
        self.database.run(
            WHAT,
            "DELETE FROM key_packages WHERE invitation = ?1",
            [id.0],
        )?;
        Ok(())
    }

    fn put_key_package(&mut self, record: &KeyPackageRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO key_packages (reference, invitation, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (reference) DO UPDATE SET
             invitation = excluded.invitation, body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let row = (&record.reference, record.invitation.0, body.as_slice());
        self.database
            .run("writing a key package", sql, row)
            .map(drop)
    }

    fn key_packages(&self, of: InvitationId) -> Result<Vec<KeyPackageRecord>, StorageError> {
        let sql = "SELECT body FROM key_packages WHERE invitation = ?1 ORDER BY reference";
        self.database.records(
            "reading key packages",
            sql,
            [of.0],
            KeyPackageRecord::decode,
        )
    }

    fn remove_key_package(&mut self, reference: &[u8]) -> Result<(), StorageError> {
        let sql = "DELETE FROM key_packages WHERE reference = ?1";
        self.database
            .run("removing a key package", sql, [reference])
            .map(drop)
    }

    fn put_mailbox_record(&mut self, record: &MailboxRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO mailboxes (id, body) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        self.database
            .run("writing a mailbox", sql, (record.id, body.as_slice()))
            .map(drop)
    }

    fn mailbox_records(&self) -> Result<Vec<MailboxRecord>, StorageError> {
        let sql = "SELECT body FROM mailboxes ORDER BY id";
        self.database
            .records("reading mailboxes", sql, [], MailboxRecord::decode)
    }

    fn remove_mailbox_record(&mut self, id: MailboxId) -> Result<(), StorageError> {
        let sql = "DELETE FROM mailboxes WHERE id = ?1";
        self.database
            .run("removing a mailbox", sql, [id.0])
            .map(drop)
    }

    fn put_join(&mut self, record: &JoinRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO joins (fetch, body) VALUES (?1, ?2)
             ON CONFLICT (fetch) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        self.database
            .run("writing a join", sql, (record.fetch, body.as_slice()))
            .map(drop)
    }

    fn joins(&self) -> Result<Vec<JoinRecord>, StorageError> {
        let sql = "SELECT body FROM joins ORDER BY fetch";
        self.database
            .records("reading joins", sql, [], JoinRecord::decode)
    }

    fn remove_join(&mut self, fetch: u64) -> Result<(), StorageError> {
        let sql = "DELETE FROM joins WHERE fetch = ?1";
        self.database.run("removing a join", sql, [fetch]).map(drop)
    }

    fn put_contact(&mut self, record: &ContactRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO contacts (id, conversation, body) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET
             conversation = excluded.conversation, body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let row = (record.id.0, record.conversation.0, body.as_slice());
        self.database.run("writing a contact", sql, row).map(drop)
    }

    fn contacts(&self) -> Result<Vec<ContactRecord>, StorageError> {
        let sql = "SELECT body FROM contacts ORDER BY id";
        self.database
            .records("reading contacts", sql, [], ContactRecord::decode)
    }

    fn remove_contact(&mut self, id: ContactId) -> Result<(), StorageError> {
        const WHAT: &str = "removing a contact";
        self.database
            .run(WHAT, "DELETE FROM contacts WHERE id = ?1", [id.0])?;
        self.remove_all_held(id)
    }

    fn add_message(&mut self, record: &MessageRecord) -> Result<(), StorageError> {
        self.database.insert_message(record)
    }

    fn message(&self, id: &MessageId) -> Result<Option<MessageRecord>, StorageError> {
        self.database
            .message(select_messages!("WHERE id = ?1"), [id.as_bytes()])
    }

    fn has_message(&self, id: &MessageId) -> Result<bool, StorageError> {
        let sql = "SELECT 1 FROM messages WHERE id = ?1";
        let found = self
            .database
            .first("finding a message", sql, [id.as_bytes()], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn message_ids(&self, first: &[u8; 32], most: usize) -> Result<Vec<MessageId>, StorageError> {
        let sql = "SELECT id FROM messages WHERE id >= ?1 AND kind = 1 ORDER BY id LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.database
            .all("finding messages", sql, params![first, most], |row| {
                message_id(row, 0)
            })
    }

    fn message_of_letter(&self, letter: u64) -> Result<Option<MessageId>, StorageError> {
        let sql = "SELECT id FROM messages WHERE letter = ?1";
        self.database
            .first("finding a message", sql, [letter], |row| message_id(row, 0))
    }

    fn set_state(
        &mut self,
        id: &MessageId,
        state: MessageState,
        times: &MessageTimes,
    ) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET state = ?2, accepted_network = ?3, accepted_at = ?4,
             delivered_at = ?5, read_at = ?6, failed_at = ?7, vanish_at = ?8 WHERE id = ?1";
        let times = TimeColumns::from(times);
        let row = params![
            id.as_bytes(),
            state.code(),
            times.accepted_network,
            times.accepted_at,
            times.delivered_at,
            times.read_at,
            times.failed_at,
            times.vanish_at,
        ];
        self.database.change_message(sql, row)
    }

    fn set_letter(
        &mut self,
        id: &MessageId,
        letter: u64,
        sealed_epoch: u64,
    ) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET letter = ?2, sealed_epoch = ?3 WHERE id = ?1";
        self.database
            .change_message(sql, (id.as_bytes(), letter, sealed_epoch))
    }

    fn set_owed(&mut self, id: &MessageId, owed: Owed) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET owed = ?2 WHERE id = ?1";
        self.database
            .change_message(sql, (id.as_bytes(), owed.code()))
    }

    fn messages(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut newest = match before {
            None => self.database.messages_within(
                bytes,
                select_messages!(
                    "WHERE contact = ?1 AND kind = 1
                     ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT ?2"
                ),
                (of.0, most),
            ),
            Some(Position {
                epoch,
                lamport,
                leaf,
                id,
            }) => self.database.messages_within(
                bytes,
                select_messages!(
                    "WHERE contact = ?1 AND kind = 1
                     AND (epoch, lamport, leaf, id) < (?3, ?4, ?5, ?6)
                     ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT ?2"
                ),
                (of.0, most, epoch, lamport, leaf, id.as_bytes()),
            ),
        }?;
        newest.reverse();
        Ok(newest)
    }

    fn changes(
        &self,
        of: ContactId,
        target: &MessageId,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        self.database.messages(
            select_messages!(
                "WHERE row IN (
                     WITH RECURSIVE slots (kind, mine, author) AS (
                         VALUES (2, -1, 0)
                         UNION ALL
                         SELECT next.kind, next.mine, next.author
                         FROM slots JOIN messages AS next ON next.row =
                             (SELECT row FROM messages
                              WHERE target = ?1 AND contact = ?2 AND kind <= 4
                              AND (kind, mine, author) > (slots.kind, slots.mine, slots.author)
                              ORDER BY kind, mine, author LIMIT 1))
                     SELECT (SELECT row FROM messages
                             WHERE target = ?1 AND contact = ?2 AND kind = slots.kind
                             AND mine = slots.mine AND author = slots.author
                             ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT 1)
                     FROM slots)
                 ORDER BY epoch, lamport, leaf, id"
            ),
            (target.as_bytes(), of.0),
        )
    }

    fn control(&self, of: ContactId, mine: bool) -> Result<Vec<MessageRecord>, StorageError> {
        self.database.messages(
            select_messages!(
                "WHERE contact = ?1 AND kind = 5 AND mine = ?2
                 ORDER BY epoch, lamport, leaf, id"
            ),
            (of.0, mine),
        )
    }

    fn remove_message(&mut self, id: &MessageId) -> Result<(), StorageError> {
        self.database.unindex(id)?;
        let sql = "DELETE FROM messages WHERE id = ?1";
        self.database
            .run("removing a message", sql, [id.as_bytes()])
            .map(drop)
    }

    fn unread(&self, of: ContactId, until: &Position) -> Result<Vec<MessageId>, StorageError> {
        // Left to itself SQLite passes all that was ever said: the order by kind
        // seems as good to it.
        let sql = "SELECT id FROM messages INDEXED BY messages_unread
             WHERE contact = ?1 AND mine = 0 AND kind = 1 AND state = 3
             AND (epoch, lamport, leaf, id) <= (?2, ?3, ?4, ?5)
             ORDER BY epoch, lamport, leaf, id";
        let Position {
            epoch,
            lamport,
            leaf,
            id,
        } = until;
        let params = (of.0, epoch, lamport, leaf, id.as_bytes());
        self.database
            .all("finding unread messages", sql, params, |row| {
                message_id(row, 0)
            })
    }

    fn owing(&self, to: ContactId) -> Result<Vec<(MessageId, Owed)>, StorageError> {
        let sql = "SELECT id, owed FROM messages WHERE contact = ?1 AND owed <> 0 ORDER BY id";
        let what = "finding owed receipts";
        self.database.all(what, sql, [to.0], |row| {
            Ok((message_id(row, 0)?, Owed::from_code(row.get(1)?)?))
        })
    }

    fn on_the_way(&self, to: ContactId) -> Result<Vec<OnTheWay>, StorageError> {
        let sql = "SELECT id, state, letter FROM messages
             WHERE contact = ?1 AND mine = 1 AND state IN (1, 2)
             ORDER BY epoch, lamport, leaf, id";
        let what = "finding messages on the way";
        let found = self.database.all(what, sql, [to.0], |row| {
            let read = || {
                Ok::<_, StorageError>((
                    message_id(row, 0)?,
                    MessageState::from_code(row.get(1)?)?,
                    row.get(2)?,
                ))
            };
            Ok(read().ok())
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn outline(&self, id: &MessageId) -> Result<Option<Outline>, StorageError> {
        let sql = "SELECT contact, mine, state FROM messages WHERE id = ?1";
        let what = "looking at a message";
        self.database.first(what, sql, [id.as_bytes()], |row| {
            let state = MessageState::from_code(row.get(2)?)?;
            Ok((ContactId(row.get(0)?), row.get(1)?, state))
        })
    }

    fn whose_message(&self, id: &MessageId) -> Result<Option<ContactId>, StorageError> {
        let sql = "SELECT contact FROM messages WHERE id = ?1";
        self.database
            .first("finding a message", sql, [id.as_bytes()], |row| {
                row.get(0).map(ContactId)
            })
    }

    fn whose_letter(&self, letter: u64) -> Result<Option<ContactId>, StorageError> {
        let sql = "SELECT contact FROM messages WHERE letter = ?1";
        self.database
            .first("finding a message", sql, [letter], |row| {
                row.get(0).map(ContactId)
            })
    }

    fn unconfirmed_before(
        &self,
        of: ContactId,
        epoch: u64,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        self.database.messages(
            select_messages!(
                "WHERE contact = ?1 AND sealed_epoch < ?2 AND mine = 1 AND state IN (1, 2)
                 ORDER BY epoch, lamport, leaf, id"
            ),
            (of.0, epoch),
        )
    }

    fn unconfirm_since(&mut self, to: ContactId, since: Timestamp) -> Result<(), StorageError> {
        let sql = "UPDATE messages SET state = 2
             WHERE contact = ?1 AND mine = 1 AND kind <> 6 AND state IN (3, 4)
               AND (delivered_at >= ?2 OR read_at >= ?2)";
        self.database
            .run("taking receipts back", sql, (to.0, since.as_millis()))
            .map(drop)
    }

    fn failed_to(&self, contact: ContactId) -> Result<Vec<MessageRecord>, StorageError> {
        self.database.messages(
            select_messages!(
                "WHERE contact = ?1 AND mine = 1 AND state = 5
                 ORDER BY epoch, lamport, leaf, id"
            ),
            [contact.0],
        )
    }

    fn last_position(&self, of: ContactId) -> Result<Option<Position>, StorageError> {
        // The last of each kind, and of these the last.
        let sql = "SELECT epoch, lamport, leaf, id FROM messages WHERE row IN (
                 SELECT (SELECT row FROM messages
                         WHERE contact = ?1 AND kind = slots.column1
                         ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT 1)
                 FROM (VALUES (1), (2), (3), (4), (5), (6)) AS slots)
             ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT 1";
        self.database
            .first("finding the last message", sql, [of.0], |row| {
                position(row, 0)
            })
    }

    fn highest_lamport(&self, of: ContactId) -> Result<u64, StorageError> {
        // Asked once per contact and run: of each kind from epoch to epoch through
        // the order, in which the highest of each epoch stands last.
        let sql = "WITH RECURSIVE epochs (kind, epoch) AS (
                 SELECT slots.column1, (SELECT max(epoch) FROM messages
                         WHERE contact = ?1 AND kind = slots.column1)
                 FROM (VALUES (1), (2), (3), (4), (5), (6)) AS slots
                 UNION ALL
                 SELECT kind, (SELECT max(epoch) FROM messages
                         WHERE contact = ?1 AND kind = epochs.kind
                         AND epoch < epochs.epoch)
                 FROM epochs WHERE epochs.epoch IS NOT NULL
             )
             SELECT max((SELECT max(lamport) FROM messages
                         WHERE contact = ?1 AND kind = epochs.kind
                         AND epoch = epochs.epoch))
             FROM epochs";
        let what = "finding the highest counter";
        let highest = self
            .database
            .first(what, sql, [of.0], |row| row.get::<Option<u64>>(0))?;
        Ok(highest.flatten().unwrap_or(0))
    }

    fn count_in_epoch(&self, of: ContactId, epoch: u64) -> Result<u64, StorageError> {
        // Those said in that epoch, and those said before and sealed again.
        let sql = "SELECT
             (SELECT count(*) FROM messages
              WHERE contact = ?1 AND kind IN (1, 2, 3, 4, 5, 6) AND epoch = ?2
              AND sealed_epoch = epoch)
             + (SELECT count(*) FROM messages
              WHERE contact = ?1 AND sealed_epoch = ?2 AND sealed_epoch <> epoch)";
        let count = self
            .database
            .first("counting messages", sql, (of.0, epoch), |row| row.get(0))?;
        Ok(count.unwrap_or(0))
    }

    fn extent(&self, of: ContactId) -> Result<Extent, StorageError> {
        let sql = "SELECT count(*), coalesce(sum(length(content)), 0)
             FROM messages WHERE contact = ?1";
        let extent = self
            .database
            .first("measuring a conversation", sql, [of.0], |row| {
                Ok(Extent {
                    messages: row.get(0)?,
                    bytes: row.get(1)?,
                })
            })?;
        Ok(extent.unwrap_or_default())
    }

    fn add_held(&mut self, record: &HeldRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO held_letters (contact, number, since, repeat, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (contact, number) DO UPDATE SET
             since = excluded.since, repeat = excluded.repeat, bytes = excluded.bytes";
        let row = (
            record.contact.0,
            record.number,
            record.since.as_millis(),
            record.repeat.map(|repeat| repeat.0),
            &record.bytes,
        );
        self.database.run("holding a letter", sql, row).map(drop)
    }

    fn held_heads(&self, of: ContactId) -> Result<Vec<HeldHead>, StorageError> {
        // The bytes stand last in a row, and their length in its head.
        let sql = "SELECT number, since, repeat, length(bytes)
             FROM held_letters WHERE contact = ?1 ORDER BY number";
        let what = "listing held letters";
        self.database.all(what, sql, [of.0], |row| {
            Ok(HeldHead {
                contact: of,
                number: row.get(0)?,
                since: Timestamp::from_millis(row.get(1)?),
                repeat: row.get::<Option<[u8; 16]>>(2)?.map(RepeatId),
                length: row.get(3)?,
            })
        })
    }

    fn held(&self, of: ContactId, number: u64) -> Result<Option<HeldRecord>, StorageError> {
        let sql = "SELECT since, repeat, bytes FROM held_letters
             WHERE contact = ?1 AND number = ?2";
        let what = "reading a held letter";
        self.database.first(what, sql, (of.0, number), |row| {
            Ok(HeldRecord {
                contact: of,
                number,
                since: Timestamp::from_millis(row.get(0)?),
                repeat: row.get::<Option<[u8; 16]>>(1)?.map(RepeatId),
                bytes: row.get(2)?,
            })
        })
    }

    fn remove_held(&mut self, of: ContactId, number: u64) -> Result<(), StorageError> {
        let sql = "DELETE FROM held_letters WHERE contact = ?1 AND number = ?2";
        self.database
            .run("removing a held letter", sql, (of.0, number))
            .map(drop)
    }

    fn remove_all_held(&mut self, of: ContactId) -> Result<(), StorageError> {
        let sql = "DELETE FROM held_letters WHERE contact = ?1";
        self.database
            .run("removing held letters", sql, [of.0])
            .map(drop)
    }
}
