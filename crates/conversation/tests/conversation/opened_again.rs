//! Links that are opened more than once by the same person.

use hushwing_conversation::view::ContactView;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Command, Refusal, Reply, Secret, Standing};

use crate::support::*;

fn alice_and_bob(reusable: bool) -> (Village, Home, Home, Secret) {
    let mut village = village(10);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let bob = village.move_in("Bob", DELAY).unwrap();
    let link = invite(&mut village, alice, reusable).link;
    (village, alice, bob, link)
}

/// The same link as it may come out of a mail.
fn spelled_otherwise(link: &Secret) -> Secret {
    let text = String::from_utf8(link.expose().to_vec()).unwrap();
    let (head, tail) = text.split_at(60);
    Secret::new(format!(
        " {}\n {tail}\n",
        head.replace("hushwing", "HushWing")
    ))
}

fn only_contact(village: &mut Village, home: Home) -> ContactView {
    let mut all = contacts(village, home);
    assert_eq!(all.len(), 1);
    all.remove(0)
}

#[test]
fn a_link_opened_again_before_the_answer_leads_to_the_same_contact() {
    for reusable in [false, true] {
        let (mut village, _, bob, link) = alice_and_bob(reusable);
        // Alice hears nothing yet.
        village.swallow(bob, 1);
        let first = join(&mut village, bob, &link).contact;
        assert_eq!(join(&mut village, bob, &link).contact, first);
        village.open_again(bob).unwrap();
        assert_eq!(join(&mut village, bob, &link).contact, first);
        let other = spelled_otherwise(&link);
        assert_eq!(join(&mut village, bob, &other).contact, first);
        only_contact(&mut village, bob);
    }
}

#[test]
fn a_one_time_link_that_did_its_work_says_so() {
    let (mut village, _, bob, link) = alice_and_bob(false);
    join(&mut village, bob, &link);
    village.pass(DELAY * 3).unwrap();
    assert_eq!(
        only_contact(&mut village, bob).standing,
        Standing::Established
    );
    for _ in 0..2 {
        for link in [link.clone(), spelled_otherwise(&link)] {
            let again = Command::Join { link };
            assert_eq!(refusal(&mut village, bob, again), Refusal::LinkUsed);
        }
        only_contact(&mut village, bob);
        village.open_again(bob).unwrap();
    }
}

#[test]
fn a_reusable_link_leads_to_the_contact_it_made() {
    let (mut village, alice, bob, link) = alice_and_bob(true);
    let first = join(&mut village, bob, &link).contact;
    village.rest().unwrap();
    let contact = requests(&mut village, alice)[0].contact;
    ask(&mut village, alice, Command::Accept { contact });
    village.pass(DELAY * 3).unwrap();
    village.open_again(bob).unwrap();
    let again = join(&mut village, bob, &link);
    assert_eq!(
        (again.contact, again.standing),
        (first, Standing::Established)
    );
    only_contact(&mut village, bob);
}

#[test]
fn a_link_whose_conversation_broke_is_opened_anew() {
    let (mut village, _, bob, link) = alice_and_bob(true);
    let first = join(&mut village, bob, &link).contact;
    let storage = village.storage(bob).unwrap();
    let mut record = hushwing_conversation::Storage::contacts(storage)
        .unwrap()
        .remove(0);
    record.standing = Standing::Broken;
    hushwing_conversation::Storage::put_contact(storage, &record).unwrap();
    village.open_again(bob).unwrap();
    assert_ne!(join(&mut village, bob, &link).contact, first);
}

#[test]
fn who_asks_twice_at_once_gets_both_answers() {
    let mut alone = crate::hostile_places::Alone::join(hushwing_delivery::Locator(vec![1; 16]));
    alone.join_again();
    alone.answer();
    let contacts: Vec<_> = alone
        .faces
        .iter()
        .filter_map(|event| match event {
            hushwing_conversation::Event::Answer {
                answer: Ok(Reply::Joined(view)),
                ..
            } => Some(view.contact),
            _ => None,
        })
        .collect();
    assert_eq!(contacts.len(), 2);
    assert_eq!(contacts[0], contacts[1]);
}
