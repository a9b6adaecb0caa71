//! One connection: blocks from the stream to the session, requests to the
//! writer, answers back.
//!
//! The task of an idle connection holds the session and a line on which nothing
//! was said, no buffer.

use std::sync::Arc;
use std::time::Duration;

use hushwing_relay::server::{Accepted as Opened, ConnectionId, Session, SessionEnd};
use hushwing_sansio::Context;
use hushwing_transport::{Accepted, Block, BlockEvent, BlockStream, OsEntropy, StreamError};
use tokio::time::timeout;

use super::Shared;
use super::backlog;
use super::line::{GivenUp, Line, ToConnection};
use super::mailboxes::Mailbox;
use super::writer::ToWriter;

/// Time for the hellos (smp.md 1.1).
const HELLO_PATIENCE: Duration = Duration::from_secs(120);

/// Why a connection ended; for the debug log only.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error(transparent)]
    Session(#[from] SessionEnd),
    #[error(transparent)]
    Stream(#[from] StreamError),
    #[error("peer was too slow with its hello")]
    Slow,
    #[error("peer closed")]
    Closed,
    #[error("the writer gave the connection up")]
    GivenUp,
}

struct Connection {
    id: ConnectionId,
    shared: Arc<Shared>,
    stream: BlockStream,
    session: Session,
    line: Arc<Line>,
    /// Bytes of the backlog that are in the session.
    taken: usize,
    /// A block that came while the session wanted none.
    held: Option<Block>,
}

/// Runs a connection to its end.
pub(super) async fn run(accepted: Accepted, shared: Arc<Shared>) {
    let id = shared.next_connection();
    let Ok(mut connection) = Connection::open(id, accepted, shared) else {
        return;
    };
    let end = connection.live().await;
    tracing::debug!(%end, "relay connection ended");
}

impl Connection {
    fn open(id: ConnectionId, accepted: Accepted, shared: Arc<Shared>) -> Result<Self, SessionEnd> {
        let opened = Opened {
            binding: accepted.channel.binding,
            alpn: accepted.alpn.is_some(),
        };
        let mut entropy = OsEntropy;
        let mut cx = Context::new(shared.clock.now(), shared.clock.wall(), &mut entropy);
        let session = Session::accept(&mut cx, &shared.config, &shared.identity, &opened)?;
        let line = Arc::new(Line::new(&shared.unread, shared.clock.now()));
        let open = ToWriter::Open(id, Mailbox::new(Arc::clone(&line)));
        // Without a writer the mailbox is dropped, and the connection ends.
        let _ = shared.writer.send(open);
        let stream = accepted.stream;
        Ok(Self {
            id,
            shared,
            stream,
            session,
            line,
            taken: 0,
            held: None,
        })
    }

    async fn live(&mut self) -> End {
        let hello = Box::pin(timeout(HELLO_PATIENCE, self.until(Session::is_open))).await;
        match hello {
            Ok(Ok(())) => {}
            Ok(Err(end)) => return end,
            Err(_) => return End::Slow,
        }
        match self.until(|_| false).await {
            Ok(()) => End::Closed,
            Err(end) => end,
        }
    }

    /// Serves until `done`.
    async fn until(&mut self, done: impl Fn(&Session) -> bool) -> Result<(), End> {
        loop {
            self.settle()?;
            if done(&self.session) {
                return Ok(());
            }
            self.step().await?;
        }
    }

    /// Passes on everything the session has to say.
    fn settle(&mut self) -> Result<(), End> {
        if self.session.wants_block()
            && let Some(block) = self.held.take()
        {
            self.receive(block)?;
        }
        let wanted = self.session.take_wanted();
        if !wanted.is_empty() {
            self.tell(ToWriter::Find(self.id, wanted))?;
        }
        let requests = self.session.take_requests();
        if !requests.is_empty() {
            self.tell(ToWriter::Ask(self.id, requests))?;
        }
        let mut buffer = Vec::new();
        while self.stream.has_room()
            && let Some(written) = self.session.poll_block(&mut buffer)
        {
            written?;
            self.stream.queue(&buffer)?;
        }
        if self.stream.has_room() {
            // All that was taken is in the stream.
            self.line.backlog.release(std::mem::take(&mut self.taken));
        }
        Ok(())
    }

    /// Waits for the next thing to happen.
    async fn step(&mut self) -> Result<(), End> {
        if self.held.is_some() {
            // Nothing more is read; what is queued still goes out.
            let said = tokio::select! {
                Err(GivenUp) = self.line.listen(false) => return Err(End::GivenUp),
                flushed = self.stream.flush() => {
                    flushed?;
                    self.line.listen(true).await?
                }
            };
            self.take(said);
            return Ok(());
        }
        // Without room nothing is taken, so what piles up is on the line,
        // where it is counted.
        let room = self.stream.has_room();
        tokio::select! {
            said = self.line.listen(room) => self.take(said?),
            event = self.stream.next() => match event? {
                BlockEvent::Received(block) if self.session.wants_block() => self.receive(block)?,
                BlockEvent::Received(block) => self.held = Some(block),
                BlockEvent::Room => {}
                BlockEvent::Closed => return Err(End::Closed),
            },
        }
        Ok(())
    }

    fn receive(&mut self, mut block: Block) -> Result<(), End> {
        let mut entropy = OsEntropy;
        let clock = self.shared.clock;
        let mut cx = Context::new(clock.now(), clock.wall(), &mut entropy);
        self.line.heard.note(cx.now());
        Ok(self
            .session
            .receive(&mut cx, self.shared.recent.as_ref(), &mut block)?)
    }

    fn take(&mut self, said: Vec<ToConnection>) {
        let mut entropy = OsEntropy;
        let clock = self.shared.clock;
        let mut cx = Context::new(clock.now(), clock.wall(), &mut entropy);
        let directory = self.shared.recent.as_ref();
        for message in said {
            match message {
                ToConnection::Outputs(outputs) => {
                    self.taken += backlog::weight(&outputs);
                    self.session.answer(&mut cx, directory, outputs);
                }
                ToConnection::Found(found) => self.session.resolve(&mut cx, directory, &found),
            }
        }
    }

    fn tell(&self, message: ToWriter) -> Result<(), End> {
        self.shared.writer.send(message).map_err(|_| End::GivenUp)
    }
}

/// The last word to the writer, so that no request follows it.
impl Drop for Connection {
    fn drop(&mut self) {
        // Without a writer nobody holds anything of this connection.
        let _ = self.shared.writer.send(ToWriter::Close(self.id));
    }
}

impl From<GivenUp> for End {
    fn from(GivenUp: GivenUp) -> Self {
        Self::GivenUp
    }
}
