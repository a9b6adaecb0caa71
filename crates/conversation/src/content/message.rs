//! The MIMI container: what a message refers to, and its body.

use hushwing_sansio::Timestamp;

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::extension::Extensions;
use super::id::{MessageId, MessageIdError, Origin, Salt};
use super::part::Part;

/// The most bytes an encoded message may have.
pub const MAX_MESSAGE: usize = 131_072;
/// The most bytes a topic may have.
const MAX_TOPIC: usize = 4_096;
/// A year and a day: how far away an expiry may lie.
const MAX_EXPIRY: u64 = 366 * 86_400;

/// A message as draft-ietf-mimi-content-08 defines it:
/// `[salt, replaces, topic, expires, in reply to, extensions, part]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// 16 random bytes.
    pub salt: Salt,
    /// The first version of the message that this one edits or deletes.
    pub replaces: Option<MessageId>,
    /// What the message belongs to, or empty.
    pub topic: Vec<u8>,
    /// When it shall disappear.
    pub expires: Option<Expiration>,
    /// The message this one answers.
    pub in_reply_to: Option<MessageId>,
    /// What others define.
    pub extensions: Extensions,
    /// The body.
    pub part: Part,
}

/// When a message shall disappear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiration {
    /// So many seconds after it was read.
    AfterReading(u32),
    /// At this time, in seconds since the Unix epoch.
    At(u32),
}

impl Expiration {
    /// When a message read at `read_at` shall disappear.
    #[must_use]
    pub fn due(self, read_at: Timestamp) -> Timestamp {
        match self {
            Self::AfterReading(seconds) => {
                read_at + core::time::Duration::from_secs(seconds.into())
            }
            Self::At(seconds) => Timestamp::from_secs(seconds.into()),
        }
    }

    /// Whether it lies within 366 days of `now`; what lies further away is
    /// nonsense or malice (the draft's security considerations).
    #[must_use]
    pub fn is_plausible(self, now: Timestamp) -> bool {
        match self {
            Self::AfterReading(seconds) => u64::from(seconds) <= MAX_EXPIRY,
            Self::At(seconds) => now.as_secs().abs_diff(seconds.into()) <= MAX_EXPIRY,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        reader.array_of(2)?;
        let relative = reader.bool()?;
        let seconds = reader.unsigned()?;
        Ok(if relative {
            Self::AfterReading(seconds)
        } else {
            Self::At(seconds)
        })
    }

    fn write(self, writer: &mut Writer) {
        let (relative, seconds) = match self {
            Self::AfterReading(seconds) => (true, seconds),
            Self::At(seconds) => (false, seconds),
        };
        writer.array(2).bool(relative).unsigned(seconds);
    }
}

/// Why bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not the canonical CBOR of any message.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Another message is named by something that is no message id.
    #[error(transparent)]
    Reference(#[from] MessageIdError),
    /// A part of a kind this program does not know.
    #[error("unknown part cardinality {0}")]
    UnknownCardinality(u8),
    /// Parts that belong together in a way this program does not know.
    #[error("unknown part semantics {0}")]
    UnknownSemantics(u8),
    /// Over 1,024 parts.
    #[error("too many parts")]
    TooManyParts,
    /// An extension with a forbidden key, or a sender or room that is no text.
    #[error("malformed extensions")]
    Extensions,
}

/// Why a message cannot be encoded: it breaks a limit of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// More than [`MAX_MESSAGE`] bytes.
    #[error("a message of {0} bytes is too long")]
    TooLong(usize),
    /// The receiver would refuse it for this reason.
    #[error("not a valid message: {0}")]
    Invalid(DecodeError),
}

impl Message {
    /// A message that refers to nothing.
    #[must_use]
    pub fn new(salt: Salt, part: Part) -> Self {
        Self {
            salt,
            replaces: None,
            topic: Vec::new(),
            expires: None,
            in_reply_to: None,
            extensions: Extensions::default(),
            part,
        }
    }

    /// The one encoding of this message.
    ///
    /// # Errors
    ///
    /// [`EncodeError`] if a receiver would refuse it.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        let bytes = writer.finish();
        if bytes.len() > MAX_MESSAGE {
            return Err(EncodeError::TooLong(bytes.len()));
        }
        // Limits on single fields are the decoder's; asking it keeps one truth.
        Self::decode(&bytes).map_err(EncodeError::Invalid)?;
        Ok(bytes)
    }

    /// Decodes what [`Message::encode`] of any implementation made.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] for anything but the canonical encoding of a message
    /// within the limits.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        whole(bytes, MAX_MESSAGE, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.array_of(7)?;
        let message = Self {
            salt: Salt(reader.fixed()?),
            replaces: reader.nullable(read_id)?,
            topic: reader.bytes(MAX_TOPIC)?.to_vec(),
            expires: reader.nullable(Expiration::read)?,
            in_reply_to: reader.nullable(read_id)?,
            extensions: Extensions::read(reader)?,
            part: Part::read(reader)?,
        };
        if message.extensions.in_bounds() {
            Ok(message)
        } else {
            Err(DecodeError::Extensions)
        }
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(7).bytes(&self.salt.0);
        writer
            .nullable(self.replaces.as_ref(), write_id)
            .bytes(&self.topic);
        writer.nullable(self.expires.as_ref(), |w, expires| expires.write(w));
        writer.nullable(self.in_reply_to.as_ref(), write_id);
        self.extensions.write(writer);
        self.part.write(writer);
    }

    /// Whether sender and room, where the message names them, are those that
    /// MLS proved.
    #[must_use]
    pub fn agrees_with(&self, origin: &Origin) -> bool {
        let agrees = |key, uri| self.extensions.text(&key).is_none_or(|named| named == uri);
        agrees(Extensions::SENDER_URI, origin.sender())
            && agrees(Extensions::ROOM_URI, origin.room())
    }
}

pub(super) fn read_id(reader: &mut Reader<'_>) -> Result<MessageId, DecodeError> {
    let bytes: [u8; 32] = reader.fixed()?;
    Ok(MessageId::from_bytes(&bytes)?)
}

fn write_id(writer: &mut Writer, id: &MessageId) {
    writer.bytes(id.as_bytes());
}
