//! What `set-variable` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{Distribution, Json, Report, RunEnd, Testkit, Value, group, group_id, json, user, user_id};

/// It sets `values`; the variables have these values before, which say their types.
fn sets(values: Json, before: &[(&str, Value)]) -> Report {
    let kit = Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap();
    let mut run = kit.run().parameters(&json!({ "values": values }));
    run = run.user(user("eve", "105")).group(group("sales", "200", Distribution::AllAtOnce, &[("eve", 1)]));
    for (name, value) in before {
        run = run.variable(name, value.clone());
    }
    run.finish().unwrap()
}

#[test]
fn a_value_becomes_what_the_variable_is() {
    let before = [
        ("amount", Value::Number(0)),
        ("agreed", Value::Boolean(false)),
        ("agent", Value::User(user_id("nobody"))),
        ("team", Value::Group(group_id("none"))),
        ("word", Value::Text(String::new())),
    ];
    let values =
        json!({ "amount": " 042", "agreed": "1", "agent": "105", "team": "200", "word": 7, "new": ["a", "b"] });
    let report = sets(values, &before);
    assert_eq!(report.end, RunEnd::Outcome("done".into()));
    for (name, value) in [
        ("amount", Value::Number(42)),
        ("agreed", Value::Boolean(true)),
        ("agent", Value::User(user_id("eve"))),
        ("team", Value::Group(group_id("sales"))),
        ("word", Value::Text("7".into())),
        ("new", Value::Texts(vec!["a".into(), "b".into()])),
    ] {
        assert_eq!(report.variables.get(name), Some(&value), "{name}");
    }
}

#[test]
fn whom_the_office_does_not_have_leaves_all_as_they_were() {
    let before = [("agent", Value::User(user_id("eve"))), ("word", Value::Text("before".into()))];
    let report = sets(json!({ "word": "after", "agent": "999" }), &before);
    assert_eq!(report.end, RunEnd::Outcome("not-found".into()));
    assert_eq!(report.variables.get("word"), Some(&Value::Text("before".into())));
    assert_eq!(report.variables.get("agent"), Some(&Value::User(user_id("eve"))));
}

#[test]
fn what_does_not_fit_fails_and_says_which() {
    let report = sets(json!({ "amount": "many" }), &[("amount", Value::Number(3))]);
    let RunEnd::Failed(why) = &report.end else { panic!("{:?}", report.end) };
    assert!(why.contains("amount is no number"), "{why}");
    assert_eq!(report.variables.get("amount"), Some(&Value::Number(3)));
    for values in [json!({}), json!({ "a": null }), json!({ "a": 1.5 }), json!({ "a": [1] }), json!({ "a": {} })] {
        let report = sets(values.clone(), &[]);
        assert!(matches!(report.end, RunEnd::Failed(_)), "{values}");
    }
}
