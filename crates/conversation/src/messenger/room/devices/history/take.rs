//! History is asked for, and taken as what it is: hearsay that changes nothing.

use core::time::Duration;

use hushwing_sansio::StorageError;

use super::look::{is_deep_enough, next_look};
use super::{PATIENCE, place_at, place_of};
use crate::content::{Content, Next, Past, Piece, RoomStep, RoomWord};
use crate::messenger::room::devices::good::Good;
use crate::messenger::room::entry::Taken;
use crate::messenger::{Call, Messenger};
use crate::storage::{RoomStanding, SharedRecord, TakingGroup, TakingRecord};
use crate::view::HistoryView;
use crate::{ConversationId, DropReason, MemberId, RoomId};

const MOST_PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);
/// Pieces of one group that are taken: what a device of mine hands on is bounded too.
const MOST_PIECES: u32 = 100_000;
impl Messenger {
    /// I came into a group in this epoch: what was said in it before is taken from other
    /// devices of mine.
    pub(in crate::messenger::room) fn want_history_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        epoch: u64,
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        if good.is_none_or(|good| good.others().next().is_none()) {
            return Ok(());
        }
        let before = self.entered_at(room, epoch)?;
        let mut taking = TakingRecord::read(call.storage)?;
        let known = taking.groups.iter().find(|one| one.room == room);
        let first = known.is_none();
        let again = match known {
            // What was not there yet lies behind what is.
            Some(one) => one.over || one.looks > 0,
            None => !call
                .storage
                .messages(room.place(), Some(&before), 1, 1)?
                .is_empty(),
        };
        let rooms = &self.rooms;
        let stays = |one: &TakingGroup| one.room != room && rooms.standing(one.room).is_some();
        taking.groups.retain(stays);
        if first && !again && self.is_first_of_mine(room)? {
            // Nobody else of mine was there. Should all that come next ask each other, each would
            // wait for another.
            return taking.put(call.storage);
        }
        taking.groups.push(TakingGroup {
            room,
            entered: epoch,
            before: place_of(&before).to_vec(),
            again,
            pieces: 0,
            taken: 0,
            ended: Vec::new(),
            over: false,
            since: call.cx.wall(),
            looks: 0,
            depth: 0,
        });
        taking.put(call.storage)?;
        self.note_history(call)?;
        self.take_history_soon(call)
    }

    /// Whether no other leaf of my account is in a group.
    fn is_first_of_mine(&mut self, room: RoomId) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let account = &known.record.account;
        let mut members = known.members.values();
        Ok(!members.any(|one| one.present && !one.mine && one.account == *account))
    }

    /// Asks at once, unless an answer is to come soon.
    pub(in crate::messenger::room) fn take_history_soon(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let soon = call.cx.now() + PATIENCE;
        match self.rooms.pages.again.is_some_and(|at| at <= soon) {
            true => Ok(()),
            false => self.take_history_by_others(call),
        }
    }

    /// Asks at once, without waiting for what was asked for.
    pub(in crate::messenger::room) fn take_history_by_others(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        (self.rooms.pages.again, self.rooms.pages.patience) = (None, PATIENCE);
        self.take_further(call)
    }

    /// Asks for the next piece, unless one is on its way.
    pub(in crate::messenger::room) fn take_further(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        if self.rooms.pages.again.is_some() {
            return Ok(());
        }
        let taking = TakingRecord::read(call.storage)?;
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let Some((device, group)) = self.next_asked(&good, &taking) else {
            return Ok(());
        };
        let now = call.cx.now();
        let pages = &mut self.rooms.pages;
        if !pages.asked.take(device, 1, now) {
            pages.again = Some(now + super::ASKED.1);
            return Ok(());
        }
        pages.again = Some(now + pages.patience);
        pages.waits_for = Some(device);
        pages.patience = MOST_PATIENCE.min(pages.patience * 2);
        let before = place_at(&group.before);
        let before = before.ok_or_else(|| StorageError::corrupt("reading a place"))?;
        let content = Content::Room(RoomWord {
            room: self.rooms.find(group.room)?.record.conversation,
            step: RoomStep::Further(place_of(&before)),
        });
        self.within_told(call, good.room, device, &content)
            .map(drop)
    }

    /// Which device is asked, and for which group: one that did not answer comes last, and one
    /// that has no more of a group is not asked for it.
    fn next_asked<'t>(
        &self,
        good: &Good,
        taking: &'t TakingRecord,
    ) -> Option<(MemberId, &'t TakingGroup)> {
        let others: Vec<_> = good.others().collect();
        let turn = self.rooms.pages.turn;
        let (round, first) = (
            turn.checked_div(others.len())?,
            turn.checked_rem(others.len())?,
        );
        let mut in_turn = others.iter().cycle().skip(first).take(others.len());
        in_turn.find_map(|device| {
            let key = good.key_of(*device)?;
            let open = taking.open().filter(|one| self.is_in(one.room));
            let open: Vec<_> = open.filter(|one| !one.is_ended_by(key)).collect();
            let group = open.get(round.checked_rem(open.len())?)?;
            Some((*device, *group))
        })
    }

    fn is_in(&self, room: RoomId) -> bool {
        self.rooms.standing(room) == Some(RoomStanding::Member)
    }

    /// Asks for what is due, or did not come.
    pub(in crate::messenger::room) fn pages_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.look_again(call)?;
        let now = call.cx.now();
        if self.rooms.pages.again.is_some_and(|at| at <= now) {
            let pages = &mut self.rooms.pages;
            pages.again = None;
            // Who does not answer may be off for long: another is asked.
            let silent = pages.waits_for.take().is_some();
            pages.turn = pages.turn.wrapping_add(usize::from(silent));
            self.take_further(call)?;
        }
        Ok(())
    }

    /// A piece came. It is taken once, if it was asked for.
    pub(in crate::messenger::room) fn heard_piece(
        &mut self,
        call: &mut Call<'_, '_>,
        (device, conversation): (MemberId, ConversationId),
        piece: Piece,
    ) -> Result<(), StorageError> {
        let good = self.good_devices(call.storage)?;
        let asked = self.rooms.pages.waits_for == Some(device);
        let found = self.group_of_piece(call, conversation, &piece)?;
        let (Some(good), Some((mut taking, at))) = (good, found.filter(|_| asked)) else {
            return self.drop_letter(None, DropReason::Room);
        };
        self.rooms.pages.waits_for = None;
        if piece.next == Next::Elsewhere {
            return self.ask_elsewhere(call, &good, &taking);
        }
        let Some(group) = taking.groups.get_mut(at) else {
            return Ok(());
        };
        let (room, entered) = (group.room, group.entered);
        let (mut new, mut known) = (0, 0);
        let count = piece.past.len();
        self.within(call, room.place(), |this, call| {
            for past in piece.past {
                match this.take_page(call, room, entered, past)? {
                    Taken::New => new += 1,
                    Taken::Known => known += 1,
                    Taken::Refused => {}
                }
            }
            Ok(())
        })?;
        group.taken = group.taken.saturating_add(new);
        group.pieces = group.pieces.saturating_add(1);
        group.depth = group.depth.saturating_add(1);
        let all_here = group.again && count > 0 && known == count;
        group.over = group.pieces >= MOST_PIECES || all_here && is_deep_enough(group);
        match piece.next {
            Next::Before(place) => group.before = place.to_vec(),
            Next::End | Next::Elsewhere => group.ended.extend(key_of(&good, device)),
        }
        let mut others = good.others().filter_map(|one| good.key_of(one));
        group.over |= others.all(|key| group.is_ended_by(key));
        taking.put(call.storage)?;
        self.note_history(call)?;
        self.tell_devices();
        self.take_history_by_others(call)
    }

    /// The group that a piece is of, if it was asked for and leads on.
    fn group_of_piece(
        &mut self,
        call: &Call<'_, '_>,
        conversation: ConversationId,
        piece: &Piece,
    ) -> Result<Option<(TakingRecord, usize)>, StorageError> {
        let taking = TakingRecord::read(call.storage)?;
        let place = self.conversations.get(&conversation).copied();
        let known = place.and_then(|place| self.rooms.get(place));
        let room = known.filter(|one| one.is_mine()).map(|one| one.record.id);
        let mut groups = taking.groups.iter();
        let at = groups.position(|one| {
            let asked = one.before.as_slice() == piece.asked.as_slice();
            !one.over && asked && Some(one.room) == room
        });
        let leads = match piece.next {
            // Whoever names the same place again, or a later one, leads nowhere.
            Next::Before(place) => place_at(&place) < place_at(&piece.asked),
            Next::End | Next::Elsewhere => true,
        };
        let leads =
            leads && !matches!(piece.next, Next::Before(place) if place_at(&place).is_none());
        Ok(at.filter(|_| leads).map(|at| (taking, at)))
    }

    /// One device has nothing of a group: another may, or that one later.
    fn ask_elsewhere(
        &mut self,
        call: &mut Call<'_, '_>,
        good: &Good,
        taking: &TakingRecord,
    ) -> Result<(), StorageError> {
        let open = taking.open().filter(|one| self.is_in(one.room));
        let all = good.others().count().saturating_mul(open.count());
        let pages = &mut self.rooms.pages;
        pages.turn = pages.turn.wrapping_add(1);
        // Each was asked for each: that is tried again as what did not come.
        match pages.turn.checked_rem(all) {
            None | Some(0) => Ok(()),
            Some(_) => {
                pages.again = None;
                self.take_further(call)
            }
        }
    }

    fn take_page(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        entered: u64,
        past: Past,
    ) -> Result<Taken, StorageError> {
        let said = self.counted_from(room)?.saturating_add(past.epoch);
        if said >= self.rooms.find(room)?.base.saturating_add(entered) {
            return Ok(Taken::Refused);
        }
        let all = SharedRecord { since: 0, epoch: 0 };
        self.take_past(call, room, all, (past, true))
    }

    /// Sees how much came, for who looks.
    pub(in crate::messenger) fn note_history(
        &mut self,
        call: &Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let taking = TakingRecord::read(call.storage)?;
        let open = taking.to_come().filter(|one| self.is_in(one.room)).count();
        self.rooms.pages.look = next_look(&taking);
        let good = self.good_devices(call.storage)?;
        let alone = good.is_none_or(|good| good.others().next().is_none());
        let view = HistoryView {
            taken: taking.groups.iter().map(|one| one.taken).sum(),
            open,
            cut: alone && open > 0,
        };
        self.devices.history = (!taking.groups.is_empty()).then_some(view);
        Ok(())
    }
}

fn key_of(good: &Good, device: MemberId) -> Option<[u8; 32]> {
    good.key_of(device)?.try_into().ok()
}
