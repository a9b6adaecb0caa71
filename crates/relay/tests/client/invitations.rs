//! Cards of invitations: published, found, replaced, taken down.

use hushwing_delivery::{
    FetchFailure, FetchId, Locator, MailboxFailure, NetworkCommand, NetworkEvent, Place, Purpose,
    SendFailure,
};
use hushwing_sansio::{Input, Machine};

use crate::acts::*;
use crate::world::{first_contact, regular};

#[test]
fn a_one_time_link_serves_who_opened_it_first_and_nobody_else() {
    let mut world = world();
    let (alice, bob, eve) = (world.person(), world.person(), world.person());
    let card = card(4);
    let (_, place) = open(&mut world, alice, Purpose::OneTimeInvitation(card.clone()));
    let place = place.expect("an invitation has a place");

    let (bundle, locator) = fetched(fetch(&mut world, bob, &place, card.secret, true));
    assert_eq!(bundle, card.bundle);
    let refused = fetch(&mut world, eve, &place, card.secret, true);
    assert_eq!(fetch_failure(refused), FetchFailure::UsedOrGone);
    fetched(fetch(&mut world, bob, &place, card.secret, true));

    send(&mut world, eve, 1, &locator, first_contact(1));
    assert_eq!(outcomes(&mut world, eve), [(1, Some(SendFailure::Gone))]);
    send(&mut world, bob, 2, &locator, first_contact(2));
    assert_eq!(outcomes(&mut world, bob), [(2, None)]);
    assert!(received(&mut world, alice)[0].1 == first_contact(2));

    // The relay forgets the card with the first message; the reader does not.
    world.restart(bob);
    let (again, same) = fetched(fetch(&mut world, bob, &place, card.secret, true));
    assert!(again == card.bundle && same == locator);
    let mistyped = fetch(&mut world, bob, &place, [0; 32], true);
    assert_eq!(fetch_failure(mistyped), FetchFailure::Forged);
}

#[test]
fn a_one_time_link_can_be_opened_again_after_a_crash_while_opening() {
    for steps in 0..8 {
        let mut world = world();
        let (alice, bob) = (world.person(), world.person());
        let card = card(5);
        let (_, place) = open(&mut world, alice, Purpose::OneTimeInvitation(card.clone()));
        let place = place.unwrap();
        let (secret, one_time) = (card.secret, true);
        let command = NetworkCommand::Fetch {
            fetch: FetchId(9),
            place: place.clone(),
            secret,
            one_time,
        };
        world.input(bob, Input::Command(command));
        for _ in 0..steps {
            match world.people[bob].client.poll_output() {
                Some(output) => world.output(bob, output),
                None => break,
            }
        }
        world.restart(bob);
        let (_, locator) = fetched(fetch(&mut world, bob, &place, secret, true));
        send(&mut world, bob, 1, &locator, first_contact(1));
        assert_eq!(
            outcomes(&mut world, bob),
            [(1, None)],
            "after {steps} outputs"
        );
    }
}

#[test]
fn a_reusable_link_serves_twenty_strangers() {
    let mut world = world();
    let alice = world.person();
    let card = card(6);
    let (_, place) = open(&mut world, alice, Purpose::ReusableInvitation(card.clone()));
    let place = place.unwrap();
    for number in 0..20 {
        let stranger = world.person();
        let (bundle, locator) = fetched(fetch(&mut world, stranger, &place, card.secret, false));
        assert_eq!(bundle, card.bundle);
        send(&mut world, stranger, 1, &locator, first_contact(number));
        assert_eq!(outcomes(&mut world, stranger), [(1, None)]);
        let (receipt, came) = received(&mut world, alice).pop().unwrap();
        assert!(came == first_contact(number));
        world.command(alice, NetworkCommand::Acknowledge { receipt });
    }
}

#[test]
fn a_bundle_can_be_replaced_and_a_card_withdrawn() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let mut card = card(7);
    let (_, place) = open(&mut world, alice, Purpose::ReusableInvitation(card.clone()));
    let place = place.unwrap();
    card.bundle = vec![9; 13_782];
    let command = NetworkCommand::ReplaceBundle {
        mailbox: BOX,
        card: card.clone(),
    };
    world.command(alice, command);
    let events = world.events(alice);
    assert!(
        matches!(events[..], [NetworkEvent::BundleReplaced { mailbox: BOX }]),
        "{events:?}"
    );
    let (bundle, locator) = fetched(fetch(&mut world, bob, &place, card.secret, false));
    assert_eq!(bundle, card.bundle);

    world.command(alice, NetworkCommand::WithdrawCard { mailbox: BOX });
    let gone = fetch(&mut world, bob, &place, card.secret, false);
    assert_eq!(fetch_failure(gone), FetchFailure::UsedOrGone);
    send(&mut world, bob, 1, &locator, first_contact(1));
    assert_eq!(outcomes(&mut world, bob), [(1, None)], "the mailbox stays");
}

#[test]
fn a_bundle_too_long_for_its_place_is_refused() {
    let mut world = world();
    let alice = world.person();
    let mut card = card(7);
    card.bundle = vec![0; 13_783];
    let purpose = Purpose::ReusableInvitation(card);
    world.command(
        alice,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
            apart: Vec::new(),
        },
    );
    let events = world.events(alice);
    let refused = MailboxFailure::Refused;
    assert!(
        matches!(events[..], [NetworkEvent::MailboxFailed { reason, .. }] if reason == refused),
        "{events:?}"
    );
}

#[test]
fn a_wrong_secret_opens_no_card() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (_, place) = open(&mut world, alice, Purpose::OneTimeInvitation(card(8)));
    let event = fetch(&mut world, bob, &place.unwrap(), [0; 32], true);
    assert_eq!(fetch_failure(event), FetchFailure::Forged);
}

#[test]
fn places_and_locators_that_are_none_are_told() {
    let mut world = world();
    let alice = world.person();
    for bytes in [vec![], vec![2; 40], vec![1; 40]] {
        let event = fetch(&mut world, alice, &Place(bytes.clone()), [0; 32], true);
        assert_eq!(fetch_failure(event), FetchFailure::Unreadable);
        send(&mut world, alice, 1, &Locator(bytes), regular(1));
        assert_eq!(
            outcomes(&mut world, alice),
            [(1, Some(SendFailure::Unreadable))]
        );
    }
}
