//! What can be shown to others: statements, signatures, and the proof file.
//!
//! Pure functions over bytes. A *statement* says that somebody said or received
//! something in a conversation; the holder of an identity key signs it as
//! COSE_Sign1 (RFC 9052) with the statement as detached payload; a *proof* puts
//! a message, its signature and its signed receipts into one file that anybody
//! can check without this program's daemon, contacts or keys.
//!
//! ```text
//! content ─ hash ─▶ Said ──── sign ───▶ extension -2 of the message ─┐
//!                    └──▶ Received ─ sign ─▶ signed receipts ────────┤
//!                                                                    ▼
//!                                 check ◀── text ◀── Proof ◀── prove
//! ```
//!
//! Which messages are signed, and when, is the messenger's matter. The bytes
//! are written down in `protocol/proof.md`, the reasons in RFC 0016.

mod armour;
mod check;
mod cose;
mod file;
mod key;
mod statement;

pub use armour::ArmourError;
pub use check::{CheckError, Proved, check};
pub use file::{MAX_PROOF, Proof, ProofError, ReceiptProof};
pub use key::{IdentityKey, KeyError, PublicIdentity, SignatureBytes};
pub(crate) use statement::receipt_time;
pub use statement::{Confirmation, Received, Said, Wished, digest};
