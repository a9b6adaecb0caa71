//! New keys in a pair, as often as between two devices: after 50 messages, or after a day in
//! which I said something. It is wanted, and had when the turn is mine.

use std::collections::btree_map::Entry;

use hushwing_sansio::{StorageError, Timestamp};

use super::begin::has_passed;
use crate::RoomId;
use crate::branches::Wish;
use crate::messenger::ask::MOST_BYTES;
use crate::messenger::renew::{EPOCH_LIFE, MOST_IN_EPOCH};
use crate::messenger::{Call, Messenger};

/// How the keys of a pair were used.
pub(super) struct Used {
    epoch: u64,
    since: Timestamp,
    said: u64,
    /// Whether new ones were wanted in this run.
    wanted: bool,
}

impl Used {
    fn from(epoch: u64, since: Timestamp) -> Self {
        Self {
            epoch,
            since,
            said: 0,
            wanted: false,
        }
    }

    /// Notes a message more in an epoch; whether new keys are to be wanted now.
    fn once_more(&mut self, epoch: u64, now: Timestamp) -> bool {
        if self.epoch != epoch {
            *self = Self::from(epoch, now);
        }
        self.said = self.said.saturating_add(1);
        let due = self.said >= MOST_IN_EPOCH || has_passed(now, self.since, EPOCH_LIFE);
        due && !core::mem::replace(&mut self.wanted, due)
    }
}

impl Messenger {
    /// I said something in a room: of a pair the keys may be due.
    pub(in crate::messenger) fn renew_pair_if_due(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let epoch = self.rooms.epoch_in(room).filter(|_| self.is_pair(room));
        let Some(epoch) = epoch else {
            return Ok(());
        };
        let used = match self.pairs.used.entry(room) {
            Entry::Occupied(used) => used.into_mut(),
            Entry::Vacant(first) => first.insert(used_before(call, room, epoch)?),
        };
        match used.once_more(epoch, call.cx.wall()) {
            true => self.want(call, room, Wish::Refresh),
            false => Ok(()),
        }
    }
}

/// How the keys of an epoch were used before this run: programs are restarted more often than
/// keys are due. What was just said is there already.
fn used_before(call: &Call<'_, '_>, room: RoomId, epoch: u64) -> Result<Used, StorageError> {
    let said = call.storage.count_in_epoch(room.place(), epoch)?;
    let most = usize::try_from(MOST_IN_EPOCH).unwrap_or(usize::MAX);
    let last = call
        .storage
        .messages(room.place(), None, most, MOST_BYTES)?
        .into_iter();
    let mine = last.filter(|record| record.mine && record.sealed_epoch == epoch);
    let since = mine.map(|record| record.sent_at).min();
    Ok(Used {
        said: said.saturating_sub(1),
        ..Used::from(epoch, since.unwrap_or_else(|| call.cx.wall()))
    })
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn keys_are_wanted_once_in_an_epoch_after_fifty_messages_or_a_day() {
        let start = Timestamp::from_millis(1);
        let mut used = Used::from(1, start);
        let wanted = |used: &mut Used, epoch, at| used.once_more(epoch, at);
        assert_eq!((0..49).filter(|_| wanted(&mut used, 1, start)).count(), 0);
        assert!(wanted(&mut used, 1, start));
        assert_eq!((0..60).filter(|_| wanted(&mut used, 1, start)).count(), 0);
        assert!(!wanted(&mut used, 2, start));
        let almost = start + (EPOCH_LIFE - Duration::from_secs(1));
        assert!(!wanted(&mut used, 2, almost) && wanted(&mut used, 2, start + EPOCH_LIFE));
    }
}
