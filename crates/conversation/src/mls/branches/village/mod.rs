//! A deterministic world of leaves and a network that does its worst.

mod campaign;
mod leaf;
mod ones;
mod pairs;

use core::time::Duration;
use std::collections::BTreeMap;

pub(super) use leaf::{Chance, Leaf, Letter, To};

use super::{AccountId, GroupPolicy, Shape, StateName, Wish, rows};
use crate::ConversationId;
use crate::fork_choice::HORIZON;

pub(super) const GROUP: ConversationId = ConversationId([7; 16]);
/// How long commits rest.
pub(super) const REST: Duration = Duration::from_secs(2);

/// How bad the network is, in per cent.
#[derive(Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) lost: u64,
    pub(super) twice: u64,
    /// Most milliseconds a letter takes.
    pub(super) slow: u64,
    /// Inputs after which the leaf dies, before or after they are durable.
    pub(super) crash: u64,
}

struct Packet {
    from: usize,
    to: usize,
    letter: Letter,
    tries: u32,
}

pub(super) struct Village {
    pub(super) leaves: Vec<Leaf>,
    pub(super) chance: Chance,
    pub(super) weather: Weather,
    pub(super) now: u64,
    /// Leaves nothing reaches and that reach nobody, until a time.
    pub(super) cut_off: BTreeMap<usize, u64>,
    /// From whom commits do not get to whom, but on demand.
    pub(super) withheld: Vec<(usize, usize)>,
    packets: BTreeMap<(u64, u64), Packet>,
    serial: u64,
    texts: u64,
    /// How often it was checked that somebody read a text, and one said more than once.
    pub(super) texts_checked: u32,
    pub(super) texts_said_again: u32,
}

/// Whether there is time for more.
#[expect(
    clippy::disallowed_methods,
    reason = "how much to test is asked as elsewhere"
)]
pub(super) fn soak() -> bool {
    std::env::var("HUSHWING_SOAK").is_ok_and(|soak| soak == "1")
}

pub(super) fn account(number: u8) -> AccountId {
    AccountId::try_from([number; 16].as_slice()).unwrap()
}

impl Village {
    /// Leaf n is a device of account `accounts[n]`; there is no group yet.
    fn new(seed: u64, accounts: &[u8]) -> Self {
        let leaves = accounts.iter().enumerate();
        let leaves = leaves.map(|(number, of)| Leaf::new(number, account(*of)));
        Self {
            leaves: leaves.collect(),
            chance: Chance(seed),
            weather: Weather::default(),
            now: 1,
            cut_off: BTreeMap::new(),
            withheld: Vec::new(),
            packets: BTreeMap::new(),
            serial: 0,
            texts: 0,
            texts_checked: 0,
            texts_said_again: 0,
        }
    }

    /// Leaf 0 founds the group; leaf n is a device of account `accounts[n]`. The
    /// first `stewards` accounts are stewards.
    pub(super) fn found(seed: u64, accounts: &[u8], stewards: u8) -> Self {
        let mut village = Self::new(seed, accounts);
        let first = account(accounts[0]);
        village.leaves[0].found(&GroupPolicy::of_group(vec![first], "here"));
        let mut known = vec![accounts[0]];
        for (number, of) in accounts.iter().enumerate().skip(1) {
            if *of == accounts[0] || !known.contains(of) {
                known.push(*of);
                village.add(0, number);
            }
        }
        village.calm();
        let below: Vec<_> = (1..stewards).map(|rank| accounts[0] + rank).collect();
        village.appoint(0, &below);
        village.calm();
        for number in 1..accounts.len() {
            if village.leaves[number].keeper.is_none() {
                let of = accounts
                    .iter()
                    .position(|a| *a == accounts[number])
                    .unwrap();
                village.add(of, number);
                village.calm();
            }
        }
        village
    }

    pub(super) fn add(&mut self, by: usize, number: usize) {
        let package = self.leaves[number].package();
        self.wish(by, Wish::Add(package));
    }

    /// A leaf wants something.
    pub(super) fn wish(&mut self, by: usize, wish: Wish) {
        self.leaves[by].now = self.now;
        let out = self.leaves[by].wish(wish);
        self.leaves[by].commit();
        self.send(by, out);
    }

    /// A leaf makes accounts stewards, by one commit.
    pub(super) fn appoint(&mut self, by: usize, accounts: &[u8]) {
        let wishes = accounts.iter().map(|one| Wish::Appoint(account(*one)));
        let wishes: Vec<_> = wishes.collect();
        self.leaves[by].now = self.now;
        let out = self.leaves[by].wish_all(wishes);
        self.leaves[by].commit();
        self.send(by, out);
    }

    /// A leaf says something.
    pub(super) fn say(&mut self, by: usize) {
        if self.leaves[by].keeper.is_some() {
            self.texts += 1;
            let out = self.leaves[by].say(self.texts);
            self.leaves[by].commit();
            self.send(by, out);
        }
    }

    pub(super) fn send(&mut self, from: usize, out: Vec<(To, Letter)>) {
        for (to, letter) in out {
            for leaf in 0..self.leaves.len() {
                let meant = match to {
                    To::All => leaf != from,
                    To::One(one) => leaf == one,
                };
                let kept = is_commit(&letter) && self.withheld.contains(&(from, leaf));
                if meant && !kept {
                    self.post(from, leaf, letter.clone(), 0);
                    if leaf != from && self.chance.below(100) < self.weather.twice {
                        self.post(from, leaf, letter.clone(), 0);
                    }
                }
            }
        }
    }

    fn post(&mut self, from: usize, to: usize, letter: Letter, tries: u32) {
        // Each loss costs a while: whoever sends asks for a receipt and repeats.
        let mut at = self.now + 1 + self.chance.below(self.weather.slow + 1);
        while from != to && self.chance.below(100) < self.weather.lost {
            at += 1_000;
        }
        if matches!(letter, Letter::Patience) {
            at += 30_000;
        }
        self.serial += 1;
        let packet = Packet {
            from,
            to,
            letter,
            tries,
        };
        self.packets.insert((at, self.serial), packet);
    }

    /// The time of what happens next, and the leaf whose timer it is, if it is
    /// no letter.
    fn next(&self) -> Option<(u64, Option<usize>)> {
        let timers = self.leaves.iter().filter_map(|leaf| {
            let until = leaf.keeper.as_ref()?.poll_timeout()?.since_origin();
            Some((u64::try_from(until.as_millis()).unwrap(), Some(leaf.number)))
        });
        let letters = self.packets.keys().next().map(|(at, _)| (*at, None));
        timers.chain(letters).min_by_key(|(at, _)| *at)
    }

    /// Delivers one letter, or lets time pass. False if nothing is left to do.
    fn step(&mut self) -> bool {
        let Some((at, timer)) = self.next() else {
            return false;
        };
        self.now = self.now.max(at);
        match timer {
            Some(leaf) => {
                self.leaves[leaf].now = self.now;
                let told = self.leaves[leaf].with(|keeper, lent| keeper.tick(lent));
                let out = self.leaves[leaf].act(told.unwrap());
                self.leaves[leaf].commit();
                self.send(leaf, out);
            }
            None => {
                let (_, packet) = self.packets.pop_first().unwrap();
                self.deliver(packet);
            }
        }
        true
    }

    /// Lets so many milliseconds pass.
    pub(super) fn run_for(&mut self, millis: u64) {
        let until = self.now + millis;
        while self.next().is_some_and(|(at, _)| at <= until) {
            self.step();
        }
        self.now = self.now.max(until);
    }

    fn deliver(&mut self, packet: Packet) {
        let Packet {
            from,
            to,
            letter,
            tries,
        } = packet;
        let far = |leaf| {
            self.cut_off
                .get(&leaf)
                .copied()
                .filter(|until| *until > self.now)
        };
        if let Some(until) = far(from).or(far(to)).filter(|_| from != to) {
            self.serial += 1;
            let later = Packet {
                from,
                to,
                letter,
                tries,
            };
            self.packets.insert((until, self.serial), later);
            return;
        }
        if let (Letter::Welcome(_), Some(keeper)) = (&letter, &self.leaves[from].keeper) {
            let key = keeper.signature_key();
            self.leaves[to].vouched.insert(key);
        }
        self.leaves[to].now = self.now;
        let crash = self.chance.below(100) < self.weather.crash;
        if crash && self.chance.below(2) == 0 {
            self.leaves[to].take_and_die(from, letter.clone());
        }
        let Some(out) = self.leaves[to].take(from, letter.clone()) else {
            // Not in the group yet: it comes again, for a while.
            if tries < 8 {
                self.serial += 1;
                let later = Packet {
                    from,
                    to,
                    letter,
                    tries: tries + 1,
                };
                self.packets.insert((self.now + 2_000, self.serial), later);
            }
            return;
        };
        self.leaves[to].commit();
        if crash {
            self.leaves[to].reopen();
        }
        self.send(to, out);
    }

    /// Runs until nothing is left to do.
    pub(super) fn calm(&mut self) {
        let mut steps = 0;
        while self.step() {
            steps += 1;
            assert!(steps < 200_000, "the village does not come to rest");
        }
    }

    /// Runs until nothing is left to do and everybody was heard once more: a
    /// message is what shows a fork.
    pub(super) fn settle(&mut self) {
        for _ in 0..3 {
            self.calm();
            for leaf in 0..self.leaves.len() {
                if self.leaves[leaf].member() {
                    self.say(leaf);
                }
            }
        }
        self.calm();
    }

    /// The group goes on, beyond all states that anybody keeps now: whoever was
    /// welcomed to a branch that lost learns that only when the others are ahead.
    pub(super) fn go_on(&mut self) {
        let pair = self.is_pair();
        for further in 0..HORIZON + 3 {
            if pair {
                self.renew_both();
            } else {
                self.wish(0, rename(&format!("further {further}")));
            }
            self.calm();
        }
        self.settle();
    }

    pub(super) fn followed(&self, leaf: usize) -> StateName {
        self.leaves[leaf].keeper.as_ref().unwrap().followed()
    }

    /// Everything that must hold at rest among the `honest`, and the leaves that
    /// are `out` are out.
    pub(super) fn check(&mut self, honest: &[usize], out: &[usize]) {
        let first = honest[0];
        let state = self.followed(first);
        let members = self.leaves[first]
            .with(|keeper, lent| keeper.members(lent))
            .unwrap();
        let secret = self.leaves[first].with(|keeper, lent| keeper.authenticator(lent));
        let secret = secret.unwrap().unwrap();
        assert_eq!(members.len(), honest.len() - out.len(), "members");
        for leaf in honest.iter().filter(|leaf| !out.contains(leaf)) {
            assert_eq!(
                self.followed(*leaf),
                state,
                "leaf {leaf} follows another state"
            );
            let other = self.leaves[*leaf].with(|keeper, lent| keeper.authenticator(lent));
            assert_eq!(other.unwrap().unwrap(), secret, "leaf {leaf}");
        }
        for leaf in out {
            // Who was removed where a branch of theirs lost knows no more than that the
            // others are gone.
            let keeper = self.leaves[*leaf].keeper.as_ref().unwrap();
            let knows = !keeper.is_member() || keeper.is_stranded();
            assert!(knows, "leaf {leaf} is still in");
        }
        for leaf in honest {
            let rewinds = &self.leaves[*leaf].rewinds;
            assert!(rewinds.iter().all(|far| *far <= 5), "{rewinds:?}");
            self.check_rows(*leaf);
        }
        self.check_texts(honest, out);
    }

    /// As [`Self::check`], where those are in the group whom leaf 0 sees in it. All
    /// others know that they are out.
    pub(super) fn check_all(&mut self) {
        let members = self.leaves[0].with(|keeper, lent| keeper.members(lent));
        let members = members.unwrap().into_iter();
        let members: Vec<_> = members.map(|member| member.signature_key).collect();
        let honest = self.leaves.iter().filter(|leaf| leaf.keeper.is_some());
        let honest: Vec<_> = honest.map(|leaf| leaf.number).collect();
        let is_out = |leaf: &usize| {
            let keeper = self.leaves[*leaf].keeper.as_ref().unwrap();
            !members.contains(&keeper.signature_key())
        };
        let out: Vec<_> = honest.iter().copied().filter(is_out).collect();
        self.check(&honest, &out);
    }

    /// What anybody in the group said was read by all who were in the state it
    /// settled in.
    fn check_texts(&mut self, honest: &[usize], out: &[usize]) {
        let inside = || honest.iter().filter(|leaf| !out.contains(leaf));
        let (mut checked, mut again) = (0, 0);
        for author in inside() {
            for mine in &self.leaves[*author].said {
                for reader in inside().filter(|reader| *reader != author) {
                    let reader = &self.leaves[*reader];
                    let (id, number) = (mine.id, reader.number);
                    if !reader.seen.contains(&mine.state) {
                        continue;
                    }
                    checked += 1;
                    again += u32::from(mine.times > 1);
                    assert!(
                        reader.read.contains(&id),
                        "text {id} of leaf {author} was not read by leaf {number}: {:?}",
                        reader.faults
                    );
                }
            }
        }
        self.texts_checked += checked;
        self.texts_said_again += again;
    }

    /// There is one copy of each state's rows, and none of what is forgotten.
    fn check_rows(&self, leaf: usize) {
        let leaf = &self.leaves[leaf];
        let keeper = leaf.keeper.as_ref().unwrap();
        let mine = keeper.states.iter().filter(|(_, state)| state.mine);
        let mut expected: Vec<_> = mine.map(|(name, _)| rows::state(GROUP, name)).collect();
        expected.sort();
        let (records, bulk) = (rows::records(GROUP), rows::bulk(GROUP));
        let scopes = leaf.storage.mls_scopes().into_iter();
        let scopes: Vec<_> = scopes
            .filter(|scope| !scope.is_empty() && *scope != records && *scope != bulk)
            .collect();
        assert_eq!(scopes, expected, "leaf {}", leaf.number);
    }
}

/// Whether it is an MLS PrivateMessage with a commit: after version, wire format,
/// group id and epoch comes the type of the content.
fn is_commit(letter: &Letter) -> bool {
    matches!(letter, Letter::Mls(bytes) if bytes.get(2 + 2 + 17 + 8) == Some(&3))
}

/// The commit among what is to be sent.
pub(super) fn commit_in(out: Vec<(To, Letter)>) -> Vec<u8> {
    let mut letters = out.into_iter().map(|(_, letter)| letter);
    match letters.find(is_commit) {
        Some(Letter::Mls(bytes)) => bytes,
        _ => panic!("no commit is made"),
    }
}

pub(super) fn rename(name: &str) -> Wish {
    Wish::Policy(super::PolicyChange {
        name: Some(name.to_owned()),
        ..super::PolicyChange::default()
    })
}
