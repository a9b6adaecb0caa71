//! Asking a contact in, and being asked.
//!
//! ```text
//! steward                      contact
//!    │ offer ─────────────────▶ │   in their conversation of two
//!    │ ◀──────────────── answer │   key package, name, mailbox of the room
//!    │ Welcome, roster ───────▶ │   to that mailbox
//!    │ ◀────────────── greeting │   to all
//! ```

use core::time::Duration;

use hushwing_sansio::StorageError;

use crate::branches::{Keeper, MemberPackage, Wish};
use crate::content::{Content, Entry, RoomStep, RoomWord};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{AskedRecord, RoomOfferRecord, RoomRecord, RoomStanding, Standing};
use crate::{ContactId, ConversationId, DropReason, Refusal, Reply, RoomId};

/// Offers of one contact that wait for my decision.
const MOST_WAITING: usize = 8;
/// How long an offer waits, and an answer for its Welcome.
pub(in crate::messenger) const OFFER_LIFE: Duration = Duration::from_secs(21 * 24 * 60 * 60);

impl Messenger {
    /// Asks a contact whether they want to be in a room.
    pub(in crate::messenger) fn offer_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        let most = self.config.group_size.most();
        let known = self.my_stewardship(room)?;
        let most = most.min(known.most);
        let mut present = known.members.values().filter(|member| member.present);
        let there = present.any(|member| known.contact_of(member.member) == Some(contact));
        if there {
            return Err(Refusal::InRoomAlready.into());
        }
        // Who refused is not heard of: whoever was asked may be asked again.
        let again = known.record.asked.iter().any(|one| one.contact == contact);
        if !again && !self.has_place_for(room, contact)? {
            return Err(Refusal::RoomFull { most }.into());
        }
        self.may_be_asked(contact)?;
        self.unmark(call, room, contact)?;
        self.put_offer(call, room, contact)?;
        self.show_room(room)
    }

    /// Takes an offer back, unless it was answered.
    pub(in crate::messenger) fn take_offer_back(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        let record = &mut self.my_stewardship(room)?.record;
        let before = record.asked.len();
        record.asked.retain(|one| one.contact != contact);
        if record.asked.len() == before {
            return Err(Refusal::NoMember.into());
        }
        let word = RoomWord {
            room: record.conversation,
            step: RoomStep::Withdrawn,
        };
        self.save_room(call, room)?;
        self.say_of_room(call, contact, word)?;
        self.tell_room(room);
        self.show_room(room)
    }

    /// A contact does not ask me into a room any more.
    fn offer_withdrawn(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        conversation: ConversationId,
    ) -> Result<(), StorageError> {
        let records = self.rooms.records();
        let waits = records.filter(|record| {
            let offer = record.offer.as_ref();
            let open = matches!(
                record.standing,
                RoomStanding::Offered | RoomStanding::Joining
            );
            let by = offer.is_some_and(|offer| offer.by == contact);
            open && by && record.conversation == conversation
        });
        for room in waits.map(|record| record.id).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.withdraw_from(call, room)
            })?;
        }
        Ok(())
    }

    /// Offers a room to a contact who may be in it.
    pub(in crate::messenger) fn put_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let (since, id) = (call.cx.wall(), call.cx.random());
        let known = self.rooms.find(room)?;
        known.record.asked.retain(|one| one.contact != contact);
        known.record.asked.push(AskedRecord { contact, since });
        let coming = known.record.asked.len();
        let key = known.key.as_slice().try_into();
        let word = RoomWord {
            room: known.record.conversation,
            step: RoomStep::Offer {
                name: known.record.name.clone(),
                size: u32::try_from(known.size()).unwrap_or(u32::MAX),
                key: key.map_err(|_| StorageError::corrupt("naming my leaf"))?,
                id,
            },
        };
        self.save_room(call, room)?;
        self.within(call, room.place(), |this, call| {
            this.name_heralds(call, room, coming)
        })?;
        self.say_of_room(call, contact, word)?;
        self.tell_room(room);
        Ok(())
    }

    /// Says something about a room to a contact, in their conversation alone.
    pub(in crate::messenger) fn say_of_room(
        &mut self,
        call: &mut Call<'_, '_>,
        to: ContactId,
        word: RoomWord,
    ) -> Result<(), StorageError> {
        if self.standing(to) != Some(Standing::Established) || self.is_blocked(to) {
            return Ok(());
        }
        let content = Content::Room(word);
        self.within(call, to, |this, call| this.say_control(call, to, &content))
    }

    /// A contact said something about a room. It does the same once and often.
    pub(in crate::messenger) fn heard_of_room(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        word: &RoomWord,
    ) -> Result<(), StorageError> {
        let standing = self.standing(contact);
        let established = standing == Some(Standing::Established);
        // An offer may overtake the answer to me who opened their link.
        let asked = standing == Some(Standing::Asked);
        match &word.step {
            RoomStep::Offer {
                name,
                size,
                key,
                id,
            } if established || asked => {
                let offer = RoomOfferRecord {
                    by: contact,
                    key: *key,
                    id: *id,
                    decided: false,
                };
                self.room_offered(call, offer, word.room, name, *size)
            }
            RoomStep::PairWanted(turn) if established => self.pair_wanted(call, contact, *turn),
            RoomStep::PairOffered { turn, key, id } if established => {
                let offer = RoomOfferRecord {
                    by: contact,
                    key: *key,
                    id: *id,
                    decided: true,
                };
                self.pair_offered(call, contact, word.room, (*turn, offer))
            }
            RoomStep::Answer { package, entry } if established => {
                if self.pair_answered(call, contact, word.room, (package, entry))? {
                    return Ok(());
                }
                self.room_answered(call, contact, word.room, package, entry)
            }
            RoomStep::Return if established => self.asked_back(call, contact, word.room),
            RoomStep::Withdrawn if established || asked => {
                self.offer_withdrawn(call, contact, word.room)
            }
            RoomStep::Anew(claim) if established => {
                self.founded_anew(call, contact, word.room, claim)
            }
            _ => self.drop_letter(Some(contact), DropReason::Room),
        }
    }

    fn room_offered(
        &mut self,
        call: &mut Call<'_, '_>,
        offer: RoomOfferRecord,
        conversation: ConversationId,
        name: &str,
        size: u32,
    ) -> Result<(), StorageError> {
        let contact = offer.by;
        if !self.is_news(&offer, conversation) {
            return Ok(());
        }
        if let Some(room) = self.asked_of(call, &offer, conversation)? {
            return self.let_in_again(call, room, offer, size);
        }
        let waits = self.rooms.records().find(|record| {
            record.standing == RoomStanding::Offered
                && record.conversation == conversation
                && record.offered_by == Some(contact)
        });
        if let Some(room) = waits.map(|record| record.id) {
            // They asked before: as another leaf, or I have not decided for long.
            let since = call.cx.wall();
            let record = &mut self.rooms.find(room)?.record;
            record.offer = Some(offer);
            record.told_size = size;
            record.since = since;
            self.save_room(call, room)?;
            return self.enter_by_link(call, contact);
        }
        let records = self.rooms.records();
        let waiting = records.filter(|record| {
            record.standing == RoomStanding::Offered && record.offered_by == Some(contact)
        });
        if waiting.count() >= MOST_WAITING || !self.has_place_for_group() {
            return self.drop_letter(Some(contact), DropReason::TooManyRooms);
        }
        let record = RoomRecord {
            told_size: size,
            offered_by: Some(contact),
            offer: Some(offer),
            ..self.new_room(call, conversation, name)?
        };
        let room = record.id;
        self.add_room(call, record)?;
        self.tell_room(room);
        self.enter_by_link(call, contact)
    }

    /// Whether an offer is none that came before. It is its author's alone: it hides
    /// no other, and is nothing to a room I am in or was in, until I accept it.
    fn is_news(&self, offer: &RoomOfferRecord, conversation: ConversationId) -> bool {
        let mut records = self.rooms.records();
        let repeated = records.any(|record| {
            let known = record.offer.as_ref();
            let the_same = known.is_some_and(|one| (one.by, one.id) == (offer.by, offer.id));
            record.conversation == conversation && the_same
        });
        let place = self.conversations.get(&conversation);
        // Nobody's id but that of a conversation with somebody, or of a pair.
        let elsewhere = place.is_some_and(|place| {
            self.rooms.get(*place).is_none() || self.is_pair(RoomId::at(*place))
        });
        !repeated && !elsewhere
    }

    /// The room that an accepted offer is of: the one I was in before, which goes
    /// on with what was said in it, or else the offer itself. I may still be in it,
    /// and have been removed without knowing.
    fn room_of_offer(&mut self, call: &mut Call<'_, '_>, offer: RoomId) -> Result<RoomId, Stop> {
        let record = self.room(offer)?.record.clone();
        let before = self.conversations.get(&record.conversation);
        let Some(room) = before.map(|place| RoomId::at(*place)) else {
            self.conversations
                .insert(record.conversation, offer.place());
            return Ok(offer);
        };
        let known = self.room(room)?;
        if known.holds_office() {
            return Err(Refusal::StillSteward.into());
        }
        known.record.offered_by = record.offered_by;
        known.record.told_size = record.told_size;
        if matches!(
            known.record.standing,
            RoomStanding::Broken | RoomStanding::Restoring
        ) {
            self.clear_broken(call, room)?;
        }
        self.remove_offer(call, offer)?;
        Ok(room)
    }

    /// Lets go of what a room that cannot go on is kept by, and of what of it may be
    /// damaged. What was said stays: I enter it anew, as another leaf.
    pub(in crate::messenger) fn clear_broken(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let (record, members) = (known.record.clone(), known.members.clone());
        self.rooms.keepers.remove(&room);
        Keeper::forget(&mut *call.storage, record.conversation)?;
        call.storage.remove_room(room)?;
        call.storage.put_room(&record)?;
        members
            .values()
            .try_for_each(|member| call.storage.put_member(member))
    }

    /// I want to be in a room that was offered: a mailbox for it is made, and
    /// then the answer leaves.
    pub(in crate::messenger) fn accept_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let record = &self.room(room)?.record;
        let offered_as = record.conversation;
        let offered = record.standing == RoomStanding::Offered;
        let offer = record.offer.clone().filter(|_| offered);
        let offer = offer.ok_or(Refusal::NotARequest)?;
        self.may_be_asked(offer.by)?;
        let room = self.room_of_offer(call, room)?;
        self.end_consents(call, offered_as)?;
        self.set_out(call, room, offer)?;
        self.show_room(room)
    }

    /// I am to be in a room as another leaf than before, if I was in it.
    pub(in crate::messenger) fn set_out(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        offer: RoomOfferRecord,
    ) -> Result<(), StorageError> {
        self.end_entry(call, room)?;
        let (now, name) = (call.cx.wall(), self.config.name.clone());
        let record = &mut self.rooms.find(room)?.record;
        record.standing = RoomStanding::Joining;
        record.ended = None;
        record.may_return = false;
        record.since = now;
        record.offer = Some(RoomOfferRecord {
            decided: true,
            ..offer
        });
        if record.my_name.is_empty() {
            record.my_name = name;
        }
        self.save_room(call, room)?;
        self.open_room_mailbox(call, room)?;
        self.tell_room(room);
        Ok(())
    }

    /// I was in a room before, as another leaf: should it still be there, it is to
    /// be removed, and nothing of it is waited for.
    fn end_entry(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        if self.rooms.find(room)?.is_mine() {
            self.say_leave(call, room)?;
        }
        self.forget_package(call, room)?;
        self.fail_said(call, room)?;
        self.rooms.find(room)?.record.asked.clear();
        self.retire_mailboxes(room, call.cx.wall())
    }

    /// I do not; nobody is told.
    pub(in crate::messenger) fn refuse_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Reply, Stop> {
        let record = &mut self.room(room)?.record;
        if !record.is_offered() {
            return Err(Refusal::NotARequest.into());
        }
        if let Some(offer) = &mut record.offer {
            offer.decided = true;
        }
        let refused = record.conversation;
        self.end_consents(call, refused)?;
        let record = &mut self.room(room)?.record;
        if record.standing == RoomStanding::Offered {
            self.withdraw_from(call, room)?;
        } else {
            self.save_room(call, room)?;
            self.tell_room(room);
        }
        Ok(Reply::Done)
    }

    /// Ends an offer, or an answer to one. What was said in it before stays.
    pub(in crate::messenger) fn withdraw_from(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        if known.record.standing == RoomStanding::Offered {
            return self.remove_offer(call, room);
        }
        if known.members.is_empty() {
            let hidden = self.is_pair(room);
            self.remove_room(call, room)?;
            if !hidden {
                self.tell(crate::Event::RoomForgotten { room });
            }
            return Ok(());
        }
        if self.devices.is_stale(room) {
            return self.restore_again(call, room);
        }
        // After a backup there is nothing by which a branch could bring me back.
        let kept = self.has_keeper(call, room)?;
        self.rooms.find(room)?.record.standing = match kept {
            true => RoomStanding::Left,
            false => RoomStanding::Broken,
        };
        self.forget_package(call, room)?;
        self.end_stay(call, room)?;
        self.tell_room(room);
        Ok(())
    }

    /// Somebody I asked wants to be in a room.
    fn room_answered(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        conversation: ConversationId,
        package: &[u8],
        entry: &Entry,
    ) -> Result<(), StorageError> {
        let place = self.conversations.get(&conversation).copied();
        let room = place.map(RoomId::at);
        let most = self.config.group_size.most();
        let Some(room) = room.filter(|room| self.rooms.by_id.contains_key(room)) else {
            return self.drop_letter(Some(contact), DropReason::Room);
        };
        let lost = self.removable(room, contact)?;
        let answers = self.may_answer(call, room, contact)?;
        let known = self.rooms.find(room)?;
        let most = most.min(known.most);
        let asked = known.record.asked.len();
        let mine = known.is_mine();
        let checked = MemberPackage::check(&self.crypto, package);
        let checked = checked.filter(|checked| checked.signature_key() == entry.key);
        let account = checked.as_ref().map(|checked| checked.account().clone());
        let Some(account) = account else {
            known.record.asked.retain(|one| one.contact != contact);
            self.save_room(call, room)?;
            return self.drop_letter(Some(contact), DropReason::Room);
        };
        let again = known.member_by(&account, &entry.key);
        let again = again.filter(|member| member.contact == Some(contact));
        if let Some(member) = again.filter(|_| mine).map(|member| member.member) {
            // Their mailbox was lost before they were in.
            return self.within(call, room.place(), |this, call| {
                this.learn(call, room, member, entry)
            });
        }
        // Nobody comes in as somebody who is or was there.
        let fresh = known
            .members
            .values()
            .all(|member| member.key != entry.key && member.account != account.as_bytes());
        let fits = fresh
            && known.is_mine()
            && known.is_steward(&known.record.account)
            && known.size() < most.saturating_add(lost.len())
            && answers;
        known.record.asked.retain(|one| one.contact != contact);
        if known.record.asked.len() == asked || !fits {
            return self.drop_letter(Some(contact), DropReason::Room);
        }
        self.save_room(call, room)?;
        self.came_along(call, room, contact)?;
        self.within(call, room.place(), |this, call| {
            let member = this.member_for(call, room, &account, &entry.key)?;
            let known = this.rooms.find(room)?;
            if let Some(mut record) = known.members.get(&member).cloned() {
                record.contact = Some(contact);
                this.save_member(call, record)?;
            }
            this.learn(call, room, member, entry)?;
            this.name_heralds(call, room, 1)?;
            this.remove_lost(call, room, &lost)?;
            this.want(call, room, Wish::Add(package.to_vec()))?;
            this.tell_room(room);
            Ok(())
        })
    }

    /// Lets go of offers nobody decided or answered.
    pub(in crate::messenger) fn sweep_rooms(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.offer_again_by_links(call)?;
        self.share_again(call)?;
        let now = call.cx.wall();
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            let known = self.rooms.find(room)?;
            let record = &mut known.record;
            let asked = record.asked.len();
            record.asked.retain(|one| now < one.since + OFFER_LIFE);
            let lapsed = record.asked.len() < asked;
            self.within(call, room.place(), |this, call| {
                this.return_further(call, room)
            })?;
            let record = &self.rooms.find(room)?.record;
            let over = matches!(
                record.standing,
                RoomStanding::Offered | RoomStanding::Joining
            ) && record.since + OFFER_LIFE <= now;
            if over {
                let by_device = record.package.as_ref();
                let by_device = by_device.is_some_and(|one| !self.people.contains_key(&one.by));
                self.within(call, room.place(), |this, call| {
                    this.withdraw_from(call, room)?;
                    // A device of mine tells me of it again.
                    match this.rooms.find(room) {
                        Ok(known) if by_device => {
                            known.record.may_return = true;
                            this.save_room(call, room)
                        }
                        _ => Ok(()),
                    }
                })?;
                continue;
            }
            if lapsed {
                self.save_room(call, room)?;
                self.tell_room(room);
            }
            self.within(call, room.place(), |this, call| this.tend_room(call, room))?;
        }
        Ok(())
    }
}
