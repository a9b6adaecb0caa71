//! How posts of a channel are sealed and signed.
//!
//! A channel has one signature key for good, of which its readers know the public
//! half, and a symmetric key that is ratcheted with each post and begun anew when a
//! reader is removed: a *generation*. Who has the [`Chain`] of a generation at a number
//! reads the posts from there on and none before; who has the key alone writes none.
//!
//! ```text
//! key       AES-256-GCM under a key of that number alone: only readers open it
//! signature Ed25519 by the channel: only its publisher wrote it
//! ```
//!
//! By the same key, under another label, it is offered to each reader: a [`Bond`].
//!
//! Pure functions of their arguments. Bytes and reasons: `protocol/channels.md`,
//! `rfcs/0028-channels.md`; a second model is in `interop/channel`.

mod chain;
mod key;
mod offer;
mod post;

pub use chain::{Chain, MOST_AHEAD};
pub use key::{ChannelKey, ChannelKeyError, PublicChannelKey};
pub use offer::Bond;
pub(crate) use post::read_number;
pub use post::{MAX_POST, Post, PostFault};

#[cfg(test)]
mod tests;
