//! A leaf of a room whose program has no manners: it says and commits what it
//! wants, and sends it to whom it wants. What others make of it.

use core::time::Duration;
use hushwing_conversation::branches::{
    AccountId, Crypto, GroupPolicy, Keeper, Lent, OwnPackage, Told, Wish,
};
use hushwing_conversation::content::{
    Content, Entry, Frame, Lamport, Post, RoomStep, RoomWord, Salt, Stamp, Text,
};
use hushwing_conversation::storage::{MemberRecord, RoomRows as _};
use hushwing_conversation::view::Speaker;
use hushwing_conversation::village::Village;
use hushwing_conversation::{
    Command, ConversationId, MessageId, RoomStanding, storage::MemoryStorage,
};
use hushwing_delivery::Address;
use hushwing_sansio::{Context, Moment, Timestamp};

use crate::hostile::Mallory;
use crate::rooms::{Circle, acquaintances, circle};
use crate::support::*;

/// A keeper with rows of its own.
pub(crate) struct Shadow {
    pub(crate) keeper: Keeper,
    rows: MemoryStorage,
    chance: Seeded,
    seconds: u64,
    mail: Mallory,
    salt: u8,
}

fn lent<'a, 'c>(
    crypto: &'a Crypto,
    cx: &'a mut Context<'c>,
    rows: &'a mut MemoryStorage,
) -> Lent<'a, 'c> {
    Lent { crypto, cx, rows }
}

impl Shadow {
    fn with(
        rows: MemoryStorage,
        seed: u64,
        make: impl FnOnce(&mut Lent<'_, '_>) -> Keeper,
    ) -> Self {
        let (mut rows, mut chance) = (rows, Seeded(seed));
        let mut cx = Context::new(Moment::default(), at(0), &mut chance);
        let crypto = Crypto::default();
        let keeper = make(&mut lent(&crypto, &mut cx, &mut rows));
        Self {
            keeper,
            rows,
            chance,
            seconds: 0,
            mail: Mallory::new(),
            salt: 0,
        }
    }

    /// What somebody's leaf is now, from then on apart.
    pub(crate) fn of(c: &mut Circle, who: usize) -> Self {
        let id = c.view(who).conversation;
        let rows = c.village.storage(c.homes[who]).unwrap().clone();
        let seed = 77 + u64::try_from(who).unwrap();
        Self::with(rows, seed, |lent| Keeper::open(lent, id).unwrap().unwrap())
    }

    /// What the leaf of a group is that lies in these rows.
    pub(crate) fn in_rows(rows: MemoryStorage, id: ConversationId) -> Self {
        Self::with(rows, 55, |lent| Keeper::open(lent, id).unwrap().unwrap())
    }

    /// A group of its own, with any id.
    fn founding(id: ConversationId) -> Self {
        Self::founding_as(id, AccountId::try_from([9; 16].as_slice()).unwrap())
    }

    /// The same, as any account.
    fn founding_as(id: ConversationId, me: AccountId) -> Self {
        let policy = GroupPolicy::of_group(vec![me.clone()], "Rowing")
            .bounded(32)
            .heralded(32, &[])
            .bounded_each(3);
        Self::with(MemoryStorage::new(), 88, |lent| {
            Keeper::found(lent, id, &me, &policy).unwrap().unwrap()
        })
    }

    /// Enters by a Welcome for a package.
    fn entering(rows: MemoryStorage, package: &OwnPackage, welcome: &[u8]) -> Self {
        let key = package.key.clone();
        Self::with(rows, 99, |lent| {
            Keeper::join(lent, welcome, |_| Some(key)).unwrap().unwrap()
        })
    }

    pub(crate) fn act<T>(&mut self, act: impl FnOnce(&mut Keeper, &mut Lent<'_, '_>) -> T) -> T {
        // Its account's pace is not what is tried here.
        self.seconds += 600;
        let now = Moment::from_origin(Duration::from_secs(self.seconds));
        let mut cx = Context::new(now, at(self.seconds), &mut self.chance);
        let crypto = Crypto::default();
        act(
            &mut self.keeper,
            &mut lent(&crypto, &mut cx, &mut self.rows),
        )
    }

    /// Commits, and follows that at once. The commit, and the Welcome of it.
    pub(crate) fn commit(&mut self, wish: Wish) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        let mut told = self.act(|keeper, lent| keeper.wish(lent, wish).unwrap().unwrap().1);
        let (mut commit, mut welcome) = (None, None);
        while let Some(one) = told.pop() {
            match one {
                Told::Publish {
                    commit: hash,
                    bytes,
                } => {
                    commit = Some(bytes);
                    let more =
                        self.act(|keeper, lent| keeper.published(lent, hash, Duration::ZERO));
                    told.extend(more.unwrap());
                }
                Told::Welcome { bytes, .. } => welcome = Some(bytes),
                _ => {}
            }
        }
        (commit, welcome)
    }

    pub(crate) fn compose(&mut self, content: &Content) -> Vec<u8> {
        self.salt += 1;
        let frame = Frame {
            salt: Salt([self.salt; 16]),
            stamp: Stamp {
                lamport: Lamport::new(100 + u64::from(self.salt)).unwrap(),
                sent: at(0),
            },
            expires: None,
        };
        content.compose(frame).unwrap()
    }

    /// An MLS message to all.
    pub(crate) fn say(&mut self, content: &Content) -> Vec<u8> {
        let bytes = self.compose(content);
        let said = self.act(|keeper, lent| keeper.say(lent, &bytes, None).unwrap());
        said.unwrap().0
    }

    /// Something to the member with this key alone.
    pub(crate) fn whisper(&mut self, to: &[u8], content: &Content) -> Vec<u8> {
        let bytes = self.compose(content);
        let said = self.act(|keeper, lent| {
            let state = keeper.followed();
            keeper.write_aside(lent, state, to, &bytes).unwrap()
        });
        said.unwrap()
    }

    /// Sends items of a letter to where somebody takes this room's.
    pub(crate) fn post(&mut self, c: &mut Circle, to: usize, kind: u8, items: &[&[u8]]) {
        let address = address(c, to);
        self.post_to(c, address, kind, items);
    }

    /// The same, to an address.
    pub(crate) fn post_to(&mut self, c: &mut Circle, to: Address, kind: u8, items: &[&[u8]]) {
        self.post_in(&mut c.village, to, kind, items);
    }

    /// The same, in any village.
    pub(crate) fn post_in(&mut self, v: &mut Village, to: Address, kind: u8, items: &[&[u8]]) {
        let mut letter = vec![1, kind];
        for item in items {
            letter.extend(u32::try_from(item.len()).unwrap().to_be_bytes());
            letter.extend(*item);
        }
        self.mail.post(v, to, letter);
    }

    pub(crate) fn post_message(&mut self, c: &mut Circle, to: usize, message: &[u8]) {
        let from = self.keeper.signature_key();
        self.post(c, to, 6, &[&from, message]);
    }
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_767_225_600 + 86_400 + seconds)
}

/// Where somebody takes letters, as any other member knows it.
pub(crate) fn address(c: &mut Circle, who: usize) -> Address {
    let mine = c.view(who).members.into_iter().find(|one| one.me).unwrap();
    let other = if who == 0 { 1 } else { 0 };
    let known = members(c, other);
    let record = known.iter().rfind(|record| record.name == mine.name);
    let record = record.expect("known");
    Address::decode(record.addresses[0].expose()).unwrap()
}

pub(crate) fn members(c: &mut Circle, who: usize) -> Vec<MemberRecord> {
    let room = c.rooms[who];
    let storage = c.village.storage(c.homes[who]).unwrap();
    storage.members(room).unwrap()
}

pub(crate) fn key_of(c: &mut Circle, who: usize, name: &str) -> Vec<u8> {
    let members = members(c, who);
    let found = members.iter().find(|one| one.name == name && one.present);
    found.expect(name).key.clone()
}

pub(crate) fn account_of(c: &mut Circle, who: usize, name: &str) -> AccountId {
    let members = members(c, who);
    let found = members.iter().find(|one| one.name == name && one.present);
    AccountId::try_from(found.expect(name).account.as_slice()).unwrap()
}

/// Alice makes Bob a steward.
pub(crate) fn two_stewards(c: &mut Circle) {
    c.make_steward(0, "Bob");
    c.pass(60);
}

pub(crate) fn post(text: &str) -> Post {
    Post::new(Text::new(text).unwrap(), None)
}

fn edit(target: MessageId, text: &str) -> Content {
    let post = post(text);
    Content::Edit { target, post }
}

const FOUR: [&str; 4] = ["Alice", "Bob", "Carol", "Dave"];

#[test]
fn another_leaf_under_the_account_of_who_was_removed_is_somebody_else() {
    let mut c = circle(1_200, &FOUR);
    two_stewards(&mut c);
    let hers = c.say(2, "hers");
    c.pass(60);
    let carol = c.member(0, "Carol");
    assert_eq!(carol.contact, Some(c.hers[1]));
    // Bob puts a leaf of his making in her place, under her account.
    let account = account_of(&mut c, 1, "Carol");
    let mut rows = MemoryStorage::new();
    let package = Shadow::founding(ConversationId([1; 16])).act(|_, lent| {
        let mut other = Lent {
            crypto: lent.crypto,
            cx: &mut *lent.cx,
            rows: &mut rows,
        };
        OwnPackage::make(&mut other, &account).unwrap()
    });
    let mut bob = Shadow::of(&mut c, 1);
    let (commit, welcome) = bob.commit(Wish::AddAnew(package.message.clone()));
    bob.post_message(&mut c, 0, &commit.unwrap());
    let mut fake = Shadow::entering(rows, &package, &welcome.unwrap());
    for content in [edit(hers, "forged"), Content::Post(post("I am Carol"))] {
        let message = fake.say(&content);
        fake.post_message(&mut c, 0, &message);
    }
    let place = c.rooms[0].place();
    let shown = read(&mut c.village, c.homes[0], place);
    assert_eq!((shown[0].text.as_str(), shown[0].edited), ("hers", false));
    assert_eq!(shown[0].from, Speaker::Member(carol.member));
    assert_eq!(shown[1].text, "I am Carol");
    let members = c.view(0).members;
    let other = members
        .iter()
        .find(|one| shown[1].from == Speaker::Member(one.member));
    let other = other.unwrap();
    assert!(other.present && other.member != carol.member);
    assert_eq!((other.name.as_str(), other.contact), ("", None));
    let carol = members.iter().find(|one| one.member == carol.member);
    assert!(!carol.unwrap().present);
}

#[test]
fn who_was_removed_is_neither_heard_nor_answered() {
    let mut c = circle(1_201, &FOUR);
    let mut carol = Shadow::of(&mut c, 2);
    let key = key_of(&mut c, 1, "Bob");
    let room = c.view(0).conversation;
    // In time it would have been.
    let message = carol.say(&Content::Post(post("before")));
    carol.post_message(&mut c, 1, &message);
    assert_eq!(c.texts(1), ["before"]);
    let (home, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room: home, member });
    c.pass(120);
    let state = c.view(1).members.len();
    let entry = Entry {
        key: carol.keeper.signature_key().try_into().unwrap(),
        name: "Carol".to_owned(),
        revision: 99,
        addresses: vec![vec![1; 40]],
    };
    let step = |step| Content::Room(RoomWord { room, step });
    let greeting = RoomStep::Greeting {
        entry,
        known: Vec::new(),
    };
    let followed = carol.keeper.followed();
    let mut prefix = [0; 8];
    prefix.copy_from_slice(&followed.0[..8]);
    c.village.overhear();
    for content in [
        Content::Post(post("still here")),
        step(greeting),
        step(RoomStep::Leave),
    ] {
        let message = carol.say(&content);
        carol.post_message(&mut c, 1, &message);
    }
    let ask = carol.whisper(&key, &step(RoomStep::Ask(prefix)));
    carol.post(&mut c, 1, 5, &[&ask]);
    c.pass(120);
    assert_eq!(c.texts(1), ["before"]);
    assert_eq!(c.view(1).members.len(), state);
    assert_eq!(c.village.overhear().len(), 0);
}

#[test]
fn no_commit_makes_a_room_larger_than_all_can_write_to() {
    let mut c = acquaintances(1_202, &["Alice", "Bob"]);
    c.found();
    let mut alice = Shadow::of(&mut c, 0);
    for number in 0..40 {
        let account = AccountId::try_from([number + 1; 16].as_slice()).unwrap();
        let package = alice.act(|_, lent| OwnPackage::make(lent, &account).unwrap());
        alice.commit(Wish::Add(package.message));
    }
    let members = alice.act(|keeper, lent| keeper.members(lent).unwrap());
    assert_eq!(members.len(), 32);
}

#[test]
fn a_second_leaf_of_an_account_is_somebody_else_unless_each_vouches_for_the_other() {
    let mut c = circle(1_207, &["Alice", "Bob"]);
    let mut bob = Shadow::of(&mut c, 1);
    let me = bob.keeper.account().clone();
    let package = bob.act(|_, lent| OwnPackage::make(lent, &me).unwrap());
    let (commit, _) = bob.commit(Wish::Add(package.message));
    bob.post_message(&mut c, 0, &commit.unwrap());
    c.pass(60);
    assert_eq!((c.view(0).size, c.member(0, "Bob").devices), (3, 1));
    // One of the two alone says so.
    let mine = bob.keeper.signature_key();
    let there = bob.act(|keeper, lent| keeper.members(lent).unwrap());
    let mut there = there.into_iter().filter(|one| one.account == me);
    let new = there.find(|one| one.signature_key != mine).unwrap();
    let claim = RoomWord {
        room: c.view(0).conversation,
        step: RoomStep::Mine(vec![new.signature_key.try_into().unwrap()]),
    };
    let message = bob.say(&Content::Room(claim));
    bob.post_message(&mut c, 0, &message);
    c.pass(60);
    assert_eq!((c.view(0).size, c.member(0, "Bob").devices), (3, 1));
    let policy = bob.act(|keeper, lent| keeper.policy(lent).unwrap().unwrap());
    assert_eq!(policy.most_of_one(), Some(3));
}

#[test]
fn who_is_put_under_somebodys_account_by_a_steward_is_somebody_else() {
    let mut c = circle(1_208, &["Alice", "Bob", "Carol"]);
    let bobs = Shadow::of(&mut c, 1).keeper.account().clone();
    let mut alice = Shadow::of(&mut c, 0);
    // Alice's program throws Bob out and takes his place under another leaf.
    let package = alice.act(|_, lent| OwnPackage::make(lent, &bobs).unwrap());
    let (commit, _) = alice.commit(Wish::AddAnew(package.message));
    alice.post_message(&mut c, 2, &commit.unwrap());
    c.pass(60);
    let bob = c.member(2, "Bob");
    assert_eq!((bob.present, bob.devices), (false, 0));
    let view = c.view(2);
    let mut new = view.members.iter().filter(|one| one.present);
    assert!(new.any(|one| one.name.is_empty() && one.contact.is_none()));
    assert_eq!(view.size, 3);
}

#[test]
fn a_welcome_of_another_leaf_than_the_offers_is_not_followed() {
    let mut c = acquaintances(1_203, &["Alice", "Bob", "Carol"]);
    c.found();
    c.add(1);
    let id = c.view(0).conversation;
    c.offer(2);
    c.accept(2);
    // Alice's commit rests, and so her Welcome.
    c.village.rest().unwrap();
    let storage = c.village.storage(c.homes[2]).unwrap();
    let room = storage.rooms().unwrap().swap_remove(0).unwrap();
    let package = room.package.unwrap();
    let mut mallory = Shadow::founding(id);
    let (_, welcome) = mallory.commit(Wish::Add(package.message));
    let room = c.rooms[0];
    let known = c.village.storage(c.homes[0]).unwrap();
    let known = known.members(room).unwrap();
    let carol = known.iter().find(|one| one.name == "Carol").unwrap();
    let to = Address::decode(carol.addresses[0].expose()).unwrap();
    let welcome = welcome.unwrap();
    let length = u32::try_from(welcome.len()).unwrap().to_be_bytes();
    let letter = [&[1, 4][..], &length, &welcome].concat();
    mallory.mail.post(&mut c.village, to, letter);
    assert_eq!(c.view(2).standing, RoomStanding::Joining);
    c.pass(60);
    c.agree(&[0, 1, 2]);
}

/// It would order nothing any more.
#[test]
fn a_counter_at_its_end_is_not_followed() {
    let mut c = circle(1_206, &FOUR);
    let mut carol = Shadow::of(&mut c, 2);
    let frame = Frame {
        salt: Salt([9; 16]),
        stamp: Stamp {
            lamport: Lamport::MAX,
            sent: at(0),
        },
        expires: None,
    };
    let bytes = Content::Post(post("last")).compose(frame).unwrap();
    let said = carol.act(|keeper, lent| keeper.say(lent, &bytes, None).unwrap());
    carol.post_message(&mut c, 1, &said.unwrap().0);
    assert!(c.texts(1).is_empty());
    let said = carol.say(&Content::Post(post("first")));
    carol.post_message(&mut c, 1, &said);
    assert_eq!(c.texts(1), ["first"]);
}
