//! The relay server: what a message, a connection and a subscription cost it.
//!
//! The server is a process of its own, `hushwing relay run` as an operator
//! runs it, so that its processor time and memory are its own. The load comes
//! from this process over loopback TCP.
//!
//! | file | concept |
//! |---|---|
//! | `server` | the measured process |
//! | `peer` | one SMP connection of the load |
//! | `pair` | a recipient and a sender, one message after another |
//! | `load` | many pairs, as fast as they can or at a pace |
//! | `idle` | thousands of subscribed connections that do nothing |
//! | `limit` | the primitives that the work cannot avoid |
//! | `tls` | handshakes in memory |
//! | `refusal` | whether the time of a refusal tells why |
//! | `disk` | the durable write that the work cannot avoid |

mod disk;
mod idle;
pub(crate) mod limit;
mod load;
mod pair;
mod peer;
mod refusal;
pub(crate) mod server;
mod tls;

use std::path::Path;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::{BenchError, Figure};

/// All figures of the relay.
pub(crate) fn measure(budget: Duration, program: &Path) -> Result<Vec<Figure>, BenchError> {
    let runtime = runtime()?;
    let mut figures = load::measure(&runtime, budget, program)?;
    figures.extend(idle::measure(&runtime, program)?);
    figures.extend(refusal::measure()?);
    Ok(figures)
}

/// Two threads: enough to keep a server on the same machine busy, and few
/// enough to leave it the rest.
fn runtime() -> Result<Runtime, BenchError> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(BenchError::system("start threads"))
}
