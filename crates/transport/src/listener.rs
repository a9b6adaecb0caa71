//! The accept loop: budgets, and one task for each connection.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;

use crate::gate::{Line, Places, hello};
use crate::tls::{Accepted, Acceptor};

/// Rest after the system refused a new socket, usually for want of
/// descriptors; trying again at once would only burn processor time.
const REST: Duration = Duration::from_millis(100);

/// Budgets of a listener.
#[derive(Clone, Copy, Debug)]
pub struct ServeLimits {
    /// Connections at the same time; further ones wait in the system's queue.
    pub connections: usize,
    /// Sockets at the same time whose `ClientHello` is not all there. They hold
    /// no handshake's place; beyond the limit the oldest is closed.
    pub silent: usize,
    /// Sockets at the same time that wait for a handshake's place; beyond the
    /// limit the oldest is closed.
    pub queued: usize,
    /// How long a socket may take to send its `ClientHello`, and how long it
    /// may then wait for a place.
    pub patience: Duration,
    /// Handshakes at the same time, which bounds what unknown clients can make
    /// the server compute and hold.
    pub handshakes: usize,
    /// How long a handshake has its place for sure. Then it goes on until
    /// another socket waits for a place.
    pub safe: Duration,
}

impl Default for ServeLimits {
    fn default() -> Self {
        Self {
            connections: 100_000,
            silent: 4_096,
            queued: 1_024,
            patience: Duration::from_secs(10),
            handshakes: 256,
            safe: Duration::from_secs(2),
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
    let gates = Arc::new(Gates::new(&limits));
    let mut tasks = JoinSet::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => return,
            Some(_ended) = tasks.join_next() => {}
            next = next_connection(&listener, &connections) => match next {
                Ok((tcp, permit)) => {
                    let (acceptor, session) = (acceptor.clone(), Arc::clone(&session));
                    let gates = Arc::clone(&gates);
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
    silent: Line,
    places: Places,
}

impl Gates {
    fn new(limits: &ServeLimits) -> Self {
        let queue = Line::new(limits.queued, limits.patience);
        Self {
            silent: Line::new(limits.silent, limits.patience),
            places: Places::new(limits.handshakes, limits.safe, queue),
        }
    }

    async fn pass(&self, tcp: TcpStream, acceptor: Acceptor) -> Option<Accepted> {
        self.silent.wait(hello(&tcp)).await?;
        let handshake = async {
            match acceptor.accept(tcp).await {
                Ok(accepted) => Some(accepted),
                Err(error) => {
                    tracing::debug!(%error, "handshake failed");
                    None
                }
            }
        };
        self.places.run(handshake).await
    }
}

async fn run<S, F>(
    tcp: TcpStream,
    permit: OwnedSemaphorePermit,
    gates: Arc<Gates>,
    acceptor: Acceptor,
    session: Arc<S>,
) where
    S: Fn(Accepted) -> F,
    F: Future<Output = ()>,
{
    // Boxed, so that the handshake's state is not part of the idle task.
    let accepted = Box::pin(async move { gates.pass(tcp, acceptor).await }).await;
    if let Some(accepted) = accepted {
        session(accepted).await;
    }
    drop(permit);
}
