//! A client's end of one session, no cleverer than a test needs.

use std::collections::VecDeque;

use hushwing_relay::server::Session;
use hushwing_relay::wire::auth::authenticator;
use hushwing_relay::wire::block::agree;
use hushwing_relay::wire::{
    AuthKey, BoxKey, ClientHello, DhPublic, DhSecret, Opener, Role, Sealer, ServerHello,
    SigningKey, Version, Writer, hello_block, open_hello,
};
use openssl::pkey::{Id, PKey, Private};
use openssl::sign::Signer;

/// A key of each kind that a queue may have.
pub(crate) enum Key {
    Ed25519(SigningKey),
    Ed448(PKey<Private>),
    X25519(DhSecret),
}

impl Key {
    pub(crate) fn ed25519(seed: u8) -> Self {
        Self::Ed25519(SigningKey::from_seed([seed; 32]).unwrap())
    }

    pub(crate) fn ed448(seed: u8) -> Self {
        Self::Ed448(PKey::private_key_from_raw_bytes(&[seed; 57], Id::ED448).unwrap())
    }

    pub(crate) fn x25519(seed: u8) -> Self {
        Self::X25519(DhSecret::from_bytes([seed; 32]).unwrap())
    }

    pub(crate) fn public(&self) -> AuthKey {
        match self {
            Self::Ed25519(key) => key.public(),
            Self::Ed448(key) => AuthKey::Ed448(key.raw_public_key().unwrap().try_into().unwrap()),
            Self::X25519(key) => AuthKey::X25519(key.public()),
        }
    }
}

/// An answer or event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) corr: Vec<u8>,
    pub(crate) entity: Vec<u8>,
    pub(crate) text: Vec<u8>,
    /// Which block of the session it came in.
    pub(crate) block: usize,
}

impl Reply {
    /// The text, if it is text.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    pub(crate) fn is_message(&self) -> bool {
        self.text.starts_with(b"MSG ")
    }
}

pub(crate) struct Peer {
    pub(crate) version: Version,
    pub(crate) session: Session,
    pub(crate) session_id: Vec<u8>,
    pub(crate) server_key: DhPublic,
    sealer: Sealer,
    opener: Opener,
    pub(crate) inbox: VecDeque<Reply>,
    pub(crate) blocks: usize,
    corr: u32,
}

impl Peer {
    /// Goes through the hellos; `session` is at its beginning.
    pub(crate) fn greet(
        mut session: Session,
        session_id: &[u8],
        version: u16,
        fingerprint: &[u8],
        receive: impl FnOnce(&mut Session, &mut [u8]),
    ) -> Self {
        let mut block = Vec::new();
        session.poll_block(&mut block).unwrap().unwrap();
        let content = open_hello(&mut block).unwrap();
        let hello = ServerHello::parse(content).unwrap();
        assert_eq!(hello.session_id, session_id);
        // Its signature is looked at in handshake.rs.
        let server_key = DhPublic::from_spki(&hello.signed_key[2..46]).unwrap();
        let secret = DhSecret::from_bytes([77; 32]).unwrap();
        let version = Version(version);
        let hello = ClientHello {
            version,
            key_hash: fingerprint,
            key: Some(secret.public()),
            forwards: false,
            service: None,
        };
        let mut block = hello_block(&hello.encode().unwrap()).unwrap();
        receive(&mut session, &mut block);
        let (sealer, opener) = if version.0 >= 11 {
            let agreed = secret.agree(&server_key).unwrap();
            agree(Role::Client, session_id, &agreed).unwrap()
        } else {
            (Sealer::plain(), Opener::plain())
        };
        Self {
            version,
            session,
            session_id: session_id.to_vec(),
            server_key,
            sealer,
            opener,
            inbox: VecDeque::new(),
            blocks: 0,
            corr: 0,
        }
    }

    /// A correlation id never used before, 24 bytes.
    pub(crate) fn corr(&mut self) -> Vec<u8> {
        self.corr += 1;
        let mut corr = vec![9; 24];
        corr[..4].copy_from_slice(&self.corr.to_be_bytes());
        corr
    }

    /// A transmission authorised by `key`.
    pub(crate) fn transmission(
        &self,
        key: Option<&Key>,
        corr: &[u8],
        entity: &[u8],
        text: &[u8],
    ) -> Vec<u8> {
        let mut session = Vec::new();
        Writer::new(&mut session).str(&self.session_id);
        let mut rest = Vec::new();
        Writer::new(&mut rest).str(corr).str(entity).raw(text);
        let signed = [session.as_slice(), &rest].concat();
        let auth = match key {
            None => Vec::new(),
            Some(Key::Ed25519(key)) => key.sign(&signed).unwrap().to_vec(),
            Some(Key::Ed448(key)) => {
                let mut signer = Signer::new_without_digest(key).unwrap();
                signer.sign_oneshot_to_vec(&signed).unwrap()
            }
            Some(Key::X25519(key)) => {
                let shared = BoxKey::agree(key, &self.server_key).unwrap();
                authenticator(&shared, corr, &session, &rest)
                    .unwrap()
                    .to_vec()
            }
        };
        let mut transmission = Vec::new();
        let mut w = Writer::new(&mut transmission);
        w.str(&auth);
        if self.version.0 >= 16 && !auth.is_empty() {
            w.u8(b'0');
        }
        w.raw(&rest);
        transmission
    }

    /// A block with these transmissions.
    pub(crate) fn block(&mut self, transmissions: &[Vec<u8>]) -> Vec<u8> {
        let mut block = vec![0; self.sealer.head_len() + 2];
        let mut w = Writer::new(&mut block);
        w.u8(u8::try_from(transmissions.len()).unwrap());
        for each in transmissions {
            w.big(each);
        }
        self.seal(block)
    }

    /// A block with anything in it.
    pub(crate) fn raw_block(&mut self, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; self.sealer.head_len() + 2];
        block.extend_from_slice(content);
        self.seal(block)
    }

    fn seal(&mut self, mut block: Vec<u8>) -> Vec<u8> {
        self.sealer.seal(&mut block).unwrap();
        block
    }

    /// Takes in all blocks the session has to send.
    pub(crate) fn collect(&mut self) {
        let mut block = Vec::new();
        while let Some(written) = self.session.poll_block(&mut block) {
            written.unwrap();
            assert_eq!(block.len(), 16_384);
            let content = self.opener.open(&mut block).unwrap();
            let (count, mut rest) = content.split_first().unwrap();
            for _ in 0..*count {
                let len = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
                let item = &rest[2..2 + len];
                rest = &rest[2 + len..];
                self.inbox.push_back(parse(item, self.blocks));
            }
            assert!(rest.is_empty());
            self.blocks += 1;
        }
    }
}

fn parse(item: &[u8], block: usize) -> Reply {
    fn field<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
        let len = usize::from(rest[0]);
        let (head, tail) = rest[1..].split_at(len);
        *rest = tail;
        head
    }
    let mut rest = item;
    assert!(field(&mut rest).is_empty(), "servers do not sign");
    let (corr, entity) = (field(&mut rest).to_vec(), field(&mut rest).to_vec());
    Reply {
        corr,
        entity,
        text: rest.to_vec(),
        block,
    }
}
