//! Every process dies at every step, before and after its commit.

use core::time::Duration;

use hushwing_delivery::MailboxId;

use super::scene::Scene;
use super::{Effort, Violation};
use crate::correspondent::{Journal, Writer};
use crate::room::{Core, NetworkRoom};
use crate::{CrashPlan, DriverFault, Netem, Step, When};

const ALICE: usize = 0;
const BOB: usize = 1;
const MAILBOX: MailboxId = MailboxId(1);
const LETTERS: [u64; 3] = [0, 1, 2];

/// Both open a mailbox and write three letters while `plan` comes true. The
/// steps each process took.
fn play<C, N>(seed: u64, plan: Option<CrashPlan>, fault: DriverFault) -> Result<[u64; 3], Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    scene.world.set_driver_fault(fault);
    if let Some(plan) = plan {
        scene.world.plan(plan);
    }
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    let to_alice = scene.mailbox(ALICE, MAILBOX)?;
    for number in LETTERS {
        scene.post(ALICE, number, &to_bob)?;
        scene.post(BOB, number, &to_alice)?;
    }
    scene.expect(BOB, &LETTERS)?;
    scene.expect(ALICE, &LETTERS)?;
    let of = [Step::Person(ALICE), Step::Person(BOB), Step::Server];
    Ok(of.map(|of| scene.world.steps(of)))
}

/// Plays once for each step of a process, both before and after its commit.
fn enumerate<C, N>(
    seed: u64,
    effort: Effort,
    of: Step,
    steps: u64,
    fault: DriverFault,
) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let stride = steps
        .checked_div(effort.crash_points)
        .unwrap_or(0)
        .saturating_add(1);
    for (turn, when) in [When::BeforeCommit, When::AfterCommit]
        .into_iter()
        .enumerate()
    {
        // The two passes fall on different steps where steps are left out.
        let mut step = (turn as u64).saturating_mul(stride / 2);
        while step < steps {
            let plan = CrashPlan { of, step, when };
            play::<C, N>(seed, Some(plan), fault)
                .map_err(|violation| Violation::new(seed, format!("{plan:?}: {violation}")))?;
            step = step.saturating_add(stride);
        }
    }
    Ok(())
}

pub(super) fn people<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let [alice, bob, _] = play::<C, N>(seed, None, DriverFault::None)?;
    enumerate::<C, N>(seed, effort, Step::Person(ALICE), alice, DriverFault::None)?;
    enumerate::<C, N>(seed, effort, Step::Person(BOB), bob, DriverFault::None)
}

pub(super) fn server<C, N>(seed: u64, effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let [_, _, server] = play::<C, N>(seed, None, DriverFault::None)?;
    enumerate::<C, N>(seed, effort, Step::Server, server, DriverFault::None)
}

/// What a server accepted for somebody absent survives its crash.
pub(super) fn kept<C, N>(seed: u64, _: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let mut scene: Scene<C, N> = Scene::new(seed, Netem::calm(), 2)?;
    let to_bob = scene.mailbox(BOB, MAILBOX)?;
    scene.world.set_online(BOB, false);
    for number in LETTERS {
        scene.post(ALICE, number, &to_bob)?;
    }
    scene.wait(ALICE, "acceptance", |journal| {
        journal.outcome.len() == LETTERS.len()
    })?;
    scene.world.kill_server();
    scene.pass(Duration::from_secs(60))?;
    scene.world.set_online(BOB, true);
    scene.expect(BOB, &LETTERS)
}

/// The same with a driver that breaks its law, which must be noticed.
pub(super) fn with_fault<C, N>(
    seed: u64,
    effort: Effort,
    fault: DriverFault,
) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    let [_, bob, _] = play::<C, N>(seed, None, fault)?;
    enumerate::<C, N>(seed, effort, Step::Person(BOB), bob, fault)
}
