//! What a component imports and exports, by the names of WIT.

use crate::{Capability, CompileError, PluginKind, v0_1_0};
use serde::Serialize;
use std::fmt;
use wasmparser::{ComponentExternalKind, ComponentTypeRef, Parser, Payload};

/// The package whose interfaces are linked.
const PACKAGE: &str = "plugboard:switch/";
/// Interfaces that hold nothing but types: they need no grant.
const TYPES: [&str; 3] = ["types", "description", "integration-types"];
/// What an action exports.
const ACTION: [&str; 2] = ["describe", "run"];
/// What an integration exports.
const INTEGRATION: [&str; 4] = ["describe", "find-contacts", "responsible-for", "log-call"];
/// More names than any component has that fits the limits of compilation.
const NAMES_MAX: usize = 1_024;

/// Why this host does not have an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ImportFault {
    /// Of a version of the switch's interfaces that comes after those that this host serves.
    Newer {
        /// The version.
        version: String,
    },
    /// Of one that is served no longer, or never was.
    Older {
        /// The version.
        version: String,
    },
    /// No interface of the served version.
    Unknown,
    /// Of the WebAssembly System Interface.
    Wasi,
    /// Of somebody else.
    Foreign,
}

impl fmt::Display for ImportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let served = v0_1_0::VERSION;
        match self {
            Self::Newer { version } => write!(
                f,
                "it was built for plugboard:switch {version}, which is newer than this switch, that serves {served}: \
                 install a newer Plugboard, or build the plugin with the SDK of {served}"
            ),
            Self::Older { version } => write!(
                f,
                "it was built for plugboard:switch {version}, and this switch serves {served}: build the plugin with the SDK \
                 of {served}"
            ),
            Self::Unknown => {
                let known: Vec<&str> = Capability::ALL.iter().map(|capability| capability.as_str()).collect();
                write!(f, "plugboard:switch {served} has no such interface; it has {}", known.join(", "))
            }
            Self::Wasi => f.write_str(
                "an action has no files, environment or sockets; build it so that nothing of WASI is left: Rust and C for \
                 wasm32-unknown-unknown, JavaScript and Python by `plugboard plugin build`, or with --stub-wasi",
            ),
            Self::Foreign => write!(f, "an action imports interfaces of plugboard:switch {served} alone"),
        }
    }
}

/// The capability that an import is; `None` for one of mere types.
pub(crate) fn capability(import: &str) -> Result<Option<Capability>, ImportFault> {
    let Some((name, version)) = import.strip_prefix(PACKAGE).map(|rest| rest.split_once('@').unwrap_or((rest, "")))
    else {
        return Err(if import.starts_with("wasi:") { ImportFault::Wasi } else { ImportFault::Foreign });
    };
    if version != v0_1_0::VERSION {
        let version = version.to_owned();
        let is_newer = numbers(&version) > numbers(v0_1_0::VERSION);
        return Err(if is_newer { ImportFault::Newer { version } } else { ImportFault::Older { version } });
    }
    match Capability::parse(name) {
        None if !TYPES.contains(&name) => Err(ImportFault::Unknown),
        found => Ok(found),
    }
}

/// MAJOR.MINOR.PATCH, to be compared; what is none comes before all.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let mut parts = version.split('.').map(|part| part.parse().ok());
    match (parts.next()?, parts.next()?, parts.next()?, parts.next()) {
        (Some(major), Some(minor), Some(patch), None) => Some([major, minor, patch]),
        _ => None,
    }
}

/// The names that stand at the outside of a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) imports: Vec<String>,
    pub(crate) exports: Vec<String>,
}

impl Outside {
    /// Reads them without compiling anything.
    pub(crate) fn of(component: &[u8]) -> Result<Self, CompileError> {
        let (mut outside, mut depth) = (Self::default(), 0_usize);
        for payload in Parser::new(0).parse_all(component) {
            #[expect(clippy::wildcard_enum_match_arm, reason = "most of a file's two dozen sections have no names")]
            match payload.map_err(|cause| CompileError::Invalid(cause.to_string()))? {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth = depth.saturating_add(1),
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::ComponentImportSection(section) if depth == 0 => {
                    // Types are imported by name as well, out of interfaces that are listed themselves.
                    let things =
                        section.into_iter().flatten().filter(|one| !matches!(one.ty, ComponentTypeRef::Type(_)));
                    outside.imports.extend(things.map(|import| import.name.name.to_owned()));
                }
                Payload::ComponentExportSection(section) if depth == 0 => {
                    let things = section.into_iter().flatten().filter(|one| one.kind != ComponentExternalKind::Type);
                    outside.exports.extend(things.map(|export| export.name.name.to_owned()));
                }
                _ => {}
            }
        }
        outside.imports.truncate(NAMES_MAX);
        outside.exports.truncate(NAMES_MAX);
        Ok(outside)
    }

    /// What it is meant to be: whoever finds contacts is an integration, whatever else it has.
    pub(crate) fn kind(&self) -> PluginKind {
        let exports = |wanted: &&str| self.exports.iter().any(|export| export == wanted);
        let [_, own @ ..] = INTEGRATION;
        if own.iter().any(exports) { PluginKind::Integration } else { PluginKind::Action }
    }

    /// What such a plugin must export and this component does not.
    pub(crate) fn lacks(&self) -> Option<&'static str> {
        let wanted: &[&'static str] = match self.kind() {
            PluginKind::Action => &ACTION,
            PluginKind::Integration => &INTEGRATION,
        };
        wanted.iter().copied().find(|wanted| !self.exports.iter().any(|export| export == wanted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_that_this_host_does_not_have_is_refused_for_its_own_reason() {
        let fault = |import: &str| capability(import).unwrap_err();
        assert_eq!(capability("plugboard:switch/call@0.1.0"), Ok(Some(Capability::Call)));
        assert_eq!(capability("plugboard:switch/types@0.1.0"), Ok(None));
        for version in ["0.1.1", "0.2.0", "1.0.0", "0.10.0"] {
            let import = format!("plugboard:switch/call@{version}");
            assert_eq!(fault(&import), ImportFault::Newer { version: version.to_owned() });
        }
        for version in ["0.0.9", "", "next", "1", "1.0.0.0"] {
            let import = format!("plugboard:switch/call@{version}");
            assert_eq!(fault(&import), ImportFault::Older { version: version.to_owned() }, "{version}");
        }
        assert_eq!(fault("plugboard:switch/files@0.1.0"), ImportFault::Unknown);
        assert_eq!(fault("wasi:cli/environment@0.2.0"), ImportFault::Wasi);
        assert_eq!(fault("acme:crm/search@1.0.0"), ImportFault::Foreign);
        assert!(fault("plugboard:switch/call@0.2.0").to_string().contains("0.2.0, which is newer"));
    }
}
