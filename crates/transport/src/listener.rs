//! The accept loop: budgets, and one task for each connection.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::silent::SilentSockets;
use crate::tls::{Accepted, Acceptor};

/// Rest after the system refused a new socket, usually for want of
/// descriptors; trying again at once would only burn processor time.
const REST: Duration = Duration::from_millis(100);

/// Budgets of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at the same time; further ones wait in the system's queue.
    pub connections: usize,
    /// Handshakes at the same time, which bounds what unknown clients can make
    /// the server compute and hold.
    pub handshakes: usize,
    /// Sockets at the same time on which nothing has arrived. They hold no
    /// handshake's place; beyond the limit the oldest is closed.
    pub silent: usize,
    /// How long a socket may stay silent.
    pub first_byte_patience: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            handshakes: 256,
            silent: 4_096,
            first_byte_patience: Duration::from_secs(10),
        }
    }
}

/// Accepts connections until `stop` completes, then ends all tasks.
///
/// `session` is called with each connection whose handshake succeeded; its
/// future runs on its own task, whose memory is what an idle connection costs
/// besides the stream itself: keep it small.
pub async fn serve<S, F>(
    listener: TcpListener,
    acceptor: Acceptor,
    limits: ServeLimits,
    session: S,
    stop: impl Future<Output = ()>,
) where
    S: Fn(Accepted) -> F + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let session = Arc::new(session);
    let connections = Arc::new(Semaphore::new(
        limits.connections.min(Semaphore::MAX_PERMITS),
    ));
    let handshakes = Arc::new(Semaphore::new(
        limits.handshakes.min(Semaphore::MAX_PERMITS),
    ));
    let silent = Arc::new(SilentSockets::new(
        limits.silent,
        limits.first_byte_patience,
    ));
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(_ended) = tasks.join_next() => {}
            next = next_connection(&listener, &connections) => match next {
                Ok((tcp, permit)) => {
                    let (acceptor, session) = (acceptor.clone(), Arc::clone(&session));
                    let gates = Gates {
                        silent: Arc::clone(&silent),
                        handshakes: Arc::clone(&handshakes),
                    };
                    tasks.spawn(run(tcp, permit, gates, acceptor, session));
                }
                Err(error) => {
                    tracing::warn!(kind = ?error.kind(), "cannot accept a connection");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
}

async fn next_connection(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections)
        .acquire_owned()
        .await
        .map_err(io::Error::other)?;
    let (tcp, _peer) = listener.accept().await?;
    Ok((tcp, permit))
}

/// What a socket passes before it is a connection.
struct Gates {
    silent: Arc<SilentSockets>,
    handshakes: Arc<Semaphore>,
}

async fn run<S, F>(
    tcp: TcpStream,
    permit: OwnedSemaphorePermit,
    gates: Gates,
    acceptor: Acceptor,
    session: Arc<S>,
) where
    S: Fn(Accepted) -> F,
    F: Future<Output = ()>,
{
    // Boxed, so that the handshake's state is not part of the idle task.
    let accepted = Box::pin(async move {
        if !gates.silent.speaks(&tcp).await {
            return None;
        }
        let _slot = gates.handshakes.acquire_owned().await.ok()?;
        match acceptor.accept(tcp).await {
            Ok(accepted) => Some(accepted),
            Err(error) => {
                tracing::debug!(%error, "handshake failed");
                None
            }
        }
    })
    .await;
    if let Some(accepted) = accepted {
        session(accepted).await;
    }
    drop(permit);
}
