//! Every call of the local API, once: the daemon answers by this table
//! (`daemon::api::route`), [`Client`](crate::Client) calls by it, and
//! [`openapi`](crate::openapi) describes it.
//!
//! To add one: declare it here, its documents in [`request`](crate::request) and
//! [`view`](crate::view) (each derives `JsonSchema`); answer it by one entry in
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

use crate::call::calls;
use crate::event::Event;
use crate::request::{
    AddressQuery, InviteBody, JoinBody, NameBody, NumberBody, ReactionBody, ReadQuery, SendBody,
    ServerBody, ServersQuery, TestBody, TextBody, ValueBody,
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

    /// Links of mine that can be used, oldest first.
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

    /// Strangers who opened a reusable link of mine.
    Requests: Get "requests" for Profile { answer: Vec<view::Request>, }

    /// Takes a stranger as a contact.
    AcceptRequest: Post "requests/{request}/accept" for Profile {
        path: u64, errors: [Unreachable, Refused, Protocol], answer: view::Contact,
    }

    /// Turns a stranger away; they are not told.
    RefuseRequest: Post "requests/{request}/refuse" for Profile {
        path: u64, answer: view::Refused,
    }

    /// Everybody I can write to or soon shall.
    Contacts: Get "contacts" for Profile { answer: Vec<view::Contact>, }

    /// The number to compare with a contact.
    Safety: Get "contacts/{name}/safety" for Profile {
        path: String, errors: [Ambiguous], answer: view::Safety,
    }

    /// Compares the number somebody read out, and marks the contact verified if
    /// it is theirs.
    Verify: Post "contacts/{name}/safety" for Profile {
        path: String, body: NumberBody, errors: [Ambiguous, Mismatch], answer: view::Safety,
    }

    /// Shows a contact under another name.
    Rename: Post "contacts/{name}/name" for Profile {
        path: String, body: NameBody, errors: [Ambiguous], answer: view::Contact,
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

    /// Replaces the text of a message of mine.
    EditMessage: Post "messages/{id}/edit" for Profile {
        path: String, body: TextBody, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// Sets my reaction to a message, or with an empty one takes it back.
    React: Post "messages/{id}/reactions" for Profile {
        path: String, body: ReactionBody, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// Takes a message of mine back.
    DeleteMessage: Delete "messages/{id}" for Profile {
        path: String, errors: [Ambiguous, Protocol], answer: view::Sent,
    }

    /// Everything that happens in a profile from now on, as it happens. The
    /// first document says that nothing is missed from there on.
    Events: Get "events" for Profile { stream: Event, }
}
