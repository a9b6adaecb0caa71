//! The table of what is valid, line by line.

use super::super::rules::{Contents, Invalid, Leaf, MAX_DEVICES, MAX_LEAVES, Parent, check};
use super::super::{AccountId, Class, MAX_STEWARDS, Shape};
use super::world::{account, after, bare, leaf, parent, stamped};

/// Stewards 1, 2 and 3 at leaves 3, 2 and 1; 9 is listed and gone; members 4
/// (two devices), 5 and 6.
fn group() -> Parent {
    parent(Shape::Group, 100, &[1, 9, 2, 3], &[4, 3, 2, 1, 4, 5, 6])
}

pub(super) fn pair(epoch: u64) -> Parent {
    parent(Shape::Pair, epoch, &[], &[1, 2, 2])
}

pub(super) fn on(
    state: &Parent,
    committer: u32,
    change: impl FnOnce(&mut Contents),
) -> Result<Class, Invalid> {
    let mut commit = bare(state, committer);
    change(&mut commit);
    check(state, &stamped(state, &commit))
}

fn lists(state: &Parent, committer: u32, stewards: &[u8]) -> Result<Class, Invalid> {
    on(state, committer, |commit| {
        commit.listed = Some(stewards.iter().map(|number| account(*number)).collect());
    })
}

pub(super) fn adds(state: &Parent, committer: u32, accounts: &[u8]) -> Result<Class, Invalid> {
    on(state, committer, |commit| {
        commit
            .added
            .extend(accounts.iter().map(|number| leaf(*number)))
    })
}

pub(super) fn removes(state: &Parent, committer: u32, leaves: &[u32]) -> Result<Class, Invalid> {
    on(state, committer, |commit| commit.removed.extend(leaves))
}

#[test]
fn stewards_are_those_listed_who_are_there() {
    assert_eq!(group().stewards(), [1, 2, 3].map(account));
    let twice = parent(Shape::Group, 0, &[2, 1, 2], &[1, 2]);
    assert_eq!(twice.stewards(), [2, 1].map(account));
    assert_eq!(parent(Shape::Pair, 0, &[1], &[1, 2]).stewards(), []);
}

#[test]
fn a_steward_removes_those_below() {
    let group = group();
    assert_eq!(removes(&group, 2, &[1, 0, 4]), Ok(Class::Removal));
    assert_eq!(removes(&group, 2, &[3]), Err(Invalid::NotBelow));
    assert_eq!(removes(&group, 1, &[5, 2]), Err(Invalid::NotBelow));
    assert_eq!(removes(&group, 5, &[6]), Err(Invalid::NotSteward));
    assert_eq!(removes(&group, 5, &[4, 6]), Err(Invalid::NotSteward));
    assert_eq!(removes(&pair(100), 0, &[1]), Err(Invalid::InPair));
}

#[test]
fn no_leaf_removes_itself_or_what_is_not_there() {
    assert_eq!(removes(&group(), 3, &[3]), Err(Invalid::NoSuchLeaf));
    assert_eq!(removes(&group(), 3, &[7]), Err(Invalid::NoSuchLeaf));
    assert_eq!(on(&group(), 7, |_| ()), Err(Invalid::Stranger));
}

#[test]
fn a_steward_arranges_the_places_from_his_own_on() {
    let group = group();
    for good in [
        &[1, 2, 3][..],
        &[1, 2],
        &[1, 3, 2],
        &[1],
        &[1, 2, 5, 3],
        &[1, 6],
    ] {
        assert_eq!(lists(&group, 2, good), Ok(Class::Policy), "{good:?}");
    }
    for bad in [&[2, 1, 3][..], &[2], &[], &[3, 1, 2], &[5, 1, 2]] {
        assert_eq!(lists(&group, 2, bad), Err(Invalid::NotBelow), "{bad:?}");
    }
    // The first may arrange all, and hand his place over.
    assert_eq!(lists(&group, 3, &[5]), Ok(Class::Policy));
    // The last can neither promote himself nor do away with whom he stands below.
    assert_eq!(lists(&group, 1, &[1, 3, 2]), Err(Invalid::NotBelow));
    assert_eq!(lists(&group, 1, &[1, 3]), Err(Invalid::NotBelow));
    assert_eq!(lists(&group, 5, &[1, 2, 3, 5]), Err(Invalid::NotSteward));
    assert_eq!(lists(&pair(100), 0, &[1]), Err(Invalid::InPair));
}

#[test]
fn a_list_names_somebody_there_and_each_once() {
    let group = group();
    assert_eq!(lists(&group, 3, &[]), Err(Invalid::List));
    assert_eq!(lists(&group, 3, &[1, 1]), Err(Invalid::List));
    assert_eq!(lists(&group, 3, &[1, 9, 2, 3]), Err(Invalid::List));
    let removed_and_listed = on(&group, 3, |commit| {
        commit.removed.insert(2);
        commit.listed = Some(vec![account(1), account(2)]);
    });
    assert_eq!(removed_and_listed, Err(Invalid::List));
    let added_and_listed = on(&group, 3, |commit| {
        commit.added.push(leaf(9));
        commit.listed = Some(vec![account(1), account(9)]);
    });
    assert_eq!(added_and_listed, Ok(Class::Policy));
    let many = u8::try_from(MAX_STEWARDS).unwrap() + 1;
    let mut large = parent(Shape::Group, 100, &[1], &(1..=many).collect::<Vec<_>>());
    assert_eq!(
        lists(&large, 0, &(1..=many).collect::<Vec<_>>()),
        Err(Invalid::TooMany)
    );
    assert_eq!(
        lists(&large, 0, &(1..many).collect::<Vec<_>>()),
        Ok(Class::Policy)
    );
    large.listed = (1..=many).map(account).collect();
    assert_eq!(large.stewards().len(), MAX_STEWARDS);
}

#[test]
fn stewards_add_new_accounts_and_everybody_own_devices() {
    let group = group();
    assert_eq!(adds(&group, 1, &[100, 101]), Ok(Class::Membership));
    assert_eq!(adds(&group, 1, &[100, 100]), Err(Invalid::NotNew));
    assert_eq!(adds(&group, 1, &[5]), Err(Invalid::NotNew));
    assert_eq!(adds(&group, 5, &[100]), Err(Invalid::NotSteward));
    assert_eq!(adds(&group, 5, &[5, 5]), Ok(Class::Membership));
    assert_eq!(adds(&group, 5, &[5, 6]), Err(Invalid::NotSteward));
    assert_eq!(adds(&pair(100), 0, &[1]), Ok(Class::Membership));
    assert_eq!(adds(&pair(100), 0, &[100]), Err(Invalid::InPair));
}

#[test]
fn nobody_comes_in_under_a_name_that_waits_in_the_list() {
    // The last steward would have a creature above the second.
    let group = group();
    assert_eq!(adds(&group, 1, &[9]), Err(Invalid::NotNew));
    let lists_it_below = on(&group, 1, |commit| {
        commit.added.push(leaf(9));
        commit.listed = Some([1, 2, 3, 9].map(account).to_vec());
    });
    assert_eq!(lists_it_below, Ok(Class::Policy));
}

#[test]
fn who_lost_the_state_is_removed_and_added_by_one_commit() {
    let group = group();
    let mut commit = bare(&group, 3);
    commit.removed.insert(2);
    commit.added.push(leaf(2));
    assert_eq!(check(&group, &stamped(&group, &commit)), Ok(Class::Removal));
    assert_eq!(after(&group, &commit).stewards(), [1, 2, 3].map(account));
    // Not while another device of the account stays: that one can do it.
    let half = on(&group, 3, |commit| {
        commit.removed.insert(0);
        commit.added.push(leaf(4));
    });
    assert_eq!(half, Err(Invalid::NotNew));
}

#[test]
fn a_commit_of_several_parts_is_of_the_first_class_and_valid_in_each() {
    let group = group();
    let all = |commit: &mut Contents| {
        commit.removed.insert(5);
        commit.added.push(leaf(100));
        commit.listed = Some([1, 2].map(account).to_vec());
    };
    assert_eq!(on(&group, 2, all), Ok(Class::Removal));
    assert_eq!(on(&group, 3, all), Ok(Class::Removal));
    assert_eq!(on(&group, 6, all), Err(Invalid::NotSteward));
    let not_below = on(&group, 1, |commit| {
        all(commit);
        commit.listed = Some(vec![account(1)]);
    });
    assert_eq!(not_below, Err(Invalid::NotBelow));
    let own = on(&group, 4, |commit| {
        commit.removed.insert(0);
        commit.added.push(leaf(4));
    });
    assert_eq!(own, Ok(Class::Membership));
    let own = on(&group, 4, |commit| {
        commit.removed.insert(0);
    });
    assert_eq!(own, Ok(Class::OwnRemoval));
}

#[test]
fn a_commit_has_a_path_that_stays_its_accounts_and_says_when() {
    let group = group();
    assert_eq!(
        on(&group, 5, |commit| commit.path = None),
        Err(Invalid::NoPath)
    );
    let stolen = on(&group, 5, |commit| {
        commit.path.as_mut().unwrap().account = account(1)
    });
    assert_eq!(stolen, Err(Invalid::Identity));
    for stamp in [None, Some(99), Some(101)] {
        let wrong = |commit: &mut Contents| commit.path.as_mut().unwrap().renewed_at = stamp;
        assert_eq!(on(&group, 5, wrong), Err(Invalid::Stamp));
    }
    let none = |commit: &mut Contents| commit.path.as_mut().unwrap().renewed_at = None;
    assert_eq!(on(&pair(100), 0, none), Ok(Class::Turn));
    assert_eq!(on(&pair(100), 1, none), Err(Invalid::Stamp));
    let past = |commit: &mut Contents| commit.path.as_mut().unwrap().renewed_at = Some(99);
    assert_eq!(on(&pair(100), 0, past), Err(Invalid::Stamp));
    let stamped = on(&group, 3, |commit| {
        commit.added.push(leaf(100));
        commit.added[0].renewed_at = Some(100);
    });
    assert_eq!(stamped, Err(Invalid::Stamp));
}

#[test]
fn nothing_else_is_in_a_commit() {
    assert_eq!(
        on(&group(), 3, |commit| commit.foreign = true),
        Err(Invalid::Foreign)
    );
    assert_eq!(
        on(&pair(100), 0, |commit| commit.foreign = true),
        Err(Invalid::Foreign)
    );
}

#[test]
fn a_pair_goes_in_turn_by_account() {
    assert_eq!(on(&pair(100), 0, |_| ()), Ok(Class::Turn));
    assert_eq!(on(&pair(100), 2, |_| ()), Ok(Class::Refresh));
    assert_eq!(on(&pair(101), 2, |_| ()), Ok(Class::Turn));
    assert_eq!(on(&pair(101), 0, |_| ()), Ok(Class::Refresh));
    // By the first leaf of each, not by the smaller account.
    let other = parent(Shape::Pair, 100, &[], &[0, 2, 1, 2]);
    assert_eq!(other.turn(), Some(&account(2)));
    assert_eq!(on(&group(), 3, |_| ()), Ok(Class::Refresh));
}

#[test]
fn groups_and_accounts_have_bounds() {
    let devices = [1]
        .into_iter()
        .chain([2; MAX_DEVICES - 1])
        .collect::<Vec<_>>();
    let group = parent(Shape::Group, 100, &[1], &devices);
    assert_eq!(adds(&group, 1, &[2]), Ok(Class::Membership));
    assert_eq!(adds(&group, 1, &[2, 2]), Err(Invalid::TooMany));

    let mut small = parent(Shape::Group, 100, &[1], &[1, 2]);
    small.most = 3;
    assert_eq!(adds(&small, 0, &[3]), Ok(Class::Membership));
    assert_eq!(adds(&small, 0, &[3, 4]), Err(Invalid::TooMany));
    assert_eq!(adds(&small, 0, &[1, 1]), Err(Invalid::TooMany));

    // Where nobody has several devices, neither member nor steward gets a second.
    let mut single = parent(Shape::Group, 100, &[1], &[1, 2]);
    single.each = 1;
    assert_eq!(adds(&single, 0, &[3]), Ok(Class::Membership));
    assert_eq!(adds(&single, 0, &[1]), Err(Invalid::TooMany));
    assert_eq!(adds(&single, 1, &[2]), Err(Invalid::TooMany));
    assert!(single.is_within_bounds());
    single.leaves.insert(2, leaf(2));
    assert!(!single.is_within_bounds());

    let mut group = parent(Shape::Group, 100, &[1], &[1]);
    let most = u32::try_from(MAX_LEAVES).unwrap();
    group.leaves.extend((1..most - 1).map(|index| {
        let mut name = [0; 16];
        name[..4].copy_from_slice(&(index + 1_000_000).to_be_bytes());
        let account = AccountId::try_from(name.as_slice()).unwrap();
        (
            index,
            Leaf {
                account,
                renewed_at: None,
                changed_at: None,
            },
        )
    }));
    assert_eq!(adds(&group, 0, &[100]), Ok(Class::Membership));
    assert_eq!(adds(&group, 0, &[100, 101]), Err(Invalid::TooMany));
    let replaced = on(&group, 0, |commit| {
        commit.removed.insert(1);
        commit.added.extend([leaf(100), leaf(101)]);
    });
    assert_eq!(replaced, Ok(Class::Removal));
}

#[test]
fn devices_of_one_account_have_no_steward_among_them() {
    let mut group = parent(Shape::Group, 100, &[1], &[1, 1]);
    (group.most, group.each, group.of_one) = (3, 3, true);
    assert_eq!(group.stewards(), []);
    assert_eq!(lists(&group, 0, &[1]), Err(Invalid::NotSteward));
    assert_eq!(adds(&group, 0, &[2]), Err(Invalid::NotSteward));
    assert_eq!(adds(&group, 1, &[1]), Ok(Class::Membership));
    assert_eq!(adds(&group, 1, &[1, 1]), Err(Invalid::TooMany));
    assert_eq!(removes(&group, 1, &[0]), Ok(Class::OwnRemoval));
    assert_eq!(on(&group, 0, |_| ()), Ok(Class::Refresh));
    // Who is alone and made a commit just now waits for nobody.
    let mine = group.leaves.get_mut(&0).unwrap();
    (mine.renewed_at, mine.changed_at) = (Some(99), Some(99));
    assert_eq!(adds(&group, 0, &[1]), Ok(Class::Membership));
    // With another bound for accounts than for all it is a group like others.
    (group.each, group.of_one) = (2, false);
    assert_eq!(group.stewards(), [account(1)]);
    assert_eq!(adds(&group, 0, &[2]), Ok(Class::Membership));
}

/// Accounts 1 to 3, of which two leaves need no herald and `heralds` are named.
fn narrow(heralds: &[u8]) -> Parent {
    let mut group = parent(Shape::Group, 100, &[1], &[1, 2, 3]);
    group.narrow = 3;
    group.heralds = heralds.iter().map(|number| account(*number)).collect();
    group
}

#[test]
fn only_with_a_herald_who_is_there_does_a_group_grow_beyond_what_each_author_serves() {
    let named = |state: &Parent, heralds: &[u8]| {
        on(state, 0, |commit| {
            commit.added.push(leaf(4));
            commit.listed = Some(vec![account(1)]);
            commit.heralds = Some(heralds.iter().map(|number| account(*number)).collect());
        })
    };
    assert_eq!(adds(&narrow(&[]), 0, &[4]), Err(Invalid::TooMany));
    assert_eq!(adds(&narrow(&[9]), 0, &[4]), Err(Invalid::TooMany));
    assert_eq!(adds(&narrow(&[9, 2]), 0, &[4]), Ok(Class::Membership));
    // The same commit may name one, who comes with it, or take the last one away.
    assert_eq!(named(&narrow(&[]), &[4]), Ok(Class::Policy));
    assert_eq!(named(&narrow(&[]), &[3]), Ok(Class::Policy));
    assert_eq!(named(&narrow(&[2]), &[]), Err(Invalid::TooMany));
    let instead = on(&narrow(&[2]), 0, |commit| {
        commit.removed.insert(1);
        commit.added.extend([leaf(4), leaf(5)]);
    });
    assert_eq!(instead, Err(Invalid::TooMany));
    let mut few = narrow(&[]);
    few.narrow = 4;
    assert_eq!(adds(&few, 0, &[4]), Ok(Class::Membership));
    assert_eq!(adds(&few, 0, &[4, 5]), Err(Invalid::TooMany));
}

#[test]
fn no_removal_waits_for_a_herald() {
    let mut group = narrow(&[2]);
    group.narrow = 1;
    let removed = on(&group, 0, |commit| {
        commit.removed.insert(1);
    });
    assert_eq!(removed, Ok(Class::Removal));
    let left = on(&group, 0, |commit| {
        commit.listed = Some(vec![account(1)]);
        commit.heralds = Some(Vec::new());
    });
    assert_eq!(left, Ok(Class::Policy));
    assert_eq!(on(&group, 1, |_| {}), Ok(Class::Refresh));
}
