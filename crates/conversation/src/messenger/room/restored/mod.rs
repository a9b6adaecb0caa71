//! Rooms that a backup brought: nothing that MLS knew of them is used.
//!
//! [`regain`] asks to be let in again and lets others in, [`rejoin`] comes back by another
//! device of mine; [`refound`] founds one anew of which nobody is a higher steward.

mod refound;
mod regain;
mod rejoin;
