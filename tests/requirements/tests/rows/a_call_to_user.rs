//! A: call to user.

use plugboard_model::HttpResponse;
use plugboard_plugin::componentize;
use plugboard_simulator::{Phone, Setup, Sim};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::{document, reaches, steps};

/// A variable of type user, and a call of whoever it holds.
const BY_VARIABLE: &str = "scenario: story\nvariables: { agent: { type: user, default: 105 } }\nsteps:\n\
    \x20 - call-user: { mode: variable, target: agent }\n";

#[test]
fn r14_the_user_in_a_variable_rings() {
    let mut sim = Setup::offices(vec![document(BY_VARIABLE)]).start();
    let (ann, bob, egor) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("egor", "105"));
    reaches(&mut sim, &ann, &egor);
    assert!(bob.calls().is_empty());
    sim.applies(&[document(&BY_VARIABLE.replace("105", "102"))]);
    reaches(&mut sim, &ann, &bob);
    assert_eq!(sim.records("main").len(), 2);
}

#[test]
fn r15_a_way_that_reaches_the_call_without_a_value_keeps_the_office_from_being_applied() {
    let sim = Sim::demo();
    let asks = |on: &str| {
        let call = "call-user: { mode: variable, target: agent }";
        document(&format!(
            "scenario: story\nvariables: {{ agent: user }}\nsteps:\n  - search-history: {{ variable: agent }}\n{}",
            on.replace("CALL", call)
        ))
    };
    let faults = sim.faults(&asks("  - CALL\n"));
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("story.yaml:5:") && faults[0].contains("agent may have no value here"), "{faults:?}");
    assert_eq!(sim.faults(&asks("    on:\n      found: [{ CALL }]\n")), [""; 0]);
    assert_eq!(sim.faults(&asks("  - if: assigned(agent)\n    then: [{ CALL }]\n")), [""; 0]);
}

#[test]
fn r16_a_variable_of_another_type_is_refused_and_a_value_of_another_type_is_an_outcome() {
    let sim = Sim::demo();
    let faults = sim.faults(&document(&BY_VARIABLE.replace("type: user", "type: text")));
    assert!(faults.iter().any(|fault| fault.contains("agent is of type text, a user is needed")), "{faults:?}");
    // What a service calls a user is none: the step that reads it says so, and nobody is rung.
    let reads = "scenario: story\nvariables: { agent: user }\nsteps:\n\
        \x20 - http-request: { source: crm, path: /agent, into: { agent: /agent } }\n    on:\n      done:\n\
        \x20       - call-user: { mode: variable, target: agent }\n";
    let office =
        document(reads).replace("users:\n", "http:\n  - { id: crm, url: \"https://crm.example.com\" }\nusers:\n");
    let mut sim = Setup::offices(vec![office]).start();
    let answer =
        HttpResponse { status: 200, content_type: "application/json".into(), body: r#"{"agent": [1]}"#.into() };
    sim.site_is(move |_| (Duration::ZERO, Ok(answer.clone())));
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert!(bob.calls().is_empty());
    assert_eq!(steps(&sim.record()), ["http-request: failed"]);
}

/// The vendor's source, compiled for the guest with the profile of the built-in actions.
fn vendors_component() -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let arguments = ["build", "--quiet", "--profile", "plugin", "--target", "wasm32-unknown-unknown"];
    let built = Command::new("cargo")
        .args(arguments)
        .args(["--package", "plugboard-tests-crm-lookup", "--target-dir"])
        .arg(&target)
        .current_dir(&root)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let module = target.join("wasm32-unknown-unknown/plugin/plugboard_tests_crm_lookup.wasm");
    componentize(&std::fs::read(&module).unwrap()).unwrap()
}

#[test]
fn r17_a_vendors_component_says_which_user_rings() {
    let asks = "scenario: story\nvariables: { agent: user }\nsteps:\n\
        \x20 - crm-lookup: { number: \"+4930{called_number}5\" }\n    on:\n\
        \x20     found: [{ call-user: { mode: variable, target: agent } }]\n\
        \x20 - call-user: { mode: user, target: 103 }\n";
    let vendors = [vendors_component()];
    let mut sim = Setup::offices(vec![document(asks)]).with_actions(&vendors).start();
    let phones = [("ann", "101"), ("cem", "103"), ("egor", "105")].map(|(name, user)| sim.phone(name, user));
    let [ann, cem, egor] = &phones;
    reaches(&mut sim, ann, egor);
    assert_eq!(steps(&sim.record()), ["crm-lookup: found", "call-user: answer"]);
    sim.applies(&[document(&asks.replace("}5", "}6"))]);
    reaches(&mut sim, ann, cem);
    // The checker knows the vendor's types as it knows ours.
    let faults = sim.faults(&document(&asks.replace("agent: user", "agent: text")));
    assert!(!faults.is_empty());
}

#[test]
fn r19_both_ways_of_whether_the_caller_is_known_are_taken() {
    let asks = "scenario: story\nsteps:\n  - search-history\n  - if: assigned(last_user)\n    then:\n\
        \x20     - call-user: { mode: variable, target: last_user }\n    else:\n      - call-user: { mode: user, target: 103 }\n";
    let office = document(asks)
        .replace("users:\n", "numbers:\n  - { number: \"+4930777\", scenario: story }\nusers:\n")
        .replace("127.0.0.1:5080", "10.0.1.1:5060");
    let mut sim = Setup::offices(vec![office]).start();
    let (bob, cem) = (sim.phone("bob", "102"), sim.phone("cem", "103"));
    let outside = sim.outside("outside", "10.0.1.1:5060");
    let comes_to = |sim: &mut Sim, who: &Phone| {
        outside.dials_as("+4930777", "+4940555");
        sim.run_until(who.rings());
        outside.hangs_up();
        sim.run_until_quiet();
    };
    // Nobody has talked with him: who is there for new ones.
    comes_to(&mut sim, &cem);
    bob.dials("0004940555");
    sim.run_until(outside.rings());
    outside.answers();
    sim.run_until(outside.hears("bob"));
    bob.hangs_up();
    sim.run_until_quiet();
    comes_to(&mut sim, &bob);
}
