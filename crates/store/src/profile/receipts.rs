//! Signed receipts.

use hushwing_conversation::proof::Confirmation;
use hushwing_conversation::storage::SignedReceiptRecord;
use hushwing_conversation::{ContactId, MessageId, ReceiptRows};
use hushwing_sansio::{StorageError, Timestamp};

use super::ProfileStore;

const READING: &str = "reading signed receipts";

impl ReceiptRows for ProfileStore {
    fn add_signed_receipt(&mut self, record: &SignedReceiptRecord) -> Result<(), StorageError> {
        let sql = "INSERT INTO signed_receipts (message, status, contact, at, signature)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (message, status) DO NOTHING";
        let row = (
            record.message.as_bytes(),
            record.status.code(),
            record.contact.0,
            record.at.as_millis(),
            record.signature.as_slice(),
        );
        self.database
            .run("keeping a signed receipt", sql, row)
            .map(drop)
    }

    fn signed_receipts(&self, of: &MessageId) -> Result<Vec<SignedReceiptRecord>, StorageError> {
        let sql = "SELECT status, contact, at, signature FROM signed_receipts
             WHERE message = ?1 ORDER BY status";
        let damaged = || StorageError::corrupt(READING);
        self.database.all(READING, sql, [of.as_bytes()], |row| {
            let signature = row.bytes(3)?.try_into();
            Ok(SignedReceiptRecord {
                message: *of,
                status: Confirmation::from_code(row.get(0)?).ok_or_else(damaged)?,
                contact: ContactId(row.get(1)?),
                at: Timestamp::from_millis(row.get(2)?),
                signature: signature.map_err(|_| damaged())?,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use hushwing_conversation::Storage as _;
    use hushwing_conversation::storage::SaidRows as _;
    use hushwing_conversation::storage::{
        MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position,
    };
    use hushwing_sansio::{Entropy, StorageErrorKind};

    use super::*;
    use crate::keys::{MasterKey, Role};

    struct Sevens;

    impl Entropy for Sevens {
        fn fill(&mut self, dest: &mut [u8]) {
            dest.fill(7);
        }
    }

    fn store() -> (tempfile::TempDir, ProfileStore) {
        let dir = tempfile::tempdir().unwrap();
        let key = MasterKey::generate(&mut Sevens).derive(Role::Profile, "alice");
        let mut store = ProfileStore::open(&dir.path().join("profile.db"), &key).unwrap();
        store.begin().unwrap();
        for (n, contact) in [(1, 1), (2, 1), (3, 2)] {
            store.add_message(&message(n, contact)).unwrap();
        }
        (dir, store)
    }

    fn id(n: u8) -> MessageId {
        let mut id = [1; 32];
        id[1] = n;
        MessageId::from_bytes(&id).unwrap()
    }

    fn message(n: u8, contact: u64) -> MessageRecord {
        MessageRecord {
            contact: ContactId(contact),
            position: Position {
                epoch: 1,
                lamport: n.into(),
                leaf: 0,
                id: id(n),
            },
            mine: true,
            author: None,
            kind: MessageKind::Text,
            target: None,
            sent_at: Timestamp::default(),
            state: MessageState::Queued,
            times: MessageTimes::default(),
            owed: Owed::Nothing,
            letter: Some(n.into()),
            sealed_epoch: 1,
            content: vec![n; 100],
        }
    }

    fn receipt(n: u8, contact: u64, status: Confirmation) -> SignedReceiptRecord {
        SignedReceiptRecord {
            message: id(n),
            contact: ContactId(contact),
            status,
            at: Timestamp::from_millis((1 << 53) - 1),
            signature: [n; 64],
        }
    }

    #[test]
    fn the_first_of_each_status_is_kept() {
        let (_dir, mut store) = store();
        let read = receipt(1, 1, Confirmation::Read);
        let delivered = receipt(1, 1, Confirmation::Delivered);
        let other = SignedReceiptRecord {
            signature: [9; 64],
            ..read
        };
        for record in [read, delivered, other] {
            store.add_signed_receipt(&record).unwrap();
        }
        assert_eq!(store.signed_receipts(&id(1)).unwrap(), [delivered, read]);
        assert_eq!(store.signed_receipts(&id(2)).unwrap(), []);
    }

    #[test]
    fn they_go_with_their_message_and_with_their_contact() {
        let (_dir, mut store) = store();
        for (n, contact) in [(1, 1), (2, 1), (3, 2)] {
            let record = receipt(n, contact, Confirmation::Read);
            store.add_signed_receipt(&record).unwrap();
        }
        let kept = |store: &ProfileStore| {
            let kept = [1, 2, 3].map(|n| store.signed_receipts(&id(n)).unwrap().len());
            kept.into_iter().collect::<Vec<_>>()
        };
        store.remove_message(&id(1)).unwrap();
        assert_eq!(kept(&store), [0, 1, 1]);
        store.remove_contact(ContactId(1)).unwrap();
        assert!(!store.remove_messages(ContactId(1), 9).unwrap());
        assert_eq!(kept(&store), [0, 0, 1]);
    }

    #[test]
    fn they_go_with_what_a_message_said() {
        let (_dir, mut store) = store();
        for n in [1, 2] {
            let record = receipt(n, 1, Confirmation::Read);
            store.add_signed_receipt(&record).unwrap();
        }
        store.erase(&id(1)).unwrap();
        store.make_gone(ContactId(1), &id(2)).unwrap();
        for n in [1, 2] {
            assert_eq!(store.signed_receipts(&id(n)).unwrap(), []);
        }
    }

    #[test]
    fn what_was_never_written_is_told_as_damage() {
        let (_dir, mut store) = store();
        let record = receipt(1, 1, Confirmation::Read);
        store.add_signed_receipt(&record).unwrap();
        for change in ["status = 7", "signature = x'07'", "at = -1"] {
            let connection = store.database.connection();
            let sql = format!("UPDATE signed_receipts SET {change}");
            connection.execute(&sql, []).unwrap();
            let error = store.signed_receipts(&id(1)).unwrap_err();
            assert_eq!(error.kind, StorageErrorKind::Corrupt, "{change}");
        }
    }
}
