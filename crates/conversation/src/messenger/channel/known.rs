//! One channel as this program knows it.

use std::collections::BTreeMap;

use hushwing_sansio::{Moment, StorageError};

use crate::channel::{Chain, ChannelKey, PublicChannelKey};
use crate::content::Origin;
use crate::storage::{
    ChannelPart, ChannelRecord, ConversationRecord, PublisherRecord, ReaderRecord, ReaderState,
    SubscriptionRecord,
};
use crate::view::{MemberView, RoomView};
use crate::{ContactId, ConversationId, MemberId, RoomStanding, Storage};

/// A channel with what would be slow to read for each post.
pub(in crate::messenger) struct Channel {
    pub(in crate::messenger) record: ChannelRecord,
    /// How I keep it.
    pub(in crate::messenger) kept: ConversationRecord,
    /// Of a channel of mine: who was asked, who reads, and who did.
    pub(super) readers: BTreeMap<ContactId, ReaderRecord>,
    /// When I ask for what is missing, and how often I did.
    pub(super) asks: Option<Moment>,
    pub(super) asked: u32,
}

impl Channel {
    pub(super) fn new(record: ChannelRecord) -> Self {
        Self {
            record,
            kept: ConversationRecord::default(),
            readers: BTreeMap::new(),
            asks: None,
            asked: 0,
        }
    }

    pub(super) fn read(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        let mut damage = Ok(());
        for (reader, record) in ReaderRecord::all(storage, self.record.id)? {
            match record {
                Ok(record) => drop(self.readers.insert(reader, record)),
                // The others are to be told.
                Err(error) => damage = Err(error),
            }
        }
        damage?;
        let kept = storage.conversation(self.name())?;
        self.kept = kept.unwrap_or_default();
        self.key().map(drop)
    }

    /// What it is called on the wire.
    pub(in crate::messenger) fn name(&self) -> ConversationId {
        self.record.conversation
    }

    /// The key by which readers check what is said.
    pub(super) fn key(&self) -> Result<Option<PublicChannelKey>, StorageError> {
        let damaged = || StorageError::corrupt("reading a channel's key");
        let key = match &self.record.part {
            // It ended.
            ChannelPart::Publisher(mine) if mine.secret.expose().is_empty() => return Ok(None),
            ChannelPart::Publisher(mine) => {
                let key = ChannelKey::from_secret(&mine.secret);
                key.ok_or_else(damaged)?.public()
            }
            ChannelPart::Reader(mine) => {
                let key = mine.key.array().ok_or_else(damaged)?;
                let key = PublicChannelKey::from_bytes(&key);
                key.map_err(|error| damaged().because(error))?
            }
            ChannelPart::Lost => return Ok(None),
        };
        match key.channel() == self.name() {
            true => Ok(Some(key)),
            false => Err(damaged()),
        }
    }

    /// What it calls itself.
    pub(in crate::messenger) fn title(&self) -> String {
        String::from_utf8_lossy(self.record.name.expose()).into_owned()
    }

    /// The origin of what is said in it.
    pub(super) fn origin(&self) -> Result<Origin, StorageError> {
        let key = self.key()?;
        let origin = key.and_then(|key| Origin::new(key.as_bytes(), &self.name().0));
        origin.ok_or_else(|| StorageError::corrupt("naming a channel"))
    }

    /// Whether this contact publishes it, or was asked or reads.
    pub(super) fn concerns(&self, contact: ContactId) -> bool {
        match &self.record.part {
            ChannelPart::Publisher(_) => self.readers.contains_key(&contact),
            ChannelPart::Reader(mine) => mine.publisher == contact,
            ChannelPart::Lost => false,
        }
    }

    pub(super) fn published(&mut self) -> Option<&mut PublisherRecord> {
        match &mut self.record.part {
            ChannelPart::Publisher(mine) => Some(mine),
            ChannelPart::Reader(_) | ChannelPart::Lost => None,
        }
    }

    pub(super) fn subscribed(&mut self) -> Option<&mut SubscriptionRecord> {
        match &mut self.record.part {
            ChannelPart::Reader(mine) => Some(mine),
            ChannelPart::Publisher(_) | ChannelPart::Lost => None,
        }
    }

    /// Whether it goes on here.
    pub(super) fn lives(&self) -> bool {
        let standing = self.record.standing;
        matches!(standing, RoomStanding::Member | RoomStanding::Joining)
    }

    /// Whether it is a conversation of mine, now or before, and not only offered.
    pub(super) fn is_entered(&self) -> bool {
        match &self.record.part {
            ChannelPart::Reader(mine) => mine.entered,
            ChannelPart::Publisher(_) | ChannelPart::Lost => true,
        }
    }

    /// The chain of a generation.
    pub(super) fn chain(&self, generation: u32) -> Option<&Chain> {
        let mut chains = self.record.chains.iter();
        chains.find(|chain| chain.generation == generation)
    }

    /// Those who read.
    pub(super) fn reading(&self) -> impl Iterator<Item = ContactId> {
        self.who_are(ReaderState::Reading)
    }

    pub(super) fn who_are(&self, state: ReaderState) -> impl Iterator<Item = ContactId> {
        let them = self.readers.iter();
        let them = them.filter(move |(_, one)| one.state == state);
        them.map(|(reader, _)| *reader)
    }

    pub(super) fn view(&self) -> RoomView {
        let publishes = matches!(self.record.part, ChannelPart::Publisher(_));
        let offered_by = match &self.record.part {
            ChannelPart::Reader(mine) => Some(mine.publisher),
            ChannelPart::Publisher(_) | ChannelPart::Lost => None,
        };
        let member = |contact: Option<ContactId>, me, steward| MemberView {
            // Contacts and members have numbers of one sequence.
            member: MemberId(contact.unwrap_or(self.record.id.place()).0),
            name: String::new(),
            me,
            steward,
            herald: false,
            sign: None,
            declines: false,
            present: true,
            devices: 1,
            reachable: true,
            contact,
        };
        let me = member(None, true, publishes);
        let readers = self
            .reading()
            .map(|reader| member(Some(reader), false, false));
        let publisher = offered_by.map(|by| member(Some(by), false, true));
        let members: Vec<_> = [me].into_iter().chain(publisher).chain(readers).collect();
        RoomView {
            room: self.record.id,
            conversation: self.name(),
            name: self.title(),
            channel: true,
            standing: self.record.standing,
            offered_by,
            offered: self.record.standing == RoomStanding::Offered,
            asked: self.who_are(ReaderState::Offered).collect(),
            size: members.len(),
            members,
            disappear_after: None,
            avatar: None,
            changing: 0,
            pending: Vec::new(),
            shared_since: None,
            since: self.record.since,
        }
    }
}
