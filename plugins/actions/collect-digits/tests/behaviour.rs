//! What `collect-digits` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Audio, CollectEnd, CollectRequest, Collected, HostCall, LogLevel, Testkit, Value, json};

fn collect_digits() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn pressed(digits: &str, ended_by: CollectEnd) -> Collected {
    Collected { digits: digits.into(), ended_by, not_played: None }
}

#[test]
fn r53_a_short_number_is_taken_with_and_without_the_end_key() {
    for ended_by in [CollectEnd::EndDigit, CollectEnd::Timeout, CollectEnd::MaxDigits] {
        let report = collect_digits().run().on_collect(|_| Ok(pressed("106", ended_by))).finish().unwrap();
        assert_eq!((report.outcome(), report.text("digits")), (Some("digits"), Some("106")));
    }
}

#[test]
fn r54_the_prompt_and_the_waits_are_the_switchs_to_keep() {
    let parameters = json!({
        "prompt": "menu", "max_digits": 3, "first_digit": "8s", "inter_digit": "1500ms", "end_digit": "*",
    });
    let report = collect_digits().run().parameters(&parameters).finish().unwrap();
    let request = CollectRequest {
        prompt: Some(Audio::Prompt("menu".into())),
        max_digits: 3,
        first_digit_ms: 8_000,
        inter_digit_ms: 1_500,
        end_digit: Some('*'),
    };
    assert_eq!(report.calls, [HostCall::Collect(request)]);
}

#[test]
fn the_defaults_are_four_digits_five_and_three_seconds_and_the_hash_key() {
    let report = collect_digits().run().finish().unwrap();
    let request = CollectRequest {
        prompt: None,
        max_digits: 4,
        first_digit_ms: 5_000,
        inter_digit_ms: 3_000,
        end_digit: Some('#'),
    };
    assert_eq!(report.calls, [HostCall::Collect(request)]);
    let report = collect_digits().run().parameters(&json!({ "end_digit": "" })).finish().unwrap();
    assert!(matches!(report.calls.as_slice(), [HostCall::Collect(CollectRequest { end_digit: None, .. })]));
}

#[test]
fn r55_no_digit_is_the_outcome_nothing() {
    let report = collect_digits().run().finish().unwrap();
    assert_eq!((report.outcome(), report.text("digits")), (Some("nothing"), None));
    let end_key_alone = collect_digits().run().on_collect(|_| Ok(pressed("", CollectEnd::EndDigit))).finish().unwrap();
    assert_eq!(end_key_alone.outcome(), Some("nothing"));
}

#[test]
fn another_variable_gets_the_digits_as_well_and_is_empty_when_none_came() {
    let parameters = json!({ "variable": "pin" });
    let kit = collect_digits();
    let report =
        kit.run().parameters(&parameters).on_collect(|_| Ok(pressed("4711", CollectEnd::MaxDigits))).finish().unwrap();
    assert_eq!((report.text("pin"), report.text("digits")), (Some("4711"), Some("4711")));
    let report = kit.run().parameters(&parameters).finish().unwrap();
    assert_eq!((report.outcome(), report.text("pin")), (Some("nothing"), Some("")));
    let taken = kit.run().parameters(&parameters).variable("pin", Value::Number(1)).finish().unwrap();
    assert_eq!(taken.failure(), Some("variable pin could not be set: it has another type in this scenario: number"));
}

#[test]
fn r52_a_prompt_that_is_missing_is_logged_and_the_digits_count() {
    let heard = Collected { not_played: Some("no such file".into()), ..pressed("1", CollectEnd::MaxDigits) };
    let report = collect_digits()
        .run()
        .parameters(&json!({ "prompt": "menu", "max_digits": 1 }))
        .on_collect(|_| Ok(heard.clone()))
        .finish()
        .unwrap();
    assert_eq!(report.outcome(), Some("digits"));
    assert_eq!(report.log(), [(LogLevel::Warn, "menu was not heard: no such file")]);
}

#[test]
fn more_digits_than_the_switch_takes_are_refused() {
    let report = collect_digits().run().parameters(&json!({ "max_digits": 33 })).finish().unwrap();
    assert_eq!(report.failure(), Some("parameter max_digits: at most 32 is allowed"));
    let report = collect_digits().run().parameters(&json!({ "max_digits": 300 })).finish().unwrap();
    assert_eq!(report.failure(), Some("parameter max_digits: expected a whole number that fits u8, found 300"));
}

#[test]
fn it_imports_no_more_than_it_uses_and_no_wasi() {
    let mut imports = collect_digits().imports();
    imports.sort();
    let used =
        ["call", "description", "log", "types", "variables"].map(|name| format!("plugboard:switch/{name}@0.1.0"));
    assert_eq!(imports, used);
}
