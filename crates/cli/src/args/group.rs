//! Arguments of the commands about groups.

use clap::{Args, Subcommand};

/// Conversations of many.
#[derive(Args)]
pub(crate) struct Group {
    #[command(subcommand)]
    pub(crate) action: GroupAction,
}

/// What to do with groups. Somebody who was asked in decides by `requests`.
#[derive(Subcommand)]
pub(crate) enum GroupAction {
    /// Found a group with you alone in it
    New {
        /// What to call it
        name: String,
    },
    /// List the groups you are in, and were in
    List,
    /// Show who is in a group
    Info {
        /// The group, by name or id
        group: String,
    },
    /// Ask a contact whether they want to be in a group; again, if they did not answer
    Add {
        /// The group, by name or id
        group: String,
        /// The contact, by name or id
        contact: String,
    },
    /// Remove somebody from a group, or take back that they were asked
    Remove {
        /// The group, by name or id
        group: String,
        /// The member, by name, or by number where several are called so; or a contact who
        /// was asked
        member: String,
    },
    /// Call a group something else, for all who are in it
    Rename {
        /// The group, by name or id
        group: String,
        /// Its new name
        name: String,
    },
    /// Make a member a steward, who may add, remove and rename
    Steward {
        /// The group, by name or id
        group: String,
        /// The member, by name or number
        member: String,
        /// They shall be one no longer
        #[arg(long)]
        off: bool,
    },
    /// Hand whoever comes later what is said from now on
    History {
        /// The group, by name or id
        group: String,
        /// Hand them nothing any more
        #[arg(long)]
        off: bool,
    },
    /// Leave a group; what was said stays
    Leave {
        /// The group, by name or id
        group: String,
    },
    /// Forget a group you are not in any more, with all that was said
    Forget {
        /// The group, by name or id
        group: String,
    },
}
