//! How long a lost mailbox waits to be replaced.
//!
//! A server that makes mailboxes and loses them again must not set the pace:
//! each round is a letter to the contact, who says again what may have been
//! lost. The first loss is repaired at once, each further one waits twice as
//! long, and only a mailbox that lasted begins the row anew.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::MailboxId;
use hushwing_sansio::{Context, Moment, StorageError, Timestamp};

use crate::Storage;
use crate::storage::{LossRecord, MailboxUse};

/// The wait of the second loss in a row; each further one doubles it.
const SHORTEST: Duration = Duration::from_secs(60);
/// The longest wait, and how long a mailbox lasts to begin the row anew.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// The losses of all contacts and invitations, and when they are repaired.
#[derive(Default)]
pub(super) struct Losses {
    by_owner: BTreeMap<MailboxUse, LossRecord>,
    due: BTreeMap<MailboxId, Moment>,
}

impl Losses {
    /// Takes up what an earlier run knew of `owner`.
    pub(super) fn resume(
        &mut self,
        storage: &dyn Storage,
        owner: MailboxUse,
    ) -> Result<(), StorageError> {
        if let Some(record) = LossRecord::of(storage, owner)? {
            self.by_owner.insert(owner, record);
        }
        Ok(())
    }

    /// Whether `owner` lost a mailbox and is not known to be reached again.
    pub(super) fn stands(&self, owner: MailboxUse) -> bool {
        self.by_owner
            .get(&owner)
            .is_some_and(|record| record.standing)
    }

    /// How many mailboxes `owner` lost so far.
    pub(super) fn count(&self, owner: MailboxUse) -> u64 {
        self.by_owner.get(&owner).map_or(0, |record| record.count)
    }

    /// Takes note of a loss.
    pub(super) fn note(
        &mut self,
        now: Timestamp,
        storage: &mut dyn Storage,
        owner: MailboxUse,
    ) -> Result<(), StorageError> {
        let record = self.by_owner.entry(owner).or_default();
        if now.since(record.replaced) >= LONGEST {
            record.in_a_row = 0;
        }
        record.count = record.count.saturating_add(1);
        record.in_a_row = record.in_a_row.saturating_add(1);
        record.replaced = now + wait(record.in_a_row);
        record.standing = true;
        record.put(storage, owner)
    }

    /// Counts losses that an older version kept in another way.
    pub(super) fn note_old(
        &mut self,
        storage: &mut dyn Storage,
        owner: MailboxUse,
        standing: bool,
    ) -> Result<(), StorageError> {
        let record = self.by_owner.entry(owner).or_default();
        record.count = record.count.saturating_add(1);
        record.standing |= standing;
        record.put(storage, owner)
    }

    /// Plans to ask for `mailbox` when `owner` has waited long enough. A clock
    /// that was set back does not make the wait longer than it was.
    pub(super) fn plan(&mut self, cx: &Context<'_>, owner: MailboxUse, mailbox: MailboxId) {
        let left = self.by_owner.get(&owner).map_or(Duration::ZERO, |record| {
            let left = record.replaced.since(cx.wall());
            left.min(wait(record.in_a_row))
        });
        self.due.insert(mailbox, cx.now() + left);
    }

    /// The loss of `owner` is over.
    pub(super) fn mend(
        &mut self,
        storage: &mut dyn Storage,
        owner: MailboxUse,
    ) -> Result<(), StorageError> {
        match self.by_owner.get_mut(&owner) {
            Some(record) => {
                record.standing = false;
                record.put(storage, owner)
            }
            None => Ok(()),
        }
    }

    /// Forgets the losses of `owner`.
    pub(super) fn forget(
        &mut self,
        storage: &mut dyn Storage,
        owner: MailboxUse,
    ) -> Result<(), StorageError> {
        match self.by_owner.remove(&owner) {
            Some(_) => LossRecord::clear(storage, owner),
            None => Ok(()),
        }
    }

    /// When the next mailbox is to be asked for.
    pub(super) fn due(&self) -> Option<Moment> {
        self.due.values().min().copied()
    }

    /// Takes the mailboxes that are to be asked for by `now`.
    pub(super) fn take(&mut self, now: Moment) -> Vec<MailboxId> {
        let due = self.due.iter().filter(|(_, at)| **at <= now);
        let due: Vec<_> = due.map(|(mailbox, _)| *mailbox).collect();
        for mailbox in &due {
            self.due.remove(mailbox);
        }
        due
    }
}

/// The wait before the `nth` mailbox in a row is replaced.
fn wait(nth: u32) -> Duration {
    match nth {
        0 | 1 => Duration::ZERO,
        _ => SHORTEST
            .saturating_mul(2_u32.saturating_pow(nth.saturating_sub(2).min(16)))
            .min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_from_nothing_over_a_minute_to_a_day() {
        let minutes = [1, 2, 3, 4, 5].map(|nth| wait(nth).as_secs() / 60);
        assert_eq!(minutes, [0, 1, 2, 4, 8]);
        assert_eq!(wait(12), Duration::from_secs(1_024 * 60));
        assert_eq!(wait(13), LONGEST);
        assert_eq!(wait(u32::MAX), LONGEST);
    }
}
