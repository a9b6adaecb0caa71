//! Off the record: what two people say to each other can be shown to nobody.
//!
//! While both wish it, what is said travels in a *stretch*: an MLS group of its
//! own, whose leaf keys nothing signs. Who holds which is told by a tag under a
//! secret that both sides know, so either could have made it, and when a stretch
//! is over each side gives its private leaf key away. So whatever a partner could
//! publish of a stretch, anybody could have made.
//!
//! Here are the parts that need no conversation, pure functions over bytes:
//!
//! ```text
//! Announcement ── tagged ──▶ letter          whose key this is, to the other side
//! Transcript ──── check ───▶ what it says    what a partner could publish at best
//! Forger ───────────────────▶ Transcript     the same, made by anybody
//! ```
//!
//! The [`Forger`] is part of the program and no toy of its tests: that everybody
//! has one is the point. The bytes are written down in `protocol/otr.md`, the
//! reasons in RFC 0023, and a second checker in `interop/otr`.

mod announcement;
mod check;
pub(crate) mod course;
mod forge;
mod framing;
mod transcript;

pub use announcement::{Announced, Step, TagKey};
pub use check::{CheckError, Line, Shown, check};
pub use forge::Forger;
pub use transcript::{MAX_TRANSCRIPT, Said, Told, Transcript, TranscriptError};

#[cfg(test)]
mod tests;
