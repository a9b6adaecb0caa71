//! A server that says anything at any time: the client neither panics nor
//! forgets whom it owes an answer.

use std::collections::BTreeMap;
use std::time::Duration;

use hushwing_delivery::{
    FetchId, Locator, MailboxId, NetworkCommand, NetworkEvent, Place, Purpose, SendId,
};
use hushwing_relay::address::{LinkPlace, QueueAddress};
use hushwing_relay::client::{Client, MemoryStorage};
use hushwing_relay::server::ServerConfig;
use hushwing_relay::wire::{
    BlockReader, ClientHello, DhSecret, Opener, Packer, Role, SUPPORTED, Sealer, ServerHello,
    SignedKey, Version, agree, hello_block, open_hello, transmissions,
};
use hushwing_sansio::{
    Channel, CloseReason, Context, Entropy, Input, Machine, Moment, Output, StreamId, Timestamp,
};
use proptest::prelude::*;

use crate::acts::card;
use crate::peer::Relay;
use crate::world::regular;

const BINDING: [u8; 32] = [0xB1; 32];
const V18: Version = Version(18);

/// A source that counts; keys drawn from it differ, which is all it must do.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// One connection with the liar.
struct Liar {
    reader: BlockReader,
    secret: DhSecret,
    keys: Option<(Sealer, Opener)>,
}

impl Liar {
    fn greet(relay: &Relay) -> (Self, Vec<u8>) {
        let secret = DhSecret::from_bytes([7; 32]).unwrap();
        let signed_key = SignedKey::sign(&secret.public(), &relay.identity.leaf_key).unwrap();
        let hello = ServerHello {
            versions: SUPPORTED,
            session_id: &BINDING,
            chain: relay.identity.chain.iter().map(Vec::as_slice).collect(),
            signed_key: &signed_key,
        };
        let block = hello_block(&hello.encode().unwrap()).unwrap();
        let reader = BlockReader::default();
        let liar = Self {
            reader,
            secret,
            keys: None,
        };
        (liar, block)
    }

    /// Answers each command with one of `lies`, and adds events nobody asked
    /// for, about the queues it has heard of.
    fn answer(&mut self, bytes: &[u8], lies: &mut impl FnMut() -> Vec<u8>) -> Vec<Vec<u8>> {
        let mut blocks = Vec::new();
        self.reader.push(bytes, |block| {
            blocks.push(block);
            true
        });
        let mut out = Vec::new();
        for mut block in blocks {
            let Some((sealer, opener)) = &mut self.keys else {
                let hello = ClientHello::parse(open_hello(&mut block).unwrap()).unwrap();
                let agreed = self.secret.agree(&hello.key.unwrap()).unwrap();
                self.keys = Some(agree(Role::Server, &BINDING, &agreed).unwrap());
                continue;
            };
            let content = opener.open(&mut block).unwrap();
            let mut packer = Packer::new(sealer);
            for item in transmissions(content, V18).unwrap() {
                let item = item.unwrap();
                let lie = lies();
                let event = lies();
                for (correlation, text) in [(item.correlation_id, lie), (&[][..], event)] {
                    // Too long for a block: left unsaid.
                    let _ = packer.push(|w| {
                        w.str(&[]).str(correlation).str(item.entity_id).raw(&text);
                    });
                }
            }
            out.extend(packer.finish().unwrap());
        }
        out
    }
}

fn lies() -> impl Strategy<Value = Vec<u8>> {
    let key = [
        &[
            0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21, 0,
        ][..],
        &[9; 32],
    ]
    .concat();
    let ids = [&b"IDS \x01r\x01s\x2c"[..], &key, b"1M000"].concat();
    let link = [
        &b"LNK \x01s\x08\x00"[..],
        &[1; 2048],
        &[0x36, 0x00],
        &[2; 13_824],
    ]
    .concat();
    let message = [&b"MSG \x18"[..], &[3; 24], &[4; 16_122]].concat();
    let fixed = [
        ids,
        link,
        message,
        b"OK".to_vec(),
        b"SOK 0".to_vec(),
        b"MSG \x00".to_vec(),
        b"END".to_vec(),
        b"DELD".to_vec(),
        b"PONG".to_vec(),
        b"INFO {}".to_vec(),
        b"ERR AUTH".to_vec(),
        b"ERR QUOTA".to_vec(),
        b"ERR INTERNAL".to_vec(),
        b"ERR CMD SYNTAX".to_vec(),
        b"ERR SOMETHING NEW".to_vec(),
    ];
    prop_oneof![
        9 => prop::sample::select(fixed.to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn commands(relay: &Relay) -> Vec<NetworkCommand> {
    let server = relay.address().server;
    let queue = |lockable| -> Locator {
        let (server, sender_id) = (server.clone(), vec![5; 24]);
        QueueAddress {
            server,
            sender_id,
            lockable,
        }
        .to_locator()
    };
    let place = |link_id| -> Place {
        let server = server.clone();
        LinkPlace { server, link_id }.to_place()
    };
    let open = |number, purpose| NetworkCommand::OpenMailbox {
        mailbox: MailboxId(number),
        purpose,
        apart: Vec::new(),
    };
    let send = |number, lockable| NetworkCommand::Send {
        send: SendId(number),
        locator: queue(lockable),
        envelope: regular(1),
    };
    let fetch = |number, link_id: Option<Vec<u8>>| NetworkCommand::Fetch {
        fetch: FetchId(number),
        one_time: link_id.is_some(),
        place: place(link_id),
        secret: [6; 32],
    };
    vec![
        open(1, Purpose::Conversation),
        open(2, Purpose::OneTimeInvitation(card(1))),
        open(3, Purpose::ReusableInvitation(card(2))),
        send(1, true),
        send(2, false),
        fetch(1, Some(vec![8; 24])),
        fetch(2, None),
        NetworkCommand::ReplaceBundle {
            mailbox: MailboxId(3),
            card: card(2),
        },
        NetworkCommand::CloseMailbox {
            mailbox: MailboxId(2),
        },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_lying_server_is_survived_and_every_command_answered(
        said in prop::collection::vec(lies(), 1..60),
    ) {
        let relay = Relay::new(ServerConfig::default());
        let mut storage = MemoryStorage::default();
        let mut client = Client::open(vec![relay.address()], &mut storage).unwrap();
        let mut said = said.into_iter().cycle();
        let mut lie = || said.next().unwrap();
        let mut entropy = Counter(1);
        let mut liars: BTreeMap<StreamId, Liar> = BTreeMap::new();
        let mut owed = [SendId(1), SendId(2)].to_vec();
        let mut fetches = [FetchId(1), FetchId(2)].to_vec();
        let mut inputs: std::collections::VecDeque<_> =
            commands(&relay).into_iter().map(Input::Command).collect();
        let mut now = Duration::from_secs(1);
        // The clock goes from timeout to timeout for as long as anything is
        // owed; an hour is more than all retries take together.
        while now < Duration::from_secs(3_600) && !(owed.is_empty() && fetches.is_empty()) {
            let input = inputs.pop_front().unwrap_or_else(|| {
                let due = client.poll_timeout().map_or(now, |due| due.since_origin());
                now = now.max(due) + Duration::from_millis(1);
                Input::Timeout
            });
            let at = Moment::from_origin(now);
            let mut cx = Context::new(at, Timestamp::from_secs(1), &mut entropy);
            client.handle(&mut cx, &mut storage, input).unwrap();
            while let Some(output) = client.poll_output() {
                match output {
                    Output::OpenStream { stream, .. } => {
                        let (liar, hello) = Liar::greet(&relay);
                        liars.insert(stream, liar);
                        let (binding, chain) = (BINDING.to_vec(), relay.identity.chain.clone());
                        let channel = Channel { binding, chain };
                        inputs.push_back(Input::StreamOpened { stream, channel });
                        inputs.push_back(Input::StreamReceived { stream, bytes: hello });
                    }
                    Output::SendStream { stream, bytes } => {
                        if let Some(liar) = liars.get_mut(&stream) {
                            for bytes in liar.answer(&bytes, &mut lie) {
                                inputs.push_back(Input::StreamReceived { stream, bytes });
                            }
                        }
                    }
                    Output::CloseStream { stream } => drop(liars.remove(&stream)),
                    Output::Event(NetworkEvent::Accepted { send } | NetworkEvent::Failed { send, .. }) => {
                        let before = owed.len();
                        owed.retain(|waits| *waits != send);
                        prop_assert_eq!(owed.len() + 1, before, "one answer each");
                    }
                    Output::Event(
                        NetworkEvent::Fetched { fetch, .. }
                        | NetworkEvent::FetchFailed { fetch, .. },
                    ) => fetches.retain(|waits| *waits != fetch),
                    Output::Event(_) => {}
                }
            }
        }
        prop_assert!(owed.is_empty() && fetches.is_empty(), "{owed:?} {fetches:?}");
        let stream = StreamId(1);
        let mut cx = Context::new(Moment::from_origin(now), Timestamp::from_secs(1), &mut entropy);
        let closed = Input::StreamClosed { stream, reason: CloseReason::Closed };
        client.handle(&mut cx, &mut storage, closed).unwrap();
        // What was stored under lies can be read again.
        prop_assert!(Client::open(vec![relay.address()], &mut storage).is_ok());
    }
}
