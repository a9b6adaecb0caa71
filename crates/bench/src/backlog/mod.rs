//! What waited while somebody was away: 100 contacts wrote 100 messages each,
//! each contact to a mailbox of its own, and now all is read and shown.
//!
//! | file | concept |
//! |---|---|
//! | `contract` | from the delivery contract on: events fed to a messenger |
//! | `relay` | from the connection on: a daemon and a relay as a process |
//! | `rows` | the rows that a message shown cannot avoid |

mod contract;
mod relay;
mod rows;

use std::num::NonZero;
use std::path::Path;
use std::thread;

use crate::clock::Samples;
use crate::conversation::limit::Primitives;
use crate::relay::limit::Primitives as OnTheWire;
use crate::{BenchError, Figure};

/// Contacts that wrote.
const CONTACTS: usize = 100;
/// Messages of each that wait.
const EACH: usize = 100;
/// Inputs that a driver puts into one transaction.
const BATCH: usize = 64;
/// Length of a text in bytes.
const TEXT: usize = 1_024;
/// Rounds of each primitive.
const ROUNDS: usize = 5;

/// All figures of a backlog.
pub(crate) fn measure(program: &Path) -> Result<Vec<Figure>, BenchError> {
    let (rows, heard, fetched) = limits()?;
    let contract = contract::measure(CONTACTS, EACH)?;
    let rate = relay::measure(program, CONTACTS, EACH)?;
    let processors = thread::available_parallelism().map_or(1, NonZero::get) as f64;
    let one = heard + rows.elapsed;
    // A relay, a client and a messenger share the processors as they like.
    let through = (fetched + heard + rows.elapsed) / processors;
    Ok(vec![
        Figure::new(
            "backlog_from_contract",
            "messages/s",
            contract.rate,
            1e6 / one,
        ),
        Figure::new(
            "backlog_from_contract_cpu_vs_primitives",
            "µs/message",
            contract.cpu,
            heard + rows.cpu,
        ),
        Figure::new("backlog_through_relay", "messages/s", rate, 1e6 / through),
    ])
}

/// Microseconds of one message: its rows, its primitives at the listener, and
/// those of the way from the relay.
fn limits() -> Result<(rows::Cost, f64, f64), BenchError> {
    let (primitives, mut wire) = (Primitives::new()?, OnTheWire::new()?);
    let (mut heard, mut fetched) = (Samples::default(), Samples::default());
    for _ in 0..ROUNDS {
        heard.push(primitives.heard_message()?);
        fetched.push(wire.fetched_message()?);
    }
    let rows = rows::measure(CONTACTS, EACH)?;
    Ok((rows, heard.median(), fetched.median()))
}

/// What everybody writes.
fn text() -> String {
    let text = "Hushwing flies without a sound. ";
    text.repeat(TEXT / text.len())
}
