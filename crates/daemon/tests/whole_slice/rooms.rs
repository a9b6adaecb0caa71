//! A messenger and the relay, as the world runs them.

use hushwing_conversation::{Config, Incoming, MemoryStorage, Messenger, Outgoing, Storage};
use hushwing_delivery::{NetworkEvent, NetworkTag};
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{self, Client};
use hushwing_relay::server::{ConnectionId, ServerConfig};
use hushwing_sansio::{Channel, Context, Endpoint, Moment, StorageError};
use hushwing_sim::{ConnId, Core, Dice, Netem, NetworkRoom, Room, Routed, Server, ServerOutput};

use crate::peer::{Relay, Wanted};

/// A profile's conversations.
pub(crate) struct Person;

impl Room for Person {
    type Machine = Messenger;
    type Store = MemoryStorage;

    fn open(store: &mut MemoryStorage) -> Result<Messenger, StorageError> {
        let config = Config {
            name: "Somebody".into(),
            ..Config::default()
        };
        Messenger::open(store, config)
    }

    fn lend(store: &mut MemoryStorage) -> &mut (dyn Storage + 'static) {
        store
    }
}

impl Core for Person {
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

/// The relay.
pub(crate) struct Smp;

/// A relay client's disk: the servers it was configured with, and its records.
#[derive(Clone)]
pub(crate) struct Disk {
    servers: Vec<ServerAddress>,
    records: client::MemoryStorage,
}

impl Room for Smp {
    type Machine = Client;
    type Store = Disk;

    fn open(disk: &mut Disk) -> Result<Client, StorageError> {
        Client::open(disk.servers.clone(), &mut disk.records)
    }

    fn lend(disk: &mut Disk) -> &mut (dyn client::Storage + 'static) {
        &mut disk.records
    }
}

impl NetworkRoom for Smp {
    type Server = Host;
    const TAG: NetworkTag = NetworkTag::RELAY;

    fn server(_: Dice, _: &Netem) -> Host {
        Host(Relay::new(ServerConfig::default()))
    }

    fn store(server: &Host) -> Disk {
        Disk {
            servers: vec![server.0.address()],
            records: client::MemoryStorage::default(),
        }
    }
}

/// The relay server in the world's clothes.
pub(crate) struct Host(Relay);

impl Server for Host {
    fn chain(&self, endpoint: &Endpoint) -> Option<Vec<Vec<u8>>> {
        let listens = endpoint.hosts == self.0.address().server.hosts;
        listens.then(|| self.0.identity.chain.clone())
    }

    fn opened(&mut self, cx: &mut Context<'_>, conn: ConnId, channel: Channel) {
        self.0.opened(cx, ConnectionId(conn.0), channel.binding);
    }

    fn received(&mut self, cx: &mut Context<'_>, conn: ConnId, bytes: Vec<u8>) {
        self.0.received(cx, ConnectionId(conn.0), &bytes);
    }

    fn closed(&mut self, _: &mut Context<'_>, conn: ConnId) {
        self.0.closed(ConnectionId(conn.0));
    }

    fn timeout(&mut self, _: &mut Context<'_>) {}

    fn poll_timeout(&self) -> Option<Moment> {
        None
    }

    fn poll_output(&mut self) -> Option<ServerOutput> {
        self.0.poll_output().map(|wanted| match wanted {
            Wanted::Send(id, bytes) => ServerOutput::Send(ConnId(id.0), bytes),
            Wanted::Close(id) => ServerOutput::Close(ConnId(id.0)),
        })
    }

    fn crash(&mut self) {
        self.0.crash();
    }
}
