//! TLS 1.3 as SMP wants it: one cipher suite, pinned identities, and the
//! client's Finished message as the name of the session.
//!
//! [`Connector`] opens a stream to a server known by fingerprint;
//! [`Acceptor`] answers with an [`Identity`]. Both yield a stream and the
//! [`Channel`](hushwing_sansio::Channel) that protocol machines ask for. Why
//! this is rustls and not OpenSSL stands in `rfcs/0002-tls-library.md`.
//!
//! | file | concept |
//! |---|---|
//! | `provider` | the one cipher suite, key exchange and signature schemes |
//! | `finished` | recording the Finished message |
//! | `ed448` | verifying Ed448 signatures |
//! | `chain` | which certificate chains are taken for a fingerprint |
//! | `identity` | a server's certificates and key |
//! | `pem` | the text they are kept in |
//! | `connector`, `acceptor` | the two ends of a handshake |
//! | `tunnel`, `wire` | an established connection without idle buffers |

mod acceptor;
mod chain;
mod connector;
mod ed448;
mod finished;
mod identity;
mod pem;
mod provider;
mod tunnel;
mod wire;

pub use acceptor::{AcceptError, Accepted, Acceptor, AcceptorConfig};
pub use chain::{ChainError, check_chain};
pub use connector::{ConnectError, Connector, ConnectorConfig};
pub use identity::{GeneratedIdentity, Identity, IdentityError};
pub use pem::{pem_section, pem_text};
pub use tunnel::{StreamError, StreamLimits};

pub(crate) use tunnel::{Happening, Plaintext, Tunnel};
