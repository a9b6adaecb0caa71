//! Two whole messengers: contacts, MLS, post office, sealed envelopes, what is
//! shown. Between them a network that is a queue.
//!
//! A message counts from the command to the recipient's acknowledgement: the
//! call that sends, the call that learns that it was accepted, the call that
//! receives. Key renewals fall in as they come. Receipts go between turns.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hushwing_conversation::{
    Command, Config, ContactId, Event, Incoming, Messenger, Outgoing, Reply, Ticket,
};
use hushwing_delivery::{
    Card, Envelope, FetchFailure, FetchId, Locator, MailboxId, NetworkCommand, NetworkEvent,
    NetworkTag, Place, Purpose, ReceiptId, SendFailure, SendId,
};
use hushwing_sansio::{Context, Entropy, Input, Machine, Moment, Output, Timestamp};
use hushwing_transport::OsEntropy;

use super::desk::{Desk, storage};
use super::line::Line;
use crate::BenchError;

/// The wait before receipts; also the time that passes between turns.
const RECEIPTS: Duration = Duration::from_secs(5);
/// When it all takes place.
const BEGINNING: Timestamp = Timestamp::from_secs(1_800_000_000);

struct Side<D> {
    messenger: Messenger,
    desk: D,
    /// The other one.
    contact: Option<ContactId>,
    answer: Option<Reply>,
    /// Texts that arrived.
    arrived: usize,
}

struct Mailbox {
    locator: Locator,
    owner: usize,
    id: MailboxId,
    card: Option<Card>,
}

/// Two people who know each other.
pub(crate) struct People<D> {
    sides: [Side<D>; 2],
    mailboxes: Vec<Mailbox>,
    to_tell: VecDeque<(usize, NetworkEvent)>,
    /// What waits for the second person, while that one is away.
    waiting: Option<VecDeque<NetworkEvent>>,
    receipts: u64,
    clock: Duration,
}

impl<D: Desk> People<D> {
    /// One invites, the other joins; both are established.
    pub(crate) fn new(hers: D, his: D) -> Result<Self, BenchError> {
        let mut people = Self {
            sides: [Side::open("Alice", hers)?, Side::open("Bob", his)?],
            mailboxes: Vec::new(),
            to_tell: VecDeque::new(),
            waiting: None,
            receipts: 0,
            clock: Duration::ZERO,
        };
        people.meet()?;
        for who in [0, 1] {
            let contact = people.contacts(who)?.first().copied();
            people.side(who)?.contact = contact;
        }
        Ok(people)
    }

    /// The two get to know each other, as other contacts if they do already.
    pub(crate) fn meet(&mut self) -> Result<(), BenchError> {
        let invite = Command::Invite {
            reusable: false,
            network: None,
        };
        let Some(Reply::Invitation(invitation)) = self.ask(0, invite)? else {
            return Err(BenchError::Bug("no invitation"));
        };
        let link = invitation.link;
        self.ask(1, Command::Join { link })?;
        for _ in 0..3 {
            self.rest()?;
        }
        Ok(())
    }

    /// Whom a person knows.
    pub(crate) fn contacts(&mut self, who: usize) -> Result<Vec<ContactId>, BenchError> {
        let Some(Reply::Contacts(contacts)) = self.ask(who, Command::Contacts)? else {
            return Err(BenchError::Bug("no contacts"));
        };
        Ok(contacts.iter().map(|contact| contact.contact).collect())
    }

    /// The first person writes while the second is away: to each contact in
    /// turn, `each` times.
    pub(crate) fn write_to_absent(&mut self, each: usize, text: &str) -> Result<(), BenchError> {
        let contacts = self.contacts(0)?;
        self.waiting = Some(VecDeque::new());
        for _ in 0..each {
            for contact in &contacts {
                self.say(0, *contact, text)?;
            }
        }
        Ok(())
    }

    /// The second person is told all that waited, as a driver does it: `batch`
    /// inputs to a transaction, and what falls due meanwhile. Gives the number
    /// of texts shown.
    pub(crate) fn catch_up(&mut self, batch: usize) -> Result<usize, BenchError> {
        let network = NetworkTag::TOY;
        let told = |event| Input::Command(Incoming::Network { network, event });
        let mut waiting = self.waiting.take().unwrap_or_default();
        let before = self.side(1)?.arrived;
        let (begun, clock) = (Instant::now(), self.clock);
        while !waiting.is_empty() {
            self.clock = clock + begun.elapsed();
            // Answers to what this person sends; the other one stays away.
            let answers = self.to_tell.drain(..).filter(|(who, _)| *who == 1);
            let answers: Vec<_> = answers.map(|(_, event)| event).collect();
            let room = batch.saturating_sub(answers.len()).min(waiting.len());
            let events = answers.into_iter().chain(waiting.drain(..room));
            let mut inputs: Vec<_> = events.map(told).collect();
            if self.is_due(1) {
                inputs.push(Input::Timeout);
            }
            self.transact(1, inputs)?;
        }
        Ok(self.side(1)?.arrived - before)
    }

    fn side(&mut self, who: usize) -> Result<&mut Side<D>, BenchError> {
        let side = self.sides.get_mut(who);
        side.ok_or(BenchError::Bug("there are two people"))
    }

    /// Asks, runs until nothing moves, and returns the answer.
    fn ask(&mut self, who: usize, command: Command) -> Result<Option<Reply>, BenchError> {
        let ticket = Ticket(1);
        self.call(who, Input::Command(Incoming::Ask { ticket, command }))?;
        self.settle()?;
        Ok(self.side(who)?.answer.take())
    }

    /// Carries what the network holds until nothing moves; time stands still.
    fn settle(&mut self) -> Result<(), BenchError> {
        while let Some((who, event)) = self.to_tell.pop_front() {
            let network = NetworkTag::TOY;
            self.call(who, Input::Command(Incoming::Network { network, event }))?;
        }
        Ok(())
    }

    /// One call in a transaction of its own.
    fn call(&mut self, who: usize, input: Input<Incoming>) -> Result<(), BenchError> {
        self.transact(who, [input])
    }

    /// Some inputs under the driving law.
    fn transact(
        &mut self,
        who: usize,
        inputs: impl IntoIterator<Item = Input<Incoming>>,
    ) -> Result<(), BenchError> {
        let (now, wall) = (Moment::from_origin(self.clock), BEGINNING + self.clock);
        let side = self.side(who)?;
        let mut entropy = OsEntropy;
        side.desk.begin().map_err(storage)?;
        for input in inputs {
            let mut cx = Context::new(now, wall, &mut entropy);
            side.messenger
                .handle(&mut cx, side.desk.lend(), input)
                .map_err(storage)?;
        }
        side.desk.commit().map_err(storage)?;
        while let Some(output) = self.side(who)?.messenger.poll_output() {
            match output {
                Output::Event(Outgoing::Face(event)) => self.side(who)?.note(event)?,
                Output::Event(Outgoing::Network { command, .. }) => self.network(who, command),
                _ => return Err(BenchError::Bug("a messenger opened a stream")),
            }
        }
        Ok(())
    }

    fn say(&mut self, from: usize, contact: ContactId, text: &str) -> Result<(), BenchError> {
        let send = Command::Send {
            contact,
            text: text.into(),
            reply_to: None,
        };
        self.ask(from, send).map(drop)
    }

    fn network(&mut self, who: usize, command: NetworkCommand) {
        let event = match command {
            NetworkCommand::OpenMailbox {
                mailbox, purpose, ..
            } => self.open(who, mailbox, purpose),
            NetworkCommand::ReplaceBundle { mailbox, .. } => {
                NetworkEvent::BundleReplaced { mailbox }
            }
            NetworkCommand::Fetch { fetch, place, .. } => self.fetch(fetch, place),
            NetworkCommand::Send {
                send,
                locator,
                envelope,
            } => self.send(send, &locator, envelope),
            _ => return,
        };
        self.to_tell.push_back((who, event));
    }

    fn open(&mut self, owner: usize, id: MailboxId, purpose: Purpose) -> NetworkEvent {
        let mut name = vec![0; 16];
        OsEntropy.fill(&mut name);
        let locator = Locator(name.clone());
        let card = match purpose {
            Purpose::Conversation | Purpose::Shared => None,
            Purpose::OneTimeInvitation(card) | Purpose::ReusableInvitation(card) => Some(card),
        };
        let place = card.is_some().then_some(Place(name));
        self.mailboxes.push(Mailbox {
            locator: locator.clone(),
            owner,
            id,
            card,
        });
        NetworkEvent::MailboxOpened {
            mailbox: id,
            locator,
            place,
        }
    }

    fn fetch(&self, fetch: FetchId, place: Place) -> NetworkEvent {
        let locator = Locator(place.0);
        let card = (self.mailboxes.iter())
            .find(|mailbox| mailbox.locator == locator)
            .and_then(|mailbox| mailbox.card.clone());
        match card {
            Some(card) => NetworkEvent::Fetched {
                fetch,
                fixed: card.fixed.clone(),
                bundle: card.bundle.clone(),
                locator,
            },
            None => NetworkEvent::FetchFailed {
                fetch,
                reason: FetchFailure::UsedOrGone,
            },
        }
    }

    fn send(&mut self, send: SendId, locator: &Locator, envelope: Envelope) -> NetworkEvent {
        let mut mailboxes = self.mailboxes.iter();
        let Some(mailbox) = mailboxes.find(|mailbox| mailbox.locator == *locator) else {
            let reason = SendFailure::Gone;
            return NetworkEvent::Failed { send, reason };
        };
        self.receipts += 1;
        let received = NetworkEvent::Received {
            mailbox: mailbox.id,
            receipt: ReceiptId(self.receipts),
            envelope,
        };
        match &mut self.waiting {
            Some(waiting) if mailbox.owner == 1 => waiting.push_back(received),
            _ => self.to_tell.push_back((mailbox.owner, received)),
        }
        NetworkEvent::Accepted { send }
    }

    fn is_due(&self, who: usize) -> bool {
        let now = Moment::from_origin(self.clock);
        let timer = self.sides.get(who).and_then(|s| s.messenger.poll_timeout());
        timer.is_some_and(|at| at <= now)
    }
}

impl<D: Desk> Side<D> {
    fn open(name: &str, mut desk: D) -> Result<Self, BenchError> {
        let config = Config {
            name: name.into(),
            network: NetworkTag::TOY,
            receipt_delay: (RECEIPTS, RECEIPTS),
            ..Config::default()
        };
        Ok(Self {
            messenger: Messenger::open(desk.lend(), config).map_err(storage)?,
            desk,
            contact: None,
            answer: None,
            arrived: 0,
        })
    }

    fn note(&mut self, event: Event) -> Result<(), BenchError> {
        match event {
            Event::Answer { answer, .. } => {
                self.answer = Some(answer.map_err(storage)?);
            }
            Event::Arrived { .. } => self.arrived += 1,
            _ => {}
        }
        Ok(())
    }
}

impl<D: Desk> Line for People<D> {
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
        let contact = self.side(from)?.contact;
        let contact = contact.ok_or(BenchError::Bug("the two do not know each other"))?;
        let before = self.side(1 - from)?.arrived;
        self.say(from, contact, text)?;
        if self.side(1 - from)?.arrived == before + 1 {
            Ok(())
        } else {
            Err(BenchError::Bug("a message did not arrive"))
        }
    }

    /// Time passes, and receipts go.
    fn rest(&mut self) -> Result<(), BenchError> {
        self.clock += RECEIPTS + Duration::from_secs(1);
        for _ in 0..100 {
            for who in [0, 1] {
                if self.is_due(who) {
                    self.call(who, Input::Timeout)?;
                }
            }
            self.settle()?;
            if !self.is_due(0) && !self.is_due(1) {
                return Ok(());
            }
        }
        Err(BenchError::Bug("two messengers did not come to rest"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::desk::{Memory, Profile};
    use super::*;

    #[test]
    fn messages_arrive_over_memory_and_over_a_profile() {
        let mut people = People::new(Memory::default(), Memory::default()).unwrap();
        for from in [0, 1, 1] {
            people.bring(from, "hello").unwrap();
            people.rest().unwrap();
        }
        let mut people = People::new(Profile::new().unwrap(), Profile::new().unwrap()).unwrap();
        people.bring(0, "hello").unwrap();
    }
}
