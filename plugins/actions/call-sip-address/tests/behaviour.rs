//! What `call-sip-address` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Cause, Connected, DialGrant, Grants, HostCall, NotConnected, RingBack, RingRequest, Target, Testkit, Value, json,
};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn r68_an_address_is_rung_and_answers() {
    let kit = kit();
    let given = json!({ "address": "sip:desk@partner.example", "ring_for": "30s" });
    let answered = || Connected { user: None, number: "sip:desk@partner.example".into(), rang_ms: 2_000 };
    let report = kit.run().parameters(&given).on_ring(|_| Ok(answered())).finish().unwrap();
    assert_eq!(report.outcome(), Some("answer"));
    let targets = vec![Target::Address("sip:desk@partner.example".into())];
    assert_eq!(report.calls, [HostCall::Ring(RingRequest { targets, ring_for_ms: 30_000, ring_back: RingBack::Tone })]);
}

#[test]
fn r68_what_the_switch_does_not_call_is_an_outcome_of_its_own() {
    let kit = kit();
    let given = json!({ "address": "sip:101@plugboard.test" });
    let own = || NotConnected::Invalid("it is an address of this switch".into());
    let report = kit.run().parameters(&given).on_ring(|_| Err(own())).finish().unwrap();
    assert_eq!(report.outcome(), Some("refused"));
    assert_eq!(report.variables["refused_because"], Value::Text("it is an address of this switch".into()));
    let report =
        kit.run().parameters(&given).on_ring(|_| Err(NotConnected::NoAnswer(Cause::of(404)))).finish().unwrap();
    assert_eq!((report.outcome(), &report.variables["cause"]), (Some("no-answer"), &Value::Number(404)));
    assert_eq!(kit.run().parameters(&given).finish().unwrap().outcome(), Some("timeout"));
}

#[test]
fn a_grant_that_lists_numbers_covers_no_address() {
    let kit = kit();
    let grants = Grants::none()
        .with(plugboard_testkit::Capability::Log)
        .with(plugboard_testkit::Capability::Variables)
        .with_dial(DialGrant { prefixes: vec!["sip:".into(), "+49".into()], ..DialGrant::default() });
    let given = json!({ "address": "sip:desk@partner.example" });
    let report = kit.run().parameters(&given).grants(grants).finish().unwrap();
    assert!(report.failure().unwrap().contains("sip:desk@partner.example"), "{report:?}");
}

#[test]
fn it_describes_itself_in_three_languages_and_imports_what_it_says() {
    let kit = kit();
    let mut imports = kit.imports();
    imports.sort_unstable();
    let names = ["description", "dial", "log", "types", "variables"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
    let manifest = kit.manifest();
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
