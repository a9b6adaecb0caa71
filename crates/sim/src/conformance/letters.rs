//! Letters between people who know each other.

use core::time::Duration;

use hushwing_delivery::{MailboxId, NetworkCommand, SendFailure};

use super::scene::{Scene, text};
use super::{Effort, Violation};
use crate::Netem;
use crate::correspondent::{Errand, Journal, Writer};
use crate::room::{Core, NetworkRoom};

const ALICE: usize = 0;
const BOB: usize = 1;
const MAILBOX: MailboxId = MailboxId(1);

/// Both write, taking turns; each letter arrives once.
fn talk<C, N>(seed: u64, netem: Netem, letters: u64) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, netem, 2)?;
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    let to_alice = scene.mailbox(ALICE, MAILBOX)?;
    let numbers: Vec<u64> = (0..letters).collect();
    for number in &numbers {
        scene.post(ALICE, *number, &to_bob)?;
        scene.post(BOB, *number, &to_alice)?;
    }
    scene.expect(BOB, &numbers)?;
    scene.expect(ALICE, &numbers)
}

pub(super) fn calm<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    talk::<C, N>(seed, Netem::calm(), 12)
}

pub(super) fn storm<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    (seed..seed.saturating_add(effort.seeds))
        .try_for_each(|seed| talk::<C, N>(seed, Netem::storm(), 12))
}

pub(super) fn absent<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    for seed in seed..seed.saturating_add(effort.seeds.min(8)) {
        let mut scene: Scene<C, N> = Scene::new(seed, Netem::storm(), 2)?;
        let to_bob = scene.mailbox(BOB, MAILBOX)?;
        scene.world.set_online(BOB, false);
        let numbers: Vec<u64> = (0..5).collect();
        for number in &numbers {
            scene.post(ALICE, *number, &to_bob)?;
        }
        scene.wait(ALICE, "acceptance while bob is away", |journal| {
            journal.outcome.len() == 5
        })?;
        scene.pass(Duration::from_secs(6 * 60 * 60))?;
        if !scene.journal(BOB)?.received.is_empty() {
            return Err(scene.violation("letters reached somebody who is cut off"));
        }
        scene.world.set_online(BOB, true);
        scene.expect(BOB, &numbers)?;
    }
    Ok(())
}

/// Several write to one mailbox, and whoever wrote first keeps nobody out.
pub(super) fn shared<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::storm(), 4)?;
    let to_bob = scene.mailbox_for(BOB, MAILBOX, hushwing_delivery::Purpose::Shared)?;
    let numbers: Vec<u64> = (0..9).collect();
    for (number, writer) in numbers.iter().zip([ALICE, 2, 3].into_iter().cycle()) {
        scene.post(writer, *number, &to_bob)?;
    }
    scene.expect(BOB, &numbers)
}

/// More letters than any mailbox holds (SMP: 128) wait at the sender.
pub(super) fn full<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    scene.world.set_online(BOB, false);
    let numbers: Vec<u64> = (0..150).collect();
    for number in &numbers {
        scene.post(ALICE, *number, &to_bob)?;
    }
    scene.pass(Duration::from_secs(60 * 60))?;
    scene.world.set_online(BOB, true);
    scene.expect(BOB, &numbers)
}

pub(super) fn long<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    for seed in seed..seed.saturating_add(effort.seeds.min(20)) {
        let mut scene: Scene<C, N> = Scene::new(seed, Netem::storm(), 2)?;
        let to_bob = scene.mailbox(BOB, MAILBOX)?;
        let long: Vec<u8> = (0_u32..100_000).map(|at| at.to_le_bytes()[0]).collect();
        scene.post_bytes(ALICE, 0, &to_bob, long.clone())?;
        scene.post(ALICE, 1, &to_bob)?;
        scene.expect_bytes(BOB, &[long, text(1)])?;
    }
    Ok(())
}

pub(super) fn closed<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    scene.post(ALICE, 0, &to_bob)?;
    scene.expect(BOB, &[0])?;
    let close = NetworkCommand::CloseMailbox { mailbox: MAILBOX };
    scene.world.command(BOB, Errand::Instruct(N::TAG, close));
    scene.pass(Duration::from_secs(60))?;
    scene.post(ALICE, 1, &to_bob)?;
    scene.wait(
        ALICE,
        "the failure of a letter to a closed mailbox",
        |journal| {
            journal
                .outcome
                .values()
                .any(|outcome| *outcome == Err(SendFailure::Gone))
        },
    )
}

/// Opening a mailbox again gives the same locator, and what was sent to it
/// before still comes.
pub(super) fn reopened<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    scene.post(ALICE, 0, &to_bob)?;
    scene.expect(BOB, &[0])?;
    let first = scene.journal(BOB)?.opened.get(&MAILBOX).cloned();
    scene.world.kill(BOB);
    scene.pass(Duration::from_secs(30))?;
    scene.post(ALICE, 1, &to_bob)?;
    scene.expect(BOB, &[0, 1])?;
    let purpose = hushwing_delivery::Purpose::Conversation;
    let again = NetworkCommand::OpenMailbox {
        mailbox: MAILBOX,
        purpose,
        apart: Vec::new(),
    };
    scene.world.command(BOB, Errand::Instruct(N::TAG, again));
    scene.pass(Duration::from_secs(60))?;
    if scene.journal(BOB)?.opened.get(&MAILBOX).cloned() != first {
        return Err(scene.violation("a mailbox opened again has another locator"));
    }
    scene.post(ALICE, 2, &to_bob)?;
    scene.expect(BOB, &[0, 1, 2])
}
