//! One machine under the driving law, with crashes between any two inputs.

use hushwing_sansio::{Context, Input, Machine, Output, StorageError};

use crate::room::Room;

/// When in a transaction the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The inputs were handled, nothing is committed.
    BeforeCommit,
    /// Committed, but no output has left.
    AfterCommit,
}

/// How a transaction ended.
pub(crate) enum Turn<M: Machine> {
    /// Committed, and these outputs leave.
    Done(Vec<Output<M::Event>>),
    /// The process died; nothing leaves.
    Died,
}

/// What a driver gets wrong on purpose, to see whether the tests notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriverFault {
    /// None: the law is kept.
    None,
    /// Outputs leave before the commit.
    SendThenStore,
}

pub(crate) struct Host<R: Room> {
    pub(crate) store: R::Store,
    machine: Option<R::Machine>,
}

impl<R: Room> Host<R> {
    pub(crate) fn new(store: R::Store) -> Result<Self, StorageError> {
        let mut host = Self {
            store,
            machine: None,
        };
        host.open()?;
        Ok(host)
    }

    /// Opens the machine again; what opening wrote is committed.
    pub(crate) fn open(&mut self) -> Result<(), StorageError> {
        self.machine = Some(R::open(&mut self.store)?);
        Ok(())
    }

    pub(crate) fn stop(&mut self) {
        self.machine = None;
    }

    pub(crate) fn machine(&self) -> Option<&R::Machine> {
        self.machine.as_ref()
    }

    /// One transaction over some inputs.
    pub(crate) fn transact(
        &mut self,
        cx: &mut Context<'_>,
        inputs: Vec<Input<<R::Machine as Machine>::Command>>,
        dies: Option<When>,
        fault: DriverFault,
    ) -> Result<Turn<R::Machine>, StorageError> {
        let Some(machine) = self.machine.as_mut() else {
            return Ok(Turn::Died);
        };
        // A snapshot is only needed where one is put back.
        let before = (dies == Some(When::BeforeCommit)).then(|| self.store.clone());
        for input in inputs {
            machine.handle(cx, R::lend(&mut self.store), input)?;
        }
        let sent_too_early = before.is_some() && fault == DriverFault::SendThenStore;
        if let Some(before) = before {
            self.store = before;
        }
        if dies.is_none() || sent_too_early {
            Ok(Turn::Done(drain(machine)))
        } else {
            Ok(Turn::Died)
        }
    }
}

fn drain<M: Machine>(machine: &mut M) -> Vec<Output<M::Event>> {
    core::iter::from_fn(|| machine.poll_output()).collect()
}
