//! What two people say off the record: their stretches, one at a time.
//!
//! What is to be done next, [`course`](crate::otr::course) decides; here it is done.
//! [`announce`] tells and learns whose the keys of a stretch are, [`hear`] reads
//! what comes in it, [`say`] says something there or has it wait, and [`end`] gives
//! keys away and wipes what is over. All that goes on by itself is looked at when
//! the input that may have caused it was handled, in the same transaction.
//!
//! Nothing here is signed by the key of the conversation, nor does anything that
//! key signs name what was said here.

mod announce;
mod end;
mod hear;
mod say;

pub(super) use end::wipe_restored;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{Moment, StorageError};

use super::people::Person;
use super::{Call, Messenger};
use crate::content::{Mode, StretchWord};
use crate::mls::{Crypto, Group, LeafKey, Place};
use crate::otr::TagKey;
use crate::otr::course::{Around, Next, next};
use crate::storage::{OFF_RECORD, Side, Standing, Stretch};
use crate::{ContactId, ConversationId};

/// Steps that one look at a stretch can lead to.
const MOST_STEPS: usize = 4;
/// What is done for one contact in a [`PAUSE`] because of what they sent, or
/// because their group went on: offers, groups begun, and answers. It bounds what
/// they can have me do, and what two programs that cross each other do.
const MOST_ACTS: u32 = 8;
const PAUSE: Duration = Duration::from_secs(60);
/// After so long a stretch in which something was said is over, for another.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// Between two wishes that are said once more because of what they sent.
const BETWEEN_WISHES: Duration = Duration::from_secs(60 * 60);
/// The sealed epoch of what was said off the record is below that.
const END: u64 = OFF_RECORD + (OFF_RECORD - 1);

/// Stretches as the machine keeps them between calls.
#[derive(Default)]
pub(super) struct Stretches {
    groups: BTreeMap<ContactId, Group>,
    to_tend: BTreeSet<ContactId>,
    /// With whom something was said in the stretch that stands.
    used: BTreeSet<ContactId>,
    wished: BTreeMap<ContactId, Moment>,
    later: BTreeMap<ContactId, Moment>,
    paces: BTreeMap<ContactId, Pace>,
}

/// What was done for a contact since then.
#[derive(Clone, Copy)]
struct Pace {
    since: Moment,
    acts: u32,
}

impl Stretches {
    /// Has the stretch with a contact looked at when this input was handled.
    pub(super) fn tend(&mut self, contact: ContactId) {
        self.to_tend.insert(contact);
    }

    /// Something was said in a stretch, and came.
    pub(super) fn note_use(&mut self, contact: ContactId) {
        self.used.insert(contact);
        self.tend(contact);
    }

    /// Whether a wish may be said once more to a contact now, which is noted.
    pub(super) fn may_wish(&mut self, contact: ContactId, now: Moment) -> bool {
        let last = self.wished.get(&contact);
        let may = last.is_none_or(|last| *last + BETWEEN_WISHES <= now);
        if may {
            self.wished.insert(contact, now);
        }
        may
    }

    /// When one is to be looked at though nothing comes.
    pub(super) fn due(&self) -> Option<Moment> {
        self.later.values().min().copied()
    }

    /// Whether one more thing may be done for a contact now, which is noted.
    pub(super) fn may_act(&mut self, contact: ContactId, now: Moment) -> bool {
        let fresh = Pace {
            since: now,
            acts: 0,
        };
        let pace = self.paces.entry(contact).or_insert(fresh);
        if pace.since + PAUSE <= now {
            *pace = fresh;
        }
        let may = pace.acts < MOST_ACTS;
        pace.acts += u32::from(may);
        may
    }

    /// Looks again when more may be done.
    fn wait(&mut self, contact: ContactId, now: Moment) {
        let since = self.paces.get(&contact).map_or(now, |pace| pace.since);
        self.later.insert(contact, since + PAUSE);
    }

    /// Forgets a contact.
    fn forget(&mut self, contact: ContactId) {
        self.groups.remove(&contact);
        self.to_tend.remove(&contact);
        self.used.remove(&contact);
        self.wished.remove(&contact);
        self.later.remove(&contact);
        self.paces.remove(&contact);
    }
}

impl Person {
    /// Whether both wish to be off the record.
    pub(super) fn is_off_record(&self) -> bool {
        self.mode.in_force(None) == Mode::Otr
    }

    /// Whether I wish to be off the record.
    pub(super) fn wishes_off_record(&self) -> bool {
        self.mode.wish(true, None) == Mode::Otr
    }

    /// Whether offering a stretch is mine, and beginning it theirs.
    fn offers(&self) -> bool {
        self.record.side == Side::Inviter
    }

    /// The stretch in which something can be said.
    pub(super) fn open_stretch(&self) -> Option<&Stretch> {
        self.stretch.now.as_ref().filter(|now| now.is_open())
    }

    /// Whether a stretch takes receipts and what else needs no confirmation.
    pub(super) fn is_heard_off_record(&self) -> bool {
        self.stretch.now.as_ref().is_some_and(Stretch::hears_me)
    }
}

impl Messenger {
    /// Takes up the stretches that stood when the last run ended.
    pub(super) fn resume_stretches(&mut self) {
        let people = self.people.iter();
        let stand = people.filter(|(_, one)| one.stretch.now.is_some() || one.is_off_record());
        let stand: Vec<_> = stand.map(|(contact, _)| *contact).collect();
        self.stretches.to_tend.extend(stand);
    }

    /// Does what is to be done next about the stretches that may have got further.
    pub(super) fn tend_stretches(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in core::mem::take(&mut self.stretches.to_tend) {
            self.within(call, contact, |this, call| this.tend_stretch(call, contact))?;
        }
        Ok(())
    }

    /// Looks at the stretches that had to wait.
    pub(super) fn stretches_due(&mut self, now: Moment) {
        let due = |at: &Moment| *at <= now;
        let later = &mut self.stretches.later;
        let over: Vec<_> = later
            .iter()
            .filter(|(_, at)| due(at))
            .map(|(of, _)| *of)
            .collect();
        later.retain(|_, at| !due(at));
        self.stretches.to_tend.extend(over);
    }

    fn tend_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        for _ in 0..MOST_STEPS {
            let Some(around) = self.around_stretch(call, contact)? else {
                return Ok(());
            };
            let person = self.people.get(&contact);
            let stretch = person.and_then(|person| person.stretch.now.as_ref());
            match next(stretch, around) {
                Next::Wait => return Ok(()),
                Next::Offer => {
                    if !self.stretches.may_act(contact, call.cx.now()) {
                        self.stretches.wait(contact, call.cx.now());
                        return Ok(());
                    }
                    self.offer_stretch(call, contact)?;
                }
                Next::SayLast => self.get_on(call, contact, StretchWord::Last)?,
                Next::Reveal => self.reveal(call, contact)?,
                Next::Forget => self.forget_stretch(call, contact)?,
            }
        }
        Ok(())
    }

    /// How things stand around a stretch; nothing where nothing can be done.
    fn around_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Option<Around>, StorageError> {
        let written_to = self.is_written_to(contact);
        let Some(person) = self.people.get(&contact) else {
            return Ok(None);
        };
        let (in_force, offers) = (person.is_off_record(), person.offers());
        let stands = person.stretch.now.as_ref();
        let concerned = stands.is_some() || (in_force && offers);
        if !concerned || !written_to || person.record.standing != Standing::Established {
            return Ok(None);
        }
        // Asked only where the answer matters: it reads what is not confirmed.
        let used = self.stretches.used.contains(&contact);
        let old = |stretch: &Stretch| stretch.posted + LONGEST <= call.cx.wall();
        let aged = stands.is_some_and(|stretch| used && stretch.group.is_some() && old(stretch));
        let ends = stands.is_some_and(|stretch| !in_force || stretch.end.their_last || aged);
        Ok(Some(Around {
            offers,
            in_force,
            epoch: self.at_hand(call, contact)?.1.epoch(),
            unsaid: !ends || !Self::unsaid(call, contact)?.is_empty(),
            owes: !ends || self.owes_off_record(call, contact)?,
            aged,
        }))
    }

    /// The key that tags announcements in the present epoch of a conversation.
    fn tag_key(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<TagKey, StorageError> {
        let missing = || StorageError::corrupt("exporting a tag key");
        let (person, group, crypto) = self.at_hand(call, contact)?;
        let of = person.record.conversation;
        let exported = group.export(crypto, "hushwing otr", &of.0);
        Ok(TagKey::new(*exported.ok_or_else(missing)?))
    }

    /// The group of the stretch that stands, which is read if it is not in memory;
    /// nothing where there is none.
    fn stretch_at_hand(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Option<(&mut Group, &Crypto)>, StorageError> {
        if !self.stretches.groups.contains_key(&contact) {
            let person = self.people.get(&contact);
            let place = person.map(Person::place);
            let stretch = person.and_then(|person| person.stretch.now.as_ref());
            let (Some(stretch), Some(place)) = (stretch, place) else {
                return Ok(None);
            };
            let Some(name) = stretch.group() else {
                return Ok(None);
            };
            let damaged = || StorageError::corrupt("reading the key of a stretch");
            let key = LeafKey::from_secret(&stretch.seed).ok_or_else(damaged)?;
            let place = place_of(stretch.number, place.own_leaf);
            let rows = &mut *call.storage;
            let group = Group::load(&self.crypto, call.cx, rows, name, key)?;
            self.stretches.groups.insert(contact, group.placed(place));
        }
        let group = self.stretches.groups.get_mut(&contact);
        Ok(group.map(|group| (group, &self.crypto)))
    }

    /// Whose stretch, present or last, a group is.
    pub(super) fn whose_stretch(&self, group: ConversationId) -> Option<ContactId> {
        let mut people = self.people.values();
        let person = people.find(|person| {
            let now = person.stretch.now.as_ref().and_then(|now| now.group);
            now == Some(group.0) || person.stretch.ended == Some(group.0)
        })?;
        Some(person.record.id)
    }

    /// Writes how far the stretches with a contact are.
    fn keep_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        change: impl FnOnce(&mut Stretch),
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        if let Some(now) = &mut person.stretch.now {
            change(now);
        }
        person.stretch.put(call.storage, contact)
    }
}

/// Where the group of a stretch stands: as if so many epochs were before it.
fn place_of(number: u64, own_leaf: u32) -> Place {
    Place {
        before: OFF_RECORD.saturating_add(number).saturating_sub(1),
        own_leaf,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_things_a_minute_are_done_for_one_contact() {
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let (one, other) = (ContactId(1), ContactId(2));
        let mut stretches = Stretches::default();
        let done = (0..1_000).filter(|n| stretches.may_act(one, at(100 + n / 20)));
        assert_eq!(done.count(), 8);
        assert!(stretches.may_act(other, at(100)));
        stretches.wait(one, at(150));
        assert_eq!(stretches.due(), Some(at(160)));
        assert!(stretches.may_act(one, at(160)));
    }
}
