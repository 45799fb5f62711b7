//! Steps that run beside the script: when something happens in the call, and in streams.

use plugboard_model::{CallOutcome, JournalEvent, Value};
use plugboard_simulator::{OfficeText, Setup, Sim};

use crate::{journaled, talk};

const OUTSIDE: &str = "198.51.100.20:5060";

/// The values that a variable had, in their order.
fn values(sim: &Sim, name: &str) -> Vec<String> {
    let journal = sim.journal(&sim.record());
    let assigned = journal.into_iter().filter_map(|entry| match entry.event {
        JournalEvent::Assigned { name: own, value: Value::Text(text) } if own == name => Some(text),
        _ => None,
    });
    assigned.collect()
}

fn gateway(steps: &str) -> Setup {
    let office = OfficeText::demo()
        .with_story(steps)
        .replace("gateways:\n", &format!("gateways:\n  - {{ id: first, address: \"{OUTSIDE}\" }}\n"))
        .replace("routes:\n", "routes:\n  - { id: eight, prefix: 8, gateway: first, strip: 1 }\n");
    Setup::offices(vec![office])
}

/// What is said of a call through the gateway while it rings and when it is over.
const TOLD: &str = "  - call-number: { number: \"8301234\" }\n    on:\n      ringing: [{ set: { news: 'rings {event_number}' } }]\n      hang-up: [{ set: { news: 'left {event_number}' } }, { echo: { max: 5s } }, { set: { news: after } }]\n";

#[test]
fn r42_a_call_through_a_gateway_tells_of_its_ringing_and_of_its_end_whoever_ends_it() {
    for caller_ends in [false, true] {
        let mut sim = gateway(TOLD).start();
        let (ann, world) = (sim.phone("ann", "101"), sim.outside("world", OUTSIDE));
        ann.dials("300");
        sim.run_until(world.rings());
        world.answers();
        talk(&mut sim, &ann, &world);
        let (leaves, left) = if caller_ends { (&ann, "101") } else { (&world, "301234") };
        leaves.hangs_up();
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        assert_eq!(values(&sim, "news"), ["rings 301234", &format!("left {left}"), "after"], "{}", sim.ladder());
        let record = sim.record();
        assert_eq!(record.outcome, CallOutcome::Answered);
        let steps: Vec<_> = record.steps.iter().map(|step| (step.word.as_str(), step.outcome.as_str())).collect();
        assert!(steps.contains(&("echo", "failed")), "nobody is there to hear it: {steps:?}");
        assert_eq!(sim.records("main").len(), 1, "one call, one record");
        assert_eq!(sim.left(), Vec::<String>::new());
    }
}

#[test]
fn r42_nobody_who_was_not_reached_hangs_up() {
    let mut sim = gateway(TOLD).start();
    let (ann, world) = (sim.phone("ann", "101"), sim.outside("world", OUTSIDE));
    world.always_refuses(486);
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(values(&sim, "news"), Vec::<String>::new());
}

#[test]
fn r36_and_r40_the_steps_on_hold_run_once_a_hold_and_the_two_talk_on() {
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(
        "  - event: hold\n    steps: [{ set: { news: '{event_number} holds {event_other_number}' } }]\n  - event: resume\n    steps: [{ set: { news: '{event_number} is back' } }]\n  - call-user: { mode: user, target: 102 }\n",
    )])
    .start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    for (holder, _) in [(&bob, "102"), (&ann, "101")] {
        holder.holds();
        sim.run_until(holder.was_answered_again());
        holder.resumes();
        sim.run_until(holder.was_answered_again());
        talk(&mut sim, &ann, &bob);
    }
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(
        values(&sim, "news"),
        ["102 holds 101", "102 is back", "101 holds 102", "101 is back"],
        "{}",
        sim.ladder()
    );
    assert_eq!(sim.record().outcome, CallOutcome::Answered);
}

#[test]
fn r43_and_r74_a_stream_runs_beside_the_script_and_the_steps_on_hang_up_when_the_call_is_over() {
    let steps = "  - event: hang-up\n    steps: [{ set: { news: 'over by {event_number}' } }]\n  - stream:\n      - set: { news: first }\n      - set: { news: second }\n  - call-user: { mode: user, target: 102 }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(steps)]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    assert!(ann.calls().len() == 1, "the script went on to its call");
    ann.hangs_up();
    sim.run_until_quiet();
    assert_eq!(values(&sim, "news"), ["first", "second", "over by 101"], "{}", sim.ladder());
    let record = sim.record();
    let ended = |event: &JournalEvent| matches!(event, JournalEvent::Ended { .. });
    assert_eq!((journaled(&sim, &record, ended), record.outcome.clone()), (1, CallOutcome::Abandoned));
    assert!(crate::steps(&record).iter().any(|step| step.contains("hang-up")), "{:?}", crate::steps(&record));
}

#[test]
fn r43_runs_at_the_same_time_are_told_at_their_own_steps() {
    let steps = "  - stream: [{ echo: { max: 9s } }]\n  - echo: { max: 2s }\n";
    let mut sim = Setup::offices(vec![OfficeText::demo().with_story(steps)]).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let told = crate::steps(&sim.record());
    assert_eq!(
        told,
        ["steps[0] stream: begins", "steps[1] echo: done", "steps[0].stream[0] echo: failed"],
        "one of them is heard"
    );
}
