//! SMP on the wire: fixed blocks, handshake, transmissions, commands, answers.
//!
//! Everything here is a pure function of its arguments. Parsers borrow from
//! the block they read; writers append to the block they fill, and boxes are
//! sealed and opened in place, so a message body is copied once on its way
//! through a server.
//!
//! From the outside in:
//!
//! | layer | module | unit |
//! |---|---|---|
//! | stream of blocks | [`block`] | 16,384 bytes, optionally sealed with a key chain |
//! | hellos | [`handshake`] | one block each way |
//! | batch | [`batch`] | 1 to 255 transmissions |
//! | transmission | [`transmission`] | authorisation, correlation id, entity id, text |
//! | commands, answers | [`command`], [`response`], [`error`] | the text |
//! | message body | [`message`] | boxed for the recipient, 16,106 bytes padded |
//!
//! Keys are in [`key`], the box in [`cryptobox`], authorisation in [`auth`].
//! Section numbers "SMP n" refer to `protocol/smp.md` of this repository.

pub mod auth;
pub mod batch;
pub mod block;
pub mod command;
pub mod cryptobox;
#[cfg(test)]
pub(crate) mod effort;
pub mod error;
pub mod handshake;
pub mod key;
pub mod message;
pub mod pad;
pub mod read;
pub mod response;
pub mod signed_key;
pub mod transmission;
pub mod version;
pub mod write;

pub use auth::{Authoriser, Credential, Verdict, Verifier};
pub use batch::{BlockBuilder, Packer, Rejected, transmissions};
pub use block::{BLOCK_LEN, BlockReader, Opener, Role, Sealer, agree, hello_block, open_hello};
pub use command::{Command, KeyList, LinkData, NewQueue, NotifierKeys, QueueMode, QueueRequest};
pub use cryptobox::{BoxKey, NONCE_LEN, TAG_LEN};
pub use error::{BlockingReason, CommandError, SmpError};
pub use handshake::{ClientHello, ServerHello, ServiceHello};
pub use key::{AuthKey, DhPublic, DhSecret, KeyKind, SigningKey};
pub use message::{MessageContent, open_message, write_message};
pub use pad::{pad, unpad};
pub use read::{Malformed, Reader};
pub use response::{Ids, Response};
pub use signed_key::SignedKey;
pub use transmission::{Transmission, write_response};
pub use version::{SUPPORTED, Version, VersionRange};
pub use write::{TooLong, Writer};

/// Length of the ids a server draws for queues, messages and links, and of the
/// correlation ids a client draws (SMP 4). Parsers accept any length.
pub const ID_LEN: usize = 24;
