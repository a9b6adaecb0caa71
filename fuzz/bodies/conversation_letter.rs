//! Letters a stranger writes to an invitation, down to the MLS messages in
//! them.

use std::sync::OnceLock;

use hushwing_conversation::link::{Kind, Secret, VerifiedBundle};
use hushwing_conversation::{
    Command, Config, Incoming, MemoryStorage, Messenger, Outgoing, Ticket,
};
use hushwing_delivery::{
    self as delivery, Address, Card, Envelope, Keep, Letter, Locator, MailboxId, NetworkCommand,
    NetworkEvent, NetworkTag, Place, PostOffice, Purpose, ReceiptId, SealKey, Urgency,
};
use hushwing_sansio::{Context, Entropy, Input, Machine, Moment, Output, Timestamp};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

/// Counts instead of throwing, so that a finding can be run again.
#[derive(Default)]
struct Dice(u8);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        dest.fill(self.0);
    }
}

impl Dice {
    fn context(&mut self) -> Context<'_> {
        Context::new(Moment::default(), NOW, self)
    }
}

/// A profile with one open invitation, and how to write to it.
struct Home {
    storage: MemoryStorage,
    mailbox: MailboxId,
    address: Address,
}

pub(crate) fn run(data: &[u8]) {
    static HOME: OnceLock<Home> = OnceLock::new();
    let home = HOME.get_or_init(|| invite().unwrap());
    let mut storage = home.storage.clone();
    let mut dice = Dice::default();
    let mut messenger = Messenger::open(&mut storage, config()).unwrap();
    for (number, envelope) in (0..).zip(sealed(&home.address, data)) {
        let event = NetworkEvent::Received {
            mailbox: home.mailbox,
            receipt: ReceiptId(number),
            envelope,
        };
        // A stranger cannot make storage fail.
        tell(&mut messenger, &mut storage, &mut dice, event).unwrap();
        while messenger.poll_output().is_some() {}
    }
    assert!(Messenger::open(&mut storage, config()).is_ok());
}

fn config() -> Config {
    Config {
        network: NetworkTag::TOY,
        ..Config::default()
    }
}

fn tell(
    messenger: &mut Messenger,
    storage: &mut MemoryStorage,
    dice: &mut Dice,
    event: NetworkEvent,
) -> Option<()> {
    let network = NetworkTag::TOY;
    let input = Input::Command(Incoming::Network { network, event });
    messenger.handle(&mut dice.context(), storage, input).ok()
}

/// The envelopes of a letter.
fn sealed(to: &Address, bytes: &[u8]) -> Vec<Envelope> {
    let mut storage = delivery::MemoryStorage::new();
    let mut office = PostOffice::open(&mut storage).unwrap();
    let letter = Letter {
        to: vec![to.clone()],
        last_resort: Vec::new(),
        bytes: bytes.to_vec(),
        urgency: Urgency::Normal,
        keep: Keep::UntilAccepted,
    };
    let mut dice = Dice::default();
    // Too long a letter is no letter.
    if office
        .post(&mut dice.context(), &mut storage, &letter)
        .is_err()
    {
        return Vec::new();
    }
    let mut envelopes = Vec::new();
    while let Some((_, command)) = office.poll_command() {
        if let NetworkCommand::Send { envelope, .. } = command {
            envelopes.push(envelope);
        }
    }
    assert!(!envelopes.is_empty(), "a letter leaves in envelopes");
    envelopes
}

fn invite() -> Option<Home> {
    let mut storage = MemoryStorage::new();
    let mut dice = Dice::default();
    let mut messenger = Messenger::open(&mut storage, config()).ok()?;
    let ask = Incoming::Ask {
        ticket: Ticket(1),
        command: Command::Invite {
            reusable: true,
            network: None,
        },
    };
    messenger
        .handle(&mut dice.context(), &mut storage, Input::Command(ask))
        .ok()?;
    let (mailbox, card) = opened(&mut messenger)?;
    let locator = Locator(b"where".to_vec());
    let event = NetworkEvent::MailboxOpened {
        mailbox,
        locator: locator.clone(),
        place: Some(Place(b"place".to_vec())),
    };
    tell(&mut messenger, &mut storage, &mut dice, event)?;
    let secret = Secret::from_bytes(card.secret);
    let bundle =
        VerifiedBundle::open(&secret, Kind::Reusable, &card.fixed, &card.bundle, NOW).ok()?;
    let address = Address {
        network: NetworkTag::TOY,
        locator,
        seal: SealKey::FirstContact(bundle.into_inner().sealing_key.0),
    };
    Some(Home {
        storage,
        mailbox,
        address,
    })
}

/// The mailbox the messenger asked for, and its card.
fn opened(messenger: &mut Messenger) -> Option<(MailboxId, Card)> {
    loop {
        let Output::Event(event) = messenger.poll_output()? else {
            continue;
        };
        if let Outgoing::Network {
            command:
                NetworkCommand::OpenMailbox {
                    mailbox, purpose, ..
                },
            ..
        } = event
            && let Purpose::ReusableInvitation(card) = purpose
        {
            return Some((mailbox, card));
        }
    }
}
