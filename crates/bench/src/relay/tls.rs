//! TLS handshakes in memory, with the cipher suite and key exchange of SMP:
//! what the TLS library takes of time and memory by itself.

use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, KeyPair, PKCS_ED25519};
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection};

use crate::BenchError;
use crate::clock::{micros, thread_time};
use crate::process::own_resident;

/// Handshakes in one measurement of time.
const TIMED: u32 = 40;
/// Connections held in one measurement of memory.
const HELD: usize = 500;

/// A server and a client that trusts it.
pub(super) struct Handshakes {
    server: Arc<ServerConfig>,
    client: Arc<ClientConfig>,
}

impl Handshakes {
    pub(super) fn new() -> Result<Self, BenchError> {
        Self::configure().ok_or(BenchError::Bug("no TLS configuration"))
    }

    fn configure() -> Option<Self> {
        let key = KeyPair::generate_for(&PKCS_ED25519).ok()?;
        let certificate = CertificateParams::new(vec!["localhost".into()])
            .and_then(|params| params.self_signed(&key))
            .ok()?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).ok()?;
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![cipher_suite::TLS13_CHACHA20_POLY1305_SHA256],
            kx_groups: vec![kx_group::X25519],
            ..default_provider()
        });
        let versions = &[&rustls::version::TLS13];
        let private = PrivateKeyDer::try_from(key.serialize_der()).ok()?;
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(versions)
            .ok()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .ok()?;
        server.send_tls13_tickets = 0;
        let client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .ok()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(Self {
            server: Arc::new(server),
            client: Arc::new(client),
        })
    }

    /// Microseconds of processor time that the server's half takes.
    pub(super) fn server_half(&self) -> Result<f64, BenchError> {
        let mut spent = Duration::ZERO;
        for _ in 0..TIMED {
            self.one(&mut spent)?;
        }
        Ok(micros(spent) / f64::from(TIMED))
    }

    /// Bytes held for each established connection.
    pub(super) fn memory(&self) -> Result<f64, BenchError> {
        let mut unused = Duration::ZERO;
        let mut held = Vec::with_capacity(HELD + 50);
        // The first ones pay for what is allocated once.
        for _ in 0..50 {
            held.push(self.one(&mut unused)?);
        }
        let before = own_resident()?;
        for _ in 0..HELD {
            held.push(self.one(&mut unused)?);
        }
        let grown = own_resident()?.saturating_sub(before);
        drop(held);
        Ok(grown as f64 / HELD as f64)
    }

    /// One handshake; the server's time is added to `spent`.
    fn one(&self, spent: &mut Duration) -> Result<ServerConnection, BenchError> {
        let failed = "a TLS handshake failed";
        let name = ServerName::try_from("localhost").map_err(BenchError::bug(failed))?;
        let mut client = ClientConnection::new(Arc::clone(&self.client), name)
            .map_err(BenchError::bug(failed))?;
        let before = thread_time();
        let mut server =
            ServerConnection::new(Arc::clone(&self.server)).map_err(BenchError::bug(failed))?;
        *spent += thread_time().saturating_sub(before);
        while client.is_handshaking() || server.is_handshaking() {
            let (mut there, mut back) = (Vec::new(), Vec::new());
            while client.wants_write() {
                client
                    .write_tls(&mut there)
                    .map_err(BenchError::bug(failed))?;
            }
            let before = thread_time();
            server
                .read_tls(&mut there.as_slice())
                .map_err(BenchError::bug(failed))?;
            server
                .process_new_packets()
                .map_err(BenchError::bug(failed))?;
            while server.wants_write() {
                server
                    .write_tls(&mut back)
                    .map_err(BenchError::bug(failed))?;
            }
            *spent += thread_time().saturating_sub(before);
            client
                .read_tls(&mut back.as_slice())
                .map_err(BenchError::bug(failed))?;
            client
                .process_new_packets()
                .map_err(BenchError::bug(failed))?;
        }
        Ok(server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_costs_the_server_time() {
        let mut spent = Duration::ZERO;
        let server = Handshakes::new().unwrap().one(&mut spent).unwrap();
        assert!(!server.is_handshaking());
        assert!(spent > Duration::ZERO);
    }
}
