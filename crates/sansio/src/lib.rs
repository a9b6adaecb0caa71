#![doc = include_str!("../README.md")]

mod context;
mod io;
mod machine;
mod storage;
mod time;

pub use context::{Context, Entropy};
pub use io::{Channel, CloseReason, Endpoint, Input, Output, StreamId};
pub use machine::Machine;
pub use storage::{StorageError, StorageErrorKind};
pub use time::{Moment, Timestamp};
