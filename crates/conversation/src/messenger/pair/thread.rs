//! Which places are one conversation.
//!
//! What is said in a conversation and in its pairs lies at a place of its own each, and is
//! shown as one. It has the number of the contact; where none is here, that of the first pair.

use hushwing_sansio::StorageError;

use crate::messenger::broken::Concern;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageRecord, PairRecord, RoomStanding};
use crate::{Command, ContactId, ConversationId, RoomId};

impl Messenger {
    /// The conversation that something said at a place belongs to, as faces know it.
    pub(in crate::messenger) fn head_of(&self, place: ContactId) -> ContactId {
        let pair = self.pair_in(RoomId::at(place));
        let head = pair.and_then(|pair| self.conversations.get(&pair.conversation));
        head.copied().unwrap_or(place)
    }

    /// The name of a conversation, the same on both sides and on all devices.
    pub(super) fn thread_name(&self, head: ContactId) -> Option<ConversationId> {
        let person = self.people.get(&head);
        let pair = || self.pair_in(RoomId::at(head)).map(|pair| pair.conversation);
        person
            .map(|person| person.record.conversation)
            .or_else(pair)
    }

    /// The pairs of a conversation that are here, in their order.
    pub(super) fn pairs_of(&self, head: ContactId) -> Vec<(RoomId, &PairRecord)> {
        let name = self.thread_name(head);
        let pairs = name.map(|name| self.pairs.of_conversation(name));
        let pairs = pairs.unwrap_or_default().into_iter();
        let here = pairs.filter_map(|pair| {
            let room = RoomId::at(*self.conversations.get(&pair.group)?);
            self.rooms.get(room.place()).map(|_| (room, pair))
        });
        here.collect()
    }

    /// The places of a conversation, in their order.
    pub(in crate::messenger) fn places_of(&self, head: ContactId) -> Vec<ContactId> {
        let pairs = self.pairs_of(head).into_iter();
        let pairs = pairs.map(|(room, _)| room.place());
        match pairs.clone().any(|place| place == head) {
            true => pairs.collect(),
            false => [head].into_iter().chain(pairs).collect(),
        }
    }

    /// The pair that a conversation goes on as, if it does: the last one. Where the device
    /// that the contact began with was thrown out, the first one that did so: whoever has that
    /// device can have later ones founded, and throw it out of those, but not of those before.
    pub(in crate::messenger) fn pair_of(&self, head: ContactId) -> Option<RoomId> {
        let pairs = self.pairs_of(head).into_iter();
        let inside = |room| self.rooms.standing(room) == Some(RoomStanding::Member);
        let mut inside = pairs.filter(|(room, _)| inside(*room));
        let found = match self.pairs.is_cut(head) {
            true => inside.find(|(room, _)| self.threw_out(*room, head)),
            false => {
                let most = self.pairs.last_told(self.thread_name(head));
                inside.rfind(|(_, pair)| most.is_none_or(|most| pair.turn <= most))
            }
        };
        found.map(|(room, _)| room)
    }

    /// Whether a pair I am in has no leaf any more of the device that a contact began with.
    pub(super) fn threw_out(&self, room: RoomId, contact: ContactId) -> bool {
        let known = self.rooms.get(room.place());
        known.is_some_and(|known| {
            let mut members = known.members.values();
            known.record.standing == RoomStanding::Member
                && !members.any(|member| member.present && member.contact == Some(contact))
        })
    }

    /// Whether what was last known of a pair has no leaf any more of the device that a contact
    /// began with. It may be over since.
    pub(super) fn is_without(&self, room: RoomId, contact: ContactId) -> bool {
        let known = self.rooms.get(room.place());
        known.is_some_and(|known| {
            let theirs = known.members.values();
            let mut theirs = theirs.filter(|one| one.contact == Some(contact)).peekable();
            theirs.peek().is_some() && theirs.all(|one| !one.present)
        })
    }

    /// Whether nothing said in a pair is of the contact: the conversation goes on as one
    /// before it, without the device that had this one founded.
    pub(in crate::messenger) fn is_usurped_pair(&self, room: RoomId) -> bool {
        let Some(pair) = self.pair_in(room) else {
            return false;
        };
        match self.contact_of_pair(room) {
            Some(contact) => self.pairs.is_cut(contact) && self.pair_of(contact) != Some(room),
            None => {
                let most = self.pairs.last_told(Some(pair.conversation));
                most.is_some_and(|most| pair.turn > most)
            }
        }
    }

    /// Where what is said now in a conversation is said.
    pub(in crate::messenger) fn speaks_at(&self, head: ContactId) -> ContactId {
        self.pair_of(head).map_or(head, RoomId::place)
    }

    /// The contact whose conversation a pair goes on with, if this device has it.
    pub(in crate::messenger) fn contact_of_pair(&self, room: RoomId) -> Option<ContactId> {
        let pair = self.pair_in(room)?;
        let head = self.conversations.get(&pair.conversation)?;
        self.people.contains_key(head).then_some(*head)
    }

    /// Whether nothing is to be heard from the other side of a pair.
    pub(in crate::messenger) fn is_blocked_pair(&self, room: RoomId) -> bool {
        let Some(pair) = self.pair_in(room) else {
            return false;
        };
        match self.contact_of_pair(room) {
            Some(contact) => self.is_blocked(contact),
            None => {
                let kept = self.rooms.get(self.head_of(room.place()));
                let here = kept.is_some_and(|head| head.kept.blocked.is_some());
                here || self.pairs.is_blocked_elsewhere(pair.conversation)
            }
        }
    }

    /// Seconds after reading until what is said in a room disappears: in a pair as was agreed
    /// where the conversation was begun.
    pub(in crate::messenger) fn disappear_after_in(
        &self,
        room: RoomId,
    ) -> Result<Option<u32>, StorageError> {
        let missing = || StorageError::corrupt("finding a room");
        let contact = self.contact_of_pair(room);
        Ok(
            match contact.and_then(|contact| self.people.get(&contact)) {
                Some(person) => person.kept.disappear_after(),
                None => {
                    self.rooms
                        .get(room.place())
                        .ok_or_else(missing)?
                        .disappear_after
                }
            },
        )
    }

    /// Which conversation a command reads and writes: of what is said in a pair, that one.
    pub(in crate::messenger) fn concern_of(&self, command: &Command) -> Concern {
        match command {
            Command::Send { contact, .. } => Concern::Contact(self.speaks_at(*contact)),
            other => Concern::of(other),
        }
    }

    /// Whether a conversation goes on as a pair, or is about to: an answer is under way.
    pub(in crate::messenger) fn is_pairing(&self, head: ContactId) -> bool {
        let mut pairs = self.pairs_of(head).into_iter();
        let joining = |room| self.rooms.standing(room) == Some(RoomStanding::Joining);
        self.pair_of(head).is_some() || pairs.any(|(room, _)| joining(room))
    }

    /// How many devices a contact has in the pair that the conversation goes on as.
    pub(in crate::messenger) fn devices_of(&self, head: ContactId) -> usize {
        let pair = self.pair_of(head);
        let known = pair.and_then(|room| self.rooms.get(room.place()));
        let count = known.map(|known| {
            let members = known.members.values();
            let theirs = members.filter(|one| one.present && one.account != known.record.account);
            theirs.count()
        });
        count.unwrap_or(1)
    }

    /// How many messages of others were not read in a conversation.
    pub(in crate::messenger) fn unread_of(
        &self,
        call: &Call<'_, '_>,
        head: ContactId,
    ) -> Result<u64, StorageError> {
        let places = self.places_of(head).into_iter();
        let counts = places.map(|place| call.storage.count_unread(place));
        counts.sum()
    }

    /// Of those whom this device knows, who may be shown: whose pairs are another device's
    /// contacts.
    pub(super) fn heads_elsewhere(&self) -> impl Iterator<Item = RoomId> {
        let rooms = self.rooms.entered().map(RoomId::at);
        rooms.filter(|room| self.is_pair(*room) && self.head_of(room.place()) == room.place())
    }
}

/// The last of what lies at several places, in its order, as far as that is not too much.
pub(in crate::messenger) fn merged(
    mut all: Vec<MessageRecord>,
    most: usize,
    bytes: usize,
) -> Vec<MessageRecord> {
    all.sort_by_key(|record| record.position);
    let mut left = bytes;
    let last = all.iter().rev().take(most).take_while(|record| {
        let fits = record.content.len() <= left;
        left = left.saturating_sub(record.content.len());
        fits
    });
    // One that is too long alone is shown all the same.
    let count = last.count().max(1).min(all.len());
    all.split_off(all.len() - count)
}
