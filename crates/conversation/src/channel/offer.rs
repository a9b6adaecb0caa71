//! An offer, signed for one reader in one conversation.

use super::key::{ChannelKey, PublicChannelKey};
use crate::ConversationId;

/// What a signature is made over, before what the offer is bound to.
const SIGNED: &[u8] = b"hushwing channel offer, version 1\0";

/// The conversation of two in which a channel is offered: whoever is offered one there
/// can offer it to nobody else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bond {
    /// What it is called.
    pub conversation: ConversationId,
    /// The key by which the publisher signs in it.
    pub publisher: [u8; 32],
    /// The key by which the reader does.
    pub reader: [u8; 32],
}

impl Bond {
    fn signed(&self, key: &PublicChannelKey, admission: u64) -> Vec<u8> {
        let (channel, admission) = (key.channel(), admission.to_be_bytes());
        let parts: [&[u8]; 6] = [
            SIGNED,
            &channel.0,
            &admission,
            &self.conversation.0,
            &self.publisher,
            &self.reader,
        ];
        parts.concat()
    }

    /// The channel's word that it is offered here, under this number.
    #[must_use]
    pub fn offer(&self, key: &ChannelKey, admission: u64) -> [u8; 64] {
        key.sign(&self.signed(&key.public(), admission))
    }

    /// Whether the channel gave its word.
    #[must_use]
    pub fn is_offered(&self, key: &PublicChannelKey, admission: u64, word: &[u8; 64]) -> bool {
        key.signed(&self.signed(key, admission), word)
    }
}
