//! Turns a core Wasm module into a component, so that a vendor of actions needs cargo and nothing more.
//!
//! A package of its own beside `plugboard-plugin`, because the build of the built-in actions needs this and not the
//! compiler of the host.

/// Why a module became no component.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentizeError {
    /// Neither a core module nor a component.
    #[error("this is no WebAssembly file: it does not begin with the bytes \\0asm and a known version")]
    NotWasm,
    /// The module says nothing of the world that it was written for.
    #[error("the module has no WIT world inside; build it with the plugin SDK, for wasm32-unknown-unknown")]
    NoWorld,
    /// The WIT metadata does not fit the module's imports and exports.
    #[error("the module does not fit its WIT world ({0}); build it with the plugin SDK, for wasm32-unknown-unknown")]
    World(String),
}

/// Makes a component of a core module that carries its WIT world in a custom section, as `wit-bindgen` writes it.
///
/// A component is returned as it is. Imports that the module does not use are left out, so the component asks only
/// for the capabilities that it calls.
///
/// # Errors
/// [`ComponentizeError::NotWasm`] for other files, [`ComponentizeError::NoWorld`] without metadata,
/// [`ComponentizeError::World`] when it does not fit, which is also the answer to a module that imports WASI.
pub fn componentize(core_wasm: &[u8]) -> Result<Vec<u8>, ComponentizeError> {
    if wasmparser::Parser::is_component(core_wasm) {
        return Ok(core_wasm.to_vec());
    }
    if !wasmparser::Parser::is_core_wasm(core_wasm) {
        return Err(ComponentizeError::NotWasm);
    }
    if !has_world(core_wasm) {
        return Err(ComponentizeError::NoWorld);
    }
    wit_component::ComponentEncoder::default()
        .validate(true)
        .module(core_wasm)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|cause| ComponentizeError::World(format!("{cause:#}")))
}

/// Does it carry a custom section with a world, as `wit-bindgen` and `wit-component` name them?
fn has_world(core_wasm: &[u8]) -> bool {
    wasmparser::Parser::new(0).parse_all(core_wasm).any(|payload| {
        matches!(payload, Ok(wasmparser::Payload::CustomSection(section)) if section.name().starts_with("component-type"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_file_is_no_module() {
        assert!(matches!(componentize(b"#!/bin/sh"), Err(ComponentizeError::NotWasm)));
        assert!(matches!(componentize(b""), Err(ComponentizeError::NotWasm)));
    }

    #[test]
    fn a_module_without_a_world_is_refused() {
        // (module (import "env" "f" (func)))
        let wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02\x09\x01\x03env\x01f\0\0";
        assert!(matches!(componentize(wasm), Err(ComponentizeError::NoWorld)));
    }
}
