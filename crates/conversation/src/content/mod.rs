//! What is said: MIMI content in canonical CBOR, and what Hushwing says in it.
//!
//! Two floors. [`Message`] is the container of draft-ietf-mimi-content-08,
//! byte for byte: it decodes what any implementation of the draft encodes and
//! nothing else, and it has no opinion on meaning. [`Content`] is the meaning:
//! every message that makes sense is one of its kinds, and what this program
//! cannot show is [`Content::Unsupported`].
//!
//! ```text
//! bytes ── Message::decode ──▶ Message ── Content::read ──▶ Content   (open)
//! bytes ◀─ Message::encode ─── Message ◀─ Content::part ─── Content   (compose)
//! ```
//!
//! Read [`open`] and [`Content::compose`] first. Bytes come out of MLS, so the
//! sender is proved, but may be hostile: sizes, counts and depths are limited
//! before memory is taken, and all text is cleaned ([`shown`]) before anybody
//! sees it. The formats are written down in `protocol/content.md`.

mod addresses;
pub(crate) mod cbor;
mod channel;
mod device;
mod extension;
mod history;
mod id;
mod inquiry;
mod introduction;
mod meaning;
mod message;
mod mode;
mod paired;
mod part;
mod past;
mod plain;
mod post;
mod prefix;
mod profile;
mod readiness;
mod receipt;
mod room;
mod shared;
pub mod shown;
mod signature;
mod signed_receipts;
mod stamp;
mod stretch;
mod tally;
mod text;
mod timer;
mod typing;

pub(crate) use addresses::{read_list, write_list};

pub use addresses::{AddressUpdate, AddressUpdateError, MAX_ADDRESS, MAX_ADDRESSES};
pub use cbor::SyntaxError;
pub(crate) use channel::MOST_CHAINS;
pub use channel::{ChannelStep, ChannelWord, ChannelWordError};
pub use device::{DeviceAnswer, DeviceCall};
pub use extension::{Extensions, Key, Value};
pub use history::{Entitled, MAX_ENTITLED, Next, Piece, Place};
pub use id::{MessageId, MessageIdError, Origin, Salt};
pub use inquiry::{Inquiry, InquiryError, MAX_ASKED};
pub use introduction::{
    Introduction, IntroductionError, IntroductionId, IntroductionStep, MAX_WORD, Offer, clean_word,
};
pub use meaning::{ComposeError, Content, Frame, Mark, OpenError, Opened, open};
pub use message::{DecodeError, EncodeError, Expiration, MAX_MESSAGE, Message};
pub use mode::{Mode, Wish, WishError};
pub use paired::Paired;
pub use part::{Body, Disposition, External, Part, Semantics};
pub use past::{MAX_PAST, Past};
pub use post::{Attachment, Post};
pub use prefix::{IdPrefix, IdPrefixError, ShortId};
pub use profile::{Avatar, MAX_AVATAR, Profile, ProfileError};
pub use readiness::Readiness;
pub use receipt::{MAX_RECEIPTS, Receipt, Status, decode as decode_receipts};
pub use room::{Entry, MAX_PASSED, MAX_ROSTER, RoomStep, RoomWord, RoomWordError};
pub use shared::{Begun, MAX_MINE, MAX_SHARED, Seen, Shared};
pub use signature::{Signature, SignatureError, Unsigned};
pub use signed_receipts::{
    MAX_SIGNED_RECEIPTS, SignedReceipt, SignedReceiptsError, decode_signed, encode_signed,
};
pub use stamp::{Lamport, Stamp, StampError};
pub use stretch::{StretchWord, StretchWordError};
pub use tally::{MAX_TALLIES, Tally};
pub use text::{Mention, Text, TextError};
pub use timer::{MAX_TIMER, Timer, TimerError};
pub use typing::{Typing, TypingError};
