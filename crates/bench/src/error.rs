//! Why a measurement gave no figures.

use std::io;

use hushwing_relay::address::ServerAddressError;
use hushwing_transport::{ConnectError, StreamError};

/// Why a measurement gave no figures.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The system refused a file, a thread or a process.
    #[error("cannot {what}")]
    System {
        /// What was being done.
        what: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// A limit of the system is too low for the measurement.
    #[error("{wanted} open files are needed and the system allows {allowed}")]
    OpenFiles {
        /// How many are needed.
        wanted: u64,
        /// How many there may be.
        allowed: u64,
    },
    /// The started program did not say what was expected of it.
    #[error("the measured program did not start: {0}")]
    Program(String),
    /// The address it printed is none.
    #[error("the measured relay printed no address")]
    Address(#[from] ServerAddressError),
    /// No connection to the measured relay.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The connection to the measured relay broke.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The measured relay answered something else than it should.
    #[error("the measured relay answered {0}")]
    Answer(String),
    /// The measured conversation layer refused or failed.
    #[error("the measured conversation failed: {0}")]
    Conversation(String),
    /// It took so long that the figure would mean nothing.
    #[error("{0} took too long")]
    Slow(&'static str),
    /// A bug in the measurement.
    #[error("the measurement itself failed: {0}")]
    Bug(&'static str),
}

impl BenchError {
    /// For `map_err`: what was being done when the system refused.
    pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, source }
    }

    /// For `map_err` where a library fails that cannot here.
    pub(crate) fn bug<E>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |_| Self::Bug(what)
    }
}
