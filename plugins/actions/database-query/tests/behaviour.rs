//! What `database-query` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Argument, DatabaseError, DatabaseRequest, DatabaseRows, Distribution, Report, Testkit, Value, group, group_id,
    json, user, user_id,
};
use std::collections::BTreeMap;

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn rows(rows: &str, count: u64) -> DatabaseRows {
    DatabaseRows { rows: rows.into(), count }
}

/// It takes these variables out of these rows; they have these values before, which say their types.
fn takes(came: &str, into: &[(&str, &str)], before: &[(&str, Value)]) -> Report {
    let kit = kit();
    let into: BTreeMap<&str, &str> = into.iter().copied().collect();
    let given = json!({ "database": "crm", "query": "agent-of", "into": into });
    let answer = Ok(rows(came, 1));
    let mut run = kit.run().parameters(&given).on_database(move |_| answer.clone());
    run = run.user(user("eve", "105")).group(group("sales", "200", Distribution::AllAtOnce, &[("eve", 1)]));
    for (name, value) in before {
        run = run.variable(name, value.clone());
    }
    run.finish().unwrap()
}

#[test]
fn r22_it_asks_by_name_and_takes_variables_out_of_the_first_row() {
    let mut asked = Vec::new();
    let kit = kit();
    let given = json!({
        "database": "crm", "query": "agent-of", "with": { "number": "+49 30 1234", "id": 7, "vip": true },
        "into": { "company": "name", "debts": "debts", "tags": "tags" },
    });
    let run = kit.run().parameters(&given).on_database(|request| {
        asked.push(request);
        Ok(rows(r#"[{"name": "Example", "debts": 12, "tags": ["a", 2]}, {"name": "Other"}]"#, 2))
    });
    let report = run.finish().unwrap();
    assert_eq!(report.outcome(), Some("found"));
    let request = DatabaseRequest {
        database: "crm".into(),
        query: "agent-of".into(),
        with: vec![
            ("id".into(), Argument::Number(7)),
            ("number".into(), Argument::Text("+49 30 1234".into())),
            ("vip".into(), Argument::Boolean(true)),
        ],
    };
    assert_eq!(asked, [request]);
    assert_eq!(report.text("company"), Some("Example"));
    assert_eq!(report.variables.get("debts"), Some(&Value::Number(12)));
    assert_eq!(report.variables.get("tags"), Some(&Value::Texts(vec!["a".into(), "2".into()])));
    assert_eq!(report.variables.get("database_rows"), Some(&Value::Number(2)));
}

#[test]
fn r22_a_column_becomes_what_its_variable_is() {
    let nobody = || Value::User(user_id("ann"));
    for came in [r#"[{"x": "105"}]"#, r#"[{"x": 105}]"#, r#"[{"x": " eve "}]"#] {
        let report = takes(came, &[("agent", "x")], &[("agent", nobody())]);
        assert_eq!(report.outcome(), Some("found"), "{came}");
        assert_eq!(report.variables.get("agent"), Some(&Value::User(user_id("eve"))), "{came}");
    }
    let report = takes(r#"[{"x": "200"}]"#, &[("y", "x")], &[("y", Value::Group(group_id("other")))]);
    assert_eq!(report.variables.get("y"), Some(&Value::Group(group_id("sales"))));
    let report = takes(
        r#"[{"a": 17, "b": "18", "c": 1, "d": "12.50"}]"#,
        &[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")],
        &[
            ("a", Value::Text(String::new())),
            ("b", Value::Number(0)),
            ("c", Value::Boolean(false)),
            ("d", Value::Text(String::new())),
        ],
    );
    assert_eq!((report.text("a"), report.text("d")), (Some("17"), Some("12.50")));
    assert_eq!(report.variables.get("b"), Some(&Value::Number(18)));
    assert_eq!(report.variables.get("c"), Some(&Value::Boolean(true)));
}

#[test]
fn no_row_no_value_and_nobody_are_empty_and_what_does_not_fit_fails() {
    let ann = user_id("ann");
    for came in [r#"[{"x": "999"}]"#, r#"[{"x": null}]"#] {
        let report = takes(came, &[("x", "x")], &[("x", Value::User(ann.clone()))]);
        assert_eq!(report.outcome(), Some("empty"), "{came}");
        assert_eq!(report.variables.get("x"), Some(&Value::User(ann.clone())), "{came}");
    }
    // What fitted is as it was, too.
    let report = takes(
        r#"[{"a": "105", "b": "999"}]"#,
        &[("a", "a"), ("b", "b")],
        &[("a", Value::User(ann.clone())), ("b", Value::User(ann.clone()))],
    );
    assert_eq!((report.outcome(), report.variables.get("a")), (Some("empty"), Some(&Value::User(ann))));
    let report = takes(r#"[{"x": "12.50"}]"#, &[("x", "x")], &[("x", Value::Number(1))]);
    assert_eq!(report.failure(), Some("what the row has for x is no number"));
    let report = takes(r#"[{"y": 1}]"#, &[("x", "x")], &[]);
    assert_eq!(report.failure(), Some("the query returns no column x"));
}

#[test]
fn each_answer_and_each_fault_has_its_outcome() {
    let ends = |answer: Result<DatabaseRows, DatabaseError>| {
        let given = json!({ "database": "crm", "query": "q" });
        let report = kit().run().parameters(&given).on_database(move |_| answer.clone()).finish().unwrap();
        report.outcome().map_or_else(|| format!("failed: {}", report.failure().unwrap()), str::to_owned)
    };
    assert_eq!(ends(Ok(rows("[]", 0))), "empty");
    assert_eq!(ends(Ok(rows("[]", 3))), "found");
    assert_eq!(ends(Ok(rows(r#"[{"a": 1}]"#, 1))), "found");
    assert_eq!(ends(Err(DatabaseError::TimeOver)), "failed: the database did not answer in its time");
    assert_eq!(ends(Err(DatabaseError::TooManyRows(10))), "failed: the database returned more than 10 rows");
    assert_eq!(ends(Err(DatabaseError::TooLong(10))), "failed: the database's rows are longer than 10 bytes");
    assert_eq!(ends(Err(DatabaseError::Refused("no".into()))), "failed: the database refused: no");
    assert_eq!(ends(Err(DatabaseError::Unknown("gone".into()))), "failed: nobody knows whether it was done: gone");
    assert_eq!(ends(Err(DatabaseError::Denied("no query".into()))), "failed: no query");
}

#[test]
fn the_switch_refuses_what_is_too_much() {
    let given = json!({ "database": "crm", "query": "q", "with": { "a": "x".repeat(16_384) } });
    let report = kit().run().parameters(&given).on_database(|_| unreachable!("it was asked")).finish().unwrap();
    assert!(report.failure().unwrap().starts_with("the switch refused a parameter: "));
}

#[test]
fn it_imports_what_it_says_and_nothing_else() {
    let mut imports = kit().imports();
    imports.sort_unstable();
    assert_eq!(
        imports,
        [
            "plugboard:switch/database@0.1.0",
            "plugboard:switch/description@0.1.0",
            "plugboard:switch/directory@0.1.0",
            "plugboard:switch/types@0.1.0",
            "plugboard:switch/variables@0.1.0",
        ]
    );
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("database-query", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
