//! The body of a message: parts, possibly within parts.

use super::cbor::{Reader, SyntaxError, Writer};
use super::message::DecodeError;

/// Levels of parts, the body itself being the first.
const MAX_DEPTH: usize = 4;
/// Parts in a message, all levels counted.
const MAX_PARTS: u64 = 1_024;
/// Bytes of a media type, a language list, or a description.
const MAX_LABEL: usize = 1_024;
/// Bytes of the address of external content.
const MAX_URL: usize = 4_096;
/// Bytes of a key, nonce, associated data or hash of external content.
const MAX_KEY: usize = 256;

/// What the sender means a part for: 0 to 8 are registered, others are
/// treated as [`Disposition::RENDER`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposition(pub u8);

impl Disposition {
    /// No hint.
    pub const UNSPECIFIED: Self = Self(0);
    /// To be shown.
    pub const RENDER: Self = Self(1);
    /// A reaction to another message.
    pub const REACTION: Self = Self(2);
    /// The profile of a participant.
    pub const PROFILE: Self = Self(3);
    /// To be shown inline.
    pub const INLINE: Self = Self(4);
    /// An avatar.
    pub const ICON: Self = Self(5);
    /// To be downloaded on demand.
    pub const ATTACHMENT: Self = Self(6);
    /// A description of a call.
    pub const SESSION: Self = Self(7);
    /// A preview of something.
    pub const PREVIEW: Self = Self(8);
}

/// One part with what is said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is for.
    pub disposition: Disposition,
    /// Comma-separated RFC 5646 tags, or empty.
    pub language: String,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Nothing: a deletion.
    Null,
    /// Content.
    Single {
        /// Its media type with parameters.
        content_type: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// Content that lies elsewhere.
    External(Box<External>),
    /// Several parts, at least two.
    Multi {
        /// How they belong together.
        semantics: Semantics,
        /// The parts.
        parts: Vec<Part>,
    },
}

/// How the parts of a [`Body::Multi`] belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Alternatives: take one.
    ChooseOne,
    /// One thing: take all or none.
    SingleUnit,
    /// Several things: take what can be taken.
    ProcessAll,
}

/// Content that lies elsewhere, and how to get, open and check it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// Its media type with parameters.
    pub content_type: String,
    /// Where it lies.
    pub url: String,
    /// Seconds since the Unix epoch after which it is gone; 0 if never.
    pub expires: u32,
    /// Its length in bytes; 0 if not told.
    pub size: u64,
    /// IANA AEAD algorithm; 0 if not encrypted.
    pub encryption: u16,
    /// AEAD key.
    pub key: Vec<u8>,
    /// AEAD nonce.
    pub nonce: Vec<u8>,
    /// AEAD associated data.
    pub associated: Vec<u8>,
    /// IANA named information hash algorithm; 0 if not hashed.
    pub hash: u8,
    /// Hash of what lies at `url`.
    pub content_hash: Vec<u8>,
    /// A description for people, or empty.
    pub description: String,
    /// A suggested file name, or empty.
    pub filename: String,
}

impl Part {
    /// A part with nothing in it.
    #[must_use]
    pub fn null(disposition: Disposition) -> Self {
        Self {
            disposition,
            language: String::new(),
            body: Body::Null,
        }
    }

    /// A part with content.
    #[must_use]
    pub fn single(disposition: Disposition, content_type: &str, content: Vec<u8>) -> Self {
        let content_type = content_type.to_owned();
        let body = Body::Single {
            content_type,
            content,
        };
        Self {
            disposition,
            language: String::new(),
            body,
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let mut budget = MAX_PARTS;
        Self::read_at(reader, 1, &mut budget)
    }

    fn read_at(
        reader: &mut Reader<'_>,
        depth: usize,
        budget: &mut u64,
    ) -> Result<Self, DecodeError> {
        let at = reader.at();
        if depth > MAX_DEPTH {
            return Err(SyntaxError::TooDeep { at }.into());
        }
        *budget = budget.checked_sub(1).ok_or(DecodeError::TooManyParts)?;
        let elements = reader.array(15)?;
        let disposition = Disposition(reader.unsigned()?);
        let language = reader.text(MAX_LABEL)?.to_owned();
        let body = match (elements, reader.unsigned::<u8>()?) {
            (3, 0) => Body::Null,
            (5, 1) => Body::Single {
                content_type: reader.text(MAX_LABEL)?.to_owned(),
                content: reader.bytes(usize::MAX)?.to_vec(),
            },
            (15, 2) => Body::External(Box::new(External::read(reader)?)),
            (5, 3) => Self::read_multi(reader, depth, budget)?,
            (_, 0..=3) => return Err(SyntaxError::Count { at }.into()),
            (_, unknown) => return Err(DecodeError::UnknownCardinality(unknown)),
        };
        Ok(Self {
            disposition,
            language,
            body,
        })
    }

    fn read_multi(
        reader: &mut Reader<'_>,
        depth: usize,
        budget: &mut u64,
    ) -> Result<Body, DecodeError> {
        let semantics = match reader.unsigned::<u8>()? {
            0 => Semantics::ChooseOne,
            1 => Semantics::SingleUnit,
            2 => Semantics::ProcessAll,
            unknown => return Err(DecodeError::UnknownSemantics(unknown)),
        };
        let at = reader.at();
        let count = reader.array(MAX_PARTS)?;
        if count < 2 {
            return Err(SyntaxError::Count { at }.into());
        }
        let parts = (0..count).map(|_| Self::read_at(reader, depth + 1, budget));
        Ok(Body::Multi {
            semantics,
            parts: parts.collect::<Result<_, _>>()?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        let (elements, cardinality): (usize, u8) = match &self.body {
            Body::Null => (3, 0),
            Body::Single { .. } => (5, 1),
            Body::External(_) => (15, 2),
            Body::Multi { .. } => (5, 3),
        };
        writer.array(elements).unsigned(self.disposition.0);
        writer.text(&self.language).unsigned(cardinality);
        match &self.body {
            Body::Null => {}
            Body::Single {
                content_type,
                content,
            } => {
                writer.text(content_type).bytes(content);
            }
            Body::External(external) => external.write(writer),
            Body::Multi { semantics, parts } => {
                writer.unsigned(*semantics as u8).array(parts.len());
                parts.iter().for_each(|part| part.write(writer));
            }
        }
    }
}

impl External {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        Ok(Self {
            content_type: reader.text(MAX_LABEL)?.to_owned(),
            url: reader.text(MAX_URL)?.to_owned(),
            expires: reader.unsigned()?,
            size: reader.unsigned()?,
            encryption: reader.unsigned()?,
            key: reader.bytes(MAX_KEY)?.to_vec(),
            nonce: reader.bytes(MAX_KEY)?.to_vec(),
            associated: reader.bytes(MAX_KEY)?.to_vec(),
            hash: reader.unsigned()?,
            content_hash: reader.bytes(MAX_KEY)?.to_vec(),
            description: reader.text(MAX_LABEL)?.to_owned(),
            filename: reader.text(MAX_LABEL)?.to_owned(),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.text(&self.content_type).text(&self.url);
        writer.unsigned(self.expires).unsigned(self.size);
        writer.unsigned(self.encryption);
        writer
            .bytes(&self.key)
            .bytes(&self.nonce)
            .bytes(&self.associated);
        writer.unsigned(self.hash).bytes(&self.content_hash);
        writer.text(&self.description).text(&self.filename);
    }
}
