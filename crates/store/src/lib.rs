#![doc = include_str!("../README.md")]

pub mod backup;
mod database;
mod error;
mod files;
pub mod keys;
mod lock;
mod log;
mod memory;
mod migrations;
mod plain;
mod profile;
mod query;
mod relay_client;
mod relay_server;
pub mod slots;
mod snapshot;

pub use database::Database;
pub use error::OpenError;
pub use lock::{FileLock, LockError};
pub use migrations::Schema;
pub use profile::ProfileStore;
pub use query::Cell;
pub use relay_client::RelayClientStore;
pub use relay_server::{RelayServerStore, check as relay_server_check};
