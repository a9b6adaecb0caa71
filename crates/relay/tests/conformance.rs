//! The suite every network passes, over the client and the server of this
//! crate.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs
)]

mod peer;

use hushwing_delivery::NetworkTag;
use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{Client, MemoryStorage, Storage};
use hushwing_relay::server::{ConnectionId, ServerConfig};
use hushwing_sansio::{Channel, Context, Endpoint, Moment, StorageError};
use hushwing_sim::conformance::{Effort, behaviours};
use hushwing_sim::correspondent::Correspondent;
use hushwing_sim::{ConnId, Dice, Netem, NetworkRoom, Room, Server, ServerOutput};
use peer::{Relay, Wanted};

struct Smp;

/// A profile's disk: the servers it was configured with, and its records.
#[derive(Clone)]
struct Disk {
    servers: Vec<ServerAddress>,
    records: MemoryStorage,
}

impl Room for Smp {
    type Machine = Client;
    type Store = Disk;

    fn open(disk: &mut Disk) -> Result<Client, StorageError> {
        Client::open(disk.servers.clone(), &mut disk.records)
    }

    fn lend(disk: &mut Disk) -> &mut (dyn Storage + 'static) {
        &mut disk.records
    }
}

struct Host(Relay);

impl NetworkRoom for Smp {
    type Server = Host;

    const TAG: NetworkTag = NetworkTag::RELAY;

    fn server(_: Dice, _: &Netem) -> Host {
        // Few places in a queue, so that the suite meets the bound.
        Host(Relay::new(ServerConfig {
            quota: 16,
            ..ServerConfig::default()
        }))
    }

    fn store(server: &Host) -> Disk {
        Disk {
            servers: vec![server.0.address()],
            records: MemoryStorage::default(),
        }
    }
}

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

fn keeps(name: &str) {
    let effort = Effort::of(std::env::var("HUSHWING_SOAK").ok().as_deref());
    let (_, behaviour) = (behaviours::<Correspondent, Smp>().into_iter())
        .find(|(known, _)| *known == name)
        .expect("a behaviour of that name");
    behaviour(0, effort).unwrap_or_else(|violation| panic!("{violation}"));
}

/// One test per behaviour, and one that none is missing.
macro_rules! behaviours {
    ($($test:ident: $name:literal,)*) => {
        $(
            #[test]
            fn $test() {
                keeps($name);
            }
        )*

        #[test]
        fn every_behaviour_of_the_suite_is_tested() {
            let known: Vec<_> = behaviours::<Correspondent, Smp>().into_iter().map(|b| b.0).collect();
            assert_eq!(known, [$($name),*]);
        }
    };
}

behaviours! {
    calm: "letters arrive once each in calm",
    storm: "letters arrive once each in a storm",
    absent: "an absent recipient finds everything",
    full: "a full mailbox loses nothing",
    long: "a long letter arrives whole",
    closed: "a closed mailbox fails for good",
    reopened: "a mailbox reopens as itself",
    shared: "a shared mailbox takes letters of all",
    crashing_people: "a person may crash at every step",
    crashing_server: "the server may crash at every step",
    kept: "a server keeps what it accepted",
    one_time: "a one-time card is for one reader",
    reusable: "a reusable card is for everybody",
    wrong: "a wrong card is told apart",
}
