//! Builds the plugins: every folder of `plugins/actions` and `plugins/integrations`, each into one component.

use std::path::{Path, PathBuf};

use crate::project::Project;
use crate::rust::{self, GUEST, GuestToolchain};
use crate::step::{Failure, Log, Show, Steps};

/// Where plugins lie in the checkout.
const SHELVES: [&str; 2] = ["plugins/actions", "plugins/integrations"];
/// The profile of `Cargo.toml` that plugins are built with: small, and apart from the switch's own.
const PROFILE: &str = "plugin";
/// The program that makes a component of a core module.
const COMPONENTIZE: &str = "plugboard-componentize";

/// One plugin of the checkout.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plugin {
    /// Its folder's name: the name of the component file.
    name: String,
    /// The package that builds it.
    package: String,
}

/// `cargo plugins`: the set-up it takes, and the build.
pub(crate) fn only(project: &Project) -> bool {
    match Steps::new(project, 2) {
        Ok(mut steps) => {
            steps.run("rust", "the Rust toolchain", &mut |log| rust::for_build(project, log))
                && steps.run("plugins", "build the plugins", &mut |log| build(project, log))
        }
        Err(failure) => failure.print(),
    }
}

/// The folder that the switch loads components from.
pub(crate) fn folder(project: &Project) -> PathBuf {
    project.target.join("plugins")
}

/// Builds all plugins; what has not changed stays.
pub(crate) fn build(project: &Project, log: &mut Log) -> Result<String, Failure> {
    let plugins = find(project)?;
    if plugins.is_empty() {
        return Ok("there are none".into());
    }
    let modules = compile(project, log, &plugins)?;
    let converter = converter(project, log)?;
    let folder = folder(project);
    std::fs::create_dir_all(&folder)
        .map_err(|error| Failure::new(format!("{} cannot be made: {error}", folder.display())))?;
    let mut changed = 0;
    for plugin in &plugins {
        let module = modules.join(format!("{}.wasm", plugin.package.replace('-', "_")));
        let component = folder.join(format!("{}.wasm", plugin.name));
        if is_newer(&component, &module) && is_newer(&component, &converter) {
            continue;
        }
        log.run(project.command(&converter, &[]).arg(&module).arg(&component), Show::OnFailure)?;
        changed += 1;
    }
    Ok(format!("{} in {}, {changed} of them new", plugins.len(), folder.display()))
}

fn find(project: &Project) -> Result<Vec<Plugin>, Failure> {
    let mut plugins = Vec::new();
    for shelf in SHELVES {
        let Ok(folders) = std::fs::read_dir(project.root.join(shelf)) else { continue };
        for folder in folders.flatten() {
            let Ok(manifest) = std::fs::read_to_string(folder.path().join("Cargo.toml")) else { continue };
            let name = folder.file_name().to_string_lossy().into_owned();
            let package = package_name(&manifest)
                .ok_or_else(|| Failure::new(format!("{shelf}/{name}/Cargo.toml names no package")))?;
            plugins.push(Plugin { name, package });
        }
    }
    plugins.sort();
    Ok(plugins)
}

/// The `name = "..."` of the `[package]` part.
fn package_name(manifest: &str) -> Option<String> {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[package]").skip(1);
    let name = lines.find_map(|line| line.trim().strip_prefix("name")?.trim().strip_prefix('='))?;
    Some(name.trim().trim_matches('"').to_owned())
}

/// Compiles the core modules, and answers the folder they are in.
fn compile(project: &Project, log: &mut Log, plugins: &[Plugin]) -> Result<PathBuf, Failure> {
    let Some(toolchain) = GuestToolchain::find(project) else {
        return Err(Failure::new(format!("the target {GUEST} is not there; please run: rustup target add {GUEST}")));
    };
    let mut args = vec!["build", "--profile", PROFILE, "--target", GUEST];
    for plugin in plugins {
        args.extend(["--package", &plugin.package]);
    }
    match toolchain {
        GuestToolchain::Own => {
            log.run(&mut project.cargo(&args), Show::OnFailure)?;
            Ok(project.target.join(GUEST).join(PROFILE))
        }
        GuestToolchain::Debian(folder) => {
            // What two compilers of different age built must not meet in one target folder.
            let target = project.target.join("debian-rust");
            let mut cargo = project.command(folder.join("usr/bin/cargo"), &args);
            cargo.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_DIR", &target);
            cargo.env("RUSTC", folder.join("usr/bin/rustc")).env("LD_LIBRARY_PATH", debian_libraries(&folder));
            log.run(&mut cargo, Show::OnFailure)?;
            Ok(target.join(GUEST).join(PROFILE))
        }
    }
}

/// The unpacked compiler finds its libraries beside itself.
fn debian_libraries(folder: &Path) -> String {
    let machine = folder.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    format!("{}:{}", machine.display(), folder.join("usr/lib/llvm-22/lib").display())
}

/// The program that wraps core modules, built for this machine.
fn converter(project: &Project, log: &mut Log) -> Result<PathBuf, Failure> {
    project.build(log, COMPONENTIZE)?;
    Ok(project.target.join("release").join(COMPONENTIZE))
}

/// Whether `made` is younger than what it is made of.
fn is_newer(made: &Path, source: &Path) -> bool {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified());
    matches!((changed(made), changed(source)), (Ok(made), Ok(source)) if made >= source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_read_from_its_own_part_of_the_manifest() {
        let manifest = "[lib]\nname = \"wrong\"\n\n[package]\nversion = \"1\"\nname = \"play-audio\"\n";
        assert_eq!(package_name(manifest).as_deref(), Some("play-audio"));
        assert_eq!(package_name("[workspace]\n"), None);
    }

    #[test]
    fn a_component_is_made_again_when_its_module_is_younger() {
        let folder = std::env::temp_dir().join(format!("plugboard-newer-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (old, young) = (folder.join("old"), folder.join("young"));
        std::fs::write(&old, "").unwrap();
        let file = std::fs::File::create(&young).unwrap();
        let later = std::fs::metadata(&old).unwrap().modified().unwrap() + std::time::Duration::from_secs(5);
        file.set_modified(later).unwrap();
        assert!(is_newer(&young, &old));
        assert!(!is_newer(&old, &young));
        assert!(!is_newer(&folder.join("absent"), &old));
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
