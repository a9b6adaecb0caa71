//! Cards and moves that lead nowhere, and conversations that cannot go on.

use std::time::Duration;

use hushwing_conversation::content::{AddressUpdate, Content};
use hushwing_conversation::link::Kind;
use hushwing_conversation::{
    Command, Config, DropReason, Event, Incoming, MemoryStorage, Messenger, Outgoing, Refusal,
    Secret, Standing, Storage as _, Ticket,
};
use hushwing_delivery::{
    Address, Card, Locator, NetworkCommand, NetworkEvent, NetworkTag, SealKey,
};
use hushwing_sansio::{Context, Input, Machine as _, Moment, Output, Timestamp};

use crate::hostile::{drops, still_works};
use crate::hostile_mls::{scene, standing};
use crate::intruder::*;
use crate::support::*;

/// Alice with a network that answers as told.
pub(crate) struct Alone {
    storage: MemoryStorage,
    messenger: Messenger,
    chance: Seeded,
    card: Card,
    locator: Locator,
    pub(crate) faces: Vec<Event>,
    link: Secret,
    asked: Vec<NetworkCommand>,
}

impl Alone {
    /// Opens a link to an honest card, which lies at `locator`.
    pub(crate) fn join(locator: Locator) -> Self {
        let mallory = Intruder::new();
        let card = mallory.card(Kind::OneTime, mallory.package(honest_package()));
        let link = Intruder::publish(&mut village(1), 1, Kind::OneTime, card.clone());
        let mut storage = MemoryStorage::new();
        let messenger = Messenger::open(&mut storage, Config::default()).unwrap();
        let mut alone = Self {
            storage,
            messenger,
            chance: Seeded(1),
            card,
            locator,
            faces: Vec::new(),
            link: link.clone(),
            asked: Vec::new(),
        };
        alone.give(Incoming::Ask {
            ticket: Ticket(1),
            command: Command::Join { link },
        });
        alone
    }

    /// Opens the same link again.
    pub(crate) fn join_again(&mut self) {
        let link = self.link.clone();
        self.give(Incoming::Ask {
            ticket: Ticket(2),
            command: Command::Join { link },
        });
    }

    fn give(&mut self, input: Incoming) {
        let wall = Timestamp::from_secs(1_767_225_600);
        let mut cx = Context::new(Moment::default(), wall, &mut self.chance);
        let input = Input::Command(input);
        self.messenger
            .handle(&mut cx, &mut self.storage, input)
            .unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(Output::Event(output)) = self.messenger.poll_output() {
            match output {
                Outgoing::Network { command, .. } => self.asked.push(command),
                Outgoing::Face(event) => self.faces.push(event),
            }
        }
    }

    /// Answers what the network was asked.
    pub(crate) fn answer(&mut self) {
        for command in std::mem::take(&mut self.asked) {
            let event = match command {
                NetworkCommand::Fetch { fetch, .. } => NetworkEvent::Fetched {
                    fetch,
                    fixed: self.card.fixed.clone(),
                    bundle: self.card.bundle.clone(),
                    locator: self.locator.clone(),
                },
                NetworkCommand::OpenMailbox { mailbox, .. } => NetworkEvent::MailboxOpened {
                    mailbox,
                    locator: Locator(vec![1; 16]),
                    place: None,
                },
                _ => continue,
            };
            let network = NetworkTag::TOY;
            self.give(Incoming::Network { network, event });
        }
    }

    fn open_again(&mut self) {
        self.asked.clear();
        self.messenger = Messenger::open(&mut self.storage, Config::default()).unwrap();
        self.drain();
    }
}

#[test]
fn a_card_from_where_nobody_can_write_to_is_refused() {
    for (length, good) in [(16, true), (1_024, true), (0, false), (1_025, false)] {
        let mut alice = Alone::join(Locator(vec![1; length]));
        for _ in 0..3 {
            alice.answer();
        }
        let refused = alice.faces.iter().any(|event| {
            matches!(
                event,
                Event::Answer { answer, .. } if *answer == Err(Refusal::LinkForged)
            )
        });
        assert_eq!(refused, !good, "{length}");
        assert_eq!(alice.storage.contacts().unwrap().len(), usize::from(good));
    }
}

#[test]
fn a_card_that_proves_useless_later_ends_its_join_only() {
    let mut alice = Alone::join(Locator(vec![1; 16]));
    alice.answer();
    let mut join = alice.storage.joins().unwrap().remove(0);
    join.card.as_mut().unwrap().key_package.pop();
    alice.storage.put_join(&join).unwrap();
    alice.open_again();
    alice.answer();
    let record = alice.storage.contacts().unwrap().remove(0);
    assert_eq!(record.standing, Standing::Broken);
    let failed = Event::JoinFailed {
        contact: Some(record.id),
        refusal: Refusal::LinkForged,
    };
    assert!(alice.faces.contains(&failed), "{:?}", alice.faces);
    assert_eq!(alice.storage.joins().unwrap(), []);
}

#[test]
fn a_conversation_that_cannot_go_on_ends_alone() {
    let (mut c, mut mallory, contact) = scene(205);
    let storage = c.village.storage(c.alice).unwrap();
    let mut record = storage
        .contacts()
        .unwrap()
        .into_iter()
        .find(|record| record.id == contact)
        .unwrap();
    record.addresses = vec![Secret::new([9; 40])];
    storage.put_contact(&record).unwrap();
    c.village.open_again(c.alice).unwrap();
    let hello = || Command::Send {
        contact,
        text: "hello".to_owned(),
        reply_to: None,
    };
    for _ in 0..2 {
        assert_eq!(refusal(&mut c.village, c.alice, hello()), Refusal::Broken);
        assert_eq!(standing(&mut c, contact), Some(Standing::Broken));
        c.village.open_again(c.alice).unwrap();
    }
    mallory.tell_address(&mut c.village, 9);
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::Broken]);
    still_works(&mut c, &[]);
}

#[test]
fn nobody_moves_to_where_only_strangers_write() {
    let (mut c, mut mallory, contact) = scene(203);
    let strange = |locator: &[u8]| {
        let address = Address {
            network: NetworkTag::TOY,
            locator: Locator(locator.to_vec()),
            seal: SealKey::FirstContact(Box::new([0xFF; 1_216])),
        };
        address.encode()
    };
    let shared = mallory.address().encode();
    let newer = vec![9; 40];
    for (revision, addresses) in (2..).zip([
        Vec::new(),
        vec![Vec::new()],
        vec![vec![0; 40]],
        vec![newer.clone()],
        vec![strange(b"x")],
        vec![strange(b"x"); 16],
        vec![strange(b"x"), shared.clone(), newer],
        vec![shared; 16],
    ]) {
        let update = AddressUpdate {
            revision,
            addresses,
            recovery: Vec::new(),
        };
        mallory.tell(&mut c.village, &Content::Addresses(update));
        // Longer than a letter to a stranger may be.
        send(
            &mut c.village,
            c.alice,
            contact,
            &"a long story ".repeat(4_900),
        );
        c.village.pass(Duration::from_secs(600)).unwrap();
        assert_eq!(standing(&mut c, contact), Some(Standing::Established));
    }
    still_works(&mut c, &[]);
}

#[test]
fn a_card_whose_sealing_key_is_none_fails_as_forged_under_its_contact() {
    let mut c = couple(206);
    let mallory = Intruder::new();
    let card = mallory.card_sealed_to(
        [0xFF; 1_216],
        Kind::OneTime,
        mallory.package(honest_package()),
    );
    let link = Intruder::publish(&mut c.village, 1, Kind::OneTime, card);
    let contact = join(&mut c.village, c.alice, &link).contact;
    c.village.rest().unwrap();
    let failed = Event::JoinFailed {
        contact: Some(contact),
        refusal: Refusal::LinkForged,
    };
    let told = c.village.events(c.alice);
    assert!(told.contains(&failed), "{told:?}");
    still_works(&mut c, &[]);
}
