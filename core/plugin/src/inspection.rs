//! What a plugin's file is, before anybody installs it.

use crate::interface::{ImportFault, Outside, capability};
use crate::{Capability, Catalogue, ComponentId, GuestSize, Manifest};
use serde::Serialize;

/// A file, looked at: nothing of it has been installed.
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// SHA-256 of the component.
    pub sha256: String,
    /// The component's size.
    pub bytes: usize,
    /// Which of the engines would run it; `None` when it cannot be read.
    pub size: Option<GuestSize>,
    /// It was a core module: the host makes a component of it when it is installed.
    pub was_module: bool,
    /// What it imports, in its own order.
    pub imports: Vec<Import>,
    /// What it exports, in its own order.
    pub exports: Vec<String>,
    /// What it says of itself; `None` when it would not be installed.
    pub manifest: Option<Manifest>,
    /// Why it would not be installed.
    pub refused: Option<String>,
}

/// An interface that a component imports.
#[derive(Debug, Clone, Serialize)]
pub struct Import {
    /// Its full name.
    pub name: String,
    /// The capability that a route must grant; none for mere types.
    pub capability: Option<Capability>,
    /// Why this host does not have it.
    pub fault: Option<ImportFault>,
}

impl Inspection {
    /// Looks at a file as `catalogue` would when it installs it: it is compiled and asked what it is, within the same limits.
    pub fn of(catalogue: &Catalogue, wasm: &[u8]) -> Self {
        let component = catalogue.component_of(wasm);
        let bytes = component.as_deref().unwrap_or(wasm);
        let looked = component.as_deref().map_or_else(
            |refused| Err(refused.to_string()),
            |component| catalogue.look_at(component).map_err(|refused| refused.to_string()),
        );
        let outside = Outside::of(bytes).unwrap_or_default();
        let (manifest, refused) = match looked {
            Ok(installed) => (Some(installed.manifest().clone()), None),
            Err(refused) => (None, Some(refused)),
        };
        Self {
            sha256: ComponentId::of(bytes).to_string(),
            bytes: bytes.len(),
            size: GuestSize::of(bytes).ok(),
            was_module: bytes != wasm,
            imports: outside.imports.into_iter().map(Import::of).collect(),
            exports: outside.exports,
            manifest,
            refused,
        }
    }
}

impl Import {
    fn of(name: String) -> Self {
        let (capability, fault) = match capability(&name) {
            Ok(capability) => (capability, None),
            Err(fault) => (None, Some(fault)),
        };
        Self { name, capability, fault }
    }
}
