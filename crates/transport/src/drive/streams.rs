//! The sockets of one machine: a task for each, and one channel back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hushwing_sansio::{Channel, CloseReason, Endpoint, Input, StreamId};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tracing::instrument::WithSubscriber as _;
use tracing::subscriber::NoSubscriber;

use crate::bytes::{ByteEvent, ByteStream};
use crate::tls::Connector;

/// Bytes a machine may have waiting on one stream. A machine that exceeds it
/// has lost touch with what its peer takes; the stream is closed.
const MOST_QUEUED: usize = 32 * 1024 * 1024;
/// Portions waiting for the machine, of all its streams together.
const WAITING_ARRIVALS: usize = 64;

/// Something that happened on a stream of the machine's `generation`.
pub(super) struct Arrival {
    generation: u64,
    stream: StreamId,
    what: What,
}

enum What {
    Opened(Channel),
    Received(Vec<u8>),
    Closed(CloseReason),
}

/// One stream as seen from the driver.
struct Line {
    bytes: mpsc::UnboundedSender<Vec<u8>>,
    queued: Arc<AtomicUsize>,
    task: AbortHandle,
}

pub(super) struct Streams {
    runtime: Handle,
    connector: Connector,
    lines: HashMap<StreamId, Line>,
    arrivals: mpsc::Sender<Arrival>,
    generation: u64,
    /// Whether nothing is logged.
    quiet: bool,
}

impl Streams {
    pub(super) fn new(
        runtime: Handle,
        connector: Connector,
        quiet: bool,
    ) -> (Self, mpsc::Receiver<Arrival>) {
        let (arrivals, inbox) = mpsc::channel(WAITING_ARRIVALS);
        (
            Self {
                runtime,
                connector,
                lines: HashMap::new(),
                arrivals,
                generation: 0,
                quiet,
            },
            inbox,
        )
    }

    /// Closes everything at once; what is still under way is no longer heard.
    pub(super) fn abandon(&mut self) {
        self.generation += 1;
        for (_, line) in self.lines.drain() {
            line.task.abort();
        }
    }

    /// Turns an arrival into the machine's input, unless it comes from a
    /// stream that the machine has closed or from before a recovery.
    pub(super) fn take<C>(&mut self, arrival: Arrival) -> Option<Input<C>> {
        let Arrival {
            generation,
            stream,
            what,
        } = arrival;
        if generation != self.generation || !self.lines.contains_key(&stream) {
            return None;
        }
        Some(match what {
            What::Opened(channel) => Input::StreamOpened { stream, channel },
            What::Received(bytes) => Input::StreamReceived { stream, bytes },
            What::Closed(reason) => {
                self.lines.remove(&stream);
                Input::StreamClosed { stream, reason }
            }
        })
    }

    pub(super) fn open(&mut self, stream: StreamId, endpoint: Endpoint) {
        let (bytes, outbox) = mpsc::unbounded_channel();
        let queued = Arc::new(AtomicUsize::new(0));
        let pump = Pump {
            generation: self.generation,
            stream,
            outbox,
            queued: Arc::clone(&queued),
            arrivals: self.arrivals.clone(),
        };
        let connector = self.connector.clone();
        let run = async move { pump.run(&connector, &endpoint).await };
        let task = match self.quiet {
            true => self.runtime.spawn(run.with_subscriber(NoSubscriber::new())),
            false => self.runtime.spawn(run),
        };
        let line = Line {
            bytes,
            queued,
            task: task.abort_handle(),
        };
        if let Some(replaced) = self.lines.insert(stream, line) {
            replaced.task.abort();
        }
    }

    /// Queues bytes. An answer means that the stream had to be closed.
    pub(super) fn send<C>(&mut self, stream: StreamId, bytes: Vec<u8>) -> Option<Input<C>> {
        let line = self.lines.get(&stream)?;
        let before = line.queued.fetch_add(bytes.len(), Ordering::Relaxed);
        if before.saturating_add(bytes.len()) <= MOST_QUEUED {
            // A closed outbox has its own `Closed` under way.
            let _closed = line.bytes.send(bytes);
            return None;
        }
        line.task.abort();
        self.lines.remove(&stream);
        Some(Input::StreamClosed {
            stream,
            reason: CloseReason::Closed,
        })
    }

    /// Closes a stream after what was queued has been sent.
    pub(super) fn close(&mut self, stream: StreamId) {
        // The pump sees its outbox end, and says goodbye.
        self.lines.remove(&stream);
    }
}

/// The task between one socket and the driver.
struct Pump {
    generation: u64,
    stream: StreamId,
    outbox: mpsc::UnboundedReceiver<Vec<u8>>,
    queued: Arc<AtomicUsize>,
    arrivals: mpsc::Sender<Arrival>,
}

impl Pump {
    async fn run(mut self, connector: &Connector, endpoint: &Endpoint) {
        let reason = match connector.connect(endpoint).await {
            Ok((tls, channel)) => {
                self.tell(What::Opened(channel)).await;
                match self.pump(tls).await {
                    Some(reason) => reason,
                    None => return,
                }
            }
            Err(error) => {
                tracing::debug!(reason = ?error.close_reason(), "a stream did not open");
                error.close_reason()
            }
        };
        self.tell(What::Closed(reason)).await;
    }

    /// `None` when the machine closed the stream.
    async fn pump(&mut self, mut tls: ByteStream) -> Option<CloseReason> {
        loop {
            tokio::select! {
                event = tls.next() => match event {
                    Ok(ByteEvent::Received(bytes)) => self.tell(What::Received(bytes)).await,
                    Ok(ByteEvent::Room) => {}
                    Ok(ByteEvent::Closed) => return Some(CloseReason::Closed),
                    Err(error) => {
                        tracing::debug!(%error, "a stream broke");
                        return Some(CloseReason::Closed);
                    }
                },
                bytes = self.outbox.recv(), if tls.has_room() => {
                    let Some(bytes) = bytes else {
                        // Nobody is left to tell whether the goodbye arrived.
                        let _told = tls.close().await;
                        return None;
                    };
                    self.queued.fetch_sub(bytes.len(), Ordering::Relaxed);
                    if tls.queue(&bytes).is_err() {
                        return Some(CloseReason::Closed);
                    }
                }
            }
        }
    }

    async fn tell(&self, what: What) {
        let arrival = Arrival {
            generation: self.generation,
            stream: self.stream,
            what,
        };
        // A closed channel means that the driver has ended; so will this task.
        let _ended = self.arrivals.send(arrival).await;
    }
}
