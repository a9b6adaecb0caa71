//! What was said to a connection and its client has not read.
//!
//! A short command can be answered by a message of 16 KB, so a client that
//! asks and does not read would have the server hold far more than it sends.
//! The bytes are counted until they are in the stream, whose own buffer has
//! its own bound.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hushwing_relay::server::{Answer, Delivery, Event, MessageBody, Output};

/// What an output holds besides a body.
const OVERHEAD: usize = 256;

/// A connection with no more than this is not closed for what others hold.
const MODEST: usize = 8 * 16_384;

/// The bytes of all connections together above which those with more than a
/// modest backlog are closed.
const TOTAL: usize = 256 * 1024 * 1024;

/// One connection's part of what is unread, shared by writer and connection.
pub(super) struct Backlog {
    own: AtomicUsize,
    limit: usize,
    all: Arc<AtomicUsize>,
}

impl Backlog {
    /// `limit` in bytes; `all` counts for every connection of the server.
    pub(super) fn new(limit: usize, all: &Arc<AtomicUsize>) -> Self {
        Self {
            own: AtomicUsize::new(0),
            limit,
            all: Arc::clone(all),
        }
    }

    /// Counts bytes in; false if the connection must go for what it already
    /// had. The outputs of one transaction are thus always taken, which
    /// leaves room for the answers to a block.
    #[must_use]
    pub(super) fn add(&self, bytes: usize) -> bool {
        let own = self.own.fetch_add(bytes, Ordering::Relaxed);
        let all = self.all.fetch_add(bytes, Ordering::Relaxed);
        own <= self.limit && (all <= TOTAL || own.saturating_add(bytes) <= MODEST)
    }

    /// Counts bytes out that [`Backlog::add`] counted in.
    pub(super) fn release(&self, bytes: usize) {
        self.own.fetch_sub(bytes, Ordering::Relaxed);
        self.all.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.all.fetch_sub(*self.own.get_mut(), Ordering::Relaxed);
    }
}

/// About how many bytes of memory `outputs` hold.
pub(super) fn weight(outputs: &[Output]) -> usize {
    outputs.iter().map(|output| OVERHEAD + body(output)).sum()
}

fn body(output: &Output) -> usize {
    match output {
        Output::Event(Event::Message(delivery)) | Output::Answer(_, Answer::Message(delivery)) => {
            message(delivery)
        }
        Output::Answer(_, Answer::Link { link, .. }) => link.fixed.len() + link.user.len(),
        Output::Answer(_, Answer::Info(json)) => json.len(),
        Output::Answer(..) | Output::Event(_) => 0,
    }
}

fn message(delivery: &Delivery) -> usize {
    match &delivery.message.body {
        MessageBody::Message { body, .. } => body.len(),
        MessageBody::Quota => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_reads_nothing_reaches_its_bound() {
        let backlog = Backlog::new(1_000, &Arc::default());
        assert!(backlog.add(900) && backlog.add(200));
        assert!(!backlog.add(1));
    }

    #[test]
    fn what_was_written_counts_no_more() {
        let backlog = Backlog::new(1_000, &Arc::default());
        for _ in 0..100 {
            assert!(backlog.add(900));
            backlog.release(900);
        }
    }

    #[test]
    fn over_the_total_only_the_modest_stay() {
        let all = Arc::new(AtomicUsize::new(TOTAL + 1));
        assert!(!Backlog::new(usize::MAX, &all).add(MODEST + 1));
        assert!(Backlog::new(usize::MAX, &all).add(MODEST));
        // Both are gone, and with them what they held.
        assert_eq!(all.load(Ordering::Relaxed), TOTAL + 1);
    }
}
