//! The driver's loop: gather, handle, commit, drain; and the one road of
//! recovery.

use std::collections::VecDeque;
use std::time::Duration;

use hushwing_sansio::{Context, Input, Machine, Moment, Output, StorageError};
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

/// Why a driver that waited does so no more.
enum Wake<C> {
    Input(Input<C>),
    /// Storage is to settle.
    Settle,
    /// For good.
    Stop,
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
    /// When storage settles, if something was committed since it last did.
    settle_at: Option<Moment>,
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
    let (streams, arrivals) = Streams::new(runtime.clone(), config.connector.clone(), config.quiet);
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
        settle_at: None,
    };
    engine.run(&mut open, &mut observe, status);
    engine.settle();
}

impl<T, C, E> Engine<'_, T, C, E>
where
    T: Transactional,
{
    /// Opens machines and drives them, until stopped.
    fn run<M>(
        &mut self,
        open: &mut impl FnMut(&mut T::Storage) -> Result<M, StorageError>,
        observe: &mut impl FnMut(&M),
        status: &watch::Sender<DriveStatus>,
    ) where
        M: Machine<Command = C, Event = E, Storage = T::Storage>,
    {
        loop {
            let left = match self.transact(&mut *open) {
                Ok(machine) => {
                    status.send_modify(|now| {
                        now.opened += 1;
                        now.failing = None;
                    });
                    self.drive(machine, observe)
                }
                Err(error) => Leave::Failed(error),
            };
            self.streams.abandon();
            self.arisen.clear();
            let Leave::Failed(error) = left else { return };
            tracing::warn!(machine = self.config.name, %error, "storage failed, opening again");
            status.send_modify(|now| now.failing = Some(error.kind));
            if self.rest() {
                return;
            }
        }
    }

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
        match committed {
            Err(_) => self.storage.rollback(),
            Ok(_) if self.settle_at.is_none() => {
                self.settle_at = Some(self.config.clock.now() + self.config.settling);
            }
            Ok(_) => {}
        }
        committed
    }

    /// Lets storage settle, if something was committed.
    fn settle(&mut self) {
        if self.settle_at.take().is_some() {
            self.storage.settle();
        }
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
    fn wait(&mut self, timeout: Option<Moment>) -> Option<Input<C>> {
        loop {
            let now = self.config.clock.now();
            if self.settle_at.is_some_and(|at| at <= now) {
                self.settle();
            }
            match self.wake(timeout) {
                Wake::Input(input) => return Some(input),
                Wake::Settle => {}
                Wake::Stop => return None,
            }
        }
    }

    /// Waits until there is something to do.
    fn wake(&mut self, timeout: Option<Moment>) -> Wake<C> {
        if let Some(input) = self.arisen.pop_front() {
            return Wake::Input(input);
        }
        let runtime = self.runtime;
        let clock = self.config.clock;
        let until = |moment| clock.until(moment);
        let (due, settle) = (timeout.map(until), self.settle_at.map(until));
        runtime.block_on(async {
            let (due, settle) = (sleep(due), sleep(settle));
            tokio::pin!(due, settle);
            loop {
                let listening = self.waiting.len() < self.config.waiting_events;
                tokio::select! {
                    _asked = self.channels.stop.wait_for(|stop| *stop) => return Wake::Stop,
                    () = self.channels.events.closed() => return Wake::Stop,
                    permit = self.channels.events.reserve(), if !self.waiting.is_empty() => {
                        match (permit, self.waiting.pop_front()) {
                            (Ok(permit), Some(event)) => permit.send(event),
                            _ => return Wake::Stop,
                        }
                    }
                    command = self.channels.commands.recv() => {
                        return command.map_or(Wake::Stop, |command| Wake::Input(Input::Command(command)));
                    }
                    Some(arrival) = self.arrivals.recv(), if listening => {
                        if let Some(input) = self.streams.take(arrival) {
                            return Wake::Input(input);
                        }
                    }
                    () = &mut due => return Wake::Input(Input::Timeout),
                    () = &mut settle => return Wake::Settle,
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
