//! A transcript: all that a partner could publish of a stretch, at best.

use core::fmt;

use super::framing::Frame;
use crate::content::MAX_MESSAGE;
use crate::content::cbor::{Reader, SyntaxError, Writer, whole};
use crate::{ConversationId, Secret};

/// Version of the file.
const VERSION: u64 = 1;
/// Messages of one transcript.
const MAX_SAID: u64 = 4_096;
/// The most bytes a transcript has.
pub const MAX_TRANSCRIPT: usize = 4 * 1024 * 1024;

/// A transcript of one stretch; nothing in it is checked yet
/// ([`check`](fn@super::check)). `Debug` hides all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Transcript {
    /// In which conversation.
    pub conversation: ConversationId,
    /// The number of the stretch.
    pub stretch: u64,
    /// The key of the tags below (32 bytes).
    pub tag_key: [u8; 32],
    /// The name of the stretch's MLS group.
    pub group: [u8; 16],
    /// The hash of its tree.
    pub tree: [u8; 48],
    /// Its confirmed transcript hash: that of the commit which began it.
    pub begun: [u8; 48],
    /// The offer, by leaf 1, and the beginning, by leaf 0.
    pub announced: [Told; 2],
    /// What was said.
    pub said: Vec<Said>,
    /// The private keys (32 bytes) of leaf 0 and leaf 1, as far as they are known.
    pub revealed: [Option<Secret>; 2],
}

/// An announcement in a transcript.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The epoch of the conversation.
    pub epoch: u64,
    /// The public key of the leaf.
    pub key: [u8; 32],
    /// SHA-256 of the key package, or of the Welcome.
    pub object: [u8; 32],
    /// The tag.
    pub tag: [u8; 32],
}

/// A message in a transcript.
#[derive(Clone, PartialEq, Eq)]
pub struct Said {
    /// By which leaf, 0 or 1.
    pub leaf: u8,
    /// In which epoch of the conversation, as its authenticated data says.
    pub epoch: u64,
    /// The encoded message.
    pub content: Vec<u8>,
    /// The signature by that leaf's key.
    pub signature: [u8; 64],
}

/// Why something is no transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TranscriptError {
    /// Not the canonical CBOR of a transcript.
    #[error("malformed transcript: {0}")]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("transcript of newer version {0}")]
    Newer(u64),
}

impl Transcript {
    /// Encodes as `[1, conversation, stretch, tag key, group, tree, begun,
    /// [[epoch, key, object, tag], …], [[leaf, epoch, content, signature], …],
    /// [seed or null, seed or null]]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes what [`Transcript::encode`] made.
    ///
    /// # Errors
    ///
    /// [`TranscriptError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, TranscriptError> {
        whole(bytes, MAX_TRANSCRIPT, Self::read, Self::write)
    }

    pub(super) fn frame(&self) -> Frame {
        Frame {
            group: self.group,
            tree: self.tree,
            begun: self.begun,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, TranscriptError> {
        match reader.versioned(VERSION, 10)? {
            VERSION => {}
            newer => return Err(TranscriptError::Newer(newer)),
        }
        Ok(Self {
            conversation: ConversationId(reader.fixed()?),
            stretch: reader.unsigned()?,
            tag_key: reader.fixed()?,
            group: reader.fixed()?,
            tree: reader.fixed()?,
            begun: reader.fixed()?,
            announced: {
                reader.array_of(2)?;
                [Told::read(reader)?, Told::read(reader)?]
            },
            said: {
                let count = reader.array(MAX_SAID)?;
                let said = (0..count).map(|_| Said::read(reader));
                said.collect::<Result<_, _>>()?
            },
            revealed: {
                reader.array_of(2)?;
                [read_seed(reader)?, read_seed(reader)?]
            },
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer
            .array(10)
            .unsigned(VERSION)
            .bytes(&self.conversation.0)
            .unsigned(self.stretch)
            .bytes(&self.tag_key)
            .bytes(&self.group)
            .bytes(&self.tree)
            .bytes(&self.begun)
            .array(2);
        for told in &self.announced {
            writer.array(4).unsigned(told.epoch);
            writer.bytes(&told.key).bytes(&told.object).bytes(&told.tag);
        }
        writer.array(self.said.len());
        for said in &self.said {
            writer.array(4).unsigned(said.leaf).unsigned(said.epoch);
            writer.bytes(&said.content).bytes(&said.signature);
        }
        writer.array(2);
        for seed in &self.revealed {
            writer.nullable(seed.as_ref(), |writer, seed| {
                writer.bytes(seed.expose());
            });
        }
    }
}

impl Told {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        reader.array_of(4)?;
        Ok(Self {
            epoch: reader.unsigned()?,
            key: reader.fixed()?,
            object: reader.fixed()?,
            tag: reader.fixed()?,
        })
    }
}

impl Said {
    fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        reader.array_of(4)?;
        Ok(Self {
            leaf: reader.unsigned()?,
            epoch: reader.unsigned()?,
            content: reader.bytes(MAX_MESSAGE)?.to_vec(),
            signature: reader.fixed()?,
        })
    }
}

fn read_seed(reader: &mut Reader<'_>) -> Result<Option<Secret>, SyntaxError> {
    reader.nullable(|reader| reader.fixed::<32>().map(Secret::new))
}

// Off the record is off the log.
impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript")
            .field("said", &self.said.len())
            .finish_non_exhaustive()
    }
}
