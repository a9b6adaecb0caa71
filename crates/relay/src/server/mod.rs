//! The SMP server without its sockets and files.
//!
//! Two parts that know nothing of threads:
//!
//! | part | how many | what it does |
//! |---|---|---|
//! | [`Session`] | one per connection, any thread | hellos, block keys, parsing, checking authorisations, boxing messages, packing answers |
//! | [`Engine`] | one per server, inside the writer's transaction | what commands mean: queues, messages, links, subscriptions |
//!
//! ```text
//!  block ─► Session ─► Request ─►┐ begin          ┌─► Output ─► Session ─► block
//!              │ look up keys    │   Engine::apply │
//!              ▼                 │   (1..256)      │
//!          Directory             └ commit ─────────┘
//! ```
//!
//! All that costs time (signatures, boxes, hashing 16 KiB) is in the sessions,
//! which run in parallel; the engine moves small values and lends bodies.
//!
//! Sessions look keys up in a [`Directory`] that shows committed queues, while
//! the engine decides on what is stored at that moment. So a request carries
//! the key that was proved, and the engine refuses it if the queue no longer
//! has that key: a look-up that is a moment too old can never let a command
//! through.
//!
//! The driver's duties, besides the law of `hushwing_sansio`:
//!
//! 1. What [`Session::take_wanted`] names is read from storage between
//!    transactions and handed to [`Session::resolve`].
//! 1. Outputs leave only after the commit, and after what
//!    [`Engine::take_changes`] tells has been applied to the directory.
//! 1. Requests of one connection reach the engine in order; its
//!    [`Engine::close`] comes last.
//! 1. When the engine or the commit fails, all sessions end and a new engine
//!    is made: subscriptions are lost with the connections they belong to.

mod config;
mod directory;
mod engine;
mod memory;
mod record;
mod request;
mod session;
mod storage;

pub use config::{CreationPolicy, ServerConfig};
pub use directory::{Directory, Lookup, Name};
pub use engine::{Engine, QueueChange};
pub use memory::{MemoryDirectory, MemoryStorage};
pub use record::{Id, QueueRecord, QueueRow, keys_from_bytes, keys_to_bytes};
pub use request::{
    Answer, ConnectionId, Delivery, Event, NewQueueRequest, Output, RecipientCommand, Request,
    Ticket,
};
pub use session::{Accepted, ServerIdentity, Session, SessionEnd};
pub use storage::{Depth, MessageBody, NewRecord, Place, Storage, StoredLink, StoredMessage};
