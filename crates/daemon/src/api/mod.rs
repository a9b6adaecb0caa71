//! The local API: HTTP/1.1 with JSON bodies and NDJSON streams over a Unix
//! socket only its owner may open. Every face but XMPP speaks it. What it says
//! is declared in `hushwing_api`; here it is answered.
//!
//! A request that cannot be carried out just as it stands is refused with a
//! [`Failure`](view::Failure). What is no HTTP at all (forbidden bytes in the
//! head, a length that is no number, a path over 64 KiB) never gets as far: it
//! is answered with status 400, 414 or 431 and an empty body.

mod asked;
mod body;
mod conversations;
mod listen;
mod route;

pub use hushwing_api::view;
pub(crate) use listen::{ApiSocket, serve};
