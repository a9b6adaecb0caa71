//! The part of cargo-deny's file that we read ourselves.

use serde::Deserialize;

/// `deny.toml`.
#[derive(Debug, Deserialize)]
pub(super) struct Rules {
    pub(super) graph: Graph,
    pub(super) licenses: Licenses,
    pub(super) bans: Bans,
    pub(super) sources: Sources,
}

/// Which platforms count.
#[derive(Debug, Deserialize)]
pub(super) struct Graph {
    /// Target triples.
    pub(super) targets: Vec<String>,
}

/// Which licences fit ours.
#[derive(Debug, Deserialize)]
pub(super) struct Licenses {
    /// SPDX identifiers, with `WITH` where it belongs.
    pub(super) allow: Vec<String>,
    /// More of them for one crate.
    #[serde(default)]
    pub(super) exceptions: Vec<Exception>,
}

/// Licences allowed for one crate only.
#[derive(Debug, Deserialize)]
pub(super) struct Exception {
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) allow: Vec<String>,
}

/// Crates we do not want.
#[derive(Debug, Deserialize)]
pub(super) struct Bans {
    pub(super) deny: Vec<Ban>,
}

/// One of them, and why.
#[derive(Debug, Deserialize)]
pub(super) struct Ban {
    #[serde(rename = "crate")]
    pub(super) name: String,
    pub(super) reason: String,
}

/// Where crates may come from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Sources {
    /// Registry addresses.
    pub(super) allow_registry: Vec<String>,
}
