//! A post office on a desk: storage in memory, a clock that is set by hand,
//! and networks that say what the test says.

use std::time::Duration;

use hushwing_delivery::{
    Address, Envelope, Keep, Letter, LetterId, Locator, MailboxId, MailboxKeys, MemoryStorage,
    NetworkCommand, NetworkEvent, NetworkTag, OfficeEvent, PostOffice, ReceiptId, SealKey,
    SendFailure, SendId, Urgency,
};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);
pub(crate) const MAILBOX: MailboxId = MailboxId(7);
pub(crate) const SECRET: [u8; 32] = [7; 32];

pub(crate) struct Dice(pub(crate) ChaCha8Rng);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
}

pub(crate) struct Desk {
    pub(crate) office: PostOffice,
    pub(crate) storage: MemoryStorage,
    pub(crate) now: Duration,
    pub(crate) dice: Dice,
    receipts: u64,
}

pub(crate) struct Sent {
    pub(crate) send: SendId,
    pub(crate) locator: Locator,
    pub(crate) envelope: Envelope,
}

impl Desk {
    pub(crate) fn new(seed: u64) -> Self {
        let mut storage = MemoryStorage::new();
        let office = PostOffice::open(&mut storage).unwrap();
        let dice = Dice(ChaCha8Rng::seed_from_u64(seed));
        Self {
            office,
            storage,
            now: Duration::from_secs(5),
            dice,
            receipts: 0,
        }
    }

    /// A desk with a mailbox for [`SECRET`].
    pub(crate) fn with_mailbox(seed: u64) -> Self {
        let mut desk = Self::new(seed);
        let keys = MailboxKeys::shared(SECRET);
        desk.put_mailbox(MAILBOX, keys);
        desk
    }

    pub(crate) fn put_mailbox(&mut self, mailbox: MailboxId, keys: MailboxKeys) {
        self.office
            .put_mailbox(&mut self.storage, mailbox, NetworkTag::TOY, keys)
            .unwrap();
    }

    /// Runs a call with a context at the desk's time.
    pub(crate) fn call<T>(
        &mut self,
        call: impl FnOnce(&mut PostOffice, &mut Context<'_>, &mut MemoryStorage) -> T,
    ) -> T {
        let now = Moment::from_origin(self.now);
        let wall = Timestamp::from_secs(1_800_000_000) + self.now;
        let mut cx = Context::new(now, wall, &mut self.dice);
        call(&mut self.office, &mut cx, &mut self.storage)
    }

    pub(crate) fn post(&mut self, letter: &Letter) -> LetterId {
        self.call(|office, cx, storage| office.post(cx, storage, letter))
            .unwrap()
    }

    pub(crate) fn settle(&mut self, letter: LetterId) -> bool {
        self.call(|office, cx, storage| office.settle(cx, storage, letter))
            .unwrap()
    }

    pub(crate) fn tell(&mut self, event: NetworkEvent) {
        self.call(|office, cx, storage| {
            office
                .handle_network(cx, storage, NetworkTag::TOY, event)
                .unwrap();
        });
    }

    pub(crate) fn accept(&mut self, send: SendId) {
        self.tell(NetworkEvent::Accepted { send });
    }

    pub(crate) fn fail(&mut self, send: SendId, reason: SendFailure) {
        self.tell(NetworkEvent::Failed { send, reason });
    }

    /// Hands an envelope in, as a network would.
    pub(crate) fn receive(&mut self, mailbox: MailboxId, envelope: Envelope) {
        self.receipts += 1;
        let receipt = ReceiptId(self.receipts);
        self.tell(NetworkEvent::Received {
            mailbox,
            receipt,
            envelope,
        });
    }

    /// Lets time pass, keeping every appointment on the way.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            let due = self
                .office
                .poll_timeout()
                .map(|due| due.since_origin().max(self.now));
            match due.filter(|due| *due <= end) {
                Some(due) => {
                    self.now = due;
                    self.call(|office, cx, storage| office.handle_timeout(cx, storage).unwrap());
                }
                None => break,
            }
        }
        self.now = end;
    }

    /// The process ends and starts again on what is stored.
    pub(crate) fn restart(&mut self) {
        self.office = PostOffice::open(&mut self.storage).unwrap();
        self.pass(Duration::ZERO);
    }

    pub(crate) fn commands(&mut self) -> Vec<(NetworkTag, NetworkCommand)> {
        std::iter::from_fn(|| self.office.poll_command()).collect()
    }

    /// The envelopes handed to networks since commands were drained last.
    pub(crate) fn sent(&mut self) -> Vec<Sent> {
        let commands = self.commands().into_iter();
        commands
            .filter_map(|(_, command)| match command {
                NetworkCommand::Send {
                    send,
                    locator,
                    envelope,
                } => Some(Sent {
                    send,
                    locator,
                    envelope,
                }),
                _ => None,
            })
            .collect()
    }

    pub(crate) fn acknowledgements(&mut self) -> usize {
        let commands = self.commands().into_iter();
        commands
            .filter(|(_, command)| matches!(command, NetworkCommand::Acknowledge { .. }))
            .count()
    }

    pub(crate) fn events(&mut self) -> Vec<OfficeEvent> {
        std::iter::from_fn(|| self.office.poll_event()).collect()
    }

    /// The bytes of letters that came since events were read last.
    pub(crate) fn incoming(&mut self) -> Vec<Vec<u8>> {
        let events = self.events().into_iter();
        events
            .filter_map(|event| match event {
                OfficeEvent::Incoming(letter) => Some(letter.bytes),
                _ => None,
            })
            .collect()
    }
}

/// An address on the toy network; the same secret at every place.
pub(crate) fn address(place: &str) -> Address {
    Address {
        network: NetworkTag::TOY,
        locator: Locator(place.as_bytes().to_vec()),
        seal: SealKey::Shared(SECRET),
    }
}

pub(crate) fn letter(places: &[&str], bytes: &[u8]) -> Letter {
    Letter {
        to: places.iter().map(|place| address(place)).collect(),
        last_resort: Vec::new(),
        bytes: bytes.to_vec(),
        urgency: Urgency::Normal,
        keep: Keep::UntilSettled,
    }
}
