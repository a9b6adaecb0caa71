//! What the client must find again after a restart.
//!
//! The order is the point: a private key is stored before the command that
//! tells the server its public half leaves this machine. After a crash in
//! between, the same key is used again and the server answers as it did before.

use std::collections::BTreeMap;

use hushwing_delivery::MailboxId;
use hushwing_sansio::StorageError;
use zeroize::Zeroizing;

use super::records::{MailboxRecord, SenderKey};

/// A mailbox and its record.
pub type StoredMailbox = (MailboxId, Zeroizing<Vec<u8>>);

/// Storage of the relay client, lent to it per call.
///
/// Records are opaque, versioned, and secret: they hold private keys.
pub trait Storage {
    /// All mailboxes.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn mailboxes(&mut self) -> Result<Vec<StoredMailbox>, StorageError>;

    /// Stores a mailbox, over an older record of it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_mailbox(&mut self, mailbox: MailboxId, record: &[u8]) -> Result<(), StorageError>;

    /// Forgets a mailbox; unknown ones are ignored.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError>;

    /// The record of our key at somebody's queue or link; `queue` is an opaque
    /// name of at most 97 bytes.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn sender_key(&mut self, queue: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError>;

    /// Stores our key at a queue or link, over an older record of it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_sender_key(&mut self, queue: &[u8], record: &[u8]) -> Result<(), StorageError>;
}

/// Storage in memory, for tests and demonstrations.
#[derive(Clone, Default)]
pub struct MemoryStorage {
    mailboxes: BTreeMap<MailboxId, Zeroizing<Vec<u8>>>,
    sender_keys: BTreeMap<Vec<u8>, Zeroizing<Vec<u8>>>,
}

impl Storage for MemoryStorage {
    fn mailboxes(&mut self) -> Result<Vec<StoredMailbox>, StorageError> {
        Ok(self
            .mailboxes
            .iter()
            .map(|(id, record)| (*id, record.clone()))
            .collect())
    }

    fn put_mailbox(&mut self, mailbox: MailboxId, record: &[u8]) -> Result<(), StorageError> {
        self.mailboxes
            .insert(mailbox, Zeroizing::new(record.to_vec()));
        Ok(())
    }

    fn remove_mailbox(&mut self, mailbox: MailboxId) -> Result<(), StorageError> {
        self.mailboxes.remove(&mailbox);
        Ok(())
    }

    fn sender_key(&mut self, queue: &[u8]) -> Result<Option<Zeroizing<Vec<u8>>>, StorageError> {
        Ok(self.sender_keys.get(queue).cloned())
    }

    fn put_sender_key(&mut self, queue: &[u8], record: &[u8]) -> Result<(), StorageError> {
        self.sender_keys
            .insert(queue.to_vec(), Zeroizing::new(record.to_vec()));
        Ok(())
    }
}

/// Whether a mailbox record can be read; for checks of a whole store.
///
/// # Errors
///
/// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt) if not.
pub fn check_mailbox(record: &[u8]) -> Result<(), StorageError> {
    MailboxRecord::decode(record).map(drop)
}

/// Whether the record of a sender key can be read; for checks of a whole
/// store.
///
/// # Errors
///
/// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt) if not.
pub fn check_sender_key(record: &[u8]) -> Result<(), StorageError> {
    SenderKey::decode(record).map(drop)
}
