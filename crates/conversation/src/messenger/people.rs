//! Contacts as the machine keeps them between calls.

use std::collections::BTreeMap;

use hushwing_delivery::Address;
use hushwing_sansio::{StorageError, Timestamp};

use super::broken::is_damage;
use super::join::NAMELESS;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{Lamport, Origin};
use crate::mls::{Crypto, Group, LeafKey, Place, forget_key_package};
use crate::storage::{
    ContactRecord, ConversationRecord, DetourRecord, EraRecord, FaceRecord, IdentityRecord,
    IntroducedRecord, LackRecord, MailboxUse, ModeRecord, OffersRecord, OrphanRecord, Position,
    RepeatRecord, ReunionRecord, RoomMeetingRecord, StretchRecord,
};
use crate::view::ContactView;
use crate::{ContactId, ConversationId, Event, Refusal, Reply, RoomId, Standing, Storage};

/// A contact with what would be slow to read for each message.
pub(super) struct Person {
    pub(super) record: ContactRecord,
    pub(super) kept: ConversationRecord,
    pub(super) addresses: Vec<Address>,
    /// By what they are known.
    pub(super) identity: IdentityRecord,
    /// What they show of themselves.
    pub(super) face: FaceRecord,
    /// Whom they offered to introduce to me.
    pub(super) offers: OffersRecord,
    /// Who introduced them.
    pub(super) introduced: Option<IntroducedRecord>,
    pub(super) tail: Tail,
    /// Which group of the conversation is the present one.
    pub(super) era: EraRecord,
    /// What is remembered of how it was begun anew.
    pub(super) reunion: ReunionRecord,
    /// By which room's link we met.
    pub(super) meeting: Option<RoomMeetingRecord>,
    /// What both sides wish the conversation to be.
    pub(super) mode: ModeRecord,
    /// What is said off the record.
    pub(super) stretch: StretchRecord,
    /// A network lost the mailbox they write to, and they are not known to
    /// write to another yet.
    pub(super) mailbox_lost: bool,
    /// Letters of theirs that were dropped in this run.
    pub(super) dropped: u64,
}

/// The end of a conversation.
pub(super) struct Tail {
    /// The highest counter seen.
    pub(super) lamport: Lamport,
    /// The last message of any kind.
    pub(super) last: Option<Position>,
    /// Messages under the keys of the present epoch.
    pub(super) in_epoch: u64,
    /// Whether storage was asked how many those are.
    counted: bool,
}

impl Tail {
    pub(super) fn new() -> Self {
        Self {
            lamport: Lamport::default(),
            last: None,
            in_epoch: 0,
            counted: false,
        }
    }
}

impl Person {
    /// Another epoch begins.
    pub(super) fn begin_epoch(&mut self, now: Timestamp) {
        self.record.unsecured_start = false;
        self.record.epoch_since = now;
        self.tail.in_epoch = 0;
        self.tail.counted = true;
    }

    /// What the present group of the conversation is called.
    pub(super) fn group(&self) -> ConversationId {
        self.era.group().unwrap_or(self.record.conversation)
    }

    /// Where that group stands in the conversation.
    pub(super) fn place(&self) -> Place {
        Place {
            before: self.era.before,
            own_leaf: self.record.side.leaf(),
        }
    }

    pub(super) fn new(record: ContactRecord) -> Self {
        let addresses = decode_addresses(&record);
        Self {
            record,
            kept: ConversationRecord::default(),
            addresses,
            identity: IdentityRecord::default(),
            face: FaceRecord::default(),
            offers: OffersRecord::default(),
            introduced: None,
            tail: Tail::new(),
            era: EraRecord::default(),
            reunion: ReunionRecord::default(),
            meeting: None,
            mode: ModeRecord::default(),
            stretch: StretchRecord::default(),
            mailbox_lost: false,
            dropped: 0,
        }
    }

    /// Reads where the conversation ends, what it is wished to be, and by what
    /// they are known.
    fn find_tail(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        self.mode = ModeRecord::of(storage, self.record.id)?;
        self.stretch = StretchRecord::of(storage, self.record.id)?;
        self.era = EraRecord::of(storage, self.record.id)?;
        self.reunion = ReunionRecord::of(storage, self.record.id)?;
        self.identity = IdentityRecord::of(storage, self.record.id)?;
        self.face = FaceRecord::of(storage, self.record.id)?;
        if self.face.name.is_none() && !self.record.renamed && self.record.name != NAMELESS {
            // Of before profiles were kept.
            self.face.name = Some(self.record.name.clone());
        }
        self.offers = OffersRecord::of(storage, self.record.id)?.unwrap_or_default();
        self.introduced = IntroducedRecord::of(storage, self.record.id)?;
        self.meeting = RoomMeetingRecord::of(storage, self.record.id)?;
        let lamport = storage.highest_lamport(self.record.id)?;
        self.tail.lamport = Lamport::new(lamport).unwrap_or(Lamport::MAX);
        self.tail.last = storage.last_position(self.record.id)?;
        Ok(())
    }

    /// Writes the record and everything derived from it.
    pub(super) fn save(&mut self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        self.addresses = decode_addresses(&self.record);
        storage.put_contact(&self.record)
    }

    /// Takes note of a message that is in the conversation now; whether it
    /// stands at the end.
    pub(super) fn note(&mut self, position: Position, sealed_epoch: u64, epoch: u64) -> bool {
        let lamport = Lamport::new(position.lamport).unwrap_or(Lamport::MAX);
        self.tail.lamport = self.tail.lamport.max(lamport);
        self.tail.in_epoch += u64::from(sealed_epoch == epoch);
        let last = self.tail.last.is_none_or(|last| last < position);
        if last {
            self.tail.last = Some(position);
        }
        last
    }

    /// The origin of what the holder of `leaf` says here. Leaves, not keys,
    /// name people, so that ids outlive a change of keys.
    pub(super) fn origin(&self, leaf: u32) -> Result<Origin, StorageError> {
        Origin::new(&leaf.to_be_bytes(), &self.record.conversation.0)
            .ok_or_else(|| StorageError::corrupt("naming a speaker"))
    }
}

/// Addresses this program can read; those of a newer one are kept but not used.
fn decode_addresses(record: &ContactRecord) -> Vec<Address> {
    let addresses = record.addresses.iter();
    addresses
        .filter_map(|bytes| Address::decode(bytes.expose()).ok())
        .collect()
}

/// Reads all contacts. Those of whom something else is damaged are named too.
pub(super) fn open(storage: &dyn Storage) -> Result<Opened, StorageError> {
    let mut opened = Opened::default();
    for record in storage.contacts()? {
        let id = record.id;
        let mut person = Person::new(record);
        let kept = storage.conversation(person.record.conversation)?;
        person.kept = kept.unwrap_or_default();
        match person.find_tail(storage) {
            Ok(()) => {}
            Err(error) if is_damage(&error) => opened.damaged.push(id),
            Err(error) => return Err(error),
        }
        opened.people.insert(id, person);
    }
    Ok(opened)
}

/// What [`open`] found.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) people: BTreeMap<ContactId, Person>,
    pub(super) damaged: Vec<ContactId>,
}

/// A contact, its group, and what the group computes with.
pub(super) type AtHand<'m> = (&'m mut Person, &'m mut Group, &'m Crypto);

impl Messenger {
    /// Whether a contact can be asked something that others are part of: to be
    /// introduced, or to be in a group.
    pub(super) fn may_be_asked(&mut self, contact: ContactId) -> Result<(), Refusal> {
        if self.is_blocked(contact) {
            return Err(Refusal::Blocked);
        }
        let cut = self.pairs.is_cut(contact);
        match self.person(contact)?.record.standing {
            Standing::Established if cut => Err(Refusal::Broken),
            Standing::Established => Ok(()),
            Standing::Broken => Err(Refusal::Broken),
            Standing::Restoring => Err(Refusal::Restoring),
            Standing::Joining | Standing::Asked | Standing::Requested => {
                Err(Refusal::NotEstablished)
            }
        }
    }

    /// The contact a command names.
    pub(super) fn person(&mut self, id: ContactId) -> Result<&mut Person, Refusal> {
        let elsewhere = self.is_pair(RoomId::at(id));
        match self.people.get_mut(&id) {
            Some(person) => Ok(person),
            None if elsewhere => Err(Refusal::OnAnotherDevice),
            None if self.rooms.get(id).is_some() => Err(Refusal::NotInRooms),
            None if self.channels.get(id).is_some() => Err(Refusal::NotInChannels),
            None => Err(Refusal::NoContact),
        }
    }

    /// A contact with its group, which is read if it is not in memory.
    pub(super) fn at_hand(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ContactId,
    ) -> Result<AtHand<'_>, StorageError> {
        let missing = || StorageError::corrupt("finding a conversation");
        if !self.groups.contains_key(&id) {
            let person = self.people.get_mut(&id).ok_or_else(missing)?;
            let group = load(&self.crypto, call, person)?;
            // Counted once: a peer can make me read the group as often as they
            // like, and the count grows with what they say.
            if !core::mem::replace(&mut person.tail.counted, true) {
                person.tail.in_epoch = call.storage.count_in_epoch(id, group.epoch())?;
            }
            self.groups.insert(id, group);
            self.observe(call, id, false)?;
        }
        let person = self.people.get_mut(&id).ok_or_else(missing)?;
        let group = self.groups.get_mut(&id).ok_or_else(missing)?;
        Ok((person, group, &self.crypto))
    }

    /// Takes a contact in.
    pub(super) fn add_person(
        &mut self,
        call: &mut Call<'_, '_>,
        record: ContactRecord,
        group: Option<Group>,
    ) -> Result<(), StorageError> {
        let id = record.id;
        self.conversations.insert(record.conversation, id);
        let mut person = Person::new(record);
        person.save(call.storage)?;
        self.people.insert(id, person);
        if let Some(group) = group {
            self.groups.insert(id, group);
        }
        self.observe(call, id, false)
    }

    /// Forgets a contact, their messages and their group.
    pub(super) fn remove_person(
        &mut self,
        call: &mut Call<'_, '_>,
        id: ContactId,
    ) -> Result<(), StorageError> {
        self.give_up_offers(call, id, Refusal::NoContact)?;
        self.end_channels_with(call, id)?;
        self.end_introductions(call, id, true)?;
        FaceRecord::clear(call.storage, id)?;
        self.profiles.forget(id);
        self.lists.forget(call.storage, id)?;
        self.forget_former(call, id)?;
        self.forget_stretches(call, id)?;
        self.groups.remove(&id);
        self.debts.forget(id);
        self.shelf.forget(id);
        self.repeats.forget(id);
        self.notices.forget(id);
        self.losses
            .forget(call.storage, MailboxUse::Conversation(id))?;
        self.mails.forget(call.storage, id)?;
        self.reach.forget(id);
        self.silences.forget(id);
        DetourRecord::clear(call.storage, id)?;
        self.keep_commit(call, id, &[])?;
        OrphanRecord::clear(call.storage, id)?;
        IdentityRecord::clear(call.storage, id)?;
        OffersRecord::clear(call.storage, id)?;
        IntroducedRecord::clear(call.storage, id)?;
        RoomMeetingRecord::clear(call.storage, id)?;
        self.ask_no_more(call, id)?;
        LackRecord::clear(call.storage, id)?;
        ModeRecord::clear(call.storage, id)?;
        EraRecord::clear(call.storage, id)?;
        ReunionRecord::clear(call.storage, id)?;
        RepeatRecord::clear(call.storage, id)?;
        if let Some(person) = self.people.remove(&id) {
            self.conversations.remove(&person.record.conversation);
            call.storage
                .remove_conversation(person.record.conversation)?;
            let group = person.group();
            self.begun_anew.remove(&group);
            call.storage.remove_mls_scope(&Group::scope(group))?;
            if let Some(request) = &person.era.request {
                forget_key_package(&mut *call.storage, &request.reference)?;
            }
        }
        self.text_went(call)?;
        call.storage.remove_contact(id)?;
        self.let_messages_go(call, id)
    }

    /// How far a contact is established.
    pub(super) fn standing(&self, id: ContactId) -> Option<Standing> {
        self.people.get(&id).map(|person| person.record.standing)
    }

    /// A contact as shown.
    pub(super) fn contact_view(&self, id: ContactId) -> Option<ContactView> {
        let view = self.people.get(&id)?.view();
        let devices = self.devices_of(id);
        Some(ContactView { devices, ..view })
    }

    /// The answer to what changed a contact, which is told as well.
    pub(super) fn shown_anew(&mut self, id: ContactId) -> Result<Reply, Stop> {
        let view = self.contact_view(id).ok_or(Refusal::NoContact)?;
        self.tell(Event::Contact(view.clone()));
        Ok(Reply::Contact(view))
    }

    /// Tells faces how a contact is now, unless they are about to be told just
    /// that.
    pub(super) fn tell_contact(&mut self, id: ContactId) {
        let Some(view) = self.contact_view(id) else {
            return;
        };
        let requested = view.standing == Standing::Requested;
        let event = if requested {
            Event::Requested(view)
        } else {
            Event::Contact(view)
        };
        let told = self.events.iter().rev().find(|event| {
            matches!(event, Event::Contact(view) | Event::Requested(view) if view.contact == id)
        });
        if told != Some(&event) {
            self.tell(event);
        }
    }
}

fn load(crypto: &Crypto, call: &mut Call<'_, '_>, person: &Person) -> Result<Group, StorageError> {
    let key = LeafKey::from_secret(&person.record.signing_key)
        .ok_or_else(|| StorageError::corrupt("reading a signing key"))?;
    let rows = &mut *call.storage;
    let group = Group::load(crypto, call.cx, rows, person.group(), key)?;
    Ok(group.placed(person.place()))
}
