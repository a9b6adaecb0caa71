//! Arguments of `list`.

use clap::{Args, Subcommand};

/// Private names for several contacts, each of whom is told alone
#[derive(Args)]
pub(crate) struct List {
    #[command(subcommand)]
    pub(crate) action: ListAction,
}

/// What to do with lists. Nobody else learns that there is one, or who is on it.
#[derive(Subcommand)]
pub(crate) enum ListAction {
    /// Make a list
    New {
        /// What to call it
        name: String,
    },
    /// Put a contact on a list
    Add {
        /// The list, by name, or by number where several are called so
        list: String,
        /// The contact, by name or id
        contact: String,
    },
    /// Take a contact off a list
    Remove {
        /// The list, by name, or by number where several are called so
        list: String,
        /// The contact, by name or id
        contact: String,
    },
    /// Forget a list; what was posted to it is still said
    Delete {
        /// The list, by name, or by number where several are called so
        list: String,
    },
    /// List your lists
    List,
    /// Show who is on a list, and what was posted to it
    Info {
        /// The list, by name, or by number where several are called so
        list: String,
    },
    /// Say the same to each who is on a list, in your conversation with them, each at
    /// a moment of its own. Look after it by `where`, change it by `edit` and `delete`
    Post {
        /// The list, by name, or by number where several are called so
        list: String,
        /// What to say; from standard input if absent or -
        text: Option<String>,
    },
}
