//! A sealed post.

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::AeadType;
use zeroize::Zeroizing;

use super::chain::{Chain, place};
use super::key::{ChannelKey, PublicChannelKey};
use crate::ConversationId;
use crate::content::cbor::{Reader, SyntaxError, Writer, whole};
use crate::content::{Lamport, MAX_MESSAGE};

const VERSION: u64 = 1;
const SIGNATURE: usize = 64;
const TAG: usize = 16;
/// Bytes of what is sealed.
const MAX_SEALED: usize = SIGNATURE + MAX_MESSAGE + TAG;
/// Bytes of a post.
pub const MAX_POST: usize = MAX_SEALED + 64;
/// No post has a higher number: counters in stamps end here.
const MOST_NUMBER: u64 = Lamport::MAX.get();
/// What a signature is made over, before the place and the content.
pub(super) const SIGNED: &[u8] = b"hushwing channel post, version 1\0";

/// A post as it travels. Its place is told openly to whoever opens the letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Of which channel.
    pub channel: ConversationId,
    /// Under the keys of which generation.
    pub generation: u32,
    /// Which post.
    pub number: u64,
    nonce: [u8; 12],
    sealed: Vec<u8>,
}

/// Why a post is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostFault {
    /// Not the canonical CBOR of one.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("post of newer version {0}")]
    Newer(u64),
    /// Of another generation than the chain, from before it, or too far ahead.
    #[error("no key for this post")]
    NoKey,
    /// Not sealed with that key.
    #[error("post does not open")]
    Sealed,
    /// Not signed by the channel.
    #[error("post is not signed by its channel")]
    Unsigned,
}

impl Post {
    /// Seals post `number` of the generation of `chain`; `None` if there is no key
    /// for it. An empty content says that there is nothing any more.
    pub fn seal(
        crypto: &impl OpenMlsCrypto,
        key: &ChannelKey,
        chain: &Chain,
        number: u64,
        nonce: [u8; 12],
        content: &[u8],
    ) -> Option<Self> {
        let channel = key.public().channel();
        let place = place(channel, chain.generation, number);
        let signature = key.sign(&[SIGNED, &place, content].concat());
        let plain = Zeroizing::new([&signature, content].concat());
        let secret = chain.key_of(crypto, channel, number)?;
        let sealed = crypto.aead_encrypt(AeadType::Aes256Gcm, &secret, &plain, &nonce, &place);
        Some(Self {
            channel,
            generation: chain.generation,
            number,
            nonce,
            sealed: sealed.ok()?,
        })
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// [`PostFault`] for anything that the channel with this key did not say.
    pub fn open(
        &self,
        crypto: &impl OpenMlsCrypto,
        key: &PublicChannelKey,
        chain: &Chain,
    ) -> Result<Vec<u8>, PostFault> {
        if key.channel() != self.channel || chain.generation != self.generation {
            return Err(PostFault::NoKey);
        }
        let secret = chain.key_of(crypto, self.channel, self.number);
        let secret = secret.ok_or(PostFault::NoKey)?;
        let place = place(self.channel, self.generation, self.number);
        let aead = AeadType::Aes256Gcm;
        let plain = crypto.aead_decrypt(aead, &secret, &self.sealed, &self.nonce, &place);
        let plain = Zeroizing::new(plain.map_err(|_| PostFault::Sealed)?);
        let (signature, content) = plain.split_first_chunk().ok_or(PostFault::Unsigned)?;
        match key.signed(&[SIGNED, &place, content].concat(), signature) {
            true => Ok(content.to_vec()),
            false => Err(PostFault::Unsigned),
        }
    }

    /// The bytes that travel.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, writer: &mut Writer) {
        writer.array(6).unsigned(VERSION).bytes(&self.channel.0);
        writer.unsigned(self.generation).unsigned(self.number);
        writer.bytes(&self.nonce).bytes(&self.sealed);
    }

    /// Reads what [`Self::encode`] wrote. Nothing of it is proved yet.
    ///
    /// # Errors
    ///
    /// [`PostFault::Syntax`] or [`PostFault::Newer`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PostFault> {
        whole(bytes, MAX_POST, Self::read, Self::write)
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, PostFault> {
        match reader.versioned(VERSION, 6)? {
            VERSION => {}
            newer => return Err(PostFault::Newer(newer)),
        }
        Ok(Self {
            channel: ConversationId(reader.fixed()?),
            generation: reader.unsigned()?,
            number: read_number(reader)?,
            nonce: reader.fixed()?,
            sealed: reader.bytes(MAX_SEALED)?.to_vec(),
        })
    }
}

/// The number of a post.
pub(crate) fn read_number(reader: &mut Reader<'_>) -> Result<u64, SyntaxError> {
    let at = reader.at();
    let number = reader.unsigned()?;
    match number <= MOST_NUMBER {
        true => Ok(number),
        false => Err(SyntaxError::Unexpected { at }),
    }
}

#[cfg(test)]
impl Post {
    /// What a reader who has the key of a post could make of it.
    pub(super) fn reseal(
        &mut self,
        crypto: &impl OpenMlsCrypto,
        secret: &[u8],
        place: &[u8],
        plain: &[u8],
    ) {
        let aead = AeadType::Aes256Gcm;
        self.sealed = crypto
            .aead_encrypt(aead, secret, plain, &self.nonce, place)
            .unwrap();
    }
}
