//! Actions that lie about themselves.

use plugboard_plugin::{Catalogue, Metering, PluginEngine, PoolSize};
use plugboard_simulator::{OfficeText, Setup};
use plugboard_tests_hostile::Guest;

fn installs(guest: &Guest) -> Result<(), String> {
    let engine = PluginEngine::new(Metering::Fuel, PoolSize { instances: 24, memory_bytes_max: 32 << 20 }).unwrap();
    Catalogue::new(engine, None).install(&guest.component()).map(drop).map_err(|fault| fault.to_string())
}

fn refused(guest: &Guest, why: &str) {
    let fault = installs(guest).unwrap_err();
    assert!(fault.to_lowercase().contains(why), "{fault:?}, not {why:?}");
    assert!(fault.len() <= 2_000, "{} bytes of words", fault.len());
}

#[test]
fn names_that_are_ways_are_none() {
    for name in ["", "../../etc/passwd", "a/b", "a\\b", "A", "play audio", "x\u{202e}y", "a\0b", "ä"] {
        refused(&Guest::new(name, Guest::DONE), "a-z 0-9 -");
    }
    refused(&Guest::new(&"x".repeat(65), Guest::DONE), "1 to 64");
    let outcomes =
        |names: &[&str]| Guest::new("lies", Guest::DONE).outcomes(names.iter().map(|one| (*one).into()).collect());
    refused(&outcomes(&["../done"]), "a-z 0-9 -");
    refused(&outcomes(&["done", "done"]), "twice");
    refused(&outcomes(&["failed"]), "every action's");
    let many: Vec<String> = (0..5_000).map(|n| format!("o{n}")).collect();
    refused(&Guest::new("lies", Guest::DONE).memory("(memory (export \"memory\") 8)").outcomes(many), "at most 32");
}

#[test]
fn texts_have_an_end() {
    let guest = || Guest::new("lies", Guest::DONE).memory("(memory (export \"memory\") 8)");
    refused(&guest().title(&"x".repeat(2_000)), "at most");
    refused(&guest().schema(&format!("{{\"type\":\"object\",\"x\":\"{}\"}}", "x".repeat(70_000))), "at most");
    refused(&guest().schema("[]"), "object");
    refused(&guest().schema("{"), "schema");
    let deep = format!("{{\"type\":\"object\",\"x\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
    refused(&guest().schema(&deep), "recursion");
}

#[test]
fn a_describe_that_does_harm_is_stopped() {
    let guest = || Guest::new("lies", Guest::DONE);
    refused(&guest().describe("(loop $again (br $again)) unreachable"), "fuel");
    refused(&guest().describe("(i32.const -8)"), "out of bounds");
    refused(&guest().describe("(i32.const 3)"), "align");
    // A list of four billion texts, at an address that there is.
    let list =
        "(i32.store (i32.const 1024) (i32.const 0)) (i32.store (i32.const 1028) (i32.const -1)) (i32.const 1024)";
    refused(&guest().describe(list), "");
    let asks = guest().imports("clock", "now", "(result i64)").describe("(drop (call $now)) unreachable");
    refused(&asks, "describe");
}

/// What schemas can do to who checks a scenario with them: the scenario is refused or taken, and the checker goes on.
#[test]
fn a_schema_cannot_stop_the_checker() {
    let property = |schema: &str| format!(r#"{{"type":"object","properties":{{"a":{schema}}}}}"#);
    let schemas = [
        property(r#"{"type":"string","pattern":"^(a+)+$"}"#),
        property(r#"{"type":"string","pattern":"^(a|a)*(?=b)\\1$"}"#),
        property(r#"{"type":"string","pattern":"((((((((a{1000}){1000}){1000}){1000})"}"#),
        property(r##"{"$ref":"#/properties/a"}"##),
        property(r##"{"allOf":[{"$ref":"#/properties/a"},{"$ref":"#/properties/a"}]}"##),
        property(r#"{"$ref":"http://169.254.169.254/latest/meta-data"}"#),
        property(r#"{"$ref":"file:///etc/passwd"}"#),
        property(r#"{"enum":[]}"#),
        property(r#"{"type":"integer","multipleOf":0}"#),
        property(r#"{"type":7}"#),
        r#"{"type":"object","required":7}"#.to_owned(),
        r##"{"type":"object","$defs":{"x":{"$ref":"#/$defs/y"},"y":{"$ref":"#/$defs/x"}},"properties":{"a":{"$ref":"#/$defs/x"}}}"##.to_owned(),
    ];
    let mut taken = Vec::new();
    for (n, schema) in schemas.iter().enumerate() {
        let guest = Guest::new(&format!("lies-{n}"), Guest::DONE).schema(schema);
        match installs(&guest) {
            Ok(()) => taken.push(guest),
            Err(fault) => assert!(fault.len() <= 2_000, "{schema}: {fault}"),
        }
    }
    let components: Vec<Vec<u8>> = taken.iter().map(Guest::component).collect();
    let sim = Setup::offices(vec![OfficeText::demo()]).with_actions(&components).start();
    for guest in &taken {
        let long = "a".repeat(500) + "!";
        let office = OfficeText::demo().with_story(&format!("  - {}: {{ a: \"{long}\" }}\n", guest.name()));
        for fault in sim.faults(&office) {
            assert!(fault.len() <= 4_000, "{}: {} bytes", guest.name(), fault.len());
        }
    }
}
