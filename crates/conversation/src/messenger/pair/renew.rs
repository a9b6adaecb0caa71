//! New keys in a pair, as often as between two devices: after 50 messages of mine, or after a
//! day in which I said something. It is wanted, and had when the turn is mine.

use hushwing_sansio::{Moment, StorageError};

use crate::RoomId;
use crate::branches::Wish;
use crate::messenger::renew::{EPOCH_LIFE, MOST_IN_EPOCH};
use crate::messenger::{Call, Messenger};

/// How the keys of a pair were used in this run.
pub(super) struct Used {
    epoch: u64,
    since: Moment,
    said: u64,
    /// Whether new ones are wanted.
    wanted: bool,
}

impl Used {
    fn from(epoch: u64, since: Moment) -> Self {
        Self {
            epoch,
            since,
            said: 0,
            wanted: false,
        }
    }

    /// Notes a message more in an epoch; whether new keys are to be wanted now.
    fn once_more(&mut self, epoch: u64, now: Moment) -> bool {
        if self.epoch != epoch {
            *self = Self::from(epoch, now);
        }
        self.said = self.said.saturating_add(1);
        let due = self.said >= MOST_IN_EPOCH || self.since + EPOCH_LIFE <= now;
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
        let now = call.cx.now();
        let used = self.pairs.used.entry(room);
        let used = used.or_insert_with(|| Used::from(epoch, now));
        match used.once_more(epoch, now) {
            true => self.want(call, room, Wish::Refresh),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    #[test]
    fn keys_are_wanted_once_in_an_epoch_after_fifty_messages_or_a_day() {
        let start = Moment::default();
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
