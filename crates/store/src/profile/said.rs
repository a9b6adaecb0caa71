//! What was said by other ways than its order, and how conversations are kept.

use hushwing_conversation::search::Query;
use hushwing_conversation::storage::{
    ConversationRecord, ConversationRows, MessageRecord, Position, SaidRows,
};
use hushwing_conversation::{ContactId, ConversationId, MessageId};
use hushwing_sansio::{StorageError, Timestamp};
use zeroize::Zeroizing;

use super::ProfileStore;
use super::messages::{message_id, position, select_messages};
use crate::Database;
use crate::query::Columns;

const ERASING: &str = "erasing a message";

impl Database {
    /// Takes the text of a message out of the index.
    pub(super) fn unindex(&self, id: &MessageId) -> Result<(), StorageError> {
        let sql = "DELETE FROM texts WHERE rowid = (SELECT row FROM messages WHERE id = ?1)";
        self.run("forgetting a text", sql, [id.as_bytes()])
            .map(drop)
    }

    /// Takes what changes a message out of the index, if any of it is there.
    fn unindex_changes(&self, of: ContactId, target: &MessageId) -> Result<(), StorageError> {
        let sql = "DELETE FROM texts WHERE rowid IN (SELECT row FROM messages
             WHERE target = ?1 AND contact = ?2 AND kind IN (2, 3, 4))";
        self.run("forgetting texts", sql, (target.as_bytes(), of.0))
            .map(drop)
    }

    /// Whether any message of a contact is there.
    fn has_any(&self, of: ContactId) -> Result<bool, StorageError> {
        let sql = "SELECT 1 FROM messages WHERE contact = ?1 LIMIT 1";
        let found = self.first("finding a message", sql, [of.0], |_| Ok(()))?;
        Ok(found.is_some())
    }
}

impl SaidRows for ProfileStore {
    fn erase(&mut self, id: &MessageId) -> Result<(), StorageError> {
        self.database.unindex(id)?;
        let sql = "UPDATE messages SET content = x'' WHERE id = ?1";
        self.database.change_message(sql, [id.as_bytes()])
    }

    fn make_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError> {
        self.database.unindex(id)?;
        self.database.unindex_changes(of, id)?;
        let changes = "UPDATE messages SET kind = 6, target = NULL, content = x'', vanish_at = NULL
             WHERE target = ?1 AND contact = ?2 AND kind IN (2, 3, 4)";
        self.database.run(ERASING, changes, (id.as_bytes(), of.0))?;
        let itself = "UPDATE messages SET kind = 6, target = NULL, content = x'', vanish_at = NULL
             WHERE id = ?1";
        self.database
            .run(ERASING, itself, [id.as_bytes()])
            .map(drop)
    }

    fn make_edits_gone(&mut self, of: ContactId, id: &MessageId) -> Result<(), StorageError> {
        let texts = "DELETE FROM texts WHERE rowid IN (SELECT row FROM messages
             WHERE target = ?1 AND contact = ?2 AND kind IN (2, 4))";
        self.database.run(ERASING, texts, (id.as_bytes(), of.0))?;
        let sql = "UPDATE messages SET kind = 6, target = NULL, content = x'', vanish_at = NULL
             WHERE target = ?1 AND contact = ?2 AND kind IN (2, 4)";
        self.database
            .run(ERASING, sql, (id.as_bytes(), of.0))
            .map(drop)
    }

    fn vanishing(
        &self,
        until: Timestamp,
        most: usize,
    ) -> Result<Vec<(ContactId, MessageId)>, StorageError> {
        let sql = "SELECT contact, id FROM messages
             WHERE vanish_at IS NOT NULL AND vanish_at <= ?1
             ORDER BY vanish_at, id LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let what = "finding messages that shall disappear";
        self.database
            .all(what, sql, (until.as_millis(), most), |row| {
                Ok((ContactId(row.get(0)?), message_id(row, 1)?))
            })
    }

    fn next_vanishing(&self) -> Result<Option<Timestamp>, StorageError> {
        let sql = "SELECT min(vanish_at) FROM messages WHERE vanish_at IS NOT NULL";
        let what = "finding when messages disappear";
        let next = self
            .database
            .first(what, sql, [], |row| row.get::<Option<u64>>(0))?;
        Ok(next.flatten().map(Timestamp::from_millis))
    }

    fn edits(
        &self,
        of: ContactId,
        target: &MessageId,
        mine: bool,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        self.database.messages(
            select_messages!(
                "WHERE target = ?1 AND contact = ?2 AND kind = 2 AND mine = ?3
                 ORDER BY epoch, lamport, leaf, id"
            ),
            (target.as_bytes(), of.0, mine),
        )
    }

    fn text_positions(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
    ) -> Result<Vec<Position>, StorageError> {
        let sql = "SELECT epoch, lamport, leaf, id FROM messages
             WHERE contact = ?1 AND kind = 1 AND (epoch, lamport, leaf, id) < (?2, ?3, ?4, ?5)
             ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT ?6";
        let all = "SELECT epoch, lamport, leaf, id FROM messages
             WHERE contact = ?1 AND kind = 1
             ORDER BY epoch DESC, lamport DESC, leaf DESC, id DESC LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let what = "finding where texts stand";
        let read = |row: &Columns<'_>| Ok(position(row, 0).ok());
        let found = match before {
            None => self.database.all(what, all, (of.0, most), read),
            Some(before) => {
                let (epoch, lamport, leaf) = (before.epoch, before.lamport, before.leaf);
                let id = before.id.as_bytes();
                let row = (of.0, epoch, lamport, leaf, id, most);
                self.database.all(what, sql, row, read)
            }
        };
        let mut found: Vec<_> = found?.into_iter().flatten().collect();
        found.reverse();
        Ok(found)
    }

    fn remove_messages(&mut self, of: ContactId, most: usize) -> Result<bool, StorageError> {
        const WHAT: &str = "removing messages";
        // Both find the same ones: the order is an index.
        let texts = "DELETE FROM texts WHERE rowid IN (
                 SELECT row FROM messages WHERE contact = ?1
                 ORDER BY kind, epoch, lamport, leaf, id LIMIT ?2)";
        let messages = "DELETE FROM messages WHERE row IN (
                 SELECT row FROM messages WHERE contact = ?1
                 ORDER BY kind, epoch, lamport, leaf, id LIMIT ?2)";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.database.run(WHAT, texts, (of.0, most))?;
        self.database.run(WHAT, messages, (of.0, most))?;
        self.database.has_any(of)
    }

    fn count_unread(&self, of: ContactId) -> Result<u64, StorageError> {
        let sql = "SELECT count(*) FROM messages INDEXED BY messages_unread
             WHERE contact = ?1 AND mine = 0 AND kind = 1 AND state = 3";
        let count = self
            .database
            .first("counting unread messages", sql, [of.0], |row| row.get(0))?;
        Ok(count.unwrap_or(0))
    }

    fn index_text(&mut self, id: &MessageId, text: Option<&str>) -> Result<(), StorageError> {
        let Some(text) = text else {
            return self.database.unindex(id);
        };
        const WHAT: &str = "noting a text";
        let sql = "SELECT row, 'c' || contact FROM messages WHERE id = ?1";
        let found = self.database.first(WHAT, sql, [id.as_bytes()], |row| {
            Ok((row.get::<i64>(0)?, row.get::<String>(1)?))
        })?;
        let Some((row, place)) = found else {
            return Ok(());
        };
        // Not as INSERT … SELECT: before a statement that may touch several rows
        // the index writes what it gathered, a segment for each text.
        let sql = "INSERT OR REPLACE INTO texts (rowid, place, text) VALUES (?1, ?2, ?3)";
        self.database.run(WHAT, sql, (row, place, text)).map(drop)
    }

    fn tidy_texts(&mut self, pages: usize) -> Result<bool, StorageError> {
        let what = "tidying the index of texts";
        let before = self.database.changes();
        // A negative number has all of the index merged, not only what is many.
        let pages = i64::try_from(pages).unwrap_or(i64::MAX);
        let sql = "INSERT INTO texts (texts, rank) VALUES ('merge', ?1)";
        self.database.run(what, sql, [-pages])?;
        // Fewer than two changes: it found nothing to do.
        Ok(self.database.changes().saturating_sub(before) >= 2)
    }

    fn find_texts(
        &self,
        query: &Query,
        of: Option<ContactId>,
        most: usize,
    ) -> Result<Vec<MessageId>, StorageError> {
        let sql = "SELECT messages.id FROM texts CROSS JOIN messages ON messages.row = texts.rowid
             WHERE texts MATCH ?1 ORDER BY texts.rowid DESC LIMIT ?2";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let what = "finding texts";
        self.database
            .all(what, sql, (expression(query, of), most), |row| {
                message_id(row, 0)
            })
    }
}

/// A query in the language of FTS5: only quoted phrases, so that nothing a
/// person types is part of that language.
fn expression(query: &Query, of: Option<ContactId>) -> String {
    let words = query.words().iter().map(|word| {
        let open = if word.open { " *" } else { "" };
        format!("\"{}\"{open}", word.phrase.replace(['"', '\0'], " "))
    });
    let words: Vec<_> = words.collect();
    let text = format!("text : ({})", words.join(" AND "));
    match of {
        Some(of) => format!("place : \"c{}\" AND {text}", of.0),
        None => text,
    }
}

impl ConversationRows for ProfileStore {
    fn conversation(&self, id: ConversationId) -> Result<Option<ConversationRecord>, StorageError> {
        let sql = "SELECT body FROM conversations WHERE id = ?1";
        let what = "reading how a conversation is kept";
        let body = self.database.first(what, sql, [id.0], |row| {
            row.bytes(0).map(|body| Zeroizing::new(body.to_vec()))
        })?;
        body.map(|body| ConversationRecord::decode(&body))
            .transpose()
    }

    fn put_conversation(
        &mut self,
        id: ConversationId,
        record: &ConversationRecord,
    ) -> Result<(), StorageError> {
        let sql = "INSERT INTO conversations (id, body) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET body = excluded.body";
        let body = Zeroizing::new(record.encode());
        let what = "writing how a conversation is kept";
        self.database
            .run(what, sql, (id.0, body.as_slice()))
            .map(drop)
    }

    fn remove_conversation(&mut self, id: ConversationId) -> Result<(), StorageError> {
        let sql = "DELETE FROM conversations WHERE id = ?1";
        let what = "forgetting how a conversation is kept";
        self.database.run(what, sql, [id.0]).map(drop)
    }
}
