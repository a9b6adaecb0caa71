//! Which branch is followed, and what is kept of the others.

use core::time::Duration;
use std::collections::BTreeSet;

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::MOST_AGE;
use super::keeper::{Keeper, Lent};
use super::records::{Bulk, CommitRecord, Shelf, Standing, StateRecord, number_of};
use super::told::Told;
use crate::MlsRows;
use crate::fork_choice::{Class, CommitHash, HORIZON, MAX_COMMITS, Refused, StateName, Tree};

/// Commits from which on those are dropped that can no longer be followed
/// whatever comes: it takes somebody who makes many.
const MANY: usize = 64;

/// Most commits of others that are kept. The places between this and
/// [`MAX_COMMITS`] are for mine, which are not refused because others are many.
const MOST_OF_OTHERS: usize = MAX_COMMITS - 16;

/// The last of them are for removals.
const FOR_REMOVALS: usize = 16;

/// Most bytes of states that are kept beside the followed branch: some ten states
/// of a group of 1,000 leaves, and all that are counted of one of 40.
const MOST_BYTES: u64 = 32 * 1024 * 1024;

impl Keeper {
    /// A network took a commit of mine. It takes part in the choice once it has
    /// rested for `rest`, in which rivals that were made at the same time may
    /// arrive: 2 seconds for a relay, 60 for what travels by hand or radio, none
    /// where there can be no rival.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn published(
        &mut self,
        lent: &mut Lent<'_, '_>,
        commit: CommitHash,
        rest: Duration,
    ) -> Result<Vec<Told>, StorageError> {
        let now = lent.cx.now();
        let Some(record) = self.commits.get_mut(&commit) else {
            return Ok(Vec::new());
        };
        if record.standing != Standing::Made {
            return Ok(Vec::new());
        }
        if rest.is_zero() {
            self.take_part(lent.rows, lent.cx.wall().as_millis(), commit)?;
            return self.settle(lent);
        }
        let millis = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        record.standing = Standing::Published(millis);
        Shelf::new(lent.rows, self.id).put_commit(&commit, record)?;
        self.resting.insert(commit, now + rest);
        Ok(Vec::new())
    }

    /// When [`Self::tick`] is wanted next, if ever.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        let resting = self.resting.values().min().copied();
        resting.into_iter().chain(self.turn).min()
    }

    /// Time passed: commits have rested or waited, states have grown old. Wanted at
    /// [`Self::poll_timeout`], and once a day.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    pub fn tick(&mut self, lent: &mut Lent<'_, '_>) -> Result<Vec<Told>, StorageError> {
        let now = lent.cx.now();
        let rested: Vec<_> = self
            .resting
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(commit, _)| *commit)
            .collect();
        for commit in rested {
            self.take_part(lent.rows, lent.cx.wall().as_millis(), commit)?;
        }
        self.age_broken(lent.rows, lent.cx.wall())?;
        self.settle(lent)
    }

    /// A commit takes part in the choice from now on.
    pub(super) fn take_part(
        &mut self,
        rows: &mut dyn MlsRows,
        now: u64,
        commit: CommitHash,
    ) -> Result<(), StorageError> {
        self.resting.remove(&commit);
        if let Some(record) = self.commits.get_mut(&commit) {
            record.standing = Standing::TakesPart;
            record.since = now;
            Shelf::new(rows, self.id).put_commit(&commit, record)?;
        }
        Ok(())
    }

    /// Chooses, follows, makes commits for what is wanted, and forgets, until
    /// nothing changes any more.
    pub(super) fn settle(&mut self, lent: &mut Lent<'_, '_>) -> Result<Vec<Told>, StorageError> {
        let mut told = Vec::new();
        loop {
            self.admit(lent)?;
            let verdict = self.verdict()?;
            if verdict != self.followed {
                self.switch(verdict, &mut told);
            }
            self.thin_out(lent.rows, &mut told)?;
            self.release_welcomes(lent.rows, &mut told)?;
            self.retain(lent.rows, lent.cx.wall(), &mut told)?;
            let alone = self.pursue(lent, &mut told)?;
            if !alone {
                break;
            }
        }
        self.save_head(lent.rows)?;
        Ok(told)
    }

    /// All that takes part, as the rule of choice sees it.
    pub(super) fn tree(&self) -> Result<Tree, StorageError> {
        let corrupt = || StorageError::corrupt("reading the branches of a group");
        let root = self.states.get(&self.root).ok_or_else(corrupt)?;
        let mut tree = Tree::new(root.state(self.root, self.shape)?);
        let mut commits: Vec<_> = self
            .commits
            .iter()
            .filter(|(_, record)| record.standing == Standing::TakesPart)
            .filter_map(|(hash, record)| {
                let child = self.states.get(&StateName(record.child))?;
                Some((child.epoch, hash, record, child))
            })
            .collect();
        commits.sort_by_key(|(epoch, ..)| *epoch);
        for (_, hash, record, child) in commits {
            let child = child.state(StateName(record.child), self.shape)?;
            match tree.insert(record.commit(*hash)?, child) {
                Ok(()) => {}
                // What is beyond the bound is as if it had not come; it is no damage.
                Err(Refused::Full) => break,
                Err(refused) => return Err(corrupt().because(refused)),
            }
        }
        Ok(tree)
    }

    /// The state everybody follows who knows what we know.
    fn verdict(&self) -> Result<StateName, StorageError> {
        Ok(self.tree()?.tip())
    }

    fn switch(&mut self, to: StateName, told: &mut Vec<Told>) {
        let from = self.followed;
        let (old, new) = (self.states_to(from), self.states_to(to));
        let common = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
        let after = |path: &[StateName]| path.get(common..).unwrap_or_default().to_vec();
        self.followed = to;
        self.stranded = false;
        self.broken_since = None;
        told.push(Told::Followed {
            from,
            to,
            left: after(&old),
            entered: after(&new),
        });
        if !self.is_member() {
            told.push(Told::Removed);
        }
    }

    /// Something is sealed in a state.
    pub(super) fn mark_used(
        &mut self,
        rows: &mut dyn MlsRows,
        name: StateName,
    ) -> Result<(), StorageError> {
        match self.states.get_mut(&name) {
            Some(state) if !state.used => {
                state.used = true;
                Shelf::new(rows, self.id).put_state(&name, state)
            }
            _ => Ok(()),
        }
    }

    fn release_welcomes(
        &mut self,
        rows: &mut dyn MlsRows,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        for hash in self.path_to(self.followed) {
            let Some(record) = self.commits.get_mut(&hash) else {
                continue;
            };
            let Some(to) = record.welcome.take() else {
                continue;
            };
            let mut shelf = Shelf::new(&mut *rows, self.id);
            let bytes = shelf.bulk(Bulk::Welcome, &hash)?;
            shelf.put_commit(&hash, record)?;
            shelf.remove_bulk(Bulk::Welcome, &hash)?;
            let (commit, state) = (hash, StateName(record.child));
            told.push(Told::Welcome {
                commit,
                state,
                to,
                bytes,
            });
        }
        Ok(())
    }

    /// Moves the root up: to within five commits of the followed state, and
    /// over states that were left behind three days ago.
    fn retain(
        &mut self,
        rows: &mut dyn MlsRows,
        now: Timestamp,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        let path = self.states_to(self.followed);
        let beyond = path.len().saturating_sub(HORIZON + 1);
        let old = |name: &&StateName| {
            let since = self.states.get(name).map_or(0, |state| state.since);
            Timestamp::from_millis(since) + MOST_AGE <= now
        };
        // The first is left behind since the second is there.
        let aged = path.iter().skip(1).take_while(old).count();
        let Some(root) = path.get(beyond.max(aged)).copied() else {
            return Ok(());
        };
        if root == self.root {
            return Ok(());
        }
        self.settle_intents(rows, root, told)?;
        self.root = root;
        let by = self.states.get_mut(&root).and_then(|state| {
            let by = state.by.take();
            by.map(|by| (CommitHash(by), state.clone()))
        });
        if let Some((by, record)) = by {
            let mut shelf = Shelf::new(&mut *rows, self.id);
            shelf.put_state(&root, &record)?;
            self.commits.remove(&by);
            shelf.remove_commit(&by)?;
        }
        self.drop_states(rows, |_| false, told)
    }

    /// Where the path to a state begins: at the root, if it descends from it.
    fn begins(&self, name: StateName) -> StateName {
        let mut at = name;
        while let Some(by) = self.states.get(&at).and_then(|state| state.by) {
            match self.commits.get(&CommitHash(by)) {
                Some(commit) => at = StateName(commit.parent),
                None => break,
            }
        }
        at
    }

    /// Forgets the states of commits that are `useless`, and all that do not descend from
    /// the root without them.
    pub(super) fn drop_states(
        &mut self,
        rows: &mut dyn MlsRows,
        useless: impl Fn(&CommitHash) -> bool,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        let mut shelf = Shelf::new(rows, self.id);
        for state in self.states.values() {
            let by = state.by.map(CommitHash);
            if let Some(by) = by.filter(|by| useless(by)) {
                self.commits.remove(&by);
                shelf.remove_commit(&by)?;
            }
        }
        let gone = self
            .states
            .keys()
            .filter(|name| self.begins(**name) != self.root);
        let gone: Vec<_> = gone.copied().collect();
        for name in &gone {
            let state = self.states.remove(name);
            shelf.remove_state(name)?;
            let used = state.as_ref().filter(|state| state.used);
            self.spent.extend(used.map(|state| (state.epoch, name.0)));
            if let Some(by) = state.and_then(|state| state.by).map(CommitHash) {
                self.commits.remove(&by);
                self.resting.remove(&by);
                shelf.remove_commit(&by)?;
            }
        }
        if self
            .at_hand
            .as_ref()
            .is_some_and(|(at, _)| gone.contains(at))
        {
            self.at_hand = None;
        }
        // No state below the root is ever entered again, spent or not.
        let root = self.states.get(&self.root).map_or(0, |root| root.epoch);
        self.spent.retain(|(epoch, _)| *epoch >= root);
        if !gone.is_empty() {
            told.push(Told::Forgotten(gone));
        }
        Ok(())
    }

    /// The states that do not go to make room, with those below them: the one
    /// that is followed; those in which something was sealed, since while the
    /// state below is kept they could be made anew from it, and their ratchets
    /// with them; and those of commits of mine, which MLS does not read a second
    /// time. They go with the root only.
    fn kept(&self) -> BTreeSet<StateName> {
        let used = self.states.iter().filter(|(_, state)| state.used);
        let own = self.commits.values().filter(|commit| commit.own);
        used.map(|(name, _)| *name)
            .chain(own.map(|commit| StateName(commit.child)))
            .chain([self.followed])
            .flat_map(|name| self.states_to(name))
            .collect()
    }

    /// Drops commits that cannot be followed whatever comes, if there are many.
    fn thin_out(
        &mut self,
        rows: &mut dyn MlsRows,
        told: &mut Vec<Told>,
    ) -> Result<(), StorageError> {
        if self.commits.len() < MANY {
            return Ok(());
        }
        let useless = self.tree()?.prune(&self.kept());
        self.drop_states(rows, |by| useless.contains(by), told)
    }

    /// Makes room for a commit, in places and in bytes; whether there is. What need
    /// not wait may take the place of what weighs less; what has to wait takes a free
    /// one.
    pub(super) fn make_room(
        &mut self,
        rows: &mut dyn MlsRows,
        hash: CommitHash,
        record: &CommitRecord,
        state: &StateRecord,
        told: &mut Vec<Told>,
    ) -> Result<bool, StorageError> {
        while !self.has_room(record, state) {
            if self.drop_held(rows, StateName(record.parent), told)? {
                continue;
            }
            if !record.own && !self.is_due(record, record.since) {
                return Ok(false);
            }
            let mut tree = self.tree()?;
            let dropped = tree.room_for(&record.commit(hash)?, tree.len(), &self.kept());
            if dropped.is_empty() {
                return Ok(false);
            }
            self.drop_states(rows, |by| dropped.contains(by), told)?;
        }
        Ok(true)
    }

    fn has_room(&self, record: &CommitRecord, state: &StateRecord) -> bool {
        self.places(record) > 0 && self.bytes_beside() + state.size <= MOST_BYTES
    }

    /// Bytes of the states that are kept beside the followed branch.
    fn bytes_beside(&self) -> u64 {
        let path: BTreeSet<_> = self.states_to(self.followed).into_iter().collect();
        let beside = self.states.iter().filter(|(name, _)| !path.contains(name));
        beside.map(|(_, state)| state.size).sum()
    }

    /// How many more commits like this one can be kept.
    fn places(&self, record: &CommitRecord) -> usize {
        let all = MAX_COMMITS.saturating_sub(self.commits.len());
        if record.own {
            return all;
        }
        let most = if record.class == number_of(Class::Removal) {
            MOST_OF_OTHERS
        } else {
            MOST_OF_OTHERS - FOR_REMOVALS
        };
        let others = self.commits.values().filter(|commit| !commit.own).count();
        all.min(most.saturating_sub(others))
    }
}
