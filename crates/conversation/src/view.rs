//! What faces show.

mod devices;
mod list;
mod profile;

use core::fmt;

use hushwing_delivery::NetworkTag;
use hushwing_sansio::Timestamp;

use crate::content::{Mode, ShortId};
use crate::proof::PublicIdentity;
use crate::storage::{Compared, IdentityChange, OfferState};
use crate::{
    ContactId, ConversationId, EndReason, InvitationId, MemberId, MessageId, MessageState, RoomId,
    RoomStanding, Secret, Standing,
};

pub use devices::{DeviceView, DevicesView, HistoryView, LinkView};
pub use list::{CopyReached, ListPostView, ListView};
pub use profile::{FaceView, MyProfileView};

/// An invitation as shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvitationView {
    /// Its name in commands.
    pub invitation: InvitationId,
    /// The link to give away.
    pub link: Secret,
    /// Whether many may use it.
    pub reusable: bool,
    /// The room it leads into.
    pub room: Option<RoomId>,
    /// Whether whoever has it gets into that room without being asked about.
    pub open: bool,
    /// Until when it can be used.
    pub expires: Timestamp,
    /// Why nobody can use it any more.
    pub ended: Option<EndReason>,
}

/// A contact as shown. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq)]
pub struct ContactView {
    /// Its name in commands.
    pub contact: ContactId,
    /// The conversation with them, the same on both sides.
    pub conversation: ConversationId,
    /// The name shown.
    pub name: String,
    /// How far it is established.
    pub standing: Standing,
    /// Whether the safety number was compared.
    pub verified: bool,
    /// When and how, and what became of the number.
    pub identity: IdentityView,
    /// What they show of themselves.
    pub face: Box<FaceView>,
    /// Who introduced them, if anybody did.
    pub introduced: Option<Box<IntroducedView>>,
    /// What the room is called whose link one of us opened.
    pub group: Option<Box<str>>,
    /// Whether the "no forward secrecy yet" mark stands.
    pub no_forward_secrecy: bool,
    /// Whether a network lost the mailbox they write to and they are not known
    /// to write to another yet: what they say now does not arrive.
    pub mailbox_lost: bool,
    /// Letters of theirs that were dropped since the program started.
    pub dropped: u64,
    /// Their devices in this conversation.
    pub devices: usize,
    /// Whether nothing is heard from them, because I chose so.
    pub blocked: bool,
    /// The networks by which I can write to them.
    pub networks: Vec<NetworkTag>,
    /// What can be shown to others of the conversation.
    pub mode: ModeView,
    /// Since when.
    pub since: Timestamp,
}

/// How somebody came to be a contact by an introduction. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq)]
pub struct IntroducedView {
    /// What whoever introduced them was called then.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Whether they were told the same as I; `None` before they said.
    pub agrees: Option<bool>,
}

impl fmt::Debug for IntroducedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntroducedView")
            .field("agrees", &self.agrees)
            .finish_non_exhaustive()
    }
}

/// An introduction offered to me, as shown. `Debug` hides names and words.
#[derive(Clone, PartialEq, Eq)]
pub struct OfferView {
    /// Its number in commands.
    pub request: u64,
    /// Who offers it.
    pub by: ContactId,
    /// What they are called.
    pub by_name: String,
    /// What they call the other.
    pub name: String,
    /// What they say about it.
    pub word: Option<String>,
    /// When it came.
    pub since: Timestamp,
    /// How far it is.
    pub state: OfferState,
    /// Whether a contact of mine has that name: it may be them, or somebody else.
    pub name_known: bool,
}

impl fmt::Debug for OfferView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OfferView")
            .field("request", &self.request)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// An introduction of mine, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IntroductionView {
    /// Its number.
    pub introduction: u64,
    /// Who makes the link.
    pub inviter: ContactId,
    /// Who opens it.
    pub joiner: ContactId,
    /// Since when.
    pub since: Timestamp,
    /// Whether both agreed; who did alone is not told.
    pub agreed: bool,
    /// Whether the link was passed on.
    pub passed: bool,
}

/// By what a contact is known, as shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdentityView {
    /// When the safety number was compared last, and how, if it is the one of
    /// now.
    pub verified: Option<(Timestamp, Compared)>,
    /// They were verified until then, and were not compared again.
    pub withdrawn: Option<Timestamp>,
    /// Since when their key is known here; `None` before there is one.
    pub key_since: Option<Timestamp>,
    /// How the identity changed, the newest last; the oldest are forgotten.
    pub changes: Vec<IdentityChange>,
}

impl fmt::Debug for ContactView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContactView")
            .field("contact", &self.contact)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

/// How a conversation is kept, as shown. `Debug` hides names and drafts.
#[derive(Clone, PartialEq, Eq)]
pub struct ConversationView {
    /// Its name in commands.
    pub conversation: ConversationId,
    /// With whom, or in which room ([`RoomId::place`]).
    pub contact: ContactId,
    /// The room, if it is one.
    pub room: Option<RoomId>,
    /// The channel it is, if it is one.
    pub channel: Option<RoomId>,
    /// The name shown.
    pub name: String,
    /// How many messages of others were not read yet.
    pub unread: u64,
    /// Whether it is to be looked at again, though all was read.
    pub marked_unread: bool,
    /// Seconds after reading until what is said now disappears.
    pub disappear_after: Option<u32>,
    /// Since when nothing is heard from the other side.
    pub blocked: Option<Timestamp>,
    /// Whether it is out of sight.
    pub archived: bool,
    /// Whether it is shown before others.
    pub pinned: bool,
    /// Until when nothing new is to draw attention.
    pub muted: Option<Timestamp>,
    /// Messages to be found again, oldest pin first.
    pub pinned_messages: Vec<MessageId>,
    /// What I began to write.
    pub draft: Option<Draft>,
}

impl fmt::Debug for ConversationView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConversationView")
            .field("contact", &self.contact)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

/// What I began to write. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// The text so far, at most 65,536 bytes.
    pub text: String,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Draft(..)")
    }
}

/// A text that a message had. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Version {
    /// The text.
    pub text: String,
    /// Since when, by the sender's clock.
    pub sent_at: Timestamp,
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Version(..)")
    }
}

/// What a message tells of the conversation itself. No text that anybody
/// writes can look like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Messages said from here on disappear so many seconds after they were
    /// read; 0: they stay.
    Disappear {
        /// Seconds.
        seconds: u32,
    },
}

/// A person named in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mentioned {
    /// Where in the text they are named: bytes from and to.
    pub at: (usize, usize),
    /// Who.
    pub who: Speaker,
}

/// What can be shown to others of a conversation, and what both sides wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeView {
    /// With whom.
    pub contact: ContactId,
    /// What holds for what is said now.
    pub in_force: Mode,
    /// What I wish.
    pub mine: Mode,
    /// What they wish.
    pub theirs: Mode,
    /// The key that I sign with, once I wished for `Provable`.
    pub my_key: Option<PublicIdentity>,
    /// The key that they sign with, once they told one.
    pub their_key: Option<PublicIdentity>,
    /// Whether they told another one before.
    pub their_key_changed: bool,
}

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// I did.
    Me,
    /// The contact did.
    Contact(ContactId),
    /// A member of the room did.
    Member(MemberId),
}

/// A room as shown. `Debug` hides names.
#[derive(Clone, PartialEq, Eq)]
pub struct RoomView {
    /// Its name in commands.
    pub room: RoomId,
    /// The conversation, the same for all members.
    pub conversation: ConversationId,
    /// What it calls itself.
    pub name: String,
    /// Whether it is a channel: one says, the others read and do not see each other.
    pub channel: bool,
    /// Whether I am in it.
    pub standing: RoomStanding,
    /// Who offered it to me, unless I founded it.
    pub offered_by: Option<ContactId>,
    /// Whether that waits for my decision. It can while I am in it, as far as I
    /// know: a removal may not have come here.
    pub offered: bool,
    /// Contacts who were asked and have not answered.
    pub asked: Vec<ContactId>,
    /// Who is in it, me included, and who was and said something, in the order
    /// in which they came to be known. Of one that is only offered: nobody.
    pub members: Vec<MemberView>,
    /// How many are in it: as told, while it is only offered.
    pub size: usize,
    /// Seconds after reading until what is said now disappears.
    pub disappear_after: Option<u32>,
    /// Hash of its picture: another one is another picture.
    pub avatar: Option<[u8; 32]>,
    /// Since when newcomers are handed what was said, if they are.
    pub shared_since: Option<Timestamp>,
    /// Changes of mine that others may not have seen yet.
    pub changing: usize,
    /// What I want changed and is not so yet, in the order in which I wanted it.
    pub pending: Vec<PendingView>,
    /// Since when.
    pub since: Timestamp,
}

/// A change of a room that I want and that is not so yet. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub enum PendingView {
    /// Another name.
    Name(String),
    /// Seconds after reading until messages disappear; 0 if they stay.
    Disappear(u32),
    /// Another picture, or none.
    Picture(bool),
    /// Somebody comes in.
    Add(MemberId),
    /// Somebody is removed.
    Remove(MemberId),
    /// Somebody becomes a steward, or ceases to be one.
    Steward(MemberId, bool),
    /// Somebody is to pass on what others say, or no longer.
    Herald(MemberId, bool),
}

impl fmt::Debug for PendingView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingView(..)")
    }
}

impl fmt::Debug for RoomView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomView")
            .field("room", &self.room)
            .field("standing", &self.standing)
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Somebody in a room, as shown. `Debug` hides the name.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Their name in commands.
    pub member: MemberId,
    /// What they call themselves; what I call them, if they are a contact and
    /// came through me.
    pub name: String,
    /// Whether it is me.
    pub me: bool,
    /// Whether they are a steward.
    pub steward: bool,
    /// Whether they pass on what others say.
    pub herald: bool,
    /// When they last wrote to me as a herald, if they did since my program started.
    pub sign: Option<Timestamp>,
    /// Whether they do not want to pass on, as far as I was told.
    pub declines: bool,
    /// With how many devices they are in it; 0 if they are out.
    pub devices: usize,
    /// Whether they are in it now.
    pub present: bool,
    /// Whether I know where to write to them.
    pub reachable: bool,
    /// The contact they are, where I know.
    pub contact: Option<ContactId>,
}

impl fmt::Debug for MemberView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberView")
            .field("member", &self.member)
            .field("steward", &self.steward)
            .field("present", &self.present)
            .finish_non_exhaustive()
    }
}

/// How far a message of mine got to the members of a room: how many of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Whom it is for.
    pub all: usize,
    /// To whom a network took responsibility, or further.
    pub accepted: usize,
    /// Who has it.
    pub delivered: usize,
    /// Who read it, and told so.
    pub read: usize,
    /// To whom no network can bring it.
    pub failed: usize,
}

/// A message as shown, with edits, deletion and reactions applied. `Debug`
/// hides what was said.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageView {
    /// Its name.
    pub id: MessageId,
    /// Its name, as short as tells it apart from all others here now.
    pub short: ShortId,
    /// With whom.
    pub contact: ContactId,
    /// In which conversation.
    pub conversation: ConversationId,
    /// Who said it.
    pub from: Speaker,
    /// When, by the sender's clock.
    pub sent_at: Timestamp,
    /// What; empty if deleted.
    pub text: String,
    /// How far it got; in a room, to those it got least far to.
    pub state: MessageState,
    /// To how many it got how far, of mine in a room.
    pub counted: Option<Box<Counted>>,
    /// Whether another device of mine said it: that one knows how far it got.
    pub elsewhere: bool,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// What it answers, where that is here.
    pub answered: Option<Box<Quote>>,
    /// Whether its text was replaced.
    pub edited: bool,
    /// Whether it was taken back.
    pub deleted: bool,
    /// Whether the text shown is signed so that others can check it; nothing
    /// where the conversation was not provable and it bears no signature.
    pub provable: Option<bool>,
    /// Whether it was said off the record, so that nobody can show it to others.
    pub off_record: bool,
    /// Whether it was said before I came, and somebody handed it on: who said it is
    /// their word.
    pub handed_on: bool,
    /// One per person at most, in order.
    pub reactions: Vec<(Speaker, String)>,
    /// What it tells of the conversation itself; it has no other text then.
    pub notice: Option<Notice>,
    /// Who is named in the text, in order.
    pub mentions: Vec<Mentioned>,
    /// When it will have disappeared, once its time runs.
    pub disappears: Option<Timestamp>,
}

impl fmt::Debug for MessageView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageView")
            .field("id", &self.id)
            .field("from", &self.from)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// What a message answers, shortened. `Debug` hides what was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote {
    /// Its name.
    pub short: ShortId,
    /// Who said it.
    pub from: Speaker,
    /// The beginning of what it shows, on one line; empty if deleted.
    pub text: String,
    /// Whether it was taken back.
    pub deleted: bool,
}

impl fmt::Debug for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Quote")
            .field("short", &self.short)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// How far a message got, and through which stages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whereabouts {
    /// Who said it.
    pub from: Speaker,
    /// How far.
    pub state: MessageState,
    /// Stages, oldest first. `Queued` is when its author says they sent it; of
    /// a message of others, `Delivered` is when it came and `Read` when I read it.
    pub progress: Vec<Progress>,
    /// The addresses it went to or is to go to: of mine on its way, and of those
    /// that arrived by a detour a while after.
    pub attempts: Vec<Attempt>,
    /// Whether the contact told that they read one of the latest messages; if
    /// not, they may have switched read receipts off.
    pub read_receipts: bool,
    /// How far it got to each, of mine in a room.
    pub members: Vec<Reached>,
    /// How far it got to each, of what was posted to a list.
    pub copies: Vec<CopyReached>,
    /// Whether another device of mine said it: that one knows how far it got.
    pub elsewhere: bool,
}

/// How far a message of mine got to a member of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// To whom.
    pub member: MemberId,
    /// How far.
    pub state: MessageState,
}

/// One stage of a message's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// On which network; `None` for what a person did or told.
    pub network: Option<NetworkTag>,
    /// Which state it reached.
    pub stage: MessageState,
    /// When.
    pub at: Timestamp,
    /// Whether the signature of the other side proves it.
    pub verified: bool,
}

/// One address a message of mine was to go to, and what became of it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The network.
    pub network: NetworkTag,
    /// Which of the contact's addresses, from 1 in the order they told; `None`
    /// if they have given it up since.
    pub address: Option<u8>,
    /// Whether it is one for the last resort.
    pub recovery: bool,
    /// How far.
    pub stage: AttemptStage,
    /// What failed there last.
    pub problem: Option<hushwing_delivery::SendFailure>,
    /// When it was begun with, unless that was in an earlier run.
    pub begun: Option<Timestamp>,
    /// When the network took responsibility.
    pub accepted: Option<Timestamp>,
}

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptStage {
    /// Not begun: the addresses before it have their time.
    Waiting,
    /// Under way for the first time.
    Sending,
    /// It failed, and is tried again.
    Trying,
    /// The network took responsibility.
    Accepted,
    /// Given up there.
    Failed,
}
