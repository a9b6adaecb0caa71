//! Rooms: conversations of many.
//!
//! What a room shares with a conversation of two stays where it was: messages,
//! their order, what changes them, how they are shown, found and read, letters
//! that wait, receipts that are owed. They are kept under the room's number, as
//! those of a contact under the contact's. Here is what differs: whose commits
//! count ([`act`] does what the keeper of branches tells), how somebody gets in
//! ([`offer`], [`welcome`], [`enter`]), to whom a message leaves ([`say`]) and whom it reached
//! ([`confirm`]), what comes in ([`listen`]) and what was missed ([`fetch`]), and
//! who may change it ([`change`], [`leave`]). [`found`] makes and forgets rooms.
//!
//! `protocol/rooms.md` says what members tell each other.

mod act;
mod again;
mod cancel;
mod change;
mod confirm;
mod enter;
mod fetch;
mod found;
mod held;
mod leave;
mod listen;
mod offer;
mod pace;
mod roster;
mod say;
mod searches;
mod welcome;

use std::collections::BTreeMap;

use again::Pieces;
use hushwing_sansio::{Moment, StorageError};

use super::broken::is_damage;
use super::people::Tail;
use super::{Call, Messenger};
use crate::branches::{AccountId, Keeper, Lent};
use crate::content::{Lamport, Origin};
use crate::event::BreakReason;
use crate::storage::{ConversationRecord, MemberRecord, Position, RoomRecord, RoomStanding};
use crate::view::{MemberView, RoomView, Speaker};
use crate::{ContactId, ConversationId, Event, MemberId, Refusal, RoomId, Storage};

pub(super) use confirm::{counted, reached_by_each};
use enter::Greetings;
use fetch::Missing;
use held::Held;

/// Leaves of a room: an author writes to each of them.
pub(super) const MOST_MEMBERS: usize = MOST_LEAVES as usize;
/// The same, as the rules of its commits have it.
const MOST_LEAVES: u16 = 32;
/// Leaves of one account of a room, as long as nobody has several devices.
const MOST_OF_ONE: u16 = 1;
/// Rooms of one profile, offered ones included.
const MOST_ROOMS: usize = 128;
/// Members of a room that are remembered, former ones included.
const MOST_REMEMBERED: usize = 256;

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
}

/// A room with what would be slow to read for each message.
pub(super) struct Room {
    pub(super) record: RoomRecord,
    /// How I keep it.
    pub(super) kept: ConversationRecord,
    pub(super) members: BTreeMap<MemberId, MemberRecord>,
    pub(super) tail: Tail,
    /// Those in force, by account.
    stewards: Vec<AccountId>,
    /// Seconds after reading until what is said disappears.
    pub(super) disappear_after: Option<u32>,
    /// My leaf in the state that is followed, and its public signature key.
    leaf: u32,
    key: Vec<u8>,
    /// Changes of mine that a fork can still undo.
    changing: usize,
    /// When I greet, and when I greeted last in this run.
    greets: Option<Moment>,
    greeted: Option<Moment>,
    /// When the keeper is to look at the calendar.
    daily: Moment,
}

impl Room {
    fn new(record: RoomRecord) -> Self {
        Self {
            record,
            kept: ConversationRecord::default(),
            members: BTreeMap::new(),
            tail: Tail::new(),
            stewards: Vec::new(),
            disappear_after: None,
            leaf: 0,
            key: Vec::new(),
            changing: 0,
            greets: None,
            greeted: None,
            daily: Moment::default(),
        }
    }

    fn read(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        let members = storage.members(self.record.id)?.into_iter();
        self.members = members.map(|record| (record.member, record)).collect();
        let kept = storage.conversation(self.record.conversation)?;
        self.kept = kept.unwrap_or_default();
        let place = self.record.id.place();
        let lamport = storage.highest_lamport(place)?;
        self.tail.lamport = Lamport::new(lamport).unwrap_or(Lamport::MAX);
        self.tail.last = storage.last_position(place)?;
        Ok(())
    }

    /// The account I am here.
    fn account(&self) -> Result<AccountId, StorageError> {
        account(&self.record.account)
    }

    /// The member whose leaf has this key, present or past. An account alone says
    /// nothing: a steward can put another leaf under the account of who is out.
    fn member_by(&self, account: &AccountId, key: &[u8]) -> Option<&MemberRecord> {
        let mut members = self.members.values();
        members.find(|member| member.key == key && member.account == account.as_bytes())
    }

    /// The member of an account in the state that is followed.
    fn present_of(&self, account: &[u8]) -> Option<&MemberRecord> {
        let mut members = self.members.values();
        members.find(|member| member.present && member.account == account)
    }

    /// Those a message of mine is for.
    fn others(&self) -> impl Iterator<Item = &MemberRecord> {
        let members = self.members.values();
        members.filter(|member| member.present && !member.mine)
    }

    /// How many are in it.
    fn size(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.present)
            .count()
    }

    fn is_steward(&self, account: &[u8]) -> bool {
        self.stewards.iter().any(|one| one.as_bytes() == account)
    }

    /// Whether I am in it and may speak.
    fn is_mine(&self) -> bool {
        self.record.standing == RoomStanding::Member
    }

    /// The origin of what the leaf with this key says here.
    fn origin(&self, key: &[u8]) -> Result<Origin, StorageError> {
        Origin::new(key, &self.record.conversation.0)
            .ok_or_else(|| StorageError::corrupt("naming a speaker"))
    }

    /// Takes note of a message that is in the room now.
    fn note(&mut self, position: Position) {
        let lamport = Lamport::new(position.lamport).unwrap_or(Lamport::MAX);
        self.tail.lamport = self.tail.lamport.max(lamport);
        if self.tail.last.is_none_or(|last| last < position) {
            self.tail.last = Some(position);
        }
    }

    /// Who is named by the URI of a sender.
    pub(super) fn named_by(&self, uri: &str) -> Option<Speaker> {
        let mut members = self.members.values();
        let member = members.find(|member| Origin::sender_uri(&member.key) == uri)?;
        Some(match member.mine {
            true => Speaker::Me,
            false => Speaker::Member(member.member),
        })
    }

    /// What those present are called, and the URIs that name them.
    pub(super) fn names(&self) -> Vec<(&str, String)> {
        let present = self.members.values().filter(|member| member.present);
        present
            .map(|member| (member.name.as_str(), Origin::sender_uri(&member.key)))
            .collect()
    }

    fn view(&self) -> RoomView {
        // As whom I was here before says nothing to anybody.
        let shown = self.members.values();
        let shown = shown.filter(|member| !member.mine || member.key == self.key);
        let members = shown.map(|member| MemberView {
            member: member.member,
            name: member.name.clone(),
            me: member.mine,
            steward: member.present && self.is_steward(&member.account),
            present: member.present,
            reachable: !member.addresses.is_empty(),
            contact: member.contact,
        });
        let offered = matches!(
            self.record.standing,
            RoomStanding::Offered | RoomStanding::Joining
        );
        RoomView {
            room: self.record.id,
            conversation: self.record.conversation,
            name: self.record.name.clone(),
            standing: self.record.standing,
            offered_by: self.record.offered_by,
            offered: self.record.is_offered(),
            asked: self
                .record
                .asked
                .iter()
                .map(|asked| asked.contact)
                .collect(),
            members: members.collect(),
            size: match offered {
                true => usize::try_from(self.record.told_size).unwrap_or(usize::MAX),
                false => self.size(),
            },
            disappear_after: self.disappear_after,
            changing: self.changing,
            since: self.record.since,
        }
    }
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
        self.by_id.get(&room)?.members.get(&member)?.contact
    }

    /// All places where something of a room lies.
    pub(super) fn places(&self) -> impl Iterator<Item = ContactId> {
        self.by_id.keys().map(|room| room.place())
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
        let others = [self.missing.due(), self.again.due(), self.held.due()];
        let others = others.into_iter().flatten();
        keepers.chain(greetings).chain(others).min()
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
        self.rooms.by_id.get_mut(&room).ok_or(Refusal::NoRoom)
    }

    /// The room a command names, if I am in it.
    fn my_room(&mut self, room: RoomId) -> Result<&mut Room, Refusal> {
        let room = self.room(room)?;
        match room.record.standing {
            RoomStanding::Member => Ok(room),
            RoomStanding::Broken => Err(Refusal::Broken),
            _ => Err(Refusal::NotInRoom),
        }
    }

    /// Whether something may be said in the room at a place; `None` if none is
    /// there.
    pub(super) fn may_speak_in(&self, place: ContactId) -> Option<Result<(), Refusal>> {
        let room = self.rooms.get(place)?;
        Some(match room.record.standing {
            RoomStanding::Member if room.size() > MOST_MEMBERS => {
                Err(Refusal::RoomFull { most: MOST_MEMBERS })
            }
            RoomStanding::Member => Ok(()),
            RoomStanding::Broken => Err(Refusal::Broken),
            _ => Err(Refusal::NotInRoom),
        })
    }

    /// Those who hear what I say in a room; nobody if I am not in it.
    pub(super) fn listeners(&self, room: RoomId) -> Vec<MemberId> {
        let room = self.rooms.by_id.get(&room).filter(|room| room.is_mine());
        let others = room.into_iter().flat_map(Room::others);
        others.map(|member| member.member).collect()
    }

    fn save_room(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        call.storage.put_room(record)
    }

    /// Writes a member, and knows it from then on.
    fn save_member(
        &mut self,
        call: &mut Call<'_, '_>,
        record: MemberRecord,
    ) -> Result<(), StorageError> {
        call.storage.put_member(&record)?;
        self.rooms.of_member.insert(record.member, record.room);
        let room = self.rooms.find(record.room)?;
        room.members.insert(record.member, record);
        Ok(())
    }

    /// The member whose leaf has this key, made known if it was not.
    fn member_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        account: &AccountId,
        key: &[u8],
    ) -> Result<MemberId, StorageError> {
        let known = self.rooms.find(room)?;
        if let Some(member) = known.member_by(account, key) {
            return Ok(member.member);
        }
        let mine = known.key == key;
        if known.members.len() >= MOST_REMEMBERED {
            let mut members = known.members.values();
            let oldest = members.find(|member| !member.present);
            if let Some(oldest) = oldest.map(|member| member.member) {
                self.forget_member(call, room, oldest)?;
            }
        }
        let member = MemberId(call.storage.next_number()?);
        let record = MemberRecord {
            room,
            member,
            account: account.as_bytes().to_vec(),
            key: key.to_vec(),
            mine,
            name: String::new(),
            addresses: Vec::new(),
            revision: 0,
            contact: None,
            present: false,
            gone: None,
            welcome: None,
            stranded: None,
        };
        self.save_member(call, record)?;
        Ok(member)
    }

    /// Forgets somebody who is out.
    fn forget_member(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        self.call_back_welcome(call, room, member)?;
        self.give_up_on(call, &[member])?;
        self.debts.forget(member.place());
        self.notices.forget(member.place());
        self.rooms.find(room)?.members.remove(&member);
        self.rooms.of_member.remove(&member);
        self.rooms.missing.forget_member(member);
        self.rooms.greetings.forget(member);
        call.storage.remove_member(room, member)
    }

    /// Tells faces how a room is now, unless they are about to be told just that.
    fn tell_room(&mut self, room: RoomId) {
        let Some(view) = self.rooms.by_id.get(&room).map(Room::view) else {
            return;
        };
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

    /// Takes up what needs a clock.
    pub(super) fn wake_rooms(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                let record = &this.rooms.find(room)?.record;
                let (standing, bare) = (record.standing, record.mailbox.is_none());
                match standing {
                    RoomStanding::Member | RoomStanding::Leaving | RoomStanding::Left => {
                        this.refresh(call, room)?;
                        this.resume_pieces(call, room)?;
                        this.resume_room_debts(call, room)
                    }
                    RoomStanding::Joining if !bare => this.answer(call, room),
                    RoomStanding::Offered | RoomStanding::Joining | RoomStanding::Broken => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    /// Does what is due in rooms.
    pub(super) fn rooms_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let due = |at: Option<Moment>| at.is_some_and(|at| at <= now);
        let keepers = self.rooms.keepers.iter();
        let rested: Vec<_> = keepers
            .filter(|(_, keeper)| due(keeper.poll_timeout()))
            .map(|(room, _)| *room)
            .collect();
        for room in rested {
            self.tick(call, room)?;
        }
        let rooms = self.rooms.by_id.iter();
        let greeting: Vec<_> = rooms
            .filter(|(_, room)| due(room.greets))
            .map(|(room, _)| *room)
            .collect();
        for room in greeting {
            self.within(call, room.place(), |this, call| this.greet_now(call, room))?;
        }
        self.pieces_due(call)?;
        self.held_due(call)?;
        self.ask_for_missing(call)
    }

    fn tick(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        self.within(call, room.place(), |this, call| {
            let told = this.keeper(call, room, |keeper, lent| keeper.tick(lent))?;
            this.act_on(call, room, told)
        })
    }

    /// What is stored of a room is damaged: it goes no further, alone.
    pub(super) fn break_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.keepers.remove(&room);
        let place = room.place();
        let known = self.rooms.find(room)?;
        known.greets = None;
        known.record.standing = RoomStanding::Broken;
        known.record.asked.clear();
        let members: Vec<_> = known.members.keys().copied().collect();
        for publishing in core::mem::take(&mut known.record.publishing) {
            for letter in publishing.letters {
                self.rooms.publishing.remove(&letter);
                self.recall(call, letter)?;
            }
        }
        for member in members {
            self.debts.forget(member.place());
            self.notices.forget(member.place());
            self.rooms.again.forget(member);
        }
        self.rooms.missing.forget(room);
        self.rooms.held.forget(room);
        self.shelf.forget(place);
        call.storage.remove_all_held(place)?;
        self.give_up_said(call, room)?;
        self.save_room(call, room)?;
        self.tell(Event::Broken {
            contact: place,
            reason: BreakReason::Damaged,
        });
        self.tell_room(room);
        Ok(())
    }

    /// Whether the room at a place is broken.
    pub(super) fn is_broken_room(&self, place: ContactId) -> bool {
        let room = self.rooms.get(place);
        room.is_some_and(|room| room.record.standing == RoomStanding::Broken)
    }
}
