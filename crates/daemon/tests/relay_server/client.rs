//! A client that asks one thing at a time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use hushwing_daemon::relay_server::{RelayServer, RelayServerOptions, StartError};
use hushwing_relay::server::ServerConfig;
use hushwing_relay::wire::auth::{Authoriser, Signer};
use hushwing_relay::wire::block::agree;
use hushwing_relay::wire::{
    BlockBuilder, BlockReader, BoxKey, ClientHello, Command, DhSecret, MessageContent, NewQueue,
    Opener, Packer, QueueMode, QueueRequest, Response, Role as End, Sealer, ServerHello, SignedKey,
    SigningKey, Transmission, Version, hello_block, open_hello, open_message, transmissions,
};
use hushwing_sansio::Endpoint;
use hushwing_store::keys::{MasterKey, Role};
use hushwing_transport::{ByteEvent, ByteStream, Connector, ConnectorConfig, OsEntropy};

const VERSION: Version = Version(18);

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(30);

/// A server in `dir`, on a free port of this machine unless told otherwise.
/// Its key is kept beside, as a daemon would.
pub(crate) async fn start(
    dir: &Path,
    listen: Option<SocketAddr>,
) -> Result<RelayServer, StartError> {
    start_with(dir, listen, ServerConfig::default()).await
}

/// As [`start`], with other limits.
pub(crate) async fn start_with(
    dir: &Path,
    listen: Option<SocketAddr>,
    config: ServerConfig,
) -> Result<RelayServer, StartError> {
    use hushwing_store::keys::KeyFile;
    std::fs::create_dir_all(dir).unwrap();
    let file = KeyFile::at(dir.join("key"));
    let master: MasterKey = if file.exists() {
        file.unlock(None)
    } else {
        file.create(&mut OsEntropy)
    }
    .unwrap();
    let options = RelayServerOptions {
        config,
        key: master.derive(Role::RelayServer, "test"),
        host: "localhost".into(),
    };
    let listen = listen.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
    RelayServer::start(dir, listen, options).await
}

/// A queue as both its ends know it.
pub(crate) struct Queue {
    key: SigningKey,
    box_key: BoxKey,
    recipient: Vec<u8>,
    pub(crate) sender: Vec<u8>,
}

/// An answer or event.
struct Reply {
    corr: Vec<u8>,
    entity: Vec<u8>,
    text: Vec<u8>,
}

pub(crate) struct Client {
    stream: ByteStream,
    reader: BlockReader,
    blocks: VecDeque<Vec<u8>>,
    sealer: Sealer,
    opener: Opener,
    authoriser: Authoriser,
    inbox: VecDeque<Reply>,
    corr: u64,
}

impl Client {
    pub(crate) async fn connect(server: SocketAddr, fingerprint: [u8; 32]) -> Option<Self> {
        let endpoint = Endpoint {
            hosts: vec![server.ip().to_string()],
            port: server.port(),
            fingerprint,
            alpn: b"smp/1",
        };
        let connector = Connector::new(ConnectorConfig::default());
        let (mut stream, channel) = connector.connect(&endpoint).await.ok()?;
        let (mut reader, mut blocks) = (BlockReader::default(), VecDeque::new());
        let mut block = next_block(&mut stream, &mut reader, &mut blocks).await?;
        let hello = ServerHello::parse(open_hello(&mut block).unwrap()).unwrap();
        assert_eq!(hello.session_id, channel.binding);
        assert_eq!(hello.chain, channel.chain);
        let secret = DhSecret::from_bytes(random()).unwrap();
        let theirs = SignedKey::parse(hello.signed_key).unwrap();
        let theirs = theirs
            .verify(&leaf_key(hello.chain[0]))
            .expect("signed by the leaf");
        let answer = ClientHello {
            version: VERSION,
            key_hash: &fingerprint,
            key: Some(secret.public()),
            forwards: false,
            service: None,
        };
        stream
            .queue(&hello_block(&answer.encode().unwrap()).unwrap())
            .ok()?;
        let agreed = secret.agree(&theirs).unwrap();
        let (sealer, opener) = agree(End::Client, hello.session_id, &agreed).unwrap();
        let authoriser = Authoriser::new(hello.session_id);
        Some(Self {
            stream,
            reader,
            blocks,
            sealer,
            opener,
            authoriser,
            inbox: VecDeque::new(),
            corr: 0,
        })
    }

    /// Sends a command and waits for its answer; `None` if the connection
    /// breaks.
    pub(crate) async fn ask(
        &mut self,
        key: Option<&SigningKey>,
        entity: &[u8],
        command: Command<'_>,
    ) -> Option<Vec<u8>> {
        self.corr += 1;
        let mut corr = random::<24>();
        corr[..8].copy_from_slice(&self.corr.to_be_bytes());
        let mut builder = BlockBuilder::new(&self.sealer);
        builder
            .push(|w| {
                let signer = key.map(Signer::Ed25519);
                self.authoriser
                    .write(w, VERSION, &corr, entity, signer, |w| {
                        command.write(w, VERSION);
                    });
            })
            .unwrap();
        let block = builder.finish(&mut self.sealer).unwrap();
        self.stream.queue(&block).ok()?;
        loop {
            if let Some(at) = self.inbox.iter().position(|reply| reply.corr == corr) {
                return self.inbox.remove(at).map(|reply| reply.text);
            }
            self.take_block().await?;
        }
    }

    pub(crate) async fn take_block(&mut self) -> Option<()> {
        let mut block = next_block(&mut self.stream, &mut self.reader, &mut self.blocks).await?;
        let content = self.opener.open(&mut block).unwrap();
        for item in transmissions(content, VERSION).unwrap() {
            let Transmission {
                correlation_id,
                entity_id,
                text,
                ..
            } = item.unwrap();
            self.inbox.push_back(Reply {
                corr: correlation_id.to_vec(),
                entity: entity_id.to_vec(),
                text: text.to_vec(),
            });
        }
        Some(())
    }

    /// Subscribes to many queues and reads nothing; the correlation ids.
    pub(crate) async fn ask_for(&mut self, queues: &[Queue]) -> Option<Vec<[u8; 24]>> {
        let mut packer = Packer::new(&mut self.sealer);
        let mut asked = Vec::new();
        for queue in queues {
            let corr = random::<24>();
            let (authoriser, signer) = (&self.authoriser, Some(Signer::Ed25519(&queue.key)));
            packer
                .push(|w| {
                    authoriser.write(w, VERSION, &corr, &queue.recipient, signer, |w| {
                        Command::Sub.write(w, VERSION);
                    });
                })
                .unwrap();
            asked.push(corr);
        }
        let blocks = packer.finish().unwrap();
        assert_eq!(blocks.len(), queues.len().div_ceil(135));
        for block in blocks {
            self.stream.queue(&block).ok()?;
        }
        self.stream.flush().await.ok()?;
        Some(asked)
    }

    /// Subscribes to many queues in as few blocks as they fit; the answers, in
    /// the order of `queues`. Messages stay in the inbox.
    pub(crate) async fn sub_all(&mut self, queues: &[Queue]) -> Option<Vec<Vec<u8>>> {
        let asked = self.ask_for(queues).await?;
        let mut answers = Vec::new();
        for corr in asked {
            answers.push(loop {
                if let Some(at) = self.inbox.iter().position(|reply| reply.corr == corr) {
                    break self.inbox.remove(at)?.text;
                }
                self.take_block().await?;
            });
        }
        Some(answers)
    }

    pub(crate) async fn queue(&mut self) -> Option<Queue> {
        let key = SigningKey::from_seed(random()).unwrap();
        let dh = DhSecret::from_bytes(random()).unwrap();
        let new = NewQueue {
            auth: key.public(),
            dh: dh.public(),
            password: None,
            subscribe: true,
            request: QueueRequest::Messaging(None),
            notifier: None,
        };
        let answer = self.ask(Some(&key), &[], Command::New(new)).await?;
        let Ok(Response::Ids(ids)) = Response::parse(&answer, VERSION) else {
            panic!("no queue: {}", String::from_utf8_lossy(&answer));
        };
        assert_eq!(ids.mode, Some(QueueMode::Messaging));
        let box_key = BoxKey::agree(&dh, &ids.server_dh).unwrap();
        let (recipient, sender) = (ids.recipient_id.to_vec(), ids.sender_id.to_vec());
        Some(Queue {
            key,
            box_key,
            recipient,
            sender,
        })
    }

    pub(crate) async fn send(&mut self, queue: &Queue, body: &[u8]) -> Option<Vec<u8>> {
        self.ask(
            None,
            &queue.sender,
            Command::Send {
                notify: false,
                body,
            },
        )
        .await
    }

    pub(crate) async fn sub(&mut self, queue: &Queue) -> Option<Vec<u8>> {
        self.ask(Some(&queue.key), &queue.recipient, Command::Sub)
            .await
    }

    pub(crate) async fn del(&mut self, queue: &Queue) -> Option<Vec<u8>> {
        self.ask(Some(&queue.key), &queue.recipient, Command::Del)
            .await
    }

    /// Acknowledges and returns the next message, if there is one at once.
    pub(crate) async fn ack(&mut self, queue: &Queue, id: &[u8]) -> Option<Option<Message>> {
        let answer = self
            .ask(Some(&queue.key), &queue.recipient, Command::Ack(id))
            .await?;
        Some((answer != b"OK").then(|| read(queue, &answer)))
    }

    /// The next message that comes unasked.
    pub(crate) async fn pushed(&mut self, queue: &Queue) -> Option<Message> {
        loop {
            let is_event = |reply: &Reply| reply.corr.is_empty() && reply.entity == queue.recipient;
            if let Some(at) = self.inbox.iter().position(is_event) {
                let text = self.inbox.remove(at).unwrap().text;
                return Some(read(queue, &text));
            }
            self.take_block().await?;
        }
    }

    /// All messages of a queue in order, each acknowledged.
    pub(crate) async fn drain(&mut self, queue: &Queue, count: usize) -> Vec<Vec<u8>> {
        let mut bodies = Vec::new();
        let mut next = None;
        while bodies.len() < count {
            let (id, body) = match next.take() {
                Some(message) => message,
                None => self.pushed(queue).await.unwrap(),
            };
            bodies.push(body);
            next = self.ack(queue, &id).await.unwrap();
        }
        bodies
    }
}

/// Id and body.
pub(crate) type Message = (Vec<u8>, Vec<u8>);

fn read(queue: &Queue, text: &[u8]) -> Message {
    let Ok(Response::Msg { id, sealed }) = Response::parse(text, VERSION) else {
        panic!("no message: {}", String::from_utf8_lossy(text));
    };
    let mut sealed = sealed.to_vec();
    match open_message(&queue.box_key, id, &mut sealed).unwrap() {
        MessageContent::Message { body, .. } => (id.to_vec(), body.to_vec()),
        MessageContent::Quota { .. } => panic!("quota"),
    }
}

async fn next_block(
    stream: &mut ByteStream,
    reader: &mut BlockReader,
    blocks: &mut VecDeque<Vec<u8>>,
) -> Option<Vec<u8>> {
    while blocks.is_empty() {
        let event = tokio::time::timeout(PATIENCE, stream.next())
            .await
            .expect("too slow");
        match event.ok()? {
            ByteEvent::Received(bytes) => reader.push(&bytes, |whole| {
                blocks.push_back(whole);
                true
            }),
            ByteEvent::Room => {}
            ByteEvent::Closed => return None,
        }
    }
    blocks.pop_front()
}

/// The Ed25519 key of a certificate: the only SubjectPublicKeyInfo in it.
fn leaf_key(certificate: &[u8]) -> hushwing_relay::wire::AuthKey {
    const SPKI: &[u8] = &[
        0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0,
    ];
    let at = certificate
        .windows(SPKI.len())
        .position(|window| window == SPKI)
        .unwrap();
    hushwing_relay::wire::AuthKey::from_spki(&certificate[at..at + 44]).unwrap()
}

fn random<const N: usize>() -> [u8; N] {
    use hushwing_sansio::Entropy;
    let mut bytes = [0; N];
    OsEntropy.fill(&mut bytes);
    bytes
}
