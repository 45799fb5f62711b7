//! The welcome scenario of the demo, and menus of other kinds.

use plugboard_model::{CallOutcome, JournalEvent};
use plugboard_simulator::{Phone, Sim, Stage, TONE};

use crate::{journaled, millis, seconds, story, talk};

/// Ann in the welcome scenario, while the greeting plays.
fn greeted() -> (Sim, Phone) {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.dials("100");
    sim.run_until(ann.hears("welcome"));
    (sim, ann)
}

#[test]
fn r70_a_key_of_the_menu_runs_its_steps_and_the_caller_hears_ring_back_meanwhile() {
    let (mut sim, ann) = greeted();
    let (bob, cem) = (sim.phone("bob", "102"), sim.phone("cem", "103"));
    ann.presses("1");
    sim.run_until(bob.rings());
    sim.run_until(cem.rings());
    sim.run_until(ann.hears(TONE));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn r53_an_internal_number_dialled_in_the_menu_rings_that_person() {
    for (keys, waits) in [("105", true), ("105#", false)] {
        let (mut sim, ann) = greeted();
        let egor = sim.phone("egor", "105");
        ann.presses(keys);
        let pressed = millis(u64::try_from(keys.len()).unwrap() * 240);
        let began = sim.now();
        sim.run_until(egor.rings());
        let waited = sim.now().since(began) > pressed + seconds(1);
        assert_eq!(waited, waits, "{keys}: # ends the number, else two seconds do");
        egor.answers();
        talk(&mut sim, &ann, &egor);
        ann.hangs_up();
        sim.run_until_quiet();
    }
}

#[test]
fn r53_a_groups_number_dialled_in_the_menu_rings_the_group() {
    let (mut sim, ann) = greeted();
    let (bob, dora) = (sim.phone("bob", "102"), sim.phone("dora", "104"));
    ann.presses("200");
    sim.run_until(bob.rings());
    sim.run_until(dora.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r54_a_digit_stops_the_greeting() {
    let (mut sim, ann) = greeted();
    ann.presses("1");
    sim.run_for(millis(500));
    assert!(!ann.hears_now("welcome"));
    let heard = ann.packets_of("welcome");
    assert!(heard < 50, "{heard} of 100 packets of two seconds");
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn r55_without_any_key_the_scenario_goes_on_by_itself() {
    let (mut sim, ann) = greeted();
    let began = sim.now();
    let bob = sim.phone("bob", "102");
    sim.run_until(bob.rings());
    // Twice two seconds of greeting and five of waiting: it is repeated once.
    let took = sim.now().since(began).as_millis();
    assert!((13_900..14_200).contains(&took), "{took}");
    assert_eq!(ann.packets_of("welcome"), 200);
    ann.hangs_up();
    sim.run_until_quiet();
}

const MENU: &str = "  - menu:
      prompt: welcome
      first_digit: 3s
      repeats: 1
      keys:
        \"1\":
          - play-audio: { audio: first }
        \"2\":
          - play-audio: { audio: second }
      invalid:
        - play-audio: { audio: nobody }
      nothing:
        - play-audio: { audio: late }
";

#[test]
fn r70_each_key_has_its_own_branch() {
    for (key, hears) in [("1", "first"), ("2", "second")] {
        let mut sim = story(MENU).start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.hears("welcome"));
        ann.presses(key);
        sim.run_until(ann.hears(hears));
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        let others = ["first", "second", "nobody", "late"].iter().filter(|name| **name != hears);
        assert_eq!(others.map(|name| ann.packets_of(name)).sum::<u64>(), 0);
    }
}

#[test]
fn r70_a_wrong_key_is_asked_again_and_then_has_its_own_branch() {
    let mut sim = story(MENU).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("welcome"));
    ann.presses("7");
    sim.run_for(millis(500));
    sim.run_until(ann.hears("welcome"));
    ann.presses("8");
    sim.run_until(ann.hears("nobody"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(ann.packets_of("late"), 0);
}

#[test]
fn r70_no_key_at_all_is_asked_again_and_then_has_its_own_branch() {
    let mut sim = story(MENU).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("late"));
    assert_eq!(ann.packets_of("welcome"), 200, "the prompt was heard twice");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
}

#[test]
fn an_internal_number_that_nobody_has_is_a_wrong_key() {
    let (mut sim, ann) = greeted();
    ann.presses("999#");
    sim.run_for(seconds(1));
    sim.run_until(ann.hears("welcome"));
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
}

#[test]
fn the_echo_returns_the_callers_own_voice() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    ann.dials("*43");
    sim.run_until(ann.hears("ann"));
    sim.run_for(seconds(61));
    assert_eq!(ann.calls(), [Stage::Over(200)], "a minute of it is enough");
    sim.run_until_quiet();
}

#[test]
fn a_run_that_waits_long_is_put_away_and_goes_on_when_the_key_comes() {
    let (mut sim, ann) = greeted();
    let bob = sim.phone("bob", "102");
    sim.run_for(seconds(3));
    ann.presses("1");
    sim.run_until(bob.rings());
    sim.run_for(seconds(5));
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    let away = journaled(&sim, &record, |event| matches!(event, JournalEvent::PutAway { .. }));
    assert!(away >= 2, "one wait for the key and one for the answer: {away}");
    assert_eq!(record.outcome, CallOutcome::Answered);
    let outcomes: Vec<&str> = record.steps.iter().map(|step| step.outcome.as_str()).collect();
    assert!(outcomes.contains(&"answer"), "{:?}", record.steps);
}

#[test]
fn a_caller_who_hangs_up_in_the_menu_leaves_no_run() {
    let (mut sim, ann) = greeted();
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
}
