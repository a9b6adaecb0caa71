#![doc = include_str!("../README.md")]

mod acquaintance;
pub mod backup;
mod call;
pub mod calls;
mod client;
pub mod conversation;
pub mod device;
mod event;
pub mod group;
mod heard_out;
pub mod hidden;
mod kind;
pub mod list;
pub mod openapi;
mod path;
pub mod profile;
mod query;
pub mod request;
pub mod view;

pub use call::{Call, Description, Method, PathValues, Scope};
pub use client::{Answer, CallError, Client, Lines};
pub use event::{Event, KeyChangedEvent, MessageEvent};
pub use kind::ErrorKind;
pub use path::{Malformed, Path, unescape};
pub use query::{QueryError, read as read_query};
