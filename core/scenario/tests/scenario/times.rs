//! What the time decides, and what is done again.

use crate::support::{Call, faults, program};
use plugboard_model::{Time, Value};
use plugboard_scenario::{Input, Output, RunOutcome, ScenarioEnd};

fn of_steps(steps: &str) -> String {
    faults(&format!("scenario: s\nsteps:\n{steps}"))
}

const HOURS: &str = "  - when: { days: [mon-fri], from: \"09:00\", to: \"18:00\" }\n    then: [{ echo: { max: 1s } }]\n    else: [{ echo: { max: 2s } }]\n";

#[test]
fn r71_a_step_is_done_in_its_hours_and_the_trace_tells_what_time_it_was() {
    let call = Call::of_steps(HOURS);
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] when
    note steps[0]: it is mon 2026-11-23 09:00 Europe/Berlin
    decided steps[0]: then
    step steps[0].then[0] echo
    run 0: echo {"max":"1s"}
    "#);
    let evening = HOURS.replace("\"09:00\", to: \"18:00\"", "\"18:00\", to: \"20:00\"");
    assert_eq!(Call::of_steps(&evening).runs(), [r#"0: echo {"max":"2s"}"#]);
}

#[test]
fn r71_the_clock_goes_on_while_a_call_lasts() {
    // The call began at 09:00:00, and the first step takes a second.
    let steps = "  - echo: {}\n  - when: { from: \"08:00\", to: \"09:00\" }\n    then: [{ echo: { max: 1s } }]\n  - when: { from: \"09:00\", to: \"09:01\" }\n    then: [{ echo: { max: 2s } }]\n  - when: { from: \"09:01\", to: \"10:00\" }\n    then: [{ echo: { max: 3s } }]\n";
    let text = format!("scenario: s\nsteps:\n{steps}");
    let mut call = Call::of(&program(&text));
    let done = |run| Input::RunEnded { run, outcome: RunOutcome::Named("done".into()), sets: Vec::new() };
    let first = call.last_run();
    call.machine.handle(Time::from_millis(59_999), done(first));
    assert_eq!(next_runs(&mut call), ["{\"max\":\"2s\"}"]);
    let mut call = Call::of(&program(&text));
    call.machine.handle(Time::from_millis(60_000), done(first));
    assert_eq!(next_runs(&mut call), ["{\"max\":\"3s\"}"]);
}

/// The parameters of the runs that the machine asks for.
fn next_runs(call: &mut Call) -> Vec<String> {
    std::iter::from_fn(|| call.machine.poll_output())
        .filter_map(|output| if let Output::StartRun { parameters, .. } = output { Some(parameters) } else { None })
        .collect()
}

#[test]
fn calendars_are_named_and_what_nobody_can_answer_is_refused() {
    let call = Call::of_steps("  - when: office\n    then: [{ echo: { max: 1s } }]\n");
    assert_eq!(call.runs(), [r#"0: echo {"max":"1s"}"#]);
    insta::assert_snapshot!(of_steps("  - when: offices\n    then: [echo]\n  - when: office\n  - when: { days: [mon] }\n    then: [echo]\n    steps: [echo]\n  - when: { from: \"9\", to: \"10:00\" }\n    else: [echo]\n  - when: {}\n    then: [hang-up]\n    else: [hang-up]\n  - echo: {}\n"), @r#"
    s.yaml:3:11: steps[0].when: the office has no calendar "offices" (did you mean "office"?)
    s.yaml:5:5: steps[1].when: neither "then" nor "else" says what happens (add "then:")
    s.yaml:8:5: steps[2].steps: "steps" does not belong to when ("on" and "continue" belong to actions, "then" and "else" to if and when, "steps" to event and repeat)
    s.yaml:9:19: steps[3].when.from: "9" is no time of the day (write 07:00 or 24:00, in quotes)
    s.yaml:11:11: steps[4].when: no time is asked for (write `calendar`, `days`, `dates`, or `from` and `to`)
    s.yaml:14:5: steps[5]: this step is never reached: the call is over before it (take it out, or move it up)
    "#);
}

#[test]
fn after_both_ways_only_what_both_assigned_is_known() {
    let one = "  - when: office\n    then: [{ set: { agent: x } }]\n  - notify: { text: \"{agent}\" }\n";
    assert!(of_steps(one).contains("agent may have no value here"), "{}", of_steps(one));
    let both = "  - when: office\n    then: [{ set: { agent: x } }]\n    else: [{ set: { agent: y } }]\n  - notify: { text: \"{agent}\" }\n";
    assert_eq!(of_steps(both), "");
}

#[test]
fn steps_are_repeated_and_then_the_next_step_follows() {
    let mut call =
        Call::of_steps("  - repeat: 3\n    steps: [{ echo: { max: 1s } }, { set: { n: 1 } }]\n  - echo: { max: 9s }\n");
    for _ in 0..3 {
        call.ends("done");
    }
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] repeat
    step steps[0].steps[0] echo
    run 0: echo {"max":"1s"}
    decided steps[0].steps[0]: done
    step steps[0].steps[1] set
    assigned n = Number(1)
    decided steps[0]: round 2
    step steps[0].steps[0] echo
    run 1: echo {"max":"1s"}
    decided steps[0].steps[0]: done
    step steps[0].steps[1] set
    assigned n = Number(1)
    decided steps[0]: round 3
    step steps[0].steps[0] echo
    run 2: echo {"max":"1s"}
    decided steps[0].steps[0]: done
    step steps[0].steps[1] set
    assigned n = Number(1)
    step steps[1] echo
    run 3: echo {"max":"9s"}
    "#);
}

#[test]
fn a_condition_ends_the_rounds() {
    let mut call = Call::of_steps(
        "  - set: { got: '' }\n  - repeat: { times: 5, until: \"got == '2'\" }\n    steps:\n      - collect-digits: {}\n        on: { digits: [{ set: { got: '{digits}' } }] }\n  - hang-up\n",
    );
    let digits = |call: &mut Call, digits: &str| {
        call.ends_with("digits", &[("digits", Value::Text(digits.into()))]);
    };
    digits(&mut call, "1");
    digits(&mut call, "2");
    assert_eq!(call.runs().len(), 3, "{}", call.trace());
    assert!(call.runs()[2].contains("hang-up"));
    let trace = call.trace();
    let decided: Vec<&str> = trace.lines().filter(|line| line.contains("decided steps[1]:")).collect();
    assert_eq!(decided, ["decided steps[1]: round 2", "decided steps[1]: done"], "{trace}");
}

#[test]
fn rounds_stand_inside_rounds_and_end_with_the_call() {
    let mut call = Call::of_steps(
        "  - repeat: 2\n    steps:\n      - repeat: 2\n        steps: [{ echo: {} }]\n      - call-user: { mode: user, target: \"101\" }\n",
    );
    call.ends("done").ends("done").ends("timeout").ends("done").ends("done");
    assert_eq!(call.runs().len(), 6, "{}", call.trace());
    call.ends("timeout");
    assert_eq!(call.end(), Some(&ScenarioEnd::Finished));
    let mut call = Call::of_steps(
        "  - repeat: 100\n    steps: [{ repeat: 100, steps: [{ set: { n: 1 } }, { set: { n: 2 } }] }]\n",
    );
    assert!(matches!(call.end(), Some(ScenarioEnd::Limit(_))), "{}", call.trace());
    call.tell(Input::CallerGone);
}

#[test]
fn what_cannot_be_repeated_is_refused() {
    insta::assert_snapshot!(of_steps("  - repeat: 0\n    steps: [echo]\n  - repeat: 101\n    steps: [echo]\n  - repeat: { until: \"true\" }\n    steps: [echo]\n  - repeat: 3\n  - repeat: 3\n    steps: []\n  - repeat: { times: 3, until: \"nothing == 1\" }\n    steps: [echo]\n  - repeat: 2\n    steps: [hang-up]\n  - echo\n"), @r#"
    s.yaml:3:13: steps[0].repeat: a whole number from 1 to 100 is expected
    s.yaml:5:13: steps[1].repeat: a whole number from 1 to 100 is expected
    s.yaml:7:13: steps[2].repeat: "times" is missing
    s.yaml:9:5: steps[3]: "steps" is missing
    s.yaml:11:12: steps[4].steps: there is no step (write at least one)
    s.yaml:16:5: steps[7]: this step is never reached: the call is over before it (take it out, or move it up)
    "#);
}
