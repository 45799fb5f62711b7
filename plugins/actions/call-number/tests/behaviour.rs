//! What `call-number` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Cause, Connected, Grants, HostCall, Line, NotConnected, RingBack, RingRequest, Target, Testkit, Value, json,
};

fn call_number() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn r41_a_number_outside_is_rung_and_answers() {
    let kit = call_number();
    let report = kit
        .run()
        .parameters(&json!({ "number": "0301234", "ring_back": "music" }))
        .on_ring(|_| Ok(Connected { user: None, number: "0301234".into(), rang_ms: 2_000 }))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("answer"));
    let request = RingRequest {
        targets: vec![Target::Number("0301234".into())],
        ring_for_ms: 60_000,
        ring_back: RingBack::Music,
    };
    let rings: Vec<_> = report.calls.iter().filter(|call| matches!(call, HostCall::Ring(_))).collect();
    assert_eq!(rings, [&HostCall::Ring(request)]);
}

#[test]
fn nobody_and_nothing_in_time_are_outcomes() {
    let kit = call_number();
    let run = || kit.run().parameters(&json!({ "number": "0301234", "ring_for": "5s" }));
    let report = run().on_ring(|_| Err(NotConnected::NoAnswer(Cause::of(486)))).finish().unwrap();
    assert_eq!(report.outcome(), Some("no-answer"));
    assert_eq!(report.variables["cause"], Value::Number(486));
    let report = run().on_ring(|_| Err(NotConnected::Timeout)).finish().unwrap();
    assert_eq!(report.outcome(), Some("timeout"));
}

#[test]
fn a_number_that_is_not_granted_or_leads_nowhere_fails_with_the_reason() {
    let kit = call_number();
    let number = json!({ "number": "0301234" });
    let report = kit.run().parameters(&number).grants(Grants::none()).finish().unwrap();
    assert!(report.failure().is_some(), "{report:?}");
    let nowhere = NotConnected::Invalid("no route of this office leads to 0301234".into());
    let report = kit.run().parameters(&number).on_ring(move |_| Err(nowhere.clone())).finish().unwrap();
    assert_eq!(report.failure(), Some("the switch refused a parameter: no route of this office leads to 0301234"));
}

#[test]
fn r41_a_gateway_of_the_steps_own_and_a_key_are_asked_for() {
    let kit = call_number();
    for (given, gateway, confirm) in [
        (json!({ "number": "0301234", "gateway": "second" }), Some("second"), false),
        (json!({ "number": "0301234", "confirm": true }), None, true),
    ] {
        let report = kit.run().parameters(&given).finish().unwrap();
        let line = Line { number: "0301234".into(), gateway: gateway.map(str::to_owned), confirm };
        let targets = vec![Target::Line(line)];
        let request = RingRequest { targets, ring_for_ms: 60_000, ring_back: RingBack::Tone };
        assert_eq!(report.calls, [HostCall::Ring(request)]);
    }
}
