//! Checking a transcript: everything that anybody can check of one.
//!
//! What passes shows that whoever made it held both leaf keys, and nothing about
//! who that was: [`Forger`](super::Forger) makes what passes.

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use super::announcement::{Announced, Step, TagKey};
use super::transcript::{Told, Transcript, TranscriptError};
use crate::Secret;
use crate::content::{Content, DecodeError, Message, OpenError, Stamp, StampError};
use crate::proof::PublicIdentity;

/// What a transcript that is whole says. It proves nothing to anybody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What is said in it, in its order.
    pub lines: Vec<Line>,
    /// Whether both private keys are in it, so that every reader can write
    /// another.
    pub revealed: bool,
}

/// A line of a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// By which leaf, 0 or 1.
    pub leaf: u8,
    /// What.
    pub content: Content,
}

/// Why a transcript is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    /// Not a transcript.
    #[error(transparent)]
    Transcript(#[from] TranscriptError),
    /// A key that is none, or the same of both leaves.
    #[error("a leaf key that is none")]
    Key,
    /// A tag is wrong.
    #[error("an announcement with a wrong tag")]
    Tag,
    /// The group is not the one that the announcements begin.
    #[error("a group of another name than its announcements give it")]
    Group,
    /// A private key is not that of its leaf.
    #[error("a revealed key that is not the leaf's")]
    Revealed,
    /// A line is no message.
    #[error("a line that is no message: {0}")]
    Message(#[from] DecodeError),
    /// A line does not say when it was said.
    #[error("a line that is no message: {0}")]
    Stamp(#[from] StampError),
    /// A line means nothing.
    #[error("a line that is no message: {0}")]
    Meaning(#[from] OpenError),
    /// A line is not signed by its leaf.
    #[error("a line with a wrong signature")]
    Signature,
}

/// Checks the bytes of a transcript.
///
/// # Errors
///
/// [`CheckError`]: then nobody who held both keys made it.
pub fn check(bytes: &[u8]) -> Result<Shown, CheckError> {
    let transcript = Transcript::decode(bytes)?;
    let [offer, begin] = &transcript.announced;
    let keys = [key(begin)?, key(offer)?];
    if offer.key == begin.key {
        return Err(CheckError::Key);
    }
    check_tags(&transcript)?;
    for (seed, key) in transcript.revealed.iter().zip(&keys) {
        check_seed(seed.as_ref(), key)?;
    }
    let frame = transcript.frame();
    let mut lines = Vec::with_capacity(transcript.said.len());
    for said in &transcript.said {
        let key = keys.get(usize::from(said.leaf));
        let signed = frame.signed(said.leaf, said.epoch, &said.content);
        let signature = Signature::from_bytes(&said.signature);
        let good = key.is_some_and(|key| key.verify_strict(&signed, &signature).is_ok());
        if !good {
            return Err(CheckError::Signature);
        }
        let message = Message::decode(&said.content)?;
        Stamp::read(&message.extensions)?;
        lines.push(Line {
            leaf: said.leaf,
            content: Content::read(&message)?,
        });
    }
    let revealed = transcript.revealed.iter().all(Option::is_some);
    Ok(Shown { lines, revealed })
}

fn key(told: &Told) -> Result<VerifyingKey, CheckError> {
    PublicIdentity::from_bytes(&told.key).map_err(|_| CheckError::Key)?;
    VerifyingKey::from_bytes(&told.key).map_err(|_| CheckError::Key)
}

fn check_tags(transcript: &Transcript) -> Result<(), CheckError> {
    let tag_key = TagKey::new(transcript.tag_key);
    let [offer, begin] = &transcript.announced;
    let answers = [
        (offer, Step::Offer, None),
        (begin, Step::Begin, Some(&offer.key)),
    ];
    for (told, step, answered) in answers {
        let announced = announced(told, step, transcript.stretch);
        let of = transcript.conversation;
        if !announced.is_tagged_hash(&tag_key, of, answered, &told.object, &told.tag) {
            return Err(CheckError::Tag);
        }
    }
    let (of, stretch) = (transcript.conversation, transcript.stretch);
    match tag_key.group(of, stretch, [&begin.key, &offer.key]) == transcript.group {
        true => Ok(()),
        false => Err(CheckError::Group),
    }
}

pub(super) fn announced(told: &Told, step: Step, stretch: u64) -> Announced {
    Announced {
        step,
        leaf: u8::from(step == Step::Offer),
        epoch: told.epoch,
        stretch,
        key: told.key,
    }
}

fn check_seed(seed: Option<&Secret>, key: &VerifyingKey) -> Result<(), CheckError> {
    let Some(seed) = seed else {
        return Ok(());
    };
    let seed = seed.array().ok_or(CheckError::Revealed)?;
    match SigningKey::from_bytes(&seed).verifying_key() == *key {
        true => Ok(()),
        false => Err(CheckError::Revealed),
    }
}
