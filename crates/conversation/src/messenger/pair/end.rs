//! When a pair is over, or a device has no part in it any more.

use hushwing_sansio::StorageError;

use crate::messenger::{Call, Messenger};
use crate::storage::{PairRecord, RoomStanding};
use crate::{ContactId, ConversationId, MemberId, MessageState, Refusal, RoomId};

impl Messenger {
    /// I am in a pair: my other devices are told, and faces of the contact.
    pub(in crate::messenger) fn pair_entered(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.pairs.look();
        self.name_thread(room);
        let head = self.head_of(room.place());
        let turn = self.pair_in(room).map_or(0, |pair| pair.turn);
        if self.pair_of(head) == Some(room) {
            // It took the place of those: what was not confirmed there is said to nobody any
            // more. No timer was agreed while it was founded.
            self.fail_in_pairs(call, head, |_, before| before < turn)?;
            self.keep_changed(call, head, |kept| kept.timer.take().is_some())?;
        }
        self.tell_pair(room);
        self.tell_contact(head);
        self.tell_kept(call, room.place())
    }

    /// The conversation that goes on as a pair is at that place, if it is not here itself.
    pub(super) fn name_thread(&mut self, room: RoomId) {
        let Some(pair) = self.pair_in(room).cloned() else {
            return;
        };
        let first = self.conversations.entry(pair.conversation);
        first.or_insert(room.place());
    }

    /// The same for all of them.
    pub(in crate::messenger) fn name_threads(&mut self) {
        let mut pairs = self.pairs.record.pairs.clone();
        pairs.sort_by_key(|pair| (pair.turn, pair.group));
        for pair in pairs {
            let place = self.conversations.get(&pair.group).copied();
            if let Some(place) = place.filter(|place| self.rooms.get(*place).is_some()) {
                self.name_thread(RoomId::at(place));
            }
        }
    }

    /// Whether the pair with a contact cannot go on here: the other side speaks in states
    /// that have nothing in common with mine.
    pub(super) fn is_lost_pair(&self, contact: ContactId) -> bool {
        let least = self.least_turn(contact);
        let room = self.pair_of(contact);
        let turn = |room| self.pair_in(room).map_or(0, |pair| pair.turn);
        room.is_some_and(|room| self.rooms.is_stranded(room) || turn(room) < least)
    }

    /// The other side speaks in a state from which it does not come to mine any more: another
    /// pair takes the place of this one, by whoever has the conversation before.
    pub(in crate::messenger) fn pair_is_apart(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.get(room.place());
        let theirs = known.is_some_and(|known| {
            let by = known.members.get(&by);
            by.is_some_and(|by| by.account != known.record.account)
        });
        let turn = self.pair_in(room).map_or(0, |pair| pair.turn);
        let Some(contact) = self.contact_of_pair(room).filter(|_| theirs) else {
            return Ok(());
        };
        let pairing = self.pairs.with(contact);
        if pairing.least > turn {
            return Ok(());
        }
        pairing.least = turn.saturating_add(1);
        self.pairs.look();
        self.save_pairs(call)
    }

    /// Another state of a pair is followed. Once the device that the conversation before was
    /// begun with is thrown out of any, nothing is heard from it there either, nor in pairs
    /// that it is in or had founded since.
    pub(in crate::messenger) fn pair_turned(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let Some(contact) = self.contact_of_pair(room) else {
            return Ok(());
        };
        let before = (self.pairs.is_cut(contact), self.pair_of(contact));
        let pairs = self.pairs_of(contact).into_iter();
        let groups: Vec<_> = pairs.map(|(room, pair)| (room, pair.group)).collect();
        let mut rooms = groups.iter().map(|(room, _)| *room);
        // A pair that is over takes nothing back of what it said.
        let stands = |room| before.0 && self.is_without(room, contact);
        let cut = rooms.any(|room| self.threw_out(room, contact) || stands(room));
        if cut || before.0 {
            self.pairs.with(contact).cut = cut;
        }
        if (cut, self.pair_of(contact)) == before {
            return Ok(());
        }
        // My other devices go on where this one does.
        let told = &mut self.pairs.told;
        told.retain(|(_, told), _| !groups.iter().any(|(_, group)| group == told));
        self.pairs.look();
        self.save_pairs(call)?;
        match (before.0, cut) {
            (false, true) => self.cut_off(call, contact),
            (true, false) => self.speak_again(call, contact),
            _ => Ok(()),
        }
    }

    /// The device that a conversation was begun with was thrown out: what is under way to it,
    /// there or in pairs that it had founded since, goes nowhere any more.
    fn cut_off(&mut self, call: &mut Call<'_, '_>, contact: ContactId) -> Result<(), StorageError> {
        self.fall_silent(call, contact)?;
        for (message, state, _) in call.storage.on_the_way(contact)? {
            if matches!(state, MessageState::Queued | MessageState::Accepted) {
                self.not_sent(call, &message)?;
            }
        }
        self.end_with_others(call, contact, Refusal::Broken)?;
        let goes_on = self.pair_of(contact);
        self.fail_in_pairs(call, contact, |room, _| Some(room) != goes_on)
    }

    /// What is under way in those pairs of a conversation, and is not confirmed, is called back
    /// and shown as failed.
    pub(in crate::messenger) fn fail_in_pairs(
        &mut self,
        call: &mut Call<'_, '_>,
        head: ContactId,
        of: impl Fn(RoomId, u32) -> bool,
    ) -> Result<(), StorageError> {
        let pairs = self.pairs_of(head).into_iter();
        let pairs = pairs.filter(|(room, pair)| of(*room, pair.turn));
        let rooms: Vec<_> = pairs.map(|(room, _)| room).collect();
        rooms.into_iter().try_for_each(|room| {
            self.within(call, room.place(), |this, call| this.fail_said(call, room))
        })
    }

    /// The conversation is begun anew: no pair of before goes on. What my other devices have
    /// of it stays; the next pair has a higher number.
    pub(in crate::messenger) fn leave_pairs(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let next = self.pairs_of(contact).last().map(|(_, pair)| pair.turn + 1);
        if next.is_none() && !self.pairs.record.contacts.contains_key(&contact) {
            return Ok(());
        }
        let rooms: Vec<_> = self
            .pairs_of(contact)
            .into_iter()
            .map(|(room, _)| room)
            .collect();
        for room in rooms {
            self.within(call, room.place(), |this, call| {
                match this.rooms.standing(room) {
                    Some(RoomStanding::Member) => this.leave_pair(call, room),
                    Some(RoomStanding::Joining) => this.remove_room(call, room),
                    _ => Ok(()),
                }
            })?;
        }
        let pairing = self.pairs.with(contact);
        pairing.offered = None;
        pairing.answered = None;
        pairing.wanted = 0;
        pairing.least = pairing.least.max(next.unwrap_or(0));
        self.pairs.look();
        self.save_pairs(call)
    }

    /// Whoever is in a pair alone with own devices is told that it is over. This device hears
    /// of that in the conversation before, if it has the contact: one leaf of theirs alone, which may be
    /// stolen, ends no pair that others of them are in.
    pub(in crate::messenger) fn pair_left_by_them(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if self.contact_of_pair(room).is_some() {
            return Ok(());
        }
        // Said aloud, it would have the further devices of whoever left go as well: those that
        // are to throw out the one that said so, if it is stolen.
        self.end_pair(call, room)?;
        self.pairs.look();
        self.tell_pair(room);
        Ok(())
    }

    /// Forgets the pairs of a conversation, and all that was said in them.
    pub(in crate::messenger) fn forget_pairs(
        &mut self,
        call: &mut Call<'_, '_>,
        head: ContactId,
    ) -> Result<(), StorageError> {
        let name = self.thread_name(head);
        let rooms: Vec<_> = self
            .pairs_of(head)
            .into_iter()
            .map(|(room, _)| room)
            .collect();
        let record = &mut self.pairs.record;
        let of = |pair: &&mut PairRecord| Some(pair.conversation) == name;
        let pairs = record.pairs.iter_mut().filter(of);
        pairs.for_each(|pair| pair.forgotten = true);
        for room in rooms {
            self.remove_room(call, room)?;
        }
        let record = &mut self.pairs.record;
        record.contacts.remove(&head);
        record.known.retain(|one| Some(one.conversation) != name);
        self.save_pairs(call)
    }

    /// A room is forgotten: a thread that had its name from it has another. Of a pair that was
    /// not entered nothing is kept, unless the contact is forgotten with it.
    pub(in crate::messenger) fn pair_removed(
        &mut self,
        call: &mut Call<'_, '_>,
        (group, place): (ConversationId, ContactId),
        standing: RoomStanding,
    ) -> Result<(), StorageError> {
        let known = self.pairs.of_group(group);
        let here = standing != RoomStanding::Offered;
        let Some(pair) = known.filter(|_| here).cloned() else {
            return Ok(());
        };
        if standing == RoomStanding::Joining && !pair.forgotten {
            let pairs = &mut self.pairs.record.pairs;
            pairs.retain(|one| one.group != group);
            self.save_pairs(call)?;
        }
        if self.conversations.get(&pair.conversation) != Some(&place) {
            return Ok(());
        }
        self.conversations.remove(&pair.conversation);
        let left = self.pairs.of_conversation(pair.conversation).into_iter();
        let mut left = left.filter_map(|pair| self.conversations.get(&pair.group).copied());
        if let Some(place) = left.next() {
            self.conversations.insert(pair.conversation, place);
        }
        Ok(())
    }
}
