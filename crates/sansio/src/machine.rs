//! The one trait all protocol logic implements.

use crate::{Context, Input, Moment, Output, StorageError};

/// A protocol that is told what happened and says what should happen.
///
/// The law for drivers stands in the crate's documentation; in one line:
/// `handle` inside a transaction, commit, drain `poll_output`, wait for the
/// earlier of `poll_timeout` and the next input.
pub trait Machine {
    /// What the room above asks for.
    type Command;
    /// What the room above is told.
    type Event;
    /// The room's own storage trait, usually `dyn Trait`.
    type Storage: ?Sized;

    /// Takes in one thing that happened.
    ///
    /// Input that a peer got wrong is not an error here: the machine answers
    /// or drops it and tells of it by an event.
    ///
    /// # Errors
    ///
    /// Only when storage fails. The machine must then be dropped and opened
    /// again from storage; its pending outputs are void.
    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut Self::Storage,
        input: Input<Self::Command>,
    ) -> Result<(), StorageError>;

    /// The next thing that should happen, or `None` when all are drained.
    fn poll_output(&mut self) -> Option<Output<Self::Event>>;

    /// When [`Input::Timeout`] is wanted next, if ever.
    fn poll_timeout(&self) -> Option<Moment>;
}
