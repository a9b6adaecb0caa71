//! What is kept of the stretches of a conversation: what both say off the record.
//!
//! It lies in a setting: most conversations never have any.

use core::fmt;

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Storage;
use super::codec::{self, millis};
use crate::{ContactId, ConversationId, MessageId, Secret};

/// Epochs from here on are none of a conversation: what was sealed in the nth
/// stretch has this and n for its [`sealed_epoch`](super::MessageRecord::sealed_epoch),
/// and what waits for a stretch has this.
pub const OFF_RECORD: u64 = 1 << 62;
/// The [`sealed_epoch`](super::MessageRecord::sealed_epoch) of what was said before I
/// came: it reached me under nobody's keys but those of who handed it on.
pub const HANDED_ON: u64 = OFF_RECORD - 1;
/// The highest number that a stretch can have.
pub const MOST_STRETCHES: u64 = 1 << 32;
/// Messages of theirs that are remembered to be lacking.
const MOST_LACKING: usize = 256;

/// The stretches of one conversation.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StretchRecord {
    /// The highest number that a stretch had.
    pub last: u64,
    /// The stretch that was offered or begun and is not over.
    pub now: Option<Stretch>,
    /// What the group of the last one that is over was called.
    pub ended: Option<[u8; 16]>,
    lacking: Vec<[u8; 32]>,
}

/// One stretch.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// From 1 on.
    pub number: u64,
    /// The epoch of the conversation in which it was offered.
    pub epoch: u64,
    /// The tag key of that epoch (32 bytes).
    pub tag_key: Secret,
    /// My private leaf key in it (32 bytes).
    pub seed: Secret,
    /// What names my key package, until somebody began with it.
    pub package: Vec<u8>,
    /// Their public leaf key in it, once they told it.
    pub their_key: Option<[u8; 32]>,
    /// What its group is called, once there is one.
    pub group: Option<[u8; 16]>,
    /// The letter with my announcement, until they answered it.
    pub announcement: Vec<u8>,
    /// The letter in the outbox with what I said last to get on with it.
    pub letter: Option<u64>,
    /// When that was posted.
    #[serde(with = "millis")]
    pub posted: Timestamp,
    /// How often it was posted again.
    pub again: u32,
    /// Who has said what to end it.
    pub end: Ending,
    /// Their private leaf key in it (32 bytes), once they gave it away.
    pub their_seed: Option<Secret>,
}

/// How far the end of a stretch is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// I said that I say nothing more.
    pub my_last: bool,
    /// They said so.
    pub their_last: bool,
    /// I gave my private key away.
    pub revealed: bool,
    /// They know it, and need nothing more.
    pub they_left: bool,
}

impl StretchRecord {
    /// That of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&stretches_with(contact))?;
        let body = body.map(Zeroizing::new).filter(|body| !body.is_empty());
        body.map_or(Ok(Self::default()), |body| Self::decode(&body))
    }

    /// Writes that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        let body = Zeroizing::new(self.encode());
        storage.put_setting(&stretches_with(contact), &body)
    }

    /// Forgets that of the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&stretches_with(contact))
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        let what = "reading the stretches of a conversation";
        let record: Self = codec::decode(body, what)?;
        let numbered = |stretch: &Stretch| {
            let keys = [&stretch.seed, &stretch.tag_key];
            let whole = keys.into_iter().chain(&stretch.their_seed).all(is_key);
            whole && (1..=record.last).contains(&stretch.number)
        };
        match record.last <= MOST_STRETCHES && record.now.as_ref().is_none_or(numbered) {
            true => Ok(record),
            false => Err(StorageError::corrupt(what)),
        }
    }

    /// Whether there ever was one.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        *self == Self::default()
    }

    /// Notes that they asked after something that is not here.
    pub fn lack(&mut self, message: &MessageId) {
        let known = self.lacking.contains(message.as_bytes());
        if !known && self.lacking.len() < MOST_LACKING {
            self.lacking.push(*message.as_bytes());
        }
    }

    /// Whether they asked after anything that is not here.
    #[must_use]
    pub fn lacks(&self) -> bool {
        !self.lacking.is_empty()
    }

    /// Takes what they asked after.
    pub fn take_lacking(&mut self) -> Vec<MessageId> {
        let lacking = core::mem::take(&mut self.lacking).into_iter();
        lacking
            .filter_map(|id| MessageId::from_bytes(&id).ok())
            .collect()
    }
}

impl Stretch {
    /// What its group is called, once there is one.
    #[must_use]
    pub fn group(&self) -> Option<ConversationId> {
        self.group.map(ConversationId)
    }

    /// Whether something can be said in it: there is a group, and I did not say
    /// that I say nothing more.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.group.is_some() && !self.end.my_last
    }

    /// Whether they hear of me what needs no confirmation: receipts, and what ends
    /// it.
    #[must_use]
    pub fn hears_me(&self) -> bool {
        self.group.is_some() && !self.end.revealed
    }

    /// The [`sealed_epoch`](super::MessageRecord::sealed_epoch) of what is said in it.
    #[must_use]
    pub fn sealed_epoch(&self) -> u64 {
        OFF_RECORD.saturating_add(self.number)
    }
}

// They hold private keys.
impl fmt::Debug for StretchRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StretchRecord")
            .field("last", &self.last)
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Stretch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stretch")
            .field("number", &self.number)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

fn is_key(secret: &Secret) -> bool {
    secret.expose().len() == 32
}

fn stretches_with(contact: ContactId) -> String {
    format!("stretches with contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStorage;

    fn stretch() -> Stretch {
        Stretch {
            number: 3,
            epoch: 9,
            tag_key: Secret::new([1; 32]),
            seed: Secret::new([77; 32]),
            package: vec![3; 8],
            their_key: Some([4; 32]),
            group: Some([5; 16]),
            announcement: vec![6; 40],
            letter: Some(7),
            posted: Timestamp::from_secs(8),
            again: 1,
            end: Ending {
                my_last: true,
                ..Ending::default()
            },
            their_seed: None,
        }
    }

    fn record() -> StretchRecord {
        StretchRecord {
            last: 3,
            now: Some(stretch()),
            ended: Some([9; 16]),
            lacking: vec![[1; 32]],
        }
    }

    #[test]
    fn a_record_survives_storage_and_damage_is_told() {
        let mut storage = MemoryStorage::new();
        let (one, other) = (ContactId(1), ContactId(2));
        record().put(&mut storage, one).unwrap();
        assert_eq!(StretchRecord::of(&storage, one).unwrap(), record());
        assert!(StretchRecord::of(&storage, other).unwrap().is_untouched());
        let body = record().encode();
        for end in 0..body.len() {
            assert!(StretchRecord::decode(&body[..end]).is_err(), "{end}");
        }
        for (last, seed) in [(2, 32), (MOST_STRETCHES + 1, 32), (3, 31)] {
            let bent = StretchRecord {
                last,
                now: Some(Stretch {
                    seed: Secret::new(vec![0; seed]),
                    ..stretch()
                }),
                ..record()
            };
            assert!(StretchRecord::decode(&bent.encode()).is_err());
        }
        StretchRecord::clear(&mut storage, one).unwrap();
        assert!(StretchRecord::of(&storage, one).unwrap().is_untouched());
        assert!(!format!("{:?}", record()).contains("77"));
    }

    #[test]
    fn what_they_ask_after_takes_bounded_room() {
        let mut record = StretchRecord::default();
        for n in 0..2_000_u16 {
            let mut id = [1; 32];
            id[1..3].copy_from_slice(&(n / 2).to_be_bytes());
            record.lack(&MessageId::from_bytes(&id).unwrap());
        }
        assert_eq!(record.take_lacking().len(), MOST_LACKING);
        assert!(!record.lacks());
    }
}
