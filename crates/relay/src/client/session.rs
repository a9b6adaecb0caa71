//! One connection to one server: handshake, blocks, answers paired with
//! commands, time limits.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hushwing_delivery::{FetchId, MailboxId, SendId};
use hushwing_sansio::{Channel, Context, Moment, StreamId};

use super::connections::ConnectionState;
use super::greeting::greet;
use super::pace::Pace;
use crate::address::Server;
use crate::wire::auth::Signer;
use crate::wire::{
    Authoriser, BlockReader, Command, ID_LEN, Opener, Packer, Sealer, Version, Writer,
};

/// A connection that does not get through its handshake in this time is given
/// up.
const CONNECT_TIME: Duration = Duration::from_secs(60);
/// A server that answers nothing for so long while it owes answers is gone.
const ANSWER_TIME: Duration = Duration::from_secs(60);
/// A silent connection is tried with `PING` after this time.
const PING_TIME: Duration = Duration::from_secs(300);
/// A connection nobody needs is closed after this time.
const IDLE_TIME: Duration = Duration::from_secs(120);
/// Messages sent and not yet answered; others wait in memory.
const SEND_WINDOW: usize = 16;

/// What an answer is for. The state behind it is looked up when it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    Create(MailboxId),
    /// With the revision of the link data that was sent.
    Link(MailboxId, u64),
    Unlink(MailboxId),
    Subscribe(MailboxId),
    Acknowledge(MailboxId),
    Delete(MailboxId),
    Secure(SendId),
    Send(SendId),
    Fetch(FetchId),
    Ping,
}

/// Why a connection ended, as far as its users must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The server was not reached, or does not speak with us.
    Unreachable,
    /// The server was reached, and then the connection broke.
    Broken,
    /// The server is not the one its address names.
    WrongServer,
}

enum State {
    Idle,
    Connecting {
        stream: StreamId,
        since: Moment,
    },
    Greeting {
        stream: StreamId,
        since: Moment,
        channel: Channel,
    },
    Ready(Box<Ready>),
}

struct Ready {
    stream: StreamId,
    since: Moment,
    version: Version,
    authoriser: Authoriser,
    sealer: Sealer,
    opener: Opener,
    /// Encoded transmissions for the next blocks.
    out: VecDeque<Vec<u8>>,
    in_flight: BTreeMap<[u8; ID_LEN], Job>,
    sends: usize,
    /// When the server last said something, or began to owe an answer.
    heard: Moment,
    used: Moment,
}

/// What received bytes led to.
pub(super) enum Arrival {
    /// The handshake is done.
    Ready,
    /// The content of a block.
    Content(Vec<u8>),
}

/// The connection to one server, now or in future.
pub(super) struct Session {
    state: State,
    reader: BlockReader,
    /// When it is dialled, and since when there is trouble.
    pub(super) pace: Pace,
    /// When the server last refused to make a mailbox, if it made none since.
    pub(super) refused: Option<Moment>,
    /// Jobs that wait for the handshake.
    waiting: VecDeque<Job>,
    /// Sends that wait for the handshake or the window.
    waiting_sends: VecDeque<Job>,
    /// When to do again what the server had trouble with.
    pub(super) try_again_at: Option<Moment>,
    /// Mailboxes on this server.
    pub(super) mailboxes: BTreeSet<MailboxId>,
    /// The same by the recipient id that events carry.
    pub(super) recipients: BTreeMap<Vec<u8>, MailboxId>,
    /// Blocks to write that are ready as they are.
    raw: VecDeque<Vec<u8>>,
}

impl Session {
    pub(super) fn new() -> Self {
        Self {
            state: State::Idle,
            reader: BlockReader::default(),
            pace: Pace::default(),
            refused: None,
            waiting: VecDeque::new(),
            waiting_sends: VecDeque::new(),
            try_again_at: None,
            mailboxes: BTreeSet::new(),
            recipients: BTreeMap::new(),
            raw: VecDeque::new(),
        }
    }

    /// Whether commands can go out.
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.state, State::Ready(_))
    }

    /// Whether the server was reached, be the handshake done or not.
    pub(super) fn is_connected(&self) -> bool {
        matches!(self.state, State::Greeting { .. } | State::Ready(_))
    }

    /// The version of the session.
    pub(super) fn version(&self) -> Option<Version> {
        match &self.state {
            State::Ready(ready) => Some(ready.version),
            _ => None,
        }
    }

    /// The stream in use.
    pub(super) fn stream(&self) -> Option<StreamId> {
        match &self.state {
            State::Idle => None,
            State::Connecting { stream, .. } | State::Greeting { stream, .. } => Some(*stream),
            State::Ready(ready) => Some(ready.stream),
        }
    }

    /// How the connection stands.
    pub(super) fn state(&self) -> ConnectionState {
        let needed = self.is_needed();
        match (&self.state, self.pace.down()) {
            (State::Ready(ready), _) => ConnectionState::Connected { since: ready.since },
            // A server closes what nobody uses.
            (State::Idle, None | Some((_, Ended::Broken))) if !needed => ConnectionState::Idle,
            (State::Idle, None) => ConnectionState::Connecting,
            (State::Idle, Some((since, why))) => ConnectionState::Down {
                since,
                why,
                next: needed.then(|| self.pace.next()),
            },
            (_, None) => ConnectionState::Connecting,
            (_, Some((since, why))) => ConnectionState::Down {
                since,
                why,
                next: None,
            },
        }
    }

    /// Puts a job in line.
    pub(super) fn enqueue(&mut self, job: Job) {
        match job {
            Job::Send(_) => self.waiting_sends.push_back(job),
            _ => self.waiting.push_back(job),
        }
    }

    /// Drops what waits for mailboxes: a new session puts it in line anew.
    pub(super) fn forget_mailbox_jobs(&mut self) {
        self.waiting
            .retain(|job| matches!(job, Job::Fetch(_) | Job::Ping));
    }

    /// The next job that may start now.
    pub(super) fn next_job(&mut self) -> Option<Job> {
        let State::Ready(ready) = &self.state else {
            return None;
        };
        let free = ready.sends < SEND_WINDOW;
        (self.waiting.pop_front()).or_else(|| {
            if free {
                self.waiting_sends.pop_front()
            } else {
                None
            }
        })
    }

    /// Whether an attempt to connect is due; notes that it is made.
    pub(super) fn start_connecting(&mut self, now: Moment, stream: StreamId) -> bool {
        let due = matches!(self.state, State::Idle) && self.is_needed() && now >= self.pace.next();
        if due {
            self.state = State::Connecting { stream, since: now };
            self.pace.tried(now);
        }
        due
    }

    fn is_needed(&self) -> bool {
        let has_jobs = !self.waiting.is_empty() || !self.waiting_sends.is_empty();
        has_jobs || !self.mailboxes.is_empty()
    }

    /// The driver opened the stream.
    pub(super) fn opened(&mut self, channel: Channel) {
        if let State::Connecting { stream, since } = self.state {
            self.reader = BlockReader::default();
            self.state = State::Greeting {
                stream,
                since,
                channel,
            };
        }
    }

    /// Takes in bytes.
    ///
    /// On `Err` the session must be ended for that reason.
    pub(super) fn received(
        &mut self,
        cx: &mut Context<'_>,
        server: &Server,
        bytes: &[u8],
    ) -> Result<Vec<Arrival>, Ended> {
        let mut blocks = Vec::new();
        self.reader.push(bytes, |block| {
            blocks.push(block);
            true
        });
        blocks
            .into_iter()
            .map(|block| self.block(cx, server, block))
            .collect()
    }

    fn block(
        &mut self,
        cx: &mut Context<'_>,
        server: &Server,
        mut block: Vec<u8>,
    ) -> Result<Arrival, Ended> {
        match &mut self.state {
            State::Ready(ready) => {
                ready.heard = cx.now();
                ready
                    .opener
                    .open(&mut block)
                    .map(<[u8]>::to_vec)
                    .map(Arrival::Content)
                    .map_err(|_| Ended::Broken)
            }
            State::Greeting {
                stream, channel, ..
            } => {
                let stream = *stream;
                let greeted = greet(cx, server, channel, &mut block)?;
                self.raw.push_back(greeted.hello);
                self.state = State::Ready(Box::new(Ready {
                    stream,
                    since: cx.now(),
                    version: greeted.version,
                    authoriser: greeted.authoriser,
                    sealer: greeted.sealer,
                    opener: greeted.opener,
                    out: VecDeque::new(),
                    in_flight: BTreeMap::new(),
                    sends: 0,
                    heard: cx.now(),
                    used: cx.now(),
                }));
                Ok(Arrival::Ready)
            }
            State::Idle | State::Connecting { .. } => Err(Ended::Unreachable),
        }
    }

    /// Encodes a command and notes what its answer is for. Nothing happens if
    /// the session is not ready.
    pub(super) fn transmit(
        &mut self,
        cx: &mut Context<'_>,
        job: Job,
        entity: &[u8],
        signer: Option<Signer<'_>>,
        command: &Command<'_>,
    ) {
        let State::Ready(ready) = &mut self.state else {
            return;
        };
        let correlation: [u8; ID_LEN] = cx.random();
        let mut item = Vec::new();
        let mut w = Writer::new(&mut item);
        let version = ready.version;
        ready
            .authoriser
            .write(&mut w, version, &correlation, entity, signer, |w| {
                command.write(w, version);
            });
        if w.check().is_err() {
            return;
        }
        if ready.in_flight.is_empty() {
            ready.heard = cx.now();
        }
        ready.used = cx.now();
        ready.sends += usize::from(matches!(job, Job::Send(_)));
        ready.in_flight.insert(correlation, job);
        ready.out.push_back(item);
    }

    /// The job that an answer with this correlation id is for.
    pub(super) fn answered(&mut self, correlation: &[u8]) -> Option<Job> {
        let State::Ready(ready) = &mut self.state else {
            return None;
        };
        let job = ready.in_flight.remove(correlation)?;
        ready.sends -= usize::from(matches!(job, Job::Send(_)));
        Some(job)
    }

    /// The blocks that can be written now.
    pub(super) fn blocks(&mut self) -> Vec<Vec<u8>> {
        let mut blocks: Vec<_> = self.raw.drain(..).collect();
        if let State::Ready(ready) = &mut self.state
            && !ready.out.is_empty()
        {
            let mut packer = Packer::new(&mut ready.sealer);
            for item in ready.out.drain(..) {
                // An item too long for a block was refused when it was encoded.
                let _ = packer.push(|w| {
                    w.raw(&item);
                });
            }
            blocks.extend(packer.finish().unwrap_or_default());
        }
        blocks
    }

    /// Ends the connection and returns the jobs that will not be answered.
    pub(super) fn end(&mut self, cx: &mut Context<'_>, why: Ended) -> Vec<Job> {
        self.pace.ended(cx, why);
        let mut lost: Vec<_> = self
            .waiting
            .drain(..)
            .chain(self.waiting_sends.drain(..))
            .collect();
        if let State::Ready(ready) = &mut self.state {
            lost.extend(core::mem::take(&mut ready.in_flight).into_values());
        }
        self.state = State::Idle;
        self.raw.clear();
        self.try_again_at = None;
        lost
    }

    /// What the clock demands.
    pub(super) fn tick(&mut self, now: Moment) -> Tick {
        let due = self.deadline().is_some_and(|deadline| now >= deadline);
        let needed = self.is_needed();
        match &mut self.state {
            State::Connecting { .. } | State::Greeting { .. } if due => {
                Tick::End(Ended::Unreachable)
            }
            State::Ready(ready) if due && !ready.in_flight.is_empty() => Tick::End(Ended::Broken),
            State::Ready(_) if due && needed => Tick::Ping,
            State::Idle | State::Ready(_) if due => Tick::Close,
            _ => Tick::Nothing,
        }
    }

    fn deadline(&self) -> Option<Moment> {
        match &self.state {
            State::Idle if self.is_needed() || self.refused.is_some() => None,
            State::Idle => Some(self.pace.forget_at()),
            State::Connecting { since, .. } | State::Greeting { since, .. } => {
                Some(*since + CONNECT_TIME)
            }
            State::Ready(ready) if !ready.in_flight.is_empty() => Some(ready.heard + ANSWER_TIME),
            State::Ready(ready) if self.is_needed() => Some(ready.heard + PING_TIME),
            State::Ready(ready) => Some(ready.used + IDLE_TIME),
        }
    }

    /// When [`Session::tick`] has something to do next.
    pub(super) fn timeout(&self) -> Option<Moment> {
        let main = match &self.state {
            State::Idle if self.is_needed() => Some(self.pace.next()),
            _ => self.deadline(),
        };
        let again = self.try_again_at.filter(|_| self.is_ready());
        [main, again].into_iter().flatten().min()
    }
}

/// What the clock demands of a session.
pub(super) enum Tick {
    /// Nothing yet.
    Nothing,
    /// See whether the server is there.
    Ping,
    /// Give the connection up.
    End(Ended),
    /// Close and forget it, it is not needed.
    Close,
}
