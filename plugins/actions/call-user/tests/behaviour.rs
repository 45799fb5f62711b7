//! What `call-user` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Cause, Connected, Grants, HostCall, LogLevel, NotConnected, RingBack, RingRequest, Run, Target, Testkit, Value,
    json, user, user_id,
};

fn call_user() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

/// A run in an office with ann at 101 and bob at 105.
fn office(kit: &Testkit) -> Run<'_> {
    kit.run().user(user("ann", "101")).user(user("bob", "105"))
}

fn answered(who: &str, number: &str) -> Connected {
    Connected { user: Some(user_id(who)), number: number.into(), rang_ms: 2_000 }
}

fn rings(calls: &[HostCall]) -> Vec<&RingRequest> {
    calls.iter().filter_map(|call| if let HostCall::Ring(request) = call { Some(request) } else { None }).collect()
}

#[test]
fn r1_r10_one_user_is_rung_by_internal_number_and_answers() {
    let kit = call_user();
    let report = office(&kit)
        .parameters(&json!({ "mode": "user", "target": "101" }))
        .on_ring(|_| Ok(answered("ann", "101")))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("answer"));
    assert_eq!(report.variables["answered_by"], Value::User(user_id("ann")));
    let request =
        RingRequest { targets: vec![Target::User(user_id("ann"))], ring_for_ms: 20_000, ring_back: RingBack::Tone };
    assert_eq!(rings(&report.calls), [&request]);
}

#[test]
fn r2_r11_a_list_rings_at_once_and_either_may_answer() {
    let kit = call_user();
    let report = office(&kit)
        .parameters(&json!({ "mode": "list", "target": ["101", "bob", "105"], "ring_back": "music" }))
        .on_ring(|_| Ok(answered("bob", "105")))
        .finish()
        .unwrap();
    let [request] = rings(&report.calls)[..] else { panic!("{:?}", report.calls) };
    assert_eq!(request.targets, [Target::User(user_id("ann")), Target::User(user_id("bob"))], "each once");
    assert_eq!(request.ring_back, RingBack::Music);
    assert_eq!(report.variables["answered_by"], Value::User(user_id("bob")));
}

#[test]
fn r14_the_target_may_be_a_variable() {
    let kit = call_user();
    let by_variable = json!({ "mode": "variable", "target": "found" });
    let report = office(&kit)
        .parameters(&by_variable)
        .variable("found", Value::User(user_id("bob")))
        .on_ring(|_| Ok(answered("bob", "105")))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("answer"));
    assert_eq!(rings(&report.calls)[0].targets, [Target::User(user_id("bob"))]);
}

#[test]
fn r16_a_variable_of_another_type_or_without_value_fails_with_its_name() {
    let kit = call_user();
    let by_variable = json!({ "mode": "variable", "target": "found" });
    let report = office(&kit).parameters(&by_variable).variable("found", Value::Text("bob".into())).finish().unwrap();
    assert_eq!(report.failure(), Some("the variable found is not of type user"));
    let report = office(&kit).parameters(&by_variable).finish().unwrap();
    assert_eq!(report.failure(), Some("the variable found is not assigned"));
}

#[test]
fn r9_mode_and_target_are_required_and_nothing_else_is() {
    let kit = call_user();
    assert_eq!(kit.manifest().parameters["required"], json!(["mode", "target"]));
    let fault = |parameters| {
        let report = office(&kit).parameters(&parameters).finish().unwrap();
        report.failure().unwrap().to_owned()
    };
    assert_eq!(fault(json!({ "target": "101" })), "parameter mode: is required");
    assert_eq!(fault(json!({ "mode": "user" })), "parameter target: is required");
    assert_eq!(fault(json!({ "mode": "user", "target": [] })), "parameter target: expected 1 to 32, found 0");
    assert_eq!(fault(json!({ "mode": "list", "target": ["101", 5] })), "parameter target[1]: expected a text, found 5");
    assert_eq!(
        fault(json!({ "mode": "user", "target": ["101", "105"] })),
        "parameter target: expected one, found a list of 2"
    );
}

#[test]
fn r28_each_way_to_end_is_exactly_one_outcome() {
    let kit = call_user();
    let with = |error: NotConnected| {
        let run = office(&kit).parameters(&json!({ "mode": "user", "target": "101" }));
        run.on_ring(move |_| Err(error.clone())).finish().unwrap()
    };
    assert_eq!(with(NotConnected::Timeout).outcome(), Some("timeout"));
    for status in [486, 480, 404, 408, 600, 603, 607] {
        let report = with(NotConnected::NoAnswer(Cause { status, text: "its text".into() }));
        assert_eq!((report.outcome(), report.text("cause_text")), (Some("no-answer"), Some("its text")));
        assert_eq!(report.variables["cause"], Value::Number(status.into()));
    }
    assert_eq!(with(NotConnected::CallerGone).failure(), Some("the call is over"));
    assert_eq!(with(NotConnected::Talking).failure(), Some("the caller talks to somebody: end that connection first"));
}

#[test]
fn r27_the_ring_time_is_a_parameter() {
    let kit = call_user();
    let run = |ring_for: &str| {
        let parameters = json!({ "mode": "user", "target": "101", "ring_for": ring_for });
        office(&kit).parameters(&parameters).finish().unwrap()
    };
    assert_eq!(rings(&run("7s").calls)[0].ring_for_ms, 7_000);
    assert_eq!(run("11m").failure(), Some(r#"parameter ring_for: at most "10m" is allowed"#));
}

#[test]
fn a_user_whom_the_office_does_not_have_is_no_answer_404_and_nobody_rings() {
    let kit = call_user();
    let report = office(&kit).parameters(&json!({ "mode": "user", "target": "999" })).finish().unwrap();
    assert_eq!((report.outcome(), rings(&report.calls).len()), (Some("no-answer"), 0));
    assert_eq!(report.variables["cause"], Value::Number(404));
    assert_eq!(report.log(), [(LogLevel::Warn, "there is no user 999 in this office")]);
    let report = office(&kit).parameters(&json!({ "mode": "list", "target": ["999", "101"] })).finish().unwrap();
    assert_eq!(rings(&report.calls)[0].targets, [Target::User(user_id("ann"))], "the others ring");
}

#[test]
fn what_the_route_does_not_grant_is_not_rung() {
    let kit = call_user();
    let only_bob = Grants::everything().with_dial(plugboard_testkit::DialGrant {
        users: std::sync::Arc::new([user_id("bob")].into()),
        ..Default::default()
    });
    let report =
        office(&kit).parameters(&json!({ "mode": "user", "target": "101" })).grants(only_bob).finish().unwrap();
    assert_eq!(report.failure(), Some("the grant of this route does not cover user ann"));
}

#[test]
fn it_imports_no_more_than_it_uses_and_no_wasi() {
    let mut imports = call_user().imports();
    imports.sort();
    let used = ["description", "dial", "directory", "log", "types", "variables"];
    assert_eq!(imports, used.map(|name| format!("plugboard:switch/{name}@0.1.0")));
}
