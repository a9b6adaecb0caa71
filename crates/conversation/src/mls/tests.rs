//! Two groups that talk, and one that breaks the rules.

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
use openmls::prelude::LeafNodeParameters;

use super::*;
use crate::storage::MemoryStorage;
use crate::{ConversationId, MlsRows as _};

struct Chance(u64);

impl Entropy for Chance {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

struct Side {
    group: Group,
    storage: MemoryStorage,
    chance: Chance,
}

fn cx(chance: &mut Chance) -> Context<'_> {
    Context::new(Moment::default(), Timestamp::default(), chance)
}

/// Joiner (leaf 0) and inviter (leaf 1) in epoch 1.
fn meet() -> (Crypto, Side, Side) {
    let crypto = Crypto::default();
    let (mut one, mut other) = (Chance(1), Chance(2));
    let (mut joiner, mut inviter) = (MemoryStorage::new(), MemoryStorage::new());
    let key = LeafKey::generate(&mut cx(&mut other));
    let secret = key.secret();
    let fresh = FreshKeyPackage::make(&crypto, &mut cx(&mut other), &mut inviter, &key).unwrap();
    let package = CheckedKeyPackage::check(&crypto, &fresh.message).unwrap();
    let own = LeafKey::generate(&mut cx(&mut one));
    let id = ConversationId([7; 16]);
    let created = Group::create(&crypto, &mut cx(&mut one), &mut joiner, id, own, &package);
    let (group, welcome) = created.unwrap().unwrap();
    let joiner = Side {
        group,
        storage: joiner,
        chance: one,
    };
    let key_of = |_: &[u8]| LeafKey::from_secret(&secret);
    let joined = Group::join(&crypto, &mut cx(&mut other), &mut inviter, &welcome, key_of);
    let inviter = Side {
        group: joined.unwrap().unwrap(),
        storage: inviter,
        chance: other,
    };
    (crypto, joiner, inviter)
}

impl Side {
    fn say(&mut self, crypto: &Crypto, text: &[u8]) -> Vec<u8> {
        let (cx, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        let sealed = self.group.encrypt(crypto, cx, rows, text, None);
        sealed.unwrap().unwrap()
    }

    fn renew(&mut self, crypto: &Crypto, successor: Option<LeafKey>) -> Vec<u8> {
        let (cx, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        let commit = self.group.renew(crypto, cx, rows, successor);
        commit.unwrap().unwrap()
    }

    fn open(&mut self, crypto: &Crypto, bytes: &[u8], keys: bool) -> Result<Opened, OpenFault> {
        let received = Received::parse(bytes).unwrap();
        let (cx, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        received
            .open(crypto, cx, rows, &mut self.group, keys)
            .unwrap()
    }

    fn merge(&mut self, crypto: &Crypto, opened: Opened) {
        let Opened::Renewed(staged) = opened else {
            panic!("no commit")
        };
        let (cx, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        staged
            .merge(crypto, cx, rows, &mut self.group)
            .unwrap()
            .unwrap();
    }

    fn load_again(&mut self, crypto: &Crypto) {
        let key = LeafKey::from_secret(&self.group.key().secret()).unwrap();
        let id = self.group.conversation().unwrap();
        let (cx, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        self.group = Group::load(crypto, cx, rows, id, key).unwrap();
    }
}

#[test]
fn groups_survive_being_read_from_their_rows() {
    let (crypto, mut joiner, mut inviter) = meet();
    for turn in 0..4 {
        let message = joiner.say(&crypto, b"over");
        joiner.load_again(&crypto);
        inviter.load_again(&crypto);
        assert!(matches!(
            inviter.open(&crypto, &message, false),
            Ok(Opened::Said { .. })
        ));
        let (from, to) = if turn % 2 == 0 {
            (&mut inviter, &mut joiner)
        } else {
            (&mut joiner, &mut inviter)
        };
        let commit = from.renew(&crypto, None);
        let opened = to.open(&crypto, &commit, false).unwrap();
        to.merge(&crypto, opened);
        assert_eq!(from.group.epoch(), to.group.epoch());
    }
}

#[test]
fn what_is_read_of_the_rows_is_wiped_and_prints_no_bytes() {
    fn wiped<T: zeroize::ZeroizeOnDrop>(_: &T) {}
    let (_, joiner, _) = meet();
    let rows = joiner
        .storage
        .mls_scope(&Group::scope(ConversationId([7; 16])));
    for (label, key, value) in rows.unwrap() {
        wiped(&value);
        assert!(!value.expose().is_empty());
        assert_eq!(format!("{value:?}"), "Secret(..)");
        let again = joiner
            .storage
            .mls_row(&Group::scope(ConversationId([7; 16])), label, &key);
        assert_eq!(again.unwrap(), Some(value));
    }
}

#[test]
fn a_commit_out_of_turn_is_refused_and_changes_no_row() {
    let (crypto, mut joiner, mut inviter) = meet();
    let commit = joiner.renew(&crypto, None);
    let scope = Group::scope(ConversationId([7; 16]));
    let before = inviter.storage.mls_scope(&scope).unwrap();
    assert_eq!(
        inviter.open(&crypto, &commit, false).err(),
        Some(OpenFault::Rules)
    );
    assert_eq!(inviter.storage.mls_scope(&scope).unwrap(), before);
}

#[test]
fn a_change_of_key_is_taken_only_where_the_mark_stands() {
    for (may_change, refused) in [(false, true), (true, false)] {
        let (crypto, mut joiner, mut inviter) = meet();
        let successor = LeafKey::generate(&mut cx(&mut inviter.chance));
        let commit = inviter.renew(&crypto, Some(successor));
        assert_eq!(joiner.open(&crypto, &commit, may_change).is_err(), refused);
    }
}

#[test]
fn a_commit_that_adds_somebody_is_refused() {
    let (crypto, mut joiner, mut inviter) = meet();
    let third = LeafKey::generate(&mut cx(&mut inviter.chance));
    let (chance, rows) = (&mut inviter.chance, &mut inviter.storage);
    let fresh = FreshKeyPackage::make(&crypto, &mut cx(chance), rows, &third).unwrap();
    let package = CheckedKeyPackage::check(&crypto, &fresh.message).unwrap();
    let mut context = cx(chance);
    let provider = provider::Provider::new(&crypto, &mut context, rows);
    let Group { mls, key, .. } = &mut inviter.group;
    let (commit, _, _) = mls.add_members(&provider, key, &[package.0]).unwrap();
    let commit = tls_codec::Serialize::tls_serialize_detached(&commit).unwrap();
    assert_eq!(
        joiner.open(&crypto, &commit, true).err(),
        Some(OpenFault::Rules)
    );
}

#[test]
fn proposals_have_no_place_here() {
    let (crypto, mut joiner, mut inviter) = meet();
    let mut context = cx(&mut inviter.chance);
    let provider = provider::Provider::new(&crypto, &mut context, &mut inviter.storage);
    let Group { mls, key, .. } = &mut inviter.group;
    let same = LeafNodeParameters::default();
    let (proposal, _) = mls.propose_self_update(&provider, key, same).unwrap();
    let proposal = tls_codec::Serialize::tls_serialize_detached(&proposal).unwrap();
    assert_eq!(
        joiner.open(&crypto, &proposal, true).err(),
        Some(OpenFault::Kind)
    );
}

#[test]
fn five_hundred_messages_may_be_overtaken() {
    let (crypto, mut joiner, mut inviter) = meet();
    let messages: Vec<_> = (0..500).map(|_| joiner.say(&crypto, b"late")).collect();
    for message in messages.iter().rev() {
        assert!(inviter.open(&crypto, message, false).is_ok());
    }
    assert!(
        inviter.open(&crypto, &messages[250], false).is_err(),
        "a repeat"
    );
}

#[test]
fn messages_of_two_past_epochs_can_be_read_and_no_older_ones() {
    let (crypto, mut joiner, mut inviter) = meet();
    let mut old = Vec::new();
    for epoch in 1..=4 {
        old.push(joiner.say(&crypto, b"late"));
        if epoch < 4 {
            let (from, to) = if epoch % 2 == 1 {
                (&mut inviter, &mut joiner)
            } else {
                (&mut joiner, &mut inviter)
            };
            let commit = from.renew(&crypto, None);
            let opened = to.open(&crypto, &commit, false).unwrap();
            to.merge(&crypto, opened);
        }
    }
    let readable: Vec<_> = old
        .iter()
        .map(|m| inviter.open(&crypto, m, false).is_ok())
        .collect();
    assert_eq!(readable, [false, true, true, true]);
}
