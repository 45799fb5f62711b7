//! Finds or builds the component of a package.

use plugboard_componentize::ComponentizeError;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// Cargo could not be started.
    #[error("cannot start cargo: {0}")]
    Cargo(#[source] std::io::Error),
    /// Cargo failed; its own words follow.
    #[error("cargo could not build the action (rustup target add wasm32-unknown-unknown?):\n{0}")]
    Failed(String),
    /// The package is no `cdylib`.
    #[error("{0} has no [lib] with crate-type = [\"cdylib\"], so cargo made no module of it")]
    NoModule(PathBuf),
    /// The file cannot be read.
    #[error("cannot read {path}: {cause}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        cause: std::io::Error,
    },
    /// The module makes no component.
    #[error(transparent)]
    Componentize(#[from] ComponentizeError),
}

/// Where `cargo verify` has put what it built.
const BUILT_VARIABLE: &str = "PLUGBOARD_PLUGINS";

/// The component of the package in this folder.
pub(crate) fn of(package: &Path) -> Result<Vec<u8>, BuildError> {
    let path = match built(package) {
        Some(path) => path,
        None => build(package)?,
    };
    read(path)
}

/// The component of the package in this folder, built now.
pub(crate) fn made(package: &Path) -> Result<Vec<u8>, BuildError> {
    let package = package.canonicalize().map_err(|cause| BuildError::Read { path: package.into(), cause })?;
    read(build(&package)?)
}

fn read(path: PathBuf) -> Result<Vec<u8>, BuildError> {
    let wasm = std::fs::read(&path).map_err(|cause| BuildError::Read { path, cause })?;
    Ok(plugboard_componentize::componentize(&wasm)?)
}

/// The full names of the interfaces and functions that a component imports.
pub(crate) fn imports(component: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 0_u32;
    for payload in wasmparser::Parser::new(0).parse_all(component).map_while(Result::ok) {
        use wasmparser::Payload;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the parser's payloads grow; none of the others is an import"
        )]
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                let imports = section.into_iter().filter_map(Result::ok);
                // The world's own `use types.{value}` is written as an import of a type, which gives nothing to call.
                let useful = imports.filter(|import| !matches!(import.ty, wasmparser::ComponentTypeRef::Type(_)));
                names.extend(useful.map(|import| import.name.name.to_owned()));
            }
            _ => {}
        }
    }
    names
}

fn built(package: &Path) -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os(BUILT_VARIABLE)?);
    let path = folder.join(package.file_name()?).with_extension("wasm");
    path.is_file().then_some(path)
}

/// Builds the package and answers its core module. Waits for cargo; what is built already takes it a moment.
fn build(package: &Path) -> Result<PathBuf, BuildError> {
    let manifest = package.join("Cargo.toml");
    // Cargo tells its tests which cargo it is.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--lib", "--profile", "plugin", "--target", "wasm32-unknown-unknown"])
        .args(["--message-format", "json-render-diagnostics", "--manifest-path"])
        .arg(&manifest)
        .output()
        .map_err(BuildError::Cargo)?;
    if !output.status.success() {
        return Err(BuildError::Failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    module(&String::from_utf8_lossy(&output.stdout), &manifest).ok_or(BuildError::NoModule(manifest))
}

/// The module among cargo's messages, one JSON object a line.
fn module(messages: &str, manifest: &Path) -> Option<PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Json>(line).ok());
    let own =
        messages.filter(|message| message.get("manifest_path").and_then(Json::as_str).map(Path::new) == Some(manifest));
    let mut modules = own.filter_map(|message| {
        let files = message.get("filenames")?.as_array()?;
        let wasm = files
            .iter()
            .filter_map(Json::as_str)
            .find(|file| Path::new(file).extension().is_some_and(|ending| ending == "wasm"))?;
        Some(PathBuf::from(wasm))
    });
    modules.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_module_is_the_wasm_file_of_the_package_itself() {
        let messages = r#"{"reason":"compiler-artifact","manifest_path":"/a/dep/Cargo.toml","filenames":["/t/dep.wasm"]}
            no message
            {"reason":"compiler-artifact","manifest_path":"/a/own/Cargo.toml","filenames":["/t/own.d","/t/own.wasm"]}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(module(messages, Path::new("/a/own/Cargo.toml")), Some(PathBuf::from("/t/own.wasm")));
        assert_eq!(module(messages, Path::new("/a/other/Cargo.toml")), None);
    }
}
