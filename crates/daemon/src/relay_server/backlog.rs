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

/// The bytes of all connections of a server.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicUsize>);

impl Unread {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// One connection's part of what is unread. Its mailbox counts in, the
/// connection counts out.
pub(super) struct Backlog {
    own: AtomicUsize,
    all: Unread,
}

impl Backlog {
    /// An empty one, counted in `all`.
    pub(super) fn new(all: &Unread) -> Self {
        Self {
            own: AtomicUsize::new(0),
            all: all.clone(),
        }
    }

    /// What this connection has not read.
    pub(super) fn bytes(&self) -> usize {
        self.own.load(Ordering::Relaxed)
    }

    /// Counts bytes in; how many there were.
    pub(super) fn add(&self, bytes: usize) -> usize {
        self.all.0.fetch_add(bytes, Ordering::Relaxed);
        self.own.fetch_add(bytes, Ordering::Relaxed)
    }

    /// Counts bytes out that [`Backlog::add`] counted in.
    pub(super) fn release(&self, bytes: usize) {
        let less = |own: usize| Some(own.saturating_sub(bytes));
        let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
        let (Ok(before) | Err(before)) = self.own.fetch_update(set, get, less);
        self.all.0.fetch_sub(before.min(bytes), Ordering::Relaxed);
    }

    /// Counts everything out, for a connection that ends: its memory is free
    /// as soon as its task has a turn, and nobody else is to go for it.
    pub(super) fn write_off(&self) {
        let own = self.own.swap(0, Ordering::Relaxed);
        self.all.0.fetch_sub(own, Ordering::Relaxed);
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
    fn what_was_written_counts_no_more() {
        let all = Unread::default();
        let backlog = Backlog::new(&all);
        for _ in 0..100 {
            assert_eq!(backlog.add(900), 0);
            backlog.release(900);
        }
        assert_eq!(all.bytes(), 0);
    }

    #[test]
    fn what_was_written_off_is_not_counted_out_twice() {
        let all = Unread::default();
        let (one, other) = (Backlog::new(&all), Backlog::new(&all));
        one.add(900);
        other.add(50);
        one.write_off();
        one.release(900);
        assert_eq!((one.bytes(), all.bytes()), (0, 50));
    }
}
