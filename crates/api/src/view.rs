//! The JSON documents of the local API: what the command line prints with
//! `--json` and what the page reads. Field names are a contract; fields are
//! added, never renamed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use crate::acquaintance::{Contact, Introduction, KeyChange, Request, Safety};
use crate::group::{Counts, MemberReached};
use crate::kind::ErrorKind;
pub use crate::profile::{FormerName, Profile};

/// `GET /v1/status`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Version of the running daemon.
    pub version: String,
    /// Every profile of this home.
    pub profiles: Vec<Profile>,
    /// What each network is doing.
    pub networks: Networks,
    /// Who cannot write to me, because a relay lost the mailbox they know.
    pub lost_mailboxes: Vec<LostMailbox>,
    /// Address of the local page, once there is one.
    pub web: Option<String>,
    /// Address of the local Jabber server, once there is one.
    pub xmpp: Option<String>,
}

/// A conversation that lost its mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LostMailbox {
    /// The profile it belongs to.
    pub profile: String,
    /// Shown name of the contact.
    pub name: String,
}

/// The networks of a running daemon.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Networks {
    /// SMP queue servers.
    pub relay: RelayStatus,
}

/// How the relay network stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RelayStatus {
    /// Address of the embedded relay, where this home has one.
    pub embedded: Option<String>,
    /// Why the embedded relay does not run though it should.
    #[serde(default)]
    pub embedded_problem: Option<FailureBody>,
    /// Servers in use for new mailboxes, without their passwords.
    pub servers: Vec<String>,
    /// How each profile stands with each relay it has to do with.
    #[serde(default)]
    pub relays: Vec<Relay>,
}

/// How a profile stands with one relay.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Relay {
    /// Its number in the log, which names no host; good until the daemon ends.
    pub number: usize,
    /// Whose connection.
    pub profile: String,
    /// Its address, without password.
    pub address: String,
    /// Its host and port.
    pub place: String,
    /// Whether it is the embedded one.
    pub embedded: bool,
    /// How many mailboxes lie there; none where only contacts have theirs.
    pub mailboxes: usize,
    /// Whether it is used for no new ones, and those there are being replaced.
    #[serde(default)]
    pub leaving: bool,
    /// `idle`, `connecting`, `connected`, `unreachable`, or `wrong_server` if
    /// another server answers there.
    #[schemars(extend("enum" = ["idle", "connecting", "connected", "unreachable", "wrong_server"]))]
    pub state: String,
    /// Since when it is connected or not, RFC 3339 UTC.
    pub since: Option<String>,
    /// What is the matter.
    pub problem: Option<String>,
    /// When it is tried again, RFC 3339 UTC.
    pub next_try: Option<String>,
}

/// `POST /v1/invitations`, and one row of `GET /v1/invitations`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Invitation {
    /// Number to take it down by.
    pub invitation: u64,
    /// The link to give away.
    pub link: String,
    /// End of its life, RFC 3339 UTC.
    pub expires: String,
    /// Whether many may use it.
    pub reusable: bool,
    /// Name of the group it leads into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Whether everybody who has it gets into that group without being asked about.
    #[serde(default)]
    pub open: bool,
    /// Whether only programs on this machine reach the relay it names.
    pub this_machine_only: bool,
    /// Why nobody can use it any more, though nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}

/// `POST /v1/joins`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Joined {
    /// Id of the new contact.
    pub contact: String,
    /// Id of the conversation with them.
    pub conversation: String,
    /// The name the link shows.
    pub name: String,
    /// `asked` while they have to accept, else `joined`.
    #[schemars(extend("enum" = ["asked", "joined"]))]
    pub state: String,
    /// Whether the link is now reserved for this profile and useless to others.
    pub reserved: bool,
    /// Name of the group the link leads into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

/// `GET /v1/contacts/NAME/mode`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mode {
    /// Shown name.
    pub name: String,
    /// What holds now: `provable` or `otr` while both wish it, else `normal`.
    #[schemars(extend("enum" = ["normal", "provable", "otr"]))]
    pub mode: String,
    /// What I wish.
    #[schemars(extend("enum" = ["normal", "provable", "otr"]))]
    pub mine: String,
    /// What they wish.
    #[schemars(extend("enum" = ["normal", "provable", "otr"]))]
    pub theirs: String,
    /// The key I sign with here, 64 hexadecimal digits; none before my first wish.
    pub my_key: Option<String>,
    /// The key they told last.
    pub their_key: Option<String>,
    /// Whether they told another one before.
    pub their_key_changed: bool,
}

/// `GET /v1/messages/ID/proof`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Proof {
    /// Id of the message.
    pub message: String,
    /// The text of the proof file.
    pub proof: String,
    /// How many signed receipts it holds.
    pub receipts: usize,
}

/// What a proof file shows: `hushwing check-proof FILE --json`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Proved {
    /// `message`, `edit`, `delete`, `reaction` or `reaction removed`.
    pub kind: String,
    /// Its text, or the reaction; empty where it has none.
    pub text: String,
    /// Id of the message it answers or changes.
    pub about: Option<String>,
    /// Key of who said it, 64 hexadecimal digits.
    pub author: String,
    /// Key of whom it was said to.
    pub audience: String,
    /// Id of the conversation.
    pub conversation: String,
    /// When, RFC 3339 UTC, as the author says.
    pub said_at: String,
    /// What the audience confirmed.
    pub received: Vec<Confirmed>,
}

/// A signed receipt in a proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmed {
    /// `delivered` or `read`.
    pub state: String,
    /// When, RFC 3339 UTC, as the audience says.
    pub at: String,
}

/// `POST /v1/messages`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Sent {
    /// Id of the message.
    pub message: String,
    /// `queued`, `accepted`, `delivered`, `read` or `failed`.
    #[schemars(extend("enum" = ["queued", "accepted", "delivered", "read", "failed"]))]
    pub state: String,
    /// Whether nobody else was in the group, or read the channel, to get it.
    #[serde(default)]
    pub alone: bool,
}

/// `GET /v1/messages/ID/where`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Where {
    /// State of the message, as in [`Message`].
    pub state: String,
    /// What is known of its way, oldest first.
    pub progress: Vec<Progress>,
    /// The addresses it goes to while it is under way; afterwards kept for a
    /// while where it took more than one.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// How far it got to each: of own messages in a group, and of posts to a list.
    #[serde(default)]
    pub members: Vec<MemberReached>,
    /// Whether nobody else was in the group, or read the channel, to get it.
    #[serde(default)]
    pub alone: bool,
    /// Whether another device of yours said it: that one knows how far it got.
    #[serde(default)]
    pub elsewhere: bool,
}

/// One address of a contact to which a message went, or is to go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Which network.
    pub network: String,
    /// Which of their addresses, from 1 in the order they told; none if they
    /// have given it up since.
    pub address: Option<u8>,
    /// Whether it is one for the last resort.
    pub recovery: bool,
    /// `waiting`, `sending`, `trying` again after a failure, `accepted`, or
    /// `failed` for good.
    pub stage: String,
    /// What went wrong there last.
    pub problem: Option<String>,
    /// When it was begun with, RFC 3339 UTC; none if in an earlier run.
    pub begun: Option<String>,
    /// When the network took responsibility, RFC 3339 UTC.
    pub accepted: Option<String>,
}

/// `POST /v1/conversations/NAME/rotate`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Rotation {
    /// Shown name of the contact or group.
    pub name: String,
    /// How many mailboxes of this device are replaced by this call.
    pub mailboxes: usize,
    /// `replaced` now; `awaited`, replaced once a server makes new ones again; `under_way`
    /// since before; `fresh`, as others gave way to them within a day; `staying`, as in a
    /// group this large few write to who passes nothing on; `missing`, none is there yet.
    pub mailboxes_are: String,
    /// Of this device. `renewed`; `waiting` for the turn, which the other side's next new keys
    /// give; `soon`, once a server took and gave something; `after_others`, once others made
    /// some changes in the group, which may be long, for who is no steward; `alone` if nobody
    /// else is there to have them.
    pub keys: String,
}

/// One stage on the way of a message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Which network; `conversation` for what its members said.
    pub network: String,
    /// What happened.
    pub stage: String,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// Whether a signature proves it.
    pub verified: bool,
}

/// One row of `GET /v1/conversations/NAME/messages`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Id of the message.
    pub id: String,
    /// Beginning of that id, as long as tells it apart from all others now.
    pub short: String,
    /// Id of the conversation.
    pub conversation: String,
    /// Shown name of the contact it was said to or by.
    pub with: String,
    /// Shown name of its author; `me` for own ones.
    pub from: String,
    /// When its author sent it, RFC 3339 UTC, as the author says.
    pub sent_at: String,
    /// Its text as last edited; empty when deleted.
    pub text: String,
    /// State, as in [`Sent`]; `received` for those of others, and of your other devices.
    pub state: String,
    /// To how many members it got how far, of own messages in a group.
    #[serde(default)]
    pub reached: Option<Counts>,
    /// Whether another device of yours said it: that one knows how far it got.
    #[serde(default)]
    pub elsewhere: bool,
    /// Files, once there are any.
    pub attachments: Vec<serde_json::Value>,
    /// The message it answers.
    pub reply_to: Option<String>,
    /// What it answers, where that is here.
    pub answered: Option<Quote>,
    /// Whether it was edited.
    pub edited: bool,
    /// Whether it was deleted.
    pub deleted: bool,
    /// Whether its text is signed so that others can check it; left out where the
    /// conversation was not provable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provable: Option<bool>,
    /// Whether it was said off the record, so that nobody can show it to others.
    #[serde(default)]
    pub off_the_record: bool,
    /// Whether it was said before I came, and somebody handed it on: who said it is
    /// their word.
    #[serde(default)]
    pub handed_on: bool,
    /// Reactions in order.
    pub reactions: Vec<Reaction>,
    /// What it tells of the conversation itself, if it is not somebody's text.
    #[serde(default)]
    pub notice: Option<Notice>,
    /// Who is named in the text, in order.
    #[serde(default)]
    pub mentions: Vec<Mention>,
    /// When it will have disappeared, RFC 3339 UTC, once its time runs.
    #[serde(default)]
    pub disappears_at: Option<String>,
}

/// What a message tells of the conversation itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// `disappear`: from here on messages disappear.
    pub kind: String,
    /// After how many seconds from reading; 0: they stay.
    pub seconds: u32,
}

/// A person named in a text.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Mention {
    /// First byte of the name in the text.
    pub start: usize,
    /// The byte after it.
    pub end: usize,
    /// Shown name of who is meant; `me` for the reader.
    pub who: String,
}

/// What a message answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Quote {
    /// Beginning of its id, as in [`Message`].
    pub short: String,
    /// Shown name of its author; `me` for own ones.
    pub from: String,
    /// The beginning of its text, on one line; empty when deleted.
    pub text: String,
    /// Whether it was deleted.
    pub deleted: bool,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reaction {
    /// Shown name of who reacted; `me` for own ones.
    pub from: String,
    /// The reaction, usually one emoji.
    pub reaction: String,
}

/// One server of `GET /v1/servers`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Server {
    /// Its address; without password, unless that was asked for.
    pub address: String,
    /// Profile it serves; `null` when all.
    pub profile: Option<String>,
    /// Whether a password for new mailboxes is known.
    #[serde(default)]
    pub password: bool,
}

/// `POST /v1/servers`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerAdded {
    /// Its address, without password.
    pub address: String,
    /// Profile it serves; `null` when all.
    pub profile: Option<String>,
    /// Whether a password for new mailboxes is known.
    pub password: bool,
    /// Whether it took the place of the same relay with another password.
    pub replaced: bool,
    /// Whether it was tried first.
    pub checked: bool,
}

/// `POST /v1/servers/test`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ServerTest {
    /// The address tested.
    pub address: String,
    /// Each step with its milliseconds, in order.
    pub steps: Vec<TestStep>,
}

/// One step of a server test.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct TestStep {
    /// What was tried.
    pub step: String,
    /// How long it took.
    pub millis: u64,
    /// Whether it worked.
    pub ok: bool,
    /// What went wrong, if it did not.
    pub problem: Option<String>,
    /// The kind of that, see [`ErrorKind`].
    #[serde(default)]
    #[schemars(with = "Option<ErrorKind>")]
    pub kind: Option<String>,
}

/// `POST /v1/shutdown`
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Stopping {
    /// Always.
    pub stopping: bool,
}

/// `DELETE /v1/invitations/NUMBER`
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Revoked {
    /// Number of the link that was taken down.
    pub revoked: u64,
}

/// `POST /v1/requests/NUMBER/refuse`
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Refused {
    /// Number of the request that was turned away.
    pub refused: u64,
}

/// One row of `GET /v1/doctor`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// What was looked at.
    pub check: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What to do if it is not.
    pub advice: Option<String>,
}

impl Check {
    /// One that found nothing wrong.
    #[must_use]
    pub fn good(check: &str) -> Self {
        Self {
            check: check.to_owned(),
            ok: true,
            advice: None,
        }
    }

    /// One that found a fault.
    #[must_use]
    pub fn bad(check: &str, advice: &str) -> Self {
        Self {
            check: check.to_owned(),
            ok: false,
            advice: Some(advice.to_owned()),
        }
    }
}

/// The body of every error answer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The error.
    pub error: FailureBody,
}

/// What an error answer tells.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct FailureBody {
    /// Coarse kind, see [`ErrorKind`].
    #[schemars(with = "ErrorKind")]
    pub kind: String,
    /// What happened.
    pub message: String,
    /// What to do.
    pub advice: String,
    /// The message it is about, if about one.
    #[serde(flatten)]
    pub reached: Option<Reached>,
}

/// How far a message is that an error is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reached {
    /// Id of the message.
    pub id: String,
    /// Its state, as in [`Sent`].
    pub state: String,
}
