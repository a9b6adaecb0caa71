//! What sessions ask the engine and what it says.

use core::fmt;
use std::sync::Arc;

use super::record::{Id, QueueRecord, QueueRow};
use super::storage::{StoredLink, StoredMessage};
use crate::wire::key::AuthKey;
use crate::wire::{BoxKey, DhPublic, QueueMode, SmpError};

/// The driver's name for a connection; never used twice in one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// A session's name for a request, so that the answer finds its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// `NEW` with everything that had to be drawn or agreed.
pub struct NewQueueRequest {
    /// Name for the recipient, drawn by the session.
    pub recipient_id: Id,
    /// Name for the sender.
    pub sender_id: Id,
    /// The recipient's key; it authorised the command.
    pub recipient_key: AuthKey,
    /// Boxes delivered messages.
    pub box_key: BoxKey,
    /// The server's half of that agreement, for the answer.
    pub server_dh: DhPublic,
    /// What the queue is for.
    pub mode: Option<QueueMode>,
    /// Whether the connection is subscribed at once.
    pub subscribe: bool,
    /// Link id and data.
    pub link: Option<(Vec<u8>, StoredLink)>,
    /// Whether the client chose an id, so that a collision is its business.
    pub chosen: bool,
}

/// A command that the recipient's key authorised.
pub enum RecipientCommand {
    /// `SUB`.
    Subscribe,
    /// `KEY`.
    Secure(AuthKey),
    /// `RKEY`: from now on these keys authorise.
    SetKeys(Vec<AuthKey>),
    /// `LSET`.
    SetLink {
        /// The link's id.
        link_id: Vec<u8>,
        /// Its data.
        link: StoredLink,
    },
    /// `LDEL`.
    DeleteLink,
    /// `GET`.
    Get,
    /// `ACK` with the id in it.
    Acknowledge(Vec<u8>),
    /// `OFF`.
    Suspend,
    /// `DEL`.
    Delete,
    /// `QUE`.
    Inspect,
}

/// A command whose authorisation was checked.
pub enum Request {
    /// `NEW`.
    Create(Box<NewQueueRequest>),
    /// A command of the recipient.
    Recipient {
        /// The queue.
        queue: QueueRow,
        /// The key that authorised it.
        key: AuthKey,
        /// The command.
        command: RecipientCommand,
    },
    /// `SKEY`, authorised with `key` itself.
    SecureBySender {
        /// The queue.
        queue: QueueRow,
        /// The key to set.
        key: AuthKey,
    },
    /// `SEND`.
    Send {
        /// The queue.
        queue: QueueRow,
        /// The key that authorised it; `None` if nothing did.
        key: Option<AuthKey>,
        /// Whether a notifier may be told.
        notify: bool,
        /// The body, within the version's limit.
        body: Arc<[u8]>,
    },
    /// `LKEY`, authorised with `key` itself.
    ReserveLink {
        /// The queue behind the link.
        queue: QueueRow,
        /// The key to set.
        key: AuthKey,
    },
    /// `LGET`.
    ReadLink {
        /// The queue behind the link.
        queue: QueueRow,
    },
}

impl Request {
    /// Whether later commands of the session may be judged by what this one
    /// changes, so that their look-ups must wait for its answer.
    #[must_use]
    pub fn changes_keys(&self) -> bool {
        match self {
            Self::Create(_) | Self::SecureBySender { .. } | Self::ReserveLink { .. } => true,
            Self::Recipient { command, .. } => matches!(
                command,
                RecipientCommand::Secure(_)
                    | RecipientCommand::SetKeys(_)
                    | RecipientCommand::SetLink { .. }
            ),
            Self::Send { .. } | Self::ReadLink { .. } => false,
        }
    }
}

/// A message on its way to the recipient.
#[derive(Clone)]
pub struct Delivery {
    /// The queue it is from; has the key of its box.
    pub queue: Arc<QueueRecord>,
    /// The message.
    pub message: StoredMessage,
}

/// What the engine answers to a request.
pub enum Answer {
    /// `IDS`.
    Created {
        /// The queue.
        queue: Arc<QueueRecord>,
        /// The server's half of the agreement.
        server_dh: DhPublic,
    },
    /// `SOK`.
    Subscribed,
    /// `OK`.
    Done,
    /// `MSG`.
    Message(Delivery),
    /// `LNK`.
    Link {
        /// The sender's name for the queue.
        sender_id: Id,
        /// Its data.
        link: StoredLink,
    },
    /// `INFO` with this JSON.
    Info(String),
    /// `ERR`.
    Refused(SmpError),
}

/// What the engine says unasked.
pub enum Event {
    /// `MSG`.
    Message(Delivery),
    /// `END`: another connection has the subscription now.
    Ended(Id),
    /// `DELD`: another connection deleted the queue.
    Deleted(Id),
}

/// One thing for one connection.
pub enum Output {
    /// The answer to the request with this ticket.
    Answer(Ticket, Answer),
    /// An event.
    Event(Event),
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Created { .. } => "Created(..)",
            Self::Subscribed => "Subscribed",
            Self::Done => "Done",
            Self::Message(_) => "Message(..)",
            Self::Link { .. } => "Link(..)",
            Self::Info(_) => "Info(..)",
            Self::Refused(error) => return write!(f, "Refused({error:?})"),
        })
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message(_) => "Message(..)",
            Self::Ended(_) => "Ended(..)",
            Self::Deleted(_) => "Deleted(..)",
        })
    }
}
