//! The settings file: servers, profiles in order of creation, switches.
//!
//! It names servers, with their passwords for new mailboxes, so it is as private
//! as the rest of the home.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::files;

/// Version of the file's format.
const VERSION: u32 = 1;

/// What a person chose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    version: u32,
    /// Names of profiles, oldest first; the first is the default.
    pub(crate) profiles: Vec<String>,
    /// Relays for new mailboxes.
    pub(crate) servers: Vec<ServerSetting>,
    /// Switches, each with its default.
    pub(crate) switches: Switches,
}

/// A relay somebody chose.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServerSetting {
    /// `smp://…`
    pub(crate) address: String,
    /// The profile it serves; all when `None`.
    pub(crate) profile: Option<String>,
}

impl std::fmt::Debug for ServerSetting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ServerSetting(..)")
    }
}

/// Switches that `config set` knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Switches {
    /// Whether contacts learn that their messages were read.
    pub(crate) read_receipts: bool,
    /// Whether receipts leave at once. By default they wait a little, so that
    /// their timing does not tell a network who answers whom.
    pub(crate) prompt_receipts: bool,
    /// Whether contacts learn that somebody is writing, and it is shown that they
    /// are.
    pub(crate) typing: bool,
    /// Whether each conversation has mailboxes on two relays, where two are
    /// chosen, and one for the last resort on a third.
    pub(crate) several_mailboxes: bool,
    /// Whether messages leave by all addresses of a contact at once. By default
    /// the next one is tried where the one before it brought no receipt.
    pub(crate) send_in_parallel: bool,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            read_receipts: false,
            prompt_receipts: false,
            typing: false,
            several_mailboxes: true,
            send_in_parallel: false,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            profiles: Vec::new(),
            servers: Vec::new(),
            switches: Switches::default(),
        }
    }
}

impl Settings {
    /// Reads the file; a missing one means defaults.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(Error::system("read", path, &error)),
        };
        let damaged = |problem: String| {
            Error::new(ErrorKind::Damaged, format!("{}: {problem}", path.display()))
                .with_advice("mend the file or move it away; contacts and messages are not in it")
        };
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(damaged(format!(
                    "format {version} is newer than this program"
                )));
            }
            None => return Err(damaged("it has no version".into())),
        }
        serde_json::from_value(value).map_err(|error| damaged(error.to_string()))
    }

    /// Writes the file: whole, synced and renamed, or not at all.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        let bytes = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("settings: {error}")))?;
        files::replace(path, &bytes).map_err(|error| Error::system("write", path, &error))
    }

    /// Every switch by its name.
    pub(crate) fn switches(&self) -> Result<BTreeMap<String, bool>, Error> {
        serde_json::to_value(self.switches)
            .and_then(serde_json::from_value)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("settings: {error}")))
    }

    /// The value of one switch.
    pub(crate) fn switch(&self, key: &str) -> Result<bool, Error> {
        let value = self.switches()?.get(key).copied();
        value.ok_or_else(|| unknown(key))
    }

    /// Sets a switch from what a person typed.
    pub(crate) fn set_switch(&mut self, key: &str, value: &str) -> Result<bool, Error> {
        let mut all = self.switches()?;
        let slot = all.get_mut(key).ok_or_else(|| unknown(key))?;
        *slot = match value {
            "true" | "on" | "yes" => true,
            "false" | "off" | "no" => false,
            _ => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("{key} is either on or off"),
                ));
            }
        };
        let shown = *slot;
        self.switches = serde_json::to_value(all)
            .and_then(serde_json::from_value)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("settings: {error}")))?;
        Ok(shown)
    }
}

fn unknown(key: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("no setting is called {key}"))
        .with_advice("`hushwing config get` lists them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        let mut settings = Settings::load(&path).unwrap();
        settings.profiles.push("alice".into());
        settings.set_switch("read_receipts", "on").unwrap();
        settings.save(&path).unwrap();
        assert_eq!(Settings::load(&path).unwrap(), settings);
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.json");
        fs::write(&path, br#"{"version":2}"#).unwrap();
        assert_eq!(
            Settings::load(&path).unwrap_err().kind(),
            ErrorKind::Damaged
        );
    }

    #[test]
    fn an_unknown_setting_is_named() {
        let mut settings = Settings::default();
        assert_eq!(
            settings.set_switch("colour", "on").unwrap_err().kind(),
            ErrorKind::NotFound
        );
        assert_eq!(
            settings
                .set_switch("read_receipts", "maybe")
                .unwrap_err()
                .kind(),
            ErrorKind::Usage
        );
    }
}
