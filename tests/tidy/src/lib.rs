//! What the tests in `tests/` look at: the files of the checkout and what cargo knows of its packages.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that hold built or foreign things.
const PASSED_OVER: [&str; 5] = ["target", "node_modules", "plugboard-data", ".git", "dist"];

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// A file of the checkout.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// From the root, with `/`.
    pub path: String,
    /// What it says; files that are no UTF-8 are not listed.
    pub text: String,
}

/// The text files of the checkout whose names end in one of `endings`, in order.
pub fn sources(endings: &[&str]) -> Vec<Source> {
    let mut found = Vec::new();
    let mut ahead: Vec<PathBuf> = vec![root().to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if path.is_dir() {
                if !PASSED_OVER.contains(&name.as_str()) {
                    ahead.push(path);
                }
            } else if endings.iter().any(|ending| name.ends_with(ending))
                && let Ok(text) = std::fs::read_to_string(&path)
                && let Ok(path) = path.strip_prefix(root())
            {
                found.push(Source { path: path.to_string_lossy().into_owned(), text });
            }
        }
    }
    found.sort();
    found
}

/// The part of a Rust file before its unit tests.
pub fn before_tests(text: &str) -> &str {
    text.split_once("#[cfg(test)]\nmod ").map_or(text, |(before, _)| before)
}

/// One package of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root.
    pub folder: String,
    /// The names of what it depends on, with the kind: `normal`, `dev` or `build`.
    pub dependencies: Vec<(String, Kind)>,
}

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Linked into the package.
    Normal,
    /// For its tests, examples and benches.
    Dev,
    /// For its build script.
    Build,
}

/// The packages of the workspace, as cargo sees them; the error is what cargo says.
///
/// # Errors
/// When cargo cannot be run or cannot read the workspace.
pub fn packages() -> Result<Vec<Package>, String> {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root());
    let output = cargo.output().map_err(|error| format!("cargo could not be started: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let mut packages: Vec<Package> = metadata
        .get("packages")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(package)
        .collect();
    packages.sort();
    Ok(packages)
}

fn package(json: &serde_json::Value) -> Option<Package> {
    let text = |json: &serde_json::Value, name: &str| json.get(name)?.as_str().map(str::to_owned);
    let manifest = PathBuf::from(text(json, "manifest_path")?);
    let folder = manifest.parent()?.strip_prefix(root()).ok()?;
    let dependencies = json.get("dependencies")?.as_array()?.iter().filter_map(|dependency| {
        let kind = match text(dependency, "kind").as_deref() {
            Some("dev") => Kind::Dev,
            Some("build") => Kind::Build,
            Some(_) | None => Kind::Normal,
        };
        Some((text(dependency, "name")?, kind))
    });
    Some(Package {
        name: text(json, "name")?,
        folder: folder.to_string_lossy().into_owned(),
        dependencies: dependencies.collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_very_file_is_found() {
        assert!(sources(&[".rs"]).iter().any(|source| source.path == "tests/tidy/src/lib.rs"));
    }

    #[test]
    fn unit_tests_are_cut_off() {
        assert_eq!(before_tests("fn a() {}\n#[cfg(test)]\nmod tests { sleep() }\n"), "fn a() {}\n");
        assert_eq!(before_tests("fn a() {}\n"), "fn a() {}\n");
    }
}
