//! One turn: something that is ready happens, or time passes.

use core::time::Duration;

use hushwing_delivery::NetworkCommand;
use hushwing_sansio::{Channel, CloseReason, Endpoint, Input, Machine, Moment, Output, StreamId};

use super::{CrashPlan, Step, World, WorldError, context};
use crate::host::{Turn, When};
use crate::room::{ConnId, Core, NetworkRoom, Routed, Server, ServerOutput};
use crate::streams::Arrival;

/// Inputs a driver may put into one transaction here; few, so that crashes
/// fall between most of them.
const BATCH: u64 = 3;
const LONGEST_DOWN: Duration = Duration::from_secs(3);

#[derive(Clone, Copy)]
enum Ready {
    Stream,
    Start(usize),
    Core(usize),
    Network(usize),
    ServerStart,
    ServerTimeout,
}

impl<C: Core, N: NetworkRoom> World<C, N> {
    /// `false` if nothing happens before `end`.
    pub(super) fn turn(&mut self, end: Moment) -> Result<bool, WorldError> {
        let ready = self.ready();
        let pick = usize::try_from(self.dice.below(ready.len() as u64)).unwrap_or(0);
        let Some(ready) = ready.get(pick).copied() else {
            let next = self.next_time().filter(|next| *next <= end);
            self.now = next.unwrap_or(end);
            return Ok(next.is_some());
        };
        match ready {
            Ready::Stream => self.deliver(),
            Ready::Start(person) => return self.start(person).map(|()| true),
            Ready::Core(person) => return self.core_turn(person).map(|()| true),
            Ready::Network(person) => return self.network_turn(person).map(|()| true),
            Ready::ServerStart => self.server_down_until = None,
            Ready::ServerTimeout => self.serve(|server, cx| server.timeout(cx)),
        }
        Ok(true)
    }

    fn ready(&self) -> Vec<Ready> {
        let due = |at: Option<Moment>| at.is_some_and(|at| at <= self.now);
        let mut ready = Vec::new();
        if due(self.streams.next_arrival()) {
            ready.push(Ready::Stream);
        }
        for (index, person) in self.people.iter().enumerate() {
            if person.down_until.is_some() {
                if due(person.down_until) {
                    ready.push(Ready::Start(index));
                }
                continue;
            }
            let core = person.core.machine().and_then(Machine::poll_timeout);
            if !person.to_core.is_empty() || due(core) {
                ready.push(Ready::Core(index));
            }
            let network = person.network.machine().and_then(Machine::poll_timeout);
            if !person.to_network.is_empty() || due(network) {
                ready.push(Ready::Network(index));
            }
        }
        if self.server_down_until.is_some() {
            if due(self.server_down_until) {
                ready.push(Ready::ServerStart);
            }
        } else if due(self.server.poll_timeout()) {
            ready.push(Ready::ServerTimeout);
        }
        ready
    }

    fn next_time(&self) -> Option<Moment> {
        let people = self.people.iter().flat_map(|person| {
            if person.down_until.is_some() {
                [person.down_until, None]
            } else {
                [
                    person.core.machine().and_then(Machine::poll_timeout),
                    person.network.machine().and_then(Machine::poll_timeout),
                ]
            }
        });
        let server = self
            .server_down_until
            .or_else(|| self.server.poll_timeout());
        people
            .chain([server, self.streams.next_arrival()])
            .flatten()
            .min()
    }

    fn core_turn(&mut self, index: usize) -> Result<(), WorldError> {
        let batch = self.dice.below(BATCH).saturating_add(1);
        let dies = self.next_death(Step::Person(index));
        let (now, fault) = (self.now, self.fault);
        let Some(person) = self.people.get_mut(index) else {
            return Ok(());
        };
        let mut inputs = Vec::new();
        for _ in 0..batch {
            inputs.extend(person.to_core.pop_front());
        }
        if inputs.is_empty() {
            inputs.push(Input::Timeout);
        }
        let mut cx = context(now, &mut self.dice);
        let turn = person.core.transact(&mut cx, inputs, dies, fault)?;
        if let Turn::Done(outputs) = turn {
            for output in outputs {
                // The core opens no streams: it knows networks only.
                if let Output::Event(event) = output {
                    match C::routed(event) {
                        Routed::Network(_, command) => {
                            person.to_network.push_back(Input::Command(command));
                        }
                        Routed::Face(event) => person.faced.push(event),
                    }
                }
            }
        }
        if dies.is_some() {
            self.flush_then_die(index)?;
        }
        Ok(())
    }

    /// With a driver that sends before it stores, what it sent reaches the
    /// network machine before the process dies.
    fn flush_then_die(&mut self, index: usize) -> Result<(), WorldError> {
        while self
            .people
            .get(index)
            .is_some_and(|person| !person.to_network.is_empty())
            && self.fault != crate::DriverFault::None
        {
            self.network_turn(index)?;
        }
        self.die(index);
        Ok(())
    }

    fn network_turn(&mut self, index: usize) -> Result<(), WorldError> {
        let batch = self.dice.below(BATCH).saturating_add(1);
        let dies = self.next_death(Step::Person(index));
        let (now, fault) = (self.now, self.fault);
        let Some(person) = self.people.get_mut(index) else {
            return Ok(());
        };
        let mut inputs: Vec<Input<NetworkCommand>> = Vec::new();
        for _ in 0..batch {
            inputs.extend(person.to_network.pop_front());
        }
        if inputs.is_empty() {
            inputs.push(Input::Timeout);
        }
        let mut cx = context(now, &mut self.dice);
        let outputs = match person.network.transact(&mut cx, inputs, dies, fault)? {
            Turn::Done(outputs) => outputs,
            Turn::Died => Vec::new(),
        };
        for output in outputs {
            match output {
                Output::Event(event) => {
                    let command = C::network_event(N::TAG, event);
                    person.to_core.push_back(Input::Command(command));
                }
                Output::OpenStream { stream, endpoint } => {
                    let at = now
                        + self
                            .dice
                            .between(self.netem.latency.0, self.netem.latency.1);
                    self.streams.open(index, stream, endpoint, at);
                }
                Output::SendStream { stream, bytes } => {
                    if let Some(conn) = self.streams.of(index, stream) {
                        self.streams
                            .send(&mut self.dice, &self.netem, now, conn, bytes, true);
                    }
                }
                Output::CloseStream { stream } => {
                    if let Some(conn) = self.streams.of(index, stream) {
                        self.streams.hang_up(now, conn, true);
                    }
                }
            }
        }
        if dies.is_some() {
            self.die(index);
        }
        Ok(())
    }

    /// Counts a step and tells whether it is the last of this life.
    fn next_death(&mut self, of: Step) -> Option<When> {
        let steps = match of {
            Step::Server => &mut self.server_steps,
            Step::Person(person) => &mut self.people.get_mut(person)?.steps,
        };
        let step = *steps;
        *steps = step.saturating_add(1);
        let at = self
            .plans
            .iter()
            .position(|plan| plan.of == of && plan.step == step)?;
        let CrashPlan { when, .. } = self.plans.swap_remove(at);
        Some(when)
    }

    pub(super) fn die(&mut self, index: usize) {
        let down = self.dice.between(Duration::ZERO, LONGEST_DOWN);
        let Some(person) = self.people.get_mut(index) else {
            return;
        };
        person.core.stop();
        person.network.stop();
        person.to_core.clear();
        person.to_network.clear();
        person.down_until = Some(self.now + down);
        // What the dead process wrote is with its kernel and still arrives.
        self.streams.hang_up_all(self.now, index);
    }

    fn start(&mut self, index: usize) -> Result<(), WorldError> {
        if let Some(person) = self.people.get_mut(index) {
            person.down_until = None;
            person.lives = person.lives.saturating_add(1);
            person.core.open()?;
            person.network.open()?;
        }
        Ok(())
    }

    /// Runs one input of the server and carries out what it wants.
    fn serve(&mut self, input: impl FnOnce(&mut N::Server, &mut hushwing_sansio::Context<'_>)) {
        let dies = self.next_death(Step::Server);
        if dies == Some(When::BeforeCommit) {
            return self.server_dies();
        }
        input(&mut self.server, &mut context(self.now, &mut self.dice));
        if dies.is_some() {
            return self.server_dies();
        }
        while let Some(output) = self.server.poll_output() {
            match output {
                ServerOutput::Send(conn, bytes) => {
                    self.streams
                        .send(&mut self.dice, &self.netem, self.now, conn, bytes, false);
                }
                ServerOutput::Close(conn) => self.streams.hang_up(self.now, conn, false),
            }
        }
    }

    pub(super) fn server_dies(&mut self) {
        self.server.crash();
        for conn in self.streams.connections.values_mut() {
            conn.server_listens = false;
        }
        self.streams.cut(self.now, |_| true);
        self.server_down_until = Some(self.now + self.dice.between(Duration::ZERO, LONGEST_DOWN));
    }

    fn deliver(&mut self) {
        let Some((id, arrival)) = self.streams.take(self.now) else {
            return;
        };
        match arrival {
            Arrival::Open(endpoint) => self.connect(id, &endpoint),
            Arrival::ToServer(bytes) => {
                if self
                    .streams
                    .connections
                    .get(&id)
                    .is_some_and(|conn| conn.server_listens)
                {
                    self.serve(|server, cx| server.received(cx, id, bytes));
                }
            }
            Arrival::ToPerson(bytes) => {
                self.tell(id, |stream| Input::StreamReceived { stream, bytes });
            }
            Arrival::Broken => self.hang_up(id, CloseReason::Closed),
        }
    }

    fn connect(&mut self, id: ConnId, endpoint: &Endpoint) {
        let person = self.streams.connections.get(&id).map(|conn| conn.person);
        let online = person
            .and_then(|person| self.people.get(person))
            .is_some_and(|person| person.online);
        let chain = self.server.chain(endpoint).filter(|_| online);
        let Some(chain) = chain.filter(|_| self.server_down_until.is_none()) else {
            return self.hang_up(id, CloseReason::Unreachable);
        };
        let channel = Channel {
            binding: self.dice.bytes::<32>().to_vec(),
            chain,
        };
        if let Some(conn) = self.streams.connections.get_mut(&id) {
            conn.server_listens = true;
        }
        let theirs = channel.clone();
        self.serve(|server, cx| server.opened(cx, id, theirs));
        self.tell(id, |stream| Input::StreamOpened { stream, channel });
    }

    fn hang_up(&mut self, id: ConnId, reason: CloseReason) {
        self.tell(id, |stream| Input::StreamClosed { stream, reason });
        if let Some(conn) = self.streams.connections.remove(&id)
            && conn.server_listens
        {
            self.serve(|server, cx| server.closed(cx, id));
        }
    }

    fn tell(&mut self, id: ConnId, input: impl FnOnce(StreamId) -> Input<NetworkCommand>) {
        if let Some(conn) = self
            .streams
            .connections
            .get(&id)
            .filter(|conn| conn.person_listens)
            && let Some(person) = self.people.get_mut(conn.person)
        {
            person.to_network.push_back(input(conn.stream));
        }
    }
}
