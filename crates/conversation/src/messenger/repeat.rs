//! Asking after, or saying again, what may have been lost with a mailbox.
//!
//! What a network took may be there: it is asked after, and said again where the
//! other side lacks it. What failed or never left is said again at once. Both go
//! a bounded piece at a time, oldest first; the next one goes when half of the
//! last is confirmed, or a minute later, and none begins anew more often than
//! once a minute: whoever tells one new address after the other must not keep
//! this program busy. A beginning that found nothing to say does not count. How
//! far it is lies in storage.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_sansio::{Moment, StorageError};

use super::people::Person;
use super::{Call, Messenger};
use crate::content::MAX_ASKED;
use crate::storage::{
    MessageKind, MessageRecord, MessageState, Position, RepeatRecord, Standing, Stretch,
};
use crate::{ContactId, MessageId};

/// Messages said again in one piece.
const MOST_AT_ONCE: usize = 64;
/// Between two beginnings for one contact, and between two pieces of which
/// nothing is confirmed.
const PAUSE: Duration = Duration::from_secs(60);
/// Bytes of content said again in a pause because they were said to be lacking.
const MOST_LACKED_BYTES: usize = 1024 * 1024;

/// What is being said again, by contact.
#[derive(Default)]
pub(super) struct Repeats {
    by_contact: BTreeMap<ContactId, Repeat>,
}

/// `due` is nothing when all is said; the rest is kept for the pause.
#[derive(Default)]
struct Repeat {
    due: Option<Moment>,
    begun: Option<Moment>,
    /// What is left, once it was looked up.
    left: Option<VecDeque<Position>>,
    /// Messages of the last piece, and those of them not confirmed.
    size: usize,
    open: usize,
    /// What was said again because it was said to be lacking.
    lacked: Option<Lacked>,
}

/// Messages said again since then, and their bytes of content.
#[derive(Clone, Copy)]
struct Lacked {
    since: Moment,
    messages: usize,
    bytes: usize,
}

impl Repeats {
    /// When the next piece is due.
    pub(super) fn due(&self) -> Option<Moment> {
        self.by_contact.values().filter_map(|one| one.due).min()
    }

    fn begin(&mut self, contact: ContactId, now: Moment) {
        let one = self.by_contact.entry(contact).or_default();
        one.left = None;
        one.due = Some(one.begun.map_or(now, |begun| now.max(begun + PAUSE)));
    }

    /// Forgets what is to be said again to a contact.
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.by_contact.remove(&contact);
    }

    /// A message of mine was confirmed: with half a piece, the next one goes.
    pub(super) fn confirmed(&mut self, contact: ContactId, now: Moment) {
        let Some(one) = self.by_contact.get_mut(&contact) else {
            return;
        };
        one.open = one.open.saturating_sub(1);
        if one.left.is_some() && one.open * 2 <= one.size {
            one.due = one.due.map(|due| due.min(now));
        }
    }

    /// Whether one more message of so many bytes may be said again because the
    /// other side says it lacks it.
    pub(super) fn may_lack(&mut self, contact: ContactId, now: Moment, bytes: usize) -> bool {
        let one = self.by_contact.entry(contact).or_default();
        let fresh = one.lacked.filter(|lacked| now < lacked.since + PAUSE);
        let lacked = one.lacked.insert(fresh.unwrap_or(Lacked {
            since: now,
            messages: 0,
            bytes: 0,
        }));
        let bytes = lacked.bytes.saturating_add(bytes);
        let may = lacked.messages < MAX_ASKED && bytes <= MOST_LACKED_BYTES;
        if may {
            lacked.messages += 1;
            lacked.bytes = bytes;
        }
        may
    }

    /// Begins again when more may be said to be lacking.
    fn postpone(&mut self, contact: ContactId, now: Moment) {
        let one = self.by_contact.entry(contact).or_default();
        let last = one.begun.max(one.lacked.map(|lacked| lacked.since));
        one.left = None;
        one.due = Some(last.map_or(now, |last| now.max(last + PAUSE)));
    }

    fn take(&mut self, now: Moment) -> Vec<ContactId> {
        let due = self.by_contact.iter();
        due.filter(|(_, one)| one.due.is_some_and(|at| at <= now))
            .map(|(contact, _)| *contact)
            .collect()
    }
}

impl Messenger {
    /// Takes up what earlier runs did not say again yet.
    pub(super) fn resume_repeats(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            self.within(call, contact, |this, call| {
                if RepeatRecord::of(call.storage, contact)?.is_some() {
                    this.repeats.begin(contact, call.cx.now());
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// A contact has another mailbox: says once more what failed and what may
    /// have been lost with the old one, my last commit first. Whoever was
    /// `answered` has had what introduced me.
    pub(super) fn say_stranded(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        answered: bool,
    ) -> Result<(), StorageError> {
        self.say_all_again(call, contact, true, !answered)
    }

    /// Begins to say again what no receipt confirms, and more if told so.
    pub(super) fn say_all_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        failed: bool,
        control: bool,
    ) -> Result<(), StorageError> {
        let before = RepeatRecord::of(call.storage, contact)?.unwrap_or_default();
        let record = RepeatRecord {
            failed: failed || before.failed,
            control: control || before.control,
            after: Vec::new(),
        };
        record.put(call.storage, contact)?;
        self.repeats.begin(contact, call.cx.now());
        Ok(())
    }

    /// A contact lacks more than may be said again now: from that message on, it
    /// is asked again later.
    pub(super) fn say_later(
        &mut self,
        call: &mut Call<'_, '_>,
        lacking: &MessageRecord,
    ) -> Result<(), StorageError> {
        let contact = lacking.contact;
        let before = RepeatRecord::of(call.storage, contact)?;
        let mut record = before.clone().unwrap_or_default();
        record.control |= lacking.kind == MessageKind::Control;
        // What is at its beginning comes to this message anyway.
        if before.is_none() || record.last().is_some_and(|last| lacking.position <= last) {
            record.go_before(&lacking.position);
        }
        if before.as_ref() != Some(&record) {
            record.put(call.storage, contact)?;
        }
        self.repeats.postpone(contact, call.cx.now());
        Ok(())
    }

    /// Says the pieces that are due.
    pub(super) fn repeat_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in self.repeats.take(call.cx.now()) {
            self.within(call, contact, |this, call| {
                this.say_piece_again(call, contact)
            })?;
        }
        Ok(())
    }

    fn say_piece_again(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let known = self.repeats.by_contact.remove(&contact);
        let (Some(mut one), Some(mut record), true) = (
            known,
            RepeatRecord::of(call.storage, contact)?,
            self.is_written_to(contact),
        ) else {
            return RepeatRecord::clear(call.storage, contact);
        };
        let mut left = match one.left.take() {
            Some(left) => left,
            None => {
                let fresh = record.failed && record.after.is_empty();
                let posted = fresh && self.post_commit_again(call, contact)?;
                let left = self.all_to_repeat(call, contact, &record)?;
                // What costs nobody a letter calls for no pause.
                if posted || !left.is_empty() {
                    one.begun = Some(call.cx.now());
                }
                left
            }
        };
        let (mut asked, mut said) = (Vec::new(), 0);
        while let Some(position) = left.pop_front() {
            record.go_on_after(&position);
            let id = position.id;
            if self.is_to_be_asked(call, &id)? {
                asked.push(id);
            } else {
                self.repeat_one(call, &id)?;
                said += 1;
            }
            if !self.is_written_to(contact) {
                return RepeatRecord::clear(call.storage, contact);
            }
            if said == MOST_AT_ONCE || asked.len() == MAX_ASKED {
                break;
            }
        }
        one.size = said + asked.len();
        one.open = one.size;
        self.inquire(call, contact, asked)?;
        if !self.is_written_to(contact) {
            return Ok(());
        }
        if left.is_empty() {
            one.due = None;
            RepeatRecord::clear(call.storage, contact)?;
        } else {
            one.due = Some(call.cx.now() + PAUSE);
            one.left = Some(left);
            record.put(call.storage, contact)?;
        }
        self.repeats.by_contact.insert(contact, one);
        Ok(())
    }

    /// Whether a message was accepted, so that they may have it.
    fn is_to_be_asked(&self, call: &Call<'_, '_>, id: &MessageId) -> Result<bool, StorageError> {
        let Some((contact, _, state)) = call.storage.outline(id)? else {
            return Ok(false);
        };
        // What was said in a stretch that is over, they cannot be told to have.
        Ok(state == MessageState::Accepted && !self.is_stranded(call, contact, id)?)
    }

    fn repeat_one(&mut self, call: &mut Call<'_, '_>, id: &MessageId) -> Result<(), StorageError> {
        let record = call.storage.message(id)?;
        let to_say =
            |record: &MessageRecord| record.state < MessageState::Delivered && !record.is_erased();
        let Some(record) = record.filter(to_say) else {
            return Ok(());
        };
        self.say_once_more(call, &record)?;
        if record.state == MessageState::Failed && self.is_written_to(record.contact) {
            self.fails_no_more(call, &record)?;
        }
        Ok(())
    }

    /// My messages to a contact that are to be said again, in their order.
    fn all_to_repeat(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        what: &RepeatRecord,
    ) -> Result<VecDeque<Position>, StorageError> {
        let mut records = self.unconfirmed(call, contact)?;
        if what.failed {
            let failed = call.storage.failed_to(contact)?;
            records.extend(self.wait_for_a_stretch(call, contact, failed)?);
        }
        let last = what.last();
        let person = self.people.get(&contact);
        let open = person.and_then(Person::open_stretch);
        let open = open.map(Stretch::sealed_epoch);
        records.retain(|record| {
            !record.is_erased()
                && (!record.is_off_record() || open.is_some())
                && (what.control || record.kind != MessageKind::Control)
                // What is in the outbox leaves by itself, unless they moved.
                && (what.failed
                    || record.state != MessageState::Queued
                    || waits_for(record, open))
                && last.is_none_or(|last| last < record.position)
        });
        let mut left: Vec<_> = records.iter().map(|record| record.position).collect();
        left.sort_unstable();
        Ok(left.into())
    }

    /// What failed and was said off the record waits for a stretch where none is
    /// open, as if it had not failed; the rest is given back.
    fn wait_for_a_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        failed: Vec<MessageRecord>,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let person = self.people.get(&contact);
        if person.and_then(Person::open_stretch).is_some() {
            return Ok(failed);
        }
        let waits = |record: &MessageRecord| record.is_off_record() && !record.is_erased();
        let (waiting, others): (Vec<_>, Vec<_>) = failed.into_iter().partition(waits);
        for record in waiting {
            self.fails_no_more(call, &record)?;
        }
        Ok(others)
    }

    /// A message that failed is on its way again.
    fn fails_no_more(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
    ) -> Result<(), StorageError> {
        let mut times = record.times.clone();
        times.failed = None;
        call.storage
            .set_state(record.id(), MessageState::Queued, &times)?;
        self.tell_state(record, MessageState::Queued, None);
        Ok(())
    }

    /// My messages to a contact that are on their way as far as I know.
    fn unconfirmed(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Vec<MessageRecord>, StorageError> {
        let (_, group, _) = self.at_hand(call, contact)?;
        let all = group.epoch().saturating_add(1);
        let mut records = call.storage.unconfirmed_before(contact, all)?;
        records.extend(Self::unsaid(call, contact)?);
        Ok(records)
    }

    /// Whether a message was said in a stretch that is over.
    fn is_stranded(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        id: &MessageId,
    ) -> Result<bool, StorageError> {
        if !self.is_off_record(call, contact, id)? {
            return Ok(false);
        }
        let person = self.people.get(&contact);
        let open = person.and_then(Person::open_stretch);
        let record = call.storage.message(id)?;
        Ok(record.is_some_and(|record| waits_for(&record, open.map(Stretch::sealed_epoch))))
    }

    /// Whether a contact was told an address of mine and can be written to.
    pub(super) fn in_touch(&self, contact: ContactId) -> bool {
        matches!(
            self.standing(contact),
            Some(Standing::Asked | Standing::Established)
        )
    }
}

/// Whether a message was said off the record, but not in the stretch that is open.
fn waits_for(record: &MessageRecord, open: Option<u64>) -> bool {
    record.is_off_record() && Some(record.sealed_epoch) != open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_moves_often_is_said_things_again_once_a_minute() {
        let contact = ContactId(1);
        let at = |seconds| Moment::from_origin(Duration::from_secs(seconds));
        let mut repeats = Repeats::default();
        repeats.begin(contact, at(5));
        assert_eq!(repeats.due(), Some(at(5)), "the first time at once");
        assert_eq!(repeats.take(at(5)), [contact]);
        if let Some(one) = repeats.by_contact.get_mut(&contact) {
            one.begun = Some(at(5));
        }
        for moved in [6, 30, 64] {
            repeats.begin(contact, at(moved));
            assert_eq!(repeats.due(), Some(at(65)));
        }
        assert!(repeats.take(at(64)).is_empty());
        repeats.begin(contact, at(100));
        assert_eq!(repeats.due(), Some(at(100)));
    }
}
