//! Steps that run beside the script: at events, and in streams.

use crate::support::{Call, faults, program, user};
use plugboard_model::Value;
use plugboard_scenario::{Input, ScenarioEnd, Talker, replay};

/// 102 talks with the caller, who is told about every hold.
const HELD: &str = "  - event: hold\n    steps:\n      - notify: { text: '{event_number} holds {event_other_number}' }\n      - echo: { max: 1s }\n      - echo: { max: 2s }\n  - call-user: { mode: user, target: 102 }\n  - hang-up\n";

fn agent() -> Talker {
    Talker { user: Some(user("102")), number: "102".into() }
}

fn caller() -> Talker {
    Talker { user: None, number: "+4930123".into() }
}

fn held() -> Input {
    Input::Held { by: agent(), whom: Some(caller()) }
}

fn rang() -> Input {
    Input::Rang { whom: agent() }
}

#[test]
fn r36_and_r40_the_steps_run_once_a_hold_know_who_held_whom_and_leave_the_script_alone() {
    let mut call = Call::of_steps(HELD);
    let talking = call.last_run();
    call.tell(Input::Bridged).ends("answer");
    call.tell(held());
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] event
    step steps[1] call-user
    run 0: call-user {"mode":"user","target":"102"}
    decided steps[1]: answer
    decided steps[0]: hold
    step steps[0].steps[0] notify
    run 1: notify {"text":"102 holds +4930123"}
    step steps[0].steps[1] echo
    run 2: echo {"max":"1s"}
    "#);
    assert_eq!(talking.0, 0);
    call.ends("done");
    assert_eq!(call.runs().len(), 4, "one step after the other: {}", call.trace());
    call.ends("done");
    let holder = Input::Held { by: caller(), whom: Some(agent()) };
    call.tell(holder);
    assert!(call.trace().contains("+4930123 holds 102"), "once more, with the other names: {}", call.trace());
    assert_eq!(call.end(), None, "the conversation goes on");
    call.tell(Input::Unbridged);
    assert_eq!(
        call.end(),
        Some(&ScenarioEnd::CalleeLeft),
        "R40: the steps hold the end of the call up no more than the script"
    );
    assert!(call.trace().ends_with("ended CalleeLeft\nclosed"), "{}", call.trace());
    assert!(call.trace().contains("cancel"), "they end with the call: {}", call.trace());
}

#[test]
fn r36_what_an_event_waits_for_counts_only_from_its_place_in_the_script() {
    let mut call =
        Call::of_steps("  - echo: {}\n  - event: hold\n    steps: [{ notify: { text: x } }]\n  - echo: {}\n");
    call.tell(held());
    assert_eq!(call.runs().len(), 1, "{}", call.trace());
    call.ends("done").tell(held()).tell(Input::Resumed { by: agent(), whom: None });
    assert_eq!(call.runs().len(), 3, "{}", call.trace());
}

#[test]
fn r35_resume_is_an_event_of_its_own() {
    let mut call =
        Call::of_steps("  - event: resume\n    steps: [{ notify: { text: '{event_number}' } }]\n  - echo: {}\n");
    call.tell(held());
    assert_eq!(call.runs().len(), 1);
    call.tell(Input::Resumed { by: caller(), whom: None });
    assert!(call.runs()[1].contains("+4930123"), "{}", call.trace());
}

#[test]
fn r42_an_action_that_calls_has_steps_on_its_ringing_and_on_its_hanging_up() {
    let mut call = Call::of_steps(
        "  - call-user: { mode: user, target: 102 }\n    continue: true\n    on:\n      ringing: [{ notify: { text: 'rings {event_number}' } }]\n      hang-up: [{ notify: { text: 'left {event_number}' } }, { echo: { max: 9s } }]\n  - play-audio: { audio: welcome }\n",
    );
    let asked = call.last_run();
    call.tell(rang()).tell(rang());
    assert_eq!(call.runs().len(), 2, "once a run: {}", call.trace());
    assert!(call.runs()[1].contains("rings 102"));
    call.tell(Input::Bridged);
    call.tell(Input::RunEnded {
        run: asked,
        outcome: plugboard_scenario::RunOutcome::Named("answer".into()),
        sets: vec![],
    });
    call.tell(Input::HungUp { by: agent() }).tell(Input::Unbridged);
    let runs = call.runs();
    assert!(runs.iter().any(|run| run.contains("left 102")), "{}", call.trace());
    assert!(
        runs.iter().any(|run| run.contains("welcome")),
        "the caller stays, and the script goes on: {}",
        call.trace()
    );
    assert_eq!(call.end(), None);
}

#[test]
fn r42_steps_on_the_hanging_up_run_after_the_call_whoever_ends_it() {
    let steps = "  - call-user: { mode: user, target: 102 }\n    on:\n      hang-up: [{ notify: { text: 'left {event_number}' } }]\n  - hang-up\n";
    for (by, ends) in [(agent(), Input::Unbridged), (caller(), Input::CallerGone)] {
        let mut call = Call::of_steps(steps);
        call.answered().tell(Input::HungUp { by: by.clone() }).tell(ends);
        let trace = call.trace();
        assert!(trace.contains(&format!("left {}", by.number)), "{trace}");
        assert!(trace.find("ended").unwrap() < trace.find("left").unwrap(), "the call ends first: {trace}");
        assert!(!trace.contains("closed"), "{trace}");
        call.ends("done");
        assert!(call.trace().ends_with("closed"), "{}", call.trace());
    }
    // Nobody answered: there is no conversation that could be over.
    let mut call = Call::of_steps(steps);
    call.ends("timeout");
    call.ends("done");
    assert!(!call.trace().contains("left"), "{}", call.trace());
}

#[test]
fn r74_the_steps_of_the_event_hang_up_come_after_the_end_and_have_a_limit() {
    let text = "  - event: hang-up\n    steps:\n      - set: { n: 1 }\n      - echo: { max: 1s }\n      - echo: { max: 2s }\n  - stream:\n      - echo: { max: 3s }\n      - echo: { max: 4s }\n  - echo: { max: 5s }\n";
    let mut call = Call::of_steps(text);
    call.tell(Input::CallerGone);
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] event
    step steps[1] stream
    decided steps[1]: begins
    step steps[2] echo
    run 0: echo {"max":"5s"}
    step steps[1].stream[0] echo
    run 1: echo {"max":"3s"}
    cancel 0
    cancel 1
    ended CallerGone
    decided steps[0]: hang-up
    step steps[0].steps[0] set
    assigned n = Number(1)
    step steps[0].steps[1] echo
    run 2: echo {"max":"1s"}
    "#);
    assert!(call.machine.is_ended() && !call.machine.is_closed());
    call.tell(Input::TimeOver);
    assert!(call.trace().ends_with("cancel 2\nclosed"), "{}", call.trace());
    let before = call.trace();
    call.ends("done").tell(held()).tell(Input::TimeOver).tell(Input::CallerGone);
    assert_eq!(call.trace(), before);
}

#[test]
fn r43_a_stream_is_sequential_inside_and_interleaves_with_the_script() {
    let mut call = Call::of_steps(
        "  - stream:\n      - echo: { max: 1s }\n      - echo: { max: 2s }\n  - play-audio: { audio: welcome }\n  - play-audio: { audio: choose }\n",
    );
    assert_eq!(call.runs().len(), 2, "{}", call.trace());
    let (script, first) = (plugboard_model::RunId(0), plugboard_model::RunId(1));
    let done =
        |run| Input::RunEnded { run, outcome: plugboard_scenario::RunOutcome::Named("done".into()), sets: vec![] };
    call.tell(done(first));
    assert!(call.runs()[2].contains("2s"), "{}", call.trace());
    call.tell(done(script));
    assert!(call.runs()[3].contains("choose"), "{}", call.trace());
    call.ends("done");
    assert_eq!(call.end(), Some(&ScenarioEnd::Finished), "with the script the call is over");
    assert!(call.trace().contains("cancel 2"), "and the stream with it: {}", call.trace());
}

#[test]
fn an_answer_beside_the_script_is_an_outcome_like_any_other() {
    let mut call = Call::of_steps(
        "  - stream:\n      - call-user: { mode: user, target: 102 }\n        on:\n          answer: [{ notify: { text: answered } }]\n      - echo: {}\n  - play-audio: { audio: welcome }\n",
    );
    // The script takes its step first, then the stream.
    let dialled = call.last_run();
    let answer = plugboard_scenario::RunOutcome::Named("answer".into());
    call.tell(Input::Bridged);
    call.tell(Input::RunEnded { run: dialled, outcome: answer, sets: vec![] });
    assert!(call.runs().iter().any(|run| run.contains("echo")), "nothing waits for the conversation: {}", call.trace());
}

#[test]
fn more_events_at_once_than_the_limit_are_told_and_the_call_goes_on() {
    let mut call = Call::of_steps(HELD);
    call.answered();
    for _ in 0..40 {
        call.tell(held());
    }
    assert_eq!(call.runs().iter().filter(|run| run.contains("echo")).count(), 16);
    assert!(call.trace().contains("note steps[0]: 16 streams and events run already, not this one"));
    assert_eq!(call.end(), None);
}

#[test]
fn an_event_that_the_call_comes_by_twice_is_armed_once() {
    let mut call = Call::of_steps(
        "  - event: hold\n    steps: [{ event: resume, steps: [{ notify: { text: back } }] }]\n  - echo: {}\n",
    );
    call.tell(held()).tell(held()).tell(Input::Resumed { by: agent(), whom: None });
    assert_eq!(call.runs().iter().filter(|run| run.contains("back")).count(), 1, "{}", call.trace());
}

#[test]
fn a_running_action_reads_who_did_it_and_others_do_not() {
    let mut call = Call::of_steps("  - event: hold\n    steps: [{ echo: {} }]\n  - echo: {}\n");
    let script = call.last_run();
    call.tell(held());
    let at_event = call.last_run();
    let number = Value::Text("102".into());
    assert_eq!(call.machine.read(at_event, "event_number"), Some(&number));
    assert_eq!(call.machine.read(at_event, "event_user"), Some(&Value::User(user("102"))));
    assert_eq!(call.machine.read(at_event, "event_other_user"), None);
    assert_eq!(call.machine.read(script, "event_number"), None);
    assert_eq!(call.machine.read(script, "caller_name"), Some(&Value::Text("Zoe".into())));
    assert!(call.machine.assign("event_number", number).is_err());
}

#[test]
fn calls_with_events_replay() {
    let program = program(&format!("scenario: story\nsteps:\n{HELD}"));
    let mut call = Call::of(&program);
    call.answered().tell(held()).ends("done").tell(Input::CallerGone);
    assert_eq!(replay(&program, call.inputs.clone()), call.outputs);
}

#[test]
fn faults_of_events_tell_the_place_and_what_to_write() {
    insta::assert_snapshot!(faults("scenario: s\nsteps:\n  - event: holt\n    steps: [echo]\n  - event: hold\n  - event: hold\n    steps: []\n  - stream: []\n  - echo: {}\n    steps: [echo]\n"), @r#"
    s.yaml:3:12: steps[0].event: "holt" is no event (did you mean "hold"?)
    s.yaml:5:5: steps[1]: "steps" is missing
    s.yaml:7:12: steps[2].steps: there is no step (write at least one)
    s.yaml:8:13: steps[3].stream: there is no step (write at least one)
    s.yaml:10:5: steps[4].steps: "steps" does not belong to echo ("on" and "continue" belong to actions, "then" and "else" to if and when, "steps" to event and repeat)
    "#);
    insta::assert_snapshot!(faults("scenario: s\nsteps:\n  - notify: { text: '{event_number}' }\n  - event: hold\n    steps: [{ set: { event_number: x } }, { notify: { text: '{event_user}' } }]\n  - call-user: { mode: user, target: 101 }\n    on:\n      hang-up: [{ play-audio: { audio: welcome } }, hang-up]\n      rining: [echo]\n  - echo: {}\n    on: { ringing: [echo] }\n  - event: hang-up\n    steps: [{ call-user: { mode: user, target: 101 } }, { menu: { keys: { \"1\": [] } } }]\n"), @r#"
    s.yaml:3:21: steps[0].notify.text: event_number may have no value here (it has one in the steps at an event alone, or ask "assigned(event_number)" first)
    s.yaml:5:22: steps[1].steps[0].set.event_number: event_number is the switch's own variable and cannot be assigned (take another name)
    s.yaml:5:61: steps[1].steps[1].notify.text: event_user may have no value here (it has one in the steps at an event alone, or ask "assigned(event_user)" first)
    s.yaml:8:53: steps[2].on.hang-up[1]: hang-up does nothing here: the call is over (take it out)
    s.yaml:9:7: steps[2].on.rining: call-user has no outcome "rining" (did you mean "ringing"?)
    s.yaml:11:11: steps[3].on.ringing: echo has no outcome "ringing" (it has done, failed, denied)
    s.yaml:13:15: steps[4].steps[0]: call-user does nothing here: the call is over (take it out)
    s.yaml:13:59: steps[4].steps[1]: menu does nothing here: the call is over (take it out)
    "#);
}
