//! A relay server that runs: sockets, tasks and a file around
//! `hushwing_relay::server`.
//!
//! ```text
//!  serve ─► connection (task each, all cores) ──requests, names──► writer (thread)
//!                 ▲   │ find                                        │  begin
//!                 │   ▼                                             │  apply ×256
//!                 │ Recent ◄────────changes, found────────────────┤  commit
//!                 └────────────────answers, events─────────────────┘
//! ```
//!
//! All cryptography is in the connections. The writer owns the engine and the
//! database; while one transaction is being made durable the next one gathers.

mod backlog;
mod connection;
mod heard;
mod identity;
mod line;
mod mailboxes;
mod recent;
mod writer;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use hushwing_relay::server::{ConnectionId, ServerConfig, ServerIdentity};
use hushwing_store::keys::FileKey;
use hushwing_store::{OpenError, RelayServerStore};
use hushwing_transport::{AcceptError, Acceptor, AcceptorConfig, ServeLimits, SystemClock, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task;

use backlog::Unread;
pub use identity::IdentityFileError;
use mailboxes::Mailboxes;
use recent::Recent;
use writer::{ToWriter, Writer};

use crate::inspection::Verdict;

/// Name of the database in the server's folder.
pub(crate) const DATABASE: &str = "relay-server.db";

/// How a server is to run.
pub struct RelayServerOptions {
    /// Policies and limits.
    pub config: ServerConfig,
    /// Key of `relay-server.db`.
    pub key: FileKey,
    /// The name in the server's leaf certificate; clients do not check it.
    pub host: String,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens there.
    #[error("{0} is in use by another program")]
    AddressInUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Certificates or keys cannot be read or made.
    #[error(transparent)]
    Identity(#[from] IdentityFileError),
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// A bug: the TLS library refused our configuration.
    #[error(transparent)]
    Tls(#[from] AcceptError),
    /// The system gave no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

/// What all connections share.
struct Shared {
    config: Arc<ServerConfig>,
    identity: Arc<ServerIdentity>,
    recent: Arc<Recent>,
    writer: std::sync::mpsc::Sender<ToWriter>,
    clock: SystemClock,
    connections: AtomicU64,
    /// Bytes said to all connections and not read.
    unread: Unread,
}

impl Shared {
    fn next_connection(&self) -> ConnectionId {
        ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed))
    }
}

/// A server that is up. Dropping it stops it without waiting.
pub struct RelayServer {
    listening: SocketAddr,
    fingerprint: [u8; 32],
    stop: oneshot::Sender<()>,
    accepting: task::JoinHandle<()>,
    writing: JoinHandle<()>,
    writer: std::sync::mpsc::Sender<ToWriter>,
}

impl fmt::Debug for RelayServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayServer(..)")
    }
}

impl RelayServer {
    /// Starts a server whose files are in `dir`, on the current tokio runtime.
    /// The first start makes the folder, certificates, keys and database;
    /// later ones keep the identity and so the address. Port 0 takes any free
    /// port.
    ///
    /// # Errors
    ///
    /// See [`StartError`]; nothing is left running.
    pub async fn start(
        dir: &Path,
        listen: SocketAddr,
        options: RelayServerOptions,
    ) -> Result<Self, StartError> {
        let tls = identity::load_or_make(dir, &options.host)?;
        let identity = Arc::new(identity::for_sessions(&tls)?);
        // Before the port: that a relay runs in this folder says more than that
        // its port is taken.
        let store = RelayServerStore::open(&dir.join(DATABASE), &options.key)?;
        let listener = bind(listen).await?;
        let listening = listener.local_addr().map_err(|source| StartError::Listen {
            address: listen,
            source,
        })?;
        let acceptor = Acceptor::new(&tls, AcceptorConfig::default())?;

        let config = Arc::new(options.config);
        let recent = Arc::new(Recent::new(config.remembered_queues));
        let clock = SystemClock::start();
        let (writer, inbox) = std::sync::mpsc::channel();
        let unread = Unread::default();
        let mailboxes = Mailboxes::new(&config, unread.clone());
        let writing = Writer::new(
            Arc::clone(&config),
            store,
            Arc::clone(&recent),
            clock,
            mailboxes,
        )
        .spawn(inbox)
        .map_err(StartError::Thread)?;
        let to_writer = writer.clone();
        let fingerprint = identity.fingerprint;
        let shared = Arc::new(Shared {
            config,
            identity,
            recent,
            writer,
            clock,
            connections: AtomicU64::new(1),
            unread,
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let session = move |accepted| connection::run(accepted, Arc::clone(&shared));
        let accepting = tokio::spawn(async move {
            let stopped = async {
                // An error means that the handle was dropped: stop as well.
                let _ = stopped.await;
            };
            serve(listener, acceptor, ServeLimits::default(), session, stopped).await;
        });
        Ok(Self {
            listening,
            fingerprint,
            stop,
            accepting,
            writing,
            writer: to_writer,
        })
    }

    /// Where it listens; the port is the real one.
    #[must_use]
    pub fn listening(&self) -> SocketAddr {
        self.listening
    }

    /// SHA-256 over the identity certificate; the part of the address that
    /// names the server.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Asks whether the database is sound; the answer ends without a verdict
    /// if the server ends or its database fails first.
    pub(crate) fn inspect(&self) -> oneshot::Receiver<Verdict> {
        let (answer, answered) = oneshot::channel();
        // Without a writer the answer is dropped, which says so.
        let _ = self.writer.send(ToWriter::Inspect(answer));
        answered
    }

    /// Ends all connections and waits until what was accepted is on disk.
    pub async fn shutdown(self) {
        drop(self.writer);
        let _ = self.stop.send(());
        // The tasks end first: they hold the writer's last senders.
        let _ = self.accepting.await;
        let writing = self.writing;
        let _ = task::spawn_blocking(move || writing.join()).await;
    }
}

async fn bind(listen: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(listen).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            StartError::AddressInUse(listen)
        } else {
            StartError::Listen {
                address: listen,
                source,
            }
        }
    })
}
