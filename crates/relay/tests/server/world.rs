//! A server with its peers, driven as the real one is: all requests of a turn
//! in one transaction, answers after it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use hushwing_relay::server::{
    Accepted, ConnectionId, Directory, Engine, Lookup, MemoryStorage, Name, Output, ServerConfig,
    ServerIdentity, Session, Storage,
};
use hushwing_relay::wire::{
    BoxKey, Command, DhPublic, DhSecret, Ids, MessageContent, NewQueue, QueueRequest, Response,
    SigningKey, Version, Writer, open_message,
};
use hushwing_sansio::{Context, Entropy, Moment, StorageError, Timestamp};

use crate::peer::{Key, Peer, Reply};

pub(crate) const FINGERPRINT: [u8; 32] = [5; 32];
pub(crate) const LATEST: u16 = 18;

/// A repeatable source of bytes.
pub(crate) struct Dice(u64);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            *byte = self.0.to_le_bytes()[3];
        }
    }
}

/// A directory that remembers nothing, so that storage is always asked.
struct Blank;

impl Directory for Blank {
    fn find(&self, _: &Name) -> Lookup {
        Lookup::Unknown
    }
}

/// A queue as its owner knows it.
pub(crate) struct Queue {
    pub(crate) key: Key,
    pub(crate) box_key: BoxKey,
    pub(crate) recipient: Vec<u8>,
    pub(crate) sender: Vec<u8>,
    pub(crate) link: Option<Vec<u8>>,
}

/// A message as its recipient reads it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) id: Vec<u8>,
    /// `None` for the quota mark.
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) at: Timestamp,
}

pub(crate) struct World {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) identity: Arc<ServerIdentity>,
    pub(crate) engine: Engine,
    pub(crate) storage: MemoryStorage,
    pub(crate) peers: Vec<Option<Peer>>,
    pub(crate) now: Duration,
    pub(crate) dice: Dice,
    pub(crate) forgetful: bool,
    /// Whether the engine hears the connections in the reverse of their order.
    pub(crate) backwards: bool,
    keys: u8,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(ServerConfig::default())
    }

    pub(crate) fn with(config: ServerConfig) -> Self {
        let identity = ServerIdentity {
            fingerprint: FINGERPRINT,
            chain: vec![b"leaf".to_vec(), b"identity".to_vec()],
            leaf_key: SigningKey::from_seed([6; 32]).unwrap(),
        };
        Self {
            engine: Engine::new(config.clone()),
            config: Arc::new(config),
            identity: Arc::new(identity),
            storage: MemoryStorage::default(),
            peers: Vec::new(),
            now: Duration::from_secs(1_700_000_000),
            dice: Dice(0x1234_5678_9abc_def1),
            forgetful: false,
            backwards: false,
            keys: 0,
        }
    }

    pub(crate) fn accept(&mut self, session_id: &[u8], alpn: bool) -> Session {
        let accepted = Accepted {
            binding: session_id.to_vec(),
            alpn,
        };
        let mut cx = context(self.now, &mut self.dice);
        Session::accept(&mut cx, &self.config, &self.identity, &accepted).unwrap()
    }

    /// A new connection at `version`.
    pub(crate) fn connect_at(&mut self, version: u16) -> usize {
        let number = self.peers.len();
        let session_id = vec![u8::try_from(number).unwrap() + 1; 32];
        let session = self.accept(&session_id, true);
        let (now, dice) = (self.now, &mut self.dice);
        let peer = Peer::greet(
            session,
            &session_id,
            version,
            &FINGERPRINT,
            |session, block| {
                session
                    .receive(&mut context(now, dice), &Blank, block)
                    .unwrap();
            },
        );
        self.peers.push(Some(peer));
        number
    }

    pub(crate) fn connect(&mut self) -> usize {
        self.connect_at(LATEST)
    }

    pub(crate) fn disconnect(&mut self, peer: usize) {
        self.peers[peer] = None;
        self.engine.close(ConnectionId(peer as u64));
    }

    pub(crate) fn peer(&mut self, peer: usize) -> &mut Peer {
        self.peers[peer].as_mut().unwrap()
    }

    /// Hands a block to a session and lets everything run its course.
    pub(crate) fn deliver(&mut self, peer: usize, mut block: Vec<u8>) {
        self.try_deliver(peer, &mut block).unwrap();
    }

    pub(crate) fn try_deliver(
        &mut self,
        peer: usize,
        block: &mut [u8],
    ) -> Result<(), StorageError> {
        self.receive(peer, block);
        self.settle()
    }

    /// Hands a block to a session; what that asks for waits for
    /// [`World::settle`].
    pub(crate) fn receive(&mut self, peer: usize, block: &mut [u8]) {
        let mut cx = context(self.now, &mut self.dice);
        let session = &mut self.peers[peer].as_mut().unwrap().session;
        if self.forgetful {
            session.receive(&mut cx, &Blank, block).unwrap();
        } else {
            session
                .receive(&mut cx, &self.storage.directory(), block)
                .unwrap();
        }
    }

    /// Lets everything run its course.
    pub(crate) fn settle(&mut self) -> Result<(), StorageError> {
        while self.turn()? {}
        Ok(())
    }

    /// One transaction of all that sessions ask for; false if none did.
    fn turn(&mut self) -> Result<bool, StorageError> {
        let mut cx = context(self.now, &mut self.dice);
        let mut active = false;
        let mut peers: Vec<_> = self.peers.iter_mut().enumerate().collect();
        if self.backwards {
            peers.reverse();
        }
        for (number, peer) in peers {
            let Some(peer) = peer else { continue };
            let wanted = peer.session.take_wanted();
            if !wanted.is_empty() {
                let mut found = BTreeMap::new();
                for name in wanted {
                    if let Some(queue) = self.storage.find(&name)? {
                        found.insert(name, Arc::new(queue));
                    }
                }
                peer.session.resolve(&mut cx, &Blank, &found);
                active = true;
            }
            for (ticket, request) in peer.session.take_requests() {
                let from = ConnectionId(number as u64);
                self.engine
                    .apply(&mut cx, &mut self.storage, from, ticket, request)?;
                active = true;
            }
        }
        self.storage.commit();
        let mut outputs: BTreeMap<ConnectionId, Vec<Output>> = BTreeMap::new();
        while let Some((to, output)) = self.engine.poll_output() {
            outputs.entry(to).or_default().push(output);
        }
        for (number, peer) in self.peers.iter_mut().enumerate() {
            let Some(peer) = peer else { continue };
            let outputs = outputs
                .remove(&ConnectionId(number as u64))
                .unwrap_or_default();
            if self.forgetful {
                peer.session.answer(&mut cx, &Blank, outputs);
            } else {
                peer.session
                    .answer(&mut cx, &self.storage.directory(), outputs);
            }
            peer.collect();
        }
        Ok(active)
    }

    /// Stops the server and starts it anew from what was committed.
    pub(crate) fn restart(&mut self) {
        self.storage.roll_back();
        self.engine = Engine::new(self.config.as_ref().clone());
        self.peers.iter_mut().for_each(|peer| *peer = None);
    }

    /// Sends one command and returns its answer; other replies stay in the
    /// peer's inbox.
    pub(crate) fn say(
        &mut self,
        peer: usize,
        key: Option<&Key>,
        entity: &[u8],
        text: &[u8],
    ) -> Reply {
        let corr = self.peer(peer).corr();
        self.say_as(peer, key, &corr, entity, text)
    }

    pub(crate) fn say_as(
        &mut self,
        peer: usize,
        key: Option<&Key>,
        corr: &[u8],
        entity: &[u8],
        text: &[u8],
    ) -> Reply {
        let it = self.peer(peer);
        let transmission = it.transmission(key, corr, entity, text);
        let block = it.block(&[transmission]);
        self.deliver(peer, block);
        let inbox = &mut self.peer(peer).inbox;
        let at = inbox
            .iter()
            .position(|reply| reply.corr == corr)
            .expect("no answer");
        inbox.remove(at).unwrap()
    }

    /// [`World::say`] for a command; the answer as text.
    pub(crate) fn ask(
        &mut self,
        peer: usize,
        key: Option<&Key>,
        entity: &[u8],
        command: Command<'_>,
    ) -> String {
        let text = encode(self.peer(peer).version, command);
        self.say(peer, key, entity, &text).shown()
    }

    /// What came unasked since the last look.
    pub(crate) fn events(&mut self, peer: usize) -> Vec<Reply> {
        self.peer(peer).inbox.drain(..).collect()
    }

    pub(crate) fn key(&mut self) -> Key {
        self.keys += 1;
        Key::ed25519(self.keys)
    }

    /// A queue of `peer`, subscribed.
    pub(crate) fn queue(&mut self, peer: usize, request: QueueRequest<'_>) -> Queue {
        let key = self.key();
        self.queue_with(peer, key, request, true)
    }

    pub(crate) fn queue_with(
        &mut self,
        peer: usize,
        key: Key,
        request: QueueRequest<'_>,
        subscribe: bool,
    ) -> Queue {
        let corr = self.peer(peer).corr();
        let (dh, text) = self.new_command(peer, &key, request, subscribe);
        let reply = self.say_as(peer, Some(&key), &corr, &[], &text);
        assert!(reply.entity.is_empty());
        let version = self.peer(peer).version;
        let Ok(Response::Ids(ids)) = Response::parse(&reply.text, version) else {
            panic!("no queue: {}", reply.shown());
        };
        queue(&ids, key, &dh)
    }

    pub(crate) fn new_command(
        &mut self,
        peer: usize,
        key: &Key,
        request: QueueRequest<'_>,
        subscribe: bool,
    ) -> (DhSecret, Vec<u8>) {
        let dh = DhSecret::from_bytes([88; 32]).unwrap();
        let new = NewQueue {
            auth: key.public(),
            dh: dh.public(),
            password: None,
            subscribe,
            request,
            notifier: None,
        };
        let text = encode(self.peer(peer).version, Command::New(new));
        (dh, text)
    }

    /// An unsecured messaging queue.
    pub(crate) fn plain_queue(&mut self, peer: usize) -> Queue {
        self.queue(peer, QueueRequest::Messaging(None))
    }

    pub(crate) fn send(
        &mut self,
        peer: usize,
        key: Option<&Key>,
        queue: &Queue,
        body: &[u8],
    ) -> String {
        self.ask(
            peer,
            key,
            &queue.sender,
            Command::Send {
                notify: false,
                body,
            },
        )
    }

    pub(crate) fn ack(&mut self, peer: usize, queue: &Queue, id: &[u8]) -> Reply {
        let text = encode(self.peer(peer).version, Command::Ack(id));
        self.say(peer, Some(&queue.key), &queue.recipient, &text)
    }

    pub(crate) fn sub(&mut self, peer: usize, queue: &Queue) -> String {
        self.ask(peer, Some(&queue.key), &queue.recipient, Command::Sub)
    }

    /// The one message that came unasked.
    pub(crate) fn pushed(&mut self, peer: usize, queue: &Queue) -> Read {
        let events = self.events(peer);
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(events[0].corr.is_empty());
        assert_eq!(events[0].entity, queue.recipient);
        read(queue, &events[0])
    }

    /// Deletes old messages as the writer does.
    pub(crate) fn expire(&mut self) {
        loop {
            let cx = context(self.now, &mut self.dice);
            let more = self.engine.expire(&cx, &mut self.storage).unwrap();
            self.storage.commit();
            if !more {
                return;
            }
        }
    }
}

pub(crate) fn context(now: Duration, dice: &mut Dice) -> Context<'_> {
    let wall = Timestamp::from_millis(u64::try_from(now.as_millis()).unwrap());
    Context::new(Moment::from_origin(now), wall, dice)
}

pub(crate) fn encode(version: Version, command: Command<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    command.write(&mut Writer::new(&mut text), version);
    text
}

fn queue(ids: &Ids<'_>, key: Key, dh: &DhSecret) -> Queue {
    let DhPublic(_) = ids.server_dh;
    Queue {
        key,
        box_key: BoxKey::agree(dh, &ids.server_dh).unwrap(),
        recipient: ids.recipient_id.to_vec(),
        sender: ids.sender_id.to_vec(),
        link: ids.link_id.map(<[u8]>::to_vec),
    }
}

/// Opens a `MSG`.
pub(crate) fn read(queue: &Queue, reply: &Reply) -> Read {
    let Ok(Response::Msg { id, sealed }) = Response::parse(&reply.text, Version(LATEST)) else {
        panic!("no message: {}", reply.shown());
    };
    assert_eq!(sealed.len(), 16_122);
    let mut sealed = sealed.to_vec();
    let (at, body) = match open_message(&queue.box_key, id, &mut sealed).unwrap() {
        MessageContent::Message { at, body, .. } => (at, Some(body.to_vec())),
        MessageContent::Quota { at } => (at, None),
    };
    Read {
        id: id.to_vec(),
        body,
        at,
    }
}
