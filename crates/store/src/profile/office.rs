//! The post office's rows.

use hushwing_delivery::{LetterId, MailboxId, Part, RepeatId, Storage};
use hushwing_sansio::{StorageError, Timestamp};

use super::ProfileStore;

/// The longest body that stands beside its head.
const SHORT: usize = 2 * 1024;

/// Bytes of a longer body in a row. The office reads a body in parts of nearly an
/// envelope, so one or two rows each.
const PIECE: usize = 16 * 1024;

const EPOCH: &str = "office run";

impl Storage for ProfileStore {
    fn epoch(&mut self) -> Result<u32, StorageError> {
        const WHAT: &str = "reading the number of this run";
        let value = self.database.counter(WHAT, EPOCH)?;
        u32::try_from(value).map_err(|_| StorageError::corrupt(WHAT))
    }

    fn set_epoch(&mut self, epoch: u32) -> Result<(), StorageError> {
        self.database
            .set_counter("writing the number of this run", EPOCH, epoch.into())
    }

    fn mailboxes(&mut self) -> Result<Vec<(MailboxId, Vec<u8>)>, StorageError> {
        let sql = "SELECT id, record FROM office_mailboxes ORDER BY id";
        self.database
            .all("reading the office's mailboxes", sql, [], |row| {
                Ok((MailboxId(row.get(0)?), row.get(1)?))
            })
    }

    fn put_mailbox(&mut self, mailbox: MailboxId, row: &[u8]) -> Result<(), StorageError> {
        let sql = "INSERT INTO office_mailboxes (id, record) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET record = excluded.record";
        self.database
            .run("writing a mailbox of the office", sql, (mailbox.0, row))
            .map(drop)
    }

    fn delete_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError> {
        const WHAT: &str = "deleting a mailbox of the office";
        self.database.run(
            WHAT,
            "DELETE FROM office_mailboxes WHERE id = ?1",
            [mailbox.0],
        )?;
        self.database.run(
            WHAT,
            "DELETE FROM office_parts WHERE mailbox = ?1",
            [mailbox.0],
        )?;
        Ok(())
    }

    fn letters(&mut self) -> Result<Vec<(LetterId, Vec<u8>)>, StorageError> {
        let sql = "SELECT id, head FROM office_letters ORDER BY id";
        self.database.all("reading letters", sql, [], |row| {
            Ok((LetterId(row.get(0)?), row.get(1)?))
        })
    }

    fn insert_letter(
        &mut self,
        letter: LetterId,
        head: &[u8],
        body: &[u8],
    ) -> Result<(), StorageError> {
        const WHAT: &str = "writing a letter";
        let short = (body.len() <= SHORT).then_some(body);
        let sql = "INSERT INTO office_letters (id, head, body) VALUES (?1, ?2, ?3)";
        self.database.run(WHAT, sql, (letter.0, head, short))?;
        if short.is_some() {
            return Ok(());
        }
        let sql = "INSERT INTO office_letter_pieces (letter, piece, bytes) VALUES (?1, ?2, ?3)";
        for (at, piece) in body.chunks(PIECE).enumerate() {
            self.database.run(WHAT, sql, (letter.0, at, piece))?;
        }
        Ok(())
    }

    fn set_letter_head(&mut self, letter: LetterId, head: &[u8]) -> Result<(), StorageError> {
        let sql = "UPDATE office_letters SET head = ?2 WHERE id = ?1";
        self.database
            .run("writing the head of a letter", sql, (letter.0, head))
            .map(drop)
    }

    fn letter_chunk(
        &mut self,
        letter: LetterId,
        offset: usize,
        len: usize,
    ) -> Result<Vec<u8>, StorageError> {
        const WHAT: &str = "reading a letter";
        let Some(last) = len.checked_sub(1).map(|len| offset.saturating_add(len)) else {
            return Ok(Vec::new());
        };
        let sql = "SELECT body FROM office_letters WHERE id = ?1";
        let short = self
            .database
            .first(WHAT, sql, [letter.0], |row| row.get::<Option<Vec<u8>>>(0))?;
        let (mut chunk, start) = match short {
            None => return Ok(Vec::new()),
            Some(Some(body)) => (body, 0),
            Some(None) => {
                let sql = "SELECT bytes FROM office_letter_pieces
                     WHERE letter = ?1 AND piece BETWEEN ?2 AND ?3 ORDER BY piece";
                let pieces = (letter.0, offset / PIECE, last / PIECE);
                let pieces = self
                    .database
                    .all(WHAT, sql, pieces, |row| row.get::<Vec<u8>>(0))?;
                (pieces.concat(), offset - offset % PIECE)
            }
        };
        chunk.drain(..(offset - start).min(chunk.len()));
        chunk.truncate(len);
        Ok(chunk)
    }

    fn delete_letter(&mut self, letter: LetterId) -> Result<(), StorageError> {
        const WHAT: &str = "deleting a letter";
        self.database
            .run(WHAT, "DELETE FROM office_letters WHERE id = ?1", [letter.0])?;
        let sql = "DELETE FROM office_letter_pieces WHERE letter = ?1";
        self.database.run(WHAT, sql, [letter.0]).map(drop)
    }

    fn insert_repeat(&mut self, repeat: RepeatId, at: Timestamp) -> Result<bool, StorageError> {
        let sql = "INSERT INTO office_repeats (repeat, at) VALUES (?1, ?2)
             ON CONFLICT (repeat) DO NOTHING";
        let added = self
            .database
            .run("writing a repeat id", sql, (repeat.0, at.as_millis()))?;
        Ok(added > 0)
    }

    fn is_repeat(&mut self, repeat: RepeatId) -> Result<bool, StorageError> {
        let sql = "SELECT 1 FROM office_repeats WHERE repeat = ?1";
        let found = self
            .database
            .first("reading a repeat id", sql, [repeat.0], |_| Ok(()))?;
        Ok(found.is_some())
    }

    fn delete_repeat(&mut self, repeat: RepeatId) -> Result<(), StorageError> {
        let sql = "DELETE FROM office_repeats WHERE repeat = ?1";
        self.database
            .run("forgetting a repeat id", sql, [repeat.0])
            .map(drop)
    }

    fn delete_repeats_before(&mut self, at: Timestamp) -> Result<(), StorageError> {
        let sql = "DELETE FROM office_repeats WHERE at < ?1";
        self.database
            .run("forgetting repeat ids", sql, [at.as_millis()])
            .map(drop)
    }

    fn keep_repeats(&mut self, most: usize) -> Result<(), StorageError> {
        let sql = "DELETE FROM office_repeats WHERE repeat IN (
                 SELECT repeat FROM office_repeats ORDER BY at DESC, repeat DESC
                 LIMIT -1 OFFSET ?1)";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        self.database
            .run("forgetting repeat ids", sql, [most])
            .map(drop)
    }

    fn parts(&mut self) -> Result<Vec<Part>, StorageError> {
        // The chunk stands last in a row, so that its pages are not read here.
        let sql = "SELECT mailbox, repeat, part, count, length, at, first_contact
             FROM office_parts ORDER BY mailbox, repeat, part";
        self.database.all("reading parts", sql, [], |row| {
            Ok(Part {
                mailbox: MailboxId(row.get(0)?),
                repeat: RepeatId(row.array(1)?),
                index: row.get(2)?,
                count: row.get(3)?,
                length: row.get(4)?,
                at: Timestamp::from_millis(row.get(5)?),
                first_contact: row.get(6)?,
            })
        })
    }

    fn insert_part(&mut self, part: &Part, chunk: &[u8]) -> Result<(), StorageError> {
        let sql = "INSERT INTO office_parts
             (mailbox, repeat, part, count, length, at, first_contact, chunk)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
             ON CONFLICT (mailbox, repeat, part) DO UPDATE SET
             count = excluded.count, length = excluded.length, at = excluded.at,
             first_contact = excluded.first_contact, chunk = excluded.chunk";
        let row = (
            part.mailbox.0,
            part.repeat.0,
            part.index,
            part.count,
            part.length,
            part.at.as_millis(),
            part.first_contact,
            chunk,
        );
        self.database.run("writing a part", sql, row).map(drop)
    }

    fn part_chunks(
        &mut self,
        mailbox: MailboxId,
        repeat: RepeatId,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let sql = "SELECT chunk FROM office_parts WHERE mailbox = ?1 AND repeat = ?2 ORDER BY part";
        self.database
            .all("reading parts", sql, (mailbox.0, repeat.0), |row| {
                row.get(0)
            })
    }

    fn delete_parts(&mut self, mailbox: MailboxId, repeat: RepeatId) -> Result<(), StorageError> {
        let sql = "DELETE FROM office_parts WHERE mailbox = ?1 AND repeat = ?2";
        self.database
            .run("deleting parts", sql, (mailbox.0, repeat.0))
            .map(drop)
    }
}
