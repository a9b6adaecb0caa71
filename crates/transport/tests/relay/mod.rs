//! A server of our own on loopback, for tests of whoever meets one.

use std::future::Future;

use hushwing_sansio::Endpoint;
use hushwing_transport::tls::Identity;
use hushwing_transport::{Accepted, Acceptor, AcceptorConfig, ServeLimits, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A server that listens, and where it is.
pub(crate) struct Relay {
    pub(crate) listener: TcpListener,
    pub(crate) acceptor: Acceptor,
    pub(crate) endpoint: Endpoint,
}

impl Relay {
    /// Listens under an identity of its own; nobody is accepted yet.
    pub(crate) async fn listen(config: AcceptorConfig) -> Self {
        let identity = Identity::generate("relay.test").unwrap().identity;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = Endpoint {
            hosts: vec!["127.0.0.1".into()],
            port: listener.local_addr().unwrap().port(),
            fingerprint: identity.fingerprint(),
            alpn: b"smp/1",
        };
        let acceptor = Acceptor::new(&identity, config).unwrap();
        Self {
            listener,
            acceptor,
            endpoint,
        }
    }

    /// Serves everybody who comes, until `stop`.
    pub(crate) fn serve<S, F>(
        self,
        limits: ServeLimits,
        session: S,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> (Endpoint, JoinHandle<()>)
    where
        S: Fn(Accepted) -> F + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let serving = serve(self.listener, self.acceptor, limits, session, stop);
        (self.endpoint, tokio::spawn(serving))
    }
}
