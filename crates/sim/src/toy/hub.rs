//! The hub: stores envelopes, hands them out until acknowledged.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hushwing_sansio::{Channel, Context, Endpoint, Moment};

use super::Mutant;
use super::wire::{Answer, Buffer, QueueId, Request, Sealed, WireCard, encode};
use crate::room::{ConnId, Server, ServerOutput};
use crate::{Dice, Netem};

/// Envelopes a queue holds, few so that suites meet the bound.
const QUOTA: usize = 16;
/// How long mail may be held up by reordering.
const HELD_UP: Duration = Duration::from_secs(2);

#[derive(Default)]
struct Queue {
    card: Option<WireCard>,
    reader: Option<[u8; 16]>,
    mail: BTreeMap<u64, Sealed>,
}

/// The toy network's server.
pub struct Hub {
    dice: Dice,
    netem: Netem,
    mutant: Mutant,
    queues: BTreeMap<QueueId, Queue>,
    closed: BTreeSet<QueueId>,
    next_mail: u64,
    /// Lost in a crash: who is connected, who listens, what is held up.
    conns: BTreeMap<ConnId, Buffer>,
    listeners: BTreeMap<QueueId, ConnId>,
    held_up: BTreeMap<(Moment, u64), (QueueId, u64)>,
    held_next: u64,
    output: VecDeque<ServerOutput>,
}

impl Hub {
    pub(super) fn new(dice: Dice, netem: Netem, mutant: Mutant) -> Self {
        Self {
            dice,
            netem,
            mutant,
            queues: BTreeMap::new(),
            closed: BTreeSet::new(),
            next_mail: 0,
            conns: BTreeMap::new(),
            listeners: BTreeMap::new(),
            held_up: BTreeMap::new(),
            held_next: 0,
            output: VecDeque::new(),
        }
    }

    /// Envelopes held for all queues.
    #[must_use]
    pub fn held(&self) -> usize {
        self.queues.values().map(|queue| queue.mail.len()).sum()
    }

    fn answer(&mut self, conn: ConnId, answer: &Answer) {
        self.output
            .push_back(ServerOutput::Send(conn, encode(answer)));
    }

    fn handle(&mut self, now: Moment, conn: ConnId, request: Request) {
        if self.dice.chance(self.netem.loss) {
            return;
        }
        match request {
            Request::Open { queue, card } => self.open(now, conn, queue, card),
            Request::Close { queue } => {
                self.queues.remove(&queue);
                self.listeners.remove(&queue);
                self.closed.insert(queue);
            }
            Request::Put {
                number,
                queue,
                sealed,
            } => {
                self.put(now, conn, number, queue, sealed);
            }
            Request::Ack { queue, mail } => {
                if let Some(queue) = self.queues.get_mut(&queue) {
                    queue.mail.remove(&mail);
                }
            }
            Request::Fetch {
                number,
                queue,
                reader,
            } => {
                let card = self.card(queue, reader);
                let answer = card.map_or(Answer::NoCard { number }, |card| Answer::Card {
                    number,
                    card,
                });
                self.answer(conn, &answer);
            }
        }
    }

    fn open(&mut self, now: Moment, conn: ConnId, id: QueueId, card: Option<WireCard>) {
        if self.closed.contains(&id) {
            return self.answer(conn, &Answer::Gone { queue: id });
        }
        let queue = self.queues.entry(id).or_default();
        queue.card = card;
        let waiting: Vec<u64> = queue.mail.keys().copied().collect();
        self.answer(conn, &Answer::Opened { queue: id });
        if self.listeners.insert(id, conn) != Some(conn) {
            for mail in waiting {
                self.hand_out(now, id, mail);
            }
        }
    }

    fn put(&mut self, now: Moment, conn: ConnId, number: u64, id: QueueId, sealed: Sealed) {
        let Some(queue) = self.queues.get_mut(&id) else {
            return self.answer(
                conn,
                &Answer::Refused {
                    number,
                    full: false,
                },
            );
        };
        if queue.mail.len() >= QUOTA {
            let answer = match self.mutant {
                Mutant::DropsWhenFull => Answer::Taken { number },
                _ => Answer::Refused { number, full: true },
            };
            return self.answer(conn, &answer);
        }
        let mail = self.next_mail;
        self.next_mail = mail.saturating_add(1);
        queue.mail.insert(mail, sealed);
        self.answer(conn, &Answer::Taken { number });
        self.hand_out(now, id, mail);
    }

    /// Hands mail out at once, or later, or twice.
    fn hand_out(&mut self, now: Moment, queue: QueueId, mail: u64) {
        let copies = if self.dice.chance(self.netem.duplication) {
            2
        } else {
            1
        };
        for _ in 0..copies {
            if self.dice.chance(self.netem.reordering) {
                let at = now + self.dice.between(Duration::ZERO, HELD_UP);
                self.held_next = self.held_next.saturating_add(1);
                self.held_up.insert((at, self.held_next), (queue, mail));
            } else {
                self.hand_out_now(queue, mail);
            }
        }
    }

    fn hand_out_now(&mut self, queue: QueueId, mail: u64) {
        let sealed = self
            .queues
            .get(&queue)
            .and_then(|queue| queue.mail.get(&mail))
            .cloned();
        if let (Some(conn), Some(sealed)) = (self.listeners.get(&queue).copied(), sealed) {
            self.answer(
                conn,
                &Answer::Mail {
                    queue,
                    mail,
                    sealed,
                },
            );
        }
    }

    fn card(&mut self, queue: QueueId, reader: [u8; 16]) -> Option<WireCard> {
        let queue = self.queues.get_mut(&queue)?;
        let card = queue.card.clone()?;
        if card.one_time && self.mutant != Mutant::OneTimeForAll {
            let first = queue.reader.get_or_insert(reader);
            return (*first == reader).then_some(card);
        }
        Some(card)
    }
}

impl Server for Hub {
    fn chain(&self, _: &Endpoint) -> Option<Vec<Vec<u8>>> {
        Some(Vec::new())
    }

    fn opened(&mut self, _: &mut Context<'_>, conn: ConnId, _: Channel) {
        self.conns.insert(conn, Buffer::default());
    }

    fn received(&mut self, cx: &mut Context<'_>, conn: ConnId, bytes: Vec<u8>) {
        let Some(mut buffer) = self.conns.remove(&conn) else {
            return;
        };
        buffer.push(&bytes);
        while let Some(request) = buffer.next() {
            self.handle(cx.now(), conn, request);
        }
        self.conns.insert(conn, buffer);
    }

    fn closed(&mut self, _: &mut Context<'_>, conn: ConnId) {
        self.conns.remove(&conn);
        self.listeners.retain(|_, listener| *listener != conn);
    }

    fn timeout(&mut self, cx: &mut Context<'_>) {
        while let Some(entry) = self.held_up.first_entry() {
            if entry.key().0 > cx.now() {
                break;
            }
            let (queue, mail) = entry.remove();
            self.hand_out_now(queue, mail);
        }
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.held_up.first_key_value().map(|((at, _), _)| *at)
    }

    fn poll_output(&mut self) -> Option<ServerOutput> {
        self.output.pop_front()
    }

    fn crash(&mut self) {
        self.conns.clear();
        self.listeners.clear();
        self.held_up.clear();
        self.output.clear();
        if self.mutant == Mutant::HubForgets {
            for queue in self.queues.values_mut() {
                queue.mail.clear();
            }
        }
    }
}
