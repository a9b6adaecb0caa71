//! What every network promises.
//!
//! A network carries envelopes **at least once, in any order**. It retries only
//! within a run: whether something is sent again after a restart is decided by
//! the outbox, which alone remembers. It answers each `Send` with `Accepted` or
//! `Failed` unless the process ends first, and acknowledges to its far side
//! only after [`NetworkCommand::Acknowledge`]; until then it tells an envelope
//! again after every restart or reconnection.

use core::fmt;

use hushwing_sansio::Machine;
use zeroize::Zeroize;

use crate::{Address, Envelope, Locator, Place};

/// One of my mailboxes. Numbers are given by the room above, once for all time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailboxId(pub u64);

/// One envelope on its way to one address. Numbers are given by the outbox and
/// never reused within a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendId(pub u64);

/// One received envelope, to be acknowledged. Numbers are given by the network
/// and mean nothing after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId(pub u64);

/// One fetch of an invitation's card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FetchId(pub u64);

/// What a network publishes for an invitation. It encrypts both parts under
/// keys derived from `secret`, so that only holders of the link read them.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// The link secret: SHA3-256 of `fixed` (32 bytes).
    pub secret: [u8; 32],
    /// Never changes for the life of the link.
    pub fixed: Vec<u8>,
    /// May be replaced; signed by the key in `fixed`.
    pub bundle: Vec<u8>,
}

impl Drop for Card {
    fn drop(&mut self) {
        self.secret.zeroize();
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(..)")
    }
}

/// What a mailbox is for, which decides who may write to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One known contact writes here. The first writer locks it.
    Conversation,
    /// Several known people write here. Nobody can lock it.
    Shared,
    /// One stranger with the link may take it; the first to open the link
    /// locks it, after which it serves the conversation.
    OneTimeInvitation(Card),
    /// Any holder of the link may write.
    ReusableInvitation(Card),
}

/// What a network is asked to do.
#[derive(Clone, Debug)]
pub enum NetworkCommand {
    /// Make a mailbox and listen to it from now on, across restarts. Answered
    /// by `MailboxOpened` or `MailboxFailed`; asking again for a mailbox that
    /// exists answers `MailboxOpened` with the same locator.
    OpenMailbox {
        /// The number it shall have.
        mailbox: MailboxId,
        /// Who may write.
        purpose: Purpose,
        /// Mailboxes whose places are not to be shared: whoever runs one place
        /// shall not hold, or be able to stop, the other. A network that has
        /// no further place makes it where it can; unknown ones are ignored.
        apart: Vec<MailboxId>,
    },
    /// Replace the bundle of an invitation's card. Answered by
    /// `BundleReplaced` or `MailboxFailed`.
    ReplaceBundle {
        /// The invitation's mailbox.
        mailbox: MailboxId,
        /// The whole new card; `secret` and `fixed` must not change.
        card: Card,
    },
    /// Take the card of an invitation down but keep the mailbox.
    WithdrawCard {
        /// The invitation's mailbox.
        mailbox: MailboxId,
    },
    /// Delete a mailbox and all it holds, or forget one that was lost. Unknown
    /// mailboxes are ignored.
    CloseMailbox {
        /// Which one.
        mailbox: MailboxId,
    },
    /// Read the card of somebody's invitation. Answered by `Fetched` or
    /// `FetchFailed`. Fetching a one-time card reserves it for this profile;
    /// fetching it again succeeds for whom it is reserved.
    Fetch {
        /// The number of the answer.
        fetch: FetchId,
        /// Where the card lies, from the link.
        place: Place,
        /// The link secret.
        secret: [u8; 32],
        /// Whether the link can be used once only.
        one_time: bool,
    },
    /// Carry an envelope. Answered by `Accepted` or `Failed`.
    Send {
        /// The number of the answers.
        send: SendId,
        /// Where to.
        locator: Locator,
        /// What.
        envelope: Envelope,
    },
    /// Stop trying to carry an envelope; no answer is owed any more.
    Cancel {
        /// Which one.
        send: SendId,
    },
    /// The room above committed what it received: tell the far side.
    Acknowledge {
        /// Which receipt.
        receipt: ReceiptId,
    },
}

/// Why a mailbox could not be made or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailboxFailure {
    /// No server can be reached now; the network goes on trying by itself.
    Unreachable,
    /// The server refuses new mailboxes or the password is wrong.
    Refused,
    /// The mailbox is gone: deleted, expired, blocked or forgotten at the
    /// server, and nothing that is sent to it will arrive. Told again after
    /// every restart until the mailbox is closed.
    Gone,
    /// No server of this network is configured.
    NoServer,
}

/// Why a card could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchFailure {
    /// A one-time link that somebody else opened, or a link taken down; the
    /// server does not tell these apart.
    UsedOrGone,
    /// The server cannot be reached; the link may still be good.
    Unreachable,
    /// The server is not the one the link names.
    WrongServer,
    /// The card does not match the link: a wrong secret or a forged card.
    Forged,
    /// The place cannot be read by this program.
    Unreadable,
}

/// Why an envelope was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendFailure {
    /// Nobody answers there now. Retry later.
    Unreachable,
    /// The mailbox is full until its owner reads. Retry later.
    Full,
    /// The mailbox is gone or locked by another writer. Do not retry.
    Gone,
    /// Somebody else than the server the address names answers there now. Retry
    /// later: whoever stands in the way must not end a conversation.
    WrongServer,
    /// The locator cannot be read by this program. Do not retry.
    Unreadable,
}

impl SendFailure {
    /// Whether sending the same envelope again later may succeed.
    #[must_use]
    pub fn is_retriable(self) -> bool {
        matches!(self, Self::Unreachable | Self::Full | Self::WrongServer)
    }
}

/// A stage between queued and accepted, told by networks that know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The first hop or server is being reached.
    Connecting,
    /// The envelope left this machine.
    Sent,
}

/// What a network tells.
#[derive(Clone, Debug)]
pub enum NetworkEvent {
    /// A mailbox exists and is listened to.
    MailboxOpened {
        /// Which one.
        mailbox: MailboxId,
        /// What to give away so that others can write.
        locator: Locator,
        /// Where its card lies, for invitations.
        place: Option<Place>,
    },
    /// The bundle of an invitation was replaced.
    BundleReplaced {
        /// Which mailbox's.
        mailbox: MailboxId,
    },
    /// A mailbox could not be opened, changed, or was lost.
    MailboxFailed {
        /// Which one.
        mailbox: MailboxId,
        /// Why.
        reason: MailboxFailure,
    },
    /// A card was read.
    Fetched {
        /// Which fetch.
        fetch: FetchId,
        /// Its unchanging part; SHA3-256 of it is the link secret (checked).
        fixed: Vec<u8>,
        /// Its bundle, not yet verified.
        bundle: Vec<u8>,
        /// Where to write to its owner.
        locator: Locator,
    },
    /// A card could not be read.
    FetchFailed {
        /// Which fetch.
        fetch: FetchId,
        /// Why.
        reason: FetchFailure,
    },
    /// An envelope came. Told again until acknowledged.
    Received {
        /// In which mailbox.
        mailbox: MailboxId,
        /// To be acknowledged after commit.
        receipt: ReceiptId,
        /// What came.
        envelope: Envelope,
    },
    /// The network took responsibility for an envelope.
    Accepted {
        /// Which one.
        send: SendId,
    },
    /// An envelope moved on.
    Progress {
        /// Which one.
        send: SendId,
        /// How far.
        stage: Stage,
    },
    /// An envelope was not taken.
    Failed {
        /// Which one.
        send: SendId,
        /// Why.
        reason: SendFailure,
    },
    /// Mailboxes lie where none is to lie any more, by the choice of whoever
    /// owns the profile. They go on working: the room above opens others, which
    /// lie elsewhere, and closes these. Told again after every restart.
    Displaced {
        /// All of them; none if there were some before.
        mailboxes: Vec<MailboxId>,
    },
    /// A server that could not be reached serves again: what failed there for
    /// that reason need not wait any longer. Nobody must rely on being told.
    Reachable {
        /// The locators on it to which sends failed meanwhile. None of another
        /// server: whoever runs this one must not decide about those.
        locators: Vec<Locator>,
    },
}

/// A delivery network: a machine that speaks this contract.
pub trait Network: Machine<Command = NetworkCommand, Event = NetworkEvent> {}

impl<M> Network for M where M: Machine<Command = NetworkCommand, Event = NetworkEvent> {}

/// An address is what a `Send` names; the network gets its locator only.
impl From<&Address> for Locator {
    fn from(address: &Address) -> Self {
        address.locator.clone()
    }
}
