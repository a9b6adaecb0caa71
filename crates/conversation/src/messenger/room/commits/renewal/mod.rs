//! New keys for my leaf, at a time of my own.
//!
//! Somebody who was added goes by keys that others have known since then, and in the tree
//! of a group there is nothing above a leaf before it commits: a commit of anybody says its
//! secret to each such leaf apart. So everybody commits once some time after they were
//! added, and every week or so after that.
//!
//! Nobody waits for such a commit, and one made in a state that others left long ago can
//! win against theirs and undo them. So whoever is to make one first writes to their own
//! mailbox in the group. What comes back shows that servers take and give, and that all
//! that lay there before is read. A commit that loses is not made again, as one for a wish
//! is: another time is drawn.
//!
//! Not in wide groups: there a commit on a tree of those who never made one is half a
//! megabyte to each. A person may ask for one there as well ([`demand`]).

use core::time::Duration;

use hushwing_delivery::{Keep, Letter, LetterId, MailboxId, PostError, Urgency};
use hushwing_sansio::{Context, Moment, StorageError, Timestamp};

use crate::RoomId;
use crate::branches::OwnLeaf;
use crate::letter::LetterBody;
use crate::messenger::mailbox::shared_address;
use crate::messenger::{Call, Messenger, SWEEP};
use crate::storage::RoomRenewalRecord;

mod demand;
mod tries;

use tries::{LATE, Tries};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A newcomer commits within so long for each leaf of the group, and not before it can
/// have been quiet.
const OF_EACH: Duration = Duration::from_secs(15 * 60);
/// Between two renewals of one leaf.
const SHORTEST: Duration = DAY.saturating_mul(5);
const SPREAD: Duration = DAY.saturating_mul(4);
/// Leaves beyond which these grow with the group: so many commits come in a week, each to
/// all, and lie in the mailboxes of those who are away.
const MANY: usize = 16;
/// Who is late, or lost, tries within so long for each leaf, as if there were so many at
/// most: others may be late for the same reason.
const AGAIN_OF_EACH: Duration = Duration::from_secs(2 * 60);
const MOST_AGAIN: usize = 32;
/// For so long nothing came before I commit: a mailbox that was full is filled again by
/// what waits elsewhere.
const QUIET: Duration = Duration::from_secs(5 * 60);

/// How far a renewal is in this run.
#[derive(Clone, Copy, Default)]
pub(in crate::messenger) enum Renewal {
    /// Not soon.
    #[default]
    Far,
    /// It is due then.
    Due(Moment),
    /// It was due while the program did not run or could do nothing: then, after these
    /// tries.
    Late(Moment, Tries),
    /// I wrote to myself.
    Asked(Probe),
}

/// A letter to myself.
#[derive(Clone, Copy)]
pub(in crate::messenger) struct Probe {
    mark: [u8; 16],
    letter: LetterId,
    at: Moment,
    wall: Timestamp,
    /// Those before this one.
    tries: Tries,
}

impl Probe {
    /// How long it has to come back.
    fn answer(&self) -> Duration {
        self.tries.answer()
    }

    fn lasts(&self, now: Moment) -> bool {
        now < self.at + self.answer()
    }
}

impl Renewal {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        match self {
            Self::Far => None,
            Self::Due(at) | Self::Late(at, _) => Some(*at),
            Self::Asked(probe) => Some(probe.at + probe.answer()),
        }
    }

    /// Whether what I wrote to myself may still come back in time.
    fn is_awaited(&self, now: Moment) -> bool {
        matches!(self, Self::Asked(probe) if probe.lasts(now))
    }
}

fn times(span: Duration, count: usize) -> Duration {
    span.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
}

/// How long until keys are renewed, drawn anew: the least, and what chance adds.
fn span(leaf: &OwnLeaf) -> (Duration, Duration) {
    let many = u32::try_from(MANY).unwrap_or(1);
    let share = |span| times(span, leaf.leaves.max(MANY)) / many;
    match leaf.renewed_at {
        None => (QUIET, times(OF_EACH, leaf.leaves)),
        Some(_) => (share(SHORTEST), share(SPREAD)),
    }
}

/// Whether a leaf has the keys that it was drawn for.
fn is_of(record: &RoomRenewalRecord, leaf: &OwnLeaf) -> bool {
    (record.leaf, record.renewed_at) == (leaf.key, leaf.renewed_at)
}

/// Within how long who is late or lost tries.
fn most_again(leaf: &OwnLeaf) -> Duration {
    times(AGAIN_OF_EACH, leaf.leaves.min(MOST_AGAIN))
}

fn again(cx: &mut Context<'_>, leaf: &OwnLeaf) -> Duration {
    cx.random_time_below(most_again(leaf))
}

impl Messenger {
    /// Sees to it that my keys in a room are renewed in time. When that is, is drawn once
    /// for each leaf and each of its commits, and written down.
    pub(in crate::messenger) fn renew_in_time(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let Some(leaf) = self.leaf_to_renew(call, room)? else {
            return self.end_renewal(call, room, Renewal::Far);
        };
        let record = self.renewal_in(call, room, &leaf)?;
        let due = record.due;
        let renewal = self.rooms.find(room)?.renewal;
        if due > wall {
            let wait = due.since(wall);
            let next = match wait <= SWEEP {
                true => Renewal::Due(now + wait),
                // A machine that slept meanwhile sees it in the next sweep.
                false => Renewal::Far,
            };
            return self.end_renewal(call, room, next);
        }
        // Who asked for it does not wait for chance.
        let late = !record.asked && wall.since(due) > SWEEP * 2;
        match renewal {
            Renewal::Asked(probe) if probe.lasts(now) => Ok(()),
            Renewal::Late(at, _) if now < at => Ok(()),
            Renewal::Late(_, tries) => self.ask_myself(call, room, &leaf, tries),
            Renewal::Far | Renewal::Due(_) if !late => {
                self.ask_myself(call, room, &leaf, Tries::default())
            }
            Renewal::Asked(probe) => {
                let tries = probe.tries.unanswered();
                self.try_later(call, room, (&leaf, &record), tries)
            }
            Renewal::Far | Renewal::Due(_) => {
                self.try_later(call, room, (&leaf, &record), Tries::default())
            }
        }
    }

    fn try_later(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (leaf, record): (&OwnLeaf, &RoomRenewalRecord),
        tries: Tries,
    ) -> Result<(), StorageError> {
        let (wait, tries) = match record.asked {
            // Somebody waits for it.
            true => (LATE + call.cx.random_time_below(LATE), tries.in_haste()),
            false => (tries.wait() + again(call.cx, leaf), tries),
        };
        let next = Renewal::Late(call.cx.now() + wait, tries);
        self.end_renewal(call, room, next)
    }

    /// My leaf in a room, if its keys are renewed by themselves, or I was asked to.
    fn leaf_to_renew(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Option<OwnLeaf>, StorageError> {
        let known = RoomRenewalRecord::of(call.storage, room)?;
        let known = known.filter(|known| known.asked);
        if known.is_none() && !self.config.renews {
            return Ok(None);
        }
        let Some(leaf) = self.leaf_among_others(call, room)? else {
            return Ok(None);
        };
        let renews = self.config.renews && !leaf.wide;
        let asked = known.is_some_and(|known| is_of(&known, &leaf));
        Ok((renews || asked).then_some(leaf))
    }

    /// My leaf in a room, if it is in one with other accounts and can have new keys there.
    fn leaf_among_others(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Option<OwnLeaf>, StorageError> {
        let hidden = self.devices.meet_in(room);
        // Whom I blocked shall not see that I am there.
        let stays = self.is_blocked_pair(room) || self.is_usurped_pair(room);
        if hidden || stays || !self.rooms.find(room)?.is_mine() {
            return Ok(None);
        }
        let leaf = self.keeper(call, room, |keeper, lent| keeper.own_leaf(lent))?;
        Ok(leaf.filter(|leaf| leaf.others))
    }

    /// When that is, drawn where it was not; no later than it could be drawn now, whatever
    /// the clock showed then.
    fn renewal_in(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        leaf: &OwnLeaf,
    ) -> Result<RoomRenewalRecord, StorageError> {
        let known = RoomRenewalRecord::of(call.storage, room)?;
        let known = known.filter(|known| is_of(known, leaf));
        let asked = known.as_ref().is_some_and(|known| known.asked);
        let (least, spread) = match asked {
            true => (LATE, most_again(leaf)),
            false => span(leaf),
        };
        let last = call.cx.wall() + least + spread;
        if let Some(record) = known.as_ref().filter(|record| record.due <= last) {
            return Ok(record.clone());
        }
        let due = match known {
            Some(_) => last,
            None => call.cx.wall() + least + call.cx.random_time_below(spread),
        };
        let record = RoomRenewalRecord {
            leaf: leaf.key,
            renewed_at: leaf.renewed_at,
            due,
            asked,
        };
        record.put(call.storage, room)?;
        Ok(record)
    }

    /// Nothing is under way any more.
    fn end_renewal(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        next: Renewal,
    ) -> Result<(), StorageError> {
        let before = core::mem::replace(&mut self.rooms.find(room)?.renewal, next);
        match before {
            Renewal::Asked(probe) => self.recall(call, probe.letter.0),
            _ => Ok(()),
        }
    }

    /// Writes to my own mailbox in a room. What cannot be had now is looked at again in
    /// the next sweep.
    fn ask_myself(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        leaf: &OwnLeaf,
        tries: Tries,
    ) -> Result<(), StorageError> {
        self.end_renewal(call, room, Renewal::Far)?;
        let known = self.rooms.find(room)?;
        let mailbox = known.record.mailbox.map(MailboxId);
        let key = known.key.clone();
        let mailbox = mailbox.and_then(|id| self.mailboxes.get(&id));
        let Some(to) = mailbox.and_then(shared_address).filter(|_| leaf.may_renew) else {
            return Ok(());
        };
        let mark = call.cx.random();
        let letter = Letter {
            to: vec![to],
            last_resort: Vec::new(),
            bytes: LetterBody::room(&key, &mark),
            urgency: Urgency::Normal,
            keep: Keep::UntilAccepted,
        };
        let letter = match self.office.post(call.cx, &mut *call.storage, &letter) {
            Ok(letter) => letter,
            Err(PostError::Storage(error)) => return Err(error),
            Err(_) => return Ok(()),
        };
        self.rooms.find(room)?.renewal = Renewal::Asked(Probe {
            mark,
            letter,
            at: call.cx.now(),
            wall: call.cx.wall(),
            tries,
        });
        Ok(())
    }

    /// A letter came that bears my name in a room; whether it is the one I wrote to
    /// myself.
    pub(in crate::messenger) fn heard_myself(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        items: &[&[u8]],
    ) -> Result<bool, StorageError> {
        let Renewal::Asked(probe) = self.rooms.find(room)?.renewal else {
            return Ok(false);
        };
        if items != [&probe.mark] {
            return Ok(false);
        }
        self.end_renewal(call, room, Renewal::Far)?;
        let Some(leaf) = self.leaf_to_renew(call, room)? else {
            return Ok(true);
        };
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let mut record = self.renewal_in(call, room, &leaf)?;
        if record.due > wall {
            // A commit of mine made it needless.
            return Ok(true);
        }
        // One that lay there while the machine slept says nothing of what came after it.
        let answer = probe.answer();
        let soon = probe.lasts(now) && wall < probe.wall + answer;
        let heard = self.rooms.find(room)?.heard;
        let quiet = heard.is_none_or(|heard| heard + QUIET <= now);
        let reads = quiet || record.asked || probe.tries.ends_waiting();
        let told = match soon && reads && leaf.may_renew {
            true => self.keeper(call, room, |keeper, lent| keeper.renew(lent))?,
            false => None,
        };
        let Some(told) = told else {
            let tries = match soon {
                true => probe.tries.answered(),
                false => probe.tries.unanswered(),
            };
            self.try_later(call, room, (&leaf, &record), tries)?;
            return Ok(true);
        };
        let later = LATE + again(call.cx, &leaf);
        record.due = call.cx.wall() + later;
        record.put(call.storage, room)?;
        self.act_on(call, room, told)?;
        Ok(true)
    }

    pub(in crate::messenger) fn renewals_due(
        &mut self,
        call: &mut Call<'_, '_>,
        now: Moment,
    ) -> Result<(), StorageError> {
        let rooms = self.rooms.by_id.iter();
        let due = rooms.filter(|(_, room)| room.renewal.due().is_some_and(|at| at <= now));
        for room in due.map(|(room, _)| *room).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.renew_in_time(call, room)
            })?;
        }
        Ok(())
    }
}
