//! Programs for the checks: cargo-deny, built once; Prometheus, unpacked; what a browser is driven with; what makes components of other languages.

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::browser;
use crate::languages;
use crate::project::Project;
use crate::rust::unpack;
use crate::step::{Failure, Log, Show};

/// A cargo command, built from its source into a folder that outlives checkouts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tool {
    name: &'static str,
    version: &'static str,
}

/// Licences, banned and doubled crates, sources.
pub(crate) const DENY: Tool = Tool { name: "cargo-deny", version: "0.20.2" };

impl Tool {
    /// Where the program is, or will be.
    pub(crate) fn program(self) -> PathBuf {
        folder().join("bin").join(self.name)
    }

    fn is_there(self) -> bool {
        let version = Command::new(self.program()).arg("--version").output();
        version.is_ok_and(|output| {
            String::from_utf8_lossy(&output.stdout).split_whitespace().any(|word| word == self.version)
        })
    }

    fn build(self, project: &Project, log: &mut Log) -> Result<(), Failure> {
        let root = folder();
        let crate_name = format!("{}@{}", self.name, self.version);
        let mut cargo = project.cargo(&["install", "--locked", "--quiet", &crate_name, "--root"]);
        // A target folder of its own, thrown away afterwards: the tool is built once.
        cargo.arg(root).env_remove("CARGO_TARGET_DIR");
        // Its own profile takes minutes of optimising across crates for a program that runs for a second.
        cargo.env("CARGO_PROFILE_RELEASE_LTO", "off").env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
        log.run(cargo.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), Show::OnFailure)
    }
}

/// The tools that `cargo verify` uses are there afterwards.
pub(crate) fn provide(project: &Project, log: &mut Log) -> Result<String, Failure> {
    let mut made = Vec::new();
    if !DENY.is_there() {
        log.say(&format!("building {} {} (once, a few minutes)", DENY.name, DENY.version));
        DENY.build(project, log)?;
        made.push(DENY.name);
    }
    if !project.tools().join("bin/promtool").exists() {
        log.say("fetching Prometheus (unpacked beside the build, not installed)");
        prometheus(project, log)?;
        made.push("prometheus");
    }
    made.extend(browser::provide(project, log)?);
    made.extend(languages::provide(project, log)?);
    Ok(if made.is_empty() { "nothing is missing".into() } else { format!("made {}", made.join(", ")) })
}

/// Unpacks Debian's Prometheus, and names its two programs in the tools' `bin`.
fn prometheus(project: &Project, log: &mut Log) -> Result<(), Failure> {
    let (tools, bin) = (project.tools(), project.tools().join("bin"));
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", bin.display()));
    if !tools.join("prometheus").exists() {
        unpack(project, log, &["prometheus"], &tools.join("prometheus"))?;
    }
    std::fs::create_dir_all(&bin).map_err(told)?;
    for program in ["prometheus", "promtool"] {
        let link = bin.join(program);
        if link.symlink_metadata().is_err() {
            symlink(tools.join("prometheus/usr/bin").join(program), &link).map_err(told)?;
        }
    }
    Ok(())
}

/// `~/.cache/plugboard/tools`, by the rules of the XDG base directories.
fn folder() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    cache.unwrap_or_else(std::env::temp_dir).join("plugboard/tools")
}
