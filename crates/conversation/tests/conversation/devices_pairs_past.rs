//! What was said in a conversation of two, handed to a device that is linked later.

use hushwing_conversation::content::Mode;
use hushwing_conversation::storage::Storage as _;
use hushwing_conversation::view::{MessageView, Speaker};
use hushwing_conversation::village::Home;
use hushwing_conversation::{Command, ContactId, Refusal};

use crate::devices::{call, devices, link, pass, shown};
use crate::devices_pairs::{Two, config, lines};
use crate::support::*;

/// What a home shows, with what nobody but another device of its own vouches for.
fn look(t: &mut Two, home: Home) -> Vec<MessageView> {
    let contact = t.only(home).contact;
    read(&mut t.village, home, contact)
}

#[test]
fn what_was_said_in_a_pair_is_handed_to_a_device_that_comes_later() {
    let mut t = Two::new(5_300);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.say(alice, "from the phone");
    t.pass(30);
    t.say(laptop, "from the laptop");
    t.pass(30);
    t.say(bob, "from bob");
    t.pass(600);
    // By the device that does not have the contact, while the other is off.
    t.village.set_offline(alice, true);
    let tablet = t.link(laptop, ("laptop", "tablet"));
    t.pass(600);
    let said = [
        (true, "from the phone"),
        (true, "from the laptop"),
        (false, "from bob"),
    ];
    assert_eq!(t.read(tablet), lines(&said));
    assert!(look(&mut t, tablet).iter().all(|one| one.handed_on));
    t.say(bob, "to all");
    t.pass(60);
    let view = look(&mut t, tablet).remove(3);
    assert_eq!((view.text.as_str(), view.handed_on), ("to all", false));
}

#[test]
fn what_was_said_before_the_pair_is_handed_to_each_further_device() {
    let mut t = Two::new(5_301);
    let (alice, bob) = (t.alice, t.bob);
    tell_of_reading(&mut t.village, alice);
    let first = t.say(alice, "helo");
    t.pass(30);
    let from_bob = t.say(bob, "from bob");
    let gone = t.say(bob, "to be gone");
    t.pass(30);
    let text = "hello".to_owned();
    ask(
        &mut t.village,
        alice,
        Command::Edit {
            message: first,
            text,
        },
    );
    let mark = "🦉".to_owned();
    let react = Command::React {
        message: first,
        mark,
    };
    ask(&mut t.village, bob, react);
    ask(&mut t.village, bob, Command::Delete { message: gone });
    t.pass(60);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.pass(60);
    let before = lines(&[(true, "hello"), (false, "from bob")]);
    assert_eq!(t.read(laptop), before);
    t.say(laptop, "after");
    t.pass(60);
    // A third one has it from the laptop alone.
    t.village.set_offline(alice, true);
    let tablet = t.link(laptop, ("laptop", "tablet"));
    // That one is asked in vain for ten minutes.
    t.pass(1_200);
    let all = [before, lines(&[(true, "after")])].concat();
    for home in [laptop, tablet] {
        assert_eq!(t.read(home), all, "{home:?}");
        let said = look(&mut t, home);
        assert!(said[..2].iter().all(|one| one.handed_on));
        assert_eq!((said[0].id, said[1].id), (first, from_bob));
        let contact = t.only(home).contact;
        let his = (Speaker::Contact(contact), "🦉".to_owned());
        assert_eq!((said[0].edited, &said[0].reactions), (true, &vec![his]));
        assert_eq!(kept(&mut t.village, home, contact).unread, 0);
        // Where it was said, it is changed.
        let text = "hey".to_owned();
        let edit = Command::Edit {
            message: first,
            text,
        };
        let delete = Command::Delete { message: first };
        let mark = "👍".to_owned();
        let react = Command::React {
            message: from_bob,
            mark,
        };
        for change in [edit, delete, react] {
            assert_eq!(
                refusal(&mut t.village, home, change),
                Refusal::OnAnotherDevice
            );
        }
    }
    // Both sides see one order still.
    t.village.set_offline(alice, false);
    t.pass(60);
    assert_eq!(
        t.read(alice)[..3],
        [&all[..2], &[(false, String::new())]].concat()
    );
}

#[test]
fn long_pasts_come_whole_over_the_place_where_the_pair_begins() {
    let mut t = Two::new(5_302);
    let homes = [t.alice, t.bob];
    let mut said = 0;
    let mut talk = |t: &mut Two| {
        for _ in 0..45 {
            t.say(homes[said % 2], &format!("text {said}"));
            said += 1;
            t.pass(2);
        }
        t.pass(60);
    };
    talk(&mut t);
    t.link(homes[0], ("phone", "laptop"));
    talk(&mut t);
    let tablet = t.link(homes[0], ("phone", "tablet"));
    t.pass(600);
    let hers = t.read(homes[0]);
    assert_eq!(hers.len(), 90);
    assert_eq!(t.read(tablet), hers);
    // Nothing of it is asked for any more.
    let history = devices(&mut t.village, tablet).history.expect("it came");
    assert_eq!((history.taken, history.open), (90, 0));
}

#[test]
fn of_what_was_said_before_less_may_be_handed_over_and_nothing_off_the_record() {
    let mut t = Two::new(5_303);
    let (alice, bob) = (t.alice, t.bob);
    t.say(bob, "long ago");
    let wish = |t: &mut Two, mode| {
        for (home, contact) in [(alice, t.her_bob), (bob, t.his_alice)] {
            ask(&mut t.village, home, Command::SetMode { contact, mode });
            t.pass(60);
        }
    };
    wish(&mut t, Mode::Otr);
    t.say(bob, "off the record");
    t.pass(60);
    wish(&mut t, Mode::Normal);
    t.pass(3 * 24 * 3_600);
    t.say(bob, "of late");
    t.pass(60);
    let mut all = Vec::new();
    for days in [Some(1), None] {
        let new = t.village.move_in_as(config("Alice")).unwrap();
        let link = shown(&mut t.village, new, &format!("new {days:?}"));
        ask(&mut t.village, alice, call(&link, "phone"));
        t.pass(10);
        let code = devices(&mut t.village, alice).code.expect("a code");
        ask(&mut t.village, alice, Command::ConfirmDevice { code, days });
        t.pass(3_600);
        all.push(t.read(new));
    }
    let late = [(false, "long ago"), (false, "of late")];
    assert_eq!(all, [&late[1..], &late[..]].map(lines));
}

#[test]
fn three_devices_of_who_gets_to_know_somebody_do_not_wait_for_each_other() {
    let mut v = village(5_304);
    let [alice, bob, tablet, laptop] =
        ["Alice", "Bob", "Bob", "Bob"].map(|name| v.move_in_as(config(name)).unwrap());
    link(&mut v, (bob, "phone"), (tablet, "tablet"));
    link(&mut v, (bob, "phone"), (laptop, "laptop"));
    let invitation = invite(&mut v, alice, false).link;
    let his_alice = join(&mut v, bob, &invitation).contact;
    v.rest().unwrap();
    send(&mut v, bob, his_alice, "hello");
    pass(&mut v, 24 * 3_600);
    for home in [bob, tablet, laptop] {
        assert_eq!(contacts(&mut v, home).len(), 1, "{home:?}");
        let history = devices(&mut v, home).history;
        assert!(
            history.is_none_or(|one| one.open == 0),
            "{home:?} {history:?}"
        );
    }
}

/// Somebody's counter is so much higher from now on, as a changed program may have it.
fn count_on(t: &mut Two, home: Home, contact: ContactId, by: u64) {
    let storage = t.village.storage(home).unwrap();
    let newest = storage.last_position(contact).unwrap().unwrap();
    let mut record = storage.message(&newest.id).unwrap().unwrap();
    storage.remove_message(&newest.id).unwrap();
    record.position.lamport += by;
    storage.add_message(&record).unwrap();
    t.village.open_again(home).unwrap();
}

#[test]
fn a_contact_who_counts_high_keeps_nothing_from_further_devices() {
    let mut t = Two::new(5_310);
    let (alice, bob) = (t.alice, t.bob);
    let said = ["first", "second", "third"];
    for text in said {
        t.say(bob, text);
        t.pass(60);
        let contact = t.his_alice;
        count_on(&mut t, bob, contact, (1 << 32) - 16);
    }
    t.say(alice, "fourth");
    t.pass(60);
    let laptop = t.link(alice, ("phone", "laptop"));
    t.pass(600);
    t.say(laptop, "from the laptop");
    t.pass(600);
    for home in [alice, bob, laptop] {
        let heard = t.read(home).into_iter().map(|(_, text)| text);
        let mut heard: Vec<_> = heard.collect();
        heard.sort();
        assert_eq!(
            heard,
            ["first", "fourth", "from the laptop", "second", "third"],
            "{home:?}"
        );
    }
}

#[test]
fn what_was_said_before_the_pair_is_changed_by_nobody_in_it() {
    let mut t = Two::new(5_311);
    let (alice, bob) = (t.alice, t.bob);
    let message = t.say(bob, "I owe you ten");
    t.pass(60);
    let laptop = t.link(alice, ("phone", "laptop"));
    let tablet = t.link(bob, ("phone", "tablet"));
    t.pass(600);
    // A changed program of Bob's takes it for something that was said in the pair.
    let contact = t.only(tablet).contact;
    t.say(alice, "in the pair");
    t.pass(60);
    let storage = t.village.storage(tablet).unwrap();
    let newest = storage.last_position(contact).unwrap().unwrap();
    let mut copy = storage.message(&message).unwrap().unwrap();
    storage.remove_message(&message).unwrap();
    copy.position.epoch = newest.epoch;
    storage.add_message(&copy).unwrap();
    t.village.open_again(tablet).unwrap();
    let text = "I owe you nothing".to_owned();
    ask(&mut t.village, tablet, Command::Edit { message, text });
    t.pass(600);
    for home in [alice, laptop] {
        assert_eq!(t.read(home)[0].1, "I owe you ten", "{home:?}");
    }
}
