//! What the checker refuses, and where it says the fault is.

use crate::support::{Demo, catalogue, faults, office, program};
use plugboard_scenario::{Document, build_examined, check, schema};

fn of_steps(steps: &str) -> String {
    faults(&format!("scenario: s\nsteps:\n{steps}"))
}

#[test]
fn a_document_with_many_faults_has_them_all_listed_with_their_places() {
    insta::assert_snapshot!(faults("scenario: Bad Name\nstep: []\nvariables:\n  X: text\n  y: colour\nsteps:\n  - play-audio: { audio: welcome }\n    echo: {}\n  - 5\n  - menu: { keys: { x: [] }, repeats: 99 }\n  - if: { some: [] }\n    then: []\n  - set: {}\n  - hang-up:\n    then: []\n"), @r#"
    s.yaml:1:11: scenario: a name is made of a-z 0-9 . _ -, this one has 'B'
    s.yaml:2:1: step: "step" is not known (did you mean "steps"?)
    s.yaml:4:3: variables.X: "X" is no name of a variable (1 to 64 of a-z 0-9 _, not beginning with a digit)
    s.yaml:5:6: variables.y: "colour" is no type (types are text, number, boolean, time, user, group, texts, users, contact)
    s.yaml:8:5: steps[0]: "echo" is a second word in one step (a step is one control word or action; begin each with "- ")
    s.yaml:9:5: steps[1]: a map is expected, not a whole number (write "key: value" lines)
    s.yaml:10:21: steps[2].menu.keys.x: "x" is no key (a key is 1 to 8 of 0-9 * #, in quotes)
    s.yaml:10:39: steps[2].menu.repeats: a whole number from 0 to 10 is expected
    s.yaml:11:9: steps[3].if: either "all" or "one_of" holds the conditions
    s.yaml:11:11: steps[3].if.some: "some" is not known (known here: all, one_of)
    s.yaml:13:10: steps[4].set: nothing is set (write { variable: value })
    s.yaml:15:5: steps[5].then: "then" does not belong to hang-up ("on" and "continue" belong to actions, "then" and "else" to if and when, "steps" to event and repeat)
    "#);
}

#[test]
fn r9_an_action_without_a_required_parameter_is_refused_and_the_parameter_named() {
    insta::assert_snapshot!(of_steps("  - call-user: { target: \"101\" }\n  - call-user: { mode: user }\n  - call-user\n"), @r#"
    s.yaml:3:5: steps[0].call-user: call-user needs the parameter "mode" (add it)
    s.yaml:4:5: steps[1].call-user: call-user needs the parameter "target" (add it)
    s.yaml:5:5: steps[2].call-user: call-user needs the parameter "mode" (add it)
    s.yaml:5:5: steps[2].call-user: call-user needs the parameter "target" (add it)
    "#);
}

#[test]
fn unknown_words_outcomes_and_parameters_are_told_with_what_there_is() {
    insta::assert_snapshot!(of_steps("  - dance: {}\n  - echo: { maximum: 3s }\n    on:\n      answer: []\n  - echo: { max: 3 }\n  - echo: { max: 11m }\n  - echo: {}\n    continue: true\n"), @r#"
    s.yaml:3:5: steps[0]: "dance" is neither a control word nor an action (control words: if, when, menu, repeat, run, set, event, stream; actions: announce, call-group, call-user, collect-digits, database-query, echo, hang-up, http-request, notify, play-audio, search-history, send-email, voicemail)
    s.yaml:4:13: steps[1].echo.maximum: echo has no parameter "maximum" (it has max)
    s.yaml:6:7: steps[1].on.answer: echo has no outcome "answer" (it has done, failed, denied)
    s.yaml:7:18: steps[2].echo.max: a time with its unit is expected, from 1s to 10m (write for example "20s", "500ms" or "2m")
    s.yaml:8:18: steps[3].echo.max: a time with its unit is expected, from 1s to 10m (write for example "20s", "500ms" or "2m")
    s.yaml:9:5: steps[4]: "continue" needs an action with the outcome answer, echo has none (take it out)
    "#);
}

#[test]
fn what_was_probably_meant_is_told_with_each_unknown_word() {
    insta::assert_snapshot!(of_steps("  - call-usr: { mode: user, target: \"101\" }\n  - call-user: { mode: usr, target: \"101\", rng_for: 3s }\n    onn: { answer: [] }\n  - play-audio: { audio: bussy, kind: tone }\n    on: { don: [] }\n  - play-audio: { audio: howling, kind: tone }\n  - play-audio: { audio: beep, kind: tone }\n  - set: { greeting: \"{caller_nmae}\" }\n"), @r#"
    s.yaml:3:5: steps[0]: "call-usr" is neither a control word nor an action (did you mean "call-user"?)
    s.yaml:4:24: steps[1].call-user.mode: "usr" is not one of "user", "list" or "variable" (did you mean "user"?)
    s.yaml:4:44: steps[1].call-user.rng_for: call-user has no parameter "rng_for" (did you mean "ring_for"?)
    s.yaml:5:5: steps[1].onn: "onn" is not known (did you mean "on"?)
    s.yaml:6:26: steps[2].play-audio.audio: there is no tone "bussy" (did you mean "busy"?)
    s.yaml:7:11: steps[2].on.don: play-audio has no outcome "don" (did you mean "done"?)
    s.yaml:8:26: steps[3].play-audio.audio: there is no tone "howling" (there are ring-back, busy, congestion, beep)
    "#);
}

#[test]
fn faults_of_form_do_not_hide_those_of_the_other_steps() {
    insta::assert_snapshot!(of_steps("  - 5\n  - dance: {}\n  - if: { some: [] }\n    then: []\n  - if: \"agent == 'x'\"\n    then: []\n  - set: { greeting: \"{agent}\" }\n  - call-user: { mode: user, target: nobody }\n  - if: \"1 +\"\n    then: []\n"), @r#"
    s.yaml:3:5: steps[0]: a map is expected, not a whole number (write "key: value" lines)
    s.yaml:4:5: steps[1]: "dance" is neither a control word nor an action (control words: if, when, menu, repeat, run, set, event, stream; actions: announce, call-group, call-user, collect-digits, database-query, echo, hang-up, http-request, notify, play-audio, search-history, send-email, voicemail)
    s.yaml:5:9: steps[2].if: either "all" or "one_of" holds the conditions
    s.yaml:5:11: steps[2].if.some: "some" is not known (known here: all, one_of)
    s.yaml:10:38: steps[5].call-user.target: the office has no user "nobody"
    s.yaml:11:9: steps[6].if: no CEL expression: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (conditions are CEL expressions)
    "#);
    assert_eq!(faults("scenario: Bad Name\nsteps:\n  - dance\n").lines().count(), 2, "the name's and the step's");
}

#[test]
fn audio_without_a_kind_is_the_prompt_that_the_action_takes_it_for() {
    insta::assert_snapshot!(of_steps("  - announce: { audio: nothing }\n  - announce: { audio: nothing, kind: music }\n  - announce: { audio: welcome }\n  - announce: { audio: busy, kind: tone }\n  - announce: { audio: engaged, kind: tone }\n"), @r#"
    s.yaml:3:24: steps[0].announce.audio: the office has no prompt "nothing"
    s.yaml:4:24: steps[1].announce.audio: the office has no music "nothing"
    s.yaml:7:24: steps[4].announce.audio: there is no tone "engaged" (there are ring-back, busy, congestion, beep)
    "#);
}

#[test]
fn r15_a_variable_that_some_way_leaves_unassigned_is_refused() {
    insta::assert_snapshot!(of_steps("  - search-history\n  - call-user: { mode: variable, target: last_agent }\n"), @r#"
    s.yaml:4:42: steps[1].call-user.target: last_agent may have no value here (assign it on every way to this step, or ask "assigned(last_agent)" first)
    "#);
    let found =
        "  - search-history:\n    on:\n      found:\n        - call-user: { mode: variable, target: last_agent }\n";
    assert_eq!(of_steps(found), "");
    let every_other_way_ends = "  - search-history:\n    on:\n      unknown: [hang-up]\n      failed: [hang-up]\n  - call-user: { mode: variable, target: last_agent }\n";
    assert_eq!(of_steps(every_other_way_ends), "");
    let asked = "  - search-history\n  - if: assigned(last_agent)\n    then:\n      - call-user: { mode: variable, target: last_agent }\n    else:\n      - call-group: { group: sales }\n";
    assert_eq!(of_steps(asked), "");
    let asked_the_other_way = "  - search-history\n  - if: { all: [\"!assigned(last_agent)\"] }\n    then: [hang-up]\n  - call-user: { mode: variable, target: last_agent }\n";
    assert_eq!(of_steps(asked_the_other_way), "");
    let one_branch_only = "  - if: \"caller_number == ''\"\n    then:\n      - set: { agent: \"Ann\" }\n  - set: { greeting: \"{agent}\" }\n";
    insta::assert_snapshot!(of_steps(one_branch_only), @r#"
    s.yaml:6:12: steps[1].set.greeting: agent may have no value here (assign it on every way to this step, or ask "assigned(agent)" first)
    "#);
}

#[test]
fn r16_a_variable_of_another_type_than_user_is_refused() {
    let text = "  - set: { agent: \"101\" }\n  - call-user: { mode: variable, target: agent }\n";
    insta::assert_snapshot!(of_steps(text), @"s.yaml:4:42: steps[1].call-user.target: agent is of type text, a user is needed (name a variable of type user)");
    let user = "scenario: s\nvariables:\n  agent: { type: user, default: 105 }\nsteps:\n  - call-user: { mode: variable, target: agent }\n";
    assert_eq!(faults(user), "");
    insta::assert_snapshot!(of_steps("  - call-user: { mode: variable, target: nobody }\n"), @r#"
    s.yaml:3:42: steps[0].call-user.target: there is no variable "nobody" (known: agent_name, answered_by, call_id, called_number, caller_name, caller_number, caller_user, event_number, event_other_number, event_other_user, event_user, language)
    "#);
}

#[test]
fn users_groups_prompts_and_music_that_do_not_exist_are_told() {
    insta::assert_snapshot!(of_steps("  - call-user: { mode: user, target: 199 }\n  - call-user: { mode: list, target: [101, \"107\"] }\n  - call-group: { group: support }\n  - play-audio: { audio: goodbye }\n  - play-audio: { audio: jazz, kind: music }\n  - menu: { prompt: none, extensions: true }\n"), @r#"
    s.yaml:3:38: steps[0].call-user.target: the office has no user "199"
    s.yaml:4:44: steps[1].call-user.target: the office has no user "107"
    s.yaml:5:26: steps[2].call-group.group: the office has no group "support"
    s.yaml:6:26: steps[3].play-audio.audio: the office has no prompt "goodbye"
    s.yaml:7:26: steps[4].play-audio.audio: the office has no music "jazz"
    s.yaml:8:21: steps[5].menu.prompt: the office has no prompt "none"
    "#);
}

#[test]
fn a_step_after_hang_up_is_never_reached() {
    insta::assert_snapshot!(of_steps("  - hang-up\n  - echo: {}\n  - echo: {}\n"), @"s.yaml:4:5: steps[1]: this step is never reached: the call is over before it (take it out, or move it up)");
    insta::assert_snapshot!(of_steps("  - if: \"caller_name == ''\"\n    then: [hang-up]\n    else: [hang-up]\n  - echo: {}\n"), @"s.yaml:6:5: steps[1]: this step is never reached: the call is over before it (take it out, or move it up)");
    assert_eq!(of_steps("  - if: \"caller_name == ''\"\n    then: [hang-up]\n  - echo: {}\n"), "");
}

#[test]
fn a_bad_condition_says_what_is_wrong_with_it() {
    let conditions = [
        "caller_number.startsWith(",
        "caller_numbr == ''",
        "caller_number",
        "caller_number == 3",
        "1 + caller_name == 2",
        "launch('x')",
        "{'a': 1}.a == 1",
        "caller_name.first == ''",
        "caller_name.all(c, true)",
        "assigned('x')",
        "assigned(nobody)",
        "[1].all(a, [1].all(b, [1].all(c, true)))",
    ];
    let steps: Vec<String> = conditions.iter().map(|text| format!("  - if: {text:?}\n    then: [echo]\n")).collect();
    insta::assert_snapshot!(of_steps(&steps.concat()), @r#"
    s.yaml:3:9: steps[0].if: no CEL expression: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', ')', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (conditions are CEL expressions)
    s.yaml:5:9: steps[1].if: there is no variable "caller_numbr" (conditions are CEL expressions)
    s.yaml:7:9: steps[2].if: a condition is true or false, this is a text (conditions are CEL expressions)
    s.yaml:9:9: steps[3].if: == does not go with a text and a number (conditions are CEL expressions)
    s.yaml:11:9: steps[4].if: + does not go with a number and a text (conditions are CEL expressions)
    s.yaml:13:9: steps[5].if: there is no function "launch" (conditions are CEL expressions)
    s.yaml:15:9: steps[6].if: only a variable has fields, and "a" is asked of something else (conditions are CEL expressions)
    s.yaml:17:9: steps[7].if: caller_name is of type text and has no field "first" (conditions are CEL expressions)
    s.yaml:19:9: steps[8].if: only a list can be gone through, this is a text (conditions are CEL expressions)
    s.yaml:21:9: steps[9].if: assigned() takes the name of one variable (conditions are CEL expressions)
    s.yaml:23:9: steps[10].if: there is no variable "nobody" (conditions are CEL expressions)
    s.yaml:25:9: steps[11].if: more than 2 loops inside each other (conditions are CEL expressions)
    "#);
    assert_eq!(
        of_steps(
            "  - if: \"[1, 2].exists(x, x > 1) && caller_name.size() > 0 && language in ['de', 'en']\"\n    then: [echo]\n"
        ),
        ""
    );
}

#[test]
fn types_of_variables_hold_everywhere() {
    insta::assert_snapshot!(faults("scenario: s\nvariables:\n  n: { type: number, default: many }\n  caller_name: text\n  t: time\nsteps:\n  - set: { n: \"three\", caller_number: \"1\", list: [a, b] }\n  - set: { list: 4 }\n  - set: { n: \"{list}\" }\n  - set: { text: \"{unknown} {\" }\n  - set: { text: \"{unknown}\" }\n"), @r#"
    s.yaml:3:31: variables.n: a text is no value of type number (users, groups and contacts are written by id or number and must exist)
    s.yaml:4:3: variables.caller_name: caller_name is the switch's own variable (take another name)
    s.yaml:7:15: steps[0].set.n: n is of type number, this is a text (users, groups and contacts are written by id or number and must exist)
    s.yaml:7:24: steps[0].set.caller_number: caller_number is the switch's own variable and cannot be assigned (take another name)
    s.yaml:8:18: steps[1].set.list: list is of type texts, this is a whole number (users, groups and contacts are written by id or number and must exist)
    s.yaml:9:15: steps[2].set.n: n is of type number, list of type texts
    s.yaml:10:18: steps[3].set.text: a brace is not closed or not opened (write {{ and }} for braces)
    s.yaml:11:12: steps[4].set.text: there is no variable "unknown" (known: agent_name, call_id, called_number, caller_name, caller_number, caller_user, event_number, event_other_number, event_other_user, event_user, language, list, n, t, text)
    "#);
}

#[test]
fn a_template_may_stand_where_the_schema_wants_more_than_a_text() {
    let span = "scenario: s\nvariables:\n  wait: { type: text, default: 7s }\nsteps:\n  - call-user: { mode: user, target: \"{called_number}\", ring_for: \"{wait}\" }\n";
    assert_eq!(faults(span), "");
    let wrong_type = "scenario: s\nvariables:\n  yes: { type: boolean, default: true }\nsteps:\n  - call-group: { group: \"{yes}\" }\n";
    insta::assert_snapshot!(faults(wrong_type), @r#"
    s.yaml:5:26: steps[0].call-group.group: false is not of type "string"
    "#);
}

#[test]
fn what_runs_beside_has_no_steps_on_its_outcome() {
    insta::assert_snapshot!(of_steps("  - notify: { text: hello }\n    on:\n      done: [hang-up]\n"), @r#"
    s.yaml:3:5: steps[0]: notify runs beside the script: nothing can hang on its outcome (take "on" out)
    "#);
}

#[test]
fn the_version_does_not_depend_on_layout_and_changes_with_the_content() {
    let one = program("scenario: s\nsteps:\n  - play-audio: { audio: welcome, max: 3s }\n");
    let same = program(
        "# a comment\n{\"steps\": [{\"play-audio\": {\"max\": \"3s\", \"audio\": \"welcome\"}}], \"scenario\": \"s\"}",
    );
    let other = program("scenario: s\nsteps:\n  - play-audio: { audio: welcome, max: 4s }\n");
    assert_eq!(one.version(), same.version());
    assert_ne!(one.version(), other.version());
    assert_eq!(one.id().to_string(), "main/s");
}

#[test]
fn the_published_schema_takes_what_the_checker_takes_and_refuses_what_is_misspelt() {
    let schema = schema(&catalogue());
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for file in ["welcome", "echo", "voicemail"] {
        let path = format!("{}/../server/demo/scenarios/{file}.yaml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap();
        let node = plugboard_document::parse(file, &text).unwrap();
        let told: Vec<String> = validator.iter_errors(&node.to_json()).map(|error| error.to_string()).collect();
        assert_eq!(told, Vec::<String>::new(), "{file}");
        let document = Document::read(file, &node).unwrap();
        assert_eq!(check(&document, &office(), &catalogue(), &crate::support::Demo), Vec::new(), "{file}");
    }
    for wrong in ["steps: []", "scenario: s\nsteps: [dance]", "scenario: s\nsteps:\n- echo: {}\n  on: { answer: [] }"] {
        let node = plugboard_document::parse("w", wrong).unwrap();
        assert!(!validator.is_valid(&node.to_json()), "{wrong}");
    }
}

#[test]
fn the_version_of_a_scenario_tells_the_order_of_assignments_and_of_nothing_else() {
    let of = |set: &str, rest: &str| {
        let text = format!(
            "scenario: s\n{rest}\nvariables: {{ a: text, b: {{ type: text, default: x }} }}\nsteps:\n  - set: {{ {set} }}\n"
        );
        (program(&text).version(), Document::parse("s.yaml", &text).unwrap())
    };
    let (first, document) = of("b: one, a: \"x{b}\"", "title: T");
    assert_ne!(of("a: \"x{b}\", b: one", "title: T").0, first, "another order is another scenario");
    assert_eq!(of("b: one, a: \"x{b}\" ", "# a comment\n\"title\": 'T'").0, first);
    assert!(document.canonical.contains(r#""set":{"b":"one","a":"x{b}"}"#), "{}", document.canonical);
}

#[test]
fn where_one_user_is_taken_a_list_is_a_fault() {
    let of = |parameters: &str| of_steps(&format!("  - call-user: {{ {parameters} }}\n"));
    insta::assert_snapshot!(of("mode: user, target: [101, 102]"), @r#"s.yaml:3:38: steps[0].call-user.target: with mode "user" one is taken, not a list of 2 (write mode: list)"#);
    assert!(of("target: [caller, callee], mode: variable").contains("with mode \"variable\" one is taken"));
    for fine in ["mode: list, target: [101, 102]", "mode: list, target: 101", "mode: user, target: [101]"] {
        assert_eq!(of(fine), "", "{fine}");
    }
}

#[test]
fn a_key_that_is_there_twice_does_not_hide_what_else_is_wrong() {
    let text = "scenario: s\ntitle: a\ntitle: b\nsteps:\n  - dance\n";
    let faults = build_examined("s.yaml", plugboard_document::examine("s.yaml", text), &office(), &catalogue(), &Demo)
        .unwrap_err();
    let lines: Vec<u32> = faults.iter().map(|fault| fault.line).collect();
    assert_eq!(lines, [3, 5], "{faults:?}");
}

#[test]
fn a_service_must_be_known_and_what_it_fills_be_declared() {
    let with = |variables: &str, step: &str| {
        faults(&format!("scenario: s\nvariables: {{ {variables} }}\nsteps:\n  - http-request: {step}\n"))
    };
    let asks = "{ source: crm, into: { agent: /0/agent } }";
    assert_eq!(with("agent: user", asks), "");
    assert!(with("other: user", asks).contains("nobody knows of which type \"agent\" is to be"));
    assert!(with("agent: user", "{ source: crn }").contains("no source of the web \"crn\""));
    assert_eq!(with("agent: user", "{ source: crm, method: put }"), "");
    let forbidden = with("agent: user", "{ source: crm, method: post }");
    assert!(forbidden.contains("the office does not let \"post\" be done at the source crm"), "{forbidden}");
    assert!(forbidden.contains("it may be get, put"), "{forbidden}");
    assert!(with("agent: user", "{ source: crm, into: { 1x: /0 } }").contains("\"1x\" is no name of a variable"));
    assert!(with("agent: user", "{ source: crm, into: { caller_number: /0 } }").contains("the switch's own variable"));
    assert!(with("agent: user", "{ source: crm, query: { phone: \"{nobody}\" } }").contains("there is no variable"));
}

#[test]
fn r22_a_query_must_be_known_have_its_parameters_and_fill_what_is_declared() {
    let with = |step: &str| {
        faults(&format!("scenario: s\nvariables: {{ agent: user }}\nsteps:\n  - database-query: {{ {step} }}\n"))
    };
    let values = "number: \"{caller_number}\", id: 7";
    assert_eq!(
        with(&format!("database: clients, query: agent-of, with: {{ {values} }}, into: {{ agent: agent }}")),
        ""
    );
    assert_eq!(with("database: clients, query: all"), "");
    for (step, told) in [
        ("database: client, query: all".to_owned(), "no database \"client\""),
        ("database: clients, query: al".to_owned(), "clients has no query \"al\""),
        ("database: clients, query: agent-of, with: { id: 7 }".to_owned(), "needs a value for number"),
        ("database: clients, query: agent-of".to_owned(), "needs a value for id"),
        (format!("database: clients, query: agent-of, with: {{ {values}, x: 1 }}"), "agent-of has no parameter \"x\""),
        ("database: clients, query: agent-of, with: { number: a, id: b }".to_owned(), "takes a number here"),
        ("database: clients, query: all, with: { x: 1 }".to_owned(), "the query has none"),
        ("database: clients, query: all, into: { agnt: x }".to_owned(), "nobody knows of which type \"agnt\""),
    ] {
        let found = with(&step);
        assert!(found.contains(told), "{step}: {found}");
    }
}

#[test]
fn r15_what_a_service_fills_has_a_value_after_its_answer_alone() {
    let calls = "call-user: { mode: variable, target: agent }";
    let story = |on: &str, then: &str| {
        faults(&format!(
            "scenario: s\nvariables: {{ agent: user }}\nsteps:\n  - http-request: {{ source: crm, into: {{ agent: /0 }} }}\n{on}{then}"
        ))
    };
    assert_eq!(story(&format!("    on:\n      done: [{calls}]\n"), ""), "");
    for outcome in ["not-found", "timeout", "failed"] {
        let told = story(&format!("    on:\n      {outcome}: [{calls}]\n"), "");
        assert!(told.contains("agent may have no value here"), "{outcome}: {told}");
    }
    assert!(story("", &format!("  - {calls}\n")).contains("agent may have no value here"));
}

#[test]
fn a_way_on_which_the_caller_hears_nothing_is_told_with_what_is_decided_on_it() {
    let way = |steps: &str| {
        let program = crate::support::program(&format!("scenario: s\nvariables: {{ n: number }}\nsteps:\n{steps}"));
        program.silence().map(|way| way.join(", "))
    };
    let rings = "{call-user: {mode: user, target: 101}}";
    assert_eq!(way(&format!("  - {rings}\n")), None);
    assert_eq!(way("  - set: { n: 3 }\n"), Some(String::new()), "whatever is decided");
    let some = format!("  - if: \"caller_name == ''\"\n    then: [{rings}]\n");
    assert_eq!(way(&some), Some("steps[0]: else".into()));
    assert_eq!(way(&format!("{some}    else: [hang-up]\n")), None, "a hanging up is meant");
    assert_eq!(way(&format!("{some}  - {rings}\n")), None, "they meet again");
    let when = "  - when: { days: mon, from: '09:00', to: '10:00' }\n    then: [{set: {n: 1}}]\n    else: [hang-up]\n";
    assert_eq!(way(when), Some("steps[0]: then".into()));
    assert_eq!(way("  - menu: { keys: { '1': [{set: {n: 1}}] } }\n"), None, "he was asked");
    assert_eq!(way(&format!("  - stream: [{rings}]\n  - set: {{ n: 3 }}\n")), None, "it is heard beside the script");
    assert_eq!(way("  - stream: [{set: {n: 1}}]\n"), Some(String::new()), "nothing of it is heard");
}

#[test]
fn r38_a_mail_names_known_variables_and_people_with_addresses() {
    let with = |parameters: &str, event: bool| {
        let step = format!("{{ send-email: {parameters} }}");
        let step = if event { format!("{{ event: hold, steps: [{step}] }}") } else { step };
        faults(&format!("scenario: s\nsteps:\n  - {step}\n  - echo: {{}}\n"))
    };
    assert_eq!(with("{ to: [ann@example.com, 101], template: hold, text: '{agent_name} {caller_number}' }", false), "");
    assert!(with("{ to: [ann@example.org] }", false).contains("\"ann@example.org\" has no address (write one)"));
    assert!(
        with("{ to: ['{caller_name}'], template: hald }", false).contains("no mail \"hald\" (did you mean \"hold\"?)")
    );
    assert!(with("{ to: [101], text: '{agent_nam}' }", false).contains("there is no variable \"agent_nam\""));
    let odd = with("{ to: [101], template: odd }", false);
    for told in [
        "there is no variable \"nobody\"",
        "event_number may have no value here",
        "the mail \"odd\": a brace is not closed",
    ] {
        assert!(odd.contains(told), "{told}: {odd}");
    }
    assert!(!with("{ to: [101], template: odd }", true).contains("event_number may have no value"));
}

#[test]
fn r16_a_contact_is_one_of_the_office_and_has_the_fields_of_one() {
    let scenario =
        |variables: &str, steps: &str| faults(&format!("scenario: s\nvariables: {{ {variables} }}\nsteps:\n{steps}"));
    let right = "  - if: 'whom == \"carla\" && whom.company != \"\" && \"vip\" in whom.groups'\n    then: [echo]\n  - set: { greeting: \"{whom.name} at {whom.company}\", other: \"{whom}\", third: \"040 1234567\" }\n";
    let declared = "whom: { type: contact, default: carla }, other: contact, third: contact";
    assert_eq!(scenario(declared, right), "");
    insta::assert_snapshot!(scenario(
        "whom: { type: contact, default: karla }, other: contact, name: text, agent: { type: user, default: \"101\" }",
        "  - if: 'whom.age == 3'\n    then: [echo]\n  - if: 'agent.name == \"\"'\n    then: [echo]\n  - if: 'has(whom.email)'\n    then: [echo]\n  - if: '[1].exists(whom, whom.id == 1)'\n    then: [echo]\n  - if: 'other == 3'\n    then: [echo]\n  - set: { other: \"{caller_number}\", name: \"{whom.age} {agent.name}\" }\n  - set: { other: karla }\n  - set: { name: \"{whom.a.b}\" }\n",
    ), @r#"
    s.yaml:2:46: variables.whom: a text is no value of type contact (users, groups and contacts are written by id or number and must exist)
    s.yaml:4:9: steps[0].if: a contact has no field "age"; there are id, name, company, email, language, groups (conditions are CEL expressions)
    s.yaml:6:9: steps[1].if: agent is of type user and has no field "name" (conditions are CEL expressions)
    s.yaml:8:9: steps[2].if: has() is not known here: what nobody said of a contact is empty (conditions are CEL expressions)
    s.yaml:10:9: steps[3].if: the items of a list have no field "id" (conditions are CEL expressions)
    s.yaml:12:9: steps[4].if: == does not go with a text and a number (conditions are CEL expressions)
    s.yaml:14:19: steps[5].set.other: other is of type contact, caller_number of type text
    s.yaml:14:38: steps[5].set.name: a contact has no field "age"; there are id, name, company, email, language, groups
    s.yaml:14:38: steps[5].set.name: agent is of type user and has no field "name"
    s.yaml:15:19: steps[6].set.other: other is of type contact, this is a text (users, groups and contacts are written by id or number and must exist)
    s.yaml:16:18: steps[7].set.name: {whom.a.b} does not name a variable (write {{ and }} for braces)
    "#);
}
