//! Questions and settings.

use hushwing_sansio::StorageError;

use super::broken::is_damage;
use super::pair::merged;
use super::people::Person;
use super::room::reached_by_each;
use super::show::{found, shortened, show, speaker, unreadable};
use super::speak::said_with;
use super::stop::Stop;
use super::{Call, Messenger, READ_RECEIPTS};
use crate::content::MessageId;
use crate::content::shown::clean_name;
use crate::storage::{MessageRecord, MessageState, MessageTimes, Owed, Position, Standing};
use crate::view::{ContactView, Progress, Whereabouts};
use crate::{ContactId, IdPrefix, Refusal, Reply, RoomId};

/// The most messages one `Read` gives.
const MOST_READ: usize = 10_000;
/// The most bytes of content one `Read` reads, and of text it gives, unless one
/// message alone has more.
pub(super) const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The most ids one `Find` gives.
const MOST_FOUND: usize = 9;
/// Messages looked at for a read receipt, their own and others.
const LATEST: usize = 100;

impl Messenger {
    pub(super) fn requests(&self) -> impl Iterator<Item = &Person> {
        self.people
            .values()
            .filter(|person| person.record.standing == Standing::Requested)
    }

    pub(super) fn list_requests(&self) -> Reply {
        Reply::Contacts(self.requests().map(Person::view).collect())
    }

    pub(super) fn list_contacts(&self) -> Reply {
        let people = self.people.keys();
        let known = people.filter_map(|id| self.contact_view(*id));
        let known = known.filter(|view| view.standing != Standing::Requested);
        let all = known.chain(self.contacts_elsewhere());
        Reply::Contacts(all.collect::<Vec<ContactView>>())
    }

    pub(super) fn rename(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        name: &str,
    ) -> Result<Reply, Stop> {
        let name = usable_name(name)?;
        let person = self.person(contact)?;
        person.record.name = name;
        person.record.renamed = true;
        person.save(call.storage)?;
        self.shown_anew(contact)
    }

    pub(super) fn find(&self, call: &Call<'_, '_>, prefix: &IdPrefix) -> Result<Reply, Stop> {
        let mut ids = found(call.storage, prefix, MOST_FOUND)?;
        ids.extend(self.lists.ids().filter(|id| prefix.begins(id)));
        ids.sort_unstable();
        ids.truncate(MOST_FOUND);
        let short = ids.iter().map(|id| shortened(call.storage, id));
        Ok(Reply::Found(short.collect::<Result<_, StorageError>>()?))
    }

    pub(super) fn whereabouts(
        &self,
        call: &Call<'_, '_>,
        message: &MessageId,
    ) -> Result<Reply, Stop> {
        let record = self.message_of(call, message)?;
        let step = |network, stage, at, verified| Progress {
            network,
            stage,
            at,
            verified,
        };
        let place = self.place(record.contact).ok_or(Refusal::NoMessage)?;
        let elsewhere = place.said_elsewhere(call.storage, &record)?;
        // What its author says of it, and then what became of it: of what was said from here
        // on its way, of all else how it came. Who handed it on can say anything of others.
        let left = record.mine && !elsewhere;
        let proved = !left && !record.is_handed_on();
        let said = step(None, MessageState::Queued, record.sent_at, proved);
        let times = &record.times;
        let (network, accepted) = times.accepted.unzip();
        let brought = network.filter(|_| !left);
        let came = times.delivered.or(accepted.filter(|_| elsewhere));
        let reached = [
            (
                network,
                MessageState::Accepted,
                accepted.filter(|_| left),
                false,
            ),
            (None, MessageState::Failed, times.failed, false),
            (brought, MessageState::Delivered, came, left || proved),
            (None, MessageState::Read, times.read, left),
        ];
        let reached = reached
            .into_iter()
            .filter_map(|(network, stage, at, proved)| Some(step(network, stage, at?, proved)));
        let mut members = match self.rooms.get(record.contact) {
            Some(room) => reached_by_each(room, call.storage, record.id())?,
            None => Vec::new(),
        };
        if self.is_pair(RoomId::at(record.contact)) {
            // A contact is shown as one.
            members.clear();
        }
        Ok(Reply::Where(Whereabouts {
            elsewhere,
            from: match self.shown_pair(RoomId::at(record.contact)) {
                Some(pair) => pair.speaker(&record),
                None => speaker(&record),
            },
            state: record.state,
            attempts: self.attempts(call, &record)?,
            progress: [said].into_iter().chain(reached).collect(),
            read_receipts: Self::has_told_of_reading(call, record.contact)?,
            members,
            copies: Vec::new(),
        }))
    }

    /// Whether a contact ever told that they read one of the latest messages.
    fn has_told_of_reading(call: &Call<'_, '_>, contact: ContactId) -> Result<bool, StorageError> {
        let latest = call.storage.messages(contact, None, LATEST, MOST_BYTES)?;
        let mut mine = latest.iter().filter(|record| record.mine);
        Ok(mine.any(|record| record.times.read.is_some()))
    }

    pub(super) fn read(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        before: Option<MessageId>,
        most: usize,
        marks_read: bool,
    ) -> Result<Reply, Stop> {
        self.place(contact).ok_or(Refusal::NoContact)?;
        let before = match before {
            Some(id) => {
                let places = self.places_of(contact).into_iter();
                let said = places.map(|place| said_with(call, place, &id));
                said.reduce(Result::or).unwrap_or(Ok(()))?;
                let record = call.storage.message(&id)?;
                Some(record.ok_or(Refusal::NoMessage)?.position)
            }
            None => None,
        };
        let most = most.min(MOST_READ);
        let mut records = self.readable(call, contact, before.as_ref(), most)?;
        let pairs = self.places_of(contact).into_iter();
        for pair in pairs.filter(|place| *place != contact) {
            // What is damaged there ends that pair, and another one follows.
            self.within(call, pair, |this, call| {
                records.extend(this.readable(call, pair, before.as_ref(), most)?);
                Ok(())
            })?;
        }
        let records = merged(records, most, MOST_BYTES);
        if let Some(last) = records.last().filter(|_| marks_read) {
            for place in self.places_of(contact) {
                self.mark_read(call, place, &last.position)?;
            }
        }
        let mut views = Vec::with_capacity(records.len());
        let mut damage = None;
        let mut shown = 0_usize;
        for record in records.iter().rev() {
            let place = self.place(record.contact).ok_or(Refusal::NoContact)?;
            let mut view = match show(call.storage, place, record) {
                Err(error) if is_damage(&error) => {
                    damage = Some(error);
                    unreadable(place, record)
                }
                shown => shown?,
            };
            if !record.mine && marks_read {
                view.state = MessageState::Read;
            }
            // A short text may have been replaced by a long one.
            shown = shown.saturating_add(view.text.len());
            if shown > MOST_BYTES && !views.is_empty() {
                break;
            }
            views.push(view);
        }
        views.reverse();
        if let Some(error) = damage {
            self.damaged(call, contact, error)?;
        }
        Ok(Reply::Messages(views))
    }

    /// The messages to show. Of a conversation that broke, those that come after
    /// the last damaged one, as nearly as halving finds them.
    fn readable(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        before: Option<&Position>,
        mut most: usize,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        loop {
            match call.storage.messages(contact, before, most, MOST_BYTES) {
                Err(error)
                    if is_damage(&error)
                        && most > 1
                        && (self.standing(contact) == Some(Standing::Broken)
                            || self.is_broken_room(contact)) =>
                {
                    most /= 2;
                }
                records => return records,
            }
        }
    }

    fn mark_read(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        until: &Position,
    ) -> Result<(), StorageError> {
        self.looked_at(call, contact)?;
        // When I look at what somebody said whom I block is not theirs to learn,
        // later either.
        let told = !self.is_blocked(contact) && self.channels.get(contact).is_none();
        let read = self.note_read(call, contact, until, told)?;
        if self.read_receipts && told {
            for id in &read {
                self.owe(call, contact, *id, Owed::Read)?;
            }
        }
        match read.is_empty() {
            true => Ok(()),
            false => self.tell_seen(call, contact, until),
        }
    }

    /// As [`Self::mark_read`], where another device did: that tells others.
    pub(super) fn mark_seen(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        until: &Position,
    ) -> Result<(), StorageError> {
        self.looked_at(call, contact)?;
        let told = !self.is_blocked(contact);
        self.note_read(call, contact, until, told).map(drop)
    }

    /// Notes that what came up to there was read, and gives what was not before.
    fn note_read(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        until: &Position,
        told: bool,
    ) -> Result<Vec<MessageId>, StorageError> {
        let now = call.cx.wall();
        let unread = call.storage.unread(contact, until)?;
        for id in &unread {
            let id = *id;
            let record = match call.storage.message(&id) {
                // The damage is told where the message is shown.
                Err(error) if is_damage(&error) => None,
                record => record?,
            };
            let times = record.as_ref().map(|record| record.times.clone());
            let times = times.unwrap_or_default();
            let mut times = MessageTimes {
                read: told.then_some(now),
                ..times
            };
            if let Some(record) = &record {
                match self.begin_to_vanish(call, record, &mut times) {
                    // As above.
                    Err(error) if is_damage(&error) => {}
                    begun => begun?,
                }
            }
            call.storage.set_state(&id, MessageState::Read, &times)?;
        }
        Ok(unread)
    }

    pub(super) fn set_read_receipts(
        &mut self,
        call: &mut Call<'_, '_>,
        on: bool,
    ) -> Result<Reply, Stop> {
        call.storage.put_setting(READ_RECEIPTS, &[u8::from(on)])?;
        self.read_receipts = on;
        Ok(Reply::Done)
    }
}

pub(super) fn usable_name(name: &str) -> Result<String, Refusal> {
    clean_name(name)
        .filter(|clean| clean == name.trim())
        .ok_or(Refusal::BadName)
}
