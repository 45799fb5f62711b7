//! What the Rust toolchain lacks: clippy, rustfmt and the target that plugins are built for.

use std::path::PathBuf;
use std::process::Command;

use crate::machine::on_path;
use crate::project::Project;
use crate::step::{Failure, Log, Show};

/// The oldest toolchain that builds the workspace: `rust-version` in `Cargo.toml`.
const OLDEST: (u32, u32) = (1, 95);
/// What plugins are built for.
pub(crate) const GUEST: &str = "wasm32-unknown-unknown";
/// rustup fetches a target in seconds; where its server cannot be reached it would try for many minutes.
const RUSTUP_SECONDS: &str = "300";

/// Debian's own compiler with the library source from which the guest target can be built, for a machine that cannot
/// reach rustup's server. It conflicts with rustup when installed, so it is unpacked.
const DEBIAN_RUST: &[&str] = &[
    "rustc-web",
    "cargo-web",
    "rust-web-src",
    "libstd-rust-web-dev",
    "libstd-rust-web-1.96",
    "libllvm22",
    "libgit2-1.5",
    "libhttp-parser2.9",
    "libmbedx509-1",
    "libmbedtls14",
    "libmbedcrypto7",
    "rust-web-llvm",
    "lld-22",
];

/// With what plugins are compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum GuestToolchain {
    /// The toolchain at hand: it has the target.
    Own,
    /// Debian's, unpacked in this folder; the target's library is built from source.
    Debian(PathBuf),
}

impl GuestToolchain {
    /// Which one is there now; `None` when neither is.
    pub(crate) fn find(project: &Project) -> Option<Self> {
        let debian = debian_folder(project);
        if own_has_guest() {
            Some(Self::Own)
        } else if debian.join("usr/bin").exists() {
            Some(Self::Debian(debian))
        } else {
            None
        }
    }
}

/// The compiler is new enough and can build plugins afterwards.
pub(crate) fn for_build(project: &Project, log: &mut Log) -> Result<String, Failure> {
    new_enough(project, log)?;
    provide_guest(project, log)
}

/// Clippy and rustfmt are there as well afterwards.
pub(crate) fn for_tests(project: &Project, log: &mut Log) -> Result<String, Failure> {
    let remark = for_build(project, log)?;
    for (program, component) in [("cargo-clippy", "clippy"), ("cargo-fmt", "rustfmt")] {
        let there = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !there {
            log.say(&format!("missing: {component}"));
            rustup(project, log, &["component", "add", component])?;
        }
    }
    Ok(remark)
}

fn new_enough(project: &Project, log: &mut Log) -> Result<(), Failure> {
    let version = log.output(&mut project.command("rustc", &["--version"]))?;
    let version = version.trim();
    match release(version) {
        Some(found) if found >= OLDEST => Ok(()),
        Some(_) | None => Err(Failure::new(format!(
            "`{version}` is too old, {}.{} is needed; please run: rustup update stable",
            OLDEST.0, OLDEST.1
        ))),
    }
}

/// The first two numbers of `rustc 1.95.0 (...)`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.strip_prefix("rustc ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn provide_guest(project: &Project, log: &mut Log) -> Result<String, Failure> {
    if GuestToolchain::find(project).is_some() {
        return Ok(format!("Rust and its target {GUEST} are there"));
    }
    log.say(&format!("missing: the target {GUEST}"));
    if rustup(project, log, &["target", "add", GUEST]).is_ok() && own_has_guest() {
        return Ok(format!("added {GUEST}"));
    }
    log.say("rustup could not fetch it; taking Debian's compiler instead (150 MB, unpacked beside the build)");
    unpack(project, log, DEBIAN_RUST, &debian_folder(project))?;
    Ok("plugins are built with Debian's own compiler".into())
}

fn rustup(project: &Project, log: &mut Log, args: &[&str]) -> Result<(), Failure> {
    if on_path("rustup").is_none() {
        return Err(Failure::new(format!("rustup is not here; please make `rustup {}` true", args.join(" "))));
    }
    let mut words = vec!["--foreground", RUSTUP_SECONDS, "rustup"];
    words.extend(args);
    log.run(&mut project.command("timeout", &words), Show::OnFailure)
}

fn own_has_guest() -> bool {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).output();
    sysroot.is_ok_and(|output| {
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        PathBuf::from(sysroot).join("lib/rustlib").join(GUEST).join("lib").exists()
    })
}

fn debian_folder(project: &Project) -> PathBuf {
    project.tools().join("debian-rust")
}

/// Fetches Debian packages and unpacks them into `folder`, without installing them: no rights needed, no service
/// started. The folder appears only when it is whole.
pub(crate) fn unpack(project: &Project, log: &mut Log, packages: &[&str], folder: &PathBuf) -> Result<(), Failure> {
    let fetched = folder.with_extension("part");
    let told = |error: std::io::Error| Failure::new(format!("{}: {error}", fetched.display()));
    // What an interrupted run left is fetched again.
    if fetched.exists() {
        std::fs::remove_dir_all(&fetched).map_err(told)?;
    }
    let packed = fetched.join("packages");
    std::fs::create_dir_all(&packed).map_err(told)?;
    let mut args = vec!["--quiet", "download"];
    args.extend(packages);
    log.run(project.command("apt-get", &args).current_dir(&packed), Show::OnFailure)?;
    for package in std::fs::read_dir(&packed).map_err(told)?.flatten() {
        log.run(project.command("dpkg", &["--extract"]).arg(package.path()).arg(&fetched), Show::OnFailure)?;
    }
    std::fs::remove_dir_all(&packed).map_err(told)?;
    std::fs::rename(&fetched, folder).map_err(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_read_from_the_compilers_own_words() {
        assert_eq!(release("rustc 1.95.0 (59807616e 2026-04-14)"), Some((1, 95)));
        assert_eq!(release("rustc 1.101.0-nightly (abc 2027-01-01)"), Some((1, 101)));
        assert_eq!(release("gcc 12.2"), None);
        assert!(release("rustc 1.94.1 (x)") < Some(OLDEST));
    }
}
