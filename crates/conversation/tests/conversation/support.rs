//! Alice, Bob and what they say to each other.

use std::time::Duration;

use hushwing_conversation::view::{ContactView, ConversationView, InvitationView, MessageView};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Command, ContactId, ConversationId, Event, MessageId, Refusal, Reply, Secret,
};
use hushwing_sansio::Entropy;

/// Numbers that repeat with their seed (SplitMix64). Keys made of them are for
/// tests only.
pub(crate) struct Seeded(pub(crate) u64);

impl Entropy for Seeded {
    fn fill(&mut self, dest: &mut [u8]) {
        for chunk in dest.chunks_mut(8) {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let bytes = (z ^ (z >> 31)).to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

pub(crate) const DELAY: Duration = Duration::from_secs(3);

pub(crate) fn village(seed: u64) -> Village {
    Village::new(Box::new(Seeded(seed)))
}

/// Asks, and once more if a crash swallowed the answer.
pub(crate) fn ask(village: &mut Village, home: Home, command: Command) -> Reply {
    let answer = village.ask(home, command.clone()).unwrap();
    let answer = answer.or_else(|| village.ask(home, command).unwrap());
    answer.expect("an answer").expect("no refusal")
}

pub(crate) fn refusal(village: &mut Village, home: Home, command: Command) -> Refusal {
    village
        .ask(home, command)
        .unwrap()
        .expect("an answer")
        .expect_err("a refusal")
}

pub(crate) fn invite(village: &mut Village, home: Home, reusable: bool) -> InvitationView {
    match ask(
        village,
        home,
        Command::Invite {
            reusable,
            network: None,
        },
    ) {
        Reply::Invitation(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn join(village: &mut Village, home: Home, link: &Secret) -> ContactView {
    match ask(village, home, Command::Join { link: link.clone() }) {
        Reply::Joined(view) => view,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn contacts(village: &mut Village, home: Home) -> Vec<ContactView> {
    match ask(village, home, Command::Contacts) {
        Reply::Contacts(views) => views,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn requests(village: &mut Village, home: Home) -> Vec<ContactView> {
    match ask(village, home, Command::Requests) {
        Reply::Contacts(views) => views,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn send(village: &mut Village, home: Home, contact: ContactId, text: &str) -> MessageId {
    sent(ask(
        village,
        home,
        Command::Send {
            contact,
            text: text.to_owned(),
            reply_to: None,
        },
    ))
}

pub(crate) fn sent(reply: Reply) -> MessageId {
    match reply {
        Reply::Sent { message, .. } => message,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn read(village: &mut Village, home: Home, contact: ContactId) -> Vec<MessageView> {
    match ask(
        village,
        home,
        Command::Read {
            contact,
            before: None,
            most: 10_000,
        },
    ) {
        Reply::Messages(views) => views,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn texts(village: &mut Village, home: Home, contact: ContactId) -> Vec<String> {
    read(village, home, contact)
        .into_iter()
        .map(|view| view.text)
        .collect()
}

pub(crate) fn conversation(
    village: &mut Village,
    home: Home,
    contact: ContactId,
) -> ConversationId {
    let known = contacts(village, home);
    let known = known.iter().find(|view| view.contact == contact);
    known.unwrap().conversation
}

/// How somebody keeps a conversation.
pub(crate) fn kept(village: &mut Village, home: Home, contact: ContactId) -> ConversationView {
    let Reply::Conversations(views) = ask(village, home, Command::Conversations) else {
        panic!("another reply")
    };
    let view = views.into_iter().find(|view| view.contact == contact);
    view.unwrap()
}

/// Somebody tells from now on that they read.
pub(crate) fn tell_of_reading(village: &mut Village, home: Home) {
    ask(village, home, Command::SetReadReceipts { on: true });
}

pub(crate) fn number(village: &mut Village, home: Home, contact: ContactId) -> String {
    match ask(village, home, Command::SafetyNumber { contact }) {
        Reply::SafetyNumber { number, .. } => number,
        other => panic!("{other:?}"),
    }
}

/// Alice invites, Bob joins by a one-time link, both are established.
pub(crate) struct Couple {
    pub(crate) village: Village,
    pub(crate) alice: Home,
    pub(crate) bob: Home,
    /// Bob, to Alice.
    pub(crate) her_bob: ContactId,
    /// Alice, to Bob.
    pub(crate) his_alice: ContactId,
}

pub(crate) fn couple(seed: u64) -> Couple {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, false).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    let her_bob = contacts(&mut village, alice)[0].contact;
    village.pass(Duration::from_secs(10)).unwrap();
    village.events(alice);
    village.events(bob);
    Couple {
        village,
        alice,
        bob,
        her_bob,
        his_alice,
    }
}

/// A couple with mailboxes on two of three servers, and a last resort on the
/// third.
pub(crate) fn on_three_servers(seed: u64) -> Couple {
    let mut c = couple(seed);
    c.village.set_servers(3);
    for home in [c.alice, c.bob] {
        let choose = c.village.choose(home, |config| {
            config.mailboxes = 2;
            config.recovery = true;
        });
        choose.unwrap();
    }
    c
}

/// Bob opened Alice's reusable link and waits.
pub(crate) struct Waiting {
    pub(crate) village: Village,
    pub(crate) alice: Home,
    pub(crate) bob: Home,
    pub(crate) his_alice: ContactId,
    pub(crate) her_bob: ContactId,
    pub(crate) link: Secret,
}

pub(crate) fn waiting(seed: u64) -> Waiting {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    let her_bob = requests(&mut village, alice)[0].contact;
    Waiting {
        village,
        alice,
        bob,
        his_alice,
        her_bob,
        link,
    }
}

pub(crate) fn dropped(events: &[Event]) -> usize {
    events
        .iter()
        .filter(|event| matches!(event, Event::Dropped { .. }))
        .count()
}
