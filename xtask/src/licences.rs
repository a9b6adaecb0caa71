//! Licences, bans and sources of every dependency, by the rules of
//! `deny.toml`.
//!
//! The file is in cargo-deny's format, so that tool can be run by hand, but the
//! check does not need it: building it takes longer than building Hushwing, and
//! a check that runs on some machines only is no rule. We go by the licence a
//! package declares; cargo-deny would also compare the licence's text.

mod rules;

use std::path::Path;

use serde::Deserialize;

use crate::command::Run;
use crate::config;
use crate::failure::{Failure, Finding};
use rules::Rules;

const RULES: &str = "deny.toml";

/// What `cargo metadata` tells about one package.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// Checks every package the platforms named in `deny.toml` would build.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let rules: Rules = config::parse(RULES, &config::read(root, RULES)?)?;
    let packages = packages(root, &rules)?;
    let mut findings: Vec<Finding> = packages
        .iter()
        .flat_map(|package| check(&rules, package))
        .collect();
    findings.extend(unused(&rules, &packages));
    findings.sort();
    println!("{} packages against {RULES}", packages.len());
    if findings.is_empty() {
        return Ok(());
    }
    Err(Failure::Findings(findings))
}

fn packages(root: &Path, rules: &Rules) -> Result<Vec<Package>, Failure> {
    let mut words = vec!["metadata", "--locked", "--format-version", "1"];
    for platform in &rules.graph.targets {
        words.extend(["--filter-platform", platform]);
    }
    let text = Run::cargo(root, &words).read()?;
    let metadata: Metadata = serde_json::from_str(&text).map_err(|error| Failure::Parse {
        what: "cargo metadata".to_owned(),
        why: error.to_string(),
    })?;
    Ok(metadata.packages)
}

fn check(rules: &Rules, package: &Package) -> Vec<Finding> {
    let place = format!("{} {}", package.name, package.version);
    [
        source(rules, package),
        ban(rules, package),
        licence(rules, package),
    ]
    .into_iter()
    .flatten()
    .map(|what| Finding::new(place.clone(), what))
    .collect()
}

/// A package from another registry or from git is not what was reviewed.
fn source(rules: &Rules, package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    let registry = source.strip_prefix("registry+");
    let known = registry.is_some_and(|url| rules.sources.allow_registry.iter().any(|r| r == url));
    (!known).then(|| format!("comes from {source}, which [sources] does not allow"))
}

fn ban(rules: &Rules, package: &Package) -> Option<String> {
    let ban = rules
        .bans
        .deny
        .iter()
        .find(|ban| ban.name == package.name)?;
    Some(format!("is banned: {}", ban.reason))
}

fn licence(rules: &Rules, package: &Package) -> Option<String> {
    let Some(licence) = &package.license else {
        return Some("names no licence".to_owned());
    };
    let expression = match spdx::Expression::parse_mode(licence, spdx::ParseMode::LAX) {
        Ok(expression) => expression,
        Err(error) => return Some(format!("has a licence we cannot read: {}", error.reason)),
    };
    let exception = rules
        .licenses
        .exceptions
        .iter()
        .find(|exception| exception.name == package.name);
    let allowed = |name: &str| {
        let excepted = exception.is_some_and(|e| e.allow.iter().any(|a| a == name));
        excepted || rules.licenses.allow.iter().any(|a| a == name)
    };
    let fits = expression.evaluate(|requirement| allowed(&requirement.to_string()));
    (!fits).then(|| format!("has the licence {licence}, which [licenses] does not allow"))
}

/// An exception nobody needs any more is removed, or it would hide the next.
fn unused(rules: &Rules, packages: &[Package]) -> Vec<Finding> {
    rules
        .licenses
        .exceptions
        .iter()
        .filter(|exception| !packages.iter().any(|p| p.name == exception.name))
        .map(|exception| {
            let what = format!(
                "the exception for {} is not needed any more",
                exception.name
            );
            Finding::new(RULES, what)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES_TEXT: &str = r#"
        [graph]
        targets = []
        [licenses]
        allow = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception"]
        exceptions = [{ crate = "odd", allow = ["MPL-2.0"] }]
        [bans]
        deny = [{ crate = "bad-tls", reason = "we have one TLS" }]
        [sources]
        allow-registry = ["https://registry.example/index"]
    "#;

    fn findings(name: &str, license: Option<&str>, source: Option<&str>) -> usize {
        let rules: Rules = config::parse("rules", RULES_TEXT).unwrap();
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            source: source.map(str::to_owned),
        };
        check(&rules, &package).len()
    }

    #[test]
    fn an_allowed_alternative_is_enough() {
        assert_eq!(findings("a", Some("GPL-3.0-only OR MIT"), None), 0);
        assert_eq!(findings("a", Some("MIT/Apache-2.0"), None), 0);
        assert_eq!(
            findings("a", Some("Apache-2.0 WITH LLVM-exception"), None),
            0
        );
    }

    #[test]
    fn copyleft_is_refused() {
        assert_eq!(findings("a", Some("GPL-3.0-only"), None), 1);
        assert_eq!(findings("a", Some("MIT AND AGPL-3.0-only"), None), 1);
    }

    #[test]
    fn a_missing_or_unreadable_licence_is_refused() {
        assert_eq!(findings("a", None, None), 1);
        assert_eq!(findings("a", Some("do what you like"), None), 1);
    }

    #[test]
    fn an_exception_holds_for_its_crate_only() {
        assert_eq!(findings("odd", Some("MPL-2.0"), None), 0);
        assert_eq!(findings("even", Some("MPL-2.0"), None), 1);
    }

    #[test]
    fn a_banned_crate_is_refused() {
        assert_eq!(findings("bad-tls", Some("MIT"), None), 1);
    }

    #[test]
    fn only_the_named_registry_is_a_source() {
        let mit = Some("MIT");
        let known = Some("registry+https://registry.example/index");
        let git = Some("git+https://registry.example/index");
        assert_eq!(findings("a", mit, known), 0);
        assert_eq!(findings("a", mit, git), 1);
    }

    #[test]
    fn an_exception_without_its_crate_is_reported() {
        let rules: Rules = config::parse("rules", RULES_TEXT).unwrap();
        assert_eq!(unused(&rules, &[]).len(), 1);
    }
}
