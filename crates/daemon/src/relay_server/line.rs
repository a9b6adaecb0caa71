//! The line from the writer to one connection, and what both note on it.
//!
//! Thousands of lines are idle, and a channel of messages would hold room for
//! dozens of them from the start. An idle line is one small allocation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hushwing_relay::server::{Name, Output, QueueRecord};
use hushwing_sansio::Moment;
use tokio::sync::Notify;

use super::backlog::{Backlog, Unread};
use super::heard::LastHeard;

/// What the writer tells a connection.
pub(super) enum ToConnection {
    /// Answers and events of one transaction.
    Outputs(Vec<Output>),
    /// The answer to [`ToWriter::Find`](super::writer::ToWriter::Find); names
    /// of no queue are left out.
    Found(BTreeMap<Name, Arc<QueueRecord>>),
}

/// The writer gave the connection up.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GivenUp;

/// One line. The writer says, the connection listens; nobody else does either.
pub(super) struct Line {
    said: Mutex<Said>,
    news: Notify,
    /// What was said and is not read.
    pub(super) backlog: Backlog,
    /// When the client said something last.
    pub(super) heard: LastHeard,
}

#[derive(Default)]
struct Said {
    messages: Vec<ToConnection>,
    given_up: bool,
}

impl Line {
    /// A line on which nothing was said, to a client heard of `now`.
    pub(super) fn new(unread: &Unread, now: Moment) -> Self {
        Self {
            said: Mutex::default(),
            news: Notify::new(),
            backlog: Backlog::new(unread),
            heard: LastHeard::at(now),
        }
    }

    pub(super) fn say(&self, message: ToConnection) {
        self.said().messages.push(message);
        self.news.notify_one();
    }

    /// Ends the connection, however much it has not listened to.
    pub(super) fn give_up(&self) {
        self.said().given_up = true;
        self.backlog.write_off();
        self.news.notify_one();
    }

    /// Waits until something is said, and takes it if there is `room`; without
    /// room only the end is waited for, and what was said stays counted.
    /// Nothing is lost if the future is dropped.
    pub(super) async fn listen(&self, room: bool) -> Result<Vec<ToConnection>, GivenUp> {
        loop {
            let messages = self.take(room)?;
            if !messages.is_empty() {
                return Ok(messages);
            }
            // A note made since the look is kept, so none is missed.
            self.news.notified().await;
        }
    }

    /// What was said, with no room kept for more.
    fn take(&self, room: bool) -> Result<Vec<ToConnection>, GivenUp> {
        let mut said = self.said();
        match (said.given_up, room) {
            (true, _) => Err(GivenUp),
            (false, true) => Ok(std::mem::take(&mut said.messages)),
            (false, false) => Ok(Vec::new()),
        }
    }

    /// Nothing panics while it is locked.
    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Arc<Line> {
        Arc::new(Line::new(&Unread::default(), Moment::default()))
    }

    fn nothing() -> ToConnection {
        ToConnection::Outputs(Vec::new())
    }

    #[tokio::test]
    async fn what_is_said_before_and_while_one_listens_is_heard() {
        let line = line();
        line.say(nothing());
        line.say(nothing());
        assert_eq!(line.listen(true).await.map(|said| said.len()), Ok(2));
        let listening = tokio::spawn({
            let line = Arc::clone(&line);
            async move { line.listen(true).await.map(|said| said.len()) }
        });
        tokio::task::yield_now().await;
        line.say(nothing());
        assert_eq!(listening.await.unwrap(), Ok(1));
    }

    #[tokio::test]
    async fn without_room_only_the_end_is_heard() {
        let line = line();
        line.say(nothing());
        tokio::select! {
            biased;
            _ = line.listen(false) => panic!("heard without room"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(line.listen(true).await.map(|said| said.len()), Ok(1));
        line.say(nothing());
        line.give_up();
        assert!(line.listen(false).await.is_err());
        assert!(line.listen(true).await.is_err());
    }
}
