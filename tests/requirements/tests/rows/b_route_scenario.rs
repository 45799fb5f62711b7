//! B: route scenario.

use plugboard_simulator::{OfficeText, Sim};
use std::fmt::Write;

use crate::{reaches, seconds, steps, story};

#[test]
fn r31_a_step_waits_for_its_action_unless_the_action_runs_beside_the_call() {
    let waits = "  - play-audio: { audio: first }\n  - call-user: { mode: user, target: 102 }\n";
    let mut sim = story(waits).prompt("first", seconds(5)).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    let began = sim.now();
    ann.dials("300");
    sim.run_until(bob.rings());
    assert!(sim.now().since(began) >= seconds(5), "the audio was over first");
    ann.hangs_up();
    sim.run_until_quiet();
    // A note goes on beside the call: nothing may hang on how it ends.
    let sim = Sim::demo();
    let beside = "  - write-log: { text: called }\n    on:\n      done: [hang-up]\n  - hang-up\n";
    let faults = sim.faults(&OfficeText::demo().with_story(beside));
    assert!(faults.iter().all(|fault| fault.contains("runs beside")), "{faults:?}");
}

#[test]
fn r35_there_are_events_to_choose_from_and_no_others() {
    let sim = Sim::demo();
    let on = |event: &str| {
        let steps = format!("  - event: {event}\n    steps: [{{ set: {{ news: '{{event_number}}' }} }}]\n");
        sim.faults(&OfficeText::demo().with_story(&format!("{steps}  - call-user: {{ mode: user, target: 102 }}\n")))
    };
    for event in ["hold", "resume", "hang-up"] {
        assert_eq!(on(event), [""; 0], "{event}");
    }
    let faults = on("thunder");
    assert!(faults.len() == 1 && faults[0].contains("hold"), "the fault lists them: {faults:?}");
}

#[test]
fn r33_steps_nest_ten_deep() {
    let mut text = String::new();
    for depth in 0..10 {
        let blank = " ".repeat(2 + depth * 4);
        writeln!(text, "{blank}- if: \"called_number == '300'\"\n{blank}  then:").unwrap();
    }
    writeln!(text, "{}- call-user: {{ mode: user, target: 102 }}", " ".repeat(42)).unwrap();
    let mut sim = story(&text).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    reaches(&mut sim, &ann, &bob);
    assert_eq!(steps(&sim.record()).last().unwrap(), "call-user: answer");
}
