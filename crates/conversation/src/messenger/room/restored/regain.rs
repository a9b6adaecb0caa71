//! Getting back into rooms that a backup brought.
//!
//! What MLS knew of them then is not used again. So whoever put the backup back asks
//! contacts who are in the room, one after the other, until a steward among them lets a
//! fresh leaf in and removes the lost one (`rfcs/0027-groups-put-back.md`).
//!
//! ```text
//! restored                     steward
//!    │ return ────────────────▶ │   in their conversation of two, begun anew before
//!    │ ◀───────────────── offer │
//!    │ answer ────────────────▶ │   and so on, as offered rooms go
//! ```

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use crate::branches::{Keeper, Lent, Wish};
use crate::content::{RoomStep, RoomWord};
use crate::messenger::room::entry::OFFER_LIFE;
use crate::messenger::room::{Room, key};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    AskedRecord, RoomOfferRecord, RoomReturnRecord, RoomReturnersRecord, RoomStanding, Standing,
};
use crate::view::PendingView;
use crate::{ContactId, ConversationId, MemberId, RoomId};

/// How long who was asked has before somebody else is.
const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How long until the same is asked again, and what they asked before is offered again.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// How long an answer waits for its Welcome before somebody else is asked, and who asked
/// to be let in again may answer.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Whether something was lately. What a clock put into the future is over.
fn lately(since: Timestamp, span: Duration, now: Timestamp) -> bool {
    since <= now && now < since + span
}

impl Room {
    /// The leaves in it that are a contact's, by their own word: not other devices of
    /// theirs, one of which may have thrown that out by which they talk with me.
    pub(in crate::messenger) fn leaves_of(&self, contact: ContactId) -> Vec<MemberId> {
        let theirs = self.others().filter(|one| one.contact == Some(contact));
        theirs.map(|one| one.member).collect()
    }

    /// The contacts with a leaf in it.
    fn acquaintances(&self) -> Vec<ContactId> {
        let mut all: Vec<_> = self.others().filter_map(|one| one.contact).collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

impl Messenger {
    /// Tells faces which rooms a backup brought.
    pub(in crate::messenger) fn tell_restoring_rooms(&mut self) {
        let records = self.rooms.records();
        let restoring = records.filter(|one| one.standing == RoomStanding::Restoring);
        for room in restoring.map(|one| one.id).collect::<Vec<_>>() {
            self.tell_room(room);
        }
    }

    /// A conversation was begun anew after my backup: the contact may let me into rooms.
    pub(in crate::messenger) fn ask_to_return(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        for room in self.rooms.by_id.keys().copied().collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.return_further(call, room)
            })?;
        }
        Ok(())
    }

    /// Asks the next one to be let in again, if it is time, and lets go of what was
    /// asked once I am back, or nobody let me in for long.
    pub(in crate::messenger) fn return_further(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        if self.found_after_wait(call, room)? {
            return Ok(());
        }
        let asked = RoomReturnRecord::of(call.storage, room)?;
        let record = &mut self.rooms.find(room)?.record;
        match (record.standing, asked) {
            (RoomStanding::Member, None) => self.tell_followers(call, room),
            (RoomStanding::Restoring, Some(asked)) if !lately(asked.since, OFFER_LIFE, now) => {
                record.standing = RoomStanding::Broken;
                self.save_room(call, room)?;
                RoomReturnRecord::clear(call.storage, room)?;
                self.tell_room(room);
                Ok(())
            }
            (RoomStanding::Restoring, Some(asked)) => self.ask_next(call, room, asked),
            (RoomStanding::Restoring, None) => {
                let first = RoomReturnRecord {
                    since: now,
                    trusted: self.stewards_of_backup(call, room)?,
                    ..RoomReturnRecord::default()
                };
                self.ask_next(call, room, first)
            }
            (RoomStanding::Joining, Some(asked)) if !lately(record.since, WEEK, now) => {
                // A Welcome that comes late is still followed.
                record.standing = RoomStanding::Restoring;
                self.save_room(call, room)?;
                self.tell_room(room);
                self.ask_next(call, room, asked)
            }
            (RoomStanding::Joining, _) | (_, None) => Ok(()),
            (_, Some(asked)) => match asked.asked.iter().any(|one| lately(one.since, DAY, now)) {
                true => Ok(()),
                false => RoomReturnRecord::clear(call.storage, room),
            },
        }
    }

    fn ask_next(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mut record: RoomReturnRecord,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let mut asked = record.asked.iter();
        if asked.any(|one| lately(one.since, PATIENCE, now)) {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let conversation = known.record.conversation;
        let mut all = known.acquaintances();
        // Whoever was asked longest ago, a steward first.
        let last = |contact: &ContactId| {
            let mut asked = record.asked.iter();
            asked
                .find(|one| one.contact == *contact)
                .map(|one| one.since)
        };
        let is_trusted = |contact: &ContactId| record.trusted.iter().any(|(one, _)| one == contact);
        all.sort_by_key(|contact| (last(contact), !is_trusted(contact)));
        all.retain(|contact| !last(contact).is_some_and(|since| lately(since, DAY, now)));
        let ready = |one: &ContactId| {
            self.standing(*one) == Some(Standing::Established) && !self.is_blocked(*one)
        };
        let Some(contact) = all.into_iter().find(ready) else {
            return record.put(call.storage, room);
        };
        record.asked.retain(|one| one.contact != contact);
        record.asked.push(AskedRecord {
            contact,
            since: now,
        });
        record.put(call.storage, room)?;
        let word = RoomWord {
            room: conversation,
            step: RoomStep::Return,
        };
        self.say_of_room(call, contact, word)
    }

    /// The contacts who were stewards in the state that a backup brought, which is only
    /// read, and the keys of their leaves there.
    pub(super) fn stewards_of_backup(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Vec<(ContactId, [u8; 32])>, StorageError> {
        let known = self.rooms.by_id.get(&room);
        let Some(known) = known.filter(|one| !one.record.account.is_empty()) else {
            return Ok(Vec::new());
        };
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let Some(keeper) = Keeper::open(&mut lent, known.record.conversation)? else {
            return Ok(Vec::new());
        };
        let stewards = keeper.stewards()?;
        let leaves = known.others().filter_map(|leaf| {
            let mut stewards = stewards.iter();
            let steward = stewards.any(|one| one.as_bytes() == leaf.account);
            Some((leaf.contact.filter(|_| steward)?, key(&leaf.key)))
        });
        leaves.map(|(contact, key)| Ok((contact, key?))).collect()
    }

    /// A contact put a backup back and asks to be let into a room again. Their leaf
    /// has to be there: who was removed is not brought back by asking.
    pub(in crate::messenger) fn asked_back(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        conversation: ConversationId,
    ) -> Result<(), StorageError> {
        let place = self.conversations.get(&conversation);
        let Some(room) = place.map(|place| RoomId::at(*place)) else {
            return self.tell_of_founding(call, contact, conversation);
        };
        if !self.may_return(call, room, contact)? {
            return Ok(());
        }
        let now = call.cx.wall();
        let record = RoomReturnersRecord::of(call.storage, room)?;
        let mut record = record.unwrap_or_default();
        // As long as an answer may come, it is known to what.
        let waiting = &self.rooms.find(room)?.record.asked;
        let waits = |one: &AskedRecord| waiting.iter().any(|other| other.contact == one.contact);
        record.asked.retain(waits);
        let again = record.asked.iter().find(|one| one.contact == contact);
        if again.is_some_and(|one| lately(one.since, DAY, now)) {
            return Ok(());
        }
        record.asked.retain(|one| one.contact != contact);
        record.asked.push(AskedRecord {
            contact,
            since: now,
        });
        record.put(call.storage, room)?;
        self.within(call, room.place(), |this, call| {
            this.put_offer(call, room, contact)
        })
    }

    /// Whether a contact may be let into a room without a person's word, as whoever is in
    /// it: their conversation was begun anew, and their leaf is there, is not about to be
    /// removed, and is one that I may remove.
    fn may_return(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let anew = self
            .people
            .get(&contact)
            .is_some_and(|one| one.era.group.is_some());
        if !anew || self.my_stewardship(room).is_err() {
            return Ok(false);
        }
        if self.is_to_come_along(call, room, contact)? {
            return Ok(true);
        }
        Ok(!self.removable(room, contact)?.is_empty())
    }

    /// The leaves of a contact that I may remove, and do not want removed anyhow.
    pub(in crate::messenger) fn removable(
        &mut self,
        room: RoomId,
        contact: ContactId,
    ) -> Result<Vec<MemberId>, StorageError> {
        let known = self.rooms.find(room)?;
        let going = known.pending.clone();
        let mut leaves = known.leaves_of(contact);
        let going = |leaf: MemberId| going.contains(&PendingView::Remove(known.person(leaf)));
        leaves.retain(|leaf| !going(*leaf));
        let mut found = Vec::new();
        for leaf in leaves {
            match self.under_me(room, leaf) {
                Ok(_) => found.push(leaf),
                Err(Stop::Storage(error)) => return Err(error),
                Err(Stop::Refused(_)) => {}
            }
        }
        Ok(found)
    }

    /// Whether an answer may be taken, as far as it is one to what a contact asked for:
    /// then only for a while, and as long as they may be let in so.
    pub(in crate::messenger) fn may_answer(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<bool, StorageError> {
        let now = call.cx.wall();
        let Some(mut record) = RoomReturnersRecord::of(call.storage, room)? else {
            return Ok(true);
        };
        let Some(at) = record.asked.iter().position(|one| one.contact == contact) else {
            return Ok(true);
        };
        let mark = record.asked.remove(at);
        record.put(call.storage, room)?;
        Ok(lately(mark.since, WEEK, now) && self.may_return(call, room, contact)?)
    }

    /// A person asks a contact in: that they asked themselves counts no more.
    pub(in crate::messenger) fn unmark(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let Some(mut record) = RoomReturnersRecord::of(call.storage, room)? else {
            return Ok(());
        };
        record.asked.retain(|one| one.contact != contact);
        record.put(call.storage, room)
    }

    /// The room of an offer that I asked for: by the contact I asked, for the leaf of
    /// theirs that was a steward's in my backup, or by who founded the room anew. Whatever
    /// else is offered is for a person to decide.
    pub(in crate::messenger) fn asked_of(
        &mut self,
        call: &mut Call<'_, '_>,
        offer: &RoomOfferRecord,
        conversation: ConversationId,
    ) -> Result<Option<RoomId>, StorageError> {
        let place = self.conversations.get(&conversation);
        let Some(room) = place.map(|place| RoomId::at(*place)) else {
            return Ok(None);
        };
        let Some(record) = RoomReturnRecord::of(call.storage, room)? else {
            return Ok(None);
        };
        if !record.asked.iter().any(|one| one.contact == offer.by) {
            return Ok(None);
        }
        Ok(match self.rooms.find(room)?.record.standing {
            // Another let me in before, or is about to.
            RoomStanding::Joining | RoomStanding::Member => Some(room),
            _ => {
                let asked_for = record.trusted.contains(&(offer.by, offer.key));
                asked_for.then_some(room)
            }
        })
    }

    /// Whom I asked offers me the room: I said already that I want to be in it. Another
    /// may have done so before them.
    pub(in crate::messenger) fn let_in_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        offer: RoomOfferRecord,
        size: u32,
    ) -> Result<(), StorageError> {
        let record = &mut self.rooms.find(room)?.record;
        if record.standing != RoomStanding::Restoring {
            return Ok(());
        }
        record.offered_by = Some(offer.by);
        record.told_size = size;
        self.within(call, room.place(), |this, call| {
            this.clear_broken(call, room)?;
            this.set_out(call, room, offer)
        })
    }

    /// Removes the leaves of a contact who comes back as another; other devices of theirs
    /// stay.
    pub(in crate::messenger) fn remove_lost(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        lost: &[MemberId],
    ) -> Result<(), StorageError> {
        for member in lost {
            let known = self.rooms.find(room)?.members.get(member);
            let Some(leaf) = known.map(|one| one.key.clone()) else {
                continue;
            };
            if self.under_me(room, *member).is_ok() {
                self.want(call, room, Wish::RemoveLeaf(leaf))?;
            }
        }
        Ok(())
    }
}
