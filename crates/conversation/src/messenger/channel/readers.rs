//! What a publisher decides: to found a channel, whom to ask, let in and put out.

use hushwing_sansio::StorageError;

use super::generation::MOST;
use super::{Channel, MOST_CHANNELS, MOST_READERS};
use crate::channel::{Chain, ChannelKey};
use crate::messenger::room::usable;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    ChannelPart, ChannelRecord, Floor, PublisherRecord, ReaderRecord, ReaderState, RoomStanding,
};
use crate::{ContactId, DropReason, MemberId, Refusal, Reply, RoomId, Secret};

/// Posts that a newcomer gets.
const NEWCOMERS: u64 = 16;

impl Messenger {
    /// Founds a channel that I publish.
    pub(in crate::messenger) fn found_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable(name)?;
        if self.channels.is_full() {
            return Err(Refusal::TooManyChannels {
                most: MOST_CHANNELS,
            }
            .into());
        }
        let key = ChannelKey::generate(call.cx);
        let id = RoomId(call.storage.next_number()?);
        let chain = Chain {
            generation: 0,
            next: 1,
            key: Secret::new(call.cx.random::<32>()),
        };
        let record = ChannelRecord {
            id,
            conversation: key.public().channel(),
            name: Secret::new(name.into_bytes()),
            standing: RoomStanding::Member,
            since: call.cx.wall(),
            chains: vec![chain],
            part: ChannelPart::Publisher(PublisherRecord {
                secret: key.secret(),
                head: 0,
                posts: Vec::new(),
                admissions: 0,
                spent: false,
                restored: false,
            }),
        };
        self.add_channel(call, record)?;
        self.show_channel(id)
    }

    pub(super) fn add_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        record: ChannelRecord,
    ) -> Result<(), StorageError> {
        record.put(call.storage)?;
        let id = record.id;
        let channel = Channel::new(record);
        if channel.is_entered() {
            self.conversations.insert(channel.name(), id.place());
        }
        self.channels.by_id.insert(id, channel);
        self.tell_channel(id);
        Ok(())
    }

    pub(in crate::messenger) fn show_channel(&self, id: RoomId) -> Result<Reply, Stop> {
        let channel = self.channels.by_id.get(&id).ok_or(Refusal::NoChannel)?;
        Ok(Reply::Room(self.channel_view(channel)))
    }

    /// Asks a contact whether they want to read a channel of mine; again, if they did
    /// not answer.
    pub(in crate::messenger) fn offer_channel(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        self.may_publish_at(id.place())
            .ok_or(Refusal::NoChannel)??;
        let channel = self.channels.find(id)?;
        let known = channel.readers.get(&contact).cloned();
        if known.as_ref().map(|one| one.state) == Some(ReaderState::Reading) {
            return Err(Refusal::ReadAlready.into());
        }
        let here = channel.readers.values().filter(|one| one.state.is_here());
        if here.count() >= MOST_READERS {
            return Err(Refusal::ChannelFull { most: MOST_READERS }.into());
        }
        self.may_be_asked(contact)?;
        let was_in = known.is_some_and(|one| one.returns || one.floor.is_some());
        self.ask_to_read(call, id, contact, was_in)?;
        self.tell_channel(id);
        self.show_channel(id)
    }

    /// Notes that a contact is to be asked, under the next number.
    pub(super) fn ask_to_read(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        contact: ContactId,
        returns: bool,
    ) -> Result<(), StorageError> {
        let since = call.cx.wall();
        let channel = self.channels.find(id)?;
        let Some(mine) = channel.published() else {
            return Ok(());
        };
        // The time tells them nothing; a count would tell how many others were asked.
        let last = mine.admissions.saturating_add(1);
        mine.admissions = last.max(since.as_millis()).min(MOST);
        let reader = ReaderRecord {
            state: ReaderState::Offered,
            admission: mine.admissions,
            asked: false,
            floor: None,
            returns,
            told: None,
            telling: Vec::new(),
            from: None,
            sent: 0,
            letter: None,
            since,
        };
        channel.record.put(call.storage)?;
        self.put_reader(call.storage, id, contact, reader)?;
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// A contact wants to read. Only who was asked under this number is let in, and once.
    pub(super) fn channel_accepted(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, by): (RoomId, ContactId),
        admission: u64,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let known = channel.readers.get(&by).cloned();
        let Some(known) = known.filter(|one| one.admission == admission) else {
            return self.drop_letter(Some(by), DropReason::Room);
        };
        match known.state {
            ReaderState::Offered => self.let_in(call, id, by, known),
            ReaderState::Reading => Ok(()),
            ReaderState::Out | ReaderState::Gone if self.heeds(call, (id, by), (0, 0)) => {
                self.say_over_again(call, id, by, known)
            }
            // They ask, then.
            ReaderState::Out | ReaderState::Gone => Ok(()),
        }
    }

    fn let_in(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        by: ContactId,
        known: ReaderRecord,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let chain = channel.record.chains.last();
        let (generation, begins) = chain.map_or((0, 1), |one| (one.generation, one.next));
        let Some(mine) = channel.published() else {
            return Ok(());
        };
        let next = mine.head.saturating_add(1);
        let number = match known.returns {
            true => next,
            false => next.saturating_sub(NEWCOMERS).max(begins),
        };
        let (floor, sent) = match known.floor {
            // They read on after a backup of mine was put back.
            Some(floor) => (floor, known.sent),
            None => (Floor { generation, number }, number.saturating_sub(1)),
        };
        let reader = ReaderRecord {
            state: ReaderState::Reading,
            floor: Some(floor),
            from: None,
            told: None,
            sent,
            ..known
        };
        self.put_reader(call.storage, id, by, reader)?;
        self.channels.heeded.remove(&(id, by));
        self.channels.to_tend.insert(id);
        self.tell_channel(id);
        Ok(())
    }

    /// Somebody who is out believes that they are in.
    pub(super) fn say_over_again(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
        known: ReaderRecord,
    ) -> Result<(), StorageError> {
        let state = ReaderState::Out;
        let again = ReaderRecord { state, ..known };
        self.put_reader(call.storage, id, reader, again)?;
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// Removes a reader: they are told, and all others get another key.
    pub(in crate::messenger) fn remove_reader(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: MemberId,
    ) -> Result<Reply, Stop> {
        self.may_publish_at(id.place())
            .ok_or(Refusal::NoChannel)??;
        let reader = reader.place();
        let known = self.channels.find(id)?.readers.get(&reader).cloned();
        let known = known.filter(|one| one.state == ReaderState::Reading);
        let known = known.ok_or(Refusal::NoReader)?;
        self.put_out(call, id, reader, known)?;
        self.spend_keys(call, id)?;
        self.tell_channel(id);
        self.show_channel(id)
    }

    /// Takes an offer back that was not answered.
    pub(in crate::messenger) fn take_channel_back(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        self.may_publish_at(id.place())
            .ok_or(Refusal::NoChannel)??;
        let known = self.channels.find(id)?.readers.get(&contact).cloned();
        let known = known.filter(|one| one.state == ReaderState::Offered);
        let known = known.ok_or(Refusal::NoReader)?;
        let read = known.floor.is_some();
        self.put_out(call, id, contact, known)?;
        if read {
            self.spend_keys(call, id)?;
        }
        self.tell_channel(id);
        self.show_channel(id)
    }

    /// Nothing more leaves for a reader but that it is over.
    pub(super) fn put_out(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        reader: ContactId,
        known: ReaderRecord,
    ) -> Result<(), StorageError> {
        self.call_letters_back(call, &known)?;
        let out = ReaderRecord {
            state: ReaderState::Out,
            returns: known.returns || known.floor.is_some(),
            floor: None,
            letter: None,
            telling: Vec::new(),
            since: call.cx.wall(),
            ..known
        };
        self.put_reader(call.storage, id, reader, out)?;
        self.channels.later.remove(&(id, reader));
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// A reader reads no more. It is heard once, and not late.
    pub(super) fn reader_left(
        &mut self,
        call: &mut Call<'_, '_>,
        (id, reader): (RoomId, ContactId),
        admission: u64,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let lives = channel.lives();
        let known = channel.readers.get(&reader).cloned();
        let known = known.filter(|one| one.admission <= admission && one.state.is_here());
        let Some(known) = known else {
            return Ok(());
        };
        let read = known.floor.is_some();
        self.put_out(call, id, reader, known)?;
        // They know.
        if let Some(known) = self.channels.find(id)?.readers.get(&reader).cloned() {
            let state = ReaderState::Gone;
            self.put_reader(call.storage, id, reader, ReaderRecord { state, ..known })?;
        }
        if lives && read {
            self.spend_keys(call, id)?;
        }
        self.tell_channel(id);
        Ok(())
    }
}
