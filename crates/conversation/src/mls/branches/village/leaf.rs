//! One leaf of the village: a keeper with its storage, its crypto, its chance.

use std::collections::BTreeSet;

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

use crate::MemoryStorage;
use crate::mls::LeafKey;
use crate::mls::branches::{
    AccountId, ChainFault, CommitHash, Crypto, GroupPolicy, HearFault, Heard, Keeper, Lent,
    OwnPackage, Shape, StateName, StatePrefix, Told, Wish,
};

use core::time::Duration;

use super::{GROUP, REST};

/// Repeatable chance.
#[derive(Clone)]
pub(in super::super) struct Chance(pub(in super::super) u64);

impl Chance {
    pub(in super::super) fn below(&mut self, bound: u64) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes) % bound.max(1)
    }
}

impl Entropy for Chance {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// What goes from leaf to leaf, or from a leaf to itself.
#[derive(Clone)]
pub(in super::super) enum Letter {
    Mls(Vec<u8>),
    Welcome(Vec<u8>),
    /// The leaf with this key has read this text.
    Read(u64, Vec<u8>),
    /// Which commits lead to this state?
    Ask(StatePrefix),
    Chain(Vec<Vec<u8>>),
    /// No state is left in common: add me anew, in place of the leaf with this key.
    AskAnew(Vec<u8>, Vec<u8>),
    /// Is what is missing still missing?
    Patience,
    /// A network took this commit.
    Taken(CommitHash),
}

/// Whom a letter is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum To {
    All,
    One(usize),
}

/// Something I said.
#[derive(Clone)]
pub(in super::super) struct Mine {
    pub(in super::super) id: u64,
    pub(in super::super) state: StateName,
    epoch: u64,
    /// The accounts and leaves that were in that state.
    accounts: BTreeSet<AccountId>,
    leaves: BTreeSet<Vec<u8>>,
    /// The leaves that have read it, by key.
    read_by: BTreeSet<Vec<u8>>,
    /// How often it was said.
    pub(in super::super) times: u32,
}

pub(in super::super) struct Leaf {
    pub(in super::super) number: usize,
    pub(in super::super) account: AccountId,
    pub(in super::super) crypto: Crypto,
    pub(in super::super) storage: MemoryStorage,
    pub(in super::super) chance: Chance,
    pub(in super::super) now: u64,
    pub(in super::super) keeper: Option<Keeper>,
    pub(in super::super) packages: Vec<OwnPackage>,
    pub(in super::super) said: Vec<Mine>,
    pub(in super::super) read: BTreeSet<u64>,
    /// States it was ever in.
    pub(in super::super) seen: BTreeSet<StateName>,
    pub(in super::super) rewinds: Vec<usize>,
    pub(in super::super) faults: Vec<HearFault>,
    held: Vec<(usize, Vec<u8>)>,
    welcomes: Vec<Vec<u8>>,
    keys: BTreeSet<Vec<u8>>,
    /// The keys of leaves that somebody vouched for who welcomes me.
    pub(super) vouched: BTreeSet<Vec<u8>>,
}

impl Leaf {
    pub(in super::super) fn new(number: usize, account: AccountId) -> Self {
        Self {
            number,
            account,
            crypto: Crypto::default(),
            storage: MemoryStorage::new(),
            chance: Chance(number as u64 + 1),
            now: 0,
            keeper: None,
            packages: Vec::new(),
            said: Vec::new(),
            read: BTreeSet::new(),
            seen: BTreeSet::new(),
            rewinds: Vec::new(),
            faults: Vec::new(),
            held: Vec::new(),
            welcomes: Vec::new(),
            keys: BTreeSet::new(),
            vouched: BTreeSet::new(),
        }
    }

    /// Does something with what a call is lent.
    pub(in super::super) fn lend<T>(
        &mut self,
        act: impl FnOnce(&mut Lent<'_, '_>, &mut Option<Keeper>) -> T,
    ) -> T {
        let now = Moment::from_origin(Duration::from_millis(self.now));
        let mut cx = Context::new(now, Timestamp::from_millis(self.now), &mut self.chance);
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut cx,
            rows: &mut self.storage,
        };
        act(&mut lent, &mut self.keeper)
    }

    pub(in super::super) fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Keeper, &mut Lent<'_, '_>) -> T,
    ) -> T {
        self.lend(|lent, keeper| act(keeper.as_mut().unwrap(), lent))
    }

    pub(in super::super) fn found(&mut self, policy: &GroupPolicy) {
        let account = self.account.clone();
        self.lend(|lent, keeper| {
            let founded = Keeper::found(lent, GROUP, &account, policy);
            *keeper = Some(founded.unwrap().unwrap());
        });
    }

    pub(super) fn found_pair(&mut self, packages: &[Vec<u8>]) -> Vec<(To, Letter)> {
        let account = self.account.clone();
        let policy = GroupPolicy::of_pair();
        let told = self.lend(|lent, keeper| {
            let founded = Keeper::found_pair(lent, GROUP, &account, &policy, packages);
            let (pair, told) = founded.unwrap().unwrap();
            *keeper = Some(pair);
            told
        });
        self.act(told)
    }

    /// A key package to be added with: the last one made.
    pub(in super::super) fn package(&mut self) -> Vec<u8> {
        if self.packages.is_empty() {
            self.make_package();
        }
        self.packages.last().unwrap().message.clone()
    }

    /// Makes a fresh key package.
    pub(in super::super) fn make_package(&mut self) {
        let account = self.account.clone();
        let made = self.lend(|lent, _| OwnPackage::make(lent, &account));
        self.packages.push(made.unwrap());
    }

    /// Takes a letter in and dies before that is durable: what was told is lost,
    /// and what the keeper's caller noted in the same transaction.
    pub(super) fn take_and_die(&mut self, from: usize, letter: Letter) {
        let storage = self.storage.clone();
        let (said, read) = (self.said.clone(), self.read.clone());
        let (held, welcomes) = (self.held.clone(), self.welcomes.clone());
        let packages = self.packages.len();
        if self.take(from, letter).is_none() {
            return;
        }
        self.crypto.sealed.lock().unwrap().clear();
        self.storage = storage;
        (self.said, self.read, self.held, self.welcomes) = (said, read, held, welcomes);
        self.packages.truncate(packages);
        self.keeper = self.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
    }

    /// The keeper dies and is read from its rows.
    pub(super) fn reopen(&mut self) {
        if self.keeper.take().is_some() {
            let opened = self.lend(|lent, _| Keeper::open(lent, GROUP)).unwrap();
            self.keeper = opened;
        }
    }

    /// What was done is durable: no key was ever used before.
    pub(in super::super) fn commit(&mut self) {
        let sealed = core::mem::take(&mut *self.crypto.sealed.lock().unwrap());
        for key in sealed {
            assert!(
                self.keys.insert(key),
                "leaf {} uses a key twice",
                self.number
            );
        }
        if let Some(keeper) = &self.keeper {
            self.seen.extend(keeper.states());
        }
    }

    pub(in super::super) fn member(&self) -> bool {
        self.keeper.as_ref().is_some_and(Keeper::is_member)
    }

    pub(in super::super) fn wish(&mut self, wish: Wish) -> Vec<(To, Letter)> {
        let told = self.with(|keeper, lent| keeper.wish(lent, wish));
        let (_, told) = told.unwrap().unwrap();
        self.act(told)
    }

    pub(in super::super) fn wish_all(&mut self, wishes: Vec<Wish>) -> Vec<(To, Letter)> {
        let told = self.with(|keeper, lent| keeper.wish_all(lent, wishes));
        self.act(told.unwrap().unwrap())
    }

    pub(in super::super) fn say(&mut self, id: u64) -> Vec<(To, Letter)> {
        self.say_in(id, None)
    }

    fn say_in(&mut self, id: u64, first: Option<u64>) -> Vec<(To, Letter)> {
        let text = id.to_be_bytes();
        let said = self
            .with(|keeper, lent| keeper.say(lent, &text, first))
            .unwrap();
        let Ok((bytes, state)) = said else {
            return Vec::new();
        };
        let epoch = first.unwrap_or(self.keeper.as_ref().unwrap().epoch());
        let members = self.with(|keeper, lent| keeper.members(lent)).unwrap();
        let accounts = members
            .iter()
            .map(|member| member.account.clone())
            .collect();
        let leaves = members
            .into_iter()
            .map(|member| member.signature_key)
            .collect();
        match self.said.iter_mut().find(|mine| mine.id == id) {
            Some(mine) => {
                (mine.state, mine.times) = (state, mine.times + 1);
                (mine.accounts, mine.leaves) = (accounts, leaves);
            }
            None => self.said.push(Mine {
                id,
                state,
                epoch,
                accounts,
                leaves,
                read_by: BTreeSet::new(),
                times: 1,
            }),
        }
        vec![(To::All, Letter::Mls(bytes))]
    }

    /// Says again what was said in states that were left or forgotten and that a
    /// member has not confirmed.
    fn say_again(&mut self, gone: &[StateName]) -> Vec<(To, Letter)> {
        let members = self.with(|keeper, lent| keeper.members(lent)).unwrap();
        let me = self.keeper.as_ref().unwrap().signature_key();
        let members: BTreeSet<_> = members.into_iter().map(|m| m.signature_key).collect();
        let again = self.said.iter().filter(|mine| {
            let mut lack = members.difference(&mine.read_by);
            gone.contains(&mine.state) && lack.any(|key| *key != me)
        });
        let again: Vec<_> = again.map(|mine| (mine.id, mine.epoch)).collect();
        let out = again.into_iter();
        out.flat_map(|(id, epoch)| self.say_in(id, Some(epoch)))
            .collect()
    }

    /// Says again what somebody was meant to read who has lost all states since and
    /// was added anew: they have another leaf now, and what was sealed for the one
    /// before may have come too late.
    fn say_to_new_leaves(&mut self) -> Vec<(To, Letter)> {
        if self.said.is_empty() || !self.member() {
            return Vec::new();
        }
        let members = self.with(|keeper, lent| keeper.members(lent)).unwrap();
        let lacks = |mine: &&Mine| {
            members.iter().any(|member| {
                let key = &member.signature_key;
                mine.accounts.contains(&member.account)
                    && !mine.leaves.contains(key)
                    && !mine.read_by.contains(key)
            })
        };
        let again = self.said.iter().filter(lacks);
        let again: Vec<_> = again.map(|mine| (mine.id, mine.epoch)).collect();
        let out = again.into_iter();
        out.flat_map(|(id, epoch)| self.say_in(id, Some(epoch)))
            .collect()
    }

    /// Acts on what the keeper says.
    pub(in super::super) fn act(&mut self, told: Vec<Told>) -> Vec<(To, Letter)> {
        let mut out = Vec::new();
        for told in told {
            match told {
                Told::Publish { commit, bytes } => {
                    out.push((To::All, Letter::Mls(bytes)));
                    out.push((To::One(self.number), Letter::Taken(commit)));
                }
                Told::Welcome { bytes, .. } => out.push((To::All, Letter::Welcome(bytes))),
                Told::Followed { left, .. } => {
                    self.rewinds.push(left.len());
                    out.extend(self.say_again(&left));
                    out.extend(self.say_to_new_leaves());
                }
                Told::Removed => out.extend(self.try_welcomes()),
                Told::Forgotten(gone) => out.extend(self.say_again(&gone)),
                _ => {}
            }
        }
        out
    }

    /// Takes in a letter; gives what to send. `None` if it is too early for it.
    pub(in super::super) fn take(
        &mut self,
        from: usize,
        letter: Letter,
    ) -> Option<Vec<(To, Letter)>> {
        if self.keeper.is_none() && !matches!(letter, Letter::Welcome(_)) {
            return None;
        }
        let out = match letter {
            Letter::Mls(bytes) => self.hear(from, bytes),
            Letter::Welcome(bytes) => self.welcome(bytes),
            Letter::Read(id, key) => {
                let mut said = self.said.iter_mut();
                if let Some(mine) = said.find(|mine| mine.id == id) {
                    mine.read_by.insert(key);
                }
                Vec::new()
            }
            Letter::Ask(state) => {
                let chain = self.with(|keeper, lent| keeper.chain_to(lent.rows, state));
                let chain = chain
                    .unwrap()
                    .map(|chain| (To::One(from), Letter::Chain(chain)));
                chain.into_iter().collect()
            }
            Letter::Chain(chain) => self.chain(&chain),
            Letter::AskAnew(package, lost) if self.member() => {
                self.wish(Wish::AddLeafAnew { package, lost })
            }
            Letter::AskAnew(..) => Vec::new(),
            Letter::Patience => self.ask_anew(),
            Letter::Taken(commit) => {
                let told = self.with(|keeper, lent| keeper.published(lent, commit, REST));
                self.act(told.unwrap())
            }
        };
        Some(out)
    }

    fn hear(&mut self, from: usize, bytes: Vec<u8>) -> Vec<(To, Letter)> {
        let (told, heard) = self.with(|keeper, lent| keeper.hear(lent, &bytes)).unwrap();
        let mut out = self.act(told);
        match heard {
            Ok(Heard::Said(said)) => {
                let id = u64::from_be_bytes(said.plaintext.try_into().unwrap());
                self.read.insert(id);
                let key = self.keeper.as_ref().unwrap().signature_key();
                out.push((To::One(from), Letter::Read(id, key)));
            }
            Ok(Heard::Commit(_)) => out.extend(self.hear_held()),
            Ok(Heard::Known) => {}
            Err(HearFault::UnknownState { state, .. }) => {
                self.held.push((from, bytes));
                out.push((To::One(from), Letter::Ask(state)));
            }
            Err(fault) => self.faults.push(fault),
        }
        out
    }

    fn hear_held(&mut self) -> Vec<(To, Letter)> {
        let held = core::mem::take(&mut self.held);
        let again = held
            .into_iter()
            .flat_map(|(from, bytes)| self.hear(from, bytes));
        // What is asked for a second time is on its way.
        again
            .filter(|(_, letter)| !matches!(letter, Letter::Ask(_)))
            .collect()
    }

    fn chain(&mut self, chain: &[Vec<u8>]) -> Vec<(To, Letter)> {
        let (told, fault) = self
            .with(|keeper, lent| keeper.hear_chain(lent, chain))
            .unwrap();
        let mut out = self.act(told);
        match fault {
            None => out.extend(self.hear_held()),
            Some(ChainFault::Beyond) => out.push((To::One(self.number), Letter::Patience)),
            // Somebody I know says so as well, when they are heard.
            Some(ChainFault::Unproven) => {}
            Some(ChainFault::Broken(fault)) => self.faults.push(fault),
        }
        out
    }

    fn ask_anew(&mut self) -> Vec<(To, Letter)> {
        let mut out = self.try_welcomes();
        if self.keeper.as_ref().is_some_and(Keeper::is_stranded) {
            self.make_package();
            let lost = self.keeper.as_ref().unwrap().signature_key();
            // In a pair only a device of one's own can do it.
            let whom = match self.with(|keeper, _| keeper.shape) {
                Shape::Pair => To::All,
                Shape::Group => To::One(0),
            };
            out.push((whom, Letter::AskAnew(self.package(), lost)));
        }
        out
    }

    fn try_welcomes(&mut self) -> Vec<(To, Letter)> {
        let welcomes = core::mem::take(&mut self.welcomes);
        let again = welcomes.into_iter().flat_map(|bytes| self.welcome(bytes));
        again.collect()
    }

    fn welcome(&mut self, bytes: Vec<u8>) -> Vec<(To, Letter)> {
        let keys: Vec<_> = self
            .packages
            .iter()
            .map(|package| package.key.clone())
            .collect();
        let key_of = |public: &[u8]| {
            let mut keys = keys.into_iter();
            keys.find(|key| LeafKey::from_secret(key).unwrap().public() == public)
        };
        let vouched = self.vouched.clone();
        let told = self.lend(|lent, keeper| match keeper {
            Some(keeper) => {
                let invited = Keeper::invited(lent, &bytes, key_of.clone())
                    .unwrap()
                    .ok()?;
                let by = invited.by.signature_key;
                let told = if vouched.contains(&by) {
                    keeper.join_again_vouched(lent, &bytes, key_of, &by)
                } else {
                    keeper.join_again(lent, &bytes, key_of)
                };
                told.unwrap().ok()
            }
            None => {
                let joined = Keeper::join(lent, &bytes, key_of).unwrap().ok()?;
                *keeper = Some(joined);
                Some(Vec::new())
            }
        });
        match told {
            Some(told) => {
                let rewinds = self.rewinds.len();
                let mut out = self.act(told);
                // To begin anew is no rewind, though all that was kept is left.
                self.rewinds.truncate(rewinds);
                out.extend(self.hear_held());
                out
            }
            None => {
                self.welcomes.push(bytes);
                Vec::new()
            }
        }
    }
}
