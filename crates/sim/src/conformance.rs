//! The suite every network passes.
//!
//! [`check`] runs all behaviours over a network; each is a function from a
//! seed to an error that says what was lost, doubled or wrongly told. Letters
//! are of the kind the outbox forgets once a network accepted them, so a
//! broken promise cannot be mended by sending again.

mod crashes;
mod invitations;
mod letters;
mod scene;

pub use scene::{Scene, Violation};

use crate::correspondent::{Correspondent, Journal, Writer};
use crate::room::{Core, NetworkRoom};

/// How much is tried.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    /// Seeds for each behaviour that chance decides.
    pub seeds: u64,
    /// At most so many crash points in each enumeration, spread evenly.
    pub crash_points: u64,
}

impl Effort {
    /// Seconds, for every change; with `HUSHWING_SOAK=1` in `soak` many more.
    #[must_use]
    pub fn of(soak: Option<&str>) -> Self {
        if soak == Some("1") {
            Self {
                seeds: 400,
                crash_points: u64::MAX,
            }
        } else {
            Self {
                seeds: 24,
                crash_points: 256,
            }
        }
    }
}

/// One behaviour with its name.
pub type Behaviour = (&'static str, fn(u64, Effort) -> Result<(), Violation>);

/// All behaviours over a core and a network.
#[must_use]
pub fn behaviours<C, N>() -> Vec<Behaviour>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    vec![
        ("letters arrive once each in calm", letters::calm::<C, N>),
        (
            "letters arrive once each in a storm",
            letters::storm::<C, N>,
        ),
        (
            "an absent recipient finds everything",
            letters::absent::<C, N>,
        ),
        ("a full mailbox loses nothing", letters::full::<C, N>),
        ("a long letter arrives whole", letters::long::<C, N>),
        ("a closed mailbox fails for good", letters::closed::<C, N>),
        ("a mailbox reopens as itself", letters::reopened::<C, N>),
        (
            "a shared mailbox takes letters of all",
            letters::shared::<C, N>,
        ),
        ("a person may crash at every step", crashes::people::<C, N>),
        (
            "the server may crash at every step",
            crashes::server::<C, N>,
        ),
        ("a server keeps what it accepted", crashes::kept::<C, N>),
        (
            "a one-time card is for one reader",
            invitations::one_time::<C, N>,
        ),
        (
            "a reusable card is for everybody",
            invitations::reusable::<C, N>,
        ),
        ("a wrong card is told apart", invitations::wrong::<C, N>),
    ]
}

/// Runs all behaviours over a network.
///
/// # Errors
///
/// The first violation found.
pub fn check<N: NetworkRoom>(effort: Effort) -> Result<(), Violation> {
    check_with::<Correspondent, N>(effort)
}

/// Runs all behaviours over a network and a core of one's own making.
///
/// # Errors
///
/// The first violation found.
pub fn check_with<C, N>(effort: Effort) -> Result<(), Violation>
where
    C: Core<Machine = Writer, Store = Journal>,
    N: NetworkRoom,
{
    for (name, behaviour) in behaviours::<C, N>() {
        behaviour(0, effort).map_err(|violation| violation.of(name))?;
    }
    Ok(())
}

/// Runs crashes under a driver that breaks its law; a sound suite fails.
///
/// # Errors
///
/// The violation the fault led to.
pub fn check_driver<N: NetworkRoom>(
    effort: Effort,
    fault: crate::DriverFault,
) -> Result<(), Violation> {
    crashes::with_fault::<Correspondent, N>(0, effort, fault)
}
