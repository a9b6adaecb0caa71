//! Receipts in a wide group: a herald gathers them for authors, who are told numbers
//! and leaves.
//!
//! What is gathered and not told yet is forgotten when the program ends: a number is
//! too low then, and nothing else.
//!
//! An author who gave no sign since numbers were told last may be away, and letters with them
//! would take the places in their mailbox of what is said. So they come ever seldomer until
//! something is heard of the author, all that was gathered in one letter.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hushwing_sansio::{Moment, StorageError};

use super::was_left_to_heralds;
use crate::branches::Member;
use crate::content::{Content, MAX_TALLIES, RoomStep, RoomWord, Tally};
use crate::messenger::broken::is_damage;
use crate::messenger::room::commits::Budgets;
use crate::messenger::{Call, Messenger};
use crate::storage::{MessageState, RecipientRecord};
use crate::{DropReason, MemberId, MessageId, RoomId};

/// How long receipts are gathered.
const INTERVAL: Duration = Duration::from_secs(20);
/// The longest between two letters of numbers to an author of whom nothing was heard.
const LONGEST: Duration = Duration::from_secs(2 * 60 * 60);
/// Messages of one room of which something is gathered; more are told at once.
const MOST_GATHERED: usize = 1_024;

/// Receipts that are kept until what they are of comes.
const MOST_EARLY: usize = 8_192;
/// Receipts of one member that are gathered at once, and the time in which one more may
/// be: each can make me write to another author.
const OF_ONE: (u32, Duration) = (512, Duration::from_millis(250));

/// What heralds gathered.
pub(in crate::messenger) struct Counts {
    rooms: BTreeMap<RoomId, Gathered>,
    /// Authors who were told numbers.
    told: BTreeMap<MemberId, Told>,
    budgets: Budgets,
    /// Receipts that came before what they are of.
    early: VecDeque<(RoomId, MessageId, MemberId, MessageState)>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            rooms: BTreeMap::new(),
            told: BTreeMap::new(),
            budgets: Budgets::new(OF_ONE.0, OF_ONE.1),
            early: VecDeque::new(),
        }
    }
}

/// What is gathered for the authors of one room.
#[derive(Default)]
struct Gathered {
    authors: BTreeMap<MemberId, OfAuthor>,
    messages: usize,
}

struct OfAuthor {
    due: Moment,
    by_message: BTreeMap<MessageId, BTreeMap<MemberId, MessageState>>,
}

/// When an author was told numbers.
struct Told {
    /// When they are told others next, if nothing is heard of them.
    next: Moment,
    wait: Duration,
    heard: bool,
}

impl Counts {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        let authors = self.rooms.values().flat_map(|room| room.authors.values());
        authors.map(|author| author.due).min()
    }

    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.early.retain(|(of, ..)| *of != room);
    }

    /// Somebody has a message of an author.
    fn note(
        &mut self,
        room: RoomId,
        author: MemberId,
        message: MessageId,
        (by, state): (MemberId, MessageState),
        now: Moment,
    ) {
        let silent = self.told.get(&author).filter(|told| !told.heard);
        let next = silent.map_or(now, |told| told.next);
        let gathered = self.rooms.entry(room).or_default();
        let waiting = gathered.authors.get(&author);
        let new = waiting.is_none_or(|of| !of.by_message.contains_key(&message));
        let many = waiting.map_or(0, |of| of.by_message.len());
        let full = many >= MAX_TALLIES || gathered.messages >= MOST_GATHERED;
        if silent.is_some() && new && full {
            // What waits for who may be away is one letter, whatever others confirm.
            return;
        }
        let of = gathered.authors.entry(author).or_insert_with(|| OfAuthor {
            due: next.max(now + INTERVAL),
            by_message: BTreeMap::new(),
        });
        let states = of.by_message.entry(message).or_insert_with(|| {
            gathered.messages += 1;
            BTreeMap::new()
        });
        let known = states.entry(by).or_insert(state);
        *known = (*known).max(state);
        if gathered.messages >= MOST_GATHERED {
            let told = &self.told;
            let silent = |author| told.get(author).is_some_and(|told| !told.heard);
            let there = gathered.authors.iter_mut();
            let there = there.filter(|(author, _)| !silent(author));
            there.for_each(|(_, of)| of.due = now);
        }
    }

    /// Something came of somebody: they are there, and are told what waits for them. What was
    /// gathered before a device of theirs came or went may stand under another number.
    fn heard_of(&mut self, room: RoomId, is_theirs: impl Fn(MemberId) -> bool, now: Moment) {
        let told = self
            .told
            .iter_mut()
            .filter(|(author, _)| is_theirs(**author));
        told.for_each(|(_, told)| told.heard = true);
        let gathered = self.rooms.get_mut(&room).into_iter();
        let authors = gathered.flat_map(|gathered| &mut gathered.authors);
        for (_, of) in authors.filter(|(author, _)| is_theirs(**author)) {
            of.due = of.due.min(now + INTERVAL);
        }
    }

    /// What authors are to be told now.
    fn take_due(&mut self, now: Moment) -> Vec<(RoomId, Vec<(MemberId, OfAuthor)>)> {
        let mut due = Vec::new();
        for (room, gathered) in &mut self.rooms {
            let authors = gathered.authors.extract_if(.., |_, of| of.due <= now);
            let authors: Vec<_> = authors.collect();
            let messages: usize = authors.iter().map(|(_, of)| of.by_message.len()).sum();
            gathered.messages = gathered.messages.saturating_sub(messages);
            if !authors.is_empty() {
                due.push((*room, authors));
            }
        }
        self.rooms
            .retain(|_, gathered| !gathered.authors.is_empty());
        for (author, _) in due.iter().flat_map(|(_, authors)| authors) {
            let before = self.told.get(author).filter(|told| !told.heard);
            let wait = before.map_or(INTERVAL, |told| told.wait.saturating_mul(2).min(LONGEST));
            let told = Told {
                next: now + wait,
                wait,
                heard: false,
            };
            self.told.insert(*author, told);
        }
        due
    }

    /// Somebody has a message that did not come here yet: a mailbox that was full takes
    /// letters in any order.
    fn keep_early(&mut self, room: RoomId, message: MessageId, by: MemberId, state: MessageState) {
        if self.early.len() >= MOST_EARLY {
            self.early.pop_front();
        }
        self.early.push_back((room, message, by, state));
    }

    pub(in crate::messenger) fn forget_member(&mut self, member: MemberId) {
        self.budgets.forget(member);
        self.told.remove(&member);
    }
}

impl Messenger {
    /// Somebody whom I look after told what they have of another's.
    pub(in crate::messenger) fn gather(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        message: MessageId,
        state: MessageState,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let looks_after = known.members.get(&by);
        let heralds = known.heralds_if_wide();
        let looks_after = looks_after.and_then(|by| heralds.looks_after(&by.key));
        if looks_after.is_none() || looks_after != known.me() {
            return Ok(());
        }
        self.rooms.passing.confirmed(room, &message, by);
        self.renew_sign(call, room, by)?;
        self.is_there(room, by, call.cx.now());
        if !self.rooms.counts.budgets.take(by, 1, call.cx.now()) {
            return Ok(());
        }
        let record = match call.storage.message(&message) {
            Err(error) if is_damage(&error) => None,
            record => record?,
        };
        let Some(record) = record else {
            self.rooms.counts.keep_early(room, message, by, state);
            return Ok(());
        };
        let known = self.rooms.find(room)?;
        let author = match record.mine {
            // Another device of mine said it, and is told as any author.
            true => known.me(),
            false => record.author,
        };
        let author = author.filter(|_| record.contact == room.place());
        let Some(author) = author.map(|author| known.person(author)) else {
            return Ok(());
        };
        self.rooms
            .counts
            .note(room, author, message, (by, state), call.cx.now());
        Ok(())
    }

    /// Something came of somebody, by whichever of their devices: they are told what waits.
    pub(super) fn is_there(&mut self, room: RoomId, member: MemberId, now: Moment) {
        if let Some(known) = self.rooms.by_id.get(&room) {
            let person = known.person(member);
            let is_theirs = |author| known.person(author) == person;
            self.rooms.counts.heard_of(room, is_theirs, now);
        }
    }

    /// A message came, of which some told before that they have it.
    pub(in crate::messenger) fn gather_early(
        &mut self,
        room: RoomId,
        author: MemberId,
        message: MessageId,
        now: Moment,
    ) {
        let known = self.rooms.by_id.get(&room);
        let author = known.map_or(author, |known| known.person(author));
        let counts = &mut self.rooms.counts;
        let early = core::mem::take(&mut counts.early);
        for (of, id, by, state) in early {
            match (of, id) == (room, message) {
                true => counts.note(room, author, message, (by, state), now),
                false => counts.early.push_back((of, id, by, state)),
            }
        }
    }

    /// Tells authors what was gathered.
    pub(in crate::messenger) fn counts_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        for (room, authors) in self.rooms.counts.take_due(now) {
            self.within(call, room.place(), |this, call| {
                this.tell_counts(call, room, authors)
            })?;
        }
        Ok(())
    }

    fn tell_counts(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        authors: Vec<(MemberId, OfAuthor)>,
    ) -> Result<(), StorageError> {
        let members = self.keeper(call, room, |keeper, lent| keeper.members(lent))?;
        let leaves = self.leaves(room, &members)?;
        let leaves: BTreeMap<_, _> = leaves.into_iter().map(|(leaf, of)| (of, leaf)).collect();
        let conversation = self.rooms.find(room)?.record.conversation;
        for (author, of) in authors {
            let tallies = of.by_message.into_iter().map(|(message, states)| {
                let those = |least| {
                    let states = states.iter().filter(move |(_, state)| **state >= least);
                    let leaves = states.filter_map(|(member, _)| leaves.get(member).copied());
                    leaves.collect::<BTreeSet<u32>>()
                };
                Tally {
                    message,
                    delivered: those(MessageState::Delivered),
                    read: those(MessageState::Read),
                }
            });
            for tallies in tallies.collect::<Vec<_>>().chunks(MAX_TALLIES) {
                let word = RoomWord {
                    room: conversation,
                    step: RoomStep::Tallies(tallies.to_vec()),
                };
                let word = Content::Room(word);
                let known = self.rooms.find(room)?;
                let devices: Vec<_> = known.devices_of(author).map(|one| one.member).collect();
                for device in devices {
                    self.tell_for_others(call, room, device, &word)?;
                }
            }
        }
        Ok(())
    }

    fn leaves(
        &mut self,
        room: RoomId,
        members: &[Member],
    ) -> Result<BTreeMap<u32, MemberId>, StorageError> {
        let known = self.rooms.find(room)?;
        let leaves = members.iter().filter_map(|member| {
            let record = known.member_by(&member.account, &member.signature_key)?;
            Some((member.leaf, record.member))
        });
        Ok(leaves.collect())
    }

    /// A herald told whom messages of mine reached: it is believed for those it looks
    /// after.
    pub(in crate::messenger) fn heard_tallies(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: MemberId,
        members: &[Member],
        tallies: &[Tally],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds_if_wide();
        let mut leaves = self.leaves(room, members)?;
        let known = self.rooms.find(room)?;
        leaves.retain(|_, member| {
            let key = known.members.get(member).map(|record| &record.key);
            key.and_then(|key| heralds.looks_after(key)) == Some(by)
        });
        if leaves.is_empty() {
            return self.drop_letter(None, DropReason::Room);
        }
        for tally in tallies {
            let outline = call.storage.outline(&tally.message)?;
            if !outline.is_some_and(|(place, mine, _)| mine && place == room.place()) {
                continue;
            }
            self.take_tally(call, &leaves, tally)?;
        }
        Ok(())
    }

    fn take_tally(
        &mut self,
        call: &mut Call<'_, '_>,
        leaves: &BTreeMap<u32, MemberId>,
        tally: &Tally,
    ) -> Result<(), StorageError> {
        let mut told = BTreeMap::new();
        for (set, state) in [
            (&tally.delivered, MessageState::Delivered),
            (&tally.read, MessageState::Read),
        ] {
            let members = set.iter().filter_map(|leaf| leaves.get(leaf));
            told.extend(members.map(|member| (*member, state)));
        }
        // What I wrote to somebody is on its way until they say themselves that it came: a
        // herald is asked for nobody else.
        let all = call.storage.recipients(&tally.message)?.into_iter();
        let mut news = false;
        for one in all.filter(was_left_to_heralds) {
            let state = told.get(&one.member).copied();
            let Some(state) = state.filter(|state| one.state < *state) else {
                continue;
            };
            call.storage
                .put_recipient(&RecipientRecord { state, ..one })?;
            news = true;
        }
        match news {
            true => self.count_anew(call, &tally.message, None),
            // Nothing of it is theirs to count, as of what another device of mine said.
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: RoomId = RoomId(1);
    const AUTHOR: MemberId = MemberId(2);

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn id(number: u64) -> MessageId {
        let mut id = [1; 32];
        id[24..].copy_from_slice(&number.to_be_bytes());
        MessageId::from_bytes(&id).unwrap()
    }

    /// Each minute somebody else tells that they have a message; when the author is told.
    fn told_in(counts: &mut Counts, seconds: core::ops::Range<u64>) -> Vec<u64> {
        let mut told = Vec::new();
        for second in seconds {
            if second % 60 == 0 {
                let receipt = (MemberId(second), MessageState::Delivered);
                counts.note(ROOM, AUTHOR, id(7), receipt, at(second));
            }
            if !counts.take_due(at(second)).is_empty() {
                told.push(second);
            }
        }
        told
    }

    #[test]
    fn an_author_who_is_away_is_told_ever_seldomer_and_all_at_once() {
        let mut counts = Counts::default();
        let in_a_day = told_in(&mut counts, 0..86_400);
        assert_eq!(in_a_day[..5], [20, 80, 140, 220, 380]);
        assert!((15..24).contains(&in_a_day.len()), "{in_a_day:?}");
        let waiting = &counts.rooms[&ROOM].authors[&AUTHOR].by_message;
        assert!(waiting.values().all(|states| states.len() > 2));
        counts.heard_of(ROOM, |one| one == AUTHOR, at(86_400));
        assert_eq!(told_in(&mut counts, 86_400..86_421), [86_420]);
        assert_eq!(told_in(&mut counts, 86_421..86_600), [86_480, 86_540]);
    }

    #[test]
    fn who_is_heard_of_is_told_soon_and_too_much_at_once() {
        let mut counts = Counts::default();
        told_in(&mut counts, 0..3_600);
        for minute in 60..70 {
            counts.heard_of(ROOM, |one| one == AUTHOR, at(minute * 60));
            let told = told_in(&mut counts, minute * 60..(minute + 1) * 60);
            assert_eq!(told, [minute * 60 + 20]);
        }
        counts.heard_of(ROOM, |one| one == AUTHOR, at(5_000));
        confirm_all(&mut counts, 5_000);
        let due = counts.take_due(at(5_000));
        assert_eq!(due[0].1[0].1.by_message.len(), MOST_GATHERED);
        assert!(counts.rooms.is_empty());
    }

    #[test]
    fn what_stands_under_two_numbers_of_one_person_is_told_when_either_is_heard_of() {
        const BEFORE: MemberId = MemberId(3);
        let mut counts = Counts::default();
        for second in [0, 3_600] {
            for author in [AUTHOR, BEFORE] {
                for round in 0..8 {
                    let receipt = (MemberId(9), MessageState::Delivered);
                    counts.note(ROOM, author, id(round), receipt, at(second));
                    counts.take_due(at(second + round * 300));
                }
            }
        }
        let receipt = (MemberId(9), MessageState::Read);
        let now = at(7_200);
        for author in [AUTHOR, BEFORE] {
            counts.note(ROOM, author, id(9), receipt, now);
        }
        assert!(counts.take_due(at(7_220)).is_empty(), "both are away");
        counts.heard_of(ROOM, |one| [AUTHOR, BEFORE].contains(&one), now);
        assert_eq!(counts.take_due(at(7_220))[0].1.len(), 2);
    }

    /// Somebody confirms as much as is gathered of a room, and more.
    fn confirm_all(counts: &mut Counts, second: u64) {
        for number in 0..u64::try_from(MOST_GATHERED).unwrap() {
            let receipt = (MemberId(5), MessageState::Read);
            counts.note(ROOM, AUTHOR, id(number), receipt, at(second));
        }
    }

    #[test]
    fn nobody_has_an_author_who_is_away_told_oftener_or_in_more_than_one_letter() {
        let mut counts = Counts::default();
        told_in(&mut counts, 0..3_600);
        let mut letters = 0;
        for second in (3_600..86_400).step_by(600) {
            confirm_all(&mut counts, second);
            let due = counts.take_due(at(second)).into_iter();
            let due = due.flat_map(|(_, authors)| authors);
            let each = due.map(|(_, of)| of.by_message.len().div_ceil(MAX_TALLIES));
            letters += each.sum::<usize>();
        }
        assert!((8..16).contains(&letters), "{letters}");
    }
}
