//! What random people do: mostly what they may, now and then what they may not.

use proptest::prelude::*;
use proptest::sample::Index;

use super::super::rules::{Contents, Invalid, Leaf, Parent};
use super::super::{AccountId, CommitHash, Shape, StateName};
use super::world::{World, account, bare, leaf, parent};

/// Accounts 1 to 4 are stewards in this order, 5 to 8 are members. No steward's
/// rank is his leaf; one leaf is blank; some have several devices.
pub(super) fn group() -> Parent {
    parent(
        Shape::Group,
        100,
        &[1, 2, 3, 4],
        &[5, 3, 6, 0, 2, 1, 6, 7, 4, 1, 8, 6, 7],
    )
}

/// A pair of accounts with devices each.
pub(super) fn pair() -> Parent {
    parent(Shape::Pair, 100, &[], &[1, 2, 1, 0, 2, 1])
}

/// A group of one account with four devices, and place for more; one leaf is blank.
pub(super) fn devices() -> Parent {
    let mut root = parent(Shape::Group, 100, &[1], &[1, 1, 0, 1, 1]);
    (root.most, root.each, root.of_one) = (8, 8, true);
    root
}

/// A group whose stewards, accounts 1 to 3, have several devices, as a member has.
pub(super) fn stewards() -> Parent {
    let leaves = [2, 1, 0, 3, 1, 2, 1, 4, 2, 4, 3];
    parent(Shape::Group, 100, &[1, 2, 3], &leaves)
}

/// How many states back people still commit.
const NEWEST: usize = 8;

/// What somebody does somewhere.
#[derive(Clone, Debug)]
pub(super) struct Act {
    /// The state: the newest, or one of the newest.
    on: Option<Index>,
    /// The leaf.
    who: Index,
    kind: Kind,
    target: Index,
    more: Vec<Index>,
    seed: u8,
    /// Whether the same leaf does it twice, which nobody honest does.
    twice: bool,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Remove,
    Arrange,
    RemoveAndArrange,
    Replace,
    RemoveOwn,
    RemoveAllOwn,
    AddNew,
    AddBack,
    AddOwn,
    Refresh,
}

pub(super) fn act() -> impl Strategy<Value = Act> {
    let kind = prop_oneof![
        3 => Just(Kind::Remove),
        5 => Just(Kind::Arrange),
        1 => Just(Kind::RemoveAndArrange),
        1 => Just(Kind::Replace),
        3 => Just(Kind::RemoveOwn),
        1 => Just(Kind::RemoveAllOwn),
        2 => Just(Kind::AddNew),
        3 => Just(Kind::AddBack),
        2 => Just(Kind::AddOwn),
        3 => Just(Kind::Refresh),
    ];
    let more = prop::collection::vec(any::<Index>(), 5);
    let on = prop::option::weighted(0.6, any::<Index>());
    (
        on,
        any::<Index>(),
        kind,
        any::<Index>(),
        more,
        0..3_u8,
        prop::bool::weighted(0.15),
    )
        .prop_map(|(on, who, kind, target, more, seed, twice)| Act {
            on,
            who,
            kind,
            target,
            more,
            seed,
            twice,
        })
}

impl Act {
    /// Does it in one of `places`, as one of the leaves there that `may` names.
    pub(super) fn happen(
        &self,
        world: &mut World,
        places: &[StateName],
        may: impl Fn(&AccountId) -> bool,
    ) -> Option<Result<CommitHash, Invalid>> {
        let of =
            |world: &World, on: &StateName, leaf: &u32| may(&world.states[on].leaves[leaf].account);
        self.happen_by(world, places, of)
    }

    /// The same as one of the leaves that `may` names by state and index.
    pub(super) fn happen_by(
        &self,
        world: &mut World,
        places: &[StateName],
        may: impl Fn(&World, &StateName, &u32) -> bool,
    ) -> Option<Result<CommitHash, Invalid>> {
        let newest = places.len().checked_sub(1)?;
        let at = self
            .on
            .map_or(0, |index| index.index(places.len().min(NEWEST)));
        let on = places[newest - at];
        let state = &world.states[&on];
        let leaves = state.leaves.keys().copied();
        let leaves: Vec<_> = leaves.filter(|leaf| may(world, &on, leaf)).collect();
        if leaves.is_empty() {
            return None;
        }
        let committer = leaves[self.who.index(leaves.len())];
        let contents = self.contents(state, committer);
        if self.twice {
            world.make(on, &contents, self.seed + 8).ok();
        }
        Some(world.make(on, &contents, self.seed))
    }

    /// The same as one of all leaves of `state`.
    pub(super) fn attempt(&self, state: &Parent) -> Contents {
        let leaves: Vec<_> = state.leaves.keys().collect();
        self.contents(state, *leaves[self.who.index(leaves.len())])
    }

    fn contents(&self, state: &Parent, committer: u32) -> Contents {
        let mut commit = bare(state, committer);
        let author = &state.leaves[&committer].account;
        let device = |account: &AccountId| Leaf {
            account: account.clone(),
            renewed_at: None,
            changed_at: None,
        };
        match self.kind {
            Kind::Remove => {
                self.remove(state, &mut commit);
            }
            Kind::Replace => {
                let victim = self.remove(state, &mut commit);
                commit.added.extend(victim.map(device));
            }
            Kind::RemoveAndArrange => {
                let victim = self.remove(state, &mut commit);
                let gone = victim.filter(|_| self.is_whole());
                commit.listed = Some(self.arranged(state, author, gone));
            }
            Kind::Arrange => commit.listed = Some(self.arranged(state, author, None)),
            Kind::RemoveOwn => {
                let own = others(state, committer, true);
                commit.removed.extend(one_of(&own, &self.target));
            }
            Kind::RemoveAllOwn => commit.removed.extend(others(state, committer, true)),
            Kind::AddNew => {
                let new = [100, 101, 102];
                commit.added.push(leaf(new[self.target.index(3)]));
            }
            Kind::AddBack => {
                let gone = (1..=8).map(account).filter(|one| !is_here(state, one));
                let gone: Vec<_> = gone.collect();
                commit.added.extend(one_of(&gone, &self.target).map(device));
            }
            Kind::AddOwn => commit.added.push(device(author)),
            Kind::Refresh => {}
        }
        commit
    }

    /// Whether all devices of an account are removed, or one.
    fn is_whole(&self) -> bool {
        self.more[0].index(3) > 0
    }

    /// Removes somebody else; tells whom.
    fn remove<'a>(&self, state: &'a Parent, commit: &mut Contents) -> Option<&'a AccountId> {
        let all = others(state, commit.committer, false);
        let victim = one_of(&all, &self.target)?;
        let account = &state.leaves[victim].account;
        let meant = |index: &u32| {
            index == victim || self.is_whole() && state.leaves[index].account == *account
        };
        commit.removed = all.iter().copied().filter(meant).collect();
        Some(account)
    }

    /// A list with the places above the author's kept and the others anyhow; now
    /// and then with a place he may not touch.
    fn arranged(
        &self,
        state: &Parent,
        author: &AccountId,
        gone: Option<&AccountId>,
    ) -> Vec<AccountId> {
        let stewards = state.stewards();
        let rank = stewards.iter().position(|steward| steward == author);
        let mut kept = rank.unwrap_or(0);
        if self.target.index(8) == 0 {
            kept = kept.saturating_sub(1);
        }
        let mut list = stewards[..kept].to_vec();
        let mut pool: Vec<AccountId> = stewards[kept..].to_vec();
        pool.extend(
            (5..=8)
                .map(account)
                .filter(|member| is_here(state, member) && !stewards.contains(member)),
        );
        pool.retain(|account| Some(account) != gone);
        // Often stays where he is, and often changes little.
        if rank == Some(kept) && self.more[0].index(4) > 0 {
            pool.retain(|account| account != author);
            list.push(author.clone());
        }
        let length = self.more[1].index(pool.len() + 1);
        for index in self.more.iter().cycle().take(length) {
            let place = index.index(pool.len());
            list.push(pool.remove(if index.index(2) == 0 { 0 } else { place }));
        }
        list
    }
}

/// The leaves beside `committer` that are its account's own, or not.
fn others(state: &Parent, committer: u32, own: bool) -> Vec<u32> {
    let author = &state.leaves[&committer].account;
    let leaves = state.leaves.iter();
    let leaves = leaves.filter(|(index, _)| **index != committer);
    let leaves = leaves.filter(|(_, leaf)| (leaf.account == *author) == own);
    leaves.map(|(index, _)| *index).collect()
}

fn one_of<'a, T>(all: &'a [T], which: &Index) -> Option<&'a T> {
    all.get(which.index(all.len().max(1)))
}

fn is_here(state: &Parent, account: &AccountId) -> bool {
    state.leaves.values().any(|leaf| leaf.account == *account)
}

/// A world in which `acts` happened.
pub(super) fn world(root: Parent, acts: &[Act]) -> World {
    let mut world = World::new(root);
    let mut places = vec![World::root()];
    for act in acts {
        if let Some(Ok(hash)) = act.happen(&mut world, &places, |_| true) {
            let child = world.tree.commit(&hash).unwrap().child;
            if !places.contains(&child) {
                places.push(child);
            }
        }
    }
    world
}
