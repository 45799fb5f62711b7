//! What `transfer` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Cause, Connected, Distribution, HostCall, NotConnected, RingRequest, Target, Testkit, group, group_id, json, user,
    user_id,
};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn rung(calls: &[HostCall]) -> Vec<Target> {
    let targets = |call: &HostCall| {
        if let HostCall::Ring(RingRequest { targets, .. }) = call { targets.clone() } else { Vec::new() }
    };
    calls.iter().flat_map(targets).collect()
}

#[test]
fn it_rings_users_groups_and_numbers_and_whoever_answers_has_the_caller() {
    let kit = kit();
    for (to, target) in [
        ("102", Target::User(user_id("bob"))),
        ("bob", Target::User(user_id("bob"))),
        ("200", Target::Group(group_id("sales"))),
        ("0301234", Target::Number("0301234".into())),
    ] {
        let report = kit
            .run()
            .user(user("bob", "102"))
            .group(group("sales", "200", Distribution::AllAtOnce, &[("bob", 1)]))
            .parameters(&json!({ "to": to }))
            .on_ring(|_| Ok(Connected { user: None, number: "1".into(), rang_ms: 1 }))
            .finish()
            .unwrap();
        assert_eq!((report.outcome(), rung(&report.calls)), (Some("answer"), vec![target]), "{to}");
        assert!(!report.calls.iter().any(|call| matches!(call, HostCall::HangUp(_))));
    }
}

#[test]
fn a_call_that_nobody_answers_is_over_with_its_cause() {
    let kit = kit();
    let run = || kit.run().user(user("bob", "102")).parameters(&json!({ "to": "102" }));
    let busy = run().on_ring(|_| Err(NotConnected::NoAnswer(Cause::of(486)))).finish().unwrap();
    assert!(busy.calls.contains(&HostCall::HangUp(Cause::of(486))), "{:?}", busy.calls);
    let late = run().finish().unwrap();
    let told = HostCall::HangUp(Cause { status: 480, text: "Nobody answered".into() });
    assert!(late.calls.contains(&told), "{:?}", late.calls);
    assert_eq!(late.outcome(), None);
}

#[test]
fn it_describes_itself_in_three_languages_and_imports_what_it_says() {
    let kit = kit();
    let mut imports = kit.imports();
    imports.sort_unstable();
    let names = ["call", "description", "dial", "directory", "types"];
    assert_eq!(imports, names.map(|name| format!("plugboard:switch/{name}@0.1.0")));
    let manifest = kit.manifest();
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
