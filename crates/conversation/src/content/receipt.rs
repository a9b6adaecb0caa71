//! Receipts: draft-mahy-mimi-message-status-01.

use super::cbor::{Reader, Writer, whole};
use super::id::MessageId;
use super::message::{DecodeError, read_id};

/// Media type of a report.
pub(crate) const MEDIA_TYPE: &str = "application/mimi-message-status";
/// Receipts in one report.
pub const MAX_RECEIPTS: usize = 1_024;
/// Bytes of a report: 36 to 37 a receipt, and the head.
const MAX_REPORT: usize = MAX_RECEIPTS * 37 + 3;

/// What became of a message at the sender of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u8);

impl Status {
    /// Marked as not read.
    pub const UNREAD: Self = Self(0);
    /// Received and kept.
    pub const DELIVERED: Self = Self(1);
    /// Read.
    pub const READ: Self = Self(2);
    /// Gone by itself.
    pub const EXPIRED: Self = Self(3);
    /// Deleted.
    pub const DELETED: Self = Self(4);
    /// Hidden.
    pub const HIDDEN: Self = Self(5);
    /// Known, but not received.
    pub const ERROR: Self = Self(6);
}

/// The status of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which message.
    pub message: MessageId,
    /// What became of it; values above 6 mean nothing yet.
    pub status: Status,
}

/// Encodes a report: an array of `[message id, status]`.
pub(crate) fn encode(receipts: &[Receipt]) -> Vec<u8> {
    let mut writer = Writer::new();
    write(receipts, &mut writer);
    writer.finish()
}

/// Decodes a report.
///
/// # Errors
///
/// [`DecodeError`] for anything but the canonical encoding of at most
/// [`MAX_RECEIPTS`] receipts.
pub fn decode(bytes: &[u8]) -> Result<Vec<Receipt>, DecodeError> {
    whole(bytes, MAX_REPORT, read, |receipts, writer| {
        write(receipts, writer)
    })
}

fn read(reader: &mut Reader<'_>) -> Result<Vec<Receipt>, DecodeError> {
    let count = reader.array(MAX_RECEIPTS as u64)?;
    (0..count)
        .map(|_| {
            reader.array_of(2)?;
            let message = read_id(reader)?;
            Ok(Receipt {
                message,
                status: Status(reader.unsigned()?),
            })
        })
        .collect()
}

fn write(receipts: &[Receipt], writer: &mut Writer) {
    writer.array(receipts.len());
    for receipt in receipts {
        writer
            .array(2)
            .bytes(receipt.message.as_bytes())
            .unsigned(receipt.status.0);
    }
}
