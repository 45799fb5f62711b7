//! What a scenario's step comes to, and the steps that hang on it.

use plugboard_model::JournalEvent;
use plugboard_model::{CallOutcome, Value};
use plugboard_simulator::{OfficeText, Phone, Sim, Stage};

use crate::{journaled, not_answered, seconds, steps, story, talk};

/// Rings 102 for seven seconds, and says what came of it.
const FRONT: &str = "  - call-user: { mode: user, target: 102, ring_for: 7s }
    on:
      answer:
        - if: caller_number == \"101\"
          then:
            - set: { seen: true }
      no-answer:
        - play-audio: { audio: nobody }
      timeout:
        - play-audio: { audio: late }
";

fn front() -> (Sim, Phone, Phone) {
    let office = OfficeText::demo().with_story(FRONT);
    let text = format!("scenario: story\nvariables: {{ seen: boolean }}\nsteps:\n{FRONT}");
    let mut sim = story("  - hang-up\n").offices_are(vec![office.with("story.yaml", &text)]).start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    (sim, ann, bob)
}

/// The outcomes of the one run of call-user.
fn outcomes(sim: &Sim) -> Vec<String> {
    let all = steps(&sim.record());
    all.into_iter().filter(|step| step.starts_with("steps[0] call-user")).collect()
}

#[test]
fn r24_steps_on_the_answer_run_once() {
    let (mut sim, ann, bob) = front();
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(&mut sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
    let record = sim.record();
    assert_eq!(outcomes(&sim), ["steps[0] call-user: answer"]);
    let assigned = journaled(
        &sim,
        &record,
        |event| matches!(event, JournalEvent::Assigned { name, value } if name == "seen" && *value == Value::Boolean(true)),
    );
    assert_eq!(assigned, 1, "{:#?}", steps(&record));
}

#[test]
fn r25_steps_on_no_answer_run_once() {
    let (mut sim, ann, bob) = front();
    bob.always_refuses(486);
    ann.dials("300");
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    assert_eq!(outcomes(&sim), ["steps[0] call-user: no-answer"]);
    assert_eq!(ann.packets_of("late"), 0);
    assert_eq!(sim.record().outcome, CallOutcome::Handled);
}

#[test]
fn r26_r27_steps_on_the_response_timeout_run_after_the_seconds_that_the_step_says() {
    let (mut sim, ann, bob) = front();
    ann.dials("300");
    sim.run_until(bob.rings());
    sim.run_until(ann.hears("late"));
    let ladder = sim.ladder();
    let rang = ladder.first("switch -> bob  INVITE").unwrap();
    let stopped = ladder.first("switch -> bob  CANCEL").unwrap();
    assert_eq!(stopped.since(rang).as_millis() / 100, 70, "7.0 s\n{ladder}");
    sim.run_until_quiet();
    assert_eq!(outcomes(&sim), ["steps[0] call-user: timeout"]);
    assert_eq!(ann.packets_of("nobody"), 0);
    assert_eq!(bob.calls(), [Stage::Over(487)]);
}

#[test]
fn r28_every_refusal_is_one_no_answer_with_its_cause() {
    for status in [400, 403, 404, 408, 480, 486, 488, 500, 503, 600, 603, 604] {
        let mut sim = story("  - call-user: { mode: user, target: 102 }\n").start();
        let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
        bob.always_refuses(status);
        ann.dials("300");
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        assert_eq!(outcomes(&sim), ["steps[0] call-user: no-answer"], "{status}");
        // RFC 3261 section 16.7 point 6: another's 503 would say that we are overloaded.
        let told = if status == 503 { 500 } else { status };
        assert_eq!(not_answered(&sim.record()), Some(told));
        assert_eq!(ann.calls(), [Stage::Over(told)]);
    }
}

#[test]
fn r28_who_is_not_registered_is_no_answer_with_480() {
    let mut sim = story("  - call-user: { mode: user, target: 106 }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.was_told(480));
    sim.run_until_quiet();
    assert_eq!(outcomes(&sim), ["steps[0] call-user: no-answer"]);
}

#[test]
fn r28_a_phone_that_never_answers_the_invite_is_no_answer_with_408() {
    let mut sim = story("  - call-user: { mode: user, target: 102, ring_for: 60s }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    bob.is_unplugged();
    ann.dials("300");
    sim.run_until(ann.was_told(408));
    assert_eq!(sim.now().as_millis() / 1_000, 32, "64 times T1");
    sim.run_until_quiet();
    assert_eq!(not_answered(&sim.record()), Some(408));
}

#[test]
fn r9_an_action_without_its_mode_or_target_is_refused_by_name() {
    let sim = Sim::demo();
    for (steps, lacking) in
        [("  - call-user: { target: 102 }\n", "mode"), ("  - call-user: { mode: user }\n", "target")]
    {
        let faults = sim.faults(&OfficeText::demo().with_story(steps));
        assert!(faults.iter().any(|fault| fault.contains(lacking) && fault.contains("story.yaml")), "{faults:?}");
    }
    assert_eq!(sim.faults(&OfficeText::demo().with_story("  - call-user: { mode: user, target: 102 }\n")), [""; 0]);
}

#[test]
fn r30_steps_run_one_after_the_other() {
    let mut sim = story("  - play-audio: { audio: first }\n  - play-audio: { audio: second }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("first"));
    assert_eq!(ann.packets_of("second"), 0);
    sim.run_until(ann.hears("second"));
    sim.run_for(seconds(1));
    assert!(!ann.hears_now("first"));
    assert_eq!(ann.packets_of("first"), 100, "all of it, before the second began");
    sim.run_until_quiet();
    let taken = steps(&sim.record());
    assert_eq!(taken, ["steps[0] play-audio: done", "steps[1] play-audio: done"]);
}

#[test]
fn r33_steps_nest_in_the_outcomes_of_steps() {
    let nested = "  - call-user: { mode: user, target: 102 }
    on:
      no-answer:
        - call-user: { mode: user, target: 103 }
          on:
            no-answer:
              - call-user: { mode: user, target: 104 }
                on:
                  no-answer:
                    - play-audio: { audio: nobody }
";
    let mut sim = story(nested).start();
    let ann = sim.phone("ann", "101");
    let dora = sim.phone("dora", "104");
    ann.dials("300");
    sim.run_until(dora.rings());
    dora.refuses(486);
    sim.run_until(ann.hears("nobody"));
    sim.run_until_quiet();
    let paths: Vec<String> =
        sim.record().steps.iter().map(|step| step.path.matches("on.").count().to_string()).collect();
    assert_eq!(paths, ["0", "1", "2", "3"]);
}

#[test]
fn r34_a_condition_runs_its_steps_or_those_of_else() {
    let steps = "  - if: caller_number == \"101\"
    then:
      - play-audio: { audio: first }
    else:
      - play-audio: { audio: second }
";
    for (number, hears, not) in [("101", "first", "second"), ("102", "second", "first")] {
        let mut sim = story(steps).start();
        let caller = sim.phone("caller", number);
        caller.dials("300");
        sim.run_until(caller.hears(hears));
        sim.run_until_quiet();
        assert_eq!(caller.packets_of(not), 0);
    }
}

#[test]
fn r52_a_missing_file_is_skipped_and_the_next_step_runs() {
    let mut sim = story("  - play-audio: { audio: first }\n  - play-audio: { audio: second }\n").start();
    let ann = sim.phone("ann", "101");
    sim.loses_prompt("first");
    ann.dials("300");
    sim.run_until(ann.hears("second"));
    sim.run_until_quiet();
    assert_eq!(ann.packets_of("first"), 0);
    assert_eq!(steps(&sim.record()), ["steps[0] play-audio: skipped", "steps[1] play-audio: done"]);
}

#[test]
fn r51_audio_plays_for_a_set_time_and_then_comes_the_next_item() {
    let mut sim = story("  - play-audio: { audio: long, max: 5s }\n  - play-audio: { audio: second }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    let began = sim.now();
    sim.run_until(ann.hears("second"));
    let took = sim.now().since(began);
    assert!((4_950..5_100).contains(&took.as_millis()), "{took:?}");
    sim.run_until_quiet();
}

#[test]
fn r74_hang_up_ends_the_scenario_and_nothing_runs_after() {
    let mut sim = story("  - play-audio: { audio: long }\n  - call-user: { mode: user, target: 102 }\n").start();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(ann.hears("long"));
    ann.hangs_up();
    sim.run_for(seconds(70));
    sim.run_until_quiet();
    assert_eq!(bob.calls(), []);
    assert_eq!(sim.record().steps.len(), 1);

    let mut sim = story("  - hang-up: { cause: busy }\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.was_told(486));
    sim.run_until_quiet();
}

#[test]
fn the_journal_names_the_route_and_the_version_of_the_scenario_that_ran() {
    let mut sim = story("  - hang-up\n").start();
    let ann = sim.phone("ann", "101");
    let call = |sim: &mut Sim| {
        ann.dials("300");
        sim.run_for(seconds(5));
        sim.run_until_quiet();
    };
    call(&mut sim);
    sim.applies(&[OfficeText::demo().with_story("  - echo: { max: 2s }\n")]);
    call(&mut sim);
    call(&mut sim);
    let routed = |record| {
        let journal = sim.journal(record);
        let routed = journal.into_iter().find_map(|entry| match entry.event {
            JournalEvent::Routed { route, scenario, version } => Some((route, scenario.name.to_string(), version)),
            _ => None,
        });
        routed.unwrap()
    };
    let mut versions: Vec<_> = sim.records("main").iter().map(routed).collect();
    assert!(versions.iter().all(|(route, scenario, _)| route == "story" && scenario == "story"), "{versions:?}");
    versions.sort();
    versions.dedup();
    assert_eq!(versions.len(), 2, "before the change, and twice after it");
}
