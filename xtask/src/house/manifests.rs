//! Rule: one version of each dependency for the whole house, one set of
//! lints, one licence.

use std::collections::BTreeSet;
use std::path::Path;

use toml::{Table, Value};

use super::workspace::Workspace;
use crate::config;
use crate::failure::{Failure, Finding};

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// Reads every member's manifest.
pub(super) fn check(root: &Path, workspace: &Workspace) -> Result<Vec<Finding>, Failure> {
    let mut findings = Vec::new();
    let mut used = BTreeSet::new();
    for manifest in &workspace.manifests {
        let name = manifest.display().to_string();
        let text = config::read(root, &name)?;
        findings.extend(member(&name, &config::parse(&name, &text)?, &mut used));
    }
    let text = config::read(root, "Cargo.toml")?;
    let root = config::parse("Cargo.toml", &text)?;
    findings.extend(unused(&root, &used));
    findings.extend(wildcards(&root));
    Ok(findings)
}

fn member(name: &str, manifest: &Table, used: &mut BTreeSet<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !inherits(manifest.get("lints")) {
        findings.push(Finding::new(name, "write `[lints] workspace = true`"));
    }
    let package = manifest.get("package").and_then(Value::as_table);
    for field in INHERITED {
        if !inherits(package.and_then(|package| package.get(field))) {
            findings.push(Finding::new(
                name,
                format!("write `{field}.workspace = true`"),
            ));
        }
    }
    for (dependency, value) in dependencies(manifest) {
        used.insert(dependency.clone());
        if !inherits(Some(value)) {
            let what = format!(
                "declare {dependency} in the root's [workspace.dependencies] \
                 and write `{dependency}.workspace = true` here"
            );
            findings.push(Finding::new(name, what));
        }
    }
    findings
}

fn inherits(value: Option<&Value>) -> bool {
    value
        .and_then(|value| value.get("workspace"))
        .and_then(Value::as_bool)
        == Some(true)
}

/// Every dependency of a manifest, those for single platforms included.
fn dependencies(manifest: &Table) -> impl Iterator<Item = (&String, &Value)> {
    let platforms = manifest
        .get("target")
        .and_then(Value::as_table)
        .into_iter()
        .flat_map(|targets| targets.values().filter_map(Value::as_table));
    std::iter::once(manifest)
        .chain(platforms)
        .flat_map(|table| SECTIONS.iter().filter_map(|section| table.get(*section)))
        .filter_map(Value::as_table)
        .flatten()
}

/// The versions the whole house shares.
fn declared(root: &Table) -> impl Iterator<Item = (&String, &Value)> {
    root.get("workspace")
        .and_then(|workspace| workspace.get("dependencies"))
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
}

/// A version nobody uses is a decision nobody takes.
fn unused(root: &Table, used: &BTreeSet<String>) -> Vec<Finding> {
    declared(root)
        .filter(|(name, _)| !used.contains(*name))
        .map(|(name, _)| Finding::new("Cargo.toml", format!("no crate uses {name}; remove it")))
        .collect()
}

/// "Any version" is no decision either, and git is no registry.
fn wildcards(root: &Table) -> Vec<Finding> {
    let vague = |value: &Value| {
        let version = value.as_str().or_else(|| value.get("version")?.as_str());
        value.get("git").is_some()
            || version.map_or(value.get("path").is_none(), |v| v.contains('*'))
    };
    declared(root)
        .filter(|(_, value)| vague(value))
        .map(|(name, _)| Finding::new("Cargo.toml", format!("give {name} a version")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        [package]
        name = 'a'
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true
        publish.workspace = true
        [dependencies]
        serde = { workspace = true, optional = true }
        [lints]
        workspace = true
    ";

    fn findings(manifest: &str) -> usize {
        let manifest = config::parse("manifest", manifest).unwrap();
        member("manifest", &manifest, &mut BTreeSet::new()).len()
    }

    #[test]
    fn a_manifest_that_inherits_everything_passes() {
        assert_eq!(findings(GOOD), 0);
    }

    #[test]
    fn own_lints_are_found() {
        assert_eq!(findings(&GOOD.replace("[lints]", "[other]")), 1);
    }

    #[test]
    fn an_own_version_or_licence_is_found() {
        assert_eq!(findings(&GOOD.replace("license.workspace = true", "")), 1);
        assert_eq!(
            findings(&GOOD.replace("edition.workspace = true", "edition = '2024'")),
            1
        );
    }

    #[test]
    fn a_dependency_declared_in_the_room_is_found() {
        let own = format!("{GOOD}\n[dev-dependencies]\nproptest = '1'\n");
        assert_eq!(findings(&own), 1);
        let platform = format!("{GOOD}\n[target.'cfg(unix)'.dependencies]\nlibc = '0.2'\n");
        assert_eq!(findings(&platform), 1);
    }

    #[test]
    fn a_declared_dependency_nobody_uses_is_found() {
        let root = "[workspace.dependencies]\nserde = '1'\nrand = '1'\n";
        let root = config::parse("root", root).unwrap();
        let used = ["serde".to_owned()].into();
        assert_eq!(unused(&root, &used).len(), 1);
    }

    #[test]
    fn a_dependency_without_a_version_is_found() {
        let root = "[workspace.dependencies]\na = '1'\nb = { version = '=2.0.1' }\n\
                    c = { path = 'c' }\nd = '*'\ne = { git = 'https://example.org/e' }\n";
        let root = config::parse("root", root).unwrap();
        assert_eq!(wildcards(&root).len(), 2);
    }
}
