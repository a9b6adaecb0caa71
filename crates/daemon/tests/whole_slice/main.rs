//! Everything below the daemon in one virtual world: two messengers, each with
//! a relay client and a store for either, over the relay server, on streams
//! that break. Any process may die at any step, before or after its commit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::disallowed_methods,
    missing_docs
)]

// The relay's tests use more of it than these.
#[allow(dead_code)]
#[path = "../../../relay/tests/peer/mod.rs"]
mod peer;
mod rooms;
mod story;

use std::time::Duration;

use hushwing_sim::{CrashPlan, DriverFault, Netem, Step, When};
use story::Story;

const ALICE: usize = 0;
const BOB: usize = 1;

/// Meets by a link, says three things each way, and compares. Gives the steps
/// each process took.
fn play(seed: u64, netem: Netem, reusable: bool, plan: Option<CrashPlan>) -> [u64; 3] {
    play_under(DriverFault::None, seed, netem, reusable, plan)
}

fn play_under(
    fault: DriverFault,
    seed: u64,
    netem: Netem,
    reusable: bool,
    plan: Option<CrashPlan>,
) -> [u64; 3] {
    let mut story = Story::new(seed, netem, format!("seed {seed}, {plan:?}"));
    story.world.set_driver_fault(fault);
    if let Some(plan) = plan {
        story.world.plan(plan);
    }
    let link = story.invite(ALICE, reusable);
    story.join(BOB, &link);
    if reusable {
        story.accept(ALICE);
    }
    let (her_bob, his_alice) = (story.established(ALICE), story.established(BOB));
    for text in ["one", "two", "three"] {
        story.say(ALICE, her_bob, &format!("{text} from alice"));
        story.say(BOB, his_alice, &format!("{text} from bob"));
    }
    story.agree([(ALICE, her_bob), (BOB, his_alice)], 6);
    [Step::Person(ALICE), Step::Person(BOB), Step::Server].map(|of| story.world.steps(of))
}

/// Kills one process at its steps, one story each; all of them with
/// `HUSHWING_SOAK=1`, else so many spread evenly.
fn kill(of: Step, reusable: bool) {
    let soak = std::env::var("HUSHWING_SOAK").is_ok_and(|soak| soak == "1");
    let points = if soak { u64::MAX } else { 16 };
    let [alice, bob, server] = play(1, Netem::calm(), reusable, None);
    let steps = match of {
        Step::Person(ALICE) => alice,
        Step::Person(_) => bob,
        Step::Server => server,
    };
    let stride = steps / points + 1;
    for (offset, when) in [(0, When::BeforeCommit), (stride / 2, When::AfterCommit)] {
        let mut step = offset;
        while step < steps {
            let plan = CrashPlan { of, step, when };
            play(1, Netem::calm(), reusable, Some(plan));
            step += stride;
        }
    }
}

#[test]
fn the_inviter_may_die_at_any_step() {
    kill(Step::Person(ALICE), false);
}

#[test]
fn the_joiner_may_die_at_any_step() {
    kill(Step::Person(BOB), false);
}

#[test]
fn the_relay_may_die_at_any_step() {
    kill(Step::Server, false);
}

#[test]
fn the_owner_of_a_reusable_link_may_die_at_any_step() {
    kill(Step::Person(ALICE), true);
}

#[test]
fn a_story_goes_well_on_streams_that_break() {
    for seed in 10..14 {
        play(seed, Netem::storm(), seed % 2 == 0, None);
    }
}

/// What was said during an outage leaves with the first connection after it.
#[test]
fn after_an_outage_messages_leave_with_the_first_connection() {
    for seed in 20..26 {
        let mut story = Story::new(seed, Netem::calm(), format!("seed {seed}"));
        let link = story.invite(ALICE, false);
        story.join(BOB, &link);
        let (her_bob, his_alice) = (story.established(ALICE), story.established(BOB));
        story.world.set_online(ALICE, false);
        story.world.run_for(Duration::from_secs(5)).unwrap();
        story.say(ALICE, her_bob, "during the outage");
        story.world.run_for(Duration::from_secs(120)).unwrap();
        story.world.set_online(ALICE, true);
        // Rests between attempts last a quarter of a minute at most.
        story.world.run_for(Duration::from_secs(15 + 2)).unwrap();
        assert_eq!(story.says(BOB, his_alice), 1, "seed {seed}");
    }
}

/// The stories can fail: a driver that sends before it stores loses or doubles
/// something at one of Bob's steps.
#[test]
fn a_driver_that_sends_before_it_stores_is_noticed() {
    let fault = DriverFault::SendThenStore;
    let [_, steps, _] = play(1, Netem::calm(), false, None);
    let noticed = (0..steps).any(|step| {
        let plan = CrashPlan {
            of: Step::Person(BOB),
            step,
            when: When::BeforeCommit,
        };
        std::panic::catch_unwind(|| play_under(fault, 1, Netem::calm(), false, Some(plan))).is_err()
    });
    assert!(noticed, "{steps} crashes and nothing noticed");
}
