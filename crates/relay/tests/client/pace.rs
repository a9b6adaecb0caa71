//! How often servers in trouble are dialled, and who hears of their return.

use hushwing_delivery::{Locator, NetworkEvent, Purpose, SendFailure};

use crate::acts::*;
use crate::world::{World, regular};

/// The longest rest of an outbox between attempts to one mailbox, halved as it
/// may be.
const OUTBOX_RESTS: u64 = 8;

/// Lets time pass while an outbox sends to `locators` again whatever failed;
/// returns what was told to be reachable.
fn insist(world: &mut World, who: usize, locators: &[Locator], seconds: u64) -> Vec<Locator> {
    let mut next: Vec<_> = locators.iter().map(|_| Some(0)).collect();
    let mut told = Vec::new();
    for second in 0..seconds {
        for (number, locator) in locators.iter().enumerate() {
            if next[number].is_some_and(|at| at <= second) {
                next[number] = None;
                send(world, who, number as u64, locator, regular(1));
            }
        }
        world.pass(1);
        for event in world.events(who) {
            match event {
                NetworkEvent::Failed { send, reason } => {
                    assert_eq!(reason, SendFailure::Unreachable);
                    next[send.0 as usize] = Some(second + OUTBOX_RESTS);
                }
                NetworkEvent::Reachable { locators } => told.extend(locators),
                _ => {}
            }
        }
    }
    told
}

/// The rests between calls at the relay, in seconds.
fn rests(world: &World) -> Vec<u64> {
    let calls: Vec<_> = (world.dialled.iter())
        .filter(|(_, relay)| *relay)
        .map(|(at, _)| *at)
        .collect();
    calls.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

/// That the relay is left alone ever longer, whoever waits for it.
fn assert_ever_slower(world: &World) {
    let rests = rests(world);
    let after = |seconds: u64| {
        let mut passed = 0;
        let skipped = rests.iter().take_while(|rest| {
            passed += **rest;
            passed < seconds
        });
        skipped.count() + 1
    };
    assert!(after(60) < 14, "{rests:?}");
    assert!(
        rests[after(60)..].iter().all(|rest| *rest >= 7),
        "{rests:?}"
    );
    let late = &rests[after(300)..];
    assert!(late.len() > 3, "{rests:?}");
    assert!(late.iter().all(|rest| *rest >= 30), "{rests:?}");
    assert!(rests.iter().all(|rest| *rest <= 61), "{rests:?}");
}

#[test]
fn a_dead_relay_is_dialled_ever_more_slowly_however_many_wait_for_it() {
    let mut world = world();
    let alice = world.person();
    let six: Vec<_> = (1..=6).map(|number| mailbox_at(&world, number)).collect();
    world.up = false;
    insist(&mut world, alice, &six, 900);
    assert_ever_slower(&world);
}

#[test]
fn a_relay_that_greets_and_closes_slows_itself_and_hastens_nobody() {
    let mut world = world();
    let alice = world.person();
    let six: Vec<_> = (1..=6).map(|number| mailbox_at(&world, number)).collect();
    let elsewhere = another(&world);
    send(&mut world, alice, 99, &elsewhere, regular(1));
    let failed = [(99, Some(SendFailure::WrongServer))];
    assert_eq!(outcomes(&mut world, alice), failed);
    world.greets_only = true;
    let told = insist(&mut world, alice, &six, 900);
    assert!(told.is_empty(), "a greeting is no service");
    assert_ever_slower(&world);
    let others = (world.dialled.iter()).filter(|(_, relay)| !relay).count();
    assert_eq!(others, 1, "no other server is probed");
}

#[test]
fn a_relay_that_comes_back_is_noticed_within_a_quarter_of_a_minute() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    open(&mut world, bob, Purpose::Conversation);
    assert!(!reachable(&mut world, bob, &locator), "it never was away");
    let elsewhere = another(&world);
    send(&mut world, bob, 9, &elsewhere, regular(1));
    world.up = false;
    world.drop_connections(None, true);
    world.pass(120);
    world.events(bob);
    send(&mut world, bob, 1, &locator, regular(1));
    world.pass(16);
    assert_eq!(
        outcomes(&mut world, bob),
        [(1, Some(SendFailure::Unreachable))]
    );
    world.up = true;
    world.pass(15);
    assert!(reachable(&mut world, bob, &locator));
    send(&mut world, bob, 2, &locator, regular(2));
    assert_eq!(outcomes(&mut world, bob), [(2, None)], "at once");
}

/// Whether a client told since the last look that this locator, and it alone,
/// can be reached again.
fn reachable(world: &mut World, who: usize, locator: &Locator) -> bool {
    let told = |event| match event {
        NetworkEvent::Reachable { locators } => Some(locators),
        _ => None,
    };
    let events = world.events(who).into_iter();
    match events.filter_map(told).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] => only == std::slice::from_ref(locator),
        more => panic!("told {} times", more.len()),
    }
}

#[test]
fn what_is_newly_said_after_a_long_outage_leaves_within_two_seconds() {
    let mut world = world();
    let (alice, bob) = (world.person(), world.person());
    let (locator, _) = open(&mut world, alice, Purpose::Conversation);
    let dead = [mailbox_at(&world, 1)];
    world.up = false;
    world.drop_connections(None, true);
    insist(&mut world, bob, &dead, 900);
    world.up = true;
    send(&mut world, bob, 7, &locator, regular(1));
    world.pass(2);
    assert!(outcomes(&mut world, bob).contains(&(7, None)));
}
