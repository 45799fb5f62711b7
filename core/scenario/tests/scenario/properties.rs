//! What holds for every document and every call.

use crate::support::{Call, Demo, catalogue, faults, office, program};
use plugboard_model::{RunId, Value};
use plugboard_scenario::{Document, Extension, Input, Output, RunOutcome, StepKind, Talker, compile, replay};
use proptest::prelude::*;

/// A step of a random scenario, as text.
fn any_step(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("{echo: {}}".to_owned()),
        Just("{notify: {text: '{caller_name}'}}".to_owned()),
        Just("{set: {n: 3}}".to_owned()),
        Just("{search-history: }".to_owned()),
        Just("{call-user: {mode: user, target: 101}, continue: true}".to_owned()),
        Just("{call-user: {mode: user, target: 102}}".to_owned()),
        Just("{event: hold, steps: [{echo: {}}, {notify: {text: x}}]}".to_owned()),
        Just("{event: hang-up, steps: [{echo: {}}, {notify: {text: x}}]}".to_owned()),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let list =
        || proptest::collection::vec(any_step(depth - 1), 0..3).prop_map(|steps| format!("[{}]", steps.join(", ")));
    prop_oneof![
        leaf,
        (list(), list()).prop_map(|(a, b)| format!("{{if: \"caller_name == ''\", then: {a}, else: {b}}}")),
        (list(), list(), list()).prop_map(|(a, b, c)| format!(
            "{{menu: {{extensions: true, repeats: 1, keys: {{'1': {a}}}, invalid: {b}, unanswered: {c}}}}}"
        )),
        (list(), list()).prop_map(|(a, b)| format!("{{when: {{days: mon, from: '09:00', to: '09:01'}}, then: {a}, else: {b}}}")),
        (1..4_u32, any_step(depth - 1)).prop_map(|(times, step)| format!(
            "{{repeat: {{times: {times}, until: \"caller_name == 'x'\"}}, steps: [{step}, {{notify: {{text: x}}}}]}}"
        )),
        list().prop_map(|a| format!("{{stream: [echo, {{if: \"true\", then: {a}}}]}}")),
        (list(), list()).prop_map(|(a, b)| format!(
            "{{call-user: {{mode: user, target: 103}}, on: {{answer: {a}, timeout: {b}, hang-up: [{{echo: {{}}}}], ringing: [echo]}}}}"
        )),
    ]
    .boxed()
}

fn any_input() -> impl Strategy<Value = Input> {
    let run = (0u32..12).prop_map(RunId);
    prop_oneof![
        6 => (run, prop_oneof![Just("answer"), Just("done"), Just("timeout"), Just("digits"), Just("nothing"), Just("nonsense")])
            .prop_map(|(run, name)| Input::RunEnded { run, outcome: RunOutcome::Named(name.into()), sets: Vec::new() }),
        1 => (0u32..12).prop_map(|run| Input::RunEnded { run: RunId(run), outcome: RunOutcome::Failed("x".into()), sets: Vec::new() }),
        2 => prop_oneof![Just("1"), Just("9"), Just("105")]
            .prop_map(|digits| Input::VariableSet { name: "digits".into(), value: Value::Text(digits.into()) }),
        1 => Just(Input::ExtensionFound { number: "105".into(), extension: Some(Extension::User(crate::support::user("105"))) }),
        1 => Just(Input::ExtensionFound { number: "9".into(), extension: None }),
        1 => Just(Input::Bridged),
        1 => Just(Input::Unbridged),
        1 => Just(Input::Held { by: somebody(), whom: None }),
        1 => Just(Input::Rang { whom: somebody() }),
        1 => Just(Input::HungUp { by: somebody() }),
        1 => Just(Input::TimeOver),
    ]
}

fn somebody() -> Talker {
    Talker { user: None, number: "102".into() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn reading_and_checking_never_panic(text in "(scenario|steps|menu|if|when|repeat|days|set|keys|all|then|on|echo|call-user|target|: |- |\n  |\n|\\{|\\}|\\[|\\]|'|\"|a|1|,){0,40}") {
        let _ = faults(&text);
        let _ = faults(&format!("scenario: s\nsteps:\n  - {text}"));
        let _ = faults(&format!("scenario: s\nsteps:\n  - if: {text:?}\n    then: [echo]"));
    }

    #[test]
    fn a_call_ends_once_runs_nothing_afterwards_and_replays(
        steps in proptest::collection::vec(any_step(2), 1..5),
        inputs in proptest::collection::vec(any_input(), 0..60),
    ) {
        let text = format!("scenario: s\nsteps: [{}]", steps.join(", "));
        let document = Document::parse("s.yaml", &text).unwrap();
        // Some of them are refused, with reason: a variable without value, a step that is never reached.
        if compile(&document, &office(), &catalogue(), &Demo).is_ok() {
            let program = program(&text);
            let mut call = Call::of(&program);
            for input in inputs {
                call.tell(input);
            }
            call.tell(Input::CallerGone);
            let ends = call.outputs.iter().filter(|output| matches!(output, Output::Ended(_))).count();
            prop_assert_eq!(ends, 1);
            call.tell(Input::TimeOver);
            prop_assert!(matches!(call.outputs.last(), Some(Output::Closed)));
            let closed = call.outputs.iter().filter(|output| matches!(output, Output::Closed)).count();
            prop_assert_eq!(closed, 1);
            prop_assert!(call.machine.is_closed());
            prop_assert_eq!(replay(&program, call.inputs.clone()), call.outputs);
        }
    }
}

proptest! {
    #[test]
    fn a_scenario_that_is_written_out_and_read_again_has_the_same_version_and_assigns_in_the_same_order(
        names in Just(vec!["zoe", "ann", "m_1", "b", "a"]).prop_shuffle(),
        steps in proptest::collection::vec(any_step(2), 0..4),
    ) {
        let declared: Vec<String> = names.iter().map(|name| format!("{name}: {{ type: text, default: x }}")).collect();
        let set: Vec<String> = names.iter().zip(names.iter().cycle().skip(1)).map(|(name, next)| format!("{name}: \"{{{next}}}.\"")).collect();
        let list: Vec<String> = [format!("{{set: {{{}}}}}", set.join(", "))].into_iter().chain(steps).collect();
        let text = format!("scenario: s\nvariables: {{{}, n: number}}\nsteps: [{}]\n", declared.join(", "), list.join(", "));
        let first = Document::parse("a.yaml", &text).unwrap();
        let written = plugboard_document::parse("a.yaml", &text).unwrap().to_yaml();
        let again = Document::parse("b.yaml", &written).unwrap();
        prop_assert_eq!(&again.canonical, &first.canonical);
        let order = |document: &Document| {
            let StepKind::Set(list) = &document.steps[0].action else { panic!("{document:?}") };
            list.iter().map(|one| one.name.clone()).collect::<Vec<_>>()
        };
        prop_assert_eq!(order(&again), names);
        prop_assert_eq!(order(&first), order(&again));
    }
}
