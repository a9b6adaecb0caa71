//! A core that only writes and reads letters: a post office with a journal.
//!
//! It stands in for conversation where networks and the office are tested. Its
//! journal changes in the office's own transaction, so what stands in it twice
//! or never is what a person would have seen twice or never.

use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::{
    FetchFailure, FetchId, Incoming, Keep, Letter, LetterId, Locator, MailboxFailure, MailboxId,
    MailboxKeys, MemoryStorage, NetworkCommand, NetworkEvent, NetworkTag, OfficeEvent, Place,
    PostError, PostOffice, Purpose, SendFailure, Storage,
};
use hushwing_sansio::{Context, Input, Machine, Moment, Output, StorageError};

use crate::room::{Core, Room, Routed};

/// A card as it was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedCard {
    /// Its unchanging part.
    pub fixed: Vec<u8>,
    /// Its bundle.
    pub bundle: Vec<u8>,
    /// Where to write.
    pub locator: Locator,
}

/// What a correspondent has committed.
#[derive(Clone, Default)]
pub struct Journal {
    /// The post office's rows.
    pub office: MemoryStorage,
    /// Letters that came, in order.
    pub received: Vec<Incoming>,
    /// Letters posted, by the number the errand gave.
    pub posted: BTreeMap<u64, LetterId>,
    /// Letters a network took, and those given up.
    pub outcome: BTreeMap<LetterId, Result<NetworkTag, SendFailure>>,
    /// Mailboxes that were opened; a second opening replaces the first.
    pub opened: BTreeMap<MailboxId, (Locator, Option<Place>)>,
    /// Mailboxes that failed.
    pub lost: BTreeMap<MailboxId, MailboxFailure>,
    /// Cards asked for.
    pub fetched: BTreeMap<FetchId, Result<FetchedCard, FetchFailure>>,
    /// Errands the office refused.
    pub refused: u64,
}

/// What a correspondent is asked to do, and what networks tell.
#[derive(Debug)]
pub enum Errand {
    /// Open a mailbox and read what comes.
    Listen {
        /// The mailbox.
        mailbox: MailboxId,
        /// The network.
        network: NetworkTag,
        /// Who may write.
        purpose: Purpose,
        /// What opens it.
        keys: MailboxKeys,
    },
    /// Post a letter, unless one with this number was posted before.
    Post {
        /// The errand's number.
        number: u64,
        /// The letter.
        letter: Letter,
    },
    /// The receipt for a posted letter came.
    Settle {
        /// The errand's number.
        number: u64,
    },
    /// Any command for a network.
    Instruct(NetworkTag, NetworkCommand),
    /// A network told something.
    Network(NetworkTag, NetworkEvent),
}

/// A correspondent's machine.
pub struct Writer {
    office: PostOffice,
    commands: VecDeque<(NetworkTag, NetworkCommand)>,
}

/// A correspondent as a [`Core`]. With `FORGETS` its outbox loses what it was
/// given at the next restart, which the suite must notice.
pub struct Correspondent<const FORGETS: bool = false>;

impl<const FORGETS: bool> Room for Correspondent<FORGETS> {
    type Machine = Writer;
    type Store = Journal;

    fn open(store: &mut Journal) -> Result<Writer, StorageError> {
        if FORGETS {
            for (letter, _) in store.office.letters()? {
                store.office.delete_letter(letter)?;
            }
        }
        let office = PostOffice::open(&mut store.office)?;
        Ok(Writer {
            office,
            commands: VecDeque::new(),
        })
    }

    fn lend(store: &mut Journal) -> &mut Journal {
        store
    }
}

impl<const FORGETS: bool> Core for Correspondent<FORGETS> {
    fn store() -> Journal {
        Journal::default()
    }

    fn network_event(network: NetworkTag, event: NetworkEvent) -> Errand {
        Errand::Network(network, event)
    }

    fn routed((network, command): (NetworkTag, NetworkCommand)) -> Routed<Self> {
        Routed::Network(network, command)
    }
}

impl Writer {
    /// The post office.
    #[must_use]
    pub fn office(&self) -> &PostOffice {
        &self.office
    }

    fn run(
        &mut self,
        cx: &mut Context<'_>,
        journal: &mut Journal,
        errand: Errand,
    ) -> Result<(), StorageError> {
        match errand {
            Errand::Listen {
                mailbox,
                network,
                purpose,
                keys,
            } => {
                self.office
                    .put_mailbox(&mut journal.office, mailbox, network, keys)?;
                let apart = Vec::new();
                let open = NetworkCommand::OpenMailbox {
                    mailbox,
                    purpose,
                    apart,
                };
                self.office.instruct(network, open);
            }
            Errand::Post { number, letter } => self.post(cx, journal, number, &letter)?,
            Errand::Settle { number } => {
                if let Some(letter) = journal.posted.get(&number) {
                    self.office.settle(cx, &mut journal.office, *letter)?;
                }
            }
            Errand::Instruct(network, command) => self.office.instruct(network, command),
            Errand::Network(network, event) => {
                self.office
                    .handle_network(cx, &mut journal.office, network, event)?;
            }
        }
        Ok(())
    }

    fn post(
        &mut self,
        cx: &mut Context<'_>,
        journal: &mut Journal,
        number: u64,
        letter: &Letter,
    ) -> Result<(), StorageError> {
        if journal.posted.contains_key(&number) {
            return Ok(());
        }
        match self.office.post(cx, &mut journal.office, letter) {
            Ok(id) => {
                journal.posted.insert(number, id);
                Ok(())
            }
            Err(PostError::Storage(error)) => Err(error),
            Err(_) => {
                journal.refused = journal.refused.saturating_add(1);
                Ok(())
            }
        }
    }

    fn note(journal: &mut Journal, event: OfficeEvent) {
        match event {
            OfficeEvent::Incoming(letter) => journal.received.push(letter),
            OfficeEvent::Accepted { letter, network } => {
                journal.outcome.insert(letter, Ok(network));
            }
            OfficeEvent::Failed { letter, reason, .. } => {
                journal.outcome.insert(letter, Err(reason));
            }
            OfficeEvent::Progress { .. } | OfficeEvent::Again { .. } => {}
            OfficeEvent::Network { event, .. } => Self::note_network(journal, event),
        }
    }

    fn note_network(journal: &mut Journal, event: NetworkEvent) {
        match event {
            NetworkEvent::MailboxOpened {
                mailbox,
                locator,
                place,
            } => {
                journal.opened.insert(mailbox, (locator, place));
            }
            NetworkEvent::MailboxFailed { mailbox, reason } => {
                journal.lost.insert(mailbox, reason);
            }
            NetworkEvent::Fetched {
                fetch,
                fixed,
                bundle,
                locator,
            } => {
                journal.fetched.insert(
                    fetch,
                    Ok(FetchedCard {
                        fixed,
                        bundle,
                        locator,
                    }),
                );
            }
            NetworkEvent::FetchFailed { fetch, reason } => {
                journal.fetched.insert(fetch, Err(reason));
            }
            _ => {}
        }
    }
}

impl Machine for Writer {
    type Command = Errand;
    type Event = (NetworkTag, NetworkCommand);
    type Storage = Journal;

    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        journal: &mut Journal,
        input: Input<Errand>,
    ) -> Result<(), StorageError> {
        match input {
            Input::Command(errand) => self.run(cx, journal, errand)?,
            _ => self.office.handle_timeout(cx, &mut journal.office)?,
        }
        while let Some(event) = self.office.poll_event() {
            Self::note(journal, event);
        }
        while let Some(command) = self.office.poll_command() {
            self.commands.push_back(command);
        }
        Ok(())
    }

    fn poll_output(&mut self) -> Option<Output<Self::Event>> {
        self.commands.pop_front().map(Output::Event)
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.office.poll_timeout()
    }
}

/// A letter that is forgotten once accepted, so that nothing but the network's
/// promise stands between it and its loss.
#[must_use]
pub fn trusting(to: Vec<hushwing_delivery::Address>, bytes: Vec<u8>) -> Letter {
    Letter {
        to,
        last_resort: Vec::new(),
        bytes,
        urgency: hushwing_delivery::Urgency::Normal,
        keep: Keep::UntilAccepted,
    }
}
