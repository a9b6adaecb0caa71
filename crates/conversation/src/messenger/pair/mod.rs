//! Conversations of two on several devices.
//!
//! A conversation with a contact begins between two devices, and lies where it was begun
//! (`people`). As soon as either side has a further device it goes on as a **pair**: a
//! [`room`](super::room) of two accounts, each with the devices it has, that no face shows
//! as a room. The conversation before stays open between the two devices that began it:
//! by it pairs are offered, and founded anew where one is lost. Why: RFC 0031.
//!
//! ```text
//!  Ann's phone ══ conversation ══ Bob's phone      what was said before, and pairs offered
//!  Ann's phone ─┐                ┌─ Bob's phone
//!               ├──── pair 1 ────┤                 what is said
//!  Ann's laptop ┘                └─ Bob's tablet
//! ```
//!
//! All of it together is one **thread**: one contact for whoever looks. [`begin`] has pairs
//! wanted and offered, [`found`] founds them, [`tell`] tells my other devices of them, [`thread`] knows
//! which places are one conversation, [`view`] shows it, [`mod@renew`] has its keys
//! renewed, [`end`] knows when a pair is over, and [`past`] what was said before it.

mod begin;
mod bounds;
mod end;
mod found;
mod name;
mod past;
mod renew;
mod tell;
mod thread;
mod view;

pub(super) use past::stays;
pub(super) use thread::merged;
pub(super) use view::Shown;

use std::collections::BTreeMap;

use hushwing_sansio::StorageError;

use super::{Call, Messenger};
use crate::content::Paired;
use crate::storage::{MOST_PAIRS, PairRecord, PairingRecord, PairsRecord, RoomStanding};
use crate::{ContactId, ConversationId, MemberId, RoomId, Storage};

/// What is known of pairs.
#[derive(Default)]
pub(super) struct Pairs {
    record: PairsRecord,
    /// What each device was told of which pair in this run.
    told: BTreeMap<(MemberId, ConversationId), Paired>,
    /// How the keys of each were used.
    used: BTreeMap<RoomId, renew::Used>,
    /// Whether it is to be looked after who wants a pair, and what devices were not told.
    looks: bool,
}

impl Pairs {
    pub(super) fn open(storage: &dyn Storage) -> Result<Self, StorageError> {
        Ok(Self {
            record: PairsRecord::read(storage)?,
            told: BTreeMap::new(),
            used: BTreeMap::new(),
            looks: true,
        })
    }

    /// The pair that a group is, if it is one.
    pub(super) fn of_group(&self, group: ConversationId) -> Option<&PairRecord> {
        self.record.pairs.iter().find(|pair| pair.group == group)
    }

    /// Something changed that a pair may follow from.
    pub(super) fn look(&mut self) {
        self.looks = true;
    }

    pub(super) fn look_if(&mut self, changed: bool) {
        self.looks |= changed;
    }

    /// The pairs of a conversation, in their order.
    fn of_conversation(&self, conversation: ConversationId) -> Vec<&PairRecord> {
        let pairs = self.record.pairs.iter();
        let mut pairs: Vec<_> = pairs
            .filter(|pair| pair.conversation == conversation)
            .collect();
        pairs.sort_by_key(|pair| (pair.turn, pair.group));
        pairs
    }

    /// Whether I forgot the contact with whom a conversation was.
    fn is_forgotten(&self, conversation: ConversationId) -> bool {
        let mut pairs = self.record.pairs.iter();
        pairs.any(|pair| pair.conversation == conversation && pair.forgotten)
    }

    /// How far it is with a contact.
    fn with(&mut self, contact: ContactId) -> &mut PairingRecord {
        self.record.contacts.entry(contact).or_default()
    }

    /// Whether the device that a conversation was begun with was thrown out by its owner.
    pub(super) fn is_cut(&self, contact: ContactId) -> bool {
        let known = self.record.contacts.get(&contact);
        known.is_some_and(|known| known.cut)
    }

    /// Whether the device of mine that has the contact hears nothing from them.
    pub(super) fn is_blocked_elsewhere(&self, conversation: ConversationId) -> bool {
        let mut known = self.record.known.iter();
        known.any(|one| one.conversation == conversation && one.blocked)
    }

    /// The number of the pair that a conversation goes on as, by the device of mine that has
    /// the contact.
    fn last_told(&self, conversation: Option<ConversationId>) -> Option<u32> {
        let mut known = self.record.known.iter();
        let known = known.find(|one| Some(one.conversation) == conversation);
        known.map(|known| known.turn)
    }

    /// The same of one pair.
    pub(super) fn forget_told_of(&mut self, device: MemberId, group: ConversationId) {
        self.looks |= self.told.remove(&(device, group)).is_some();
    }

    /// A device is to be told all again.
    pub(super) fn forget_told(&mut self, device: MemberId) {
        self.told.retain(|(told, _), _| *told != device);
        self.looks = true;
    }
}

impl Messenger {
    fn save_pairs(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        self.pairs.record.put(call.storage)
    }

    /// The pair that a room is, if it is one.
    pub(super) fn pair_in(&self, room: RoomId) -> Option<&PairRecord> {
        let known = self.rooms.get(room.place())?;
        if known.record.standing == RoomStanding::Offered {
            return None;
        }
        self.pairs.of_group(known.record.conversation)
    }

    /// Whether a room is a pair, which no face shows as a room.
    pub(super) fn is_pair(&self, room: RoomId) -> bool {
        self.pair_in(room).is_some()
    }

    /// Knows a pair from now on. Of too many the first goes that is not here any more.
    fn note_pair(&mut self, call: &mut Call<'_, '_>, pair: PairRecord) -> Result<(), StorageError> {
        let pairs = &mut self.pairs.record.pairs;
        pairs.retain(|one| one.group != pair.group);
        if pairs.len() >= MOST_PAIRS {
            let (conversations, rooms) = (&self.conversations, &self.rooms);
            let goes_on = |one: &PairRecord| {
                let room = conversations.get(&one.group).copied().map(RoomId::at);
                let standing = room.and_then(|room| rooms.standing(room));
                matches!(standing, Some(RoomStanding::Member | RoomStanding::Joining))
            };
            let gone = |one: &PairRecord| !conversations.contains_key(&one.group);
            // Whom I forgot is to stay forgotten.
            let over = pairs.iter().position(|one| gone(one) && !one.forgotten);
            let over = over.or_else(|| pairs.iter().position(gone));
            let over = over.or_else(|| pairs.iter().position(|one| !goes_on(one)));
            pairs.remove(over.unwrap_or(0));
        }
        pairs.push(pair);
        self.save_pairs(call)
    }

    /// Looks after who wants a pair, and tells devices what they were not told.
    pub(super) fn tend_pairs(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if !core::mem::take(&mut self.pairs.looks) {
            return Ok(());
        }
        self.leave_replaced_pairs(call)?;
        self.want_pairs(call)?;
        self.tell_of_pairs(call)
    }
}
