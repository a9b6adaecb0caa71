//! Whose commits count in a room, mine and others', and those that were missed.
//!
//! [`act`] does what the keeper of branches tells, [`publish`] sends mine, and [`stand`] says
//! whether I am in the room by them. What was missed is asked for and handed out ([`fetch`],
//! [`searches`]), at the [`pace`] a member may ask. [`renewal`] renews my keys in time.

mod act;
mod fetch;
mod pace;
mod publish;
mod renewal;
mod searches;
mod stand;

pub(super) use fetch::Missing;
pub(super) use pace::{Allowance, Budgets};
pub(super) use renewal::Renewal;
pub(super) use stand::FAREWELL;
