//! Checking a proof: offline, with nothing but the file.

use hushwing_sansio::Timestamp;

use super::file::{Proof, ProofError};
use super::key::PublicIdentity;
use super::statement::Confirmation;
use crate::ConversationId;
use crate::content::{Content, DecodeError, Message, OpenError, Signature, Stamp, StampError};

/// What a good proof shows to anybody: that the holder of one key said this, in
/// this conversation, to the holder of another, and what that one confirmed. Not
/// who holds a key, not whether the clocks were right, and not what else was
/// said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proved {
    /// In which conversation.
    pub conversation: ConversationId,
    /// Who said it.
    pub author: PublicIdentity,
    /// To whom.
    pub audience: PublicIdentity,
    /// When, by the author's clock.
    pub said_at: Timestamp,
    /// What, cleaned as all that is shown.
    pub content: Content,
    /// What the audience confirmed, and when by its clock.
    pub received: Vec<(Confirmation, Timestamp)>,
}

/// Why a file proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not a proof file.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// What it holds is no message.
    #[error("the proof holds no message: {0}")]
    Message(#[from] DecodeError),
    /// The message does not say when it was said.
    #[error("the proof holds no message: {0}")]
    Stamp(#[from] StampError),
    /// The message means nothing.
    #[error("the proof holds no message: {0}")]
    Meaning(#[from] OpenError),
    /// Content of a kind that nobody signs, or with a signature inside what is
    /// signed.
    #[error("the proof holds something that nobody signs")]
    Unsignable,
    /// The author did not sign this.
    #[error("the author's signature is wrong")]
    Author,
    /// The audience did not sign this receipt.
    #[error("a signature of the receiver is wrong")]
    Receipt,
}

/// Checks the text of a proof file.
///
/// # Errors
///
/// [`CheckError`]: then it proves nothing at all, also where only a receipt is
/// wrong, for somebody has tampered with it.
pub fn check(text: &[u8]) -> Result<Proved, CheckError> {
    verify(&Proof::from_text(text)?)
}

/// Verifies what stands in a proof file.
pub(crate) fn verify(proof: &Proof) -> Result<Proved, CheckError> {
    let message = Message::decode(&proof.content)?;
    let stamp = Stamp::read(&message.extensions)?;
    let content = Content::read(&message)?;
    if !content.is_signable() || message.extensions.0.contains_key(&Signature::KEY) {
        return Err(CheckError::Unsignable);
    }
    if !proof.said().is_signed(&proof.signature) {
        return Err(CheckError::Author);
    }
    let signed = |receipt| {
        let received = proof.received(receipt);
        received.is_signed(&receipt.signature)
    };
    if !proof.receipts.iter().all(signed) {
        return Err(CheckError::Receipt);
    }
    let receipts = proof.receipts.iter();
    Ok(Proved {
        conversation: proof.conversation,
        author: proof.author,
        audience: proof.audience,
        said_at: stamp.sent,
        content,
        received: receipts
            .map(|receipt| (receipt.status, receipt.at))
            .collect(),
    })
}
