//! How fast the commits of one account take part in the choice
//! (`protocol/commits.md` section 5).
//!
//! A commit that waits here is as if it came later, which changes nothing of what
//! is valid or of what all follow in the end. Who makes commits faster than others
//! can answer is slowed down so, and nobody else is: each account waits for itself
//! only, and what others build on a commit does not wait for its author.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_sansio::StorageError;

use super::keeper::{Keeper, Lent};
use super::records::{CommitRecord, Standing, number_of};
use super::told::Told;
use crate::MlsRows;
use crate::fork_choice::{Class, CommitHash, HORIZON, StateName};

/// Commits of one account that take part within [`PACE`]: so many carry the tip as
/// far as one can go back.
const AT_ONCE: usize = HORIZON;
/// See [`AT_ONCE`]. What a steward above does about it has so long to arrive.
const PACE: Duration = Duration::from_secs(2 * 60);
/// Commits of one leaf in one epoch that take part as they come. An honest leaf
/// makes one in each state, and is in as many states of an epoch as there are
/// branches it follows in turn.
const OF_ONE_EPOCH: usize = 4;
/// How long the further ones of an account wait for each other: of what is said in
/// the states they lead to, fewer are spoken in within 72 hours than are kept.
const APART: Duration = Duration::from_secs(30 * 60);

/// Whether commits of a class keep the pace. A removal is what a group must not
/// wait for; it is bounded by [`OF_ONE_EPOCH`] alone.
fn keeps_pace(class: u8) -> bool {
    class != number_of(Class::Removal) && class != number_of(Class::OwnRemoval)
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}

impl Keeper {
    /// From when on a commit may take part, in milliseconds of the wall clock.
    fn due(&self, commit: &CommitRecord, now: u64) -> u64 {
        let pace = if keeps_pace(commit.class) {
            self.in_pace(&commit.author, now)
        } else {
            0
        };
        pace.max(self.apart(commit, now))
    }

    /// Whether a commit need not wait.
    pub(super) fn is_due(&self, commit: &CommitRecord, now: u64) -> bool {
        self.due(commit, now) <= now
    }

    fn taking_part(&self, author: &[u8]) -> impl Iterator<Item = &CommitRecord> {
        let commits = self.commits.values();
        commits
            .filter(move |commit| commit.author == author && commit.standing == Standing::TakesPart)
    }

    fn in_pace(&self, author: &[u8], now: u64) -> u64 {
        // A clock that was set back makes nobody wait longer than the pace.
        let since = self.taking_part(author).map(|commit| commit.since.min(now));
        let mut since: Vec<_> = since.collect();
        since.sort_unstable_by(|one, other| other.cmp(one));
        let first = since.get(AT_ONCE - 1);
        first.map_or(0, |first| first.saturating_add(millis(PACE)))
    }

    fn apart(&self, commit: &CommitRecord, now: u64) -> u64 {
        let epoch = |of: &CommitRecord| {
            let parent = self.states.get(&StateName(of.parent));
            parent.map_or(0, |parent| parent.epoch)
        };
        let mut groups: BTreeMap<(u32, u64), (usize, u64)> = BTreeMap::new();
        for known in self.taking_part(&commit.author) {
            let (many, last) = groups.entry((known.leaf, epoch(known))).or_default();
            *many += 1;
            *last = (*last).max(known.since.min(now));
        }
        let many = |group: &(usize, u64)| group.0 >= OF_ONE_EPOCH;
        if !groups.get(&(commit.leaf, epoch(commit))).is_some_and(many) {
            return 0;
        }
        let last = groups.values().filter(|group| many(group));
        let last = last.map(|(_, last)| *last).max();
        last.map_or(0, |last| last.saturating_add(millis(APART)))
    }

    /// From when on I make another commit that keeps the pace, so that the others
    /// need not hold it.
    pub(super) fn my_turn(&self, now: u64) -> u64 {
        self.in_pace(self.account.as_bytes(), now)
    }

    /// Lets those take part whose time has come, and notes when the next one's has.
    pub(super) fn admit(&mut self, lent: &mut Lent<'_, '_>) -> Result<(), StorageError> {
        let now = lent.cx.wall().as_millis();
        let mut next = None;
        for hash in self.held_in_order() {
            let Some(record) = self.commits.get(&hash) else {
                continue;
            };
            if record.standing != Standing::Held {
                // Somebody built on it who need not wait.
                continue;
            }
            let due = self.due(record, now);
            if due > now {
                next = Some(next.map_or(due, |next: u64| next.min(due)));
                continue;
            }
            let below = self.held_below(record);
            // Its author's own commits below it wait for themselves.
            let waits = below
                .iter()
                .filter_map(|below| self.commits.get(below))
                .any(|below| below.author == record.author);
            if !waits {
                for hash in below.into_iter().chain([hash]) {
                    self.take_part(lent.rows, now, hash)?;
                }
            }
        }
        self.turn = next.map(|due| lent.cx.now() + Duration::from_millis(due - now));
        Ok(())
    }

    /// Notes that something is to be done at that time of the wall clock.
    pub(super) fn wake_at(&mut self, lent: &Lent<'_, '_>, at: u64) {
        let wait = at.saturating_sub(lent.cx.wall().as_millis());
        let at = lent.cx.now() + Duration::from_millis(wait);
        self.turn = Some(self.turn.map_or(at, |turn| turn.min(at)));
    }

    fn held(&self) -> impl Iterator<Item = (&CommitHash, &CommitRecord)> {
        let commits = self.commits.iter();
        commits.filter(|(_, commit)| commit.standing == Standing::Held)
    }

    fn held_in_order(&self) -> Vec<CommitHash> {
        let mut held: Vec<_> = self
            .held()
            .map(|(hash, commit)| {
                let parent = self.states.get(&StateName(commit.parent));
                (parent.map_or(0, |parent| parent.epoch), commit.since, *hash)
            })
            .collect();
        held.sort_unstable();
        held.into_iter().map(|(.., hash)| hash).collect()
    }

    /// The commits below one that are held, the last first.
    fn held_below(&self, commit: &CommitRecord) -> Vec<CommitHash> {
        let path = self.path_to(StateName(commit.parent)).into_iter().rev();
        let held = |hash: &CommitHash| {
            let record = self.commits.get(hash);
            record.is_some_and(|record| record.standing == Standing::Held)
        };
        path.take_while(held).collect()
    }

    fn is_childless(&self, commit: &CommitRecord) -> bool {
        !self
            .commits
            .values()
            .any(|other| other.parent == commit.child)
    }

    /// Of the commits of one account that are held on one state and on which
    /// nothing stands only the best is needed, as of those that take part.
    pub(super) fn thin_held(
        &mut self,
        rows: &mut dyn MlsRows,
        new: &CommitHash,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        let Some(new) = self.commits.get(new) else {
            return Ok(());
        };
        let mut rivals: Vec<_> = self
            .held()
            .filter(|(_, held)| held.author == new.author && held.parent == new.parent)
            .filter(|(_, held)| self.is_childless(held))
            .map(|(hash, held)| ((held.class, held.leaf, held.child), *hash))
            .collect();
        // Alike in all that the choice asks before: on one state, by one author,
        // with nothing above.
        rivals.sort_unstable();
        let worse: Vec<_> = rivals.into_iter().skip(1).map(|(_, hash)| hash).collect();
        self.drop_states(rows, |by| worse.contains(by), told)
    }

    /// Drops one commit that is held and on which nothing stands, of the account of
    /// which most are: what is not in the choice goes first. Whether there was one
    /// that `needed` does not hold.
    pub(super) fn drop_held(
        &mut self,
        rows: &mut dyn MlsRows,
        needed: StateName,
        told: &mut Vec<Told>,
    ) -> Result<bool, StorageError> {
        let needed = self.path_to(needed);
        let mut many: BTreeMap<&[u8], usize> = BTreeMap::new();
        for (_, held) in self.held() {
            *many.entry(&held.author).or_default() += 1;
        }
        let free = self
            .held()
            .filter(|(hash, held)| !needed.contains(hash) && self.is_childless(held));
        let last = free.max_by_key(|(_, held)| {
            let parent = self.states.get(&StateName(held.parent));
            let epoch = parent.map_or(0, |parent| parent.epoch);
            (many.get(held.author.as_slice()), epoch, held.child)
        });
        let Some(last) = last.map(|(hash, _)| *hash) else {
            return Ok(false);
        };
        self.drop_states(rows, |by| *by == last, told)?;
        Ok(true)
    }
}
