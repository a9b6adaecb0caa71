//! Lists: private names for several contacts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /v1/lists/NAME`, and one row of `GET /v1/lists`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// Its name, which nobody else learns.
    pub name: String,
    /// Its number, for where names are the same.
    pub list: u64,
    /// Who is on it, in the order they were put there.
    pub contacts: Vec<Listed>,
    /// What was posted to it, oldest first. The oldest are forgotten.
    pub posts: Vec<ListPost>,
}

/// A contact on a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Listed {
    /// Shown name.
    pub name: String,
    /// Their id.
    pub id: String,
}

/// `POST /v1/lists/NAME/posts`, and what was posted to a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListPost {
    /// Its id, by which it is looked after, edited and deleted as a message.
    pub message: String,
    /// When, RFC 3339 UTC.
    pub posted_at: String,
    /// Whether it was deleted.
    pub deleted: bool,
    /// For how many contacts it is.
    pub all: usize,
    /// To how many it, or its last change, is still to be said: to each at a moment of
    /// its own.
    pub waiting: usize,
    /// To whom it, or its last change, is not said.
    pub missed: Vec<MissedCopy>,
}

/// To whom something is not said that was posted to a list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MissedCopy {
    /// Shown name.
    pub name: String,
    /// `blocked`, `broken`, `restoring` until they were online after a backup was put back,
    /// `not_established`, `not_answered` yet, `off_record` where you alone wish that, `put_back`
    /// with a backup that was made before it was said, `deleted` before, `gone` there since, or
    /// `refused` for another reason.
    #[schemars(extend("enum" = [
        "blocked", "broken", "restoring", "not_established", "not_answered", "off_record",
        "put_back", "deleted", "gone", "refused",
    ]))]
    pub reason: String,
}
