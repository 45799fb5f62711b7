//! What `hang-up` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{HostCall, Testkit, json};

fn hang_up() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn each_cause_is_the_status_that_the_callers_telephone_understands() {
    for (word, status) in [
        ("normal", 480),
        ("busy", 486),
        ("declined", 603),
        ("not-found", 404),
        ("unavailable", 480),
        ("congestion", 503),
        ("forbidden", 403),
    ] {
        let report = hang_up().run().parameters(&json!({ "cause": word })).finish().unwrap();
        let [HostCall::HangUp(cause)] = report.calls.as_slice() else { panic!("{:?}", report.calls) };
        assert_eq!(cause.status, status, "{word}");
        assert!(!cause.text.is_empty());
    }
}

#[test]
fn a_call_that_is_hung_up_without_a_word_ends_normally() {
    let report = hang_up().run().finish().unwrap();
    assert!(matches!(report.calls.as_slice(), [HostCall::HangUp(cause)] if cause.status == 480));
}

#[test]
fn r74_nothing_runs_after_it_since_it_has_no_outcome() {
    let kit = hang_up();
    assert!(kit.manifest().outcomes.is_empty());
    assert_eq!(kit.run().finish().unwrap().failure(), Some("the call is over"));
}

#[test]
fn it_imports_the_call_and_nothing_else() {
    let mut imports = hang_up().imports();
    imports.sort();
    let used = ["call", "description", "types"].map(|name| format!("plugboard:switch/{name}@0.1.0"));
    assert_eq!(imports, used);
}
