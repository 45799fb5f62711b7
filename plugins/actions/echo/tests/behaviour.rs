//! What `echo` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{CallError, HostCall, Testkit, json};

fn echo() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

#[test]
fn the_voice_comes_back_for_a_minute_unless_the_scenario_says_otherwise() {
    let report = echo().run().finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    assert_eq!(report.calls, [HostCall::Echo { max_ms: 60_000 }]);
    let report = echo().run().parameters(&json!({ "max": "5s" })).finish().unwrap();
    assert_eq!(report.calls, [HostCall::Echo { max_ms: 5_000 }]);
}

#[test]
fn a_caller_who_hangs_up_ends_it() {
    let report = echo().run().on_echo(|_| Err(CallError::CallerGone)).finish().unwrap();
    assert_eq!(report.failure(), Some("the call is over"));
}

#[test]
fn it_imports_the_call_and_nothing_else() {
    let kit = echo();
    assert_eq!(
        kit.imports(),
        ["plugboard:switch/types@0.1.0", "plugboard:switch/call@0.1.0", "plugboard:switch/description@0.1.0"]
    );
}

#[test]
fn wrong_parameters_are_refused_with_the_name_and_what_was_expected() {
    let fault = |parameters: &str| {
        let report = echo().run().parameters_text(parameters).finish().unwrap();
        assert!(report.calls.is_empty(), "nothing acts before the parameters are read");
        report.failure().unwrap().to_owned()
    };
    let time = r#"expected a time such as "20s", "500ms", "2m" or "1h""#;
    assert_eq!(fault(r#"{"max":5}"#), format!("parameter max: {time}, found 5"));
    assert_eq!(fault(r#"{"max":"5 s"}"#), format!("parameter max: {time}, found \"5 s\""));
    assert_eq!(fault(r#"{"max":"2h"}"#), r#"parameter max: at most "1h" is allowed"#);
    assert_eq!(fault(r#"{"max":"999ms"}"#), r#"parameter max: at least "1s" is allowed"#);
    assert_eq!(fault(r#"{"maximum":"5s"}"#), "parameter maximum: this action has no such parameter");
    assert_eq!(fault("[]"), "parameters: expected an object, found a list");
    assert!(fault("{").starts_with("parameters: no JSON: "));
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = echo();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("echo", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes[0].texts.contains_key(language), "{language}");
    }
    assert_eq!(
        manifest.parameters,
        json!({
            "type": "object",
            "properties": { "max": {
                "type": "string", "x-type": "duration", "pattern": "^[0-9]{1,9}(ms|s|m|h)$",
                "x-minimum": "1s", "x-maximum": "1h", "default": "60s",
                "title": "Max", "description": "For how long.",
                "x-texts": {
                    "ru": { "title": "Время", "description": "Как долго возвращать голос." },
                    "de": { "title": "Dauer", "description": "Wie lange die Stimme zurückkommt." },
                },
            } },
            "required": [],
            "additionalProperties": false,
        })
    );
}
