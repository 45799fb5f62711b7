//! What `try-any-manager` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Connected, HostCall, QueueEnd, QueueError, QueueRequest, Skill, Testkit, Value, json, user_id,
};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn usual() -> QueueRequest {
    QueueRequest {
        max_ms: 600_000,
        ring_for_ms: 20_000,
        music: None,
        announce_ms: None,
        call_back_on: None,
        priority: 0,
        skill: None,
        callers_max: 1_000,
        exit_on: None,
    }
}

#[test]
fn r69_the_caller_waits_as_the_scenario_says_and_the_outcome_names_who_answered() {
    let answered = Connected { user: Some(user_id("ann")), number: "101".into(), rang_ms: 3_000 };
    let report = kit().run().on_wait(move |_| Ok(QueueEnd::Answered(answered.clone()))).finish().unwrap();
    let who = HostCall::SetVariable { name: "answered_by".into(), value: Value::User(user_id("ann")) };
    assert_eq!((report.outcome(), report.calls.as_slice()), (Some("answer"), &[HostCall::Wait(usual()), who][..]));
    assert_eq!(report.variables.get("answered_by"), Some(&Value::User(user_id("ann"))));
    let given = json!({ "max": "1h", "ring_for": "5s", "music": "waltz", "announce": "30s", "call_back_on": "1",
        "priority": 7, "skill": "german", "level": 6, "callers": 5, "exit_on": "2" });
    let report = kit().run().parameters(&given).finish().unwrap();
    let asked = QueueRequest {
        max_ms: 3_600_000,
        ring_for_ms: 5_000,
        music: Some("waltz".into()),
        announce_ms: Some(30_000),
        call_back_on: Some('1'),
        priority: 7,
        skill: Some(Skill { name: "german".into(), level: 6 }),
        callers_max: 5,
        exit_on: Some('2'),
    };
    assert_eq!((report.outcome(), report.calls.as_slice()), (Some("timeout"), &[HostCall::Wait(asked)][..]));
}

#[test]
fn a_key_that_means_two_things_and_one_that_is_none_are_told() {
    for (given, reason) in [
        (json!({ "call_back_on": "1", "exit_on": "1" }), "call-back-on and exit-on are both '1'"),
        (json!({ "exit_on": "x" }), "exit-on 'x' is none of 0-9 * # A-D"),
    ] {
        let report = kit().run().parameters(&given).finish().unwrap();
        assert!(report.failure().unwrap().contains(reason), "{:?}", report.failure());
    }
}

#[test]
fn every_other_end_is_an_outcome_or_a_failure_with_its_reason() {
    for (end, outcome) in [
        (QueueEnd::Nobody, "nobody"),
        (QueueEnd::Full, "full"),
        (QueueEnd::CalledBack, "called-back"),
        (QueueEnd::Exited, "exit"),
    ] {
        let report = kit().run().on_wait(move |_| Ok(end.clone())).finish().unwrap();
        assert_eq!(report.outcome(), Some(outcome));
    }
    let fault = |why: QueueError| {
        let report = kit().run().on_wait(move |_| Err(why.clone())).finish().unwrap();
        report.failure().unwrap().to_owned()
    };
    assert_eq!(fault(QueueError::CallerGone), "the call is over");
    assert_eq!(fault(QueueError::NoMedia("gone".into())), "no media with the caller: gone");
}

#[test]
fn the_switch_refuses_a_key_that_is_none() {
    let report = kit().run().parameters(&json!({ "call_back_on": "x" })).finish().unwrap();
    assert!(report.calls.is_empty(), "the switch is not asked");
    let reason = "the switch refused a parameter: call-back-on 'x' is none of 0-9 * # A-D";
    assert_eq!(report.failure(), Some(reason));
}

#[test]
fn it_imports_the_queue_and_nothing_that_rings() {
    let kit = kit();
    assert!(kit.imports().iter().any(|import| import == "plugboard:switch/queue@0.1.0"));
    assert!(!kit.imports().iter().any(|import| import.contains("dial") || import.contains("directory")));
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("try-any-manager", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
