//! What is posted, what comes in, and what is known of a letter on its way.

use core::fmt;

use hushwing_sansio::{StorageError, Timestamp};

use crate::frame::RepeatId;
use crate::{Address, MailboxId, NetworkEvent, NetworkTag, SendFailure, Stage};

/// The longest letter in bytes; larger things travel as files.
pub const LONGEST_LETTER: usize = 8 * 1024 * 1024;
/// Letters passed on for others that wait for one address: eight times what a mailbox holds.
pub const MOST_FOR_OTHERS: usize = 1_024;
/// Their bytes.
pub const MOST_FOR_OTHERS_BYTES: usize = 1024 * 1024;
/// The longest letter to somebody not yet known, in bytes.
pub const LONGEST_FIRST_CONTACT: usize = 64 * 1024;
/// The most addresses one letter may name.
pub const MOST_ADDRESSES: usize = 16;

/// One letter in the outbox. Grows with every letter and is never reused
/// within a profile, so it orders letters by when they were posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LetterId(pub u64);

/// How hurried a letter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Urgency {
    /// The first address at once, or the first with which there is no trouble
    /// now; each further one after a random wait of two to four minutes without
    /// [`settle`](crate::PostOffice::settle), seconds after a failure that may
    /// pass, or as soon as the one before it has failed for good.
    #[default]
    Normal,
    /// All addresses at once.
    Urgent,
}

/// How long the outbox keeps a letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// Until the room above settles it because the recipient's receipt came;
    /// sent again whenever a network may have let it expire.
    #[default]
    UntilSettled,
    /// Until one network has taken responsibility: for receipts and the like,
    /// which nobody answers. An urgent one until each address has, or did not for ten
    /// minutes longer.
    UntilAccepted,
    /// The same, for what is passed on for somebody else: of those to one address only the
    /// last [`MOST_FOR_OTHERS`] wait, of at most [`MOST_FOR_OTHERS_BYTES`] unless it is a
    /// single one, and of all of them together what
    /// [`keep_for_others`](super::PostOffice::keep_for_others) leaves. Those before are dropped,
    /// but for any that began to leave, and no event says so.
    ForOthers,
}

/// A letter to be posted.
#[derive(Clone)]
pub struct Letter {
    /// Addresses of one and the same recipient, the preferred one first; 1 to
    /// [`MOST_ADDRESSES`].
    pub to: Vec<Address>,
    /// Further addresses of theirs, used once every one of `to` has failed for
    /// good, or none has taken the letter for a day. With `to` at most
    /// [`MOST_ADDRESSES`].
    pub last_resort: Vec<Address>,
    /// At most [`LONGEST_LETTER`] bytes, or [`LONGEST_FIRST_CONTACT`] if any
    /// address is a first contact.
    pub bytes: Vec<u8>,
    /// How hurried.
    pub urgency: Urgency,
    /// How long to keep at it.
    pub keep: Keep,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Letter(..)")
    }
}

/// Why a letter was not posted. Nothing was stored, except that a failure of
/// storage voids the transaction as always.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    /// The letter names no address.
    #[error("a letter without an address")]
    NoAddress,
    /// The letter names more addresses than [`MOST_ADDRESSES`].
    #[error("a letter with {0} addresses")]
    TooManyAddresses(usize),
    /// The letter is longer than such a letter may be.
    #[error("a letter of {got} bytes where at most {most} may be sent")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// Storage failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A letter that came, whole and for the first time.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    /// Where it came in.
    pub mailbox: MailboxId,
    /// The sender's mark of this letter, the same on every network.
    pub repeat: RepeatId,
    /// Whether it was sealed to an invitation's public key, as a stranger does.
    pub first_contact: bool,
    /// The letter.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Incoming")
            .field("mailbox", &self.mailbox)
            .field("first_contact", &self.first_contact)
            .finish_non_exhaustive()
    }
}

/// What the post office tells the room above, inside the same transaction.
#[derive(Clone, Debug)]
pub enum OfficeEvent {
    /// A letter came. Its acknowledgement is already among the commands, which
    /// the driver sends only after commit.
    Incoming(Incoming),
    /// A letter came once more. Where that is long after it first did, its
    /// sender may not have got what answered it.
    Again {
        /// Where it came in.
        mailbox: MailboxId,
        /// The sender's mark of this letter.
        repeat: RepeatId,
    },
    /// A network took responsibility for the whole letter, told once a letter.
    Accepted {
        /// Which letter.
        letter: LetterId,
        /// The network.
        network: NetworkTag,
    },
    /// A letter moved on.
    Progress {
        /// Which letter.
        letter: LetterId,
        /// The network.
        network: NetworkTag,
        /// How far.
        stage: Stage,
    },
    /// No address is left that could be written to; the letter is given up and
    /// forgotten.
    Failed {
        /// Which letter.
        letter: LetterId,
        /// Why the last address failed.
        reason: SendFailure,
        /// The addresses that were tried: who knows others by now may post
        /// again.
        tried: Vec<Address>,
    },
    /// An event about mailboxes and cards, which the office only passes on.
    Network {
        /// The network.
        network: NetworkTag,
        /// What it told.
        event: NetworkEvent,
    },
}

/// How far one address of a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteState {
    /// Held back until the addresses before it have had their time.
    Waiting,
    /// Held back as a last resort.
    Reserved,
    /// Being sent, or waiting for its turn or for the next try.
    Sending,
    /// The network took responsibility for every part.
    Accepted {
        /// When.
        at: Timestamp,
    },
    /// Cannot be reached, for good.
    Failed(SendFailure),
}

/// What is known of one address of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteRecord {
    /// The network.
    pub network: NetworkTag,
    /// How far.
    pub state: RouteState,
    /// What the network said last of an envelope not yet accepted.
    pub stage: Option<Stage>,
    /// When it was begun with in this run.
    pub begun: Option<Timestamp>,
    /// Envelopes handed to the network in this run.
    pub attempts: u32,
    /// Why the latest attempt in this run failed, if it did.
    pub last_failure: Option<SendFailure>,
    /// Envelopes of this letter the network has accepted.
    pub accepted_parts: u16,
    /// Envelopes this letter takes on this network.
    pub parts: u16,
}

/// What is known of a letter in the outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// When it was posted.
    pub posted: Timestamp,
    /// When a network first took responsibility.
    pub accepted: Option<Timestamp>,
    /// One record for each address, in the order given.
    pub routes: Vec<RouteRecord>,
}
