//! What `GET /v1/events` tells, one document a line.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conversation::Conversation;
use crate::device::{Devices, DevicesUnchanged};
use crate::group::{Group, GroupUnchanged};
use crate::kind::ErrorKind;
use crate::profile::NameChanged;
use crate::view::{Contact, Introduction, KeyChange, Message, Mode, Request};

/// Something that happened; `event` names which. Readers pass over those they do
/// not know: others are added.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The first of a stream: nothing is missed from here on.
    Watching,
    /// The reader was too slow and missed some.
    Missed {
        /// How many.
        count: u64,
    },
    /// A contact is new or stands otherwise.
    Contact(Contact),
    /// What can be shown to others of a conversation changed, or who wishes it,
    /// or their key.
    Mode(Mode),
    /// The key of a contact, or what else their safety number says, is another one.
    KeyChanged(KeyChangedEvent),
    /// A contact calls themselves otherwise.
    NameChanged(NameChanged),
    /// A group is new or otherwise: members, stewards, name, or whether I am in it.
    Group(Group),
    /// A contact asks me into a group.
    GroupOffered(Request),
    /// A change of a group that I wanted cannot be had.
    GroupUnchanged(GroupUnchanged),
    /// The devices of the account are others, or a link got further.
    Devices(Devices),
    /// A device that I wanted let in or revoked cannot be.
    DevicesUnchanged(DevicesUnchanged),
    /// A contact offers to introduce somebody, or such an offer got further.
    Introduction(Request),
    /// Somebody who was to be introduced to me cannot be met.
    IntroductionFailed {
        /// Number of the offer.
        request: u64,
        /// What they are called by who introduces.
        name: String,
        /// Who introduces.
        introduced_by: String,
        /// Coarse kind, see [`ErrorKind`].
        #[schemars(with = "ErrorKind")]
        kind: String,
        /// What happened.
        message: String,
        /// What to do.
        advice: String,
    },
    /// An introduction of mine got further.
    Introducing(Introduction),
    /// Somebody I was introduced to was told other things than I was.
    IntroductionDisputed {
        /// Id of the contact I met.
        contact: Option<String>,
        /// Their shown name.
        name: String,
        /// What to do.
        advice: String,
    },
    /// A stranger asks to write to me.
    Request {
        /// Number to accept or refuse it by.
        request: u64,
        /// The name they gave themselves.
        name: String,
    },
    /// A stranger's request was given up: it was too old, or is of a backup that
    /// was put back.
    RequestLapsed {
        /// Its number.
        request: u64,
    },
    /// A link could not be opened, or was not answered.
    JoinFailed {
        /// Id of the contact it would have been.
        contact: Option<String>,
        /// Coarse kind, see [`ErrorKind`].
        #[schemars(with = "ErrorKind")]
        kind: String,
        /// What happened.
        message: String,
        /// What to do.
        advice: String,
    },
    /// A message appeared, mine or somebody's.
    Message(MessageEvent),
    /// A message is shown otherwise: edited, deleted, reacted to.
    Changed(Message),
    /// How far a message of mine has come.
    State {
        /// Its id.
        message: String,
        /// Its state, as in [`Sent`](crate::view::Sent).
        #[schemars(extend("enum" = ["queued", "accepted", "delivered", "read", "failed"]))]
        state: String,
        /// Why it failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A conversation cannot go on.
    Broken {
        /// Number of the contact.
        contact: String,
        /// Why.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// A message of mine is under way.
    Progress {
        /// Its id.
        message: String,
        /// Which network.
        network: String,
        /// What happened.
        stage: String,
    },
    /// A link of mine cannot be used any more, though nobody used it.
    InvitationEnded {
        /// Its number.
        invitation: u64,
        /// Why.
        reason: String,
        /// What to do.
        advice: String,
    },
    /// A mailbox could not be opened, or was lost.
    MailboxTrouble {
        /// Which network.
        network: String,
        /// Number of the link whose mailbox it is.
        invitation: Option<String>,
        /// Why.
        reason: String,
    },
    /// Something somebody wrote was dropped.
    Dropped {
        /// Id of the contact, where it is known.
        contact: Option<String>,
        /// Why.
        reason: String,
    },
    /// A message disappeared: its time was over.
    Disappeared {
        /// Its id.
        message: String,
    },
    /// A conversation is kept otherwise.
    Conversation(Conversation),
    /// Somebody is writing.
    Typing {
        /// Id of the contact or group.
        contact: Option<String>,
        /// Shown name of who it is.
        from: String,
    },
    /// A contact, a group or the offer of one was removed.
    Removed {
        /// Its id.
        contact: Option<String>,
        /// What it was called.
        #[serde(default)]
        name: Option<String>,
    },
    /// One this program is too old to know.
    #[serde(other)]
    #[schemars(skip)]
    Unknown,
}

/// A changed identity, and whose.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct KeyChangedEvent {
    /// Id of the contact.
    pub contact: Option<String>,
    /// Their shown name.
    pub name: String,
    /// What changed.
    #[serde(flatten)]
    pub change: KeyChange,
}

/// A message that appeared, and where.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MessageEvent {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The message before it; none where it is the first.
    pub after: Option<String>,
    /// Whether it is the last of its conversation.
    pub last: bool,
    /// Whether it is to draw no attention.
    #[serde(default)]
    pub quiet: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_a_newer_daemon_is_no_error() {
        let event = serde_json::from_str(r#"{"event":"comet","tail":7}"#);
        assert!(matches!(event, Ok(Event::Unknown)));
    }
}
