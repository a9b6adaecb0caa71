//! What an author does when heralds are silent: writing to each.
//!
//! ```text
//! posted ─ three minutes since a server took it ─▶ asked one ─ taken too ─▶ to each
//! ```
//!
//! Time counts only where I am heard: an author without a network is no reason to
//! write to everybody, neither before the first letter left nor after. So one other
//! member is written to first, and only when a server took that, and what waited for me
//! had time to come in, the rest are.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::{Keep, LetterId};
use hushwing_sansio::{Moment, StorageError};

use super::passing::Name;
use super::was_left_to_heralds;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageRecord, MessageState, RecipientRecord};
use crate::{MemberId, MessageId, RoomId};

/// How long heralds have until somebody else has something. Twice the longest that a
/// herald waits for another.
const WAIT: Duration = Duration::from_secs(180);
/// How long what waits for me has to come in once a server answered me.
const SOON: Duration = Duration::from_secs(30);
/// Between two messages that are written to each, at least.
const PAUSE: Duration = Duration::from_secs(2);
/// The first time between two whom I ask, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(60);
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 60 * 60);
/// What nobody confirms of one room that is kept for as long.
const MOST_KEPT: usize = 32;
/// Messages of earlier runs that are looked at again, the last ones.
const MOST_RESUMED: usize = 64;

/// What may not have been passed on.
#[derive(Default)]
pub(in crate::messenger) struct Unheard {
    said: BTreeMap<(RoomId, MessageId), Watch>,
    passing: BTreeMap<(RoomId, Name), (Watch, Vec<u8>)>,
    /// When it showed last that a server answers me.
    proven: BTreeMap<RoomId, Moment>,
    /// Until when nothing more is written to each.
    rests: BTreeMap<RoomId, Moment>,
}

/// What is waited for, and until when.
#[derive(Debug, PartialEq, Eq)]
struct Watch {
    /// Those to heralds.
    letters: Vec<LetterId>,
    /// When a server took or refused the first of them.
    taken: Option<Moment>,
    /// That to one other member.
    asked: Option<LetterId>,
    /// A server took or refused that one.
    proven: bool,
    due: Moment,
    /// How long heralds have.
    patience: Duration,
    /// Between two whom I ask: where nobody answers it grows.
    wait: Duration,
}

impl Watch {
    fn new(letters: Vec<LetterId>, patience: Duration, now: Moment) -> Self {
        Self {
            letters,
            taken: None,
            asked: None,
            proven: false,
            due: now + patience,
            patience,
            wait: FIRST_WAIT,
        }
    }

    /// One other member was written to by this letter.
    fn ask(&mut self, letter: LetterId, now: Moment) {
        self.asked = Some(letter);
        self.rest(now);
    }

    /// Nobody could be written to: it is tried again later.
    fn rest(&mut self, now: Moment) {
        self.due = now + self.wait;
        self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
    }

    /// A server took or refused a letter.
    fn answered(&mut self, letter: LetterId, now: Moment) {
        let first = self.taken.is_none() && self.letters.contains(&letter);
        let proven = !self.proven && self.asked == Some(letter);
        if first {
            self.taken = Some(now);
            self.due = self.due.max(now + self.patience);
        }
        if proven {
            self.proven = true;
            let heralds = self.taken.map_or(now, |taken| taken + self.patience);
            self.due = heralds.max(now + SOON);
        }
    }
}

impl Unheard {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        let said = self.said.values().map(|watch| watch.due);
        let passing = self.passing.values().map(|(watch, _)| watch.due);
        said.chain(passing).min()
    }

    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.said.retain(|(of, _), _| *of != room);
        self.passing.retain(|(of, _), _| *of != room);
        self.proven.remove(&room);
        self.rests.remove(&room);
    }

    /// Whether one question in a room is open, or was answered just now: that is enough
    /// for all that is unheard there.
    fn asks_in(&self, room: RoomId) -> bool {
        let mut said = self.said.iter();
        said.any(|((of, _), watch)| *of == room && watch.asked.is_some() && !watch.proven)
    }

    fn is_proven(&self, room: RoomId, now: Moment) -> bool {
        let proven = self.proven.get(&room);
        proven.is_some_and(|at| now < *at + WAIT)
    }

    /// A herald says that it passed something on.
    pub(in crate::messenger) fn passed(&mut self, room: RoomId, name: Name) {
        self.passing.remove(&(room, name));
    }

    /// A server took or refused a letter.
    pub(in crate::messenger) fn answered(&mut self, letter: LetterId, now: Moment) {
        let said = self.said.iter_mut().map(|((room, _), watch)| (room, watch));
        let passing = self.passing.iter_mut();
        let passing = passing.map(|((room, _), (watch, _))| (room, watch));
        for (room, watch) in said.chain(passing) {
            let before = watch.proven;
            watch.answered(letter, now);
            if watch.proven && !before {
                self.proven.insert(*room, now);
            }
        }
    }
}

impl Messenger {
    /// Looks after a while whether a message of mine came to anybody, if heralds are to
    /// pass it on.
    pub(super) fn await_others(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
    ) -> Result<(), StorageError> {
        if self.relies_on_heralds(room)? {
            let posted = call.storage.recipients(&message)?.into_iter();
            let letters = posted.filter_map(|one| one.letter.map(LetterId)).collect();
            let watch = Watch::new(letters, self.patience_in(room), call.cx.now());
            self.rooms.unheard.said.insert((room, message), watch);
        }
        Ok(())
    }

    /// The same for what nobody confirms: a herald reports it.
    pub(super) fn listen_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        letters: &[u64],
        body: &[u8],
    ) -> Result<(), StorageError> {
        let Some(name) = Name::of_letter(body) else {
            return Ok(());
        };
        let kept = self.rooms.unheard.passing.keys();
        let kept = kept.filter(|(of, _)| *of == room).count();
        if self.relies_on_heralds(room)? && kept < MOST_KEPT {
            let letters = letters.iter().copied().map(LetterId).collect();
            let kept = (
                Watch::new(letters, self.patience_in(room), call.cx.now()),
                body.to_vec(),
            );
            self.rooms.unheard.passing.insert((room, name), kept);
        }
        Ok(())
    }

    /// How long heralds of a room have: what they do is spread where many are in it.
    fn patience_in(&self, room: RoomId) -> Duration {
        WAIT + self.spread_in(room) * 2
    }

    /// Whether others pass on what I say: what I pass on myself, I see to as a herald.
    pub(super) fn relies_on_heralds(&mut self, room: RoomId) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        Ok(!heralds.is_empty() && !known.me().is_some_and(|me| heralds.includes(me)))
    }

    /// Looks again at what an earlier run said last.
    pub(in crate::messenger) fn resume_unheard(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        if !self.relies_on_heralds(room)? {
            return Ok(());
        }
        let now = call.cx.now();
        let (place, all) = (room.place(), 0..u64::MAX);
        for record in call.storage.unconfirmed_in(place, all, MOST_RESUMED)? {
            let watch = Watch::new(Vec::new(), self.patience_in(room), now);
            let said = &mut self.rooms.unheard.said;
            said.insert((room, *record.id()), watch);
        }
        Ok(())
    }

    /// Writes to each what no herald passed on.
    pub(in crate::messenger) fn unheard_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let unheard = &mut self.rooms.unheard;
        let said = unheard.said.extract_if(.., |_, watch| watch.due <= now);
        let said: Vec<_> = said.collect();
        let passing = &mut unheard.passing;
        let passing = passing.extract_if(.., |_, (watch, _)| watch.due <= now);
        let passing: Vec<_> = passing.collect();
        for ((room, message), watch) in said {
            self.within(call, room.place(), |this, call| {
                this.said_unheard(call, room, message, watch)
            })?;
        }
        for ((room, name), (watch, body)) in passing {
            self.within(call, room.place(), |this, call| {
                this.passed_unheard(call, room, name, watch, body)
            })?;
        }
        Ok(())
    }

    /// Nobody but heralds has a message of mine, as far as I know: one that drops it
    /// confirms it as others do.
    fn said_unheard(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
        mut watch: Watch,
    ) -> Result<(), StorageError> {
        let outline = call.storage.outline(&message)?;
        let open = outline.is_some_and(|(.., state)| state < MessageState::Delivered);
        if !open || !self.rooms.find(room)?.is_mine() {
            return Ok(());
        }
        let all = call.storage.recipients(&message)?;
        let others: Vec<_> = all.into_iter().filter(was_left_to_heralds).collect();
        if others
            .iter()
            .any(|one| one.state >= MessageState::Delivered)
        {
            return Ok(());
        }
        let now = call.cx.now();
        let unheard = &self.rooms.unheard;
        if watch.proven || unheard.is_proven(room, now) {
            // One after the other: who was not heard for long said much.
            let rests = unheard.rests.get(&room).copied();
            if let Some(until) = rests.filter(|until| now < *until) {
                watch.due = until;
                self.rooms.unheard.said.insert((room, message), watch);
                return Ok(());
            }
            let pause = self.spread_in(room).max(PAUSE);
            self.rooms.unheard.rests.insert(room, now + pause);
            return self.write_to_each(call, room, message);
        }
        if watch.asked.is_none() && unheard.asks_in(room) {
            watch.due = now + SOON;
            self.rooms.unheard.said.insert((room, message), watch);
            return Ok(());
        }
        let record = call.storage.message(&message)?;
        let Some(record) = record.filter(|record| !record.is_erased() && !others.is_empty()) else {
            return Ok(());
        };
        match self.ask_one(call, room, &record, &others)? {
            Some(letter) => watch.ask(letter, call.cx.now()),
            None => watch.rest(call.cx.now()),
        }
        let said = &mut self.rooms.unheard.said;
        said.insert((room, message), watch);
        Ok(())
    }

    /// Those of a room of whom it is known where to write.
    fn reachable_in(&mut self, room: RoomId) -> Result<Vec<MemberId>, StorageError> {
        let known = self.rooms.find(room)?;
        let near = known.others().filter(|one| !one.addresses.is_empty());
        Ok(near.map(|one| one.member).collect())
    }

    /// Says a message of mine to one of those it was left to heralds for.
    fn ask_one(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        record: &MessageRecord,
        others: &[RecipientRecord],
    ) -> Result<Option<LetterId>, StorageError> {
        let near = self.reachable_in(room)?;
        let near = others.iter().filter(|one| near.contains(&one.member));
        let Some(one) = draw(call, &near.collect::<Vec<_>>()) else {
            return Ok(None);
        };
        if !self.repeat_to(call, room, one, record)? {
            return Ok(None);
        }
        let all = call.storage.recipients(&one.message)?.into_iter();
        let mut asked = all.filter(|now| now.member == one.member);
        Ok(asked.find_map(|now| now.letter).map(LetterId))
    }

    /// Says a message of mine again, to each.
    fn write_to_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        message: MessageId,
    ) -> Result<(), StorageError> {
        let Some(record) = call.storage.message(&message)? else {
            return Ok(());
        };
        let known = self.rooms.find(room)?;
        let present: Vec<MemberId> = known.others().map(|one| one.member).collect();
        let first = Some(known.epoch_of(&record.position));
        if record.is_erased() {
            return Ok(());
        }
        let sealed = self.seal_for_all(call, room, &record.content, first)?;
        let Some((epoch, body)) = sealed else {
            return Ok(());
        };
        let all = call.storage.recipients(&message)?.into_iter();
        let open = all.filter(|one| one.state < MessageState::Delivered);
        for one in open.filter(|one| present.contains(&one.member)) {
            if let Some(letter) = one.letter {
                self.recall(call, letter)?;
            }
            self.send_to(call, room, one.member, message, body.clone())?;
        }
        call.storage.set_sealed(&message, epoch)?;
        self.count_anew(call, &message, None)
    }

    /// No herald reported what nobody confirms.
    fn passed_unheard(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        name: Name,
        mut watch: Watch,
        body: Vec<u8>,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds();
        if !known.is_inside() {
            return Ok(());
        }
        let mut others = self.reachable_in(room)?;
        others.retain(|one| !heralds.includes(*one));
        if !watch.proven {
            others = draw(call, &others).into_iter().collect();
        }
        let mut letters = Vec::new();
        for member in others {
            let (body, keep) = (body.clone(), Keep::UntilAccepted);
            letters.extend(self.post_to_member(call, room, member, body, keep)?);
        }
        self.publish_also(call, room, name, &letters)?;
        match letters.first() {
            Some(_) if watch.proven => return Ok(()),
            Some(letter) => watch.ask(*letter, call.cx.now()),
            // Somebody may tell where to write.
            None => watch.rest(call.cx.now()),
        }
        let passing = &mut self.rooms.unheard.passing;
        passing.insert((room, name), (watch, body));
        Ok(())
    }
}

/// One of several, by chance.
fn draw<T: Copy>(call: &mut Call<'_, '_>, all: &[T]) -> Option<T> {
    let count = u64::try_from(all.len()).ok().filter(|count| *count > 0)?;
    let drawn = usize::try_from(call.cx.random_below(count)).ok()?;
    all.get(drawn).copied()
}
