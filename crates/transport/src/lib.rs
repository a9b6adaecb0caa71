#![doc = include_str!("../README.md")]

mod block;
mod bytes;
mod clock;
mod drive;
mod gate;
mod listener;
mod pool;
pub mod tls;

pub use block::{BLOCK_LENGTH, Block, BlockEvent, BlockStream};
pub use bytes::{ByteEvent, ByteStream};
pub use clock::{OsEntropy, SystemClock};
pub use drive::{
    DriveConfig, DriveError, DriveStatus, Driving, Transactional, drive, drive_observed,
};
pub use gate::{HEADS, hello_length};
pub use listener::{ServeLimits, serve};
pub use tls::{
    AcceptError, Accepted, Acceptor, AcceptorConfig, ConnectError, Connector, ConnectorConfig,
    StreamError, StreamLimits,
};
