//! Files that are no plugins, or would cost too much to become one: each is refused in words, and the plugins that are there stay.

use plugboard_plugin::{Catalogue, Inspection, Metering, PluginEngine, PoolSize};
use plugboard_tests_hostile::Guest;

/// Exports of the names that an action has, of other types.
const EXPORTS: &str = r#"(core module $m (func (export "f"))) (core instance $i (instantiate $m))
        (func $f (canon lift (core func $i "f"))) (export "describe" (func $f)) (export "run" (func $f))"#;

fn catalogue() -> Catalogue {
    let engine = PluginEngine::new(Metering::Fuel, PoolSize { instances: 24, memory_bytes_max: 32 << 20 }).unwrap();
    Catalogue::new(engine, None)
}

/// Refused for a reason with this in it, when it is looked at and when it is installed; what was there is there still.
fn refused(file: &[u8], why: &str) {
    let catalogue = catalogue();
    let there = catalogue.install(&Guest::new("there", Guest::DONE).component()).unwrap();
    let fault = catalogue.install(file).map(|installed| installed.manifest().name.clone()).unwrap_err().to_string();
    assert!(fault.contains(why), "{fault:?}, not {why:?}");
    assert!(fault.len() <= 2_000, "{} bytes of words", fault.len());
    assert_eq!(Inspection::of(&catalogue, file).refused, Some(fault));
    assert_eq!(catalogue.current("there").unwrap().id(), there.id());
    assert_eq!(catalogue.actions().len(), 1);
}

fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|fault| panic!("{fault}"))
}

#[test]
fn what_is_no_component_is_refused() {
    refused(b"", "no WebAssembly file");
    refused(b"MZ\x90\x00", "no WebAssembly file");
    refused(b"\0asm\x01\0\0", "no WebAssembly file");
    refused(b"\0asm\x63\0\0\0", "known version");
    refused(&component("(module)"), "no WIT world");
    refused(&component("(component)"), "does not export \"describe\"");
    refused(&component("(component (core module (func (export \"run\"))))"), "does not export \"describe\"");
    let zip: Vec<u8> = [b"PK\x03\x04".as_slice(), &[0; 4_096]].concat();
    refused(&zip, "no WebAssembly file");
}

/// Code that somebody else has compiled is never loaded: it would be believed.
#[test]
fn precompiled_code_is_refused() {
    let engine = wasmtime::Engine::default();
    let honest = Guest::new("precompiled", Guest::DONE).component();
    let code = engine.precompile_component(&honest).unwrap();
    assert_eq!(code.get(1..4), Some(b"ELF".as_slice()));
    refused(&code, "no WebAssembly file");
}

#[test]
fn other_worlds_are_refused() {
    for (import, why) in [
        (r#"(import "wasi:sockets/tcp@0.2.0" (instance))"#, "wasi:sockets/tcp@0.2.0"),
        (r#"(import "wasi:filesystem/preopens@0.2.0" (instance))"#, "wasi:filesystem"),
        (r#"(import "plugboard:switch/call@7.0.0" (instance))"#, "7.0.0"),
        (r#"(import "plugboard:switch/shell@0.1.0" (instance))"#, "plugboard:switch/shell"),
        (r#"(import "plugboard:switch/log@0.1.0" (instance (export "erase" (func))))"#, "does not fit"),
        (r#"(import "exit" (func))"#, "exit"),
        ("", "does not fit"),
    ] {
        refused(&component(&format!("(component {import} {EXPORTS})")), why);
    }
}

/// A start function, an offset and an initial size are what a module does before anybody has called it.
#[test]
fn what_a_module_does_before_it_is_called_is_bounded() {
    let bomb = |guest: Guest| guest.component();
    let starts = |body: &str| Guest::new("starts", Guest::DONE).with(&format!("(func $starts {body}) (start $starts)"));
    refused(&bomb(starts("(loop $again (br $again))")), "fuel");
    refused(&bomb(starts("(call $starts)")), "stack");
    refused(&bomb(starts("unreachable")), "unreachable");
    let memory =
        |limits: &str| Guest::new("large", Guest::DONE).memory(&format!("(memory (export \"memory\") {limits})"));
    refused(&bomb(memory("65536")), "memory");
    refused(&bomb(memory("1500")), "memory");
    refused(&bomb(Guest::new("large", Guest::DONE).with("(table $t 4000000000 funcref)")), "table");
    refused(&bomb(Guest::new("large", Guest::DONE).with("(table $t 45000 funcref)")), "table");
    refused(&bomb(Guest::new("beyond", Guest::DONE).with("(data (i32.const 131072) \"x\")")), "out of bounds");
}

#[test]
fn what_engines_differ_in_is_refused() {
    let guest = || Guest::new("differs", Guest::DONE);
    let relaxed = "(func (result v128) (i32x4.relaxed_trunc_f32x4_s (v128.const i64x2 0 0)))";
    for (guest, why) in [
        (guest().with("(memory $other 1)"), "memories"),
        (guest().with(relaxed), "relaxed"),
        (guest().memory("(memory (export \"memory\") 2 2 shared)"), "shared"),
    ] {
        // What the tools do not even write needs no refusal.
        let Ok(file) = std::panic::catch_unwind(|| guest.module()) else { continue };
        let fault = catalogue().install(&file).map(|_| ()).unwrap_err().to_string();
        assert!(fault.contains(why), "{fault:?}, not {why:?}");
    }
}

fn with_functions(body: &str, count: usize) -> Vec<u8> {
    Guest::new("bomb", Guest::DONE).with(&format!("(func {body})").repeat(count)).component()
}

/// Components within components, so deep that whoever reads them by recursion has no stack left.
fn nested(depth: usize) -> Vec<u8> {
    const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
    (0..depth).fold(HEADER.to_vec(), |inner, _| {
        let length = u32::try_from(inner.len()).unwrap();
        let length = [0, 7, 14, 21].map(|shift| (length >> shift & 0x7f) as u8 | if shift < 21 { 0x80 } else { 0 });
        [HEADER, &[4], &length, &inner].concat()
    })
}

#[test]
fn what_would_cost_the_compiler_too_much_is_refused() {
    refused(&with_functions("", 20_001), "the functions are");
    let large = "(drop (i32.const 1000000))".repeat(150_000);
    refused(&with_functions(&large, 1), "a function's bytes");
    let whole = |more: &str| component(&format!("(component {more} {EXPORTS})"));
    refused(&whole(&"(core module)".repeat(1_000)), "nested modules");
    for depth in [200, 20_000] {
        refused(&nested(depth), "");
    }
    let huge = vec![0; 49 << 20];
    refused(&[b"\0asm\x0d\0\x01\0".as_slice(), &huge].concat(), "the component's bytes are");
    let section: Vec<u8> = [b"\0asm\x0d\0\x01\0\0\x85\x80\x80\x80\x08".as_slice(), b"\x01x"].concat();
    refused(&section, "");
}

/// Shapes that some compilers take quadratic time for, each as large as the limits let it be: they end, one way or the other.
#[test]
fn what_the_limits_let_pass_is_compiled_in_time() {
    let depth = 20_000;
    let blocks = "block ".repeat(depth) + &"end ".repeat(depth);
    let locals = format!("(local {})", "i32 ".repeat(40_000))
        + &"(if (i32.const 1) (then (local.set 0 (local.get 39999))))".repeat(2_000);
    let table = format!("(block (br_table {} (i32.const 0)))", "0 ".repeat(100_000));
    let sums = "(drop (i32.add (i32.const 1) (i32.const 2)))".repeat(40_000);
    for body in [blocks, locals, table, sums] {
        let catalogue = catalogue();
        match catalogue.install(&with_functions(&body, 1)) {
            Ok(installed) => assert_eq!(installed.manifest().name, "bomb"),
            Err(fault) => assert!(fault.to_string().len() < 500, "{fault}"),
        }
        catalogue.install(&Guest::new("next", Guest::DONE).component()).unwrap();
    }
}
