//! Every call of the local API, once: the daemon answers by this table
//! (`daemon::api::route`), [`Client`](crate::Client) calls by it, and
//! [`openapi`](crate::openapi) describes it.
//!
//! To add one: declare it here, its documents in [`request`](crate::request) and
//! [`view`] (each derives `JsonSchema`); answer it by one entry in
//! `daemon::api::route`; let the test write `docs/openapi.json` anew
//! (`HUSHWING_BLESS=1 cargo nextest run -p hushwing-api`); and let the walk in
//! `crates/cli/tests/second_models/walk.rs` try it. Whatever is forgotten is
//! told by a red test.
//!
//! A declaration names method and path, and for whom the call is made
//! ([`Scope`](crate::Scope)); then, as far as there are any, the types of the
//! values in its path, query and body and the kinds of error a caller may want
//! to tell apart; last the `answer`, or the `stream` of documents.

use std::collections::BTreeMap;

use crate::backup::{BackedUp, BackupBody, RestoreBody, Restored};
use crate::call::calls;
use crate::conversation::{self, DraftBody, MuteBody, OnBody, ReportQuery, SearchQuery, TimerBody};
use crate::device::{CodeBody, Devices as AllDevices, LinkBody, ShowBody};
use crate::event::Event;
use crate::group::{AvatarBody, Group, HeraldBody, StewardBody, WhoBody};
use crate::hidden::{HideBody, OpenBody, Opened, SlotBody};
use crate::list::{List, ListPost};
use crate::profile::{MyProfile as HowIAmShown, Picture, ProfileBody};
use crate::request::{
    AddressQuery, IntroduceBody, InviteBody, JoinBody, ModeBody, NameBody, NumberBody,
    ReactionBody, ReadQuery, SendBody, ServerBody, ServersQuery, TestBody, TextBody, ValueBody,
};
use crate::view;

calls! {
    /// What the daemon is doing.
    Status: Get "status" for Home { answer: view::Status, }

    /// Asks the daemon to stop; answered before it does.
    Shutdown: Post "shutdown" for Home { answer: view::Stopping, }

    /// Looks for faults: each check with what to do about it.
    Doctor: Get "doctor" for Home { answer: Vec<view::Check>, }

    /// Every switch by its name.
    Switches: Get "config" for Home { answer: BTreeMap<String, bool>, }

    /// One switch.
    Switch: Get "config/{key}" for Home {
        path: String, errors: [NotFound], answer: bool,
    }

    /// Changes a switch; it takes effect at once.
    SetSwitch: Post "config/{key}" for Home {
        path: String, body: ValueBody, errors: [NotFound], answer: bool,
    }

    /// Every profile, the default one first.
    Profiles: Get "profiles" for Home { answer: Vec<view::Profile>, }

    /// Creates a profile; the first one is the default.
    CreateProfile: Post "profiles" for Home {
        body: NameBody, errors: [Exists], answer: view::Profile,
    }

    /// Deletes a profile and all that is in it; contacts are not told. Answers
    /// those that are left.
    DeleteProfile: Delete "profiles/{name}" for Home {
        path: String, errors: [NotFound], answer: Vec<view::Profile>,
    }

    /// Creates a hidden profile in one of the slots. What lay in that slot is gone,
    /// and nobody can tell whether that was another one, unless it is open.
    HideProfile: Post "profiles/hidden" for Home {
        body: HideBody, errors: [Exists, DiskFull], answer: Opened,
    }

    /// Puts a profile into one of the slots, with all that is in it, and deletes its files.
    /// What lay in that slot is gone, as with a new one. What the drive keeps of the files is
    /// not hidden. Its answer opens it, until the daemon stops.
    HideExisting: Post "profiles/{name}/hide" for Home {
        path: String, body: SlotBody, errors: [NotFound, Exists, DiskFull], answer: Opened,
    }

    /// Opens a hidden profile. Takes a second or more, since every slot is tried.
    /// A wrong passphrase and a name that nobody has are one error.
    OpenProfile: Post "profiles/open" for Home {
        body: OpenBody, errors: [NotFound, Damaged], answer: Opened,
    }

    /// Writes a backup of a profile into a file on this machine: all that was said,
    /// its contacts and its keys.
    BackUp: Post "backups" for Profile {
        body: BackupBody, errors: [Exists, Denied], answer: BackedUp,
    }

    /// Makes a profile from a backup. Its history and contacts are there at once; its
    /// conversations begin anew by themselves as contacts can be reached.
    Restore: Post "restores" for Home {
        body: RestoreBody,
        errors: [NotFound, Exists, BadFile, WrongPassphrase, Damaged, Denied],
        answer: Restored,
    }

    /// Relays chosen for new mailboxes: those a profile uses, or all.
    Servers: Get "servers" for Anyone {
        query: ServersQuery, answer: Vec<view::Server>,
    }

    /// Uses a relay for new mailboxes of one profile, or of all, if it works.
    AddServer: Post "servers" for Anyone {
        body: ServerBody,
        errors: [Exists, Unreachable, WrongServer, Refused, Protocol],
        answer: view::ServerAdded,
    }

    /// Uses a relay no longer for new mailboxes; those on it stay. Answers those
    /// that are left.
    RemoveServer: Delete "servers" for Anyone {
        query: AddressQuery, errors: [Ambiguous], answer: Vec<view::Server>,
    }

    /// Tries relays as a client would.
    TestServers: Post "servers/test" for Home {
        body: TestBody, answer: Vec<view::ServerTest>,
    }

    /// Makes a link by which one person, or many, can write to me.
    Invite: Post "invitations" for Profile {
        body: InviteBody,
        errors: [Unreachable, Refused, Protocol],
        answer: view::Invitation,
    }

    /// Links of mine that can be used, and those that ended unused, oldest first.
    Invitations: Get "invitations" for Profile { answer: Vec<view::Invitation>, }

    /// Takes a link of mine down. Who asked by it before still waits.
    RevokeInvitation: Delete "invitations/{invitation}" for Profile {
        path: u64, answer: view::Revoked,
    }

    /// Opens somebody's link. What was begun goes on after a timeout.
    Join: Post "joins" for Profile {
        body: JoinBody,
        errors: [
            BadLink, LinkUsed, LinkExpired, Unreachable, WrongServer, Refused, Protocol, Timeout,
        ],
        answer: view::Joined,
    }

    /// Asks two contacts whether they want to know each other.
    Introduce: Post "introductions" for Profile {
        body: IntroduceBody, errors: [Ambiguous, Protocol], answer: view::Introduction,
    }

    /// Introductions of mine, oldest first.
    Introductions: Get "introductions" for Profile { answer: Vec<view::Introduction>, }

    /// Agrees to meet somebody whom a contact introduces.
    AcceptIntroduction: Post "introductions/{request}/accept" for Profile {
        path: u64, errors: [Protocol], answer: view::Request,
    }

    /// Does not; nobody is told.
    RefuseIntroduction: Post "introductions/{request}/refuse" for Profile {
        path: u64, answer: view::Refused,
    }

    /// Strangers who opened a reusable link of mine, people whom contacts offer to
    /// introduce, and groups they ask me into; oldest first.
    Requests: Get "requests" for Profile { answer: Vec<view::Request>, }

    /// Takes a stranger as a contact.
    AcceptRequest: Post "requests/{request}/accept" for Profile {
        path: u64, errors: [Unreachable, Refused, Protocol], answer: view::Contact,
    }

    /// Turns a stranger away; they are not told.
    RefuseRequest: Post "requests/{request}/refuse" for Profile {
        path: u64, answer: view::Refused,
    }

    /// Founds a group with me alone in it, its steward.
    FoundGroup: Post "groups" for Profile {
        body: NameBody, errors: [Protocol], answer: Group,
    }

    /// Founds a channel that I publish. All other calls about groups take it as one:
    /// who is asked in reads, and sees no other reader.
    FoundChannel: Post "channels" for Profile {
        body: NameBody, errors: [Protocol], answer: Group,
    }

    /// All groups and channels, those offered to me included, oldest first.
    Groups: Get "groups" for Profile { answer: Vec<Group>, }

    /// One of them.
    OneGroup: Get "groups/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: Group,
    }

    /// Asks a contact whether they want to be in a group.
    AddToGroup: Post "groups/{name}/add" for Profile {
        path: String, body: WhoBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Removes somebody from a group.
    RemoveFromGroup: Post "groups/{name}/remove" for Profile {
        path: String, body: WhoBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Calls a group something else, for all who are in it.
    RenameGroup: Post "groups/{name}/name" for Profile {
        path: String, body: NameBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Shows another picture of a group to all who are in it, or none any more.
    SetGroupAvatar: Post "groups/{name}/avatar" for Profile {
        path: String, body: AvatarBody, errors: [Ambiguous, BadFile, Protocol], answer: Group,
    }

    /// The picture a group shows.
    GroupAvatar: Get "groups/{name}/avatar" for Profile {
        path: String, errors: [NotFound, Ambiguous], answer: Picture,
    }

    /// Makes a member a steward, or no longer one.
    SetSteward: Post "groups/{name}/stewards" for Profile {
        path: String, body: StewardBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Says whether I pass on what others say in a group, if I am asked to.
    BeHerald: Post "groups/{name}/herald" for Profile {
        path: String, body: OnBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Lets a member pass on what others say in a large group, or no longer.
    SetHerald: Post "groups/{name}/heralds" for Profile {
        path: String, body: HeraldBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Hands newcomers what is said from now on, or nothing any more.
    SetGroupHistory: Post "groups/{name}/history" for Profile {
        path: String, body: OnBody, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Leaves a group; what was said stays.
    LeaveGroup: Post "groups/{name}/leave" for Profile {
        path: String, errors: [Ambiguous, Protocol], answer: Group,
    }

    /// Forgets a group I am not in any more, with all that was said.
    ForgetGroup: Delete "groups/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: conversation::Removed,
    }

    /// Enters a group that a contact asks me into.
    AcceptGroup: Post "groups/{request}/accept" for Profile {
        path: u64, errors: [Protocol], answer: Group,
    }

    /// Does not; nobody is told.
    RefuseGroup: Post "groups/{request}/refuse" for Profile {
        path: u64, answer: view::Refused,
    }

    /// Makes a list: a name of mine for several contacts, which nobody else learns.
    NewList: Post "lists" for Profile { body: NameBody, answer: List, }

    /// All lists, oldest first.
    Lists: Get "lists" for Profile { answer: Vec<List>, }

    /// One of them.
    OneList: Get "lists/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: List,
    }

    /// Puts a contact on a list.
    AddToList: Post "lists/{name}/add" for Profile {
        path: String, body: WhoBody, errors: [Ambiguous], answer: List,
    }

    /// Takes a contact off a list.
    RemoveFromList: Post "lists/{name}/remove" for Profile {
        path: String, body: WhoBody, errors: [Ambiguous], answer: List,
    }

    /// Forgets a list. What was posted to it is said nevertheless.
    DeleteList: Delete "lists/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: conversation::Removed,
    }

    /// Says the same to each who is on a list, in the conversation with them, at a moment
    /// of its own. Who cannot be written to is named in the answer, and left out. Its id
    /// does in the calls `where`, edit and delete of messages.
    PostToList: Post "lists/{name}/posts" for Profile {
        path: String, body: TextBody, errors: [Ambiguous], answer: ListPost,
    }

    /// The devices of this profile's account, and a link that is under way.
    Devices: Get "devices" for Profile { answer: AllDevices, }

    /// Shows a link by which a device that has this account takes this one in. The
    /// profile must be new: without contacts and groups.
    ShowDevice: Post "devices/show" for Profile {
        body: ShowBody, errors: [Unreachable, Refused, Protocol], answer: AllDevices,
    }

    /// Calls a new device by the link it shows. Both show a code then, which a person
    /// compares.
    CallDevice: Post "devices/link" for Profile {
        body: LinkBody,
        errors: [BadLink, LinkExpired, Unreachable, Refused, Protocol],
        answer: AllDevices,
    }

    /// Lets the new device in whose code a person compared.
    ConfirmDevice: Post "devices/confirm" for Profile {
        body: CodeBody, errors: [Mismatch, Protocol], answer: AllDevices,
    }

    /// Throws a device out, by name or number: it hears nothing further. What the others said
    /// is fetched first; where that is not possible within 20 seconds, nothing changes.
    RevokeDevice: Delete "devices/{name}" for Profile {
        path: String, errors: [Ambiguous, Unreachable, Protocol], answer: AllDevices,
    }

    /// Everybody I can write to or soon shall.
    Contacts: Get "contacts" for Profile { answer: Vec<view::Contact>, }

    /// One of them.
    OneContact: Get "contacts/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: view::Contact,
    }

    /// The number to compare with a contact.
    Safety: Get "contacts/{name}/safety" for Profile {
        path: String, errors: [Ambiguous], answer: view::Safety,
    }

    /// Compares the number somebody read out, or the code on their screen, and
    /// marks the contact verified if it is theirs.
    Verify: Post "contacts/{name}/safety" for Profile {
        path: String, body: NumberBody, errors: [Ambiguous, Mismatch], answer: view::Safety,
    }

    /// How I am shown to contacts.
    MyProfile: Get "profile" for Profile { answer: HowIAmShown, }

    /// Changes my name, picture or status; each contact is told, each at a moment of
    /// its own.
    SetProfile: Post "profile" for Profile {
        body: ProfileBody, errors: [BadFile], answer: HowIAmShown,
    }

    /// The picture a contact shows.
    Avatar: Get "contacts/{name}/avatar" for Profile {
        path: String, errors: [NotFound, Ambiguous], answer: Picture,
    }

    /// Shows a contact under another name.
    Rename: Post "contacts/{name}/name" for Profile {
        path: String, body: NameBody, errors: [Ambiguous], answer: view::Contact,
    }

    /// Forgets a contact with all that was said. They are not told.
    RemoveContact: Delete "contacts/{name}" for Profile {
        path: String, errors: [Ambiguous], answer: conversation::Removed,
    }

    /// How every conversation is kept: unread, out of sight, muted and so on.
    Conversations: Get "conversations" for Profile {
        answer: Vec<conversation::Conversation>,
    }

    /// Hears nothing more from the other side, or does again. They are not told.
    Block: Post "conversations/{name}/block" for Profile {
        path: String, body: OnBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Puts a conversation out of sight until something new comes, or back.
    Archive: Post "conversations/{name}/archive" for Profile {
        path: String, body: OnBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Has nothing new draw attention, for a time or without end.
    Mute: Post "conversations/{name}/mute" for Profile {
        path: String, body: MuteBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Shows a conversation before others, or no longer.
    PinConversation: Post "conversations/{name}/pin" for Profile {
        path: String, body: OnBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Marks a conversation to be looked at again, or no longer.
    MarkUnread: Post "conversations/{name}/unread" for Profile {
        path: String, body: OnBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Keeps what was begun to write.
    SetDraft: Post "conversations/{name}/draft" for Profile {
        path: String, body: DraftBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Agrees with the other side when messages disappear; in a group, as its steward,
    /// for all.
    SetTimer: Post "conversations/{name}/timer" for Profile {
        path: String, body: TimerBody, errors: [Ambiguous, Protocol], answer: conversation::Conversation,
    }

    /// Tells the other side that somebody is writing, if the switch `typing` is
    /// on; a few seconds after the last time it tells nobody.
    TellTyping: Post "conversations/{name}/typing" for Profile {
        path: String, errors: [Ambiguous], answer: conversation::Done,
    }

    /// What a person may hand on who reports somebody. It marks nothing read, and
    /// nothing leaves this machine.
    Report: Get "conversations/{name}/report" for Profile {
        path: String, query: ReportQuery, errors: [Ambiguous], answer: conversation::Report,
    }

    /// Messages that have all words of a text, oldest first; the last stored if
    /// there are more. It marks nothing read.
    Search: Get "search" for Profile {
        query: SearchQuery, errors: [Ambiguous], answer: Vec<view::Message>,
    }

    /// Whether a conversation can be proved to others, and who wishes it.
    Mode: Get "contacts/{name}/mode" for Profile {
        path: String, errors: [Ambiguous], answer: view::Mode,
    }

    /// Wishes a conversation to be of a mode; it is provable, or off
    /// the record, while both wish it.
    SetMode: Post "contacts/{name}/mode" for Profile {
        path: String, body: ModeBody, errors: [Ambiguous, Protocol], answer: view::Mode,
    }

    /// Replaces the mailboxes of this device for a conversation or group now, and its keys in
    /// it as soon as that can be.
    Rotate: Post "conversations/{name}/rotate" for Profile {
        path: String, errors: [Ambiguous, Protocol], answer: view::Rotation,
    }

    /// The newest messages of a conversation, oldest first.
    ReadMessages: Get "conversations/{name}/messages" for Profile {
        path: String, query: ReadQuery, errors: [Ambiguous], answer: Vec<view::Message>,
    }

    /// Says something, and if asked to waits until it has come that far.
    SendMessage: Post "messages" for Profile {
        body: SendBody, errors: [Ambiguous, Timeout, Protocol], answer: view::Sent,
    }

    /// How far a message got, and how.
    WhereMessage: Get "messages/{id}/where" for Profile {
        path: String, errors: [Ambiguous], answer: view::Where,
    }

    /// The proof of a message, mine or theirs, that anybody can check.
    ProveMessage: Get "messages/{id}/proof" for Profile {
        path: String, errors: [Ambiguous], answer: view::Proof,
    }

    /// Replaces the text of a message of mine.
    EditMessage: Post "messages/{id}/edit" for Profile {
        path: String, body: TextBody, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// Sets my reaction to a message, or with an empty one takes it back.
    React: Post "messages/{id}/reactions" for Profile {
        path: String, body: ReactionBody, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// The texts a message had, oldest first.
    MessageHistory: Get "messages/{id}/history" for Profile {
        path: String, errors: [Ambiguous], answer: Vec<conversation::Version>,
    }

    /// Pins a message to be found again, or does no longer.
    PinMessage: Post "messages/{id}/pin" for Profile {
        path: String, body: OnBody, errors: [Ambiguous], answer: conversation::Conversation,
    }

    /// Takes a message of mine back.
    DeleteMessage: Delete "messages/{id}" for Profile {
        path: String, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// Everything that happens in a profile from now on, as it happens. The
    /// first document says that nothing is missed from there on.
    Events: Get "events" for Profile { stream: Event, }
}
