//! Where the checkout and its target folder are, and how cargo is called in there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::json::Json;
use crate::step::{Failure, Log, Show};

/// The checkout that the command was called in.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
}

impl Project {
    /// Asks cargo, which knows every place where the target folder may have been set.
    pub(crate) fn find() -> Result<Self, String> {
        let mut cargo = Command::new("cargo");
        clean(&mut cargo).args(["metadata", "--no-deps", "--format-version", "1"]);
        let output = cargo.output().map_err(|error| format!("cargo could not be started: {error}"))?;
        if !output.status.success() {
            return Err(format!("cargo cannot read the workspace:\n{}", String::from_utf8_lossy(&output.stderr)));
        }
        let json = Json::read(&String::from_utf8_lossy(&output.stdout))?;
        match (json.text("workspace_root"), json.text("target_directory")) {
            (Some(root), Some(target)) => Ok(Self { root: root.into(), target: target.into() }),
            _ => Err("cargo metadata names no workspace_root and target_directory".into()),
        }
    }

    /// Where the steps write their logs.
    pub(crate) fn logs(&self) -> PathBuf {
        self.target.join("setup")
    }

    /// Programs that belong to this checkout: unpacked, never installed in the system.
    pub(crate) fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// Builds one program for this machine.
    ///
    /// The whole workspace is named, and one of its smallest tests with it: so cargo takes the same features for every
    /// library as it does for all tests, and what `cargo up` has built `cargo verify` need not build again.
    pub(crate) fn build(&self, log: &mut Log, program: &str) -> Result<(), Failure> {
        let args = ["build", "--release", "--workspace", "--test", "build_once", "--bin", program];
        log.run(&mut self.cargo(&args), Show::OnFailure)
    }

    /// A cargo command in the checkout's root.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        self.command("cargo", args)
    }

    /// A command in the checkout's root, with our own tools on its path.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        clean(&mut command).args(args).current_dir(&self.root);
        command
    }

    /// `path` as the caller would write it: from the root where it lies below.
    pub(crate) fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}

/// Takes away what `cargo run` told this program about its own package: a cargo called from here would else hand it on
/// to build scripts, which rerun when it changes.
fn clean(command: &mut Command) -> &mut Command {
    const OURS: [&str; 5] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_", "CARGO_BIN_", "CARGO_PRIMARY_"];
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OURS.iter().any(|ours| name.starts_with(ours))) {
            command.env_remove(name);
        }
    }
    command
}
