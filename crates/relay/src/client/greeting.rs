//! The handshake, the client's side: is this the server the address names, and
//! which keys does the session have?

use hushwing_sansio::{Channel, Context};

use super::certificate;
use super::session::Ended;
use crate::address::Server;
use crate::wire::{
    Authoriser, ClientHello, DhPublic, DhSecret, Malformed, Opener, Role, SUPPORTED, Sealer,
    ServerHello, SignedKey, Version, agree, hello_block, open_hello,
};

/// What a session begins with.
pub(super) struct Greeted {
    pub(super) version: Version,
    pub(super) authoriser: Authoriser,
    pub(super) sealer: Sealer,
    pub(super) opener: Opener,
    /// The block with our hello, to be sent first.
    pub(super) hello: Vec<u8>,
}

/// Checks the server's hello and answers it.
pub(super) fn greet(
    cx: &mut Context<'_>,
    server: &Server,
    channel: &Channel,
    block: &mut [u8],
) -> Result<Greeted, Ended> {
    let hello = open_hello(block).map_err(|_| Ended::Unreachable)?;
    let hello = ServerHello::parse(hello).map_err(|_| Ended::Unreachable)?;
    let peer = check_identity(server, channel, &hello).map_err(|_| Ended::WrongServer)?;
    let version = SUPPORTED.common(hello.versions).ok_or(Ended::Unreachable)?;
    answer(cx, server, channel, version, &peer).map_err(|Malformed| Ended::Unreachable)
}

/// Our hello, and the session that begins with it.
fn answer(
    cx: &mut Context<'_>,
    server: &Server,
    channel: &Channel,
    version: Version,
    peer: &DhPublic,
) -> Result<Greeted, Malformed> {
    let own = DhSecret::from_bytes(cx.random())?;
    let (sealer, opener) = if version.has_block_encryption() {
        let secret = own.agree(peer).map_err(|_| Malformed)?;
        agree(Role::Client, &channel.binding, &secret)?
    } else {
        (Sealer::plain(), Opener::plain())
    };
    let hello = ClientHello {
        version,
        key_hash: &server.fingerprint,
        key: Some(own.public()),
        forwards: false,
        service: None,
    };
    let block = hello
        .encode()
        .and_then(|hello| hello_block(&hello))
        .map_err(|_| Malformed)?;
    Ok(Greeted {
        version,
        authoriser: Authoriser::new(&channel.binding),
        sealer,
        opener,
        hello: block,
    })
}

/// The session key in the hello, if the hello belongs to this TLS session and
/// the TLS session to the server that its address names.
fn check_identity(
    server: &Server,
    channel: &Channel,
    hello: &ServerHello<'_>,
) -> Result<DhPublic, Malformed> {
    let same_chain = hello.chain.iter().eq(channel.chain.iter());
    let identity = hello.chain.get(1).ok_or(Malformed)?;
    let leaf = hello.chain.first().ok_or(Malformed)?;
    if hello.session_id != channel.binding
        || !same_chain
        || certificate::fingerprint(identity) != server.fingerprint
    {
        return Err(Malformed);
    }
    let signer = certificate::public_key(leaf)?;
    SignedKey::parse(hello.signed_key)?
        .verify(&signer)
        .ok_or(Malformed)
}
