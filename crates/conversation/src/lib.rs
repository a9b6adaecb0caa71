//! Who talks, and what was said: MLS conversations, invitations, content.

pub mod content;
