//! Invitations as links: what a newcomer copies, scans, or clicks.
//!
//! A link is short and never changes; what it leads to is long and may. The
//! ladder from text to trust, each step a type:
//!
//! ```text
//! text ── Link::parse ──▶ Link ── a network fetches ──▶ fixed data, bundle
//!      ── VerifiedBundle::open ──▶ VerifiedBundle: may be used
//! ```
//!
//! The [`Secret`] in the link is the hash of the [`Fixed`] data, which holds
//! the [`RootKey`]'s public half, which signed the [`Bundle`]. So whoever has
//! the link knows that the bundle comes from whoever made the link, whatever
//! server it lay on; and the server cannot read it, for the network encrypts
//! it under the secret. A root key is made for one link and used for nothing
//! else: knowing its public half is knowing the secret.
//!
//! [`SafetyNumber`] is for later, when two people compare what they see.
//! The formats are written down in `protocol/link.md`.

mod bundle;
mod device;
mod introduced;
mod promise;
mod safety;
mod secret;
mod uri;

pub use bundle::{
    Bundle, BundleError, GroupPreview, MAX_BUNDLE, SealingKey, SignError, VerifiedBundle,
};
pub use device::DeviceLink;
pub use introduced::IntroducedLink;
pub use promise::Promise;
pub use safety::{SafetyCodeError, SafetyNumber};
pub use secret::{Fixed, FixedError, RootKey, Secret};
pub use uri::{Kind, Link, LinkError, MAX_LINK, MAX_PLACE, TooLong};
