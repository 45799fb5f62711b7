//! The third-party notices: `plugboard licenses` prints what this writes.
//!
//! Which crates end up in the switch and in the plugins is read from `cargo metadata`; their licence texts lie in their
//! own source folders. Equal texts are printed once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::json::Json;
use crate::project::Project;
use crate::step::{Failure, Log, Steps};

/// Where the notices lie; the server builds them in.
const FILE: &str = "core/server/third-party-licenses.txt";
/// What begins a line or a file name that carries a licence.
const NAMES: [&str; 6] = ["license", "licence", "copying", "copyright", "notice", "unlicense"];
/// Sources of others inside a crate. Those that offer a choice of licences are taken under the one named here.
const INSIDE: [(&str, &[&str]); 4] = [
    ("librocksdb-sys", &["rocksdb/LICENSE.Apache", "rocksdb/LICENSE.leveldb"]),
    ("lz4-sys", &["liblz4/lib/LICENSE"]),
    ("opusic-sys", &["opus/COPYING"]),
    // The library is under the LGPL 2.1, whatever the crate says of itself.
    ("spandsp-sys", &["vendor/COPYING"]),
];

/// A crate of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Foreign {
    name: String,
    version: String,
    licence: String,
    home: String,
    folder: PathBuf,
}

/// `cargo notices`: writes the file anew.
pub(crate) fn only(project: &Project) -> bool {
    match Steps::new(project, 1) {
        Ok(mut steps) => steps.run("notices", "third-party notices", &mut |log| {
            let (text, count) = text(project, log)?;
            let file = project.root.join(FILE);
            std::fs::write(&file, text).map_err(|error| Failure::new(format!("{}: {error}", file.display())))?;
            Ok(format!("{count} crates in {FILE}"))
        }),
        Err(failure) => failure.print(),
    }
}

/// The file says what `Cargo.lock` makes it say.
pub(crate) fn check(project: &Project, log: &mut Log) -> Result<String, Failure> {
    let (text, count) = text(project, log)?;
    match std::fs::read_to_string(project.root.join(FILE)) {
        Ok(there) if there == text => Ok(format!("{count} crates")),
        Ok(_) => Err(Failure::new(format!("{FILE} is out of date; please run: cargo notices"))),
        Err(error) => Err(Failure::new(format!("{FILE}: {error}; please run: cargo notices"))),
    }
}

fn text(project: &Project, log: &mut Log) -> Result<(String, usize), Failure> {
    // The switch is a Linux program, and plugins are components; crates for other systems are part of neither.
    let linux = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let mut crates = Vec::new();
    for (shipped, platform) in [("core/server", linux.as_str()), ("plugins", "wasm32-unknown-unknown")] {
        let mut cargo = project.cargo(&["metadata", "--format-version", "1", "--filter-platform", platform]);
        let metadata = Json::read(&log.output(&mut cargo)?).map_err(Failure::new)?;
        crates.extend(foreign(&metadata, &project.root.join(shipped)));
    }
    crates.sort();
    crates.dedup();
    Ok((written(&crates), crates.len()))
}

/// The crates of others that are compiled into the packages of a folder.
fn foreign(metadata: &Json, shipped: &Path) -> Vec<Foreign> {
    let packages: BTreeMap<&str, &Json> =
        metadata.list("packages").iter().filter_map(|package| Some((package.text("id")?, package))).collect();
    let nodes = metadata.get("resolve").map_or(&[][..], |resolve| resolve.list("nodes"));
    let nodes: BTreeMap<&str, &Json> = nodes.iter().filter_map(|node| Some((node.text("id")?, node))).collect();

    let is_shipped =
        |package: &Json| package.text("manifest_path").is_some_and(|manifest| Path::new(manifest).starts_with(shipped));
    let mut ahead: Vec<&str> = packages.iter().filter(|(_, package)| is_shipped(package)).map(|(id, _)| *id).collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = ahead.pop() {
        if seen.insert(id) {
            ahead.extend(nodes.get(id).into_iter().flat_map(|node| normal_dependencies(node)));
        }
    }
    seen.iter().filter_map(|id| described(packages.get(id)?)).collect()
}

/// Those that are linked, not those of build scripts and tests.
fn normal_dependencies(node: &Json) -> impl Iterator<Item = &str> {
    let is_normal =
        |dependency: &&Json| dependency.list("dep_kinds").iter().any(|kind| kind.get("kind") == Some(&Json::Null));
    node.list("deps").iter().filter(is_normal).filter_map(|dependency| dependency.text("pkg"))
}

/// `None` for a package of our own, which has no source but its path.
fn described(package: &Json) -> Option<Foreign> {
    package.text("source")?;
    Some(Foreign {
        name: package.text("name")?.to_owned(),
        version: package.text("version")?.to_owned(),
        licence: package.text("license").unwrap_or("see its text below").to_owned(),
        home: package.text("repository").unwrap_or_default().to_owned(),
        folder: Path::new(package.text("manifest_path")?).parent()?.to_owned(),
    })
}

fn written(crates: &[Foreign]) -> String {
    let mut text = String::from(
        "Plugboard contains software of others. This file names it, with its licences.\n\
         It is written by `cargo notices`; please do not edit it.\n\n",
    );
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut silent = Vec::new();
    for foreign in crates {
        let title = format!("{} {}", foreign.name, foreign.version);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{title}  ({})  {}", foreign.licence, foreign.home);
        let licences = licences(foreign);
        if licences.is_empty() {
            silent.push(format!("{title} ({})", foreign.licence));
        }
        for licence in licences {
            texts.entry(licence).or_default().insert(title.clone());
        }
    }
    if !silent.is_empty() {
        let _ = write!(
            text,
            "\nThese come without a text of their own; the standard texts of the licences named hold: {}\n",
            silent.join(", ")
        );
    }
    let mut texts: Vec<(String, Vec<String>)> =
        texts.into_iter().map(|(licence, titles)| (licence, titles.into_iter().collect())).collect();
    texts.sort_by(|(_, one), (_, other)| one.cmp(other));
    for (licence, titles) in texts {
        let _ = write!(text, "\n{}\n{}\n\n{licence}\n", "-".repeat(80), titles.join(", "));
    }
    text
}

/// The texts in a crate's folder, tidied so that equal ones compare equal.
fn licences(foreign: &Foreign) -> Vec<String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&foreign.folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().to_lowercase();
        if !NAMES.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).into_iter().flatten().flatten().map(|inner| inner.path()));
        } else if path.extension().is_none_or(|ending| ending != "rs") {
            files.push(path);
        }
    }
    let inside = INSIDE.iter().filter(|(name, _)| *name == foreign.name).flat_map(|(_, files)| files.iter());
    files.extend(inside.map(|file| foreign.folder.join(file)));
    files.sort();
    files
        .iter()
        .filter_map(|file| std::fs::read(file).ok())
        .map(|bytes| tidied(&String::from_utf8_lossy(&bytes)))
        .collect()
}

fn tidied(text: &str) -> String {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// server -> own -> linked; server -> (build) -> compiler; stray is reached by nobody.
    const METADATA: &str = r#"{
      "packages": [
        {"id": "server", "name": "server", "version": "1.0.0", "source": null, "manifest_path": "/w/core/server/Cargo.toml"},
        {"id": "own", "name": "own", "version": "1.0.0", "source": null, "manifest_path": "/w/core/own/Cargo.toml"},
        {"id": "linked", "name": "linked", "version": "2.0.0", "source": "registry", "license": "MIT",
         "repository": "https://example.org/linked", "manifest_path": "/r/linked/Cargo.toml"},
        {"id": "compiler", "name": "compiler", "version": "3.0.0", "source": "registry", "manifest_path": "/r/compiler/Cargo.toml"},
        {"id": "stray", "name": "stray", "version": "4.0.0", "source": "registry", "manifest_path": "/r/stray/Cargo.toml"}],
      "resolve": {"nodes": [
        {"id": "server", "deps": [
          {"pkg": "own", "dep_kinds": [{"kind": null, "target": null}]},
          {"pkg": "compiler", "dep_kinds": [{"kind": "build", "target": null}]}]},
        {"id": "own", "deps": [{"pkg": "linked", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}]}]}}"#;

    #[test]
    fn what_is_linked_is_named_and_what_only_builds_is_not() {
        let crates = foreign(&Json::read(METADATA).unwrap(), Path::new("/w/core/server"));
        let names: Vec<&str> = crates.iter().map(|foreign| foreign.name.as_str()).collect();
        assert_eq!(names, ["linked"]);
        let text = written(&crates);
        assert!(text.contains("linked 2.0.0  (MIT)  https://example.org/linked"), "{text}");
    }

    #[test]
    fn texts_that_differ_in_blanks_only_are_equal() {
        assert_eq!(tidied("\n\nMIT  \r\nfree\n\n"), tidied("MIT\nfree"));
    }
}
