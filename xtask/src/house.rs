//! The rules about rooms and files. Each rule is a file here and tells what it
//! found; none of them changes anything.

mod clippy_files;
mod manifests;
mod picture;
mod prose;
mod readmes;
mod sources;
mod table;
mod trees;
mod workspace;

use std::path::Path;

use crate::config::House;
use crate::failure::{Failure, Finding};
use workspace::Workspace;

/// Checks every rule.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let rules = House::read(root)?;
    let workspace = Workspace::read(root)?;
    let mut findings: Vec<Finding> = Vec::new();
    findings.extend(table::check(&rules, &workspace));
    findings.extend(trees::check(root, &rules, &workspace)?);
    findings.extend(manifests::check(root, &workspace)?);
    findings.extend(clippy_files::check(root, &rules, &workspace)?);
    findings.extend(picture::check(root, &rules)?);
    findings.extend(readmes::check(root, &workspace));
    findings.extend(sources::check(root, &rules)?);
    findings.sort();
    println!(
        "{} rooms against {}",
        workspace.rooms.len(),
        crate::config::HOUSE
    );
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::Findings(findings))
}

/// Writes what is generated from the table: the clippy files of the sans-IO
/// rooms and the table in ARCHITECTURE.md.
pub(crate) fn write(root: &Path) -> Result<(), Failure> {
    let rules = House::read(root)?;
    let workspace = Workspace::read(root)?;
    clippy_files::write(root, &rules, &workspace)?;
    picture::write(root, &rules)
}
