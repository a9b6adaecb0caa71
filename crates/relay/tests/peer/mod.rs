//! The relay of this crate with its engine and tables, for tests: connections
//! and bytes in, bytes out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use hushwing_relay::address::{Server, ServerAddress};
use hushwing_relay::server::{
    Accepted, ConnectionId, Directory, Engine, MemoryStorage, QueueChange, ServerConfig,
    ServerIdentity, Session, Storage,
};
use hushwing_relay::wire::{BlockReader, SigningKey, Version};
use hushwing_sansio::Context;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::{X509, X509NameBuilder};

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
    session: Session,
    reader: BlockReader,
}

/// What the relay wants done.
pub(crate) enum Wanted {
    Send(ConnectionId, Vec<u8>),
    Close(ConnectionId),
}

/// A relay's tables.
pub(crate) trait Queues: Storage + 'static {
    /// The committed queues.
    fn directory(&self) -> impl Directory;
    /// Makes durable what was written, with these changes.
    fn commit(&mut self, changes: Vec<QueueChange>);
    /// Forgets what was not committed.
    fn roll_back(&mut self);
}

impl Queues for MemoryStorage {
    fn directory(&self) -> impl Directory {
        MemoryStorage::directory(self)
    }

    fn commit(&mut self, _: Vec<QueueChange>) {
        MemoryStorage::commit(self);
    }

    fn roll_back(&mut self) {
        MemoryStorage::roll_back(self);
    }
}

/// A relay, see the module.
pub(crate) struct Relay<Q = MemoryStorage> {
    /// The highest version it offers.
    pub(crate) version: Version,
    pub(crate) queues: Q,
    pub(crate) identity: Arc<ServerIdentity>,
    pub(crate) config: Arc<ServerConfig>,
    engine: Engine,
    connections: BTreeMap<ConnectionId, Connection>,
    wanted: VecDeque<Wanted>,
}

impl Relay {
    pub(crate) fn new(config: ServerConfig) -> Self {
        Self::over(MemoryStorage::default(), config)
    }
}

impl<Q: Queues> Relay<Q> {
    /// A relay with these tables.
    pub(crate) fn over(queues: Q, config: ServerConfig) -> Self {
        Self {
            version: Version(18),
            queues,
            identity: Arc::new(identity(1)),
            engine: Engine::new(config.clone()),
            config: Arc::new(config),
            connections: BTreeMap::new(),
            wanted: VecDeque::new(),
        }
    }

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

    pub(crate) fn opened(&mut self, cx: &mut Context<'_>, id: ConnectionId, binding: Vec<u8>) {
        let accepted = Accepted {
            binding,
            alpn: true,
        };
        let session = Session::accept(cx, &self.config, &self.identity, &accepted).unwrap();
        let reader = BlockReader::default();
        self.connections.insert(id, Connection { session, reader });
        self.say(id);
    }

    pub(crate) fn received(&mut self, cx: &mut Context<'_>, id: ConnectionId, bytes: &[u8]) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let mut blocks = Vec::new();
        connection.reader.push(bytes, |block| {
            blocks.push(block);
            true
        });
        for mut block in blocks {
            let Some(connection) = self.connections.get_mut(&id) else {
                return;
            };
            let directory = self.queues.directory();
            let received = connection.session.receive(cx, &directory, &mut block);
            drop(directory);
            if received.is_err() {
                self.closed(id);
                self.wanted.push_back(Wanted::Close(id));
                return;
            }
            self.serve(cx);
        }
    }

    pub(crate) fn closed(&mut self, id: ConnectionId) {
        self.connections.remove(&id);
        self.engine.close(id);
    }

    pub(crate) fn poll_output(&mut self) -> Option<Wanted> {
        self.wanted.pop_front()
    }

    /// Kills it and starts it again from what was committed.
    pub(crate) fn crash(&mut self) {
        self.queues.roll_back();
        self.engine = Engine::new((*self.config).clone());
        self.connections.clear();
        self.wanted.clear();
    }

    fn serve(&mut self, cx: &mut Context<'_>) {
        loop {
            let mut requests = Vec::new();
            for (id, connection) in &mut self.connections {
                let taken = connection.session.take_requests();
                requests.extend(taken.into_iter().map(|(ticket, what)| (*id, ticket, what)));
            }
            if requests.is_empty() {
                break;
            }
            for (id, ticket, request) in requests {
                self.engine
                    .apply(cx, &mut self.queues, id, ticket, request)
                    .unwrap();
            }
            let changes = self.engine.take_changes();
            self.queues.commit(changes);
            while let Some((id, output)) = self.engine.poll_output() {
                if let Some(connection) = self.connections.get_mut(&id) {
                    let directory = self.queues.directory();
                    connection.session.answer(cx, &directory, [output]);
                }
            }
        }
        for id in self.connections.keys().copied().collect::<Vec<_>>() {
            self.say(id);
        }
    }

    fn say(&mut self, id: ConnectionId) {
        while let Some(connection) = self.connections.get_mut(&id) {
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
            self.wanted.push_back(Wanted::Send(id, block));
        }
    }
}
