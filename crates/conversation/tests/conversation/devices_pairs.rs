//! Conversations of two on several devices.

use hushwing_conversation::view::{ContactView, Draft, Speaker};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Change, Command, Config, ContactId, Event, MessageId, MessageState, Refusal, Reply, Standing,
};

use crate::devices::{device, link, pass};
use crate::rooms::rooms;
use crate::support::*;

/// Alice, who gave the link, with her phone and perhaps a laptop; and Bob.
pub(crate) struct Two {
    pub(crate) village: Village,
    pub(crate) alice: Home,
    pub(crate) bob: Home,
    pub(crate) her_bob: ContactId,
    pub(crate) his_alice: ContactId,
}

pub(crate) fn config(name: &str) -> Config {
    Config {
        name: name.to_owned(),
        receipt_delay: (DELAY, DELAY),
        rotates: false,
        ..Config::default()
    }
}

impl Two {
    pub(crate) fn new(seed: u64) -> Self {
        let mut village = village(seed);
        let alice = village.move_in_as(config("Alice")).unwrap();
        let bob = village.move_in_as(config("Bob")).unwrap();
        let link = invite(&mut village, alice, false).link;
        let his_alice = join(&mut village, bob, &link).contact;
        village.rest().unwrap();
        pass(&mut village, 10);
        let her_bob = contacts(&mut village, alice)[0].contact;
        Self {
            village,
            alice,
            bob,
            her_bob,
            his_alice,
        }
    }

    /// Somebody's further device is linked.
    pub(crate) fn link(&mut self, old: Home, names: (&str, &str)) -> Home {
        let owner = if old == self.bob { "Bob" } else { "Alice" };
        let new = self.village.move_in_as(config(owner)).unwrap();
        link(&mut self.village, (old, names.0), (new, names.1));
        self.pass(120);
        new
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        pass(&mut self.village, seconds);
    }

    /// The one contact of a home.
    pub(crate) fn only(&mut self, home: Home) -> ContactView {
        let mut all = contacts(&mut self.village, home);
        assert_eq!(all.len(), 1, "contacts");
        all.remove(0)
    }

    pub(crate) fn say(&mut self, home: Home, text: &str) -> MessageId {
        let contact = self.only(home).contact;
        send(&mut self.village, home, contact, text)
    }

    /// What a home shows: whether it is said by whoever looks, and what.
    pub(crate) fn read(&mut self, home: Home) -> Vec<(bool, String)> {
        let contact = self.only(home).contact;
        let said = read(&mut self.village, home, contact).into_iter();
        said.map(|view| {
            assert_eq!(view.contact, contact);
            match view.from {
                Speaker::Me => {}
                from => assert_eq!(from, Speaker::Contact(contact)),
            }
            (view.from == Speaker::Me, view.text)
        })
        .collect()
    }

    pub(crate) fn state(&mut self, home: Home, message: MessageId) -> MessageState {
        let contact = self.only(home).contact;
        let said = read(&mut self.village, home, contact);
        let found = said.iter().find(|view| view.id == message);
        found.expect("the message").state
    }
}

pub(crate) fn lines(said: &[(bool, &str)]) -> Vec<(bool, String)> {
    let said = said.iter();
    said.map(|(mine, text)| (*mine, (*text).to_owned()))
        .collect()
}

#[test]
fn a_linked_device_has_the_contacts_and_talks_with_them() {
    let mut t = Two::new(5_000);
    let (alice, bob) = (t.alice, t.bob);
    t.say(alice, "before");
    t.pass(30);
    let number = number(&mut t.village, alice, t.her_bob);
    let verify = Command::Verify {
        contact: t.her_bob,
        number: number.clone(),
    };
    ask(&mut t.village, alice, verify);
    let laptop = t.link(alice, ("phone", "laptop"));
    let view = t.only(laptop);
    assert_eq!(
        (view.name.as_str(), view.standing),
        ("Bob", Standing::Established)
    );
    assert!(view.verified && !view.blocked);
    assert_eq!(view.conversation, t.only(alice).conversation);
    let contact = view.contact;
    assert_eq!(
        crate::support::number(&mut t.village, laptop, contact),
        number
    );
    for home in [alice, bob, laptop] {
        assert!(rooms(&mut t.village, home).is_empty(), "no room is shown");
    }
    let from_bob = t.say(bob, "from bob");
    t.pass(60);
    t.say(alice, "from the phone");
    t.pass(60);
    let from_laptop = t.say(laptop, "from the laptop");
    t.pass(60);
    let hers = [
        (true, "before"),
        (false, "from bob"),
        (true, "from the phone"),
        (true, "from the laptop"),
    ];
    assert_eq!(t.read(alice), lines(&hers));
    assert_eq!(t.read(laptop), lines(&hers));
    let his = [
        (false, "before"),
        (true, "from bob"),
        (false, "from the phone"),
        (false, "from the laptop"),
    ];
    assert_eq!(t.read(bob), lines(&his));
    assert_eq!(t.state(bob, from_bob), MessageState::Delivered);
    assert_eq!(t.state(laptop, from_laptop), MessageState::Delivered);
    assert_eq!(t.only(bob).contact, t.his_alice, "the contact of before");
    let devices = [bob, alice, laptop].map(|home| t.only(home).devices);
    assert_eq!(devices, [2, 1, 1]);
}

#[test]
fn how_far_something_got_is_claimed_by_the_device_that_said_it() {
    let mut t = Two::new(5_004);
    let alice = t.alice;
    let before = t.say(alice, "before");
    t.pass(30);
    let laptop = t.link(alice, ("phone", "laptop"));
    let phones = t.say(alice, "from the phone");
    let laptops = t.say(laptop, "from the laptop");
    t.pass(60);
    let told = |t: &mut Two, home, message| {
        let Reply::Where(told) = ask(&mut t.village, home, Command::Where { message }) else {
            panic!("not where it is");
        };
        let stages = told.progress.iter();
        let stages = stages
            .map(|step| (step.stage, step.verified))
            .collect::<Vec<_>>();
        (told.elsewhere, stages)
    };
    use MessageState::{Accepted, Delivered, Queued};
    let left = vec![(Queued, false), (Accepted, false), (Delivered, true)];
    let heard = vec![(Queued, true), (Delivered, true)];
    // Who handed it on may say anything.
    let handed = vec![(Queued, false), (Delivered, false)];
    for (home, message, way) in [
        (alice, before, &left),
        (alice, phones, &left),
        (alice, laptops, &heard),
        (laptop, before, &handed),
        (laptop, phones, &heard),
        (laptop, laptops, &left),
    ] {
        let elsewhere = way != &left;
        assert_eq!(told(&mut t, home, message), (elsewhere, way.clone()));
        let contact = t.only(home).contact;
        let said = read(&mut t.village, home, contact);
        let said = said.iter().find(|view| view.id == message).unwrap();
        assert_eq!(said.elsewhere, elsewhere, "{}", said.text);
        assert_eq!(said.from, Speaker::Me);
    }
    // What is given up was said from here: of the rest nothing is known as before.
    block(&mut t, alice, true);
    t.pass(60);
    assert_eq!(told(&mut t, alice, laptops), (true, heard));
    block(&mut t, alice, false);
    t.pass(60);
    // And of what was taken back.
    ask(&mut t.village, laptop, Command::Delete { message: laptops });
    t.pass(60);
    let contact = t.only(alice).contact;
    let said = read(&mut t.village, alice, contact);
    let said = said.iter().find(|view| view.id == laptops).unwrap();
    assert!(said.deleted && said.elsewhere);
}

#[test]
fn whoever_opened_the_link_gets_a_pair_as_well() {
    let mut t = Two::new(5_001);
    let (alice, bob) = (t.alice, t.bob);
    let tablet = t.link(bob, ("phone", "tablet"));
    t.say(tablet, "from the tablet");
    t.pass(60);
    t.say(alice, "hello");
    t.pass(60);
    assert_eq!(
        t.read(tablet),
        lines(&[(true, "from the tablet"), (false, "hello")])
    );
    assert_eq!(
        t.read(bob),
        lines(&[(true, "from the tablet"), (false, "hello")])
    );
    assert_eq!(
        t.read(alice),
        lines(&[(false, "from the tablet"), (true, "hello")])
    );
}

#[test]
fn changes_reading_and_drafts_agree() {
    let mut t = Two::new(5_002);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    for home in [alice, bob, laptop] {
        tell_of_reading(&mut t.village, home);
    }
    let message = t.say(laptop, "helo");
    t.pass(60);
    // Edited by the other device, and reacted to by Bob.
    let text = "hello".to_owned();
    ask(&mut t.village, alice, Command::Edit { message, text });
    let mark = "👍".to_owned();
    ask(&mut t.village, bob, Command::React { message, mark });
    t.pass(60);
    for home in [alice, laptop, bob] {
        let contact = t.only(home).contact;
        let said = read(&mut t.village, home, contact);
        assert_eq!(said.len(), 1);
        assert_eq!((said[0].text.as_str(), said[0].edited), ("hello", true));
        let by = match home == bob {
            true => Speaker::Me,
            false => Speaker::Contact(contact),
        };
        assert_eq!(said[0].reactions, [(by, "👍".to_owned())]);
    }
    t.say(bob, "read me");
    t.pass(60);
    let unread = |t: &mut Two, home| {
        let contact = t.only(home).contact;
        kept(&mut t.village, home, contact).unread
    };
    assert_eq!((unread(&mut t, alice), unread(&mut t, laptop)), (1, 1));
    t.read(laptop);
    t.pass(60);
    assert_eq!((unread(&mut t, alice), unread(&mut t, laptop)), (0, 0));
    let draft = Draft {
        text: "I beg".to_owned(),
        reply_to: None,
    };
    for (from, to) in [(alice, laptop), (laptop, alice)] {
        let conversation = t.only(from).conversation;
        for draft in [Some(draft.clone()), None] {
            let change = Change::Draft(draft.clone());
            ask(
                &mut t.village,
                from,
                Command::Keep {
                    conversation,
                    change,
                },
            );
            t.pass(30);
            let contact = t.only(to).contact;
            assert_eq!(kept(&mut t.village, to, contact).draft, draft);
        }
    }
}

#[test]
fn a_revoked_device_hears_nothing_more() {
    let mut t = Two::new(5_003);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.say(bob, "to both");
    t.pass(60);
    t.village.events(bob);
    let lost = device(&mut t.village, alice, "laptop");
    ask(
        &mut t.village,
        alice,
        Command::RevokeDevice { device: lost },
    );
    t.pass(300);
    let told = t.village.events(bob);
    let told = told
        .iter()
        .any(|one| matches!(one, Event::Contact(view) if view.devices == 1));
    assert!(told, "Bob is told");
    t.say(bob, "to one");
    t.pass(60);
    assert_eq!(
        t.read(alice),
        lines(&[(false, "to both"), (false, "to one")])
    );
    let view = t.only(laptop);
    assert_eq!(view.standing, Standing::Broken);
    assert_eq!(t.read(laptop), lines(&[(false, "to both")]));
    let speak = Command::Send {
        contact: view.contact,
        text: "as if nothing had been".to_owned(),
        reply_to: None,
    };
    assert_eq!(refusal(&mut t.village, laptop, speak), Refusal::ThrownOut);
}

#[test]
fn who_has_the_contact_throws_out_of_the_pair_whom_another_let_in() {
    let mut t = Two::new(5_014);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.village.set_offline(alice, true);
    let tablet = t.link(laptop, ("laptop", "tablet"));
    assert_eq!(t.only(bob).devices, 3);
    t.village.set_offline(laptop, true);
    t.village.set_offline(tablet, true);
    t.village.set_offline(alice, false);
    t.pass(600);
    let lost = device(&mut t.village, alice, "tablet");
    let revoke = Command::RevokeDevice { device: lost };
    ask(&mut t.village, alice, revoke);
    t.pass(600);
    assert_eq!(t.only(bob).devices, 2);
    t.village.set_offline(tablet, false);
    t.pass(60);
    t.say(bob, "not to the tablet");
    t.pass(60);
    assert_eq!(t.only(tablet).standing, Standing::Broken);
    assert!(t.read(tablet).is_empty());
}

#[test]
fn when_the_device_that_began_is_lost_the_other_goes_on_and_it_is_not_heard() {
    let mut t = Two::new(5_004);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.say(bob, "to both");
    t.pass(60);
    let lost = device(&mut t.village, laptop, "phone");
    ask(
        &mut t.village,
        laptop,
        Command::RevokeDevice { device: lost },
    );
    t.pass(300);
    t.say(laptop, "the phone is gone");
    t.say(bob, "good to know");
    // A thief speaks where the conversation was begun.
    let speak = Command::Send {
        contact: t.her_bob,
        text: "send money".to_owned(),
        reply_to: None,
    };
    let _ = t.village.ask(alice, speak).unwrap();
    t.pass(120);
    let his = [
        (true, "to both"),
        (false, "the phone is gone"),
        (true, "good to know"),
    ];
    let mut said = t.read(bob);
    said.sort();
    let mut wanted = lines(&his);
    wanted.sort();
    assert_eq!(said, wanted);
    assert_eq!(t.read(laptop).len(), 3);
    assert!(!t.read(alice).contains(&(false, "good to know".to_owned())));
    // Nor is the conversation begun anew with whoever puts a backup of the phone back.
    let stolen = t.village.storage(alice).unwrap().clone();
    t.village.restore(alice, stolen).unwrap();
    t.pass(3_600);
    t.say(bob, "to the laptop");
    t.pass(60);
    assert_eq!(t.read(laptop).len(), 4);
    assert_eq!(t.only(alice).standing, Standing::Restoring);
    assert_eq!(t.only(bob).devices, 1);
}

#[test]
fn what_a_pair_does_not_keep_is_refused() {
    let mut t = Two::new(5_005);
    let alice = t.alice;
    let laptop = t.link(alice, ("phone", "laptop"));
    let contact = t.only(laptop).contact;
    let conversation = t.only(laptop).conversation;
    for mode in ["provable", "otr"] {
        let mode = match mode {
            "otr" => hushwing_conversation::content::Mode::Otr,
            _ => hushwing_conversation::content::Mode::Provable,
        };
        let here = Command::SetMode {
            contact: t.her_bob,
            mode,
        };
        assert_eq!(refusal(&mut t.village, alice, here), Refusal::NotInPairs);
        let there = Command::SetMode { contact, mode };
        assert_eq!(
            refusal(&mut t.village, laptop, there),
            Refusal::OnAnotherDevice
        );
    }
    let seconds = 60;
    let timer = Command::Disappear {
        conversation,
        seconds,
    };
    for home in [alice, laptop] {
        assert_eq!(
            refusal(&mut t.village, home, timer.clone()),
            Refusal::NotInPairs
        );
    }
    for home in [alice, laptop] {
        let seconds = 0;
        let none = Command::Disappear {
            conversation,
            seconds,
        };
        ask(&mut t.village, home, none);
    }
}

fn block(t: &mut Two, home: Home, blocked: bool) {
    let conversation = t.only(home).conversation;
    let change = Change::Blocked(blocked);
    let keep = Command::Keep {
        conversation,
        change,
    };
    ask(&mut t.village, home, keep);
}

#[test]
fn a_further_device_blocks_and_forgets_for_itself() {
    let mut t = Two::new(5_006);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    tell_of_reading(&mut t.village, laptop);
    let unread = t.say(bob, "unread");
    t.pass(60);
    block(&mut t, laptop, true);
    assert!(t.only(laptop).blocked && !t.only(alice).blocked);
    t.say(bob, "to the phone");
    t.pass(60);
    assert_eq!((t.read(laptop).len(), t.read(alice).len()), (1, 2));
    t.pass(60);
    let state = t.state(bob, unread);
    assert_eq!(state, MessageState::Delivered, "nobody is told of reading");
    t.village.open_again(laptop).unwrap();
    assert!(t.only(laptop).blocked);
    block(&mut t, laptop, false);
    t.say(bob, "to both");
    t.pass(60);
    assert_eq!(
        t.read(laptop),
        lines(&[(false, "unread"), (false, "to both")])
    );
    let contact = t.only(laptop).contact;
    ask(&mut t.village, laptop, Command::Forget { contact });
    t.say(bob, "to the phone again");
    t.pass(2 * 24 * 3_600);
    assert!(contacts(&mut t.village, laptop).is_empty());
    assert_eq!(t.read(alice).len(), 4);
}

#[test]
fn blocking_calls_back_what_is_under_way_in_the_pair() {
    let mut t = Two::new(5_007);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.village.set_offline(alice, true);
    let message = t.say(alice, "not for him");
    block(&mut t, alice, true);
    t.village.set_offline(alice, false);
    t.pass(600);
    assert_eq!(t.state(alice, message), MessageState::Failed);
    assert!(t.read(bob).is_empty());
    assert!(t.only(laptop).blocked);
    let conversation = t.only(laptop).conversation;
    let change = Change::Blocked(false);
    let unblock = Command::Keep {
        conversation,
        change,
    };
    let refused = refusal(&mut t.village, laptop, unblock);
    assert_eq!(refused, Refusal::OnAnotherDevice);
}

#[test]
fn no_timer_begins_while_a_pair_is_founded() {
    let mut t = Two::new(5_008);
    let (alice, bob) = (t.alice, t.bob);
    t.village.set_offline(bob, true);
    t.link(alice, ("phone", "laptop"));
    t.village.set_offline(alice, true);
    t.village.set_offline(bob, false);
    t.pass(25 * 3_600);
    let (conversation, seconds) = (t.only(bob).conversation, 60);
    let timer = Command::Disappear {
        conversation,
        seconds,
    };
    assert_eq!(refusal(&mut t.village, bob, timer), Refusal::NotInPairs);
    t.village.set_offline(alice, false);
    t.pass(300);
    assert_eq!(t.only(bob).devices, 2);
}
