//! What comes out of the machine.

use hushwing_delivery::{MailboxFailure, NetworkCommand, NetworkTag, SendFailure, Stage};

use crate::content::{Avatar, ShortId};
use crate::proof::Proof;
use crate::storage::IdentityChange;
use crate::view::{
    ContactView, ConversationView, DevicesView, IntroductionView, InvitationView, ListPostView,
    ListView, MessageView, ModeView, MyProfileView, OfferView, RoomView, Version, Whereabouts,
};
use crate::{
    ContactId, InvitationId, MemberId, MessageId, MessageState, NewKeys, NewMailboxes, Refusal,
    RoomId, Ticket,
};

/// One output: for the faces or for a network.
#[derive(Debug)]
pub enum Outgoing {
    /// For the faces.
    Face(Event),
    /// For a network.
    Network {
        /// Which one.
        network: NetworkTag,
        /// What it shall do.
        command: NetworkCommand,
    },
}

/// What faces are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The answer to a command.
    Answer {
        /// The command's ticket.
        ticket: Ticket,
        /// What it got, or why not.
        answer: Result<Reply, Refusal>,
    },
    /// A contact came into being or changed: standing, name, verification, or
    /// the "no forward secrecy yet" mark.
    Contact(ContactView),
    /// The safety number of a contact became another one: their key changed, or
    /// the conversation was begun anew.
    IdentityChanged {
        /// Whose.
        contact: ContactId,
        /// How, and whether they were verified before.
        change: IdentityChange,
    },
    /// A contact calls themselves otherwise; the name shown here stays.
    CalledOtherwise {
        /// Who.
        contact: ContactId,
        /// What they called themselves.
        before: String,
        /// And now.
        now: String,
    },
    /// Somebody opened a reusable link of mine and waits for my decision.
    Requested(ContactView),
    /// A contact offers to introduce somebody, or such an offer got further.
    Introduction(OfferView),
    /// An introduction that was offered to me cannot be.
    IntroductionFailed {
        /// Which one, as it was.
        offer: OfferView,
        /// Why.
        refusal: Refusal,
    },
    /// An introduction of mine got further: both agreed, or the link was passed
    /// on.
    Introducing(IntroductionView),
    /// Somebody I was introduced to was told other promises than I was: who
    /// introduced us, or somebody between us, changed them.
    IntroductionDisputed {
        /// Whom I met.
        contact: ContactId,
    },
    /// A request was not decided within six weeks, or before a backup was put
    /// back, and is gone.
    RequestLapsed {
        /// Who had asked.
        contact: ContactId,
    },
    /// A join that was accepted as a command failed later, or an answer to its
    /// ticket cannot be given after a restart.
    JoinFailed {
        /// The contact that was to come of it; `None` if it failed before
        /// there was one.
        contact: Option<ContactId>,
        /// Why.
        refusal: Refusal,
    },
    /// What can be shown to others of a conversation changed, or what somebody
    /// wishes, or the key they sign with.
    Mode(ModeView),
    /// A message is here: theirs came, or mine was queued.
    Arrived {
        /// What to show.
        message: MessageView,
        /// The message shown before it; `None` if it is the first.
        after: Option<MessageId>,
        /// Whether it stands at the end. A late message does not: insert it
        /// behind `after`.
        last: bool,
        /// Whether it is to draw no attention.
        quiet: bool,
    },
    /// A message shows something else: it was edited, deleted or reacted to.
    Changed(MessageView),
    /// A message disappeared: its time was over.
    Disappeared {
        /// With whom it was said.
        contact: ContactId,
        /// Which one.
        message: MessageId,
    },
    /// It is kept otherwise how a conversation is kept.
    Conversation(ConversationView),
    /// Somebody is writing just now; not stored.
    Typing {
        /// Which contact, or in which room ([`RoomId::place`]).
        contact: ContactId,
        /// Who there, if it is a room.
        member: Option<MemberId>,
    },
    /// A contact was forgotten, with all that was said.
    Forgotten {
        /// Who.
        contact: ContactId,
    },
    /// My devices, or a link between them, changed.
    Devices(DevicesView),
    /// A device that I let in or threw out cannot come in or go as it stands, and is not
    /// tried again. A change of mine that is on its way may win still: what is listed counts.
    DevicesUnchanged {
        /// Why.
        reason: RoomFault,
    },
    /// A room came into being or changed: name, members, stewards, standing.
    Room(RoomView),
    /// A contact asks whether I want to be in a room.
    RoomOffered(RoomView),
    /// A change that I wanted of a room cannot be had.
    RoomUnchanged {
        /// Which room.
        room: RoomId,
        /// Why.
        reason: RoomFault,
    },
    /// A room was forgotten, with all that was said.
    RoomForgotten {
        /// Which one.
        room: RoomId,
    },
    /// A message of mine got further.
    State {
        /// Which one.
        message: MessageId,
        /// How far.
        state: MessageState,
        /// Why not further, if it failed.
        reason: Option<FailReason>,
    },
    /// A conversation cannot go on. What was said stays; nothing is sent or
    /// heard any more, and only a new link helps.
    Broken {
        /// With whom.
        contact: ContactId,
        /// Why.
        reason: BreakReason,
    },
    /// A message of mine moved on its way; not stored.
    Progress {
        /// Which one.
        message: MessageId,
        /// On which network.
        network: NetworkTag,
        /// How far.
        stage: Stage,
    },
    /// A link of mine stopped working, though nobody used it.
    InvitationEnded {
        /// Which one.
        invitation: InvitationId,
        /// Why.
        reason: EndReason,
    },
    /// A mailbox cannot be made or changed; for information where the network
    /// goes on trying.
    MailboxTrouble {
        /// On which network.
        network: NetworkTag,
        /// Of which invitation, if of one.
        invitation: Option<InvitationId>,
        /// Why.
        reason: MailboxFailure,
    },
    /// Something that came was dropped. Nothing changed.
    Dropped {
        /// From whom, where it is known.
        contact: Option<ContactId>,
        /// Why.
        reason: DropReason,
    },
}

/// Why a message of mine failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FailReason {
    /// Its network cannot deliver it.
    #[error("no network will take it: {0:?}")]
    Network(SendFailure),
    /// The conversation broke before it left.
    #[error("the conversation broke before it left")]
    Broken,
}

/// Why a change of a room cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomFault {
    /// I am not in it, or no steward of it any more.
    #[error("the group does not allow it to you")]
    NotAllowed,
    /// It makes no sense now: who was to be added sent keys that are none, or
    /// is in already.
    #[error("the group cannot be changed so")]
    Sense,
    /// I wanted to leave, and all other stewards left at the same time.
    #[error("you are the last steward of the group and stay in it")]
    LastSteward,
}

/// Why a conversation cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BreakReason {
    /// MLS cannot work with what the other side made of the group.
    #[error("the encrypted group cannot be used any more")]
    Group,
    /// The addresses they gave cannot take what is to be sent.
    #[error("the addresses they gave cannot be used")]
    Addresses,
    /// They did not answer my join request: nobody could take it, or twelve
    /// weeks have passed.
    #[error("nobody answered")]
    Unanswered,
    /// They had not answered my join request when the backup was made that I put
    /// back: whoever they answered, it is not this device.
    #[error("a backup was put back in which they had not answered yet")]
    Restored,
    /// What is stored of this conversation is damaged here.
    #[error("what is stored of this conversation is damaged")]
    Damaged,
}

/// Why a link of mine does not work any more, though nobody used it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndReason {
    /// It is for one person and was read from a backup: the lost device may have
    /// welcomed somebody by it, so its keys are wiped.
    #[error("a backup was put back, and one-time links made before do not outlive that")]
    Restored,
}

/// Why something that came was dropped. All of these are the sender's doing,
/// except `Unreadable`, which age alone can bring about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// Not a letter of this protocol, or of a newer version.
    #[error("not a letter of a known form")]
    Letter,
    /// A join request whose Welcome is not for a key package of that
    /// invitation, or of another suite or policy.
    #[error("invalid join request")]
    JoinRequest,
    /// A join request for a conversation that exists already.
    #[error("join request for a known conversation")]
    KnownConversation,
    /// Too many undecided requests.
    #[error("too many undecided requests")]
    TooManyRequests,
    /// A message to a conversation that does not use the mailbox it came to.
    #[error("message to a foreign mailbox")]
    WrongMailbox,
    /// An MLS message that does not decrypt or verify: forged, damaged,
    /// replayed, or too old.
    #[error("message cannot be read")]
    Unreadable,
    /// A commit by who did not hold the turn, or that does more than renew
    /// keys.
    #[error("commit against the rules")]
    Commit,
    /// An MLS message of a kind that has no place in a conversation of two.
    #[error("message of a kind not used here")]
    Kind,
    /// Content that is malformed or claims what it may not.
    #[error("invalid content")]
    Content,
    /// A message to a conversation that cannot go on, or not yet.
    #[error("message to a conversation that is broken or not begun")]
    Broken,
    /// The oldest of the letters that wait to be readable, for there was no
    /// room for all; or one that is too long to wait.
    #[error("too many letters wait to be readable")]
    TooManyHeld,
    /// A message of somebody who was not accepted yet and has said all that is
    /// kept of such people.
    #[error("more than is kept of somebody not accepted yet")]
    Unaccepted,
    /// A message of an epoch that cannot have begun.
    #[error("message from an epoch that cannot have begun")]
    FarAhead,
    /// A signed receipt that its sender did not sign as it has to be, or one that
    /// names on record what was said off it; it counts as none.
    #[error("signed receipt that proves nothing")]
    Receipt,
    /// A wish for provable with a key that its sender did not sign for this
    /// conversation, or before its keys are fixed.
    #[error("wish with a key that nothing shows to be the sender's")]
    UnprovedKey,
    /// A wish for provable with one key more than are taken of one contact.
    #[error("too many keys by one contact")]
    TooManyKeys,
    /// About an introduction that is none here, or at another step.
    #[error("not a step of an introduction that is under way")]
    Introduction,
    /// More offers of introductions than are kept of one contact.
    #[error("too many introductions by one contact")]
    TooManyIntroductions,
    /// A join request by a link that was made for somebody else, who was
    /// introduced.
    #[error("somebody else than who was introduced used the link")]
    WrongJoiner,
    /// About a room that is none here, or at another step.
    #[error("not a step of joining a group that is under way")]
    Room,
    /// More offers of rooms than are kept of one contact.
    #[error("too many offers of groups by one contact")]
    TooManyRooms,
    /// About a stretch off the record that is none here, or at another step.
    #[error("not a step of a stretch off the record that is under way")]
    Stretch,
    /// A message to a conversation that nobody opened within three days.
    #[error("message without a join request")]
    Stray,
}

/// What a command got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It was done.
    Done,
    /// The invitation.
    Invitation(InvitationView),
    /// All invitations, oldest first.
    Invitations(Vec<InvitationView>),
    /// A link was good; this contact shall come of it.
    Joined(ContactView),
    /// The contact as it is now.
    Contact(ContactView),
    /// Contacts, oldest first.
    Contacts(Vec<ContactView>),
    /// How I am shown to contacts.
    MyProfile(MyProfileView),
    /// A picture.
    Avatar(Avatar),
    /// 60 digits in groups of five, the same on both sides.
    SafetyNumber {
        /// The digits.
        number: String,
        /// The same as text for a QR code: `hushwing:v#…`.
        code: String,
        /// Whether it was compared already.
        verified: bool,
    },
    /// Mailboxes and keys are being replaced.
    Rotating {
        /// Which of mine, on this device.
        mailboxes: NewMailboxes,
        /// When the keys of this device are renewed.
        keys: NewKeys,
    },
    /// The introduction as it is now.
    Introduction(IntroductionView),
    /// My devices as they are now.
    Devices(DevicesView),
    /// A room as it is now.
    Room(RoomView),
    /// Rooms, oldest first.
    Rooms(Vec<RoomView>),
    /// A list as it is now.
    List(ListView),
    /// Lists, oldest first.
    Lists(Vec<ListView>),
    /// What was posted to a list, and is said to each at a moment of its own.
    Posted(ListPostView),
    /// Introductions of mine, oldest first.
    Introductions(Vec<IntroductionView>),
    /// Introductions offered to me that are not over, oldest first.
    Offers(Vec<OfferView>),
    /// A message was queued.
    Sent {
        /// Its name.
        message: MessageId,
        /// How far it is: queued.
        state: MessageState,
    },
    /// Ids that begin as asked, in their order and as short as tells them
    /// apart from all others here; nine at most, however many there are.
    Found(Vec<ShortId>),
    /// How far a message got.
    Where(Whereabouts),
    /// What can be shown to others of a conversation.
    Mode(ModeView),
    /// A message that can be shown to others.
    Proof(Proof),
    /// Messages, oldest first.
    Messages(Vec<MessageView>),
    /// How a conversation is kept now.
    Conversation(ConversationView),
    /// How conversations are kept, in the order of their contacts.
    Conversations(Vec<ConversationView>),
    /// Texts a message had, the first one first, the present one last.
    History(Vec<Version>),
}
