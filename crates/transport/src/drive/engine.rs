//! The driver's loop: gather, handle, commit, drain; and the one road of
//! recovery.

use std::collections::VecDeque;
use std::time::Duration;

use hushwing_sansio::{Context, Input, Machine, Output, StorageError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

use super::streams::{Arrival, Streams};
use super::{DriveConfig, DriveStatus, Transactional};
use crate::clock::OsEntropy;

/// The ends of a driver's channels.
pub(super) struct Channels<C, E> {
    pub(super) commands: mpsc::Receiver<C>,
    pub(super) events: mpsc::Sender<E>,
    pub(super) stop: watch::Receiver<bool>,
}

/// What is done with machines besides driving them.
pub(super) struct Machines<F, O> {
    /// Makes one from storage.
    pub(super) open: F,
    /// Looks at one after a commit.
    pub(super) observe: O,
}

/// Why the loop around one opened machine ended.
enum Leave {
    /// For good.
    Stopped,
    /// Storage failed: open the machine again.
    Failed(StorageError),
}

/// Everything of a driver that outlives one opened machine.
struct Engine<'a, T, C, E> {
    runtime: &'a Handle,
    config: DriveConfig,
    storage: T,
    channels: Channels<C, E>,
    streams: Streams,
    arrivals: mpsc::Receiver<Arrival>,
    /// Drained events, committed and not yet taken by the room above.
    waiting: VecDeque<E>,
    /// Inputs that arose while draining.
    arisen: VecDeque<Input<C>>,
    /// Rest after the next failure; back to the first after a success.
    rest: Duration,
}

/// Runs until stopped. See [`drive`](super::drive).
pub(super) fn run<M, T, F, O>(
    runtime: &Handle,
    config: DriveConfig,
    storage: T,
    machines: Machines<F, O>,
    channels: Channels<M::Command, M::Event>,
    status: &watch::Sender<DriveStatus>,
) where
    M: Machine<Storage = T::Storage>,
    T: Transactional,
    F: FnMut(&mut T::Storage) -> Result<M, StorageError>,
    O: FnMut(&M),
{
    let Machines {
        mut open,
        mut observe,
    } = machines;
    let (streams, arrivals) = Streams::new(runtime.clone(), config.connector.clone());
    let mut engine = Engine {
        rest: config.first_rest,
        runtime,
        config,
        storage,
        channels,
        streams,
        arrivals,
        waiting: VecDeque::new(),
        arisen: VecDeque::new(),
    };
    loop {
        let left = match engine.transact(&mut open) {
            Ok(machine) => {
                status.send_modify(|now| {
                    now.opened += 1;
                    now.failing = None;
                });
                engine.drive(machine, &mut observe)
            }
            Err(error) => Leave::Failed(error),
        };
        engine.streams.abandon();
        engine.arisen.clear();
        let Leave::Failed(error) = left else { return };
        tracing::warn!(machine = engine.config.name, %error, "storage failed, opening again");
        status.send_modify(|now| now.failing = Some(error.kind));
        if engine.rest() {
            return;
        }
    }
}

impl<T, C, E> Engine<'_, T, C, E>
where
    T: Transactional,
{
    /// Drives one opened machine.
    fn drive<M>(&mut self, mut machine: M, observe: &mut impl FnMut(&M)) -> Leave
    where
        M: Machine<Command = C, Event = E, Storage = T::Storage>,
    {
        loop {
            self.drain(&mut machine);
            observe(&machine);
            let Some(first) = self.wait(machine.poll_timeout()) else {
                return Leave::Stopped;
            };
            let batch = self.gather(first);
            let (config, mut entropy) = (self.config.clone(), OsEntropy);
            let handled = self.transact(|storage| {
                for input in batch {
                    let (now, wall) = (config.clock.now(), config.clock.wall());
                    let mut cx = Context::new(now, wall, &mut entropy);
                    machine.handle(&mut cx, storage, input)?;
                }
                Ok(())
            });
            if let Err(error) = handled {
                return Leave::Failed(error);
            }
            self.rest = self.config.first_rest;
        }
    }

    /// Runs `work` in a transaction of its own.
    fn transact<R>(
        &mut self,
        work: impl FnOnce(&mut T::Storage) -> Result<R, StorageError>,
    ) -> Result<R, StorageError> {
        let begun = self.storage.begin();
        let worked = begun.and_then(|()| work(self.storage.storage()));
        let committed = worked.and_then(|result| self.storage.commit().map(|()| result));
        if committed.is_err() {
            self.storage.rollback();
        }
        committed
    }

    /// Lets out what the machine wants to happen; only called after a commit.
    fn drain<M>(&mut self, machine: &mut M)
    where
        M: Machine<Command = C, Event = E>,
    {
        while let Some(output) = machine.poll_output() {
            match output {
                Output::Event(event) => self.waiting.push_back(event),
                Output::OpenStream { stream, endpoint } => self.streams.open(stream, endpoint),
                Output::SendStream { stream, bytes } => {
                    self.arisen.extend(self.streams.send(stream, bytes));
                }
                Output::CloseStream { stream } => self.streams.close(stream),
            }
        }
    }

    /// Waits for the next input, handing out events meanwhile; `None` to stop.
    fn wait(&mut self, timeout: Option<hushwing_sansio::Moment>) -> Option<Input<C>> {
        if let Some(input) = self.arisen.pop_front() {
            return Some(input);
        }
        let runtime = self.runtime;
        let until = timeout.map(|moment| self.config.clock.until(moment));
        runtime.block_on(async {
            let due = sleep(until);
            tokio::pin!(due);
            loop {
                let listening = self.waiting.len() < self.config.waiting_events;
                tokio::select! {
                    _asked = self.channels.stop.wait_for(|stop| *stop) => return None,
                    () = self.channels.events.closed() => return None,
                    permit = self.channels.events.reserve(), if !self.waiting.is_empty() => {
                        permit.ok()?.send(self.waiting.pop_front()?);
                    }
                    command = self.channels.commands.recv() => {
                        return command.map(Input::Command);
                    }
                    Some(arrival) = self.arrivals.recv(), if listening => {
                        if let Some(input) = self.streams.take(arrival) {
                            return Some(input);
                        }
                    }
                    () = &mut due => return Some(Input::Timeout),
                }
            }
        })
    }

    /// Adds to `first` what is ready, for one transaction.
    fn gather(&mut self, first: Input<C>) -> Vec<Input<C>> {
        let mut batch = vec![first];
        let listening = self.waiting.len() < self.config.waiting_events;
        while batch.len() < self.config.batch {
            let before = batch.len();
            batch.extend(self.arisen.pop_front());
            batch.extend(self.channels.commands.try_recv().ok().map(Input::Command));
            if listening && let Ok(arrival) = self.arrivals.try_recv() {
                match self.streams.take(arrival) {
                    Some(input) => batch.push(input),
                    None => continue,
                }
            }
            if batch.len() == before {
                break;
            }
        }
        batch
    }

    /// Rests after a failure; true if told to stop meanwhile. Events that were
    /// committed before the failure are handed out.
    fn rest(&mut self) -> bool {
        let (runtime, rest) = (self.runtime, self.rest);
        self.rest = (rest * 2).min(self.config.longest_rest);
        runtime.block_on(async {
            let due = tokio::time::sleep(rest);
            tokio::pin!(due);
            loop {
                tokio::select! {
                    _asked = self.channels.stop.wait_for(|stop| *stop) => return true,
                    () = self.channels.events.closed() => return true,
                    permit = self.channels.events.reserve(), if !self.waiting.is_empty() => {
                        if let (Ok(permit), Some(event)) = (permit, self.waiting.pop_front()) {
                            permit.send(event);
                        }
                    }
                    () = &mut due => return false,
                }
            }
        })
    }
}

async fn sleep(until: Option<Duration>) {
    match until {
        Some(until) => tokio::time::sleep(until).await,
        None => std::future::pending().await,
    }
}
