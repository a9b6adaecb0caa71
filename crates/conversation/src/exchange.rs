//! Content and MLS alone: two parties who exchange texts, with no contacts, no
//! post office and nothing shown.
//!
//! It is the path every message takes inside [`Messenger`](crate::Messenger)
//! from text to MLS message and back, by itself, so that benches can tell what
//! it costs from what sealing and storing cost.

use hushwing_sansio::{Context, StorageError};

use crate::content::{self, Content, Frame, Lamport, Origin, Post, Salt, Stamp, Text};
use crate::mls::{CheckedKeyPackage, Crypto, FreshKeyPackage, Group, LeafKey, Opened, Received};
use crate::{ConversationId, MlsRows};

/// Why an exchange failed: storage, or a message that is none.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A text cannot be sent.
    #[error("text cannot be sent")]
    Text,
    /// A message is not one of the other side's texts.
    #[error("message is not understood")]
    Message,
}

/// One of two who exchange texts.
pub struct Party {
    crypto: Crypto,
    group: Group,
    conversation: ConversationId,
    lamport: Lamport,
}

/// Two parties in one new group: the joiner and the inviter, whose rows are
/// `joiner` and `inviter`.
///
/// # Errors
///
/// When storage fails.
pub fn couple(
    cx: &mut Context<'_>,
    joiner: &mut dyn MlsRows,
    inviter: &mut dyn MlsRows,
) -> Result<(Party, Party), ExchangeError> {
    let (hers, his) = (Crypto::default(), Crypto::default());
    let conversation = ConversationId(cx.random());
    let (joiner_key, inviter_key) = (LeafKey::generate(cx), LeafKey::generate(cx));
    let package = FreshKeyPackage::make(&his, cx, inviter, &inviter_key)?;
    let checked =
        CheckedKeyPackage::check(&hers, &package.message).ok_or(ExchangeError::Message)?;
    let (group, welcome) = Group::create(&hers, cx, joiner, conversation, joiner_key, &checked)?
        .map_err(|_| ExchangeError::Message)?;
    let first = Party::new(hers, group, conversation);
    let group = Group::join(&his, cx, inviter, &welcome, |_| Some(inviter_key))?
        .map_err(|_| ExchangeError::Message)?;
    Ok((first, Party::new(his, group, conversation)))
}

impl Party {
    fn new(crypto: Crypto, group: Group, conversation: ConversationId) -> Self {
        Self {
            crypto,
            group,
            conversation,
            lamport: Lamport::default(),
        }
    }

    fn origin(&self, leaf: u32) -> Result<Origin, ExchangeError> {
        Origin::new(&leaf.to_be_bytes(), &self.conversation.0).ok_or(ExchangeError::Message)
    }

    /// The same party as `rows` know it, as after a restart.
    ///
    /// # Errors
    ///
    /// When storage fails, or gives back what was never written.
    pub fn reopen(
        &self,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
    ) -> Result<Self, ExchangeError> {
        let key = self.group.key().secret();
        let key = LeafKey::from_secret(&key).ok_or(ExchangeError::Message)?;
        let crypto = Crypto::default();
        let group = Group::load(&crypto, cx, rows, self.conversation, key)?;
        Ok(Self {
            lamport: self.lamport,
            ..Self::new(crypto, group, self.conversation)
        })
    }

    /// Says `text`: content, then MLS. Returns what travels.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Text`], or a failure of storage.
    pub fn say(
        &mut self,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        text: &str,
    ) -> Result<Vec<u8>, ExchangeError> {
        let text = Text::new(text).map_err(|_| ExchangeError::Text)?;
        self.lamport = self.lamport.next();
        let frame = Frame {
            salt: Salt(cx.random()),
            stamp: Stamp {
                lamport: self.lamport,
                sent: cx.wall(),
            },
            expires: None,
        };
        let content = Content::Post(Post::new(text, None));
        let bytes = content.compose(frame).map_err(|_| ExchangeError::Text)?;
        let id =
            content::MessageId::derive(&self.origin(self.group.own_leaf())?, &bytes, &frame.salt);
        // A messenger keeps the name; here its cost is what matters.
        core::hint::black_box(id);
        let sealed = self.group.encrypt(&self.crypto, cx, rows, &bytes, None)?;
        sealed.map_err(|_| ExchangeError::Text)
    }

    /// Hears what the other said: MLS, then content. Returns the text.
    ///
    /// # Errors
    ///
    /// [`ExchangeError::Message`], or a failure of storage.
    pub fn hear(
        &mut self,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        message: &[u8],
    ) -> Result<String, ExchangeError> {
        let received = Received::parse(message).ok_or(ExchangeError::Message)?;
        let opened = received
            .open(&self.crypto, cx, rows, &mut self.group, false)?
            .map_err(|_| ExchangeError::Message)?;
        let Opened::Said { plaintext, .. } = opened else {
            return Err(ExchangeError::Message);
        };
        let origin = self.origin(self.group.their_leaf())?;
        let said =
            content::open(&plaintext, &origin, cx.wall()).map_err(|_| ExchangeError::Message)?;
        self.lamport = self.lamport.max(said.stamp.lamport);
        match said.content {
            Content::Post(post) => Ok(post.text.as_str().to_owned()),
            _ => Err(ExchangeError::Message),
        }
    }
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::{Entropy, Moment, Timestamp};

    use super::*;
    use crate::MemoryStorage;

    struct Counting(u64);

    impl Entropy for Counting {
        fn fill(&mut self, dest: &mut [u8]) {
            for byte in dest {
                self.0 = self
                    .0
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                *byte = (self.0 >> 56) as u8;
            }
        }
    }

    #[test]
    fn texts_go_both_ways_and_none_is_heard_twice() {
        let mut dice = Counting(1);
        let wall = Timestamp::from_secs(1_800_000_000);
        let mut cx = Context::new(Moment::default(), wall, &mut dice);
        let (mut hers, mut his) = (MemoryStorage::new(), MemoryStorage::new());
        let (mut alice, mut bob) = couple(&mut cx, &mut hers, &mut his).unwrap();
        let there = alice.say(&mut cx, &mut hers, "hello").unwrap();
        assert_eq!(bob.hear(&mut cx, &mut his, &there).unwrap(), "hello");
        let back = bob.say(&mut cx, &mut his, "well").unwrap();
        assert_eq!(alice.hear(&mut cx, &mut hers, &back).unwrap(), "well");
        let again = alice.hear(&mut cx, &mut hers, &back);
        assert!(matches!(again, Err(ExchangeError::Message)));
    }
}
