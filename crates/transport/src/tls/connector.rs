//! The client's end: TCP to the first host that answers, then TLS to exactly
//! the identity the address names.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use hushwing_sansio::{Channel, CloseReason, Endpoint};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, OtherError};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::chain::{ChainError, PinnedIdentity};
use super::provider::provider;
use super::tunnel::{StreamError, StreamLimits, Tunnel};
use super::wire::{Session, WIRE_BUFFER};
use crate::bytes::{ByteStream, Chunks};
use crate::pool::Pool;

/// Buffers kept for all connections of one connector.
const KEPT_BUFFERS: usize = 8;

/// How patient a client is.
#[derive(Clone, Copy, Debug)]
pub struct ConnectorConfig {
    /// Time for the TCP connection to one host.
    pub connect_patience: Duration,
    /// Time for the TLS handshake.
    pub handshake_patience: Duration,
    /// Budgets of the connection that follows.
    pub limits: StreamLimits,
}

impl Default for ConnectorConfig {
    fn default() -> Self {
        Self {
            connect_patience: Duration::from_secs(25),
            handshake_patience: Duration::from_secs(60),
            limits: StreamLimits {
                most_unsent: 32 * 1024 * 1024,
                ..StreamLimits::default()
            },
        }
    }
}

/// Why no stream came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The endpoint names no host that can be reached without a proxy.
    #[error("the address names no host that can be reached directly")]
    NoHost,
    /// No host took the connection; the error is that of the last one.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The server is not the one the address names.
    #[error(transparent)]
    WrongIdentity(ChainError),
    /// The handshake took too long.
    #[error("the server did not finish the TLS handshake in time")]
    Slow,
    /// The handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Handshake(#[source] StreamError),
    /// A bug: rustls did not compute the Finished messages as expected, or
    /// refused our configuration.
    #[error("the TLS library behaved unexpectedly: {0}")]
    Library(String),
}

impl ConnectError {
    /// The coarse reason machines are told.
    #[must_use]
    pub fn close_reason(&self) -> CloseReason {
        match self {
            Self::NoHost | Self::Unreachable(_) => CloseReason::Unreachable,
            Self::WrongIdentity(_) => CloseReason::WrongIdentity,
            Self::Slow | Self::Handshake(_) | Self::Library(_) => CloseReason::Handshake,
        }
    }
}

/// Opens streams to pinned servers. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    config: ConnectorConfig,
    pool: Arc<Pool>,
}

impl Connector {
    /// A connector with `config`.
    #[must_use]
    pub fn new(config: ConnectorConfig) -> Self {
        Self {
            config,
            pool: Pool::new(WIRE_BUFFER, KEPT_BUFFERS),
        }
    }

    /// Connects to the first host of `endpoint` that answers and proves the
    /// identity with the endpoint's fingerprint.
    ///
    /// # Errors
    ///
    /// See [`ConnectError`]; [`ConnectError::close_reason`] is what machines
    /// are told.
    pub async fn connect(
        &self,
        endpoint: &Endpoint,
    ) -> Result<(ByteStream, Channel), ConnectError> {
        let tcp = self.dial(endpoint).await?;
        let tls = client_session(endpoint).map_err(|e| ConnectError::Library(e.to_string()))?;
        let session = Session::Client(Box::new(tls));
        let pool = Arc::clone(&self.pool);
        let mut tunnel = Tunnel::new(tcp, session, pool, Chunks::default(), self.config.limits);
        let finished = timeout(self.config.handshake_patience, tunnel.handshake())
            .await
            .map_err(|_| ConnectError::Slow)?
            .map_err(handshake_error)?;
        let binding =
            finished.ok_or_else(|| ConnectError::Library("no Finished message".into()))?;
        let certificates = tunnel.common().peer_certificates().unwrap_or_default();
        let chain = certificates
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect();
        Ok((ByteStream::new(tunnel), Channel { binding, chain }))
    }

    async fn dial(&self, endpoint: &Endpoint) -> Result<TcpStream, ConnectError> {
        let mut outcome = Err(ConnectError::NoHost);
        for host in endpoint.hosts.iter().filter(|host| is_direct(host)) {
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let dialling = TcpStream::connect((host, endpoint.port));
            match timeout(self.config.connect_patience, dialling).await {
                Ok(Ok(tcp)) => {
                    tcp.set_nodelay(true).map_err(ConnectError::Unreachable)?;
                    return Ok(tcp);
                }
                Ok(Err(error)) => outcome = Err(ConnectError::Unreachable(error)),
                Err(_) => {
                    let slow = io::Error::from(io::ErrorKind::TimedOut);
                    outcome = Err(ConnectError::Unreachable(slow));
                }
            }
        }
        outcome
    }
}

/// Onion names must never be asked of the domain name system, which would
/// learn them and could not answer.
fn is_direct(host: &str) -> bool {
    !host
        .trim_end_matches('.')
        .to_ascii_lowercase()
        .ends_with(".onion")
}

pub(super) fn client_session(
    endpoint: &Endpoint,
) -> Result<UnbufferedClientConnection, rustls::Error> {
    let verifier = Arc::new(PinnedIdentity::new(endpoint.fingerprint));
    let mut config = ClientConfig::builder_with_provider(provider()?)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    // A name sent means "web page" to servers that share a port (smp.md 1.1).
    config.enable_sni = false;
    if !endpoint.alpn.is_empty() {
        config.alpn_protocols = vec![endpoint.alpn.to_vec()];
    }
    let unused_name = ServerName::IpAddress(IpAddr::V4(Ipv4Addr::UNSPECIFIED).into());
    UnbufferedClientConnection::new(Arc::new(config), unused_name)
}

fn handshake_error(error: StreamError) -> ConnectError {
    if let StreamError::Tls(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(
        inner,
    )))) = &error
        && let Some(chain) = inner.downcast_ref::<ChainError>()
    {
        return ConnectError::WrongIdentity(chain.clone());
    }
    match error {
        StreamError::Tls(rustls::Error::NoCertificatesPresented) => {
            ConnectError::WrongIdentity(ChainError::Length(0))
        }
        other => ConnectError::Handshake(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn onion_names_are_not_asked_of_the_name_system() {
        assert!(is_direct("relay.example"));
        assert!(is_direct("onion"));
        assert!(!is_direct("abc.onion"));
        assert!(!is_direct("ABC.ONION."));
    }
}
