//! Sockets on which nothing has arrived yet.
//!
//! They cost their sender nothing, so they must not hold what others need. A
//! client speaks first in TLS, one round trip after it connected; who is
//! silent for longest is therefore the least likely to be one.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// A bounded number of silent sockets; the oldest makes place.
pub(crate) struct SilentSockets {
    limit: usize,
    patience: Duration,
    /// Dropping an entry tells its socket to go. Entries whose receiver is
    /// gone have spoken or left.
    waiting: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl SilentSockets {
    /// At most `limit` sockets, at least one, each for `patience`.
    pub(crate) fn new(limit: usize, patience: Duration) -> Self {
        Self {
            limit: limit.max(1),
            patience,
            waiting: Mutex::default(),
        }
    }

    /// Waits for the first byte; false if the socket is to be closed.
    pub(crate) async fn speaks(&self, tcp: &TcpStream) -> bool {
        let displaced = self.enter();
        // `readable` may tell so of a socket that is not.
        let mut first = [0];
        tokio::select! {
            first = timeout(self.patience, tcp.peek(&mut first)) => matches!(first, Ok(Ok(1))),
            _ = displaced => false,
        }
    }

    fn enter(&self) -> oneshot::Receiver<()> {
        let (stay, displaced) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.len() >= self.limit {
            waiting.retain(|entry| !entry.is_closed());
        }
        if waiting.len() >= self.limit {
            waiting.pop_front();
        }
        waiting.push_back(stay);
        displaced
    }
}
