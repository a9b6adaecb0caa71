//! The client's promises, kept over the real server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod peer;
mod world;

use hushwing_delivery::{
    Card, Envelope, FetchFailure, FetchId, Locator, MailboxFailure, MailboxId, NetworkCommand,
    NetworkEvent, Place, Purpose, ReceiptId, SendFailure, SendId,
};
use hushwing_relay::client::MemoryStorage;
use hushwing_relay::client::link::link_secret;
use hushwing_relay::server::ServerConfig;
use hushwing_relay::wire::Version;
use hushwing_sansio::{Input, Machine, Output};
use world::{World, first_contact, regular};

const BOX: MailboxId = MailboxId(1);

fn world() -> World {
    World::new(ServerConfig::default())
}

fn card(number: u8) -> Card {
    let fixed = vec![number; 80];
    Card {
        secret: link_secret(&fixed).unwrap(),
        fixed,
        bundle: vec![number; 6_000],
    }
}

fn open(world: &mut World, who: usize, purpose: Purpose) -> (Locator, Option<Place>) {
    world.command(
        who,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
        },
    );
    opened(world, who)
}

fn opened(world: &mut World, who: usize) -> (Locator, Option<Place>) {
    match world.events(who).pop() {
        Some(NetworkEvent::MailboxOpened { locator, place, .. }) => (locator, place),
        other => panic!("not opened: {other:?}"),
    }
}

fn send(world: &mut World, who: usize, number: u64, locator: &Locator, envelope: Envelope) {
    let locator = locator.clone();
    world.command(
        who,
        NetworkCommand::Send {
            send: SendId(number),
            locator,
            envelope,
        },
    );
}

/// How sends ended, in order: `None` is accepted.
fn outcomes(world: &mut World, who: usize) -> Vec<(u64, Option<SendFailure>)> {
    (world.events(who).into_iter())
        .filter_map(|event| match event {
            NetworkEvent::Accepted { send } => Some((send.0, None)),
            NetworkEvent::Failed { send, reason } => Some((send.0, Some(reason))),
            _ => None,
        })
        .collect()
}

fn received(world: &mut World, who: usize) -> Vec<(ReceiptId, Envelope)> {
    (world.events(who).into_iter())
        .filter_map(|event| match event {
            NetworkEvent::Received {
                receipt, envelope, ..
            } => Some((receipt, envelope)),
            _ => None,
        })
        .collect()
}

fn fetch(
    world: &mut World,
    who: usize,
    place: &Place,
    secret: [u8; 32],
    one_time: bool,
) -> NetworkEvent {
    let (fetch, place) = (FetchId(1), place.clone());
    world.command(
        who,
        NetworkCommand::Fetch {
            fetch,
            place,
            secret,
            one_time,
        },
    );
    world.events(who).pop().expect("an answer")
}

fn fetched(event: NetworkEvent) -> (Vec<u8>, Locator) {
    match event {
        NetworkEvent::Fetched {
            bundle, locator, ..
        } => (bundle, locator),
        other => panic!("not fetched: {other:?}"),
    }
}

fn fetch_failure(event: NetworkEvent) -> FetchFailure {
    match event {
        NetworkEvent::FetchFailed { reason, .. } => reason,
        other => panic!("did not fail: {other:?}"),
    }
}

#[test]
fn envelopes_of_both_kinds_arrive_unchanged_at_every_version() {
    for version in 8..=18 {
        let mut world = world();
        world.relay.version = Version(version);
        let (alice, bob) = (world.person(), world.person());
        let (locator, _) = open(&mut world, alice, Purpose::Conversation);
        for (number, envelope) in [(1, regular(7)), (2, first_contact(8))] {
            send(&mut world, bob, number, &locator, envelope.clone());
            assert_eq!(
                outcomes(&mut world, bob),
                [(number, None)],
                "version {version}"
            );
            let (receipt, came) = received(&mut world, alice).pop().unwrap();
            assert!(came == envelope, "version {version}");
            world.command(alice, NetworkCommand::Acknowledge { receipt });
        }
        assert_eq!(world.relay.queues.stored_messages(), 0);
    }
}

#[test]
fn the_next_envelope_comes_with_the_acknowledgement_and_not_before() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    for number in 1..=3 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
    }
    for number in 1..=3 {
        let came = received(&mut world, alice);
        assert_eq!(came.len(), 1);
        assert!(came[0].1 == regular(number));
        world.pass(3);
        assert!(received(&mut world, alice).is_empty());
        world.command(alice, NetworkCommand::Acknowledge { receipt: came[0].0 });
    }
    assert_eq!(world.relay.queues.stored_messages(), 0);
}

#[test]
fn an_envelope_is_told_again_until_it_is_acknowledged() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(received(&mut world, alice).len(), 1);

    world.drop_connections(Some(alice), true);
    world.pass(5);
    assert_eq!(received(&mut world, alice).len(), 1, "after a reconnection");

    world.restart(alice);
    world.pass(5);
    let (receipt, _) = received(&mut world, alice).pop().expect("after a restart");
    world.command(alice, NetworkCommand::Acknowledge { receipt });
    world.drop_connections(Some(alice), true);
    world.pass(5);
    assert!(received(&mut world, alice).is_empty());
}

#[test]
fn the_first_writer_locks_a_mailbox() {
    let mut world = world();
    let (alice, bob, eve) = (world.person(), world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    send(&mut world, eve, 2, &locator, regular(2));
    assert_eq!(outcomes(&mut world, bob), [(1, None)]);
    assert_eq!(outcomes(&mut world, eve), [(2, Some(SendFailure::Gone))]);
    assert_eq!(received(&mut world, alice).len(), 1);
}

#[test]
fn a_lock_outlives_a_crash_at_any_step_of_its_making() {
    // Stop the writer after each of its outputs; the storage it then has is
    // what was committed before that output left.
    for steps in 0..12 {
        let mut world = world();
        let (alice, bob) = (world.person(), world.person());
        let (locator, _) = open(&mut world, alice, Purpose::Conversation);
        let envelope = regular(1);
        let command = NetworkCommand::Send {
            send: SendId(1),
            locator: locator.clone(),
            envelope,
        };
        world.input(bob, Input::Command(command));
        for _ in 0..steps {
            match world.people[bob].client.poll_output() {
                Some(output) => world.output(bob, output),
                None => break,
            }
        }
        world.restart(bob);
        send(&mut world, bob, 2, &locator, regular(2));
        world.pass(2);
        assert_eq!(
            outcomes(&mut world, bob),
            [(2, None)],
            "after {steps} outputs"
        );
    }
}

#[test]
fn a_mailbox_is_made_although_the_process_stops_at_any_step() {
    for purpose in [Purpose::Conversation, Purpose::ReusableInvitation(card(3))] {
        for steps in 0..16 {
            let mut world = world();
            let alice = world.person();
            let command = NetworkCommand::OpenMailbox {
                mailbox: BOX,
                purpose: purpose.clone(),
            };
            world.input(alice, Input::Command(command));
            for _ in 0..steps {
                match world.people[alice].client.poll_output() {
                    Some(output) => world.output(alice, output),
                    None => break,
                }
            }
            world.restart(alice);
            world.run();
            let (locator, _) = open(&mut world, alice, purpose.clone());
            let again = open(&mut world, alice, purpose.clone()).0;
            assert!(again == locator, "asked twice, one mailbox");
            let bob = world.person();
            send(&mut world, bob, 1, &locator, regular(1));
            assert_eq!(
                outcomes(&mut world, bob),
                [(1, None)],
                "after {steps} outputs"
            );
            assert_eq!(received(&mut world, alice).len(), 1);
        }
    }
}

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

#[test]
fn a_closed_mailbox_is_gone_even_if_the_relay_was_away() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    world.command(alice, NetworkCommand::CloseMailbox { mailbox: BOX });
    world.restart(alice);
    world.pass(70);
    world.up = true;
    world.pass(70);
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(outcomes(&mut world, bob), [(1, Some(SendFailure::Gone))]);
    let again = open(&mut world, alice, Purpose::Conversation).0;
    assert!(again != locator, "the number may be used for a new mailbox");
}

#[test]
fn a_full_mailbox_is_told_and_takes_again_when_it_was_read() {
    let mut world = World::new(ServerConfig {
        quota: 2,
        ..ServerConfig::default()
    });
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    for number in 1..=3 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
    }
    let full = Some(SendFailure::Full);
    assert_eq!(outcomes(&mut world, bob), [(1, None), (2, None), (3, full)]);
    while let Some((receipt, _)) = received(&mut world, alice).pop() {
        world.command(alice, NetworkCommand::Acknowledge { receipt });
    }
    assert_eq!(
        world.relay.queues.stored_messages(),
        0,
        "the marker of a full queue went too"
    );
    send(&mut world, bob, 4, &locator, regular(4));
    assert_eq!(outcomes(&mut world, bob), [(4, None)]);
}

#[test]
fn without_a_relay_things_fail_or_wait_and_then_go_on() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    send(&mut world, bob, 1, &locator, regular(1));
    world.pass(3);
    assert_eq!(
        outcomes(&mut world, bob),
        [(1, Some(SendFailure::Unreachable))]
    );

    let purpose = Purpose::Conversation;
    world.command(
        bob,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
        },
    );
    world.pass(3);
    let unreachable = MailboxFailure::Unreachable;
    let events = world.events(bob);
    assert!(
        matches!(events[..], [NetworkEvent::MailboxFailed { reason, .. }] if reason == unreachable),
        "{events:?}"
    );
    world.up = true;
    world.pass(70);
    opened(&mut world, bob);
    send(&mut world, bob, 2, &locator, regular(2));
    world.pass(70);
    assert_eq!(outcomes(&mut world, bob), [(2, None)]);
    assert_eq!(received(&mut world, alice).len(), 1);
}

#[test]
fn without_a_server_no_mailbox_is_made() {
    let mut world = world();
    let alice = world.person_with(Vec::new(), MemoryStorage::default());
    let purpose = Purpose::Conversation;
    world.command(
        alice,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
        },
    );
    let none = MailboxFailure::NoServer;
    let events = world.events(alice);
    assert!(matches!(events[..], [NetworkEvent::MailboxFailed { reason, .. }] if reason == none));
}

#[test]
fn another_server_under_the_address_is_told_and_not_retried() {
    let mut world = world();
    let mut wrong = world.relay.address();
    wrong.server.fingerprint = [9; 32];
    let locator = hushwing_relay::address::QueueAddress {
        server: wrong.server,
        sender_id: vec![1; 24],
        lockable: true,
    }
    .to_locator();
    let alice = world.person();
    send(&mut world, alice, 1, &locator, regular(1));
    assert_eq!(
        outcomes(&mut world, alice),
        [(1, Some(SendFailure::WrongServer))]
    );
}

#[test]
fn an_unreachable_server_is_left_for_another_while_nothing_is_made() {
    let mut world = world();
    let mut dead = world.relay.address();
    dead.server.fingerprint = [9; 32];
    let servers = vec![dead, world.relay.address()];
    for _ in 0..4 {
        let alice = world.person_with(servers.clone(), MemoryStorage::default());
        open(&mut world, alice, Purpose::Conversation);
    }
}

#[test]
fn a_relay_killed_under_load_loses_nothing_it_accepted() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let mut accepted = Vec::new();
    let mut seen = Vec::new();
    for number in 1..=40u8 {
        send(
            &mut world,
            bob,
            u64::from(number),
            &locator,
            regular(number),
        );
        if number % 7 == 0 {
            world.restart_relay();
            world.pass(4);
        }
        accepted.extend(
            outcomes(&mut world, bob)
                .into_iter()
                .map(|(number, _)| number),
        );
        while let Some((receipt, envelope)) = received(&mut world, alice).pop() {
            seen.push(u64::from(envelope.bytes()[0]));
            world.command(alice, NetworkCommand::Acknowledge { receipt });
        }
    }
    assert_eq!(accepted, (1..=40).collect::<Vec<_>>());
    seen.dedup();
    assert_eq!(seen, accepted);
}

#[test]
fn mailboxes_are_subscribed_again_in_few_blocks() {
    let mut world = world();
    let alice = world.person();
    for number in 0..300 {
        let (mailbox, purpose) = (MailboxId(number), Purpose::Conversation);
        world.input(
            alice,
            Input::Command(NetworkCommand::OpenMailbox { mailbox, purpose }),
        );
    }
    world.run();
    assert_eq!(world.events(alice).len(), 300);
    world.drop_connections(None, true);
    world.blocks = 0;
    world.pass(5);
    assert_eq!(
        world.blocks,
        1 + 3,
        "a hello, then 135 subscriptions a block"
    );
}

#[test]
fn a_mailbox_taken_over_is_asked_back_after_a_minute() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let copy = world.people[alice].storage.clone();
    let servers = vec![world.relay.address()];
    let twin = world.person_with(servers, copy);
    world.run();
    send(&mut world, bob, 1, &locator, regular(1));
    assert_eq!(received(&mut world, twin).len(), 1);
    assert!(received(&mut world, alice).is_empty());
    world.pass(61);
    assert_eq!(received(&mut world, alice).len(), 1);
}

#[test]
fn a_cancelled_send_is_not_answered() {
    let mut world = world();
    let alice = world.person();
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    world.up = false;
    world.drop_connections(None, true);
    let envelope = regular(1);
    let send = SendId(1);
    world.input(
        alice,
        Input::Command(NetworkCommand::Send {
            send,
            locator,
            envelope,
        }),
    );
    world.input(alice, Input::Command(NetworkCommand::Cancel { send }));
    world.run();
    world.up = true;
    world.pass(10);
    assert!(outcomes(&mut world, alice).is_empty());
    assert_eq!(world.relay.queues.stored_messages(), 0);
}

#[test]
fn a_connection_nobody_needs_is_closed() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    send(&mut world, bob, 1, &locator, regular(1));
    let connected = |world: &World, who: usize| {
        world.people[who]
            .client
            .connections()
            .any(|(_, ready, _)| ready)
    };
    assert!(connected(&world, bob));
    world.pass(130);
    assert!(!connected(&world, bob));
    assert!(connected(&world, alice), "a mailbox keeps its connection");
}

#[test]
fn a_silent_server_is_found_out() {
    let mut world = world();
    let alice = world.person();
    open(&mut world, alice, Purpose::Conversation);
    // The relay's process hangs: what is sent is swallowed, nothing closes.
    world.drop_connections(None, false);
    world.pass(300 + 59);
    let ready = |world: &World| {
        world.people[alice]
            .client
            .connections()
            .any(|(_, ready, _)| ready)
    };
    assert!(ready(&world));
    world.up = false;
    world.pass(3);
    assert!(!ready(&world));
}

#[test]
fn debug_output_shows_no_address() {
    let mut world = world();
    let alice = world.person();
    let purpose = Purpose::Conversation;
    world.input(
        alice,
        Input::Command(NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
        }),
    );
    while let Some(output) = world.people[alice].client.poll_output() {
        if matches!(output, Output::OpenStream { .. } | Output::Event(_)) {
            assert!(!format!("{output:?}").contains("relay.test"));
        }
        world.output(alice, output);
    }
    let address = world.relay.address();
    assert_eq!(
        format!("{address:?} {:?}", address.server),
        "ServerAddress(..) Server(..)"
    );
}
