//! Callers who leave a queue by a key: to go on in their scenario, or to be called back.

use plugboard_model::{Name, UserStatus};

use crate::queue::{BACK, WORLD, busy, gets, house, promised, waits, wants_a_call};
use crate::settings::settings;
use crate::{seconds, steps, talk};

#[test]
fn r69_a_key_leads_out_of_the_line_to_what_the_scenario_says() {
    let line = "  - call-group: { group: sales, ring_for: 5s }\n  - try-any-manager: { max: 5m, exit_on: \"2\", call_back_on: \"1\" }\n    on:\n      exit: [{ play-audio: { audio: first } }]\n      timeout: [{ play-audio: { audio: late } }]\n";
    let mut sim = house(line, &[]).start();
    let p = busy(&mut sim);
    waits(&mut sim, &p.ann);
    waits(&mut sim, &p.egor);
    let of_queue = |series: &str| format!("plugboard_queue_{series}");
    assert_eq!(sim.metric(&of_queue("callers{queue=\"main/story\"}")), Some(2.0));
    sim.run_for(seconds(10));
    let oldest = sim.metric(&of_queue("oldest_wait_seconds{queue=\"main/story\"}")).unwrap();
    assert!((11.0..20.0).contains(&oldest), "{oldest}");
    p.ann.presses("7");
    sim.run_for(seconds(1));
    p.ann.presses("2");
    sim.run_until(p.ann.hears("first"));
    sim.run_until(p.ann.is_idle());
    assert_eq!(sim.metric(&of_queue("callers{queue=\"main/story\"}")), Some(1.0));
    p.gus.hangs_up();
    gets(&mut sim, &p.bob, &p.egor);
    p.egor.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
    let ends = |why: &str| sim.metric(&of_queue(&format!("ends_total{{queue=\"main/story\",why=\"{why}\"}}")));
    assert_eq!((ends("exited"), ends("answered"), ends("timeout")), (Some(1.0), Some(1.0), Some(0.0)));
    assert_eq!(sim.metric("plugboard_queue_left_total{why=\"exited\"}"), Some(1.0));
    assert_eq!(sim.metric(&of_queue("oldest_wait_seconds{queue=\"main/story\"}")), Some(0.0));
    let exits =
        sim.records("main").iter().flat_map(steps).filter(|step| step.ends_with("try-any-manager: exit")).count();
    assert_eq!(exits, 1);
    // Ann waited at least the twelve seconds before her key, Egor a little longer; the records have it.
    let mut waited: Vec<(String, i64)> = sim
        .records("main")
        .iter()
        .flat_map(|record| record.steps.clone())
        .filter(|step| step.word == "try-any-manager")
        .map(|step| (step.outcome, step.ended.unwrap().0 - step.began.unwrap().0))
        .collect();
    waited.sort();
    let [(answered, egor), (exited, ann)] = waited.as_slice() else { panic!("{waited:?}") };
    assert_eq!((answered.as_str(), exited.as_str()), ("answer", "exit"));
    assert!((12_000..20_000).contains(ann) && (12_000..30_000).contains(egor), "{waited:?}");
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}

#[test]
fn r69_who_does_not_answer_for_callers_who_are_called_back_becomes_away_as_well() {
    let mut sim = house(BACK, &[("\ngroups:\n", "\nqueues: { away_after: 2 }\ngroups:\n")]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    wants_a_call(&mut sim, &world, "+4930666123");
    p.gus.hangs_up();
    for _ in 0..2 {
        assert_eq!(settings(&sim, "102").status, UserStatus::Available);
        sim.run_until(p.bob.rings());
        // Twenty seconds of ringing.
        sim.run_for(seconds(21));
    }
    let now = settings(&sim, "102");
    assert_eq!((now.status, now.reason.as_ref().map(Name::as_str)), (UserStatus::Away, Some("no-answer")));
    assert_eq!(promised(&sim).len(), 1, "he keeps his place");
    p.hal.hangs_up();
    sim.run_until(p.cem.rings());
    p.cem.answers();
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &p.cem, &world);
    world.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_who_hangs_up_as_soon_as_he_has_pressed_the_key_is_counted_once() {
    let mut sim = house(BACK, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    world.dials_as("555", "+4930666123");
    sim.run_until(world.hears("music"));
    sim.writes_wait(true);
    world.presses("1");
    sim.run_for(seconds(1));
    world.hangs_up();
    sim.run_for(seconds(1));
    sim.writes_wait(false);
    sim.run_for(seconds(1));
    assert_eq!(promised(&sim).len(), 1);
    let left = |why: &str| sim.metric(&format!("plugboard_queue_left_total{{why=\"{why}\"}}"));
    assert_eq!((left("called_back"), left("abandoned")), (Some(1.0), Some(0.0)));
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    p.bob.answers();
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, &p.bob, &world);
    world.hangs_up();
    p.hal.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r69_who_was_promised_a_call_keeps_his_place_when_whoever_took_it_hangs_up_before_he_is_rung() {
    let mut sim = house(BACK, &[]).start();
    let p = busy(&mut sim);
    let world = sim.outside("world", WORLD);
    wants_a_call(&mut sim, &world, "+4930666123");
    p.gus.hangs_up();
    sim.run_until(p.bob.rings());
    sim.writes_wait(true);
    p.bob.answers();
    sim.run_for(seconds(1));
    p.bob.hangs_up();
    sim.run_for(seconds(1));
    sim.writes_wait(false);
    p.hal.hangs_up();
    // It is his turn again, and he was not rung yet.
    assert_eq!(sim.metric("plugboard_queue_call_backs_total{end=\"rung\"}"), Some(0.0));
    let (bob, cem) = (p.bob.clone(), p.cem.clone());
    sim.run_until(move || bob.rings()() || cem.rings()());
    let agent = if p.bob.rings()() { &p.bob } else { &p.cem };
    agent.answers();
    sim.run_until(world.rings());
    world.answers();
    talk(&mut sim, agent, &world);
    world.hangs_up();
    sim.run_until_quiet();
    assert_eq!(promised(&sim), Vec::<String>::new());
    assert_eq!(sim.metric("plugboard_queue_call_backs_total{end=\"rung\"}"), Some(1.0));
    assert!(sim.left().is_empty(), "{:?}", sim.left());
}
