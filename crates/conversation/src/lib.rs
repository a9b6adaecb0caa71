#![doc = include_str!("../README.md")]

mod anew;
pub mod channel;
mod command;
pub mod content;
mod event;
pub mod exchange;
#[cfg_attr(
    not(test),
    expect(dead_code, unused_imports, reason = "part of it serves its tests")
)]
mod fork_choice;
mod letter;
pub mod link;
mod messenger;
mod mls;
mod names;
pub mod otr;
pub mod proof;
mod refusal;
mod rotation;
pub mod search;
mod secret;
pub mod storage;
pub mod view;
pub mod village;

pub use command::{Change, Command, Incoming, ListCommand, ProfileChange};
pub use content::{IdPrefix, MessageId};
pub use event::{
    BreakReason, DropReason, EndReason, Event, FailReason, Outgoing, Reply, RoomFault,
};
pub use messenger::{Config, GroupSize, Messenger, left_behind, restored};
pub use mls::branches;
pub use names::{
    ContactId, ConversationId, ConversationIdError, InvitationId, ListId, MemberId, RoomId, Ticket,
};
pub use refusal::Refusal;
pub use rotation::{NewKeys, NewMailboxes};
pub use secret::Secret;
pub use storage::{ChangeKind, Compared, IdentityChange};
pub use storage::{
    MemoryStorage, MessageState, MlsRows, ReceiptRows, RoomRows, RoomStanding, Standing, Storage,
};
