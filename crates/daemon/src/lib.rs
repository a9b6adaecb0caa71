#![doc = include_str!("../README.md")]

mod api;
mod checkup;
mod daemon;
mod deletion;
mod embedded;
mod error;
mod files;
mod handle;
mod home;
mod inspection;
mod installation;
mod key;
mod lent;
mod log;
pub mod passphrase;
mod profile;
mod relay;
pub mod relay_server;
mod relays;
mod runtime;
mod server_test;
mod settings;
mod text;

pub use api::view;
pub use checkup::examine;
pub use daemon::{Config, Daemon};
pub use error::{Error, ErrorKind};
pub use handle::{Events, Handle, Outgoing, Stage, check_proof};
pub use home::Home;
pub use hushwing_conversation::proof::MAX_PROOF;
pub use hushwing_store::keys::Passphrase;
pub use log::log_to;
pub use relay::{Admission, Relay, RelayConfig};
pub use text::{check_text, read_text};
pub use tracing::level_filters::LevelFilter;
