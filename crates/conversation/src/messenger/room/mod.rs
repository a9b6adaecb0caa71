//! Rooms: conversations of many.
//!
//! What a room shares with a conversation of two stays where it was: messages,
//! their order, what changes them, how they are shown, found and read, letters
//! that wait, receipts that are owed. They are kept under the room's number, as
//! those of a contact under the contact's. Here is what differs: what is known of a
//! room ([`known`]) and who is in it ([`members`]), whose commits count and which were
//! missed ([`commits`]), how somebody gets in ([`entry`]), to whom a message leaves ([`say`],
//! again in [`again`]) and whom it reached ([`confirm`], [`pay`]), what comes in ([`listen`],
//! [`held`]), and who may change it ([`change`], [`leave`]). In a group too large to write to each
//! some pass on what others say ([`wide`]). An account's other devices are members of their own
//! ([`devices`]). [`found`] makes and forgets rooms, [`mailboxes`] are where I am written to in
//! them, which others take the place of ([`exposure`], [`rotation`], [`turn`]) and which are closed
//! then ([`closing`]), [`tend`] does what is due, [`ruin`] ends one that is damaged, [`restored`] gets back into
//! those that a backup brought.
//!
//! `protocol/rooms.md` says what members tell each other.

mod again;
mod cancel;
mod change;
mod closing;
mod commits;
mod confirm;
mod devices;
mod entry;
mod exposure;
mod found;
mod held;
mod known;
mod leave;
mod listen;
mod mailboxes;
mod members;
mod pay;
mod planned;
mod restored;
mod rotation;
mod ruin;
mod say;
mod size;
mod tend;
mod turn;
mod wide;

use std::collections::BTreeMap;

use again::Pieces;
use hushwing_sansio::{Moment, StorageError};

use super::broken::is_damage;
use super::device::MOST_DEVICES;
use super::{Call, Messenger};
use crate::branches::{AccountId, Keeper, Lent};
use crate::storage::{RoomRecord, RoomStanding};
use crate::{ContactId, ConversationId, Event, MemberId, Refusal, RoomId, Storage};

use commits::Missing;
pub(super) use confirm::{counted, reached_by_each};
use devices::{Comes, Pages};
use entry::Greetings;
pub(super) use found::usable;
use held::Held;
pub(super) use known::Room;
pub use size::GroupSize;
use wide::{Counts, Passing, Signs, Unheard};

/// Leaves of one account of a room.
const MOST_OF_ONE: u16 = MOST_DEVICES;
/// Rooms of one profile, offered ones included; and as many pairs.
pub(super) const MOST_ROOMS: usize = 128;
/// Members of a room that are remembered, former ones included.
const MOST_REMEMBERED: usize = 1_024;

/// All rooms of a profile.
#[derive(Default)]
pub(super) struct Rooms {
    by_id: BTreeMap<RoomId, Room>,
    keepers: BTreeMap<RoomId, Keeper>,
    of_member: BTreeMap<MemberId, RoomId>,
    /// Letters with commits of mine that no network took yet.
    publishing: BTreeMap<u64, RoomId>,
    missing: Missing,
    greetings: Greetings,
    /// What is said again to single members.
    again: Pieces,
    /// Which states letters wait for.
    held: Held,
    /// What I may have to pass on.
    passing: Passing,
    /// What others may not have passed on.
    unheard: Unheard,
    /// Receipts for others.
    counts: Counts,
    /// Which heralds are there.
    signs: Signs,
    /// How often devices asked to come.
    comes: Comes,
    /// What devices hand each other of what was said.
    pages: Pages,
    /// When mailboxes were last replaced in time in this run.
    rotated: Option<Moment>,
}

impl Rooms {
    /// Reads all rooms; of those whose members or messages are damaged it gives
    /// the places.
    pub(super) fn open(storage: &dyn Storage) -> Result<(Self, Vec<ContactId>), StorageError> {
        let mut rooms = Self::default();
        let mut damaged = Vec::new();
        for record in storage.rooms()? {
            let record = record.unwrap_or_else(|room| {
                damaged.push(room.id.place());
                room.stand_in()
            });
            let id = record.id;
            let mut room = Room::new(record);
            match room.read(storage) {
                Ok(()) => {}
                Err(error) if is_damage(&error) => damaged.push(id.place()),
                Err(error) => return Err(error),
            }
            let numbers = room.members.keys();
            rooms.of_member.extend(numbers.map(|member| (*member, id)));
            let letters = room.record.publishing.iter().flat_map(|one| &one.letters);
            rooms.publishing.extend(letters.map(|letter| (*letter, id)));
            rooms.by_id.insert(id, room);
        }
        Ok((rooms, damaged))
    }

    pub(super) fn get(&self, place: ContactId) -> Option<&Room> {
        self.by_id.get(&RoomId::at(place))
    }

    pub(super) fn get_mut(&mut self, place: ContactId) -> Option<&mut Room> {
        self.by_id.get_mut(&RoomId::at(place))
    }

    /// The places of those I entered or am about to.
    pub(super) fn entered(&self) -> impl Iterator<Item = ContactId> {
        let entered = self.records();
        let entered = entered.filter(|record| record.standing != RoomStanding::Offered);
        entered.map(|record| record.id.place())
    }

    /// The contact that a member is, where that is known.
    pub(super) fn contact_of(&self, room: RoomId, member: MemberId) -> Option<ContactId> {
        self.by_id.get(&room)?.contact_of(member)
    }

    /// All places where something of a room lies.
    pub(super) fn places(&self) -> impl Iterator<Item = ContactId> {
        self.by_id.keys().map(|room| room.place())
    }

    /// Whether any room has that name, those included that were only offered.
    pub(super) fn knows(&self, conversation: ConversationId) -> bool {
        self.records()
            .any(|record| record.conversation == conversation)
    }

    fn records(&self) -> impl Iterator<Item = &RoomRecord> {
        self.by_id.values().map(|room| &room.record)
    }

    /// Which rooms are whose conversations. What is only offered is none yet: a
    /// contact may offer what they like.
    pub(super) fn conversations(&self) -> Vec<(ConversationId, ContactId)> {
        let entered = self.records();
        let entered = entered.filter(|record| record.standing != RoomStanding::Offered);
        let mut entered: Vec<_> = entered.collect();
        // What only stands for a damaged record stands behind all others.
        entered.sort_by_key(|record| !record.account.is_empty());
        let place = |record: &&RoomRecord| (record.conversation, record.id.place());
        entered.iter().map(place).collect()
    }

    /// When something is due here.
    pub(super) fn due(&self) -> Option<Moment> {
        let keepers = self.keepers.values().filter_map(Keeper::poll_timeout);
        let greetings = self.by_id.values().filter_map(|room| room.greets);
        let moves = self.by_id.values().filter_map(|room| room.moves);
        let closes = self.by_id.values().filter_map(|room| room.closes);
        let closes = closes.map(|look| look.at);
        let renewals = self.by_id.values().filter_map(|room| room.renewal.due());
        let doubts = self.by_id.values().filter_map(Room::doubt_ends);
        let others = [
            self.missing.due(),
            self.again.due(),
            self.held.due(),
            self.passing.due(),
            self.unheard.due(),
            self.counts.due(),
            self.pages.due(),
        ];
        let others = others.into_iter().flatten();
        let timed = keepers.chain(greetings).chain(moves).chain(closes);
        let timed = timed.chain(renewals).chain(doubts);
        timed.chain(others).min()
    }

    /// Whether the others go on in states that have nothing in common with mine.
    pub(super) fn is_stranded(&self, room: RoomId) -> bool {
        self.keepers.get(&room).is_some_and(Keeper::is_stranded)
    }

    /// The epoch of the state that is followed, if it is at hand.
    pub(super) fn epoch_in(&self, room: RoomId) -> Option<u64> {
        self.keepers.get(&room).map(Keeper::epoch)
    }

    fn find(&mut self, room: RoomId) -> Result<&mut Room, StorageError> {
        let missing = || StorageError::corrupt("finding a room");
        self.by_id.get_mut(&room).ok_or_else(missing)
    }
}

fn account(bytes: &[u8]) -> Result<AccountId, StorageError> {
    let error = |error| StorageError::corrupt("reading an account").because(error);
    AccountId::try_from(bytes).map_err(error)
}

/// The key of a leaf, as it is told.
fn key(bytes: &[u8]) -> Result<[u8; 32], StorageError> {
    let error = |error| StorageError::corrupt("reading the key of a leaf").because(error);
    bytes.try_into().map_err(error)
}

impl Messenger {
    /// Does something with the keeper of a room's branches.
    fn keeper<T>(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        act: impl FnOnce(&mut Keeper, &mut Lent<'_, '_>) -> Result<T, StorageError>,
    ) -> Result<T, StorageError> {
        let id = self.rooms.find(room)?.record.conversation;
        let known = self.rooms.keepers.remove(&room);
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let missing = || StorageError::corrupt("finding the branches of a room");
        let mut keeper = match known {
            Some(keeper) => keeper,
            None => Keeper::open(&mut lent, id)?.ok_or_else(missing)?,
        };
        let outcome = act(&mut keeper, &mut lent)?;
        self.rooms.keepers.insert(room, keeper);
        Ok(outcome)
    }

    /// The room a command names.
    fn room(&mut self, room: RoomId) -> Result<&mut Room, Refusal> {
        let hidden = self.devices.meet_in(room) || self.is_pair(room);
        let known = self.rooms.by_id.get_mut(&room);
        let channel = self.channels.get(room.place()).is_some();
        known.filter(|_| !hidden).ok_or(match channel {
            true => Refusal::NotInChannels,
            false => Refusal::NoRoom,
        })
    }

    /// The room a command names, if I am in it.
    fn my_room(&mut self, room: RoomId) -> Result<&mut Room, Refusal> {
        let room = self.room(room)?;
        match room.record.standing {
            RoomStanding::Member => Ok(room),
            RoomStanding::Broken => Err(Refusal::RoomBroken),
            RoomStanding::Restoring => Err(Refusal::RoomRestoring),
            _ => Err(Refusal::NotInRoom),
        }
    }

    /// Whether something may be said in the room at a place; `None` if none is
    /// there.
    pub(super) fn may_speak_in(&self, place: ContactId) -> Option<Result<(), Refusal>> {
        let room = self.rooms.get(place)?;
        if self.devices.meet_in(room.record.id) {
            return Some(Err(Refusal::NoRoom));
        }
        if self.is_blocked_pair(room.record.id) {
            return Some(Err(Refusal::Blocked));
        }
        if self.is_usurped_pair(room.record.id) {
            return Some(Err(Refusal::PairOver));
        }
        Some(match room.record.standing {
            RoomStanding::Member => {
                let most = self.config.group_size.most();
                match room.size() > most {
                    true => Err(Refusal::RoomFull { most }),
                    false => Ok(()),
                }
            }
            RoomStanding::Broken | RoomStanding::Restoring if self.is_pair(room.record.id) => {
                Err(Refusal::PairOver)
            }
            RoomStanding::Broken => Err(Refusal::RoomBroken),
            RoomStanding::Restoring => Err(Refusal::RoomRestoring),
            _ if self.is_pair(room.record.id) => Err(Refusal::PairOver),
            _ => Err(Refusal::NotInRoom),
        })
    }

    fn save_room(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        call.storage.put_room(record)
    }

    /// What a room that ends had in mind for others goes.
    fn forget_wide(&mut self, room: RoomId) {
        self.rooms.passing.forget(room);
        self.rooms.unheard.forget(room);
        self.rooms.counts.forget(room);
    }

    /// Tells faces how a room is now, unless they are about to be told just that.
    fn tell_room(&mut self, room: RoomId) {
        if self.devices.meet_in(room) {
            return self.tell_devices();
        }
        if self.is_pair(room) {
            return self.tell_pair(room);
        }
        let Some(view) = self.rooms.by_id.get(&room).map(Room::view) else {
            return;
        };
        let view = self.as_seen_here(view);
        let event = match view.standing {
            RoomStanding::Offered => Event::RoomOffered(view),
            _ => Event::Room(view),
        };
        let told = self.events.iter().rev().find(|event| {
            matches!(event, Event::Room(view) | Event::RoomOffered(view) if view.room == room)
        });
        if told != Some(&event) {
            self.tell(event);
        }
    }
}
