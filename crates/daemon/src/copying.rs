//! Asking the owner of a store for a copy of its file.
//!
//! A file has one owner, a thread that is busy with it. So a copy is asked for by a
//! channel, and made before the owner's next transaction.

use std::path::{Path, PathBuf};

use hushwing_sansio::StorageError;
use hushwing_store::keys::FileKey;
use tokio::sync::{mpsc, oneshot};

/// Where a copy shall be, and under which key.
pub(crate) struct Copy {
    pub(crate) path: PathBuf,
    pub(crate) key: FileKey,
}

/// Whether there is a copy now.
pub(crate) type Outcome = Result<(), StorageError>;

/// Whoever may ask.
#[derive(Clone)]
pub(crate) struct Copier(mpsc::UnboundedSender<(Copy, oneshot::Sender<Outcome>)>);

/// What the owner was asked.
pub(crate) struct Copies(mpsc::UnboundedReceiver<(Copy, oneshot::Sender<Outcome>)>);

/// Both ends for one file.
pub(crate) fn copies() -> (Copier, Copies) {
    let (asks, asked) = mpsc::unbounded_channel();
    (Copier(asks), Copies(asked))
}

impl Copier {
    /// Asks; the answer ends without an outcome if the owner ends first.
    pub(crate) fn ask(&self, copy: Copy) -> oneshot::Receiver<Outcome> {
        let (answer, answered) = oneshot::channel();
        // Without an owner the answer is dropped, which says so.
        let _ = self.0.send((copy, answer));
        answered
    }
}

impl Copies {
    /// Makes all copies that were asked for.
    pub(crate) fn answer(&mut self, make: impl Fn(&Path, &FileKey) -> Outcome) {
        while let Ok((copy, asker)) = self.0.try_recv() {
            // It fails where nobody waits any more.
            let _ = asker.send(make(&copy.path, &copy.key));
        }
    }
}
