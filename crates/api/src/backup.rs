//! Documents and bodies about backups.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A text that opens something: never shown by `Debug`, wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes a copy.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What backup to write.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackupBody {
    /// Absolute path of the file.
    pub file: String,
    /// Whether a file there may be replaced.
    #[serde(default)]
    pub force: bool,
    /// What shall open it; without one a recovery code is made.
    pub passphrase: Option<Secret>,
}

/// A backup that was written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BackedUp {
    /// The file.
    pub file: String,
    /// The profile in it.
    pub profile: String,
    /// Length of the file, which comes in coarse steps.
    pub bytes: u64,
    /// What opens it, where no passphrase was given. It is not shown again.
    pub recovery_code: Option<Secret>,
}

/// What backup to restore.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreBody {
    /// Absolute path of the file.
    pub file: String,
    /// Its passphrase or recovery code.
    pub secret: Secret,
    /// What the profile shall be called; without it, as it was.
    pub name: Option<String>,
}

/// A profile that was restored.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Restored {
    /// Its name.
    pub profile: String,
    /// Whether commands without `--profile` use it.
    pub default: bool,
    /// How many contacts it has.
    pub contacts: usize,
    /// Names of the groups into which a steward has to let it again.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Names of the devices with which it was linked, and is not now.
    #[serde(default)]
    pub devices: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_sent_as_it_is_and_never_shown() {
        let secret = Secret::new("four words by dice");
        let sent = serde_json::to_string(&secret).unwrap();
        assert_eq!(sent, "\"four words by dice\"");
        assert_eq!(serde_json::from_str::<Secret>(&sent).unwrap(), secret);
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
