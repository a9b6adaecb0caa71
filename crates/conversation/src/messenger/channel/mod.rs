//! Channels: I say, contacts read, and no reader sees another.
//!
//! Who reads is agreed on in conversations of two: the publisher lets them in and puts
//! them out ([`readers`]), whoever is asked decides ([`subscribe`]), and either way an
//! admission has a number. What is to be said of it stands in the record of a reader, or
//! of the channel, until it is said ([`tell`]). Keys are told in passing and kept in no
//! message; a reader who has none asks ([`listen`], [`lack`]).
//!
//! Posts are kept like all that is said, under the channel's number ([`say`]), and leave
//! in letters of a kind of their own, in the order in which they were said: of each
//! reader it is known how far they got ([`send`]). [`take`] is the other end. [`end`] is
//! what becomes of a channel that ends, and of one that is damaged; [`generation`] begins
//! its keys anew.
//!
//! `protocol/channels.md` says what both tell each other.

mod end;
mod generation;
mod known;
mod lack;
mod listen;
mod readers;
mod say;
mod send;
mod subscribe;
mod take;
mod tell;

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{Moment, StorageError};

use super::broken::is_damage;
use super::{Call, Messenger};
use crate::storage::{ChannelPart, ChannelRecord, ReaderRecord, RoomStanding};
use crate::view::RoomView;
use crate::{ContactId, ConversationId, Event, Refusal, RoomId, Storage};

pub(super) use known::Channel;
use listen::Heeded;
use take::Budget;

/// Channels of one profile, without those that are only offered.
const MOST_CHANNELS: usize = 64;
/// Readers of one channel, those who were asked included; and as many are remembered who
/// are out.
const MOST_READERS: usize = 256;
/// Posts that can be had.
const MOST_POSTS: usize = 64;

/// All channels of a profile.
#[derive(Default)]
pub(super) struct Channels {
    by_id: BTreeMap<RoomId, Channel>,
    /// Letters with posts that no network took yet: to whom, of which channel.
    letters: BTreeMap<u64, (RoomId, ContactId)>,
    /// Those in which something may have to leave.
    to_tend: BTreeSet<RoomId>,
    /// More is left to be sent than went at once.
    more: Option<Moment>,
    /// To whom a letter failed, and when to try again.
    later: BTreeMap<(RoomId, ContactId), Moment>,
    budgets: BTreeMap<RoomId, Budget>,
    /// When a reader's asking was heeded.
    heeded: BTreeMap<(RoomId, ContactId), Heeded>,
}

impl Channels {
    /// Reads all channels; of those that are damaged it gives the places.
    pub(super) fn open(storage: &dyn Storage) -> Result<(Self, Vec<ContactId>), StorageError> {
        let mut channels = Self::default();
        let mut damaged = Vec::new();
        for record in ChannelRecord::all(storage)? {
            let record = record.unwrap_or_else(|channel| {
                let record = channel.stand_in();
                damaged.push(record.id.place());
                record
            });
            let id = record.id;
            let mut channel = Channel::new(record);
            match channel.read(storage) {
                Ok(()) => {}
                Err(error) if is_damage(&error) => damaged.push(id.place()),
                Err(error) => return Err(error),
            }
            let letters = channel.readers.iter();
            let letters = letters.filter_map(|(who, one)| Some((one.letter?.0, (id, *who))));
            channels.letters.extend(letters);
            channels.to_tend.insert(id);
            channels.by_id.insert(id, channel);
        }
        Ok((channels, damaged))
    }

    pub(super) fn get(&self, place: ContactId) -> Option<&Channel> {
        self.by_id.get(&RoomId::at(place))
    }

    pub(super) fn get_mut(&mut self, place: ContactId) -> Option<&mut Channel> {
        self.by_id.get_mut(&RoomId::at(place))
    }

    /// The places of those that are conversations: not what is only offered.
    pub(super) fn entered(&self) -> impl Iterator<Item = (ConversationId, ContactId)> {
        let entered = self.by_id.values();
        let entered = entered.filter(|one| one.is_entered());
        entered.map(|one| (one.name(), one.record.id.place()))
    }

    /// Whether there is no room for another one that I publish or read.
    fn is_full(&self) -> bool {
        self.entered().count() >= MOST_CHANNELS
    }

    fn standing_of(&self, id: RoomId) -> RoomStanding {
        let channel = self.by_id.get(&id);
        channel.map_or(RoomStanding::Left, |one| one.record.standing)
    }

    /// When something is due here.
    pub(super) fn due(&self) -> Option<Moment> {
        let asks = self.by_id.values().filter_map(|one| one.asks);
        let later = self.later.values().copied();
        asks.chain(later).chain(self.more).min()
    }

    fn find(&mut self, id: RoomId) -> Result<&mut Channel, StorageError> {
        let missing = || StorageError::corrupt("finding a channel");
        self.by_id.get_mut(&id).ok_or_else(missing)
    }

    /// The channel of that name that I have to do with by this contact.
    fn named(&self, name: ConversationId, by: ContactId) -> Option<RoomId> {
        let mut all = self.by_id.values();
        let found = all.find(|one| one.name() == name && one.concerns(by));
        found.map(|one| one.record.id)
    }
}

impl Messenger {
    /// Whether a number is that of a channel.
    pub(super) fn is_channel(&self, id: RoomId) -> bool {
        self.channels.by_id.contains_key(&id)
    }

    /// Whether something may be said in the channel at a place; `None` if none is
    /// there.
    pub(super) fn may_publish_at(&self, place: ContactId) -> Option<Result<(), Refusal>> {
        let channel = self.channels.get(place)?;
        Some(match (&channel.record.part, channel.record.standing) {
            (_, RoomStanding::Broken) => Err(Refusal::RoomBroken),
            (ChannelPart::Reader(_), _) => Err(Refusal::NotPublisher),
            (_, RoomStanding::Member) => Ok(()),
            _ => Err(Refusal::ChannelOver),
        })
    }

    /// All channels, as shown.
    pub(super) fn channel_views(&self) -> impl Iterator<Item = RoomView> {
        let all = self.channels.by_id.values();
        all.map(|one| self.channel_view(one))
    }

    /// A channel as shown; those in it are called as I call them.
    fn channel_view(&self, channel: &Channel) -> RoomView {
        let mut view = channel.view();
        for member in &mut view.members {
            let contact = member.contact.and_then(|contact| self.people.get(&contact));
            let name = contact.map(|person| &person.record.name);
            member.name = match member.me {
                true => self.config.name.clone(),
                false => name.cloned().unwrap_or_default(),
            };
        }
        view
    }

    /// Tells faces how a channel is now.
    fn tell_channel(&mut self, id: RoomId) {
        if let Some(view) = self
            .channels
            .by_id
            .get(&id)
            .map(|one| self.channel_view(one))
        {
            self.tell(match view.standing {
                RoomStanding::Offered => Event::RoomOffered(view),
                _ => Event::Room(view),
            });
        }
    }

    /// Does something that reads what is stored of one channel: if that is damaged, it
    /// alone ends.
    fn in_channel<'c, 'x>(
        &mut self,
        call: &mut Call<'c, 'x>,
        id: RoomId,
        act: impl FnOnce(&mut Self, &mut Call<'c, 'x>) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        self.within(call, id.place(), act)
    }

    fn put_reader(
        &mut self,
        storage: &mut dyn Storage,
        id: RoomId,
        reader: ContactId,
        record: ReaderRecord,
    ) -> Result<(), StorageError> {
        record.put(storage, id, reader)?;
        self.channels.find(id)?.readers.insert(reader, record);
        Ok(())
    }
}
