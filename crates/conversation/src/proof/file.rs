//! The proof file: a message, who signed it, and who signed to have it.

use core::fmt;

use hushwing_sansio::Timestamp;

use super::armour::{self, ArmourError};
use super::cose;
use super::key::{PublicIdentity, SignatureBytes};
use super::statement::{Confirmation, Received, Said, digest, receipt_time};
use crate::ConversationId;
use crate::content::MAX_MESSAGE;
use crate::content::cbor::{Reader, SyntaxError, Writer, whole};

/// Version of the file.
const VERSION: u64 = 1;
/// Receipts in one file: one of each kind.
const MAX_RECEIPTS: u64 = 2;
/// Bytes of a proof before it is armoured: a message and little over 350 more.
const MAX_BYTES: usize = MAX_MESSAGE + 512;
/// The most bytes a proof file has.
pub const MAX_PROOF: usize = armour::longest(MAX_BYTES);

/// A message that can be shown to others, as it stands in a proof file; nothing
/// in it is verified yet ([`check`](fn@super::check)). `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Proof {
    /// In which conversation it was said.
    pub conversation: ConversationId,
    /// Who said it.
    pub author: PublicIdentity,
    /// To whom.
    pub audience: PublicIdentity,
    /// What: the encoded message without extension -2.
    pub content: Vec<u8>,
    /// The author's signature of [`Proof::said`].
    pub signature: SignatureBytes,
    /// What the audience signed, in the order of their codes, each kind once.
    pub receipts: Vec<ReceiptProof>,
}

/// A signed receipt in a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptProof {
    /// What is confirmed.
    pub status: Confirmation,
    /// When, by the receiver's clock.
    pub at: Timestamp,
    /// The audience's signature of [`Proof::received`].
    pub signature: SignatureBytes,
}

/// Why something is no proof file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not the text of a proof.
    #[error(transparent)]
    Armour(#[from] ArmourError),
    /// Not the canonical CBOR of a proof.
    #[error("malformed proof: {0}")]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("proof of newer version {0}")]
    Newer(u64),
    /// A key that is none.
    #[error("malformed proof: a key that is none")]
    Key,
    /// A signature that is no COSE_Sign1 of the one form.
    #[error("malformed proof: a signature that is none")]
    Signature,
    /// A receipt of an unknown kind or of no possible time, or kinds that repeat
    /// or are out of order.
    #[error("malformed proof: receipts that are none")]
    Receipts,
}

impl Proof {
    /// The statement of the author.
    #[must_use]
    pub fn said(&self) -> Said {
        Said {
            conversation: self.conversation,
            author: self.author,
            audience: self.audience,
            content: digest(&self.content),
        }
    }

    /// The statement of a receipt.
    #[must_use]
    pub fn received(&self, receipt: &ReceiptProof) -> Received {
        Received {
            said: self.said(),
            status: receipt.status,
            at: receipt.at,
        }
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        armour::write(&self.encode())
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    ///
    /// [`ProofError`] for anything but the one text of a proof, with LF or CR LF
    /// between its lines.
    pub fn from_text(text: &[u8]) -> Result<Self, ProofError> {
        if text.len() > MAX_PROOF {
            let (got, most) = (text.len(), MAX_PROOF);
            return Err(SyntaxError::TooLong { got, most }.into());
        }
        Self::decode(&armour::read(text)?)
    }

    /// Encodes as `[1, conversation, author, audience, content, signature,
    /// [[status, milliseconds, signature], …]]`, signatures being COSE_Sign1.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes what [`Proof::encode`] made.
    ///
    /// # Errors
    ///
    /// [`ProofError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProofError> {
        whole(bytes, MAX_BYTES, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ProofError> {
        match reader.versioned(VERSION, 7)? {
            VERSION => {}
            newer => return Err(ProofError::Newer(newer)),
        }
        let proof = Self {
            conversation: ConversationId(reader.fixed()?),
            author: read_key(reader)?,
            audience: read_key(reader)?,
            content: reader.bytes(MAX_MESSAGE)?.to_vec(),
            signature: read_signature(reader)?,
            receipts: read_receipts(reader)?,
        };
        if proof
            .receipts
            .is_sorted_by(|one, next| one.status < next.status)
        {
            Ok(proof)
        } else {
            Err(ProofError::Receipts)
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .array(7)
            .unsigned(VERSION)
            .bytes(&self.conversation.0)
            .bytes(self.author.as_bytes())
            .bytes(self.audience.as_bytes())
            .bytes(&self.content)
            .bytes(&cose::wrap(&self.signature))
            .array(self.receipts.len());
        for receipt in &self.receipts {
            writer
                .array(3)
                .unsigned(receipt.status.code())
                .unsigned(receipt.at.as_millis())
                .bytes(&cose::wrap(&receipt.signature));
        }
    }
}

fn read_key(reader: &mut Reader<'_>) -> Result<PublicIdentity, ProofError> {
    PublicIdentity::from_bytes(&reader.fixed()?).map_err(|_| ProofError::Key)
}

fn read_signature(reader: &mut Reader<'_>) -> Result<SignatureBytes, ProofError> {
    cose::unwrap(reader.bytes(cose::LENGTH)?).ok_or(ProofError::Signature)
}

fn read_receipts(reader: &mut Reader<'_>) -> Result<Vec<ReceiptProof>, ProofError> {
    let count = reader.array(MAX_RECEIPTS)?;
    (0..count)
        .map(|_| {
            reader.array_of(3)?;
            let status = Confirmation::from_code(reader.unsigned()?);
            Ok(ReceiptProof {
                status: status.ok_or(ProofError::Receipts)?,
                at: receipt_time(reader.unsigned()?).ok_or(ProofError::Receipts)?,
                signature: read_signature(reader)?,
            })
        })
        .collect()
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("receipts", &self.receipts.len())
            .finish_non_exhaustive()
    }
}
