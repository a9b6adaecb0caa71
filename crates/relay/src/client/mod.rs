//! The client of SMP queues: a delivery network.
//!
//! [`Client`] is a machine with one session per server. A mailbox is a queue
//! of ours, a locator names a queue of somebody else. The parts:
//!
//! - [`storage`] with `records`: what must outlive the process, and in which
//!   order it is written: a key before the command that names it leaves.
//! - [`link`]: how the card of an invitation is encrypted.
//! - [`body`]: how an envelope lies in the body of `SEND`.
//! - `session` with `greeting`: one connection: handshake, blocks, answers paired
//!   with commands, time limits; `pace`: when a server is dialled again;
//!   `connections`: what a connection's end means; `places`: which server a
//!   mailbox is made on.
//! - `mailboxes` with `mailbox`, `answers` and `arrivals`: the receiving half of
//!   the contract; `senders` and `fetches` with `sender_keys`: the sending half.

mod answers;
mod arrivals;
pub mod body;
mod certificate;
mod connections;
mod fetches;
mod greeting;
pub mod link;
mod machine;
mod mailbox;
mod mailboxes;
mod pace;
mod places;
mod records;
mod sender_keys;
mod senders;
mod session;
pub mod storage;

pub use connections::{Connection, ConnectionState};
pub use machine::Client;
pub use session::Ended;
pub use storage::{MemoryStorage, Storage, StoredMailbox};
