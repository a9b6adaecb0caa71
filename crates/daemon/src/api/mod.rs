//! The local API: HTTP/1.1 with JSON bodies and NDJSON streams over a Unix
//! socket only its owner may open. Every face but XMPP speaks it.

mod body;
mod listen;
mod route;
pub mod view;

pub(crate) use listen::{ApiSocket, serve};
