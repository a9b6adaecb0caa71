//! The servers of the village's network, and how each behaves.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::{
    Envelope, Locator, MailboxFailure, MailboxId, NetworkEvent, Purpose, ReceiptId, SendFailure,
};
use hushwing_sansio::Entropy;

use super::Home;
use super::loopback::Loopback;

/// How a server behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Conduct {
    /// As it should.
    #[default]
    Fair,
    /// It answers nobody.
    Dead,
    /// It takes nothing and says that it is full, or not who it was.
    Refusing(SendFailure),
    /// It accepts everything and delivers nothing.
    Dropping,
    /// It delivers everything so much later.
    Slow(Duration),
    /// It delivers everything it ever had with each new envelope.
    Replaying,
    /// It delivers the last first.
    Reordering,
}

/// What a mailbox holds that nobody reads.
const CAPACITY: usize = 128;

/// What is known of the servers.
pub(super) struct Servers {
    /// Who has no network.
    pub(super) offline: BTreeSet<Home>,
    /// How each behaves; mailboxes are made on those that are open.
    pub(super) conduct: Vec<Conduct>,
    pub(super) closed: Vec<bool>,
    /// Whether all refuse to make mailboxes.
    pub(super) makes_none: Option<MailboxFailure>,
    /// Mailboxes that were asked for while no server answered.
    pub(super) wanted: Vec<(Home, MailboxId, Purpose, Vec<MailboxId>)>,
    /// What slow servers hold back, and until when.
    pub(super) held: Vec<(Duration, Arrival)>,
    /// All that replaying servers had, by mailbox.
    pub(super) kept: BTreeMap<(Home, MailboxId), Vec<Envelope>>,
    pub(super) now: Duration,
    /// How many envelopes went to somebody by a server, once somebody counts.
    pub(super) carried: Option<BTreeMap<(Home, usize), u64>>,
}

/// An envelope on its way out of a mailbox.
pub(super) type Arrival = (Home, MailboxId, ReceiptId, Envelope);

impl Default for Servers {
    fn default() -> Self {
        Self {
            offline: BTreeSet::new(),
            conduct: vec![Conduct::Fair],
            closed: vec![false],
            makes_none: None,
            wanted: Vec::new(),
            held: Vec::new(),
            kept: BTreeMap::new(),
            now: Duration::ZERO,
            carried: None,
        }
    }
}

impl Servers {
    /// How a server behaves.
    pub(super) fn of(&self, server: usize) -> Conduct {
        self.conduct.get(server).copied().unwrap_or_default()
    }

    /// Where a new mailbox is made: on a server that answers, and none of
    /// `shared` as far as there is one.
    pub(super) fn choose(&self, shared: &[usize], entropy: &mut dyn Entropy) -> Option<usize> {
        let open = |server: &usize| self.closed.get(*server) == Some(&false);
        let all: Vec<usize> = (0..self.conduct.len()).filter(open).collect();
        let others: Vec<usize> = (all.iter().copied())
            .filter(|server| !shared.contains(server))
            .collect();
        let from = if others.is_empty() { all } else { others };
        let from: Vec<usize> = from
            .into_iter()
            .filter(|server| self.of(*server) != Conduct::Dead)
            .collect();
        match from.as_slice() {
            [] => None,
            [one] => Some(*one),
            several => {
                let mut byte = [0];
                entropy.fill(&mut byte);
                let [byte] = byte;
                let at = usize::from(byte).checked_rem(several.len())?;
                several.get(at).copied()
            }
        }
    }

    /// When something held back is due.
    pub(super) fn due(&self) -> Option<Duration> {
        self.held.iter().map(|(at, _)| *at).min()
    }
}

impl Loopback {
    /// So many servers from now on.
    pub(super) fn set_servers(&mut self, count: usize) {
        self.servers.conduct.resize(count, Conduct::Fair);
        self.servers.closed.resize(count, false);
    }

    /// Changes how a server behaves.
    pub(super) fn set_conduct(
        &mut self,
        server: usize,
        conduct: Conduct,
        entropy: &mut dyn Entropy,
    ) {
        if let Some(before) = self.servers.conduct.get_mut(server) {
            *before = conduct;
        }
        for (home, mailbox, purpose, apart) in core::mem::take(&mut self.servers.wanted) {
            self.open(home, mailbox, purpose, &apart, entropy);
        }
    }

    /// No mailbox is to lie on a server any more; their owners hear of it.
    pub(super) fn close_server(&mut self, server: usize) {
        if let Some(closed) = self.servers.closed.get_mut(server) {
            *closed = true;
        }
        let homes: Vec<Home> = self
            .mailboxes
            .values()
            .map(|mailbox| mailbox.owner)
            .collect();
        for home in homes {
            self.tell_displaced(home);
        }
    }

    pub(super) fn tell_displaced(&mut self, home: Home) {
        let theirs = self.mailboxes.values().filter(|mailbox| {
            mailbox.owner == home && self.servers.closed.get(mailbox.server) == Some(&true)
        });
        let mailboxes: Vec<MailboxId> = theirs.map(|mailbox| mailbox.id).collect();
        let event = NetworkEvent::Displaced { mailboxes };
        let told = |(whose, known): &(Home, NetworkEvent)| {
            *whose == home && matches!(known, NetworkEvent::Displaced { .. })
        };
        let empty = matches!(&event, NetworkEvent::Displaced { mailboxes } if mailboxes.is_empty());
        if !empty && !self.answers.iter().any(told) {
            self.answers.push_back((home, event));
        }
    }

    /// The servers on which somebody's mailboxes lie.
    pub(super) fn servers_of(&self, home: Home, among: Option<&[MailboxId]>) -> Vec<usize> {
        let theirs = self.mailboxes.values().filter(|mailbox| {
            mailbox.owner == home && among.is_none_or(|ids| ids.contains(&mailbox.id))
        });
        let mut servers: Vec<usize> = theirs.map(|mailbox| mailbox.server).collect();
        servers.sort_unstable();
        servers
    }

    /// The server of a mailbox.
    pub(super) fn server_of(&self, home: Home, mailbox: MailboxId) -> Option<usize> {
        let mut all = self.mailboxes.values();
        let found = all.find(|known| (known.owner, known.id) == (home, mailbox));
        found.map(|mailbox| mailbox.server)
    }

    /// Why a server does not take an envelope, if it does not.
    pub(super) fn refusal_at(&self, locator: &Locator) -> Option<SendFailure> {
        let mailbox = self.mailboxes.get(&locator.0)?;
        let at = (mailbox.owner, mailbox.id);
        let waiting = self.arrivals.iter();
        let waiting = waiting.filter(|(home, mailbox, ..)| (*home, *mailbox) == at);
        if self.servers.offline.contains(&at.0) && waiting.count() >= CAPACITY {
            return Some(SendFailure::Full);
        }
        match self.servers.of(mailbox.server) {
            Conduct::Dead => Some(SendFailure::Unreachable),
            Conduct::Refusing(reason) => Some(reason),
            _ => None,
        }
    }

    /// Puts an envelope on its way out of a mailbox, as its server does.
    pub(super) fn deliver(&mut self, arrival: Arrival) {
        let (home, mailbox, _, envelope) = &arrival;
        let key = (*home, *mailbox);
        let server = self.server_of(*home, *mailbox).unwrap_or_default();
        match self.servers.of(server) {
            Conduct::Dropping => {}
            Conduct::Slow(by) => self.servers.held.push((self.servers.now + by, arrival)),
            Conduct::Reordering => self.arrivals.push_front(arrival),
            Conduct::Replaying => {
                let kept = self.servers.kept.entry(key).or_default();
                kept.push(envelope.clone());
                for envelope in kept.clone() {
                    let receipt = self.receipt();
                    self.arrivals.push_back((key.0, key.1, receipt, envelope));
                }
            }
            Conduct::Fair | Conduct::Dead | Conduct::Refusing(_) => {
                self.arrivals.push_back(arrival);
            }
        }
    }

    /// Lets out what slow servers held long enough.
    pub(super) fn release(&mut self, now: Duration) {
        self.servers.now = now;
        let held = core::mem::take(&mut self.servers.held);
        let (due, held): (Vec<_>, Vec<_>) = held.into_iter().partition(|(at, _)| *at <= now);
        self.servers.held = held;
        self.arrivals
            .extend(due.into_iter().map(|(_, arrival)| arrival));
    }

    /// The next envelope that comes out of a mailbox whose server answers.
    pub(super) fn next_arrival(&mut self) -> Option<Arrival> {
        let answers = |(home, mailbox, ..): &Arrival| {
            let server = self.server_of(*home, *mailbox);
            let answers = server.is_none_or(|server| self.servers.of(server) != Conduct::Dead);
            answers && !self.servers.offline.contains(home)
        };
        let at = self.arrivals.iter().position(answers)?;
        self.arrivals.remove(at)
    }
}

impl Loopback {
    /// Forgets mailboxes of somebody but those on some servers, and tells.
    pub(super) fn lose_all_but(&mut self, home: Home, servers: &[usize]) {
        let lost = &mut self.lost;
        self.mailboxes.retain(|_, mailbox| {
            let keep = mailbox.owner != home || servers.contains(&mailbox.server);
            if !keep {
                lost.insert((home, mailbox.id));
            }
            keep
        });
    }
}
