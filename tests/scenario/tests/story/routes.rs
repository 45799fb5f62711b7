//! Routes with conditions, in calls. Stories begin on Monday the 5th of January 2026 at 10:00 in Berlin.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};

use crate::{journaled, seconds, talk};

const CALENDAR: &str = "time_zone: Europe/Berlin\nvariables: { closed: false }\n\
    contacts: [{ id: carla, numbers: +49401234567 }]\n\
    calendars:\n  - { id: office, open: [{ days: [mon-fri], from: \"09:00\", to: \"10:05\" }] }\nusers:\n";

/// The demo office with these routes, and a scenario of one step.
fn office(routes: &str) -> OfficeText {
    OfficeText::demo()
        .replace("users:\n", CALENDAR)
        .replace("routes:\n", &format!("routes:\n{routes}"))
        .replace("scenarios:\n", "scenarios:\n  - { file: story.yaml }\n")
        .with("story.yaml", "scenario: story\nsteps:\n  - play-audio: { audio: long, max: 2s }\n")
}

fn start(routes: &str) -> Sim {
    Setup::offices(vec![office(routes)]).prompt("long", seconds(5)).start()
}

fn scenario_began(sim: &Sim) -> usize {
    journaled(sim, &sim.record(), |event| matches!(event, JournalEvent::Routed { .. } | JournalEvent::Step { .. }))
}

/// Ann dials, and is refused with this.
fn refused(sim: &mut Sim, ann: &Phone, number: &str, status: u16) {
    ann.dials(number);
    sim.run_until(ann.was_told(status));
    sim.run_until_quiet();
}

#[test]
fn r44_a_condition_that_does_not_hold_begins_no_script() {
    let mut sim = start("  - { id: night, number: 300, if: { not: { time: office } }, scenario: story }\n");
    let ann = sim.phone("ann", "101");
    refused(&mut sim, &ann, "300", 404);
    assert_eq!(scenario_began(&sim), 0, "the trace has no scenario");
    sim.run_for(seconds(5 * 60));
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let mut records = sim.records("main");
    records.sort_by_key(|record| record.began);
    assert_eq!(records[1].route.as_deref(), Some("night"));
    assert_eq!(records[1].scenario.as_ref().map(|scenario| scenario.name.to_string()).as_deref(), Some("story"));
}

#[test]
fn r45_r46_all_or_one_of_the_conditions_decide_over_a_call() {
    let routes = "  - { id: both, number: 301, if: { all: [{ time: office }, { caller: 102 }] }, scenario: story }\n  \
        - { id: either, number: 302, if: { one_of: [{ time: office }, { caller: 102 }] }, scenario: story }\n";
    let mut sim = start(routes);
    let ann = sim.phone("ann", "101");
    refused(&mut sim, &ann, "301", 404);
    assert_eq!(scenario_began(&sim), 0);
    ann.dials("302");
    sim.run_until(ann.hears("long"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let bob = sim.phone("bob", "102");
    bob.dials("301");
    sim.run_until(bob.hears("long"));
    bob.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r47_of_several_routes_the_lowest_priority_whose_conditions_hold_is_taken() {
    let routes = "  - { id: late, number: 300, if: { not: { time: office } }, refuse: 480, priority: 2 }\n  \
        - { id: shut, number: 300, if: { variable: { closed: true } }, refuse: 410, priority: 1 }\n  \
        - { id: usual, number: 300, user: \"102\", priority: 3 }\n";
    let mut sim = start(routes);
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    // The office closes, and the hours end; the call goes on.
    sim.applies(&[office(routes).replace("closed: false", "closed: true")]);
    sim.run_for(seconds(6 * 60));
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    refused(&mut sim, &ann, "300", 410);
    sim.applies(&[office(routes)]);
    refused(&mut sim, &ann, "300", 480);
}

#[test]
fn r48_a_number_that_no_route_takes_is_refused_at_once_and_leaves_a_record() {
    let mut sim = start("");
    let ann = sim.phone("ann", "101");
    refused(&mut sim, &ann, "777", 404);
    let CallOutcome::Failed(cause) = sim.record().outcome else { panic!("{:?}", sim.record().outcome) };
    assert_eq!((cause.status, cause.text.contains("no route takes it")), (404, true), "{}", cause.text);
}

#[test]
fn r49_what_comes_from_a_gateway_is_known_by_number_caller_and_contact() {
    let routes = "  - { id: vip, from: gateways, like: \"555*\", if: { contact: true }, user: \"103\", priority: 1 }\n  \
        - { id: blind, from: gateways, like: \"555*\", if: { anonymous: true }, refuse: 433, priority: 2 }\n  \
        - { id: berlin, from: { gateway: outside }, like: \"555*\", if: { caller: \"030*\" }, user: \"102\", priority: 3 }\n  \
        - { id: others, from: gateways, like: \"555*\", refuse: 404, priority: 4 }\n";
    let mut sim = start(routes);
    let (bob, cem) = (sim.phone("bob", "102"), sim.phone("cem", "103"));
    let world = sim.outside("world", "127.0.0.1:5080");
    for (number, rung) in [("+49401234567", &cem), ("0401234567", &cem), ("+4930777", &bob)] {
        world.dials_as("5551", number);
        sim.run_until(rung.rings());
        world.hangs_up();
        sim.run_until_quiet();
    }
    world.dials_as("5551", "+4940777");
    sim.run_until(world.was_told(404));
    world.dials_anonymously("5551", "plugboard.test");
    sim.run_until(world.was_told(433));
    sim.run_until_quiet();
}

#[test]
fn routes_to_a_user_decide_over_calls_to_him_and_not_over_his_groups() {
    let routes = "  - { id: quiet, to: { user: \"102\" }, if: { not: { caller: 103 } }, user: \"104\" }\n  \
        - { id: inside, to: gateways, if: { caller: 103 }, refuse: 403 }\n";
    let mut sim = start(routes);
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let (cem, dora) = (sim.phone("cem", "103"), sim.phone("dora", "104"));
    let mut reaches = |caller: &Phone, number: &str, rung: &Phone, others: &[&Phone]| {
        caller.dials(number);
        sim.run_until(rung.rings());
        assert!(others.iter().all(|phone| phone.is_idle()()));
        caller.hangs_up();
        sim.run_until_quiet();
    };
    reaches(&ann, "102", &dora, &[&bob, &cem]);
    reaches(&cem, "102", &bob, &[&ann, &dora]);
    reaches(&ann, "200", &bob, &[]);
    refused(&mut sim, &cem, "0301234", 403);
    assert!(matches!(ann.calls().last(), Some(Stage::Over(487))));
}

#[test]
fn r50_a_number_that_is_given_another_scenario_acts_on_the_next_call_only() {
    let number = |scenario: &str| {
        OfficeText::demo()
            .replace("routes:\n", &format!("numbers:\n  - {{ number: 300, scenario: {scenario} }}\nroutes:\n"))
            .replace("scenarios:\n", "scenarios:\n  - { file: one.yaml }\n  - { file: two.yaml }\n")
            .with(
                "one.yaml",
                "scenario: one\nsteps:\n  - play-audio: { audio: long, max: 4s }\n  - play-audio: { audio: first }\n",
            )
            .with("two.yaml", "scenario: two\nsteps:\n  - play-audio: { audio: second }\n")
    };
    let prompts =
        |setup: Setup| setup.prompt("long", seconds(5)).prompt("first", seconds(2)).prompt("second", seconds(2));
    let mut sim = prompts(Setup::offices(vec![number("one")])).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    sim.applies(&[number("two")]);
    bob.dials("300");
    sim.run_until(bob.hears("second"));
    sim.run_until(ann.hears("first"));
    sim.run_until_quiet();
    assert_eq!((ann.packets_of("second"), bob.packets_of("long")), (0, 0));
    let mut scenarios: Vec<String> = sim
        .records("main")
        .into_iter()
        .filter_map(|record| record.scenario)
        .map(|scenario| scenario.name.to_string())
        .collect();
    scenarios.sort();
    assert_eq!(scenarios, ["one", "two"]);
}

#[test]
fn r7_a_users_own_scenario_runs_when_he_is_called_and_rings_him_without_asking_again() {
    let own = "  - { id: bobs, to: { user: \"102\" }, scenario: bobs }\n";
    let text = office(own)
        .replace("scenarios:\n", "scenarios:\n  - { file: bobs.yaml }\n  - { file: others.yaml }\n")
        .replace("routes:\n", "routes:\n  - { id: others, number: 301, scenario: others }\n")
        .with("bobs.yaml", "scenario: bobs\nsteps:\n  - play-audio: { audio: long, max: 2s }\n  - call-user: { mode: user, target: \"102\", ring_for: 10s }\n")
        .with("others.yaml", "scenario: others\nsteps:\n  - call-user: { mode: user, target: \"102\", ring_for: 10s }\n");
    let mut sim = Setup::offices(vec![text]).prompt("long", seconds(5)).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("102");
    sim.run_until(ann.hears("long"));
    assert_eq!(bob.calls(), []);
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    bob.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!(
        (record.route.as_deref(), crate::steps(&record)),
        (Some("bobs"), vec!["steps[0] play-audio: done".to_owned(), "steps[1] call-user: answer".to_owned(),])
    );
    // Another scenario that calls him rings him: his own would have to begin within it.
    let heard = ann.packets_of("long");
    ann.dials("301");
    sim.run_until(bob.rings());
    assert_eq!(ann.packets_of("long"), heard);
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_forward_to_what_one_may_dial_at_other_times_is_set_and_judged_when_a_call_comes() {
    let night = "  - { id: night, prefix: \"7\", if: { not: { time: office } }, gateway: outside }\n  - { id: never, prefix: \"8\", if: { time: office }, refuse: 403 }\n";
    let mut sim = start(night);
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let mobile = sim.outside("mobile", "127.0.0.1:5080");
    bob.dials("*92812345");
    sim.run_until(bob.was_told(403));
    sim.run_until_quiet();
    bob.dials("*92712345");
    sim.run_until(bob.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.records("main").iter().max_by_key(|record| record.began).unwrap().outcome, CallOutcome::Handled);
    // By day nobody gets there: he rings on.
    ann.dials("102");
    sim.run_until(bob.rings());
    sim.run_for(seconds(30));
    assert!(!ann.is_idle()() && mobile.calls().is_empty());
    ann.hangs_up();
    sim.run_for(seconds(400));
    ann.dials("102");
    sim.run_until(mobile.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}
