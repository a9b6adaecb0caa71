//! How a conversation of two comes to go on as a pair.
//!
//! ```text
//! who opened the link            who gave it
//!    │ wanted ──────────────────▶ │   if it is the first that has a further device
//!    │ ◀───────────────── offered │   group, number, key of the leaf that will found it
//!    │ answer ──────────────────▶ │   as to a room: key package, mailbox
//!    │ ◀───────── Welcome, roster │   to that mailbox
//! ```
//!
//! The one who gave the link founds, whoever wants it: so two who want it at the same time
//! found one. All of it is said in the conversation between the two devices that began it,
//! which keeps what was not confirmed, so nothing of it is said twice.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use super::name::group_of;
use crate::content::{Mode, RoomStep, RoomWord};
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{
    AnsweredPairRecord, OfferedPairRecord, PairRecord, RoomOfferRecord, RoomRecord, RoomStanding,
    Side, Standing,
};
use crate::{ContactId, ConversationId, DropReason, RoomId};

/// Between two pairs of one conversation that I found, or ask for: each costs more than a
/// letter, and the other side has it made.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// After how long the same is offered, or asked for, again.
const AGAIN: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long nothing else is wanted once an offer was answered.
const VAIN: Duration = Duration::from_secs(24 * 60 * 60);
/// By how much the number of a pair may be above the one before.
const MOST_AHEAD: u32 = 16;
/// The highest number of a pair.
const MOST_TURNS: u32 = 4_096;

impl Messenger {
    /// Wants pairs with all contacts with whom there is none, if I have a further device.
    pub(super) fn want_pairs(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        let several = good.is_some_and(|good| good.others().next().is_some());
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            let lost = self.is_lost_pair(contact);
            let wanted = several || lost || self.is_asked_for_pair(contact);
            let paired = self.is_paired(contact, lost, call.cx.wall());
            if wanted && self.may_be_a_pair(contact) && !paired {
                self.within(call, contact, |this, call| this.want_pair(call, contact))?;
            }
        }
        Ok(())
    }

    /// Whether a conversation goes on as a pair, or is about to; as another one than before,
    /// if that is lost. An offer that was answered in vain may have been one of before.
    fn is_paired(&self, contact: ContactId, lost: bool, now: Timestamp) -> bool {
        let mut pairs = self.pairs_of(contact).into_iter();
        let least = self.least_turn(contact);
        pairs.any(|(room, pair)| match self.rooms.standing(room) {
            Some(RoomStanding::Joining) => {
                let known = self.rooms.get(room.place());
                let since = known.map(|known| known.record.since);
                pair.turn >= least && !since.is_some_and(|since| has_passed(now, since, VAIN))
            }
            Some(RoomStanding::Member) => pair.turn >= least && !lost,
            _ => false,
        })
    }

    pub(super) fn least_turn(&self, contact: ContactId) -> u32 {
        let known = self.pairs.record.contacts.get(&contact);
        known.map_or(0, |one| one.least)
    }

    /// The number of the next pair with a contact.
    fn next_turn(&self, contact: ContactId) -> u32 {
        let last = self.last_entered(contact);
        self.least_turn(contact).max(last.saturating_add(1))
    }

    pub(super) fn may_be_one_more(&self, contact: ContactId) -> bool {
        let conversation = self.thread_name(contact);
        conversation.is_some_and(|conversation| self.has_place_for_pair(conversation))
    }

    /// The number of the last pair with a contact that I was in: none that comes later stands
    /// before it.
    fn last_entered(&self, contact: ContactId) -> u32 {
        let pairs = self.pairs_of(contact).into_iter().rev();
        let joining = |room| self.rooms.standing(room) == Some(RoomStanding::Joining);
        let mut entered = pairs.filter(|(room, _)| !joining(*room));
        entered.next().map_or(0, |(_, pair)| pair.turn)
    }

    /// Whether a conversation can go on as a pair: nothing is agreed in it that a pair does
    /// not keep, and it is not being begun anew.
    pub(in crate::messenger) fn may_be_a_pair(&self, contact: ContactId) -> bool {
        let Some(person) = self.people.get(&contact) else {
            return false;
        };
        let mode = person.mode_view();
        let plain = [mode.in_force, mode.mine, mode.theirs];
        person.record.standing == Standing::Established
            && !person.record.unsecured_start
            && person.era.answer.is_empty()
            && person.era.request.is_none()
            && plain.iter().all(|mode| *mode == Mode::Normal)
            && person.kept.disappear_after().is_none()
            && self.is_written_to(contact)
    }

    fn want_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let turn = self.next_turn(contact);
        let side = self.people.get(&contact).map(|person| person.record.side);
        match side {
            Some(Side::Inviter) => self.offer_pair(call, contact, (turn, false)),
            Some(Side::Joiner) => self.ask_for_pair(call, contact, turn),
            None => Ok(()),
        }
    }

    fn ask_for_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        turn: u32,
    ) -> Result<(), StorageError> {
        let pairing = self.pairs.with(contact);
        // What was said is kept until it is confirmed. It may have come when it could not be.
        if pairing.wanted >= turn && !has_passed(call.cx.wall(), pairing.at, AGAIN) {
            return Ok(());
        }
        pairing.wanted = turn;
        pairing.at = call.cx.wall();
        self.save_pairs(call)?;
        let Some(conversation) = self.thread_name(contact) else {
            return Ok(());
        };
        let word = RoomWord {
            room: conversation,
            step: RoomStep::PairWanted(turn),
        };
        self.say_of_room(call, contact, word)
    }

    fn offer_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        (turn, asked): (u32, bool),
    ) -> Result<(), StorageError> {
        let pairing = self.pairs.with(contact);
        let again = pairing.offered.clone();
        let again = again.filter(|offered| offered.turn >= turn);
        let rest = match again.is_some() && !asked {
            true => AGAIN,
            false => PAUSE,
        };
        let rested = has_passed(call.cx.wall(), pairing.at, rest);
        if !rested || !self.may_be_one_more(contact) || turn > MOST_TURNS {
            return Ok(());
        }
        // Who did not answer is offered the same: they may have taken it in since.
        let Some(conversation) = self.thread_name(contact) else {
            return Ok(());
        };
        let offered = again.unwrap_or_else(|| {
            let (key, id) = (LeafKey::generate(call.cx), call.cx.random());
            OfferedPairRecord {
                group: group_of(conversation, turn, &key.public(), &id),
                turn,
                key: key.secret(),
                id,
            }
        });
        let damaged = || StorageError::corrupt("reading the key of a pair");
        let key = LeafKey::from_secret(&offered.key).ok_or_else(damaged)?;
        let word = RoomWord {
            room: offered.group,
            step: RoomStep::PairOffered {
                turn: offered.turn,
                key: key.public(),
                id: offered.id,
            },
        };
        let pairing = self.pairs.with(contact);
        pairing.at = call.cx.wall();
        pairing.offered = Some(offered);
        self.save_pairs(call)?;
        self.say_of_room(call, contact, word)
    }

    /// A contact wants us to go on as a pair.
    pub(in crate::messenger) fn pair_wanted(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        turn: u32,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let founds = person.is_some_and(|person| person.record.side == Side::Inviter);
        let next = self.next_turn(contact);
        if !founds || turn > next.saturating_add(MOST_AHEAD) {
            return self.drop_letter(Some(contact), DropReason::Room);
        }
        if turn < next && self.pair_of(contact).is_some() || !self.may_be_a_pair(contact) {
            // It is on its way to them; or it cannot be now, and they ask again.
            return Ok(());
        }
        // Should it be too soon after the last one, it is not forgotten; and what they have
        // lost is not waited in.
        let turn = turn.max(next);
        let pairing = self.pairs.with(contact);
        (pairing.wanted, pairing.least) = (turn, turn);
        self.save_pairs(call)?;
        self.offer_pair(call, contact, (turn, true))
    }

    /// Whether the other side wants a pair that I did not found.
    fn is_asked_for_pair(&self, contact: ContactId) -> bool {
        let known = self.pairs.record.contacts.get(&contact);
        known.is_some_and(|known| known.wanted >= self.next_turn(contact))
    }

    /// A contact offers to go on as a pair. That needs no word of a person: it is the same
    /// conversation with the same person.
    pub(in crate::messenger) fn pair_offered(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        group: ConversationId,
        (turn, offer): (u32, RoomOfferRecord),
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let founds = person.is_some_and(|person| person.record.side == Side::Inviter);
        let next = self.next_turn(contact);
        let usable = turn >= self.least_turn(contact).max(1)
            && turn > self.last_entered(contact)
            && turn <= next.saturating_add(MOST_AHEAD).min(MOST_TURNS);
        let answered = self.pairs.with(contact).answered.clone();
        if let Some(answered) = &answered {
            if !has_passed(call.cx.wall(), answered.at, PAUSE / 2) {
                // They offer it again.
                return Ok(());
            }
            if let Some(room) = self
                .answered_pair(group)
                .filter(|_| answered.id == offer.id)
            {
                return self.answer_pair_again(call, contact, room);
            }
        }
        if !founds && turn >= 1 && turn < next && !usable && self.may_be_a_pair(contact) {
            // They have lost pairs of before, with a backup perhaps.
            return self.ask_for_pair(call, contact, next);
        }
        let known = self.rooms.knows(group) || self.pairs.of_group(group).is_some();
        let conversation = self.thread_name(contact);
        let named = conversation.is_some_and(|conversation| {
            group == group_of(conversation, turn, &offer.key, &offer.id)
        });
        if founds || !usable || !named || known || !self.may_be_one_more(contact) {
            return self.drop_letter(Some(contact), DropReason::Room);
        }
        if !self.may_be_a_pair(contact) {
            return Ok(());
        }
        self.end_joining(call, contact)?;
        let (conversation, name) = match self.people.get(&contact) {
            Some(person) => (person.record.conversation, person.record.name.clone()),
            None => return Ok(()),
        };
        self.pairs.with(contact).answered = Some(AnsweredPairRecord {
            id: offer.id,
            at: call.cx.wall(),
        });
        self.note_pair(
            call,
            PairRecord {
                group,
                conversation,
                turn,
                forgotten: false,
            },
        )?;
        let record = RoomRecord {
            standing: RoomStanding::Joining,
            my_name: self.config.name.clone(),
            offered_by: Some(contact),
            offer: Some(offer),
            ..self.new_room(call, group, &name)?
        };
        let room = record.id;
        self.add_room(call, record)?;
        self.open_room_mailbox(call, room)
    }

    /// The pair of this group, if I answered and have not entered it.
    fn answered_pair(&self, group: ConversationId) -> Option<RoomId> {
        let room = self.conversations.get(&group).copied().map(RoomId::at)?;
        (self.rooms.standing(room) == Some(RoomStanding::Joining)).then_some(room)
    }

    /// They have not taken the answer, or not been able to.
    fn answer_pair_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if let Some(answered) = &mut self.pairs.with(contact).answered {
            answered.at = call.cx.wall();
        }
        self.save_pairs(call)?;
        self.within(call, room.place(), |this, call| this.say_answer(call, room))
    }

    /// What was answered and not entered yet is over: another pair is offered.
    fn end_joining(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let pairs = self.pairs_of(contact).into_iter();
        let joining = |room: &RoomId| self.rooms.standing(*room) == Some(RoomStanding::Joining);
        let waiting: Vec<_> = pairs.map(|(room, _)| room).filter(joining).collect();
        waiting.into_iter().try_for_each(|room| {
            self.within(call, room.place(), |this, call| {
                this.remove_room(call, room)
            })
        })
    }
}

/// Whether so long passed since then. A clock that was set back is not waited for.
pub(super) fn has_passed(now: Timestamp, since: Timestamp, long: Duration) -> bool {
    now >= since + long || now < since
}
