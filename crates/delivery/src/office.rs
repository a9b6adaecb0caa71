//! The post office: the one place above all networks.
//!
//! It is not a [`Machine`](hushwing_sansio::Machine) of its own: the room above
//! owns it and calls it inside its own transaction, so that a message, its
//! ratchet step and its outbox entry change together. The law is the same: one
//! lent storage per call, events are read at once, commands are drained after
//! the commit, and after an error or a rollback the office is dropped and
//! opened again.

mod inbox;
mod lane;
mod letter;
mod memory;
mod numbers;
mod outbox;
mod parts;
mod route;
mod row;
mod storage;
mod timing;

pub use inbox::MailboxKeys;
pub use letter::{
    Incoming, Keep, LONGEST_FIRST_CONTACT, LONGEST_LETTER, Letter, LetterId, MOST_ADDRESSES,
    MOST_FOR_OTHERS, MOST_FOR_OTHERS_BYTES, OfficeEvent, PostError, RouteRecord, RouteState,
    Urgency, Whereabouts,
};
pub use memory::MemoryStorage;
pub use storage::{Part, Storage};

use std::collections::VecDeque;

use hushwing_sansio::{Context, Moment, StorageError};

use self::inbox::{Inbox, Opened};
use self::outbox::Outbox;
use crate::{Address, MailboxId, NetworkCommand, NetworkEvent, NetworkTag, RepeatId};

/// What leaves the office.
#[derive(Default)]
struct Outward {
    commands: VecDeque<(NetworkTag, NetworkCommand)>,
    events: VecDeque<OfficeEvent>,
}

impl Outward {
    fn command(&mut self, network: NetworkTag, command: NetworkCommand) {
        self.commands.push_back((network, command));
    }

    fn event(&mut self, event: OfficeEvent) {
        self.events.push_back(event);
    }
}

/// Outbox and inbox over all networks of one profile.
///
/// After each call, read [`poll_event`](Self::poll_event) until `None` within
/// the same transaction; after the commit drain
/// [`poll_command`](Self::poll_command).
pub struct PostOffice {
    outbox: Outbox,
    inbox: Inbox,
    out: Outward,
    /// Whether what was left from earlier runs has been taken up.
    awake: bool,
    housekeeping: Moment,
}

impl PostOffice {
    /// Opens the office on what storage holds; empty storage is a new office.
    ///
    /// Nothing happens yet: [`poll_timeout`](Self::poll_timeout) asks for a
    /// call, since only a call tells the time.
    ///
    /// # Errors
    ///
    /// When storage fails or holds what this program cannot read.
    pub fn open(storage: &mut dyn Storage) -> Result<Self, StorageError> {
        Ok(Self {
            outbox: Outbox::open(storage)?,
            inbox: Inbox::open(storage)?,
            out: Outward::default(),
            awake: false,
            housekeeping: Moment::default(),
        })
    }

    /// Makes a mailbox known, or replaces its keys. Do so in the transaction
    /// that asks the network for it: what comes to an unknown mailbox is lost.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put_mailbox(
        &mut self,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
        network: NetworkTag,
        keys: MailboxKeys,
    ) -> Result<(), StorageError> {
        self.inbox.put(storage, mailbox, network, keys)
    }

    /// Forgets a mailbox and tells its network to close it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn close_mailbox(
        &mut self,
        storage: &mut dyn Storage,
        mailbox: MailboxId,
    ) -> Result<(), StorageError> {
        if let Some(network) = self.inbox.remove(storage, mailbox)? {
            self.out
                .command(network, NetworkCommand::CloseMailbox { mailbox });
        }
        Ok(())
    }

    /// The network a mailbox was put on.
    #[must_use]
    pub fn network_of(&self, mailbox: MailboxId) -> Option<NetworkTag> {
        self.inbox.network_of(mailbox)
    }

    /// Queues a command of the room above, for instance to open a mailbox,
    /// behind the office's own.
    pub fn instruct(&mut self, network: NetworkTag, command: NetworkCommand) {
        self.out.command(network, command);
    }

    /// Takes a letter into the outbox and sends it as soon as may be.
    ///
    /// # Errors
    ///
    /// [`PostError`] if the letter cannot be one; nothing is stored then.
    pub fn post(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        letter: &Letter,
    ) -> Result<LetterId, PostError> {
        self.wake(cx, storage)?;
        self.outbox.post(cx, storage, &mut self.out, letter)
    }

    /// The recipient's receipt came: forgets the letter. `false` if the outbox
    /// has no such letter (any more).
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn settle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        letter: LetterId,
    ) -> Result<bool, StorageError> {
        self.wake(cx, storage)?;
        self.outbox.forget(cx, storage, &mut self.out, letter, true)
    }

    /// Forgets a letter without receipt and calls back what is on its way as
    /// far as networks still can. `false` if the outbox has no such letter.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn cancel(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        letter: LetterId,
    ) -> Result<bool, StorageError> {
        self.wake(cx, storage)?;
        self.outbox
            .forget(cx, storage, &mut self.out, letter, false)
    }

    /// Cancels all letters that go to nowhere but `addresses`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn cancel_to(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        addresses: &[Address],
    ) -> Result<(), StorageError> {
        self.wake(cx, storage)?;
        for letter in self.outbox.letters_to(addresses) {
            self.outbox
                .forget(cx, storage, &mut self.out, letter, false)?;
        }
        Ok(())
    }

    /// The room above did not keep a letter it was given: the next copy of it is
    /// given again and not dropped as a repeat.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn forget_repeat(
        &mut self,
        storage: &mut dyn Storage,
        repeat: RepeatId,
    ) -> Result<(), StorageError> {
        storage.delete_repeat(repeat)
    }

    /// Takes in what a network told. Events about mailboxes and cards come out
    /// as [`OfficeEvent::Network`].
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn handle_network(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        network: NetworkTag,
        event: NetworkEvent,
    ) -> Result<(), StorageError> {
        self.wake(cx, storage)?;
        match event {
            NetworkEvent::Received {
                mailbox,
                receipt,
                envelope,
            } => {
                match self.inbox.receive(cx, storage, mailbox, &envelope)? {
                    Opened::Letter(letter) => self.out.event(OfficeEvent::Incoming(letter)),
                    Opened::Again(repeat) => {
                        self.out.event(OfficeEvent::Again { mailbox, repeat });
                    }
                    Opened::Nothing => {}
                }
                self.out
                    .command(network, NetworkCommand::Acknowledge { receipt });
                Ok(())
            }
            NetworkEvent::Accepted { send } => {
                self.outbox.accepted(cx, storage, &mut self.out, send)
            }
            NetworkEvent::Failed { send, reason } => {
                self.outbox.failed(cx, storage, &mut self.out, send, reason)
            }
            NetworkEvent::Progress { send, stage } => {
                self.outbox.progress(&mut self.out, send, stage);
                Ok(())
            }
            NetworkEvent::Reachable { locators } => {
                let out = &mut self.out;
                self.outbox.reachable(cx, storage, out, network, &locators)
            }
            event => {
                self.out.event(OfficeEvent::Network { network, event });
                Ok(())
            }
        }
    }

    /// A network was dropped and opened again while this office was not:
    /// everything it was asked to send is sent again.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn network_lost(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        network: NetworkTag,
    ) -> Result<(), StorageError> {
        self.wake(cx, storage)?;
        self.outbox
            .network_lost(cx, storage, &mut self.out, network)
    }

    /// Lets nothing leave from now on, until told otherwise; letters wait. What was handed to
    /// a network and not taken yet is called back, as far as networks still can. Kept for this
    /// run only.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn hold(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        held: bool,
    ) -> Result<(), StorageError> {
        if self.outbox.is_held() == held {
            return Ok(());
        }
        if held {
            let sends = |command: &NetworkCommand| matches!(command, NetworkCommand::Send { .. });
            self.out.commands.retain(|(_, command)| !sends(command));
        }
        self.outbox.hold(cx, storage, &mut self.out, held)
    }

    /// Bounds what waits of what is sent for others, in letters and in bytes. Of the addresses
    /// that take nothing, where more than that waits for all of them, the one with most loses its
    /// oldest, but for its last and for what began to leave. Beyond twice as much in all any
    /// address does, whatever it takes. No event says so.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn keep_for_others(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        most: (usize, usize),
    ) -> Result<(), StorageError> {
        self.outbox
            .keep_for_others(cx, storage, &mut self.out, most)
    }

    /// Does what is due. Too early or too often does no harm.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn handle_timeout(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
    ) -> Result<(), StorageError> {
        self.wake(cx, storage)?;
        if self.housekeeping <= cx.now() {
            self.housekeeping = cx.now() + timing::HOUSEKEEPING;
            self.inbox.tidy(cx, storage)?;
        }
        self.outbox.handle_timeout(cx, storage, &mut self.out)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is wanted next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Moment> {
        if !self.awake {
            return Some(Moment::default());
        }
        let outbox = self.outbox.poll_timeout().unwrap_or(self.housekeeping);
        Some(outbox.min(self.housekeeping))
    }

    /// The next command for a network; only after the commit.
    pub fn poll_command(&mut self) -> Option<(NetworkTag, NetworkCommand)> {
        self.out.commands.pop_front()
    }

    /// The next event for the room above, in the same transaction.
    pub fn poll_event(&mut self) -> Option<OfficeEvent> {
        self.out.events.pop_front()
    }

    /// What is known of a letter still in the outbox.
    #[must_use]
    pub fn whereabouts(&self, letter: LetterId) -> Option<Whereabouts> {
        self.outbox.whereabouts(letter)
    }

    /// The addresses of a letter still in the outbox and how far each is, in the
    /// order they were given.
    #[must_use]
    pub fn routes(&self, letter: LetterId) -> Vec<(Address, RouteRecord)> {
        self.outbox.routes(letter)
    }

    /// The letters in the outbox, oldest first.
    pub fn letters(&self) -> impl Iterator<Item = LetterId> {
        self.outbox.letters()
    }

    /// How many letters wait that are sent for others, and their bytes.
    #[must_use]
    pub fn for_others(&self) -> (usize, usize) {
        self.outbox.for_others()
    }

    /// Envelopes of this run that came to a mailbox but opened under none of
    /// its keys, or held no frame: acknowledged and dropped.
    #[must_use]
    pub fn garbage(&self) -> u64 {
        self.inbox.garbage()
    }

    fn wake(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
    ) -> Result<(), StorageError> {
        if self.awake {
            return Ok(());
        }
        self.awake = true;
        self.housekeeping = cx.now();
        self.outbox.wake(cx, storage, &mut self.out)
    }
}

impl core::fmt::Debug for PostOffice {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("PostOffice(..)")
    }
}
