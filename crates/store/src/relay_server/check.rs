//! Whether rows can be read, without a file: for fuzz targets, which stand in
//! for a disk that gives back other bytes than were written.

use hushwing_sansio::StorageError;

use super::{bodies, messages, queues};
use crate::query::{Cell, read_cells};

/// Whether the columns of a queue can be read, its link's id among them.
///
/// # Errors
///
/// [`hushwing_sansio::StorageErrorKind::Corrupt`] or `Damaged` if not.
pub fn check_queue(cells: &[Cell<'_>]) -> Result<(), StorageError> {
    read_cells("check a queue", cells, queues::decode).map(drop)
}

/// Whether the columns of a message can be read, whose slot decrypts to `slot`.
///
/// # Errors
///
/// As [`check_queue`].
pub fn check_message(cells: &[Cell<'_>], slot: &[u8]) -> Result<(), StorageError> {
    const WHAT: &str = "check a message";
    let body = |_, _: &_, _: &_| {
        let body = bodies::body(slot).ok_or_else(|| StorageError::corrupt(WHAT))?;
        Ok(body.to_vec())
    };
    read_cells(WHAT, cells, |columns| messages::decode(columns, body)).map(drop)
}

#[cfg(test)]
mod tests {
    use hushwing_relay::server::keys_to_bytes;
    use hushwing_relay::wire::AuthKey;

    use super::*;

    const ID: Cell<'_> = Cell::Blob(&[5; 24]);

    fn read_with(queue: [Cell<'_>; 9], at: usize, cell: Cell<'_>) -> bool {
        let mut queue = queue;
        queue[at] = cell;
        check_queue(&queue).is_ok()
    }

    #[test]
    fn a_queue_is_read_as_written_and_not_otherwise() {
        let keys = keys_to_bytes(&[AuthKey::Ed25519([3; 32])]);
        let keys = Cell::Blob(&keys);
        let (row, secret) = (Cell::Integer(1), Cell::Blob(&[7; 32]));
        let queue = [row, ID, ID, keys, keys, secret, row, row, Cell::Null];
        assert!(check_queue(&queue).is_ok());
        assert!(check_queue(&queue[..8]).is_err());
        assert!(read_with(queue, 4, Cell::Null), "unsecured");
        assert!(!read_with(queue, 3, Cell::Blob(&[9])));
        assert!(!read_with(queue, 1, Cell::Text(&[0xff; 24])));
        assert!(!read_with(queue, 6, Cell::Integer(3)));
        assert!(!read_with(queue, 0, Cell::Real(0.5)));
    }

    #[test]
    fn a_message_is_read_as_written_and_not_otherwise() {
        let (zero, time) = (Cell::Integer(0), Cell::Integer(1_790_000_000_000));
        let message = [zero, ID, time, zero, zero, Cell::Blob(&[8; 32])];
        assert!(check_message(&message, b"\x01\x00\x04body\x00").is_ok());
        for slot in [b"\x01\x00".as_slice(), b"\x02\x00\x00", b"\x01\x00\x02x"] {
            assert!(check_message(&message, slot).is_err());
        }
        let before = [zero, ID, Cell::Integer(-1), zero, zero, Cell::Null];
        assert!(check_message(&before, b"\x01\x00\x00").is_err());
    }
}
