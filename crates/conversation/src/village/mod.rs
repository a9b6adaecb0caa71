//! A few people in one memory, for tests.
//!
//! [`Village`] is what a driver is to one [`Messenger`], for several, over a
//! network that is a map: it keeps the driving law (transaction, commit,
//! outputs), time passes when told, and people can be made to crash between
//! any two steps.

mod elsewhere;
mod loopback;
mod partition;
mod servers;

use core::time::Duration;
use std::collections::VecDeque;

use hushwing_delivery::{Card, Envelope, Locator, MailboxFailure, MailboxId, NetworkTag, Place};
use hushwing_sansio::{
    Context, Entropy, Input, Machine as _, Moment, Output, StorageError, Timestamp,
};

use loopback::Loopback;
pub use loopback::Weather;
pub use partition::Step;
pub use servers::Conduct;

use crate::{
    Command, Config, Event, Incoming, MemoryStorage, Messenger, Outgoing, Refusal, Reply,
    Storage as _, Ticket,
};

/// When everything begins: 2026-01-01.
const START: u64 = 1_767_225_600;
/// Steps after which a village that does not come to rest is broken.
const MOST_STEPS: u64 = 5_000_000;

/// Somebody's place in the village.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home(pub usize);

/// Where a crash strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Before the commit: storage is rolled back.
    BeforeCommit,
    /// After the commit: outputs are lost.
    AfterCommit,
}

/// One inhabitant.
struct Person {
    config: Config,
    storage: MemoryStorage,
    messenger: Messenger,
    events: VecDeque<Event>,
    /// Calls until a crash.
    crash: Option<(u64, Crash)>,
    /// Storage after each call, once somebody asked for it.
    copies: Option<Vec<MemoryStorage>>,
    calls: u64,
    next_ticket: u64,
    asleep: bool,
    /// When the machine wants to be called next, as it said after the last call.
    timer: Option<Moment>,
}

impl Person {
    /// With a program that begins on this storage.
    fn new(config: Config, mut storage: MemoryStorage) -> Result<Self, StorageError> {
        let messenger = Messenger::open(&mut storage, config.clone())?;
        Ok(Self {
            timer: messenger.poll_timeout(),
            config,
            storage,
            messenger,
            events: VecDeque::new(),
            crash: None,
            copies: None,
            calls: 0,
            next_ticket: 0,
            asleep: false,
        })
    }
}

/// People, a network between them, and one clock.
pub struct Village {
    people: Vec<Person>,
    network: Loopback,
    entropy: Box<dyn Entropy>,
    clock: Duration,
    /// How far the wall clocks are ahead.
    ahead: Duration,
}

impl Village {
    /// An empty village in fair weather.
    #[must_use]
    pub fn new(entropy: Box<dyn Entropy>) -> Self {
        Self {
            people: Vec::new(),
            network: Loopback::default(),
            entropy,
            clock: Duration::ZERO,
            ahead: Duration::ZERO,
        }
    }

    /// Changes what the network does to envelopes.
    pub fn set_weather(&mut self, weather: Weather) {
        self.network.weather = weather;
    }

    /// Somebody moves in.
    ///
    /// # Errors
    ///
    /// Never with storage in memory.
    pub fn move_in(&mut self, name: &str, receipt_delay: Duration) -> Result<Home, StorageError> {
        self.move_in_as(Config {
            name: name.to_owned(),
            receipt_delay: (receipt_delay, receipt_delay),
            // Who wants that mailboxes change says so.
            rotates: false,
            ..Config::default()
        })
    }

    /// Somebody moves in who chose more than their name.
    ///
    /// # Errors
    ///
    /// Never with storage in memory.
    pub fn move_in_as(&mut self, config: Config) -> Result<Home, StorageError> {
        let config = Config {
            network: NetworkTag::TOY,
            ..config
        };
        self.people.push(Person::new(config, MemoryStorage::new())?);
        Ok(Home(self.people.len() - 1))
    }

    /// Loses the next `count` envelopes of somebody to others after accepting them.
    pub fn swallow(&mut self, home: Home, count: u32) {
        self.network.swallow.insert(home, count);
    }

    /// Loses all envelopes of somebody to some others, after accepting them.
    pub fn withhold(&mut self, home: Home, from: &[Home]) {
        let withheld = from.iter().map(|other| (home, *other));
        self.network.withheld.extend(withheld);
    }

    /// From now on servers refuse what is sent to mailboxes that are gone.
    pub fn refuse_what_is_gone(&mut self) {
        self.network.refuses_gone = true;
    }

    /// Loses all mailboxes of somebody, who hears of it at once or when they
    /// are opened again.
    pub fn lose_mailboxes(&mut self, home: Home, tell: bool) {
        self.network.lose_mailboxes(home, tell);
    }

    /// The servers of somebody's mailboxes are down for good: who writes there
    /// waits.
    pub fn cut_off(&mut self, home: Home) {
        self.network.cut_off(home);
    }

    /// Somebody has no network from now on, or has one again. What is sent to them
    /// waits in their mailboxes, which hold so many.
    pub fn set_offline(&mut self, home: Home, offline: bool) {
        match offline {
            true => self.network.servers.offline.insert(home),
            false => self.network.servers.offline.remove(&home),
        };
    }

    /// Somebody's machine stands still from now on, without a network, or goes on.
    pub fn set_asleep(&mut self, home: Home, asleep: bool) {
        self.set_offline(home, asleep);
        if let Some(person) = self.people.get_mut(home.0) {
            person.asleep = asleep;
        }
    }

    /// How many envelopes wait for somebody who has no network.
    #[must_use]
    pub fn waiting_for(&self, home: Home) -> usize {
        let arrivals = self.network.arrivals.iter();
        arrivals.filter(|(whose, ..)| *whose == home).count()
    }

    /// The network has so many servers from now on; at first it has one.
    pub fn set_servers(&mut self, count: usize) {
        self.network.set_servers(count);
    }

    /// Changes how a server behaves.
    pub fn set_conduct(&mut self, server: usize, conduct: Conduct) {
        self.network
            .set_conduct(server, conduct, self.entropy.as_mut());
    }

    /// From now on no server makes mailboxes, or all do again.
    pub fn refuse_mailboxes(&mut self, refuse: bool) {
        self.network.servers.makes_none = refuse.then_some(MailboxFailure::Refused);
    }

    /// From now on mailboxes are lost while they are made, or are made again.
    pub fn lose_new_mailboxes(&mut self, lose: bool) {
        self.network.servers.makes_none = lose.then_some(MailboxFailure::Gone);
    }

    /// No mailbox is to lie on a server any more, by the choice of all.
    pub fn close_server(&mut self, server: usize) {
        self.network.close_server(server);
    }

    /// On which servers the mailboxes of somebody lie, in ascending order.
    #[must_use]
    pub fn servers_of(&self, home: Home) -> Vec<usize> {
        self.network.servers_of(home, None)
    }

    /// Forgets the mailboxes of somebody but those on some servers; they hear
    /// of it when they are opened again.
    pub fn lose_mailboxes_but(&mut self, home: Home, servers: &[usize]) {
        self.network.lose_all_but(home, servers);
    }

    /// Counts from now on what each server carries.
    pub fn watch_servers(&mut self) {
        self.network.servers.carried = Some(std::collections::BTreeMap::new());
    }

    /// How many envelopes went to somebody by a server since then.
    #[must_use]
    pub fn carried(&self, home: Home, server: usize) -> u64 {
        let carried = self.network.servers.carried.as_ref();
        let count = carried.and_then(|carried| carried.get(&(home, server)));
        count.copied().unwrap_or(0)
    }

    /// On which server a mailbox of somebody lies.
    #[must_use]
    pub fn server_of(&self, home: Home, mailbox: MailboxId) -> Option<usize> {
        self.network.server_of(home, mailbox)
    }

    /// Changes what somebody chose, and opens their program again.
    ///
    /// # Errors
    ///
    /// When storage holds what the machine cannot read, which is a bug.
    pub fn choose(
        &mut self,
        home: Home,
        change: impl FnOnce(&mut Config),
    ) -> Result<(), StorageError> {
        if let Some(person) = self.people.get_mut(home.0) {
            change(&mut person.config);
        }
        self.open_again(home)
    }

    /// Has the network tell from now on that envelopes leave.
    pub fn tell_progress(&mut self) {
        self.network.tells_progress = true;
    }

    /// Makes the places of new cards so much longer; nobody finds them there.
    pub fn lengthen_places(&mut self, bytes: usize) {
        self.network.place_end = vec![0; bytes];
    }

    /// Sets all wall clocks so far ahead of what they ought to show.
    pub fn set_clocks_ahead(&mut self, ahead: Duration) {
        self.ahead = ahead;
    }

    /// Lost mailboxes of somebody that they have not closed yet.
    #[must_use]
    pub fn losses(&self, home: Home) -> usize {
        self.network.losses(home)
    }

    /// What was sent since the last look; the first look begins listening.
    pub fn overhear(&mut self) -> Vec<(Locator, Envelope)> {
        self.network
            .overheard
            .replace(Vec::new())
            .unwrap_or_default()
    }

    /// Puts an envelope into a mailbox, as anybody who knows the locator may.
    pub fn slip_in(&mut self, locator: &Locator, envelope: Envelope) {
        self.network.slip_in(locator, envelope);
    }

    /// Puts a card at a place, as somebody from elsewhere may. What is sent to
    /// that place can be overheard.
    pub fn publish(&mut self, place: Place, card: Card, one_time: bool) {
        self.network.publish(place, card, one_time);
    }

    /// The card that lies at a place.
    #[must_use]
    pub fn card(&self, place: &Place) -> Option<Card> {
        self.network.card(place).cloned()
    }

    /// Makes somebody crash at the `calls`th call from now.
    pub fn crash_in(&mut self, home: Home, calls: u64, crash: Crash) {
        if let Some(person) = self.people.get_mut(home.0) {
            person.crash = Some((calls, crash));
        }
    }

    /// Whether a crash of somebody is still to come.
    #[must_use]
    pub fn will_crash(&self, home: Home) -> bool {
        self.people
            .get(home.0)
            .is_some_and(|person| person.crash.is_some())
    }

    /// Keeps what is in storage of somebody after each call from now on.
    pub fn remember(&mut self, home: Home) {
        if let Some(person) = self.people.get_mut(home.0) {
            person.copies = Some(Vec::new());
        }
    }

    /// What was in storage of somebody after each call; nothing is kept any more.
    pub fn remembered(&mut self, home: Home) -> Vec<MemoryStorage> {
        let person = self.people.get_mut(home.0);
        let copies = person.and_then(|person| person.copies.take());
        copies.unwrap_or_default()
    }

    /// How often somebody's machine was called.
    #[must_use]
    pub fn calls(&self, home: Home) -> u64 {
        self.people.get(home.0).map_or(0, |person| person.calls)
    }

    /// Somebody's storage.
    pub fn storage(&mut self, home: Home) -> Option<&mut MemoryStorage> {
        self.people
            .get_mut(home.0)
            .map(|person| &mut person.storage)
    }

    /// What somebody's faces were told since the last look.
    pub fn events(&mut self, home: Home) -> Vec<Event> {
        self.people
            .get_mut(home.0)
            .map(|person| person.events.drain(..).collect())
            .unwrap_or_default()
    }

    /// Asks and waits for the answer; `None` if a crash swallowed it or there
    /// is none when all has come to rest.
    ///
    /// # Errors
    ///
    /// When a machine fails, which is a bug.
    pub fn ask(
        &mut self,
        home: Home,
        command: Command,
    ) -> Result<Option<Result<Reply, Refusal>>, StorageError> {
        let Some(person) = self.people.get_mut(home.0) else {
            return Ok(None);
        };
        person.next_ticket += 1;
        let ticket = Ticket(person.next_ticket);
        self.call(home, Input::Command(Incoming::Ask { ticket, command }))?;
        if let Some(answer) = self.answer(home, ticket) {
            return Ok(Some(answer));
        }
        self.rest()?;
        Ok(self.answer(home, ticket))
    }

    fn answer(&mut self, home: Home, wanted: Ticket) -> Option<Result<Reply, Refusal>> {
        let events = &mut self.people.get_mut(home.0)?.events;
        let is_it =
            |event: &Event| matches!(event, Event::Answer { ticket, .. } if *ticket == wanted);
        match events.remove(events.iter().position(is_it)?) {
            Some(Event::Answer { answer, .. }) => Some(answer),
            _ => None,
        }
    }

    /// Carries envelopes until nothing moves; time stands still.
    ///
    /// # Errors
    ///
    /// When a machine fails, which is a bug.
    pub fn rest(&mut self) -> Result<(), StorageError> {
        self.network.release(self.clock);
        for _ in 0..MOST_STEPS {
            if let Some((home, event)) = self.network.step(self.entropy.as_mut()) {
                let network = NetworkTag::TOY;
                self.call(home, Input::Command(Incoming::Network { network, event }))?;
            } else if let Some(home) = self.due() {
                self.call(home, Input::Timeout)?;
            } else {
                return Ok(());
            }
        }
        Err(StorageError::corrupt("bringing a village to rest"))
    }

    /// Lets time pass, with rest after each timer.
    ///
    /// # Errors
    ///
    /// When a machine fails, which is a bug.
    pub fn pass(&mut self, time: Duration) -> Result<(), StorageError> {
        let end = self.clock + time;
        self.rest()?;
        while let Some(next) = self.next_timer().filter(|next| *next <= end) {
            self.clock = next.max(self.clock);
            self.rest()?;
        }
        self.clock = end;
        self.rest()
    }

    fn next_timer(&self) -> Option<Duration> {
        let timers = self
            .people
            .iter()
            .filter(|person| !person.asleep)
            .filter_map(|person| person.timer);
        let timers = timers.map(Moment::since_origin);
        timers.chain(self.network.servers.due()).min()
    }

    fn due(&self) -> Option<Home> {
        let now = Moment::from_origin(self.clock);
        let due = |person: &Person| !person.asleep && person.timer.is_some_and(|at| at <= now);
        self.people.iter().position(due).map(Home)
    }

    /// One call under the driving law.
    fn call(&mut self, home: Home, input: Input<Incoming>) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(home.0) else {
            return Ok(());
        };
        person.calls += 1;
        let crash = person.crash.as_mut().and_then(|(left, crash)| {
            *left = left.saturating_sub(1);
            (*left == 0).then_some(*crash)
        });
        let snapshot = (crash == Some(Crash::BeforeCommit)).then(|| person.storage.clone());
        let now = Moment::from_origin(self.clock);
        let wall = Timestamp::from_secs(START) + self.clock + self.ahead;
        let mut cx = Context::new(now, wall, self.entropy.as_mut());
        person
            .messenger
            .handle(&mut cx, &mut person.storage, input)?;
        if crash.is_some() {
            if let Some(snapshot) = snapshot {
                person.storage = snapshot;
            }
            return self.open_again(home);
        }
        if let Some(copies) = &mut person.copies {
            copies.push(person.storage.clone());
        }
        self.drain(home);
        Ok(())
    }

    /// Drops somebody's machine and opens it from storage.
    ///
    /// # Errors
    ///
    /// When storage holds what the machine cannot read, which is a bug.
    pub fn open_again(&mut self, home: Home) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(home.0) else {
            return Ok(());
        };
        person.crash = None;
        person.messenger = Messenger::open(&mut person.storage, person.config.clone())?;
        self.network.reconnect(home);
        self.drain(home);
        Ok(())
    }

    /// Somebody puts a backup back: a copy of their storage of an earlier time.
    /// Letters to mailboxes that were made since are taken by their servers and
    /// never fetched.
    ///
    /// # Errors
    ///
    /// When storage holds what the machine cannot read, which is a bug.
    pub fn restore(&mut self, home: Home, backup: MemoryStorage) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(home.0) else {
            return Ok(());
        };
        person.storage = backup;
        crate::restored(&mut person.storage, 0)?;
        let known = person.storage.mailbox_records()?;
        let known: Vec<_> = known.iter().map(|record| MailboxId(record.id)).collect();
        self.network.forget_keys_but(home, &known);
        self.open_again(home)
    }

    fn drain(&mut self, home: Home) {
        let Some(person) = self.people.get_mut(home.0) else {
            return;
        };
        while let Some(output) = person.messenger.poll_output() {
            match output {
                Output::Event(Outgoing::Face(event)) => person.events.push_back(event),
                Output::Event(Outgoing::Network { command, .. }) => {
                    self.network.command(home, command, self.entropy.as_mut());
                }
                // The machine opens no streams.
                Output::OpenStream { .. }
                | Output::SendStream { .. }
                | Output::CloseStream { .. } => {}
            }
        }
        person.timer = person.messenger.poll_timeout();
    }
}
