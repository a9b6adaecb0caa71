//! What the server keeps of a queue, apart from its messages.

use core::fmt;

use crate::wire::key::AuthKey;
use crate::wire::{BoxKey, ID_LEN, Malformed, QueueMode, Reader, Writer};

/// A name of a queue on the wire: random bytes, or what a client chose where
/// it may.
///
/// `Debug` hides it: who knows a sender's id may write to the queue.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; ID_LEN]);

impl Id {
    /// The id in an entity field, if it has the length of one.
    #[must_use]
    pub fn from_entity(entity: &[u8]) -> Option<Self> {
        entity.try_into().ok().map(Self)
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Id(..)")
    }
}

/// A queue's name inside the server; never used twice and never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueRow(pub i64);

/// A queue without its messages and link data.
#[derive(Clone)]
pub struct QueueRecord {
    /// Its name inside the server.
    pub row: QueueRow,
    /// Its name for the recipient.
    pub recipient_id: Id,
    /// Its name for the sender.
    pub sender_id: Id,
    /// Each of these authorises the recipient's commands; at least one.
    pub recipient_keys: Vec<AuthKey>,
    /// Authorises the sender's commands. Without it the queue takes
    /// unauthorised messages only.
    pub sender_key: Option<AuthKey>,
    /// Boxes delivered messages, agreed with the recipient.
    pub box_key: BoxKey,
    /// What the queue is for, if the client said so.
    pub mode: Option<QueueMode>,
    /// Whether it takes messages; false after `OFF`.
    pub active: bool,
    /// The id of its link, if it has one; the link's length is the client's
    /// choice, 1 to 255 bytes.
    pub link_id: Option<Vec<u8>>,
}

impl QueueRecord {
    /// Whether a sender may secure it by itself (`SKEY`, `LKEY`).
    #[must_use]
    pub fn sender_may_secure(&self) -> bool {
        self.mode == Some(QueueMode::Messaging)
    }

    /// Whether its one sender is known, so that link data has no further use.
    #[must_use]
    pub fn is_secured_messaging(&self) -> bool {
        self.sender_may_secure() && self.sender_key.is_some()
    }
}

impl fmt::Debug for QueueRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "QueueRecord({}, ..)", self.row.0)
    }
}

/// First byte of stored keys; a later form gets another number.
const KEYS_VERSION: u8 = 1;

/// Keys for storage: a version byte, then `list1 key` as on the wire. Empty
/// if there are none or more than 255.
#[must_use]
pub fn keys_to_bytes(keys: &[AuthKey]) -> Vec<u8> {
    let mut bytes = vec![KEYS_VERSION];
    let mut w = Writer::new(&mut bytes);
    w.list1(keys, |w, key| key.write(w));
    if w.check().is_err() {
        bytes.clear();
    }
    bytes
}

/// Keys from storage.
///
/// # Errors
///
/// [`Malformed`] if this is not what [`keys_to_bytes`] returned.
pub fn keys_from_bytes(bytes: &[u8]) -> Result<Vec<AuthKey>, Malformed> {
    let mut r = Reader::new(bytes);
    r.expect(KEYS_VERSION)?;
    let keys = r.list1(AuthKey::read)?;
    r.finish()?;
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::DhPublic;

    #[test]
    fn keys_come_back_from_storage() {
        let keys = [
            AuthKey::Ed25519([1; 32]),
            AuthKey::Ed448([2; 57]),
            AuthKey::X25519(DhPublic([3; 32])),
        ];
        assert_eq!(keys_from_bytes(&keys_to_bytes(&keys)).unwrap(), keys);
    }

    #[test]
    fn keys_of_another_version_are_refused() {
        let mut bytes = keys_to_bytes(&[AuthKey::Ed25519([1; 32])]);
        bytes[0] = 2;
        assert!(keys_from_bytes(&bytes).is_err());
    }
}
