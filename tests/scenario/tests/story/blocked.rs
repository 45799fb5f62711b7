//! Callers whom the office or a user does not let through.

use plugboard_model::CallOutcome;
use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, talk};

const WORLD: &str = "127.0.0.1:5080";

fn start(replace: &[(&str, &str)]) -> Sim {
    let demo = OfficeText::demo()
        .replace("scenarios:\n", "scenarios:\n  - { file: no.yaml }\n")
        .with("no.yaml", "scenario: no\nsteps:\n  - play-audio: { audio: sorry }\n")
        .replace("routes:\n", "routes:\n  - { id: direct, from: gateways, number: 555, user: \"102\" }\n  - { id: all, from: gateways, number: 556, group: sales }\n");
    let text = replace.iter().fold(demo, |text, (from, to)| text.replace(from, to));
    Setup::offices(vec![text]).prompt("sorry", seconds(2)).start()
}

/// What the record tells the admin.
fn told(sim: &Sim) -> String {
    match sim.record().outcome {
        CallOutcome::Failed(cause) | CallOutcome::NotAnswered(cause) => format!("{} {}", cause.status, cause.text),
        other => format!("{other:?}"),
    }
}

fn refused(sim: &mut Sim, caller: &Phone, status: u16) {
    sim.run_until(caller.was_told(status));
    sim.run_until_quiet();
}

#[test]
fn the_office_lets_nobody_through_whose_number_is_on_its_list_or_withheld() {
    let office =
        [("users:\n", "blocked: { callers: [\"030666*\"], anonymous: true, then: { refuse: 603 } }\nusers:\n")];
    let mut sim = start(&office);
    let (bob, world) = (sim.phone("bob", "102"), sim.outside("world", WORLD));
    world.dials_as("555", "+4930666123");
    refused(&mut sim, &world, 603);
    assert_eq!(told(&sim), "603 the office blocks the caller");
    world.dials_anonymously("555", "plugboard.test");
    refused(&mut sim, &world, 603);
    assert!(bob.calls().is_empty());
    world.dials_as("555", "+4930667123");
    sim.run_until(bob.rings());
    world.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_blocked_caller_meets_what_a_busy_users_caller_meets() {
    let mut sim =
        start(&[("name: Bob Baker,", "name: Bob Baker, calls_at_once: 1, blocked: { callers: [\"0900*\", 103] },")]);
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let world = sim.outside("world", WORLD);
    // The lines of the newest call's refusal, without what is each call's own.
    let answer = |sim: &Sim| {
        let record = sim.records("main").into_iter().max_by_key(|record| record.began).unwrap();
        let said = sim.said_in(&record, WORLD);
        let refusal = said.find("SIP/2.0 486").map_or_else(|| panic!("{said}"), |at| said[at..].to_owned());
        let own = ["Via", "Call-ID", "CSeq", "From", "To"];
        let lines = refusal.lines().filter(|line| own.iter().all(|name| !line.starts_with(name)));
        lines.map(str::to_owned).collect::<Vec<_>>().join("\n")
    };
    cem.dials("102");
    refused(&mut sim, &cem, 486);
    assert_eq!(told(&sim), "486 the user 102 blocks the caller");
    world.dials_as("555", "+49900123456");
    refused(&mut sim, &world, 486);
    let blocked = answer(&sim);
    ann.dials("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    world.dials_as("555", "+4930111222");
    sim.run_until(world.was_told(486));
    sim.run_for(seconds(1));
    assert_eq!(answer(&sim), blocked);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_group_passes_a_member_over_who_blocks_the_caller_and_a_colleague_may_hand_him_on() {
    let mut sim = start(&[("name: Bob Baker,", "name: Bob Baker, blocked: { anonymous: true },")]);
    let (bob, cem, world) = (sim.phone("bob", "102"), sim.phone("cem", "103"), sim.outside("world", WORLD));
    world.dials_anonymously("556", "plugboard.test");
    sim.run_until(cem.rings());
    sim.run_for(seconds(5));
    assert!(bob.calls().is_empty());
    cem.answers();
    talk(&mut sim, &world, &cem);
    cem.hands_on_to("102");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &world, &bob);
    world.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_blocked_caller_may_meet_a_scenario() {
    let mut sim =
        start(&[("name: Bob Baker,", "name: Bob Baker, blocked: { callers: [\"*\"], then: { scenario: \"no\" } },")]);
    let (bob, world) = (sim.phone("bob", "102"), sim.outside("world", WORLD));
    world.dials_as("555", "+4930111222");
    sim.run_until(world.hears("sorry"));
    sim.run_until(world.is_idle());
    sim.run_until_quiet();
    assert!(bob.calls().is_empty());
    assert_eq!(sim.record().route.as_deref(), Some("blocked"));
}

#[test]
fn who_calls_back_whoever_called_for_help_is_never_blocked() {
    let mut sim = start(&[
        ("users:\n", "blocked: { callers: [\"*\"], anonymous: true }\nusers:\n"),
        ("test: 933 }", "test: 933, call_back: \"+493055501\" }"),
    ]);
    let (ann, world) = (sim.phone("ann", "101"), sim.outside("world", WORLD));
    ann.dials("112");
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &ann, &world);
    ann.hangs_up();
    sim.run_until_quiet();
    world.dials_anonymously("+493055501", "plugboard.test");
    sim.run_until(ann.rings());
    world.hangs_up();
    sim.run_until_quiet();
}
