//! One SMP connection of the load: it speaks the wire format and keeps nothing.
//!
//! It is leaner than a client: it checks no message, so that the machine's
//! processors are left to the server.

use std::collections::VecDeque;

use hushwing_relay::wire::auth::Signer;
use hushwing_relay::wire::key::SPKI_LEN;
use hushwing_relay::wire::{
    Authoriser, BlockBuilder, BlockReader, ClientHello, Command, DhPublic, DhSecret, ID_LEN,
    NewQueue, Opener, QueueRequest, Response, Role, SUPPORTED, Sealer, ServerHello, SigningKey,
    Version, agree, hello_block, open_hello, transmissions,
};
use hushwing_sansio::{Channel, Endpoint, Entropy};
use hushwing_transport::{ByteEvent, ByteStream, Connector, OsEntropy};

use crate::BenchError;

/// What the server said, as far as the load cares.
#[derive(Debug)]
pub(super) enum Said {
    Done,
    Ids { recipient: Vec<u8>, sender: Vec<u8> },
    Message { id: Vec<u8> },
}

/// A connection after its hellos.
pub(super) struct Peer {
    stream: ByteStream,
    reader: BlockReader,
    version: Version,
    authoriser: Authoriser,
    sealer: Sealer,
    opener: Opener,
    said: VecDeque<Said>,
}

impl Peer {
    pub(super) async fn connect(
        connector: &Connector,
        endpoint: &Endpoint,
    ) -> Result<Self, BenchError> {
        let (mut stream, channel) = connector.connect(endpoint).await?;
        let mut reader = BlockReader::default();
        let mut hello = next_block(&mut stream, &mut reader).await?;
        let (answer, version, sealer, opener) =
            greet(&channel, endpoint, &mut hello).ok_or(BenchError::Bug("hello not understood"))?;
        stream.queue(&answer)?;
        stream.flush().await?;
        Ok(Self {
            stream,
            reader,
            version,
            authoriser: Authoriser::new(&channel.binding),
            sealer,
            opener,
            said: VecDeque::new(),
        })
    }

    /// Sends a command in a block of its own.
    pub(super) async fn tell(
        &mut self,
        entity: &[u8],
        key: &SigningKey,
        command: &Command<'_>,
    ) -> Result<(), BenchError> {
        let correlation: [u8; ID_LEN] = random();
        let (authoriser, version) = (&self.authoriser, self.version);
        let mut block = BlockBuilder::new(&self.sealer);
        block
            .push(|w| {
                let signer = Some(Signer::Ed25519(key));
                authoriser.write(w, version, &correlation, entity, signer, |w| {
                    command.write(w, version);
                });
            })
            .map_err(BenchError::bug("a command is too long"))?;
        let block = block
            .finish(&mut self.sealer)
            .map_err(BenchError::bug("a block cannot be sealed"))?;
        self.stream.queue(&block)?;
        Ok(self.stream.flush().await?)
    }

    /// The next thing the server says.
    pub(super) async fn hear(&mut self) -> Result<Said, BenchError> {
        loop {
            if let Some(said) = self.said.pop_front() {
                return Ok(said);
            }
            let block = next_block(&mut self.stream, &mut self.reader).await?;
            self.open(block)?;
        }
    }

    /// The next thing the server says, which is to be a plain yes.
    pub(super) async fn hear_done(&mut self) -> Result<(), BenchError> {
        match self.hear().await? {
            Said::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Creates a queue for `key` and returns the recipient's and the sender's
    /// name for it.
    pub(super) async fn create(
        &mut self,
        key: &SigningKey,
        subscribe: bool,
    ) -> Result<(Vec<u8>, Vec<u8>), BenchError> {
        let queue = NewQueue {
            auth: key.public(),
            dh: new_secret()?.public(),
            password: None,
            subscribe,
            request: QueueRequest::Messaging(None),
            notifier: None,
        };
        self.tell(&[], key, &Command::New(queue)).await?;
        match self.hear().await? {
            Said::Ids { recipient, sender } => Ok((recipient, sender)),
            other => Err(unexpected(&other)),
        }
    }

    fn open(&mut self, mut block: Vec<u8>) -> Result<(), BenchError> {
        let not_understood = || BenchError::Answer("a block that is not understood".into());
        let content = self.opener.open(&mut block).map_err(|_| not_understood())?;
        for item in transmissions(content, self.version).map_err(|_| not_understood())? {
            let text = item.map_err(|_| not_understood())?.text;
            let response = Response::parse(text, self.version).map_err(|_| not_understood())?;
            self.said.push_back(heard(&response)?);
        }
        Ok(())
    }
}

fn heard(response: &Response<'_>) -> Result<Said, BenchError> {
    match response {
        Response::Ok | Response::SOk(_) => Ok(Said::Done),
        Response::Ids(ids) => Ok(Said::Ids {
            recipient: ids.recipient_id.to_vec(),
            sender: ids.sender_id.to_vec(),
        }),
        Response::Msg { id, .. } => Ok(Said::Message { id: id.to_vec() }),
        Response::Err(error) => Err(BenchError::Answer(error.to_string())),
        _ => Err(BenchError::Answer("what nobody asked for".into())),
    }
}

/// An answer out of place.
pub(super) fn unexpected(said: &Said) -> BenchError {
    BenchError::Answer(
        match said {
            Said::Done => "OK out of place",
            Said::Ids { .. } => "IDS out of place",
            Said::Message { .. } => "MSG out of place",
        }
        .into(),
    )
}

async fn next_block(
    stream: &mut ByteStream,
    reader: &mut BlockReader,
) -> Result<Vec<u8>, BenchError> {
    let mut whole = None;
    while whole.is_none() {
        match stream.next().await? {
            // The load has one question open at a time, so one block at most
            // is on its way; a second one would be an answer to nothing.
            ByteEvent::Received(bytes) => {
                reader.push(&bytes, |block| whole.replace(block).is_none())
            }
            ByteEvent::Room => {}
            ByteEvent::Closed => return Err(BenchError::Answer("by closing".into())),
        }
    }
    whole.ok_or(BenchError::Bug("no block"))
}

/// Our hello to the server's. TLS has checked who it is, so the signature on
/// its session key is not checked again.
fn greet(
    channel: &Channel,
    endpoint: &Endpoint,
    block: &mut [u8],
) -> Option<(Vec<u8>, Version, Sealer, Opener)> {
    let hello = ServerHello::parse(open_hello(block).ok()?).ok()?;
    let version = SUPPORTED.common(hello.versions)?;
    let key = hello.signed_key.get(2..2 + SPKI_LEN)?;
    let own = new_secret().ok()?;
    let secret = own.agree(&DhPublic::from_spki(key).ok()?).ok()?;
    let (sealer, opener) = agree(Role::Client, &channel.binding, &secret).ok()?;
    let answer = ClientHello {
        version,
        key_hash: &endpoint.fingerprint,
        key: Some(own.public()),
        forwards: false,
        service: None,
    };
    let answer = hello_block(&answer.encode().ok()?).ok()?;
    Some((answer, version, sealer, opener))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsEntropy.fill(&mut bytes);
    bytes
}

/// A fresh key that signs commands.
pub(super) fn new_key() -> Result<SigningKey, BenchError> {
    SigningKey::from_seed(random()).map_err(BenchError::bug("no key"))
}

fn new_secret() -> Result<DhSecret, BenchError> {
    DhSecret::from_bytes(random()).map_err(BenchError::bug("no key"))
}

/// A body that does not compress.
pub(super) fn random_body(length: usize) -> Vec<u8> {
    let mut body = vec![0; length];
    OsEntropy.fill(&mut body);
    body
}
