//! When mailboxes of a room are closed in whose place others came.
//!
//! A day after, and not before this program ran for an hour since that day, to fetch what lies
//! there: the day may have passed while the machine slept. That hour is added up over runs, or
//! who runs for minutes at a time would close none, and with too many old ones move no more.
//! How long it ran is looked at after one minute of a run, two, four, and so on.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::MailboxId;
use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::Room;
use crate::RoomId;
use crate::messenger::mail::GRACE_RUN;
use crate::messenger::{Call, Messenger};

/// Version of what is written down.
const VERSION: u8 = 1;
/// How long a mailbox that another replaced is still listened to.
const GRACE: Duration = Duration::from_secs(24 * 60 * 60);
/// When it is looked at first.
const FIRST_LOOK: Duration = Duration::from_secs(60);

/// The next look at the old mailboxes of a room, and how much time it adds: what went by
/// beyond that a machine may have slept.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub(super) at: Moment,
    adds: Duration,
}

/// Where it stands how long this program ran since the day of each was over.
fn run_in(room: RoomId) -> String {
    format!("old mailboxes of room {}", room.0)
}

impl Room {
    /// The old mailboxes whose day is over.
    fn over(&self, wall: Timestamp) -> Vec<u64> {
        let leaving = self.record.leaving.iter();
        let over = leaving.filter(|one| one.since + GRACE <= wall);
        over.map(|one| one.mailbox).collect()
    }
}

impl Messenger {
    /// Begins to count where the day of an old mailbox is over.
    pub(super) fn tend_old_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let known = self.rooms.find(room)?;
        if known.over(wall).is_empty() {
            return self.forget_old_mailboxes(call, room);
        }
        known.closes.get_or_insert(Look {
            at: now + FIRST_LOOK,
            adds: FIRST_LOOK,
        });
        Ok(())
    }

    /// Closes the old mailboxes of rooms whose time is over.
    pub(super) fn old_mailboxes_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let mut due = Vec::new();
        for (room, known) in &mut self.rooms.by_id {
            let look = known.closes.take_if(|look| look.at <= now);
            due.extend(look.map(|look| (*room, look)));
        }
        for (room, look) in due {
            self.within(call, room.place(), |this, call| {
                this.close_old_mailboxes(call, room, look)
            })?;
        }
        Ok(())
    }

    fn close_old_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        look: Look,
    ) -> Result<(), StorageError> {
        let (now, wall) = (call.cx.now(), call.cx.wall());
        let over = self.rooms.find(room)?.over(wall);
        let stored = call.storage.setting(&run_in(room))?;
        let before = stored.map(|bytes| read(&bytes)).unwrap_or_default();
        let ran = |mailbox: &u64| before.get(mailbox).copied().unwrap_or_default() + look.adds;
        let ran: BTreeMap<u64, Duration> = over.iter().map(|one| (*one, ran(one))).collect();
        let (done, open): (BTreeMap<_, _>, BTreeMap<_, _>) =
            ran.into_iter().partition(|(_, ran)| *ran >= GRACE_RUN);
        for mailbox in done.keys() {
            self.close_mailbox(call, MailboxId(*mailbox))?;
        }
        if !done.is_empty() {
            let record = &mut self.rooms.find(room)?.record;
            record
                .leaving
                .retain(|one| !done.contains_key(&one.mailbox));
            self.save_room(call, room)?;
        }
        let Some(longest) = open.values().max() else {
            return self.forget_old_mailboxes(call, room);
        };
        call.storage.put_setting(&run_in(room), &written(&open))?;
        // As long again as it ran, and no longer than the first of them needs.
        let adds = look.adds.saturating_mul(2);
        let adds = adds.min(GRACE_RUN.saturating_sub(*longest)).max(FIRST_LOOK);
        let at = now + adds;
        self.rooms.find(room)?.closes = Some(Look { at, adds });
        Ok(())
    }

    /// None is left of them.
    pub(super) fn forget_old_mailboxes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        self.rooms.find(room)?.closes = None;
        match call.storage.setting(&run_in(room))? {
            Some(_) => call.storage.remove_setting(&run_in(room)),
            None => Ok(()),
        }
    }
}

/// Each mailbox and the milliseconds that were counted.
fn written(ran: &BTreeMap<u64, Duration>) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for (mailbox, ran) in ran {
        let millis = u64::try_from(ran.as_millis()).unwrap_or(u64::MAX);
        bytes.extend(mailbox.to_be_bytes());
        bytes.extend(millis.to_be_bytes());
    }
    bytes
}

/// What is damaged counts as if nothing had been counted.
fn read(bytes: &[u8]) -> BTreeMap<u64, Duration> {
    let Some((&VERSION, body)) = bytes.split_first() else {
        return BTreeMap::new();
    };
    let (each, _) = body.as_chunks::<16>();
    let one = |each: &[u8; 16]| {
        let number = u128::from_be_bytes(*each);
        let mailbox = u64::try_from(number >> 64).unwrap_or_default();
        let millis = u64::try_from(number & u128::from(u64::MAX)).unwrap_or_default();
        (mailbox, Duration::from_millis(millis))
    };
    each.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_read_as_it_was_written_and_damage_as_nothing() {
        let minutes = |count: u64| Duration::from_secs(60 * count);
        let ran = BTreeMap::from([(7, minutes(3)), (u64::MAX, minutes(59))]);
        let mut bytes = written(&ran);
        assert_eq!(read(&bytes), ran);
        bytes.pop();
        assert_eq!(read(&bytes), BTreeMap::from([(7, minutes(3))]));
        assert_eq!(read(&[]), BTreeMap::new());
        bytes[0] = 2;
        assert_eq!(read(&bytes), BTreeMap::new());
    }
}
