//! Asking the owner of a store whether its file is sound.
//!
//! A file has one owner, a thread that is busy with it. So an inspection is
//! asked for by a channel, and made before the owner's next transaction.

use hushwing_sansio::{StorageError, StorageErrorKind};
use tokio::sync::{mpsc, oneshot};

/// What is the matter with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It cannot be read, or is not what was written.
    Storage(StorageErrorKind),
    /// A newer program wrote it.
    Newer,
    /// It was written under another key.
    WrongKey,
}

/// Whether a file is sound.
pub(crate) type Verdict = Result<(), Fault>;

/// Whoever may ask.
#[derive(Clone)]
pub(crate) struct Inspector(mpsc::UnboundedSender<oneshot::Sender<Verdict>>);

/// What the owner was asked.
pub(crate) struct Inspections(mpsc::UnboundedReceiver<oneshot::Sender<Verdict>>);

/// Both ends for one file.
pub(crate) fn inspections() -> (Inspector, Inspections) {
    let (asks, asked) = mpsc::unbounded_channel();
    (Inspector(asks), Inspections(asked))
}

impl Inspector {
    /// Asks; the answer ends without a verdict if the owner ends first.
    pub(crate) fn ask(&self) -> oneshot::Receiver<Verdict> {
        let (answer, answered) = oneshot::channel();
        // Without an owner the answer is dropped, which says so.
        let _ = self.0.send(answer);
        answered
    }
}

impl Inspections {
    /// Answers all who asked.
    pub(crate) fn answer(&mut self, check: impl Fn() -> Result<(), StorageError>) {
        while let Ok(asker) = self.0.try_recv() {
            // It fails where nobody waits any more.
            let _ = asker.send(verdict(check()));
        }
    }
}

/// What a check says; the log has the details.
pub(crate) fn verdict(checked: Result<(), StorageError>) -> Verdict {
    checked.map_err(|error| {
        tracing::warn!(%error, "a file is not sound");
        Fault::Storage(error.kind)
    })
}
