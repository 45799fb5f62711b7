//! What `http-request` does under the real host.

#![expect(clippy::unwrap_used, reason = "what cannot be set up has failed")]

use plugboard_testkit::{
    Distribution, HostCall, HttpError, HttpMethod, HttpRequest, HttpResponse, KnownContact, Report, Testkit, Value,
    contact, contact_id, group, group_id, json, user, user_id,
};
use std::collections::BTreeMap;

fn kit() -> Testkit {
    Testkit::of(env!("CARGO_MANIFEST_DIR")).unwrap()
}

fn says(status: u16, body: &str) -> HttpResponse {
    HttpResponse { status, content_type: "application/json".into(), body: body.into() }
}

/// It takes these variables out of this answer; they have these values before, which say their types.
fn takes(body: &str, into: &[(&str, &str)], before: &[(&str, Value)]) -> Report {
    let kit = kit();
    let into: BTreeMap<&str, &str> = into.iter().copied().collect();
    let answer = Ok(says(200, body));
    let mut run = kit.run().parameters(&json!({ "source": "crm", "into": into })).on_http(move |_| answer.clone());
    run = run.contact(contact("carla", "+49401", &[])).contact(contact("other", "+49402", &[]));
    run = run.user(user("eve", "105")).group(group("sales", "200", Distribution::AllAtOnce, &[("eve", 1)]));
    for (name, value) in before {
        run = run.variable(name, value.clone());
    }
    run.finish().unwrap()
}

#[test]
fn r23_it_asks_what_the_scenario_says_and_takes_variables_out_of_the_answer() {
    let mut asked = Vec::new();
    let kit = kit();
    let given = json!({
        "source": "crm", "path": "contacts/search", "query": { "phone": "+49 30 1234", "exact": "yes" },
        "into": { "company": "/0/company/name", "debts": "/0/debts", "vip": "/0/vip", "tags": "/0/tags" },
    });
    let body = r#"[{"company": {"name": "Example"}, "debts": 12, "vip": true, "tags": ["a", 2]}]"#;
    let run = kit.run().parameters(&given).on_http(|request| {
        asked.push(request);
        Ok(says(200, body))
    });
    let report = run.finish().unwrap();
    assert_eq!(report.outcome(), Some("done"));
    let request = HttpRequest {
        source: "crm".into(),
        method: HttpMethod::Get,
        path: "contacts/search".into(),
        query: vec![("exact".into(), "yes".into()), ("phone".into(), "+49 30 1234".into())],
        body: None,
    };
    assert_eq!(asked, [request]);
    assert_eq!(report.text("company"), Some("Example"));
    assert_eq!(report.variables.get("debts"), Some(&Value::Number(12)));
    assert_eq!(report.variables.get("vip"), Some(&Value::Boolean(true)));
    assert_eq!(report.variables.get("tags"), Some(&Value::Texts(vec!["a".into(), "2".into()])));
    assert_eq!(report.variables.get("http_status"), Some(&Value::Number(200)));
}

#[test]
fn a_value_becomes_what_its_variable_is() {
    let nobody = || Value::User(user_id("ann"));
    for body in [r#"{"x": "105"}"#, r#"{"x": 105}"#] {
        let report = takes(body, &[("x", "/x")], &[("x", nobody())]);
        assert_eq!(report.outcome(), Some("done"), "{body}");
        assert_eq!(report.variables.get("x"), Some(&Value::User(user_id("eve"))), "{body}");
    }
    let report = takes(r#"{"x": "200"}"#, &[("x", "/x")], &[("x", Value::Group(group_id("other")))]);
    assert_eq!(report.variables.get("x"), Some(&Value::Group(group_id("sales"))));
    let whom = |id: &str| Value::Contact(Box::new(KnownContact::named(contact_id(id))));
    let report = takes(r#"{"x": "carla"}"#, &[("x", "/x")], &[("x", whom("other"))]);
    assert_eq!((report.outcome(), report.variables.get("x")), (Some("done"), Some(&whom("carla"))));
    for nobody in [r#"{"x": "karla"}"#, r#"{"x": "Carla Customer"}"#, r#"{"x": ""}"#] {
        let report = takes(nobody, &[("x", "/x")], &[("x", whom("other"))]);
        assert_eq!(
            (report.outcome(), report.variables.get("x")),
            (Some("not-found"), Some(&whom("other"))),
            "{nobody}"
        );
    }
    let report = takes(
        r#"{"x": 17, "y": "18", "z": "true"}"#,
        &[("x", "/x"), ("y", "/y"), ("z", "/z")],
        &[("x", Value::Text(String::new())), ("y", Value::Number(0)), ("z", Value::Boolean(false))],
    );
    assert_eq!(report.text("x"), Some("17"));
    assert_eq!(report.variables.get("y"), Some(&Value::Number(18)));
    assert_eq!(report.variables.get("z"), Some(&Value::Boolean(true)));
}

#[test]
fn what_is_missing_or_names_nobody_is_not_found_and_what_does_not_fit_fails() {
    let ann = user_id("ann");
    for body in [r#"{"x": "999"}"#, r#"{"x": null}"#, r#"{"y": "105"}"#, "[]"] {
        let report = takes(body, &[("x", "/x")], &[("x", Value::User(ann.clone()))]);
        assert_eq!(report.outcome(), Some("not-found"), "{body}");
        assert_eq!(report.variables.get("x"), Some(&Value::User(ann.clone())), "{body}");
    }
    // What fitted is as it was, too.
    let report = takes(
        r#"{"a": "105", "b": "999"}"#,
        &[("a", "/a"), ("b", "/b")],
        &[("a", Value::User(ann.clone())), ("b", Value::User(ann.clone()))],
    );
    assert_eq!((report.outcome(), report.variables.get("a")), (Some("not-found"), Some(&Value::User(ann))));
    let report = takes(r#"{"x": "many"}"#, &[("x", "/x")], &[("x", Value::Number(1))]);
    assert_eq!(report.failure(), Some("what the answer has for x is no number"));
    let report = takes("<html>", &[("x", "/x")], &[]);
    assert_eq!(report.failure(), Some("the service's answer is no JSON"));
}

/// As long as an answer may be: its memory has to grow, more than once, and the room of what is read and dropped is used again.
#[test]
fn an_answer_of_the_longest_that_there_is_is_read_to_its_end() {
    const LONGEST: usize = 262_144;
    for filler in ["\"0123456789abcdef\",", "1,", "{\"a\":[[]]},"] {
        let end = "0],\"agent\":\"the last\"}";
        let mut body = String::from("{\"rows\":[");
        while body.len() + filler.len() + end.len() <= LONGEST {
            body.push_str(filler);
        }
        body.push_str(end);
        let report = takes(&body, &[("agent", "/agent")], &[]);
        assert_eq!(report.outcome(), Some("done"), "{filler}: {:?}", report.end);
        assert_eq!(report.text("agent"), Some("the last"));
    }
}

#[test]
fn each_status_and_each_fault_has_its_outcome() {
    let ends = |answer: Result<HttpResponse, HttpError>| {
        let report =
            kit().run().parameters(&json!({ "source": "crm" })).on_http(move |_| answer.clone()).finish().unwrap();
        report.outcome().map_or_else(|| format!("failed: {}", report.failure().unwrap()), str::to_owned)
    };
    for (status, outcome) in [
        (200, "done"),
        (204, "done"),
        (299, "done"),
        (301, "refused"),
        (403, "refused"),
        (404, "not-found"),
        (410, "not-found"),
        (503, "refused"),
    ] {
        assert_eq!(ends(Ok(says(status, "no JSON"))), outcome, "{status}");
    }
    assert_eq!(ends(Err(HttpError::TimeOver)), "timeout");
    assert_eq!(ends(Err(HttpError::Unreachable("refused".into()))), "failed: the service cannot be reached: refused");
    assert_eq!(ends(Err(HttpError::Broken("reset".into()))), "failed: the connection to the service broke: reset");
    assert_eq!(ends(Err(HttpError::TooLong(10))), "failed: the service's answer is longer than 10 bytes");
    assert_eq!(ends(Err(HttpError::Denied("no source".into()))), "failed: no source");
}

#[test]
fn r17_it_posts_a_document() {
    let mut asked = Vec::new();
    let kit = kit();
    let given = json!({ "source": "crm", "method": "post", "body": { "from": "101", "tags": ["a"] } });
    let run = kit.run().parameters(&given).on_http(|request| {
        asked.push(request);
        Ok(says(201, ""))
    });
    assert_eq!(run.finish().unwrap().outcome(), Some("done"));
    let request = asked.pop().unwrap();
    assert_eq!((request.method, request.body.as_deref()), (HttpMethod::Post, Some(r#"{"from":"101","tags":["a"]}"#)));
}

#[test]
fn the_switch_refuses_ways_out_of_the_source_and_bodies_of_get() {
    for given in [
        json!({ "source": "crm", "path": "../admin" }),
        json!({ "source": "crm", "path": "a/./b" }),
        json!({ "source": "crm", "path": ".\t./admin" }),
        json!({ "source": "crm", "path": "a\nb" }),
        json!({ "source": "crm", "path": "a//b" }),
        json!({ "source": "crm", "path": "/etc" }),
        json!({ "source": "crm", "body": {} }),
        json!({ "source": "crm", "query": { "q": "x".repeat(4_096) } }),
    ] {
        let report = kit().run().parameters(&given).on_http(|_| unreachable!("it was asked")).finish().unwrap();
        assert!(report.failure().unwrap().starts_with("the switch refused a parameter: "), "{given}");
        assert!(!report.calls.iter().any(|call| matches!(call, HostCall::Http(_))), "{given}");
    }
}

#[test]
fn it_imports_what_it_says_and_nothing_else() {
    let mut imports = kit().imports();
    imports.sort_unstable();
    assert_eq!(
        imports,
        [
            "plugboard:switch/description@0.1.0",
            "plugboard:switch/directory@0.1.0",
            "plugboard:switch/http@0.1.0",
            "plugboard:switch/types@0.1.0",
            "plugboard:switch/variables@0.1.0",
        ]
    );
}

#[test]
fn it_describes_itself_in_three_languages() {
    let kit = kit();
    let manifest = kit.manifest();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("http-request", env!("CARGO_PKG_VERSION")));
    for language in ["en", "ru", "de"] {
        assert!(manifest.titles.contains_key(language) && manifest.summaries.contains_key(language), "{language}");
        assert!(manifest.outcomes.iter().all(|outcome| outcome.texts.contains_key(language)), "{language}");
    }
}
