//! Receipts: what I owe, and what others tell of my messages.
//!
//! A receipt is an MLS message like any other, so the leaf's signature proves
//! it to whom it is for; where a conversation is provable, [`super::prove`] signs
//! it for others, too. Receipts wait a random while and leave together; what is owed is in
//! storage, when it leaves is drawn anew after a restart.

use core::time::Duration;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use hushwing_delivery::{LetterId, PostOffice};
use hushwing_sansio::{Context, Moment, StorageError};

use super::inquiry::{is_here, message_with};
use super::people::Person;
use super::{Call, Messenger};
use crate::content::{Content, MAX_SIGNED_RECEIPTS, MessageId, Receipt, Status};
use crate::storage::{LackRecord, MessageKind, MessageRecord, MessageState, Owed, Standing};
use crate::{ContactId, DropReason, Event, RoomId};

/// Receipts in one letter: with their ids they fill less than one envelope.
pub(super) const MOST_IN_LETTER: usize = 256;

/// Receipts to one contact that are remembered here; those beyond are found in
/// storage when these have left.
const MOST_REMEMBERED: usize = 4_096;
/// How long receipts that wait for those before them to leave are not looked at,
/// unless these left. Their reader decides whether they can, so letters of
/// receipts must not pile up.
pub(super) const REST: Duration = Duration::from_secs(30);

/// What I owe, by contact.
#[derive(Default)]
pub(super) struct Debts {
    by_contact: BTreeMap<ContactId, Debt>,
    /// The last letters with receipts, while the outbox has one.
    letters: BTreeMap<ContactId, Vec<LetterId>>,
}

pub(super) struct Debt {
    due: Moment,
    /// It was due, and waits for letters before it.
    waits: bool,
    pub(super) owed: BTreeMap<MessageId, Due>,
    /// Whether more is owed than is remembered.
    pub(super) more: bool,
}

/// A receipt that is owed.
#[derive(Clone, Copy)]
pub(super) struct Due {
    pub(super) owed: Owed,
    /// Whether the message came off the record. It may have been superseded when
    /// the receipt leaves, so what is stored need not tell.
    off: bool,
}

impl Debts {
    /// When the next receipts leave.
    pub(super) fn due(&self) -> Option<Moment> {
        self.by_contact.values().map(|debt| debt.due).min()
    }

    /// Notes that a receipt is owed. The first one sets the time of all that
    /// leave with it.
    pub(super) fn add(
        &mut self,
        cx: &mut Context<'_>,
        delay: (Duration, Duration),
        contact: ContactId,
        message: MessageId,
        owed: Owed,
        off: bool,
    ) {
        let debt = self.wake(cx, delay, contact);
        if debt.owed.len() >= MOST_REMEMBERED && !debt.owed.contains_key(&message) {
            debt.more = true;
            return;
        }
        let entry = debt.owed.entry(message).or_insert(Due { owed, off });
        entry.owed = entry.owed.and(owed);
        entry.off |= off;
    }

    /// Sees to it that something leaves to a contact.
    pub(super) fn wake(
        &mut self,
        cx: &mut Context<'_>,
        delay: (Duration, Duration),
        contact: ContactId,
    ) -> &mut Debt {
        let soon = |cx: &mut Context<'_>| cx.now() + draw(cx, delay);
        match self.by_contact.entry(contact) {
            Entry::Vacant(entry) => entry.insert(Debt {
                due: soon(cx),
                waits: false,
                owed: BTreeMap::new(),
                more: false,
            }),
            Entry::Occupied(entry) => {
                let debt = entry.into_mut();
                if debt.waits {
                    // The new one may go to somebody else: what has to wait is put back.
                    debt.due = debt.due.min(soon(cx));
                }
                debt
            }
        }
    }

    /// Notes that more is owed than is remembered.
    pub(super) fn expect_more(&mut self, contact: ContactId) {
        if let Some(debt) = self.by_contact.get_mut(&contact) {
            debt.more = true;
        }
    }

    /// Notes a letter with receipts: the next ones wait until it has left.
    pub(super) fn note_letter(&mut self, contact: ContactId, letter: LetterId) {
        self.letters.entry(contact).or_default().push(letter);
    }

    /// Forgets what is owed to a contact.
    pub(super) fn forget(&mut self, contact: ContactId) {
        self.by_contact.remove(&contact);
        self.letters.remove(&contact);
    }

    /// A letter left, or never will: what waited for it alone is due.
    pub(super) fn left(&mut self, letter: LetterId, now: Moment) {
        let found = self.letters.iter_mut().find_map(|(contact, letters)| {
            let before = letters.len();
            letters.retain(|of| *of != letter);
            (letters.len() < before).then_some((*contact, letters.is_empty()))
        });
        let Some((contact, true)) = found else {
            return;
        };
        self.letters.remove(&contact);
        // In a group a letter to one carries what is owed to others too.
        let waiting = self.by_contact.values_mut().filter(|debt| debt.waits);
        waiting.for_each(|debt| debt.due = now);
    }

    /// Whether a letter to somebody has not left yet.
    pub(super) fn waits_for(&self, contact: ContactId, office: &PostOffice) -> bool {
        let mut letters = self.letters.get(&contact).into_iter().flatten();
        letters.any(|letter| office.whereabouts(*letter).is_some())
    }

    /// Puts back what waits for a letter before it, or for a sign, `until` then at most.
    pub(super) fn postpone(
        &mut self,
        contact: ContactId,
        message: MessageId,
        due: Due,
        until: Moment,
    ) {
        let debt = self.by_contact.entry(contact).or_insert_with(|| Debt {
            due: until,
            waits: true,
            owed: BTreeMap::new(),
            more: false,
        });
        let entry = debt.owed.entry(message).or_insert(due);
        entry.owed = entry.owed.and(due.owed);
        entry.off |= due.off;
    }

    /// What is owed to some and waits is due soon.
    pub(super) fn resume(
        &mut self,
        cx: &mut Context<'_>,
        delay: (Duration, Duration),
        of: impl Fn(ContactId) -> bool,
    ) {
        let soon = cx.now() + draw(cx, delay);
        let all = self.by_contact.iter_mut();
        let waiting = all.filter(|(contact, debt)| debt.waits && of(**contact));
        waiting.for_each(|(_, debt)| debt.due = debt.due.min(soon));
    }

    /// Takes what is owed to some, due or not.
    fn take_all(&mut self, of: impl Fn(ContactId) -> bool) -> Vec<(ContactId, Debt)> {
        let all = &mut self.by_contact;
        all.extract_if(.., |contact, _| of(*contact)).collect()
    }

    /// Takes what is due by `now`.
    fn take(&mut self, now: Moment, office: &PostOffice) -> Vec<(ContactId, Debt)> {
        let mut taken = Vec::new();
        for (contact, mut debt) in core::mem::take(&mut self.by_contact) {
            let waits = self.waits_for(contact, office);
            if debt.due <= now && !waits {
                self.letters.remove(&contact);
                taken.push((contact, debt));
                continue;
            }
            if debt.due <= now {
                debt.due = now + REST;
                debt.waits = true;
            }
            self.by_contact.insert(contact, debt);
        }
        taken
    }
}

pub(super) fn receipt((message, due): (MessageId, Due)) -> Receipt {
    let status = match due.owed.is_read() {
        true => Status::READ,
        false => Status::DELIVERED,
    };
    Receipt { message, status }
}

fn draw(cx: &mut Context<'_>, (least, most): (Duration, Duration)) -> Duration {
    let spread = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX);
    least + Duration::from_micros(cx.random_below(spread.saturating_add(1)))
}

impl Messenger {
    /// Notes that I owe a receipt, in storage too.
    pub(super) fn owe(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        message: MessageId,
        owed: Owed,
    ) -> Result<(), StorageError> {
        if self.standing(contact) == Some(Standing::Broken)
            || self.owe_in_room(call, contact, message, owed)?
        {
            return Ok(());
        }
        let off = self.is_off_record(call, contact, &message)?;
        call.storage.set_owed(&message, owed)?;
        let delay = self.config.receipt_delay;
        self.debts.add(call.cx, delay, contact, message, owed, off);
        Ok(())
    }

    /// Takes up what was owed when the last run ended.
    pub(super) fn resume_debts(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in self.people.keys().copied().collect::<Vec<_>>() {
            self.within(call, contact, |this, call| {
                this.resume_debts_of(call, contact)
            })?;
        }
        Ok(())
    }

    /// Takes up what is owed to a contact.
    pub(super) fn resume_debts_of(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if self.standing(contact) == Some(Standing::Broken) {
            return Ok(());
        }
        let person = self.people.get(&contact);
        let hears = person.is_some_and(Person::is_heard_off_record);
        let lacks = person.is_some_and(|person| hears && person.stretch.lacks());
        if lacks || !LackRecord::of(call.storage, contact)?.messages.is_empty() {
            self.debts.wake(call.cx, self.config.receipt_delay, contact);
        }
        for (message, owed) in call.storage.owing(contact)? {
            // For what was said off the record where nobody hears me it is owed on.
            let off = self.is_off_record(call, contact, &message)?;
            if off && !hears {
                continue;
            }
            let delay = self.config.receipt_delay;
            self.debts.add(call.cx, delay, contact, message, owed, off);
        }
        Ok(())
    }

    /// Sends the receipts that are due.
    pub(super) fn pay(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let mut in_rooms: BTreeMap<RoomId, Vec<_>> = BTreeMap::new();
        for (contact, debt) in self.debts.take(call.cx.now(), &self.office) {
            if let Some(room) = self.rooms.room_of_debt(contact) {
                in_rooms.entry(room).or_default().push((contact, debt));
                continue;
            }
            // Who waits for a decision, or is blocked, learns nothing; accepting
            // and unblocking take it up.
            if self.is_written_to(contact) {
                self.within(call, contact, |this, call| {
                    let (off, mut receipts) = this.part_debt(call, contact, debt.owed)?;
                    this.pay_off_record(call, contact, off)?;
                    let lacking = Self::take_lacking(call.storage, contact)?.into_iter();
                    receipts.extend(lacking.map(|message| Receipt {
                        message,
                        status: Status::ERROR,
                    }));
                    this.send_all_receipts(call, contact, receipts)?;
                    match debt.more {
                        true => this.resume_debts_of(call, contact),
                        false => Ok(()),
                    }
                })?;
            }
        }
        for (room, mut due) in in_rooms {
            if self.receipts_leave_together(room) {
                let of_room = &self.rooms;
                let theirs = |of| of_room.room_of_debt(of) == Some(room);
                due.extend(self.debts.take_all(theirs));
            }
            self.within(call, room.place(), |this, call| {
                this.pay_members(call, room, due)
            })?;
        }
        Ok(())
    }

    /// Parts what is owed in receipts for what came off the record and the others:
    /// whatever is known to be of a stretch, from when it came or by what is
    /// stored, the key of the conversation signs nothing about.
    fn part_debt(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        owed: BTreeMap<MessageId, Due>,
    ) -> Result<(Vec<Receipt>, Vec<Receipt>), StorageError> {
        let (off, on): (Vec<_>, Vec<_>) = owed.into_iter().partition(|(_, due)| due.off);
        let [mut off, on] = [off, on].map(|part| part.into_iter().map(receipt).collect());
        let (more, on) = self.part_off_record(call, contact, on, |one: &Receipt| &one.message)?;
        off.extend(more);
        Ok((off, on))
    }

    fn send_all_receipts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        receipts: Vec<Receipt>,
    ) -> Result<(), StorageError> {
        let (signed, plain) = self.sign_receipts(call, contact, receipts)?;
        for batch in signed.chunks(MAX_SIGNED_RECEIPTS) {
            let about = batch.iter().map(|receipt| receipt.message).collect();
            let content = Content::SignedReceipts(batch.to_vec());
            self.send_receipts(call, contact, &content, about)?;
        }
        for batch in plain.chunks(MOST_IN_LETTER) {
            let about = batch.iter().map(|receipt| receipt.message).collect();
            let content = Content::Receipts(batch.to_vec());
            self.send_receipts(call, contact, &content, about)?;
        }
        Ok(())
    }

    fn send_receipts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        content: &Content,
        about: Vec<MessageId>,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            return Ok(());
        }
        let Some(letter) = self.say_in_passing(call, contact, content)? else {
            return Ok(());
        };
        self.debts.note_letter(contact, letter);
        for message in about {
            // It may have been superseded meanwhile, or be one that they lack
            // and another conversation has.
            if is_here(call.storage, contact, &message)? {
                call.storage.set_owed(&message, Owed::Nothing)?;
            }
        }
        Ok(())
    }

    /// Calls back the letters with receipts that wait for a contact: nobody
    /// reads any more where they were to go, and none follows while they wait.
    /// Who moved asks after what they held.
    pub(super) fn call_receipts_back(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let letters = self.debts.letters.remove(&contact);
        letters.into_iter().flatten().try_for_each(|letter| {
            self.office
                .cancel(call.cx, &mut *call.storage, letter)
                .map(drop)
        })
    }

    /// A contact told what became of my messages.
    pub(super) fn apply_receipts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        receipts: &[Receipt],
        off: bool,
    ) -> Result<(), StorageError> {
        let mut misplaced = false;
        for receipt in receipts {
            // What was said off the record nobody honest names on it.
            if !off && self.is_off_record(call, contact, &receipt.message)? {
                misplaced = true;
                continue;
            }
            let state = match receipt.status {
                Status::DELIVERED => MessageState::Delivered,
                Status::READ => MessageState::Read,
                Status::ERROR => {
                    self.lacks(call, contact, &receipt.message, off)?;
                    continue;
                }
                _ => continue,
            };
            let Some(record) = message_with(call.storage, contact, &receipt.message)? else {
                continue;
            };
            // Where it was said it is confirmed.
            if record.mine && record.is_off_record() == off && record.state < state {
                self.confirmed(call, record, state)?;
            }
        }
        match misplaced {
            true => self.drop_letter(Some(contact), DropReason::Receipt),
            false => Ok(()),
        }
    }

    pub(super) fn confirmed(
        &mut self,
        call: &mut Call<'_, '_>,
        record: MessageRecord,
        state: MessageState,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let id = *record.id();
        if record.is_off_record() {
            self.stretches.note_use(record.contact);
        }
        // Also of what has disappeared here: somebody may wait for this.
        let shown = record.kind != MessageKind::Control;
        let mut times = record.times.clone();
        self.begin_to_vanish(call, &record, &mut times)?;
        times.delivered.get_or_insert(now);
        if state == MessageState::Read {
            times.read = Some(now);
        }
        call.storage.set_state(&id, state, &times)?;
        self.repeats.confirmed(record.contact, call.cx.now());
        if record.kind == MessageKind::Control {
            self.telling_confirmed(call, record.contact, &id)?;
        }
        if let Some(letter) = record.letter {
            self.learn_from(call, record.contact, LetterId(letter))?;
            if shown {
                self.keep_attempts(call, &record)?;
            }
            self.office
                .settle(call.cx, &mut *call.storage, LetterId(letter))?;
        }
        if shown {
            self.tell(Event::State {
                message: id,
                state,
                reason: None,
            });
            return Ok(());
        }
        self.forget_old_steps(call, record.contact)
    }
}
