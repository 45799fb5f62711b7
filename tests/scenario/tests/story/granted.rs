//! What actions may do, as the route says that led to their scenario.

use plugboard_model::{CallRecord, JournalEvent};
use plugboard_simulator::{OfficeText, Setup, Sim};

use crate::{journaled, seconds, steps, talk};

/// The demo office; the number 300 leads to these steps, with these grants.
fn office(plugins: &str, steps: &str) -> OfficeText {
    OfficeText::demo()
        .replace("scenarios:\n", "scenarios:\n  - { file: story.yaml }\n")
        .replace(
            "routes:\n",
            &format!("routes:\n  - {{ id: story, number: 300, scenario: story, plugins: {plugins} }}\n"),
        )
        .with("story.yaml", &format!("scenario: story\nsteps:\n{steps}"))
}

fn start(plugins: &str, steps: &str) -> Sim {
    let setup = Setup::offices(vec![office(plugins, steps)]);
    setup.prompt("first", seconds(2)).prompt("second", seconds(2)).start()
}

fn notes(sim: &Sim, record: &CallRecord, text: &str) -> usize {
    journaled(sim, record, |event| matches!(event, JournalEvent::Note { text: note } if note.contains(text)))
}

const STEPS: &str = "  - call-user:\n      mode: user\n      target: \"102\"\n    on:\n      denied: [{ play-audio: { audio: first } }]\n  - play-audio: { audio: second }\n";

#[test]
fn an_action_that_the_route_does_not_enable_is_denied_and_the_trace_names_it() {
    let mut sim = start("{ play-audio: all }", STEPS);
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    sim.run_until(ann.hears("second"));
    sim.run_until_quiet();
    assert!(bob.calls().is_empty());
    let record = sim.record();
    let told = "steps[0]: denied: the action call-user is not enabled for calls of the route story";
    assert_eq!(notes(&sim, &record, told), 1);
    assert_eq!(
        steps(&record),
        ["steps[0] call-user: denied", "steps[0].on.denied[0] play-audio: done", "steps[1] play-audio: done"]
    );
}

#[test]
fn an_action_without_a_capability_that_it_asks_for_is_denied_as_well() {
    let mut sim = start("{ play-audio: all, call-user: { capabilities: [directory, log] } }", STEPS);
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("second"));
    sim.run_until_quiet();
    assert_eq!(notes(&sim, &sim.record(), "the action call-user is not granted the capability"), 1);
}

#[test]
fn who_has_no_steps_on_denied_has_those_on_failed() {
    let steps = "  - call-user:\n      mode: user\n      target: \"102\"\n    on:\n      failed: [{ play-audio: { audio: first } }]\n";
    let mut sim = start("{ play-audio: all }", steps);
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    sim.run_until_quiet();
}

#[test]
fn an_action_rings_those_alone_whom_the_route_grants() {
    let steps = "  - call-user: { mode: user, target: \"105\" }\n  - call-user: { mode: user, target: \"102\" }\n";
    let mut sim = start("{ call-user: { dial: { groups: [sales] } } }", steps);
    let (ann, bob, egor) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("egor", "105"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert!(egor.calls().is_empty());
    assert!(steps_of(&sim).starts_with("steps[0] call-user: failed"), "{}", steps_of(&sim));
}

fn steps_of(sim: &Sim) -> String {
    steps(&sim.record()).join("; ")
}

#[test]
fn a_scenario_that_a_forward_leads_to_has_what_the_route_there_grants() {
    let text = office(
        "{ call-user: all }",
        "  - play-audio: { audio: first }\n  - call-user: { mode: user, target: \"103\" }\n",
    );
    let forward = text.replace("name: Bob Baker,", "name: Bob Baker, forward: { always: 300 },");
    let mut sim = Setup::offices(vec![forward]).prompt("first", seconds(2)).start();
    let (ann, _bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.dials("102");
    sim.run_until(cem.rings());
    assert_eq!(ann.packets_of("first"), 0);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(notes(&sim, &sim.record(), "the action play-audio is not enabled for calls of the route story"), 1);
}

#[test]
fn a_script_of_many_denied_steps_ends_as_any_other() {
    let steps =
        "  - repeat: 100\n    steps:\n      - play-audio: { audio: first }\n      - play-audio: { audio: first }\n";
    let mut sim = start("{ call-user: all }", steps);
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
}

#[test]
fn what_the_office_grants_holds_where_a_route_says_nothing() {
    let text = OfficeText::demo()
        .replace("users:\n", "plugins: { call-user: all }\nusers:\n")
        .with_story("  - play-audio: { audio: first }\n  - call-user: { mode: user, target: \"102\" }\n");
    let mut sim = Setup::offices(vec![text]).prompt("first", seconds(2)).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    assert_eq!(ann.packets_of("first"), 0);
    ann.hangs_up();
    sim.run_until_quiet();
}
