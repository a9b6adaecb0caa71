//! What strangers and contacts may do to me: nothing.

use std::time::Duration;

use hushwing_conversation::village::Village;
use hushwing_conversation::{Command, DropReason, Event, Standing, Storage as _};
use hushwing_delivery::{
    Address, Envelope, Keep, Letter, Locator, MailboxId, MailboxKeys, MemoryStorage,
    NetworkCommand, NetworkEvent, NetworkTag, OfficeEvent, PostOffice, ReceiptId, Urgency,
};
use hushwing_sansio::{Context, Moment, Timestamp};

use crate::support::*;

/// Somebody with a post office and no manners.
pub(crate) struct Mallory {
    office: PostOffice,
    storage: MemoryStorage,
    chance: Seeded,
}

impl Mallory {
    pub(crate) fn new() -> Self {
        let mut storage = MemoryStorage::new();
        let office = PostOffice::open(&mut storage).unwrap();
        Self {
            office,
            storage,
            chance: Seeded(666),
        }
    }

    /// Seals `bytes` to `to` and slips it into the mailbox.
    pub(crate) fn post(&mut self, village: &mut Village, to: Address, bytes: Vec<u8>) {
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut self.chance);
        let letter = Letter {
            to: vec![to],
            last_resort: Vec::new(),
            bytes,
            urgency: Urgency::Urgent,
            keep: Keep::UntilAccepted,
        };
        self.office
            .post(&mut cx, &mut self.storage, &letter)
            .unwrap();
        while let Some((_, command)) = self.office.poll_command() {
            if let NetworkCommand::Send {
                locator,
                envelope,
                send,
            } = command
            {
                village.slip_in(&locator, envelope);
                let accepted = NetworkEvent::Accepted { send };
                self.office
                    .handle_network(&mut cx, &mut self.storage, NetworkTag::TOY, accepted)
                    .unwrap();
            }
        }
        village.rest().unwrap();
    }

    /// Opens an envelope whose seal secret was stolen.
    fn open(&mut self, secret: [u8; 32], envelope: Envelope) -> Option<Vec<u8>> {
        self.open_with(MailboxKeys::shared(secret), envelope)
    }

    /// Opens an envelope with these keys.
    pub(crate) fn open_with(&mut self, keys: MailboxKeys, envelope: Envelope) -> Option<Vec<u8>> {
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut self.chance);
        let (mailbox, network) = (MailboxId(1), NetworkTag::TOY);
        self.office
            .put_mailbox(&mut self.storage, mailbox, network, keys)
            .unwrap();
        let event = NetworkEvent::Received {
            mailbox,
            receipt: ReceiptId(1),
            envelope,
        };
        self.office
            .handle_network(&mut cx, &mut self.storage, network, event)
            .unwrap();
        while self.office.poll_command().is_some() {}
        // Before it, what became of letters posted.
        core::iter::from_fn(|| self.office.poll_event()).find_map(|event| match event {
            OfficeEvent::Incoming(letter) => Some(letter.bytes),
            _ => None,
        })
    }
}

/// Where Alice takes Bob's letters.
fn alices_address(c: &mut Couple) -> Address {
    let record = c
        .village
        .storage(c.bob)
        .unwrap()
        .contacts()
        .unwrap()
        .remove(0);
    Address::decode(record.addresses[0].expose()).unwrap()
}

/// The bytes of a letter Bob writes to Alice, which she has heard.
fn bobs_letter(c: &mut Couple, mallory: &mut Mallory, text: &str) -> Vec<u8> {
    c.village.overhear();
    send(&mut c.village, c.bob, c.his_alice, text);
    c.village.rest().unwrap();
    let mailboxes = c
        .village
        .storage(c.alice)
        .unwrap()
        .mailbox_records()
        .unwrap();
    let secret = mailboxes[0].shared.array().unwrap();
    let overheard: Vec<(Locator, Envelope)> = c.village.overhear();
    let mut opened = overheard
        .into_iter()
        .filter_map(|(_, e)| mallory.open(secret, e));
    opened.next().unwrap()
}

pub(crate) fn drops(
    village: &mut Village,
    home: hushwing_conversation::village::Home,
) -> Vec<DropReason> {
    let events = village.events(home).into_iter();
    events
        .filter_map(|e| {
            if let Event::Dropped { reason, .. } = e {
                Some(reason)
            } else {
                None
            }
        })
        .collect()
}

pub(crate) fn still_works(c: &mut Couple, said: &[&str]) {
    send(&mut c.village, c.bob, c.his_alice, "still here");
    c.village.rest().unwrap();
    send(&mut c.village, c.alice, c.her_bob, "so am I");
    c.village.pass(Duration::from_secs(60)).unwrap();
    let mut all: Vec<_> = said.to_vec();
    all.extend(["still here", "so am I"]);
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), all);
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), all);
}

#[test]
fn letters_that_are_none_are_dropped() {
    let mut c = couple(80);
    let mut mallory = Mallory::new();
    let to = alices_address(&mut c);
    for bytes in [
        vec![],
        vec![1],
        vec![0; 100],
        vec![1, 0, 0, 0, 0, 9, 1],
        vec![2, 0, 0, 0, 0, 0],
    ] {
        mallory.post(&mut c.village, to.clone(), bytes);
    }
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::Letter; 5]);
    mallory.post(&mut c.village, to, vec![1, 0, 0, 0, 0, 1, 0]);
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::Kind]);
    still_works(&mut c, &[]);
}

#[test]
fn a_replayed_message_is_dropped() {
    let mut c = couple(81);
    let mut mallory = Mallory::new();
    let letter = bobs_letter(&mut c, &mut mallory, "pay me once");
    let to = alices_address(&mut c);
    mallory.post(&mut c.village, to, letter);
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::Unreadable]);
    still_works(&mut c, &["pay me once"]);
}

#[test]
fn a_damaged_message_is_dropped_and_its_original_still_read() {
    let mut c = couple(82);
    let mut mallory = Mallory::new();
    let letter = bobs_letter(&mut c, &mut mallory, "as it was");
    let to = alices_address(&mut c);
    for place in (2..letter.len()).step_by(41) {
        let mut damaged = letter.clone();
        damaged[place] ^= 1;
        mallory.post(&mut c.village, to.clone(), damaged);
    }
    assert!(!drops(&mut c.village, c.alice).is_empty());
    still_works(&mut c, &["as it was"]);
}

#[test]
fn a_message_in_a_foreign_mailbox_is_dropped() {
    let mut c = couple(83);
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut c.village, c.alice, false).link;
    join(&mut c.village, carol, &link);
    c.village.rest().unwrap();
    let record = c
        .village
        .storage(carol)
        .unwrap()
        .contacts()
        .unwrap()
        .remove(0);
    let carols = Address::decode(record.addresses[0].expose()).unwrap();
    let mut mallory = Mallory::new();
    let letter = bobs_letter(&mut c, &mut mallory, "for Alice");
    c.village.events(c.alice);
    mallory.post(&mut c.village, carols, letter);
    assert_eq!(drops(&mut c.village, c.alice), [DropReason::WrongMailbox]);
    still_works(&mut c, &["for Alice"]);
}

#[test]
fn a_forged_join_request_leaves_the_link_good() {
    let mut village = village(84);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, false).link;
    // Bob reads the card but crashes before he asks, so Mallory can try first.
    village.crash_in(bob, 3, hushwing_conversation::village::Crash::BeforeCommit);
    village
        .ask(bob, Command::Join { link: link.clone() })
        .unwrap();
    let joins = village.storage(bob).unwrap().joins().unwrap();
    if let Some(card) = joins.first().and_then(|join| join.card.clone()) {
        let address = Address::decode(card.address.expose()).unwrap();
        let mut mallory = Mallory::new();
        for welcome in [vec![0; 40], card.key_package.clone()] {
            let length = u32::try_from(welcome.len()).unwrap().to_be_bytes();
            let letter = [&[1, 1], length.as_slice(), &welcome].concat();
            mallory.post(&mut village, address.clone(), letter);
        }
    }
    village.pass(Duration::from_secs(600)).unwrap();
    assert_eq!(
        contacts(&mut village, alice)[0].standing,
        Standing::Established
    );
    assert_eq!(
        contacts(&mut village, bob)[0].standing,
        Standing::Established
    );
}
