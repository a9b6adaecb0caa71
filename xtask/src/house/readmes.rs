//! Rule: the first page of a room is its README, on the web and in the docs.

use std::path::Path;

use super::workspace::Workspace;
use crate::failure::Finding;

const INCLUDED: &str = "#![doc = include_str!(\"../README.md\")]";

/// Looks for each room's README and for its inclusion in the crate root.
pub(super) fn check(root: &Path, workspace: &Workspace) -> Vec<Finding> {
    let mut findings = Vec::new();
    for room in workspace.rooms.keys() {
        let folder = root.join("crates").join(room);
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap_or_default();
        if readme.trim().is_empty() {
            let what =
                "write crates/NAME/README.md: what lives here, what does not, what to read first";
            findings.push(Finding::new(room, what.replace("NAME", room)));
        }
        let roots = ["src/lib.rs", "src/main.rs"].map(|file| folder.join(file));
        let included = roots
            .iter()
            .any(|file| std::fs::read_to_string(file).is_ok_and(|text| text.contains(INCLUDED)));
        if !included {
            findings.push(Finding::new(
                room,
                format!("begin the crate root with {INCLUDED}"),
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::workspace::Room;
    use super::*;

    #[test]
    fn a_room_without_its_first_page_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let room = folder.path().join("crates/relay");
        std::fs::create_dir_all(room.join("src")).unwrap();
        let workspace = Workspace {
            rooms: [("relay".to_owned(), Room::default())].into(),
            manifests: Vec::new(),
            misnamed: Vec::new(),
        };
        assert_eq!(check(folder.path(), &workspace).len(), 2);
        std::fs::write(room.join("README.md"), "# relay").unwrap();
        assert_eq!(check(folder.path(), &workspace).len(), 1);
        std::fs::write(room.join("src/lib.rs"), INCLUDED).unwrap();
        assert_eq!(check(folder.path(), &workspace), []);
    }
}
