//! Two or more correspondents, and what a behaviour asks of them.

use core::time::Duration;
use std::collections::BTreeMap;

use hushwing_delivery::{Address, MailboxId, MailboxKeys, Place, Purpose, SealKey};

use crate::correspondent::{Errand, Journal, Writer, trusting};
use crate::room::{Core, NetworkRoom};
use crate::world::{World, WorldError};
use crate::{Dice, Netem};

/// A promise that was not kept.
#[derive(Debug, thiserror::Error)]
#[error("{behaviour}, seed {seed}: {what}")]
pub struct Violation {
    behaviour: &'static str,
    seed: u64,
    what: String,
}

impl Violation {
    /// A violation found with `seed`.
    #[must_use]
    pub fn new(seed: u64, what: impl Into<String>) -> Self {
        Self {
            behaviour: "a behaviour",
            seed,
            what: what.into(),
        }
    }

    pub(super) fn of(mut self, behaviour: &'static str) -> Self {
        self.behaviour = behaviour;
        self
    }
}

/// Virtual time a behaviour may take for one thing.
const PATIENCE: Duration = Duration::from_secs(2 * 60 * 60);
/// Time in which what is told twice would be told again.
const AFTERMATH: Duration = Duration::from_secs(10 * 60);

/// A world of correspondents with the helpers behaviours are written in.
pub struct Scene<C, N>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    /// The world.
    pub world: World<C, N>,
    pub(super) seed: u64,
    dice: Dice,
}

impl<C, N> Scene<C, N>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    /// A scene with `people` in it.
    ///
    /// # Errors
    ///
    /// When the network cannot be opened.
    pub fn new(seed: u64, netem: Netem, people: usize) -> Result<Self, Violation> {
        let world = World::new(seed, netem, people)
            .map_err(|error| Violation::new(seed, error.to_string()))?;
        Ok(Self {
            world,
            seed,
            dice: Dice::new(seed ^ 0x5CE1E),
        })
    }

    pub(super) fn violation(&self, what: impl Into<String>) -> Violation {
        Violation::new(self.seed, what)
    }

    fn failed(&self, error: &WorldError) -> Violation {
        self.violation(error.to_string())
    }

    /// What a person has committed.
    ///
    /// # Errors
    ///
    /// When there is no such person.
    pub fn journal(&self, person: usize) -> Result<&Journal, Violation> {
        self.world
            .store(person)
            .ok_or_else(|| self.violation("nobody of that number"))
    }

    /// Gives an errand, again after each crash, until the journal shows it.
    ///
    /// # Errors
    ///
    /// When it is not done within two hours of virtual time.
    pub fn insist(
        &mut self,
        person: usize,
        what: &str,
        errand: impl Fn() -> Errand,
        done: impl Fn(&Journal) -> bool,
    ) -> Result<(), Violation> {
        let deadline = self.world.elapsed().saturating_add(PATIENCE);
        while !done(self.journal(person)?) {
            if self.world.elapsed() > deadline {
                return Err(self.violation(format!("person {person} never got to: {what}")));
            }
            let lives = self.world.lives(person);
            self.world.command(person, errand());
            self.world
                .run_until(Duration::from_secs(20 * 60), |world| {
                    world.lives(person) != lives || world.store(person).is_some_and(&done)
                })
                .map_err(|error| self.failed(&error))?;
        }
        Ok(())
    }

    /// Runs until the journal shows something, without an errand.
    ///
    /// # Errors
    ///
    /// When it does not within two hours of virtual time.
    pub fn wait(
        &mut self,
        person: usize,
        what: &str,
        done: impl Fn(&Journal) -> bool,
    ) -> Result<(), Violation> {
        let came = self
            .world
            .run_until(PATIENCE, |world| world.store(person).is_some_and(&done))
            .map_err(|error| self.failed(&error))?;
        if came {
            Ok(())
        } else {
            Err(self.violation(format!("person {person} waits: {what}")))
        }
    }

    /// Lets virtual time pass.
    ///
    /// # Errors
    ///
    /// When the world cannot go on.
    pub fn pass(&mut self, time: Duration) -> Result<(), Violation> {
        self.world
            .run_for(time)
            .map_err(|error| self.failed(&error))
    }

    /// Opens a mailbox for a conversation; its address.
    ///
    /// # Errors
    ///
    /// When it does not open.
    pub fn mailbox(&mut self, person: usize, mailbox: MailboxId) -> Result<Address, Violation> {
        self.mailbox_for(person, mailbox, Purpose::Conversation)
    }

    /// Opens a mailbox for those who know its secret; its address.
    ///
    /// # Errors
    ///
    /// When it does not open.
    pub fn mailbox_for(
        &mut self,
        person: usize,
        mailbox: MailboxId,
        purpose: Purpose,
    ) -> Result<Address, Violation> {
        let secret: [u8; 32] = self.dice.bytes();
        let keys = MailboxKeys::shared(secret);
        self.listen(person, mailbox, purpose, &keys)?;
        self.address(person, mailbox, SealKey::Shared(secret))
    }

    /// Opens a mailbox and waits until it is open.
    ///
    /// # Errors
    ///
    /// When it does not open.
    pub fn listen(
        &mut self,
        person: usize,
        mailbox: MailboxId,
        purpose: Purpose,
        keys: &MailboxKeys,
    ) -> Result<(), Violation> {
        let errand = || Errand::Listen {
            mailbox,
            network: N::TAG,
            purpose: purpose.clone(),
            keys: keys.clone(),
        };
        self.insist(person, "an open mailbox", errand, |journal| {
            journal.opened.contains_key(&mailbox)
        })
    }

    /// The address of an open mailbox.
    ///
    /// # Errors
    ///
    /// When it is not open.
    pub fn address(
        &self,
        person: usize,
        mailbox: MailboxId,
        seal: SealKey,
    ) -> Result<Address, Violation> {
        let opened = self.journal(person)?.opened.get(&mailbox);
        let (locator, _) = opened.ok_or_else(|| self.violation("no such mailbox"))?;
        Ok(Address {
            network: N::TAG,
            locator: locator.clone(),
            seal,
        })
    }

    /// The place of an open invitation's card.
    ///
    /// # Errors
    ///
    /// When it has none.
    pub fn place(&self, person: usize, mailbox: MailboxId) -> Result<Place, Violation> {
        let opened = self.journal(person)?.opened.get(&mailbox);
        opened
            .and_then(|(_, place)| place.clone())
            .ok_or_else(|| self.violation("an invitation without a place"))
    }

    /// Posts letter `number` and waits until that is committed.
    ///
    /// # Errors
    ///
    /// When it is not.
    pub fn post(&mut self, person: usize, number: u64, to: &Address) -> Result<(), Violation> {
        self.post_bytes(person, number, to, text(number))
    }

    pub(super) fn post_bytes(
        &mut self,
        person: usize,
        number: u64,
        to: &Address,
        bytes: Vec<u8>,
    ) -> Result<(), Violation> {
        let errand = || Errand::Post {
            number,
            letter: trusting(vec![to.clone()], bytes.clone()),
        };
        self.insist(person, "a posted letter", errand, |journal| {
            journal.posted.contains_key(&number)
        })
    }

    /// Waits for letters and checks that each came once, and nothing else.
    ///
    /// # Errors
    ///
    /// When one is missing, doubled or unknown.
    pub fn expect(&mut self, person: usize, numbers: &[u64]) -> Result<(), Violation> {
        let wanted: Vec<Vec<u8>> = numbers.iter().map(|number| text(*number)).collect();
        self.expect_bytes(person, &wanted)
    }

    pub(super) fn expect_bytes(
        &mut self,
        person: usize,
        wanted: &[Vec<u8>],
    ) -> Result<(), Violation> {
        let count = |journal: &Journal| -> BTreeMap<Vec<u8>, usize> {
            let mut seen = BTreeMap::new();
            for letter in &journal.received {
                let times: &mut usize = seen.entry(letter.bytes.clone()).or_default();
                *times = times.saturating_add(1);
            }
            seen
        };
        // That letters are missing is judged below, with their number.
        let _ = self.wait(person, "letters", |journal| {
            let seen = count(journal);
            wanted.iter().all(|bytes| seen.contains_key(bytes))
        });
        self.pass(AFTERMATH)?;
        let seen = count(self.journal(person)?);
        let missing = wanted
            .iter()
            .filter(|bytes| !seen.contains_key(*bytes))
            .count();
        let doubled = seen.values().filter(|times| **times > 1).count();
        let unknown = seen.keys().filter(|bytes| !wanted.contains(bytes)).count();
        if missing + doubled + unknown == 0 {
            return Ok(());
        }
        Err(self.violation(format!(
            "person {person}: {missing} of {} letters lost, {doubled} shown twice, {unknown} unknown",
            wanted.len()
        )))
    }
}

pub(super) fn text(number: u64) -> Vec<u8> {
    format!("letter {number}").into_bytes()
}
