//! Receipts that can be shown to others.

use hushwing_sansio::Timestamp;

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::id::MessageId;
use super::message::{DecodeError, read_id};
use crate::proof::{Confirmation, SignatureBytes, receipt_time};

/// Media type of a report of signed receipts.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.signed-receipts+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Signed receipts in one report, which fills less than one envelope.
pub const MAX_SIGNED_RECEIPTS: usize = 100;
/// Bytes of one: an id, a status, a time, a signature, and their heads.
const ONE: usize = 34 + 1 + 9 + 66 + 1;
/// Bytes of an encoded report.
const MAX_REPORT: usize = MAX_SIGNED_RECEIPTS * ONE + 8;

/// What became of a message, signed by the identity key of who received it
/// ([`Received`](crate::proof::Received)). Takes the place of a plain receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedReceipt {
    /// Which message.
    pub message: MessageId,
    /// What became of it.
    pub status: Confirmation,
    /// When, by the receiver's clock.
    pub at: Timestamp,
    /// The signature; nothing here verified it.
    pub signature: SignatureBytes,
}

/// Why something is no report of signed receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignedReceiptsError {
    /// Not the canonical CBOR of a report.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// Made by a newer program.
    #[error("signed receipts of newer version {0}")]
    Newer(u64),
    /// A status other than delivered and read.
    #[error("signed receipt of unknown status {0}")]
    Status(u8),
    /// A time of 2^53 milliseconds or later.
    #[error("signed receipt of no possible time")]
    Time,
}

impl From<SyntaxError> for SignedReceiptsError {
    fn from(error: SyntaxError) -> Self {
        Self::Decode(error.into())
    }
}

/// Encodes as `[1, [[message id, status, milliseconds, signature], …]]`.
#[must_use]
pub fn encode_signed(receipts: &[SignedReceipt]) -> Vec<u8> {
    let mut writer = Writer::new();
    write(receipts, &mut writer);
    writer.finish()
}

/// Decodes a report of signed receipts.
///
/// # Errors
///
/// [`SignedReceiptsError`] for anything but the canonical encoding of at most
/// [`MAX_SIGNED_RECEIPTS`].
pub fn decode_signed(bytes: &[u8]) -> Result<Vec<SignedReceipt>, SignedReceiptsError> {
    whole(bytes, MAX_REPORT, read, |receipts, writer| {
        write(receipts, writer);
    })
}

fn read(reader: &mut Reader<'_>) -> Result<Vec<SignedReceipt>, SignedReceiptsError> {
    match reader.versioned(VERSION, 2)? {
        VERSION => {}
        newer => return Err(SignedReceiptsError::Newer(newer)),
    }
    let count = reader.array(MAX_SIGNED_RECEIPTS as u64)?;
    (0..count)
        .map(|_| {
            reader.array_of(4)?;
            let message = read_id(reader)?;
            let code = reader.unsigned()?;
            Ok(SignedReceipt {
                message,
                status: Confirmation::from_code(code).ok_or(SignedReceiptsError::Status(code))?,
                at: receipt_time(reader.unsigned()?).ok_or(SignedReceiptsError::Time)?,
                signature: reader.fixed()?,
            })
        })
        .collect()
}

fn write(receipts: &[SignedReceipt], writer: &mut Writer) {
    writer.array(2).unsigned(VERSION).array(receipts.len());
    for receipt in receipts {
        writer
            .array(4)
            .bytes(receipt.message.as_bytes())
            .unsigned(receipt.status.code())
            .unsigned(receipt.at.as_millis())
            .bytes(&receipt.signature);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(count: usize) -> Vec<SignedReceipt> {
        let receipt = SignedReceipt {
            message: MessageId::from_bytes(&[1; 32]).unwrap(),
            status: Confirmation::Read,
            at: Timestamp::from_millis((1 << 53) - 1),
            signature: [7; 64],
        };
        vec![receipt; count]
    }

    #[test]
    fn reports_survive_and_fill_less_than_an_envelope() {
        for count in [0, 1, MAX_SIGNED_RECEIPTS] {
            let report = encode_signed(&of(count));
            assert!(report.len() < 12_000);
            assert_eq!(decode_signed(&report), Ok(of(count)));
        }
    }

    #[test]
    fn too_many_newer_ones_and_other_statuses_are_refused() {
        assert!(decode_signed(&encode_signed(&of(MAX_SIGNED_RECEIPTS + 1))).is_err());
        let mut newer = encode_signed(&of(1));
        newer[1] = 2;
        assert_eq!(decode_signed(&newer), Err(SignedReceiptsError::Newer(2)));
        let mut lacking = encode_signed(&of(1));
        assert_eq!(lacking[38], 2);
        lacking[38] = 6;
        assert_eq!(decode_signed(&lacking), Err(SignedReceiptsError::Status(6)));
        let mut late = of(1);
        late[0].at = Timestamp::from_millis(1 << 53);
        let late = decode_signed(&encode_signed(&late));
        assert_eq!(late, Err(SignedReceiptsError::Time));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn any_receipts_survive(ids in prop::collection::vec((any::<[u8; 31]>(), any::<bool>(), 0..1_u64 << 53, any::<[u8; 32]>()), 0..8)) {
            let receipts: Vec<_> = ids.into_iter().map(|(id, read, at, half)| SignedReceipt {
                message: MessageId::from_bytes(&[&[1], id.as_slice()].concat()).unwrap(),
                status: if read { Confirmation::Read } else { Confirmation::Delivered },
                at: Timestamp::from_millis(at),
                signature: [half, half].concat().try_into().unwrap(),
            }).collect();
            prop_assert_eq!(decode_signed(&encode_signed(&receipts)), Ok(receipts));
        }
    }
}
