//! Documents and bodies about conversations as a whole: how one is kept, what is
//! looked for in all of them, what a message said before.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::view::Message;

/// How a conversation is kept.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Conversation {
    /// Id of the conversation.
    pub conversation: String,
    /// Id of the contact or group.
    pub contact: String,
    /// What it is: `contact` or `group`.
    pub kind: String,
    /// Beginning of that id, as long as tells it apart from those of all others.
    pub short: String,
    /// Shown name.
    pub name: String,
    /// How many messages of others were not read yet.
    pub unread: u64,
    /// Whether it is to be looked at again, though all was read.
    pub marked_unread: bool,
    /// Seconds after reading until what is said now disappears; none if it stays.
    pub disappear_after: Option<u32>,
    /// Since when nothing is heard from the other side, RFC 3339 UTC.
    pub blocked_since: Option<String>,
    /// Whether it is out of sight until something new comes.
    pub archived: bool,
    /// Whether it is shown before others.
    pub pinned: bool,
    /// Until when nothing new is to draw attention, RFC 3339 UTC.
    pub muted_until: Option<String>,
    /// Ids of messages to be found again, oldest pin first.
    pub pinned_messages: Vec<String>,
    /// What was begun to write.
    pub draft: Option<Draft>,
}

/// What was begun to write.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Draft {
    /// The text so far.
    pub text: String,
    /// Id of the message it answers.
    pub reply_to: Option<String>,
}

/// A text that a message had.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Version {
    /// The text.
    pub text: String,
    /// Since when, RFC 3339 UTC, as its author says.
    pub sent_at: String,
}

/// What a person may hand on who reports somebody. It stays on this machine.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Version of this document: 1.
    pub version: u32,
    /// When it was made, RFC 3339 UTC.
    pub made_at: String,
    /// Shown name of who or which group is reported.
    pub name: String,
    /// Id of the contact or group.
    pub contact: String,
    /// Sixty digits that fix both keys of a conversation of two, where they are known.
    pub safety_number: Option<String>,
    /// What was said, oldest first.
    pub messages: Vec<Reported>,
}

/// A message of a report.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Reported {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// The texts it had, oldest first, where it was edited.
    pub history: Vec<Version>,
}

/// A contact that was removed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Id of who was removed.
    pub removed: String,
}

/// That something was done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

/// What to look for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchQuery {
    /// Words that all have to be found, at most 1,024 bytes. None has a special
    /// meaning.
    pub text: String,
    /// Name or id of the contact in whose conversation to look; all if not given.
    #[serde(rename = "in")]
    pub within: Option<String>,
    /// How many of the last found; at most 1,000 are given, 50 if not said.
    pub n: Option<u32>,
}

/// How long messages stay.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimerBody {
    /// Seconds after reading, at most 31,622,400 (366 days); 0 if they stay.
    pub seconds: u32,
}

/// Whether something holds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OnBody {
    /// Whether it does.
    pub on: bool,
}

/// For how long nothing new draws attention.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MuteBody {
    /// Whether it is muted.
    pub on: bool,
    /// For how many seconds; without end if not given.
    pub seconds: Option<u64>,
}

/// What was begun to write.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftBody {
    /// The text so far; empty if there is none any more.
    pub text: String,
    /// Id of the message it answers, or a beginning of it that no other has.
    pub reply_to: Option<String>,
}

/// How much to report.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportQuery {
    /// How many of the newest messages; at most 10,000, 200 if not said.
    pub n: Option<u32>,
}
