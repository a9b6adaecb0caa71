//! The two hellos, the server's side.

use core::fmt;
use std::sync::Arc;

use hushwing_sansio::Context;
use subtle::ConstantTimeEq;

use super::{Open, SessionEnd};
use crate::wire::block::agree;
use crate::wire::{
    ClientHello, DhSecret, Opener, Role, SUPPORTED, Sealer, ServerHello, SignedKey, SigningKey,
    Verifier, Writer, hello_block, open_hello,
};

/// Who the server is: what its address names and its certificates prove.
pub struct ServerIdentity {
    /// SHA-256 over the DER of the identity certificate (chain index 1).
    pub fingerprint: [u8; 32],
    /// The chain of the TLS session in DER, leaf first, 2 to 4 certificates.
    pub chain: Vec<Vec<u8>>,
    /// The leaf's key; signs session keys.
    pub leaf_key: SigningKey,
}

impl fmt::Debug for ServerIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerIdentity(..)")
    }
}

/// What the TLS handshake of an accepted connection yielded.
#[derive(Clone)]
pub struct Accepted {
    /// `verify_data` of the client's Finished: the session id.
    pub binding: Vec<u8>,
    /// Whether a protocol was negotiated by ALPN. Without it the peer is older
    /// than all versions we speak.
    pub alpn: bool,
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Accepted(..)")
    }
}

/// The version that clients without ALPN are told, which we then refuse.
const LAST_WITHOUT_ALPN: u16 = 6;

/// The session key while the client's hello is awaited.
pub(super) struct Hello {
    identity: Arc<ServerIdentity>,
    /// Taken when the hello comes; a second cannot follow.
    secret: Option<DhSecret>,
}

impl Hello {
    /// The hello and its block.
    pub(super) fn new(
        cx: &mut Context<'_>,
        identity: &Arc<ServerIdentity>,
        accepted: &Accepted,
    ) -> Result<(Self, Vec<u8>), SessionEnd> {
        let secret = DhSecret::from_bytes(cx.random()).map_err(|_| SessionEnd::Crypto)?;
        let hello = if accepted.alpn {
            let signed_key = SignedKey::sign(&secret.public(), &identity.leaf_key)
                .map_err(|_| SessionEnd::Crypto)?;
            let hello = ServerHello {
                versions: SUPPORTED,
                session_id: &accepted.binding,
                chain: identity.chain.iter().map(Vec::as_slice).collect(),
                signed_key: &signed_key,
            };
            hello.encode().map_err(|_| SessionEnd::Crypto)?
        } else {
            let mut hello = Vec::new();
            Writer::new(&mut hello)
                .u16(LAST_WITHOUT_ALPN)
                .u16(LAST_WITHOUT_ALPN)
                .str(&accepted.binding);
            hello
        };
        let block = hello_block(&hello).map_err(|_| SessionEnd::Crypto)?;
        let secret = accepted.alpn.then_some(secret);
        Ok((
            Self {
                identity: Arc::clone(identity),
                secret,
            },
            block,
        ))
    }

    /// Judges the client's hello and agrees the keys.
    pub(super) fn finish(
        &mut self,
        session_id: &[u8],
        block: &mut [u8],
    ) -> Result<(Open, Sealer), SessionEnd> {
        let content = open_hello(block).map_err(|_| SessionEnd::Hello)?;
        let hello = ClientHello::parse(content).map_err(|_| SessionEnd::Hello)?;
        let right_server: bool = hello.key_hash.ct_eq(&self.identity.fingerprint).into();
        // Services authenticate by a protocol of their own, which is not
        // served; a client that insists on it cannot go on.
        if !right_server || !SUPPORTED.contains(hello.version) || hello.service.is_some() {
            return Err(SessionEnd::Hello);
        }
        let secret = self.secret.take().ok_or(SessionEnd::Hello)?;
        let sealed = hello.version.has_block_encryption() && !hello.forwards;
        let (sealer, opener) = match hello.key.filter(|_| sealed) {
            None => (Sealer::plain(), Opener::plain()),
            Some(key) => {
                let agreed = secret.agree(&key).map_err(|_| SessionEnd::Hello)?;
                agree(Role::Server, session_id, &agreed).map_err(|_| SessionEnd::Crypto)?
            }
        };
        let open = Open {
            version: hello.version,
            opener,
            verifier: Verifier::new(session_id, Some(secret)),
            agreed: Default::default(),
        };
        Ok((open, sealer))
    }
}
