//! Channels: what a publisher and a reader tell each other in their conversation.

use core::fmt;

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::shown::{MAX_NAME, clean_name};
use crate::channel::{Chain, ChannelKeyError, PublicChannelKey, read_number};
use crate::{ConversationId, Secret};

/// Media type of all content about channels.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.channel+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Keys told in one word.
pub(crate) const MOST_CHAINS: u64 = 16;
/// Bytes of one word.
const MAX_WORD: usize = 1_024;

/// What is said about one channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelWord {
    /// Which one.
    pub channel: ConversationId,
    /// What.
    pub step: ChannelStep,
}

/// One thing said about a channel. `Debug` hides names and keys.
///
/// Who takes part is agreed on under the number of an *admission*, so that what comes
/// late changes nothing.
#[derive(Clone, PartialEq, Eq)]
pub enum ChannelStep {
    /// From its publisher: do you want to read it?
    Offer {
        /// The key of the channel, which names it.
        key: PublicChannelKey,
        /// What it calls itself.
        name: String,
        /// The number of this admission, higher than all before.
        admission: u64,
        /// The channel's word that it is offered in this conversation.
        word: [u8; 64],
    },
    /// From a reader: yes.
    Accept {
        /// To which offer.
        admission: u64,
    },
    /// From the publisher: what can be had, and how it is read. Not confirmed.
    Told {
        /// Since which offer the reader is in.
        admission: u64,
        /// The first post of those asked for that can be had; those before it cannot.
        oldest: u64,
        /// The last one that was said.
        head: u64,
        /// Keys, the oldest first.
        chains: Vec<Chain>,
    },
    /// From a reader: I have nothing from `next` on, or no keys for it. Not confirmed.
    Ask {
        /// The first post that is missing.
        next: u64,
    },
    /// From a reader: no more.
    Leave {
        /// Since which offer I was in.
        admission: u64,
    },
    /// From the publisher: no more.
    Over {
        /// Which offers are over: all up to this one.
        admission: u64,
    },
}

impl ChannelStep {
    /// Whether it is kept until it is confirmed. What holds keys, or tells that somebody
    /// is awake, is not.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        !matches!(self, Self::Told { .. } | Self::Ask { .. })
    }
}

impl fmt::Debug for ChannelStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer { .. } => "Offer",
            Self::Accept { .. } => "Accept",
            Self::Told { .. } => "Told",
            Self::Ask { .. } => "Ask",
            Self::Leave { .. } => "Leave",
            Self::Over { .. } => "Over",
        })
    }
}

/// Why something says nothing about a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelWordError {
    /// Not the canonical CBOR of it.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("content about a channel, of newer version {0}")]
    Newer(u64),
    /// A step that does not exist.
    #[error("unknown content about a channel")]
    Step,
    /// A key that is none, or not the one that the name is of.
    #[error("key of a channel malformed")]
    Key,
    /// Nothing in a name can be seen.
    #[error("empty name")]
    EmptyName,
}

impl From<ChannelKeyError> for ChannelWordError {
    fn from(_: ChannelKeyError) -> Self {
        Self::Key
    }
}

impl ChannelWord {
    /// Encodes as `[1, step, channel, body]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    /// Decodes what is said about a channel, and cleans its name.
    ///
    /// # Errors
    ///
    /// [`ChannelWordError`] for anything but the canonical encoding of it.
    pub fn decode(bytes: &[u8]) -> Result<Self, ChannelWordError> {
        let mut word = whole(bytes, MAX_WORD, Self::read, Self::write)?;
        if let ChannelStep::Offer { key, name, .. } = &mut word.step {
            if key.channel() != word.channel {
                return Err(ChannelWordError::Key);
            }
            *name = clean_name(name).ok_or(ChannelWordError::EmptyName)?;
        }
        Ok(word)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, ChannelWordError> {
        match reader.versioned(VERSION, 4)? {
            VERSION => {}
            newer => return Err(ChannelWordError::Newer(newer)),
        }
        let step: u8 = reader.unsigned()?;
        let channel = ConversationId(reader.fixed()?);
        let fields = match step {
            0 | 2 => 4,
            1 | 3 | 4 | 5 => 1,
            _ => return Err(ChannelWordError::Step),
        };
        reader.array_of(fields)?;
        let step = match step {
            0 => ChannelStep::Offer {
                key: PublicChannelKey::from_bytes(&reader.fixed()?)?,
                name: reader.text(MAX_NAME * 4)?.to_owned(),
                admission: read_number(reader)?,
                word: reader.fixed()?,
            },
            1 => ChannelStep::Accept {
                admission: read_number(reader)?,
            },
            2 => ChannelStep::Told {
                admission: read_number(reader)?,
                oldest: read_number(reader)?,
                head: read_number(reader)?,
                chains: read_chains(reader)?,
            },
            3 => ChannelStep::Ask {
                next: read_number(reader)?,
            },
            4 => ChannelStep::Leave {
                admission: read_number(reader)?,
            },
            _ => ChannelStep::Over {
                admission: read_number(reader)?,
            },
        };
        Ok(Self { channel, step })
    }

    fn write(&self, writer: &mut Writer) {
        let (step, fields) = match &self.step {
            ChannelStep::Offer { .. } => (0_u8, 4),
            ChannelStep::Accept { .. } => (1, 1),
            ChannelStep::Told { .. } => (2, 4),
            ChannelStep::Ask { .. } => (3, 1),
            ChannelStep::Leave { .. } => (4, 1),
            ChannelStep::Over { .. } => (5, 1),
        };
        writer.array(4).unsigned(VERSION).unsigned(step);
        writer.bytes(&self.channel.0).array(fields);
        match &self.step {
            ChannelStep::Offer {
                key,
                name,
                admission,
                word,
            } => {
                writer.bytes(key.as_bytes()).text(name);
                writer.unsigned(*admission).bytes(word);
            }
            ChannelStep::Told {
                admission,
                oldest,
                head,
                chains,
            } => {
                writer.unsigned(*admission);
                writer.unsigned(*oldest).unsigned(*head).array(chains.len());
                for chain in chains {
                    writer.array(3).unsigned(chain.generation);
                    writer.unsigned(chain.next).bytes(chain.key.expose());
                }
            }
            ChannelStep::Ask { next: number }
            | ChannelStep::Accept { admission: number }
            | ChannelStep::Leave { admission: number }
            | ChannelStep::Over { admission: number } => {
                writer.unsigned(*number);
            }
        }
    }
}

fn read_chains(reader: &mut Reader<'_>) -> Result<Vec<Chain>, SyntaxError> {
    let count = reader.array(MOST_CHAINS)?;
    let mut chains = Vec::new();
    for _ in 0..count {
        reader.array_of(3)?;
        chains.push(Chain {
            generation: reader.unsigned()?,
            next: read_number(reader)?,
            key: Secret::new(reader.fixed::<32>()?),
        });
    }
    Ok(chains)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::ChannelKey;

    const LAST: u64 = (1 << 53) - 1;

    fn words() -> Vec<ChannelWord> {
        let key = ChannelKey::from_seed(&[3; 32]).public();
        let chain = |generation| Chain {
            generation,
            next: LAST,
            key: Secret::new([9; 32]),
        };
        let told = |chains| ChannelStep::Told {
            admission: LAST,
            oldest: 3,
            head: LAST,
            chains,
        };
        let steps = [
            ChannelStep::Offer {
                key,
                name: "News".to_owned(),
                admission: 1,
                word: [5; 64],
            },
            ChannelStep::Accept { admission: 1 },
            told(Vec::new()),
            // The longest one.
            told((0..16).map(|n| chain(u32::MAX - n)).collect()),
            ChannelStep::Ask { next: 7 },
            ChannelStep::Leave { admission: 0 },
            ChannelStep::Over { admission: LAST },
        ];
        let channel = key.channel();
        let word = |step| ChannelWord { channel, step };
        steps.into_iter().map(word).collect()
    }

    #[test]
    fn every_word_survives_and_has_one_form() {
        for word in words() {
            let bytes = word.encode();
            assert_eq!(ChannelWord::decode(&bytes), Ok(word));
            assert!((0..bytes.len()).all(|end| ChannelWord::decode(&bytes[..end]).is_err()));
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(ChannelWord::decode(&longer).is_err());
        }
    }

    #[test]
    fn nobody_offers_a_channel_under_anothers_name() {
        let mut offer = words().remove(0);
        offer.channel = ConversationId([1; 16]);
        let refused = ChannelWord::decode(&offer.encode());
        assert_eq!(refused, Err(ChannelWordError::Key));
    }
}
