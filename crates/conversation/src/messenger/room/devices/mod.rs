//! The devices of an account in rooms.
//!
//! They [`meet`] in a room of their own, and there [`share`] which groups they are in and what
//! was [`seen`]. A device that is told of a group wants to [`come`] in. Whose devices the
//! members of a group are is asked of [`kin`], which leaves are those of a device of mine that
//! was not thrown out of [`good`], and [`sweep`] throws out what a lost one leaves behind.
//! What was said before a device came is handed to it as [`history`].

mod come;
mod good;
mod history;
mod kin;
mod meet;
mod seen;
mod share;
mod sweep;

pub(super) use come::Comes;
pub(super) use history::Pages;
#[cfg(test)]
pub(super) use kin::tests::{ME, room};
