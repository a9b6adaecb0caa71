//! Arguments of the commands about groups and channels.

use std::path::PathBuf;

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
    /// Show another picture of a group to all who are in it, or none any more; or write the one
    /// it shows to a file
    #[command(group(clap::ArgGroup::new("what").required(true).args(["file", "off", "save"])))]
    Avatar {
        /// The group, by name or id
        group: String,
        /// A picture: JPEG, PNG or WebP. It is made small, and nothing is sent of what the
        /// camera wrote beside it
        file: Option<PathBuf>,
        /// Show no picture any more
        #[arg(long)]
        off: bool,
        /// Write the picture to this new file
        #[arg(long, value_name = "FILE")]
        save: Option<PathBuf>,
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
    /// Show who passes on what others say in a large group, name them, or decline to be one
    #[command(group = clap::ArgGroup::new("change"))]
    Herald {
        /// The group, by name or id
        group: String,
        /// As a steward: let this member, by name or number, be one, and the last of three go
        #[arg(long, value_name = "MEMBER", group = "change")]
        name: Option<String>,
        /// As a steward: let this member be one no longer, and no program name them by itself.
        /// Where the group is too large to do without another comes in their place
        #[arg(long, value_name = "MEMBER", group = "change")]
        dismiss: Option<String>,
        /// You do not want to be one: it costs battery, and room in your mailboxes
        #[arg(long, group = "change")]
        decline: bool,
        /// You are one if others name you, as before
        #[arg(long, group = "change")]
        accept: bool,
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

/// What one says and others read, who do not see each other.
#[derive(Args)]
pub(crate) struct Channel {
    #[command(subcommand)]
    pub(crate) action: ChannelAction,
}

/// What to do with channels. Whoever is asked to read decides by `requests`; posts are said
/// by `send` and read by `read`, with the channel's name in place of a contact's.
#[derive(Subcommand)]
pub(crate) enum ChannelAction {
    /// Found a channel that you publish
    New {
        /// What to call it
        name: String,
    },
    /// Say something in a channel of yours
    Post {
        /// The channel, by name or id
        channel: String,
        /// What to say
        text: String,
    },
    /// List the channels you publish and read
    List,
    /// Show a channel; who reads it is shown to who publishes it
    Info {
        /// The channel, by name or id
        channel: String,
    },
    /// Ask a contact whether they want to read a channel of yours
    Add {
        /// The channel, by name or id
        channel: String,
        /// The contact, by name or id
        contact: String,
    },
    /// Let somebody read no further; all others get new keys
    Remove {
        /// The channel, by name or id
        channel: String,
        /// The reader, by name, or by number where several are called so
        reader: String,
    },
    /// Read a channel no further, or end one of yours; what was said stays
    Leave {
        /// The channel, by name or id
        channel: String,
    },
    /// Forget a channel that you left, with all that was said
    Forget {
        /// The channel, by name or id
        channel: String,
    },
}
