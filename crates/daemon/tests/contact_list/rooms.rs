//! Messengers, relay clients, and a relay that keeps real files, as the world
//! runs them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hushwing_conversation::{Config, Incoming, MemoryStorage, Messenger, Outgoing, Storage};
use hushwing_delivery::{NetworkEvent, NetworkTag};
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{self, Client};
use hushwing_relay::server::{
    self, ConnectionId, Depth, Directory, Id, Lookup, Name, NewRecord, Place, QueueChange,
    QueueRecord, QueueRow, ServerConfig, StoredLink, StoredMessage,
};
use hushwing_sansio::{Channel, Context, Endpoint, Moment, StorageError, Timestamp};
use hushwing_sim::{ConnId, Core, Dice, Netem, NetworkRoom, Room, Routed, Server, ServerOutput};
use hushwing_store::RelayServerStore;
use hushwing_store::keys::{KeyFile, Role};
use hushwing_transport::OsEntropy;
use tempfile::TempDir;

use crate::peer::{Queues, Relay, Wanted};

/// A profile's conversations; with `PROMPT`, receipts leave at once.
pub(crate) struct Person<const PROMPT: bool>;

impl<const PROMPT: bool> Room for Person<PROMPT> {
    type Machine = Messenger;
    type Store = MemoryStorage;

    fn open(store: &mut MemoryStorage) -> Result<Messenger, StorageError> {
        let mut config = Config::default();
        if PROMPT {
            config.receipt_delay = (Duration::ZERO, Duration::ZERO);
        }
        Messenger::open(store, config)
    }

    fn lend(store: &mut MemoryStorage) -> &mut (dyn Storage + 'static) {
        store
    }
}

impl<const PROMPT: bool> Core for Person<PROMPT> {
    fn store() -> MemoryStorage {
        MemoryStorage::new()
    }

    fn network_event(network: NetworkTag, event: NetworkEvent) -> Incoming {
        Incoming::Network { network, event }
    }

    fn routed(event: Outgoing) -> Routed<Self> {
        match event {
            Outgoing::Network { network, command } => Routed::Network(network, command),
            face => Routed::Face(face),
        }
    }
}

/// What a relay does that it should not.
pub(crate) const SOUND: u8 = 0;
/// It never clears its write-ahead log.
pub(crate) const KEEPS_HISTORY: u8 = 1;
/// It prints the name of the queue with each message.
pub(crate) const TALKS: u8 = 2;

/// The relay, with a fault or without.
pub(crate) struct Smp<const FAULT: u8>;

/// A relay client's disk: the servers it was configured with, and its records.
#[derive(Clone)]
pub(crate) struct Disk {
    servers: Vec<ServerAddress>,
    records: client::MemoryStorage,
}

impl<const FAULT: u8> Room for Smp<FAULT> {
    type Machine = Client;
    type Store = Disk;

    fn open(disk: &mut Disk) -> Result<Client, StorageError> {
        Client::open(disk.servers.clone(), &mut disk.records)
    }

    fn lend(disk: &mut Disk) -> &mut (dyn client::Storage + 'static) {
        &mut disk.records
    }
}

impl<const FAULT: u8> NetworkRoom for Smp<FAULT> {
    type Server = Host<FAULT>;
    const TAG: NetworkTag = NetworkTag::RELAY;

    fn server(_: Dice, _: &Netem) -> Host<FAULT> {
        let config = ServerConfig::default();
        let interval = config.forgetting;
        Host {
            relay: Relay::over(Files::new(FAULT == TALKS), config),
            interval,
            forget_at: None,
        }
    }

    fn store(server: &Host<FAULT>) -> Disk {
        Disk {
            servers: vec![server.relay.address()],
            records: client::MemoryStorage::default(),
        }
    }
}

/// The relay server in the world's clothes.
pub(crate) struct Host<const FAULT: u8> {
    relay: Relay<Files>,
    interval: Duration,
    /// As the writer of a relay that runs does it.
    forget_at: Option<Moment>,
}

impl<const FAULT: u8> Host<FAULT> {
    /// Takes the relay's disk as it is at this moment.
    pub(crate) fn seize(&self, to: &Path) {
        for file in fs::read_dir(self.relay.queues.folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
    }
}

impl<const FAULT: u8> Server for Host<FAULT> {
    fn chain(&self, endpoint: &Endpoint) -> Option<Vec<Vec<u8>>> {
        let listens = endpoint.hosts == self.relay.address().server.hosts;
        listens.then(|| self.relay.identity.chain.clone())
    }

    fn opened(&mut self, cx: &mut Context<'_>, conn: ConnId, channel: Channel) {
        self.relay.opened(cx, ConnectionId(conn.0), channel.binding);
    }

    fn received(&mut self, cx: &mut Context<'_>, conn: ConnId, bytes: Vec<u8>) {
        self.relay.received(cx, ConnectionId(conn.0), &bytes);
        let due = cx.now() + self.interval;
        self.forget_at.get_or_insert(due);
    }

    fn closed(&mut self, _: &mut Context<'_>, conn: ConnId) {
        self.relay.closed(ConnectionId(conn.0));
    }

    fn timeout(&mut self, cx: &mut Context<'_>) {
        if self.forget_at.is_some_and(|at| at <= cx.now()) {
            self.forget_at = None;
            if FAULT != KEEPS_HISTORY {
                self.relay.queues.forget();
            }
        }
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.forget_at
    }

    fn poll_output(&mut self) -> Option<ServerOutput> {
        self.relay.poll_output().map(|wanted| match wanted {
            Wanted::Send(id, bytes) => ServerOutput::Send(ConnId(id.0), bytes),
            Wanted::Close(id) => ServerOutput::Close(ConnId(id.0)),
        })
    }

    fn crash(&mut self) {
        self.relay.crash();
    }
}

/// The folder of a relay, and the store over it.
pub(crate) struct Files {
    store: RelayServerStore,
    known: BTreeMap<Name, Arc<QueueRecord>>,
    /// Whether the names of queues are printed.
    talks: bool,
    // After the store, which writes there.
    folder: TempDir,
}

impl Files {
    fn new(talks: bool) -> Self {
        // Nothing here waits for a disk.
        let memory = Path::new("/dev/shm");
        let folder = match memory.is_dir() {
            true => TempDir::new_in(memory),
            false => TempDir::new(),
        };
        let folder = folder.unwrap();
        let key = KeyFile::at(folder.path().join("key"));
        let key = key.create(&mut OsEntropy).unwrap();
        let key = key.derive(Role::RelayServer, "relay");
        let path = folder.path().join("relay-server.db");
        let mut store = RelayServerStore::open(&path, &key).unwrap();
        store.begin().unwrap();
        Self {
            store,
            known: BTreeMap::new(),
            talks,
            folder,
        }
    }

    fn forget(&mut self) {
        self.store.commit().unwrap();
        self.store.put_in_order().unwrap();
        self.store.forget().unwrap();
        self.store.begin().unwrap();
    }

    fn print(&self, queue: &QueueRecord) {
        if !self.talks {
            return;
        }
        let mut log = fs::File::options();
        let log = log.create(true).append(true);
        let mut log = log.open(self.folder.path().join("log")).unwrap();
        let name: String = queue
            .sender_id
            .0
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        writeln!(log, "a message for {name}").unwrap();
    }
}

fn names(queue: &QueueRecord) -> impl Iterator<Item = Name> {
    let link = queue.link_id.clone().map(Name::Link);
    [
        Name::Recipient(queue.recipient_id),
        Name::Sender(queue.sender_id),
    ]
    .into_iter()
    .chain(link)
}

impl Directory for &Files {
    fn find(&self, name: &Name) -> Lookup {
        Lookup::Known(self.known.get(name).cloned())
    }
}

impl Queues for Files {
    fn directory(&self) -> impl Directory {
        self
    }

    fn commit(&mut self, changes: Vec<QueueChange>) {
        self.store.commit().unwrap();
        self.store.begin().unwrap();
        for QueueChange { before, after } in changes {
            for name in before.iter().flat_map(|queue| names(queue)) {
                self.known.remove(&name);
            }
            for name in after.iter().flat_map(|queue| names(queue)) {
                self.known.insert(name, Arc::clone(after.as_ref().unwrap()));
            }
        }
    }

    fn roll_back(&mut self) {
        self.store.rollback().unwrap();
        self.store.begin().unwrap();
    }
}

impl server::Storage for Files {
    fn queue(&mut self, row: QueueRow) -> Result<Option<QueueRecord>, StorageError> {
        self.store.queue(row)
    }

    fn find(&mut self, name: &Name) -> Result<Option<QueueRecord>, StorageError> {
        self.store.find(name)
    }

    fn insert_queue(&mut self, queue: NewRecord) -> Result<Option<QueueRecord>, StorageError> {
        self.store.insert_queue(queue)
    }

    fn update_queue(&mut self, record: &QueueRecord) -> Result<(), StorageError> {
        self.store.update_queue(record)
    }

    fn delete_queue(&mut self, row: QueueRow) -> Result<(), StorageError> {
        self.store.delete_queue(row)
    }

    fn link(&mut self, row: QueueRow) -> Result<Option<StoredLink>, StorageError> {
        self.store.link(row)
    }

    fn set_link(
        &mut self,
        row: QueueRow,
        link_id: &[u8],
        link: &StoredLink,
    ) -> Result<bool, StorageError> {
        self.store.set_link(row, link_id, link)
    }

    fn delete_link(&mut self, row: QueueRow) -> Result<(), StorageError> {
        self.store.delete_link(row)
    }

    fn depth(&mut self, row: QueueRow) -> Result<Depth, StorageError> {
        self.store.depth(row)
    }

    fn head(&mut self, row: QueueRow) -> Result<Option<(Place, StoredMessage)>, StorageError> {
        self.store.head(row)
    }

    fn append(&mut self, row: QueueRow, message: &StoredMessage) -> Result<Place, StorageError> {
        let queue = self.store.queue(row)?;
        queue.iter().for_each(|queue| self.print(queue));
        self.store.append(row, message)
    }

    fn remove(&mut self, row: QueueRow, place: Place, id: &Id) -> Result<bool, StorageError> {
        self.store.remove(row, place, id)
    }

    fn expire(&mut self, before: Timestamp, limit: u32) -> Result<u32, StorageError> {
        self.store.expire(before, limit)
    }
}
