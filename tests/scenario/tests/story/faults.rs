//! Something of ours breaks, and only that ends.

use plugboard_media::Command;
use plugboard_model::{CallOutcome, JournalEvent, RunEnd};
use plugboard_simulator::{OfficeText, Phone, Setup, Sim, Stage};
use plugboard_tests_hostile::Guest;

use crate::{millis, seconds, steps, talk};

/// Two who talk, and two others who will.
fn house() -> (Sim, [Phone; 4]) {
    let mut sim = Sim::demo();
    let phones = [("ann", "101"), ("bob", "102"), ("cem", "103"), ("dora", "104")];
    let phones = phones.map(|(name, user)| sim.phone(name, user));
    phones[0].dials("102");
    sim.run_until(phones[1].rings());
    phones[1].answers();
    talk(&mut sim, &phones[0], &phones[1]);
    (sim, phones)
}

/// The others never noticed, and the one whom it hit can call again.
fn all_is_well(sim: &mut Sim, [ann, bob, cem, dora]: &[Phone; 4]) {
    talk(sim, ann, bob);
    cem.dials("104");
    sim.run_until(dora.rings());
    dora.answers();
    talk(sim, cem, dora);
    cem.hangs_up();
    ann.hangs_up();
    sim.run_until_quiet();
    let outcomes: Vec<CallOutcome> = sim.records("main").into_iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes.len(), 3, "each call has its record: {outcomes:?}");
    assert_eq!((&outcomes[0], &outcomes[2]), (&CallOutcome::Answered, &CallOutcome::Answered));
}

#[test]
fn a_panic_in_the_callees_leg_ends_that_leg_and_the_caller_learns_it() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    // The first who is told the far end's address now is dora's leg.
    sim.media_breaks_on(|command| matches!(command, Command::SetRemote { .. }));
    dora.answers();
    sim.run_until(cem.was_told(500));
    sim.run_until(dora.is_idle());
    assert_eq!(sim.ladder().count("switch -> dora  BYE"), 1, "{}", sim.ladder());
    all_is_well(&mut sim, &phones);
}

#[test]
fn a_leg_whose_media_breaks_ends_with_its_call_and_the_record_says_so() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    // The media of the one of both whom the bridge names first.
    sim.media_fails_on(|command| matches!(command, Command::Bridge { .. }));
    dora.answers();
    sim.run_until(dora.is_idle());
    sim.run_until(cem.is_idle());
    let record = sim.record();
    assert!(record.legs.iter().any(|leg| leg.cause.status == 500), "{record:#?}");
    all_is_well(&mut sim, &phones);
}

#[test]
fn an_answer_that_crosses_the_cancel_of_a_leg_that_broke_is_hung_up() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    sim.media_breaks_on(|command| matches!(command, Command::SetRemote { .. }));
    // The leg breaks at the one, and the other is on its way already.
    dora.speaks_early();
    sim.run_for(std::time::Duration::from_millis(2));
    dora.answers();
    sim.run_until(dora.is_idle());
    let told = sim.ladder();
    assert_eq!(["CANCEL", "ACK", "BYE"].map(|what| told.count(&format!("switch -> dora  {what}"))), [1; 3], "{told}");
    all_is_well(&mut sim, &phones);
}

#[test]
fn a_panic_in_the_callers_leg_ends_the_call_and_tells_both() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    // One for dora's leg, the next for cem's.
    let mut left = 2;
    let count = std::sync::Mutex::new(move || {
        left -= 1;
        left == 0
    });
    sim.media_breaks_on(move |command| {
        matches!(command, Command::SetRemote { .. }) && count.lock().is_ok_and(|mut count| count())
    });
    dora.answers();
    sim.run_until(cem.is_idle());
    sim.run_until(dora.is_idle());
    assert_eq!(cem.calls(), [Stage::Over(500)], "{}", sim.ladder());
    all_is_well(&mut sim, &phones);
}

#[test]
fn a_panic_between_the_answer_and_its_ack_still_hangs_up() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    sim.loses("cem -> switch  ACK", 3);
    dora.answers();
    sim.run_until(cem.talks());
    // Dora's leg closes first, then cem's, which may not hang up before the ACK.
    let mut left = 2;
    let count = std::sync::Mutex::new(move || {
        left -= 1;
        left == 0
    });
    sim.media_breaks_on(move |command| {
        matches!(command, Command::Close { .. }) && count.lock().is_ok_and(|mut count| count())
    });
    dora.hangs_up();
    sim.run_until(cem.is_idle());
    assert_eq!(sim.ladder().count("switch -> cem  BYE"), 1, "{}", sim.ladder());
    all_is_well(&mut sim, &phones);
}

#[test]
fn a_panic_in_a_call_ends_its_legs_and_leaves_its_record() {
    let (mut sim, phones) = house();
    let [_, _, cem, dora] = &phones;
    cem.dials("104");
    sim.run_until(dora.rings());
    sim.media_breaks_on(|command| matches!(command, Command::Bridge { .. }));
    dora.answers();
    sim.run_until(cem.is_idle());
    sim.run_until(dora.is_idle());
    assert!(matches!(sim.records("main")[0].outcome, CallOutcome::Failed(_)));
    let journal = sim.journal(&sim.records("main")[0]);
    assert!(matches!(journal.last().unwrap().event, JournalEvent::Ended { .. }), "{journal:#?}");
    all_is_well_again(&mut sim, &phones);
}

/// As [`all_is_well`]; the record of the call that broke is older than that of the one which goes on.
fn all_is_well_again(sim: &mut Sim, phones: &[Phone; 4]) {
    let [ann, bob, cem, dora] = phones;
    talk(sim, ann, bob);
    cem.dials("104");
    sim.run_until(dora.rings());
    dora.hangs_up();
    sim.run_until(cem.is_idle());
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(sim.records("main").len(), 3);
}

#[test]
fn a_panic_in_a_call_through_a_gateway_gives_its_channel_back() {
    let mut sim = Sim::demo();
    let ann = sim.phone("ann", "101");
    let world = sim.outside("world", "127.0.0.1:5080");
    ann.dials("0301234");
    sim.run_until(world.rings());
    sim.media_breaks_on(|command| matches!(command, Command::Bridge { .. }));
    world.answers();
    sim.run_until(ann.is_idle());
    sim.run_until(world.is_idle());
    sim.run_until_quiet();
    assert!(matches!(sim.record().outcome, CallOutcome::Failed(_)));
}

const BAD: &str = "  - traps
  - loops
  - eats
  - play-audio: { audio: welcome }
";

#[test]
fn an_action_that_traps_loops_or_eats_memory_has_failed_and_the_call_goes_on() {
    let grow = "(loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1)))) unreachable";
    let bad = [("traps", "unreachable"), ("loops", "(loop $again (br $again)) unreachable"), ("eats", grow)]
        .map(|(name, run)| Guest::new(name, run).component());
    let office = OfficeText::demo();
    let mut sim = Setup::offices(vec![office]).with_actions(&bad).start();
    sim.applies(&[OfficeText::demo().with_story(BAD)]);
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("welcome"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let taken = steps(&sim.record());
    let expected =
        ["steps[0] traps: failed", "steps[1] loops: failed", "steps[2] eats: failed", "steps[3] play-audio: done"];
    assert_eq!(taken, expected);
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
    let runs = |action: &str, outcome: &str| {
        sim.metric(&format!(
            "plugboard_plugin_runs_total{{action=\"{action}\",outcome=\"{outcome}\",version=\"1.0.0\"}}"
        ))
    };
    assert_eq!(
        (runs("traps", "trapped"), runs("loops", "limit"), runs("eats", "limit")),
        (Some(1.0), Some(1.0), Some(1.0))
    );
    sim.run_for(seconds(1));
}

/// The limits that runs of a call ended at.
fn limits(sim: &Sim) -> Vec<String> {
    let ends = sim.journal(&sim.record()).into_iter().filter_map(|entry| match entry.event {
        JournalEvent::RunEnded { end: RunEnd::Limit { limit, .. }, .. } => Some(limit.clone()),
        _ => None,
    });
    ends.collect()
}

#[test]
fn an_action_past_its_stack_its_host_calls_or_their_bytes_has_failed_and_the_call_goes_on() {
    let deep = "(func $deep (param i32) (result i32) (i32.add (call $deep (local.get 0)) (i32.const 1)))";
    let asks = "(loop $again (drop (call $now)) (br $again)) unreachable";
    let takes = "(loop $again (call $bytes (i32.const 256) (i32.const 256)) (br $again)) unreachable";
    let bad = [
        Guest::new("sinks", "(drop (call $deep (i32.const 1))) unreachable").with(deep),
        Guest::new("asks", asks).imports("clock", "now", "(result i64)"),
        Guest::new("takes", takes).imports("random", "bytes", "(param i32 i32)"),
    ]
    .map(|guest| guest.component());
    let story = "  - sinks\n  - asks\n  - takes\n  - play-audio: { audio: welcome }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(story)]).with_actions(&bad).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("welcome"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let expected =
        ["steps[0] sinks: failed", "steps[1] asks: failed", "steps[2] takes: failed", "steps[3] play-audio: done"];
    assert_eq!(steps(&sim.record()), expected);
    assert_eq!(limits(&sim), ["stack", "host-calls", "host-bytes"]);
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
    assert_eq!(sim.replays(&sim.record()), 4);
}

#[test]
fn an_action_that_gets_no_turn_before_its_deadline_has_failed_and_the_call_goes_on() {
    let run = "(call $next_event (i32.const 1000) (i32.const 256)) (drop (call $now)) unreachable";
    let starves = Guest::new("starves", run)
        .imports("call", "next-event", "(param i32 i32)")
        .imports("clock", "now", "(result i64)")
        .component();
    let story = "  - starves\n  - play-audio: { audio: welcome }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(story)]).with_actions(&[starves]).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    // It waits for something to happen; when nothing has, its thread is busy for longer than it may take.
    sim.run_for(millis(500));
    sim.actions_are_busy(seconds(11));
    sim.run_until(ann.hears("welcome"));
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(steps(&sim.record()), ["steps[0] starves: failed", "steps[1] play-audio: done"]);
    assert_eq!(limits(&sim), ["deadline"]);
}

#[test]
fn an_action_whose_every_place_is_taken_has_failed_and_the_call_goes_on() {
    let story = "  - echo: { max: 60s }\n  - play-audio: { audio: welcome }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(story)]).runs_of_an_action(1).start();
    let (ann, cem) = (sim.phone("ann", "101"), sim.phone("cem", "103"));
    cem.dials("300");
    sim.run_until(cem.hears("cem"));
    ann.dials("300");
    sim.run_until(ann.hears("welcome"));
    sim.run_until(ann.is_idle());
    assert!(cem.hears_now("cem"), "who has the place keeps it");
    cem.hangs_up();
    sim.run_until_quiet();
    let taken: Vec<Vec<String>> = sim.records("main").iter().map(steps).collect();
    assert!(taken.contains(&vec!["steps[0] echo: failed".into(), "steps[1] play-audio: done".into()]), "{taken:?}");
}
