//! Thousands of connections, each subscribed to one queue, that do nothing.

use std::path::Path;
use std::time::Duration;

use hushwing_relay::wire::{Command, SigningKey};
use hushwing_sansio::Endpoint;
use hushwing_transport::{Connector, ConnectorConfig};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::limit::Primitives;
use super::peer::{Peer, new_key};
use super::server::Server;
use crate::clock::{Samples, micros};
use crate::process::allow_open_files;
use crate::{BenchError, Figure};

/// Connections held.
const CONNECTIONS: usize = 5_000;
/// Connections opened and closed before, which pay for what a server
/// allocates once.
const WARM_UP: usize = 50;
/// Connections being opened at the same time.
const AT_ONCE: usize = 32;
/// Files that a process has open besides.
const OTHER_FILES: u64 = 200;
/// For the server to put down what it used while connections came.
const SETTLE: Duration = Duration::from_secs(1);

/// A queue and the key of its recipient.
type Queue = (Vec<u8>, SigningKey);

/// Figures of connections.
pub(super) fn measure(runtime: &Runtime, program: &Path) -> Result<Vec<Figure>, BenchError> {
    allow_open_files(CONNECTIONS as u64 + OTHER_FILES)?;
    let mut primitives = Primitives::new()?;
    let unavoidable = primitives.connection_memory()?;
    let server = Server::start(program)?;
    let connector = Connector::new(ConnectorConfig::default());
    let queues = runtime.block_on(create(&connector, server.endpoint()))?;
    let (warm, queues) = queues
        .split_at_checked(WARM_UP)
        .ok_or(BenchError::Bug("queues"))?;
    drop(runtime.block_on(subscribe(&connector, &server, warm))?);
    std::thread::sleep(SETTLE);

    let (before, busy) = (server.resident()?, server.time()?);
    let mut reference = Samples::default();
    reference.push(primitives.subscribed_connection()?);
    let peers = runtime.block_on(subscribe(&connector, &server, queues))?;
    let busy = server.time()?.saturating_sub(busy);
    std::thread::sleep(SETTLE);
    let grown = server.resident()?.saturating_sub(before);
    reference.push(primitives.subscribed_connection()?);
    drop(peers);

    let count = queues.len() as f64;
    let memory = grown as f64 / count;
    Ok(vec![
        Figure::new(
            "resident_bytes_per_idle_connection",
            "bytes",
            memory,
            unavoidable,
        ),
        Figure::new(
            "connect_and_subscribe_cpu_vs_crypto",
            "µs/connection",
            micros(busy) / count,
            reference.median(),
        ),
    ])
}

/// Creates the queues over one connection, subscribed to none of them.
async fn create(connector: &Connector, endpoint: &Endpoint) -> Result<Vec<Queue>, BenchError> {
    let mut peer = Peer::connect(connector, endpoint).await?;
    let mut queues = Vec::with_capacity(WARM_UP + CONNECTIONS);
    for _ in 0..WARM_UP + CONNECTIONS {
        let key = new_key()?;
        let (recipient, _) = peer.create(&key, false).await?;
        queues.push((recipient, key));
    }
    Ok(queues)
}

/// A connection for each queue, subscribed to it.
async fn subscribe(
    connector: &Connector,
    server: &Server,
    queues: &[Queue],
) -> Result<Vec<Peer>, BenchError> {
    let (mut tasks, mut peers) = (JoinSet::new(), Vec::with_capacity(queues.len()));
    for (recipient, key) in queues {
        let (connector, endpoint) = (connector.clone(), server.endpoint().clone());
        let key = SigningKey::from_seed(*key.seed()).map_err(BenchError::bug("no key"))?;
        let recipient = recipient.clone();
        tasks.spawn(async move {
            let mut peer = Peer::connect(&connector, &endpoint).await?;
            peer.tell(&recipient, &key, &Command::Sub).await?;
            peer.hear_done().await?;
            Ok(peer)
        });
        while tasks.len() >= AT_ONCE {
            peers.extend(finished(&mut tasks).await?);
        }
    }
    while let Some(peer) = finished(&mut tasks).await? {
        peers.push(peer);
    }
    Ok(peers)
}

async fn finished(
    tasks: &mut JoinSet<Result<Peer, BenchError>>,
) -> Result<Option<Peer>, BenchError> {
    match tasks.join_next().await {
        None => Ok(None),
        Some(done) => done
            .map_err(BenchError::bug("a load task ended"))?
            .map(Some),
    }
}
