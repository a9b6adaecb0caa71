//! Receipts in a wide group: a herald gathers them for authors, who are told numbers
//! and leaves.
//!
//! What is gathered and not told yet is forgotten when the program ends: a number is
//! too low then, and nothing else.

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
    budgets: Budgets,
    /// Receipts that came before what they are of.
    early: VecDeque<(RoomId, MessageId, MemberId, MessageState)>,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            rooms: BTreeMap::new(),
            budgets: Budgets::new(OF_ONE.0, OF_ONE.1),
            early: VecDeque::new(),
        }
    }
}

struct Gathered {
    due: Moment,
    by_message: BTreeMap<(MemberId, MessageId), BTreeMap<MemberId, MessageState>>,
}

impl Counts {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        self.rooms.values().map(|room| room.due).min()
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
        let gathered = self.rooms.entry(room).or_insert_with(|| Gathered {
            due: now + INTERVAL,
            by_message: BTreeMap::new(),
        });
        let states = gathered.by_message.entry((author, message)).or_default();
        let known = states.entry(by).or_insert(state);
        *known = (*known).max(state);
        if gathered.by_message.len() >= MOST_GATHERED {
            gathered.due = now;
        }
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
        let author = Some(record).filter(|record| record.contact == room.place());
        let Some(author) = author.and_then(|record| record.author) else {
            return Ok(());
        };
        self.rooms
            .counts
            .note(room, author, message, (by, state), call.cx.now());
        Ok(())
    }

    /// A message came, of which some told before that they have it.
    pub(in crate::messenger) fn gather_early(
        &mut self,
        room: RoomId,
        author: MemberId,
        message: MessageId,
        now: Moment,
    ) {
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
        let due = self
            .rooms
            .counts
            .rooms
            .extract_if(.., |_, one| one.due <= now);
        for (room, gathered) in due.collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.tell_counts(call, room, gathered)
            })?;
        }
        Ok(())
    }

    fn tell_counts(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        gathered: Gathered,
    ) -> Result<(), StorageError> {
        let members = self.keeper(call, room, |keeper, lent| keeper.members(lent))?;
        let leaves = self.leaves(room, &members)?;
        let leaves: BTreeMap<_, _> = leaves.into_iter().map(|(leaf, of)| (of, leaf)).collect();
        let mut by_author: BTreeMap<MemberId, Vec<Tally>> = BTreeMap::new();
        for ((author, message), states) in gathered.by_message {
            let those = |least| {
                let states = states.iter().filter(move |(_, state)| **state >= least);
                let leaves = states.filter_map(|(member, _)| leaves.get(member).copied());
                leaves.collect::<BTreeSet<u32>>()
            };
            by_author.entry(author).or_default().push(Tally {
                message,
                delivered: those(MessageState::Delivered),
                read: those(MessageState::Read),
            });
        }
        let conversation = self.rooms.find(room)?.record.conversation;
        for (author, tallies) in by_author {
            for tallies in tallies.chunks(MAX_TALLIES) {
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
        for one in all.filter(was_left_to_heralds) {
            let state = told.get(&one.member).copied();
            let Some(state) = state.filter(|state| one.state < *state) else {
                continue;
            };
            call.storage
                .put_recipient(&RecipientRecord { state, ..one })?;
        }
        self.count_anew(call, &tally.message, None)
    }
}
