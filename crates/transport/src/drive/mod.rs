//! Driving a [`Machine`](hushwing_sansio::Machine) on tokio, by the law in
//! sansio's README.
//!
//! Each machine has a thread of its own: it lends storage to the machine, and
//! a commit waits for the disk, which no runtime worker should do. The thread
//! waits for its inputs on the runtime's timers and channels; sockets are
//! tasks of the runtime. A full events channel holds back what comes from the
//! network but never commands, so two machines that feed each other cannot
//! block each other.
//!
//! | file | concept |
//! |---|---|
//! | `transaction` | the storage a driver brackets |
//! | `engine` | the loop: gather, handle, commit, drain, recover |
//! | `streams` | the machine's sockets |

mod engine;
mod streams;
mod transaction;

use std::io;
use std::thread;
use std::time::Duration;

use hushwing_sansio::{Machine, StorageError, StorageErrorKind};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tracing::subscriber::{NoSubscriber, with_default};

use crate::clock::SystemClock;
use crate::tls::Connector;

pub use transaction::Transactional;

/// How a machine is driven.
#[derive(Clone)]
pub struct DriveConfig {
    /// Name of the thread and of the machine in logs.
    pub name: &'static str,
    /// Opens the machine's streams.
    pub connector: Connector,
    /// The clocks; copies share their origin, so machines agree on `Moment`s.
    pub clock: SystemClock,
    /// Inputs put into one transaction (sansio: up to 64).
    pub batch: usize,
    /// Events waiting above which nothing is taken from the network.
    pub waiting_events: usize,
    /// Between a commit and [`Transactional::settle`].
    pub settling: Duration,
    /// First rest after storage failed; doubles with each failure in a row.
    pub first_rest: Duration,
    /// Longest rest after storage failed.
    pub longest_rest: Duration,
    /// Whether the log shall hold nothing about this machine: that there is one is
    /// a secret.
    pub quiet: bool,
}

impl DriveConfig {
    /// The usual figures for a machine called `name`.
    #[must_use]
    pub fn new(name: &'static str, connector: Connector, clock: SystemClock) -> Self {
        Self {
            name,
            connector,
            clock,
            batch: 64,
            waiting_events: 256,
            settling: Duration::from_secs(2),
            first_rest: Duration::from_millis(100),
            longest_rest: Duration::from_secs(30),
            quiet: false,
        }
    }
}

/// How a driver fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriveStatus {
    /// How often the machine has been opened. Above 1, everything the machine
    /// was told since its last commit is lost to it: whoever sends it commands
    /// must tell it again what matters.
    pub opened: u64,
    /// The failure the driver is resting from, if it is.
    pub failing: Option<StorageErrorKind>,
}

/// Why a driver could not start.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// Called outside a tokio runtime.
    #[error("a machine can only be driven inside a tokio runtime")]
    NoRuntime,
    /// The system refused a thread.
    #[error("the system refused a thread: {0}")]
    Thread(#[from] io::Error),
}

/// A machine being driven. Dropping it stops the driver without waiting.
pub struct Driving {
    stop: watch::Sender<bool>,
    status: watch::Receiver<DriveStatus>,
    stopped: oneshot::Receiver<()>,
}

impl Driving {
    /// Watches how the driver fares.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<DriveStatus> {
        self.status.clone()
    }

    /// Stops after the transaction at hand and waits until storage is dropped.
    /// Inputs not yet taken are lost, as in a crash.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // An error means that the thread is gone, which is what was wanted.
        let _gone = self.stopped.await;
    }

    /// Waits until the driver ends by itself: all senders of commands or the
    /// receiver of events are gone.
    pub async fn ended(&mut self) {
        let _gone = (&mut self.stopped).await;
    }
}

/// Drives the machine that `open` makes from storage, on a thread of its own.
///
/// `open` runs inside a transaction, at the start and again after each failure
/// of storage. Outputs of the machine leave only after a commit. The driver
/// ends when it is stopped, when all senders of `commands` are gone, or when
/// `events` is closed.
///
/// # Errors
///
/// See [`DriveError`].
pub fn drive<M, T, F>(
    config: DriveConfig,
    storage: T,
    open: F,
    commands: mpsc::Receiver<M::Command>,
    events: mpsc::Sender<M::Event>,
) -> Result<Driving, DriveError>
where
    M: Machine<Storage = T::Storage>,
    M::Command: Send + 'static,
    M::Event: Send + 'static,
    T: Transactional + Send + 'static,
    F: FnMut(&mut T::Storage) -> Result<M, StorageError> + Send + 'static,
{
    drive_observed(config, storage, open, |_| {}, commands, events)
}

/// As [`drive`], with a look at the machine after each commit, before its events
/// leave. `observe` must not wait for anything.
///
/// # Errors
///
/// See [`DriveError`].
pub fn drive_observed<M, T, F, O>(
    config: DriveConfig,
    storage: T,
    open: F,
    observe: O,
    commands: mpsc::Receiver<M::Command>,
    events: mpsc::Sender<M::Event>,
) -> Result<Driving, DriveError>
where
    M: Machine<Storage = T::Storage>,
    M::Command: Send + 'static,
    M::Event: Send + 'static,
    T: Transactional + Send + 'static,
    F: FnMut(&mut T::Storage) -> Result<M, StorageError> + Send + 'static,
    O: FnMut(&M) + Send + 'static,
{
    let runtime = Handle::try_current().map_err(|_| DriveError::NoRuntime)?;
    let (stop, stop_asked) = watch::channel(false);
    let (status_sender, status) = watch::channel(DriveStatus::default());
    let (gone, stopped) = oneshot::channel();
    thread::Builder::new()
        .name(config.name.into())
        .spawn(move || {
            let channels = engine::Channels {
                commands,
                events,
                stop: stop_asked,
            };
            let machines = engine::Machines { open, observe };
            let quiet = config.quiet;
            let run = || {
                engine::run(
                    &runtime,
                    config,
                    storage,
                    machines,
                    channels,
                    &status_sender,
                );
            };
            match quiet {
                true => with_default(NoSubscriber::new(), run),
                false => run(),
            }
            // The receiver may have been dropped, which is fine.
            let _unheard = gone.send(());
        })?;
    Ok(Driving {
        stop,
        status,
        stopped,
    })
}
