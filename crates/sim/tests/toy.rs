//! The toy network keeps the contract, and the suite notices when it does not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    missing_docs
)]

use hushwing_sim::DriverFault;
use hushwing_sim::conformance::{self, Effort, behaviours};
use hushwing_sim::correspondent::Correspondent;
use hushwing_sim::toy::{Mutant, Toy};

fn effort() -> Effort {
    Effort::of(std::env::var("HUSHWING_SOAK").ok().as_deref())
}

#[test]
fn the_toy_network_keeps_the_contract() {
    for (name, behaviour) in behaviours::<Correspondent, Toy>() {
        let start = std::time::Instant::now();
        behaviour(0, effort()).unwrap_or_else(|violation| panic!("{name}: {violation}"));
        println!("{name}: {:?}", start.elapsed());
    }
}

fn caught<const MUTANT: u8>() {
    let violation = conformance::check::<Toy<MUTANT>>(effort())
        .expect_err("the suite does not notice a broken network");
    println!("{violation}");
}

#[test]
fn a_network_that_acknowledges_early_is_caught() {
    caught::<{ Mutant::AcknowledgesEarly as u8 }>();
}

#[test]
fn a_network_that_accepts_early_is_caught() {
    caught::<{ Mutant::AcceptsEarly as u8 }>();
}

#[test]
fn a_network_that_forgets_its_mailboxes_is_caught() {
    caught::<{ Mutant::ForgetsMailboxes as u8 }>();
}

#[test]
fn a_server_that_keeps_letters_in_memory_is_caught() {
    caught::<{ Mutant::HubForgets as u8 }>();
}

#[test]
fn a_server_that_shows_one_time_cards_to_all_is_caught() {
    caught::<{ Mutant::OneTimeForAll as u8 }>();
}

#[test]
fn a_server_that_drops_when_full_is_caught() {
    caught::<{ Mutant::DropsWhenFull as u8 }>();
}

#[test]
fn an_outbox_that_forgets_is_caught() {
    let violation = conformance::check_with::<Correspondent<true>, Toy>(effort())
        .expect_err("the suite does not notice a forgetful outbox");
    println!("{violation}");
}

#[test]
fn a_driver_that_sends_before_it_stores_is_caught() {
    let violation = conformance::check_driver::<Toy>(effort(), DriverFault::SendThenStore)
        .expect_err("the suite does not notice a driver that sends before it stores");
    println!("{violation}");
}
