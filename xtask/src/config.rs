//! `xtask/house.toml`: the table of rooms and the limits, as data.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::failure::Failure;

/// Where the table stands, from the workspace's root.
pub(crate) const HOUSE: &str = "xtask/house.toml";

/// The rules of the house.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct House {
    /// Rooms without clock, socket, file or system randomness.
    pub(crate) sans_io: Vec<String>,
    /// Packages no such room may have in its normal tree.
    pub(crate) never_below: Vec<String>,
    /// Rooms that may only be named under `[dev-dependencies]`.
    pub(crate) tests_only: Vec<String>,
    /// Lines a file may have.
    pub(crate) longest_file: usize,
    /// Characters a line of prose may have.
    pub(crate) widest_prose: usize,
    /// Room -> rooms it may use.
    pub(crate) rooms: BTreeMap<String, Vec<String>>,
    /// File -> why it may be longer.
    pub(crate) long_files: BTreeMap<String, String>,
    /// Step -> minutes.
    pub(crate) budget: BTreeMap<String, u64>,
    /// Room -> minutes of test time.
    pub(crate) budget_rooms: BTreeMap<String, u64>,
}

impl House {
    /// Reads the table of the workspace at `root`.
    pub(crate) fn read(root: &Path) -> Result<Self, Failure> {
        parse(HOUSE, &read(root, HOUSE)?)
    }
}

/// Reads one file of the workspace.
pub(crate) fn read(root: &Path, name: &str) -> Result<String, Failure> {
    let path = root.join(name);
    std::fs::read_to_string(&path).map_err(|source| Failure::File { path, source })
}

/// Writes one file of the workspace.
pub(crate) fn write(root: &Path, name: &str, text: &str) -> Result<(), Failure> {
    let path = root.join(name);
    std::fs::write(&path, text).map_err(|source| Failure::File { path, source })
}

/// Understands a TOML file.
pub(crate) fn parse<T: for<'de> Deserialize<'de>>(name: &str, text: &str) -> Result<T, Failure> {
    toml::from_str(text).map_err(|error| Failure::Parse {
        what: name.to_owned(),
        why: error.to_string(),
    })
}
