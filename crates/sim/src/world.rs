//! People, a server, and time.

mod plan;
mod turn;

pub use plan::{CrashPlan, Step, WorldError};

use core::time::Duration;
use std::collections::VecDeque;

use hushwing_delivery::NetworkCommand;
use hushwing_sansio::{Context, Input, Machine, Moment, Timestamp};

use crate::host::{DriverFault, Host};
use crate::room::{Core, NetworkRoom};
use crate::streams::Streams;
use crate::{Dice, Netem};

/// 2026-01-01T00:00:00Z, when every world begins.
const BEGINNING: Timestamp = Timestamp::from_secs(1_767_225_600);

type CommandOf<C> = <<C as crate::Room>::Machine as Machine>::Command;
type EventOf<C> = <<C as crate::Room>::Machine as Machine>::Event;

struct Person<C: Core, N: NetworkRoom> {
    core: Host<C>,
    network: Host<N>,
    to_core: VecDeque<Input<CommandOf<C>>>,
    to_network: VecDeque<Input<NetworkCommand>>,
    faced: Vec<EventOf<C>>,
    /// Transactions so far, of both machines.
    steps: u64,
    lives: u64,
    down_until: Option<Moment>,
    online: bool,
}

/// Some people who share one network, a virtual clock, and chance.
pub struct World<C: Core, N: NetworkRoom> {
    now: Moment,
    dice: Dice,
    netem: Netem,
    people: Vec<Person<C, N>>,
    server: N::Server,
    server_steps: u64,
    server_down_until: Option<Moment>,
    streams: Streams,
    plans: Vec<CrashPlan>,
    fault: DriverFault,
}

impl<C: Core, N: NetworkRoom> World<C, N> {
    /// A world of `people` with nothing in their stores.
    ///
    /// # Errors
    ///
    /// When a machine cannot be opened on an empty store.
    pub fn new(seed: u64, netem: Netem, people: usize) -> Result<Self, WorldError> {
        let mut dice = Dice::new(seed);
        let server = N::server(dice.split(), &netem);
        let people = (0..people)
            .map(|_| {
                Ok(Person {
                    core: Host::new(C::store())?,
                    network: Host::new(N::store(&server))?,
                    to_core: VecDeque::new(),
                    to_network: VecDeque::new(),
                    faced: Vec::new(),
                    steps: 0,
                    lives: 1,
                    down_until: None,
                    online: true,
                })
            })
            .collect::<Result<_, WorldError>>()?;
        Ok(Self {
            now: Moment::from_origin(Duration::from_secs(1)),
            dice,
            netem,
            people,
            server,
            server_steps: 0,
            server_down_until: None,
            streams: Streams::default(),
            plans: Vec::new(),
            fault: DriverFault::None,
        })
    }

    /// Lets the driver break its law.
    pub fn set_driver_fault(&mut self, fault: DriverFault) {
        self.fault = fault;
    }

    /// Plans a crash; each plan is carried out once.
    pub fn plan(&mut self, plan: CrashPlan) {
        self.plans.push(plan);
    }

    /// Gives a person's core a command, as a face would. It is lost if the
    /// person is down or crashes before it is committed.
    pub fn command(&mut self, person: usize, command: CommandOf<C>) {
        if let Some(person) = self.people.get_mut(person)
            && person.down_until.is_none()
        {
            person.to_core.push_back(Input::Command(command));
        }
    }

    /// What a person's core has committed.
    #[must_use]
    pub fn store(&self, person: usize) -> Option<&C::Store> {
        self.people.get(person).map(|person| &person.core.store)
    }

    /// A person's core, unless the person is down.
    #[must_use]
    pub fn core(&self, person: usize) -> Option<&C::Machine> {
        self.people
            .get(person)
            .and_then(|person| person.core.machine())
    }

    /// The events told to a person's face since they were taken last.
    #[must_use]
    pub fn faced(&self, person: usize) -> &[EventOf<C>] {
        self.people
            .get(person)
            .map_or(&[], |person| person.faced.as_slice())
    }

    /// Takes the events told to a person's face since the last call.
    pub fn take_faced(&mut self, person: usize) -> Vec<EventOf<C>> {
        self.people
            .get_mut(person)
            .map(|person| core::mem::take(&mut person.faced))
            .unwrap_or_default()
    }

    /// The server.
    pub fn server(&mut self) -> &mut N::Server {
        &mut self.server
    }

    /// Steps taken so far, to be used in plans.
    #[must_use]
    pub fn steps(&self, of: Step) -> u64 {
        match of {
            Step::Person(person) => self.people.get(person).map_or(0, |person| person.steps),
            Step::Server => self.server_steps,
        }
    }

    /// How often a person's process has started; grows with each crash.
    #[must_use]
    pub fn lives(&self, person: usize) -> u64 {
        self.people.get(person).map_or(0, |person| person.lives)
    }

    /// kill -9 now; the process starts again within seconds.
    pub fn kill(&mut self, person: usize) {
        self.die(person);
    }

    /// kill -9 of the server now; it starts again within seconds.
    pub fn kill_server(&mut self) {
        self.server_dies();
    }

    /// Connects a person to the network or cuts them off.
    pub fn set_online(&mut self, person: usize, online: bool) {
        if let Some(state) = self.people.get_mut(person) {
            state.online = online;
        }
        if !online {
            self.streams.cut(self.now, |conn| conn.person == person);
        }
    }

    /// Changes the weather for streams from now on; how a server loses,
    /// repeats and reorders is fixed at its making.
    pub fn set_netem(&mut self, netem: Netem) {
        self.netem = netem;
    }

    /// Virtual time since the world began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now.since_origin()
    }

    /// Runs for a length of virtual time.
    ///
    /// # Errors
    ///
    /// When storage fails or the world does not come to rest.
    pub fn run_for(&mut self, length: Duration) -> Result<(), WorldError> {
        self.run_until(length, |_| false).map(|_| ())
    }

    /// Runs until `done`, but no longer than `within` of virtual time; tells
    /// whether it was done.
    ///
    /// # Errors
    ///
    /// When storage fails or the world does not come to rest.
    pub fn run_until(
        &mut self,
        within: Duration,
        mut done: impl FnMut(&Self) -> bool,
    ) -> Result<bool, WorldError> {
        /// More turns than this without time passing mean a loop.
        const RESTLESS: u32 = 100_000;
        let end = self.now + within;
        let mut turns = 0_u32;
        loop {
            if done(self) {
                return Ok(true);
            }
            let before = self.now;
            if !self.turn(end)? {
                return Ok(false);
            }
            turns = if self.now == before {
                turns.saturating_add(1)
            } else {
                0
            };
            if turns > RESTLESS {
                return Err(WorldError::Restless);
            }
        }
    }
}

fn wall(now: Moment) -> Timestamp {
    BEGINNING + now.since_origin()
}

/// A context at `now`; a function of fields so that the rest of the world can
/// be borrowed beside it.
fn context(now: Moment, dice: &mut Dice) -> Context<'_> {
    Context::new(now, wall(now), dice)
}
