//! Rooms that a backup brought: nothing that MLS knew of them is used.
//!
//! [`regain`] asks to be let in again and lets others in; [`refound`] founds one anew of which
//! nobody is a higher steward.

mod refound;
mod regain;
