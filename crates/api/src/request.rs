//! What callers send: bodies and query values. Whatever is not known is refused:
//! passed over, it would be done otherwise than meant.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Of a call that takes nothing.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A name to give.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameBody {
    /// The name.
    pub name: String,
}

/// A relay to use.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerBody {
    /// Its address, with the password for new mailboxes if it wants one.
    pub address: String,
    /// Whether to use it though it may not work now.
    #[serde(default)]
    pub unchecked: bool,
}

/// Which relay to test.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestBody {
    /// Its address; without one, all in use.
    pub address: Option<String>,
}

/// What link to make.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteBody {
    /// Whether many may use it.
    #[serde(default)]
    pub reusable: bool,
    /// Name or id of the group it leads into. Whoever uses a link that works once
    /// gets in; of others each waits among the requests.
    pub group: Option<String>,
    /// Whether of many, too, everybody gets into the group without being asked about.
    #[serde(default)]
    pub open: bool,
}

/// A link to open.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JoinBody {
    /// The link.
    pub link: String,
    /// Whether to enter the group that it leads into, if any, without being asked
    /// again. Otherwise the offer waits among the requests.
    #[serde(default)]
    pub enter_group: bool,
    /// Whether to wait until they answered.
    #[serde(default)]
    pub wait: bool,
    /// For how many seconds to wait for the link's server, and for them; 60 if
    /// not given.
    pub timeout: Option<u64>,
}

/// A message to send.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendBody {
    /// Name or id of the contact.
    pub to: String,
    /// What to say.
    pub text: String,
    /// Id of the message it answers, or a beginning of it that no other has.
    pub reply_to: Option<String>,
    /// How far it should have come before the call returns.
    pub wait: Option<Stage>,
    /// For how many seconds to wait for that; 60 if not given.
    pub timeout: Option<u64>,
}

/// How far a message should have come before a call returns.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// A network took responsibility.
    Accepted,
    /// The recipient's signed receipt came.
    Delivered,
    /// The recipient's signed receipt says it was read.
    Read,
}

/// The new text of a message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TextBody {
    /// The text.
    pub text: String,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReactionBody {
    /// One emoji or a short word; empty to take it back.
    pub reaction: String,
}

/// A safety number somebody read out, or its code.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberBody {
    /// Its sixty digits, in any grouping, or `hushwing:v#…`.
    pub number: String,
}

/// What a conversation shall be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ModeBody {
    /// The mode.
    pub mode: ModeName,
}

/// What can be shown to others of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ModeName {
    /// Nothing beyond what the encryption itself signs.
    Normal,
    /// Every message and receipt, by a signature of its own.
    Provable,
    /// Nothing at all: what is said is off the record.
    Otr,
}

/// Two contacts to introduce to each other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntroduceBody {
    /// Name or id of the one.
    pub one: String,
    /// Name or id of the other.
    pub other: String,
    /// What to say to both about it, at most 512 bytes of it.
    pub word: Option<String>,
}

/// The value of a switch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueBody {
    /// `on` or `off`.
    pub value: String,
}

/// How to list relays.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServersQuery {
    /// Whether addresses come with their passwords.
    #[serde(default)]
    pub passwords: bool,
}

/// Which relay to use no longer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressQuery {
    /// Its address, or a part of it that no other has.
    pub address: String,
}

/// How much to read.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadQuery {
    /// How many of the newest messages; at most 10,000 are given.
    #[serde(default = "fifty")]
    pub n: u32,
}

impl Default for ReadQuery {
    fn default() -> Self {
        Self { n: fifty() }
    }
}

const fn fifty() -> u32 {
    50
}
