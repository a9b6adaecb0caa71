#![doc = include_str!("../README.md")]

mod address;
mod contract;
mod envelope;
mod frame;
mod office;
mod seal;

pub use address::{Address, AddressError, Locator, NetworkTag, Place, SealKey};
pub use contract::{
    Card, FetchFailure, FetchId, MailboxFailure, MailboxId, Network, NetworkCommand, NetworkEvent,
    Purpose, ReceiptId, SendFailure, SendId, Stage,
};
pub use envelope::{
    Envelope, EnvelopeError, FIRST_CONTACT_OVERHEAD, FIRST_CONTACT_PAYLOAD, GUARD_RESERVE,
    REGULAR_OVERHEAD, REGULAR_PAYLOAD,
};
pub use frame::RepeatId;
pub use office::{
    Incoming, Keep, LONGEST_FIRST_CONTACT, LONGEST_LETTER, Letter, LetterId, MOST_ADDRESSES,
    MOST_FOR_OTHERS, MOST_FOR_OTHERS_BYTES, MailboxKeys, MemoryStorage, OfficeEvent, Part,
    PostError, PostOffice, RouteRecord, RouteState, Storage, Urgency, Whereabouts,
};
pub use seal::{FirstContactSecret, SealError};
