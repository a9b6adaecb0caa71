#![doc = include_str!("../README.md")]

mod address;
mod contract;
mod envelope;

pub use address::{Address, AddressError, Locator, NetworkTag, Place, SealKey};
pub use contract::{
    Card, FetchFailure, FetchId, MailboxFailure, MailboxId, Network, NetworkCommand, NetworkEvent,
    Purpose, ReceiptId, SendFailure, SendId, Stage,
};
pub use envelope::{
    Envelope, EnvelopeError, FIRST_CONTACT_OVERHEAD, FIRST_CONTACT_PAYLOAD, GUARD_RESERVE,
    REGULAR_OVERHEAD, REGULAR_PAYLOAD,
};
