//! The client as a machine: inputs in, jobs started, answers given out.

use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::{FetchId, MailboxId, NetworkCommand, NetworkEvent, ReceiptId, SendId};
use hushwing_sansio::{Context, Input, Machine, Moment, Output, StorageError, StreamId};

use super::fetches::Fetching;
use super::mailbox::Mailbox;
use super::records::MailboxRecord;
use super::senders::Sending;
use super::session::{Arrival, Ended, Job, Session};
use super::storage::Storage;
use crate::address::{Server, ServerAddress};
use crate::wire::{Command, Response, Transmission, transmissions};

/// The SMP client: a [`Network`](hushwing_delivery::Network).
///
/// It makes mailboxes on the servers it was given, and writes to queues on any
/// server a locator names. It holds one connection per server.
pub struct Client {
    pub(super) servers: Vec<ServerAddress>,
    pub(super) mailboxes: BTreeMap<MailboxId, Mailbox>,
    pub(super) receipts: BTreeMap<ReceiptId, MailboxId>,
    pub(super) sends: BTreeMap<SendId, Sending>,
    pub(super) fetches: BTreeMap<FetchId, Fetching>,
    pub(super) sessions: BTreeMap<Server, Session>,
    /// Where a mailbox last could not be made for want of a connection.
    pub(super) unreached: Option<Server>,
    /// Whether the room above was told last that mailboxes are displaced.
    pub(super) displaced_told: bool,
    pub(super) next_receipt: u64,
    pub(super) streams: BTreeMap<StreamId, Server>,
    pub(super) next_stream: u64,
    pub(super) outputs: VecDeque<Output<NetworkEvent>>,
}

impl Client {
    /// A client that makes new mailboxes on one of `servers`, with the
    /// mailboxes found in `storage`. Its first timeout is due at once.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damaged records.
    pub fn open(
        servers: Vec<ServerAddress>,
        storage: &mut dyn Storage,
    ) -> Result<Self, StorageError> {
        let mut client = Self {
            servers,
            mailboxes: BTreeMap::new(),
            receipts: BTreeMap::new(),
            sends: BTreeMap::new(),
            fetches: BTreeMap::new(),
            sessions: BTreeMap::new(),
            unreached: None,
            displaced_told: false,
            next_receipt: 1,
            streams: BTreeMap::new(),
            next_stream: 1,
            outputs: VecDeque::new(),
        };
        for (id, record) in storage.mailboxes()? {
            client.adopt(id, Mailbox::new(MailboxRecord::decode(&record)?)?);
        }
        client.tell_displaced();
        Ok(client)
    }

    /// The server of the mailbox that was last told to be `Unreachable`.
    #[must_use]
    pub fn unreached(&self) -> Option<&Server> {
        self.unreached.as_ref()
    }

    pub(super) fn tell(&mut self, event: NetworkEvent) {
        self.outputs.push_back(Output::Event(event));
    }

    /// The session with `server`, made if there is none.
    pub(super) fn session(&mut self, server: &Server) -> &mut Session {
        self.sessions
            .entry(server.clone())
            .or_insert_with(Session::new)
    }

    /// Puts a job in line at the server it is for.
    pub(super) fn enqueue(&mut self, server: &Server, job: Job) {
        self.session(server).enqueue(job);
    }

    /// Puts a job in line that somebody waits for who asked only now.
    pub(super) fn enqueue_new(&mut self, server: &Server, job: Job) {
        let session = self.session(server);
        session.enqueue(job);
        session.pace.hurry();
    }

    fn command(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        command: NetworkCommand,
    ) -> Result<(), StorageError> {
        match command {
            NetworkCommand::OpenMailbox {
                mailbox,
                purpose,
                apart,
            } => self.open_mailbox(cx, storage, mailbox, &purpose, apart),
            NetworkCommand::ReplaceBundle { mailbox, card } => {
                self.replace_bundle(cx, storage, mailbox, &card)
            }
            NetworkCommand::WithdrawCard { mailbox } => self.withdraw_card(storage, mailbox),
            NetworkCommand::CloseMailbox { mailbox } => self.close_mailbox(storage, mailbox),
            NetworkCommand::Fetch {
                fetch,
                place,
                secret,
                one_time,
            } => self.fetch(storage, fetch, &place, secret, one_time),
            NetworkCommand::Send {
                send,
                locator,
                envelope,
            } => {
                self.send(send, &locator, envelope);
                Ok(())
            }
            NetworkCommand::Cancel { send } => {
                self.sends.remove(&send);
                Ok(())
            }
            NetworkCommand::Acknowledge { receipt } => {
                self.acknowledge(cx, receipt);
                Ok(())
            }
        }
    }

    fn received(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        stream: StreamId,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let Some(server) = self.streams.get(&stream).cloned() else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(&server) else {
            return Ok(());
        };
        let arrivals = match session.received(cx, &server, bytes) {
            Ok(arrivals) => arrivals,
            Err(why) => return self.hang_up(cx, storage, &server, why),
        };
        for arrival in arrivals {
            match arrival {
                Arrival::Ready => self.session_ready(&server),
                Arrival::Content(content) => self.content(cx, storage, &server, &content)?,
            }
        }
        Ok(())
    }

    /// A new session: everything that belongs to this server's mailboxes is
    /// put in line again.
    fn session_ready(&mut self, server: &Server) {
        let Some(session) = self.sessions.get_mut(server) else {
            return;
        };
        session.forget_mailbox_jobs();
        for id in session.mailboxes.clone() {
            if let Some(mailbox) = self.mailboxes.get_mut(&id) {
                for job in mailbox.jobs(id) {
                    session.enqueue(job);
                }
            }
        }
    }

    fn content(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        content: &[u8],
    ) -> Result<(), StorageError> {
        let version = self.sessions.get(server).and_then(Session::version);
        let Some(version) = version else {
            return Ok(());
        };
        let Ok(items) = transmissions(content, version) else {
            return self.hang_up(cx, storage, server, Ended::Broken);
        };
        for item in items {
            let parsed = item.and_then(|item| Ok((item, Response::parse(item.text, version)?)));
            let Ok((item, response)) = parsed else {
                return self.hang_up(cx, storage, server, Ended::Broken);
            };
            self.transmission(cx, storage, server, &item, response)?;
        }
        Ok(())
    }

    fn transmission(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        item: &Transmission<'_>,
        response: Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        if let Some(job) = session.answered(item.correlation_id) {
            // Who takes a key, or only refuses, may still close on each message.
            if !matches!(job, Job::Secure(_)) && !matches!(response, Response::Err(_)) {
                let locators = session.pace.served(cx.now());
                if !locators.is_empty() {
                    self.tell(NetworkEvent::Reachable { locators });
                }
            }
            return self.answer(cx, storage, server, job, response);
        }
        let mailbox = session.recipients.get(item.entity_id).copied();
        match (response, mailbox) {
            (Response::Msg { id, sealed }, Some(mailbox)) => {
                self.message(cx, mailbox, id, sealed);
                Ok(())
            }
            (Response::End, Some(mailbox)) => {
                self.taken_over(cx, server, mailbox);
                Ok(())
            }
            (Response::Deld, Some(mailbox)) => self.lost(storage, mailbox),
            // The server could not read a command: which one, nobody knows.
            (Response::Err(_), None) => self.hang_up(cx, storage, server, Ended::Broken),
            _ => Ok(()),
        }
    }

    fn answer(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        job: Job,
        response: Response<'_>,
    ) -> Result<(), StorageError> {
        match job {
            Job::Create(id) => self.created(cx, storage, id, &response),
            Job::Link(id, revision) => self.linked(cx, storage, id, revision, &response),
            Job::Unlink(id) => self.unlinked(cx, storage, id, &response),
            Job::Subscribe(id) => self.subscribed(cx, storage, server, id, &response),
            Job::Acknowledge(id) => {
                if let Response::Msg {
                    id: message,
                    sealed,
                } = response
                {
                    self.message(cx, id, message, sealed);
                }
                Ok(())
            }
            Job::Delete(id) => self.deleted(cx, storage, id, &response),
            Job::Secure(send) => self.secured(storage, send, response),
            Job::Send(send) => {
                self.sent(send, &response);
                Ok(())
            }
            Job::Fetch(fetch) => self.fetched(storage, fetch, &response),
            Job::Ping => Ok(()),
        }
    }

    fn start(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        job: Job,
    ) -> Result<(), StorageError> {
        match job {
            Job::Send(send) => self.start_send(cx, storage, server, send),
            Job::Fetch(fetch) => self.start_fetch(cx, storage, server, fetch),
            // Sent together with the message it clears the way for.
            Job::Secure(_) => Ok(()),
            Job::Ping => {
                if let Some(session) = self.sessions.get_mut(server) {
                    session.transmit(cx, Job::Ping, &[], None, &Command::Ping);
                }
                Ok(())
            }
            Job::Create(id)
            | Job::Link(id, _)
            | Job::Unlink(id)
            | Job::Subscribe(id)
            | Job::Acknowledge(id)
            | Job::Delete(id) => {
                self.start_mailbox_job(cx, server, id, job);
                Ok(())
            }
        }
    }

    /// After every input: what the clock demands, what can be started.
    fn settle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
    ) -> Result<(), StorageError> {
        let servers: Vec<_> = self.sessions.keys().cloned().collect();
        for server in servers {
            self.tick(cx, storage, &server)?;
            while let Some(job) = self.sessions.get_mut(&server).and_then(Session::next_job) {
                self.start(cx, storage, &server, job)?;
            }
        }
        Ok(())
    }

    /// Packs what the sessions have to say into blocks. This is left until the
    /// outputs are wanted, so that commands of one batch of inputs share
    /// blocks.
    fn collect_blocks(&mut self) {
        for session in self.sessions.values_mut() {
            let Some(stream) = session.stream() else {
                continue;
            };
            for bytes in session.blocks() {
                self.outputs.push_back(Output::SendStream { stream, bytes });
            }
        }
    }
}

impl Machine for Client {
    type Command = NetworkCommand;
    type Event = NetworkEvent;
    type Storage = dyn Storage;

    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut Self::Storage,
        input: Input<NetworkCommand>,
    ) -> Result<(), StorageError> {
        match input {
            Input::Command(command) => self.command(cx, storage, command)?,
            Input::StreamOpened { stream, channel } => self.opened(stream, channel),
            Input::StreamReceived { stream, bytes } => {
                self.received(cx, storage, stream, &bytes)?;
            }
            Input::StreamClosed { stream, reason } => self.closed(cx, storage, stream, reason)?,
            Input::Timeout => {}
        }
        self.settle(cx, storage)
    }

    fn poll_output(&mut self) -> Option<Output<NetworkEvent>> {
        if self.outputs.is_empty() {
            self.collect_blocks();
        }
        self.outputs.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.sessions.values().filter_map(Session::timeout).min()
    }
}
