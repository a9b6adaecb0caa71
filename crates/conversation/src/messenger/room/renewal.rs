//! New keys for my leaf, at a time of my own.
//!
//! Somebody who was added goes by keys that others have known since then, and in the tree
//! of a group there is nothing above a leaf before it commits: a commit says its secret
//! to each such leaf apart. So everybody commits once some time after they were added,
//! and every week or so after that. When is drawn by each alone, over a span that grows with the
//! group: two who commit at the same time fork it, and what was said in a state is
//! lost to whoever is more than five commits behind and has nobody to ask.

use core::time::Duration;

use hushwing_sansio::{Context, Moment, StorageError};

use crate::RoomId;
use crate::branches::{OwnLeaf, Wish};
use crate::messenger::{Call, Messenger, SWEEP};
use crate::storage::RoomRenewalRecord;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Somebody new commits within so long for each leaf there is: on average, so many
/// commits of newcomers are so far apart.
const OF_EACH: Duration = Duration::from_secs(15 * 60);
/// Between two renewals.
const SHORTEST: Duration = DAY.saturating_mul(5);
const SPREAD: Duration = DAY.saturating_mul(4);
/// Leaves from which on the group, and not each member, has so many commits in a week:
/// each of them goes to all, and to nobody's mailbox while they are away.
const MANY: usize = 32;

/// How long until keys are renewed, drawn anew: the least, and what chance adds.
fn span(leaf: &OwnLeaf) -> (Duration, Duration) {
    let times = |span: Duration, count: usize| {
        span.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
    };
    let share = |span| times(span, leaf.leaves.max(MANY)) / 32;
    match leaf.renewed_at {
        None => (Duration::ZERO, times(OF_EACH, leaf.leaves)),
        Some(_) => (share(SHORTEST), share(SPREAD)),
    }
}

fn draw(cx: &mut Context<'_>, leaf: &OwnLeaf) -> RoomRenewalRecord {
    let (least, spread) = span(leaf);
    let spread = cx.random_below(u64::try_from(spread.as_millis()).unwrap_or(u64::MAX));
    RoomRenewalRecord {
        leaf: leaf.key,
        renewed_at: leaf.renewed_at,
        due: cx.wall() + least + Duration::from_millis(spread),
    }
}

impl Messenger {
    /// Draws when my keys in a room are renewed, and renews them when that is now. What
    /// was drawn is written down; that keys are renewed stands with the keeper.
    pub(super) fn renew_in_time(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let hidden = self.devices.meet_in(room);
        let known = self.rooms.find(room)?;
        known.renews = None;
        if !self.config.rotates || hidden || !known.is_mine() {
            return Ok(());
        }
        let leaf = self.keeper(call, room, |keeper, lent| keeper.own_leaf(lent))?;
        let Some(leaf) = leaf.filter(|leaf| leaf.leaves > 1) else {
            return Ok(());
        };
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let (least, spread) = span(&leaf);
        let drawn = RoomRenewalRecord::of(call.storage, room)?.filter(|drawn| {
            let of_this = (drawn.leaf, drawn.renewed_at) == (leaf.key, leaf.renewed_at);
            // By a clock that was far ahead.
            of_this && drawn.due <= wall + least + spread
        });
        let record = match drawn {
            Some(record) => record,
            None => {
                let record = draw(call.cx, &leaf);
                record.put(call.storage, room)?;
                record
            }
        };
        if record.due > wall {
            let wait = record.due.since(wall);
            // A machine that slept meanwhile sees it in the next sweep.
            self.rooms.find(room)?.renews = (wait <= SWEEP).then(|| now + wait);
            return Ok(());
        }
        // What cannot be had now is looked at again in the next sweep.
        match leaf.may_renew {
            true => self.want(call, room, Wish::Refresh),
            false => Ok(()),
        }
    }

    pub(super) fn renewals_due(
        &mut self,
        call: &mut Call<'_, '_>,
        now: Moment,
    ) -> Result<(), StorageError> {
        let rooms = self.rooms.by_id.iter();
        let due = rooms.filter(|(_, room)| room.renews.is_some_and(|at| at <= now));
        for room in due.map(|(room, _)| *room).collect::<Vec<_>>() {
            self.within(call, room.place(), |this, call| {
                this.renew_in_time(call, room)
            })?;
        }
        Ok(())
    }
}
