//! What leaves say of their last commits, and what that binds.

use super::Wish;
use super::keeper::load;
use super::rows::Overlay;
use super::shape::{self, Stamp};
use super::village::{GROUP, Leaf, Village, account};
use crate::fork_choice::AccountId;
use crate::mls::provider::Provider;

/// What the leaves of an account say in the state that a leaf of a village follows.
fn stamps(leaf: &mut Leaf, of: &AccountId) -> Vec<Option<Stamp>> {
    let mut rows = leaf.storage.clone();
    let keeper = leaf.keeper.take().unwrap();
    let stamps = leaf.lend(|lent, _| {
        let mut rows = Overlay::of(&mut rows, GROUP, &keeper.followed()).unwrap();
        let provider = Provider::new(lent.crypto, lent.cx, &mut rows);
        let group = load(&provider, GROUP).unwrap();
        let leaves = group.treesync().full_leaves();
        let leaves = leaves.filter(|(_, node)| shape::account(node).as_ref() == Some(of));
        leaves.map(|(_, node)| shape::stamp(node)).collect()
    });
    leaf.keeper = Some(keeper);
    stamps
}

#[test]
fn a_device_comes_in_as_soon_as_its_account_renewed_keys_and_another_one_waits() {
    let mut village = Village::found(14, &[1, 2, 3], 1);
    for member in [1, 2] {
        village.wish(member, Wish::Refresh);
        village.calm();
    }
    let epoch = village.leaves[0].keeper.as_ref().unwrap().epoch();
    let renewed = |at| {
        Some(Stamp {
            renewed_at: at,
            changed_at: None,
        })
    };
    assert_eq!(
        stamps(&mut village.leaves[0], &account(3)),
        [renewed(epoch - 1)]
    );
    for number in [3, 4] {
        village.leaves.push(Leaf::new(number, account(3)));
    }
    village.add(2, 3);
    village.calm();
    let changed = Some(Stamp {
        renewed_at: epoch,
        changed_at: Some(epoch),
    });
    assert_eq!(stamps(&mut village.leaves[0], &account(3)), [changed, None]);
    village.check(&[0, 1, 2, 3], &[]);
    let package = village.leaves[4].package();
    let told = village.leaves[2].with(|keeper, lent| keeper.wish(lent, Wish::Add(package)));
    assert_eq!(told.unwrap().unwrap().1, [], "it waits");
    // With three accounts two commits of others are enough.
    for steward_keys in [1, 2] {
        village.wish(0, Wish::Refresh);
        village.calm();
        assert_eq!(village.leaves[4].keeper.is_some(), steward_keys == 2);
    }
    // New keys say of changes what the leaf said before.
    village.settle();
    village.check(&[0, 1, 2, 3, 4], &[]);
    village.wish(2, Wish::Refresh);
    for _ in 0..3 {
        village.wish(0, Wish::Refresh);
        village.calm();
    }
    let [Some(first), ..] = stamps(&mut village.leaves[0], &account(3))[..] else {
        panic!("a leaf without a stamp");
    };
    assert_eq!(first.changed_at, Some(epoch + 3));
    assert!(first.renewed_at > epoch + 3, "{first:?}");
}

#[test]
fn stamps_have_one_encoding() {
    let (one, other) = (7_u64.to_be_bytes(), 5_u64.to_be_bytes());
    let renewed_at = 7;
    for (changed_at, bytes) in [
        (None, [&[1], one.as_slice()].concat()),
        (Some(5), [&[1], one.as_slice(), &other].concat()),
    ] {
        let stamp = Stamp {
            renewed_at,
            changed_at,
        };
        assert_eq!(Stamp::decode(&bytes), Some(stamp));
        assert_eq!(stamp.encode(), bytes);
        for cut in 0..bytes.len() {
            let less = Stamp::decode(&bytes[..cut]);
            assert_eq!(less.is_some(), cut == 9, "{cut}: {less:?}");
        }
        assert_eq!(Stamp::decode(&[&bytes[..], &[0]].concat()), None);
        assert_eq!(Stamp::decode(&[&[2], &bytes[1..]].concat()), None);
    }
}
