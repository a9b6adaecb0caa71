//! The client: one stream to the hub, asked again until answered.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::{
    Card, FetchFailure, FetchId, Locator, MailboxFailure, MailboxId, NetworkCommand, NetworkEvent,
    Place, Purpose, ReceiptId, SendFailure, SendId, Stage,
};
use hushwing_sansio::{Context, Endpoint, Input, Machine, Moment, Output, StorageError, StreamId};

use super::Mutant;
use super::wire::{Answer, Buffer, QueueId, Request, Sealed, WireCard, encode};

/// The hub is asked again after so long without an answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// A request that was asked so often without an answer is given up.
const TRIES: u32 = 4;

/// The wait before a lost link is brought up again, doubling while it fails.
const SHORTEST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// What the client keeps.
#[derive(Clone, Default)]
pub struct ToyStore {
    reader: Option<[u8; 16]>,
    mailboxes: BTreeMap<MailboxId, (QueueId, Option<WireCard>)>,
}

/// Something the hub has to answer.
struct Question {
    request: Request,
    tries: u32,
    ask_at: Moment,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum About {
    Mailbox(MailboxId),
    Send(SendId),
    Fetch(FetchId),
}

enum Link {
    Down { retry: Moment },
    Opening,
    Up(StreamId),
}

/// The toy network's client machine.
pub struct ToyClient {
    mutant: Mutant,
    link: Link,
    /// The wait after the next loss of the link.
    wait: Duration,
    next_stream: u64,
    buffer: Buffer,
    questions: BTreeMap<About, Question>,
    mailboxes: BTreeMap<QueueId, MailboxId>,
    /// Mailboxes whose opening the room above waits for.
    asked: Vec<MailboxId>,
    receipts: BTreeMap<ReceiptId, (QueueId, u64)>,
    /// Link secrets of cards being fetched.
    secrets: BTreeMap<FetchId, [u8; 32]>,
    next_receipt: u64,
    output: VecDeque<Output<NetworkEvent>>,
}

impl ToyClient {
    pub(super) fn open(store: &mut ToyStore, mutant: Mutant) -> Self {
        let mut client = Self {
            mutant,
            link: Link::Down {
                retry: Moment::default(),
            },
            wait: SHORTEST_WAIT,
            next_stream: 0,
            buffer: Buffer::default(),
            questions: BTreeMap::new(),
            mailboxes: BTreeMap::new(),
            asked: Vec::new(),
            receipts: BTreeMap::new(),
            secrets: BTreeMap::new(),
            next_receipt: 0,
            output: VecDeque::new(),
        };
        if mutant != Mutant::ForgetsMailboxes {
            for (mailbox, (queue, card)) in &store.mailboxes {
                client.mailboxes.insert(*queue, *mailbox);
                let request = Request::Open {
                    queue: *queue,
                    card: card.clone(),
                };
                client.ask(About::Mailbox(*mailbox), request);
            }
        }
        client
    }

    fn tell(&mut self, event: NetworkEvent) {
        self.output.push_back(Output::Event(event));
    }

    /// Notes a question; it is asked as soon as the link is up.
    fn ask(&mut self, about: About, request: Request) {
        let question = Question {
            request,
            tries: 0,
            ask_at: Moment::default(),
        };
        self.questions.insert(about, question);
    }

    fn say(&mut self, request: &Request) {
        if let Link::Up(stream) = self.link {
            self.output.push_back(Output::SendStream {
                stream,
                bytes: encode(request),
            });
        }
    }

    fn command(&mut self, cx: &mut Context<'_>, store: &mut ToyStore, command: NetworkCommand) {
        match command {
            NetworkCommand::OpenMailbox {
                mailbox, purpose, ..
            } => {
                self.open_mailbox(cx, store, mailbox, purpose);
            }
            NetworkCommand::ReplaceBundle { mailbox, card } => {
                self.set_card(store, mailbox, Some(card));
                self.tell(NetworkEvent::BundleReplaced { mailbox });
            }
            NetworkCommand::WithdrawCard { mailbox } => self.set_card(store, mailbox, None),
            NetworkCommand::CloseMailbox { mailbox } => {
                if let Some((queue, _)) = store.mailboxes.remove(&mailbox) {
                    self.mailboxes.remove(&queue);
                    self.ask(About::Mailbox(mailbox), Request::Close { queue });
                }
            }
            NetworkCommand::Fetch {
                fetch,
                place,
                secret,
                ..
            } => match queue_of(&place.0) {
                Some(queue) => {
                    self.secrets.insert(fetch, secret);
                    let reader = *store.reader.get_or_insert_with(|| cx.random());
                    let request = Request::Fetch {
                        number: fetch.0,
                        queue,
                        reader,
                    };
                    self.ask(About::Fetch(fetch), request);
                }
                None => self.tell(NetworkEvent::FetchFailed {
                    fetch,
                    reason: FetchFailure::Unreadable,
                }),
            },
            NetworkCommand::Send {
                send,
                locator,
                envelope,
            } => match queue_of(&locator.0) {
                Some(queue) => {
                    let sealed = Sealed::of(&envelope);
                    let request = Request::Put {
                        number: send.0,
                        queue,
                        sealed,
                    };
                    self.ask(About::Send(send), request);
                    self.tell(NetworkEvent::Progress {
                        send,
                        stage: Stage::Connecting,
                    });
                }
                None => self.tell(NetworkEvent::Failed {
                    send,
                    reason: SendFailure::Unreadable,
                }),
            },
            NetworkCommand::Cancel { send } => {
                self.questions.remove(&About::Send(send));
            }
            NetworkCommand::Acknowledge { receipt } => {
                if let Some((queue, mail)) = self.receipts.remove(&receipt) {
                    self.say(&Request::Ack { queue, mail });
                }
            }
        }
    }

    fn open_mailbox(
        &mut self,
        cx: &mut Context<'_>,
        store: &mut ToyStore,
        mailbox: MailboxId,
        purpose: Purpose,
    ) {
        let card = match purpose {
            Purpose::Conversation | Purpose::Shared => None,
            Purpose::OneTimeInvitation(card) => Some(wire_card(&card, true)),
            Purpose::ReusableInvitation(card) => Some(wire_card(&card, false)),
        };
        let (queue, card) = store
            .mailboxes
            .entry(mailbox)
            .or_insert_with(|| (cx.random(), card))
            .clone();
        self.mailboxes.insert(queue, mailbox);
        self.asked.push(mailbox);
        self.ask(About::Mailbox(mailbox), Request::Open { queue, card });
    }

    fn set_card(&mut self, store: &mut ToyStore, mailbox: MailboxId, card: Option<Card>) {
        if let Some((queue, kept)) = store.mailboxes.get_mut(&mailbox) {
            let one_time = kept.as_ref().is_some_and(|kept| kept.one_time);
            *kept = card.map(|card| wire_card(&card, one_time));
            let request = Request::Open {
                queue: *queue,
                card: kept.clone(),
            };
            self.ask(About::Mailbox(mailbox), request);
        }
    }

    fn answered(&mut self, answer: Answer) {
        match answer {
            Answer::Opened { queue } => {
                let Some(mailbox) = self.mailboxes.get(&queue).copied() else {
                    return;
                };
                self.questions.remove(&About::Mailbox(mailbox));
                if let Some(at) = self.asked.iter().position(|asked| *asked == mailbox) {
                    self.asked.swap_remove(at);
                    let locator = Locator(named(queue));
                    let place = Some(Place(named(queue)));
                    self.tell(NetworkEvent::MailboxOpened {
                        mailbox,
                        locator,
                        place,
                    });
                }
            }
            Answer::Gone { queue } => {
                if let Some(mailbox) = self.mailboxes.remove(&queue) {
                    self.questions.remove(&About::Mailbox(mailbox));
                    let reason = MailboxFailure::Gone;
                    self.tell(NetworkEvent::MailboxFailed { mailbox, reason });
                }
            }
            Answer::Taken { number } => {
                let send = SendId(number);
                if self.questions.remove(&About::Send(send)).is_some() {
                    self.tell(NetworkEvent::Accepted { send });
                }
            }
            Answer::Refused { number, full } => {
                let send = SendId(number);
                if self.questions.remove(&About::Send(send)).is_some() {
                    let reason = if full {
                        SendFailure::Full
                    } else {
                        SendFailure::Gone
                    };
                    self.tell(NetworkEvent::Failed { send, reason });
                }
            }
            Answer::Mail {
                queue,
                mail,
                sealed,
            } => self.mail(queue, mail, sealed),
            Answer::Card { number, card } => self.card(FetchId(number), card),
            Answer::NoCard { number } => {
                let fetch = FetchId(number);
                if self.questions.remove(&About::Fetch(fetch)).is_some() {
                    let reason = FetchFailure::UsedOrGone;
                    self.tell(NetworkEvent::FetchFailed { fetch, reason });
                }
            }
        }
    }

    fn card(&mut self, fetch: FetchId, card: WireCard) {
        let question = self.questions.remove(&About::Fetch(fetch));
        let Some(Question {
            request: Request::Fetch { queue, .. },
            ..
        }) = question
        else {
            return;
        };
        if self.secrets.remove(&fetch) != Some(card.secret) {
            let reason = FetchFailure::Forged;
            return self.tell(NetworkEvent::FetchFailed { fetch, reason });
        }
        let WireCard { fixed, bundle, .. } = card;
        let locator = Locator(named(queue));
        self.tell(NetworkEvent::Fetched {
            fetch,
            fixed,
            bundle,
            locator,
        });
    }

    fn mail(&mut self, queue: QueueId, mail: u64, sealed: Sealed) {
        let (Some(mailbox), Some(envelope)) =
            (self.mailboxes.get(&queue).copied(), sealed.envelope())
        else {
            return self.say(&Request::Ack { queue, mail });
        };
        let receipt = ReceiptId(self.next_receipt);
        self.next_receipt = self.next_receipt.saturating_add(1);
        self.receipts.insert(receipt, (queue, mail));
        self.tell(NetworkEvent::Received {
            mailbox,
            receipt,
            envelope,
        });
        if self.mutant == Mutant::AcknowledgesEarly {
            self.say(&Request::Ack { queue, mail });
        }
    }

    /// Brings the link up if there is a reason to, and asks what is due.
    fn run(&mut self, now: Moment) {
        let wanted = !self.mailboxes.is_empty() || !self.questions.is_empty();
        match self.link {
            Link::Down { retry } if wanted && retry <= now => {
                let stream = StreamId(self.next_stream);
                self.next_stream = self.next_stream.saturating_add(1);
                self.link = Link::Opening;
                self.output.push_back(Output::OpenStream {
                    stream,
                    endpoint: endpoint(),
                });
            }
            Link::Up(_) => self.ask_what_is_due(now),
            Link::Down { .. } | Link::Opening => {}
        }
    }

    fn ask_what_is_due(&mut self, now: Moment) {
        let due: Vec<About> = self
            .questions
            .iter()
            .filter(|(_, question)| question.ask_at <= now)
            .map(|(about, _)| *about)
            .collect();
        for about in due {
            let Some(mut question) = self.questions.remove(&about) else {
                continue;
            };
            if question.tries >= TRIES && !matches!(about, About::Mailbox(_)) {
                self.give_up(about);
                continue;
            }
            question.tries = question.tries.saturating_add(1);
            question.ask_at = now + PATIENCE;
            self.say(&question.request);
            if let (Mutant::AcceptsEarly, About::Send(send)) = (self.mutant, about) {
                self.tell(NetworkEvent::Accepted { send });
                continue;
            }
            // A deletion is said once: nobody waits for its answer.
            if !matches!(question.request, Request::Close { .. }) {
                self.questions.insert(about, question);
            }
        }
    }

    fn give_up(&mut self, about: About) {
        match about {
            About::Send(send) => {
                self.tell(NetworkEvent::Failed {
                    send,
                    reason: SendFailure::Unreachable,
                });
            }
            About::Fetch(fetch) => {
                let reason = FetchFailure::Unreachable;
                self.tell(NetworkEvent::FetchFailed { fetch, reason });
            }
            About::Mailbox(_) => {}
        }
    }

    fn link_lost(&mut self, now: Moment, store: &ToyStore) {
        self.link = Link::Down {
            retry: now + self.wait,
        };
        self.wait = self.wait.saturating_mul(2).min(LONGEST_WAIT);
        self.buffer = Buffer::default();
        self.receipts.clear();
        // Listening ended with the connection: ask for every mailbox anew.
        for (mailbox, (queue, card)) in &store.mailboxes {
            if self.mailboxes.contains_key(queue) {
                let request = Request::Open {
                    queue: *queue,
                    card: card.clone(),
                };
                self.ask(About::Mailbox(*mailbox), request);
            }
        }
        let mut lost = Vec::new();
        for (about, question) in &mut self.questions {
            question.ask_at = Moment::default();
            question.tries = question.tries.saturating_add(1);
            if question.tries >= TRIES && !matches!(about, About::Mailbox(_)) {
                lost.push(*about);
            }
        }
        for about in lost {
            self.questions.remove(&about);
            self.give_up(about);
        }
    }
}

impl Machine for ToyClient {
    type Command = NetworkCommand;
    type Event = NetworkEvent;
    type Storage = ToyStore;

    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut ToyStore,
        input: Input<NetworkCommand>,
    ) -> Result<(), StorageError> {
        match input {
            Input::Command(command) => self.command(cx, storage, command),
            Input::StreamOpened { stream, .. } => {
                self.link = Link::Up(stream);
                self.wait = SHORTEST_WAIT;
            }
            Input::StreamReceived { bytes, .. } => {
                self.buffer.push(&bytes);
                while let Some(answer) = self.buffer.next() {
                    self.answered(answer);
                }
            }
            Input::StreamClosed { .. } => self.link_lost(cx.now(), storage),
            Input::Timeout => {}
        }
        self.run(cx.now());
        Ok(())
    }

    fn poll_output(&mut self) -> Option<Output<NetworkEvent>> {
        self.output.pop_front()
    }

    fn poll_timeout(&self) -> Option<Moment> {
        let wanted = !self.mailboxes.is_empty() || !self.questions.is_empty();
        match self.link {
            Link::Down { retry } => wanted.then_some(retry),
            Link::Opening => None,
            Link::Up(_) => self
                .questions
                .values()
                .map(|question| question.ask_at)
                .min(),
        }
    }
}

fn wire_card(card: &Card, one_time: bool) -> WireCard {
    WireCard {
        secret: card.secret,
        fixed: card.fixed.clone(),
        bundle: card.bundle.clone(),
        one_time,
    }
}

/// Version 1, then the queue.
fn named(queue: QueueId) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(queue);
    bytes
}

fn queue_of(bytes: &[u8]) -> Option<QueueId> {
    match bytes.split_first() {
        Some((1, queue)) => queue.try_into().ok(),
        _ => None,
    }
}

fn endpoint() -> Endpoint {
    Endpoint {
        hosts: vec!["hub".to_owned()],
        port: 1,
        fingerprint: [0; 32],
        alpn: b"toy",
    }
}
