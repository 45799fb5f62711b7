//! What the interpreter does with a call.

use crate::support::{Call, carla, group, program, user};
use plugboard_model::{RunId, SetError, Value};
use plugboard_scenario::{Extension, Input, RunOutcome, ScenarioEnd, replay};

const CALL_106: &str = "  - call-user: { mode: user, target: 106, ring_for: 7s }\n    on:\n      answer:\n        - notify: { text: answered }\n      no-answer:\n        - play-audio: { audio: welcome }\n      timeout:\n        - echo: {}\n";

#[test]
fn r10_and_r27_the_action_gets_the_internal_number_and_the_time() {
    let call = Call::of_steps(CALL_106);
    assert_eq!(call.runs(), [r#"0: call-user {"mode":"user","ring_for":"7s","target":"106"}"#]);
}

#[test]
fn r24_steps_on_answer_run_once_while_the_two_talk() {
    let mut call = Call::of_steps(&format!("{CALL_106}  - hang-up\n"));
    call.answered();
    assert_eq!(call.runs().len(), 2, "{}", call.trace());
    assert!(call.runs()[1].contains("notify"));
    call.ends("done");
    assert_eq!(call.end(), None, "the conversation goes on");
    call.tell(Input::Unbridged);
    assert_eq!(call.end(), Some(&ScenarioEnd::CalleeLeft));
    assert_eq!(call.runs().len(), 2, "decision 11: the next step does not run");
}

#[test]
fn r25_steps_on_no_answer_run_and_then_the_next_step() {
    let mut call = Call::of_steps(&format!("{CALL_106}  - hang-up\n"));
    call.ends("no-answer").ends("done");
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] call-user
    run 0: call-user {"mode":"user","ring_for":"7s","target":"106"}
    decided steps[0]: no-answer
    step steps[0].on.no-answer[0] play-audio
    run 1: play-audio {"audio":"welcome"}
    decided steps[0].on.no-answer[0]: done
    step steps[1] hang-up
    run 2: hang-up {}
    "#);
}

#[test]
fn r26_steps_on_timeout_run_and_the_call_ends_after_the_last() {
    let mut call = Call::of_steps(CALL_106);
    call.ends("timeout");
    assert!(call.runs()[1].contains("echo"), "{}", call.trace());
    call.ends("done");
    assert_eq!(call.end(), Some(&ScenarioEnd::Finished));
}

#[test]
fn r28_a_run_has_one_outcome_and_a_second_one_changes_nothing() {
    let mut call = Call::of_steps(&format!("{CALL_106}  - hang-up\n"));
    call.ends("no-answer");
    let before = call.trace();
    call.tell(Input::RunEnded { run: RunId(0), outcome: RunOutcome::Named("timeout".into()), sets: Vec::new() });
    assert_eq!(call.trace(), before);
}

#[test]
fn r29_the_caller_who_hangs_up_while_it_rings_ends_the_run_and_the_scenario() {
    let mut call = Call::of_steps(CALL_106);
    call.tell(Input::CallerGone);
    assert!(call.trace().ends_with("cancel 0\nended CallerGone\nclosed"), "{}", call.trace());
    let before = call.trace();
    call.ends("answer").tell(Input::Bridged).tell(Input::CallerGone);
    assert_eq!(call.trace(), before, "nothing comes after the end");
}

#[test]
fn r30_and_r33_steps_run_in_order_and_nest() {
    let mut call = Call::of_steps(
        "  - set: { n: 1 }\n  - if: n == 1\n    then:\n      - if: n > 0\n        then:\n          - echo: { max: 1s }\n          - echo: { max: 2s }\n      - echo: { max: 3s }\n  - echo: { max: 4s }\n",
    );
    for _ in 0..4 {
        call.ends("done");
    }
    insta::assert_snapshot!(call.trace(), @r#"
    step steps[0] set
    assigned n = Number(1)
    step steps[1] if
    decided steps[1]: then
    step steps[1].then[0] if
    decided steps[1].then[0]: then
    step steps[1].then[0].then[0] echo
    run 0: echo {"max":"1s"}
    decided steps[1].then[0].then[0]: done
    step steps[1].then[0].then[1] echo
    run 1: echo {"max":"2s"}
    decided steps[1].then[0].then[1]: done
    step steps[1].then[1] echo
    run 2: echo {"max":"3s"}
    decided steps[1].then[1]: done
    step steps[2] echo
    run 3: echo {"max":"4s"}
    decided steps[2]: done
    ended Finished
    closed
    "#);
}

#[test]
fn r34_and_r45_all_and_one_of_choose_as_their_truth_table_says() {
    for (all, a, b, taken) in [
        (true, true, true, true),
        (true, true, false, false),
        (true, false, true, false),
        (true, false, false, false),
        (false, true, true, true),
        (false, true, false, true),
        (false, false, true, true),
        (false, false, false, false),
    ] {
        let mode = if all { "all" } else { "one_of" };
        let steps = format!(
            "  - if: {{ {mode}: [\"{a}\", \"caller_name == '{}'\"] }}\n    then: [{{ echo: {{ max: 1s }} }}]\n    else: [{{ echo: {{ max: 2s }} }}]\n",
            if b { "Zoe" } else { "Ann" }
        );
        let call = Call::of_steps(&steps);
        assert_eq!(call.runs()[0].contains("1s"), taken, "{mode} {a} {b}");
    }
}

#[test]
fn a_condition_that_cannot_be_decided_counts_as_false_and_says_why() {
    let mut call = Call::of_steps("  - set: { n: 0 }\n  - if: 4 / n == 1\n    then: [echo]\n  - hang-up\n");
    assert!(call.trace().contains("note steps[1]: a condition counts as false"), "{}", call.trace());
    call.ends("failed");
    assert_eq!(call.end(), Some(&ScenarioEnd::HungUp), "R74: nothing runs after, even when the action failed");
}

#[test]
fn a_condition_reads_a_value_of_each_type_as_what_it_is_and_what_it_is_now() {
    let types = "on boolean, at time, who user, team group, tags texts, all users, n number, name text";
    let given = |one: &str| one.split_once(' ').map(|(name, kind)| format!("{name}: {{ type: {kind}, given: true }}"));
    let declared = types.split(", ").filter_map(given).collect::<Vec<_>>().join(", ");
    let conditions = [
        ("on", true),
        ("at == 1767603600000", true),
        ("at + 1 > 1767603600001", false),
        ("who == '101'", true),
        ("team.startsWith('sal') && size(team) == 5", true),
        ("'vip' in tags && size(tags) == 2", true),
        ("all.exists(one, one == '102') && !('103' in all)", true),
        ("n % 2 == 1 && string(n) + name == '7Zoë'", true),
        ("name == 'zoë'", false),
        ("assigned(name) && !assigned(never)", true),
        ("assigned(never)", false),
    ];
    let lines = conditions.map(|(text, _)| format!("  - if: {text:?}\n    then: [{{ set: {{ n: 7 }} }}]\n")).concat();
    let call = format!(
        "scenario: story\nvariables: {{ {declared}, never: text }}\nsteps:\n  - echo: {{}}\n{lines}  - hang-up\n"
    );
    let mut call = Call::of(&program(&call));
    let values = [
        ("on", Value::Boolean(true)),
        ("at", Value::Time(plugboard_model::WallTime(1_767_603_600_000))),
        ("who", Value::User(user("101"))),
        ("team", Value::Group(group("sales"))),
        ("tags", Value::Texts(vec!["new".into(), "vip".into()])),
        ("all", Value::Users(vec![user("101"), user("102")])),
        ("n", Value::Number(7)),
        ("name", Value::Text("Anna".into())),
        // Assigned twice: the later value counts.
        ("name", Value::Text("Zoë".into())),
    ];
    call.ends_with("done", &values);
    for (place, (text, holds)) in conditions.into_iter().enumerate() {
        let decided = format!("decided steps[{}]: {}\n", place + 1, if holds { "then" } else { "else" });
        assert!(call.trace().contains(&decided), "{text}: {}", call.trace());
    }
}

#[test]
fn a_failed_action_is_an_outcome_and_the_call_goes_on() {
    let mut call =
        Call::of_steps("  - echo: {}\n    on:\n      failed:\n        - play-audio: { audio: welcome }\n  - hang-up\n");
    call.ends("failed").ends("failed");
    assert_eq!(call.runs().len(), 3, "{}", call.trace());
}

#[test]
fn continue_keeps_the_caller_when_the_callee_left() {
    let steps = "  - call-user: { mode: user, target: 101 }\n    continue: true\n    on:\n      answer: [{ notify: { text: hello } }]\n  - play-audio: { audio: welcome }\n";
    let mut call = Call::of_steps(steps);
    call.answered().tell(Input::Unbridged);
    assert!(call.runs().last().unwrap().contains("play-audio"), "{}", call.trace());
    call.ends("done");
    assert_eq!(call.end(), Some(&ScenarioEnd::Finished));
}

#[test]
fn steps_on_the_answer_stop_when_the_callee_leaves() {
    let mut call = Call::of_steps(
        "  - call-user: { mode: user, target: 101 }\n    on:\n      answer: [{ echo: {} }, { echo: {} }]\n  - echo: {}\n",
    );
    call.answered().tell(Input::Unbridged);
    assert!(call.trace().ends_with("cancel 1\nended CalleeLeft\nclosed"), "{}", call.trace());
}

#[test]
fn a_conversation_that_is_over_before_its_action_ends_was_one_all_the_same() {
    let mut call = Call::of_steps(CALL_106);
    call.tell(Input::Bridged).tell(Input::Unbridged).ends("answer");
    assert_eq!(call.end(), Some(&ScenarioEnd::CalleeLeft));
}

#[test]
fn the_end_of_the_script_waits_for_the_conversation() {
    let mut call = Call::of_steps("  - echo: {}\n");
    call.tell(Input::Bridged).ends("done");
    assert_eq!(call.end(), None);
    call.tell(Input::Unbridged);
    assert_eq!(call.end(), Some(&ScenarioEnd::CalleeLeft));
}

#[test]
fn r38_templates_are_filled_in_and_whole_values_keep_their_type() {
    let mut call = Call::of_steps(
        "  - search-history:\n    on:\n      found:\n        - set: { text: \"{{{last_agent}}} from {caller_number}\", agent: \"{last_agent}\" }\n        - notify: { text: \"{text}\" }\n        - call-user: { mode: variable, target: agent }\n",
    );
    call.ends_with("found", &[("last_agent", Value::User(user("105")))]);
    assert_eq!(call.runs()[1], r#"1: notify {"text":"{105} from +4930123"}"#);
    assert_eq!(call.machine.get("agent"), Some(&Value::User(user("105"))));
    assert_eq!(call.runs()[2], r#"2: call-user {"mode":"variable","target":"agent"}"#);
}

const MENU: &str = "  - menu:\n      prompt: choose\n      extensions: true\n      repeats: 1\n      keys:\n        \"1\": [{ call-group: { group: sales } }]\n        \"2\": [{ echo: { max: 2s } }]\n      invalid: [{ echo: { max: 3s } }]\n      nothing: [{ echo: { max: 4s } }]\n      unanswered: [{ echo: { max: 5s } }]\n  - hang-up\n";

#[test]
fn r70_each_key_has_its_steps_even_when_internal_numbers_begin_with_it() {
    let mut call = Call::of_steps(MENU);
    call.keys("1");
    insta::assert_snapshot!(call.trace(), @r##"
    step steps[0] menu
    run 0: collect-digits {"end_digit":"#","first_digit":"5000ms","inter_digit":"2000ms","max_digits":8,"prompt":"choose"}
    decided steps[0]: 1
    step steps[0].menu.keys.1[0] call-group
    run 1: call-group {"group":"sales"}
    "##);
}

#[test]
fn r53_a_dialled_internal_number_is_put_through() {
    let mut call = Call::of_steps(MENU);
    call.keys("105").found("105", Some(Extension::User(user("105"))));
    assert_eq!(call.runs()[1], r#"1: call-user {"mode":"user","target":"105"}"#);
    call.ends("no-answer");
    assert!(call.runs()[2].contains("5s"), "unanswered: {}", call.trace());
    let mut call = Call::of_steps(MENU);
    call.keys("200").found("200", Some(Extension::Group(group("sales"))));
    assert_eq!(call.runs()[1], r#"1: call-group {"group":"200"}"#);
    call.answered().tell(Input::Unbridged);
    assert_eq!(call.end(), Some(&ScenarioEnd::CalleeLeft));
}

#[test]
fn a_wrong_number_is_asked_again_and_then_the_invalid_steps_run() {
    let mut call = Call::of_steps(MENU);
    call.keys("999").found("999", None).keys("9").found("9", None);
    assert_eq!(call.runs().len(), 3, "{}", call.trace());
    assert!(call.runs()[2].contains("3s"), "{}", call.trace());
}

#[test]
fn r55_who_dials_nothing_goes_on_with_the_next_step() {
    let mut call = Call::of_steps(MENU);
    call.ends("nothing").ends("nothing");
    assert!(call.runs()[2].contains("4s"), "{}", call.trace());
    let mut call = Call::of_steps("  - menu: { repeats: 0, keys: { \"1\": [echo] } }\n  - hang-up\n");
    call.ends("nothing");
    assert!(call.runs()[1].contains("hang-up"), "{}", call.trace());
}

#[test]
fn digits_of_an_earlier_menu_do_not_answer_the_next() {
    let mut call = Call::of_steps(
        "  - menu: { repeats: 0, keys: { \"1\": [] } }\n  - menu: { repeats: 0, keys: { \"1\": [echo] } }\n  - hang-up\n",
    );
    call.keys("1").ends("nothing");
    assert!(call.runs()[2].contains("hang-up"), "{}", call.trace());
}

#[test]
fn a_menu_of_single_keys_asks_for_one_digit_and_no_end_key() {
    let call = Call::of_steps("  - menu: { first_digit: 9s, keys: { \"1\": [echo], \"#\": [echo] } }\n");
    insta::assert_snapshot!(call.runs()[0], @r#"
    0: collect-digits {"end_digit":"","first_digit":"9000ms","inter_digit":"2000ms","max_digits":1}
    "#);
}

#[test]
fn an_action_beside_does_not_hold_the_script_and_ends_with_it() {
    let mut call = Call::of_steps("  - notify: { text: a }\n  - echo: {}\n");
    assert_eq!(call.runs().len(), 2);
    call.ends("done");
    assert!(call.trace().ends_with("cancel 0\nended Finished\nclosed"), "{}", call.trace());
}

#[test]
fn variables_keep_their_types_and_limits_for_actions_too() {
    let mut call = Call::of_steps("  - set: { n: 1 }\n  - echo: {}\n");
    let machine = &mut call.machine;
    assert_eq!(machine.assign("n", Value::Text("one".into())), Err(SetError::WrongType("number".into())));
    assert_eq!(machine.assign("n", Value::Number(2)), Ok(()));
    assert_eq!(machine.assign("caller_number", Value::Text("x".into())), Err(SetError::ReadOnly));
    assert_eq!(machine.assign("caller_user", Value::User(user("101"))), Err(SetError::ReadOnly));
    assert_eq!(machine.assign("9lives", Value::Number(9)), Err(SetError::BadName));
    assert_eq!(machine.assign("long", Value::Text("x".repeat(4_097))), Err(SetError::TooLarge));
    assert_eq!(machine.assign("many", Value::Texts(vec![String::new(); 65])), Err(SetError::TooLarge));
    let other = plugboard_model::OfficeId::new("other").unwrap();
    let stranger = plugboard_model::UserId::new(&other, "101").unwrap();
    assert!(matches!(machine.assign("agent", Value::User(stranger)), Err(SetError::WrongType(_))));
    let full = (0..300).map(|n| machine.assign(&format!("v{n}"), Value::Number(n))).collect::<Vec<_>>();
    assert_eq!(full.last(), Some(&Err(SetError::TooLarge)));
    assert!(machine.variables().count() <= 256);
}

#[test]
fn r16_a_contact_shows_his_name_and_conditions_ask_for_the_rest() {
    let mut call = Call::of(&program(
        "scenario: story\nvariables: { whom: { type: contact, default: carla }, said: text }\nsteps:\n  - echo\n  - if: 'assigned(whom) && whom == \"carla\" && whom.id == \"carla\" && whom.company == \"Customer\" && whom.email == \"\" && \"vip\" in whom.groups'\n    then:\n      - set: { said: \"{whom} ({whom.id}, {whom.groups}) {whom.email}\" }\n      - echo\n  - hang-up\n",
    ));
    assert_eq!(call.machine.assign("whom", Value::Contact(Box::new(carla()))), Ok(()));
    call.ends("done");
    assert_eq!(call.machine.get("said"), Some(&Value::Text("Carla Customer (carla, vip) ".into())), "{}", call.trace());
    assert_eq!(call.machine.assign("whom", Value::Text("carla".into())), Err(SetError::WrongType("contact".into())));
    let mut stranger = carla();
    stranger.id.office = plugboard_model::OfficeId::new("other").unwrap();
    assert!(matches!(call.machine.assign("whom", Value::Contact(Box::new(stranger))), Err(SetError::WrongType(_))));
    let large = plugboard_model::KnownContact { name: "x".repeat(4_097), ..carla() };
    assert_eq!(call.machine.assign("whom", Value::Contact(Box::new(large))), Err(SetError::TooLarge));
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let program = program(&format!("scenario: story\nsteps:\n{MENU}"));
    let mut call = Call::of(&program);
    call.keys("77")
        .found("77", None)
        .keys("105")
        .found("105", Some(Extension::User(user("105"))))
        .answered()
        .tell(Input::Unbridged);
    assert_eq!(replay(&program, call.inputs.clone()), call.outputs);
}

#[test]
fn r69_above_a_step_stand_the_steps_that_were_taken_before_it_and_those_that_it_is_within() {
    let steps = "  - call-user: { mode: user, target: 101 }
    on:
      no-answer: [{ call-user: { mode: user, target: 102 } }]
  - if: \"caller_number == '1'\"
    then: [{ call-user: { mode: user, target: 103 } }]
    else: [{ call-user: { mode: user, target: 104 } }]
  - repeat: 2
    steps:
      - call-group: { group: sales }
        on:
          timeout: [echo]
      - call-user: { mode: user, target: 105 }
";
    let mut call = Call::of_steps(steps);
    let above = |call: &Call| call.machine.above(call.last_run()).iter().map(|run| run.0).collect::<Vec<_>>();
    assert!(above(&call).is_empty(), "nothing is above the first");
    call.ends("no-answer");
    assert_eq!(above(&call), [0], "the step that it is within");
    call.ends("no-answer");
    assert_eq!(above(&call), [0, 1], "and what hangs on earlier ones");
    call.ends("no-answer");
    assert_eq!(above(&call), [0, 1, 2]);
    call.ends("timeout");
    assert_eq!(above(&call), [0, 1, 2, 3], "within the group's step");
    call.ends("done");
    assert_eq!(above(&call), [0, 1, 2, 3]);
    call.ends("no-answer");
    // The second round: what stands below is not above, though the first round has taken it.
    assert_eq!(above(&call), [0, 1, 2]);
    call.ends("timeout");
    assert_eq!(above(&call), [0, 1, 2, 6], "the group's last run");
}
