//! A network that is a map.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hushwing_delivery::{
    Card, Envelope, FetchFailure, FetchId, Locator, MailboxFailure, MailboxId, NetworkCommand,
    NetworkEvent, Place, Purpose, ReceiptId, SendFailure, SendId, Stage,
};
use hushwing_sansio::Entropy;

use super::Home;
use super::partition::Partition;
use super::servers::{Arrival, Servers};

/// What the network does to envelopes, each in so many of 256 cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    /// Refused for now, to be sent again.
    pub loss: u8,
    /// Told twice.
    pub repeat: u8,
    /// Told after later ones.
    pub reorder: u8,
}

/// Mailboxes and what moves between them.
#[derive(Default)]
pub(super) struct Loopback {
    pub(super) weather: Weather,
    pub(super) servers: Servers,
    pub(super) partition: Partition,
    pub(super) mailboxes: BTreeMap<Vec<u8>, Mailbox>,
    pub(super) answers: VecDeque<(Home, NetworkEvent)>,
    pub(super) arrivals: VecDeque<Arrival>,
    unacknowledged: BTreeMap<(Home, ReceiptId), (MailboxId, Envelope)>,
    next_receipt: u64,
    /// Mailboxes that were lost and are not closed yet.
    pub(super) lost: BTreeSet<(Home, MailboxId)>,
    /// Mailboxes whose server is down for good.
    down: BTreeSet<Vec<u8>>,
    /// Envelopes of these people to others are accepted and lost, so many.
    pub(super) swallow: BTreeMap<Home, u32>,
    /// Envelopes of one to another are accepted and lost.
    pub(super) withheld: BTreeSet<(Home, Home)>,
    /// What is sent to mailboxes that are gone is refused, and not lost.
    pub(super) refuses_gone: bool,
    /// Whether it tells that envelopes left.
    pub(super) tells_progress: bool,
    /// Bytes that every place ends with.
    pub(super) place_end: Vec<u8>,
    /// What was sent, if somebody listens.
    pub(super) overheard: Option<Vec<(Locator, Envelope)>>,
}

pub(super) struct Mailbox {
    pub(super) owner: Home,
    pub(super) id: MailboxId,
    pub(super) server: usize,
    card: Option<Card>,
    one_time: bool,
    taken_by: Option<Home>,
    /// Whether the first writer keeps all others out, and who that was.
    lockable: bool,
    locked_by: Option<Home>,
}

impl Loopback {
    /// The next thing to tell somebody.
    pub(super) fn step(&mut self, entropy: &mut dyn Entropy) -> Option<(Home, NetworkEvent)> {
        if let Some(answer) = self.answers.pop_front() {
            return Some(answer);
        }
        let late = self.arrivals.len() > 1 && happens(self.weather.reorder, entropy);
        if late && let Some(arrival) = self.arrivals.pop_front() {
            self.arrivals.push_back(arrival);
        }
        let (home, mailbox, receipt, envelope) = self.next_arrival()?;
        if happens(self.weather.repeat, entropy) {
            self.arrivals
                .push_back((home, mailbox, receipt, envelope.clone()));
        }
        self.unacknowledged
            .insert((home, receipt), (mailbox, envelope.clone()));
        Some((
            home,
            NetworkEvent::Received {
                mailbox,
                receipt,
                envelope,
            },
        ))
    }

    /// Somebody came back: what they did not acknowledge is told again.
    pub(super) fn reconnect(&mut self, home: Home) {
        self.answers.retain(|(whose, _)| *whose != home);
        let (theirs, others) = core::mem::take(&mut self.unacknowledged)
            .into_iter()
            .partition(|((h, _), _)| *h == home);
        self.unacknowledged = others;
        let theirs: BTreeMap<(Home, ReceiptId), (MailboxId, Envelope)> = theirs;
        for ((_, receipt), (mailbox, envelope)) in theirs {
            self.arrivals.push_back((home, mailbox, receipt, envelope));
        }
        self.tell_losses(home);
        self.tell_displaced(home);
    }

    /// Forgets all mailboxes of somebody with what is in them; they hear of it
    /// now or when they come back.
    pub(super) fn lose_mailboxes(&mut self, home: Home, tell: bool) {
        let lost = &mut self.lost;
        self.mailboxes.retain(|_, mailbox| {
            let theirs = mailbox.owner == home;
            if theirs {
                lost.insert((home, mailbox.id));
            }
            !theirs
        });
        self.arrivals.retain(|(whose, ..)| *whose != home);
        if tell {
            self.tell_losses(home);
        }
    }

    /// Somebody has no keys any more to any mailbox but some: what comes to the
    /// others stays there.
    pub(super) fn forget_keys_but(&mut self, home: Home, known: &[MailboxId]) {
        let of_before = u64::MAX / 2;
        for mailbox in self.mailboxes.values_mut() {
            if mailbox.owner == home && !known.contains(&mailbox.id) && mailbox.id.0 < of_before {
                mailbox.id.0 += of_before;
            }
        }
        self.arrivals
            .retain(|(whose, mailbox, ..)| *whose != home || known.contains(mailbox));
        let unknown = |(whose, _): &(Home, ReceiptId), (mailbox, _): &mut (MailboxId, Envelope)| {
            *whose != home || known.contains(mailbox)
        };
        self.unacknowledged.retain(unknown);
        self.answers.retain(|(whose, _)| *whose != home);
    }

    /// Lets nothing come to the mailboxes that somebody has now.
    pub(super) fn cut_off(&mut self, home: Home) {
        let all = self.mailboxes.iter();
        let theirs = all.filter(|(_, mailbox)| mailbox.owner == home);
        self.down.extend(theirs.map(|(locator, _)| locator.clone()));
    }

    /// Lost mailboxes of somebody that they have not closed yet.
    pub(super) fn losses(&self, home: Home) -> usize {
        self.lost.iter().filter(|(whose, _)| *whose == home).count()
    }

    fn tell_losses(&mut self, home: Home) {
        let reason = MailboxFailure::Gone;
        let theirs = self.lost.iter().filter(|(whose, _)| *whose == home);
        self.answers.extend(
            theirs.map(|&(_, mailbox)| (home, NetworkEvent::MailboxFailed { mailbox, reason })),
        );
    }

    /// Does what somebody asks.
    pub(super) fn command(
        &mut self,
        home: Home,
        command: NetworkCommand,
        entropy: &mut dyn Entropy,
    ) {
        match command {
            NetworkCommand::OpenMailbox {
                mailbox,
                purpose,
                apart,
            } => {
                self.open(home, mailbox, purpose, &apart, entropy);
            }
            NetworkCommand::ReplaceBundle { mailbox, card } => {
                self.set_card(home, mailbox, Some(card));
                self.answers
                    .push_back((home, NetworkEvent::BundleReplaced { mailbox }));
            }
            NetworkCommand::WithdrawCard { mailbox } => self.set_card(home, mailbox, None),
            NetworkCommand::CloseMailbox { mailbox } => {
                self.lost.remove(&(home, mailbox));
                self.servers
                    .wanted
                    .retain(|(whose, id, ..)| (*whose, *id) != (home, mailbox));
                self.mailboxes
                    .retain(|_, box_| (box_.owner, box_.id) != (home, mailbox));
            }
            NetworkCommand::Fetch {
                fetch,
                place,
                secret,
                ..
            } => {
                let event = self.fetch(home, fetch, &place, &secret);
                self.answers.push_back((home, event));
            }
            NetworkCommand::Send {
                send,
                locator,
                envelope,
            } => {
                let stage = Stage::Sent;
                let left = self
                    .tells_progress
                    .then_some(NetworkEvent::Progress { send, stage });
                self.answers.extend(left.map(|left| (home, left)));
                let event = self.send(home, send, &locator, envelope, entropy);
                self.answers.push_back((home, event));
            }
            NetworkCommand::Cancel { .. } => {}
            NetworkCommand::Acknowledge { receipt } => {
                self.unacknowledged.remove(&(home, receipt));
            }
        }
    }

    pub(super) fn open(
        &mut self,
        home: Home,
        id: MailboxId,
        purpose: Purpose,
        apart: &[MailboxId],
        entropy: &mut dyn Entropy,
    ) {
        let known = self
            .mailboxes
            .iter()
            .find(|(_, m)| (m.owner, m.id) == (home, id));
        let (locator, server) = match known {
            Some((locator, mailbox)) => (locator.clone(), mailbox.server),
            None if let Some(reason) = self.servers.makes_none => {
                let refused = NetworkEvent::MailboxFailed {
                    mailbox: id,
                    reason,
                };
                self.answers.push_back((home, refused));
                return;
            }
            None => {
                let shared = self.servers_of(home, Some(apart));
                let Some(server) = self.servers.choose(&shared, entropy) else {
                    let wanted = &mut self.servers.wanted;
                    wanted.retain(|(whose, known, ..)| (*whose, *known) != (home, id));
                    wanted.push((home, id, purpose, apart.to_vec()));
                    return;
                };
                let mut locator = vec![0; 16];
                entropy.fill(&mut locator);
                (locator, server)
            }
        };
        let lockable = purpose == Purpose::Conversation;
        let (card, one_time) = match purpose {
            Purpose::Conversation | Purpose::Shared => (None, false),
            Purpose::OneTimeInvitation(card) => (Some(card), true),
            Purpose::ReusableInvitation(card) => (Some(card), false),
        };
        let place = card
            .is_some()
            .then(|| Place([locator.as_slice(), &self.place_end].concat()));
        let mailbox = Mailbox {
            owner: home,
            id,
            server,
            card,
            one_time,
            taken_by: None,
            lockable,
            locked_by: None,
        };
        self.mailboxes.entry(locator.clone()).or_insert(mailbox);
        let locator = Locator(locator);
        self.answers.push_back((
            home,
            NetworkEvent::MailboxOpened {
                mailbox: id,
                locator,
                place,
            },
        ));
    }

    /// Puts a card where whoever knows the place can read it. Nobody of the
    /// village owns the mailbox beside it.
    pub(super) fn publish(&mut self, place: Place, card: Card, one_time: bool) {
        let mailbox = Mailbox {
            owner: Home(usize::MAX),
            id: MailboxId(0),
            server: 0,
            card: Some(card),
            one_time,
            taken_by: None,
            lockable: false,
            locked_by: None,
        };
        self.mailboxes.insert(place.0, mailbox);
    }

    /// The card that lies at a place.
    pub(super) fn card(&self, place: &Place) -> Option<&Card> {
        self.mailboxes.get(&place.0)?.card.as_ref()
    }

    fn set_card(&mut self, home: Home, id: MailboxId, card: Option<Card>) {
        for mailbox in self.mailboxes.values_mut() {
            if (mailbox.owner, mailbox.id) == (home, id) {
                mailbox.card.clone_from(&card);
            }
        }
    }

    fn fetch(
        &mut self,
        home: Home,
        fetch: FetchId,
        place: &Place,
        secret: &[u8; 32],
    ) -> NetworkEvent {
        let failed = |reason| NetworkEvent::FetchFailed { fetch, reason };
        let Some(mailbox) = self.mailboxes.get_mut(&place.0) else {
            return failed(FetchFailure::UsedOrGone);
        };
        let taken = mailbox.one_time && mailbox.taken_by.is_some_and(|by| by != home);
        let Some(card) = mailbox.card.as_ref().filter(|_| !taken) else {
            return failed(FetchFailure::UsedOrGone);
        };
        if card.secret != *secret {
            return failed(FetchFailure::Forged);
        }
        mailbox.taken_by = Some(home);
        NetworkEvent::Fetched {
            fetch,
            fixed: card.fixed.clone(),
            bundle: card.bundle.clone(),
            locator: Locator(place.0.clone()),
        }
    }

    fn send(
        &mut self,
        home: Home,
        send: SendId,
        locator: &Locator,
        envelope: Envelope,
        entropy: &mut dyn Entropy,
    ) -> NetworkEvent {
        if self.down.contains(&locator.0) || self.servers.offline.contains(&home) {
            return NetworkEvent::Failed {
                send,
                reason: SendFailure::Unreachable,
            };
        }
        if !self.mailboxes.contains_key(&locator.0) {
            return NetworkEvent::Failed {
                send,
                reason: SendFailure::Gone,
            };
        }
        if let Some(reason) = self.refusal_at(locator) {
            return NetworkEvent::Failed { send, reason };
        }
        if happens(self.weather.loss, entropy) {
            return NetworkEvent::Failed {
                send,
                reason: SendFailure::Unreachable,
            };
        }
        if let Some(mailbox) = self.mailboxes.get_mut(&locator.0)
            && mailbox.lockable
            && *mailbox.locked_by.get_or_insert(home) != home
        {
            return NetworkEvent::Failed {
                send,
                reason: SendFailure::Gone,
            };
        }
        if self.refuses_gone && !self.mailboxes.contains_key(&locator.0) {
            return NetworkEvent::Failed {
                send,
                reason: SendFailure::Gone,
            };
        }
        let owner = self.mailboxes.get(&locator.0).map(|mailbox| mailbox.owner);
        if owner.is_some_and(|owner| self.withheld.contains(&(home, owner))) {
            return NetworkEvent::Accepted { send };
        }
        let lost = self.swallow.get_mut(&home).filter(|left| **left > 0);
        if let Some(left) = lost.filter(|_| owner != Some(home)) {
            *left -= 1;
            return NetworkEvent::Accepted { send };
        }
        if let Some(overheard) = &mut self.overheard {
            overheard.push((locator.clone(), envelope.clone()));
        }
        if let Some(arrival) = self.put(locator, envelope) {
            let across = self.partition.hold(home, arrival);
            across.into_iter().for_each(|one| self.deliver(one));
        }
        NetworkEvent::Accepted { send }
    }

    /// Puts an envelope into a mailbox, whoever it is from.
    pub(super) fn slip_in(&mut self, locator: &Locator, envelope: Envelope) {
        let arrival = self.put(locator, envelope);
        arrival.into_iter().for_each(|one| self.deliver(one));
    }

    fn put(&mut self, locator: &Locator, envelope: Envelope) -> Option<Arrival> {
        let mailbox = self.mailboxes.get(&locator.0)?;
        let (owner, id) = (mailbox.owner, mailbox.id);
        if let Some(carried) = &mut self.servers.carried {
            *carried.entry((owner, mailbox.server)).or_default() += 1;
        }
        let receipt = self.receipt();
        Some((owner, id, receipt, envelope))
    }

    pub(super) fn receipt(&mut self) -> ReceiptId {
        self.next_receipt += 1;
        ReceiptId(self.next_receipt)
    }
}

fn happens(in_256: u8, entropy: &mut dyn Entropy) -> bool {
    if in_256 == 0 {
        return false;
    }
    let mut byte = [0];
    entropy.fill(&mut byte);
    let [byte] = byte;
    byte < in_256
}
