//! What is installed, what is refused and why, and what the cache believes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod support;

use plugboard_plugin::{
    Capability, Catalogue, CompileError, CompileLimits, CompiledCache, ComponentId, ImportFault, Inspection,
    InstallError, ManifestError, Metering,
};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use support::{CALL_GET_VARIABLE, GET_VARIABLE, NEXT_EVENT, PLAY, RETURN_DONE, core_module, engine, guest, module};

fn catalogue() -> Catalogue {
    Catalogue::new(engine(Metering::Epoch), None)
}

#[test]
fn a_core_module_becomes_a_component_with_the_capabilities_that_it_calls() {
    let catalogue = catalogue();
    let installed = catalogue.install(&core_module("plays", PLAY, "", RETURN_DONE)).unwrap();
    assert_eq!(installed.id(), ComponentId::of(installed.bytes()));
    assert_eq!(installed.manifest().name, "plays");
    let capabilities: Vec<_> = installed.manifest().capabilities.iter().map(|one| one.as_str()).collect();
    assert_eq!(capabilities, ["call"]);
    assert_eq!(catalogue.actions().len(), 1);
}

#[test]
fn versions_stand_side_by_side_and_a_roll_back_makes_the_old_one_current() {
    let catalogue = catalogue();
    let old = catalogue.install(&guest("plays", "", "", RETURN_DONE)).unwrap();
    let new = catalogue.install(&guest("plays", PLAY, "", RETURN_DONE)).unwrap();
    assert_eq!(catalogue.current("plays").unwrap().id(), new.id());
    assert!(catalogue.make_current(old.id()));
    assert_eq!(catalogue.current("plays").unwrap().id(), old.id());
    assert!(catalogue.get(new.id()).is_some());
    assert!(catalogue.remove(old.id()));
    assert!(catalogue.current("plays").is_none());
    assert!(!catalogue.make_current(old.id()));
}

#[test]
fn an_import_of_anything_else_is_refused_by_name_and_for_its_own_reason() {
    let newer = ImportFault::Newer { version: "0.2.0".into() };
    for (import, why) in [
        ("wasi:cli/environment@0.2.0", ImportFault::Wasi),
        ("plugboard:switch/call@0.2.0", newer),
        ("plugboard:switch/files@0.1.0", ImportFault::Unknown),
        ("acme:crm/search@1.0.0", ImportFault::Foreign),
    ] {
        let wasm = wat::parse_str(format!(r#"(component (import "{import}" (instance)))"#)).unwrap();
        let error = catalogue().install(&wasm).unwrap_err();
        let told = matches!(&error, InstallError::Import { import: named, fault } if named == import && *fault == why);
        assert!(told, "{error}");
        let inspection = Inspection::of(&catalogue(), &wasm);
        assert_eq!(inspection.imports[0].fault, Some(why));
        assert_eq!((inspection.refused, inspection.manifest), (Some(error.to_string()), None));
    }
    let empty = wat::parse_str("(component)").unwrap();
    assert!(matches!(catalogue().install(&empty), Err(InstallError::NotAnAction { export: "describe" })));
    assert!(matches!(catalogue().install(b"#!/bin/sh").unwrap_err(), InstallError::Componentize(_)));
    let plain = wat::parse_str(module("plain", "", "", RETURN_DONE)).unwrap();
    assert!(matches!(catalogue().install(&plain).unwrap_err(), InstallError::Componentize(_)));
    let other = r#"(component (import "plugboard:switch/log@0.1.0" (instance $log (export "write" (func))))
        (core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f"))) (export "describe" (func $f)) (export "run" (func $f)))"#;
    let error = catalogue().install(&wat::parse_str(other).unwrap()).unwrap_err();
    assert!(matches!(error, InstallError::Mismatch { .. }), "{error}");
}

#[test]
fn a_file_is_looked_at_without_being_installed() {
    let catalogue = catalogue();
    let module = core_module("plays", PLAY, "", RETURN_DONE);
    let seen = Inspection::of(&catalogue, &module);
    let component = guest("plays", PLAY, "", RETURN_DONE);
    assert_eq!((seen.sha256, seen.bytes), (ComponentId::of(&component).to_string(), component.len()));
    assert!(seen.was_module && seen.refused.is_none());
    assert!(!Inspection::of(&catalogue, &component).was_module);
    let wants: Vec<_> = seen.imports.iter().filter_map(|import| import.capability).collect();
    assert_eq!(wants, [Capability::Call]);
    assert_eq!(seen.exports, ["describe", "run"]);
    assert_eq!(seen.manifest.unwrap().name, "plays");
    assert!(catalogue.actions().is_empty() && catalogue.get(ComponentId::of(&component)).is_none());
    let none = Inspection::of(&catalogue, b"#!/bin/sh");
    assert!(none.refused.unwrap().contains("no WebAssembly file"));
}

#[test]
fn a_component_that_was_built_before_values_were_contacts_is_told_to_be_built_again() {
    let text = module("reads", GET_VARIABLE, "", &format!("{CALL_GET_VARIABLE} {RETURN_DONE}"));
    let install = |wasm: Vec<u8>| catalogue().install(&wasm);
    install(support::with_world(&text)).unwrap();
    let before = |wit: String| wit.replace("    contact(contact-id),\n", "");
    let error = install(support::with_changed_world(&text, &before)).unwrap_err();
    assert!(matches!(error, InstallError::Mismatch { .. }), "{error}");
    let told = error.to_string();
    let remedy = "build it with the SDK of this switch";
    assert!(told.contains("plugboard:switch/variables@0.1.0") && told.ends_with(remedy), "{told}");
}

#[test]
fn a_component_that_is_cut_off_or_damaged_is_refused_and_never_crashes() {
    let wasm = guest("plays", PLAY, "", RETURN_DONE);
    let catalogue = catalogue();
    for length in (8..wasm.len()).step_by(97) {
        assert!(catalogue.install(wasm.get(..length).unwrap()).is_err(), "cut at {length}");
    }
    for at in (8..wasm.len()).step_by(61) {
        let mut damaged = wasm.clone();
        damaged[at] ^= 0x55;
        // Some bytes are names in custom sections: what counts is that nothing panics and nothing hangs.
        drop(catalogue.install(&damaged));
    }
}

#[test]
fn a_wrong_manifest_is_refused_with_its_fault() {
    let error = catalogue().install(&guest("Not A Name", "", "", RETURN_DONE)).unwrap_err();
    assert!(matches!(error, InstallError::Manifest(ManifestError::Name { .. })), "{error}");
}

#[test]
fn a_describe_that_loops_or_calls_is_stopped() {
    let described = |body: &str| {
        let text = module("asks", NEXT_EVENT, "", RETURN_DONE);
        let from = text.find("(func (export \"describe\")").unwrap();
        let to = text.find("(func (export \"run\")").unwrap();
        let text = format!("{}(func (export \"describe\") (result i32) {body}) {}", &text[..from], &text[to..]);
        for metering in [Metering::Fuel, Metering::Epoch] {
            let error = Catalogue::new(engine(metering), None).install(&support::with_world(&text)).unwrap_err();
            assert!(matches!(error, InstallError::Describe(_)), "{error}");
        }
    };
    described("(loop $again (br $again)) unreachable");
    described("unreachable");
    described("(call $next_event (i32.const 0) (i32.const 256)) (i32.const 0)");
}

#[test]
fn compilation_is_limited_by_size_functions_bodies_and_time() {
    let wasm = guest("plays", PLAY, "", RETURN_DONE);
    let refused = |limits: CompileLimits| {
        let engine = engine(Metering::Fuel).with_compile_limits(limits);
        match Catalogue::new(engine, None).install(&wasm).unwrap_err() {
            InstallError::Compile(error) => error,
            other => panic!("{other}"),
        }
    };
    let usual = CompileLimits::default();
    for limits in [
        CompileLimits { bytes_max: 100, ..usual },
        CompileLimits { functions_max: 3, ..usual },
        CompileLimits { body_bytes_max: 5, ..usual },
        CompileLimits { modules_max: 0, ..usual },
    ] {
        assert!(matches!(refused(limits), CompileError::Limit { .. }));
    }
    assert!(matches!(refused(CompileLimits { time_max: Duration::ZERO, ..usual }), CompileError::Time { .. }));
}

/// The one compiled file in a cache folder.
fn compiled(folder: &Path) -> PathBuf {
    let mut files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "compiled")).unwrap()
}

#[test]
fn the_cache_is_private_and_a_second_start_loads_what_the_first_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("plugins");
    let wasm = guest("plays", PLAY, "", RETURN_DONE);
    let open = || Catalogue::new(engine(Metering::Epoch), Some(CompiledCache::open(&folder).unwrap()));
    open().install(&wasm).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(&folder.join("key")), mode(&compiled(&folder))), (0o700, 0o600, 0o600));
    // A limit that no compilation meets shows that the second start compiles nothing.
    let engine = engine(Metering::Epoch).with_compile_limits(CompileLimits { functions_max: 0, ..Default::default() });
    let second = Catalogue::new(engine, Some(CompiledCache::open(&folder).unwrap()));
    assert_eq!(second.install(&wasm).unwrap().manifest().name, "plays");
}

#[test]
fn a_cache_file_that_was_touched_is_compiled_again_and_never_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest("plays", PLAY, "", RETURN_DONE);
    let open = |limits| {
        let engine = engine(Metering::Epoch).with_compile_limits(limits);
        Catalogue::new(engine, Some(CompiledCache::open(folder.path()).unwrap()))
    };
    let usual = CompileLimits::default();
    let none = CompileLimits { functions_max: 0, ..usual };
    open(usual).install(&wasm).unwrap();
    let file = compiled(folder.path());
    let good = fs::read(&file).unwrap();
    let mut touched = Vec::new();
    for at in [0, 31, 32, good.len() / 2, good.len() - 1] {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        touched.push(bytes);
    }
    touched.push(good[..good.len() - 1].to_vec());
    touched.push(good[..16].to_vec());
    touched.push(Vec::new());
    for bytes in touched {
        fs::write(&file, &bytes).unwrap();
        assert!(matches!(open(none).install(&wasm), Err(InstallError::Compile(_))), "it was loaded");
        open(usual).install(&wasm).unwrap();
        assert_ne!(fs::read(&file).unwrap(), bytes, "compiled again");
        open(none).install(&wasm).unwrap();
    }
    // An authentic file under another component's name is refused too.
    let other = guest("other", "", "", RETURN_DONE);
    let stranger =
        file.to_str().unwrap().replace(&ComponentId::of(&wasm).to_string(), &ComponentId::of(&other).to_string());
    fs::copy(&file, stranger).unwrap();
    assert!(matches!(open(none).install(&other), Err(InstallError::Compile(_))));
}

#[test]
fn a_key_that_others_could_read_is_replaced_and_with_it_every_file_is_worthless() {
    let folder = tempfile::tempdir().unwrap();
    let wasm = guest("plays", PLAY, "", RETURN_DONE);
    let open = |functions_max| {
        let engine =
            engine(Metering::Epoch).with_compile_limits(CompileLimits { functions_max, ..CompileLimits::default() });
        Catalogue::new(engine, Some(CompiledCache::open(folder.path()).unwrap()))
    };
    open(1_000).install(&wasm).unwrap();
    let key = folder.path().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open(0).install(&wasm).is_err());
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&key, b"short").unwrap();
    assert!(open(0).install(&wasm).is_err());
    assert_eq!(fs::read(&key).unwrap().len(), 32);
}
