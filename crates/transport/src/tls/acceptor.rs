//! The server's end of the handshake.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use hushwing_sansio::Channel;
use rustls::ServerConfig;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, UnbufferedServerConnection,
};
use rustls::sign::CertifiedKey;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::identity::Identity;
use super::provider::provider;
use super::tunnel::{StreamError, StreamLimits, Tunnel};
use super::wire::{Session, WIRE_BUFFER};
use crate::block::{BLOCK_LENGTH, BlockStream, Blocks};
use crate::pool::Pool;

/// How patient a server is, and what it keeps.
#[derive(Clone, Debug)]
pub struct AcceptorConfig {
    /// ALPN names the server knows, preferred first. A client that offers
    /// only others is refused with an alert; one that offers none is let in.
    pub alpn: Vec<Vec<u8>>,
    /// Time for the TLS handshake. It is shorter than the 60 s of smp.md 1.1:
    /// handshakes have few places, and a peer that says nothing waits for one
    /// elsewhere.
    pub handshake_patience: Duration,
    /// Budgets of each connection.
    pub limits: StreamLimits,
    /// Unused buffers kept for all connections together, of 32 and 16 KiB.
    pub kept_buffers: usize,
}

impl Default for AcceptorConfig {
    /// What smp.md 1.1 asks of a server, but for the patience.
    fn default() -> Self {
        Self {
            alpn: vec![b"smp/1".to_vec(), b"http/1.1".to_vec(), b"h2".to_vec()],
            handshake_patience: Duration::from_secs(10),
            limits: StreamLimits::default(),
            kept_buffers: 64,
        }
    }
}

/// Why a connection was not taken.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The handshake took too long.
    #[error("the client did not finish the TLS handshake in time")]
    Slow,
    /// The handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Handshake(#[source] StreamError),
    /// A bug: rustls did not compute the Finished messages as expected, or
    /// refused our configuration.
    #[error("the TLS library behaved unexpectedly: {0}")]
    Library(String),
}

/// A connection that was taken.
pub struct Accepted {
    /// Blocks in, blocks out.
    pub stream: BlockStream,
    /// The client's Finished, and this server's own chain.
    pub channel: Channel,
    /// The ALPN name agreed on; `None` if the client offered none, which SMP
    /// reads as "version 6 only".
    pub alpn: Option<Vec<u8>>,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accepted(..)")
    }
}

/// Answers handshakes with one identity. Cheap to clone.
#[derive(Clone)]
pub struct Acceptor {
    tls: Arc<ServerConfig>,
    chain: Arc<Vec<Vec<u8>>>,
    handshake_patience: Duration,
    limits: StreamLimits,
    wire_pool: Arc<Pool>,
    block_pool: Arc<Pool>,
}

impl Acceptor {
    /// An acceptor that shows `identity`.
    ///
    /// # Errors
    ///
    /// [`AcceptError::Library`] if rustls refuses the configuration.
    pub fn new(identity: &Identity, config: AcceptorConfig) -> Result<Self, AcceptError> {
        let chain = Arc::new(identity.chain());
        let alpn = config.alpn;
        let tls = server_config(identity, alpn).map_err(|e| AcceptError::Library(e.to_string()))?;
        Ok(Self {
            tls: Arc::new(tls),
            chain,
            handshake_patience: config.handshake_patience,
            limits: config.limits,
            wire_pool: Pool::new(WIRE_BUFFER, config.kept_buffers),
            block_pool: Pool::new(BLOCK_LENGTH, config.kept_buffers),
        })
    }

    /// Runs the handshake on `tcp`.
    ///
    /// The future is large while the handshake runs; box it where many tasks
    /// idle afterwards, as [`serve`](crate::serve) does.
    ///
    /// # Errors
    ///
    /// See [`AcceptError`].
    pub async fn accept(&self, tcp: TcpStream) -> Result<Accepted, AcceptError> {
        let broken = |error: std::io::Error| AcceptError::Handshake(error.into());
        tcp.set_nodelay(true).map_err(broken)?;
        let tls = UnbufferedServerConnection::new(Arc::clone(&self.tls))
            .map_err(|e| AcceptError::Library(e.to_string()))?;
        let session = Session::Server(Box::new(tls));
        let blocks = Blocks::new(Arc::clone(&self.block_pool));
        let pool = Arc::clone(&self.wire_pool);
        let mut tunnel = Tunnel::new(tcp, session, pool, blocks, self.limits);
        let finished = timeout(self.handshake_patience, tunnel.handshake())
            .await
            .map_err(|_| AcceptError::Slow)?
            .map_err(AcceptError::Handshake)?;
        let binding = finished.ok_or_else(|| AcceptError::Library("no Finished message".into()))?;
        let alpn = tunnel.common().alpn_protocol().map(<[u8]>::to_vec);
        let channel = Channel {
            binding,
            chain: self.chain.as_ref().clone(),
        };
        Ok(Accepted {
            stream: BlockStream::new(tunnel),
            channel,
            alpn,
        })
    }
}

pub(super) fn server_config(
    identity: &Identity,
    alpn: Vec<Vec<u8>>,
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider()?)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(OneIdentity(identity.certified())));
    config.alpn_protocols = alpn;
    // A resumed session would have no Finished of its own to be named by.
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    Ok(config)
}

#[derive(Debug)]
struct OneIdentity(Arc<CertifiedKey>);

impl ResolvesServerCert for OneIdentity {
    fn resolve(&self, _client_hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}
