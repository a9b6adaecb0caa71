#![doc = include_str!("../README.md")]

pub mod conformance;
pub mod correspondent;
mod dice;
mod host;
mod netem;
mod room;
mod streams;
pub mod toy;
mod world;

pub use dice::Dice;
pub use host::{DriverFault, When};
pub use netem::Netem;
pub use room::{ConnId, Core, NetworkRoom, Room, Routed, Server, ServerOutput};
pub use world::{CrashPlan, Step, World, WorldError};
