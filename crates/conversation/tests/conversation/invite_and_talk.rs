//! Two people connect by a link and talk both ways.

use std::time::Duration;

use crate::support::*;
use hushwing_conversation::link::MAX_PLACE;
use hushwing_conversation::{Command, Event, MessageState, Refusal, Reply, Secret, Standing};

#[test]
fn a_one_time_link_connects_both_sides_under_their_names() {
    let mut c = couple(1);
    let alices = contacts(&mut c.village, c.alice);
    let bobs = contacts(&mut c.village, c.bob);
    assert_eq!(alices.len(), 1);
    assert_eq!(bobs.len(), 1);
    assert_eq!(alices[0].name, "Bob");
    assert_eq!(bobs[0].name, "Alice");
    assert_eq!(alices[0].conversation, bobs[0].conversation);
    for view in [&alices[0], &bobs[0]] {
        assert_eq!(view.standing, Standing::Established);
        assert!(!view.no_forward_secrecy);
        assert!(!view.verified);
    }
}

#[test]
fn only_what_is_shown_is_told_to_move() {
    let mut village = village(12);
    village.tell_progress();
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, false).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.pass(Duration::from_secs(10)).unwrap();
    let said = send(&mut village, bob, his_alice, "hello Alice");
    village.pass(Duration::from_secs(10)).unwrap();
    let mut moved = village.events(alice);
    moved.extend(village.events(bob));
    let moved = moved.iter().filter_map(|event| match event {
        Event::Progress { message, .. } => Some(*message),
        _ => None,
    });
    assert_eq!(moved.collect::<Vec<_>>(), [said]);
}

#[test]
fn a_place_too_long_for_a_link_is_told_as_that_and_leaves_nothing() {
    let mut village = village(13);
    let alice = village.move_in("Alice", DELAY).unwrap();
    village.lengthen_places(MAX_PLACE);
    let command = Command::Invite {
        reusable: false,
        network: None,
    };
    let why = refusal(&mut village, alice, command);
    assert_eq!(why, Refusal::LinkTooLong);
    village.lengthen_places(0);
    invite(&mut village, alice, false);
    let Reply::Invitations(listed) = ask(&mut village, alice, Command::Invitations) else {
        panic!("no list")
    };
    assert_eq!(listed.len(), 1);
}

#[test]
fn text_goes_both_ways_in_one_order() {
    let mut c = couple(2);
    send(&mut c.village, c.bob, c.his_alice, "hello Alice");
    c.village.rest().unwrap();
    send(&mut c.village, c.alice, c.her_bob, "hello Bob");
    c.village.rest().unwrap();
    let hers = texts(&mut c.village, c.alice, c.her_bob);
    let his = texts(&mut c.village, c.bob, c.his_alice);
    assert_eq!(hers, ["hello Alice", "hello Bob"]);
    assert_eq!(hers, his);
}

#[test]
fn the_joiner_can_write_before_the_inviter_answered() {
    let mut village = village(3);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    assert_eq!(contacts(&mut village, bob)[0].standing, Standing::Asked);
    send(&mut village, bob, his_alice, "it is me");
    village.rest().unwrap();
    let request = requests(&mut village, alice).remove(0);
    assert_eq!(request.name, "Bob");
    ask(
        &mut village,
        alice,
        Command::Accept {
            contact: request.contact,
        },
    );
    village.rest().unwrap();
    assert_eq!(texts(&mut village, alice, request.contact), ["it is me"]);
    assert_eq!(
        contacts(&mut village, bob)[0].standing,
        Standing::Established
    );
}

#[test]
fn accepting_tells_of_the_contact_once_and_then_what_they_said() {
    let mut village = village(11);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    let first = send(&mut village, bob, his_alice, "hello");
    send(&mut village, bob, his_alice, "it is me");
    let text = "hello Alice".to_owned();
    ask(
        &mut village,
        bob,
        Command::Edit {
            message: first,
            text,
        },
    );
    village.rest().unwrap();
    let told = village.events(alice);
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, Event::Arrived { .. }))
    );

    let contact = requests(&mut village, alice)[0].contact;
    village.events(alice);
    ask(&mut village, alice, Command::Accept { contact });
    village.pass(Duration::from_secs(60)).unwrap();
    let told = village.events(alice);
    let told: Vec<String> = told
        .iter()
        .filter_map(|event| match event {
            Event::Contact(view) => Some(format!("contact {}", view.name)),
            Event::Arrived { message, last, .. } => Some(format!("{} {last}", message.text)),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["contact Bob", "hello Alice true", "it is me true"]);
}

#[test]
fn the_mark_stands_until_the_inviters_first_commit() {
    let mut village = village(4);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let his_alice = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    assert!(contacts(&mut village, bob)[0].no_forward_secrecy);
    assert_eq!(
        refusal(
            &mut village,
            bob,
            Command::SafetyNumber { contact: his_alice }
        ),
        Refusal::NumberNotFixed
    );
    let her_bob = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact: her_bob });
    village.rest().unwrap();
    assert!(!contacts(&mut village, alice)[0].no_forward_secrecy);
    assert!(!contacts(&mut village, bob)[0].no_forward_secrecy);
    assert_eq!(
        number(&mut village, alice, her_bob),
        number(&mut village, bob, his_alice)
    );
}

#[test]
fn twenty_strangers_use_one_reusable_link_at_once() {
    let mut village = village(5);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    let strangers: Vec<_> = (0..20)
        .map(|n| village.move_in(&format!("Stranger {n}"), DELAY).unwrap())
        .collect();
    for stranger in &strangers {
        // All read the same bundle before Alice hears of any.
        village
            .ask(*stranger, Command::Join { link: link.clone() })
            .unwrap();
    }
    village.rest().unwrap();
    let waiting = requests(&mut village, alice);
    assert_eq!(waiting.len(), 20);
    for request in &waiting {
        ask(
            &mut village,
            alice,
            Command::Accept {
                contact: request.contact,
            },
        );
    }
    village.rest().unwrap();
    let mut keys = std::collections::BTreeSet::new();
    for (n, stranger) in strangers.iter().enumerate() {
        let view = contacts(&mut village, *stranger).remove(0);
        assert_eq!(view.standing, Standing::Established);
        send(&mut village, *stranger, view.contact, &format!("I am {n}"));
        assert!(keys.insert(number(&mut village, *stranger, view.contact)));
    }
    village.rest().unwrap();
    for contact in contacts(&mut village, alice) {
        let said = texts(&mut village, alice, contact.contact);
        assert_eq!(said, [contact.name.replace("Stranger", "I am")]);
    }
}

#[test]
fn a_refused_stranger_is_forgotten_and_not_told() {
    let mut village = village(6);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, true).link;
    join(&mut village, bob, &link);
    village.rest().unwrap();
    let contact = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Refuse { contact });
    assert!(requests(&mut village, alice).is_empty());
    village.pass(Duration::from_secs(3600)).unwrap();
    assert_eq!(contacts(&mut village, bob)[0].standing, Standing::Asked);
}

#[test]
fn links_that_cannot_be_used_say_why() {
    let mut village = village(7);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let carol = village.move_in("Carol", DELAY).unwrap();
    let invitation = invite(&mut village, alice, false);
    let link = invitation.link.clone();
    let text = String::from_utf8(link.expose().to_vec()).unwrap();
    let join = |text: &str| Command::Join {
        link: Secret::new(text),
    };
    assert_eq!(refusal(&mut village, bob, join("hello")), Refusal::NotALink);
    assert_eq!(
        refusal(&mut village, bob, join(&text[..40])),
        Refusal::LinkCutOff
    );
    let last = text.chars().last().unwrap();
    let mistyped = format!("{}{}", &text[..text.len() - 9], "AAAAAAAA") + &last.to_string();
    assert_eq!(
        refusal(&mut village, bob, join(&mistyped)),
        Refusal::LinkMistyped
    );
    assert_eq!(refusal(&mut village, alice, join(&text)), Refusal::LinkMine);
    ask(&mut village, bob, join(&text));
    assert_eq!(refusal(&mut village, carol, join(&text)), Refusal::LinkUsed);
    village.rest().unwrap();
    village.pass(Duration::from_secs(31 * 86_400)).unwrap();
    assert_eq!(
        refusal(&mut village, carol, join(&text)),
        Refusal::LinkExpired
    );
}

#[test]
fn a_withdrawn_link_is_gone() {
    let mut village = village(8);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let invitation = invite(&mut village, alice, true);
    ask(
        &mut village,
        alice,
        Command::Withdraw {
            invitation: invitation.invitation,
        },
    );
    let link = invitation.link;
    assert_eq!(
        refusal(&mut village, bob, Command::Join { link }),
        Refusal::LinkUsed
    );
    assert_eq!(
        ask(&mut village, alice, Command::Invitations),
        Reply::Invitations(Vec::new())
    );
}

#[test]
fn messages_are_accepted_then_delivered_then_read() {
    let mut c = couple(9);
    tell_of_reading(&mut c.village, c.bob);
    let id = send(&mut c.village, c.alice, c.her_bob, "there?");
    let state = |c: &mut Couple| match ask(&mut c.village, c.alice, Command::Where { message: id })
    {
        Reply::Where(at) => at,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(&mut c).state, MessageState::Queued);
    c.village.rest().unwrap();
    assert_eq!(state(&mut c).state, MessageState::Accepted);
    c.village.pass(DELAY * 2).unwrap();
    assert_eq!(state(&mut c).state, MessageState::Delivered);
    read(&mut c.village, c.bob, c.his_alice);
    c.village.pass(DELAY * 2).unwrap();
    let at = state(&mut c);
    assert_eq!(at.state, MessageState::Read);
    let stages: Vec<_> = at.progress.iter().map(|p| (p.stage, p.verified)).collect();
    assert_eq!(
        stages,
        [
            (MessageState::Queued, false),
            (MessageState::Accepted, false),
            (MessageState::Delivered, true),
            (MessageState::Read, true)
        ]
    );
}

#[test]
fn long_texts_are_read_in_several_answers() {
    let mut c = couple(19);
    for n in 0..80 {
        let text = format!("{n} {}", "long ".repeat(13_000));
        send(&mut c.village, c.bob, c.his_alice, &text);
    }
    let mut read = Vec::new();
    let mut before = None;
    let mut answers = 0;
    loop {
        let command = Command::Read {
            contact: c.his_alice,
            before,
            most: 10_000,
        };
        let Reply::Messages(views) = ask(&mut c.village, c.bob, command) else {
            panic!("no messages")
        };
        let bytes: usize = views.iter().map(|view| view.text.len()).sum();
        assert!(bytes <= 4 * 1024 * 1024);
        let Some(first) = views.first() else { break };
        before = Some(first.id);
        read.splice(0..0, views);
        answers += 1;
    }
    assert_eq!((answers, read.len()), (2, 80));
    let in_order = (0..80).zip(&read);
    in_order.for_each(|(n, view)| assert!(view.text.starts_with(&format!("{n} "))));
}
