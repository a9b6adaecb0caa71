//! What goes into the machine.

mod list;

use core::fmt;

use hushwing_delivery::{NetworkEvent, NetworkTag};
use hushwing_sansio::Timestamp;

use crate::content::{Avatar, Mode};
use crate::view::Draft;
use crate::{
    ContactId, ConversationId, IdPrefix, InvitationId, MemberId, MessageId, RoomId, Secret, Ticket,
};

pub use list::ListCommand;

/// One input: from a face or from a network.
#[derive(Debug)]
pub enum Incoming {
    /// A face asks. Answered by exactly one
    /// [`Event::Answer`](crate::Event::Answer) with the same ticket, unless the
    /// process ends first.
    Ask {
        /// Joins question and answer.
        ticket: Ticket,
        /// What is asked.
        command: Command,
    },
    /// A network tells.
    Network {
        /// Which one.
        network: NetworkTag,
        /// What it tells.
        event: NetworkEvent,
    },
    /// A network's machine was dropped and opened again while this one was not:
    /// what it was asked and has not answered is asked again. A driver that
    /// opens both whenever storage fails under one has no need of it.
    NetworkLost {
        /// Which one.
        network: NetworkTag,
    },
}

/// What a face may ask. Each variant names the [`Reply`](crate::Reply) it gets.
///
/// `Debug` hides texts and links.
#[derive(Clone, PartialEq, Eq)]
pub enum Command {
    /// Make an invitation. `Reply::Invitation` once its mailbox is open.
    Invite {
        /// Whether many may use it.
        reusable: bool,
        /// Where its mailbox shall be; `None` for the default network.
        network: Option<NetworkTag>,
    },
    /// Make an invitation that leads into a room of which I am a steward.
    /// `Reply::Invitation` once its mailbox is open.
    InviteToRoom {
        /// The room.
        room: RoomId,
        /// Whether many may use it. Whoever uses one that works once gets in.
        reusable: bool,
        /// Whether of many, too, everybody gets in without being asked about.
        open: bool,
    },
    /// Open a link, and enter the room that it leads into without being asked again.
    /// `Reply::Joined`.
    JoinRoom {
        /// The link.
        link: Secret,
    },
    /// Take an invitation down. `Reply::Done`.
    Withdraw {
        /// Which one.
        invitation: InvitationId,
    },
    /// List invitations that can be used. `Reply::Invitations`.
    Invitations,
    /// Open somebody's link. `Reply::Joined` once its card was read and
    /// checked; the join request then leaves by itself, even after a restart.
    Join {
        /// The link, as typed or scanned.
        link: Secret,
    },
    /// List contacts, `Reply::Contacts`: those joined, asked or established.
    Contacts,
    /// List those who opened my reusable links and wait for my decision.
    /// `Reply::Contacts`.
    Requests,
    /// Take in somebody of `Requests`. `Reply::Contact`.
    Accept {
        /// Whom.
        contact: ContactId,
    },
    /// Turn somebody of `Requests` away; they are not told. `Reply::Done`.
    Refuse {
        /// Whom.
        contact: ContactId,
    },
    /// Ask two contacts whether they want to know each other. `Reply::Introduction`.
    Introduce {
        /// Who shall make the link.
        one: ContactId,
        /// Who shall open it.
        other: ContactId,
        /// A word to both, at most 512 bytes of it.
        word: Option<String>,
    },
    /// About private lists of contacts.
    List(ListCommand),
    /// List introductions of mine. `Reply::Introductions`.
    Introductions,
    /// List whom contacts offered to introduce to me, decided or not.
    /// `Reply::Offers`.
    Offers,
    /// Agree to meet somebody of `Offers`. `Reply::Offers` with that one.
    AcceptIntroduction {
        /// Its number.
        request: u64,
    },
    /// Do not; nobody is told. `Reply::Done`.
    RefuseIntroduction {
        /// Its number.
        request: u64,
    },
    /// Show a contact under another name. `Reply::Contact`.
    Rename {
        /// Whom.
        contact: ContactId,
        /// 1 to 128 bytes on one line.
        name: String,
    },
    /// Show the safety number. `Reply::SafetyNumber`.
    SafetyNumber {
        /// Of which conversation.
        contact: ContactId,
    },
    /// Compare a safety number that was read aloud or scanned, and mark the
    /// contact verified if it is right. `Reply::Contact`.
    Verify {
        /// Whom.
        contact: ContactId,
        /// 60 digits, whatever stands between them, or a code `hushwing:v#…`.
        number: String,
    },
    /// Show whether a conversation can be proved to others. `Reply::Mode`.
    Mode {
        /// Of which conversation.
        contact: ContactId,
    },
    /// Wish a conversation to be of a mode. `Reply::Mode`, which is as wished
    /// only if they wish it too, or for `Normal`.
    SetMode {
        /// Which conversation.
        contact: ContactId,
        /// How it shall be.
        mode: Mode,
    },
    /// Prove a message to others. `Reply::Proof`.
    Prove {
        /// Which one, of mine or of theirs.
        message: MessageId,
    },
    /// Replace the mailboxes of a conversation, and my keys in it as soon as that can
    /// be. `Reply::Rotating`.
    Rotate {
        /// With whom, or which room ([`RoomId::place`]).
        contact: ContactId,
    },
    /// Say something. `Reply::Sent`.
    Send {
        /// To whom, or in which room ([`RoomId::place`]).
        contact: ContactId,
        /// What.
        text: String,
        /// The message it answers.
        reply_to: Option<MessageId>,
    },
    /// Replace the text of a message of mine. `Reply::Sent`.
    Edit {
        /// Which one.
        message: MessageId,
        /// What shall stand there.
        text: String,
    },
    /// Take a message of mine back. `Reply::Sent`.
    Delete {
        /// Which one.
        message: MessageId,
    },
    /// Set my reaction to a message, or with an empty mark remove it.
    /// `Reply::Sent`.
    React {
        /// To which one.
        message: MessageId,
        /// Usually one emoji.
        mark: String,
    },
    /// Find messages by the beginning of their ids. `Reply::Found`.
    Find {
        /// What their ids begin with.
        prefix: IdPrefix,
    },
    /// Tell how far a message got. `Reply::Where`.
    Where {
        /// Which one.
        message: MessageId,
    },
    /// The newest messages of a conversation, oldest first; marks them read.
    /// `Reply::Messages`.
    Read {
        /// Of which conversation; a room is named by [`RoomId::place`].
        contact: ContactId,
        /// Only messages before this one, to page back.
        before: Option<MessageId>,
        /// At most so many; fewer where they are more than 4 MiB of text.
        most: usize,
    },
    /// Change how I am shown to contacts; they are told. `Reply::MyProfile`.
    SetProfile(ProfileChange),
    /// How I am shown to contacts. `Reply::MyProfile`.
    MyProfile,
    /// The picture a contact shows. `Reply::Avatar`.
    Avatar {
        /// Whose.
        contact: ContactId,
    },
    /// Whether contacts are told that I read their messages. `Reply::Done`.
    SetReadReceipts {
        /// Off by default.
        on: bool,
    },
    /// Whether contacts are told that I am writing, and I am shown that they
    /// are. `Reply::Done`.
    SetTyping {
        /// Off by default.
        on: bool,
    },
    /// How all conversations are kept, in the order of their contacts.
    /// `Reply::Conversations`.
    Conversations,
    /// Keep a conversation otherwise. `Reply::Conversation`.
    Keep {
        /// Which one.
        conversation: ConversationId,
        /// What shall be otherwise.
        change: Change,
    },
    /// The conversation in which a message was said. `Reply::Conversation`.
    WhichConversation {
        /// Which message.
        message: MessageId,
    },
    /// Agree when messages disappear: said to the other side, who obeys it; in a room,
    /// of which I am a steward, agreed for all. `Reply::Conversation`.
    Disappear {
        /// In which conversation.
        conversation: ConversationId,
        /// Seconds after reading, at most
        /// [`MAX_TIMER`](crate::content::MAX_TIMER); 0 if they shall stay.
        seconds: u32,
    },
    /// Messages that have all words of a text, oldest first: the last stored.
    /// Marks nothing read. `Reply::Messages`.
    Search {
        /// The words; none of them has a special meaning.
        text: String,
        /// Only in this conversation.
        within: Option<ConversationId>,
        /// At most so many.
        most: usize,
    },
    /// The texts a message had, the first one first. `Reply::History`.
    History {
        /// Which one.
        message: MessageId,
    },
    /// The newest messages as `Read` gives them; marks nothing read.
    /// `Reply::Messages`.
    Look {
        /// Of which conversation.
        conversation: ConversationId,
        /// Only messages before this one, to page back.
        before: Option<MessageId>,
        /// At most so many; fewer where they are more than 4 MiB of text.
        most: usize,
    },
    /// Tell the other side that I am writing, if that is switched on and was
    /// not just told. `Reply::Done`.
    Typing {
        /// In which conversation.
        conversation: ConversationId,
    },
    /// Forget a contact with all that was said. They are not told.
    /// `Reply::Done`.
    Forget {
        /// Whom.
        contact: ContactId,
    },
    /// Show a link by which another device of mine can take this one in.
    /// `Reply::Devices`, with the link once its mailbox is open.
    ShowDevice {
        /// What this device is called, 1 to 128 bytes on one line.
        name: String,
    },
    /// Call the device that shows a link. `Reply::Devices`, with the code once it
    /// answered.
    CallDevice {
        /// The link.
        link: Secret,
        /// What this device is called, if it has no name yet.
        name: String,
    },
    /// Both devices show this code: take the new one in, and hand it what was said before.
    /// `Reply::Devices`.
    ConfirmDevice {
        /// The code.
        code: String,
        /// Of how many days; of all time if not given.
        days: Option<u32>,
    },
    /// List my devices. `Reply::Devices`.
    Devices,
    /// Throw a device of mine out. `Reply::Devices`.
    RevokeDevice {
        /// Which one.
        device: MemberId,
    },
    /// Found a room with me alone in it, its steward. `Reply::Room`.
    FoundRoom {
        /// 1 to 128 bytes on one line.
        name: String,
    },
    /// List rooms, those offered to me included. `Reply::Rooms`.
    Rooms,
    /// Show one. `Reply::Room`.
    Room {
        /// Which one.
        room: RoomId,
    },
    /// Found a channel that I publish. It is a room in all other commands, and in
    /// replies; who reads it knows of no other reader. `Reply::Room`.
    FoundChannel {
        /// What it calls itself: 1 to 128 bytes on one line.
        name: String,
    },
    /// Ask a contact whether they want to be in a room. `Reply::Room`.
    OfferRoom {
        /// Which one; I am a steward of it.
        room: RoomId,
        /// Whom.
        contact: ContactId,
    },
    /// Take an offer back that was not answered. `Reply::Room`.
    TakeOfferBack {
        /// Of which room; I am a steward of it.
        room: RoomId,
        /// Whom I asked.
        contact: ContactId,
    },
    /// Enter a room that was offered. `Reply::Room`.
    AcceptRoom {
        /// Which one.
        room: RoomId,
    },
    /// Do not; nobody is told. `Reply::Done`.
    RefuseRoom {
        /// Which one.
        room: RoomId,
    },
    /// Remove somebody from a room. `Reply::Room`.
    RemoveMember {
        /// Which room; I am a steward of it.
        room: RoomId,
        /// Whom.
        member: MemberId,
    },
    /// Call a room something else, for all. `Reply::Room`.
    RenameRoom {
        /// Which one; I am a steward of it.
        room: RoomId,
        /// 1 to 128 bytes on one line.
        name: String,
    },
    /// Hand newcomers what is said from now on, or nothing any more. `Reply::Room`.
    SetRoomHistory {
        /// In which room; I am a steward of it.
        room: RoomId,
        /// Whether.
        on: bool,
    },
    /// Make a member a steward, or no longer one. `Reply::Room`.
    SetSteward {
        /// In which room; I am a steward of it.
        room: RoomId,
        /// Whom.
        member: MemberId,
        /// Whether they shall be one.
        on: bool,
    },
    /// Name a member to pass on what others say once the room is wide, or no longer.
    /// `Reply::Room`.
    SetHerald {
        /// In which room; I am a steward of it.
        room: RoomId,
        /// Whom; the last of three before gives way.
        member: MemberId,
        /// Whether they shall; if not, another takes their place where one is needed.
        on: bool,
    },
    /// Say whether I pass on what others say in a room, if I am asked to. `Reply::Room`.
    BeHerald {
        /// In which room.
        room: RoomId,
        /// Whether I do. Who declines while they do goes on until another is named.
        willing: bool,
    },
    /// Change the picture of a room, for all who are in it. `Reply::Room`.
    SetRoomAvatar {
        /// Of which room; I am a steward of it.
        room: RoomId,
        /// At most [`MOST_PICTURE_BYTES`](crate::branches::MOST_PICTURE_BYTES) bytes; or none
        /// any more.
        avatar: Option<Avatar>,
    },
    /// The picture of a room. `Reply::Avatar`.
    RoomAvatar {
        /// Of which one.
        room: RoomId,
    },
    /// Leave a room. What was said stays. `Reply::Room`.
    LeaveRoom {
        /// Which one.
        room: RoomId,
    },
    /// Forget a room that I am not in any more, with all that was said.
    /// `Reply::Done`.
    ForgetRoom {
        /// Which one.
        room: RoomId,
    },
}

/// What shall be otherwise about how I am shown; `None` leaves it. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ProfileChange {
    /// 1 to 128 bytes on one line.
    pub name: Option<String>,
    /// A picture, or none any more.
    pub avatar: Option<Option<Avatar>>,
    /// How things stand, as a name, or nothing any more.
    pub status: Option<Option<String>>,
}

/// What shall be otherwise about a conversation, for me alone. `Debug` hides
/// drafts.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// Out of sight until something new comes.
    Archived(bool),
    /// Shown before others.
    Pinned(bool),
    /// Draws no attention until then; `None`: does again.
    Muted(Option<Timestamp>),
    /// To be looked at again.
    MarkedUnread(bool),
    /// What I began to write.
    Draft(Option<Draft>),
    /// Nothing is heard from the other side.
    Blocked(bool),
    /// A message to be found again, or no longer.
    MessagePinned(MessageId, bool),
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archived(_) => "Archived",
            Self::Pinned(_) => "Pinned",
            Self::Muted(_) => "Muted",
            Self::MarkedUnread(_) => "MarkedUnread",
            Self::Draft(_) => "Draft",
            Self::Blocked(_) => "Blocked",
            Self::MessagePinned(..) => "MessagePinned",
        })
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invite { .. } => "Invite",
            Self::InviteToRoom { .. } => "InviteToRoom",
            Self::JoinRoom { .. } => "JoinRoom",
            Self::Withdraw { .. } => "Withdraw",
            Self::Invitations => "Invitations",
            Self::Join { .. } => "Join",
            Self::Contacts => "Contacts",
            Self::Requests => "Requests",
            Self::Accept { .. } => "Accept",
            Self::Refuse { .. } => "Refuse",
            Self::Introduce { .. } => "Introduce",
            Self::List(_) => "List",
            Self::Introductions => "Introductions",
            Self::Offers => "Offers",
            Self::AcceptIntroduction { .. } => "AcceptIntroduction",
            Self::RefuseIntroduction { .. } => "RefuseIntroduction",
            Self::Rename { .. } => "Rename",
            Self::SafetyNumber { .. } => "SafetyNumber",
            Self::Verify { .. } => "Verify",
            Self::Mode { .. } => "Mode",
            Self::SetMode { .. } => "SetMode",
            Self::Prove { .. } => "Prove",
            Self::Rotate { .. } => "Rotate",
            Self::Send { .. } => "Send",
            Self::Edit { .. } => "Edit",
            Self::Delete { .. } => "Delete",
            Self::React { .. } => "React",
            Self::Find { .. } => "Find",
            Self::Where { .. } => "Where",
            Self::Read { .. } => "Read",
            Self::SetProfile(_) => "SetProfile",
            Self::MyProfile => "MyProfile",
            Self::Avatar { .. } => "Avatar",
            Self::SetReadReceipts { .. } => "SetReadReceipts",
            Self::SetTyping { .. } => "SetTyping",
            Self::Conversations => "Conversations",
            Self::Keep { .. } => "Keep",
            Self::WhichConversation { .. } => "WhichConversation",
            Self::Disappear { .. } => "Disappear",
            Self::Search { .. } => "Search",
            Self::History { .. } => "History",
            Self::Look { .. } => "Look",
            Self::Typing { .. } => "Typing",
            Self::Forget { .. } => "Forget",
            Self::ShowDevice { .. } => "ShowDevice",
            Self::CallDevice { .. } => "CallDevice",
            Self::ConfirmDevice { .. } => "ConfirmDevice",
            Self::Devices => "Devices",
            Self::RevokeDevice { .. } => "RevokeDevice",
            Self::FoundRoom { .. } => "FoundRoom",
            Self::FoundChannel { .. } => "FoundChannel",
            Self::Rooms => "Rooms",
            Self::Room { .. } => "Room",
            Self::OfferRoom { .. } => "OfferRoom",
            Self::TakeOfferBack { .. } => "TakeOfferBack",
            Self::AcceptRoom { .. } => "AcceptRoom",
            Self::RefuseRoom { .. } => "RefuseRoom",
            Self::RemoveMember { .. } => "RemoveMember",
            Self::RenameRoom { .. } => "RenameRoom",
            Self::SetRoomAvatar { .. } => "SetRoomAvatar",
            Self::RoomAvatar { .. } => "RoomAvatar",
            Self::SetRoomHistory { .. } => "SetRoomHistory",
            Self::SetSteward { .. } => "SetSteward",
            Self::SetHerald { .. } => "SetHerald",
            Self::BeHerald { .. } => "BeHerald",
            Self::LeaveRoom { .. } => "LeaveRoom",
            Self::ForgetRoom { .. } => "ForgetRoom",
        })
    }
}
