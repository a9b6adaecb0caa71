//! How somebody gets into a room.
//!
//! A contact asks them in ([`offer`]) or a [`link`] does; whoever lets them in sends the
//! [`welcome`], with a [`roster`] of who is there and what was said in the [`past`], if the group
//! agreed on that; and who [`enter`]s [`greet`]s the others. Who is [`missing`] nevertheless is
//! asked for.

mod enter;
mod greet;
mod link;
mod missing;
mod offer;
mod pair;
mod past;
mod roster;
mod welcome;

pub(super) use enter::{GREETING_REST, Greetings, MOST_ADDRESSES};
pub(super) use missing::Question;
pub(super) use offer::OFFER_LIFE;
pub(super) use past::{Scope, Taken};
