//! What `conference` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{ConferenceEnd, ConferenceRequest, HostCall, NotJoined, Testkit, json};

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn the_caller_sits_in_the_room_as_the_scenario_says() {
    let report = kit().run().parameters(&json!({ "room": "sales" })).finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let usual = ConferenceRequest {
        room: "sales".into(),
        listens: false,
        seats_max: 32,
        max_ms: 14_400_000,
        leave_on: None,
        beep: true,
    };
    assert_eq!(report.calls, [HostCall::JoinConference(usual.clone())]);
    let given = json!({ "room": "7", "listens": true, "seats": 5, "max": "10m", "leave_on": "#", "beep": false });
    let report = kit().run().parameters(&given).on_join(|_| Ok(ConferenceEnd::Key)).finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let other = ConferenceRequest {
        room: "7".into(),
        listens: true,
        seats_max: 5,
        max_ms: 600_000,
        leave_on: Some('#'),
        beep: false,
    };
    assert_eq!(report.calls, [HostCall::JoinConference(other)]);
}

#[test]
fn a_room_without_a_seat_is_an_outcome() {
    let report = kit().run().parameters(&json!({ "room": "7" })).on_join(|_| Err(NotJoined::Full)).finish().unwrap();
    assert_eq!(report.outcome(), Some("full"));
}

#[test]
fn what_cannot_be_is_a_failure_with_its_reason() {
    let fault = |why: NotJoined| {
        let report =
            kit().run().parameters(&json!({ "room": "7" })).on_join(move |_| Err(why.clone())).finish().unwrap();
        report.failure().unwrap().to_owned()
    };
    assert_eq!(fault(NotJoined::CallerGone), "the call is over");
    assert_eq!(fault(NotJoined::Talking), "the caller talks to somebody: end that connection first");
    assert_eq!(fault(NotJoined::NoMedia("gone".into())), "no media with the caller: gone");
}

#[test]
fn the_switch_refuses_names_and_keys_that_are_none() {
    let fault = |given| {
        let report = kit().run().parameters(&given).finish().unwrap();
        assert!(report.calls.is_empty(), "the switch is not asked");
        report.failure().unwrap().to_owned()
    };
    let refused = "the switch refused a parameter: ";
    assert_eq!(fault(json!({ "room": "Sales" })), format!("{refused}the room \"Sales\" is not 1 to 64 of a-z 0-9 -"));
    assert_eq!(fault(json!({ "room": "7", "leave_on": "x" })), format!("{refused}leave-on 'x' is none of 0-9 * # A-D"));
    assert_eq!(fault(json!({ "room": "7", "seats": 1 })), "parameter seats: at least 2 is allowed");
}

#[test]
fn it_imports_the_conference_and_nothing_else() {
    assert_eq!(
        kit().imports(),
        ["plugboard:switch/types@0.1.0", "plugboard:switch/conference@0.1.0", "plugboard:switch/description@0.1.0"]
    );
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("conference", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
