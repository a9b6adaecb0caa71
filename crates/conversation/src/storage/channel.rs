//! Channels, in settings: most people publish none and read few. What a row is of
//! stands in the name of its setting, so that a damaged one is damage of that channel.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::codec::{self, millis};
use super::{RoomStanding, Storage};
use crate::channel::Chain;
use crate::{ContactId, ConversationId, RoomId, Secret};

/// How the settings begin that hold a channel.
const CHANNEL: &str = "channel ";

/// A channel that I publish, read, or was offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelRecord {
    /// Its number, of the sequence contacts have.
    pub id: RoomId,
    /// What it is called everywhere: a hash of its public key.
    pub conversation: ConversationId,
    /// What it calls itself.
    pub name: Secret,
    /// Whether I am in it: `Joining` until its keys came.
    pub standing: RoomStanding,
    /// Since when.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// The keys of the generations in use, the oldest first.
    pub chains: Vec<Chain>,
    /// What I do in it.
    pub part: ChannelPart,
}

/// What I do in a channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ChannelPart {
    /// I publish.
    Publisher(PublisherRecord),
    /// I read.
    Reader(SubscriptionRecord),
    /// Nothing: what I did is damaged.
    Lost,
}

/// What a publisher keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublisherRecord {
    /// The private key; empty once the channel ended.
    pub secret: Secret,
    /// The number of the last post.
    pub head: u64,
    /// The last posts, the oldest first.
    pub posts: Vec<PostRecord>,
    /// The number of the last admission.
    pub admissions: u64,
    /// Somebody who is out has the keys in use.
    pub spent: bool,
    /// It was read from a backup, and others may have been said since.
    pub restored: bool,
}

/// A post that can still be had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PostRecord {
    /// Its number.
    pub number: u64,
    /// Its generation.
    pub generation: u32,
    /// Its message: 32 bytes.
    pub message: Vec<u8>,
}

/// What a reader keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubscriptionRecord {
    /// Whose channel it is.
    pub publisher: ContactId,
    /// Its public key: it names the channel, and no log needs it.
    pub key: Secret,
    /// The last admission that was heard of.
    pub admission: u64,
    /// Whether I read it, now or before: what was said is kept.
    pub entered: bool,
    /// The first post that is missing.
    pub next: u64,
    /// The last one that is known to have been said.
    pub head: u64,
    /// What came of those after `next`.
    pub came: Vec<u64>,
    /// When to ask, if nothing comes.
    #[serde(with = "millis")]
    pub ask_after: Timestamp,
    /// The letter by which I asked last.
    pub asking: Option<u64>,
    /// What I decided is still to be said.
    pub owed: bool,
}

/// How far a reader got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReaderState {
    /// They were asked, or are to be.
    Offered,
    /// They read.
    Reading,
    /// They are to be told that it is over.
    Out,
    /// They were told, or left.
    Gone,
}

impl ReaderState {
    /// Whether they read, or are asked to.
    #[must_use]
    pub const fn is_here(self) -> bool {
        matches!(self, Self::Offered | Self::Reading)
    }
}

/// The first post that somebody may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Of posts of no earlier generation.
    pub generation: u32,
    /// And of none before.
    pub number: u64,
}

/// Somebody who reads a channel of mine, was asked, or read it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReaderRecord {
    /// How far they got.
    pub state: ReaderState,
    /// The number under which they were asked last.
    pub admission: u64,
    /// Whether that was said.
    pub asked: bool,
    /// What they may have, since they were let in.
    pub floor: Option<Floor>,
    /// They were in before: nothing is theirs that was said meanwhile.
    pub returns: bool,
    /// The last generation whose key they were told.
    pub told: Option<u32>,
    /// The letters in which they are told, until a network took them.
    pub telling: Vec<u64>,
    /// The first post that they lacked, until they are answered.
    pub from: Option<u64>,
    /// The last post that a network took for them.
    pub sent: u64,
    /// What is on its way to them: the letter, and the last post in it.
    pub letter: Option<(u64, u64)>,
    /// Since when.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// Whose a row is, and what stands in it, or what is wrong with it.
pub type ReaderRow = (ContactId, Result<ReaderRecord, StorageError>);

/// A channel whose row cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedChannel {
    id: RoomId,
    conversation: ConversationId,
}

impl DamagedChannel {
    /// What is left of it.
    #[must_use]
    pub fn stand_in(self) -> ChannelRecord {
        ChannelRecord {
            id: self.id,
            conversation: self.conversation,
            name: Secret::new(Vec::new()),
            standing: RoomStanding::Broken,
            since: Timestamp::from_secs(0),
            chains: Vec::new(),
            part: ChannelPart::Lost,
        }
    }
}

impl PublisherRecord {
    /// The first post from that number on that can be had; else the next one.
    #[must_use]
    pub fn oldest_from(&self, from: u64) -> u64 {
        let mut numbers = self.posts.iter().map(|post| post.number);
        let first = numbers.find(|number| *number >= from);
        first.unwrap_or(self.head.saturating_add(1))
    }
}

impl SubscriptionRecord {
    /// Takes note that a post came.
    pub fn note(&mut self, number: u64) {
        self.head = self.head.max(number);
        self.came.push(number);
        self.skip_to(self.next);
    }

    /// What is before a post is not waited for any more.
    pub fn skip_to(&mut self, oldest: u64) {
        self.next = self.next.max(oldest);
        self.came.retain(|one| *one >= self.next);
        while let Some(at) = self.came.iter().position(|one| *one == self.next) {
            self.came.swap_remove(at);
            self.next += 1;
        }
    }
}

impl ChannelRecord {
    /// All channels, oldest first, with those that are damaged.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn all(storage: &dyn Storage) -> Result<Vec<Result<Self, DamagedChannel>>, StorageError> {
        let rows = storage.settings_of(CHANNEL)?.into_iter();
        let read = rows.filter_map(|(name, body)| {
            let body = Zeroizing::new(body);
            let (id, conversation) = named(&name)?;
            let read = Self::decode(&body).ok();
            let fits = read.filter(|one| (one.id, one.conversation) == (id, conversation));
            Some(fits.ok_or(DamagedChannel { id, conversation }))
        });
        Ok(read.collect())
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        let name = channel(self.id, self.conversation);
        storage.put_setting(&name, &Zeroizing::new(self.encode()))
    }

    /// Forgets it; not its readers.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.remove_setting(&channel(self.id, self.conversation))
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
        codec::decode(body, "reading a channel")
    }
}

impl ReaderRecord {
    /// Those who have to do with a channel of mine, in the order of their numbers; or what
    /// is wrong with their row.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn all(storage: &dyn Storage, id: RoomId) -> Result<Vec<ReaderRow>, StorageError> {
        let rows = storage.settings_of(&readers_of(id))?.into_iter();
        let read = rows.filter_map(|(name, body)| {
            let who = name.rsplit(' ').next().and_then(number)?;
            Some((ContactId(who), Self::decode(&body)))
        });
        Ok(read.collect())
    }

    /// Writes a reader.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(
        &self,
        storage: &mut dyn Storage,
        id: RoomId,
        reader: ContactId,
    ) -> Result<(), StorageError> {
        storage.put_setting(&reader_of(id, reader), &self.encode())
    }

    /// Forgets a reader.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(
        storage: &mut dyn Storage,
        id: RoomId,
        reader: ContactId,
    ) -> Result<(), StorageError> {
        storage.remove_setting(&reader_of(id, reader))
    }

    /// Forgets all readers of a channel, damaged ones too.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear_all(storage: &mut dyn Storage, id: RoomId) -> Result<(), StorageError> {
        let rows = storage.settings_of(&readers_of(id))?;
        rows.iter()
            .try_for_each(|(name, _)| storage.remove_setting(name))
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
        codec::decode(body, "reading who reads a channel")
    }
}

fn channel(id: RoomId, conversation: ConversationId) -> String {
    let called = u128::from_be_bytes(conversation.0);
    format!("{CHANNEL}{:016x} {called:032x}", id.0)
}

/// Of which channel a setting is.
fn named(name: &str) -> Option<(RoomId, ConversationId)> {
    let (id, called) = name.strip_prefix(CHANNEL)?.split_once(' ')?;
    let called = u128::from_str_radix(called, 16).ok()?;
    Some((RoomId(number(id)?), ConversationId(called.to_be_bytes())))
}

fn number(digits: &str) -> Option<u64> {
    u64::from_str_radix(digits, 16).ok()
}

fn readers_of(id: RoomId) -> String {
    format!("reader of {:016x} ", id.0)
}

fn reader_of(id: RoomId, reader: ContactId) -> String {
    format!("{}{:016x}", readers_of(id), reader.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStorage;

    fn record() -> ChannelRecord {
        ChannelRecord {
            id: RoomId(4),
            conversation: ConversationId([1; 16]),
            name: Secret::new(*b"News"),
            standing: RoomStanding::Member,
            since: Timestamp::from_secs(5),
            chains: Vec::new(),
            part: ChannelPart::Reader(SubscriptionRecord {
                publisher: ContactId(2),
                key: Secret::new([1; 32]),
                admission: 2,
                entered: true,
                next: 3,
                head: 6,
                came: vec![5],
                ask_after: Timestamp::from_secs(9),
                asking: None,
                owed: false,
            }),
        }
    }

    #[test]
    fn channels_survive_and_damage_is_that_of_one() {
        let mut storage = MemoryStorage::default();
        let one = record();
        let other = ChannelRecord {
            id: RoomId(0x40),
            ..record()
        };
        for record in [&other, &one, &other] {
            record.put(&mut storage).unwrap();
        }
        let both = [Ok(one.clone()), Ok(other.clone())];
        assert_eq!(ChannelRecord::all(&storage).unwrap(), both);
        let body = one.encode();
        assert!((0..body.len()).all(|end| ChannelRecord::decode(&body[..end]).is_err()));
        // What is another's is damage, too.
        for body in [vec![9; 9], other.encode()] {
            let name = channel(one.id, one.conversation);
            storage.put_setting(&name, &body).unwrap();
            let all = ChannelRecord::all(&storage).unwrap();
            assert_eq!(all[1], Ok(other.clone()));
            let stand_in = all[0].clone().unwrap_err().stand_in();
            assert_eq!(
                (stand_in.id, stand_in.conversation),
                (one.id, one.conversation)
            );
            assert_eq!(stand_in.standing, RoomStanding::Broken);
        }
        one.clear(&mut storage).unwrap();
        assert_eq!(ChannelRecord::all(&storage).unwrap(), [Ok(other)]);
    }

    #[test]
    fn readers_are_those_of_their_channel() {
        let mut storage = MemoryStorage::default();
        let reader = ReaderRecord {
            state: ReaderState::Reading,
            admission: 3,
            asked: true,
            floor: Some(Floor {
                generation: 1,
                number: 2,
            }),
            returns: false,
            told: Some(1),
            telling: vec![9],
            from: Some(4),
            sent: 4,
            letter: Some((7, 5)),
            since: Timestamp::from_secs(5),
        };
        for (id, who) in [(4, 2), (4, 0x10), (0x40, 2)] {
            reader
                .put(&mut storage, RoomId(id), ContactId(who))
                .unwrap();
        }
        let of = |storage: &MemoryStorage, id| {
            let all = ReaderRecord::all(storage, RoomId(id)).unwrap();
            all.into_iter().map(|(who, _)| who.0).collect::<Vec<_>>()
        };
        assert_eq!(of(&storage, 4), [2, 0x10]);
        let body = reader.encode();
        assert!((0..body.len()).all(|end| ReaderRecord::decode(&body[..end]).is_err()));
        ReaderRecord::clear(&mut storage, RoomId(4), ContactId(2)).unwrap();
        assert_eq!(of(&storage, 4), [0x10]);
        ReaderRecord::clear_all(&mut storage, RoomId(4)).unwrap();
        assert_eq!((of(&storage, 4), of(&storage, 0x40)), (vec![], vec![2]));
    }
}
