//! People and one relay in one thread, on a virtual clock: the client and the
//! server of this crate, joined by streams that never fail unless told to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use hushwing_delivery::{Envelope, NetworkCommand, NetworkEvent};
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{Client, MemoryStorage};
use hushwing_relay::server::{ConnectionId, ServerConfig};
use hushwing_sansio::{
    Channel, CloseReason, Context, Entropy, Input, Machine, Moment, Output, StreamId, Timestamp,
};

use crate::peer::{Relay, Wanted};

/// A repeatable source of bytes (xorshift64*).
struct Dice(u64);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            *byte = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8;
        }
    }
}

pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) storage: MemoryStorage,
    events: VecDeque<NetworkEvent>,
    servers: Vec<ServerAddress>,
}

/// The world, see the module.
pub(crate) struct World {
    now: Duration,
    pub(crate) people: Vec<Person>,
    pub(crate) relay: Relay,
    /// Whether the relay accepts connections.
    pub(crate) up: bool,
    /// Whether the relay completes hellos and closes on the first command.
    pub(crate) greets_only: bool,
    /// When clients dialled, in seconds, and whether that was the relay or any
    /// other server.
    pub(crate) dialled: Vec<(u64, bool)>,
    /// Blocks that clients sent since this was last set to 0.
    pub(crate) blocks: usize,
    dice: Dice,
    connections: BTreeMap<ConnectionId, (usize, StreamId)>,
    /// Connections on which a client's hello came.
    greeted: BTreeSet<ConnectionId>,
    next_connection: u64,
}

impl World {
    /// A relay that is up, and nobody.
    pub(crate) fn new(config: ServerConfig) -> Self {
        Self {
            now: Duration::from_secs(1),
            people: Vec::new(),
            relay: Relay::new(config),
            up: true,
            greets_only: false,
            dialled: Vec::new(),
            blocks: 0,
            dice: Dice(0x9E37_79B9_7F4A_7C15),
            connections: BTreeMap::new(),
            greeted: BTreeSet::new(),
            next_connection: 1,
        }
    }

    /// A newcomer who uses the relay.
    pub(crate) fn person(&mut self) -> usize {
        let servers = vec![self.relay.address()];
        self.person_with(servers, MemoryStorage::default())
    }

    /// A newcomer with these servers and this storage.
    pub(crate) fn person_with(
        &mut self,
        servers: Vec<ServerAddress>,
        mut storage: MemoryStorage,
    ) -> usize {
        let client = Client::open(servers.clone(), &mut storage).unwrap();
        let events = VecDeque::new();
        self.people.push(Person {
            client,
            storage,
            events,
            servers,
        });
        self.people.len() - 1
    }

    /// Stops a person's program without warning and starts it again with what
    /// it had stored.
    pub(crate) fn restart(&mut self, who: usize) {
        self.drop_connections(Some(who), false);
        let person = &mut self.people[who];
        person.client = Client::open(person.servers.clone(), &mut person.storage).unwrap();
        person.events.clear();
    }

    /// Puts a copy of what a person had stored back, and starts their program with it.
    pub(crate) fn put_back(&mut self, who: usize, copy: MemoryStorage) {
        self.people[who].storage = copy;
        self.restart(who);
    }

    /// Ends connections, those of one person or all; people hear of it or not.
    pub(crate) fn drop_connections(&mut self, who: Option<usize>, tell: bool) {
        let gone: Vec<_> = (self.connections.iter())
            .filter(|(_, (person, _))| who.is_none_or(|who| who == *person))
            .map(|(id, (person, stream))| (*id, *person, *stream))
            .collect();
        for (id, person, stream) in gone {
            self.connections.remove(&id);
            self.relay.closed(id);
            if tell {
                let reason = CloseReason::Closed;
                self.input(person, Input::StreamClosed { stream, reason });
            }
        }
    }

    /// Ends the relay's process and starts it again from what was committed.
    pub(crate) fn restart_relay(&mut self) {
        self.relay.crash();
        self.drop_connections(None, true);
    }

    /// Starts the relay again with the same identity and empty tables.
    pub(crate) fn empty_relay(&mut self) {
        self.relay.queues = Default::default();
        self.restart_relay();
    }

    /// Gives a command and runs until nothing moves.
    pub(crate) fn command(&mut self, who: usize, command: NetworkCommand) {
        self.input(who, Input::Command(command));
        self.run();
    }

    /// Gives an input without draining what it leads to.
    pub(crate) fn input(&mut self, who: usize, input: Input<NetworkCommand>) {
        let mut cx = context(self.now, &mut self.dice);
        let person = &mut self.people[who];
        let storage = &mut person.storage;
        person.client.handle(&mut cx, storage, input).unwrap();
    }

    /// Runs until nothing moves; time stands still.
    pub(crate) fn run(&mut self) {
        loop {
            let mut moved = false;
            for who in 0..self.people.len() {
                let now = Moment::from_origin(self.now);
                let due = self.people[who].client.poll_timeout();
                if due.is_some_and(|due| due <= now) {
                    self.input(who, Input::Timeout);
                }
                while let Some(output) = self.people[who].client.poll_output() {
                    moved = true;
                    self.output(who, output);
                }
            }
            if !moved {
                return;
            }
        }
    }

    /// Lets time pass, second by second.
    pub(crate) fn pass(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now += Duration::from_secs(1);
            self.run();
        }
    }

    /// Takes one thing a person's program wants done.
    pub(crate) fn output(&mut self, who: usize, output: Output<NetworkEvent>) {
        match output {
            Output::Event(event) => self.people[who].events.push_back(event),
            Output::OpenStream { stream, endpoint } => {
                let known = endpoint.fingerprint == self.relay.identity.fingerprint;
                self.dialled.push((self.now.as_secs(), known));
                if self.up && known {
                    self.connect(who, stream);
                    return;
                }
                let reason = if self.up {
                    CloseReason::WrongIdentity
                } else {
                    CloseReason::Unreachable
                };
                self.input(who, Input::StreamClosed { stream, reason });
            }
            Output::SendStream { stream, bytes } => {
                self.blocks += bytes.len() / 16_384;
                if let Some(id) = self.connection(who, stream) {
                    if !self.greeted.insert(id) && self.greets_only {
                        self.close(id);
                        return;
                    }
                    let mut cx = context(self.now, &mut self.dice);
                    self.relay.received(&mut cx, id, &bytes);
                    self.hear();
                }
            }
            Output::CloseStream { stream } => {
                if let Some(id) = self.connection(who, stream) {
                    self.connections.remove(&id);
                    self.relay.closed(id);
                }
            }
        }
    }

    fn connection(&self, who: usize, stream: StreamId) -> Option<ConnectionId> {
        let found = (self.connections.iter()).find(|(_, ends)| **ends == (who, stream));
        found.map(|(id, _)| *id)
    }

    /// The relay closes a connection.
    fn close(&mut self, id: ConnectionId) {
        self.relay.closed(id);
        if let Some((who, stream)) = self.connections.remove(&id) {
            let reason = CloseReason::Closed;
            self.input(who, Input::StreamClosed { stream, reason });
        }
    }

    fn connect(&mut self, who: usize, stream: StreamId) {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        self.connections.insert(id, (who, stream));
        let mut cx = context(self.now, &mut self.dice);
        let binding = cx.random::<32>().to_vec();
        self.relay.opened(&mut cx, id, binding.clone());
        let chain = self.relay.identity.chain.clone();
        let channel = Channel { binding, chain };
        self.input(who, Input::StreamOpened { stream, channel });
        self.hear();
    }

    /// Carries what the relay says to whom it is for.
    fn hear(&mut self) {
        while let Some(wanted) = self.relay.poll_output() {
            match wanted {
                Wanted::Send(id, mut bytes) => {
                    let Some((who, stream)) = self.connections.get(&id).copied() else {
                        continue;
                    };
                    // Streams cut as they like: here always in two.
                    let later = bytes.split_off(1_000);
                    for bytes in [bytes, later] {
                        self.input(who, Input::StreamReceived { stream, bytes });
                    }
                }
                Wanted::Close(id) => {
                    if let Some((who, stream)) = self.connections.remove(&id) {
                        let reason = CloseReason::Closed;
                        self.input(who, Input::StreamClosed { stream, reason });
                    }
                }
            }
        }
    }

    /// The events of a person since the last call.
    pub(crate) fn events(&mut self, who: usize) -> Vec<NetworkEvent> {
        self.people[who].events.drain(..).collect()
    }
}

fn context(now: Duration, dice: &mut Dice) -> Context<'_> {
    let wall = Timestamp::from_secs(1_800_000_000);
    Context::new(Moment::from_origin(now), wall, dice)
}

/// A regular envelope told apart by a number.
pub(crate) fn regular(number: u8) -> Envelope {
    Envelope::regular(vec![number; Envelope::REGULAR]).unwrap()
}

/// A first-contact envelope told apart by a number.
pub(crate) fn first_contact(number: u8) -> Envelope {
    Envelope::first_contact(vec![number; Envelope::FIRST_CONTACT]).unwrap()
}
