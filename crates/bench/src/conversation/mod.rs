//! Messages between two people: what one costs from text to text.
//!
//! Several ways of bringing a text from one person to another take turns, a
//! hundred messages of 1 KiB each, direction changing every ten.
//!
//! | file | concept |
//! |---|---|
//! | `line` | a way of bringing texts, and the turn-taking measurement |
//! | `olm` | the peer: Olm sessions, in memory and in an encrypted file |
//! | `exchange` | our content and MLS, over rows in memory or in a profile |
//! | `people` | two whole messengers with post office and storage |
//! | `desk` | storage with its transactions |
//! | `encrypted` | a file for references that store something |
//! | `limit` | the primitives that a message cannot avoid |
//! | `world` | two daemons and a relay |
//! | `ready` | a daemon as a process |

pub(crate) mod desk;
pub(crate) mod encrypted;
pub(crate) mod exchange;
pub(crate) mod limit;
pub(crate) mod line;
mod olm;
pub(crate) mod people;
pub(crate) mod ready;
pub(crate) mod world;

use std::path::Path;
use std::time::Duration;

use desk::{Memory, Profile};
use exchange::Exchange;
use limit::Primitives;
use line::{Line, Turns};
use olm::{DurableOlm, Olm};
use people::People;

use crate::clock::Samples;
use crate::{BenchError, Figure};

/// All figures of conversations.
pub(crate) fn measure(budget: Duration, program: &Path) -> Result<Vec<Figure>, BenchError> {
    let mut figures = in_memory(budget)?;
    figures.extend(durable(budget)?);
    figures.push(world::measure()?);
    figures.push(ready::measure(program)?);
    Ok(figures)
}

fn in_memory(budget: Duration) -> Result<Vec<Figure>, BenchError> {
    let mut olm = Olm::new()?;
    let mut exchange = Exchange::new(Memory::default(), Memory::default())?;
    let mut people = People::new(Memory::default(), Memory::default())?;
    let primitives = Primitives::new()?;
    let (mut message, mut letter) = (Samples::default(), Samples::default());
    let mut turns = Turns::new(budget);
    let [peer, own, whole] = turns.measure(
        [&mut olm, &mut exchange, &mut people] as [&mut dyn Line; 3],
        &mut || {
            message.push(primitives.message()?);
            letter.push(primitives.sealed_message()?);
            Ok(())
        },
    )?;
    let unit = "µs/message";
    Ok(vec![
        Figure::new("message_roundtrip_vs_olm", unit, own, peer),
        Figure::new(
            "message_roundtrip_vs_primitives",
            unit,
            own,
            message.median(),
        ),
        Figure::new("whole_message_vs_olm", unit, whole, peer),
        Figure::new("whole_message_vs_primitives", unit, whole, letter.median()),
    ])
}

fn durable(budget: Duration) -> Result<Vec<Figure>, BenchError> {
    let mut olm = DurableOlm::new()?;
    let mut exchange = Exchange::new(Profile::new()?, Profile::new()?)?;
    let mut people = People::new(Profile::new()?, Profile::new()?)?;
    let mut turns = Turns::new(budget);
    let [peer, own, whole] = turns.measure(
        [&mut olm, &mut exchange, &mut people] as [&mut dyn Line; 3],
        &mut || Ok(()),
    )?;
    let unit = "µs/message";
    Ok(vec![
        Figure::new("message_roundtrip_durable_vs_olm", unit, own, peer),
        Figure::new("whole_message_durable_vs_olm", unit, whole, peer),
    ])
}
