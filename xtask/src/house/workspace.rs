//! The rooms as cargo sees them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::command::Run;
use crate::failure::Failure;

/// What every Hushwing package's name begins with.
pub(super) const PREFIX: &str = "hushwing-";

/// The workspace's members.
pub(super) struct Workspace {
    /// Room -> what its manifest says.
    pub(super) rooms: BTreeMap<String, Room>,
    /// Manifests of all members, rooms or not, from the root.
    pub(super) manifests: Vec<PathBuf>,
    /// Members under `crates/` whose package is not named after their folder.
    pub(super) misnamed: Vec<PathBuf>,
}

/// The Hushwing crates one room names.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Rooms under `[dependencies]` and `[build-dependencies]`.
    pub(super) uses: Vec<String>,
    /// Rooms under `[dev-dependencies]`.
    pub(super) tests_with: Vec<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo about the workspace at `root`.
    pub(super) fn read(root: &Path) -> Result<Self, Failure> {
        let words = ["metadata", "--no-deps", "--format-version", "1"];
        Self::parse(root, &Run::cargo(root, &words).read()?)
    }

    fn parse(root: &Path, metadata: &str) -> Result<Self, Failure> {
        let metadata: Metadata =
            serde_json::from_str(metadata).map_err(|error| Failure::Parse {
                what: "cargo metadata".to_owned(),
                why: error.to_string(),
            })?;
        let mut workspace = Self {
            rooms: BTreeMap::new(),
            manifests: Vec::new(),
            misnamed: Vec::new(),
        };
        for package in metadata.packages {
            workspace.take(root, package);
        }
        Ok(workspace)
    }

    fn take(&mut self, root: &Path, package: Package) {
        let manifest = package
            .manifest_path
            .strip_prefix(root)
            .unwrap_or(&package.manifest_path)
            .to_path_buf();
        if let Some(name) = package.name.strip_prefix(PREFIX) {
            let mut room = Room::default();
            for dependency in &package.dependencies {
                let Some(other) = dependency.name.strip_prefix(PREFIX) else {
                    continue;
                };
                match dependency.kind.as_deref() {
                    Some("dev") => room.tests_with.push(other.to_owned()),
                    _ => room.uses.push(other.to_owned()),
                }
            }
            if manifest != Path::new("crates").join(name).join("Cargo.toml") {
                self.misnamed.push(manifest.clone());
            }
            self.rooms.insert(name.to_owned(), room);
        } else if manifest.starts_with("crates") {
            self.misnamed.push(manifest.clone());
        }
        self.manifests.push(manifest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_and_their_uses_are_read() {
        let metadata = r#"{"packages":[
            {"name":"hushwing-relay","manifest_path":"/r/crates/relay/Cargo.toml","dependencies":[
                {"name":"hushwing-sansio","kind":null},{"name":"serde","kind":null},
                {"name":"hushwing-sim","kind":"dev"}]},
            {"name":"stray","manifest_path":"/r/crates/stray/Cargo.toml","dependencies":[]},
            {"name":"xtask","manifest_path":"/r/xtask/Cargo.toml","dependencies":[]}]}"#;
        let workspace = Workspace::parse(Path::new("/r"), metadata).unwrap();
        assert_eq!(workspace.rooms["relay"].uses, ["sansio"]);
        assert_eq!(workspace.rooms["relay"].tests_with, ["sim"]);
        assert_eq!(workspace.misnamed, [Path::new("crates/stray/Cargo.toml")]);
        assert_eq!(workspace.manifests.len(), 3);
    }
}
