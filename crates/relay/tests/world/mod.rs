//! People and one relay in one thread, on a virtual clock: the client and the
//! server of this crate, joined by streams that never fail unless told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use hushwing_delivery::{Envelope, NetworkCommand, NetworkEvent};
use hushwing_relay::address::{Server, ServerAddress};
use hushwing_relay::client::{Client, MemoryStorage};
use hushwing_relay::server::{
    Accepted, ConnectionId, Engine, MemoryStorage as Queues, ServerConfig, ServerIdentity, Session,
};
use hushwing_relay::wire::{BlockReader, SigningKey, Version};
use hushwing_sansio::{
    Channel, CloseReason, Context, Entropy, Input, Machine, Moment, Output, StreamId, Timestamp,
};
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::{X509, X509NameBuilder};

/// A repeatable source of bytes (xorshift64*).
pub(crate) struct Dice(u64);

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

fn certificate(name: &str, key: &PKey<Private>, issuer: &PKey<Private>) -> Vec<u8> {
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut cert = X509::builder().unwrap();
    cert.set_version(2).unwrap();
    let serial = BigNum::from_u32(1).unwrap().to_asn1_integer().unwrap();
    cert.set_serial_number(&serial).unwrap();
    cert.set_subject_name(&subject).unwrap();
    cert.set_issuer_name(&subject).unwrap();
    cert.set_not_before(&Asn1Time::days_from_now(0).unwrap())
        .unwrap();
    cert.set_not_after(&Asn1Time::days_from_now(9).unwrap())
        .unwrap();
    cert.set_pubkey(key).unwrap();
    cert.sign(issuer, MessageDigest::null()).unwrap();
    cert.build().to_der().unwrap()
}

fn identity(seed: u8) -> ServerIdentity {
    let private = |seed| PKey::private_key_from_raw_bytes(&[seed; 32], Id::ED25519).unwrap();
    let (leaf, root) = (private(seed), private(seed + 1));
    let chain = vec![
        certificate("leaf", &leaf, &root),
        certificate("identity", &root, &root),
    ];
    let fingerprint = openssl::sha::sha256(&chain[1]);
    let leaf_key = SigningKey::from_seed([seed; 32]).unwrap();
    ServerIdentity {
        fingerprint,
        chain,
        leaf_key,
    }
}

struct Connection {
    person: usize,
    stream: StreamId,
    session: Session,
    reader: BlockReader,
}

pub(crate) struct Person {
    pub(crate) client: Client,
    pub(crate) storage: MemoryStorage,
    pub(crate) events: VecDeque<NetworkEvent>,
    servers: Vec<ServerAddress>,
    alive: bool,
}

/// The world, see the module.
pub(crate) struct World {
    pub(crate) now: Duration,
    pub(crate) people: Vec<Person>,
    /// Whether the relay accepts connections.
    pub(crate) up: bool,
    /// The highest version the relay offers.
    pub(crate) version: Version,
    /// Blocks that clients sent since this was last set to 0.
    pub(crate) blocks: usize,
    dice: Dice,
    config: Arc<ServerConfig>,
    identity: Arc<ServerIdentity>,
    engine: Engine,
    pub(crate) queues: Queues,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
}

impl World {
    /// A relay that is up, and nobody.
    pub(crate) fn new(config: ServerConfig) -> Self {
        Self {
            now: Duration::from_secs(1),
            people: Vec::new(),
            up: true,
            version: Version(18),
            blocks: 0,
            dice: Dice(0x9E37_79B9_7F4A_7C15),
            engine: Engine::new(config.clone()),
            config: Arc::new(config),
            identity: Arc::new(identity(1)),
            queues: Queues::default(),
            connections: BTreeMap::new(),
            next_connection: 1,
        }
    }

    /// The relay's address.
    pub(crate) fn address(&self) -> ServerAddress {
        let server = Server {
            fingerprint: self.identity.fingerprint,
            hosts: vec!["relay.test".into()],
            port: 5223,
        };
        ServerAddress {
            server,
            password: None,
        }
    }

    /// A newcomer who uses the relay.
    pub(crate) fn person(&mut self) -> usize {
        let servers = vec![self.address()];
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
            alive: true,
        });
        self.people.len() - 1
    }

    /// Stops a person's program without warning, with `storage` as its disk,
    /// and starts it again.
    pub(crate) fn restart(&mut self, who: usize, storage: MemoryStorage) {
        self.drop_connections(Some(who), false);
        let person = &mut self.people[who];
        person.storage = storage;
        person.client = Client::open(person.servers.clone(), &mut person.storage).unwrap();
        person.events.clear();
    }

    /// Ends connections, those of one person or all.
    pub(crate) fn drop_connections(&mut self, who: Option<usize>, tell: bool) {
        let gone: Vec<_> = (self.connections.iter())
            .filter(|(_, connection)| who.is_none_or(|who| who == connection.person))
            .map(|(id, connection)| (*id, connection.person, connection.stream))
            .collect();
        for (id, person, stream) in gone {
            self.connections.remove(&id);
            self.engine.close(id);
            if tell {
                let reason = CloseReason::Closed;
                self.input(person, Input::StreamClosed { stream, reason });
            }
        }
    }

    /// Ends the relay's process and starts it again from what was committed.
    pub(crate) fn restart_relay(&mut self) {
        self.queues.roll_back();
        self.engine = Engine::new((*self.config).clone());
        self.drop_connections(None, true);
    }

    /// Gives a command and runs until nothing moves.
    pub(crate) fn command(&mut self, who: usize, command: NetworkCommand) {
        self.input(who, Input::Command(command));
        self.run();
    }

    /// Gives an input without draining what it leads to.
    pub(crate) fn input(&mut self, who: usize, input: Input<NetworkCommand>) {
        let now = Moment::from_origin(self.now);
        let wall = Timestamp::from_secs(1_800_000_000);
        let mut cx = Context::new(now, wall, &mut self.dice);
        let person = &mut self.people[who];
        person
            .client
            .handle(&mut cx, &mut person.storage, input)
            .unwrap();
    }

    /// Runs until nothing moves; time stands still.
    pub(crate) fn run(&mut self) {
        loop {
            let mut moved = false;
            for who in 0..self.people.len() {
                let now = Moment::from_origin(self.now);
                if self.people[who]
                    .client
                    .poll_timeout()
                    .is_some_and(|due| due <= now)
                {
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
                let known = endpoint.fingerprint == self.identity.fingerprint;
                if self.up && known {
                    self.connect(who, stream);
                } else {
                    let reason = if self.up {
                        CloseReason::WrongIdentity
                    } else {
                        CloseReason::Unreachable
                    };
                    self.input(who, Input::StreamClosed { stream, reason });
                }
            }
            Output::SendStream { stream, bytes } => {
                self.blocks += bytes.len() / 16_384;
                self.relay_receives(who, stream, &bytes);
            }
            Output::CloseStream { stream } => {
                let ours = |connection: &Connection| {
                    connection.person == who && connection.stream == stream
                };
                let id = self
                    .connections
                    .iter()
                    .find(|(_, c)| ours(c))
                    .map(|(id, _)| *id);
                if let Some(id) = id {
                    self.connections.remove(&id);
                    self.engine.close(id);
                }
            }
        }
    }

    fn connect(&mut self, who: usize, stream: StreamId) {
        let id = ConnectionId(self.next_connection);
        self.next_connection += 1;
        let mut cx = context(self.now, &mut self.dice);
        let binding: [u8; 32] = cx.random();
        let accepted = Accepted {
            binding: binding.to_vec(),
            alpn: true,
        };
        let session = Session::accept(&mut cx, &self.config, &self.identity, &accepted).unwrap();
        let reader = BlockReader::default();
        self.connections.insert(
            id,
            Connection {
                person: who,
                stream,
                session,
                reader,
            },
        );
        let chain = self.identity.chain.clone();
        let channel = Channel {
            binding: binding.to_vec(),
            chain,
        };
        self.input(who, Input::StreamOpened { stream, channel });
        self.relay_sends(id);
    }

    fn relay_receives(&mut self, who: usize, stream: StreamId, bytes: &[u8]) {
        let Some(id) = (self.connections.iter())
            .find(|(_, c)| c.person == who && c.stream == stream)
            .map(|(id, _)| *id)
        else {
            return;
        };
        let mut blocks = Vec::new();
        self.connections
            .get_mut(&id)
            .unwrap()
            .reader
            .push(bytes, |block| {
                blocks.push(block);
                true
            });
        for mut block in blocks {
            let mut cx = context(self.now, &mut self.dice);
            let connection = self.connections.get_mut(&id).unwrap();
            connection
                .session
                .receive(&mut cx, &self.queues.directory(), &mut block)
                .unwrap();
            self.serve();
        }
    }

    fn serve(&mut self) {
        loop {
            let mut requests = Vec::new();
            for (id, connection) in &mut self.connections {
                let taken = connection.session.take_requests();
                requests.extend(
                    taken
                        .into_iter()
                        .map(|(ticket, request)| (*id, ticket, request)),
                );
            }
            if requests.is_empty() {
                break;
            }
            for (id, ticket, request) in requests {
                let mut cx = context(self.now, &mut self.dice);
                self.engine
                    .apply(&mut cx, &mut self.queues, id, ticket, request)
                    .unwrap();
            }
            self.queues.commit();
            let _ = self.engine.take_changes();
            while let Some((id, output)) = self.engine.poll_output() {
                let mut cx = context(self.now, &mut self.dice);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection
                        .session
                        .answer(&mut cx, &self.queues.directory(), [output]);
                }
            }
        }
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.relay_sends(id);
        }
    }

    fn relay_sends(&mut self, id: ConnectionId) {
        loop {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let (who, stream) = (connection.person, connection.stream);
            let hello = !connection.session.is_open();
            let mut block = Vec::new();
            match connection.session.poll_block(&mut block) {
                None => return,
                Some(ended) => ended.unwrap(),
            }
            if hello {
                // pad length, lowest version, highest version
                block[4..6].copy_from_slice(&self.version.0.to_be_bytes());
            }
            if self.people[who].alive {
                // Streams cut as they like: here always in two.
                let later = block.split_off(1_000);
                for bytes in [block, later] {
                    self.input(who, Input::StreamReceived { stream, bytes });
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
    Context::new(
        Moment::from_origin(now),
        Timestamp::from_secs(1_800_000_000),
        dice,
    )
}

/// A regular envelope told apart by a number.
pub(crate) fn regular(number: u8) -> Envelope {
    Envelope::regular(vec![number; Envelope::REGULAR]).unwrap()
}

/// A first-contact envelope told apart by a number.
pub(crate) fn first_contact(number: u8) -> Envelope {
    Envelope::first_contact(vec![number; Envelope::FIRST_CONTACT]).unwrap()
}
